/* SPDX-License-Identifier: MIT */
/* The events themselves, one JSON value a line. */
#include "report/view.h"

#include <stdlib.h>

static void jsonl_event(text_t *out, const view_settings_t *settings, const run_t *run, const json_t *event)
{
    (void)settings, (void)run;
    char *line = json_dumps(event, JSON_COMPACT | JSON_REAL_PRECISION(12));
    text_puts(out, line ? line : "");
    text_putc(out, '\n');
    free(line);
}

const view_t view_jsonl = {"jsonl", ".jsonl", "all events, one JSON value a line", jsonl_event, NULL, NULL};
