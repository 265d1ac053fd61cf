/* SPDX-License-Identifier: MIT */
/* Files of vectors, read and checked; vectors/README.md describes the language. */
#ifndef VECTORS_VECTOR_H
#define VECTORS_VECTOR_H

#include "judge/message.h"
#include "vectors/profile.h"
#include "vectors/release.h"

typedef enum level { LEVEL_MUST, LEVEL_SHOULD, LEVEL_MAY } level_t;
const char *level_name(level_t level);
bool level_parse(const char *name, level_t *level);

typedef enum transport { WEBSOCKET, LONGPOLL, TRANSPORTS } transport_t;
const char *transport_name(transport_t transport); /* "websocket", "longpoll" */
bool transport_parse(const char *name, transport_t *transport);

typedef enum verb {
    VERB_CONNECT,
    VERB_SEND,
    VERB_PIPELINE,
    VERB_SEND_TEXT,
    VERB_SEND_BINARY,
    VERB_SEND_FRAMES,
    VERB_EXPECT,
    VERB_UNORDERED,
    VERB_ALLOW,
    VERB_EXPECT_CLOSE,
    VERB_EXPECT_FRAME,
    VERB_CLOSE,
    VERB_DROP,
    VERB_BARRIER,
    VERB_HTTP,
    VERB_RESPONSE,
    VERB_WAIT,
    VERBS
} verb_t;
const char *verb_name(verb_t verb);

typedef struct vector_step {
    verb_t verb;
    const json_t *json; /* the whole step; borrowed from the case */
} vector_step_t;

/* What some releases of Phoenix are known to do instead of what the case asks for. */
typedef struct known_defect {
    releases_t releases;
    const char *does, *link;
} known_defect_t;

typedef struct dialect dialect_t;

/* One case. Strings and JSON are borrowed from the file's JSON, which the vectors own. */
typedef struct vector_case {
    const char *file;
    const char *id, *title;
    level_t level;
    const json_t *formerly;     /* list of ids it had before, or NULL */
    const json_t *tags;         /* list of names, or NULL */
    const json_t *requirements; /* list of ids */
    const json_t *needs;        /* list of capabilities, or NULL */
    const json_t *source;       /* list, or NULL */
    const json_t *when;         /* profile values it is written for, or NULL */
    mount_t mount[TRANSPORTS];
    bool transports[TRANSPORTS];
    bool vsns[2]; /* by vsn_t */
    bool v1_join_ref;
    const char *disturbs; /* what others would notice of a target that gets it wrong; or NULL */
    releases_t phoenix;   /* whose rules it holds for */
    known_defect_t *defects;
    size_t defect_count;
    vector_step_t *steps;
    size_t len;
    const dialect_t *dialect; /* NULL: a case for servers */
    const json_t *options;    /* cases for clients: what ${options} is; or NULL */
} vector_case_t;

/* What differs between cases for servers and cases for others. */
struct dialect {
    const char *part; /* the folder of the cases, and the command that runs them */
    /* As steps_check does. */
    bool (*check_steps)(vector_case_t *c, const json_t *steps, text_t *error);
    bool (*capability_known)(const char *name);
    /* Appends the step in words. */
    void (*words)(text_t *out, const json_t *step);
    const char *(*verb)(const json_t *step);
    /* Whether who does nothing right cannot get over the step. */
    bool (*is_control)(const json_t *step);
};

typedef struct vectors {
    vector_case_t *cases;
    size_t len, cap;
    names_t files;
    json_t *documents; /* list; owns what cases borrow */
    /* Set before files are added; borrowed. NULL: cases for servers. */
    const dialect_t *dialect;
    /* With a dialect: name -> steps that a case may begin with ("begin": NAME), or NULL; borrowed. */
    const json_t *beginnings;
} vectors_t;

/*
 * Adds the cases of one file. False and one line per flaw appended to `error`:
 *     FILE: case ID, step 3 (expect): on: no client "b" is connected at this point
 * Every flaw is looked for, not only the first.
 */
bool vectors_add(vectors_t *vectors, const char *path, text_t *error);

/* Adds all *.json files of a folder, in the order of their names; a folder without any is an error. */
bool vectors_add_folder(vectors_t *vectors, const char *path, text_t *error);

/* Whether every requirement cited is in `requirements` (an object by id); otherwise one line per case and id.
 */
bool vectors_check_requirements(const vectors_t *vectors, const json_t *requirements, text_t *error);

/* Whether a case cites a requirement. */
bool vector_cites(const vector_case_t *c, const char *requirement);

void vectors_free(vectors_t *vectors);

#endif
