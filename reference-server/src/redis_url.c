/* SPDX-License-Identifier: MIT */
#include "redis_url.h"

#include <stdio.h>
#include <string.h>

static int hex(char c)
{
    static const char DIGITS[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(DIGITS, c | 0x20) : NULL;
    return at != NULL ? (int)(at - DIGITS) : -1;
}

/* Copies the characters up to `end`, without escapes. False if they do not fit or an escape is none. */
static bool copy(const char *from, const char *end, bool escapes, char *to, size_t size)
{
    size_t len = 0;
    while (from < end) {
        char c = *from++;
        if (escapes && c == '%') {
            int high = end - from >= 2 ? hex(from[0]) : -1;
            int low = high >= 0 ? hex(from[1]) : -1;
            if (low < 0 || high + low == 0) {
                return false;
            }
            c = (char)(high * 16 + low);
            from += 2;
        }
        if (len + 1 >= size) {
            return false;
        }
        to[len++] = c;
    }
    to[len] = '\0';
    return true;
}

static bool parse_port(const char *from, const char *end, char port[6])
{
    unsigned long number = 0;
    if (from == end || end - from > 5) {
        return false;
    }
    for (const char *c = from; c < end; c++) {
        if (*c < '0' || *c > '9') {
            return false;
        }
        number = number * 10 + (unsigned long)(*c - '0');
    }
    return number > 0 && number <= 65535 && copy(from, end, false, port, 6);
}

static bool parse_host(const char *from, const char *end, redis_url_t *url)
{
    const char *host_end = end;
    snprintf(url->port, sizeof(url->port), "6379");
    if (from < end && *from == '[') { /* an IPv6 address */
        host_end = memchr(from, ']', (size_t)(end - from));
        from++;
        if (host_end == NULL || (host_end + 1 != end && host_end[1] != ':')) {
            return false;
        }
        if (host_end + 1 != end && !parse_port(host_end + 2, end, url->port)) {
            return false;
        }
    } else {
        const char *colon = memchr(from, ':', (size_t)(end - from));
        if (colon != NULL) {
            host_end = colon;
            if (!parse_port(colon + 1, end, url->port)) {
                return false;
            }
        }
    }
    return host_end > from && copy(from, host_end, false, url->host, sizeof(url->host));
}

static bool parse_user(const char *from, const char *end, redis_url_t *url)
{
    const char *colon = memchr(from, ':', (size_t)(end - from));
    return colon != NULL && copy(from, colon, true, url->user, sizeof(url->user)) &&
           copy(colon + 1, end, true, url->password, sizeof(url->password));
}

bool redis_url_parse(const char *text, redis_url_t *url, char *error, size_t error_size)
{
    static const char SCHEME[] = "redis://";
    *url = (redis_url_t){0};
    const char *from = text + sizeof(SCHEME) - 1;
    bool good = strncmp(text, SCHEME, sizeof(SCHEME) - 1) == 0;
    if (good) {
        const char *end = from + strcspn(from, "/?#");
        const char *at = NULL;
        for (const char *c = from; c < end; c++) {
            at = *c == '@' ? c : at;
        }
        good = (*end == '\0' || strcmp(end, "/") == 0) && (at == NULL || parse_user(from, at, url)) &&
               parse_host(at != NULL ? at + 1 : from, end, url);
    }
    if (!good) {
        snprintf(
            error, error_size,
            "the URL of Redis is wrong: give redis://HOST:PORT, with USER:PASSWORD@ before the host where "
            "Redis asks for it");
    }
    return good;
}
