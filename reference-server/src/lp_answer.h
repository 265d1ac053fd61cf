/* SPDX-License-Identifier: MIT */
/* Answers in the long-poll protocol's own form (LP-HTTP-01 to LP-HTTP-03). */
#ifndef LP_ANSWER_H
#define LP_ANSWER_H

#include "connection.h"

/* Appends {"status":…}, and where `token` is not empty "token" and "messages", whose elements `messages`
 * lists as JSON, parted by commas. */
void lp_body(phx_buf_t *out, int status, phx_slice_t token, phx_slice_t messages);

/* Answers a request with such a body. */
void lp_answer_body(connection_t *connection, phx_slice_t body);
void lp_answer(connection_t *connection, int status, phx_slice_t token, phx_slice_t messages);
/* The same with nothing but a status. */
void lp_answer_status(connection_t *connection, int status);

#endif
