/* SPDX-License-Identifier: MIT */
/*
 * A carrier on a loop, an owner of its connections that writes down what it is told, and clients: plain
 * sockets of the same process, which do not block.
 */
#ifndef CARRIER_RIG_H
#define CARRIER_RIG_H

#include "carrier.h"
#include "test_util.h"

enum {
    RIG_DEADLINE_MS = 10000,
    MOST_PEERS = 128,
    NARROW = 4096, /* bytes that the kernel takes at once of a narrow connection */
};

typedef struct peer {
    carrier_conn_t *conn;
    phx_buf_t received;
    size_t largest; /* bytes in one call */
    int finished;
    int closed;
    void (*on_received)(struct peer *peer);
} peer_t;

typedef struct carrier_rig {
    uv_loop_t loop;
    carrier_t *carrier;
    peer_t peers[MOST_PEERS]; /* in the order of arrival */
    size_t peer_count;
    bool refusing;
    void (*on_received)(peer_t *peer); /* of peers that arrive from now on */
    bool inside_carrier;               /* no callback may come then */
} carrier_rig_t;

extern carrier_rig_t rig; /* check runs each test in a process of its own */
extern const carrier_callbacks_t CARRIER_RIG_CALLBACKS;

void carrier_rig_setup(void);
/* Frees the carrier in whatever state the test left it: each connection is closed once, nothing stays behind.
 */
void carrier_rig_teardown(void);
void start_carrier(carrier_config_t config);

/* ---- running the loop ---- */

void turn_for(uint64_t ms);

/* Turns the loop until the condition holds; what happens to the clients' sockets does not wake it, hence the
 * short turns.
 */
#define turn_until(condition)                                                                                \
    do {                                                                                                     \
        const uint64_t began_ = uv_hrtime();                                                                 \
        while (!(condition)) {                                                                               \
            ck_assert_msg(uv_hrtime() - began_ < RIG_DEADLINE_MS * UINT64_C(1000000), "in vain: %s",         \
                          #condition);                                                                       \
            turn_for(1);                                                                                     \
        }                                                                                                    \
    } while (0)

/* What this process, or its children, took; `who` as getrusage has it. */
double cpu_seconds(int who);

/* ---- clients ---- */

/* Returns the socket, or -1. */
int try_to_connect(uint16_t port);
/* Connects and waits for the connection to be there: it is the last of `rig.peers`. */
int client_new(void);
peer_t *last_peer(void);
void client_send(int fd, const char *text);
/* Reads what is there into `into`; returns false at the end. */
bool client_read(int fd, phx_buf_t *into);
void assert_client_gets(int fd, const char *text);
void assert_client_ends(int fd);
bool has_received(const peer_t *peer, const char *text);
/* Makes every large write to the client a partial one. */
void narrow(int client);
/* Besides, lets little go out unless the client reads, and then slowly. */
void choke(int client, int size);
void reset(int fd);

/* ---- what is sent ---- */

bool send_slice(carrier_conn_t *conn, phx_slice_t slice);
bool send_text(carrier_conn_t *conn, const char *text);
/* Bytes whose places can be told. */
shared_bytes_t *pattern(size_t len);
/* For `on_received`. */
void echo(peer_t *peer);

#endif
