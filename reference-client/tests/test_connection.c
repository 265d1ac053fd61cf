/* SPDX-License-Identifier: MIT */
/* Connecting, reconnecting, heartbeats, what waits for a connection, fallback: on a clock and a network of
 * our own. */
#include "rig.h"

#include <stdio.h>
#include <string.h>

#define CONNECTING "connecting ws://h/s/websocket?vsn=2.0.0\n"

START_TEST(connect_once) /* CL-CONN-01 */
{
    rig_t rig;
    rig_start(&rig, NULL);
    phxc_socket_connect(rig.socket);
    phxc_socket_connect(rig.socket);
    rig_expect(&rig, CONNECTING);
    rig_open(&rig);
    phxc_socket_connect(rig.socket);
    rig_expect(&rig, "opened\n");
    rig_end(&rig);
}
END_TEST

START_TEST(reconnect_table) /* CL-CONN-04 */
{
    static const unsigned delays[] = {10, 50, 100, 150, 200, 250, 500, 1000, 2000, 5000, 5000, 5000};
    rig_t rig;
    rig_start(&rig, NULL);
    phxc_socket_connect(rig.socket);
    for (unsigned i = 0; i < COUNT(delays); i++) {
        char expected[200];
        phx_buf_clear(&rig.log);
        rig_fail(&rig, "no", 403); /* WS-AUTH-05 */
        rig_closed(&rig, 1006, false);
        (void)snprintf(expected, sizeof expected,
                       "failed no 403\ndrop\nclosed 1006  for now\nreconnecting %u %u\n", i + 1, delays[i]);
        rig_expect(&rig, expected);
        rig_advance(&rig, delays[i] - 1);
        rig_expect(&rig, "");
        rig_advance(&rig, 1);
        rig_expect(&rig, CONNECTING);
    }
    rig_open(&rig); /* starts the table anew */
    rig_closed(&rig, 1006, false);
    rig_expect(&rig, "opened\ndrop\nclosed 1006  for now\nreconnecting 1 10\n");
    phxc_socket_disconnect(rig.socket, 0, PHX_SLICE(""));
    rig_advance(&rig, 100000);
    rig_expect(&rig, "");
    rig_end(&rig);
}
END_TEST

/* WS-CLOSE-07, DRAIN-04 */
START_TEST(close_codes)
{
    static const int codes[] = {1000, 1001, 1002, 1005, 1006, 1008, 1011, 1012, 3410, 4000};
    rig_t rig;
    rig_start(&rig, NULL);
    for (size_t i = 0; i < COUNT(codes); i++) {
        char expected[100];
        rig_online(&rig);
        rig_closed(&rig, codes[i], true);
        (void)snprintf(expected, sizeof expected, "drop\nclosed %d  clean%s", codes[i],
                       codes[i] == 1000 ? " for good\n" : " for now\nreconnecting 1 10\n");
        rig_expect(&rig, expected);
        phxc_socket_disconnect(rig.socket, 0, PHX_SLICE(""));
    }
    rig_end(&rig);
}
END_TEST

START_TEST(disconnect) /* CL-CONN-08 */
{
    rig_t rig;
    rig_start(&rig, NULL);
    rig_online(&rig);
    phxc_socket_disconnect(rig.socket, 4000, PHX_SLICE("bye"));
    phxc_socket_disconnect(rig.socket, 4001, PHX_SLICE("again"));
    rig_expect(&rig, "close 4000 bye\n");
    ck_assert_int_eq(phxc_socket_state(rig.socket), PHXC_DISCONNECTING);
    rig_closed(&rig, 4000, true);
    rig_expect(&rig, "drop\nclosed 4000  clean for good\n");
    rig_advance(&rig, 100000);
    rig_expect(&rig, "");

    rig_online(&rig); /* a peer that never answers the close */
    phxc_socket_disconnect(rig.socket, 0, PHX_SLICE(""));
    rig_advance(&rig, 2999);
    rig_expect(&rig, "close 0 \n");
    rig_advance(&rig, 1);
    rig_expect(&rig, "drop\nclosed 1006  for good\n");
    rig_end(&rig);
}
END_TEST

START_TEST(connect_while_disconnecting) /* CL-CONN-09 */
{
    rig_t rig;
    rig_start(&rig, NULL);
    rig_online(&rig);
    phxc_socket_disconnect(rig.socket, 1000, PHX_SLICE("x"));
    phxc_socket_connect(rig.socket);
    rig_expect(&rig, "close 1000 x\ndrop\nclosed 1000 x for good\n" CONNECTING);
    rig_advance(&rig, 5000); /* the old one's deadline is gone, too */
    rig_open(&rig);
    rig_expect(&rig, "opened\n");
    rig_end(&rig);
}
END_TEST

static void give_params(void *user, phx_buf_t *json)
{
    static int calls;
    char text[40];
    (void)user;
    (void)snprintf(text, sizeof text, "{\"n\":%d}", ++calls);
    phx_buf_append_text(json, text);
}

static void give_token(void *user, phx_buf_t *token)
{
    static int calls;
    char text[40];
    (void)user;
    (void)snprintf(text, sizeof text, "token%d", ++calls);
    phx_buf_append_text(token, text);
}

static void with_functions(phxc_config_t *config)
{
    config->params_at = give_params;
    config->auth_token_at = give_token;
}

START_TEST(params_and_token_per_attempt) /* CL-CONN-05, WS-CONN-12, TOK-08 */
{
    rig_t rig;
    rig_start(&rig, with_functions);
    phxc_socket_connect(rig.socket);
    rig_closed(&rig, 1006, false);
    rig_advance(&rig, 10);
    rig_expect(&rig, "connecting ws://h/s/websocket?n=1&vsn=2.0.0\n+ token1\ndrop\nclosed 1006  for now\n"
                     "reconnecting 1 10\nconnecting ws://h/s/websocket?n=2&vsn=2.0.0\n+ token2\n");
    rig_end(&rig);
}
END_TEST

static void with_bad_params(phxc_config_t *config)
{
    config->params = "[1]";
}

START_TEST(attempts_that_cannot_begin)
{
    rig_t rig;
    rig_start(&rig, with_bad_params);
    phxc_socket_connect(rig.socket);
    rig_expect(
        &rig, "failed the connect params are not a JSON object 0\nclosed 1006  for now\nreconnecting 1 10\n");
    rig_end(&rig);
    rig_start(&rig, NULL);
    rig.refuse_open = true;
    phxc_socket_connect(rig.socket);
    rig_expect(&rig, CONNECTING "failed refused 0\nclosed 1006  for now\nreconnecting 1 10\n");
    rig.refuse_open = false;
    rig_advance(&rig, 10);
    rig_open(&rig);
    rig_expect(&rig, CONNECTING "opened\n");
    rig_end(&rig);
}
END_TEST

static void disconnect_on_closed(rig_t *rig, const char *line)
{
    if (strncmp(line, "closed", 6) == 0) {
        phxc_socket_disconnect(rig->socket, 0, PHX_SLICE(""));
    }
}

static void connect_on_closed(rig_t *rig, const char *line)
{
    if (strncmp(line, "closed", 6) == 0) {
        phxc_socket_connect(rig->socket);
    }
}

START_TEST(calls_from_callbacks)
{
    rig_t rig;
    rig_start(&rig, NULL);
    rig_online(&rig);
    rig.hook = disconnect_on_closed;
    rig_closed(&rig, 1011, true);
    rig_advance(&rig, 100000);
    rig_expect(&rig, "drop\nclosed 1011  clean for now\n");
    rig.hook = NULL;
    rig_online(&rig);
    rig.hook = connect_on_closed;
    rig_closed(&rig, 1011, true);
    rig.hook = NULL;
    rig_advance(&rig, 100);
    rig_expect(&rig, "drop\nclosed 1011  clean for now\n" CONNECTING);
    rig_end(&rig);
}
END_TEST

/* ---- refs ---- */

START_TEST(refs) /* CL-CONN-02, CL-CONN-03, MSG-03 */
{
    rig_t rig;
    rig_start(&rig, NULL);
    phxc_ref_t ref = phxc__socket_make_ref(rig.socket);
    assert_slice(phxc_ref_slice(&ref), PHX_SLICE("\"1\""));
    rig.socket->last_ref = (UINT64_C(1) << 53) - 1;
    ref = phxc__socket_make_ref(rig.socket);
    assert_slice(phxc_ref_slice(&ref), PHX_SLICE("\"9007199254740992\""));
    ref = phxc__socket_make_ref(rig.socket);
    assert_slice(phxc_ref_slice(&ref), PHX_SLICE("\"0\""));
    rig_end(&rig);
}
END_TEST

/* ---- what waits ---- */

START_TEST(messages_wait_for_the_connection) /* CL-CONN-06, CL-CONN-10 */
{
    rig_t rig;
    rig_start(&rig, NULL);
    ck_assert_int_eq(phxc_socket_send(rig.socket, PHX_SLICE("t"), PHX_SLICE("a"), PHX_JSON_PAYLOAD("{}")), 0);
    phxc_channel_t *channel = rig_channel(&rig, "c", "{\"p\":1}");
    ck_assert_int_eq(phxc_channel_join(channel, 0), 0);
    phxc_socket_connect(rig.socket);
    ck_assert_int_eq(phxc_socket_send(rig.socket, PHX_SLICE("t"), PHX_SLICE("b"), PHX_JSON_PAYLOAD("[]")), 0);
    rig_fail(&rig, "x", 0);
    rig_closed(&rig, 1006, false);
    phx_buf_clear(&rig.log);
    rig_advance(&rig, 10);
    rig_open(&rig);
    /* The join was lost with the first attempt and comes once, as a rejoin. */
    rig_expect(&rig, CONNECTING "> [null,\"1\",\"t\",\"a\",{}]\n> [null,\"2\",\"t\",\"b\",[]]\nopened\n"
                                "> [\"3\",\"3\",\"c\",\"phx_join\",{\"p\":1}]\n");
    ck_assert_int_eq(phxc_socket_send(rig.socket, PHX_SLICE("\xff"), PHX_SLICE("b"), PHX_JSON_PAYLOAD("{}")),
                     PHX_EUTF8);
    rig_end(&rig);
}
END_TEST

START_TEST(a_join_waits_in_its_turn)
{
    rig_t rig;
    rig_start(&rig, NULL);
    phxc_channel_t *a = rig_channel(&rig, "a", "{}");
    phxc_channel_t *b = rig_channel(&rig, "b", "{}");
    phxc_channel_t *gone = rig_channel(&rig, "gone", "{}");
    phxc_socket_connect(rig.socket);
    ck_assert_int_eq(phxc_channel_join(b, 0), 0);
    ck_assert_int_eq(phxc_channel_join(gone, 0), 0);
    ck_assert_int_eq(phxc_channel_join(a, 0), 0);
    phxc_channel_free(gone);
    rig_advance(&rig, 0); /* its memory goes, too */
    rig_open(&rig);
    rig_expect(&rig, CONNECTING "> [\"1\",\"1\",\"b\",\"phx_join\",{}]\n"
                                "> [\"2\",\"2\",\"a\",\"phx_join\",{}]\nopened\n");
    rig_end(&rig);
}
END_TEST

/* ---- heartbeats ---- */

#define BEAT(ref) "> [null,\"" ref "\",\"phoenix\",\"heartbeat\",{}]\n"
#define BEAT_REPLY(ref) "[null,\"" ref "\",\"phoenix\",\"phx_reply\",{\"status\":\"ok\",\"response\":{}}]"

START_TEST(heartbeats) /* HB-01, HB-07, HB-08 */
{
    rig_t rig;
    rig_start(&rig, NULL);
    rig.quiet_beats = false;
    rig_online(&rig);
    rig_advance(&rig, 29999);
    rig_expect(&rig, "");
    rig_advance(&rig, 1);
    rig_expect(&rig, BEAT("1") "beat sent 0\n");
    rig_advance(&rig, 20000);
    rig_receive(&rig, "[null,null,\"t\",\"e\",{}]"); /* other traffic changes nothing */
    ck_assert_int_eq(phxc_socket_send(rig.socket, PHX_SLICE("t"), PHX_SLICE("a"), PHX_JSON_PAYLOAD("{}")), 0);
    rig_expect(&rig, "> [null,\"2\",\"t\",\"a\",{}]\n");
    rig_receive(&rig, BEAT_REPLY("1"));
    rig_expect(&rig, "beat answered 20000\n");
    rig_advance(&rig, 29999);
    rig_expect(&rig, "");
    rig_advance(&rig, 1);
    rig_expect(&rig, BEAT("3") "beat sent 0\n");
    rig_receive(&rig, BEAT_REPLY("3"));
    rig_advance(&rig, 30000);
    rig_expect(&rig, "beat answered 0\n" BEAT("4") "beat sent 0\n");
    rig_end(&rig);
}
END_TEST

START_TEST(heartbeat_timeout) /* HB-09, CL-CONN-07 */
{
    rig_t rig;
    rig_start(&rig, NULL);
    rig.quiet_beats = false;
    rig_online(&rig);
    phxc_channel_t *channel = rig_channel(&rig, "c", "{}");
    ck_assert_int_eq(phxc_channel_join(channel, 90000), 0);
    rig_advance(&rig, 30000);
    rig_receive(&rig, BEAT_REPLY("77")); /* not the answer */
    phx_buf_clear(&rig.log);
    rig_advance(&rig, 29999);
    rig_expect(&rig, "");
    rig_advance(&rig, 1);
    rig_expect(&rig,
               "beat timeout 30000\nerrored c transport heartbeat_timeout\nclose 1000 heartbeat timeout\n"
               "drop\nclosed 1000 heartbeat timeout for now\nreconnecting 1 10\n");
    rig_advance(&rig, 10);
    rig_open(&rig);
    rig_expect(&rig, CONNECTING "opened\n> [\"3\",\"3\",\"c\",\"phx_join\",{}]\n");
    rig_advance(&rig, 29999); /* the old heartbeat is forgotten */
    rig_expect(&rig, "");
    rig_end(&rig);
}
END_TEST

START_TEST(heartbeats_stop) /* HB-10 */
{
    rig_t rig;
    rig_start(&rig, NULL);
    rig_online(&rig);
    rig_advance(&rig, 30000);
    phxc_socket_disconnect(rig.socket, 0, PHX_SLICE(""));
    rig_closed(&rig, 1005, true);
    phx_buf_clear(&rig.log);
    rig_advance(&rig, 100000);
    rig_expect(&rig, "");
    rig_end(&rig);
}
END_TEST

static void version_1(phxc_config_t *config)
{
    config->vsn = PHX_V1;
}

START_TEST(heartbeat_of_version_1)
{
    rig_t rig;
    rig_start(&rig, version_1);
    phxc_socket_connect(rig.socket);
    rig_open(&rig);
    rig_advance(&rig, 30000);
    rig_expect(&rig, "connecting ws://h/s/websocket?vsn=1.0.0\nopened\n"
                     "> {\"event\":\"heartbeat\",\"payload\":{},\"ref\":\"1\",\"topic\":\"phoenix\"}\n");
    rig_end(&rig);
}
END_TEST

static void pinged(void *user, uint64_t elapsed_ms)
{
    rig_line(user, "pinged %u", (unsigned)elapsed_ms);
}

START_TEST(ping) /* HB-11 */
{
    rig_t rig;
    rig_start(&rig, NULL);
    ck_assert_int_eq(phxc_socket_ping(rig.socket, pinged, &rig), PHXC_EOFFLINE);
    rig_online(&rig);
    ck_assert_int_eq(phxc_socket_ping(rig.socket, pinged, &rig), 0);
    ck_assert_int_eq(phxc_socket_ping(rig.socket, pinged, &rig), 0);
    rig_advance(&rig, 7);
    rig_receive(&rig, BEAT_REPLY("2"));
    rig_receive(&rig, BEAT_REPLY("2"));
    rig_expect(&rig, BEAT("1") BEAT("2") "pinged 7\n");
    rig_closed(&rig, 1006, false);
    rig_advance(&rig, 10);
    rig_open(&rig);
    phx_buf_clear(&rig.log);
    rig_receive(&rig, BEAT_REPLY("1")); /* of the former connection */
    rig_expect(&rig, "");
    rig_end(&rig);
}
END_TEST

/* ---- messages that are none ---- */

START_TEST(unreadable_messages) /* BIN-13, MSG-13 */
{
    rig_t rig;
    rig_start(&rig, NULL);
    rig_online(&rig);
    rig_receive(&rig, "not JSON");
    rig_receive(&rig, "[1,2]");
    rig_receive_bytes(&rig, PHX_SLICE("\x07"));
    rig_receive(&rig, "[null,null,{},\"e\",{}]");
    rig_receive(&rig, "[null,null,\"t\",null,{}]");
    rig_expect(&rig, "unreadable -2\nunreadable -3\nunreadable -4\n");
    ck_assert_int_eq(phxc_socket_ping(rig.socket, pinged, &rig), 0);
    rig_receive(&rig, BEAT_REPLY("1"));
    rig_expect(&rig, BEAT("1") "pinged 0\n");
    rig_end(&rig);
}
END_TEST

/* ---- fallback ---- CL-TRAN-01 */

static void with_fallback(phxc_config_t *config)
{
    config->longpoll_fallback_ms = 2500;
}

#define LONGPOLL "connecting http://h/s/longpoll?vsn=2.0.0\n"

START_TEST(fallback_on_error)
{
    rig_t rig;
    rig_start(&rig, with_fallback);
    phxc_channel_t *channel = rig_channel(&rig, "c", "{}");
    ck_assert_int_eq(phxc_channel_join(channel, 0), 0);
    phxc_socket_connect(rig.socket);
    rig_fail(&rig, "HTTP 403", 403);
    rig_expect(&rig, CONNECTING "failed HTTP 403 403\ndrop\nfell back HTTP 403\n" LONGPOLL);
    rig_open(&rig);
    rig_expect(&rig, "> [\"1\",\"1\",\"c\",\"phx_join\",{}]\nopened longpoll\n");
    rig_receive(&rig, "[\"1\",\"1\",\"c\",\"phx_reply\",{\"status\":\"ok\",\"response\":{}}]");
    rig_advance(&rig, 90000); /* HB-12 */
    rig_expect(&rig, "joined c {}\n");
    rig_closed(&rig, 1011, false);
    rig_advance(&rig, 10);
    rig_expect(
        &rig,
        "drop\nerrored c transport connection_closed\nclosed 1011  for now\nreconnecting 1 10\n" LONGPOLL);
    rig_end(&rig);
}
END_TEST

START_TEST(fallback_when_not_open_in_time)
{
    rig_t rig;
    rig_start(&rig, with_fallback);
    phxc_socket_connect(rig.socket);
    rig_advance(&rig, 2499);
    rig_expect(&rig, CONNECTING);
    rig_advance(&rig, 1);
    rig_expect(&rig, "drop\nfell back not open in time\n" LONGPOLL);
    rig_end(&rig);
}
END_TEST

START_TEST(fallback_without_an_answer_to_the_ping)
{
    rig_t rig;
    rig_start(&rig, with_fallback);
    phxc_socket_connect(rig.socket);
    rig_advance(&rig, 2000);
    rig_open(&rig);
    rig_advance(&rig, 2499);
    rig_expect(&rig, CONNECTING BEAT("1") "opened\n");
    rig_advance(&rig, 1);
    rig_expect(&rig, "drop\nfell back no answer to a ping in time\n" LONGPOLL);
    rig_end(&rig);
}
END_TEST

START_TEST(no_fallback_from_a_healthy_websocket)
{
    rig_t rig;
    rig_start(&rig, with_fallback);
    phxc_socket_connect(rig.socket);
    rig_open(&rig);
    rig_receive(&rig, BEAT_REPLY("1"));
    rig_advance(&rig, 29000);
    rig_expect(&rig, CONNECTING BEAT("1") "opened\n");
    rig_fail(&rig, "x", 0); /* an error of an open connection is none of the transport as such */
    rig_closed(&rig, 1006, false);
    rig_advance(&rig, 10);
    rig_expect(&rig, "failed x 0\ndrop\nclosed 1006  for now\nreconnecting 1 10\n" CONNECTING);
    rig_end(&rig);
}
END_TEST

static void disconnect_on_fell_back(rig_t *rig, const char *line)
{
    if (strncmp(line, "fell", 4) == 0) {
        phxc_socket_disconnect(rig->socket, 0, PHX_SLICE(""));
    }
}

START_TEST(disconnect_instead_of_falling_back)
{
    rig_t rig;
    rig_start(&rig, with_fallback);
    rig.hook = disconnect_on_fell_back;
    phxc_socket_connect(rig.socket);
    rig_fail(&rig, "x", 0);
    rig_advance(&rig, 10000);
    rig_expect(&rig, CONNECTING "failed x 0\ndrop\nfell back x\n");
    rig_end(&rig);
}
END_TEST

START_TEST(replace_carriage) /* CL-TRAN-05 */
{
    rig_t rig;
    rig_start(&rig, NULL);
    phxc_socket_replace_carriage(rig.socket, PHXC_LONGPOLL);
    rig_expect(&rig, "");
    phxc_socket_connect(rig.socket);
    rig_open(&rig);
    phxc_socket_replace_carriage(rig.socket, PHXC_WEBSOCKET);
    rig_expect(&rig, LONGPOLL "opened longpoll\ndrop\n" CONNECTING);
    rig_end(&rig);
}
END_TEST

START_TEST(bad_configurations)
{
    char error[200];
    phxc_config_t config;
    phxc_config_defaults(&config);
    config.endpoint = "ftp://h";
    ck_assert_ptr_null(
        phxc__socket_new(NULL, (phxc_network_t){0}, NULL, &config, NULL, NULL, error, sizeof error));
    ck_assert_str_eq(error, "ftp://h: a URL begins with ws://, wss://, http:// or https://");
    config.rejoin_after.count = 0;
    ck_assert_ptr_null(
        phxc__socket_new(NULL, (phxc_network_t){0}, NULL, &config, NULL, NULL, error, sizeof error));
    ck_assert_str_eq(error, "a table of delays is empty");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        connect_once,
        reconnect_table,
        close_codes,
        disconnect,
        connect_while_disconnecting,
        params_and_token_per_attempt,
        attempts_that_cannot_begin,
        calls_from_callbacks,
        refs,
        messages_wait_for_the_connection,
        a_join_waits_in_its_turn,
        heartbeats,
        heartbeat_timeout,
        heartbeats_stop,
        heartbeat_of_version_1,
        ping,
        unreadable_messages,
        fallback_on_error,
        fallback_when_not_open_in_time,
        fallback_without_an_answer_to_the_ping,
        no_fallback_from_a_healthy_websocket,
        disconnect_instead_of_falling_back,
        replace_carriage,
        bad_configurations,
    };
    TCase *tcase = tcase_create("connection");
    for (size_t i = 0; i < COUNT(tests); i++) {
        tcase_add_test(tcase, tests[i]);
    }
    Suite *suite = suite_create("connection");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
