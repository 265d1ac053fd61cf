/* SPDX-License-Identifier: MIT */
#include "longpoll.h"

#include "connect_info.h"
#include "handshake.h"
#include "query.h"

/* The header alone decides if it is there (LP-HTTP-06). */
static session_t *find_session(sessions_t *sessions, const mount_t *mount, const http_request_t *request,
                               const json_t *params)
{
    const http_header_t *header = http_request_header(request, "x-phoenix-longpoll-token");
    phx_slice_t token = {0};
    if (header != NULL) {
        token = header->value;
    } else if (!query_string(params, "token", &token)) {
        return NULL;
    }
    return session_find(sessions, token, mount->config.token_max_age_s);
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
    if (connect_info_serializer(connect, &vsn)) {
        outcome = session_open(sessions, mount, vsn, &connect->info, &session);
    }
    if (outcome == PHXS_CONNECT_OK) {
        lp_answer(connection, 410, session_token(session), (phx_slice_t){0}); /* LP-OPEN-01 */
    } else if (outcome == PHXS_CONNECT_FAILED) {
        connection_answer_error(connection, 500); /* WS-AUTH-04 */
    } else {
        lp_answer_status(connection, 403); /* LP-OPEN-03, WS-AUTH-03 */
    }
}

static void get(connection_t *connection, mount_t *mount, sessions_t *sessions, connect_info_t *connect)
{
    session_t *session = find_session(sessions, mount, connection_request(connection), connect->params);
    if (session != NULL) {
        session_poll(session, connection);
    } else {
        open_session(connection, mount, sessions, connect); /* LP-OPEN-02 */
    }
}

static void post(connection_t *connection, const mount_t *mount, sessions_t *sessions,
                 const connect_info_t *connect)
{
    const http_request_t *request = connection_request(connection);
    const http_header_t *type = http_request_header(request, "content-type");
    session_t *session = find_session(sessions, mount, request, connect->params);
    if (session == NULL) {
        lp_answer_status(connection, 410); /* LP-POST-01 */
    } else if (connection_body_too_large(connection) || request->body.len > mount->config.max_body_bytes) {
        connection_answer_error(connection, 400); /* LP-POST-11 */
    } else {
        session_post(session, connection,
                     type != NULL && phx_slice_equals(type->value, "application/x-ndjson"));
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
    if (!handshake_origin_allowed(&mount->config, request, mount->core->secure)) {
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
