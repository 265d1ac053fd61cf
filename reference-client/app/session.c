/* SPDX-License-Identifier: MIT */
#include "session_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void go_on(session_t *session);

/* ---- telling ---- */

static void output_is_lost(uv_timer_t *timer)
{
    session_t *session = timer->data;
    session->code = EXIT_OFFLINE;
    session__finish(session);
}

/* What cannot be told need not go on; in a later turn, for who says something is in the middle of it. */
void session__say(session_t *session, print_event_t event)
{
    if (!session->mute && !print_event(session->printer, &event)) {
        session->mute = true;
        session__complain(strerror(errno), PHX_SLICE("stdout"));
        if (session->waiting != FOR_NOTHING) {
            (void)uv_timer_start(session->ending, output_is_lost, 0, 0);
        }
    }
}

phx_slice_t session__topic_name(const topic_t *topic)
{
    return phx_buf_slice(&topic->name);
}

void session__complain(const char *text, phx_slice_t about)
{
    phx_buf_t line = {0};
    print_shown(&line, about);
    phx_buf_append_text(&line, about.len > 0 ? ": " : "");
    print_shown(&line, phx_slice_of(text));
    (void)fprintf(stderr, "phxspec-client: %.*s\n", (int)line.len, line.data);
    phx_buf_free(&line);
}

/* ---- the end ---- */

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

static void it_is_over(uv_timer_t *timer)
{
    session_t *session = timer->data;
    session->over(session->user, session->code);
}

/* Not at once: a callback of the socket may be running, and it must not be freed then. */
void session__end_soon(session_t *session)
{
    if (session->waiting != FOR_NOTHING) {
        session->waiting = FOR_NOTHING;
        (void)uv_timer_start(session->ending, it_is_over, 0, 0);
    }
}

void session__finish(session_t *session)
{
    if (session->waiting == FOR_THE_END || session->waiting == FOR_NOTHING) {
        return;
    }
    (void)uv_timer_stop(session->timer);
    session->waiting = FOR_THE_END;
    phxc_socket_disconnect(session->socket, 1000, (phx_slice_t){0});
    if (phxc_socket_state(session->socket) == PHXC_DISCONNECTED) {
        session__end_soon(session);
    }
}

/* What the session waited for is here. */
void session__done(session_t *session, waiting_t waiting)
{
    if (session->waiting == waiting) {
        (void)uv_timer_stop(session->timer);
        session->waiting = FOR_COMMANDS;
        go_on(session);
    }
}

void session__failed(session_t *session, waiting_t waiting)
{
    if (session->waiting == waiting) {
        session->code = session->code == EXIT_WELL ? EXIT_FAILED : session->code;
        if (session->stops) {
            session__finish(session);
        } else {
            session__done(session, waiting);
        }
    }
}

/* ---- commands ---- */

static topic_t *find_topic(session_t *session, phx_slice_t name)
{
    for (topic_t **link = &session->topics; *link != NULL; link = &(*link)->next) {
        topic_t *topic = *link;
        if (phx_slice_equal(session__topic_name(topic), name)) {
            *link = topic->next;
            topic->next = session->topics;
            session->topics = topic; /* the current one */
            return topic;
        }
    }
    return NULL;
}

static topic_t *make_topic(session_t *session, phx_slice_t name)
{
    topic_t *topic = calloc(1, sizeof *topic);
    if (topic == NULL) {
        return NULL;
    }
    topic->session = session;
    phx_buf_append_slice(&topic->name, name);
    topic->next = session->topics;
    session->topics = topic;
    return topic;
}

static phx_payload_t payload_of(const command_t *command)
{
    return (phx_payload_t){command->form, phx_buf_slice(&command->data)};
}

static void refuse(session_t *session, const char *text, phx_slice_t about)
{
    session__complain(text, about);
    session->waiting = FOR_EVER; /* for session__failed() to see what it was about */
    session__failed(session, FOR_EVER);
}

static void run_join(session_t *session, const command_t *command)
{
    const phx_slice_t name = phx_buf_slice(&command->name);
    topic_t *topic = find_topic(session, name);
    if (topic == NULL) {
        topic = make_topic(session, name);
    }
    print_event_t event = {.type = "join", .arrow = "→", .topic = name};
    print_set_payload(&event, payload_of(command));
    session__say(session, event);
    if (topic == NULL) {
        refuse(session, phxc_strerror(PHX_ENOMEM), name);
        return;
    }
    phxc_channel_free(topic->channel);
    topic->presence = NULL;
    topic->shows_presence = false;
    topic->channel =
        phxc_channel_new(session->socket, name, payload_of(command), &SESSION_CHANNEL_CALLBACKS, topic);
    if (topic->channel != NULL) { /* the state comes with the join, and only then */
        topic->presence = phxc_presence_new(topic->channel, NULL, NULL, &SESSION_PRESENCE_CALLBACKS, topic);
    }
    session->waiting = FOR_JOIN;
    const int error = topic->presence != NULL ? phxc_channel_join(topic->channel, 0) : PHX_ENOMEM;
    if (error != 0) {
        refuse(session, phxc_strerror(error), name);
    }
}

static void on_reply(void *user, phxc_outcome_t outcome, phx_slice_t status, phx_payload_t response)
{
    const pushed_t pushed = *(pushed_t *)user;
    session_t *session = pushed.session;
    free(user);
    print_event_t event = {.type = outcome == PHXC_REPLIED ? "reply" : "no reply",
                           .arrow = outcome == PHXC_REPLIED ? "←" : NULL,
                           .status = status};
    if (session->freed || session->push_number != pushed.number) {
        return; /* nobody waits for it any more */
    }
    if (session->topics != NULL) {
        event.topic = session__topic_name(session->topics);
    }
    if (outcome == PHXC_REPLIED) {
        print_set_payload(&event, response);
    } else {
        event.text = outcome == PHXC_TIMEOUT ? "in time" : "the channel has ended";
    }
    session__say(session, event);
    if (outcome == PHXC_REPLIED && phx_slice_equals(status, "ok")) {
        session__done(session, FOR_REPLY);
    } else {
        session__failed(session, FOR_REPLY);
    }
}

/* What a push's reply must find again: the session, and whether it still waits for this one. */
static pushed_t *new_pushed(session_t *session)
{
    pushed_t *pushed = calloc(1, sizeof *pushed);
    if (pushed != NULL) {
        *pushed = (pushed_t){session, ++session->push_number};
    }
    return pushed;
}

static void run_push(session_t *session, topic_t *topic, const command_t *command)
{
    const bool waits = command->kind == COMMAND_PUSH;
    print_event_t event = {.type = waits ? "push" : "send",
                           .arrow = "→",
                           .topic = session__topic_name(topic),
                           .event = phx_buf_slice(&command->name)};
    print_set_payload(&event, payload_of(command));
    session__say(session, event);
    session->waiting = waits ? FOR_REPLY : FOR_COMMANDS;
    pushed_t *pushed = waits ? new_pushed(session) : NULL;
    const int error = waits && pushed == NULL
                          ? PHX_ENOMEM
                          : phxc_channel_push(topic->channel, phx_buf_slice(&command->name),
                                              payload_of(command), 0, waits ? on_reply : NULL, pushed);
    if (error != 0) {
        free(pushed);
        refuse(session, phxc_strerror(error), phx_buf_slice(&command->name));
    }
}

static void time_is_over(uv_timer_t *timer)
{
    session_t *session = timer->data;
    if (session->waiting == FOR_EVENT) {
        print_event_t event = {
            .type = "no message", .event = phx_buf_slice(&session->expected), .text = "in time"};
        event.topic = session->topics != NULL ? session__topic_name(session->topics) : event.topic;
        session__say(session, event);
        session__failed(session, FOR_EVENT);
    }
    session__done(session, FOR_TIME);
}

static void on_ping(void *user, uint64_t elapsed_ms)
{
    session_t *session = user;
    session__say(session, (print_event_t){.type = "ping",
                                          .has_number = true,
                                          .number_name = "round_trip_ms",
                                          .number = (long long)elapsed_ms});
    session__done(session, FOR_PING);
}

static void run_on_topic(session_t *session, const command_t *command)
{
    topic_t *topic = session->topics;
    if (topic == NULL || topic->channel == NULL) {
        refuse(session, "no topic is joined", (phx_slice_t){0});
        return;
    }
    switch (command->kind) {
    case COMMAND_PRESENCE:
        topic->shows_presence = true;
        if (!phxc_presence_pending(topic->presence)) {
            session__say_presences(topic);
        }
        break;
    case COMMAND_LEAVE:
        phxc_channel_leave(topic->channel);
        break;
    case COMMAND_EXPECT:
        phx_buf_clear(&session->expected);
        phx_buf_append_slice(&session->expected, phx_buf_slice(&command->name));
        if (!session__take_seen(session, phx_buf_slice(&session->expected))) {
            session->waiting = FOR_EVENT;
            (void)uv_timer_start(session->timer, time_is_over, session->options->config.timeout_ms, 0);
        }
        break;
    default:
        run_push(session, topic, command);
        break;
    }
}

static void run(session_t *session, const command_t *command)
{
    if (command->kind != COMMAND_EXPECT) {
        phx_buf_clear(&session->seen);
    }
    switch (command->kind) {
    case COMMAND_JOIN:
        run_join(session, command);
        break;
    case COMMAND_TOPIC:
        if (find_topic(session, phx_buf_slice(&command->name)) == NULL) {
            refuse(session, "this topic was not joined", phx_buf_slice(&command->name));
        }
        break;
    case COMMAND_PING:
        session->waiting = FOR_PING;
        if (phxc_socket_ping(session->socket, on_ping, session) != 0) {
            refuse(session, "the socket is not open", PHX_SLICE("ping"));
        }
        break;
    case COMMAND_SLEEP:
        session->waiting = FOR_TIME;
        (void)uv_timer_start(session->timer, time_is_over, command->number, 0);
        break;
    case COMMAND_DISCONNECT:
        session->waiting = FOR_CLOSE;
        phxc_socket_disconnect(session->socket, (int)command->number, (phx_slice_t){0});
        if (phxc_socket_state(session->socket) == PHXC_DISCONNECTED) {
            session->waiting = FOR_COMMANDS;
        }
        break;
    case COMMAND_CONNECT:
        session->waiting = FOR_OPEN;
        phxc_socket_connect(session->socket);
        if (phxc_socket_state(session->socket) == PHXC_OPEN) {
            session->waiting = FOR_COMMANDS;
        }
        break;
    case COMMAND_WATCH:
        session->waiting = FOR_EVER;
        break;
    default:
        run_on_topic(session, command);
        break;
    }
}

/* Commands that are done at once do not call it again: the loop goes on here. */
static void go_on(session_t *session)
{
    while (session->waiting == FOR_COMMANDS && session->first != NULL) {
        queued_t *queued = session->first;
        session->first = queued->next;
        if (session->first == NULL) {
            session->last = &session->first;
        }
        session->stops = queued->stops;
        run(session, &queued->command);
        command_free(&queued->command);
        free(queued);
    }
    if (session->waiting == FOR_COMMANDS && session->no_more) {
        session__finish(session);
    }
}

void session_add(session_t *session, const command_t *command, bool stops)
{
    queued_t *queued = calloc(1, sizeof *queued);
    if (queued == NULL) {
        session__complain(phxc_strerror(PHX_ENOMEM), (phx_slice_t){0});
        abort();
    }
    queued->command = *command;
    queued->stops = stops;
    *session->last = queued;
    session->last = &queued->next;
    go_on(session);
}

void session_wrong(session_t *session)
{
    session->code = EXIT_WRONG;
}

void session_end(session_t *session)
{
    session->no_more = true;
    go_on(session);
}

void session_interrupt(session_t *session)
{
    if (session->waiting == FOR_THE_END) {
        session__end_soon(session);
    } else if (session->waiting != FOR_EVER && session->waiting != FOR_COMMANDS) {
        session->code = session->code == EXIT_WELL ? EXIT_FAILED : session->code;
    }
    session__finish(session);
}

/* ---- making and freeing ---- */

static uv_timer_t *make_timer(uv_loop_t *loop, session_t *session)
{
    uv_timer_t *timer = calloc(1, sizeof *timer);
    if (timer != NULL && uv_timer_init(loop, timer) == 0) {
        timer->data = session;
        return timer;
    }
    free(timer);
    return NULL;
}

session_t *session_new(uv_loop_t *loop, const options_t *options, const printer_t *printer,
                       void (*over)(void *user, int code), void *user, int *code)
{
    char error[400] = "";
    session_t *session = calloc(1, sizeof *session);
    *code = EXIT_OFFLINE;
    if (session == NULL) {
        return NULL;
    }
    session->options = options;
    session->printer = printer;
    session->over = over;
    session->user = user;
    session->last = &session->first;
    session->waiting = FOR_OPEN;
    session->stops = true;
    session->timer = make_timer(loop, session);
    session->ending = make_timer(loop, session);
    session->socket =
        phxc_socket_new(loop, &options->config, &SESSION_SOCKET_CALLBACKS, session, error, sizeof error);
    if (session->timer == NULL || session->ending == NULL || session->socket == NULL) {
        session__complain(error[0] != '\0' ? error : phxc_strerror(PHX_ENOMEM), (phx_slice_t){0});
        *code = error[0] != '\0' ? EXIT_WRONG : EXIT_OFFLINE;
        session_free(session);
        return NULL;
    }
    phxc_socket_connect(session->socket);
    return session;
}

void session_free(session_t *session)
{
    session->freed = true;
    phxc_socket_free(session->socket);
    if (session->timer != NULL) {
        uv_close((uv_handle_t *)session->timer, free_handle);
    }
    if (session->ending != NULL) {
        uv_close((uv_handle_t *)session->ending, free_handle);
    }
    while (session->first != NULL) {
        queued_t *queued = session->first;
        session->first = queued->next;
        command_free(&queued->command);
        free(queued);
    }
    while (session->topics != NULL) {
        topic_t *topic = session->topics;
        session->topics = topic->next;
        phx_buf_free(&topic->name);
        free(topic);
    }
    phx_buf_free(&session->expected);
    phx_buf_free(&session->seen);
    free(session);
}
