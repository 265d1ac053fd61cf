/* SPDX-License-Identifier: MIT */
#include "client_suite/outlet.h"

#include "net/deadline.h"
#include "test_util.h"

#include <time.h>
#include <unistd.h>

static const double EXACT_MS = 15;

/* The time is that of the write, however late it is asked for. */
START_TEST(keeps_the_time_of_the_last_write)
{
    int ends[2];
    char bytes[2];
    ck_assert(outlet_open(&ends[0], &ends[1]));
    for (int i = 0; i < 2; i++) {
        double before = clock_ms();
        ck_assert_int_eq(write(ends[1], "x", 1), 1);
        double after = clock_ms();
        nanosleep(&(struct timespec){0, 60000000}, NULL);
        double written = outlet_written_at(ends[0]);
        ck_assert_msg(written > before - EXACT_MS && written < after + EXACT_MS, "%f, written %f to %f",
                      written, before, after);
        ck_assert_int_eq(read(ends[0], bytes, sizeof bytes), 1);
    }
    close(ends[1]);
    ck_assert_int_eq(read(ends[0], bytes, sizeof bytes), 0);
    close(ends[0]);
}
END_TEST

START_TEST(cannot_always_be)
{
    int ends[2] = {-1, -1};
    setenv("TMPDIR", "/no/such/folder", 1);
    ck_assert(!outlet_open(&ends[0], &ends[1]));
    ck_assert(ends[1] == -1);
    text_t why = {0};
    ck_assert(!outlet_possible(&why));
    ck_assert_msg(strstr(text_str(&why), "in /no/such/folder ($TMPDIR, or else /tmp): No such file"), "%s",
                  text_str(&why));
    text_free(&why);
    unsetenv("TMPDIR");
    ck_assert(outlet_possible(&why));
    ck_assert(outlet_written_at(-1) == 0);
}
END_TEST

TEST_MAIN("outlet", keeps_the_time_of_the_last_write, cannot_always_be)
