/* SPDX-License-Identifier: MIT */
#include "vectors/race.h"

#include <math.h>

/* A step takes milliseconds: no case runs out of longer timers by accident. */
static const double SHORT_MS = 5000;
static const double PART_OF_TIMER = 0.2, PART_OF_WAIT = 0.5;

/* The shortest timer that ends who is silent on a mount. */
static double shortest_timer(const profile_mount_t *mount)
{
    double shortest = INFINITY;
    static const timer_kind_t timers[] = {TIMER_WS_TIMEOUT, TIMER_LP_WINDOW};
    for (size_t i = 0; i < sizeof timers / sizeof *timers; i++) {
        double ms = mount->timer_ms[timers[i]];
        shortest = ms > 0 && ms < shortest ? ms : shortest;
    }
    return shortest;
}

/* Of the waits of a step, and the times the vector itself asked the application to take. */
static double shortest_wait(const json_t *step, const profile_mount_t *mount)
{
    static const char *const members[] = {"wait", "within", "not_before"};
    double shortest = INFINITY;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const json_t *time = json_object_get(step, members[i]);
        bool counts = time && (i != 1 || json_object_get(time, "ms")); /* "within" a timer is no race */
        shortest = counts ? fmin(shortest, time_ms(time, mount)) : shortest;
    }
    return shortest;
}

static double wait_margin(const variant_t *variant, const profile_t *profile)
{
    double shortest = INFINITY;
    for (size_t i = 0; i < variant->c->len; i++) {
        shortest = fmin(shortest, shortest_wait(variant->c->steps[i].json, &profile->mounts[variant->mount]));
    }
    return PART_OF_WAIT * shortest;
}

double race_wait_margin_ms(const variant_t *variant, const profile_t *profile)
{
    double margin = wait_margin(variant, profile);
    return isinf(margin) ? 0 : margin;
}

double race_margin_ms(const variant_t *variant, const profile_t *profile)
{
    double timer = shortest_timer(&profile->mounts[variant->mount]);
    double margin = fmin(timer <= SHORT_MS ? PART_OF_TIMER * timer : INFINITY, wait_margin(variant, profile));
    return isinf(margin) ? 0 : margin;
}
