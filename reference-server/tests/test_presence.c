/* SPDX-License-Identifier: MIT */
/* Who is there: entries, the diffs that tell of them, the list of a topic. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "container.h"
#include "presence_store.h"
#include "test_util.h"

/* ---- a subscriber that writes down what it hears ---- */

typedef struct listener {
    subscriber_t subscriber; /* first */
    phx_buf_t heard;         /* payloads, a line each */
} listener_t;

static delivery_t wants(const subscriber_t *subscriber, const broadcast_t *broadcast)
{
    (void)subscriber;
    (void)broadcast;
    return DELIVER_MESSAGE;
}

static void hear_frame(subscriber_t *subscriber, frame_t frame)
{
    (void)subscriber;
    (void)frame;
}

static void hear(subscriber_t *subscriber, const broadcast_t *broadcast)
{
    listener_t *listener = CONTAINER_OF(subscriber, listener_t, subscriber);
    assert_slice(broadcast->event, PHX_SLICE("presence_diff"));
    phx_buf_append_slice(&listener->heard, broadcast->payload.data);
    phx_buf_append_byte(&listener->heard, '\n');
}

static const subscriber_ops_t OPS = {wants, hear_frame, hear};

/* ---- the bench ---- */

static presence_store_t *store;
static pubsub_t *pubsub;
static presence_owner_t ann;
static presence_owner_t bob;
static listener_t room;
static listener_t other;

static void setup(void)
{
    store = presence_store_new(1);
    pubsub = pubsub_new(1);
    ann = bob = (presence_owner_t){0};
    room = other = (listener_t){.subscriber.ops = &OPS};
    assert_ok(pubsub_subscribe(pubsub, PHX_SLICE("room"), &room.subscriber));
    assert_ok(pubsub_subscribe(pubsub, PHX_SLICE("other"), &other.subscriber));
}

static void teardown(void)
{
    presence_store_free(store);
    pubsub_unsubscribe(pubsub, &room.subscriber);
    pubsub_unsubscribe(pubsub, &other.subscriber);
    pubsub_free(pubsub);
    phx_buf_free(&room.heard);
    phx_buf_free(&other.heard);
}

static presence_entry_t *add(presence_owner_t *owner, const char *topic, const char *key, const char *ref)
{
    phx_buf_t meta = {0};
    phx_buf_append_text(&meta, "{\"phx_ref\":\"");
    phx_buf_append_text(&meta, ref);
    phx_buf_append_text(&meta, "\"}");
    presence_entry_t *entry = presence_store_add(store, owner, phx_slice_of(topic), phx_slice_of(key),
                                                 phx_slice_of(ref), phx_buf_slice(&meta));
    phx_buf_free(&meta);
    ck_assert_ptr_nonnull(entry);
    return entry;
}

static void tell(void)
{
    assert_ok(presence_store_tell(store, pubsub));
}

static void assert_list(const char *topic, const char *expected)
{
    phx_buf_t list = {0};
    presence_store_list(store, phx_slice_of(topic), &list);
    assert_slice(phx_buf_slice(&list), phx_slice_of(expected));
    phx_buf_free(&list);
}

#define META(ref) "{\"phx_ref\":\"" ref "\"}"

/* ---- tests ---- */

START_TEST(changes_are_told_by_topic_and_key) /* PRES-02, PRES-05 */
{
    add(&ann, "room", "k", "1");
    add(&bob, "other", "o", "2");
    add(&bob, "room", "k", "3");
    add(&bob, "room", "l\"", "4");
    tell();
    assert_buf(&room.heard, "{\"joins\":{\"k\":{\"metas\":[" META("1") "," META(
                                "3") "]},\"l\\\"\":{\"metas\":[" META("4") "]}},\"leaves\":{}}\n");
    assert_buf(&other.heard, "{\"joins\":{\"o\":{\"metas\":[" META("2") "]}},\"leaves\":{}}\n");
    tell();
    assert_buf(&room.heard, "");
    assert_list("room",
                "{\"k\":{\"metas\":[" META("1") "," META("3") "]},\"l\\\"\":{\"metas\":[" META("4") "]}}");
    assert_list("nowhere", "{}");
}
END_TEST

START_TEST(an_update_is_one_diff) /* PRES-04 */
{
    presence_entry_t *old = add(&ann, "room", "k", "1");
    add(&bob, "room", "k", "2");
    tell();
    phx_buf_clear(&room.heard);
    add(&ann, "room", "k", "3");
    presence_store_remove(store, old);
    tell();
    assert_buf(&room.heard, "{\"joins\":{\"k\":{\"metas\":[" META(
                                "3") "]}},\"leaves\":{\"k\":{\"metas\":[" META("1") "]}}}\n");
    assert_list("room", "{\"k\":{\"metas\":[" META("2") "," META("3") "]}}");
}
END_TEST

START_TEST(what_came_and_went_is_not_told)
{
    presence_store_remove(store, add(&ann, "room", "k", "1"));
    tell();
    assert_buf(&room.heard, "");
    assert_list("room", "{}");

    presence_store_remove(store, add(&ann, "room", "k", "2"));
    add(&bob, "room", "k", "3");
    tell();
    assert_buf(&room.heard, "{\"joins\":{\"k\":{\"metas\":[" META("3") "]}},\"leaves\":{}}\n");
}
END_TEST

START_TEST(entries_are_found_by_owner_and_ref)
{
    add(&ann, "room", "k", "1");
    presence_entry_t *bobs = add(&bob, "room", "k", "2");
    tell();
    ck_assert_ptr_eq(presence_owner_find(&bob, PHX_SLICE("room"), PHX_SLICE("k")), bobs);
    ck_assert_ptr_null(presence_owner_find(&bob, PHX_SLICE("other"), PHX_SLICE("k")));
    ck_assert_ptr_null(presence_owner_find(&bob, PHX_SLICE("room"), PHX_SLICE("l")));
    ck_assert_ptr_eq(presence_store_by_ref(store, PHX_SLICE("2")), bobs);
    while (bob.first != NULL) {
        presence_store_remove(store, bob.first);
    }
    ck_assert_ptr_null(presence_store_by_ref(store, PHX_SLICE("2")));
    ck_assert_ptr_nonnull(presence_store_by_ref(store, PHX_SLICE("1")));
    assert_list("room", "{\"k\":{\"metas\":[" META("1") "]}}"); /* before it is told, too */
    tell();
}
END_TEST

START_TEST(a_key_is_no_part_of_its_topic)
{
    add(&ann, "room", "xk", "1");
    add(&ann, "roomx", "k", "2");
    tell();
    assert_buf(&room.heard, "{\"joins\":{\"xk\":{\"metas\":[" META("1") "]}},\"leaves\":{}}\n");
    assert_list("roomx", "{\"k\":{\"metas\":[" META("2") "]}}");
}
END_TEST

START_TEST(many_come_and_go)
{
    rng_t rng = rng_new();
    presence_owner_t owners[8] = {{0}};
    char name[32];
    char ref[32];
    for (int round = 0; round < 4000; round++) {
        presence_owner_t *owner = &owners[rng_below(&rng, 8)];
        if (owner->first != NULL && rng_below(&rng, 5) < 2) {
            presence_store_remove(store, owner->first);
        } else {
            ck_assert(snprintf(name, sizeof(name), "key%zu", rng_below(&rng, 50)) > 0);
            ck_assert(snprintf(ref, sizeof(ref), "%d", round) > 0);
            add(owner, rng_below(&rng, 2) == 0 ? "room" : "other", name, ref);
        }
        if (rng_below(&rng, 3) == 0) {
            tell();
        }
    }
    for (int i = 0; i < 8; i++) {
        while (owners[i].first != NULL) {
            presence_store_remove(store, owners[i].first);
        }
    }
    tell();
    assert_list("room", "{}");
    assert_list("other", "{}");
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("presence");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, changes_are_told_by_topic_and_key);
    tcase_add_test(tcase, an_update_is_one_diff);
    tcase_add_test(tcase, what_came_and_went_is_not_told);
    tcase_add_test(tcase, entries_are_found_by_owner_and_ref);
    tcase_add_test(tcase, a_key_is_no_part_of_its_topic);
    tcase_add_test(tcase, many_come_and_go);
    Suite *suite = suite_create("presence");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
