/* SPDX-License-Identifier: MIT */
/* Runs made of events as short as they may be. */
#ifndef REPORT_UTIL_H
#define REPORT_UTIL_H

#include "report/run.h"

#include "test_util.h"

#include <string.h>

static inline json_t *made_head(int planned)
{
    return json_pack("{s:s s:i s:s s:s s:s s:s s:s s:s s:i}", "event", "run", "report", REPORT_FORMAT,
                     "phxspec", "0", "command", "c", "rerun", "r", "target", "t", "profile", "p",
                     "started_at", "2026-01-02T03:04:05Z", "planned", planned);
}

/* "planned", or a verdict where one is given. */
static inline json_t *made_variant(const char *variant, const char *verdict)
{
    size_t len = strcspn(variant, "/");
    json_t *event =
        json_pack("{s:s s:s s:s% s:s% s:s s:s s:s s:s s:[]}", "event", verdict ? "verdict" : "planned",
                  "variant", variant, "case", variant, len, "group", variant, strcspn(variant, "."), "title",
                  "T", "level", "must", "transport", "websocket", "vsn", "2.0.0", "requirements");
    if (verdict) {
        json_object_set_new(event, "verdict", json_string(verdict));
        json_object_set_new(event, "ms", json_real(1.5));
        json_object_set_new(event, "steps", json_integer(1));
    }
    return event;
}

static inline json_t *made_summary(int planned, const char *verdict, int count)
{
    return json_pack("{s:s s:i s:{s:i} s:i s:i s:b s:i s:f}", "event", "summary", "planned", planned,
                     "counts", verdict, count, "tolerated", 0, "unclean_closings", 0, "complete", 1, "exit",
                     0, "ms", 2.5);
}

/* Adds an event, which is released; what was wrong with it, owned by the caller: "" for nothing. */
static inline char *made_add(run_t *run, json_t *event)
{
    text_t error = {0};
    ck_assert_ptr_nonnull(event);
    bool good = run_add(run, event, &error);
    ck_assert(good == (error.len == 0));
    json_decref(event);
    return text_take(&error);
}

#define assert_added(run, event)                                                                             \
    do {                                                                                                     \
        char *error_ = made_add((run), (event));                                                             \
        ck_assert_str_eq(error_, "");                                                                        \
        free(error_);                                                                                        \
    } while (0)

#define assert_refused(run, event, part)                                                                     \
    do {                                                                                                     \
        char *error_ = made_add((run), (event));                                                             \
        ck_assert_msg(strstr(error_, part) != NULL, "\"%s\" does not say \"%s\"", error_, part);             \
        free(error_);                                                                                        \
    } while (0)

#endif
