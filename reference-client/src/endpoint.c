/* SPDX-License-Identifier: MIT */
#include "endpoint.h"

#include "phx/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool refuse(phxc_url_t *url, char *error, size_t error_size, const char *text, const char *why)
{
    (void)snprintf(error, error_size, "%s: %s", text, why);
    phxc_url_free(url);
    return false;
}

static bool parse_scheme(const char **text, bool *tls)
{
    static const struct {
        const char *name;
        bool tls;
    } schemes[] = {{"ws://", false}, {"wss://", true}, {"http://", false}, {"https://", true}};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        const size_t len = strlen(schemes[i].name);
        if (strncasecmp(*text, schemes[i].name, len) == 0) {
            *text += len;
            *tls = schemes[i].tls;
            return true;
        }
    }
    return false;
}

static bool parse_port(const char *text, size_t len, uint16_t *port)
{
    uint32_t number = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9' || i == 5) {
            return false;
        }
        number = 10 * number + (uint32_t)(text[i] - '0');
    }
    *port = (uint16_t)number;
    return number > 0 && number <= UINT16_MAX;
}

/* A request line or a header must not be broken by what a URL holds. */
static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((uint8_t)*text <= ' ' || (uint8_t)*text >= 0x7F) {
            return false;
        }
    }
    return true;
}

bool phxc_url_parse(phxc_url_t *url, const char *text, char *error, size_t error_size)
{
    *url = (phxc_url_t){0};
    const char *rest = text;
    if (!parse_scheme(&rest, &url->tls)) {
        return refuse(url, error, error_size, text, "a URL begins with ws://, wss://, http:// or https://");
    }
    if (!is_plain(text)) {
        return refuse(url, error, error_size, text,
                      "blanks and characters beyond ASCII must be percent-encoded");
    }
    const size_t authority_len = strcspn(rest, "/?#");
    const char *end = rest + authority_len;
    if (memchr(rest, '@', authority_len) != NULL) {
        return refuse(url, error, error_size, text, "user names in a URL are not supported");
    }
    const bool brackets = *rest == '[';
    const char *host = brackets ? rest + 1 : rest;
    const char *host_end = brackets ? memchr(rest, ']', authority_len) : memchr(rest, ':', authority_len);
    if (host_end == NULL) {
        host_end = brackets ? host : end;
    }
    const char *after = brackets ? host_end + 1 : host_end;
    if (host_end == host) {
        return refuse(url, error, error_size, text, "there is no host in it");
    }
    url->port = url->tls ? 443 : 80;
    if (after < end && (*after != ':' || !parse_port(after + 1, (size_t)(end - after) - 1, &url->port))) {
        return refuse(url, error, error_size, text, "a port is a number from 1 to 65535");
    }
    if (strchr(end, '#') != NULL) {
        return refuse(url, error, error_size, text, "a fragment (#) has no meaning here");
    }
    url->host = strndup(host, (size_t)(host_end - host));
    phx_buf_t target = {0};
    phx_buf_append_text(&target, *end == '/' ? "" : "/");
    phx_buf_append(&target, end, strlen(end) + 1);
    url->target = target.data; /* NULL when memory ran out */
    if (url->host == NULL || url->target == NULL) {
        return refuse(url, error, error_size, text, "memory ran out");
    }
    return true;
}

void phxc_url_free(phxc_url_t *url)
{
    free(url->host);
    free(url->target);
    *url = (phxc_url_t){0};
}

void phxc_url_append_authority(phx_buf_t *out, const phxc_url_t *url)
{
    const bool brackets = strchr(url->host, ':') != NULL;
    phx_buf_append_text(out, brackets ? "[" : "");
    phx_buf_append_text(out, url->host);
    phx_buf_append_text(out, brackets ? "]" : "");
    if (url->port != (url->tls ? 443 : 80)) {
        char port[8];
        (void)snprintf(port, sizeof port, ":%u", (unsigned)url->port);
        phx_buf_append_text(out, port);
    }
}

static void cut_suffix(char *path, const char *suffix)
{
    const size_t len = strlen(path);
    const size_t suffix_len = strlen(suffix);
    if (len >= suffix_len && strcmp(path + len - suffix_len, suffix) == 0) {
        path[len - suffix_len] = '\0';
    }
}

bool phxc_endpoint_parse(phxc_url_t *endpoint, const char *text, char *error, size_t error_size)
{
    if (!phxc_url_parse(endpoint, text, error, error_size)) {
        return false;
    }
    if (strchr(endpoint->target, '?') != NULL) {
        return refuse(endpoint, error, error_size, text, "give what follows the ? as connect params");
    }
    cut_suffix(endpoint->target, "/");
    cut_suffix(endpoint->target, "/websocket");
    cut_suffix(endpoint->target, "/longpoll");
    return true;
}

void phxc_percent_encode(phx_buf_t *out, phx_slice_t text)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t byte = (uint8_t)text.data[i];
        const bool plain = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
                           (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == '.' ||
                           byte == '~';
        if (plain) {
            phx_buf_append_byte(out, byte);
        } else {
            const char escaped[3] = {'%', hex[byte >> 4], hex[byte & 15]};
            phx_buf_append(out, escaped, sizeof escaped);
        }
    }
}

/* `[key]`, or `key` for the outermost; array elements have their number as key, as phoenix.js writes them. */
static void append_name(phx_buf_t *name, phx_slice_t key)
{
    const bool outermost = name->len == 0;
    phx_buf_append_text(name, outermost ? "" : "[");
    phx_buf_append_slice(name, key);
    phx_buf_append_text(name, outermost ? "" : "]");
}

/* WS-CONN-12. `name` is that of the container and comes back as it was. */
static int append_params(phx_buf_t *query, phx_buf_t *name, phx_slice_t container)
{
    const bool array = phx_json_kind(container) == PHX_JSON_ARRAY;
    const size_t name_len = name->len;
    size_t cursor = 0;
    size_t index = 0;
    phx_slice_t key = {0};
    phx_slice_t value;
    phx_buf_t scratch = {0};
    int error = 0;
    while (error == 0 && phx_json_next(container, &cursor, &key, &value)) {
        char number[24];
        phx_slice_t characters = {number, (size_t)snprintf(number, sizeof number, "%zu", index++)};
        if (!array) {
            error = phx_json_string(key, &scratch, &characters);
        }
        append_name(name, characters);
        const phx_json_kind_t kind = phx_json_kind(value);
        if (kind == PHX_JSON_OBJECT || kind == PHX_JSON_ARRAY) {
            error = error != 0 ? error : append_params(query, name, value);
        } else if (kind != PHX_JSON_NULL) {
            phx_buf_append_text(query, query->len > 0 ? "&" : "");
            phxc_percent_encode(query, phx_buf_slice(name));
            phx_buf_append_text(query, "=");
            if (kind == PHX_JSON_STRING && error == 0) {
                error = phx_json_string(value, &scratch, &value);
            }
            phxc_percent_encode(query, value);
        }
        if (name->failed) {
            error = PHX_ENOMEM;
        } else {
            name->len = name_len;
        }
    }
    phx_buf_free(&scratch);
    return error;
}

int phxc_endpoint_url(const phxc_url_t *endpoint, phxc_carriage_t carriage, phx_vsn_t vsn, phx_slice_t params,
                      phx_buf_t *out)
{
    phx_buf_t query = {0};
    phx_buf_t name = {0};
    phx_slice_t object;
    int error = 0;
    if (params.len > 0) {
        error = phx_json_check(params, &object, NULL);
        if (error == 0) {
            error =
                phx_json_kind(object) == PHX_JSON_OBJECT ? append_params(&query, &name, object) : PHX_EJSON;
        }
    }
    if (error == 0) {
        const bool websocket = carriage == PHXC_WEBSOCKET;
        phx_buf_append_text(out, websocket ? "ws" : "http");
        phx_buf_append_text(out, endpoint->tls ? "s://" : "://");
        phxc_url_append_authority(out, endpoint);
        phx_buf_append_text(out, endpoint->target);
        phx_buf_append_text(out, websocket ? "/websocket?" : "/longpoll?");
        phx_buf_append_slice(out, phx_buf_slice(&query));
        phx_buf_append_text(out, query.len > 0 ? "&vsn=" : "vsn=");
        phx_buf_append(out, vsn == PHX_V1 ? "1.0.0" : "2.0.0", sizeof "1.0.0");
        error = out->failed || query.failed ? PHX_ENOMEM : 0;
    }
    phx_buf_free(&query);
    phx_buf_free(&name);
    return error;
}
