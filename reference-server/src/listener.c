/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE /* SO_REUSEPORT */
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 4096,        /* or what the system allows */
    ACCEPTS_PER_TURN = 64, /* then the connections that are there get their turn */
    UNSENT_BYTES =
        131072,    /* in the kernel: what a slow peer leaves beyond counts in our queue, by our limits */
    REST_MS = 100, /* after accept failed for want of descriptors or memory */
};

struct listener {
    uv_poll_t handle;
    timers_t *timers;
    listener_accepted_t accepted;
    void *data;
    loop_timer_t rest;
    int fd;
    uint16_t port;
};

static void on_readable(uv_poll_t *handle, int status, int events);

static void listen_on(listener_t *listener)
{
    /* Fails only for a closing handle or a descriptor libuv refused before. */
    (void)uv_poll_start(&listener->handle, UV_READABLE, on_readable);
}

static void rest_is_over(loop_timer_t *timer)
{
    listen_on(timer->data);
}

static bool set_up_connection(int fd)
{
    const int on = 1;
    const int unsent = UNSENT_BYTES;
    const int flags = fcntl(fd, F_GETFL);
    return flags != -1 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent) == 0;
}

static void on_readable(uv_poll_t *handle, int status, int events)
{
    listener_t *listener = handle->data;
    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN && !uv_is_closing((uv_handle_t *)handle); i++) {
        const int fd = accept(listener->fd, NULL, NULL);
        if (fd >= 0) {
            if (set_up_connection(fd)) {
                listener->accepted(listener->data, fd);
            } else {
                close(fd);
            }
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            /* The socket stays readable and nothing would change by trying on at once. */
            uv_poll_stop(handle);
            listener->rest.data = listener;
            if (!timers_start(listener->timers, &listener->rest, REST_MS, rest_is_over)) {
                listen_on(listener);
            }
            return;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        }
        /* Any other error is that of a connection which ended before it was taken. */
    }
}

static int read_address(const char *address, uint16_t port, struct sockaddr_storage *storage, socklen_t *len)
{
    *storage = (struct sockaddr_storage){0};
    *len = sizeof(struct sockaddr_in);
    int status = uv_ip4_addr(address, port, (struct sockaddr_in *)storage);
    if (status != 0) {
        *len = sizeof(struct sockaddr_in6);
        status = uv_ip6_addr(address, port, (struct sockaddr_in6 *)storage);
    }
    return status;
}

static uint16_t bound_port(int fd)
{
    struct sockaddr_storage storage = {0};
    socklen_t len = sizeof storage;
    if (getsockname(fd, (struct sockaddr *)&storage, &len) != 0) {
        return 0;
    }
    return ntohs(storage.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&storage)->sin6_port
                                               : ((struct sockaddr_in *)&storage)->sin_port);
}

/* Returns the listening descriptor, or -1 with errno set. */
static int open_socket(const struct sockaddr_storage *storage, socklen_t len, bool shared)
{
    const int on = 1;
    const int fd = socket(storage->ss_family, SOCK_STREAM, 0);
    if (fd < 0) {
        return -1;
    }
    const int flags = fcntl(fd, F_GETFL);
    if (flags != -1 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        (!shared || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0) &&
        bind(fd, (const struct sockaddr *)storage, len) == 0 && listen(fd, BACKLOG) == 0) {
        return fd;
    }
    const int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static const char *way_out(int why)
{
    switch (why) {
    case EADDRINUSE:
        return "; stop the program that listens there or choose another port";
    case EACCES:
        return "; choose a port from 1024 on";
    case EADDRNOTAVAIL:
        return "; choose an address of this machine";
    default:
        return "";
    }
}

listener_t *listener_new(uv_loop_t *loop, timers_t *timers, const listener_place_t *place,
                         listener_accepted_t accepted, void *data, char *error, size_t error_size)
{
    struct sockaddr_storage storage;
    socklen_t len;
    if (read_address(place->address, place->port, &storage, &len) != 0) {
        (void)snprintf(error, error_size, "cannot listen on \"%s\": not a numeric IPv4 or IPv6 address",
                       place->address);
        return NULL;
    }
    const int fd = open_socket(&storage, len, place->shared);
    if (fd < 0) {
        (void)snprintf(error, error_size, "cannot listen on %s, port %u: %s%s", place->address,
                       (unsigned)place->port, uv_strerror(uv_translate_sys_error(errno)), way_out(errno));
        return NULL;
    }
    listener_t *listener = calloc(1, sizeof *listener);
    if (listener == NULL || uv_poll_init(loop, &listener->handle, fd) != 0) {
        (void)snprintf(error, error_size, "cannot listen on %s, port %u: out of memory", place->address,
                       (unsigned)place->port);
        free(listener);
        close(fd);
        return NULL;
    }
    listener->timers = timers;
    listener->accepted = accepted;
    listener->data = data;
    listener->fd = fd;
    listener->port = bound_port(fd);
    listener->handle.data = listener;
    listen_on(listener);
    return listener;
}

uint16_t listener_port(const listener_t *listener)
{
    return listener->port;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void listener_free(listener_t *listener)
{
    if (listener == NULL) {
        return;
    }
    timers_stop(listener->timers, &listener->rest);
    uv_close((uv_handle_t *)&listener->handle, on_closed);
    close(listener->fd);
}
