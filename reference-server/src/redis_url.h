/* SPDX-License-Identifier: MIT */
#ifndef REDIS_URL_H
#define REDIS_URL_H

#include <stdbool.h>
#include <stddef.h>

typedef struct redis_url {
    char host[256];
    char port[6];
    char user[128]; /* empty: none */
    char password[256];
} redis_url_t;

/* Reads redis://[[USER]:PASSWORD@]HOST[:PORT], with %-escapes in user and password. False if it is none, with
 * the reason for people in `error`, which does not give the password away. */
bool redis_url_parse(const char *text, redis_url_t *url, char *error, size_t error_size);

#endif
