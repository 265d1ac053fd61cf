/* SPDX-License-Identifier: MIT */
/*
 * The floor of the bench: what the kernel takes for the same messages whatever a server does. One recv() for
 * what came, one send() for each echo or delivery, on epoll, with no library and no protocol: the upgrade is
 * said to any request, frames are given back as they came but for their mask, which the load leaves zero.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 1024, READ_BYTES = 65536, BACKLOG = 4096, MASKED = 0x80, MASK_BYTES = 4 };

static const char UPGRADE[] =
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n";

typedef struct client {
    int fd;
    bool upgraded;
    size_t begun_len; /* of a frame that a read cut in two */
    uint8_t *begun;
    struct client *next; /* of all */
    struct client *prev;
} client_t;

typedef struct all {
    int epoll;
    int listener;
    client_t *clients;
    uint8_t in[2 * READ_BYTES];
    uint8_t out[2 * READ_BYTES];
} all_t;

static void put(const client_t *client, const void *bytes, size_t len)
{
    if (send(client->fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len && errno == EAGAIN) {
        fprintf(stderr, "floor: a client does not read\n"); /* the load never lets so much pile up */
        exit(3);
    }
}

static void drop(all_t *all, client_t *client)
{
    if (client->prev != NULL) {
        client->prev->next = client->next;
    } else {
        all->clients = client->next;
    }
    if (client->next != NULL) {
        client->next->prev = client->prev;
    }
    close(client->fd);
    free(client->begun);
    free(client);
}

/* Whole frames leave together, as one read brought them. What is left at the end is kept. */
static void on_frames(all_t *all, client_t *client, const uint8_t *in, size_t len)
{
    size_t at = 0;
    size_t out = 0;
    while (len - at >= 2) {
        const bool longer = (in[at + 1] & ~MASKED) == 126;
        const size_t head = longer ? 4 : 2;
        if (len - at < head) {
            break;
        }
        const size_t payload = longer ? (size_t)in[at + 2] << 8 | in[at + 3] : in[at + 1] & (size_t)~MASKED;
        if (len - at < head + MASK_BYTES + payload) {
            break;
        }
        memcpy(all->out + out, in + at, head);
        all->out[out + 1] &= (uint8_t)~MASKED;
        memcpy(all->out + out + head, in + at + head + MASK_BYTES, payload);
        if (payload > 0 && all->out[out + head] == '!') {
            for (const client_t *to = all->clients; to != NULL; to = to->next) {
                put(to, all->out + out, head + payload);
            }
        } else {
            out += head + payload;
        }
        at += head + MASK_BYTES + payload;
    }
    if (out > 0) {
        put(client, all->out, out);
    }
    client->begun_len = len - at;
    if (client->begun_len > 0) {
        if (client->begun == NULL && (client->begun = malloc(READ_BYTES)) == NULL) {
            exit(3);
        }
        memcpy(client->begun, in + at, client->begun_len);
    }
}

static void on_readable(all_t *all, client_t *client)
{
    const size_t begun = client->begun_len;
    if (begun > 0) {
        memcpy(all->in, client->begun, begun);
    }
    const ssize_t got = recv(client->fd, all->in + begun, READ_BYTES - begun, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN) {
            drop(all, client);
        }
    } else if (client->upgraded) {
        on_frames(all, client, all->in, begun + (size_t)got);
    } else {
        client->upgraded = true; /* the load sends its request in one piece */
        put(client, UPGRADE, sizeof UPGRADE - 1);
    }
}

static void on_accept(all_t *all)
{
    const int fd = accept(all->listener, NULL, NULL);
    client_t *client = fd >= 0 ? calloc(1, sizeof *client) : NULL;
    if (client == NULL) {
        return;
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    client->fd = fd;
    client->next = all->clients;
    if (client->next != NULL) {
        client->next->prev = client;
    }
    all->clients = client;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    epoll_ctl(all->epoll, EPOLL_CTL_ADD, fd, &event);
}

static bool listen_on_any_port(all_t *all)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    all->epoll = epoll_create1(0);
    all->listener = socket(AF_INET, SOCK_STREAM, 0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (all->epoll < 0 || bind(all->listener, (struct sockaddr *)&address, len) != 0 ||
        listen(all->listener, BACKLOG) != 0 ||
        getsockname(all->listener, (struct sockaddr *)&address, &len) != 0 ||
        epoll_ctl(all->epoll, EPOLL_CTL_ADD, all->listener, &event) != 0) {
        return false;
    }
    printf("ready http://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return true;
}

int main(void)
{
    struct rlimit descriptors;
    all_t *all = calloc(1, sizeof *all);
    if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
        descriptors.rlim_cur = descriptors.rlim_max;
        setrlimit(RLIMIT_NOFILE, &descriptors);
    }
    if (all == NULL || !listen_on_any_port(all)) {
        perror("floor");
        free(all);
        return 3;
    }
    for (;;) {
        struct epoll_event events[EVENTS];
        const int count = epoll_wait(all->epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr != NULL) {
                on_readable(all, events[i].data.ptr);
            } else {
                on_accept(all);
            }
        }
    }
}
