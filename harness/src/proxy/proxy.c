/* SPDX-License-Identifier: MIT */
#include "proxy/proxy.h"

#include "base/memory.h"
#include "proxy/link.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

enum { BACKLOG = 511 };

struct proxy {
    uv_tcp_t listener;
    address_t upstream;
    link_setup_t setup;
    link_t **links;
    size_t count, cap;
    int port;
};

static void on_gone(void *ctx, link_t *link)
{
    proxy_t *proxy = ctx;
    for (size_t i = 0; i < proxy->count; i++) {
        if (proxy->links[i] == link) {
            proxy->links[i] = proxy->links[--proxy->count];
            break;
        }
    }
    link_free(link);
}

static void on_connection(uv_stream_t *listener, int status)
{
    proxy_t *proxy = listener->data;
    link_t *link = status == 0 ? link_accept(&proxy->setup, listener) : NULL;
    if (link) {
        MEM_ROOM(proxy->links, proxy->count, proxy->cap);
        proxy->links[proxy->count++] = link;
    }
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

proxy_t *proxy_start(uv_loop_t *loop, int port, const address_t *upstream, faults_t *faults, text_t *error)
{
    proxy_t *proxy = mem_new(1, sizeof *proxy);
    struct sockaddr_in address;
    int len = sizeof address;
    proxy->upstream = *upstream;
    proxy->setup = (link_setup_t){
        .loop = loop, .upstream = &proxy->upstream, .faults = faults, .gone = on_gone, .ctx = proxy};
    proxy->listener.data = proxy;
    uv_ip4_addr("127.0.0.1", port, &address);
    uv_tcp_init(loop, &proxy->listener);
    int failed = uv_tcp_bind(&proxy->listener, (const struct sockaddr *)&address, 0);
    failed = failed ? failed : uv_listen((uv_stream_t *)&proxy->listener, BACKLOG, on_connection);
    failed = failed ? failed : uv_tcp_getsockname(&proxy->listener, (struct sockaddr *)&address, &len);
    if (failed) {
        text_printf(error, "port %d of 127.0.0.1: %s", port, uv_strerror(failed));
        proxy_free(proxy);
        return NULL;
    }
    proxy->port = ntohs(address.sin_port);
    return proxy;
}

int proxy_port(const proxy_t *proxy)
{
    return proxy->port;
}

void proxy_free(proxy_t *proxy)
{
    while (proxy->count > 0) {
        link_free(proxy->links[--proxy->count]);
    }
    free(proxy->links);
    uv_close((uv_handle_t *)&proxy->listener, on_closed);
}
