/* SPDX-License-Identifier: MIT */
/*
 * The serializers: whatever is decoded can be encoded again, and says the same then.
 * Input: a byte that chooses serializer, form and direction; then a message.
 */
#include "fuzz.h"
#include "phx/json.h"
#include "phx/message.h"

typedef int decode_t(phx_vsn_t vsn, phx_form_t form, phx_slice_t bytes, phx_message_t *message);

static bool same(const phx_message_t *a, const phx_message_t *b)
{
    return phx_slice_equal(a->join_ref, b->join_ref) && phx_slice_equal(a->ref, b->ref) &&
           phx_slice_equal(a->topic, b->topic) && phx_slice_equal(a->event, b->event) &&
           a->payload.form == b->payload.form && phx_slice_equal(a->payload.data, b->payload.data);
}

/* Also what a server does with a message it has read: it answers it. */
static void answer(phx_vsn_t vsn, const phx_message_t *message)
{
    phx_buf_t out = {0};
    phx_message_t read = {0};
    const int error = phx_encode_reply_json_topic(vsn, &out, message->join_ref, message->ref, message->topic,
                                                  PHX_SLICE("ok"), PHX_SLICE("{}"));
    MUST(error == 0 || error == PHX_EUTF8);
    if (error == 0) {
        MUST(phx_decode_from_server(vsn, PHX_TEXT, phx_buf_slice(&out), &read) == 0);
        MUST(phx_slice_equal(read.ref, message->ref));
        MUST(phx_slice_equal(read.topic, message->topic));
        MUST(vsn == PHX_V1 || phx_slice_equal(read.join_ref, message->join_ref));
        MUST(phx_slice_equals(read.payload.data, "{\"response\":{},\"status\":\"ok\"}"));
    }
    phx_message_free(&read);
    phx_buf_free(&out);
}

static void encode_again(phx_vsn_t vsn, const phx_message_t *message)
{
    phx_buf_t topic_scratch = {0};
    phx_buf_t event_scratch = {0};
    phx_buf_t out = {0};
    phx_message_t read = {0};
    phx_slice_t topic;
    phx_slice_t event;
    phx_form_t form;
    if (phx_json_string(message->topic, &topic_scratch, &topic) == 0 &&
        phx_json_string(message->event, &event_scratch, &event) == 0 &&
        phx_encode_from_client(vsn, &out, &form, message->join_ref, message->ref, topic, event,
                               message->payload) == 0) {
        MUST(phx_decode_from_client(vsn, form, phx_buf_slice(&out), &read) == 0);
        /* A binary message has strings for refs, whatever they were (BIN-06). */
        MUST(form == PHX_BINARY || same(message, &read));
    }
    phx_message_free(&read);
    phx_buf_free(&out);
    phx_buf_free(&topic_scratch);
    phx_buf_free(&event_scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    phx_slice_t input = {(const char *)data, size};
    const uint8_t choice = fuzz_byte(&input);
    const phx_vsn_t vsn = choice & 1 ? PHX_V2 : PHX_V1;
    const phx_form_t form = choice & 2 ? PHX_BINARY : PHX_TEXT;
    decode_t *const decode = choice & 4 ? phx_decode_from_server : phx_decode_from_client;
    phx_message_t message = {0};
    if (decode(vsn, form, input, &message) == 0 && decode == phx_decode_from_client) {
        encode_again(vsn, &message);
        answer(vsn, &message);
    }
    phx_message_free(&message);
    return 0;
}
