/* SPDX-License-Identifier: MIT */
/* Variants that have to keep ahead of a timer of the server: what they need of this machine. */
#ifndef VECTORS_RACE_H
#define VECTORS_RACE_H

#include "vectors/variant.h"

/*
 * How long the harness may stand still before a failure of the variant is no word about the server: a part of
 * the shortest timer it runs against, or of its shortest wait. 0: it runs against none.
 */
double race_margin_ms(const variant_t *variant, const profile_t *profile);

/* The same by its own waits only: who lets the timers of a mount run out finds the connection gone, and gets
 * no other messages. */
double race_wait_margin_ms(const variant_t *variant, const profile_t *profile);

#endif
