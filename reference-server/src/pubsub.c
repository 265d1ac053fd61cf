/* SPDX-License-Identifier: MIT */
#include "pubsub.h"

#include <stdlib.h>
#include <string.h>

typedef struct topic {
    table_entry_t entry; /* first: found by it */
    subscriber_t *first;
    subscriber_t *last;
    char name[];
} topic_t;

struct pubsub {
    table_t topics;
    phx_buf_t scratch;
    pubsub_relay_t relay;
    void *relay_user;
};

pubsub_t *pubsub_new(uint64_t seed)
{
    pubsub_t *pubsub = calloc(1, sizeof(*pubsub));
    if (pubsub != NULL && !table_init(&pubsub->topics, seed)) {
        free(pubsub);
        return NULL;
    }
    return pubsub;
}

void pubsub_free(pubsub_t *pubsub)
{
    if (pubsub == NULL) {
        return;
    }
    table_fini(&pubsub->topics);
    phx_buf_free(&pubsub->scratch);
    free(pubsub);
}

static topic_t *topic_new(pubsub_t *pubsub, phx_slice_t name)
{
    topic_t *topic = calloc(1, sizeof(*topic) + name.len);
    if (topic == NULL) {
        return NULL;
    }
    if (name.len > 0) {
        memcpy(topic->name, name.data, name.len);
    }
    topic->entry.key = (phx_slice_t){topic->name, name.len};
    table_insert(&pubsub->topics, &topic->entry);
    return topic;
}

int pubsub_subscribe(pubsub_t *pubsub, phx_slice_t name, subscriber_t *subscriber)
{
    topic_t *topic = (topic_t *)table_find(&pubsub->topics, name);
    if (topic == NULL) {
        topic = topic_new(pubsub, name);
    }
    if (topic == NULL) {
        return PHX_ENOMEM;
    }
    subscriber->topic = topic;
    subscriber->next = NULL;
    subscriber->prev = topic->last;
    if (topic->last != NULL) {
        topic->last->next = subscriber;
    } else {
        topic->first = subscriber;
    }
    topic->last = subscriber;
    return 0;
}

void pubsub_unsubscribe(pubsub_t *pubsub, subscriber_t *subscriber)
{
    topic_t *topic = subscriber->topic;
    if (topic == NULL) {
        return;
    }
    subscriber->topic = NULL;
    if (subscriber->prev != NULL) {
        subscriber->prev->next = subscriber->next;
    } else {
        topic->first = subscriber->next;
    }
    if (subscriber->next != NULL) {
        subscriber->next->prev = subscriber->prev;
    } else {
        topic->last = subscriber->prev;
    }
    if (topic->first == NULL) {
        table_remove(&pubsub->topics, &topic->entry);
        free(topic);
    }
}

static int encode(pubsub_t *pubsub, phx_vsn_t vsn, const broadcast_t *broadcast, frame_t *frame)
{
    phx_form_t form = PHX_TEXT;
    phx_buf_clear(&pubsub->scratch);
    int error = phx_encode_broadcast(vsn, &pubsub->scratch, &form, broadcast->topic, broadcast->event,
                                     broadcast->payload);
    if (error != 0) {
        return error;
    }
    *frame = frame_new(form, phx_buf_slice(&pubsub->scratch));
    return frame->bytes != NULL ? 0 : PHX_ENOMEM;
}

int pubsub_deliver(pubsub_t *pubsub, const subscriber_t *from, const broadcast_t *broadcast)
{
    const topic_t *topic = (topic_t *)table_find(&pubsub->topics, broadcast->topic);
    if (topic == NULL) {
        return 0;
    }

    frame_t frames[2] = {{0}}; /* by serializer */
    int error = 0;
    for (subscriber_t *s = topic->first; s != NULL && error == 0; s = s->next) {
        if (s == from) {
            continue;
        }
        delivery_t delivery = s->ops->wants(s, broadcast);
        if (delivery == DELIVER_MESSAGE) {
            s->ops->message(s, broadcast);
        }
        if (delivery == DELIVER_FRAME && frames[s->vsn].bytes == NULL) {
            error = encode(pubsub, (phx_vsn_t)s->vsn, broadcast, &frames[s->vsn]);
        }
        if (delivery == DELIVER_FRAME && error == 0) {
            s->ops->frame(s, frames[s->vsn]);
        }
    }
    frame_release(frames[PHX_V1]);
    frame_release(frames[PHX_V2]);
    return error;
}

void pubsub_relay(pubsub_t *pubsub, pubsub_relay_t relay, void *user)
{
    pubsub->relay = relay;
    pubsub->relay_user = user;
}

int pubsub_broadcast(pubsub_t *pubsub, const subscriber_t *from, const broadcast_t *broadcast)
{
    int error = pubsub_deliver(pubsub, from, broadcast);
    if (error == 0 && pubsub->relay != NULL) {
        pubsub->relay(pubsub->relay_user, broadcast);
    }
    return error;
}
