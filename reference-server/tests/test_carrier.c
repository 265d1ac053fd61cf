/* SPDX-License-Identifier: MIT */
/* One connection at a time: bytes both ways, peers that do not read, ends, pauses. */
#include "carrier_rig.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- the plain way ---- */

START_TEST(bytes_go_both_ways)
{
    start_carrier((carrier_config_t){0});
    rig.on_received = echo;
    const int a = client_new();
    const int b = client_new();
    ck_assert_uint_eq(carrier_connections(rig.carrier), 2);
    client_send(a, "hello");
    client_send(b, "salut");
    assert_client_gets(a, "hello");
    assert_client_gets(b, "salut");
    close(a);
    turn_until(rig.peers[0].closed);
    ck_assert_int_eq(rig.peers[0].finished, 1);
    ck_assert_uint_eq(carrier_connections(rig.carrier), 1);
    client_send(b, "still here");
    assert_client_gets(b, "still here");
    close(b);
}
END_TEST

START_TEST(an_answer_precedes_the_end_of_a_peer_that_is_done)
{
    start_carrier((carrier_config_t){0});
    rig.on_received = echo;
    const int fd = client_new();
    client_send(fd, "request");
    ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
    assert_client_gets(fd, "request");
    assert_client_ends(fd);
    ck_assert_int_eq(rig.peers[0].finished, 1);
    close(fd);
}
END_TEST

START_TEST(one_read_gives_all_there_is)
{
    enum { MUCH = 60000 };
    start_carrier((carrier_config_t){0});
    const int fd = client_new();
    shared_bytes_t *bytes = pattern(MUCH);
    ck_assert_int_eq(send(fd, bytes->data, MUCH, 0), MUCH);
    turn_until(rig.peers[0].received.len == MUCH);
    ck_assert_mem_eq(rig.peers[0].received.data, bytes->data, MUCH);
    ck_assert_uint_ge(rig.peers[0].largest, 30000);
    shared_bytes_release(bytes);
    close(fd);
}
END_TEST

START_TEST(large_and_small_in_order)
{
    enum { LARGE = 3000000 };
    start_carrier((carrier_config_t){0});
    const int fd = client_new();
    if (_i == 1) {
        narrow(fd);
    }
    carrier_conn_t *conn = last_peer()->conn;
    shared_bytes_t *large = pattern(LARGE);
    size_t queued = 0;
    for (int i = 0; i < 3; i++) {
        ck_assert(send_text(conn, "small"));
        ck_assert(carrier_send(conn, large));
        queued += 5 + LARGE;
        ck_assert_uint_eq(carrier_queued(conn), queued);
    }
    phx_buf_t got = {0};
    turn_until(client_read(fd, &got) && got.len == queued);
    for (size_t i = 0; i < 3; i++) {
        const char *at = got.data + i * (5 + LARGE);
        ck_assert_mem_eq(at, "small", 5);
        ck_assert_int_eq(memcmp(at + 5, large->data, LARGE), 0);
    }
    ck_assert_uint_eq(carrier_queued(conn), 0);
    ck_assert_uint_eq(large->holders, 1);
    shared_bytes_release(large);
    phx_buf_free(&got);
    close(fd);
}
END_TEST

START_TEST(one_piece_for_many)
{
    enum { CLIENTS = 50, MESSAGES = 20 };
    start_carrier((carrier_config_t){0});
    int fds[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = client_new();
    }
    shared_bytes_t *bytes = shared_bytes_new(PHX_SLICE("to "), PHX_SLICE("all"));
    for (int i = 0; i < CLIENTS * MESSAGES; i++) {
        ck_assert(carrier_send(rig.peers[i % CLIENTS].conn, bytes));
    }
    ck_assert_uint_eq(bytes->holders, CLIENTS * MESSAGES + 1);
    for (int i = 0; i < CLIENTS; i++) {
        phx_buf_t got = {0};
        turn_until(client_read(fds[i], &got) && got.len == 6 * MESSAGES);
        phx_buf_free(&got);
        close(fds[i]);
    }
    ck_assert_uint_eq(bytes->holders, 1);
    shared_bytes_release(bytes);
}
END_TEST

/* ---- peers that do not read ---- */

START_TEST(slow_readers_cost_no_processor)
{
    enum { CLIENTS = 12 };
    start_carrier((carrier_config_t){0});
    shared_bytes_t *bytes = pattern(1000000);
    int fds[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = client_new();
        const int size = 4096 + 1500 * i; /* so that they get stuck in different places */
        choke(fds[i], size);
        ck_assert(carrier_send(last_peer()->conn, bytes));
    }
    turn_for(400);
    for (int i = 0; i < CLIENTS; i++) {
        client_send(fds[i], "sent while not reading");
        if (i % 2 == 0) {
            ck_assert_int_eq(shutdown(fds[i], SHUT_WR), 0);
        }
    }
    turn_for(20);
    const double before = cpu_seconds(RUSAGE_SELF);
    turn_for(500);
    ck_assert_double_lt(cpu_seconds(RUSAGE_SELF) - before, 0.2);
    for (int i = 0; i < CLIENTS; i++) {
        close(fds[i]);
    }
    shared_bytes_release(bytes);
}
END_TEST

START_TEST(a_full_queue_ends_the_connection)
{
    start_carrier((carrier_config_t){.max_queued_bytes = 100000});
    const int fd = client_new();
    carrier_conn_t *conn = last_peer()->conn;
    shared_bytes_t *bytes = pattern(50000);
    ck_assert(carrier_send(conn, bytes));
    ck_assert(carrier_send(conn, bytes));
    ck_assert(!send_text(conn, "x"));
    ck_assert(!send_text(conn, "x"));
    ck_assert_int_eq(last_peer()->closed, 0);
    turn_until(last_peer()->closed);
    ck_assert_int_eq(last_peer()->finished, 0);
    ck_assert_uint_eq(bytes->holders, 1);
    shared_bytes_release(bytes);
    close(fd);
}
END_TEST

START_TEST(the_limit_counts_what_is_not_yet_out)
{
    start_carrier((carrier_config_t){.max_queued_bytes = 200000});
    const int fd = client_new();
    choke(fd, NARROW);
    shared_bytes_t *bytes = pattern(1000);
    size_t sent = 0;
    while (last_peer()->closed == 0 && carrier_send(last_peer()->conn, bytes)) {
        ck_assert_uint_lt(sent += 1000, 5000000);
        if (sent % 50000 == 0) {
            turn_for(1);
        }
    }
    ck_assert_uint_ge(sent, 200000);
    turn_until(last_peer()->closed);
    shared_bytes_release(bytes);
    close(fd);
}
END_TEST

/* ---- ends ---- */

static void abort_it(peer_t *peer)
{
    rig.inside_carrier = true;
    carrier_abort(peer->conn);
    carrier_abort(peer->conn);
    ck_assert(!carrier_send(peer->conn, NULL));
    rig.inside_carrier = false;
}

START_TEST(aborted)
{
    start_carrier((carrier_config_t){0});
    rig.on_received = abort_it;
    const int fd = client_new();
    client_send(fd, "x");
    turn_until(last_peer()->closed);
    ck_assert_int_eq(last_peer()->finished, 0);
    assert_client_ends(fd);
    close(fd);
}
END_TEST

START_TEST(reset_by_the_peer)
{
    start_carrier((carrier_config_t){0});
    const int fd = client_new();
    reset(fd);
    turn_until(last_peer()->closed);
    ck_assert_int_eq(last_peer()->finished, 1);
}
END_TEST

static void answer_and_end(peer_t *peer)
{
    ck_assert(send_text(peer->conn, "bye"));
    rig.inside_carrier = true;
    carrier_end(peer->conn, 5000);
    ck_assert(!carrier_send(peer->conn, NULL));
    rig.inside_carrier = false;
}

START_TEST(ended_after_the_last_byte)
{
    start_carrier((carrier_config_t){0});
    rig.on_received = answer_and_end;
    const int fd = client_new();
    client_send(fd, "request");
    assert_client_gets(fd, "bye");
    assert_client_ends(fd);
    ck_assert_int_eq(last_peer()->closed, 0);
    client_send(fd, "this is dropped");
    turn_for(20);
    ck_assert(has_received(last_peer(), "request"));
    close(fd);
    turn_until(last_peer()->closed);
    ck_assert_int_eq(last_peer()->finished, 0);
}
END_TEST

/* With bytes on their way the kernel would answer a close with a reset, and the client might lose the answer.
 */
START_TEST(an_answer_survives_a_request_cut_short)
{
    start_carrier((carrier_config_t){0});
    rig.on_received = answer_and_end;
    const int fd = client_new();
    client_send(fd, "begins");
    turn_until(has_received(last_peer(), "begins"));
    client_send(fd, " and goes on");
    turn_for(20);
    client_send(fd, " and on");
    assert_client_gets(fd, "bye");
    assert_client_ends(fd);
    close(fd);
}
END_TEST

START_TEST(much_is_out_before_the_end)
{
    enum { MUCH = 3000000 };
    start_carrier((carrier_config_t){0});
    const int fd = client_new();
    narrow(fd);
    shared_bytes_t *bytes = pattern(MUCH);
    ck_assert(carrier_send(last_peer()->conn, bytes));
    carrier_end(last_peer()->conn, 5000);
    phx_buf_t got = {0};
    turn_until(!client_read(fd, &got));
    ck_assert_uint_eq(got.len, MUCH);
    ck_assert_int_eq(memcmp(got.data, bytes->data, MUCH), 0);
    shared_bytes_release(bytes);
    phx_buf_free(&got);
    close(fd);
    turn_until(last_peer()->closed);
}
END_TEST

START_TEST(lingering_is_limited)
{
    start_carrier((carrier_config_t){0});
    const int idle = client_new();
    const int stuffed = client_new();
    choke(stuffed, NARROW);
    shared_bytes_t *bytes = pattern(1000000);
    ck_assert(carrier_send(rig.peers[1].conn, bytes));
    carrier_end(rig.peers[0].conn, 50);
    carrier_end(rig.peers[1].conn, 50);
    turn_for(20);
    ck_assert_int_eq(rig.peers[0].closed + rig.peers[1].closed, 0);
    turn_until(rig.peers[0].closed && rig.peers[1].closed);
    shared_bytes_release(bytes);
    close(idle);
    close(stuffed);
}
END_TEST

START_TEST(ended_after_the_peer)
{
    start_carrier((carrier_config_t){0});
    const int fd = client_new();
    ck_assert(send_text(last_peer()->conn, "close?"));
    carrier_end_after_peer(last_peer()->conn, 5000);
    ck_assert(!send_text(last_peer()->conn, "too late"));
    assert_client_gets(fd, "close?");
    client_send(fd, "close!");
    turn_until(has_received(last_peer(), "close!"));
    carrier_end(last_peer()->conn, 5000);
    assert_client_ends(fd);
    close(fd);
    turn_until(last_peer()->closed);
}
END_TEST

START_TEST(the_peer_that_should_end_does_not)
{
    start_carrier((carrier_config_t){0});
    const int fd = client_new();
    carrier_end_after_peer(last_peer()->conn, 50);
    turn_for(20);
    ck_assert_int_eq(last_peer()->closed, 0);
    turn_until(last_peer()->closed);
    ck_assert_int_eq(last_peer()->finished, 0);
    assert_client_ends(fd);
    close(fd);
}
END_TEST

/* ---- pausing ---- */

START_TEST(paused_and_resumed)
{
    start_carrier((carrier_config_t){0});
    const int fd = client_new();
    carrier_pause(last_peer()->conn);
    carrier_pause(last_peer()->conn);
    client_send(fd, "waits");
    turn_for(50);
    ck_assert_uint_eq(last_peer()->received.len, 0);
    ck_assert(send_text(last_peer()->conn, "goes out nevertheless"));
    assert_client_gets(fd, "goes out nevertheless");
    carrier_resume(last_peer()->conn);
    turn_until(has_received(last_peer(), "waits"));
    close(fd);
}
END_TEST

static void pause_it(peer_t *peer)
{
    carrier_pause(peer->conn);
}

START_TEST(paused_while_receiving)
{
    start_carrier((carrier_config_t){0});
    rig.on_received = pause_it;
    const int fd = client_new();
    client_send(fd, "one");
    turn_until(has_received(last_peer(), "one"));
    client_send(fd, " two");
    turn_for(50);
    ck_assert(has_received(last_peer(), "one"));
    carrier_resume(last_peer()->conn);
    turn_until(has_received(last_peer(), "one two"));
    close(fd);
}
END_TEST

START_TEST(the_end_of_a_paused_peer_is_noticed)
{
    start_carrier((carrier_config_t){0});
    const int a = client_new();
    const int b = client_new();
    const int c = client_new();
    for (int i = 0; i < 3; i++) {
        carrier_pause(rig.peers[i].conn);
    }
    turn_for(20);
    close(a);
    reset(b);
    turn_until(rig.peers[0].closed && rig.peers[1].closed);
    ck_assert_int_eq(rig.peers[0].finished + rig.peers[1].finished, 2);
    ck_assert_int_eq(rig.peers[2].closed, 0);
    carrier_resume(rig.peers[2].conn);
    client_send(c, "alive");
    turn_until(has_received(&rig.peers[2], "alive"));
    close(c);
}
END_TEST

START_TEST(ended_while_paused)
{
    start_carrier((carrier_config_t){0});
    const int fd = client_new();
    carrier_pause(last_peer()->conn);
    client_send(fd, "dropped");
    carrier_end(last_peer()->conn, 60000);
    carrier_pause(last_peer()->conn);
    assert_client_ends(fd);
    close(fd);
    turn_until(last_peer()->closed);
    ck_assert_uint_eq(last_peer()->received.len, 0);
}
END_TEST

START_TEST(what_came_before_the_end_is_not_lost)
{
    start_carrier((carrier_config_t){0});
    const int fd = client_new();
    carrier_pause(last_peer()->conn);
    client_send(fd, "last words");
    close(fd);
    turn_for(700); /* longer than it takes to look */
    ck_assert_int_eq(last_peer()->closed, 0);
    carrier_resume(last_peer()->conn);
    turn_until(last_peer()->closed);
    ck_assert(has_received(last_peer(), "last words"));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("carrier");
    tcase_add_checked_fixture(tcase, carrier_rig_setup, carrier_rig_teardown);
    tcase_add_test(tcase, bytes_go_both_ways);
    tcase_add_test(tcase, an_answer_precedes_the_end_of_a_peer_that_is_done);
    tcase_add_test(tcase, one_read_gives_all_there_is);
    tcase_add_loop_test(tcase, large_and_small_in_order, 0, 2);
    tcase_add_test(tcase, one_piece_for_many);
    tcase_add_test(tcase, slow_readers_cost_no_processor);
    tcase_add_test(tcase, a_full_queue_ends_the_connection);
    tcase_add_test(tcase, the_limit_counts_what_is_not_yet_out);
    tcase_add_test(tcase, aborted);
    tcase_add_test(tcase, reset_by_the_peer);
    tcase_add_test(tcase, ended_after_the_last_byte);
    tcase_add_test(tcase, an_answer_survives_a_request_cut_short);
    tcase_add_test(tcase, much_is_out_before_the_end);
    tcase_add_test(tcase, lingering_is_limited);
    tcase_add_test(tcase, ended_after_the_peer);
    tcase_add_test(tcase, the_peer_that_should_end_does_not);
    tcase_add_test(tcase, paused_and_resumed);
    tcase_add_test(tcase, paused_while_receiving);
    tcase_add_test(tcase, the_end_of_a_paused_peer_is_noticed);
    tcase_add_test(tcase, ended_while_paused);
    tcase_add_test(tcase, what_came_before_the_end_is_not_lost);
    tcase_set_timeout(tcase, 15);
    Suite *suite = suite_create("carrier");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
