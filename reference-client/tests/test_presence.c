/* SPDX-License-Identifier: MIT */
/* Presence: states and diffs merged. PRES-12 to PRES-18. */
#include "rig.h"

#include <stdio.h>
#include <string.h>

typedef struct room {
    rig_t rig;
    phxc_channel_t *channel;
    phxc_presence_t *presence;
} room_t;

#define TEXT_OF(slice) (int)(slice).len, (slice).data != NULL ? (slice).data : ""

static void on_joined(void *user, phx_slice_t key, phx_slice_t current, phx_slice_t joined)
{
    rig_line(user, "+ %.*s [%.*s] %.*s", TEXT_OF(key), TEXT_OF(current), TEXT_OF(joined));
}

static void on_left(void *user, phx_slice_t key, phx_slice_t current, phx_slice_t left)
{
    rig_line(user, "- %.*s [%.*s] %.*s", TEXT_OF(key), TEXT_OF(current), TEXT_OF(left));
}

static void on_synced(void *user)
{
    rig_line(user, "synced");
}

static const phxc_presence_callbacks_t CALLBACKS = {on_joined, on_left, on_synced};

static void start(room_t *room)
{
    rig_start(&room->rig, NULL);
    rig_online(&room->rig);
    room->channel =
        phxc_channel_new(room->rig.socket, PHX_SLICE("c"), PHX_JSON_PAYLOAD("{}"), NULL, &room->rig);
    room->presence = phxc_presence_new(room->channel, NULL, NULL, &CALLBACKS, &room->rig);
    ck_assert_ptr_nonnull(room->presence);
    ck_assert_int_eq(phxc_channel_join(room->channel, 0), 0);
    rig_receive(&room->rig, "[\"1\",\"1\",\"c\",\"phx_reply\",{\"status\":\"ok\",\"response\":{}}]");
    phx_buf_clear(&room->rig.log);
}

static void receive(room_t *room, const char *event, const char *payload)
{
    char text[2048];
    (void)snprintf(text, sizeof text, "[null,null,\"c\",\"%s\",%s]", event, payload);
    rig_receive(&room->rig, text);
}

#define STATE(room, payload) receive(room, "presence_state", payload)
#define DIFF(room, joins, leaves)                                                                            \
    receive(room, "presence_diff", "{\"joins\":" joins ",\"leaves\":" leaves "}")

static void expect_list(room_t *room, const char *expected)
{
    phx_buf_t list = {0};
    phx_slice_t key;
    phx_slice_t entry;
    size_t cursor = 0;
    while (phxc_presence_next(room->presence, &cursor, &key, &entry)) {
        phx_buf_append_slice(&list, key);
        phx_buf_append_text(&list, "=");
        phx_buf_append_slice(&list, entry);
        phx_buf_append_text(&list, ";");
    }
    assert_slice(phx_buf_slice(&list), phx_slice_of(expected));
    phx_buf_free(&list);
}

#define M(ref) "{\"phx_ref\":\"" ref "\"}"
#define E(metas) "{\"metas\":[" metas "]}"

START_TEST(first_state) /* PRES-12, PRES-16 */
{
    room_t room;
    start(&room);
    ck_assert(phxc_presence_pending(room.presence));
    STATE(&room, "{\"u2\":" E(M("2")) ",\"u1\":" E(M("1")) "}");
    rig_expect(&room.rig, "+ u1 [] " E(M("1")) "\n+ u2 [] " E(M("2")) "\nsynced\n");
    expect_list(&room, "u1=" E(M("1")) ";u2=" E(M("2")) ";");
    ck_assert(!phxc_presence_pending(room.presence));
    STATE(&room, "{}");
    rig_expect(&room.rig,
               "- u1 [{\"metas\":[]}] " E(M("1")) "\n- u2 [{\"metas\":[]}] " E(M("2")) "\nsynced\n");
    expect_list(&room, "");
    rig_end(&room.rig);
}
END_TEST

START_TEST(a_second_state) /* PRES-12: by phx_ref alone; PRES-10: other members are those of the new state */
{
    room_t room;
    start(&room);
    STATE(&room, "{\"a\":{\"metas\":[" M("1") "," M("2") "],\"x\":1},\"b\":" E(M("3")) "}");
    phx_buf_clear(&room.rig.log);
    STATE(&room, "{\"a\":{\"x\":2,\"metas\":[" M("2") "," M("4") "]},\"c\":" E(M("5")) "}");
    rig_expect(
        &room.rig,
        "+ a [{\"metas\":[" M("1") "," M("2") "],\"x\":1}] {\"metas\":[" M(
            "4") "],\"x\":2}\n"
                 "+ c [] " E(M("5")) "\n"
                                     "- a [{\"metas\":[" M("2") "," M("4") "],\"x\":2}] {\"metas\":[" M(
                                         "1") "],\"x\":1}\n"
                                              "- b [{\"metas\":[]}] " E(M("3")) "\nsynced\n");
    expect_list(&room, "a={\"metas\":[" M("2") "," M("4") "],\"x\":2};c=" E(M("5")) ";");
    rig_end(&room.rig);
}
END_TEST

START_TEST(diffs) /* PRES-13, PRES-14 */
{
    room_t room;
    start(&room);
    STATE(&room, "{}");
    phx_buf_clear(&room.rig.log);
    DIFF(&room, "{\"a\":{\"metas\":[" M("1") "],\"x\":1}}", "{}"); /* onto an empty state, too */
    rig_expect(&room.rig, "+ a [] {\"metas\":[" M("1") "],\"x\":1}\nsynced\n");
    DIFF(&room, "{\"a\":{\"metas\":[" M("2") "],\"x\":2}}", "{}");
    expect_list(&room, "a={\"metas\":[" M("1") "," M("2") "],\"x\":2};");
    DIFF(&room, "{\"a\":" E("{\"phx_ref\":\"2\",\"again\":1}") "}", "{}"); /* the same ref once */
    expect_list(&room, "a={\"metas\":[" M("1") ",{\"phx_ref\":\"2\",\"again\":1}]};");
    phx_buf_clear(&room.rig.log);
    DIFF(&room, "{}", "{\"a\":" E(M("1")) ",\"unknown\":" E(M("9")) "}");
    rig_expect(&room.rig, "- a [" E("{\"phx_ref\":\"2\",\"again\":1}") "] " E(M("1")) "\nsynced\n");
    DIFF(&room, "{}", "{\"a\":" E(M("2")) "}");
    rig_expect(&room.rig, "- a [{\"metas\":[]}] " E(M("2")) "\nsynced\n");
    expect_list(&room, "");
    rig_end(&room.rig);
}
END_TEST

START_TEST(an_update) /* PRES-04, PRES-14: the same key in both ends with the new meta only */
{
    room_t room;
    start(&room);
    STATE(&room, "{\"a\":" E(M("1")) "}");
    phx_buf_clear(&room.rig.log);
    DIFF(&room, "{\"a\":" E(M("2")) "}", "{\"a\":" E(M("1")) "}");
    rig_expect(&room.rig, "+ a [" E(M("1")) "] " E(M("2")) "\n- a [" E(M("2")) "] " E(M("1")) "\nsynced\n");
    expect_list(&room, "a=" E(M("2")) ";");
    rig_end(&room.rig);
}
END_TEST

START_TEST(diffs_before_the_state) /* PRES-15 */
{
    room_t room;
    start(&room);
    DIFF(&room, "{\"b\":" E(M("2")) "}", "{}");
    DIFF(&room, "{\"c\":" E(M("3")) "}", "{\"b\":" E(M("2")) "}");
    rig_expect(&room.rig, "");
    STATE(&room, "{\"a\":" E(M("1")) "}");
    rig_expect(&room.rig, "+ a [] " E(M("1")) "\n+ b [] " E(M("2")) "\n+ c [] " E(
                              M("3")) "\n"
                                      "- b [{\"metas\":[]}] " E(M("2")) "\nsynced\n");
    expect_list(&room, "a=" E(M("1")) ";c=" E(M("3")) ";");

    /* With another join the state counts no more, and what waited for it neither. */
    rig_receive(&room.rig, "[\"1\",\"1\",\"c\",\"phx_error\",{}]");
    rig_advance(&room.rig, 1000);
    rig_receive(&room.rig, "[\"2\",\"2\",\"c\",\"phx_reply\",{\"status\":\"ok\",\"response\":{}}]");
    ck_assert(phxc_presence_pending(room.presence));
    DIFF(&room, "{\"lost\":" E(M("8")) "}", "{}");
    rig_receive(&room.rig, "[\"2\",\"2\",\"c\",\"phx_error\",{}]");
    rig_advance(&room.rig, 1000);
    rig_receive(&room.rig, "[\"3\",\"3\",\"c\",\"phx_reply\",{\"status\":\"ok\",\"response\":{}}]");
    DIFF(&room, "{\"d\":" E(M("4")) "}", "{}");
    phx_buf_clear(&room.rig.log);
    STATE(&room, "{\"a\":" E(M("1")) "}");
    rig_expect(&room.rig, "- c [{\"metas\":[]}] " E(M("3")) "\n+ d [] " E(M("4")) "\nsynced\n");
    expect_list(&room, "a=" E(M("1")) ";d=" E(M("4")) ";");
    rig_end(&room.rig);
}
END_TEST

START_TEST(diffs_that_wait_at_the_end)
{
    room_t room;
    start(&room);
    DIFF(&room, "{\"b\":" E(M("2")) "}", "{}");
    rig_end(&room.rig);
}
END_TEST

/* Diffs of `bytes` bytes and a little, each with a presence of its own, and only then the state. */
static void flood(room_t *room, int count, size_t bytes)
{
    phx_buf_t filler = {0};
    phx_buf_t text = {0};
    for (size_t i = 0; i < bytes; i++) {
        phx_buf_append_byte(&filler, 'x');
    }
    phx_buf_append_byte(&filler, 0);
    for (int i = 0; i < count; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%d", i);
        phx_buf_clear(&text);
        phx_buf_append_text(&text, "[null,null,\"c\",\"presence_diff\",{\"leaves\":{},\"joins\":{\"");
        phx_buf_append_text(&text, key);
        phx_buf_append_text(&text, "\":" E(M("1")) "},\"filler\":\"");
        phx_buf_append_text(&text, (const char *)filler.data);
        phx_buf_append_text(&text, "\"}]");
        phx_buf_append_byte(&text, 0);
        rig_receive(&room->rig, (const char *)text.data);
    }
    STATE(room, "{}");
    phx_buf_free(&filler);
    phx_buf_free(&text);
}

static size_t presences(const room_t *room)
{
    phx_slice_t key;
    phx_slice_t entry;
    size_t cursor = 0;
    while (phxc_presence_next(room->presence, &cursor, &key, &entry)) {
    }
    return cursor;
}

START_TEST(a_state_that_does_not_come)
{
    static const struct {
        int diffs;
        size_t bytes;
        size_t left;
    } CASES[] = {
        {1000, 0, 1000}, {1001, 0, 1}, {16, 1020000, 16}, {18, 1020000, 2}, {1, 17000000, 0},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        room_t room;
        start(&room);
        flood(&room, CASES[i].diffs, CASES[i].bytes);
        ck_assert_uint_eq(presences(&room), CASES[i].left);
        rig_end(&room.rig);
    }
}
END_TEST

START_TEST(keys_are_data) /* PRES-17 */
{
    room_t room;
    start(&room);
    STATE(&room, "{\"__proto__\":" E(M("1")) ",\"constructor\":" E(M("2")) ",\"\":" E(
                     M("3")) ",\"\\u00e4\":" E(M("4")) "}");
    expect_list(&room,
                "=" E(M("3")) ";__proto__=" E(M("1")) ";constructor=" E(M("2")) ";\xc3\xa4=" E(M("4")) ";");
    DIFF(&room, "{}", "{\"__proto__\":" E(M("1")) ",\"\xc3\xa4\":" E(M("4")) "}");
    expect_list(&room, "=" E(M("3")) ";constructor=" E(M("2")) ";");
    rig_end(&room.rig);
}
END_TEST

START_TEST(nonsense) /* is left out, and nothing else is lost by it */
{
    room_t room;
    start(&room);
    STATE(&room,
          "{\"a\":1,\"b\":{\"metas\":{}},\"c\":{\"metas\":[1]},\"d\":{\"metas\":[{}]},\"e\":" E(M("5")) "}");
    expect_list(&room, "e=" E(M("5")) ";");
    DIFF(&room, "[]", "7");
    receive(&room, "presence_diff", "{}");
    receive(&room, "presence_diff", "null");
    expect_list(&room, "e=" E(M("5")) ";");
    rig_receive_bytes(&room.rig, PHX_SLICE("\x02\x01\x0e"
                                           "cpresence_state{}"));
    expect_list(&room, "e=" E(M("5")) ";");
    STATE(&room, "[]");
    expect_list(&room, "");
    rig_end(&room.rig);
}
END_TEST

START_TEST(other_names) /* PRES-18 */
{
    room_t room;
    start(&room);
    phxc_presence_t *other = phxc_presence_new(room.channel, "s", "d", &CALLBACKS, &room.rig);
    receive(&room, "s", "{\"a\":" E(M("1")) "}");
    receive(&room, "d", "{\"joins\":{},\"leaves\":{\"a\":" E(M("1")) "}}");
    rig_expect(&room.rig, "+ a [] " E(M("1")) "\nsynced\n- a [{\"metas\":[]}] " E(M("1")) "\nsynced\n");
    expect_list(&room, "");
    phxc_presence_free(other);
    receive(&room, "s", "{\"a\":" E(M("1")) "}");
    rig_expect(&room.rig, "");
    rig_end(&room.rig);
}
END_TEST

static phxc_presence_t *to_free;

static void free_on_join(rig_t *rig, const char *line)
{
    (void)rig;
    if (line[0] == '+') {
        phxc_presence_free(to_free);
    }
}

START_TEST(freed_by_its_own_callback)
{
    room_t room;
    start(&room);
    to_free = room.presence;
    room.rig.hook = free_on_join;
    STATE(&room, "{\"a\":" E(M("1")) ",\"b\":" E(M("2")) "}");
    rig_expect(&room.rig, "+ a [] " E(M("1")) "\n");
    room.rig.hook = NULL;
    STATE(&room, "{}");
    rig_expect(&room.rig, "");
    rig_end(&room.rig);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        first_state,
        a_second_state,
        diffs,
        an_update,
        diffs_before_the_state,
        diffs_that_wait_at_the_end,
        a_state_that_does_not_come,
        keys_are_data,
        nonsense,
        other_names,
        freed_by_its_own_callback,
    };
    TCase *tcase = tcase_create("presence");
    for (size_t i = 0; i < COUNT(tests); i++) {
        tcase_add_test(tcase, tests[i]);
    }
    Suite *suite = suite_create("presence");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
