/* SPDX-License-Identifier: MIT */
/*
 * What a step writes before it is used:
 *   "${name}" in a string        the value of that name; a string that is nothing but one "${name}" becomes
 * the value itself, whatever its type
 *   {"$repeat": {"text": T, "times": N}}
 *                                the text N times; N is a number, or {"limit": "limits.max_frame_bytes",
 * "times": X}: a limit of the mount, times X
 *   {"$ms": {"timer": NAME, "times": X}}
 *                                that time in whole milliseconds
 */
#ifndef VECTORS_TEMPLATE_H
#define VECTORS_TEMPLATE_H

#include "vectors/profile.h"

/*
 * A copy with everything put in; names is an object, the mount gives limits and timers.
 * A new reference; NULL and a message when a name is not known.
 */
json_t *template_fill(const json_t *value, const json_t *names, const profile_mount_t *mount, text_t *error);

/* Appends one line per name in `value` that `names` does not have, and per malformed $repeat or $ms; whether
 * there is none. */
bool template_check(const json_t *value, const json_t *names, const jpath_t *path, text_t *error);

/* How many bytes the $repeats in a value become. */
double template_size(const json_t *value, const profile_mount_t *mount);

/*
 * Appends the bytes of a filled list of parts: a number is one byte, a string its UTF-8, {"hex": "00 ff"}
 * those bytes,
 * {"length": STRING} one byte with the number of bytes of that string. (A {"$message": …} is encoded by the
 * caller.) False and a message when it is none of these, or the length is over 255.
 */
bool template_bytes(const json_t *part, text_t *out, text_t *error);

#endif
