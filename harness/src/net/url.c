/* SPDX-License-Identifier: MIT */
#include "net/url.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool refuse(text_t *error, const char *string, const char *why)
{
    text_printf(error, "\"%s\" is no base URL: %s; one looks like http://127.0.0.1:4000", string, why);
    return false;
}

static bool copy(char *to, size_t room, span_t from)
{
    if (from.len >= room) {
        return false;
    }
    memcpy(to, from.at ? from.at : "", from.len);
    to[from.len] = '\0';
    return true;
}

/* "host", "host:port", "[v6]:port" */
static bool split_authority(span_t authority, span_t *host, span_t *port)
{
    const char *colon;
    *port = (span_t){NULL, 0};
    if (span_starts(authority, "[")) {
        const char *end = memchr(authority.at, ']', authority.len);
        if (end == NULL) {
            return false;
        }
        *host = (span_t){authority.at + 1, (size_t)(end - authority.at) - 1};
        span_t rest = span_from(authority, host->len + 2);
        *port = span_from(rest, 1);
        return rest.len == 0 || rest.at[0] == ':';
    }
    *host = authority;
    if (authority.len > 0 && (colon = memchr(authority.at, ':', authority.len)) != NULL) {
        host->len = (size_t)(colon - authority.at);
        *port = span_from(authority, host->len + 1);
    }
    return true;
}

static bool port_of(span_t digits, int *port)
{
    *port = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9' || digits.len > 5) {
            return false;
        }
        *port = *port * 10 + (digits.at[i] - '0');
    }
    return *port > 0 && *port < 65536;
}

bool url_parse(const char *string, url_t *url, text_t *error)
{
    span_t rest = span_of(string);
    *url = (url_t){.port = 80};
    if (span_starts(rest, "https://") || span_starts(rest, "wss://")) {
        return refuse(
            error, string,
            "TLS is not supported; let a program take it off, such as "
            "socat TCP-LISTEN:4000,bind=127.0.0.1,fork OPENSSL:HOST:443, and give http://127.0.0.1:4000");
    }
    if (span_starts(rest, "http://")) {
        rest = span_from(rest, strlen("http://"));
    } else if (span_starts(rest, "ws://")) {
        rest = span_from(rest, strlen("ws://"));
    } else {
        return refuse(error, string, "it begins neither with http:// nor with ws://");
    }
    size_t end = 0;
    while (end < rest.len && strchr("/?#", rest.at[end]) == NULL) {
        end++;
    }
    span_t authority = {rest.at, end}, path = span_from(rest, end), host, port;
    while (path.len > 0 && path.at[path.len - 1] == '/') {
        path.len--;
    }
    if (memchr(string, '@', strlen(string)) != NULL) {
        return refuse(error, string, "user names are not supported");
    }
    if (path.len > 0 && (memchr(path.at, '?', path.len) != NULL || memchr(path.at, '#', path.len) != NULL)) {
        return refuse(error, string, "it has a query or a fragment");
    }
    if (!split_authority(authority, &host, &port) || host.len == 0) {
        return refuse(error, string, "there is no host in it");
    }
    if (port.len > 0 && !port_of(port, &url->port)) {
        return refuse(error, string, "its port is not a number from 1 to 65535");
    }
    if (!copy(url->host, sizeof url->host, host) || !copy(url->authority, sizeof url->authority, authority) ||
        !copy(url->path, sizeof url->path, path)) {
        return refuse(error, string, "it is too long");
    }
    return true;
}

bool url_resolve(const url_t *url, address_t *address, text_t *error)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found = NULL;
    char service[8];
    snprintf(service, sizeof service, "%d", url->port);
    int failed = getaddrinfo(url->host, service, &hints, &found);
    if (failed || found == NULL) {
        text_printf(error, "the host %s has no address: %s", url->host, gai_strerror(failed));
        return false;
    }
    /* IPv4 first: servers under test mostly listen on 127.0.0.1 only, and "localhost" is both */
    struct addrinfo *chosen = found;
    for (struct addrinfo *each = found; each != NULL; each = each->ai_next) {
        if (each->ai_family == AF_INET) {
            chosen = each;
            break;
        }
    }
    *address = (address_t){0};
    memcpy(&address->storage, chosen->ai_addr, chosen->ai_addrlen);
    freeaddrinfo(found);
    return true;
}

/* 0, or the errno of the connection. */
static int try_connect(const address_t *address, int timeout_ms)
{
    int family = address->storage.ss_family;
    int fd = socket(family, SOCK_STREAM, 0);
    if (fd < 0) {
        return errno;
    }
    int result = 0;
    socklen_t len = family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    if (connect(fd, (const struct sockaddr *)&address->storage, len) != 0) {
        result = errno;
        struct pollfd wait = {.fd = fd, .events = POLLOUT};
        if (result == EINPROGRESS) {
            socklen_t size = sizeof result;
            result = poll(&wait, 1, timeout_ms) == 1 ? 0 : ETIMEDOUT;
            if (result == 0) {
                getsockopt(fd, SOL_SOCKET, SO_ERROR, &result, &size);
            }
        }
    }
    close(fd);
    return result;
}

bool address_probe(const address_t *address, const char *authority, int timeout_ms, text_t *error)
{
    int failed = try_connect(address, timeout_ms);
    if (failed) {
        text_printf(error, "no connection to %s: %s", authority, strerror(failed));
    }
    return failed == 0;
}
