/* SPDX-License-Identifier: MIT */
#include "handshake.h"

#include <string.h>

#include "phx/base64.h"

/* ---- origin ---- */

typedef struct origin {
    phx_slice_t scheme; /* empty: any */
    phx_slice_t host;   /* empty: none */
    phx_slice_t port;   /* empty: not given */
} origin_t;

static phx_slice_t default_port(phx_slice_t scheme)
{
    if (phx_slice_equals(scheme, "http")) {
        return PHX_SLICE("80");
    }
    if (phx_slice_equals(scheme, "https")) {
        return PHX_SLICE("443");
    }
    return (phx_slice_t){0};
}

static size_t index_of(phx_slice_t text, const char *any)
{
    size_t i = 0;
    while (i < text.len && strchr(any, text.data[i]) == NULL) {
        i++;
    }
    return i;
}

/* `host` or `host:port` or `[v6]:port`. */
static void split_authority(phx_slice_t authority, origin_t *origin)
{
    size_t end = 0;
    if (authority.len > 0 && authority.data[0] == '[') {
        end = index_of(authority, "]") + 1;
    } else {
        end = index_of(authority, ":");
    }
    if (end > authority.len) {
        end = authority.len;
    }
    origin->host = (phx_slice_t){authority.data, end};
    if (end < authority.len && authority.data[end] == ':') {
        origin->port = (phx_slice_t){authority.data + end + 1, authority.len - end - 1};
    }
}

/* `scheme://authority` or `//authority`; anything else has no host (ORIG-06). */
static origin_t parse_origin(phx_slice_t text)
{
    origin_t origin = {0};
    size_t colon = index_of(text, ":/");
    phx_slice_t rest = text;
    if (colon < text.len && text.data[colon] == ':') {
        origin.scheme = (phx_slice_t){text.data, colon};
        rest = (phx_slice_t){text.data + colon + 1, text.len - colon - 1};
    }
    if (!phx_slice_starts_with(rest, "//")) {
        return origin;
    }
    rest = (phx_slice_t){rest.data + 2, rest.len - 2};
    rest.len = index_of(rest, "/?#");
    split_authority(rest, &origin);
    return origin;
}

static bool host_matches(phx_slice_t pattern, phx_slice_t host)
{
    if (!phx_slice_starts_with(pattern, "*.")) {
        return phx_slice_equal(pattern, host); /* ORIG-10 */
    }
    phx_slice_t domain = {pattern.data + 2, pattern.len - 2};
    if (phx_slice_equal(domain, host)) {
        return true;
    }
    return host.len > domain.len + 1 && host.data[host.len - domain.len - 1] == '.' &&
           memcmp(host.data + host.len - domain.len, domain.data, domain.len) == 0; /* ORIG-05 */
}

static phx_slice_t port_of(const origin_t *origin)
{
    return origin->port.len > 0 ? origin->port : default_port(origin->scheme);
}

static bool origin_matches(const origin_t *entry, const origin_t *origin)
{
    if (!host_matches(entry->host, origin->host)) {
        return false;
    }
    if (entry->scheme.len > 0 && !phx_slice_equal(entry->scheme, origin->scheme)) {
        return false;
    }
    phx_slice_t wanted = port_of(entry);
    return wanted.len == 0 || phx_slice_equal(wanted, port_of(origin)); /* ORIG-04 */
}

/* ORIG-07 */
static bool same_connection(const origin_t *own, const origin_t *origin)
{
    return phx_slice_equal(own->scheme, origin->scheme) && phx_slice_equal(own->host, origin->host) &&
           phx_slice_equal(port_of(own), port_of(origin));
}

bool handshake_origin_allowed(const phxs_mount_config_t *config, const http_request_t *request, bool secure)
{
    const http_header_t *header = http_request_header(request, "origin");
    if (!config->check_origin || header == NULL) {
        return true; /* ORIG-01 */
    }
    origin_t origin = parse_origin(header->value);
    if (origin.host.len == 0) {
        return false; /* ORIG-06 */
    }
    if (config->same_connection || config->origins == NULL) {
        const http_header_t *host = http_request_header(request, "host");
        origin_t own = {.scheme = secure ? PHX_SLICE("https") : PHX_SLICE("http")};
        if (host != NULL) {
            split_authority(host->value, &own);
        }
        return config->same_connection ? same_connection(&own, &origin)
                                       : phx_slice_equal(own.host, origin.host); /* ORIG-03 */
    }
    for (const char *const *entry = config->origins; *entry != NULL; entry++) {
        origin_t allowed = parse_origin(phx_slice_of(*entry));
        if (origin_matches(&allowed, &origin)) {
            return true;
        }
    }
    return false;
}

/* ---- serializer version ---- */

/* A SemVer number: no leading zeros. Returns its length, 0 if there is none. */
static size_t semver_number(phx_slice_t text)
{
    size_t i = 0;
    while (i < text.len && text.data[i] >= '0' && text.data[i] <= '9') {
        i++;
    }
    return i > 1 && text.data[0] == '0' ? 0 : i;
}

/* Identifiers of a pre-release or build: `[0-9A-Za-z-]`, parted by dots, none empty. */
static bool semver_identifiers(phx_slice_t text)
{
    bool empty = true;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool letter = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
        if (!letter && (c != '.' || empty)) {
            return false;
        }
        empty = !letter;
    }
    return !empty;
}

bool handshake_serializer(phx_slice_t vsn, phx_vsn_t *serializer)
{
    phx_slice_t parts[3];
    phx_slice_t rest = vsn;
    for (int i = 0; i < 3; i++) {
        if (i > 0) {
            if (rest.len == 0 || rest.data[0] != '.') {
                return false; /* WS-VSN-03 */
            }
            rest = (phx_slice_t){rest.data + 1, rest.len - 1};
        }
        parts[i] = (phx_slice_t){rest.data, semver_number(rest)};
        if (parts[i].len == 0) {
            return false;
        }
        rest = (phx_slice_t){rest.data + parts[i].len, rest.len - parts[i].len};
    }
    bool pre_release = rest.len > 0 && rest.data[0] == '-';
    if (pre_release) {
        size_t build = index_of(rest, "+");
        if (!semver_identifiers((phx_slice_t){rest.data + 1, build - 1})) {
            return false;
        }
        rest = (phx_slice_t){rest.data + build, rest.len - build};
    }
    if (rest.len > 0 &&
        (rest.data[0] != '+' || !semver_identifiers((phx_slice_t){rest.data + 1, rest.len - 1}))) {
        return false;
    }
    if (pre_release && phx_slice_equals(parts[2], "0")) {
        return false; /* below x.0.0 (WS-VSN-04) */
    }
    if (!phx_slice_equals(parts[1], "0")) {
        return false; /* WS-VSN-02 */
    }
    *serializer = phx_slice_equals(parts[0], "2") ? PHX_V2 : PHX_V1;
    return phx_slice_equals(parts[0], "1") || phx_slice_equals(parts[0], "2");
}

/* ---- subprotocols and the bearer token ---- */

static const char BEARER[] = "base64url.bearer.phx.";
static const char *const PHOENIX[] = {"phoenix", NULL};

static bool offered(phx_slice_t offer, const char *name)
{
    size_t cursor = 0;
    phx_slice_t element;
    while (http_list_next(offer, &cursor, &element)) {
        if (phx_slice_equals(element, name)) {
            return true;
        }
    }
    return false;
}

subprotocol_outcome_t handshake_subprotocol(const phxs_mount_config_t *config, const http_request_t *request,
                                            subprotocol_t *result)
{
    if (!config->auth_token && config->subprotocols == NULL) {
        return SUBPROTOCOL_OK; /* SUBP-01 */
    }
    phx_buf_t joined = {0};
    subprotocol_outcome_t outcome = SUBPROTOCOL_OK;
    if (http_request_header_values(request, "sec-websocket-protocol", &joined) == 0) {
        return outcome; /* SUBP-04 */
    }

    phx_slice_t offer = phx_buf_slice(&joined);
    phx_slice_t bearer = {0};
    size_t bearers = 0;
    size_t others = 0;
    size_t cursor = 0;
    phx_slice_t element;
    while (http_list_next(offer, &cursor, &element)) {
        if (config->auth_token && phx_slice_starts_with(element, BEARER)) {
            bearer = element;
            bearers++;
        } else {
            others++;
        }
    }
    if (bearers == 1) { /* two of them are no token (TOK-05) */
        phx_slice_t text = {bearer.data + sizeof(BEARER) - 1, bearer.len - (sizeof(BEARER) - 1)};
        result->has_token = true;
        if (phx_base64_decode(&result->token, text, PHX_BASE64_OPTIONAL) != 0) {
            outcome = SUBPROTOCOL_BAD_TOKEN;
        } else if (others == 0) {
            goto done; /* TOK-04 */
        }
    }
    if (outcome == SUBPROTOCOL_OK) {
        const char *const *name = config->subprotocols != NULL ? config->subprotocols : PHOENIX;
        while (*name != NULL && !offered(offer, *name)) {
            name++;
        }
        result->chosen = *name; /* SUBP-02 */
        outcome = *name != NULL ? SUBPROTOCOL_OK : SUBPROTOCOL_REFUSED;
    }
done:
    phx_buf_free(&joined);
    return outcome;
}

/* ---- upgrade ---- */

const char *handshake_upgrade_error(const http_request_t *request)
{
    const http_header_t *version = http_request_header(request, "sec-websocket-version");
    phx_buf_t values = {0};
    const char *error = NULL;
    http_request_header_values(request, "connection", &values);
    bool connection = http_list_has_token(phx_buf_slice(&values), "upgrade");
    phx_buf_clear(&values);
    http_request_header_values(request, "upgrade", &values);
    bool upgrade = http_list_has_token(phx_buf_slice(&values), "websocket");
    phx_buf_free(&values);

    if (request->minor_version < 1) {
        error = "a WebSocket upgrade needs HTTP/1.1";
    } else if (!connection) {
        error = "the 'connection' header must contain 'upgrade'";
    } else if (!upgrade) {
        error = "the 'upgrade' header must contain 'websocket'";
    } else if (http_request_header(request, "sec-websocket-key") == NULL) {
        error = "the 'sec-websocket-key' header is absent";
    } else if (version == NULL || !phx_slice_equals(version->value, "13")) {
        error = "the 'sec-websocket-version' header must equal '13'";
    }
    return error;
}
