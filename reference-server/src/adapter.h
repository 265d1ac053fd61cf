/* SPDX-License-Identifier: MIT */
/*
 * How the nodes of a cluster reach each other: messages of bytes, at most once, those of one node in the
 * order they were sent (CLU-04, CLU-06). A node alone has no adapter.
 */
#ifndef ADAPTER_H
#define ADAPTER_H

#include "phx/bytes.h"

/* A node in one of its lives: drawn by lot when it starts. 0 is none. */
typedef uint64_t node_id_t;

typedef struct adapter adapter_t;

typedef struct adapter_ops {
    /* `message` begins with the sender's id, 8 bytes, as cluster.c writes it. To one node, or with 0 to all
     * others. False if it is lost for sure; true promises nothing. */
    bool (*send)(adapter_t *adapter, node_id_t to, phx_slice_t message);
    /* What has been sent leaves as far as the kernel takes it; the loop must run on for its handles to go. */
    void (*free)(adapter_t *adapter);
} adapter_ops_t;

/* Begins the adapter's own structure. Whoever uses it sets the callbacks before the loop runs; none of them
 * may free it. */
struct adapter {
    const adapter_ops_t *ops;
    void *user;
    /* A message of another node; borrowed. */
    void (*received)(void *user, phx_slice_t message);
    /* The others can be reached again, or not any more. At first they cannot. */
    void (*linked)(void *user, bool up);
};

#endif
