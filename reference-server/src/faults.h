/* SPDX-License-Identifier: MIT */
/*
 * Rules to break on purpose, for those who test the tests (vectors/mutants/README.md): a server built with
 * the meson option `faults` breaks one of them when it is told to. Without the option nothing of this is in
 * the program, and has_fault (core.h) is false when it is compiled.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <stdbool.h>
#include <stdio.h>

#include "phxspec/server.h"

typedef enum fault {
    FAULT_NONE,
#define FAULT(constant, name, does, requirement) FAULT_##constant,
#include "faults.def"
#undef FAULT
} fault_t;

typedef struct core core_t;
typedef struct ws_reader ws_reader_t;

#ifdef PHXS_FAULTS

/* The server breaks this rule from here on; to be called before it has mounts. False if no fault has that
 * name. */
bool phxs_server_break(phxs_server_t *server, const char *name);

/* FAULT_NONE if there is none of that name. */
fault_t faults_named(const char *name);
/* A line for each. */
void faults_print(FILE *to);

/* Those that are a matter of settings, of the reader of frames, and of the choice of a route. */
void faults_bend_mount(const core_t *core, phxs_mount_config_t *config);
void faults_relax_reader(const core_t *core, ws_reader_t *reader);
const phxs_route_t *faults_route(const core_t *core, const phxs_socket_handler_t *handler, phx_slice_t topic,
                                 const phxs_route_t *route);

#else

static inline void faults_bend_mount(const core_t *core, phxs_mount_config_t *config)
{
    (void)core;
    (void)config;
}

static inline void faults_relax_reader(const core_t *core, ws_reader_t *reader)
{
    (void)core;
    (void)reader;
}

static inline const phxs_route_t *faults_route(const core_t *core, const phxs_socket_handler_t *handler,
                                               phx_slice_t topic, const phxs_route_t *route)
{
    (void)core;
    (void)handler;
    (void)topic;
    return route;
}

#endif
#endif
