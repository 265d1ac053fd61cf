/* SPDX-License-Identifier: MIT */
/* A hash table from byte strings to entries that live inside their owners. */
#ifndef TABLE_H
#define TABLE_H

#include "phx/bytes.h"

typedef struct table_entry {
    struct table_entry *next;
    uint64_t hash;
    phx_slice_t key; /* owned by whoever owns the entry; must not change while it is in */
} table_entry_t;

typedef struct table {
    table_entry_t **buckets;
    size_t bucket_count;
    size_t count;
    uint64_t seed; /* secret: keys come from the network */
} table_t;

/* Returns false when memory ran out. */
bool table_init(table_t *table, uint64_t seed);
/* The entries are not touched. */
void table_fini(table_t *table);
table_entry_t *table_find(const table_t *table, phx_slice_t key);
/* `entry->key` is set by the caller and not in the table yet. Never fails: without memory the buckets just
 * get longer. */
void table_insert(table_t *table, table_entry_t *entry);
void table_remove(table_t *table, table_entry_t *entry);
/* Some entry, or NULL when the table is empty. */
table_entry_t *table_any(const table_t *table);
/* The entry behind `entry`, in no order; the first for NULL, NULL behind the last. */
table_entry_t *table_next(const table_t *table, const table_entry_t *entry);

/* A seeded 64-bit hash (not for secrets). */
uint64_t hash_bytes(uint64_t seed, phx_slice_t bytes);

#endif
