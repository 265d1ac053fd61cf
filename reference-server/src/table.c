/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_BUCKETS = 64 };

uint64_t hash_bytes(uint64_t seed, phx_slice_t bytes)
{
    uint64_t hash = seed ^ (bytes.len * 0x9e3779b97f4a7c15u);
    const char *data = bytes.data;
    size_t left = bytes.len;
    while (left > 0) {
        uint64_t word = 0;
        size_t step = left < sizeof(word) ? left : sizeof(word);
        memcpy(&word, data, step);
        hash = (hash ^ word) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
        data += step;
        left -= step;
    }
    hash *= 0xc4ceb9fe1a85ec53u;
    return hash ^ (hash >> 29);
}

bool table_init(table_t *table, uint64_t seed)
{
    *table = (table_t){.bucket_count = FIRST_BUCKETS, .seed = seed};
    table->buckets = calloc(FIRST_BUCKETS, sizeof(*table->buckets));
    return table->buckets != NULL;
}

void table_fini(table_t *table)
{
    free(table->buckets);
    *table = (table_t){0};
}

static table_entry_t **bucket_of(const table_t *table, uint64_t hash)
{
    return &table->buckets[hash & (table->bucket_count - 1)];
}

table_entry_t *table_find(const table_t *table, phx_slice_t key)
{
    uint64_t hash = hash_bytes(table->seed, key);
    for (table_entry_t *entry = *bucket_of(table, hash); entry != NULL; entry = entry->next) {
        if (entry->hash == hash && phx_slice_equal(entry->key, key)) {
            return entry;
        }
    }
    return NULL;
}

static void resize(table_t *table, size_t bucket_count)
{
    table_t bigger = *table;
    bigger.buckets = calloc(bucket_count, sizeof(*bigger.buckets));
    bigger.bucket_count = bucket_count;
    if (bigger.buckets == NULL) {
        return;
    }
    for (size_t i = 0; i < table->bucket_count; i++) {
        for (table_entry_t *entry = table->buckets[i], *next; entry != NULL; entry = next) {
            next = entry->next;
            table_entry_t **bucket = bucket_of(&bigger, entry->hash);
            entry->next = *bucket;
            *bucket = entry;
        }
    }
    free(table->buckets);
    *table = bigger;
}

void table_insert(table_t *table, table_entry_t *entry)
{
    if (table->count >= table->bucket_count) {
        resize(table, table->bucket_count * 2);
    }
    entry->hash = hash_bytes(table->seed, entry->key);
    table_entry_t **bucket = bucket_of(table, entry->hash);
    entry->next = *bucket;
    *bucket = entry;
    table->count++;
}

void table_remove(table_t *table, table_entry_t *entry)
{
    table_entry_t **link = bucket_of(table, entry->hash);
    while (*link != NULL && *link != entry) {
        link = &(*link)->next;
    }
    if (*link == NULL) {
        return;
    }
    *link = entry->next;
    table->count--;
}

table_entry_t *table_any(const table_t *table)
{
    return table->count > 0 ? table_next(table, NULL) : NULL;
}

table_entry_t *table_next(const table_t *table, const table_entry_t *entry)
{
    if (entry != NULL && entry->next != NULL) {
        return entry->next;
    }
    size_t i = entry != NULL ? (entry->hash & (table->bucket_count - 1)) + 1 : 0;
    while (i < table->bucket_count && table->buckets[i] == NULL) {
        i++;
    }
    return i < table->bucket_count ? table->buckets[i] : NULL;
}
