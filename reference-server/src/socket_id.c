/* SPDX-License-Identifier: MIT */
/* What an application knows a socket by: its id, by which it is disconnected, and its assigns. */
#include "container.h"
#include "socket.h"

static delivery_t id_wants(const subscriber_t *subscriber, const broadcast_t *message)
{
    const core_t *core = CONTAINER_OF(subscriber, phxs_socket_t, id)->mount->core;
#ifdef PHXS_FAULTS
    if (core->fault_afar && has_fault(core, FAULT_CLUSTER_DISCONNECT_DEAF)) {
        return DELIVER_NOT;
    }
#endif
    if (phx_slice_equals(message->event, "disconnect") || has_fault(core, FAULT_DISCONNECT_ANY_EVENT)) {
        return DELIVER_MESSAGE;
    }
    return has_fault(core, FAULT_ID_EVENTS_PASSED) ? DELIVER_FRAME : DELIVER_NOT; /* BC-15 */
}

/* Under a fault only. */
static void id_frame(subscriber_t *subscriber, frame_t frame)
{
    socket_send(CONTAINER_OF(subscriber, phxs_socket_t, id), frame);
}

static void id_message(subscriber_t *subscriber, const broadcast_t *message)
{
    (void)message;
    socket_stop(CONTAINER_OF(subscriber, phxs_socket_t, id), SOCKET_DISCONNECTED); /* BC-13 */
}

const subscriber_ops_t SOCKET_ID_OPS = {id_wants, id_frame, id_message};

int phxs_socket_identify(phxs_socket_t *socket, phx_slice_t id)
{
    pubsub_unsubscribe(socket->mount->core->pubsub, &socket->id);
    return pubsub_subscribe(socket->mount->core->pubsub, id, &socket->id);
}

void phxs_socket_assign(phxs_socket_t *socket, void *assigns)
{
    socket->assigns = assigns;
}

void *phxs_socket_assigns(const phxs_socket_t *socket)
{
    return socket->assigns;
}

phxs_server_t *phxs_socket_server(const phxs_socket_t *socket)
{
    return socket->mount->core->server;
}
