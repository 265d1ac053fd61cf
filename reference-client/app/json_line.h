/* SPDX-License-Identifier: MIT */
/* A JSON object on a line of its own, member by member. */
#ifndef JSON_LINE_H
#define JSON_LINE_H

#include "phx/message.h"

void json_line_begin(phx_buf_t *line);
/* Characters; what is not UTF-8 becomes {"$base64": …}. */
void json_line_string(phx_buf_t *line, const char *name, phx_slice_t characters);
/* The same, unless `data` is NULL. */
void json_line_optional(phx_buf_t *line, const char *name, phx_slice_t characters);
void json_line_number(phx_buf_t *line, const char *name, long long number);
/* JSON as it is, bytes as {"$base64": …}. */
void json_line_payload(phx_buf_t *line, const char *name, phx_payload_t payload);
void json_line_end(phx_buf_t *line);

#endif
