/* SPDX-License-Identifier: MIT */
#include "tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

enum {
    KEPT_BYTES = 65536,
};

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(phxc_tcp_t *tcp)
{
    const bool writes = tcp->connecting || phxc_tcp_has_unsent(tcp);
    const bool reads = !tcp->connecting && !tcp->ended;
    if (reads || writes) {
        (void)uv_poll_start(&tcp->poll, (reads ? UV_READABLE : 0) | (writes ? UV_WRITABLE : 0), on_poll);
    } else {
        (void)uv_poll_stop(&tcp->poll);
    }
}

/*
 * How many of the bytes the kernel takes. When it fails they are given up, and reading comes to an end,
 * behind all that the peer has sent before.
 */
static size_t give(phxc_tcp_t *tcp, phx_slice_t bytes)
{
    size_t given = 0;
    while (given < bytes.len) {
        const ssize_t sent = send(tcp->fd, bytes.data + given, bytes.len - given, MSG_NOSIGNAL);
        if (sent >= 0) {
            given += (size_t)sent;
        } else if (errno == EAGAIN) {
            return given;
        } else if (errno != EINTR) {
            tcp->broken = uv_translate_sys_error(errno);
            (void)shutdown(tcp->fd, SHUT_RDWR);
            return bytes.len;
        }
    }
    return given;
}

/* Sends what is kept. */
static void flush(phxc_tcp_t *tcp)
{
    tcp->taken += give(tcp, (phx_slice_t){tcp->unsent.data + tcp->taken, tcp->unsent.len - tcp->taken});
    if (phxc_tcp_has_unsent(tcp)) {
        return;
    }
    tcp->taken = 0;
    if (tcp->unsent.cap > KEPT_BYTES) {
        phx_buf_free(&tcp->unsent);
    } else {
        phx_buf_clear(&tcp->unsent);
    }
}

static int connection_error(const phxc_tcp_t *tcp)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(tcp->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
        error = errno;
    }
    return uv_translate_sys_error(error);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    phxc_tcp_t *tcp = poll->data;
    if (tcp->connecting) {
        tcp->connecting = false;
        const int error = connection_error(tcp);
        if (error == 0) {
            const int yes = 1;
            (void)setsockopt(tcp->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
            watch(tcp);
        } else {
            (void)uv_poll_stop(poll);
        }
        tcp->callbacks->connected(tcp->owner, error);
        return;
    }
    if (((events & UV_WRITABLE) != 0 || status != 0) && phxc_tcp_has_unsent(tcp)) {
        flush(tcp);
        if (!phxc_tcp_has_unsent(tcp)) {
            watch(tcp);
            tcp->callbacks->drained(tcp->owner);
        }
    }
    if (!phxc_tcp_is_closing(tcp) && !tcp->ended && ((events & UV_READABLE) != 0 || status != 0)) {
        tcp->callbacks->readable(tcp->owner);
    }
    /* On an error libuv has stopped, though there may be more to read before it. */
    if (!phxc_tcp_is_closing(tcp) && (status != 0 || tcp->ended)) {
        watch(tcp);
    }
}

int phxc_tcp_connect(phxc_tcp_t *tcp, uv_loop_t *loop, const struct sockaddr *address,
                     const phxc_tcp_callbacks_t *callbacks, void *owner)
{
    const socklen_t size =
        address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    *tcp = (phxc_tcp_t){.callbacks = callbacks, .owner = owner, .connecting = true};
    tcp->fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (tcp->fd < 0) {
        return uv_translate_sys_error(errno);
    }
    int error = 0;
    if (connect(tcp->fd, address, size) != 0 && errno != EINPROGRESS && errno != EINTR) {
        error = uv_translate_sys_error(errno);
    }
    if (error == 0) {
        error = uv_poll_init_socket(loop, &tcp->poll, tcp->fd);
    }
    if (error != 0) {
        (void)close(tcp->fd);
        return error;
    }
    tcp->poll.data = tcp;
    watch(tcp);
    return 0;
}

int phxc_tcp_send(phxc_tcp_t *tcp, phx_slice_t bytes)
{
    if (tcp->broken != 0) {
        return 0;
    }
    const bool waits = phxc_tcp_has_unsent(tcp);
    if (!waits) {
        const size_t given = give(tcp, bytes);
        if (given == bytes.len) {
            return 0;
        }
        bytes = (phx_slice_t){bytes.data + given, bytes.len - given};
    } else if (tcp->taken > tcp->unsent.len / 2) {
        tcp->unsent.len -= tcp->taken;
        memmove(tcp->unsent.data, tcp->unsent.data + tcp->taken, tcp->unsent.len);
        tcp->taken = 0;
    }
    phx_buf_append_slice(&tcp->unsent, bytes);
    if (tcp->unsent.failed) {
        return UV_ENOMEM;
    }
    if (!waits) {
        watch(tcp);
    }
    return 0;
}

ssize_t phxc_tcp_receive(phxc_tcp_t *tcp, uint8_t *buffer, size_t size)
{
    const ssize_t len = recv(tcp->fd, buffer, size, 0);
    if (len > 0) {
        return len;
    }
    if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
        return 0;
    }
    tcp->ended = true;
    if (len < 0) {
        return uv_translate_sys_error(errno);
    }
    return tcp->broken != 0 ? tcp->broken : UV_EOF;
}

bool phxc_tcp_has_unsent(const phxc_tcp_t *tcp)
{
    return tcp->taken < tcp->unsent.len;
}

static void on_closed(uv_handle_t *handle)
{
    phxc_tcp_t *tcp = handle->data;
    (void)close(tcp->fd);
    phx_buf_free(&tcp->unsent);
    tcp->callbacks->closed(tcp->owner);
}

void phxc_tcp_close(phxc_tcp_t *tcp)
{
    uv_close((uv_handle_t *)&tcp->poll, on_closed);
}

bool phxc_tcp_is_closing(const phxc_tcp_t *tcp)
{
    return uv_is_closing((const uv_handle_t *)&tcp->poll);
}
