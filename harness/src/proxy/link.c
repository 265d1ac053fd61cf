/* SPDX-License-Identifier: MIT */
#include "proxy/link.h"

#include "base/memory.h"
#include "net/deadline.h"
#include "net/ws_codec.h"
#include "proxy/act.h"
#include "proxy/exchange.h"
#include "proxy/split.h"

#include <stdlib.h>
#include <string.h>

/* A piece that does not become whole for so long passes as it is: half a frame, or a request that dawdles, is
 * what some tests are about. */
static const double PATIENCE_MS = 50;
/* When one side fails, the other one still gets what was said before: an RST of ours would take that from it.
 */
static const double LINGER_MS = 300;
enum {
    MESSAGE_MAX =
        REQUEST_BODY_MAX,  /* what is longer passes as it is: a body of an answer, a fragmented message */
    BACKLOG_MAX = 1 << 20, /* that one side has not taken: so long nothing is read of the other */
};

typedef enum mode { MODE_HTTP, MODE_WEBSOCKET, MODE_RAW } way_mode_t;

/* What one side sends. */
typedef struct way {
    link_t *link;
    direction_t from;
    stream_t *in; /* owned; the way's sender */
    way_mode_t mode;
    text_t buffer;       /* received, not passed on */
    size_t skip;         /* of the next bytes belong to a frame that passes as it is */
    text_t message, raw; /* the fragments of a message so far: payload, and the bytes they came in */
    uint8_t opcode, rsv; /* of its first frame */
    piece_t held;        /* waits for the next message (swap, merge) */
    bool holds, merges;
    bool finished;  /* the sender has sent FIN */
    bool passed_on; /* and the receiver was told */
    bool paused;    /* until the receiver has taken what there is */
    deadline_t *patience;
    size_t delayed; /* pieces that are on their way */
} way_t;

/* Bytes that go out later. */
typedef struct later {
    way_t *way;
    text_t bytes;
    deadline_t *deadline;
    struct later *next;
} later_t;

struct link {
    link_setup_t *setup;
    way_t client, server;
    char id[32];
    vsn_t vsn;
    passage_t *passages; /* requests without an answer yet, oldest first */
    size_t passage_count, passage_cap;
    http_parser_t *parser; /* of the answer to the oldest */
    text_t answer;         /* its bytes as they came */
    later_t *later;
    bool muted; /* a fault has closed the conversation: the client's last words are waited for */
    bool over;
    deadline_t *farewell;
};

static way_t *other(way_t *way)
{
    return way == &way->link->client ? &way->link->server : &way->link->client;
}

/* ---- the end ---- */

static void say_gone(void *ctx)
{
    link_t *link = ctx;
    link->farewell = NULL;
    link->setup->gone(link->setup->ctx, link);
}

static void end(link_t *link)
{
    if (!link->over) {
        link->over = true;
        deadline_cancel(&link->farewell);
        link->farewell = deadline_start(link->setup->loop, 0, say_gone, link);
    }
}

static void cut(link_t *link)
{
    stream_reset(link->client.in);
    stream_reset(link->server.in);
    end(link);
}

static void pass_end_on(way_t *way)
{
    if (way->finished && !way->passed_on && way->delayed == 0) {
        way->passed_on = true;
        stream_half_close(other(way)->in);
        if (other(way)->passed_on) {
            end(way->link);
        }
    }
}

/* ---- sending ---- */

static void pass(way_t *way, span_t bytes)
{
    if (!way->link->muted) {
        stream_write(other(way)->in, bytes);
    }
}

static void on_later(void *ctx)
{
    later_t *later = ctx;
    way_t *way = later->way;
    later_t **at = &way->link->later;
    while (*at != later) {
        at = &(*at)->next;
    }
    *at = later->next;
    way->delayed--;
    pass(way, text_span(&later->bytes));
    text_free(&later->bytes);
    free(later);
    pass_end_on(way);
}

static void pass_later(way_t *way, text_t *bytes, double ms)
{
    if (ms <= 0) {
        pass(way, text_span(bytes));
        text_free(bytes);
        return;
    }
    later_t *later = mem_new(1, sizeof *later);
    later->way = way;
    later->bytes = *bytes;
    later->next = way->link->later;
    way->link->later = later;
    way->delayed++;
    later->deadline = deadline_start(way->link->setup->loop, ms, on_later, later);
}

static void pass_piece(way_t *way, const piece_t *piece)
{
    text_t bytes = {0};
    piece_write(&bytes, piece);
    pass_later(way, &bytes, piece->delay_ms);
}

/* The conversation is ended by a fault: the receiver gets the close, the other side nothing more. */
static void close_by_fault(way_t *way, unsigned code, const char *reason)
{
    text_t payload = {0}, bytes = {0};
    ws_close_payload(&payload, code, span_of(reason));
    ws_frame_t frame = ws_frame(WS_CLOSE, text_span(&payload));
    frame.masked = way->from == FROM_CLIENT;
    ws_encode(&bytes, &frame);
    pass(way, text_span(&bytes));
    text_free(&payload);
    text_free(&bytes);
    way->link->muted = true;
    stream_reset(way->in);
    way->finished = way->passed_on = true;
}

/* ---- WebSocket ---- */

static void release_held(way_t *way)
{
    if (way->holds) {
        way->holds = false;
        pass_piece(way, &way->held);
        piece_free(&way->held);
        way->held = (piece_t){0};
    }
}

static void join_held(way_t *way, piece_t *piece)
{
    text_t joined = way->held.payload;
    text_span_add(&joined, text_span(&piece->payload));
    text_free(&piece->payload);
    piece->payload = joined;
    piece->altered = true;
    way->held.payload = (text_t){0};
    piece_free(&way->held);
    way->holds = false;
}

static void relay_piece(way_t *way, const unit_t *unit, piece_t piece)
{
    link_t *link = way->link;
    json_t *actions = faults_match(link->setup->faults, unit);
    acts_t acts = act(actions, link->vsn, piece);
    for (size_t i = 0; i < acts.len && !acts.cut && !acts.close; i++) {
        piece_t *one = &acts.at[i];
        if (way->holds && way->merges) {
            join_held(way, one);
        }
        if ((acts.swap || acts.merge) && !way->holds && i == 0) {
            way->held = *one;
            *one = (piece_t){0};
            way->holds = true;
            way->merges = acts.merge;
            deadline_cancel(&way->patience);
        } else {
            pass_piece(way, one);
        }
    }
    if (way->holds && !acts.swap && !acts.merge) {
        release_held(way);
    }
    if (acts.cut) {
        cut(link);
    } else if (acts.close) {
        close_by_fault(way, acts.code, acts.reason);
    }
    acts_free(&acts);
    json_decref(actions);
}

static const char *frame_name(uint8_t opcode)
{
    static const char *const names[16] = {[WS_TEXT] = "text",
                                          [WS_BINARY] = "binary",
                                          [WS_CLOSE] = "close",
                                          [WS_PING] = "ping",
                                          [WS_PONG] = "pong"};
    return names[opcode & 15] ? names[opcode & 15] : "other";
}

static void relay_message(way_t *way, bool masked)
{
    link_t *link = way->link;
    message_t message = {0};
    bool control = way->opcode >= WS_CLOSE;
    bool readable = !control && way->rsv == 0 && faults_read_messages(link->setup->faults, way->from) &&
                    message_decode(&message, link->vsn, way->from, way->opcode == WS_BINARY,
                                   text_span(&way->message), NULL);
    const unsigned char *payload = (const unsigned char *)way->message.at;
    bool has_code = way->opcode == WS_CLOSE && way->message.len >= 2;
    unit_t unit = {.from = way->from,
                   .websocket = true,
                   .vsn = link->vsn,
                   .conversation = link->id,
                   .message = readable ? &message : NULL,
                   .frame = frame_name(way->opcode),
                   .code = has_code ? (unsigned)payload[0] << 8 | payload[1] : 0};
    piece_t piece = {
        .payload = way->message, .raw = way->raw, .opcode = way->opcode, .rsv = way->rsv, .masked = masked};
    way->message = way->raw = (text_t){0};
    relay_piece(way, &unit, piece);
    message_free(&message);
}

/* A control frame between the fragments of a message goes before it. */
static void relay_control(way_t *way, const raw_frame_t *frame, span_t raw)
{
    text_t message = way->message, bytes = way->raw;
    uint8_t opcode = way->opcode, rsv = way->rsv;
    way->message = way->raw = (text_t){0};
    way->opcode = frame->opcode;
    way->rsv = frame->rsv;
    raw_frame_payload(frame, &way->message);
    text_span_add(&way->raw, raw);
    relay_message(way, frame->masked);
    way->message = message;
    way->raw = bytes;
    way->opcode = opcode;
    way->rsv = rsv;
}

static void relay_frame(way_t *way, const raw_frame_t *frame, span_t raw)
{
    if (frame->opcode >= WS_CLOSE) {
        relay_control(way, frame, raw);
        return;
    }
    if (way->raw.len == 0) {
        way->opcode = frame->opcode;
        way->rsv = frame->rsv;
    }
    raw_frame_payload(frame, &way->message);
    text_span_add(&way->raw, raw);
    if (frame->fin) {
        relay_message(way, frame->masked);
    }
}

static bool take_frame(way_t *way)
{
    raw_frame_t frame;
    split_t split = split_frame(text_span(&way->buffer), &frame);
    if (split == SPLIT_BROKEN) {
        way->mode = MODE_RAW;
        return true;
    }
    if (split == SPLIT_WHOLE) {
        relay_frame(way, &frame, (span_t){way->buffer.at, frame.total});
        text_drop(&way->buffer, frame.total);
    }
    if (way->raw.len > MESSAGE_MAX) {
        release_held(way);
        pass(way, text_span(&way->raw));
        text_clear(&way->raw);
        text_clear(&way->message);
        way->mode = MODE_RAW;
    }
    return split == SPLIT_WHOLE;
}

/* ---- HTTP ---- */

static void expect_answer(link_t *link, passage_t passage)
{
    MEM_ROOM(link->passages, link->passage_count, link->passage_cap);
    link->passages[link->passage_count++] = passage;
}

static void relay_http(way_t *way, relayed_t *relayed)
{
    if (relayed->cut) {
        cut(way->link);
    } else if (!relayed->drop) {
        pass_later(way, &relayed->bytes, relayed->delay_ms);
    }
    text_free(&relayed->bytes);
}

static bool take_request(way_t *way)
{
    link_t *link = way->link;
    raw_request_t request = {0};
    split_t split = split_request(text_span(&way->buffer), &request);
    if (split == SPLIT_WHOLE) {
        passage_t passage = {0};
        span_t raw = {way->buffer.at, request.total};
        relayed_t relayed = relay_request(link->setup->faults, &request, raw, &passage);
        link->vsn = passage.vsn;
        if (passage.upgrade) { /* what follows is frames, if the server agrees */
            way->mode = MODE_WEBSOCKET;
        }
        if (!relayed.drop) {
            expect_answer(link, passage);
        } else {
            passage_free(&passage);
        }
        relay_http(way, &relayed);
        text_drop(&way->buffer, request.total);
    } else if (split != SPLIT_MORE) {
        way->mode = other(way)->mode = MODE_RAW;
    }
    raw_request_free(&request);
    return split != SPLIT_MORE && !link->over;
}

static void answered(way_t *way)
{
    link_t *link = way->link;
    const http_response_t *response = http_parser_response(link->parser);
    relayed_t relayed =
        relay_response(link->setup->faults, response, text_span(&link->answer), &link->passages[0]);
    if (response->status == 101) {
        way->mode = MODE_WEBSOCKET;
    }
    relay_http(way, &relayed);
    passage_free(&link->passages[0]);
    memmove(link->passages, link->passages + 1, --link->passage_count * sizeof *link->passages);
    http_parser_free(link->parser);
    link->parser = NULL;
    text_clear(&link->answer);
}

static bool take_response(way_t *way)
{
    link_t *link = way->link;
    if (way->buffer.len == 0) {
        return false;
    }
    if (link->passage_count == 0) {
        way->mode = MODE_RAW;
        return true;
    }
    if (!link->parser) {
        link->parser = http_parser_new(strcmp(link->passages[0].method, "HEAD") == 0, MESSAGE_MAX);
    }
    size_t used = 0;
    http_progress_t progress = http_parser_feed(link->parser, text_span(&way->buffer), &used);
    used = progress == HTTP_DONE ? used : way->buffer.len;
    text_add(&link->answer, way->buffer.at, used);
    text_drop(&way->buffer, used);
    if (progress == HTTP_DONE) {
        answered(way);
    } else if (progress == HTTP_BROKEN) {
        pass(way, text_span(&link->answer));
        text_clear(&link->answer);
        way->mode = MODE_RAW;
    }
    return progress != HTTP_MORE && !link->over;
}

/* ---- what comes ---- */

/* What is not whole goes on as it came. */
static void pass_unread(way_t *way)
{
    pass(way, text_span(&way->raw));
    pass(way, text_span(&way->buffer));
    text_clear(&way->raw);
    text_clear(&way->message);
    text_clear(&way->buffer);
}

static void on_patience(void *ctx)
{
    way_t *way = ctx;
    raw_frame_t frame;
    way->patience = NULL;
    release_held(way);
    if (way->buffer.len == 0) {
        return;
    }
    if (way->mode == MODE_WEBSOCKET && split_frame(text_span(&way->buffer), &frame) == SPLIT_MORE &&
        frame.total > 0) {
        way->skip = frame.total - way->buffer.len;
    } else {
        way->mode = MODE_RAW;
        if (way->from == FROM_CLIENT) {
            other(way)->mode = MODE_RAW;
        }
    }
    pass_unread(way);
}

static void await_rest(way_t *way)
{
    deadline_cancel(&way->patience);
    if (way->buffer.len > 0 || way->raw.len > 0 || way->holds) {
        way->patience = deadline_start(way->link->setup->loop, PATIENCE_MS, on_patience, way);
    }
}

static bool take(way_t *way)
{
    if (way->skip > 0) {
        size_t count = way->skip < way->buffer.len ? way->skip : way->buffer.len;
        pass(way, (span_t){way->buffer.at, count});
        text_drop(&way->buffer, count);
        way->skip -= count;
        return count > 0;
    }
    if (way->mode == MODE_RAW) {
        pass(way, text_span(&way->buffer));
        text_clear(&way->buffer);
        return false;
    }
    if (way->mode == MODE_WEBSOCKET) {
        return take_frame(way);
    }
    return way->from == FROM_CLIENT ? take_request(way) : take_response(way);
}

static void on_received(void *ctx, span_t bytes)
{
    way_t *way = ctx;
    link_t *link = way->link;
    if (link->over) {
        return;
    }
    if (link->muted) { /* the client's answer to the fault's close */
        stream_half_close(link->client.in);
        return;
    }
    text_span_add(&way->buffer, bytes);
    deadline_cancel(&way->patience);
    while (take(way)) {
    }
    if (link->over) {
        return;
    }
    way->paused = stream_backlog(other(way)->in) > BACKLOG_MAX;
    if (way->paused) {
        stream_pause(way->in, true);
    } else {
        await_rest(way);
    }
}

static void on_drained(void *ctx)
{
    way_t *way = other(ctx);
    if (way->paused && !way->link->over) {
        way->paused = false;
        stream_pause(way->in, false);
        await_rest(way);
    }
}

static void on_finished(void *ctx)
{
    way_t *way = ctx;
    link_t *link = way->link;
    if (way->from == FROM_SERVER && link->parser && http_parser_end(link->parser) == HTTP_DONE) {
        answered(way);
    } else if (way->from == FROM_SERVER) {
        pass(way, text_span(&link->answer));
        text_clear(&link->answer);
    }
    deadline_cancel(&way->patience);
    release_held(way);
    pass_unread(way);
    way->finished = true;
    if (link->muted) {
        end(link);
    } else if (!link->over) {
        pass_end_on(way);
    }
}

static void on_lingered(void *ctx)
{
    link_t *link = ctx;
    link->farewell = NULL;
    cut(link);
}

static void on_ended(void *ctx, stream_end_t how, const char *detail)
{
    way_t *way = ctx;
    link_t *link = way->link;
    (void)how;
    (void)detail;
    if (link->muted || other(way)->finished) {
        end(link);
    } else if (!link->over) {
        stream_half_close(other(way)->in);
        deadline_cancel(&link->farewell);
        link->farewell = deadline_start(link->setup->loop, LINGER_MS, on_lingered, link);
    }
}

static const stream_events_t events = {
    .received = on_received, .finished = on_finished, .drained = on_drained, .ended = on_ended};

link_t *link_accept(link_setup_t *setup, uv_stream_t *listener)
{
    link_t *link = mem_new(1, sizeof *link);
    link->setup = setup;
    link->client = (way_t){.link = link, .from = FROM_CLIENT};
    link->server = (way_t){.link = link, .from = FROM_SERVER};
    snprintf(link->id, sizeof link->id, "connection %lu", ++setup->next_id);
    link->client.in = stream_accept(listener, &events, &link->client);
    if (!link->client.in) {
        free(link);
        return NULL;
    }
    link->server.in = stream_open(setup->loop, setup->upstream, &events, &link->server);
    return link;
}

static void free_way(way_t *way)
{
    deadline_cancel(&way->patience);
    stream_free(way->in);
    text_free(&way->buffer);
    text_free(&way->message);
    text_free(&way->raw);
    piece_free(&way->held);
}

void link_free(link_t *link)
{
    deadline_cancel(&link->farewell);
    while (link->later) {
        later_t *later = link->later;
        link->later = later->next;
        deadline_cancel(&later->deadline);
        text_free(&later->bytes);
        free(later);
    }
    free_way(&link->client);
    free_way(&link->server);
    while (link->passage_count > 0) {
        passage_free(&link->passages[--link->passage_count]);
    }
    free(link->passages);
    http_parser_free(link->parser);
    text_free(&link->answer);
    free(link);
}
