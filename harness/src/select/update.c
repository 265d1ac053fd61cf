/* SPDX-License-Identifier: MIT */
/* --update-expectations: the entries as a run has them. */
#include "select/appraisal_impl.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static const char to_be_written[] = "TODO: say why, and where it is followed up";

/* The variants that one entry is about. */
typedef struct group {
    const appraisal_t *appraisal;
    bool *in; /* by number of the variant */
} group_t;

/* Whether all variants from `first` on that belong to the case, and to one transport unless that is
 * TRANSPORTS, are in the group. */
static bool all_in(const group_t *group, size_t first, transport_t transport)
{
    const variants_t *all = group->appraisal->all;
    for (size_t i = first; i < all->len && all->at[i].c == all->at[first].c; i++) {
        if ((transport == TRANSPORTS || all->at[i].transport == transport) && !group->in[i]) {
            return false;
        }
    }
    return true;
}

static void add_name(json_t *names, const char *format, const char *id, transport_t transport)
{
    text_t name = {0};
    text_printf(&name, format, id, transport_short(transport));
    json_array_append_new(names, json_string(text_str(&name)));
    text_free(&name);
}

/* The shortest names that say what is in the group and nothing else: of cases where all their variants are,
 * of a transport where all its variants are, of variants. */
static json_t *names_of(const group_t *group)
{
    const variants_t *all = group->appraisal->all;
    json_t *names = json_array();
    for (size_t i = 0, end; i < all->len; i = end) {
        const vector_case_t *c = all->at[i].c;
        for (end = i; end < all->len && all->at[end].c == c; end++) {
        }
        if (all_in(group, i, TRANSPORTS)) {
            json_array_append_new(names, json_string(c->id));
            continue;
        }
        for (size_t v = i; v < end; v++) {
            transport_t transport = all->at[v].transport;
            bool begins = v == i || all->at[v - 1].transport != transport;
            bool whole = all_in(group, i, transport) && c->vsns[VSN_1] && c->vsns[VSN_2];
            if (whole && begins) {
                add_name(names, "%s/%s", c->id, transport);
            } else if (!whole && group->in[v]) {
                json_array_append_new(names, json_string(all->at[v].name));
            }
        }
    }
    return names;
}

static void add_entries(json_t *entries, const group_t *group, const json_t *like)
{
    json_t *names = names_of(group);
    for (size_t i = 0; i < json_array_size(names); i++) {
        json_t *entry = json_pack("{s:O, s:s, s:s}", "case", json_array_get(names, i), "verdict",
                                  verdict_name(VERDICT_FAIL), "reason", to_be_written);
        if (like) {
            json_object_set(entry, "verdict", json_object_get(like, "verdict"));
            json_object_set(entry, "reason", json_object_get(like, "reason"));
        }
        if (json_object_get(like, "link")) {
            json_object_set(entry, "link", json_object_get(like, "link"));
        }
        json_array_append_new(entries, entry);
    }
    json_decref(names);
}

static bool came_out_otherwise(fate_t fate)
{
    return fate == FATE_PASSED || fate == FATE_FAILED || fate == FATE_TOLERATED;
}

/* One entry of the file: as it is, narrowed to what is left of it, or not at all. */
static void take_over(json_t *entries, const group_t *group, size_t number, appraisal_update_t *update)
{
    const appraisal_t *appraisal = group->appraisal;
    const expectation_t *entry = &appraisal->expectations->at[number];
    bool whole = true, any = false;
    for (size_t i = 0; i < appraisal->all->len; i++) {
        bool mine = appraisal->entry[i] == (long)number;
        group->in[i] = mine && !came_out_otherwise(appraisal->fate[i]);
        whole = whole && mine == group->in[i];
        any = any || group->in[i];
    }
    if (entry->of_recording || whole) {
        json_array_append(entries, (json_t *)entry->json);
        update->kept++;
    } else if (any) {
        add_entries(entries, group, entry->json);
        update->narrowed++;
    } else {
        update->dropped++;
    }
}

json_t *appraisal_update(const appraisal_t *appraisal, appraisal_update_t *update)
{
    json_t *entries = json_array();
    group_t group = {appraisal, mem_new(appraisal->all->len, sizeof(bool))};
    *update = (appraisal_update_t){0};
    for (size_t i = 0; appraisal->expectations && i < appraisal->expectations->len; i++) {
        take_over(entries, &group, i, update);
    }
    for (size_t i = 0; i < appraisal->all->len; i++) {
        group.in[i] = appraisal->fate[i] == FATE_FAILED;
    }
    size_t before = json_array_size(entries);
    add_entries(entries, &group, NULL);
    update->added = json_array_size(entries) - before;
    free(group.in);
    return entries;
}
