/* SPDX-License-Identifier: MIT */
/* A driver's state, and what its two halves know of each other: driver.c carries out commands,
 * driver_events.c says what the library tells. */
#ifndef DRIVER_IMPL_H
#define DRIVER_IMPL_H

#include "driver.h"
#include "json_line.h"
#include "lines.h"

#ifdef PHXC_FAULTS
#include "faults.h"
#endif

#include "phxspec/client.h"

typedef struct driver driver_t;

typedef enum kind {
    CHANNEL,
    PUSH,
    LISTENER,
} kind_t;

/* A list of JSON values that are given one after the other, the last one for ever. */
typedef struct each {
    phx_buf_t list; /* empty: there is none */
    size_t given;
} each_t;

/* Whatever has a name: a channel, a push that is not answered, a listener of an event. */
typedef struct named {
    struct named *next;
    driver_t *driver;
    phx_buf_t name;
    kind_t kind;
    phxc_channel_t *channel;
    phxc_presence_t *presence;
    phx_buf_t of;    /* pushes and listeners: the name of their channel */
    phx_buf_t event; /* listeners */
    int handler;     /* listeners */
    each_t params;   /* channels */
} named_t;

struct driver {
    uv_loop_t loop;
    lines_t *lines;
    phxc_socket_t *socket; /* NULL until it is told to connect */
    named_t *names;
    each_t params, tokens;
    phx_buf_t line;
    bool resetting; /* nothing is said of what goes */
    int code;
#ifdef PHXC_FAULTS
    phxc_fault_t fault;
#endif
};

/* Appends the next value, as JSON, or, `text`, the characters of the string it is. */
void driver__next_of(each_t *each, phx_buf_t *out, bool text);

extern const phxc_socket_callbacks_t DRIVER_SOCKET_CALLBACKS; /* user: the driver */
/* User of these: the one with the name. */
extern const phxc_channel_callbacks_t DRIVER_CHANNEL_CALLBACKS;
extern const phxc_presence_callbacks_t DRIVER_PRESENCE_CALLBACKS;
void driver__on_event(void *user, phxc_channel_t *channel, phx_payload_t payload);
/* Frees the push. */
void driver__on_reply(void *user, phxc_outcome_t outcome, phx_slice_t status, phx_payload_t response);

/* Begins an event's line, to which members may be added, and writes it. */
phx_buf_t *driver__begin(driver_t *driver, const char *event);
void driver__write_line(driver_t *driver);
void driver__say_hello(driver_t *driver);
void driver__free_named(driver_t *driver, named_t *named);

#endif
