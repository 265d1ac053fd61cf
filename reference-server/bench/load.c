/* SPDX-License-Identifier: MIT */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_BYTES = 1 << 18,
    EVENTS = 256,
    OPEN_AT_ONCE = 128, /* less than a backlog of connections not yet accepted */
    OPEN_SECONDS = 30,
};

struct load {
    int epoll;
    uint16_t port;
    const char *path;
    size_t count;
    size_t opened;
    peer_t *peers;
    load_callback_t callback;
    void *user;
    uint8_t *buffer;
};

void load_broken(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    exit(3);
}

uint64_t load_now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL) {
        load_broken("memory ran out");
    }
    return memory;
}

load_t *load_new(uint16_t port, const char *path, size_t peers)
{
    load_t *load = allocate(1, sizeof *load);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->port = port;
    load->path = path;
    load->count = peers;
    load->peers = allocate(peers, sizeof *load->peers);
    load->buffer = allocate(1, READ_BYTES);
    for (size_t i = 0; i < peers; i++) {
        load->peers[i] = (peer_t){.fd = -1, .http = path == NULL, .index = i};
    }
    return load;
}

void load_free(load_t *load)
{
    load_close(load);
    close(load->epoll);
    free(load->buffer);
    free(load->peers);
    free(load);
}

void load_on_messages(load_t *load, load_callback_t callback, void *user)
{
    load->callback = callback;
    load->user = user;
}

void *load_user(load_t *load)
{
    return load->user;
}

peer_t *load_peer(load_t *load, size_t index)
{
    return &load->peers[index];
}

size_t load_peers(const load_t *load)
{
    return load->count;
}

void peer_send(peer_t *peer, const void *bytes, size_t len)
{
    if (send(peer->fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len) {
        load_broken("a server does not take what it is sent");
    }
}

/* ---- connecting ---- */

static void connect_peer(load_t *load, peer_t *peer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(load->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* On the loopback a connect is over at once, or the backlog full, which it waits for. */
    if (peer->fd < 0 || connect(peer->fd, (struct sockaddr *)&address, sizeof address) != 0) {
        load_broken(strerror(errno));
    }
    const int on = 1;
    setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(peer->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
    epoll_ctl(load->epoll, EPOLL_CTL_ADD, peer->fd, &event);
    if (peer->http) {
        peer->open = true;
        load->opened++;
        return;
    }
    char request[512];
    const int len =
        snprintf(request, sizeof request,
                 "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                 load->path);
    peer_send(peer, request, (size_t)len);
}

void load_open(load_t *load)
{
    const uint64_t until = load_now_ns() + OPEN_SECONDS * 1000000000ULL;
    size_t begun = 0;
    load->opened = 0;
    while (load->opened < load->count) {
        for (; begun < load->count && begun - load->opened < OPEN_AT_ONCE; begun++) {
            connect_peer(load, &load->peers[begun]);
        }
        if (load->opened < begun) {
            load_turn(load, 1000);
        }
        if (load_now_ns() > until) {
            load_broken("a server does not take its connections");
        }
    }
}

static void close_peer(peer_t *peer)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    if (peer->fd >= 0) {
        setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(peer->fd);
    }
    free(peer->keep);
    *peer = (peer_t){.fd = -1, .http = peer->http, .index = peer->index};
}

void load_close(load_t *load)
{
    for (size_t i = 0; i < load->count; i++) {
        close_peer(&load->peers[i]);
    }
    load->opened = 0;
}

/* ---- receiving ---- */

/* The length of the WebSocket message at `bytes`, its head included; 0: not complete. */
static size_t frame_length(const uint8_t *bytes, size_t len, size_t *head)
{
    if (len < 2) {
        return 0;
    }
    if ((bytes[0] & 0x0F) == 8) {
        load_broken("a server closed a WebSocket");
    }
    const size_t form = bytes[1] & 0x7F;
    const size_t length_bytes = form == 126 ? 2 : form == 127 ? 8 : 0;
    size_t payload = length_bytes == 0 ? form : 0;
    *head = 2 + length_bytes;
    if (len < *head) {
        return 0;
    }
    for (size_t i = 0; i < length_bytes; i++) {
        payload = payload << 8 | bytes[2 + i];
    }
    return len - *head >= payload ? *head + payload : 0;
}

/* The same of an HTTP response with a content-length, or none of these. */
static size_t response_length(const uint8_t *bytes, size_t len, size_t *head)
{
    static const char LENGTH[] = "\r\ncontent-length: ";
    const char *text = (const char *)bytes;
    const char *end = NULL;
    size_t body = 0;
    for (size_t i = 0; i + 4 <= len && end == NULL; i++) {
        if (text[i] != '\r') {
            continue;
        }
        if (memcmp(text + i, "\r\n\r\n", 4) == 0) {
            end = text + i;
        } else if (i + sizeof LENGTH <= len && memcmp(text + i, LENGTH, sizeof LENGTH - 1) == 0) {
            body = strtoul(text + i + sizeof LENGTH - 1, NULL, 10); /* ends at the \r of its line */
        }
    }
    if (end == NULL) {
        return 0;
    }
    *head = (size_t)(end - text) + 4;
    return len - *head >= body ? *head + body : 0;
}

static void keep_rest(peer_t *peer, const uint8_t *rest, size_t len)
{
    if (len == 0 && peer->keep == NULL) {
        return;
    }
    uint8_t *keep = len > 0 ? allocate(1, len) : NULL;
    if (len > 0) {
        memcpy(keep, rest, len);
    }
    free(peer->keep);
    peer->keep = keep;
    peer->kept = len;
}

static void take(load_t *load, peer_t *peer, const uint8_t *bytes, size_t len)
{
    size_t at = 0;
    size_t head = 0;
    if (!peer->open) {
        const size_t upgrade = response_length(bytes, len, &head);
        if (upgrade > 0 && memcmp(bytes, "HTTP/1.1 101", 12) != 0) {
            load_broken("a server refused a WebSocket");
        }
        peer->open = upgrade > 0;
        load->opened += peer->open;
        at = upgrade;
    }
    size_t count = 0;
    const uint8_t *last = NULL;
    size_t last_len = 0;
    while (peer->open) {
        const size_t size = peer->http ? response_length(bytes + at, len - at, &head)
                                       : frame_length(bytes + at, len - at, &head);
        if (size == 0) {
            break;
        }
        last = bytes + at + head;
        last_len = size - head;
        at += size;
        count++;
    }
    if (count > 0 && load->callback != NULL) {
        load->callback(load, peer, count, (const char *)last, last_len);
    }
    keep_rest(peer, bytes + at, len - at);
}

static void receive(load_t *load, peer_t *peer)
{
    const size_t kept = peer->kept;
    if (kept > READ_BYTES / 2) {
        load_broken("a message is too long");
    }
    const ssize_t got = recv(peer->fd, load->buffer + kept, READ_BYTES - kept, 0);
    if (got < 0 && errno == EAGAIN) {
        return;
    }
    if (got <= 0) {
        load_broken("a server ended a connection");
    }
    if (kept > 0) {
        memcpy(load->buffer, peer->keep, kept);
    }
    take(load, peer, load->buffer, kept + (size_t)got);
}

void load_turn(load_t *load, int wait_ms)
{
    struct epoll_event events[EVENTS];
    const int count = epoll_wait(load->epoll, events, EVENTS, wait_ms);
    for (int i = 0; i < count; i++) {
        receive(load, events[i].data.ptr);
    }
}

size_t load_frame(uint8_t *frame, const char *text, size_t len)
{
    size_t head = 2;
    frame[0] = 0x81;
    if (len < 126) {
        frame[1] = (uint8_t)(0x80 | len);
    } else if (len <= UINT16_MAX) {
        frame[1] = 0x80 | 126;
        frame[2] = (uint8_t)(len >> 8);
        frame[3] = (uint8_t)len;
        head = 4;
    } else {
        load_broken("a frame is too long");
    }
    memset(frame + head, 0, 4);
    memcpy(frame + head + 4, text, len);
    return head + 4 + len;
}
