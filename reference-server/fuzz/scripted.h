/* SPDX-License-Identifier: MIT */
/*
 * A whole server without a network and without waiting: its carrier (carrier.h) and its timers (timers.h) are
 * replaced by ones that do what a script says. All that lies between, from bytes to the application, is the
 * server as it is.
 */
#ifndef SCRIPTED_H
#define SCRIPTED_H

#include "carrier.h"

/* The carrier of the last server begun. */
carrier_t *scripted_carrier(void);

/* A client connects. NULL when the server refuses it. */
carrier_conn_t *scripted_connect(carrier_t *carrier);
/* It sends; what the server does not read now waits. */
void scripted_send(carrier_conn_t *conn, phx_slice_t bytes);
/* What the server has sent since it was last asked; borrowed until the next call here. */
phx_slice_t scripted_take(carrier_conn_t *conn);
/* It ends the connection. */
void scripted_hang_up(carrier_conn_t *conn);
/* True until either side has ended it; the connection itself lives as long as the carrier. */
bool scripted_open(const carrier_conn_t *conn);

/* What the server counts as queued for all its clients. */
size_t scripted_queued(const carrier_t *carrier);

/* Lets all happen that is due now, or `ms` later. */
void scripted_settle(carrier_t *carrier);
void scripted_wait(carrier_t *carrier, uint64_t ms);

#endif
