/* SPDX-License-Identifier: MIT */
/* What all unit tests of the harness share: asserts that show both values, and the runner. */
#ifndef HARNESS_TEST_UTIL_H
#define HARNESS_TEST_UTIL_H

#include "base/text.h"

#include <check.h>
#include <stdlib.h>

/* Bytes in readable form; owned by the caller, who dies with it. */
static inline char *test_shown(span_t bytes)
{
    text_t out = {0};
    text_show(&out, bytes, 400);
    return text_take(&out);
}

#define assert_span(got, expected)                                                                           \
    do {                                                                                                     \
        const span_t got_ = (got), expected_ = (expected);                                                   \
        if (!span_equal(got_, expected_)) {                                                                  \
            ck_abort_msg("%s is \"%s\", not \"%s\"", #got, test_shown(got_), test_shown(expected_));         \
        }                                                                                                    \
    } while (0)

/* What is in the text, which is released. */
#define assert_text(got, expected)                                                                           \
    do {                                                                                                     \
        assert_span(text_span(got), span_of(expected));                                                      \
        text_free(got);                                                                                      \
    } while (0)

/* That the text says something, which is released. */
#define assert_says(got, part)                                                                               \
    do {                                                                                                     \
        if (strstr(text_str(got), part) == NULL) {                                                           \
            ck_abort_msg("\"%s\" does not say \"%s\"", text_str(got), part);                                 \
        }                                                                                                    \
        text_free(got);                                                                                      \
    } while (0)

/* Runs a suite of one case, which it takes over; TAP on stdout. The exit code. */
static inline int test_run(Suite *suite, TCase *all)
{
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Runs the tests of one case; TAP on stdout. */
#define TEST_MAIN(suite_name, ...)                                                                           \
    int main(void)                                                                                           \
    {                                                                                                        \
        const TTest *const tests[] = {__VA_ARGS__};                                                          \
        Suite *suite = suite_create(suite_name);                                                             \
        TCase *all = tcase_create("all");                                                                    \
        for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {                                          \
            tcase_add_test(all, tests[i]);                                                                   \
        }                                                                                                    \
        return test_run(suite, all);                                                                         \
    }

#endif
