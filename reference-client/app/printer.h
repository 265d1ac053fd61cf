/* SPDX-License-Identifier: MIT */
/* What happens, on stdout: lines for people, or JSON objects. */
#ifndef PRINTER_H
#define PRINTER_H

#include "phxspec/client.h"

typedef struct printer {
    bool json;
    bool raw;
    uint64_t start_ms;
} printer_t;

/* Something about the socket or a channel; empty parts are left out. */
typedef struct print_event {
    const char *type;  /* what it is, a word */
    const char *arrow; /* for people: "→", "←", or NULL */
    phx_slice_t topic;
    phx_slice_t event;
    phx_slice_t status;
    phx_slice_t reason;
    phx_slice_t message; /* of --raw */
    phx_form_t message_form;
    phx_slice_t payload; /* JSON */
    bool has_bytes;      /* `bytes` in its place */
    phx_slice_t bytes;
    const char *text; /* for people to read */
    bool has_number;
    const char *number_name;
    long long number;
} print_event_t;

/* False if stdout does not take it. */
bool print_event(const printer_t *printer, const print_event_t *event);
/* Sets payload or bytes. */
void print_set_payload(print_event_t *event, phx_payload_t payload);
/* A terminal must not do what a server says: controls are shown, not sent. */
void print_shown(phx_buf_t *out, phx_slice_t text);

#endif
