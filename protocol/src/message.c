/* SPDX-License-Identifier: MIT */
/* Which serializer a message takes. */
#include "phx/message.h"

#include "serializer.h"

void phx_message_free(phx_message_t *message)
{
    phx_buf_free(&message->scratch);
    *message = (phx_message_t){0};
}

static int decode(side_t side, phx_vsn_t vsn, phx_form_t form, phx_slice_t bytes, phx_message_t *message)
{
    phx_buf_clear(&message->scratch);
    *message = (phx_message_t){.scratch = message->scratch};
    const int error = vsn == PHX_V1      ? v1__decode(side, bytes, message) /* V1-07 */
                      : form == PHX_TEXT ? v2__decode(bytes, message)
                                         : binary__decode(side, bytes, message); /* V2-04 */
    if (error != PHX_OK) {
        *message = (phx_message_t){.scratch = message->scratch};
    }
    return error;
}

int phx_decode_from_client(phx_vsn_t vsn, phx_form_t form, phx_slice_t bytes, phx_message_t *message)
{
    return decode(FROM_CLIENT, vsn, form, bytes, message);
}

int phx_decode_from_server(phx_vsn_t vsn, phx_form_t form, phx_slice_t bytes, phx_message_t *message)
{
    return decode(FROM_SERVER, vsn, form, bytes, message);
}

int phx_encode_from_client(phx_vsn_t vsn, phx_buf_t *out, phx_form_t *form, phx_slice_t join_ref,
                           phx_slice_t ref, phx_slice_t topic, phx_slice_t event, phx_payload_t payload)
{
    *form = payload.form;
    if (vsn == PHX_V1) {
        return payload.form == PHX_TEXT ? v1__message(out, join_ref, ref, topic, event, payload.data)
                                        : PHX_EV1BINARY;
    }
    return payload.form == PHX_TEXT ? v2__message(out, join_ref, ref, topic, event, payload.data)
                                    : binary__from_client(out, join_ref, ref, topic, event, payload.data);
}

/* What a push and a broadcast have in common as text: no ref. */
static int encode_event(phx_vsn_t vsn, phx_buf_t *out, phx_slice_t join_ref, phx_slice_t topic,
                        phx_slice_t event, phx_payload_t payload)
{
    if (vsn == PHX_V1) { /* V1-03, V1-05 */
        return payload.form == PHX_TEXT ? v1__message(out, JSON_NULL, JSON_NULL, topic, event, payload.data)
                                        : PHX_EV1BINARY;
    }
    if (phx_json_kind(payload.data) != PHX_JSON_OBJECT) { /* MSG-05 */
        return PHX_ENOTOBJECT;
    }
    return v2__message(out, join_ref, JSON_NULL, topic, event, payload.data);
}

int phx_encode_push(phx_vsn_t vsn, phx_buf_t *out, phx_form_t *form, phx_slice_t join_ref, phx_slice_t topic,
                    phx_slice_t event, phx_payload_t payload)
{
    *form = payload.form;
    if (vsn == PHX_V2 && payload.form == PHX_BINARY) {
        return binary__push(out, join_ref, topic, event, payload.data);
    }
    return encode_event(vsn, out, join_ref, topic, event, payload);
}

int phx_encode_broadcast(phx_vsn_t vsn, phx_buf_t *out, phx_form_t *form, phx_slice_t topic,
                         phx_slice_t event, phx_payload_t payload)
{
    *form = payload.form;
    if (vsn == PHX_V2 && payload.form == PHX_BINARY) {
        return binary__broadcast(out, topic, event, payload.data);
    }
    return encode_event(vsn, out, JSON_NULL, topic, event, payload);
}

int phx_encode_reply(phx_vsn_t vsn, phx_buf_t *out, phx_form_t *form, phx_slice_t join_ref, phx_slice_t ref,
                     phx_slice_t topic, phx_slice_t status, phx_payload_t response)
{
    *form = response.form;
    if (vsn == PHX_V1) {
        return response.form == PHX_TEXT ? v1__reply(out, ref, as_string(topic), status, response.data)
                                         : PHX_EV1BINARY;
    }
    return response.form == PHX_TEXT ? v2__reply(out, join_ref, ref, as_string(topic), status, response.data)
                                     : binary__reply(out, join_ref, ref, topic, status, response.data);
}

int phx_encode_reply_json_topic(phx_vsn_t vsn, phx_buf_t *out, phx_slice_t join_ref, phx_slice_t ref,
                                phx_slice_t topic_json, phx_slice_t status, phx_slice_t response_json)
{
    return vsn == PHX_V1 ? v1__reply(out, ref, as_json(topic_json), status, response_json)
                         : v2__reply(out, join_ref, ref, as_json(topic_json), status, response_json);
}

int phx_encode_end(phx_vsn_t vsn, phx_buf_t *out, phx_slice_t join_ref, phx_slice_t topic, phx_slice_t event,
                   phx_slice_t payload_json)
{
    /* V1-06, V2-08: the ref of an end is the join_ref. */
    return vsn == PHX_V1 ? v1__message(out, JSON_NULL, join_ref, topic, event, payload_json)
                         : v2__message(out, join_ref, join_ref, topic, event, payload_json);
}
