/* SPDX-License-Identifier: MIT */
/* What the bench does with a server, and what that costs. */
#ifndef SCENARIO_H
#define SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum scenario_kind {
    ECHO,       /* `window` messages of each client are under way all the time */
    BROADCAST,  /* one client broadcasts `window` messages, all have them, the next follow */
    JOIN_LEAVE, /* joins, and leaves what it has joined */
    CONNECT,    /* connects, upgrades and goes */
    LONGPOLL,   /* pushes by POST, the reply comes by a poll; then the next */
    MEMORY,     /* connects and joins, and is silent */
    IDLE,       /* the same: what silence costs */
} scenario_kind_t;

typedef struct scenario {
    const char *name;
    scenario_kind_t kind;
    size_t clients;
    size_t window;
    const char *unit; /* of what is counted */
    double goal;      /* at most this much for each, in µs or bytes; 0: none */
    double goal_bare; /* at most this much of what the yardstick takes; 0: none */
} scenario_t;

/* What a server costs, in nanoseconds of processor time for each, or in bytes. */
typedef struct cost {
    double each;
    double per_second; /* how many there were; 0 where it means nothing */
} cost_t;

/* How a run goes. `program` is phxspec-server; where `bare`, the yardstick or the floor. */
typedef struct run {
    const char *program;
    bool bare;
    uint64_t run_ns; /* how long the measurement goes on */
} run_t;

extern const scenario_t SCENARIOS[];
extern const size_t SCENARIO_COUNT;

/* True if the yardstick can do it; the floor can echo and broadcast. */
bool scenario_bare(const scenario_t *scenario);

/* Starts the server, runs the scenario with `clients` of them, and ends the server. */
cost_t scenario_run(const scenario_t *scenario, size_t clients, const run_t *run);

#endif
