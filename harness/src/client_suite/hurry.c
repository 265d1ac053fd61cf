/* SPDX-License-Identifier: MIT */
#include "client_suite/hurry.h"

#include "vectors/pace.h"

#include <math.h>

/* A case leaves this much between what the server does and the end of a timer at the least. */
static const double PART_OF_TIMER = 0.1;

/* The delays of reconnects and joins are not among them: they begin with what the server does. */
static double shortest_timer(const json_t *json)
{
    static const char *const timers[] = {"heartbeat_ms", "timeout_ms", "longpoll_timeout_ms", "fallback_ms",
                                         NULL};
    double shortest = INFINITY;
    const char *key;
    json_t *value;
    size_t i;
    json_object_foreach((json_t *)json, key, value)
    {
        double ms = json_is_number(value) && word_listed(timers, key) ? json_number_value(value) : INFINITY;
        shortest = fmin(shortest, fmin(ms, shortest_timer(value)));
    }
    json_array_foreach(json, i, value)
    {
        shortest = fmin(shortest, shortest_timer(value));
    }
    return shortest;
}

double hurry_margin_ms(const vector_case_t *c)
{
    double shortest = shortest_timer(c->options);
    for (size_t i = 0; i < c->len; i++) {
        shortest = fmin(shortest, shortest_timer(c->steps[i].json));
    }
    return isinf(shortest) ? 0 : fmax(PART_OF_TIMER * shortest, PACE_USUAL_MS);
}

bool hurry_timed(const vector_case_t *c)
{
    static const char *const times[] = {"after", "silence", "wait"};
    for (size_t i = 0; i < c->len; i++) {
        for (size_t t = 0; t < sizeof times / sizeof *times; t++) {
            if (json_object_get(c->steps[i].json, times[t])) {
                return true;
            }
        }
    }
    return hurry_margin_ms(c) > 0;
}
