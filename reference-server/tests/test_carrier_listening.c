/* SPDX-License-Identifier: MIT */
/* Which connections are taken, and what is left when all is over. */
#include "carrier_rig.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- taking connections ---- */

START_TEST(refused_by_the_owner)
{
    start_carrier((carrier_config_t){0});
    rig.refusing = true;
    const int fd = try_to_connect(carrier_port(rig.carrier));
    assert_client_ends(fd);
    ck_assert_uint_eq(rig.peer_count, 0);
    ck_assert_uint_eq(carrier_connections(rig.carrier), 0);
    close(fd);
}
END_TEST

START_TEST(no_more_than_allowed)
{
    start_carrier((carrier_config_t){.max_connections = 2});
    rig.on_received = echo;
    const int a = client_new();
    const int b = client_new();
    const int c = try_to_connect(carrier_port(rig.carrier));
    assert_client_ends(c);
    close(c);
    ck_assert_uint_eq(rig.peer_count, 2);
    client_send(a, "served");
    assert_client_gets(a, "served");
    close(b);
    turn_until(rig.peers[1].closed);
    turn_for(1);
    const int d = client_new();
    client_send(d, "served, too");
    assert_client_gets(d, "served, too");
    close(a);
    close(d);
}
END_TEST

START_TEST(no_more_listening)
{
    start_carrier((carrier_config_t){0});
    rig.on_received = echo;
    const uint16_t port = carrier_port(rig.carrier);
    const int fd = client_new();
    carrier_stop_listening(rig.carrier);
    carrier_stop_listening(rig.carrier);
    ck_assert_int_eq(try_to_connect(port), -1);
    client_send(fd, "served");
    assert_client_gets(fd, "served");
    close(fd);
}
END_TEST

START_TEST(refusals_to_start)
{
    start_carrier((carrier_config_t){0});
    char expected[200], error[200];
    const carrier_config_t same = {.port = carrier_port(rig.carrier)};
    ck_assert_ptr_null(carrier_new(&rig.loop, &same, &CARRIER_RIG_CALLBACKS, NULL, error, sizeof error));
    (void)snprintf(
        expected, sizeof expected,
        "cannot listen on 127.0.0.1, port %u: address already in use; stop the program that listens "
        "there or choose another port",
        (unsigned)same.port);
    ck_assert_str_eq(error, expected);
    const carrier_config_t named = {.address = "localhost"};
    ck_assert_ptr_null(carrier_new(&rig.loop, &named, &CARRIER_RIG_CALLBACKS, NULL, error, sizeof error));
    ck_assert_str_eq(error, "cannot listen on \"localhost\": not a numeric IPv4 or IPv6 address");
    const carrier_config_t foreign = {.address = "192.0.2.1"};
    ck_assert_ptr_null(carrier_new(&rig.loop, &foreign, &CARRIER_RIG_CALLBACKS, NULL, error, sizeof error));
    ck_assert_ptr_nonnull(strstr(error, "choose an address of this machine"));
}
END_TEST

START_TEST(on_ipv6)
{
    char error[200];
    const carrier_config_t config = {.address = "::1"};
    rig.carrier =
        carrier_new(&rig.loop, &config, &CARRIER_RIG_CALLBACKS, &rig.peer_count, error, sizeof error);
    if (rig.carrier == NULL) {
        return; /* a machine without it */
    }
    const struct sockaddr_in6 address = {.sin6_family = AF_INET6,
                                         .sin6_port = htons(carrier_port(rig.carrier)),
                                         .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const int fd = socket(AF_INET6, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    turn_until(rig.peer_count == 1);
    close(fd);
}
END_TEST

/* ---- the end of it all ---- */

static int open_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 1024; fd++) {
        count += fcntl(fd, F_GETFD) != -1 ? 1 : 0;
    }
    return count;
}

START_TEST(freed_in_every_state)
{
    start_carrier((carrier_config_t){.max_queued_bytes = 1500000});
    int fds[8];
    for (int i = 0; i < 8; i++) {
        fds[i] = client_new();
    }
    shared_bytes_t *bytes = pattern(1000000);
    choke(fds[0], NARROW);
    ck_assert(carrier_send(rig.peers[0].conn, bytes)); /* blocked */
    turn_for(10);
    carrier_pause(rig.peers[1].conn);
    ck_assert(send_text(rig.peers[2].conn, "queued"));
    carrier_end(rig.peers[3].conn, 5000);
    carrier_end_after_peer(rig.peers[4].conn, 5000);
    carrier_abort(rig.peers[5].conn);
    ck_assert_int_eq(shutdown(fds[6], SHUT_WR), 0);
    ck_assert_int_ge(try_to_connect(carrier_port(rig.carrier)), 0); /* never accepted */
    carrier_free(rig.carrier);
    rig.carrier = NULL;
    ck_assert_uint_eq(bytes->holders, 1);
    for (int i = 0; i < 8; i++) {
        ck_assert_int_eq(rig.peers[i].closed, 1);
        ck_assert_int_eq(rig.peers[i].finished, 0);
        close(fds[i]);
    }
    shared_bytes_release(bytes);
}
END_TEST

START_TEST(no_descriptor_is_left_open)
{
    ck_assert_int_eq(uv_loop_close(&rig.loop), 0);
    const int before = open_descriptors(); /* with those that libuv keeps for ever */
    ck_assert_int_eq(uv_loop_init(&rig.loop), 0);
    for (int round = 0; round < 3; round++) {
        start_carrier((carrier_config_t){0});
        const int fd = client_new();
        close(fd);
        turn_until(last_peer()->closed);
        const int other = client_new();
        carrier_free(rig.carrier);
        rig.carrier = NULL;
        close(other);
        ck_assert_int_eq(uv_run(&rig.loop, UV_RUN_DEFAULT), 0);
    }
    ck_assert_int_eq(uv_loop_close(&rig.loop), 0);
    ck_assert_int_eq(open_descriptors(), before);
    ck_assert_int_eq(uv_loop_init(&rig.loop), 0);
}
END_TEST

/* ---- few descriptors: a server in a process of its own ---- */

static void stop_server(uv_poll_t *handle, int status, int events)
{
    (void)status;
    (void)events;
    uv_close((uv_handle_t *)handle, NULL);
    carrier_free(rig.carrier);
    rig.carrier = NULL;
}

/* Tells its port on `out` and runs until `in` ends. With `exhausted`, it has two descriptors left for
 * connections. */
static int run_server(int in, int out, bool exhausted)
{
    const struct rlimit few = {.rlim_cur = 40, .rlim_max = 40};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    ck_assert_int_eq(uv_loop_init(&rig.loop), 0);
    start_carrier((carrier_config_t){0});
    rig.on_received = echo;
    uv_poll_t end;
    ck_assert_int_eq(uv_poll_init(&rig.loop, &end, in), 0);
    ck_assert_int_eq(uv_poll_start(&end, UV_READABLE, stop_server), 0);
    if (exhausted) {
        (void)uv_run(&rig.loop, UV_RUN_NOWAIT);
        int last[2] = {-1, -1};
        for (int fd = dup(in); fd >= 0; fd = dup(in)) {
            last[0] = last[1];
            last[1] = fd;
        }
        close(last[0]);
        close(last[1]);
    }
    const uint16_t port = carrier_port(rig.carrier);
    ck_assert_int_eq(write(out, &port, sizeof port), (ssize_t)sizeof port);
    (void)uv_run(&rig.loop, UV_RUN_DEFAULT);
    const int left = uv_loop_close(&rig.loop);
    for (size_t i = 0; i < rig.peer_count; i++) {
        phx_buf_free(&rig.peers[i].received);
    }
    return left == 0 && cpu_seconds(RUSAGE_SELF) < 0.3 ? 0 : 1;
}

static bool answers(int fd)
{
    char bytes[8];
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    return send(fd, "ping", 4, 0) == 4 && poll(&poll_fd, 1, 300) == 1 &&
           recv(fd, bytes, sizeof bytes, 0) == 4;
}

static void with_few_descriptors(bool exhausted, size_t least_served, size_t most_served)
{
    enum { CLIENTS = 60 };
    int in[2], out[2];
    ck_assert_int_eq(pipe(in), 0);
    ck_assert_int_eq(pipe(out), 0);
    const pid_t server = fork();
    ck_assert_int_ge(server, 0);
    if (server == 0) {
        close(in[1]);
        _exit(run_server(in[0], out[1], exhausted));
    }
    close(in[0]);
    uint16_t port = 0;
    ck_assert_int_eq(read(out[0], &port, sizeof port), (ssize_t)sizeof port);
    int fds[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = try_to_connect(port);
        ck_assert_int_ge(fds[i], 0);
    }
    size_t served = 0;
    for (int i = 0; i < CLIENTS && served < 2; i++) {
        served += answers(fds[i]) ? 1 : 0;
    }
    struct timespec while_waiting = {.tv_sec = 1};
    (void)nanosleep(&while_waiting, NULL); /* in which a server that spins would use the processor */
    served = 0;
    for (int i = 0; i < CLIENTS && (!exhausted || served < most_served); i++) {
        served += answers(fds[i]) ? 1 : 0;
    }
    ck_assert_uint_ge(served, least_served);
    ck_assert_uint_le(served, most_served);
    for (int i = 0; i < CLIENTS; i++) {
        close(fds[i]);
    }
    close(in[1]);
    close(out[0]);
    close(out[1]);
    int status = -1;
    ck_assert_int_eq(waitpid(server, &status, 0), server);
    ck_assert_int_eq(status, 0);
}

START_TEST(more_clients_than_descriptors)
{
    with_few_descriptors(false, 16, 16); /* 40 less the reserve */
}
END_TEST

START_TEST(no_descriptor_left_to_accept_with)
{
    with_few_descriptors(true, 2, 2);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("carrier listening");
    tcase_add_checked_fixture(tcase, carrier_rig_setup, carrier_rig_teardown);
    tcase_add_test(tcase, refused_by_the_owner);
    tcase_add_test(tcase, no_more_than_allowed);
    tcase_add_test(tcase, no_more_listening);
    tcase_add_test(tcase, refusals_to_start);
    tcase_add_test(tcase, on_ipv6);
    tcase_add_test(tcase, freed_in_every_state);
    tcase_add_test(tcase, no_descriptor_is_left_open);
    TCase *processes = tcase_create("few descriptors");
    tcase_add_test(processes, more_clients_than_descriptors);
    tcase_add_test(processes, no_descriptor_left_to_accept_with);
    tcase_set_timeout(tcase, 15);
    tcase_set_timeout(processes, 25);
    Suite *suite = suite_create("carrier listening");
    suite_add_tcase(suite, tcase);
    suite_add_tcase(suite, processes);
    return run_suite(suite);
}
