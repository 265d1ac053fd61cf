/* SPDX-License-Identifier: MIT */
/*
 * A TCP proxy with weather: it refuses, delays, splits, stalls and cuts connections as a seed says. What it
 * will do to the Nth connection follows from the seed and N alone. Bytes of one connection keep their order,
 * as TCP does; connections, and so the requests of long-poll, overtake each other.
 */
#ifndef CHAOS_WEATHER_H
#define CHAOS_WEATHER_H

#include <stdint.h>
#include <uv.h>

/* Numbers that follow from a seed (splitmix64). */
typedef struct dice {
    uint64_t state;
} dice_t;

dice_t dice_of(uint64_t seed, uint64_t number);
/* 0 to `sides` - 1. */
unsigned dice_roll(dice_t *dice, unsigned sides);

typedef struct weather weather_t;

/* Counts of what was done. */
typedef struct weather_report {
    unsigned connections;
    unsigned refused;
    unsigned cut;
    unsigned stalled;
} weather_report_t;

/* Listens on a port of its own, and passes on to the port `upstream` of 127.0.0.1; `percent` of the
 * connections come to harm. NULL when that fails. */
weather_t *weather_new(uv_loop_t *loop, int upstream, uint64_t seed, unsigned percent);
int weather_port(const weather_t *weather);
/* Nothing more is done to connections; those that are stalled end. */
void weather_clear(weather_t *weather);
weather_report_t weather_tell(const weather_t *weather);
/* Ends all connections. The loop must run until its handles are gone. */
void weather_free(weather_t *weather);

#endif
