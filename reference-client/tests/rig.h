/* SPDX-License-Identifier: MIT */
/*
 * A socket without a network: a clock that a test turns, a transport that it scripts, and a log of all that
 * the socket sends, does and tells, one line each:
 *
 *     connecting URL | + TOKEN    an attempt, and its bearer token
 *     > TEXT                      a message sent (bytes in hexadecimal after #)
 *     close CODE REASON           the socket closes the connection; `drop`: it forgets it
 *     joined TOPIC RESPONSE …     what callbacks are told
 */
#ifndef RIG_H
#define RIG_H

#include "socket.h"
#include "test_util.h"

typedef struct rig_conn rig_conn_t;

typedef struct rig {
    uint64_t now;
    phxc_timers_t timers;
    phxc_socket_t *socket;
    rig_conn_t *conn; /* the latest */
    rig_conn_t *all;
    phx_buf_t log;
    bool quiet_beats; /* heartbeats are not logged as events, only as messages */
    bool refuse_open; /* the network cannot even begin */
    void (*hook)(struct rig *rig, const char *line); /* sees each line after it is logged */
} rig_t;

/* `change` (may be NULL) alters the defaults. */
void rig_start(rig_t *rig, void (*change)(phxc_config_t *config));
void rig_end(rig_t *rig);

/* Turns the clock; timers fire in their order, at their time. */
void rig_advance(rig_t *rig, uint64_t ms);

/* What the network does to the latest connection. */
void rig_open(rig_t *rig);
void rig_receive(rig_t *rig, const char *text);
void rig_receive_bytes(rig_t *rig, phx_slice_t bytes);
void rig_fail(rig_t *rig, const char *text, int http_status);
void rig_closed(rig_t *rig, int code, bool clean);

/* Connects, opens, and clears the log. */
void rig_online(rig_t *rig);

void rig_line(rig_t *rig, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The log is these lines, each with its line break; clears it. */
void rig_expect_log(rig_t *rig, const char *file, int line, const char *expected);
#define rig_expect(rig, expected) rig_expect_log(rig, __FILE__, __LINE__, expected)

/* A channel whose callbacks are logged, and a push of which the outcome is, as `reply NAME …`. */
phxc_channel_t *rig_channel(rig_t *rig, const char *topic, const char *params);
int rig_push(phxc_channel_t *channel, const char *event, const char *json, const char *name);

#endif
