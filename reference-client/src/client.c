/* SPDX-License-Identifier: MIT */
/* A socket on libuv: where the core, the clock and the transports meet. */
#include "http_call.h"
#include "longpoll.h"
#include "net.h"
#include "socket.h"
#include "websocket.h"

static void release_net(void *net)
{
    phxc_net_release(net);
}

static phxc_transport_t *open_transport(void *context, const phxc_request_t *request,
                                        const phxc_transport_events_t *events, void *owner, char *error,
                                        size_t error_size)
{
    phxc_net_t *net = context;
    if (request->carriage == PHXC_WEBSOCKET) {
        return phxc_websocket_open(net, request, events, owner, error, error_size);
    }
    const phxc_longpoll_settings_t settings = {
        .timers = &net->timers,
        .http = phxc_http_over(net),
        .timeout_ms = net->longpoll_timeout_ms,
        .token_place = net->longpoll_token,
        .release = release_net,
        .context = net,
    };
    phxc_transport_t *transport = phxc_longpoll_open(&settings, request, events, owner, error, error_size);
    if (transport != NULL) {
        phxc_net_hold(net);
    }
    return transport;
}

phxc_socket_t *phxc_socket_new(uv_loop_t *loop, const phxc_config_t *config,
                               const phxc_socket_callbacks_t *callbacks, void *user, char *error,
                               size_t error_size)
{
    phxc_net_t *net = phxc_net_new(loop, config, error, error_size);
    if (net == NULL) {
        return NULL;
    }
    const phxc_network_t network = {open_transport, net};
    return phxc__socket_new(&net->timers, network, release_net, config, callbacks, user, error, error_size);
}
