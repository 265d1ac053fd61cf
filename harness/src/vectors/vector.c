/* SPDX-License-Identifier: MIT */
#include "vectors/vector.h"

#include "base/memory.h"
#include "vectors/step_check.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static const char *const level_names[] = {"must", "should", "may"};
static const char *const transport_names[TRANSPORTS] = {"websocket", "longpoll"};

const char *level_name(level_t level)
{
    return level_names[level];
}

bool level_parse(const char *name, level_t *level)
{
    for (int i = 0; i < 3; i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *level = (level_t)i;
            return true;
        }
    }
    return false;
}

const char *transport_name(transport_t transport)
{
    return transport_names[transport];
}

bool transport_parse(const char *name, transport_t *transport)
{
    *transport = strcmp(name, "longpoll") == 0 ? LONGPOLL : WEBSOCKET;
    return strcmp(name, transport_names[*transport]) == 0;
}

/* Where an error is: in a file, in a case of it. */
typedef struct place {
    const char *file, *id;
    text_t *error;
    bool good;
} place_t;

static void complain(place_t *place, const char *member, const char *what)
{
    text_printf(place->error, "%s: ", place->file);
    if (place->id) {
        text_printf(place->error, "case %s: ", place->id);
    }
    text_printf(place->error, "%s: %s\n", member, what);
    place->good = false;
}

static void only_members(place_t *place, const json_t *object, const char *const *known)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        if (!word_listed(known, key)) {
            text_t what = {0};
            text_puts(&what, "no such member; known are");
            for (const char *const *name = known; *name; name++) {
                text_printf(&what, " %s", *name);
            }
            complain(place, key, text_str(&what));
            text_free(&what);
        }
    }
}

static const char *need_string(place_t *place, const json_t *object, const char *member)
{
    const json_t *value = json_object_get(object, member);
    if (!json_is_string(value) || json_string_length(value) == 0) {
        complain(place, member, "a string is needed here");
        return "";
    }
    return json_string_value(value);
}

/* A list of strings that `known` accepts; NULL where the member is absent. */
static const json_t *string_list(place_t *place, const json_t *object, const char *member,
                                 bool known(const char *), const char *what)
{
    const json_t *list = json_object_get(object, member);
    if (!list) {
        return NULL;
    }
    if (!json_is_array(list) || json_array_size(list) == 0) {
        complain(place, member, what);
        return NULL;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        if (!name || !known(name)) {
            text_t message = {0};
            jvalue_write(&message, json_array_get(list, i));
            text_printf(&message, " is not known here; needed is %s", what);
            complain(place, member, text_str(&message));
            text_free(&message);
        }
        for (size_t j = 0; name && j < i; j++) {
            if (json_equal(json_array_get(list, i), json_array_get(list, j))) {
                text_t message = {0};
                text_printf(&message, "\"%s\" stands in it twice", name);
                complain(place, member, text_str(&message));
                text_free(&message);
            }
        }
    }
    return list;
}

static bool is_vsn(const char *name)
{
    vsn_t vsn;
    return vsn_parse(name, &vsn);
}

static bool is_transport(const char *name)
{
    transport_t transport;
    return transport_parse(name, &transport);
}

/* "JREF-02", "WS-CONN-01" */
static bool is_requirement(const char *name)
{
    size_t len = strlen(name), capitals = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
    return capitals == len && len > 3 && name[len - 3] == '-' && strspn(name + len - 2, "0123456789") == 2;
}

static void read_variants(place_t *place, const json_t *json, vector_case_t *c)
{
    const json_t *transports =
        string_list(place, json, "transports", is_transport, "a list of websocket, longpoll");
    const json_t *vsns = string_list(place, json, "vsn", is_vsn, "a list of 1.0.0, 2.0.0");
    for (int i = 0; i < 2; i++) {
        c->transports[i] = !transports;
        c->vsns[i] = !vsns;
    }
    transport_t transport;
    for (size_t i = 0; i < json_array_size(transports); i++) {
        const char *name = json_string_value(json_array_get(transports, i));
        if (name && transport_parse(name, &transport)) {
            c->transports[transport] = true;
        }
    }
    vsn_t vsn;
    for (size_t i = 0; i < json_array_size(vsns); i++) {
        const char *name = json_string_value(json_array_get(vsns, i));
        if (name && vsn_parse(name, &vsn)) {
            c->vsns[vsn] = true;
        }
    }
}

static void read_mounts(place_t *place, const json_t *json, vector_case_t *c)
{
    const json_t *mount = json_object_get(json, "mount");
    for (int i = 0; i < TRANSPORTS; i++) {
        const json_t *name = json_is_object(mount) ? json_object_get(mount, transport_names[i]) : mount;
        c->mount[i] = MOUNT_MAIN;
        if (mount && (!json_is_string(name) || !mount_parse(json_string_value(name), &c->mount[i]))) {
            complain(place, "mount", "main, tight or sub, or one of them for each of websocket and longpoll");
        }
    }
}

static void read_when(place_t *place, const json_t *json, vector_case_t *c)
{
    c->when = json_object_get(json, "when");
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)c->when, key, value)
    {
        limit_t limit;
        if (!limit_parse(key, &limit) || !json_is_integer(value)) {
            complain(place, "when",
                     "limits.max_channels or limits.max_frame_bytes, each with a whole number");
        }
    }
}

static bool is_case_id(const char *name)
{
    size_t len = strlen(name), group = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return group > 0 && name[group] == '.' && name[group + 1] != 0 &&
           group + 1 + strspn(name + group + 1, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static bool is_tag(const char *name)
{
    return *name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name);
}

/* "owner/name#12", "CVE-2026-1", or an address that can be opened. */
static bool is_public_reference(const char *name)
{
    if (strncmp(name, "https://", 8) == 0) {
        return name[8] != 0;
    }
    static const char *const patterns[] = {"CVE-[0-9]*-[0-9]*", "[A-Za-z0-9]*/[A-Za-z0-9]*#[0-9]*", NULL};
    for (const char *const *pattern = patterns; *pattern; pattern++) {
        if (fnmatch(*pattern, name, 0) == 0) {
            return !strpbrk(name, " \t");
        }
    }
    return false;
}

static void read_releases(place_t *place, const json_t *json, const char *member, releases_t *releases)
{
    text_t what = {0};
    if (!releases_read(json_object_get(json, "phoenix"), releases, &what)) {
        complain(place, member, text_str(&what));
    }
    text_free(&what);
}

/* Where a rule was seen: each entry says so in a way that anyone can follow. */
static void read_source(place_t *place, const json_t *json, vector_case_t *c)
{
    static const char *const members[] = {"recording", "bug", "phoenix", "url", "note", NULL};
    c->source = json_object_get(json, "source");
    if (c->source && json_array_size(c->source) == 0) {
        complain(place, "source",
                 "a list of {\"recording\", \"bug\", \"phoenix\", \"url\", \"note\"} is needed here");
    }
    for (size_t i = 0; i < json_array_size(c->source); i++) {
        const json_t *source = json_array_get(c->source, i);
        const char *recording = json_string_value(json_object_get(source, "recording"));
        const char *bug = json_string_value(json_object_get(source, "bug"));
        const char *phoenix = json_string_value(json_object_get(source, "phoenix"));
        const char *url = json_string_value(json_object_get(source, "url"));
        release_t release;
        if (!recording && !bug && !phoenix && !url) {
            complain(place, "source", "a recording, a bug, a release of phoenix or a url is needed here");
        }
        only_members(place, source, members);
        if (recording &&
            !(strchr(recording, '.') &&
              strspn(recording, "abcdefghijklmnopqrstuvwxyz0123456789.-") == strlen(recording))) {
            complain(place, "source", "recording: FILE.SESSION is needed here, such as \"join.ok\"");
        }
        if (bug && !is_public_reference(bug)) {
            complain(place, "source", "bug: OWNER/NAME#N, CVE-YEAR-N or an https:// address is needed here");
        }
        if (phoenix && !release_parse(phoenix, &release)) {
            complain(place, "source",
                     "phoenix: a release such as \"1.8.12\" is needed here; more goes into the note");
        }
        if (url && strncmp(url, "https://", 8) != 0) {
            complain(place, "source", "url: an https:// address is needed here");
        }
    }
}

static void read_defects(place_t *place, const json_t *json, vector_case_t *c)
{
    static const char *const members[] = {"phoenix", "does", "link", NULL};
    const json_t *list = json_object_get(json, "known_defects");
    if (list && json_array_size(list) == 0) {
        complain(place, "known_defects", "a list of {\"phoenix\", \"does\", \"link\"} is needed here");
    }
    c->defects = mem_new(json_array_size(list), sizeof *c->defects);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        known_defect_t *defect = &c->defects[c->defect_count++];
        only_members(place, entry, members);
        defect->does = need_string(place, entry, "does");
        defect->link = need_string(place, entry, "link");
        if (*defect->link && !is_public_reference(defect->link)) {
            complain(place, "known_defects",
                     "link: OWNER/NAME#N, CVE-YEAR-N or an https:// address is needed here");
        }
        if (!json_object_get(entry, "phoenix")) {
            complain(place, "known_defects", "phoenix: which releases have the defect?");
        }
        read_releases(place, entry, "known_defects", &defect->releases);
    }
}

/* An id belongs to one case, under whatever name that went before. */
static void check_unique(place_t *place, const vectors_t *vectors, const char *member, const char *id)
{
    for (size_t i = 0; i < vectors->len; i++) {
        const vector_case_t *other = &vectors->cases[i];
        bool taken = strcmp(other->id, id) == 0;
        for (size_t f = 0; !taken && f < json_array_size(other->formerly); f++) {
            const char *former = json_string_value(json_array_get(other->formerly, f));
            taken = former && strcmp(former, id) == 0;
        }
        if (taken) {
            text_t what = {0};
            text_printf(&what, "\"%s\" is case %s of %s already, or was; ids are unique, former ones, too",
                        id, other->id, other->file);
            complain(place, member, text_str(&what));
            text_free(&what);
        }
    }
}

static void read_ids(place_t *place, const vectors_t *vectors, const char *group, const json_t *json,
                     vector_case_t *c)
{
    size_t prefix = strlen(group);
    if (strncmp(c->id, group, prefix) != 0 || c->id[prefix] != '.' || !is_case_id(c->id)) {
        text_t what = {0};
        text_printf(&what,
                    "an id is the name of the group, a dot and a name of small letters, digits and "
                    "hyphens: here \"%s.NAME\"",
                    group);
        complain(place, "id", text_str(&what));
        text_free(&what);
    }
    check_unique(place, vectors, "id", c->id);
    c->formerly = string_list(place, json, "formerly", is_case_id, "a list of ids the case had before");
    for (size_t i = 0; i < json_array_size(c->formerly); i++) {
        const char *former = json_string_value(json_array_get(c->formerly, i));
        if (former && strcmp(former, c->id) == 0) {
            complain(place, "formerly", "this is the id it still has");
        } else if (former) {
            check_unique(place, vectors, "formerly", former);
        }
    }
    c->tags = string_list(place, json, "tags", is_tag, "a list of tags: small letters, digits and -");
}

static void free_case(vector_case_t *c)
{
    for (size_t i = 0; i < c->defect_count; i++) {
        releases_free(&c->defects[i].releases);
    }
    free(c->defects);
    releases_free(&c->phoenix);
    free(c->steps);
}

/* The steps with those in front that "begin" names; owned by the vectors. */
static const json_t *read_beginning(place_t *place, vectors_t *vectors, const json_t *json)
{
    const json_t *steps = json_object_get(json, "steps"), *begin = json_object_get(json, "begin");
    if (!begin) {
        return steps;
    }
    const char *name = json_string_value(begin);
    const json_t *first = name ? json_object_get(vectors->beginnings, name) : NULL;
    if (!first) {
        complain(place, "begin", "no beginning has this name");
        return steps;
    }
    json_t *all = json_copy((json_t *)first);
    json_array_extend(all, (json_t *)steps);
    json_array_append_new(vectors->documents, all);
    return all;
}

static bool read_case(vectors_t *vectors, const char *file, const char *group, const json_t *json,
                      text_t *error)
{
    const char *members[] = {"id",          "formerly", "title",  "requirements",  "level", "tags",
                             "needs",       "when",     "mount",  "transports",    "vsn",   "phoenix",
                             "v1_join_ref", "disturbs", "source", "known_defects", "steps", NULL,
                             NULL,          NULL};
    const dialect_t *dialect = vectors->dialect;
    place_t place = {file, NULL, error, true};
    vector_case_t c = {.file = file, .id = need_string(&place, json, "id")};
    place.id = c.id;
    if (dialect) {
        const char **end = members;
        while (*end) {
            end++;
        }
        end[0] = "begin";
        end[1] = "options";
    }
    only_members(&place, json, members);
    read_ids(&place, vectors, group, json, &c);
    c.title = need_string(&place, json, "title");
    if (!level_parse(need_string(&place, json, "level"), &c.level)) {
        complain(&place, "level", "must, should or may");
    }
    c.requirements =
        string_list(&place, json, "requirements", is_requirement, "a list of ids such as JREF-02");
    if (!json_object_get(json, "requirements")) {
        complain(&place, "requirements", "every case cites the requirements it checks");
    }
    c.needs = string_list(
        &place, json, "needs", dialect ? dialect->capability_known : capability_known,
        "a list of capabilities, as --without takes them and APPLICATION.md beside the vectors lists them");
    c.v1_join_ref = json_is_true(json_object_get(json, "v1_join_ref"));
    c.disturbs = json_object_get(json, "disturbs") ? need_string(&place, json, "disturbs") : NULL;
    read_variants(&place, json, &c);
    read_mounts(&place, json, &c);
    read_when(&place, json, &c);
    read_releases(&place, json, "phoenix", &c.phoenix);
    read_source(&place, json, &c);
    read_defects(&place, json, &c);
    c.dialect = dialect;
    c.options = dialect ? json_object_get(json, "options") : NULL;
    bool (*check_steps)(vector_case_t *, const json_t *, text_t *) =
        dialect ? dialect->check_steps : steps_check;
    bool good = check_steps(&c, read_beginning(&place, vectors, json), error) && place.good;
    if (!good) {
        free_case(&c);
        return false;
    }
    MEM_ROOM(vectors->cases, vectors->len, vectors->cap);
    vectors->cases[vectors->len++] = c;
    return true;
}

bool vectors_add(vectors_t *vectors, const char *path, text_t *error)
{
    static const char *const members[] = {"$schema", "vectors", "group", "about", "cases", NULL};
    json_t *json = jvalue_parse_file(path, error);
    if (!json) {
        text_putc(error, '\n');
        return false;
    }
    if (!vectors->documents) {
        vectors->documents = json_array();
    }
    json_array_append_new(vectors->documents, json);
    names_add(&vectors->files, path);
    const char *file = vectors->files.at[vectors->files.len - 1];

    place_t place = {file, NULL, error, true};
    if (json_integer_value(json_object_get(json, "vectors")) != 1) {
        complain(&place, "vectors", "this phxspec reads version 1 of the format: \"vectors\": 1");
        return false;
    }
    only_members(&place, json, members);
    const char *group = need_string(&place, json, "group");
    need_string(&place, json, "about");
    const json_t *cases = json_object_get(json, "cases");
    if (json_array_size(cases) == 0) {
        complain(&place, "cases", "a list with at least one case is needed here");
    }
    for (size_t i = 0; *group && i < json_array_size(cases); i++) { /* without it no id is right */
        place.good = read_case(vectors, file, group, json_array_get(cases, i), error) && place.good;
    }
    return place.good;
}

bool vectors_add_folder(vectors_t *vectors, const char *path, text_t *error)
{
    static const char *const suffixes[] = {".json", NULL};
    names_t found = {0};
    bool good = files_below(path, suffixes, &found, error);
    if (!good) {
        text_putc(error, '\n');
    }
    if (good && found.len == 0) {
        text_printf(error, "%s: no *.json file is in it\n", path);
        good = false;
    }
    for (size_t i = 0; i < found.len; i++) {
        good = vectors_add(vectors, found.at[i], error) && good;
    }
    names_free(&found);
    return good;
}

bool vectors_check_requirements(const vectors_t *vectors, const json_t *requirements, text_t *error)
{
    bool good = true;
    for (size_t i = 0; i < vectors->len; i++) {
        const vector_case_t *c = &vectors->cases[i];
        for (size_t r = 0; r < json_array_size(c->requirements); r++) {
            const char *id = json_string_value(json_array_get(c->requirements, r));
            if (!json_object_get(requirements, id)) {
                text_printf(error, "%s: case %s: requirements: %s is not in requirements.json\n", c->file,
                            c->id, id);
                good = false;
            }
        }
    }
    return good;
}

bool vector_cites(const vector_case_t *c, const char *requirement)
{
    for (size_t i = 0; i < json_array_size(c->requirements); i++) {
        if (strcmp(json_string_value(json_array_get(c->requirements, i)), requirement) == 0) {
            return true;
        }
    }
    return false;
}

void vectors_free(vectors_t *vectors)
{
    for (size_t i = 0; i < vectors->len; i++) {
        free_case(&vectors->cases[i]);
    }
    free(vectors->cases);
    names_free(&vectors->files);
    json_decref(vectors->documents);
    *vectors = (vectors_t){0};
}
