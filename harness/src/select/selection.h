/* SPDX-License-Identifier: MIT */
/* What is to be run. */
#ifndef SELECT_SELECTION_H
#define SELECT_SELECTION_H

#include "vectors/variant.h"

/* Patterns, see pattern.h, and of each where it stands: "", or "FILE:LINE: ". */
typedef struct patterns {
    names_t names, places;
} patterns_t;

/* Zero-initialise with `weakest` LEVEL_MAY; release with selection_free. */
typedef struct selection {
    patterns_t run, skip;                         /* an empty `run` means all */
    level_t weakest;                              /* cases of a weaker level are left out */
    bool only_transport[TRANSPORTS], only_vsn[2]; /* none set: all */
} selection_t;

/* Adds a pattern, or those of a file for "@FILE": one a line, blank lines and what follows a # left out.
 * False and a message when the file cannot be read or has none. */
bool selection_add(patterns_t *patterns, const char *argument, text_t *error);

/* "ws", "websocket", "lp", "longpoll"; "1", "1.0.0", "2", "2.0.0". False for anything else. */
bool selection_transport(selection_t *selection, const char *name);
bool selection_vsn(selection_t *selection, const char *name);

/*
 * The selected ones of `all`. They borrow from it: release `chosen` with free(chosen->at).
 * False and messages when a pattern matches nothing, each with its near misses, or nothing is selected.
 * A pattern that is a former id is told in `notes`.
 */
bool selection_apply(const selection_t *selection, const vectors_t *vectors, const variants_t *all,
                     variants_t *chosen, text_t *notes, text_t *error);

void selection_free(selection_t *selection);

#endif
