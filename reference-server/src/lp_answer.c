/* SPDX-License-Identifier: MIT */
#include "lp_answer.h"

#include "phx/json.h"

void lp_body(phx_buf_t *out, int status, phx_slice_t token, phx_slice_t messages)
{
    char code[] = {(char)('0' + status / 100), (char)('0' + status / 10 % 10), (char)('0' + status % 10),
                   '\0'};
    phx_buf_append_text(out, "{");
    if (token.len > 0) {
        phx_buf_append_text(out, "\"messages\":[");
        phx_buf_append_slice(out, messages);
        phx_buf_append_text(out, "],");
    }
    phx_buf_append_text(out, "\"status\":");
    phx_buf_append_text(out, code);
    if (token.len > 0) {
        phx_buf_append_text(out, ",\"token\":");
        phx_json_quote(out, token);
    }
    phx_buf_append_text(out, "}");
}

void lp_answer_body(connection_t *connection, phx_slice_t body)
{
    const rules_t *rules = &connection_owner(connection)->core->rules;
    const answer_header_t headers[] = {{"cache-control", phx_slice_of(rules->longpoll_cache_control)},
                                       {"access-control-allow-origin", PHX_SLICE("*")},
                                       {"content-type", PHX_SLICE("application/json; charset=utf-8")},
                                       {NULL, {0}}};
    connection_answer(connection, 200, headers, body);
}

void lp_answer(connection_t *connection, int status, phx_slice_t token, phx_slice_t messages)
{
    phx_buf_t body = {0};
    lp_body(&body, status, token, messages);
    if (body.failed) {
        connection_answer_error(connection, 500);
    } else {
        lp_answer_body(connection, phx_buf_slice(&body));
    }
    phx_buf_free(&body);
}

void lp_answer_status(connection_t *connection, int status)
{
    lp_answer(connection, status, (phx_slice_t){0}, (phx_slice_t){0});
}
