/* SPDX-License-Identifier: MIT */
#include "carrier.h"

#include "listener.h"
#include "send_queue.h"
#include "timers.h"

#include <errno.h>
#include <libwebsockets.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    WRITE_BYTES = 65536,        /* at most this much goes to the kernel in one call */
    READ_BYTES = 65536,         /* and about this much comes from it */
    RESERVED_DESCRIPTORS = 24,  /* for the loop, the listener, files and the like */
    WANTED_DESCRIPTORS = 65536, /* unless the configuration says otherwise */
    MOST_DESCRIPTORS = 1 << 20, /* libwebsockets keeps tables of 16 bytes for each that is possible */
    PEEK_MS = 500,              /* how often paused connections are looked at for their end */
};

struct carrier {
    const carrier_callbacks_t *callbacks;
    void *user;
    size_t max_queued_bytes;
    budget_t *queued;
    int adoption; /* flags of lws_adopt_descriptor_vhost */
    size_t max_descriptors;
    size_t descriptors; /* of connections; one counts until libwebsockets has closed it */
    struct lws_context *context;
    struct lws_vhost *vhost;
    listener_t *listener; /* NULL: takes no connections any more */
    uint16_t port;
    timers_t *timers;
    loop_timer_t peek; /* runs while `paused` is not 0 */
    size_t paused;
    uv_prepare_t prepare;
    lws_dll2_owner_t conns;
    lws_dll2_owner_t waiting; /* connections to be served before the loop waits again */
    bool freed;
    int closing_rounds;
    uint8_t scratch[WRITE_BYTES];
};

/*
 * What libwebsockets could not write at once it keeps and writes later by itself: these `in_flight` bytes
 * still count as queued, and nothing may be written until they are out.
 */
struct carrier_conn {
    struct lws *wsi;
    carrier_t *carrier;
    void *context;
    lws_dll2_t link;    /* in carrier->conns, until closed */
    lws_dll2_t waiting; /* in carrier->waiting */
    send_queue_t queue;
    loop_timer_t linger;
    uint32_t in_flight;
    bool blocked;     /* writes again on RAW_WRITEABLE only */
    bool paused;      /* by its owner */
    bool reading_off; /* what libwebsockets was told */
    bool ending;      /* takes nothing for sending any more */
    bool deaf;        /* what comes is dropped; our FIN follows the last queued byte */
    bool fin_sent;
    bool doomed; /* to be closed in the next turn */
};

static void serve_next_turn(carrier_conn_t *conn)
{
    if (lws_dll2_is_detached(&conn->waiting)) {
        lws_dll2_add_tail(&conn->waiting, &conn->carrier->waiting);
    }
}

/*
 * Reading stops also while libwebsockets has bytes in flight: it lets nothing be read then, but goes on being
 * told that there is something to read, and the loop would spin until a slow peer takes its bytes.
 */
static void update_reading(carrier_conn_t *conn)
{
    const bool off = conn->paused || conn->in_flight > 0;
    if (off != conn->reading_off) {
        conn->reading_off = off;
        /* Its result tells of trouble with the event loop only, and that shows elsewhere. */
        (void)lws_rx_flow_control(conn->wsi, off ? 0 : 1);
    }
}

static void peek(loop_timer_t *timer);

static void watch_paused(carrier_t *carrier)
{
    /* Without memory for it, an end is noticed later: on resuming. */
    (void)timers_start(carrier->timers, &carrier->peek, PEEK_MS, peek);
}

static void set_paused(carrier_conn_t *conn, bool paused)
{
    carrier_t *carrier = conn->carrier;
    if (paused == conn->paused) {
        return;
    }
    conn->paused = paused;
    if (paused && carrier->paused++ == 0) {
        watch_paused(carrier);
    } else if (!paused && --carrier->paused == 0) {
        timers_stop(carrier->timers, &carrier->peek);
    }
}

/* A paused connection is not polled: its end shows only to who looks, and only behind the last bytes. */
static bool peer_is_gone(const carrier_conn_t *conn)
{
    char byte;
    const ssize_t len = recv(lws_get_socket_fd(conn->wsi), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return len == 0 || (len < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

static void peek(loop_timer_t *timer)
{
    carrier_t *carrier = timer->data;
    for (lws_dll2_t *node = lws_dll2_get_head(&carrier->conns); node != NULL; node = node->next) {
        carrier_conn_t *conn = lws_container_of(node, carrier_conn_t, link);
        if (conn->paused && conn->in_flight == 0 && peer_is_gone(conn)) {
            set_paused(conn, false); /* libwebsockets reads the end and closes */
            update_reading(conn);
        }
    }
    if (carrier->paused > 0) {
        watch_paused(carrier);
    }
}

/* What libwebsockets has taken and not written counts as queued, too: it is a copy. */
static void set_in_flight(carrier_conn_t *conn, size_t len)
{
    budget_t *queued = conn->carrier->queued;
    if (queued != NULL) {
        queued->used = queued->used - conn->in_flight + len;
    }
    conn->in_flight = (uint32_t)len;
}

/* No more will be sent: says so, over TLS in its own way first. */
static bool send_fin(carrier_conn_t *conn)
{
    SSL *ssl = lws_get_ssl(conn->wsi);
    conn->fin_sent = true;
    if (ssl != NULL && SSL_is_init_finished(ssl)) {
        ERR_clear_error();
        (void)SSL_shutdown(ssl); /* what does not fit in now is lost, and the FIN says the same */
    }
    return shutdown(lws_get_socket_fd(conn->wsi), SHUT_WR) == 0;
}

/* Writes once, what is left follows on RAW_WRITEABLE. Returns false when the connection is of no more use. */
static bool write_some(carrier_conn_t *conn)
{
    set_in_flight(conn, 0);
    conn->blocked = false;
    const phx_slice_t next = send_queue_next(&conn->queue, conn->carrier->scratch, WRITE_BYTES);
    if (next.len > 0) {
        /* Raw bytes are neither altered nor given a header: they need no LWS_PRE and may be shared. */
        if (lws_write(conn->wsi, (unsigned char *)next.data, next.len, LWS_WRITE_RAW) < 0) {
            return false;
        }
        send_queue_consume(&conn->queue, next.len, conn->carrier->queued);
        if (lws_partial_buffered(conn->wsi)) {
            set_in_flight(conn, next.len); /* RAW_WRITEABLE comes unasked when they are out */
        } else if (conn->queue.len > 0 && lws_callback_on_writable(conn->wsi) < 0) {
            return false;
        }
        conn->blocked = carrier_queued(conn) > 0;
    }
    update_reading(conn);
    if (conn->deaf && !conn->blocked && !conn->fin_sent) {
        return send_fin(conn);
    }
    return true;
}

/* Closes now: `closed` is called before this returns. Not for use inside libwebsockets' callbacks. */
static void close_now(carrier_conn_t *conn)
{
    lws_set_timeout(conn->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
}

/* The last thing before the loop waits: what a turn has queued leaves in one write per connection. */
static void on_prepare(uv_prepare_t *handle)
{
    carrier_t *carrier = handle->data;
    lws_dll2_t *node;
    while ((node = lws_dll2_get_head(&carrier->waiting)) != NULL) {
        carrier_conn_t *conn = lws_container_of(node, carrier_conn_t, waiting);
        lws_dll2_remove(node);
        if (conn->doomed || (!conn->blocked && !write_some(conn))) {
            close_now(conn);
        }
    }
}

static void conn_closed(carrier_conn_t *conn)
{
    carrier_t *carrier = conn->carrier;
    set_paused(conn, false);
    timers_stop(carrier->timers, &conn->linger);
    lws_dll2_remove(&conn->link);
    lws_dll2_remove(&conn->waiting);
    send_queue_clear(&conn->queue, carrier->queued);
    set_in_flight(conn, 0);
    if (conn->context == NULL) {
        return; /* refused */
    }
    if (!conn->ending && !carrier->freed && carrier->callbacks->finished != NULL) {
        carrier->callbacks->finished(conn->context);
    }
    carrier->callbacks->closed(conn->context);
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *session, void *in, size_t len)
{
    (void)session;
    carrier_conn_t *conn = lws_get_opaque_user_data(wsi);
    if (conn == NULL) {
        return 0; /* of the context, or of a connection not yet taken over */
    }
    switch (reason) {
    case LWS_CALLBACK_RAW_RX:
        if (conn->carrier->adoption & LWS_ADOPT_ALLOW_SSL) {
            /* libwebsockets waits for something behind the handshake, and does not notice when it comes. */
            lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
        }
        if (!conn->deaf && !conn->doomed) {
            conn->carrier->callbacks->received(conn->context, in, len);
        }
        return 0;
    case LWS_CALLBACK_RAW_WRITEABLE:
        return conn->doomed || write_some(conn) ? 0 : -1;
    case LWS_CALLBACK_RAW_CLOSE:
        conn_closed(conn);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY: /* the descriptor is closed, too */
        conn->carrier->descriptors--;
        free(conn);
        return 0;
    default:
        return 0;
    }
}

static const struct lws_protocols PROTOCOLS[] = {
    {.name = "carrier", .callback = on_event, .tx_packet_size = WRITE_BYTES},
    {0},
};

/* Over the limit a connection is refused at once, rather than left to wait for nobody knows how long. */
static void on_accepted(void *data, int fd)
{
    carrier_t *carrier = data;
    carrier_conn_t *conn = NULL;
    if (carrier->descriptors < carrier->max_descriptors) {
        conn = calloc(1, sizeof *conn);
    }
    if (conn == NULL) {
        close(fd);
        return;
    }
    conn->carrier = carrier;
    /* On failure it closes `fd`. */
    conn->wsi = lws_adopt_descriptor_vhost(carrier->vhost, (lws_adoption_type)carrier->adoption,
                                           (lws_sock_file_fd_type){.sockfd = fd}, PROTOCOLS[0].name, NULL);
    if (conn->wsi == NULL) {
        free(conn);
        return;
    }
    carrier->descriptors++;
    lws_dll2_add_tail(&conn->link, &carrier->conns);
    lws_set_opaque_user_data(conn->wsi, conn);
    conn->context = carrier->callbacks->accepted(carrier->user, conn);
    if (conn->context == NULL) {
        carrier_abort(conn);
    }
}

/*
 * The number of connections there may be. For it the soft limit of descriptors is raised, before
 * libwebsockets comes to size its tables by it; or lowered, where it is so high that those would not fit into
 * memory.
 */
static size_t most_connections(size_t configured)
{
    struct rlimit limit = {0};
    (void)getrlimit(RLIMIT_NOFILE, &limit); /* fails for unknown resources only */
    rlim_t most = configured == 0                 ? WANTED_DESCRIPTORS
                  : configured < MOST_DESCRIPTORS ? configured + RESERVED_DESCRIPTORS
                                                  : MOST_DESCRIPTORS;
    most = most > limit.rlim_cur ? most : limit.rlim_cur;
    most = most < limit.rlim_max ? most : limit.rlim_max;
    most = most < MOST_DESCRIPTORS ? most : MOST_DESCRIPTORS;
    if (most != limit.rlim_cur) {
        const struct rlimit wanted = {.rlim_cur = most, .rlim_max = limit.rlim_max};
        most = setrlimit(RLIMIT_NOFILE, &wanted) == 0 ? most : limit.rlim_cur;
    }
    const size_t possible = most > RESERVED_DESCRIPTORS ? (size_t)most - RESERVED_DESCRIPTORS : 1;
    return configured > 0 && configured < possible ? configured : possible;
}

static void log_line(int level, const char *line)
{
    (void)level;
    (void)fprintf(stderr, "libwebsockets: %s", line);
}

static bool start_lws(carrier_t *carrier, uv_loop_t *loop, const carrier_config_t *config)
{
    const bool tls = config->tls_cert != NULL;
    static const lws_retry_bo_t no_keepalive = {0};
    void *loops[] = {loop};
    const struct lws_context_creation_info info = {
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   (tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0),
        .ssl_cert_filepath = config->tls_cert,
        .ssl_private_key_filepath = config->tls_key,
        .timeout_secs = (unsigned int)((config->tls_timeout_ms + 999) / 1000), /* 0: 5 */
        .alpn = "http/1.1", /* not HTTP/2, which it would offer by itself */
        .ssl_options_set = SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 | SSL_OP_NO_RENEGOTIATION,
        .foreign_loops = loops,
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = PROTOCOLS,
        .pt_serv_buf_size = READ_BYTES,
        .retry_and_idle_policy = &no_keepalive,
        .gid = -1,
        .uid = -1,
    };
    /* Of the whole process, as libwebsockets has it. Below errors it speaks of every context and timeout. */
    lws_set_log_level(LLL_ERR, log_line);
    carrier->adoption = LWS_ADOPT_SOCKET | (tls ? LWS_ADOPT_ALLOW_SSL : 0);
    carrier->context = lws_create_context(&info);
    if (carrier->context == NULL) {
        return false;
    }
    carrier->vhost = lws_create_vhost(carrier->context, &info);
    return carrier->vhost != NULL;
}

carrier_t *carrier_new(uv_loop_t *loop, const carrier_config_t *config, const carrier_callbacks_t *callbacks,
                       void *user, char *error, size_t error_size)
{
    carrier_t *carrier = calloc(1, sizeof *carrier);
    if (carrier == NULL || uv_prepare_init(loop, &carrier->prepare) != 0) {
        (void)snprintf(error, error_size, "cannot start the server: out of memory");
        free(carrier);
        return NULL;
    }
    carrier->prepare.data = carrier;
    (void)uv_prepare_start(&carrier->prepare, on_prepare); /* fails only without a callback */
    uv_unref((uv_handle_t *)&carrier->prepare);
    carrier->callbacks = callbacks;
    carrier->user = user;
    carrier->max_queued_bytes = config->max_queued_bytes > 0 ? config->max_queued_bytes : SIZE_MAX;
    carrier->queued = config->queued;
    carrier->max_descriptors = most_connections(config->max_connections);
    carrier->peek.data = carrier;
    carrier->timers = timers_new(loop);
    if (carrier->timers == NULL) {
        (void)snprintf(error, error_size, "cannot start the server: out of memory");
        carrier_free(carrier);
        return NULL;
    }
    const listener_place_t place = {.address = config->address != NULL ? config->address : "127.0.0.1",
                                    .port = config->port,
                                    .shared = config->reuse_port};
    carrier->listener = listener_new(loop, carrier->timers, &place, on_accepted, carrier, error, error_size);
    if (carrier->listener == NULL) {
        carrier_free(carrier);
        return NULL;
    }
    if (!start_lws(carrier, loop, config)) {
        (void)snprintf(error, error_size,
                       "cannot start libwebsockets on libuv: is its plugin for libuv installed (Debian: "
                       "libwebsockets-evlib-uv)?");
        carrier_free(carrier);
        return NULL;
    }
    carrier->port = listener_port(carrier->listener);
    return carrier;
}

uint16_t carrier_port(const carrier_t *carrier)
{
    return carrier->port;
}

void carrier_stop_listening(carrier_t *carrier)
{
    listener_free(carrier->listener);
    carrier->listener = NULL;
}

size_t carrier_connections(const carrier_t *carrier)
{
    return carrier->conns.count;
}

/*
 * On a loop that is not its own, libwebsockets wants to be destroyed twice: the first call begins to close
 * its handles, the second may come, and must, when all are closed. It does not tell; but those of connections
 * go in the first round of closing, those of the context in the second, and so this one's third round comes
 * after them.
 */
static void round_over(uv_handle_t *handle)
{
    carrier_t *carrier = handle->data;
    if (++carrier->closing_rounds < 3) {
        (void)uv_prepare_init(handle->loop, &carrier->prepare); /* cannot fail */
        uv_close(handle, round_over);
        return;
    }
    lws_context_destroy(carrier->context); /* NULL is allowed */
    free(carrier);
}

void carrier_free(carrier_t *carrier)
{
    if (carrier == NULL) {
        return;
    }
    carrier->freed = true;
    carrier_stop_listening(carrier);
    lws_dll2_t *node;
    while ((node = lws_dll2_get_head(&carrier->conns)) != NULL) {
        close_now(lws_container_of(node, carrier_conn_t, link));
    }
    timers_free(carrier->timers);
    if (carrier->context != NULL) {
        lws_context_destroy(carrier->context);
    }
    uv_close((uv_handle_t *)&carrier->prepare, round_over);
}

bool carrier_send(carrier_conn_t *conn, shared_bytes_t *bytes)
{
    if (conn->ending) {
        return false;
    }
    const size_t queued = carrier_queued(conn);
    if (bytes->len > conn->carrier->max_queued_bytes - queued ||
        !send_queue_push(&conn->queue, bytes, conn->carrier->queued)) {
        carrier_abort(conn);
        return false;
    }
    serve_next_turn(conn);
    return true;
}

size_t carrier_queued(const carrier_conn_t *conn)
{
    return conn->queue.len + conn->in_flight;
}

size_t carrier_largest_queue(const carrier_t *carrier)
{
    size_t largest = 0;
    for (const lws_dll2_t *node = carrier->conns.head; node != NULL; node = node->next) {
        const size_t queued = carrier_queued(lws_container_of(node, const carrier_conn_t, link));
        largest = queued > largest ? queued : largest;
    }
    return largest;
}

void carrier_abort_slow(carrier_t *carrier, size_t least)
{
    for (lws_dll2_t *node = lws_dll2_get_head(&carrier->conns); node != NULL; node = node->next) {
        carrier_conn_t *conn = lws_container_of(node, carrier_conn_t, link);
        if (carrier_queued(conn) >= least) {
            carrier_abort(conn);
        }
    }
}

void carrier_pause(carrier_conn_t *conn)
{
    if (!conn->deaf) {
        set_paused(conn, true);
        update_reading(conn);
    }
}

void carrier_resume(carrier_conn_t *conn)
{
    set_paused(conn, false);
    update_reading(conn);
}

static void linger_is_over(loop_timer_t *timer)
{
    carrier_abort(timer->data);
}

void carrier_end_after_peer(carrier_conn_t *conn, uint64_t linger_ms)
{
    conn->ending = true;
    conn->linger.data = conn;
    if (!timers_start(conn->carrier->timers, &conn->linger, linger_ms, linger_is_over)) {
        carrier_abort(conn);
    }
}

void carrier_end(carrier_conn_t *conn, uint64_t linger_ms)
{
    conn->deaf = true;
    carrier_resume(conn); /* what the peer still sends is dropped, its end is not */
    carrier_end_after_peer(conn, linger_ms);
    serve_next_turn(conn);
}

void carrier_abort(carrier_conn_t *conn)
{
    conn->doomed = true;
    conn->ending = true;
    send_queue_clear(&conn->queue, conn->carrier->queued);
    serve_next_turn(conn);
}
