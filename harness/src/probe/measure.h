/* SPDX-License-Identifier: MIT */
/* The timers and limits of a target's mounts, measured: how long it waits, how much it takes. */
#ifndef PROBE_MEASURE_H
#define PROBE_MEASURE_H

#include "probe/trial.h"

/* The most that is tried; a limit beyond is not found. */
enum { MOST_CHANNELS = 110, MOST_FRAME_BYTES = 1 << 20 };

/* How a mount is spoken to. */
typedef struct way {
    bool websocket, longpoll, channels; /* channels: topics of the profile can be joined there */
    transport_t transport;
    vsn_t vsn;
} way_t;

/* 0: not found; `no_…_limit`: as much as was tried is taken. */
typedef struct measured {
    double websocket_timeout_ms, longpoll_window_ms;
    json_int_t channels, frame_bytes;
    bool no_channel_limit, no_frame_limit;
} measured_t;

/*
 * Waits for timers at most `wait_ms`, all at once, and then looks for limits, `search_ms` at most. The
 * profile of the target names the mounts; its own timers and limits are not looked at.
 */
void measure(const target_t *target, const way_t ways[MOUNTS], double wait_ms, double search_ms,
             measured_t measured[MOUNTS]);

/* A measured time as whoever set it wrote it: the first two digits of what is never too short. */
double round_time(double ms);

#endif
