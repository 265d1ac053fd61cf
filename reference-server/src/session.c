/* SPDX-License-Identifier: MIT */
#include "session.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "phx/json.h"
#include "phx/ndjson.h"

enum {
    MAX_BASE64_LINE = 10000000, /* LP-BIN-02 */
    MAX_WAITING_POSTS = 100,    /* whose messages wait for a join to be decided */
};

/* A GET that waits. It outlives its session: its client learns of the end with the next one (LP-END-02). */
typedef struct poll {
    session_t *session; /* NULL: another poll took over, or the session is over */
    exchange_t *exchange;
    core_t *core;
    loop_timer_t window;
    char token[LP_TOKEN_CHARS + 1];
} poll_t;

/* A POST whose messages are being taken up. */
typedef struct post {
    session_t *session; /* NULL: it is over */
    struct post *next;
    exchange_t *exchange; /* NULL: answered, or its client is gone */
    core_t *core;
    uint64_t window_ms;
    bool batch;
    bool waiting; /* for the socket to take up a message */
    size_t cursor;
    size_t lines;
    phx_buf_t scratch;
    task_t task;
    loop_timer_t window;
} post_t;

struct session {
    table_entry_t entry; /* first: found by it */
    sessions_t *sessions;
    mount_t *mount;
    phxs_socket_t *socket;
    frame_t *frames;
    size_t frame_count;
    size_t frame_room;
    size_t frame_bytes;
    poll_t *poll;
    post_t *posts;
    size_t waiting_posts;
    bool failing; /* takes no more, its end is on its way */
    uint64_t last_poll_ms;
    loop_timer_t inactivity;
    task_t flush;
    uint8_t id[LP_ID_BYTES];
    char token[LP_TOKEN_CHARS + 1];
};

static core_t *core_of(const session_t *session)
{
    return session->mount->core;
}

static uint64_t wall_ms(void)
{
    uv_timeval64_t now;
    if (uv_gettimeofday(&now) != 0) {
        return 0;
    }
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_usec / 1000;
}

/* ---- what waits for a poll ---- */

static void drop_frames(session_t *session)
{
    for (size_t i = 0; i < session->frame_count; i++) {
        shared_bytes_dequeue(session->frames[i].bytes, &core_of(session)->queued);
    }
    free(session->frames);
    session->frames = NULL;
    session->frame_count = session->frame_room = session->frame_bytes = 0;
}

static bool keep_frame(session_t *session, frame_t frame)
{
    if (session->frame_count == session->frame_room) {
        size_t room = session->frame_room > 0 ? session->frame_room * 2 : 8;
        frame_t *frames = realloc(session->frames, room * sizeof(*frames));
        if (frames == NULL) {
            return false;
        }
        session->frames = frames;
        session->frame_room = room;
    }
    shared_bytes_enqueue(frame.bytes, &core_of(session)->queued);
    session->frames[session->frame_count++] = frame;
    session->frame_bytes += frame.bytes->len;
    return session->frame_bytes <= core_of(session)->max_longpoll_bytes;
}

/* Returns false if some message is binary and no UTF-8: then it has no place in JSON (LP-BIN-03). */
static bool list_frames(const session_t *session, phx_buf_t *messages)
{
    for (size_t i = 0; i < session->frame_count; i++) {
        phx_slice_t message = frame_message(session->frames[i]);
        if (session->frames[i].form == PHX_BINARY && !phx_utf8_valid(message)) {
            return false;
        }
        if (i > 0) {
            phx_buf_append_byte(messages, ',');
        }
        phx_json_quote(messages, message); /* LP-GET-02 */
    }
    return true;
}

static void answer_frames(session_t *session, exchange_t *exchange)
{
    phx_buf_t messages = {0};
    if (list_frames(session, &messages) && !messages.failed) {
        exchange_answer(exchange, 200, session_token(session), phx_buf_slice(&messages));
    } else {
        exchange_error(exchange, 500);
    }
    phx_buf_free(&messages);
    drop_frames(session);
}

/* ---- polls ---- */

static void poll_free(poll_t *poll)
{
    timers_stop(poll->core->timers, &poll->window);
    if (poll->session != NULL) {
        poll->session->poll = NULL;
    }
    free(poll);
}

static void poll_gone(void *data)
{
    poll_free(data); /* what comes meanwhile is kept for the next one (LP-GET-05) */
}

static void window_over(loop_timer_t *timer)
{
    poll_t *poll = CONTAINER_OF(timer, poll_t, window);
    core_t *core = poll->core;
    exchange_answer(poll->exchange, 204, phx_slice_of(poll->token), (phx_slice_t){0}); /* LP-GET-04 */
    poll_free(poll);
    tasks_run(&core->tasks);
}

static void flush(task_t *task)
{
    session_t *session = CONTAINER_OF(task, session_t, flush);
    if (session->poll == NULL || session->frame_count == 0) {
        return;
    }
    exchange_t *exchange = session->poll->exchange;
    poll_free(session->poll);
    answer_frames(session, exchange); /* LP-GET-03 */
}

/* How long a poll may wait. */
static uint64_t poll_window(const session_t *session)
{
    const uint64_t window = session->mount->config.longpoll_window_ms;
    if (has_fault(core_of(session), FAULT_WINDOW_ENDLESS)) {
        return 1000 * window;
    }
    return has_fault(core_of(session), FAULT_WINDOW_SHORT) ? window / 2 : window;
}

void session_poll(session_t *session, exchange_t *exchange)
{
    core_t *core = core_of(session);
    if (!has_fault(core, FAULT_POLLS_DO_NOT_KEEP)) {
        session->last_poll_ms = timers_now(core->timers);
    }
    if (session->poll != NULL && has_fault(core, FAULT_SECOND_POLL_ENDS_FIRST)) {
        exchange_answer(session->poll->exchange, 204, session_token(session), (phx_slice_t){0});
        poll_free(session->poll);
    }
    poll_t *stays = has_fault(core, FAULT_FIRST_POLL_STAYS) ? session->poll : NULL;
    if (session->poll != NULL) { /* the one before runs to the end of its window (LP-GET-06) */
        session->poll->session = NULL;
        session->poll = NULL;
    }
    if (session->frame_count > 0) {
        answer_frames(session, exchange); /* LP-GET-01 */
        return;
    }
    poll_t *poll = calloc(1, sizeof(*poll));
    if (poll == NULL || !timers_start(core->timers, &poll->window, poll_window(session), window_over)) {
        free(poll);
        exchange_error(exchange, 500);
        return;
    }
    poll->session = session;
    poll->exchange = exchange;
    poll->core = core;
    memcpy(poll->token, session->token, sizeof(poll->token));
    session->poll = poll;
    if (stays != NULL) {
        poll->session = NULL;
        stays->session = session;
        session->poll = stays;
    }
    exchange_watch(exchange, poll_gone, poll);
}

/* ---- posts ---- */

static void post_free(post_t *post)
{
    timers_stop(post->core->timers, &post->window);
    tasks_remove(&post->core->tasks, &post->task);
    phx_buf_free(&post->scratch);
    free(post);
}

/* A post is done with: but while its socket still has a message of it, that knows it by its tag. */
static void post_done(post_t *post)
{
    post->exchange = NULL;
    if (post->session != NULL && post->waiting) {
        return;
    }
    if (post->session != NULL) {
        post_t **link = &post->session->posts;
        while (*link != post) {
            link = &(*link)->next;
        }
        *link = post->next;
    }
    post_free(post);
}

static void post_answer(post_t *post, int status)
{
    exchange_answer(post->exchange, status, (phx_slice_t){0}, (phx_slice_t){0});
    post_done(post);
}

static void post_refuse(post_t *post, int http_status)
{
    exchange_error(post->exchange, http_status);
    post_done(post);
}

static void post_window_over(loop_timer_t *timer)
{
    post_t *post = CONTAINER_OF(timer, post_t, window);
    core_t *core = post->core;
    if (core->rules.late_post_fails) {
        post_refuse(post, 500);
    } else {
        post_answer(post, 408); /* LP-POST-09, LP-POST-10 */
    }
    tasks_run(&core->tasks);
}

static void post_gone(void *data)
{
    post_t *post = data;
    timers_stop(post->core->timers, &post->window);
    post_done(post);
}

/* The message is not taken up, or not yet: 408 when the window is over. */
static void post_wait(post_t *post)
{
    if (!timers_start(post->core->timers, &post->window, post->window_ms, post_window_over)) {
        post_answer(post, 408);
    }
}

/* The message in a line of a batch. Returns 0, or the HTTP status of a refusal. */
static int line_message(post_t *post, phx_slice_t line, phx_form_t *form, phx_slice_t *message)
{
    bool text = line.len > 0 && line.data[0] == '[';
    if (!post->core->rules.batches_carry_binary) {
        *message = line;
        return 0;
    }
    if (!text && line.len > MAX_BASE64_LINE) {
        return 400;
    }
    return phx_ndjson_message(line, &post->scratch, form, message) == 0 ? 0 : 500; /* LP-POST-08 */
}

/* Where all lines are read before the first is taken up: as line_message, of the first that is refused. */
static int read_batch(post_t *post)
{
    phx_slice_t line;
    phx_slice_t message;
    phx_form_t form;
    size_t cursor = 0;
    int status = 0;
    while (status == 0 && phx_ndjson_next(post->exchange->body, &cursor, &line)) {
        status = line_message(post, line, &form, &message);
    }
    return status;
}

/* The next message of the POST. Returns 0; 200: there is none; otherwise the HTTP status of a refusal. */
static int next_message(post_t *post, phx_form_t *form, phx_slice_t *message)
{
    const rules_t *rules = &post->core->rules;
    phx_slice_t body = post->exchange->body;
    phx_slice_t line;
    *form = PHX_TEXT;
    if (!post->batch) {
        *message = body; /* LP-POST-04 */
        return post->lines++ == 0 ? 0 : 200;
    }
    int status = post->lines == 0 && rules->batch_read_first ? read_batch(post) : 0;
    if (status != 0) {
        return status;
    }
    if ((rules->batch_limit > 0 && post->lines == rules->batch_limit) ||
        !phx_ndjson_next(body, &post->cursor, &line)) {
        return 200; /* LP-POST-05 */
    }
    post->lines++;
    return line_message(post, line, form, message);
}

/* One message a turn: what follows from it comes before the next (MSG-10). */
static void post_step(task_t *task)
{
    post_t *post = CONTAINER_OF(task, post_t, task);
    if (post->exchange == NULL) {
        return;
    }
    if (post->session == NULL) {
        post_wait(post);
        return;
    }
    phx_form_t form;
    phx_slice_t message;
    int status = next_message(post, &form, &message);
    if (status == 200) {
        post_answer(post, 200);
    } else if (status != 0) {
        post_refuse(post, status);
    } else if (socket_full(post->session->socket) || post->session->waiting_posts >= MAX_WAITING_POSTS) {
        post_wait(post); /* and is not taken up */
    } else if (socket_receive(post->session->socket, form, message, post)) {
        tasks_push(&post->core->tasks, &post->task);
    } else {
        post->waiting = true;
        post->session->waiting_posts++;
        if (has_fault(post->core, FAULT_POST_EARLY)) {
            post_answer(post, 200);
        } else {
            post_wait(post);
        }
    }
}

static void post_taken(post_t *post)
{
    post->waiting = false;
    post->session->waiting_posts--;
    timers_stop(post->core->timers, &post->window);
    if (post->exchange != NULL) {
        tasks_push(&post->core->tasks, &post->task);
    } else {
        post_done(post);
    }
}

void session_post(session_t *session, exchange_t *exchange, bool batch)
{
    post_t *post = calloc(1, sizeof(*post));
    if (post == NULL) {
        exchange_error(exchange, 500);
        return;
    }
    if (has_fault(core_of(session), FAULT_POSTS_KEEP)) {
        session->last_poll_ms = timers_now(core_of(session)->timers);
    }
    post->session = session;
    post->exchange = exchange;
    post->core = core_of(session);
    post->window_ms = session->mount->config.longpoll_window_ms;
    post->batch = batch;
    post->task.run = post_step;
    post->next = session->posts;
    session->posts = post;
    exchange_watch(exchange, post_gone, post);
    tasks_push(&post->core->tasks, &post->task);
}

/* ---- life ---- */

static void session_free(session_t *session)
{
    core_t *core = core_of(session);
    timers_stop(core->timers, &session->inactivity);
    tasks_remove(&core->tasks, &session->flush);
    if (session->poll != NULL) {
        session->poll->session = NULL;
    }
    for (post_t *post = session->posts, *next; post != NULL; post = next) {
        next = post->next;
        post->session = NULL;
        if (post->exchange == NULL) {
            post_free(post);
        }
    }
    table_remove(&session->sessions->by_id, &session->entry);
    socket_free(session->socket);
    drop_frames(session);
    free(session);
}

/* Too much waits for its polls. */
static void fail(session_t *session)
{
    session->failing = true;
    drop_frames(session);
    socket_fail(session->socket);
}

static void transport_send(void *transport, frame_t frame)
{
    session_t *session = transport;
    if (session->failing || (session->poll == NULL && has_fault(core_of(session), FAULT_KEPT_LOST))) {
        return;
    }
    if (!keep_frame(session, frame)) {
        fail(session);
    }
    core_check_queued(core_of(session));
    if (session->poll != NULL) {
        tasks_push(&core_of(session)->tasks, &session->flush);
    }
}

static void transport_taken(void *transport, void *tag)
{
    (void)transport;
    post_taken(tag);
}

static void transport_end(void *transport, socket_end_t why)
{
    session_t *session = transport;
    if (why == SOCKET_DISCONNECTED && has_fault(core_of(session), FAULT_DISCONNECTED_SESSION_STAYS)) {
        return;
    }
    session_free(session); /* LP-END-02: whatever it is, nothing is said */
}

static const transport_ops_t TRANSPORT_OPS = {
    .send = transport_send,
    .taken = transport_taken,
    .end = transport_end,
};

static uint64_t inactivity_ms(const session_t *session)
{
    return session->mount->config.longpoll_window_ms * 3 / 2;
}

static void check_inactivity(loop_timer_t *timer)
{
    session_t *session = CONTAINER_OF(timer, session_t, inactivity);
    core_t *core = core_of(session);
    if (timers_now(core->timers) - session->last_poll_ms > inactivity_ms(session) &&
        !has_fault(core, FAULT_SESSION_STAYS)) {
        session_free(session); /* LP-END-01 */
    } else {
        timers_start(core->timers, timer, inactivity_ms(session), check_inactivity);
    }
    tasks_run(&core->tasks);
}

/* An id names its node, so that the others know where to ask (LP-END-05). */
static bool new_id(node_id_t node, uint8_t id[LP_ID_BYTES])
{
    if (!lp_id_random(id)) {
        return false;
    }
    for (int i = 0; i < 8; i++) {
        id[i] = (uint8_t)(node >> (56 - 8 * i));
    }
    return true;
}

phxs_connect_outcome_t session_open(sessions_t *sessions, mount_t *mount, phx_vsn_t vsn,
                                    const phxs_connect_info_t *info, session_t **result)
{
    phxs_refusal_t refusal = {0}; /* a WebSocket's business only (WS-AUTH-03) */
    session_t *session = calloc(1, sizeof(*session));
    if (session == NULL || !new_id(mount->core->node, session->id) ||
        !lp_token_sign(sessions->key, session->id, wall_ms(), session->token)) {
        free(session);
        return PHXS_CONNECT_FAILED;
    }
    session->sessions = sessions;
    session->mount = mount;
    session->flush.run = flush;
    phxs_connect_outcome_t outcome =
        socket_connect(mount, vsn, info, &TRANSPORT_OPS, session, &session->socket, &refusal);
    if (outcome != PHXS_CONNECT_OK) {
        free(session);
        return outcome;
    }
    session->entry.key = (phx_slice_t){(const char *)session->id, LP_ID_BYTES};
    table_insert(&sessions->by_id, &session->entry);
    session->last_poll_ms = timers_now(mount->core->timers);
    if (!timers_start(mount->core->timers, &session->inactivity, inactivity_ms(session), check_inactivity)) {
        session_free(session);
        return PHXS_CONNECT_FAILED;
    }
    *result = session;
    return PHXS_CONNECT_OK;
}

bool session_token_read(const sessions_t *sessions, phx_slice_t token, uint64_t max_age_s,
                        uint8_t id[LP_ID_BYTES])
{
    return lp_token_verify(sessions->key, token, wall_ms(), max_age_s, id);
}

session_t *session_by_id(const sessions_t *sessions, phx_slice_t id)
{
    return (session_t *)table_find(&sessions->by_id, id);
}

bool sessions_full(const sessions_t *sessions, const core_t *core)
{
    return core->max_sessions > 0 && sessions->by_id.count >= core->max_sessions;
}

size_t sessions_largest_queue(const sessions_t *sessions)
{
    size_t largest = 0;
    for (table_entry_t *entry = NULL; (entry = table_next(&sessions->by_id, entry)) != NULL;) {
        const session_t *session = (session_t *)entry;
        largest = session->frame_bytes > largest ? session->frame_bytes : largest;
    }
    return largest;
}

void sessions_end_slow(const sessions_t *sessions, size_t least)
{
    for (table_entry_t *entry = NULL; (entry = table_next(&sessions->by_id, entry)) != NULL;) {
        session_t *session = (session_t *)entry;
        if (session->frame_bytes >= least && !session->failing) {
            fail(session);
        }
    }
}

phx_slice_t session_token(const session_t *session)
{
    return phx_slice_of(session->token);
}

#ifdef PHXS_FAULTS
void session_speak(session_t *session, phx_vsn_t vsn)
{
    session->socket->vsn = (uint8_t)vsn;
}
#endif

bool sessions_init(sessions_t *sessions, const char *secret, uint64_t seed)
{
    unsigned int len = LP_KEY_BYTES;
    if (!table_init(&sessions->by_id, seed)) {
        return false;
    }
    if (secret == NULL) {
        return RAND_bytes(sessions->key, LP_KEY_BYTES) == 1;
    }
    return EVP_Digest(secret, strlen(secret), sessions->key, &len, EVP_sha256(), NULL) == 1;
}

void sessions_end(sessions_t *sessions)
{
    for (table_entry_t *entry; (entry = table_any(&sessions->by_id)) != NULL;) {
        session_free((session_t *)entry);
    }
}

void sessions_fini(sessions_t *sessions)
{
    sessions_end(sessions);
    table_fini(&sessions->by_id);
}
