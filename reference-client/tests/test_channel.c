/* SPDX-License-Identifier: MIT */
/* Joins, rejoins, leaves, pushes and the messages of channels, on a clock and a network of our own. */
#include "rig.h"

#include <stdio.h>
#include <string.h>

#define JOIN(ref) "> [\"" ref "\",\"" ref "\",\"c\",\"phx_join\",{}]\n"
#define OK_JOIN(ref) "[\"" ref "\",\"" ref "\",\"c\",\"phx_reply\",{\"status\":\"ok\",\"response\":{}}]"
#define REPLY(join_ref, ref, status, response)                                                               \
    "[\"" join_ref "\",\"" ref "\",\"c\",\"phx_reply\",{\"status\":\"" status "\",\"response\":" response "}]"

/* An open socket with a channel "c" that is joined as "1". */
static phxc_channel_t *start_joined(rig_t *rig, void (*change)(phxc_config_t *config))
{
    rig_start(rig, change);
    rig_online(rig);
    phxc_channel_t *channel = rig_channel(rig, "c", "{}");
    ck_assert_int_eq(phxc_channel_join(channel, 0), 0);
    rig_receive(rig, OK_JOIN("1"));
    rig_expect(rig, JOIN("1") "joined c {}\n");
    return channel;
}

static void cut(rig_t *rig)
{
    rig_closed(rig, 1006, false);
    rig_advance(rig, 10);
    phx_buf_clear(&rig->log);
}

/* ---- join ---- */

START_TEST(join_once) /* JOIN-01, CL-CHAN-01, CL-CHAN-02 */
{
    rig_t rig;
    phxc_channel_t *channel = start_joined(&rig, NULL);
    ck_assert_int_eq(phxc_channel_join(channel, 0), PHXC_EJOINED);
    ck_assert_int_eq(phxc_channel_state(channel), PHXC_CHANNEL_JOINED);
    assert_slice(phxc_channel_join_ref(channel), PHX_SLICE("1"));
    assert_slice(phxc_channel_topic(channel), PHX_SLICE("c"));
    rig_receive(&rig, OK_JOIN("1")); /* once is enough */
    rig_expect(&rig, "");
    rig_end(&rig);
}
END_TEST

START_TEST(join_refused) /* CL-CHAN-05, CL-CHAN-07 */
{
    static const unsigned delays[] = {1000, 2000, 5000, 10000, 10000};
    rig_t rig;
    rig_start(&rig, NULL);
    rig_online(&rig);
    phxc_channel_t *channel = rig_channel(&rig, "c", "{}");
    ck_assert_int_eq(phxc_channel_join(channel, 0), 0);
    rig_expect(&rig, JOIN("1"));
    for (unsigned i = 0; i < COUNT(delays); i++) {
        char text[200];
        (void)snprintf(text, sizeof text,
                       "[\"%u\",\"%u\",\"c\",\"phx_reply\",{\"status\":\"error\",\"response\":{\"r\":1}}]",
                       i + 1, i + 1);
        rig_receive(&rig, text);
        (void)snprintf(text, sizeof text, "refused c error {\"r\":1}\nrejoining c %u %u\n", i + 1, delays[i]);
        rig_expect(&rig, text);
        rig_advance(&rig, delays[i] - 1);
        rig_expect(&rig, "");
        rig_advance(&rig, 1);
        (void)snprintf(text, sizeof text, "> [\"%u\",\"%u\",\"c\",\"phx_join\",{}]\n", i + 2, i + 2);
        rig_expect(&rig, text);
    }
    rig_receive(&rig, OK_JOIN("6"));
    rig_receive(&rig, "[\"6\",\"6\",\"c\",\"phx_error\",{}]"); /* the table starts anew */
    rig_expect(&rig, "joined c {}\nerrored c server {}\nrejoining c 1 1000\n");
    rig_end(&rig);
}
END_TEST

START_TEST(join_timeout) /* CL-CHAN-08 */
{
    rig_t rig;
    rig_start(&rig, NULL);
    rig_online(&rig);
    phxc_channel_t *channel = rig_channel(&rig, "c", "{}");
    ck_assert_int_eq(phxc_channel_join(channel, 700), 0);
    rig_advance(&rig, 699);
    rig_expect(&rig, JOIN("1"));
    rig_advance(&rig, 1);
    rig_expect(&rig, "> [\"1\",\"2\",\"c\",\"phx_leave\",{}]\njoin timeout c\nrejoining c 1 1000\n");
    rig_receive(&rig, OK_JOIN("1")); /* too late: the leave is on its way */
    rig_expect(&rig, "");
    rig_advance(&rig, 1000);
    rig_expect(&rig, JOIN("3"));
    rig_receive(&rig, "[\"1\",\"1\",\"c\",\"phx_close\",{}]");
    rig_receive(&rig, OK_JOIN("1"));
    rig_expect(&rig, "");
    rig_receive(&rig, OK_JOIN("3"));
    rig_expect(&rig, "joined c {}\n");
    rig_end(&rig);
}
END_TEST

START_TEST(join_timeout_without_a_connection)
{
    rig_t rig;
    rig_start(&rig, NULL);
    phxc_channel_t *channel = rig_channel(&rig, "c", "{}");
    ck_assert_int_eq(phxc_channel_join(channel, 700), 0);
    rig_advance(&rig, 600);
    rig_online(&rig); /* the time counts from the sending again */
    rig_advance(&rig, 699);
    rig_expect(&rig, "");
    rig_advance(&rig, 1);
    rig_expect(&rig, "> [\"1\",\"2\",\"c\",\"phx_leave\",{}]\njoin timeout c\nrejoining c 1 1000\n");
    rig_end(&rig);

    rig_start(&rig, NULL);
    channel = rig_channel(&rig, "c", "{}");
    ck_assert_int_eq(phxc_channel_join(channel, 700), 0);
    rig_advance(&rig, 700); /* nothing was sent, nothing is left */
    rig_expect(&rig, "join timeout c\n");
    phxc_socket_connect(rig.socket);
    phx_buf_clear(&rig.log);
    rig_open(&rig);
    rig_expect(&rig, "opened\n" JOIN("1"));
    rig_end(&rig);
}
END_TEST

static void give_params(void *user, phx_buf_t *json)
{
    rig_t *rig = user;
    char text[40];
    (void)snprintf(text, sizeof text, "{\"now\":%u}", (unsigned)rig->now);
    phx_buf_append_text(json, text);
}

static void give_nonsense(void *user, phx_buf_t *json)
{
    (void)user;
    phx_buf_append_text(json, "{");
}

START_TEST(join_params) /* CL-CHAN-01 */
{
    rig_t rig;
    rig_start(&rig, NULL);
    rig_online(&rig);
    phxc_channel_t *channel = rig_channel(&rig, "c", "{");
    ck_assert_int_eq(phxc_channel_join(channel, 0), PHX_EJSON);
    ck_assert_int_eq(phxc_channel_state(channel), PHXC_CHANNEL_NEW);
    phxc_channel_params_at(channel, give_nonsense);
    ck_assert_int_eq(phxc_channel_join(channel, 0), PHX_EJSON);
    phxc_channel_params_at(channel, give_params);
    ck_assert_int_eq(phxc_channel_join(channel, 0), 0);
    rig_expect(&rig, "> [\"1\",\"1\",\"c\",\"phx_join\",{\"now\":1000}]\n");
    cut(&rig);
    rig_open(&rig);
    rig_expect(&rig, "opened\n> [\"2\",\"2\",\"c\",\"phx_join\",{\"now\":1010}]\n");
    phxc_channel_t *bytes = phxc_channel_new(rig.socket, PHX_SLICE("b"),
                                             (phx_payload_t){PHX_BINARY, PHX_SLICE("\x01")}, NULL, NULL);
    ck_assert_int_eq(phxc_channel_join(bytes, 0), 0);
    rig_expect(&rig, "> #0001010108333362706878"
                     "5f6a6f696e01\n");
    rig_end(&rig);
}
END_TEST

START_TEST(one_channel_per_topic) /* CL-CHAN-03 */
{
    rig_t rig;
    phxc_channel_t *old = start_joined(&rig, NULL);
    phxc_channel_t *other = rig_channel(&rig, "other", "{}");
    ck_assert_int_eq(phxc_channel_join(other, 0), 0);
    phx_buf_clear(&rig.log);
    phxc_channel_t *new = rig_channel(&rig, "c", "{}");
    ck_assert_int_eq(phxc_channel_join(new, 0), 0);
    rig_expect(&rig, "> [\"1\",\"3\",\"c\",\"phx_leave\",{}]\nleft c\n" JOIN("4"));
    ck_assert_int_eq(phxc_channel_state(old), PHXC_CHANNEL_CLOSED);
    ck_assert_int_eq(phxc_channel_state(other), PHXC_CHANNEL_JOINING);
    rig_receive(&rig, OK_JOIN("4"));
    rig_receive(&rig, "[\"1\",\"1\",\"c\",\"phx_close\",{}]"); /* JOIN-22: the old one's */
    rig_expect(&rig, "joined c {}\n");

    /* One that waits for its rejoin would push the new one out later. */
    rig_receive(&rig, "[\"4\",\"4\",\"c\",\"phx_error\",{}]");
    phx_buf_clear(&rig.log);
    phxc_channel_t *newest = rig_channel(&rig, "c", "{}");
    ck_assert_int_eq(phxc_channel_join(newest, 0), 0);
    rig_expect(&rig, "left c\n" JOIN("5"));
    rig_advance(&rig, 5000);
    rig_expect(&rig, "");
    rig_end(&rig);
}
END_TEST

/* ---- leave ---- */

START_TEST(leave) /* LEAVE-01, LEAVE-09, CL-CHAN-09 */
{
    rig_t rig;
    phxc_channel_t *channel = start_joined(&rig, NULL);
    phxc_channel_leave(channel);
    phxc_channel_leave(channel);
    rig_expect(&rig, "> [\"1\",\"2\",\"c\",\"phx_leave\",{}]\nleft c\n");
    rig_receive(&rig, REPLY("1", "2", "ok", "{}"));
    rig_receive(&rig, "[\"1\",null,\"c\",\"late\",{}]");
    rig_receive(&rig, "[null,null,\"c\",\"late\",{}]");
    rig_receive(&rig, "[\"1\",\"1\",\"c\",\"phx_close\",{}]");
    ck_assert_int_eq(phxc_channel_join(channel, 0), PHXC_ECLOSED);
    cut(&rig);
    rig_open(&rig);
    rig_advance(&rig, 20000);
    rig_expect(&rig, "opened\n");
    rig_end(&rig);
}
END_TEST

START_TEST(leave_while_joining)
{
    rig_t rig;
    rig_start(&rig, NULL);
    rig_online(&rig);
    phxc_channel_t *channel = rig_channel(&rig, "c", "{}");
    ck_assert_int_eq(phxc_channel_join(channel, 0), 0);
    phxc_channel_leave(channel);
    rig_receive(&rig, OK_JOIN("1"));
    rig_advance(&rig, 20000);
    rig_expect(&rig, JOIN("1") "> [\"1\",\"2\",\"c\",\"phx_leave\",{}]\nleft c\n");
    rig_end(&rig);
}
END_TEST

START_TEST(leave_without_a_connection) /* a connection that comes later has nothing to leave */
{
    rig_t rig;
    phxc_channel_t *channel = start_joined(&rig, NULL);
    rig_closed(&rig, 1006, false);
    phx_buf_clear(&rig.log);
    phxc_channel_leave(channel);
    phxc_channel_t *again = rig_channel(&rig, "c", "{}");
    ck_assert_int_eq(phxc_channel_join(again, 0), 0);
    rig_advance(&rig, 10);
    phx_buf_clear(&rig.log);
    rig_open(&rig);
    rig_expect(&rig, JOIN("2") "opened\n");
    rig_end(&rig);
}
END_TEST

START_TEST(leave_of_an_errored_channel)
{
    rig_t rig;
    phxc_channel_t *channel = start_joined(&rig, NULL);
    rig_receive(&rig, "[\"1\",\"1\",\"c\",\"phx_error\",{}]");
    phxc_channel_leave(channel);
    rig_advance(&rig, 20000);
    rig_expect(&rig, "errored c server {}\nrejoining c 1 1000\nleft c\n");
    rig_end(&rig);
}
END_TEST

/* ---- ends ---- */

START_TEST(ends_from_the_server) /* STOP-09, JREF-06 */
{
    rig_t rig;
    phxc_channel_t *channel = start_joined(&rig, NULL);
    rig_receive(&rig, "[\"0\",\"0\",\"c\",\"phx_error\",{}]");
    rig_receive(&rig, "[\"0\",\"0\",\"c\",\"phx_close\",{}]");
    rig_receive(&rig, "[null,\"0\",\"c\",\"phx_close\",{}]");
    rig_receive(&rig, "[\"1\",\"1\",\"other\",\"phx_close\",{}]");
    rig_expect(&rig, "");
    rig_receive(&rig, "[null,null,\"c\",\"phx_error\",{\"reason\":\"x\"}]");
    rig_receive(&rig, "[\"1\",\"1\",\"c\",\"phx_error\",{}]");
    rig_expect(&rig, "errored c server {\"reason\":\"x\"}\nrejoining c 1 1000\n");
    rig_advance(&rig, 1000);
    rig_receive(&rig, OK_JOIN("2"));
    rig_receive(&rig, "[\"2\",\"2\",\"c\",\"phx_close\",{}]");
    rig_expect(&rig, JOIN("2") "joined c {}\nclosed c\n");
    ck_assert_int_eq(phxc_channel_state(channel), PHXC_CHANNEL_CLOSED);
    cut(&rig);
    rig_open(&rig);
    rig_advance(&rig, 20000);
    rig_expect(&rig, "opened\n");
    rig_end(&rig);
}
END_TEST

static void version_1(phxc_config_t *config)
{
    config->vsn = PHX_V1;
}

START_TEST(a_late_end_in_version_1) /* V1-06: the end of a channel carries its join_ref as ref */
{
    rig_t rig;
    rig_start(&rig, version_1);
    rig_online(&rig);
    phxc_channel_t *old = rig_channel(&rig, "c", "{}");
    ck_assert_int_eq(phxc_channel_join(old, 0), 0);
    rig_receive(&rig, "{\"topic\":\"c\",\"event\":\"phx_reply\",\"ref\":\"1\",\"payload\":"
                      "{\"status\":\"ok\",\"response\":{}}}");
    phxc_channel_t *new = rig_channel(&rig, "c", "{}");
    ck_assert_int_eq(phxc_channel_join(new, 0), 0);
    rig_receive(&rig, "{\"topic\":\"c\",\"event\":\"phx_reply\",\"ref\":\"3\",\"payload\":"
                      "{\"status\":\"ok\",\"response\":{}}}");
    phx_buf_clear(&rig.log);
    rig_receive(&rig, "{\"topic\":\"c\",\"event\":\"phx_close\",\"ref\":\"1\",\"payload\":{}}");
    rig_receive(&rig, "{\"topic\":\"c\",\"event\":\"phx_error\",\"ref\":\"1\",\"payload\":{}}");
    rig_receive(&rig, "{\"topic\":\"c\",\"event\":\"e\",\"ref\":null,\"payload\":{}}");
    rig_expect(&rig, "message c e {}\n");
    rig_receive(&rig, "{\"topic\":\"c\",\"event\":\"phx_close\",\"ref\":\"3\",\"payload\":{}}");
    rig_expect(&rig, "closed c\n");
    rig_end(&rig);
}
END_TEST

/* ---- outages ---- */

START_TEST(rejoin_after_each_outage) /* CL-CONN-07, CL-CHAN-06 */
{
    rig_t rig;
    phxc_channel_t *channel = start_joined(&rig, NULL);
    rig_closed(&rig, 1012, true);
    rig_expect(
        &rig, "drop\nerrored c transport connection_closed\nclosed 1012  clean for now\nreconnecting 1 10\n");
    rig_advance(&rig, 10);
    rig_open(&rig);
    rig_receive(&rig, OK_JOIN("2"));
    rig_expect(&rig, "connecting ws://h/s/websocket?vsn=2.0.0\nopened\n" JOIN("2") "joined c {}\n");
    rig_fail(&rig, "broken pipe", 0);
    rig_closed(&rig, 1006, false);
    rig_expect(&rig,
               "failed broken pipe 0\nerrored c transport connection_error\ndrop\nclosed 1006  for now\n"
               "reconnecting 1 10\n");
    rig_advance(&rig, 10);
    rig_open(&rig);
    rig_receive(&rig, OK_JOIN("3"));
    rig_expect(&rig, "connecting ws://h/s/websocket?vsn=2.0.0\nopened\n" JOIN("3") "joined c {}\n");
    ck_assert_int_eq(phxc_channel_state(channel), PHXC_CHANNEL_JOINED);
    rig_end(&rig);
}
END_TEST

START_TEST(rejoin_after_disconnect_and_connect)
{
    rig_t rig;
    (void)start_joined(&rig, NULL);
    phxc_socket_disconnect(rig.socket, 0, PHX_SLICE(""));
    rig_closed(&rig, 1005, true);
    phxc_socket_connect(rig.socket);
    rig_open(&rig);
    rig_expect(&rig, "close 0 \ndrop\nerrored c transport connection_closed\nclosed 1005  clean for good\n"
                     "connecting ws://h/s/websocket?vsn=2.0.0\nopened\n" JOIN("2"));
    rig_end(&rig);
}
END_TEST

START_TEST(rejoins_only_while_connected) /* CL-CHAN-05 */
{
    rig_t rig;
    (void)start_joined(&rig, NULL);
    rig_receive(&rig, "[\"1\",\"1\",\"c\",\"phx_error\",{}]");
    rig_closed(&rig, 1000, true);
    phx_buf_clear(&rig.log);
    rig_advance(&rig, 20000);
    rig_expect(&rig, "");
    phxc_socket_connect(rig.socket);
    rig_open(&rig);
    rig_advance(&rig, 5000); /* no second join from the table */
    rig_expect(&rig, "connecting ws://h/s/websocket?vsn=2.0.0\nopened\n" JOIN("2"));
    rig_end(&rig);
}
END_TEST

/* ---- push ---- */

START_TEST(push_and_reply) /* PUSH-01, PUSH-08, PUSH-17, JREF-05, CL-CHAN-12 */
{
    rig_t rig;
    phxc_channel_t *channel = start_joined(&rig, NULL);
    ck_assert_int_eq(rig_push(channel, "a", "{\"x\":1}", "a"), 0);
    ck_assert_int_eq(rig_push(channel, "b", "[2]", "b"), 0);
    ck_assert_int_eq(phxc_channel_push(channel, PHX_SLICE("n"), PHX_JSON_PAYLOAD("{}"), 0, NULL, NULL), 0);
    rig_expect(&rig, "> [\"1\",\"2\",\"c\",\"a\",{\"x\":1}]\n> [\"1\",\"3\",\"c\",\"b\",[2]]\n"
                     "> [\"1\",\"4\",\"c\",\"n\",{}]\n");
    rig_receive(&rig, REPLY("0", "2", "ok", "\"stale\""));
    rig_receive(&rig, REPLY("1", "99", "ok", "\"unknown\""));
    rig_receive(&rig, "[\"1\",\"2\",\"other\",\"phx_reply\",{\"status\":\"ok\",\"response\":{}}]");
    rig_receive(&rig, "[\"1\",\"2\",\"c\",\"phx_reply\",{\"no\":\"status\"}]");
    rig_receive(&rig, REPLY("1", "4", "ok", "{}"));
    rig_expect(&rig, "");
    rig_receive(&rig, REPLY("1", "3", "error", "{\"r\":1}"));
    rig_receive(&rig, REPLY("1", "2", "busy", "null"));
    rig_receive(&rig, REPLY("1", "2", "ok", "\"second\""));
    rig_advance(&rig, 20000);
    rig_expect(&rig, "reply b error {\"r\":1}\nreply a busy null\n");
    rig_end(&rig);
}
END_TEST

START_TEST(replies_without_join_ref) /* what an unmatched topic brings (V2-09) */
{
    rig_t rig;
    phxc_channel_t *channel = start_joined(&rig, NULL);
    ck_assert_int_eq(rig_push(channel, "a", "{}", "a"), 0);
    rig_receive(&rig,
                "[null,\"2\",\"c\",\"phx_reply\",{\"status\":\"error\",\"response\":{\"reason\":\"unmatched "
                "topic\"}}]");
    rig_expect(&rig, "> [\"1\",\"2\",\"c\",\"a\",{}]\nreply a error {\"reason\":\"unmatched topic\"}\n");
    rig_end(&rig);
}
END_TEST

START_TEST(push_timeout) /* PUSH-18 */
{
    rig_t rig;
    phxc_channel_t *channel = start_joined(&rig, NULL);
    ck_assert_int_eq(rig_push(channel, "a", "{}", "a"), 0);
    rig_advance(&rig, 9999);
    rig_expect(&rig, "> [\"1\",\"2\",\"c\",\"a\",{}]\n");
    rig_advance(&rig, 1);
    rig_receive(&rig, REPLY("1", "2", "ok", "\"late\""));
    rig_expect(&rig, "reply a timeout\n");
    rig_end(&rig);
}
END_TEST

START_TEST(pushes_wait_for_the_join) /* CL-CHAN-04, CL-CHAN-07, PUSH-18, PUSH-19 */
{
    rig_t rig;
    rig_start(&rig, NULL);
    phxc_channel_t *channel = rig_channel(&rig, "c", "{}");
    ck_assert_int_eq(rig_push(channel, "x", "{}", "x"), PHXC_ENOTJOINED);
    ck_assert_int_eq(phxc_channel_join(channel, 0), 0);
    ck_assert_int_eq(rig_push(channel, "a", "{}", "a"), 0);
    rig_online(&rig);
    rig_advance(&rig, 5000);
    ck_assert_int_eq(rig_push(channel, "b", "{}", "b"), 0);
    ck_assert_int_eq(rig_push(channel, "c", "{}", "c"), 0);
    rig_receive(&rig, "[\"1\",\"1\",\"c\",\"phx_reply\",{\"status\":\"error\",\"response\":{}}]");
    rig_expect(&rig, "refused c error {}\nrejoining c 1 1000\n");
    rig_advance(&rig, 6000); /* the first one's time is over: it is not sent any more */
    rig_expect(&rig, JOIN("2") "reply a timeout\n");
    rig_receive(&rig, OK_JOIN("2"));
    rig_expect(&rig, "> [\"2\",\"3\",\"c\",\"b\",{}]\n> [\"2\",\"4\",\"c\",\"c\",{}]\njoined c {}\n");
    rig_advance(&rig, 9999); /* counted from the sending */
    rig_expect(&rig, "");
    rig_receive(&rig, REPLY("2", "4", "ok", "1"));
    rig_advance(&rig, 1);
    rig_expect(&rig, "reply c ok 1\nreply b timeout\n");
    rig_end(&rig);
}
END_TEST

START_TEST(pushes_wait_through_an_outage)
{
    rig_t rig;
    phxc_channel_t *channel = start_joined(&rig, NULL);
    ck_assert_int_eq(rig_push(channel, "lost", "{}", "lost"), 0);
    rig_closed(&rig, 1006, false);
    ck_assert_int_eq(rig_push(channel, "kept", "{}", "kept"), 0);
    rig_advance(&rig, 10);
    phx_buf_clear(&rig.log);
    rig_open(&rig);
    rig_receive(&rig, OK_JOIN("3"));
    rig_expect(&rig, "opened\n" JOIN("3") "> [\"3\",\"4\",\"c\",\"kept\",{}]\njoined c {}\n");
    rig_receive(&rig, REPLY("3", "4", "ok", "{}"));
    rig_advance(&rig, 10000); /* MSG-12: what was sent before is not sent again */
    rig_expect(&rig, "reply kept ok {}\nreply lost timeout\n");
    rig_end(&rig);
}
END_TEST

START_TEST(a_reply_to_a_waiting_push_of_old) /* replies go by the ref that was sent */
{
    rig_t rig;
    phxc_channel_t *channel = start_joined(&rig, NULL);
    ck_assert_int_eq(rig_push(channel, "a", "{}", "a"), 0);
    cut(&rig);
    rig_open(&rig);
    rig_receive(&rig, "[null,\"2\",\"c\",\"phx_reply\",{\"status\":\"ok\",\"response\":{}}]");
    rig_expect(&rig, "opened\n" JOIN("3") "reply a ok {}\n");
    rig_end(&rig);
}
END_TEST

static void push_on_joined(rig_t *rig, const char *line)
{
    if (strncmp(line, "> [\"1\",\"2\"", 10) == 0) {
        rig->hook = NULL;
        ck_assert_int_eq(rig_push(rig->socket->channels[0], "third", "{}", "third"), 0);
    }
}

START_TEST(order_of_waiting_pushes) /* also of those that callbacks push meanwhile */
{
    rig_t rig;
    rig_start(&rig, NULL);
    rig_online(&rig);
    phxc_channel_t *channel = rig_channel(&rig, "c", "{}");
    ck_assert_int_eq(phxc_channel_join(channel, 0), 0);
    ck_assert_int_eq(rig_push(channel, "first", "{}", "first"), 0);
    ck_assert_int_eq(rig_push(channel, "second", "{}", "second"), 0);
    phx_buf_clear(&rig.log);
    rig.hook = push_on_joined;
    rig_receive(&rig, OK_JOIN("1"));
    rig_expect(&rig, "> [\"1\",\"2\",\"c\",\"first\",{}]\n> [\"1\",\"3\",\"c\",\"second\",{}]\n"
                     "> [\"1\",\"4\",\"c\",\"third\",{}]\njoined c {}\n");
    rig_end(&rig);
}
END_TEST

START_TEST(pushes_that_cannot_be_written) /* BIN-09, V1-08 */
{
    char topic[300];
    memset(topic, 't', sizeof topic - 1);
    topic[sizeof topic - 1] = '\0';
    rig_t rig;
    phxc_channel_t *channel = start_joined(&rig, NULL);
    ck_assert_int_eq(rig_push(channel, "a", "{", "a"), PHX_EJSON);
    ck_assert_int_eq(rig_push(channel, "\xff", "{}", "a"), PHX_EUTF8);
    const phx_payload_t bytes = {PHX_BINARY, PHX_SLICE("\x00\xff")};
    ck_assert_int_eq(phxc_channel_push(channel, phx_slice_of(topic), bytes, 0, NULL, NULL), PHX_ETOOLONG);
    ck_assert_int_eq(phxc_channel_push(channel, PHX_SLICE("e"), bytes, 0, NULL, NULL),
                     0); /* BIN-02, BIN-08 */
    rig_expect(&rig, "> #00010101013132636500ff\n");
    rig_end(&rig);
    rig_start(&rig, version_1);
    channel = rig_channel(&rig, "c", "{}");
    ck_assert_int_eq(phxc_channel_join(channel, 0), 0);
    ck_assert_int_eq(phxc_channel_push(channel, PHX_SLICE("e"), bytes, 0, NULL, NULL), PHX_EV1BINARY);
    rig_end(&rig);
}
END_TEST

START_TEST(a_leave_cancels_pushes)
{
    rig_t rig;
    phxc_channel_t *channel = start_joined(&rig, NULL);
    ck_assert_int_eq(rig_push(channel, "a", "{}", "a"), 0);
    phx_buf_clear(&rig.log);
    phxc_channel_leave(channel);
    rig_expect(&rig, "> [\"1\",\"3\",\"c\",\"phx_leave\",{}]\nreply a cancelled\nleft c\n");
    ck_assert_int_eq(rig_push(channel, "b", "{}", "b"), PHXC_ECLOSED);
    rig_end(&rig);
}
END_TEST

START_TEST(the_end_of_the_socket_cancels_pushes)
{
    rig_t rig;
    phxc_channel_t *channel = start_joined(&rig, NULL);
    ck_assert_int_eq(rig_push(channel, "a", "{}", "a"), 0);
    rig_closed(&rig, 1006, false);
    ck_assert_int_eq(rig_push(channel, "b", "{}", "b"), 0);
    rig_end(&rig);
}
END_TEST

/* ---- messages ---- */

static void handle(void *user, phxc_channel_t *channel, phx_payload_t payload)
{
    (void)channel;
    rig_line(user, "handled %.*s", (int)payload.data.len, payload.data.data);
}

START_TEST(handlers) /* CL-CHAN-10, JREF-06 */
{
    rig_t rig;
    phxc_channel_t *channel = start_joined(&rig, NULL);
    const int first = phxc_channel_on(channel, PHX_SLICE("e"), handle, &rig);
    const int second = phxc_channel_on(channel, PHX_SLICE("e"), handle, &rig);
    ck_assert_int_gt(first, 0);
    ck_assert_int_ne(first, second);
    rig_receive(&rig, "[null,null,\"c\",\"e\",{\"n\":1}]");
    rig_expect(&rig, "message c e {\"n\":1}\nhandled {\"n\":1}\nhandled {\"n\":1}\n");
    phxc_channel_off(channel, first);
    phxc_channel_off(channel, 77);
    rig_receive(&rig, "[\"1\",null,\"c\",\"e\",{}]");
    rig_advance(&rig, 0);
    rig_receive(&rig, "[\"1\",null,\"c\",\"e\",{}]");
    rig_receive(&rig, "[\"1\",null,\"c\",\"unknown\",{}]");
    rig_expect(&rig, "message c e {}\nhandled {}\nmessage c e {}\nhandled {}\nmessage c unknown {}\n");
    rig_receive(&rig, "[\"0\",null,\"c\",\"e\",{}]");
    rig_receive(&rig, "[1,null,\"c\",\"e\",{}]"); /* JREF-04: not the string "1" */
    rig_receive(&rig, "[null,null,\"C\",\"e\",{}]");
    rig_expect(&rig, "");
    rig_end(&rig);
}
END_TEST

START_TEST(binary_messages) /* BIN-03, BIN-04, BIN-05 */
{
    rig_t rig;
    phxc_channel_t *channel = start_joined(&rig, NULL);
    ck_assert_int_eq(rig_push(channel, "a", "{}", "a"), 0);
    phx_buf_clear(&rig.log);
    rig_receive_bytes(&rig, PHX_SLICE("\x00\x01\x01\x01"
                                      "1ce\xff"));
    rig_receive_bytes(&rig, PHX_SLICE("\x02\x01\x01"
                                      "ce\x00"));
    rig_receive_bytes(&rig, PHX_SLICE("\x00\x01\x01\x01"
                                      "9ce\xff"));
    rig_receive_bytes(&rig, PHX_SLICE("\x01\x01\x01\x01\x02"
                                      "12cok\x05"));
    rig_expect(&rig, "message c e #ff\nmessage c e #00\nreply a ok #05\n");
    rig_end(&rig);
}
END_TEST

static void free_on_message(rig_t *rig, const char *line)
{
    if (strncmp(line, "handled", 7) == 0 || strcmp(line, "message c unheard {}") == 0) {
        phxc_channel_free(rig->socket->channels[0]);
    }
}

START_TEST(a_channel_freed_where_a_message_is_told)
{
    rig_t rig;
    phxc_channel_t *channel = start_joined(&rig, NULL);
    ck_assert_int_gt(phxc_channel_on(channel, PHX_SLICE("unheard"), handle, &rig), 0);
    rig.hook = free_on_message;
    rig_receive(&rig, "[null,null,\"c\",\"unheard\",{}]");
    rig_expect(&rig, "message c unheard {}\n> [\"1\",\"2\",\"c\",\"phx_leave\",{}]\n");
    rig.hook = NULL;
    rig_advance(&rig, 0);
    ck_assert_uint_eq(rig.socket->channel_count, 0);
    rig_end(&rig);
}
END_TEST

START_TEST(a_channel_freed_by_its_own_handler)
{
    rig_t rig;
    phxc_channel_t *channel = start_joined(&rig, NULL);
    ck_assert_int_gt(phxc_channel_on(channel, PHX_SLICE("e"), handle, &rig), 0);
    ck_assert_int_gt(phxc_channel_on(channel, PHX_SLICE("e"), handle, &rig), 0);
    rig.hook = free_on_message;
    rig_receive(&rig, "[null,null,\"c\",\"e\",{}]");
    rig_expect(&rig, "message c e {}\nhandled {}\n> [\"1\",\"2\",\"c\",\"phx_leave\",{}]\n");
    rig.hook = NULL;
    rig_receive(&rig, "[null,null,\"c\",\"e\",{}]");
    rig_advance(&rig, 0);
    ck_assert_uint_eq(rig.socket->channel_count, 0);
    rig_expect(&rig, "");
    rig_end(&rig);
}
END_TEST

static void leave_on_errored(rig_t *rig, const char *line)
{
    if (strncmp(line, "errored", 7) == 0) {
        phxc_channel_leave(rig->socket->channels[0]);
    }
}

START_TEST(a_channel_left_when_it_fails)
{
    rig_t rig;
    (void)start_joined(&rig, NULL);
    rig.hook = leave_on_errored;
    rig_receive(&rig, "[\"1\",\"1\",\"c\",\"phx_error\",{}]");
    rig_advance(&rig, 20000);
    rig_expect(&rig, "errored c server {}\nleft c\n");
    rig_end(&rig);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        join_once,
        join_refused,
        join_timeout,
        join_timeout_without_a_connection,
        join_params,
        one_channel_per_topic,
        leave,
        leave_while_joining,
        leave_without_a_connection,
        leave_of_an_errored_channel,
        ends_from_the_server,
        a_late_end_in_version_1,
        rejoin_after_each_outage,
        rejoin_after_disconnect_and_connect,
        rejoins_only_while_connected,
        push_and_reply,
        replies_without_join_ref,
        push_timeout,
        pushes_wait_for_the_join,
        pushes_wait_through_an_outage,
        a_reply_to_a_waiting_push_of_old,
        order_of_waiting_pushes,
        pushes_that_cannot_be_written,
        a_leave_cancels_pushes,
        the_end_of_the_socket_cancels_pushes,
        handlers,
        binary_messages,
        a_channel_freed_where_a_message_is_told,
        a_channel_freed_by_its_own_handler,
        a_channel_left_when_it_fails,
    };
    TCase *tcase = tcase_create("channel");
    for (size_t i = 0; i < COUNT(tests); i++) {
        tcase_add_test(tcase, tests[i]);
    }
    Suite *suite = suite_create("channel");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
