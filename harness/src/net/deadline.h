/* SPDX-License-Identifier: MIT */
/* Time on one loop: a clock, and calls that come later. */
#ifndef NET_DEADLINE_H
#define NET_DEADLINE_H

#include <uv.h>

/* Milliseconds of a clock that never goes back; read freshly at each call. */
double clock_ms(void);

typedef struct deadline deadline_t;
typedef void deadline_cb(void *ctx);

/* Calls `passed` once, at least `ms` from now (0: in the next turn). Owned by the caller until it passed or
 * was cancelled: the pointer is dead as soon as `passed` is entered. */
deadline_t *deadline_start(uv_loop_t *loop, double ms, deadline_cb *passed, void *ctx);

/* The call will not come; sets *deadline to NULL. NULL in *deadline is allowed. */
void deadline_cancel(deadline_t **deadline);

#endif
