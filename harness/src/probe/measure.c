/* SPDX-License-Identifier: MIT */
#include "probe/measure.h"

#include "base/memory.h"
#include "net/deadline.h"

#include <stdlib.h>
#include <string.h>

enum { REPEATS = 3 }; /* the shortest of so many is nearest to the truth */

double round_time(double ms)
{
    double unit = 1;
    while (ms / unit >= 100) {
        unit *= 10;
    }
    return (double)(long)(ms / unit) * unit;
}

/* ---- timers ---- */

static json_t *idle_steps(void)
{
    return json_pack("[{s:s} {s:s} {s:{s:b}}]", "connect", "a", "barrier", "heartbeat", "expect_close", "tcp",
                     true);
}

/* A poll that nothing comes for is answered with 204 after the window (LP-GET-04). */
static json_t *window_steps(vsn_t vsn)
{
    const char *name = vsn_name(vsn);
    return json_pack("[{s:{s:s s:s s:{s:s}} s:{s:{s:{s:{s:s}}}}} {s:{s:s s:s s:{s:s s:s}} s:{s:{s:{s:i}}}}]",
                     "http", "method", "GET", "path", "${longpoll}", "query", "vsn", name, "expect", "body",
                     "$partial", "token", "$capture", "token", /**/
                     "http", "method", "GET", "path", "${longpoll}", "query", "vsn", name, "token",
                     "${token}", "expect", "body", "$partial", "status", 204);
}

static double shortest(const trials_t *trials, size_t first)
{
    double least = 0;
    for (size_t i = first; i < first + REPEATS; i++) {
        if (trials->at[i].passed && (least <= 0 || trials->at[i].ms < least)) {
            least = trials->at[i].ms;
        }
    }
    return round_time(least);
}

static void measure_timers(const target_t *target, const way_t ways[MOUNTS], double wait_ms,
                           measured_t measured[MOUNTS])
{
    made_case_t idle, windows[2];
    trials_t trials = {0};
    size_t first[MOUNTS][TRANSPORTS];
    made_case(&idle, idle_steps());
    made_case(&windows[VSN_1], window_steps(VSN_1));
    made_case(&windows[VSN_2], window_steps(VSN_2));
    for (mount_t mount = 0; mount < MOUNTS; mount++) {
        const way_t *way = &ways[mount];
        first[mount][WEBSOCKET] = trials.len;
        for (int i = 0; way->websocket && i < REPEATS; i++) {
            trials_add(&trials, &idle.c, mount, WEBSOCKET, way->vsn);
        }
        first[mount][LONGPOLL] = trials.len;
        for (int i = 0; way->longpoll && i < REPEATS; i++) {
            trials_add(&trials, &windows[way->vsn].c, mount, LONGPOLL, way->vsn);
        }
    }
    target_t patient = *target;
    patient.patience_ms = wait_ms;
    trials_run(&trials, &patient, wait_ms + 500);
    for (mount_t mount = 0; mount < MOUNTS; mount++) {
        if (ways[mount].websocket) {
            measured[mount].websocket_timeout_ms = shortest(&trials, first[mount][WEBSOCKET]);
        }
        if (ways[mount].longpoll) {
            measured[mount].longpoll_window_ms = shortest(&trials, first[mount][LONGPOLL]);
        }
    }
    trials_free(&trials);
    made_case_free(&idle);
    made_case_free(&windows[VSN_1]);
    made_case_free(&windows[VSN_2]);
}

/* ---- limits ---- */

/* So many topics joined on one connection, each of them answered ok. */
static json_t *channel_steps(json_int_t count)
{
    json_t *joins = json_array(), *answers = json_array();
    for (json_int_t i = 1; i <= count; i++) {
        json_t *ref = json_sprintf("%" JSON_INTEGER_FORMAT, i);
        json_t *topic = json_sprintf("${topic}/%" JSON_INTEGER_FORMAT, i);
        json_array_append_new(joins, json_pack("[O O O s {}]", ref, ref, topic, "phx_join"));
        json_array_append_new(answers, json_pack("[[O O O s {s:s s:{s:b}}]]", ref, ref, topic, "phx_reply",
                                                 "status", "ok", "response", "$any", true));
        json_decref(ref);
        json_decref(topic);
    }
    return json_pack("[{s:s} {s:[{s:b} n {s:b} {s:b} {s:b}]} {s:o} {s:o}]", "connect", "a", "allow", "$any",
                     true, "$any", true, "$any", true, "$any", true, "pipeline", joins, "unordered", answers);
}

/* A heartbeat of so many bytes, answered. */
static json_t *frame_steps(json_int_t bytes, vsn_t vsn)
{
    const char *head =
        vsn == VSN_1 ? "{\"topic\":\"phoenix\",\"event\":\"heartbeat\",\"ref\":\"1\",\"payload\":{\"p\":\""
                     : "[null,\"1\",\"phoenix\",\"heartbeat\",{\"p\":\"";
    const char *tail = vsn == VSN_1 ? "\"}}" : "\"}]";
    size_t frame = strlen(head) + strlen(tail), wanted = (size_t)bytes;
    text_t text = {0};
    text_puts(&text, head);
    text_fill(&text, 'x', wanted > frame ? wanted - frame : 0);
    text_puts(&text, tail);
    json_t *steps =
        json_pack("[{s:s} {s:s} {s:[n s s s {s:s s:{}}]}]", "connect", "a", "send_text", text_str(&text),
                  "expect", "1", "phoenix", "phx_reply", "status", "ok", "response");
    text_free(&text);
    return steps;
}

/* What lies between a number that is taken and one that is not. */
typedef struct search {
    made_case_t made;
    size_t trial;
    json_int_t good, bad; /* taken, not taken; bad 0: none is known yet */
    json_int_t most;
    mount_t mount;
    bool frames, ended;
} search_t;

static json_int_t next_try(const search_t *search)
{
    return search->bad == 0 ? search->most : (search->good + search->bad) / 2;
}

static void ask(search_t *search, const way_t *way, trials_t *trials)
{
    json_int_t next = next_try(search);
    made_case(&search->made, search->frames ? frame_steps(next, way->vsn) : channel_steps(next));
    search->trial = trials_add(trials, &search->made.c, search->mount,
                               search->frames ? WEBSOCKET : way->transport, way->vsn);
}

static void learn(search_t *search, const trial_t *trial)
{
    json_int_t tried = next_try(search);
    made_case_free(&search->made);
    if (!trial->over) {
        search->ended = true;
        search->good = 0;
    } else if (trial->passed) {
        search->good = tried;
        search->ended = search->bad == 0;
    } else {
        search->bad = tried;
    }
    search->ended |= search->bad == search->good + 1;
}

static void search_all(const target_t *target, const way_t ways[MOUNTS], search_t *searches, size_t count,
                       double until_ms)
{
    bool more = count > 0;
    while (more) {
        trials_t trials = {0};
        for (size_t i = 0; i < count; i++) {
            if (!searches[i].ended) {
                ask(&searches[i], &ways[searches[i].mount], &trials);
            }
        }
        double left = until_ms - clock_ms();
        trials_run(&trials, target, left > 0 ? left : 0);
        more = false;
        for (size_t i = 0; i < count; i++) {
            if (!searches[i].ended) {
                learn(&searches[i], &trials.at[searches[i].trial]);
                more = more || !searches[i].ended;
            }
        }
        trials_free(&trials);
    }
}

static void measure_limits(const target_t *target, const way_t ways[MOUNTS], double search_ms,
                           measured_t measured[MOUNTS])
{
    search_t searches[MOUNTS * 2];
    size_t count = 0;
    for (mount_t mount = 0; mount < MOUNTS; mount++) {
        if (ways[mount].channels) {
            searches[count++] = (search_t){.mount = mount, .most = MOST_CHANNELS};
        }
        if (ways[mount].websocket) {
            searches[count++] = (search_t){.mount = mount, .frames = true, .most = MOST_FRAME_BYTES};
        }
    }
    search_all(target, ways, searches, count, clock_ms() + search_ms);
    for (size_t i = 0; i < count; i++) {
        const search_t *search = &searches[i];
        measured_t *found = &measured[search->mount];
        json_int_t limit = search->bad > 0 ? search->good : 0;
        bool none = search->bad == 0 && search->good == search->most;
        if (search->frames) {
            found->frame_bytes = limit;
            found->no_frame_limit = none;
        } else {
            found->channels = limit;
            found->no_channel_limit = none;
        }
    }
}

void measure(const target_t *target, const way_t ways[MOUNTS], double wait_ms, double search_ms,
             measured_t measured[MOUNTS])
{
    memset(measured, 0, sizeof *measured * MOUNTS);
    measure_timers(target, ways, wait_ms, measured);
    measure_limits(target, ways, search_ms, measured);
}
