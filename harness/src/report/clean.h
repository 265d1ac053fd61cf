/* SPDX-License-Identifier: MIT */
/*
 * What a peer sent may be any bytes, and a report is read in terminals, browsers and editors. Here it becomes
 * text that is what it looks like: control characters (C0, DEL, C1), characters that change the direction of
 * writing, are invisible or end a line, non-characters, and bytes that are no UTF-8 turn into escapes (\x1b,
 * \u202e). What is clean stays as it is, so that cleaning twice is cleaning once.
 */
#ifndef REPORT_CLEAN_H
#define REPORT_CLEAN_H

#include "base/text.h"

#include <jansson.h>

/* Appends the clean text. `lines`: line feeds stay. More than `limit` bytes: the first ones, then "… (N
 * bytes)". limit 0: all. */
void clean_add(text_t *out, span_t bytes, bool lines, size_t limit);

/* A new JSON string of the clean text. */
json_t *clean_string(span_t bytes, bool lines, size_t limit);

/* Cleans every string in a value, in place; line feeds stay in what an event may say over several lines. */
void clean_json(json_t *value);

#endif
