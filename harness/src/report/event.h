/* SPDX-License-Identifier: MIT */
/* The events a run is told in: what each must say, and how its words are meant. harness/REPORTS.md and
 * vectors/schema/report.schema.json describe them. */
#ifndef REPORT_EVENT_H
#define REPORT_EVENT_H

#include "base/text.h"

#include <jansson.h>

enum { REPORT_FORMAT = 1 }; /* the number in the event `run` */

/* Whether it has the members an event of its kind has, of their types, and no others; else why not appended
 * to `error`. */
bool event_check(const json_t *event, text_t *error);

/* Members of an event that was checked. The string is "" and the number 0 where there is none. */
const char *event_string(const json_t *event, const char *member);
double event_number(const json_t *event, const char *member);
bool event_is(const json_t *event, const char *kind);

typedef enum tone {
    TONE_GOOD,
    TONE_BAD,   /* the run has failed */
    TONE_OPEN,  /* it should have been judged and was not: the run is not whole, or not to be trusted */
    TONE_KNOWN, /* wrong, and excused */
    TONE_MUTED, /* not applicable */
} tone_t;
enum { TONES = TONE_MUTED + 1 };

/* How a verdict looks; one that is not known is bad. */
typedef struct look {
    const char *name;
    tone_t tone;
    const char *colour; /* the parameters of a terminal's SGR sequence */
    const char *mark;   /* one character */
} look_t;
const look_t *look_of(const char *verdict);

/* That of a verdict event: a failure the run was told to put up with is not bad. */
tone_t event_tone(const json_t *verdict);

/* "good", "bad", "open", "known", "muted" */
const char *tone_name(tone_t tone);

#endif
