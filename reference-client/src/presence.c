/* SPDX-License-Identifier: MIT */
#include "channel.h"

#include "phx/json.h"

#include <stdlib.h>
#include <string.h>

#define FAULT(presence, name) phxc_fault((presence)->channel->socket, name)

/* The metas of a key: JSON objects, and the phx_ref of each, which alone tells them apart. */
typedef struct meta {
    phx_buf_t json;
    phx_buf_t ref; /* as JSON */
} meta_t;

/* A key's entry. Keys are data, whatever their name (PRES-17). */
typedef struct entry {
    phx_buf_t key;  /* characters */
    phx_buf_t rest; /* its members besides `metas` (PRES-10): `,"name":value…` */
    meta_t *metas;
    size_t meta_count;
    phx_buf_t json; /* all of it, for callers; written anew after each change */
} entry_t;

/* Sorted by key. */
typedef struct entries {
    entry_t **list;
    size_t count;
} entries_t;

typedef struct diff {
    struct diff *next;
    phxc_ref_t join_ref; /* of the join it came in */
    phx_buf_t json;
} diff_t;

/* Diffs that wait for a state. */
typedef struct diffs {
    diff_t *first;
    diff_t *last;
    size_t count;
    size_t bytes;
} diffs_t;

enum { WAITING_MAX = 1000, WAITING_BYTES_MAX = 16 << 20 };

/*
 * A presence has a state only within the join that brought it: with another join_ref, diffs wait for the next
 * state (PRES-15).
 */
struct phxc_presence {
    phxc_presence_t *next; /* of the channel's */
    phxc_channel_t *channel;
    const phxc_presence_callbacks_t *callbacks;
    void *user;
    int state_handler;
    int diff_handler;
    entries_t entries;
    phxc_ref_t join_ref; /* of the last state; empty: none came yet */
    diffs_t waiting;
    bool in_callback;
    bool freed;
};

/* ---- entries ---- */

static void entry_free(entry_t *entry)
{
    if (entry == NULL) {
        return;
    }
    for (size_t i = 0; i < entry->meta_count; i++) {
        phx_buf_free(&entry->metas[i].json);
        phx_buf_free(&entry->metas[i].ref);
    }
    free(entry->metas);
    phx_buf_free(&entry->key);
    phx_buf_free(&entry->rest);
    phx_buf_free(&entry->json);
    free(entry);
}

static int compare(phx_slice_t a, phx_slice_t b)
{
    const size_t len = a.len < b.len ? a.len : b.len;
    const int order = len > 0 ? memcmp(a.data, b.data, len) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Where `key` is (true), or belongs (false). */
static bool find(const entries_t *entries, phx_slice_t key, size_t *index)
{
    size_t low = 0;
    size_t high = entries->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = compare(phx_buf_slice(&entries->list[middle]->key), key);
        if (order == 0) {
            *index = middle;
            return true;
        }
        *(order < 0 ? &low : &high) = order < 0 ? middle + 1 : middle;
    }
    *index = low;
    return false;
}

static entry_t *entry_of(const entries_t *entries, phx_slice_t key)
{
    size_t index;
    return find(entries, key, &index) ? entries->list[index] : NULL;
}

static bool insert(entries_t *entries, entry_t *entry)
{
    size_t index;
    if (find(entries, phx_buf_slice(&entry->key), &index) && entries->list != NULL) {
        entry_free(entries->list[index]); /* of equal keys the last one stays */
        entries->list[index] = entry;
        return true;
    }
    entry_t **list = realloc(entries->list, (entries->count + 1) * sizeof *list);
    if (list == NULL) {
        return false;
    }
    entries->list = list;
    memmove(&list[index + 1], &list[index], (entries->count - index) * sizeof *list);
    list[index] = entry;
    entries->count++;
    return true;
}

static void remove_key(entries_t *entries, phx_slice_t key)
{
    size_t index;
    if (find(entries, key, &index)) {
        entry_free(entries->list[index]);
        memmove(&entries->list[index], &entries->list[index + 1],
                (--entries->count - index) * sizeof *entries->list);
    }
}

static void entries_free(entries_t *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        entry_free(entries->list[i]);
    }
    free(entries->list);
    *entries = (entries_t){0};
}

/* Writes the entry as JSON. Returns false when memory ran out. */
static bool render(entry_t *entry)
{
    phx_buf_clear(&entry->json);
    phx_buf_append_text(&entry->json, "{\"metas\":[");
    for (size_t i = 0; i < entry->meta_count; i++) {
        phx_buf_append_text(&entry->json, i > 0 ? "," : "");
        phx_buf_append_slice(&entry->json, phx_buf_slice(&entry->metas[i].json));
    }
    phx_buf_append_text(&entry->json, "]");
    phx_buf_append_slice(&entry->json, phx_buf_slice(&entry->rest));
    phx_buf_append_text(&entry->json, "}");
    return !entry->json.failed;
}

static bool add_meta(entry_t *entry, phx_slice_t json, phx_slice_t ref)
{
    meta_t *metas = realloc(entry->metas, (entry->meta_count + 1) * sizeof *metas);
    if (metas == NULL) {
        return false;
    }
    entry->metas = metas;
    meta_t *meta = &metas[entry->meta_count++];
    *meta = (meta_t){0};
    phx_buf_append_slice(&meta->json, json);
    phx_buf_append_slice(&meta->ref, ref);
    return !meta->json.failed && !meta->ref.failed;
}

static bool has_ref(const entry_t *entry, phx_slice_t ref)
{
    for (size_t i = 0; entry != NULL && i < entry->meta_count; i++) {
        if (phx_slice_equal(phx_buf_slice(&entry->metas[i].ref), ref)) {
            return true;
        }
    }
    return false;
}

/* Which metas of an entry are meant: all, or those (not) known to `other`. */
typedef enum pick {
    PICK_ALL,
    PICK_KNOWN,
    PICK_UNKNOWN,
} pick_t;

static bool picked(const meta_t *meta, const entry_t *other, pick_t pick)
{
    return pick == PICK_ALL || has_ref(other, phx_buf_slice(&meta->ref)) == (pick == PICK_KNOWN);
}

static bool add_metas(entry_t *entry, const entry_t *from, const entry_t *other, pick_t pick)
{
    bool good = true;
    for (size_t i = 0; from != NULL && i < from->meta_count && good; i++) {
        const meta_t *meta = &from->metas[i];
        if (picked(meta, other, pick)) {
            good = add_meta(entry, phx_buf_slice(&meta->json), phx_buf_slice(&meta->ref));
        }
    }
    return good;
}

/* `like` without metas. NULL when memory ran out. */
static entry_t *entry_like(const entry_t *like)
{
    entry_t *entry = calloc(1, sizeof *entry);
    if (entry != NULL) {
        phx_buf_append_slice(&entry->key, phx_buf_slice(&like->key));
        phx_buf_append_slice(&entry->rest, phx_buf_slice(&like->rest));
        if (entry->key.failed || entry->rest.failed) {
            entry_free(entry);
            entry = NULL;
        }
    }
    return entry;
}

/* The entry with some of its metas. NULL when memory ran out. */
static entry_t *part_of(const entry_t *entry, const entry_t *other, pick_t pick)
{
    entry_t *part = entry_like(entry);
    if (part != NULL && !(add_metas(part, entry, other, pick) && render(part))) {
        entry_free(part);
        part = NULL;
    }
    return part;
}

/* ---- reading what servers send ---- */

/* Reads the entry of a key; what is no object with metas that are objects is left out (MSG-13). */
static entry_t *read_entry(phx_slice_t key, phx_slice_t object)
{
    phx_buf_t scratch = {0};
    phx_slice_t characters;
    phx_slice_t name;
    phx_slice_t value;
    entry_t *entry = calloc(1, sizeof *entry);
    bool good = entry != NULL && phx_json_kind(object) == PHX_JSON_OBJECT &&
                phx_json_string(key, &scratch, &characters) == 0;
    if (good) {
        phx_buf_append_slice(&entry->key, characters);
    }
    size_t cursor = 0;
    while (good && phx_json_next(object, &cursor, &name, &value)) {
        if (!phx_json_is(name, "metas")) {
            phx_buf_append_text(&entry->rest, ",");
            phx_buf_append_slice(&entry->rest, name);
            phx_buf_append_text(&entry->rest, ":");
            phx_buf_append_slice(&entry->rest, value);
            continue;
        }
        size_t metas_cursor = 0;
        phx_slice_t meta;
        phx_slice_t ref;
        good = phx_json_kind(value) == PHX_JSON_ARRAY;
        while (good && phx_json_next(value, &metas_cursor, NULL, &meta)) {
            good = phx_json_member(meta, "phx_ref", &ref) && add_meta(entry, meta, ref);
        }
    }
    phx_buf_free(&scratch);
    if (!good || entry->key.failed || entry->rest.failed || !render(entry)) {
        entry_free(entry);
        return NULL;
    }
    return entry;
}

static void read_entries(const phxc_presence_t *presence, entries_t *entries, phx_slice_t object)
{
    size_t cursor = 0;
    phx_slice_t key;
    phx_slice_t value;
    if (phx_json_kind(object) != PHX_JSON_OBJECT) {
        return;
    }
    while (phx_json_next(object, &cursor, &key, &value)) {
        if (FAULT(presence, RESERVED_KEYS) && phx_json_is(key, "__proto__")) {
            continue;
        }
        entry_t *entry = read_entry(key, value);
        if (entry != NULL && !insert(entries, entry)) {
            entry_free(entry);
        }
    }
}

/* ---- merging ---- */

static void tell_joined(const phxc_presence_t *presence, const entry_t *before, const entry_t *joined)
{
    if (!presence->freed && presence->callbacks->joined != NULL && !FAULT(presence, JOINS_UNTOLD)) {
        presence->callbacks->joined(presence->user, phx_buf_slice(&joined->key),
                                    before != NULL ? phx_buf_slice(&before->json) : (phx_slice_t){0},
                                    phx_buf_slice(&joined->json));
    }
}

static void tell_left(const phxc_presence_t *presence, const entry_t *after, const entry_t *left)
{
    if (!presence->freed && presence->callbacks->left != NULL && !FAULT(presence, LEAVES_UNTOLD)) {
        presence->callbacks->left(presence->user, phx_buf_slice(&left->key), phx_buf_slice(&after->json),
                                  phx_buf_slice(&left->json));
    }
}

/* PRES-13: the joined entry's own members; the old metas that are not among the joined, then those. */
static void merge_joined(phxc_presence_t *presence, const entry_t *joined)
{
    entry_t *before = entry_of(&presence->entries, phx_buf_slice(&joined->key));
    before = before != NULL ? part_of(before, NULL, PICK_ALL) : NULL; /* as it was, for the callback */
    entry_t *merged = entry_like(joined);
    const entry_t *kept = FAULT(presence, METAS_REPLACED) ? NULL : before;
    if (merged == NULL ||
        !add_metas(merged, kept, joined, FAULT(presence, METAS_DOUBLED) ? PICK_ALL : PICK_UNKNOWN) ||
        !add_metas(merged, joined, NULL, PICK_ALL) || !render(merged) ||
        !insert(&presence->entries, merged)) {
        entry_free(merged); /* the next state puts it right */
    } else {
        tell_joined(presence, before, joined);
    }
    entry_free(before);
}

/* PRES-14: what is left of the entry, which goes with its last meta. */
static void merge_left(phxc_presence_t *presence, const entry_t *left)
{
    const phx_slice_t key = phx_buf_slice(&left->key);
    const entry_t *current = entry_of(&presence->entries, key);
    if (current == NULL) {
        return;
    }
    entry_t *after = FAULT(presence, LEAVE_TAKES_KEY) ? part_of(current, current, PICK_UNKNOWN)
                                                      : part_of(current, left, PICK_UNKNOWN);
    entry_t *copy = after != NULL ? part_of(after, NULL, PICK_ALL) : NULL; /* callbacks may change the list */
    if (copy == NULL || !insert(&presence->entries, after)) {
        entry_free(after);
    } else {
        tell_left(presence, copy, left);
        if (copy->meta_count == 0 && !FAULT(presence, EMPTY_KEY_STAYS)) {
            remove_key(&presence->entries, key);
        }
    }
    entry_free(copy);
}

static void apply(phxc_presence_t *presence, const entries_t *joins, const entries_t *leaves)
{
    for (size_t i = 0; FAULT(presence, LEAVES_FIRST) && i < leaves->count; i++) {
        merge_left(presence, leaves->list[i]);
    }
    for (size_t i = 0; i < joins->count; i++) {
        merge_joined(presence, joins->list[i]);
    }
    for (size_t i = 0; !FAULT(presence, LEAVES_FIRST) && i < leaves->count; i++) {
        merge_left(presence, leaves->list[i]);
    }
}

static void apply_diff(phxc_presence_t *presence, phx_slice_t diff)
{
    entries_t joins = {0};
    entries_t leaves = {0};
    phx_slice_t member;
    if (phx_json_member(diff, "joins", &member)) {
        read_entries(presence, &joins, member);
    }
    if (phx_json_member(diff, "leaves", &member)) {
        read_entries(presence, &leaves, member);
    }
    apply(presence, &joins, &leaves);
    entries_free(&joins);
    entries_free(&leaves);
}

/* Puts the metas of `entry` that `other` lacks, if any, into `changes`. */
static void note_change(entries_t *changes, const entry_t *entry, const entry_t *other)
{
    entry_t *part = part_of(entry, other, PICK_UNKNOWN);
    const bool changed = part != NULL && (part->meta_count > 0 || other == NULL);
    if (!changed || !insert(changes, part)) {
        entry_free(part);
    }
}

/* PRES-12: told as the changes that lead there; the result is the new state, members besides metas, too. */
static void apply_state(phxc_presence_t *presence, phx_slice_t json)
{
    entries_t state = {0};
    entries_t joins = {0};
    entries_t leaves = {0};
    read_entries(presence, &state, json);
    for (size_t i = 0; !FAULT(presence, STATE_ADDS) && i < presence->entries.count; i++) {
        const entry_t *entry = presence->entries.list[i];
        note_change(&leaves, entry, entry_of(&state, phx_buf_slice(&entry->key)));
    }
    for (size_t i = 0; i < state.count; i++) {
        const entry_t *entry = state.list[i];
        note_change(&joins, entry, entry_of(&presence->entries, phx_buf_slice(&entry->key)));
    }
    apply(presence, &joins, &leaves);
    if (FAULT(presence, STATE_ADDS)) {
        entries_free(&state);
    } else {
        entries_free(&presence->entries);
        presence->entries = state;
    }
    entries_free(&joins);
    entries_free(&leaves);
}

/* ---- events ---- */

static void tell_synced(const phxc_presence_t *presence)
{
    if (!presence->freed && presence->callbacks->synced != NULL && !FAULT(presence, SYNC_UNTOLD)) {
        presence->callbacks->synced(presence->user);
    }
}

static void diff_free(diff_t *diff)
{
    if (diff == NULL) {
        return;
    }
    phx_buf_free(&diff->json);
    free(diff);
}

/* The first of them, which is the caller's then; NULL: there is none. */
static diff_t *diffs_take(diffs_t *diffs)
{
    diff_t *diff = diffs->first;
    if (diff != NULL) {
        diffs->first = diff->next;
        diffs->last = diffs->first != NULL ? diffs->last : NULL;
        diffs->count--;
        diffs->bytes -= diff->json.len;
    }
    return diff;
}

static void diffs_clear(diffs_t *diffs)
{
    for (diff_t *diff = diffs_take(diffs); diff != NULL; diff = diffs_take(diffs)) {
        diff_free(diff);
    }
}

static void release(phxc_presence_t *presence)
{
    diffs_clear(&presence->waiting);
    entries_free(&presence->entries);
    free(presence);
}

static void leave_callback(phxc_presence_t *presence)
{
    presence->in_callback = false;
    if (presence->freed) {
        release(presence);
    }
}

static bool same_ref(const phxc_ref_t *a, const phxc_ref_t *b)
{
    return phx_slice_equal(phxc_ref_slice(a), phxc_ref_slice(b));
}

static void on_state(void *user, phxc_channel_t *channel, phx_payload_t payload)
{
    phxc_presence_t *presence = user;
    if (payload.form != PHX_TEXT || presence->in_callback) {
        return;
    }
    presence->in_callback = true;
    presence->join_ref = channel->join_ref;
    apply_state(presence, payload.data);
    for (diff_t *diff = diffs_take(&presence->waiting); diff != NULL; diff = diffs_take(&presence->waiting)) {
        if (same_ref(&diff->join_ref, &presence->join_ref)) { /* those of a former join are in the state */
            apply_diff(presence, phx_buf_slice(&diff->json));
        }
        diff_free(diff);
    }
    tell_synced(presence);
    leave_callback(presence);
}

/* A server that sends no state must not make the client grow for ever: what is dropped, the state will say.
 */
static void keep_diff(phxc_presence_t *presence, phx_slice_t json)
{
    diffs_t *waiting = &presence->waiting;
    if (waiting->count == WAITING_MAX || waiting->bytes + json.len > WAITING_BYTES_MAX) {
        diffs_clear(waiting);
    }
    diff_t *diff = json.len <= WAITING_BYTES_MAX ? calloc(1, sizeof *diff) : NULL;
    if (diff != NULL) {
        phx_buf_append_slice(&diff->json, json);
        diff->join_ref = presence->channel->join_ref;
    }
    if (diff == NULL || diff->json.failed) {
        diff_free(diff);
        diffs_clear(waiting);
        return;
    }
    if (waiting->last == NULL || FAULT(presence, EARLY_DIFF_REVERSED)) {
        diff->next = waiting->first;
        waiting->first = diff;
        waiting->last = waiting->last != NULL ? waiting->last : diff;
    } else {
        waiting->last->next = diff;
        waiting->last = diff;
    }
    waiting->count++;
    waiting->bytes += diff->json.len;
}

static void on_diff(void *user, phxc_channel_t *channel, phx_payload_t payload)
{
    (void)channel;
    phxc_presence_t *presence = user;
    if (payload.form != PHX_TEXT || presence->in_callback) {
        return;
    }
    if ((FAULT(presence, EARLY_DIFF_LOST) && phxc_presence_pending(presence)) ||
        (FAULT(presence, EMPTY_DIFF_LOST) && presence->entries.count == 0)) {
        return;
    }
    if (phxc_presence_pending(presence) &&
        !(FAULT(presence, EARLY_DIFF_APPLIED) && presence->join_ref.len == 0) &&
        !(FAULT(presence, REJOIN_DIFF_APPLIED) && presence->join_ref.len > 0)) {
        keep_diff(presence, payload.data);
        return;
    }
    presence->in_callback = true;
    apply_diff(presence, payload.data);
    tell_synced(presence);
    leave_callback(presence);
}

bool phxc_presence_pending(const phxc_presence_t *presence)
{
    return presence->join_ref.len == 0 || !same_ref(&presence->join_ref, &presence->channel->join_ref);
}

bool phxc_presence_next(const phxc_presence_t *presence, size_t *cursor, phx_slice_t *key, phx_slice_t *entry)
{
    if (*cursor >= presence->entries.count) {
        return false;
    }
    const entry_t *found = presence->entries.list[(*cursor)++];
    *key = phx_buf_slice(&found->key);
    *entry = phx_buf_slice(&found->json);
    return true;
}

void phxc_presence_write(const phxc_presence_t *presence, phx_buf_t *json)
{
    phx_buf_append_text(json, "{");
    for (size_t i = 0; i < presence->entries.count; i++) {
        const entry_t *entry = presence->entries.list[i];
        phx_buf_append_text(json, i > 0 ? "," : "");
        phx_json_quote(json, phx_buf_slice(&entry->key));
        phx_buf_append_text(json, ":");
        phx_buf_append_slice(json, phx_buf_slice(&entry->json));
    }
    phx_buf_append_text(json, "}");
}

phxc_presence_t *phxc_presence_new(phxc_channel_t *channel, const char *state_event, const char *diff_event,
                                   const phxc_presence_callbacks_t *callbacks, void *user)
{
    static const phxc_presence_callbacks_t nobody = {0};
    phxc_presence_t *presence = calloc(1, sizeof *presence);
    if (presence == NULL) {
        return NULL;
    }
    presence->channel = channel;
    presence->callbacks = callbacks != NULL ? callbacks : &nobody;
    presence->user = user;
    presence->state_handler = phxc_channel_on(
        channel, phx_slice_of(state_event != NULL ? state_event : "presence_state"), on_state, presence);
    presence->diff_handler = phxc_channel_on(
        channel, phx_slice_of(diff_event != NULL ? diff_event : "presence_diff"), on_diff, presence);
    presence->next = channel->presences;
    channel->presences = presence;
    if (presence->state_handler < 0 || presence->diff_handler < 0) {
        phxc_presence_free(presence);
        return NULL;
    }
    return presence;
}

void phxc_presence_free(phxc_presence_t *presence)
{
    if (presence == NULL || presence->freed) {
        return;
    }
    phxc_presence_t **link = &presence->channel->presences;
    while (*link != presence) {
        link = &(*link)->next;
    }
    *link = presence->next;
    phxc_channel_off(presence->channel, presence->state_handler);
    phxc_channel_off(presence->channel, presence->diff_handler);
    presence->freed = true;
    if (!presence->in_callback) {
        release(presence);
    }
}
