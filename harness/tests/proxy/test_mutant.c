/* SPDX-License-Identifier: MIT */
#include "proxy/mutant.h"

#include "test_util.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What is said of a file with these mutants; owned by the caller. "" where they are good. */
static char *said(const char *mutants_text, size_t *count)
{
    char path[] = "/tmp/phxspec-test-XXXXXX";
    int file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    dprintf(file, "{\"$schema\":\"x\",\"mutants\":%s}", mutants_text);
    close(file);
    mutants_t mutants = {0};
    text_t error = {0};
    bool good = mutants_load(&mutants, path, &error);
    ck_assert_int_eq(good, error.len == 0);
    *count = mutants.len;
    mutants_free(&mutants);
    unlink(path);
    return text_take(&error);
}

#define START "{\"id\":\"a.b\",\"title\":\"t\",\"requirements\":[\"X-01\"],"
#define FAULT "{\"match\":{\"from\":\"server\",\"frame\":\"text\"},\"do\":[{\"drop\":true}]}"

START_TEST(good_mutants_are_read)
{
    size_t count;
    char *error =
        said("[" START "\"proxy\":[" FAULT "]}, {\"id\":\"a.c\",\"title\":\"t\",\"requirements\":[\"X-01\"],"
             "\"fault\":\"deaf\"}]",
             &count);
    ck_assert_str_eq(error, "");
    ck_assert_uint_eq(count, 2);
    free(error);
}
END_TEST

static const struct {
    const char *mutants, *part;
} flaws[] = {
    {"[{\"id\":\"a.b\",\"title\":\"t\"}]", "id, title and requirements are needed"},
    {"[" START "\"proxy\":[" FAULT "]}," START "\"proxy\":[" FAULT "]}]", "another one of this id"},
    {"[" START "\"proxy\":[]}]", "either \"proxy\""},
    {"[" START "\"proxy\":[" FAULT "],\"fault\":\"x\"}]", "either \"proxy\""},
    {"[" START "\"proxi\":[" FAULT "]}]", "mutant a.b: mutant.proxi: no such key"},
    {"[" START "\"proxy\":[{\"match\":{\"from\":\"server\",\"frame\":\"text\"},\"do\":[{\"drpo\":true}]}]}]",
     "proxy[0].do[0].drpo: no such key"},
    {"[" START "\"proxy\":[{\"match\":{\"from\":\"both\",\"frame\":\"text\"},\"do\":[{\"drop\":true}]}]}]",
     "\"client\" or \"server\""},
    {"[" START "\"proxy\":[{\"match\":{\"from\":\"server\"},\"do\":[{\"drop\":true}]}]}]",
     "one of \"message\""},
    {"[" START "\"proxy\":[{\"match\":{\"from\":\"server\",\"message\":[1]},\"do\":[{\"drop\":true}]}]}]",
     "five fields"},
    {"[" START "\"proxy\":[{\"match\":{\"from\":\"server\",\"message\":[1,1,1,1,{\"$anny\":1}]},\"do\":[{"
     "\"drop\":true}]}]}]",
     "$anny"},
    {"[" START "\"proxy\":[{\"match\":{\"from\":\"server\",\"http\":{\"body\":{\"$list\":{\"each\":1}}}},"
     "\"do\":[{\"drop\":"
     "true}]}]}]",
     "http.body.$list: write {\"length\": N"},
    {"[" START "\"proxy\":[{\"match\":{\"from\":\"server\",\"frame\":\"text\"}}]}]", "\"do\" is a list"},
    {"7", "a list \"mutants\" is needed"},
};

START_TEST(flaws_are_named)
{
    size_t count;
    char *error = said(flaws[_i].mutants, &count);
    ck_assert_msg(strstr(error, flaws[_i].part), "\"%s\" does not say \"%s\"", error, flaws[_i].part);
    ck_assert_msg(strncmp(error, "/tmp/phxspec-test-", 18) == 0, "%s", error);
    free(error);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proxy mutant");
    TCase *all = tcase_create("all");
    tcase_add_test(all, good_mutants_are_read);
    tcase_add_loop_test(all, flaws_are_named, 0, (int)(sizeof flaws / sizeof *flaws));
    return test_run(suite, all);
}
