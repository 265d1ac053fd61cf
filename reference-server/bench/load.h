/* SPDX-License-Identifier: MIT */
/*
 * Many clients of one server in one thread, as cheap as they can be: they count what comes and send frames
 * that were made beforehand. Whatever goes wrong ends the bench with a sentence, for figures of a broken run
 * tell nothing.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct load load_t;

typedef struct peer {
    int fd;
    bool open;        /* WebSocket: upgraded */
    bool http;        /* speaks HTTP for good: each response is a message */
    uint32_t awaited; /* messages to come; the scenario's to count */
    uint32_t phase;   /* the scenario's */
    size_t index;     /* of its load */
    size_t kept;      /* of what was received and is not complete yet */
    uint8_t *keep;
} peer_t;

/* `count` messages came in one read; `last` of `len` bytes is the last one, borrowed. */
typedef void (*load_callback_t)(load_t *load, peer_t *peer, size_t count, const char *last, size_t len);

/* `path` is that of the WebSocket; NULL: all peers speak HTTP. */
load_t *load_new(uint16_t port, const char *path, size_t peers);
/* Connects all its peers and waits until the server has taken them. */
void load_open(load_t *load);
/* Drops all connections, with a reset: no port of ours stays behind in TIME_WAIT. */
void load_close(load_t *load);
void load_free(load_t *load);

void load_on_messages(load_t *load, load_callback_t callback, void *user);
void *load_user(load_t *load);
peer_t *load_peer(load_t *load, size_t index);
size_t load_peers(const load_t *load);

void peer_send(peer_t *peer, const void *bytes, size_t len);

/* Handles what comes for up to `wait_ms`, until something came. */
void load_turn(load_t *load, int wait_ms);

/* A text frame of a client, masked with zeros: the server takes off the mask all the same. Returns its
 * length; `frame` has room for `len` + 14 bytes. */
size_t load_frame(uint8_t *frame, const char *text, size_t len);

/* Ends the bench: the run is broken. */
_Noreturn void load_broken(const char *what);

uint64_t load_now_ns(void);

#endif
