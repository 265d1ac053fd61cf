/* SPDX-License-Identifier: MIT */
#include "faults.h"

#include <string.h>
#include <strings.h>

#include "core.h"
#include "ws_frame.h"

static const struct {
    const char *name;
    const char *does;
    const char *requirement;
} FAULTS[] = {
    [FAULT_NONE] = {"", "", ""},
#define FAULT(constant, name, does, requirement) [FAULT_##constant] = {name, does, requirement},
#include "faults.def"
#undef FAULT
};

enum { FAULT_COUNT = sizeof(FAULTS) / sizeof(FAULTS[0]) };

fault_t faults_named(const char *name)
{
    for (int i = FAULT_NONE + 1; i < FAULT_COUNT; i++) {
        if (strcmp(FAULTS[i].name, name) == 0) {
            return (fault_t)i;
        }
    }
    return FAULT_NONE;
}

void faults_print(FILE *to)
{
    for (int i = FAULT_NONE + 1; i < FAULT_COUNT; i++) {
        fprintf(to, "%-27s %-11s %s\n", FAULTS[i].name, FAULTS[i].requirement, FAULTS[i].does);
    }
}

void faults_bend_mount(const core_t *core, phxs_mount_config_t *config)
{
    static const char *const ONE_SCHEME[] = {"http://localhost", "http://127.0.0.1", "http://phxspec.test",
                                             NULL};
    switch (core->fault) {
    case FAULT_LIMIT_IGNORED:
        config->max_channels = 0;
        break;
    case FAULT_LIMIT_PLUS_ONE:
        config->max_channels++;
        break;
    case FAULT_IDLE_EARLY:
        config->websocket_timeout_ms /= 2;
        break;
    case FAULT_FRAME_LIMIT_IGNORED:
        config->max_frame_bytes = (size_t)1 << 40;
        break;
    case FAULT_ORIGIN_ONE_SCHEME:
        config->origins = ONE_SCHEME;
        break;
    case FAULT_TOKEN_EVERYWHERE:
        config->auth_token = true;
        break;
    default:
        break;
    }
}

void faults_relax_reader(const core_t *core, ws_reader_t *reader)
{
    static const ws_laxity_t LAXITIES[FAULT_COUNT] = {
        [FAULT_ANY_TEXT] = WS_ANY_TEXT,           [FAULT_LONE_FRAGMENTS] = WS_LONE_FRAGMENTS,
        [FAULT_PING_RESETS] = WS_CONTROL_RESETS,  [FAULT_ANY_CLOSE_CODE] = WS_ANY_CLOSE_CODE,
        [FAULT_LONG_CONTROLS] = WS_LONG_CONTROLS, [FAULT_CONTROL_FRAGMENTS] = WS_CONTROL_FRAGMENTS,
        [FAULT_INTERLEAVED] = WS_INTERLEAVED,     [FAULT_LONE_CONTINUATION] = WS_LONE_CONTINUATION,
    }; /* all others: WS_STRICT */
    ws_reader_relax(reader, LAXITIES[core->fault]);
}

/* Whether a route as the fault understands it serves the topic. */
static bool serves(fault_t fault, const phxs_route_t *route, phx_slice_t topic)
{
    phx_slice_t pattern = phx_slice_of(route->pattern);
    const bool wildcard = pattern.len > 0 && pattern.data[pattern.len - 1] == '*';
    pattern.len -= wildcard ? 1 : 0;
    if (topic.len < pattern.len) {
        return false;
    }
    const phx_slice_t begin = {topic.data, pattern.len};
    const phx_slice_t rest = {topic.data + pattern.len, topic.len - pattern.len};
    const bool same = fault == FAULT_ROUTE_ANY_CASE ? strncasecmp(begin.data, pattern.data, begin.len) == 0
                                                    : phx_slice_equal(begin, pattern);
    if (!same || (!wildcard && rest.len > 0 && fault != FAULT_ROUTE_EXACT_PREFIX)) {
        return false;
    }
    const bool bare = wildcard && rest.len == 0;
    const bool colon = wildcard && memchr(rest.data, ':', rest.len) != NULL;
    return !(fault == FAULT_ROUTE_NOT_BARE && bare) && !(fault == FAULT_ROUTE_ONE_SEGMENT && colon);
}

const phxs_route_t *faults_route(const core_t *core, const phxs_socket_handler_t *handler, phx_slice_t topic,
                                 const phxs_route_t *route)
{
    const fault_t fault = core->fault;
    if (fault < FAULT_ROUTE_LAST || fault > FAULT_ROUTE_ANY_CASE) {
        return route;
    }
    const phxs_route_t *found = NULL;
    for (size_t i = 0; i < handler->route_count; i++) {
        if ((found == NULL || fault == FAULT_ROUTE_LAST) && serves(fault, &handler->routes[i], topic)) {
            found = &handler->routes[i];
        }
    }
    return found;
}
