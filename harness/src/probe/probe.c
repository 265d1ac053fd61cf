/* SPDX-License-Identifier: MIT */
#include "probe/probe.h"

#include "base/memory.h"
#include "net/deadline.h"
#include "probe/measure.h"
#include "probe/trial.h"

#include <stdlib.h>
#include <string.h>

static const double PATIENCE_MS = 1500, ROUND_MS = 3000, SEARCH_MS = 5000, ALL_MS = 14000;
enum { REACH_MS = 1500 };

/* What Phoenix does unless it is told otherwise. */
static const double TIMEOUT_MS = 60000, WINDOW_MS = 10000;
static const json_int_t PUBSUB_MS = 2000, FRAME_BYTES = 10000000;

static const char FORBIDDEN_ORIGIN[] = "http://evil.test";

typedef struct prober {
    const vectors_t *questions;
    const probe_options_t *options;
    text_t *notes;
    uv_loop_t loop;
    endpoints_t endpoints;
    json_t *json; /* the profile, as far as it is known */
    profile_t profile;
    target_t target;
    bool speaks[MOUNTS][TRANSPORTS][2]; /* by vsn */
    way_t ways[MOUNTS];
    mount_t base; /* the mount most is asked of */
    double until_ms;
} prober_t;

static void note(prober_t *prober, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(prober_t *prober, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_vprintf(prober->notes, format, arguments);
    va_end(arguments);
    text_putc(prober->notes, '\n');
}

static const vector_case_t *question(const prober_t *prober, const char *id)
{
    for (size_t i = 0; i < prober->questions->len; i++) {
        if (strcmp(prober->questions->cases[i].id, id) == 0) {
            return &prober->questions->cases[i];
        }
    }
    return NULL;
}

/* Reads what is known so far into the profile the target is tried with. */
static bool take_in(prober_t *prober)
{
    profile_free(&prober->profile);
    return profile_read("the profile being found", prober->json, &prober->profile, prober->notes);
}

/* How long a round may take at most; what is left when the time is over is not found out. */
static double at_most(const prober_t *prober, double ms)
{
    double left = prober->until_ms - clock_ms();
    return left < 0 ? 0 : left < ms ? left : ms;
}

/* Whether a case passes at a mount; one that is not among the questions does not. */
static bool asks(prober_t *prober, const char *id, mount_t mount, transport_t transport, vsn_t vsn)
{
    trials_t trials = {0};
    const vector_case_t *c = question(prober, id);
    bool passed = false;
    if (c) {
        trials_add(&trials, c, mount, transport, vsn);
        trials_run(&trials, &prober->target, at_most(prober, ROUND_MS));
        passed = trials.at[0].passed;
    }
    trials_free(&trials);
    return passed;
}

/* ---- mounts, transports, versions ---- */

static json_t *mount_at(const char *path)
{
    return json_pack("{s:s}", "path", path);
}

static json_t *candidate_mounts(const prober_t *prober, const url_t *url)
{
    const json_t *known = json_object_get(prober->options->known, "mounts");
    if (known) {
        return json_deep_copy(known);
    }
    const char *main = prober->options->mount ? prober->options->mount : *url->path ? url->path : "/socket";
    json_t *mounts = json_pack("{s:o}", mount_name(MOUNT_MAIN), mount_at(main));
    if (strcmp(main, "/tight") != 0) {
        json_object_set_new(mounts, mount_name(MOUNT_TIGHT), mount_at("/tight"));
    }
    if (strcmp(main, "/sub") != 0) {
        json_object_set_new(mounts, mount_name(MOUNT_SUB), mount_at("/sub"));
    }
    return mounts;
}

/* What `known` says and nobody can try. */
static void begin_profile(prober_t *prober, const url_t *url)
{
    static const char *const taken_over[] = {"phoenix", "unmatched_topic", "join", "connect", "nodes"};
    prober->json =
        json_pack("{s:i s:s s:s}", "profile", 1, "name", url->authority, "about",
                  "Found by phxspec probe. What it could not find out is assumed as Phoenix has it.");
    for (size_t i = 0; i < sizeof taken_over / sizeof *taken_over; i++) {
        json_t *value = json_object_get(prober->options->known, taken_over[i]);
        if (value) {
            json_object_set(prober->json, taken_over[i], value);
        }
    }
    const char *topic = prober->options->topic ? prober->options->topic : "phxspec:{unique}";
    json_object_set_new(prober->json, "topic", json_string(topic));
    json_object_set_new(prober->json, "mounts", candidate_mounts(prober, url));
    json_object_set_new(prober->json, "capabilities", json_array());
}

static bool is_spoken(const prober_t *prober, mount_t mount)
{
    bool any = false;
    for (int i = 0; i < 4; i++) {
        any = any || prober->speaks[mount][i / 2][i % 2];
    }
    return any;
}

static void choose_ways(prober_t *prober)
{
    prober->base = MOUNTS;
    for (mount_t mount = 0; mount < MOUNTS; mount++) {
        way_t *way = &prober->ways[mount];
        const bool(*speaks)[2] = (const bool(*)[2])prober->speaks[mount];
        *way = (way_t){.websocket = speaks[WEBSOCKET][VSN_1] || speaks[WEBSOCKET][VSN_2],
                       .longpoll = speaks[LONGPOLL][VSN_1] || speaks[LONGPOLL][VSN_2]};
        way->transport = way->websocket ? WEBSOCKET : LONGPOLL;
        way->vsn = speaks[way->transport][VSN_2] ? VSN_2 : VSN_1;
        if (!is_spoken(prober, mount)) {
            json_object_del(json_object_get(prober->json, "mounts"), mount_name(mount));
        } else if (prober->base == MOUNTS) {
            prober->base = mount;
        }
    }
}

/* Everything the protocol may be spoken over; the reasons where it is not, once each. */
static bool find_mounts(prober_t *prober)
{
    trials_t trials = {0};
    const vector_case_t *c = question(prober, "probe.speaks");
    for (int i = 0; c && i < MOUNTS * 4; i++) {
        mount_t mount = (mount_t)(i / 4);
        if (prober->profile.mounts[mount].present) {
            trials_add(&trials, c, mount, (transport_t)(i / 2 % 2), (vsn_t)(i % 2));
        }
    }
    trials_run(&trials, &prober->target, at_most(prober, ROUND_MS));
    text_t why = {0};
    for (size_t i = 0; i < trials.len; i++) {
        const trial_t *trial = &trials.at[i];
        const variant_t *asked = &trial->variant;
        prober->speaks[asked->mount][asked->transport][asked->vsn] = trial->passed;
        if (!trial->passed && trial->reason) {
            text_printf(&why, "%s/%s, vsn %s: %s\n", prober->profile.mounts[asked->mount].path,
                        transport_name(asked->transport), vsn_name(asked->vsn), trial->reason);
        }
    }
    choose_ways(prober);
    bool found = prober->base != MOUNTS;
    if (!found) {
        note(prober,
             "nothing here speaks the protocol; where it is mounted elsewhere, --mount says so. What was "
             "tried:");
        text_puts(prober->notes, text_str(&why));
    }
    text_free(&why);
    trials_free(&trials);
    return found;
}

static void add_capability(prober_t *prober, const char *name)
{
    json_array_append_new(json_object_get(prober->json, "capabilities"), json_string(name));
}

static void conclude_mounts(prober_t *prober)
{
    bool transports[TRANSPORTS] = {false}, vsns[2] = {false};
    for (mount_t mount = 0; mount < MOUNTS; mount++) {
        for (int i = 0; i < 4; i++) {
            transports[i / 2] = transports[i / 2] || prober->speaks[mount][i / 2][i % 2];
            vsns[i % 2] = vsns[i % 2] || prober->speaks[mount][i / 2][i % 2];
        }
    }
    for (transport_t transport = 0; transport < TRANSPORTS; transport++) {
        if (transports[transport]) {
            add_capability(prober, transport_name(transport));
        } else {
            note(prober, "no %s: nothing answers it", transport_name(transport));
        }
    }
    for (int i = 0; i < 2; i++) {
        if (!vsns[i]) {
            json_object_set_new(prober->json, "vsn", json_pack("[s]", vsn_name((vsn_t)!i)));
            note(prober, "vsn %s is not spoken", vsn_name((vsn_t)i));
        }
    }
    if (prober->base != MOUNT_MAIN) {
        note(prober, "no mount main: nothing speaks the protocol at %s; --mount names its path",
             prober->profile.mounts[MOUNT_MAIN].path);
    }
    for (mount_t mount = MOUNT_TIGHT; mount < MOUNTS; mount++) {
        if (!is_spoken(prober, mount)) {
            note(prober, "no mount %s: nothing speaks the protocol at /%s", mount_name(mount),
                 mount_name(mount));
        }
    }
    if (is_spoken(prober, MOUNT_SUB) && !asks(prober, "probe.subprotocols", MOUNT_SUB, WEBSOCKET, VSN_2)) {
        note(prober, "no mount sub: it does not choose conf.a of conf.b, conf.a");
        json_object_del(json_object_get(prober->json, "mounts"), mount_name(MOUNT_SUB));
        prober->ways[MOUNT_SUB] = (way_t){0};
    }
}

/* ---- topic and capabilities ---- */

static bool asks_base(prober_t *prober, const char *id)
{
    const way_t *way = &prober->ways[prober->base];
    return asks(prober, id, prober->base, way->transport, way->vsn);
}

/* Whether the application is there; else what there is of the bare tier. */
static bool find_topic(prober_t *prober)
{
    if (!asks_base(prober, "probe.topic")) {
        note(prober, "no topic is known: \"%s\" cannot be joined; --topic names another",
             prober->profile.topic);
        json_object_set_new(prober->json, "topic", json_null());
        return false;
    }
    if (profile_has_own_topics(&prober->profile) && asks_base(prober, "probe.conformance")) {
        add_capability(prober, "conformance");
        return true;
    }
    note(prober,
         "no conformance application behind the topic: the bare tier applies (vectors/APPLICATION.md)");
    bool plain = asks_base(prober, "probe.topic-plain"), silent = asks_base(prober, "probe.topic-silent");
    if ((!plain || !silent) && !json_object_get(prober->json, "join")) {
        json_object_set_new(prober->json, "join", json_object());
    }
    json_t *join = json_object_get(prober->json, "join");
    if (!plain || !silent) {
        json_object_set_new(join, "response", json_pack("{s:b}", "$any", true));
        note(prober, "a join is answered with more than {}: join.response is set to anything; narrow it");
    }
    if (!silent) {
        json_object_set_new(
            join, "allow",
            json_pack("[[{s:b} n s {s:b} {s:b}]]", "$any", true, "${topic}", "$any", true, "$any", true));
        note(prober, "messages follow a join: join.allow is set to any; narrow it");
    }
    return false;
}

/* Whether a question is about the server, and not about its application. */
static bool is_of_server(const vector_case_t *c)
{
    const char *need = json_string_value(json_array_get(c->needs, 0));
    return need && (strcmp(need, "auth_token") == 0 || strcmp(need, "deflate") == 0);
}

static void find_capabilities(prober_t *prober, bool application)
{
    trials_t trials = {0};
    const way_t *base = &prober->ways[prober->base];
    for (size_t i = 0; i < prober->questions->len; i++) {
        const vector_case_t *c = &prober->questions->cases[i];
        const char *need = json_string_value(json_array_get(c->needs, 0));
        if (!need || strcmp(need, "conformance") == 0 || (!application && !is_of_server(c))) {
            continue;
        }
        bool deflate = strcmp(need, "deflate") == 0;
        mount_t mount = deflate && is_spoken(prober, MOUNT_TIGHT) ? MOUNT_TIGHT : prober->base;
        transport_t transport = c->transports[base->transport] ? base->transport : WEBSOCKET;
        vsn_t vsn = c->vsns[base->vsn] ? base->vsn : VSN_2;
        if (prober->speaks[mount][transport][vsn]) {
            trials_add(&trials, c, mount, transport, vsn);
        } else {
            note(prober, "capability %s: not tried, for it takes %s and vsn %s", need,
                 transport_name(transport), vsn_name(vsn));
        }
    }
    trials_run(&trials, &prober->target, at_most(prober, ROUND_MS));
    for (size_t i = 0; i < trials.len; i++) {
        const json_t *needs = trials.at[i].variant.c->needs;
        for (size_t n = 0; n < json_array_size(needs); n++) {
            const char *need = json_string_value(json_array_get(needs, n));
            if (trials.at[i].passed) {
                add_capability(prober, need);
            } else {
                note(prober, "no capability %s: %s", need,
                     trials.at[i].reason ? trials.at[i].reason : "not answered as it should");
            }
        }
    }
    trials_free(&trials);
    note(prober, "capabilities spawn and cluster: not tried, for they take more than a URL");
}

/* ---- origins ---- */

static json_t *origin_steps(const char *origin, bool refused)
{
    json_t *step = json_pack("{s:s s:{s:s}}", "connect", "a", "headers", "origin", origin);
    if (refused) {
        json_object_set_new(step, "refused", json_integer(403));
    }
    return json_pack("[o]", step);
}

static void find_origins(prober_t *prober, const url_t *url)
{
    enum { CANDIDATES = 3 };
    text_t own = {0};
    text_printf(&own, "http://%s", url->authority);
    const char *const allowed[CANDIDATES] = {"http://phxspec.test", text_str(&own), "http://localhost"};
    made_case_t made[CANDIDATES + 1];
    trials_t trials = {0};
    const way_t *way = &prober->ways[prober->base];
    for (int i = 0; i <= CANDIDATES; i++) {
        made_case(&made[i],
                  i < CANDIDATES ? origin_steps(allowed[i], false) : origin_steps(FORBIDDEN_ORIGIN, true));
        trials_add(&trials, &made[i].c, prober->base, way->transport, way->vsn);
    }
    trials_run(&trials, &prober->target, at_most(prober, ROUND_MS));
    int accepted = 0;
    while (accepted < CANDIDATES && !trials.at[accepted].passed) {
        accepted++;
    }
    if (!trials.at[CANDIDATES].passed) {
        note(prober, "no capability origin: %s is not refused", FORBIDDEN_ORIGIN);
    } else if (accepted == CANDIDATES) {
        note(prober, "no capability origin: an allowed one was not found (%s, %s, %s)", allowed[0],
             allowed[1], allowed[2]);
    } else {
        add_capability(prober, "origin");
        json_object_set_new(
            prober->json, "origin",
            json_pack("{s:s s:s}", "allowed", allowed[accepted], "forbidden", FORBIDDEN_ORIGIN));
    }
    for (int i = 0; i <= CANDIDATES; i++) {
        made_case_free(&made[i]);
    }
    trials_free(&trials);
    text_free(&own);
}

/* ---- timers and limits ---- */

static json_int_t found_or(prober_t *prober, const char *mount, const char *what, double found,
                           json_int_t otherwise, const char *why)
{
    if (found > 0) {
        return (json_int_t)found;
    }
    note(prober, "assumed: mounts.%s.%s %" JSON_INTEGER_FORMAT ", %s", mount, what, otherwise, why);
    return otherwise;
}

static void conclude_mount(prober_t *prober, mount_t mount, const measured_t *found)
{
    const char *name = mount_name(mount);
    json_t *json = json_object_get(json_object_get(prober->json, "mounts"), name), *limits = json_object();
    text_t still = {0};
    text_printf(&still, "for it takes longer than %.0f ms", prober->options->wait_ms);
    if (prober->ways[mount].websocket) {
        json_int_t timeout = found_or(prober, name, timer_name(TIMER_WS_TIMEOUT), found->websocket_timeout_ms,
                                      (json_int_t)TIMEOUT_MS, text_str(&still));
        json_object_set_new(json, "websocket", json_pack("{s:I}", "timeout_ms", timeout));
        json_object_set_new(limits, "max_frame_bytes",
                            json_integer(found_or(prober, name, limit_name(LIMIT_FRAME),
                                                  (double)found->frame_bytes, FRAME_BYTES,
                                                  found->no_frame_limit ? "for a frame of 1 MiB is taken"
                                                                        : "for no frame was taken")));
    }
    if (prober->ways[mount].longpoll) {
        json_int_t window = found_or(prober, name, timer_name(TIMER_LP_WINDOW), found->longpoll_window_ms,
                                     (json_int_t)WINDOW_MS, text_str(&still));
        json_int_t pubsub =
            found_or(prober, name, timer_name(TIMER_LP_PUBSUB), 0, PUBSUB_MS, "for it cannot be seen");
        json_object_set_new(json, "longpoll",
                            json_pack("{s:I s:I}", "window_ms", window, "pubsub_timeout_ms", pubsub));
    }
    if (found->channels > 0) {
        json_object_set_new(limits, "max_channels", json_integer(found->channels));
    } else if (found->no_channel_limit) {
        note(prober, "mounts.%s.limits.max_channels: none up to %d channels", name, MOST_CHANNELS);
    } else {
        note(prober,
             "mounts.%s.limits.max_channels: not found, for not even one topic of its own can be joined",
             name);
    }
    json_object_set_new(json, "limits", limits);
    text_free(&still);
}

static void find_times_and_limits(prober_t *prober)
{
    measured_t found[MOUNTS];
    for (mount_t mount = 0; mount < MOUNTS; mount++) {
        way_t *way = &prober->ways[mount];
        way->channels = (way->websocket || way->longpoll) && profile_has_own_topics(&prober->profile);
    }
    measure(&prober->target, prober->ways, prober->options->wait_ms, at_most(prober, SEARCH_MS), found);
    for (mount_t mount = 0; mount < MOUNTS; mount++) {
        if (prober->ways[mount].websocket || prober->ways[mount].longpoll) {
            conclude_mount(prober, mount, &found[mount]);
        }
    }
}

/* ---- all of it ---- */

static probe_outcome_t probe_all(prober_t *prober, const url_t *url)
{
    begin_profile(prober, url);
    if (!take_in(prober)) {
        return PROBE_SILENT;
    }
    url_t base = *url;
    if (!endpoints_find(&prober->endpoints, &base, &prober->profile, REACH_MS, prober->notes)) {
        text_putc(prober->notes, '\n');
        return PROBE_UNREACHABLE;
    }
    prober->target = (target_t){.loop = &prober->loop,
                                .endpoints = &prober->endpoints,
                                .profile = &prober->profile,
                                .patience_ms = PATIENCE_MS};
    if (!find_mounts(prober)) {
        return PROBE_SILENT;
    }
    conclude_mounts(prober);
    bool application = find_topic(prober);
    if (!take_in(prober)) {
        return PROBE_SILENT;
    }
    find_origins(prober, url);
    find_capabilities(prober, application);
    find_times_and_limits(prober);
    return take_in(prober) ? PROBE_FOUND : PROBE_SILENT;
}

probe_outcome_t probe(const url_t *url, const vectors_t *questions, const probe_options_t *options,
                      json_t **profile, text_t *notes)
{
    prober_t prober = {
        .questions = questions, .options = options, .notes = notes, .until_ms = clock_ms() + ALL_MS};
    uv_loop_init(&prober.loop);
    probe_outcome_t outcome = probe_all(&prober, url);
    *profile = outcome == PROBE_FOUND ? json_incref(prober.json) : NULL;
    json_decref(prober.json);
    profile_free(&prober.profile);
    endpoints_free(&prober.endpoints);
    uv_loop_close(&prober.loop);
    return outcome;
}
