/* SPDX-License-Identifier: MIT */
#include "connect_info.h"

#include <stdlib.h>

#include "handshake.h"
#include "query.h"

static char *x_headers_text(const http_request_t *request)
{
    json_t *headers = json_object();
    for (size_t i = 0; headers != NULL && i < request->header_count; i++) {
        const http_header_t *header = &request->headers[i];
        if (!phx_slice_starts_with(header->name, "x-")) {
            continue;
        }
        json_t *value = json_stringn(header->value.len > 0 ? header->value.data : "", header->value.len);
        if (value != NULL) { /* a header that is not UTF-8 has no place in JSON */
            json_object_setn_new(headers, header->name.data, header->name.len, value);
        }
    }
    char *text = json_dumps(headers, JSON_COMPACT);
    json_decref(headers);
    return text;
}

int connect_info_init(connect_info_t *result, const http_request_t *request)
{
    *result = (connect_info_t){0};
    result->params = query_decode(request->query);
    if (result->params == NULL) {
        return PHX_EUTF8;
    }
    result->params_text = json_dumps(result->params, JSON_COMPACT);
    result->x_headers_text = x_headers_text(request);
    if (result->params_text == NULL || result->x_headers_text == NULL) {
        return PHX_ENOMEM;
    }
    const http_header_t *agent = http_request_header(request, "user-agent");
    result->info = (phxs_connect_info_t){
        .params = phx_slice_of(result->params_text),
        .x_headers = phx_slice_of(result->x_headers_text),
        .path = request->path,
        .query = request->query,
        .user_agent = agent != NULL ? agent->value : (phx_slice_t){0},
    };
    return 0;
}

void connect_info_free(connect_info_t *result)
{
    json_decref(result->params);
    free(result->params_text);
    free(result->x_headers_text);
    *result = (connect_info_t){0};
}

int connect_info_serializer(const connect_info_t *connect, const rules_t *rules, phx_vsn_t *vsn)
{
    *vsn = PHX_V1;
    if (json_object_get(connect->params, "vsn") == NULL) {
        return 0;
    }
    phx_slice_t text;
    if (!query_string(connect->params, "vsn", &text)) {
        return rules->odd_vsn_status; /* WS-VSN-05 */
    }
    return handshake_serializer(text, vsn) ? 0 : 403;
}
