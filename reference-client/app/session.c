/* SPDX-License-Identifier: MIT */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum waiting {
    FOR_COMMANDS,
    FOR_OPEN,
    FOR_JOIN,
    FOR_REPLY,
    FOR_EVENT,
    FOR_TIME,
    FOR_PING,
    FOR_CLOSE,
    FOR_EVER,
    FOR_THE_END, /* the last connection closes */
    FOR_NOTHING, /* it is over */
} waiting_t;

typedef struct queued {
    struct queued *next;
    command_t command;
    bool stops;
} queued_t;

typedef struct topic {
    struct topic *next;
    session_t *session;
    phxc_channel_t *channel; /* NULL: closed */
    phxc_presence_t *presence;
    phx_buf_t name;
} topic_t;

typedef struct pushed {
    session_t *session;
    unsigned number;
} pushed_t;

struct session {
    const options_t *options;
    const printer_t *printer;
    void (*over)(void *user, int code);
    void *user;
    phxc_socket_t *socket;
    uv_timer_t *timer; /* sleeps, and the end of waiting for an event */
    uv_timer_t *ending;
    waiting_t waiting;
    bool stops; /* the command that runs, when it fails */
    bool opened_once;
    bool no_more;
    bool freed;
    int code;
    unsigned push_number; /* of the push whose reply is waited for */
    queued_t *first;
    queued_t **last;
    topic_t *topics; /* the current one first */
    phx_buf_t expected;
    phx_buf_t seen; /* events since the last command but `expect` began, each with its NUL */
};

static void go_on(session_t *session);

/* ---- telling ---- */

static void say(const session_t *session, print_event_t event)
{
    print_event(session->printer, &event);
}

static phx_slice_t topic_name(const topic_t *topic)
{
    return phx_buf_slice(&topic->name);
}

static void complain(const char *text, phx_slice_t about)
{
    (void)fprintf(stderr, "phxspec-client: %.*s%s%s\n", (int)about.len, about.data != NULL ? about.data : "",
                  about.len > 0 ? ": " : "", text);
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
static void end_soon(session_t *session)
{
    if (session->waiting != FOR_NOTHING) {
        session->waiting = FOR_NOTHING;
        (void)uv_timer_start(session->ending, it_is_over, 0, 0);
    }
}

static void finish(session_t *session)
{
    if (session->waiting == FOR_THE_END || session->waiting == FOR_NOTHING) {
        return;
    }
    (void)uv_timer_stop(session->timer);
    session->waiting = FOR_THE_END;
    phxc_socket_disconnect(session->socket, 1000, (phx_slice_t){0});
    if (phxc_socket_state(session->socket) == PHXC_DISCONNECTED) {
        end_soon(session);
    }
}

/* What the session waited for is here. */
static void done(session_t *session, waiting_t waiting)
{
    if (session->waiting == waiting) {
        (void)uv_timer_stop(session->timer);
        session->waiting = FOR_COMMANDS;
        go_on(session);
    }
}

static void failed(session_t *session, waiting_t waiting)
{
    if (session->waiting == waiting) {
        session->code = session->code == EXIT_WELL ? EXIT_FAILED : session->code;
        if (session->stops) {
            finish(session);
        } else {
            done(session, waiting);
        }
    }
}

/* ---- the socket ---- */

static void on_connecting(void *user, phxc_carriage_t carriage, const char *url)
{
    (void)carriage;
    say(user, (print_event_t){.type = "connecting", .text = url});
}

static void on_opened(void *user, phxc_carriage_t carriage)
{
    session_t *session = user;
    session->opened_once = true;
    say(session,
        (print_event_t){.type = "open", .text = carriage == PHXC_WEBSOCKET ? "websocket" : "longpoll"});
    done(session, FOR_OPEN);
}

static void on_failed(void *user, const char *text, int http_status)
{
    say(user, (print_event_t){.type = "failed",
                              .text = text,
                              .has_number = http_status != 0,
                              .number_name = "http_status",
                              .number = http_status});
    if (!((session_t *)user)->opened_once) {
        complain(text, (phx_slice_t){0});
    }
}

static void on_closed(void *user, const phxc_end_t *end)
{
    session_t *session = user;
    say(session, (print_event_t){.type = "closed",
                                 .text = end->will_reconnect ? "for now" : "for good",
                                 .status = end->reason.len > 0 ? end->reason : (phx_slice_t){0},
                                 .has_number = true,
                                 .number_name = "code",
                                 .number = end->code});
    if (session->waiting == FOR_THE_END) {
        end_soon(session);
    } else if (session->waiting == FOR_CLOSE) {
        done(session, FOR_CLOSE);
    } else if (!end->will_reconnect || (!session->opened_once && !session->options->retry)) {
        if (!end->will_reconnect) {
            complain("the server closed the connection for good (1000)", (phx_slice_t){0});
        }
        session->code = EXIT_OFFLINE;
        finish(session);
    }
}

static void on_reconnecting(void *user, unsigned attempt, uint64_t delay_ms)
{
    const session_t *session = user;
    if (session->waiting != FOR_THE_END && session->waiting != FOR_NOTHING) {
        char text[60];
        (void)snprintf(text, sizeof text, "attempt %u in %llu ms", attempt, (unsigned long long)delay_ms);
        say(session, (print_event_t){.type = "reconnecting", .text = text});
    }
}

static void on_fell_back(void *user, const char *why)
{
    say(user, (print_event_t){.type = "longpoll", .text = why});
}

static void say_raw(const session_t *session, const char *type, const char *arrow, phx_form_t form,
                    phx_slice_t bytes)
{
    print_event_t event = {.type = type, .arrow = arrow};
    if (!session->printer->raw) {
        return;
    }
    if (form == PHX_BINARY) {
        event.has_bytes = true;
        event.bytes = bytes;
    } else {
        event.status = bytes; /* as text, whatever it is */
    }
    say(session, event);
}

static void on_received(void *user, phx_form_t form, phx_slice_t bytes, int error)
{
    say_raw(user, "received", "←", form, bytes);
    if (error != 0) {
        say(user, (print_event_t){.type = "unreadable", .text = phxc_strerror(error)});
    }
}

static void on_sent(void *user, phx_form_t form, phx_slice_t bytes)
{
    say_raw(user, "sent", "→", form, bytes);
}

static void on_heartbeat(void *user, phxc_beat_t beat, uint64_t elapsed_ms)
{
    (void)elapsed_ms;
    if (beat == PHXC_BEAT_TIMEOUT) {
        say(user, (print_event_t){.type = "heartbeat", .text = "no answer in time"});
    }
}

static const phxc_socket_callbacks_t SOCKET_CALLBACKS = {
    .connecting = on_connecting,
    .opened = on_opened,
    .failed = on_failed,
    .closed = on_closed,
    .reconnecting = on_reconnecting,
    .fell_back = on_fell_back,
    .heartbeat = on_heartbeat,
    .received = on_received,
    .sent = on_sent,
};

/* ---- channels ---- */

static bool is_current(const topic_t *topic)
{
    return topic->session->topics == topic;
}

static void on_joined(void *user, phxc_channel_t *channel, phx_payload_t response)
{
    (void)channel;
    topic_t *topic = user;
    print_event_t event = {.type = "joined", .arrow = "←", .topic = topic_name(topic)};
    print_set_payload(&event, response);
    say(topic->session, event);
    if (is_current(topic)) {
        done(topic->session, FOR_JOIN);
    }
}

static void on_refused(void *user, phxc_channel_t *channel, phx_slice_t status, phx_payload_t response)
{
    (void)channel;
    topic_t *topic = user;
    print_event_t event = {.type = "refused", .arrow = "←", .topic = topic_name(topic), .status = status};
    print_set_payload(&event, response);
    say(topic->session, event);
    if (is_current(topic)) {
        failed(topic->session, FOR_JOIN);
    }
}

static void on_join_timeout(void *user, phxc_channel_t *channel)
{
    (void)channel;
    topic_t *topic = user;
    say(topic->session, (print_event_t){.type = "join timeout", .topic = topic_name(topic)});
    if (is_current(topic)) {
        failed(topic->session, FOR_JOIN);
    }
}

static void on_errored(void *user, phxc_channel_t *channel, phxc_cause_t cause, phx_slice_t reason)
{
    (void)channel;
    const topic_t *topic = user;
    print_event_t event = {.type = "errored", .topic = topic_name(topic)};
    *(cause == PHXC_CAUSE_SERVER ? &event.payload : &event.status) = reason;
    if (topic->session->waiting == FOR_THE_END || topic->session->waiting == FOR_CLOSE) {
        return; /* as was asked for */
    }
    say(topic->session, event);
    if (is_current(topic)) {
        topic->session->push_number++; /* its reply will not come any more */
        failed(topic->session, FOR_REPLY);
    }
}

static void on_channel_closed(void *user, phxc_channel_t *channel, bool left)
{
    topic_t *topic = user;
    say(topic->session, (print_event_t){.type = left ? "left" : "ended",
                                        .arrow = left ? NULL : "←",
                                        .topic = topic_name(topic)});
    topic->channel = NULL;
    topic->presence = NULL;
    phxc_channel_free(channel);
    if (is_current(topic)) {
        failed(topic->session, FOR_JOIN);
    }
}

static void on_rejoining(void *user, phxc_channel_t *channel, unsigned attempt, uint64_t delay_ms)
{
    (void)channel;
    const topic_t *topic = user;
    char text[60];
    (void)snprintf(text, sizeof text, "attempt %u in %llu ms", attempt, (unsigned long long)delay_ms);
    say(topic->session, (print_event_t){.type = "rejoining", .topic = topic_name(topic), .text = text});
}

static void remember(session_t *session, phx_slice_t event)
{
    phx_buf_append_slice(&session->seen, event);
    phx_buf_append_byte(&session->seen, 0);
}

/* True if an event like the expected one was seen; it and what came before it is forgotten then. */
static bool take_seen(session_t *session, phx_slice_t expected)
{
    size_t at = 0;
    while (at < session->seen.len) {
        const phx_slice_t event = phx_slice_of(session->seen.data + at);
        at += event.len + 1;
        if (phx_slice_equal(event, expected)) {
            memmove(session->seen.data, session->seen.data + at, session->seen.len - at);
            session->seen.len -= at;
            return true;
        }
    }
    return false;
}

static void on_message(void *user, phxc_channel_t *channel, phx_slice_t event, phx_payload_t payload)
{
    (void)channel;
    topic_t *topic = user;
    print_event_t printed = {.type = "message", .arrow = "←", .topic = topic_name(topic), .event = event};
    print_set_payload(&printed, payload);
    say(topic->session, printed);
    if (!is_current(topic)) {
        return;
    }
    remember(topic->session, event);
    if (topic->session->waiting == FOR_EVENT &&
        take_seen(topic->session, phx_buf_slice(&topic->session->expected))) {
        done(topic->session, FOR_EVENT);
    }
}

static const phxc_channel_callbacks_t CHANNEL_CALLBACKS = {
    .joined = on_joined,
    .refused = on_refused,
    .join_timeout = on_join_timeout,
    .errored = on_errored,
    .closed = on_channel_closed,
    .rejoining = on_rejoining,
    .message = on_message,
};

static void on_came(void *user, phx_slice_t key, phx_slice_t current, phx_slice_t joined)
{
    (void)current;
    const topic_t *topic = user;
    say(topic->session,
        (print_event_t){.type = "came", .topic = topic_name(topic), .event = key, .payload = joined});
}

static void on_went(void *user, phx_slice_t key, phx_slice_t current, phx_slice_t left)
{
    (void)current;
    const topic_t *topic = user;
    say(topic->session,
        (print_event_t){.type = "went", .topic = topic_name(topic), .event = key, .payload = left});
}

static void on_synced(void *user)
{
    const topic_t *topic = user;
    phx_buf_t list = {0};
    phxc_presence_write(topic->presence, &list);
    say(topic->session,
        (print_event_t){.type = "present", .topic = topic_name(topic), .payload = phx_buf_slice(&list)});
    phx_buf_free(&list);
}

static const phxc_presence_callbacks_t PRESENCE_CALLBACKS = {on_came, on_went, on_synced};

/* ---- commands ---- */

static topic_t *find_topic(session_t *session, phx_slice_t name)
{
    for (topic_t **link = &session->topics; *link != NULL; link = &(*link)->next) {
        topic_t *topic = *link;
        if (phx_slice_equal(topic_name(topic), name)) {
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
    complain(text, about);
    session->waiting = FOR_EVER; /* for failed() to see what it was about */
    failed(session, FOR_EVER);
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
    say(session, event);
    if (topic == NULL) {
        refuse(session, phxc_strerror(PHX_ENOMEM), name);
        return;
    }
    phxc_channel_free(topic->channel);
    topic->presence = NULL;
    topic->channel = phxc_channel_new(session->socket, name, payload_of(command), &CHANNEL_CALLBACKS, topic);
    session->waiting = FOR_JOIN;
    const int error = topic->channel != NULL ? phxc_channel_join(topic->channel, 0) : PHX_ENOMEM;
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
        event.topic = topic_name(session->topics);
    }
    if (outcome == PHXC_REPLIED) {
        print_set_payload(&event, response);
    } else {
        event.text = outcome == PHXC_TIMEOUT ? "in time" : "the channel has ended";
    }
    say(session, event);
    if (outcome == PHXC_REPLIED && phx_slice_equals(status, "ok")) {
        done(session, FOR_REPLY);
    } else {
        failed(session, FOR_REPLY);
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
                           .topic = topic_name(topic),
                           .event = phx_buf_slice(&command->name)};
    print_set_payload(&event, payload_of(command));
    say(session, event);
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
        complain("no such event came in time", phx_buf_slice(&session->expected));
        failed(session, FOR_EVENT);
    }
    done(session, FOR_TIME);
}

static void on_ping(void *user, uint64_t elapsed_ms)
{
    session_t *session = user;
    say(session, (print_event_t){.type = "ping",
                                 .has_number = true,
                                 .number_name = "round_trip_ms",
                                 .number = (long long)elapsed_ms});
    done(session, FOR_PING);
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
        if (topic->presence == NULL) {
            topic->presence = phxc_presence_new(topic->channel, NULL, NULL, &PRESENCE_CALLBACKS, topic);
        }
        break;
    case COMMAND_LEAVE:
        phxc_channel_leave(topic->channel);
        break;
    case COMMAND_EXPECT:
        phx_buf_clear(&session->expected);
        phx_buf_append_slice(&session->expected, phx_buf_slice(&command->name));
        if (!take_seen(session, phx_buf_slice(&session->expected))) {
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
        finish(session);
    }
}

void session_add(session_t *session, const command_t *command, bool stops)
{
    queued_t *queued = calloc(1, sizeof *queued);
    if (queued == NULL) {
        complain(phxc_strerror(PHX_ENOMEM), (phx_slice_t){0});
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
        end_soon(session);
    }
    finish(session);
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
        phxc_socket_new(loop, &options->config, &SOCKET_CALLBACKS, session, error, sizeof error);
    if (session->timer == NULL || session->ending == NULL || session->socket == NULL) {
        complain(error[0] != '\0' ? error : phxc_strerror(PHX_ENOMEM), (phx_slice_t){0});
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
