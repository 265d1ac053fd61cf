/* SPDX-License-Identifier: MIT */
#include "stream.h"

#include "tcp.h"

#include <netdb.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    READ_BYTES = 65536,
    TLS_BYTES = 65536, /* encrypted at a time: a long message needs no second copy */
    LINGER_MS = 2000,
    ADDRESS_MS = 2000, /* for one to answer, while there are others */
};

/*
 * Looks up its host, tries the addresses in turn, shakes hands if it is TLS; then carries bytes. It frees
 * itself when its owner has closed it, its look-up has come back and its connection is closed.
 */
struct phxc_stream {
    phxc_net_t *net;
    const phxc_stream_callbacks_t *callbacks;
    void *owner; /* NULL: closed */
    char *host;
    uv_getaddrinfo_t lookup;
    phxc_tcp_t tcp;
    struct addrinfo *addresses;
    const struct addrinfo *next_address;
    SSL *ssl; /* NULL: plain TCP */
    BIO *from_peer;
    BIO *to_peer;
    phxc_timer_t timer; /* what is for a later turn; gives up an address; limits the lingering */
    char error[200];
    bool looking_up;
    bool tcp_open;
    bool connected;
    bool over; /* told, or to be told soon */
    uint8_t buffer[READ_BYTES];
};

static void try_next_address(phxc_stream_t *stream, int last_error);

static void free_stream(phxc_stream_t *stream)
{
    phxc_timer_stop(&stream->net->timers, &stream->timer);
    SSL_free(stream->ssl); /* with its BIOs */
    uv_freeaddrinfo(stream->addresses);
    free(stream->host);
    phxc_net_release(stream->net);
    free(stream);
}

static void on_closed(void *owner)
{
    phxc_stream_t *stream = owner;
    stream->tcp_open = false;
    if (stream->owner == NULL && !stream->looking_up) {
        free_stream(stream);
    } else if (stream->owner != NULL && !stream->over) {
        try_next_address(stream, UV_ECONNREFUSED);
    }
}

static void close_tcp(phxc_stream_t *stream)
{
    if (stream->tcp_open && !phxc_tcp_is_closing(&stream->tcp)) {
        phxc_tcp_close(&stream->tcp);
    }
}

/* ---- trouble ---- */

static void tell_end(void *data)
{
    phxc_stream_t *stream = data;
    if (stream->owner != NULL) {
        stream->callbacks->ended(stream->owner, stream->error[0] != '\0' ? stream->error : NULL);
    }
}

/* In a later turn: the owner may be in the middle of something. */
static void end_soon(phxc_stream_t *stream)
{
    if (!stream->over) {
        stream->over = true;
        phxc_timer_start(&stream->net->timers, &stream->timer, 0, tell_end, stream);
    }
}

static void fail(phxc_stream_t *stream, const char *what, const char *why)
{
    if (!stream->over) {
        (void)snprintf(stream->error, sizeof stream->error, "%s: %s", what, why);
        end_soon(stream);
    }
}

/* ---- writing ---- */

static void write_bytes(phxc_stream_t *stream, phx_slice_t bytes)
{
    const int status = phxc_tcp_send(&stream->tcp, bytes);
    if (status != 0) {
        fail(stream, "cannot send", uv_strerror(status));
    }
}

/* Sends what TLS has written. */
static void flush_tls(phxc_stream_t *stream)
{
    char *bytes = NULL;
    const long len = BIO_get_mem_data(stream->to_peer, &bytes);
    if (len > 0) {
        write_bytes(stream, (phx_slice_t){bytes, (size_t)len});
        (void)BIO_reset(stream->to_peer);
    }
}

static void tls_failed(phxc_stream_t *stream)
{
    const long verdict = SSL_get_verify_result(stream->ssl);
    if (verdict != X509_V_OK && !stream->net->insecure) {
        fail(stream, "the server's certificate is not trusted", X509_verify_cert_error_string(verdict));
        return;
    }
    if (!stream->connected && ERR_GET_REASON(ERR_peek_error()) == SSL_R_WRONG_VERSION_NUMBER) {
        fail(stream, "TLS failed", "what the server answered is not TLS");
        return;
    }
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    fail(stream, "TLS failed", reason != NULL ? reason : "the peer ended it");
}

void phxc_stream_send(phxc_stream_t *stream, phx_slice_t bytes)
{
    if (stream->over || !stream->connected || bytes.len == 0) {
        return;
    }
    if (stream->ssl == NULL) {
        write_bytes(stream, bytes);
        return;
    }
    while (bytes.len > 0 && !stream->over) {
        size_t written = bytes.len < TLS_BYTES ? bytes.len : TLS_BYTES;
        ERR_clear_error();
        if (SSL_write_ex(stream->ssl, bytes.data, written, &written) != 1) {
            tls_failed(stream); /* a memory BIO takes everything */
        }
        flush_tls(stream);
        bytes = (phx_slice_t){bytes.data + written, bytes.len - written};
    }
}

/* ---- reading ---- */

static void now_connected(phxc_stream_t *stream)
{
    stream->connected = true;
    stream->callbacks->connected(stream->owner);
}

static void shake_hands(phxc_stream_t *stream)
{
    ERR_clear_error();
    const int result = SSL_do_handshake(stream->ssl);
    flush_tls(stream);
    if (result == 1) {
        now_connected(stream);
    } else if (SSL_get_error(stream->ssl, result) != SSL_ERROR_WANT_READ) {
        tls_failed(stream);
    }
}

static void read_tls(phxc_stream_t *stream)
{
    if (!stream->connected) {
        shake_hands(stream);
    }
    while (stream->connected && stream->owner != NULL && !stream->over) {
        size_t len = 0;
        ERR_clear_error();
        if (SSL_read_ex(stream->ssl, stream->buffer, sizeof stream->buffer, &len) == 1) {
            stream->callbacks->received(stream->owner, stream->buffer, len);
            continue;
        }
        const int error = SSL_get_error(stream->ssl, 0);
        if (error == SSL_ERROR_ZERO_RETURN) {
            end_soon(stream);
        } else if (error != SSL_ERROR_WANT_READ) {
            tls_failed(stream);
        }
        break;
    }
    if (stream->owner != NULL && !stream->over) {
        flush_tls(stream);
    }
}

static void on_readable(void *owner)
{
    phxc_stream_t *stream = owner;
    const ssize_t len = phxc_tcp_receive(&stream->tcp, stream->buffer, sizeof stream->buffer);
    if (stream->owner == NULL || stream->over || len == 0) {
        return;
    }
    if (len < 0) {
        if (len != UV_EOF) {
            fail(stream, "the connection broke", uv_strerror((int)len));
        } else if (!stream->connected) {
            fail(stream, "TLS failed", "the peer ended it");
        } else {
            end_soon(stream);
        }
    } else if (stream->ssl == NULL) {
        stream->callbacks->received(stream->owner, stream->buffer, (size_t)len);
    } else if (BIO_write(stream->from_peer, stream->buffer, (int)len) != (int)len) {
        fail(stream, "TLS failed", phxc_strerror(PHX_ENOMEM));
    } else {
        read_tls(stream);
    }
}

/* ---- connecting ---- */

static bool is_numeric(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    return uv_inet_pton(AF_INET, host, &v4) == 0 || uv_inet_pton(AF_INET6, host, &v6) == 0;
}

/* The certificate must be for the host of the URL, a name or an address. */
static bool start_tls(phxc_stream_t *stream)
{
    stream->ssl = SSL_new(stream->net->tls);
    stream->from_peer = BIO_new(BIO_s_mem());
    stream->to_peer = BIO_new(BIO_s_mem());
    if (stream->ssl == NULL || stream->from_peer == NULL || stream->to_peer == NULL) {
        BIO_free(stream->from_peer);
        BIO_free(stream->to_peer);
        return false;
    }
    SSL_set_bio(stream->ssl, stream->from_peer, stream->to_peer);
    SSL_set_connect_state(stream->ssl);
    if (is_numeric(stream->host)) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(stream->ssl), stream->host) == 1;
    }
    return SSL_set1_host(stream->ssl, stream->host) == 1 &&
           SSL_set_tlsext_host_name(stream->ssl, stream->host) == 1;
}

static void on_connected(void *owner, int status)
{
    phxc_stream_t *stream = owner;
    if (stream->owner == NULL || stream->over) {
        return;
    }
    phxc_timer_stop(&stream->net->timers, &stream->timer);
    if (status != 0) {
        if (stream->next_address != NULL) {
            close_tcp(stream); /* goes on when the handle is closed */
        } else {
            fail(stream, "cannot connect", uv_strerror(status));
        }
        return;
    }
    if (stream->net->tls == NULL) {
        now_connected(stream);
    } else if (start_tls(stream)) {
        shake_hands(stream);
    } else {
        fail(stream, "cannot start TLS", phxc_strerror(PHX_ENOMEM));
    }
}

/* Lingers only after its owner has closed it. */
static void on_drained(void *owner)
{
    phxc_stream_t *stream = owner;
    if (stream->owner == NULL) {
        close_tcp(stream);
    }
}

static const phxc_tcp_callbacks_t tcp_callbacks = {on_connected, on_readable, on_drained, on_closed};

/* As when it refuses: on_closed goes on with the next. */
static void address_is_late(void *data)
{
    close_tcp(data);
}

static void try_next_address(phxc_stream_t *stream, int last_error)
{
    int status = last_error;
    while (stream->next_address != NULL) {
        const struct addrinfo *address = stream->next_address;
        stream->next_address = address->ai_next;
        status = phxc_tcp_connect(&stream->tcp, stream->net->loop, address->ai_addr, &tcp_callbacks, stream);
        if (status == 0) {
            stream->tcp_open = true;
            if (stream->next_address != NULL) {
                phxc_timer_start(&stream->net->timers, &stream->timer, ADDRESS_MS, address_is_late, stream);
            }
            return;
        }
    }
    fail(stream, "cannot connect", uv_strerror(status));
}

static void on_looked_up(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses)
{
    phxc_stream_t *stream = request->data;
    stream->looking_up = false;
    stream->addresses = addresses;
    stream->next_address = addresses;
    if (stream->owner == NULL) {
        free_stream(stream);
    } else if (status != 0) {
        fail(stream, stream->host, uv_strerror(status));
    } else {
        try_next_address(stream, UV_EAI_NODATA);
    }
}

static void start_connecting(void *data)
{
    try_next_address(data, UV_EAI_NODATA);
}

phxc_stream_t *phxc_stream_open(phxc_net_t *net, const phxc_url_t *url,
                                const phxc_stream_callbacks_t *callbacks, void *owner)
{
    phxc_stream_t *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        return NULL;
    }
    stream->net = phxc_net_hold(net);
    stream->callbacks = callbacks;
    stream->owner = owner;
    stream->host = strdup(url->host);
    stream->lookup.data = stream;
    char port[8];
    (void)snprintf(port, sizeof port, "%u", (unsigned)url->port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST};
    if (stream->host == NULL) {
        free_stream(stream);
        return NULL;
    }
    if (getaddrinfo(stream->host, port, &hints, &stream->addresses) == 0) { /* no name: no thread is needed */
        stream->next_address = stream->addresses;
        phxc_timer_start(&net->timers, &stream->timer, 0, start_connecting, stream);
        return stream;
    }
    hints.ai_flags = AI_NUMERICSERV;
    const int status = uv_getaddrinfo(net->loop, &stream->lookup, on_looked_up, stream->host, port, &hints);
    if (status != 0) {
        fail(stream, stream->host, uv_strerror(status));
    } else {
        stream->looking_up = true;
    }
    return stream;
}

/* ---- closing ---- */

static void free_now(void *data)
{
    free_stream(data);
}

static void linger_is_over(void *data)
{
    close_tcp(data);
}

void phxc_stream_close(phxc_stream_t *stream)
{
    if (stream->ssl != NULL && stream->connected && !stream->over) {
        (void)SSL_shutdown(stream->ssl);
        flush_tls(stream);
    }
    const bool broken = stream->over;
    stream->owner = NULL;
    stream->over = true;
    phxc_timer_stop(&stream->net->timers, &stream->timer);
    if (stream->looking_up) {
        (void)uv_cancel((uv_req_t *)&stream->lookup); /* comes back, cancelled or not */
        return;
    }
    if (!stream->tcp_open) {
        phxc_timer_start(&stream->net->timers, &stream->timer, 0, free_now, stream);
        return;
    }
    if (!broken && stream->connected && phxc_tcp_has_unsent(&stream->tcp)) {
        phxc_timer_start(&stream->net->timers, &stream->timer, LINGER_MS, linger_is_over, stream);
    } else {
        close_tcp(stream);
    }
}
