/* SPDX-License-Identifier: MIT */
#ifndef SCRIPTED_TIMERS_H
#define SCRIPTED_TIMERS_H

#include "timers.h"

/* Moves the clock to the next timer due at `until_ms` or before and calls it. False when there is none: then
 * it is `until_ms`. */
bool scripted_timers_next(uint64_t until_ms);
uint64_t scripted_timers_now(void);

#endif
