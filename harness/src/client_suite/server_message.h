/* SPDX-License-Identifier: MIT */
/* Messages as a server writes them. */
#ifndef CLIENT_SUITE_SERVER_MESSAGE_H
#define CLIENT_SUITE_SERVER_MESSAGE_H

#include "judge/message.h"

/*
 * Appends the five fields as a server of this version sends them, and says which opcode they take. Version
 * 1.0.0 leaves join_ref out (V1-03), but for phx_close and phx_error, whose ref it is there (V1-06). A
 * payload or response {"$base64": …} makes a binary message: a reply (BIN-04), a broadcast where join_ref is
 * null (BIN-05), else a push (BIN-03). False and a message for people when it cannot be written so.
 */
bool server_message_encode(const json_t *five, vsn_t vsn, text_t *out, bool *binary, text_t *error);

#endif
