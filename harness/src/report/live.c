/* SPDX-License-Identifier: MIT */
#include "report/live.h"

#include "base/memory.h"

#include <stdlib.h>

struct live {
    report_t *report;
    run_t *run;
    text_t error; /* of the first event that was not taken */
};

static void tell(live_t *live, json_t *event)
{
    text_t error = {0};
    if (!report_event(live->report, event, &error) && live->error.len == 0) {
        text_span_add(&live->error, text_span(&error));
        text_putc(&live->error, '\n');
    }
    text_free(&error);
}

live_t *live_new(report_t *report, const run_about_t *about, const variants_t *plan,
                 const json_t *requirements)
{
    live_t *live = mem_new(1, sizeof *live);
    live->report = report;
    live->run = run_new(about->profile->name);
    report_run(report, live->run);
    tell(live, events_run(about, plan->len));
    tell(live, events_requirements(plan, requirements));
    for (size_t i = 0; i < plan->len; i++) {
        tell(live, events_planned(&plan->at[i]));
    }
    return live;
}

void live_started(void *ctx, const variant_t *variant)
{
    tell(ctx, events_started(variant));
}

void live_verdict(void *ctx, const variant_t *variant, const case_result_t *result)
{
    live_t *live = ctx;
    tell(live, events_verdict(variant, result, report_traces(live->report)));
}

bool live_end(live_t *live, const run_ending_t *ending, text_t *error)
{
    tell(live, events_summary(ending));
    report_run_end(live->report);
    bool good = report_close(live->report, error) && live->error.len == 0;
    text_span_add(error, text_span(&live->error));
    text_free(&live->error);
    run_free(live->run);
    free(live);
    return good;
}
