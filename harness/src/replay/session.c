/* SPDX-License-Identifier: MIT */
#include "replay/session.h"

#include "base/memory.h"
#include "commands.h"
#include "net/deadline.h"
#include "replay/command.h"
#include "replay/locks.h"
#include "replay/pool.h"

#include <fnmatch.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const double SETTLE_MS = 30, LATE_MS = 50;
enum { AGAIN_JOBS = 4, AGAIN_MAX = 5, AGAIN_MIN = 8, AGAIN_TOTAL_MIN = 100, AGAIN_SHARE = 10 };

typedef enum stage { PENDING, STARTING, PLAYING, DONE } stage_t;

typedef struct session session_t;

typedef struct item {
    session_t *session;
    const recording_t *recording;
    verdict_t *verdict;
    size_t index; /* in the selection, for locks */
    stage_t stage;
    char *command;   /* of the server it wants; NULL: the one at the URL */
    bool own_target; /* drain: the recording stops its server */
    target_t *target;
    player_t *player;
    deadline_t *settling;
    unsigned played_again;
    double chain_ms; /* of all recordings of its scenario for its server, which come one after the other */
} item_t;

struct session {
    uv_loop_t loop;
    const session_options_t *options;
    const rules_t *rules;
    item_t *items; /* in the order of playing */
    size_t len;
    verdict_t *verdicts; /* in the order of the selection */
    locks_t *locks;
    pool_t *pool;
    target_t *at_url; /* NULL with --spawn */
    size_t active;
    verdict_printer_t printer;
    uv_signal_t signals[2];
    bool interrupted, harness_failed, target_failed;
};

bool session_chosen(const session_options_t *options, const recording_t *recording)
{
    return (options->only.len == 0 || names_match(&options->only, recording->name)) &&
           !names_match(&options->skip, recording->name);
}

/* ---- verdicts ---- */

static const char *expectation(const session_options_t *options, const recording_t *recording)
{
    for (size_t i = 0; options->expect != NULL && i < options->expect->len; i++) {
        const expectation_t *each = &options->expect->at[i];
        if (each->of_recording && fnmatch(each->pattern, recording->name, 0) == 0) {
            return each->reason;
        }
    }
    return NULL;
}

static void decide(item_t *item, verdict_kind_t kind, const char *reason)
{
    session_t *session = item->session;
    const char *expected = expectation(session->options, item->recording);
    verdict_t *verdict = item->verdict;
    if (kind == DISAGREE && expected != NULL) {
        kind = EXPECTED;
        reason = expected;
    }
    verdict->kind = kind;
    verdict->reason = reason ? mem_string(reason) : NULL;
    verdict->came_untrue = kind == AGREE && expected != NULL;
    verdict->ms = item->player ? player_ms(item->player) : 0;
    session->harness_failed = session->harness_failed || kind == HARNESS_ERROR;
    item->stage = DONE;
    verdict_print(&session->printer, verdict, item->player);
}

/* What can be said of a recording before anything is played; false: it is to be played. */
static bool decide_early(item_t *item)
{
    const session_options_t *options = item->session->options;
    const recording_t *recording = item->recording;
    const char *key;
    text_t text = {0};
    for (size_t i = 0; i < recording->needs.len; i++) {
        if (names_have(&options->without, recording->needs.at[i])) {
            decide(item, NOT_APPLICABLE, recording->needs.at[i]);
            return true;
        }
    }
    item->own_target = strcmp(recording->group, "drain") == 0;
    if (options->spawn == NULL) {
        if (item->own_target) {
            decide(item, NOT_RUN, "it stops its server, which needs --spawn");
        } else if (json_object_size(recording->config) > 0 && !options->assume_config) {
            decide(item, NOT_RUN, "its server has a configuration of its own (--spawn, or --assume-config)");
        }
        return item->stage == DONE;
    }
    json_t *none = json_object();
    const command_input_t input = {.release = recording->release,
                                   .config = options->assume_config ? none : recording->config,
                                   .assumed = &options->assumed,
                                   .without = &options->without};
    if (command_for(&text, options->spawn, &input, &key)) {
        item->command = text_take(&text);
    } else {
        text_printf(&text, "--spawn has no place for {%s}", key);
        decide(item, NOT_RUN, text.at);
    }
    text_free(&text);
    json_decref(none);
    return item->stage == DONE;
}

/* ---- playing ---- */

static void go_on(session_t *session);

static void on_settled(void *ctx)
{
    item_t *item = ctx;
    item->settling = NULL;
    locks_release(item->session->locks, item->index);
    go_on(item->session);
}

/* The next one on the same topics begins a little later: a server ends the channels of a connection that is
 * gone in its own time, and who joins before hears it. */
static void leave(item_t *item)
{
    item->session->active--;
    if (!item->own_target) {
        item->settling = deadline_start(&item->session->loop, SETTLE_MS, on_settled, item);
    }
    player_free(item->player);
    item->player = NULL;
}

/*
 * On a busy machine the client may fall behind, and do what belongs into a channel's 300 ms of work when they
 * are over. Such a disagreement says nothing: the recording is played again when little else runs. A target
 * that disagrees with most is not given that chance.
 */
static bool too_late_to_tell(const item_t *item, const player_t *player)
{
    const verdict_printer_t *printer = &item->session->printer;
    size_t agreed = printer->counts[AGREE];
    size_t most = item->session->len / AGAIN_SHARE + AGAIN_TOTAL_MIN;
    bool chance = item->played_again < AGAIN_MAX && printer->played_again < most &&
                  printer->played_again < agreed + AGAIN_MIN && agreed >= printer->counts[DISAGREE];
    return chance && !player_agreed(player) && player_late_ms(player) > LATE_MS &&
           expectation(item->session->options, item->recording) == NULL;
}

static void on_done(void *ctx, player_t *player)
{
    item_t *item = ctx;
    if (too_late_to_tell(item, player)) {
        item->played_again++;
        item->session->printer.played_again++;
        item->stage = PENDING;
    } else {
        decide(item, player_agreed(player) ? AGREE : DISAGREE, NULL);
    }
    leave(item);
    go_on(item->session);
}

static void on_signal_wanted(void *ctx, int signal_number)
{
    item_t *item = ctx;
    target_signal(item->target, signal_number);
}

static void play(item_t *item)
{
    session_t *session = item->session;
    item->stage = PLAYING;
    player_setup_t setup = {.loop = &session->loop,
                            .recording = item->recording,
                            .rules = session->rules,
                            .address = target_address(item->target),
                            .authority = target_authority(item->target),
                            .signal = on_signal_wanted,
                            .done = on_done,
                            .ctx = item};
    item->player = player_start(&setup);
}

static void give_up(item_t *item)
{
    text_t reason = {0};
    text_printf(&reason, "the server did not start: %s", target_error(item->target));
    decide(item, HARNESS_ERROR, reason.at);
    text_free(&reason);
    leave(item);
}

static void proceed(item_t *item)
{
    switch (target_state(item->target)) {
    case TARGET_STARTING:
        break;
    case TARGET_READY:
        play(item);
        break;
    case TARGET_GONE:
        give_up(item);
        break;
    }
}

static void begin(item_t *item)
{
    session_t *session = item->session;
    session->active++;
    item->stage = STARTING;
    if (!item->own_target) {
        locks_take(session->locks, item->index);
    }
    if (session->at_url != NULL) {
        item->target = session->at_url;
    } else {
        item->target = item->own_target ? pool_own(session->pool, item->command)
                                        : pool_shared(session->pool, item->command);
    }
    proceed(item);
}

static void tell_target_failed(const target_t *target)
{
    text_t out = {0};
    text_printf(&out, "phxspec replay: the server %s\n  %s\n", target_command(target), target_error(target));
    span_t rest = span_trim(target_output(target)), line;
    while (rest.len > 0 && span_next(&rest, '\n', &line)) {
        text_printf(&out, "  | %.*s\n", (int)line.len, line.at);
    }
    fwrite(out.at, 1, out.len, stderr);
    text_free(&out);
}

static void on_target(void *ctx, target_t *target)
{
    session_t *session = ctx;
    bool gone = target_state(target) == TARGET_GONE, awaited = false;
    for (size_t i = 0; i < session->len; i++) {
        if (session->items[i].stage == STARTING && session->items[i].target == target) {
            awaited = true;
            proceed(&session->items[i]);
        }
    }
    if (gone && (awaited || target_ended_badly(target))) {
        tell_target_failed(target);
        session->target_failed = true;
    }
    go_on(session);
}

static void end(session_t *session)
{
    for (size_t i = 0; i < session->len; i++) {
        deadline_cancel(&session->items[i].settling);
    }
    if (session->pool == NULL || pool_stop(session->pool)) {
        for (size_t i = 0; i < 2; i++) {
            if (!uv_is_closing((uv_handle_t *)&session->signals[i])) {
                uv_close((uv_handle_t *)&session->signals[i], NULL);
            }
        }
    }
}

static void go_on(session_t *session)
{
    size_t left = 0;
    for (size_t i = 0; i < session->len; i++) {
        item_t *item = &session->items[i];
        size_t jobs = item->played_again > 0 ? AGAIN_JOBS : session->options->jobs;
        left += item->stage != DONE;
        if (item->stage == PENDING && session->active < jobs && item->settling == NULL &&
            (item->own_target || locks_are_free(session->locks, item->index))) {
            begin(item);
        }
    }
    if (left == 0) {
        end(session);
    }
}

static void on_interrupt(uv_signal_t *signal, int number)
{
    session_t *session = signal->data;
    (void)number;
    session->interrupted = true;
    for (size_t i = 0; i < session->len; i++) {
        item_t *item = &session->items[i];
        stage_t stage = item->stage;
        if (stage != DONE) {
            decide(item, NOT_RUN, "interrupted");
        }
        if (stage == STARTING || stage == PLAYING) {
            leave(item);
        }
    }
    end(session);
}

/* ---- life ---- */

static int by_chain(const void *a, const void *b)
{
    const item_t *x = a, *y = b;
    if (x->chain_ms != y->chain_ms) {
        return x->chain_ms > y->chain_ms ? -1 : 1;
    }
    return x->index < y->index ? -1 : 1;
}

static bool same_chain(const item_t *a, const item_t *b)
{
    bool same_server = a->command == NULL || b->command == NULL ? a->command == b->command
                                                                : strcmp(a->command, b->command) == 0;
    return strcmp(a->recording->scenario, b->recording->scenario) == 0 && same_server;
}

/* The longest chain of recordings that must follow one another is begun first. */
static void order(session_t *session)
{
    lock_user_t *users = mem_new(session->len, sizeof *users);
    for (size_t i = 0; i < session->len; i++) {
        item_t *item = &session->items[i];
        users[i] = (lock_user_t){item->recording, item->command};
        for (size_t j = 0; j < session->len; j++) {
            if (same_chain(item, &session->items[j])) {
                item->chain_ms += session->items[j].recording->duration_ms;
            }
        }
    }
    session->locks = locks_new(users, session->len);
    free(users);
    qsort(session->items, session->len, sizeof *session->items, by_chain);
}

static void select_items(session_t *session, const recordings_t *recordings)
{
    const recording_t **chosen = mem_new(recordings->len, sizeof *chosen);
    for (size_t i = 0; i < recordings->len; i++) {
        if (session_chosen(session->options, recordings->at[i])) {
            chosen[session->len++] = recordings->at[i];
        }
    }
    session->items = mem_new(session->len, sizeof *session->items);
    session->verdicts = mem_new(session->len, sizeof *session->verdicts);
    for (size_t i = 0; i < session->len; i++) {
        session->verdicts[i].recording = chosen[i];
        session->items[i] = (item_t){
            .session = session, .recording = chosen[i], .verdict = &session->verdicts[i], .index = i};
    }
    free(chosen);
}

static bool open_loop(session_t *session)
{
    static const int numbers[2] = {SIGINT, SIGTERM};
    const session_options_t *options = session->options;
    if (uv_loop_init(&session->loop) != 0) {
        return false;
    }
    for (size_t i = 0; i < 2; i++) {
        uv_signal_init(&session->loop, &session->signals[i]);
        session->signals[i].data = session;
        uv_signal_start(&session->signals[i], on_interrupt, numbers[i]);
    }
    if (options->spawn != NULL) {
        session->pool = pool_new(&session->loop, options->ready, on_target, session);
    } else {
        session->at_url = target_at(&options->url, &options->address);
    }
    return true;
}

static void close_session(session_t *session)
{
    if (session->pool != NULL) {
        pool_free(session->pool);
    }
    target_free(session->at_url);
    uv_run(&session->loop, UV_RUN_DEFAULT); /* what is closing closes */
    uv_loop_close(&session->loop);
    for (size_t i = 0; i < session->len; i++) {
        free(session->items[i].command);
        free(session->verdicts[i].reason);
    }
    locks_free(session->locks);
    free(session->items);
    free(session->verdicts);
}

static int exit_code(const session_t *session, bool complete)
{
    const size_t *counts = session->printer.counts;
    bool untrue = false;
    for (size_t i = 0; i < session->len; i++) {
        untrue = untrue || session->verdicts[i].came_untrue;
    }
    if (session->harness_failed || session->interrupted || !complete) {
        return EXIT_HARNESS;
    }
    if (counts[AGREE] + counts[DISAGREE] + counts[EXPECTED] == 0) {
        fputs("phxspec replay: nothing was judged: no chosen recording applies to this target\n", stderr);
        return EXIT_USE;
    }
    return counts[DISAGREE] > 0 || untrue || session->target_failed ? EXIT_FAILED : EXIT_AGREED;
}

int session_run(const session_options_t *options, const recordings_t *recordings, const rules_t *rules)
{
    session_t session = {.options = options, .rules = rules};
    session.printer = (verdict_printer_t){
        .verbosity = options->verbosity, .rerun = options->rerun, .report = options->report};
    double began_ms = clock_ms();
    select_items(&session, recordings);
    if (!open_loop(&session)) {
        fputs("phxspec replay: no event loop could be made\n", stderr);
        return EXIT_HARNESS;
    }
    for (size_t i = 0; i < session.len; i++) {
        decide_early(&session.items[i]);
    }
    order(&session);
    go_on(&session);
    uv_run(&session.loop, UV_RUN_DEFAULT);
    bool complete = verdict_summary(&session.printer, session.verdicts, session.len, clock_ms() - began_ms);
    int code = exit_code(&session, complete);
    close_session(&session);
    return code;
}
