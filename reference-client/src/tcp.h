/* SPDX-License-Identifier: MIT */
/*
 * One TCP connection. libuv's own streams write in a way that raises SIGPIPE when the peer has cut, which
 * would end a program that only wanted to send a message; this one asks the kernel not to.
 */
#ifndef PHXC_TCP_H
#define PHXC_TCP_H

#include <sys/socket.h>
#include <uv.h>

#include "phx/bytes.h"

typedef struct phxc_tcp_callbacks {
    /* `status`: 0, or why it cannot be connected, as libuv's error. */
    void (*connected)(void *owner, int status);
    /* There are bytes, or the end, to be read. */
    void (*readable)(void *owner);
    /* All that was sent has been taken by the kernel, some of it later than it was sent. */
    void (*drained)(void *owner);
    /* The last one, after phxc_tcp_close: the structure may be used anew, or freed. */
    void (*closed)(void *owner);
} phxc_tcp_callbacks_t;

/* Its owner holds it; the fields are the module's. */
typedef struct phxc_tcp {
    const phxc_tcp_callbacks_t *callbacks;
    void *owner;
    uv_poll_t poll;
    int fd;
    int broken;       /* why nothing more can be sent, as libuv's error; 0: it can */
    phx_buf_t unsent; /* what the kernel has not taken yet, from `taken` on */
    size_t taken;
    bool connecting;
    bool ended; /* there is nothing more to receive */
} phxc_tcp_t;

/*
 * Begins to connect. Returns 0, or libuv's error: then nothing was begun and no callback follows. No callback
 * is called from within a function of this module.
 */
int phxc_tcp_connect(phxc_tcp_t *tcp, uv_loop_t *loop, const struct sockaddr *address,
                     const phxc_tcp_callbacks_t *callbacks, void *owner);
/* Sends bytes, or keeps them until they can be sent. Returns 0, or UV_ENOMEM. That the peer has cut shows
 * in phxc_tcp_receive, behind what it sent before. */
int phxc_tcp_send(phxc_tcp_t *tcp, phx_slice_t bytes);
/* What has come: the number of bytes, 0 when there is nothing yet, or libuv's error; UV_EOF at the end. */
ssize_t phxc_tcp_receive(phxc_tcp_t *tcp, uint8_t *buffer, size_t size);
bool phxc_tcp_has_unsent(const phxc_tcp_t *tcp);
/* Sends nothing more; `closed` follows. */
void phxc_tcp_close(phxc_tcp_t *tcp);
bool phxc_tcp_is_closing(const phxc_tcp_t *tcp);

#endif
