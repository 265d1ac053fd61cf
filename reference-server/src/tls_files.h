/* SPDX-License-Identifier: MIT */
/* Certificate and key, looked at before the server starts: libwebsockets says of what is wrong with them only
 * that it is. */
#ifndef TLS_FILES_H
#define TLS_FILES_H

#include <stdbool.h>
#include <stddef.h>

/* Whether both can be read and belong together; if not, `error` says what is wrong, for people. */
bool tls_files_check(const char *cert, const char *key, char *error, size_t error_size);

#endif
