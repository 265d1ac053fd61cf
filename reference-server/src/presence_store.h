/* SPDX-License-Identifier: MIT */
/*
 * The entries of all topics, and what changed since it was last told.
 *
 * A topic has keys, a key has an entry for each channel that tracks it, here or on another node; an entry is
 * one meta (PRES-05). Changes gather until presence_store_tell sends one diff per topic to this node's
 * subscribers (PRES-02); whoever changes something tells it before the loop goes on.
 */
#ifndef PRESENCE_STORE_H
#define PRESENCE_STORE_H

#include "pubsub.h"
#include "table.h"

typedef struct presence_store presence_store_t;
typedef struct presence_entry presence_entry_t;

/* What belongs together: the entries of a channel, or of another node. Zero-initialise. */
typedef struct presence_owner {
    presence_entry_t *first;
    size_t count;
    size_t bytes; /* of keys and metas */
} presence_owner_t;

struct presence_entry {
    table_entry_t by_ref; /* first: found by it */
    struct presence_key *key;
    presence_entry_t *next; /* of the same key */
    presence_entry_t *prev;
    presence_owner_t *owner;
    presence_entry_t *owner_next;
    presence_entry_t **owner_link; /* what points to it among its owner's entries */
    presence_entry_t *changed_next;
    uint8_t change; /* what is still to be told of it */
    bool here;      /* its channel is one of this node */
    bool seen;      /* for whoever goes through an owner's entries */
    phx_slice_t meta;
    char text[];
};

/* NULL when memory ran out. */
presence_store_t *presence_store_new(uint64_t seed);
/* The entries go with it; no owner may be used any more. */
void presence_store_free(presence_store_t *store);

/* A new entry; `meta` is a JSON object that has `ref` as its phx_ref, all is copied. NULL when memory ran
 * out. */
presence_entry_t *presence_store_add(presence_store_t *store, presence_owner_t *owner, phx_slice_t topic,
                                     phx_slice_t key, phx_slice_t ref, phx_slice_t meta);
/* It is freed when that has been told. */
void presence_store_remove(presence_store_t *store, presence_entry_t *entry);

/* An owner's entry by its ref, or by topic and key; NULL if there is none. */
presence_entry_t *presence_store_by_ref(const presence_store_t *store, phx_slice_t ref);
/* The entry behind `entry`, in no order; the first for NULL, NULL behind the last. */
presence_entry_t *presence_store_next(const presence_store_t *store, const presence_entry_t *entry);
presence_entry_t *presence_owner_find(const presence_owner_t *owner, phx_slice_t topic, phx_slice_t key);

phx_slice_t presence_entry_topic(const presence_entry_t *entry);
phx_slice_t presence_entry_key(const presence_entry_t *entry);
phx_slice_t presence_entry_ref(const presence_entry_t *entry);

/* Broadcasts what changed as presence_diff within this node; without `pubsub` (NULL) it is only forgotten. An
 * entry that came and went since the last time is not mentioned. Returns 0, or why some diff could not be
 * written: PHX_ENOMEM, PHX_EUTF8. */
int presence_store_tell(presence_store_t *store, pubsub_t *pubsub);

#ifdef PHXS_FAULTS
typedef struct core core_t;
/* From here on it breaks the rule that the core, which it borrows, does. Nothing for NULL. */
void presence_store_break(presence_store_t *store, const core_t *core);
#endif

/* Appends the presence map of a topic, a JSON object (PRES-01). */
void presence_store_list(const presence_store_t *store, phx_slice_t topic, phx_buf_t *out);

#endif
