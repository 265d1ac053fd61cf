/* SPDX-License-Identifier: MIT */
#include "presence_store.h"

#include <stdlib.h>
#include <string.h>

#include "phx/json.h"
#ifdef PHXS_FAULTS
#include "core.h"
#endif

enum change { UNCHANGED, JOINED, LEFT, CAME_AND_WENT };

typedef struct presence_topic presence_topic_t;
typedef struct presence_key presence_key_t;

struct presence_key {
    table_entry_t entry; /* first: found by topic and key */
    presence_topic_t *topic;
    presence_key_t *next; /* of the same topic */
    presence_key_t *prev;
    presence_entry_t *first;
    presence_entry_t *last;
    presence_key_t *changed_next;
    presence_entry_t
        *changed_first; /* in the order of the changes; not NULL: the key is in its topic's list */
    presence_entry_t *changed_last;
    phx_slice_t name;
    char text[];
};

struct presence_topic {
    table_entry_t entry; /* first: found by its name */
    presence_key_t *first;
    presence_key_t *last;
    presence_topic_t *changed_next;
    presence_key_t *changed_first; /* not NULL: the topic is in the store's list */
    presence_key_t *changed_last;
    char name[];
};

struct presence_store {
    table_t topics;
    table_t keys;
    table_t refs;
    presence_topic_t *changed_first;
    presence_topic_t *changed_last;
    phx_buf_t scratch;
#ifdef PHXS_FAULTS
    const core_t *core;
#endif
};

presence_store_t *presence_store_new(uint64_t seed)
{
    presence_store_t *store = calloc(1, sizeof(*store));
    if (store == NULL || !table_init(&store->topics, seed) || !table_init(&store->keys, seed) ||
        !table_init(&store->refs, seed)) {
        presence_store_free(store);
        return NULL;
    }
    return store;
}

void presence_store_free(presence_store_t *store)
{
    if (store == NULL) {
        return;
    }
    for (table_entry_t *entry; store->refs.buckets != NULL && (entry = table_any(&store->refs)) != NULL;) {
        presence_store_remove(store, (presence_entry_t *)entry);
        presence_store_tell(store, NULL);
    }
    table_fini(&store->topics);
    table_fini(&store->keys);
    table_fini(&store->refs);
    phx_buf_free(&store->scratch);
    free(store);
}

/* ---- topics and keys ---- */

static presence_topic_t *topic_new(presence_store_t *store, phx_slice_t name)
{
    presence_topic_t *topic = calloc(1, sizeof(*topic) + name.len);
    if (topic == NULL) {
        return NULL;
    }
    if (name.len > 0) {
        memcpy(topic->name, name.data, name.len);
    }
    topic->entry.key = (phx_slice_t){topic->name, name.len};
    table_insert(&store->topics, &topic->entry);
    return topic;
}

static void drop_topic_if_empty(presence_store_t *store, presence_topic_t *topic)
{
    if (topic->first == NULL && topic->changed_first == NULL) {
        table_remove(&store->topics, &topic->entry);
        free(topic);
    }
}

/* What a key is found by: its topic and it, told apart by the topic's length. */
static phx_slice_t full_key(presence_store_t *store, phx_slice_t topic, phx_slice_t name)
{
    size_t len = topic.len;
    phx_buf_clear(&store->scratch);
    phx_buf_append(&store->scratch, &len, sizeof(len));
    phx_buf_append_slice(&store->scratch, topic);
    phx_buf_append_slice(&store->scratch, name);
    return phx_buf_slice(&store->scratch);
}

static presence_key_t *key_new(presence_store_t *store, presence_topic_t *topic, phx_slice_t full,
                               phx_slice_t name)
{
    presence_key_t *key = calloc(1, sizeof(*key) + full.len);
    if (key == NULL) {
        return NULL;
    }
    memcpy(key->text, full.data, full.len);
    key->entry.key = (phx_slice_t){key->text, full.len};
    key->name = (phx_slice_t){key->text + full.len - name.len, name.len};
    key->topic = topic;
    key->prev = topic->last;
    if (topic->last != NULL) {
        topic->last->next = key;
    } else {
        topic->first = key;
    }
    topic->last = key;
    table_insert(&store->keys, &key->entry);
    return key;
}

static void drop_key_if_empty(presence_store_t *store, presence_key_t *key)
{
    presence_topic_t *topic = key->topic;
    if (key->first != NULL) {
        return;
    }
    if (key->prev != NULL) {
        key->prev->next = key->next;
    } else {
        topic->first = key->next;
    }
    if (key->next != NULL) {
        key->next->prev = key->prev;
    } else {
        topic->last = key->prev;
    }
    table_remove(&store->keys, &key->entry);
    free(key);
}

/* The key, made if there is none yet. NULL when memory ran out. */
static presence_key_t *key_for(presence_store_t *store, phx_slice_t topic_name, phx_slice_t name)
{
    phx_slice_t full = full_key(store, topic_name, name);
    if (store->scratch.failed) {
        return NULL;
    }
    presence_key_t *key = (presence_key_t *)table_find(&store->keys, full);
    if (key != NULL) {
        return key;
    }
    presence_topic_t *topic = (presence_topic_t *)table_find(&store->topics, topic_name);
    if (topic == NULL) {
        topic = topic_new(store, topic_name);
    }
    if (topic == NULL) {
        return NULL;
    }
    key = key_new(store, topic, full, name);
    if (key == NULL) {
        drop_topic_if_empty(store, topic);
    }
    return key;
}

/* ---- entries ---- */

/* Notes a change, in the order it happened. */
static void changed(presence_store_t *store, presence_entry_t *entry, enum change change)
{
    presence_key_t *key = entry->key;
    presence_topic_t *topic = key->topic;
    entry->change = (uint8_t)change;
    if (topic->changed_first == NULL) {
        topic->changed_next = NULL;
        if (store->changed_last != NULL) {
            store->changed_last->changed_next = topic;
        } else {
            store->changed_first = topic;
        }
        store->changed_last = topic;
    }
    if (key->changed_first == NULL) {
        key->changed_next = NULL;
        if (topic->changed_last != NULL) {
            topic->changed_last->changed_next = key;
        } else {
            topic->changed_first = key;
        }
        topic->changed_last = key;
    }
    entry->changed_next = NULL;
    if (key->changed_last != NULL) {
        key->changed_last->changed_next = entry;
    } else {
        key->changed_first = entry;
    }
    key->changed_last = entry;
}

presence_entry_t *presence_store_add(presence_store_t *store, presence_owner_t *owner, phx_slice_t topic,
                                     phx_slice_t name, phx_slice_t ref, phx_slice_t meta)
{
    presence_entry_t *entry = calloc(1, sizeof(*entry) + ref.len + meta.len);
    presence_key_t *key = entry != NULL ? key_for(store, topic, name) : NULL;
    if (key == NULL) {
        free(entry);
        return NULL;
    }
    memcpy(entry->text, ref.data, ref.len);
    memcpy(entry->text + ref.len, meta.data, meta.len);
    entry->by_ref.key = (phx_slice_t){entry->text, ref.len};
    entry->meta = (phx_slice_t){entry->text + ref.len, meta.len};
    table_insert(&store->refs, &entry->by_ref);

    entry->key = key;
    entry->prev = key->last;
    if (key->last != NULL) {
        key->last->next = entry;
    } else {
        key->first = entry;
    }
    key->last = entry;

    entry->owner_next = owner->first;
    entry->owner_link = &owner->first;
    if (owner->first != NULL) {
        owner->first->owner_link = &entry->owner_next;
    }
    owner->first = entry;
    entry->owner = owner;
    owner->count++;
    owner->bytes += name.len + meta.len;
    changed(store, entry, JOINED);
    return entry;
}

void presence_store_remove(presence_store_t *store, presence_entry_t *entry)
{
    presence_key_t *key = entry->key;
    table_remove(&store->refs, &entry->by_ref);
    if (entry->prev != NULL) {
        entry->prev->next = entry->next;
    } else {
        key->first = entry->next;
    }
    if (entry->next != NULL) {
        entry->next->prev = entry->prev;
    } else {
        key->last = entry->prev;
    }
    entry->owner->count--;
    entry->owner->bytes -= key->name.len + entry->meta.len;
    *entry->owner_link = entry->owner_next;
    if (entry->owner_next != NULL) {
        entry->owner_next->owner_link = entry->owner_link;
    }
    if (entry->change == JOINED) {
        entry->change = CAME_AND_WENT;
    } else {
        changed(store, entry, LEFT);
    }
}

presence_entry_t *presence_store_by_ref(const presence_store_t *store, phx_slice_t ref)
{
    return (presence_entry_t *)table_find(&store->refs, ref);
}

presence_entry_t *presence_store_next(const presence_store_t *store, const presence_entry_t *entry)
{
    return (presence_entry_t *)table_next(&store->refs, entry != NULL ? &entry->by_ref : NULL);
}

presence_entry_t *presence_owner_find(const presence_owner_t *owner, phx_slice_t topic, phx_slice_t key)
{
    presence_entry_t *entry = owner->first;
    while (entry != NULL && (!phx_slice_equal(presence_entry_key(entry), key) ||
                             !phx_slice_equal(presence_entry_topic(entry), topic))) {
        entry = entry->owner_next;
    }
    return entry;
}

phx_slice_t presence_entry_topic(const presence_entry_t *entry)
{
    return entry->key->topic->entry.key;
}

phx_slice_t presence_entry_key(const presence_entry_t *entry)
{
    return entry->key->name;
}

phx_slice_t presence_entry_ref(const presence_entry_t *entry)
{
    return entry->by_ref.key;
}

#ifdef PHXS_FAULTS
void presence_store_break(presence_store_t *store, const core_t *core)
{
    if (store != NULL) {
        store->core = core;
    }
}
#endif

static bool listed(const presence_store_t *store, const presence_entry_t *entry)
{
#ifdef PHXS_FAULTS
    return entry->here || !has_fault(store->core, FAULT_CLUSTER_PRESENCE_OWN_LIST);
#else
    (void)store;
    (void)entry;
    return true;
#endif
}

static int deliver_diff(const presence_store_t *store, pubsub_t *pubsub, const broadcast_t *diff)
{
#ifdef PHXS_FAULTS
    if (has_fault(store->core, FAULT_CLUSTER_PRESENCE_TWICE)) {
        return pubsub_broadcast(pubsub, NULL, diff);
    }
#else
    (void)store;
#endif
    return pubsub_deliver(pubsub, NULL, diff);
}

/* ---- telling ---- */

static void begin_metas(phx_buf_t *out, phx_slice_t key, bool first)
{
    if (!first) {
        phx_buf_append_byte(out, ',');
    }
    phx_json_quote(out, key);
    phx_buf_append_text(out, ":{\"metas\":[");
}

/* {key: {"metas": […]}, …} of the changes of one kind. Returns whether there are any. */
static bool append_changes(phx_buf_t *out, const presence_topic_t *topic, enum change change)
{
    bool none = true;
    phx_buf_append_byte(out, '{');
    for (const presence_key_t *key = topic->changed_first; key != NULL; key = key->changed_next) {
        bool begun = false;
        for (const presence_entry_t *entry = key->changed_first; entry != NULL; entry = entry->changed_next) {
            if (entry->change != change) {
                continue;
            }
            if (begun) {
                phx_buf_append_byte(out, ',');
            } else {
                begin_metas(out, key->name, none);
            }
            begun = true;
            none = false;
            phx_buf_append_slice(out, entry->meta);
        }
        if (begun) {
            phx_buf_append_text(out, "]}");
        }
    }
    phx_buf_append_byte(out, '}');
    return !none;
}

static int broadcast_diff(presence_store_t *store, const presence_topic_t *topic, pubsub_t *pubsub)
{
    phx_buf_t *out = &store->scratch;
    phx_buf_clear(out);
    phx_buf_append_text(out, "{\"joins\":");
    bool joins = append_changes(out, topic, JOINED);
    phx_buf_append_text(out, ",\"leaves\":");
    bool leaves = append_changes(out, topic, LEFT);
    phx_buf_append_byte(out, '}');
    if (out->failed) {
        return PHX_ENOMEM;
    }
    if (!joins && !leaves) {
        return 0;
    }
    const broadcast_t diff = {topic->entry.key, PHX_SLICE("presence_diff"), {PHX_TEXT, phx_buf_slice(out)}};
    return deliver_diff(store, pubsub, &diff);
}

static void forget_changes(presence_store_t *store, presence_topic_t *topic)
{
    for (presence_key_t *key = topic->changed_first, *next_key; key != NULL; key = next_key) {
        next_key = key->changed_next;
        for (presence_entry_t *entry = key->changed_first, *next; entry != NULL; entry = next) {
            next = entry->changed_next;
            if (entry->change == JOINED) {
                entry->change = UNCHANGED;
            } else {
                free(entry);
            }
        }
        key->changed_first = key->changed_last = NULL;
        drop_key_if_empty(store, key);
    }
    topic->changed_first = topic->changed_last = NULL;
    drop_topic_if_empty(store, topic);
}

int presence_store_tell(presence_store_t *store, pubsub_t *pubsub)
{
    int error = 0;
    presence_topic_t *topic = store->changed_first;
    store->changed_first = store->changed_last = NULL;
    for (presence_topic_t *next; topic != NULL; topic = next) {
        next = topic->changed_next;
        int failed = pubsub != NULL ? broadcast_diff(store, topic, pubsub) : 0;
        error = error != 0 ? error : failed;
        forget_changes(store, topic);
    }
    return error;
}

void presence_store_list(const presence_store_t *store, phx_slice_t name, phx_buf_t *out)
{
    const presence_topic_t *topic = (const presence_topic_t *)table_find(&store->topics, name);
    bool first = true;
    phx_buf_append_byte(out, '{');
    for (const presence_key_t *key = topic != NULL ? topic->first : NULL; key != NULL; key = key->next) {
        bool begun = false; /* not, if its last entry has gone, which is about to be told */
        for (const presence_entry_t *entry = key->first; entry != NULL; entry = entry->next) {
            if (!listed(store, entry)) {
                continue;
            }
            if (begun) {
                phx_buf_append_byte(out, ',');
            } else {
                begin_metas(out, key->name, first);
            }
            begun = true;
            first = false;
            phx_buf_append_slice(out, entry->meta);
        }
        if (begun) {
            phx_buf_append_text(out, "]}");
        }
    }
    phx_buf_append_byte(out, '}');
}
