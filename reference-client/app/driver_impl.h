/* SPDX-License-Identifier: MIT */
/* A driver's state, and what its two halves know of each other: driver.c carries out commands,
 * driver_events.c says what the library tells. */
#ifndef DRIVER_IMPL_H
#define DRIVER_IMPL_H

#include "driver.h"
#include "json_line.h"
#include "lines.h"

#include "phxspec/client.h"

typedef struct driver driver_t;

typedef enum kind {
    SOCKET,
    CHANNEL,
    PUSH,
} kind_t;

/* Whatever has a name: a socket, a channel, a push that is not answered. */
typedef struct named {
    struct named *next;
    driver_t *driver;
    phx_buf_t name;
    kind_t kind;
    phxc_socket_t *socket;
    phxc_channel_t *channel;
    phxc_presence_t *presence;
} named_t;

struct driver {
    uv_loop_t loop;
    lines_t *lines;
    named_t *names;
    phx_buf_t line;
    bool resetting; /* nothing is said of what goes */
};

extern const phxc_socket_callbacks_t DRIVER_SOCKET_CALLBACKS; /* user of all: the one with the name */
extern const phxc_channel_callbacks_t DRIVER_CHANNEL_CALLBACKS;
extern const phxc_presence_callbacks_t DRIVER_PRESENCE_CALLBACKS;
/* Frees the push. */
void driver__on_reply(void *user, phxc_outcome_t outcome, phx_slice_t status, phx_payload_t response);

/* Begins an event's line, to which members may be added, and writes it. */
phx_buf_t *driver__begin(driver_t *driver, const char *event);
void driver__write_line(driver_t *driver);
void driver__say_hello(driver_t *driver);
void driver__free_named(driver_t *driver, named_t *named);

#endif
