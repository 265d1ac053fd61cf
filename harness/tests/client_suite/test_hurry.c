/* SPDX-License-Identifier: MIT */
#include "client_suite/hurry.h"

#include "test_util.h"

static const struct {
    const char *options, *steps;
    double margin;
    bool timed;
} cases[] = {
    {NULL, "[{\"accept\":\"a\"}]", 0, false},
    {"{\"reconnect_ms\":[30],\"rejoin_ms\":[30]}", "[{\"accept\":\"a\"}]", 0, false},
    {"{\"reconnect_ms\":[30]}", "[{\"accept\":\"a\",\"after\":{\"ms\":30}}]", 0, true},
    {NULL, "[{\"silence\":{\"ms\":100}}]", 0, true},
    {NULL, "[{\"wait\":{\"ms\":100}}]", 0, true},
    {"{\"heartbeat_ms\":500,\"timeout_ms\":400}", "[{\"accept\":\"a\"}]", 40, true},
    {"{\"heartbeat_ms\":60}", "[{\"accept\":\"a\"}]", 20, true},
    {NULL, "[{\"accept\":\"a\"},{\"do\":\"push\",\"with\":{\"timeout_ms\":300}}]", 30, true},
    {NULL, "[{\"do\":\"connect\",\"with\":{\"options\":{\"fallback_ms\":700}}}]", 70, true},
};

START_TEST(margins)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *options = cases[i].options ? json_loads(cases[i].options, 0, NULL) : NULL;
        json_t *list = json_loads(cases[i].steps, 0, NULL);
        vector_step_t steps[2];
        vector_case_t c = {.options = options, .steps = steps, .len = json_array_size(list)};
        for (size_t step = 0; step < c.len; step++) {
            steps[step] = (vector_step_t){.json = json_array_get(list, step)};
        }
        double margin = hurry_margin_ms(&c);
        ck_assert_msg(margin > cases[i].margin - 0.001 && margin < cases[i].margin + 0.001, "case %zu: %f", i,
                      margin);
        ck_assert_msg(hurry_timed(&c) == cases[i].timed, "case %zu", i);
        json_decref(options);
        json_decref(list);
    }
}
END_TEST

TEST_MAIN("hurry", margins)
