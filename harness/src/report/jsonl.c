/* SPDX-License-Identifier: MIT */
#include "report/jsonl.h"

#include <stdlib.h>

static bool write_line(FILE *to, json_t *line)
{
    char *text = json_dumps(line, JSON_COMPACT);
    bool good = text && fprintf(to, "%s\n", text) > 0 && fflush(to) == 0;
    free(text);
    json_decref(line);
    return good;
}

/* What a server sent need not be UTF-8. */
static json_t *string_of(const char *text)
{
    json_t *string = json_string(text);
    if (!string) {
        text_t shown = {0};
        text_show(&shown, span_of(text), 0);
        string = json_string(text_str(&shown));
        text_free(&shown);
    }
    return string;
}

bool jsonl_plan(FILE *to, size_t planned, const char *target, const profile_t *profile)
{
    return write_line(to, json_pack("{s:s s:i s:I s:s s:s}", "event", "plan", "report", 1, "planned",
                                    (json_int_t)planned, "target", target, "profile", profile->name));
}

bool jsonl_verdict(FILE *to, const variant_t *variant, const case_result_t *result)
{
    const vector_case_t *c = variant->c;
    json_t *line =
        json_pack("{s:s s:s s:s s:s s:s s:s s:O s:s s:f}", "event", "verdict", "case", c->id, "variant",
                  variant->name, "transport", transport_name(variant->transport), "vsn",
                  vsn_name(variant->vsn), "level", level_name(c->level), "requirements", c->requirements,
                  "verdict", verdict_name(result->verdict), "ms", (double)(long)(result->ms * 10 + 0.5) / 10);
    if (result->closing) {
        json_object_set_new(line, "closing", json_string(result->closing));
    }
    if (result->step > 0) {
        json_object_set_new(line, "step", json_integer((json_int_t)result->step));
    }
    if (result->tolerated) {
        json_object_set_new(line, "tolerated", json_true());
    }
    const char *const names[] = {"reason", "expected", "got", "excuse", "excuse_link"};
    const char *const values[] = {result->reason, result->expected, result->got, result->excuse.reason,
                                  result->excuse.link};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (values[i]) {
            json_object_set_new(line, names[i], string_of(values[i]));
        }
    }
    return write_line(to, line);
}

bool jsonl_summary(FILE *to, const suite_counts_t *counts, bool complete)
{
    json_t *line = json_pack("{s:s s:I}", "event", "summary", "planned", (json_int_t)counts->planned);
    for (int verdict = 0; verdict < VERDICTS; verdict++) {
        json_object_set_new(line, verdict_key((verdict_t)verdict),
                            json_integer((json_int_t)counts->by[verdict]));
    }
    json_object_set_new(line, "complete", json_boolean(complete));
    return write_line(to, line);
}
