/* SPDX-License-Identifier: MIT */
/*
 * Faults by name, to measure what the vectors for clients notice (ci/client-mutants). They are there only
 * with the build option `faults`; without it `phxc_fault` is false.
 */
#ifndef PHXC_FAULTS_H
#define PHXC_FAULTS_H

#ifdef PHXC_FAULTS

#include "phxspec/client.h"

typedef enum phxc_fault {
    PHXC_FAULT_NONE,
#define FAULT(name, what, requirements) PHXC_FAULT_##name,
#include "faults.def"
#undef FAULT
} phxc_fault_t;

/* Whether the fault is on; `holder` has a member `fault`. */
#define phxc_fault(holder, name) ((holder)->fault == PHXC_FAULT_##name)

/* The fault of that name, `none` among them; false: there is none. */
bool phxc_fault_find(const char *name, phxc_fault_t *fault);
/* A line for each: name, requirements, what it does. */
void phxc_fault_list(void);
/* For a new socket. */
void phxc_fault_set(phxc_socket_t *socket, phxc_fault_t fault);
/* To what works for the holder. */
#define phxc_fault_pass(holder, to) ((void)((to)->fault = (holder)->fault))

/* The places that several faults are about. */

/* A delay of the table, about to begin. */
uint64_t phxc_fault_reconnect(phxc_socket_t *socket, uint64_t delay);
/* The delay to the next heartbeat. */
uint64_t phxc_fault_beat(const phxc_socket_t *socket, uint64_t delay);
/* Makes what stands behind the last dot base64 in the URL alphabet. */
void phxc_fault_base64url(phx_buf_t *out);
/* Appends a token as it is; but a blank would end the request. */
void phxc_fault_raw(phx_buf_t *url, phx_slice_t token);
/* What the program gave for an attempt, and the URL that came of it. */
void phxc_fault_attempt(phxc_socket_t *socket, const phx_buf_t *params, const phx_buf_t *token,
                        phx_buf_t *url);
/* A message that was written, if `error` is 0. */
void phxc_fault_written(const phxc_socket_t *socket, int error, phx_buf_t *out, phx_form_t *form);
/* A message that was read; true: nobody is told. */
bool phxc_fault_unread(const phxc_socket_t *socket, phx_form_t form, phx_slice_t bytes, phx_slice_t *topic,
                       phx_slice_t event);
/* Whether an event that nobody listens to is a failure. */
bool phxc_fault_unheard(const phxc_channel_t *channel, phx_slice_t event);
/* A message for a channel: whether it takes it, and what for. */
void phxc_fault_message(phxc_channel_t *channel, phx_slice_t topic, bool *ours, bool replies, bool *closes,
                        bool *fails);

#else

#define phxc_fault(holder, name) ((void)(holder), false)
#define phxc_fault_pass(holder, to) ((void)(holder), (void)(to))
#define phxc_fault_reconnect(socket, delay) (delay)
#define phxc_fault_beat(socket, delay) (delay)
#define phxc_fault_base64url(out) ((void)0)
#define phxc_fault_raw(url, token) ((void)(token))
#define phxc_fault_attempt(socket, params, token, url) ((void)0)
#define phxc_fault_written(socket, error, out, form) ((void)0)
#define phxc_fault_unread(socket, form, bytes, topic, event) (false)
#define phxc_fault_unheard(channel, event) (false)
#define phxc_fault_message(channel, topic, ours, replies, closes, fails) ((void)0)

#endif

#endif
