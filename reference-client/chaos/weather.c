/* SPDX-License-Identifier: MIT */
#include "weather.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { STALL_MS = 1500, HANDLES = 4 };

/* Bytes on their way, or the end of them (`len` 0). */
typedef struct piece {
    struct piece *next;
    uint64_t due_ms;
    size_t len;
    char bytes[];
} piece_t;

typedef struct link link_t;

/* One direction: what comes from `from` goes to the other end. */
typedef struct flow {
    link_t *link;
    uv_tcp_t from;
    piece_t *first;
    piece_t **last;
    uint64_t last_due_ms;
    bool ended;
} flow_t;

struct link {
    link_t *prev;
    link_t *next;
    weather_t *weather;
    dice_t dice;
    flow_t flows[2]; /* from the client, from the server */
    uv_timer_t clock;
    uv_timer_t storm; /* until it is cut, or stalls */
    uv_connect_t connect;
    unsigned most_delay_ms;
    bool will_stall;
    bool stalled;
    bool connected;
    bool closing;
    unsigned open_handles;
};

struct weather {
    uv_tcp_t listener;
    uint64_t seed;
    int upstream;
    int port;
    unsigned percent; /* of connections that come to harm */
    link_t *links;
    weather_report_t report;
    bool clear;
    bool freed;
};

/* ---- dice ---- */

static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94D049BB133111EB);
    return value ^ (value >> 31);
}

dice_t dice_of(uint64_t seed, uint64_t number)
{
    return (dice_t){mix(seed) ^ mix(number + UINT64_C(0x9E3779B97F4A7C15))};
}

unsigned dice_roll(dice_t *dice, unsigned sides)
{
    dice->state += UINT64_C(0x9E3779B97F4A7C15);
    return (unsigned)(mix(dice->state) % sides);
}

/* ---- links ---- */

static void free_when_idle(weather_t *weather)
{
    if (weather->freed && weather->links == NULL && weather->port < 0) {
        free(weather);
    }
}

static void drop_pieces(flow_t *flow)
{
    while (flow->first != NULL) {
        piece_t *piece = flow->first;
        flow->first = piece->next;
        free(piece);
    }
    flow->last = &flow->first;
}

static void on_link_closed(uv_handle_t *handle)
{
    link_t *link = handle->data;
    if (--link->open_handles > 0) {
        return;
    }
    weather_t *weather = link->weather;
    *(link->prev != NULL ? &link->prev->next : &weather->links) = link->next;
    if (link->next != NULL) {
        link->next->prev = link->prev;
    }
    drop_pieces(&link->flows[0]);
    drop_pieces(&link->flows[1]);
    free(link);
    free_when_idle(weather);
}

static void close_link(link_t *link, bool reset)
{
    if (link->closing) {
        return;
    }
    link->closing = true;
    uv_close((uv_handle_t *)&link->clock, on_link_closed);
    uv_close((uv_handle_t *)&link->storm, on_link_closed);
    for (int i = 0; i < 2; i++) {
        uv_tcp_t *end = &link->flows[i].from;
        if (!reset || uv_tcp_close_reset(end, on_link_closed) != 0) {
            uv_close((uv_handle_t *)end, on_link_closed);
        }
    }
}

typedef struct writing {
    uv_write_t request;
    piece_t *piece;
} writing_t;

static void on_written(uv_write_t *request, int status)
{
    (void)status; /* an end that is gone shows when it is read */
    writing_t *writing = (writing_t *)request;
    free(writing->piece);
    free(writing);
}

static void on_shut_down(uv_shutdown_t *request, int status)
{
    (void)status;
    free(request);
}

static void set_clock(link_t *link);

static void deliver(flow_t *flow)
{
    link_t *link = flow->link;
    uv_stream_t *to = (uv_stream_t *)&link->flows[flow == &link->flows[0]].from;
    piece_t *piece = flow->first;
    flow->first = piece->next;
    if (flow->first == NULL) {
        flow->last = &flow->first;
    }
    if (piece->len == 0) {
        flow->ended = true;
        uv_shutdown_t *request = malloc(sizeof *request);
        if (request == NULL || uv_shutdown(request, to, on_shut_down) != 0) {
            free(request);
        }
        free(piece);
        return;
    }
    writing_t *writing = malloc(sizeof *writing);
    if (writing == NULL) {
        abort();
    }
    writing->piece = piece;
    const uv_buf_t bytes = uv_buf_init(piece->bytes, (unsigned)piece->len);
    if (uv_write(&writing->request, to, &bytes, 1, on_written) != 0) {
        free(piece);
        free(writing);
    }
}

static void on_clock(uv_timer_t *timer)
{
    link_t *link = timer->data;
    const uint64_t now = uv_now(timer->loop);
    for (int i = 0; i < 2; i++) {
        while (link->flows[i].first != NULL && link->flows[i].first->due_ms <= now) {
            deliver(&link->flows[i]);
        }
    }
    if (link->flows[0].ended && link->flows[1].ended) {
        close_link(link, false);
        return;
    }
    set_clock(link);
}

static void set_clock(link_t *link)
{
    const uint64_t now = uv_now(link->clock.loop);
    uint64_t due = UINT64_MAX;
    for (int i = 0; i < 2; i++) {
        const piece_t *piece = link->flows[i].first;
        due = piece != NULL && piece->due_ms < due ? piece->due_ms : due;
    }
    if (due != UINT64_MAX && link->connected && !link->stalled && !link->closing) {
        uv_timer_start(&link->clock, on_clock, due > now ? due - now : 0, 0);
    }
}

static void add_piece(flow_t *flow, const char *bytes, size_t len)
{
    link_t *link = flow->link;
    piece_t *piece = malloc(sizeof *piece + len);
    if (piece == NULL) {
        abort();
    }
    const unsigned most = link->weather->clear ? 0 : link->most_delay_ms;
    uint64_t due = uv_now(link->clock.loop) + dice_roll(&link->dice, most + 1);
    due = due > flow->last_due_ms ? due : flow->last_due_ms;
    *piece = (piece_t){.due_ms = due, .len = len};
    if (len > 0) {
        memcpy(piece->bytes, bytes, len);
    }
    flow->last_due_ms = due;
    *flow->last = piece;
    flow->last = &piece->next;
}

static void give_room(uv_handle_t *handle, size_t wanted, uv_buf_t *room)
{
    (void)handle;
    (void)wanted;
    enum { SIZE = 16384 };
    room->base = malloc(SIZE);
    room->len = room->base != NULL ? SIZE : 0;
}

static void on_read(uv_stream_t *from, ssize_t count, const uv_buf_t *room)
{
    link_t *link = from->data;
    flow_t *flow = &link->flows[from != (uv_stream_t *)&link->flows[0].from];
    if (count > 0) {
        const size_t len = (size_t)count;
        const size_t first = dice_roll(&link->dice, 4) == 0 ? 1 + dice_roll(&link->dice, (unsigned)len) : len;
        add_piece(flow, room->base, first);
        if (first < len) {
            add_piece(flow, room->base + first, len - first);
        }
        set_clock(link);
    } else if (count == UV_EOF) {
        (void)uv_read_stop(from);
        add_piece(flow, NULL, 0);
        set_clock(link);
    } else if (count < 0) {
        close_link(link, true);
    }
    free(room->base);
}

/* ---- the weather of a link ---- */

static void on_storm(uv_timer_t *timer)
{
    link_t *link = timer->data;
    weather_t *weather = link->weather;
    if (link->will_stall && !link->stalled) {
        link->stalled = true;
        weather->report.stalled++;
        uv_timer_start(timer, on_storm, STALL_MS, 0);
        return;
    }
    weather->report.cut += !link->stalled;
    close_link(link, dice_roll(&link->dice, 2) == 0);
}

/* False: it is refused. */
static bool plan(link_t *link)
{
    static const unsigned delays_ms[] = {0, 0, 3, 20, 80, 150};
    link->most_delay_ms = delays_ms[dice_roll(&link->dice, sizeof delays_ms / sizeof delays_ms[0])];
    const bool harmed = dice_roll(&link->dice, 100) < link->weather->percent;
    const unsigned fate = dice_roll(&link->dice, 8);
    const unsigned when_ms = dice_roll(&link->dice, fate % 2 == 0 ? 60 : 900);
    if (!harmed || link->weather->clear) {
        return true;
    }
    link->will_stall = fate == 1;
    uv_timer_start(&link->storm, on_storm, when_ms, 0);
    return fate != 0;
}

static void on_connected(uv_connect_t *connect, int status)
{
    link_t *link = connect->data;
    if (link->closing) {
        return;
    }
    if (status != 0) {
        close_link(link, true);
        return;
    }
    link->connected = true;
    (void)uv_read_start((uv_stream_t *)&link->flows[1].from, give_room, on_read);
    set_clock(link);
}

static void on_connection(uv_stream_t *listener, int status)
{
    weather_t *weather = listener->data;
    link_t *link = status == 0 ? calloc(1, sizeof *link) : NULL;
    if (link == NULL) {
        return;
    }
    link->weather = weather;
    link->dice = dice_of(weather->seed, weather->report.connections++);
    link->next = weather->links;
    if (link->next != NULL) {
        link->next->prev = link;
    }
    weather->links = link;
    uv_timer_init(listener->loop, &link->clock);
    uv_timer_init(listener->loop, &link->storm);
    link->clock.data = link->storm.data = link->connect.data = link;
    for (int i = 0; i < 2; i++) {
        flow_t *flow = &link->flows[i];
        flow->link = link;
        flow->last = &flow->first;
        uv_tcp_init(listener->loop, &flow->from);
        flow->from.data = link;
    }
    link->open_handles = HANDLES;
    struct sockaddr_in address;
    uv_ip4_addr("127.0.0.1", weather->upstream, &address);
    if (uv_accept(listener, (uv_stream_t *)&link->flows[0].from) != 0) {
        close_link(link, false);
        return;
    }
    if (!plan(link)) {
        weather->report.refused++;
        close_link(link, true);
    } else if (uv_tcp_connect(&link->connect, &link->flows[1].from, (struct sockaddr *)&address,
                              on_connected) != 0) {
        close_link(link, true);
    } else {
        (void)uv_read_start((uv_stream_t *)&link->flows[0].from, give_room, on_read);
    }
}

/* ---- as a whole ---- */

weather_t *weather_new(uv_loop_t *loop, int upstream, uint64_t seed, unsigned percent)
{
    struct sockaddr_in address;
    int len = sizeof address;
    weather_t *weather = calloc(1, sizeof *weather);
    if (weather == NULL) {
        return NULL;
    }
    weather->seed = seed;
    weather->percent = percent;
    weather->upstream = upstream;
    weather->listener.data = weather;
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_init(loop, &weather->listener);
    if (uv_tcp_bind(&weather->listener, (struct sockaddr *)&address, 0) != 0 ||
        uv_listen((uv_stream_t *)&weather->listener, 128, on_connection) != 0 ||
        uv_tcp_getsockname(&weather->listener, (struct sockaddr *)&address, &len) != 0) {
        weather_free(weather);
        return NULL;
    }
    weather->port = ntohs(address.sin_port);
    return weather;
}

int weather_port(const weather_t *weather)
{
    return weather->port;
}

void weather_clear(weather_t *weather)
{
    weather->clear = true;
    for (link_t *link = weather->links; link != NULL; link = link->next) {
        if (link->stalled) {
            close_link(link, true);
        } else if (!link->closing) {
            (void)uv_timer_stop(&link->storm);
        }
    }
}

weather_report_t weather_tell(const weather_t *weather)
{
    return weather->report;
}

static void on_listener_closed(uv_handle_t *handle)
{
    weather_t *weather = handle->data;
    weather->port = -1;
    free_when_idle(weather);
}

void weather_free(weather_t *weather)
{
    weather->freed = true;
    for (link_t *link = weather->links; link != NULL; link = link->next) {
        close_link(link, true);
    }
    uv_close((uv_handle_t *)&weather->listener, on_listener_closed);
}
