/* SPDX-License-Identifier: MIT */
/* Query strings as Phoenix's applications see them: percent escapes, and brackets for lists and maps
 * (WS-CONN-13). */
#ifndef QUERY_H
#define QUERY_H

#include <jansson.h>

#include "phx/bytes.h"

/*
 * The parameters of `query` (without `?`) as a new JSON object of strings, arrays and objects. A wrong
 * percent escape is taken as it stands; of repeated names the last one counts. Returns NULL if a name or
 * value is not UTF-8 (WS-CONN-14), if there are more than 1000, or memory ran out.
 */
json_t *query_decode(phx_slice_t query);

/* The value of a parameter that is a string; false if there is none. Borrowed from `params`. */
bool query_string(const json_t *params, const char *name, phx_slice_t *value);

#endif
