/* SPDX-License-Identifier: MIT */
#include "tls_files.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <errno.h>

/* A key that is encrypted cannot be used: nobody is there to be asked for its password. */
static int no_password(char *buffer, int size, int writing, void *data)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)data;
    return -1;
}

static bool wrong(const char *file, const char *what, char *error, size_t error_size)
{
    const char *why = access(file, R_OK) != 0 ? strerror(errno) : ERR_reason_error_string(ERR_get_error());
    (void)snprintf(error, error_size, "cannot use %s as %s: %s", file, what,
                   why != NULL ? why : "not what it should be");
    return false;
}

bool tls_files_check(const char *cert, const char *key, char *error, size_t error_size)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    bool good = true;
    ERR_clear_error();
    if (context == NULL) {
        (void)snprintf(error, error_size, "cannot start TLS: out of memory");
        return false;
    }
    SSL_CTX_set_default_passwd_cb(context, no_password);
    if (SSL_CTX_use_certificate_chain_file(context, cert) != 1) {
        good = wrong(cert, "the TLS certificate", error, error_size);
    } else if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
        good = wrong(key, "the key of that certificate", error, error_size); /* also: of another */
    }
    SSL_CTX_free(context);
    return good;
}
