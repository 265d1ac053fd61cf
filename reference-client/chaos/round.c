/* SPDX-License-Identifier: MIT */
#include "round.h"

#include "phxspec/client.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    TOPICS = 2,
    CLIENTS = 2,
    ACTIONS = 45,
    MOST_PUSHES = ACTIONS + 40,
    MOST_NEWS = 1000,
    STEP_MS = 40,       /* at most, from one action to the next */
    PUSH_MS = 6000,     /* more than any delay and stall; only what is lost takes so long */
    CALM_MS = 30000,    /* for everything to be well again */
    LAST_EVERY_MS = 200 /* a client may learn late that its session is gone */
};

typedef enum phase {
    STORMY,
    CLEARING, /* until all channels are joined and all pushes have ended */
    CLEAR,    /* until the last echoes are answered and the last broadcasts are here */
    ENDING,
    OVER,
} phase_t;

typedef struct client client_t;

typedef struct push {
    client_t *client;
    unsigned number;
    unsigned topic;
    unsigned outcomes;
    bool was_joined; /* when it was made; else it waits for a join, whose time is not known */
    unsigned troubles;
} push_t;

struct client {
    round_t *round;
    const char *name;
    phxc_socket_t *socket;
    phxc_channel_t *channels[TOPICS];
    unsigned troubles; /* whatever may have cost a message or an answer */
    bool last_here[TOPICS];
    unsigned char news[TOPICS][MOST_NEWS]; /* how often each broadcast came */
    bool disconnected;
};

struct round {
    uv_loop_t *loop;
    uint64_t seed;
    unsigned number;
    dice_t dice;
    weather_t *weather;
    uv_timer_t clock;
    phase_t phase;
    client_t clients[CLIENTS]; /* the first one speaks */
    char topics[TOPICS][64];
    push_t pushes[MOST_PUSHES];
    unsigned push_count;
    unsigned news_count;
    unsigned actions;
    bool last_replied[TOPICS];
    uint64_t began_ms;
    uint64_t phase_ms;
    uint64_t last_sent_ms;
    round_counts_t counts;
    phx_buf_t log;
    char wrong[200];
    void (*over)(void *user, round_t *round);
    void *user;
};

/* ---- telling ---- */

__attribute__((format(printf, 2, 3))) static void note(round_t *round, const char *format, ...)
{
    char text[300];
    va_list arguments;
    const int len = snprintf(text, sizeof text, "%6" PRIu64 " ms  ", uv_now(round->loop) - round->began_ms);
    va_start(arguments, format);
    (void)vsnprintf(text + len, sizeof text - (size_t)len - 1, format, arguments);
    va_end(arguments);
    phx_buf_append_text(&round->log, text);
    phx_buf_append_text(&round->log, "\n");
}

#define WRONG(round, ...)                                                                                    \
    do {                                                                                                     \
        if ((round)->wrong[0] == '\0') {                                                                     \
            (void)snprintf((round)->wrong, sizeof(round)->wrong, __VA_ARGS__);                               \
            note(round, "WRONG: %s", (round)->wrong);                                                        \
        }                                                                                                    \
    } while (0)

static unsigned topic_of(const client_t *client, const phxc_channel_t *channel)
{
    return channel == client->channels[1];
}

static void trouble(client_t *client, const char *what)
{
    client->troubles++;
    note(client->round, "%s: %s", client->name, what);
}

/* ---- what the clients tell ---- */

static void on_opened(void *user, phxc_carriage_t carriage)
{
    trouble(user, carriage == PHXC_WEBSOCKET ? "open, WebSocket" : "open, long-poll");
}

static void on_failed(void *user, const char *text, int http_status)
{
    (void)http_status;
    trouble(user, text);
}

static void on_closed(void *user, const phxc_end_t *end)
{
    client_t *client = user;
    char text[80];
    (void)snprintf(text, sizeof text, "closed with %d%s", end->code, end->will_reconnect ? "" : ", for good");
    client->round->counts.outages++;
    client->disconnected = !end->will_reconnect;
    trouble(client, text);
}

static void on_joined(void *user, phxc_channel_t *channel, phx_payload_t response)
{
    (void)response;
    trouble(user, topic_of(user, channel) == 0 ? "joined 0" : "joined 1");
}

static void on_errored(void *user, phxc_channel_t *channel, phxc_cause_t cause, phx_slice_t reason)
{
    (void)cause;
    (void)reason;
    trouble(user, topic_of(user, channel) == 0 ? "errored 0" : "errored 1");
}

static void on_join_timeout(void *user, phxc_channel_t *channel)
{
    trouble(user, topic_of(user, channel) == 0 ? "join timeout 0" : "join timeout 1");
}

static void on_refused(void *user, phxc_channel_t *channel, phx_slice_t status, phx_payload_t response)
{
    client_t *client = user;
    (void)status;
    WRONG(client->round, "%s: a join of topic %u was refused with %.*s", client->name,
          topic_of(client, channel), (int)response.data.len, response.data.data);
}

static void on_channel_closed(void *user, phxc_channel_t *channel, bool left)
{
    client_t *client = user;
    trouble(client, "channel closed");
    if (!left) {
        WRONG(client->round, "%s: the server closed the channel of topic %u", client->name,
              topic_of(client, channel));
    }
}

static bool has_text(phx_slice_t where, const char *text)
{
    const size_t len = strlen(text);
    for (size_t i = 0; i + len <= where.len; i++) {
        if (memcmp(where.data + i, text, len) == 0) {
            return true;
        }
    }
    return false;
}

static bool number_in(phx_payload_t payload, unsigned *number)
{
    char text[32];
    if (payload.form != PHX_TEXT || payload.data.len >= sizeof text) {
        return false;
    }
    memcpy(text, payload.data.data, payload.data.len);
    text[payload.data.len] = '\0';
    return sscanf(text, "{\"n\":%u}", number) == 1;
}

/* MSG-12: a message comes once or not at all. */
static void on_message(void *user, phxc_channel_t *channel, phx_slice_t event, phx_payload_t payload)
{
    client_t *client = user;
    round_t *round = client->round;
    const unsigned topic = topic_of(client, channel);
    unsigned number = 0;
    if (phx_slice_equals(event, "last")) {
        client->last_here[topic] = true;
    } else if (!phx_slice_equals(event, "news") || !number_in(payload, &number) || number >= MOST_NEWS) {
        WRONG(round, "%s: a message that nobody sent: %.*s", client->name, (int)event.len, event.data);
    } else {
        round->counts.received++;
        if (++client->news[topic][number] > 1) {
            WRONG(round, "%s: broadcast %u of topic %u came twice", client->name, number, topic);
        }
    }
}

/* PUSH-17, PUSH-18: an outcome each, the right one, and no answer is lost without trouble. */
static void on_reply(void *user, phxc_outcome_t outcome, phx_slice_t status, phx_payload_t response)
{
    push_t *push = user;
    client_t *client = push->client;
    round_t *round = client->round;
    unsigned number = 0;
    note(round, "push %u: %s", push->number,
         outcome == PHXC_REPLIED   ? "replied"
         : outcome == PHXC_TIMEOUT ? "timeout"
                                   : "cancelled");
    if (++push->outcomes > 1) {
        WRONG(round, "push %u ended twice", push->number);
    }
    switch (outcome) {
    case PHXC_REPLIED:
        round->counts.replied++;
        if (phx_slice_equals(status, "ok") && number_in(response, &number) && number == push->number) {
            round->last_replied[push->topic] = round->phase == CLEAR;
        } else if (push->troubles != client->troubles && has_text(response.data, "unmatched topic")) {
            round->counts.unmatched++; /* the server's channel had failed, or was joined anew */
        } else {
            WRONG(round, "push %u got the answer %.*s %.*s", push->number, (int)status.len, status.data,
                  (int)response.data.len, response.data.data);
        }
        break;
    case PHXC_TIMEOUT:
        round->counts.timed_out++;
        if (push->was_joined && push->troubles == client->troubles) {
            WRONG(round, "push %u was not answered though nothing had happened", push->number);
        }
        break;
    case PHXC_CANCELLED:
        round->counts.cancelled++;
        break;
    }
}

static const phxc_socket_callbacks_t SOCKET_CALLBACKS = {
    .opened = on_opened, .failed = on_failed, .closed = on_closed};
static const phxc_channel_callbacks_t CHANNEL_CALLBACKS = {
    .joined = on_joined,
    .refused = on_refused,
    .join_timeout = on_join_timeout,
    .errored = on_errored,
    .closed = on_channel_closed,
    .message = on_message,
};

/* ---- what they do ---- */

static void push_echo(round_t *round, unsigned topic)
{
    client_t *client = &round->clients[0];
    const unsigned number = round->push_count++;
    push_t *push = &round->pushes[number];
    char payload[32];
    const int len = snprintf(payload, sizeof payload, "{\"n\":%u}", number);
    *push = (push_t){.client = client,
                     .number = number,
                     .topic = topic,
                     .was_joined = phxc_channel_state(client->channels[topic]) == PHXC_CHANNEL_JOINED,
                     .troubles = client->troubles};
    note(round, "push %u on %u", number, topic);
    round->counts.pushes++;
    const int error =
        phxc_channel_push(client->channels[topic], PHX_SLICE("echo"),
                          (phx_payload_t){PHX_TEXT, {payload, (size_t)len}}, PUSH_MS, on_reply, push);
    if (error != 0) {
        WRONG(round, "push %u: %s", number, phxc_strerror(error));
    }
}

static void broadcast(round_t *round, unsigned topic, const char *event, unsigned number)
{
    char payload[80];
    const int len =
        snprintf(payload, sizeof payload, "{\"event\":\"%s\",\"payload\":{\"n\":%u}}", event, number);
    (void)phxc_channel_push(round->clients[0].channels[topic], PHX_SLICE("broadcast"),
                            (phx_payload_t){PHX_TEXT, {payload, (size_t)len}}, PUSH_MS, NULL, NULL);
}

static bool open_channel(client_t *client, unsigned topic)
{
    client->channels[topic] = phxc_channel_new(client->socket, phx_slice_of(client->round->topics[topic]),
                                               PHX_JSON_PAYLOAD("{}"), &CHANNEL_CALLBACKS, client);
    return client->channels[topic] != NULL && phxc_channel_join(client->channels[topic], 0) == 0;
}

static void leave_and_join(client_t *client, unsigned topic)
{
    note(client->round, "%s: leaves %u and joins again", client->name, topic);
    phxc_channel_leave(client->channels[topic]);
    phxc_channel_free(client->channels[topic]);
    if (!open_channel(client, topic)) {
        WRONG(client->round, "%s: no channel", client->name);
    }
}

static void act(round_t *round)
{
    const unsigned what = dice_roll(&round->dice, 100);
    const unsigned topic = dice_roll(&round->dice, TOPICS);
    client_t *client = &round->clients[dice_roll(&round->dice, CLIENTS)];
    round->actions++;
    if (what < 62) {
        push_echo(round, topic);
    } else if (what < 86) {
        broadcast(round, topic, "news", round->news_count++);
    } else if (what < 89) {
        note(round, "the channel of topic %u fails", topic);
        (void)phxc_channel_push(round->clients[0].channels[topic], PHX_SLICE("raise"), PHX_JSON_PAYLOAD("{}"),
                                PUSH_MS, NULL, NULL);
    } else if (what < 93) {
        leave_and_join(client, topic);
    } else if (what < 97) {
        note(round, "%s: disconnects and connects", client->name);
        client->troubles++;
        phxc_socket_disconnect(client->socket, 0, (phx_slice_t){0});
        phxc_socket_connect(client->socket);
    } else {
        note(round, "%s: changes its transport", client->name);
        client->troubles++;
        phxc_socket_replace_carriage(client->socket, phxc_socket_carriage(client->socket) == PHXC_WEBSOCKET
                                                         ? PHXC_LONGPOLL
                                                         : PHXC_WEBSOCKET);
    }
}

/* ---- phases ---- */

static void enter(round_t *round, phase_t phase, const char *name)
{
    round->phase = phase;
    round->phase_ms = uv_now(round->loop);
    note(round, "-- %s", name);
}

static bool is_well(const client_t *client)
{
    bool well = phxc_socket_state(client->socket) == PHXC_OPEN;
    for (unsigned topic = 0; topic < TOPICS; topic++) {
        well = well && phxc_channel_state(client->channels[topic]) == PHXC_CHANNEL_JOINED;
    }
    return well;
}

static bool all_ended(const round_t *round)
{
    for (unsigned i = 0; i < round->push_count; i++) {
        if (round->pushes[i].outcomes == 0) {
            return false;
        }
    }
    return true;
}

static bool all_here(const round_t *round)
{
    for (unsigned topic = 0; topic < TOPICS; topic++) {
        if (!round->clients[0].last_here[topic] || !round->clients[1].last_here[topic]) {
            return false;
        }
    }
    return round->last_replied[0] && round->last_replied[1];
}

/* A failure that was on its way, or a session that ended unnoticed, may cost one more. */
static void try_last(round_t *round)
{
    const bool free_to_push = all_ended(round);
    for (unsigned topic = 0; topic < TOPICS; topic++) {
        broadcast(round, topic, "last", 0);
        if (free_to_push && !round->last_replied[topic] && round->push_count < MOST_PUSHES) {
            push_echo(round, topic);
        }
    }
}

static void say_stuck(round_t *round)
{
    unsigned waiting = 0;
    for (unsigned i = 0; i < round->push_count; i++) {
        waiting += round->pushes[i].outcomes == 0;
    }
    const client_t *a = &round->clients[0];
    const client_t *b = &round->clients[1];
    WRONG(round,
          "not well %d s after that: sockets %d %d, channels %d %d and %d %d, %u pushes without an end, last "
          "answers %d %d, last broadcasts %d %d and %d %d",
          CALM_MS / 1000, phxc_socket_state(a->socket), phxc_socket_state(b->socket),
          phxc_channel_state(a->channels[0]), phxc_channel_state(a->channels[1]),
          phxc_channel_state(b->channels[0]), phxc_channel_state(b->channels[1]), waiting,
          round->last_replied[0], round->last_replied[1], a->last_here[0], a->last_here[1], b->last_here[0],
          b->last_here[1]);
}

static void finish(round_t *round)
{
    enter(round, OVER, "over");
    round->counts.weather = weather_tell(round->weather);
    (void)uv_timer_stop(&round->clock);
    round->over(round->user, round);
}

static void on_clock(uv_timer_t *timer)
{
    round_t *round = timer->data;
    const uint64_t now = uv_now(timer->loop);
    uint64_t next_ms = 20;
    if (round->phase != STORMY && now - round->phase_ms > CALM_MS && round->wrong[0] == '\0') {
        say_stuck(round);
    }
    if (round->wrong[0] != '\0') {
        finish(round);
        return;
    }
    switch (round->phase) {
    case STORMY:
        act(round);
        next_ms = dice_roll(&round->dice, STEP_MS);
        if (round->actions == ACTIONS) {
            weather_clear(round->weather);
            enter(round, CLEARING, "the sky clears");
        }
        break;
    case CLEARING:
        if (is_well(&round->clients[0]) && is_well(&round->clients[1]) && all_ended(round)) {
            enter(round, CLEAR, "clear");
        }
        break;
    case CLEAR:
        if (all_here(round)) {
            enter(round, ENDING, "the end");
            for (unsigned i = 0; i < CLIENTS; i++) {
                phxc_channel_leave(round->clients[i].channels[0]);
                phxc_socket_disconnect(round->clients[i].socket, 1000, (phx_slice_t){0});
            }
        } else if (now - round->last_sent_ms > LAST_EVERY_MS) {
            round->last_sent_ms = now;
            try_last(round);
        }
        break;
    case ENDING:
        if (phxc_socket_state(round->clients[0].socket) == PHXC_DISCONNECTED &&
            phxc_socket_state(round->clients[1].socket) == PHXC_DISCONNECTED) {
            finish(round);
            return;
        }
        break;
    case OVER:
        return;
    }
    uv_timer_start(timer, on_clock, next_ms, 0);
}

/* ---- as a whole ---- */

static bool start_client(round_t *round, unsigned index, phxc_carriage_t carriage, phx_vsn_t vsn)
{
    static const uint64_t reconnect_ms[] = {10, 30, 100, 200};
    static const uint64_t rejoin_ms[] = {20, 50, 100};
    static const char *const names[] = {"speaker", "listener"};
    client_t *client = &round->clients[index];
    char endpoint[64];
    char error[200];
    phxc_config_t config;
    (void)snprintf(endpoint, sizeof endpoint, "ws://127.0.0.1:%d/socket", weather_port(round->weather));
    phxc_config_defaults(&config);
    config.endpoint = endpoint;
    config.carriage = carriage;
    config.vsn = vsn;
    config.timeout_ms = PUSH_MS;
    config.heartbeat_ms = 700;
    config.connect_timeout_ms = 3000;
    config.longpoll_timeout_ms = 3000;
    config.reconnect_after = (phxc_delays_t){reconnect_ms, sizeof reconnect_ms / sizeof reconnect_ms[0]};
    config.rejoin_after = (phxc_delays_t){rejoin_ms, sizeof rejoin_ms / sizeof rejoin_ms[0]};
    client->round = round;
    client->name = names[index];
    client->socket = phxc_socket_new(round->loop, &config, &SOCKET_CALLBACKS, client, error, sizeof error);
    if (client->socket == NULL || !open_channel(client, 0) || !open_channel(client, 1)) {
        return false;
    }
    phxc_socket_connect(client->socket);
    return true;
}

round_t *round_start(uv_loop_t *loop, int server, uint64_t seed, unsigned number,
                     void (*over)(void *user, round_t *round), void *user)
{
    round_t *round = calloc(1, sizeof *round);
    if (round == NULL) {
        return NULL;
    }
    round->loop = loop;
    round->seed = seed;
    round->number = number;
    round->over = over;
    round->user = user;
    round->dice = dice_of(seed, number);
    round->began_ms = uv_now(loop);
    round->clock.data = round;
    (void)uv_timer_init(loop, &round->clock);
    const phxc_carriage_t carriage = number % 2 == 0 ? PHXC_WEBSOCKET : PHXC_LONGPOLL;
    const phx_vsn_t vsn = number / 2 % 2 == 0 ? PHX_V2 : PHX_V1;
    for (unsigned topic = 0; topic < TOPICS; topic++) {
        (void)snprintf(round->topics[topic], sizeof round->topics[topic], "phxspec:chaos-%" PRIx64 "-%u-%u",
                       seed, number, topic);
    }
    /* A long-poll session is many connections, and a WebSocket one. */
    round->weather = weather_new(loop, server, dice_of(seed, ~(uint64_t)number).state,
                                 carriage == PHXC_WEBSOCKET ? 60 : 12);
    if (round->weather == NULL || !start_client(round, 0, carriage, vsn) ||
        !start_client(round, 1, number / 4 % 2 == 0 ? carriage : PHXC_WEBSOCKET, vsn)) {
        round_free(round);
        return NULL;
    }
    enter(round, STORMY, "stormy");
    uv_timer_start(&round->clock, on_clock, 0, 0);
    return round;
}

#ifdef PHXC_FAULTS
void round_break(round_t *round, phxc_fault_t fault)
{
    phxc_fault_set(round->clients[0].socket, fault);
    phxc_fault_set(round->clients[1].socket, fault);
}
#endif

unsigned round_number(const round_t *round)
{
    return round->number;
}

const char *round_wrong(const round_t *round)
{
    return round->wrong[0] != '\0' ? round->wrong : NULL;
}

void round_tell(const round_t *round, FILE *to)
{
    (void)fwrite(round->log.data, 1, round->log.len, to);
}

round_counts_t round_counts(const round_t *round)
{
    return round->counts;
}

static void on_clock_closed(uv_handle_t *handle)
{
    round_t *round = handle->data;
    phx_buf_free(&round->log);
    free(round);
}

void round_free(round_t *round)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        phxc_socket_free(round->clients[i].socket); /* its pushes are told of, once more */
    }
    if (round->weather != NULL) {
        weather_free(round->weather);
    }
    uv_close((uv_handle_t *)&round->clock, on_clock_closed);
}
