/* SPDX-License-Identifier: MIT */
#include "longpoll.h"

#include "connect_info.h"
#include "handshake.h"
#include "lp_answer.h"
#include "lp_remote.h"
#include "query.h"

/* What a request's token leads to. */
typedef struct target {
    phx_slice_t token;
    bool broken; /* a token that is no text fails the request */
    bool valid;  /* `id` is that of a session, which may have ended, or be another node's */
    uint8_t id[LP_ID_BYTES];
    session_t *session; /* NULL: none of this node */
} target_t;

/* The header alone decides if it is there (LP-HTTP-06). */
static target_t find_target(const sessions_t *sessions, const mount_t *mount, const http_request_t *request,
                            const json_t *params)
{
    const rules_t *rules = &mount->core->rules;
    const http_header_t *header = http_request_header(request, "x-phoenix-longpoll-token");
    target_t target = {0};
    if (header != NULL && rules->longpoll_token_in_header) {
        target.token = header->value;
    } else if (!query_string(params, "token", &target.token)) {
        target.broken = !rules->longpoll_token_of_any_type && json_object_get(params, "token") != NULL;
        return target;
    }
    target.valid = session_token_read(sessions, target.token, mount->config.token_max_age_s, target.id);
#ifdef PHXS_FAULTS
    if (has_fault(mount->core, FAULT_FORGED_TOKEN)) {
        target.valid = lp_token_claim(target.token, target.id);
    }
#endif
    if (target.valid) {
        target.session = session_by_id(sessions, (phx_slice_t){(const char *)target.id, LP_ID_BYTES});
    }
    return target;
}

static void open_session(connection_t *connection, mount_t *mount, sessions_t *sessions,
                         connect_info_t *connect)
{
    const http_header_t *token = http_request_header(connection_request(connection), "x-phoenix-authtoken");
    if (mount->config.auth_token && token != NULL) {
        connect->info.auth_token = token->value; /* TOK-07 */
    }
    if (sessions_full(sessions, mount->core)) {
        connection_answer_text(connection, 503, ""); /* not JSON: clients come again later (LP-GET-10) */
        return;
    }
    phx_vsn_t vsn;
    session_t *session = NULL;
    phxs_connect_outcome_t outcome = PHXS_CONNECT_REFUSED;
    int refusal = connect_info_serializer(connect, &mount->core->rules, &vsn);
    if (refusal == 0) {
        outcome = session_open(sessions, mount, vsn, &connect->info, &session);
    } else if (refusal == 500) {
        outcome = PHXS_CONNECT_FAILED;
    }
    if (outcome == PHXS_CONNECT_OK) {
        lp_answer(connection, 410, session_token(session), (phx_slice_t){0}); /* LP-OPEN-01 */
    } else if (outcome == PHXS_CONNECT_FAILED) {
        connection_answer_error(connection, 500); /* WS-AUTH-04 */
    } else {
        lp_answer_status(connection, 403); /* LP-OPEN-03, WS-AUTH-03 */
    }
}

/* The session of a poll is not there: it was another node's (LP-OPEN-02). */
static void poll_lost(connection_t *connection, mount_t *mount, sessions_t *sessions)
{
    connect_info_t connect;
    if (connect_info_init(&connect, connection_request(connection)) != 0) {
        connection_answer_error(connection, 400);
    } else {
        open_session(connection, mount, sessions, &connect);
    }
    connect_info_free(&connect);
}

static void post_lost(connection_t *connection, mount_t *mount, sessions_t *sessions)
{
    (void)mount;
    (void)sessions;
    lp_answer_status(connection, 410); /* LP-POST-01 */
}

/* Hands the request to the node of its session; false if no other node is known to have it. */
static bool forward(connection_t *connection, mount_t *mount, const target_t *target, message_kind_t kind,
                    bool batch)
{
    const lp_forward_t request = {
        .kind = kind,
        .mount = mount,
        .id = target->id,
        .token = target->token,
        .batch = batch,
        .lost = kind == NODE_POLL ? poll_lost : post_lost,
    };
    return target->valid && lp_remote_forward(mount->core->lp_remote, connection, &request);
}

/* Under a fault only: a session speaks the version of its last request. */
static void take_vsn(const target_t *target, mount_t *mount, const connect_info_t *connect)
{
    phx_vsn_t vsn;
    if (target->session != NULL && has_fault(mount->core, FAULT_VSN_OF_REQUEST) &&
        connect_info_serializer(connect, &mount->core->rules, &vsn) == 0) {
        session_speak(target->session, vsn);
    }
}

static void get(connection_t *connection, mount_t *mount, sessions_t *sessions, connect_info_t *connect)
{
    const target_t target = find_target(sessions, mount, connection_request(connection), connect->params);
    take_vsn(&target, mount, connect);
    if (target.broken) {
        connection_answer_error(connection, 500); /* LP-OPEN-02 */
    } else if (target.session != NULL) {
        exchange_t *exchange = exchange_of(connection);
        if (exchange != NULL) {
            session_poll(target.session, exchange);
        }
    } else if (!forward(connection, mount, &target, NODE_POLL, false)) {
        open_session(connection, mount, sessions, connect); /* LP-OPEN-02 */
    }
}

static void post(connection_t *connection, mount_t *mount, const sessions_t *sessions,
                 const connect_info_t *connect)
{
    const http_request_t *request = connection_request(connection);
    const http_header_t *type = http_request_header(request, "content-type");
    const target_t target = find_target(sessions, mount, request, connect->params);
    take_vsn(&target, mount, connect);
    bool batch = mount->core->rules.batches && type != NULL &&
                 phx_slice_equals(type->value, "application/x-ndjson"); /* LP-POST-03 */
    bool fits = !connection_body_too_large(connection) && request->body.len <= mount->config.max_body_bytes;
    if (target.broken) {
        connection_answer_error(connection, 500);
    } else if (target.session != NULL && !fits) {
        connection_answer_error(connection, 400); /* LP-POST-11 */
    } else if (target.session != NULL) {
        exchange_t *exchange = exchange_of(connection);
        if (exchange != NULL) {
            session_post(target.session, exchange, batch);
        }
    } else if (!fits || !forward(connection, mount, &target, NODE_POST, batch)) {
        lp_answer_status(connection, 410); /* LP-POST-01 */
    }
}

/* A CORS preflight (LP-HTTP-04). */
static void options(connection_t *connection)
{
    const http_header_t *wanted =
        http_request_header(connection_request(connection), "access-control-request-headers");
    const answer_header_t headers[] = {
        {"cache-control", CACHE_REVALIDATE},
        {"access-control-allow-origin", PHX_SLICE("*")},
        {"access-control-allow-headers", wanted != NULL ? wanted->value : PHX_SLICE("")},
        {"access-control-allow-methods", PHX_SLICE("get, post, options")},
        {"access-control-max-age", PHX_SLICE("3600")},
        {NULL, {0}},
    };
    connection_answer(connection, 200, headers, (phx_slice_t){0});
}

static void other_method(connection_t *connection)
{
    const answer_header_t headers[] = {
        {"cache-control", CACHE_REVALIDATE},
        {"access-control-allow-origin", PHX_SLICE("*")},
        {NULL, {0}},
    };
    connection_answer(connection, 400, headers, (phx_slice_t){0}); /* LP-HTTP-05 */
}

static void dispatch(connection_t *connection, mount_t *mount, sessions_t *sessions, connect_info_t *connect)
{
    const http_request_t *request = connection_request(connection);
    phx_slice_t method = request->method;
    const bool unseen = has_fault(mount->core, FAULT_POST_ORIGIN) && phx_slice_equals(method, "POST");
    if (!unseen && !handshake_origin_allowed(&mount->config, request, mount->core->secure)) {
        lp_answer_status(connection, 403); /* ORIG-02 */
    } else if (phx_slice_equals(method, "GET")) {
        get(connection, mount, sessions, connect);
    } else if (phx_slice_equals(method, "POST")) {
        post(connection, mount, sessions, connect);
    } else if (phx_slice_equals(method, "OPTIONS")) {
        options(connection);
    } else {
        other_method(connection);
    }
}

void longpoll_request(connection_t *connection, mount_t *mount, sessions_t *sessions)
{
    connect_info_t connect;
    if (connect_info_init(&connect, connection_request(connection)) != 0) {
        connection_answer_error(connection, 400); /* WS-CONN-14 */
    } else {
        dispatch(connection, mount, sessions, &connect);
    }
    connect_info_free(&connect);
}
