/* SPDX-License-Identifier: MIT */
#include "vectors/lint.h"

#include "test_load.h"

#define JOIN "{\"send\":[\"1\",\"1\",\"${topic}\",\"phx_join\",{}]},"
#define BARRIER "{\"barrier\":\"heartbeat\"}"
#define GET(as_or_expect) "{\"http\":{\"method\":\"GET\",\"path\":\"/\"}," as_or_expect "}"

/* The steps of a case, and what lint says of them; NULL: nothing. */
static const struct {
    const char *file, *says;
} cases[] = {
    {FILE_OF(CASE_WITH("", CONNECT JOIN BARRIER)), NULL},
    {FILE_OF(CASE_WITH("", CONNECT JOIN "{\"expect_close\":{}}")), NULL}, /* it was let in */
    {FILE_OF(CASE_WITH("", "{\"connect\":\"a\",\"refused\":403}")),
     "case g.c: steps: no positive control: a server that refuses or ignores everything passes"},
    {FILE_OF(CASE_WITH("", "{\"connect\":\"a\",\"refused\":403}," CONNECT BARRIER)), NULL},
    {FILE_OF(CASE_WITH("", GET("\"expect\":{\"status\":[404,403]}"))), "no positive control"},
    {FILE_OF(CASE_WITH("", GET("\"expect\":{\"status\":[404,200]}"))), NULL},
    {FILE_OF(CASE_WITH("", CONNECT "{\"send\":[\"1\",\"1\",\"${topic}\",\"phx_join\",{}]}")),
     "case g.c, step 2 (send): nothing judges what this does; end with a barrier"},
    {FILE_OF(CASE_WITH("", CONNECT "{\"expect\":[\"1\",\"1\",\"t\",\"e\",{\"$capture\":\"x\"}]}")),
     "case g.c, step 2 (expect): nobody reads \"x\" once it is captured"},
    {FILE_OF(CASE_WITH("", CONNECT "{\"expect\":[\"1\",\"1\",\"t\",\"e\",{\"$capture\":\"x\"}]},"
                                   "{\"expect\":[\"1\",\"1\",\"t\",\"e\",{\"$equals\":\"x\"}]}")),
     NULL},
    {FILE_OF(CASE_WITH("", CONNECT "{\"expect\":[\"1\",\"1\",\"t\",\"e\",{\"$capture\":\"x\"}]},"
                                   "{\"expect\":[\"1\",\"1\",\"t\",\"e\",\"-${x}\"]}")),
     NULL},
    {FILE_OF(CASE_WITH("", CONNECT GET("\"as\":\"poll\"") "," BARRIER)),
     "case g.c, step 2 (http): nobody reads the answer \"poll\""},
    {FILE_OF(CASE_WITH("", CONNECT GET("\"as\":\"poll\"") ",{\"drop\":\"poll\"}," BARRIER)), NULL},
    {FILE_OF(CASE_WITH("", CONNECT "{\"allow\":[\"1\",\"1\",\"t\",\"e\",{}]}," BARRIER)),
     "case g.c, step 2 (allow): what is allowed needs a reason"},
};

START_TEST(flaws_are_named_with_case_and_step)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vectors_t vectors;
        text_t out = {0};
        const vector_case_t *c = load_case(cases[i].file, &vectors);
        json_t *requirements = json_pack("{s:{s:s}}", "JREF-02", "level", "must");
        size_t flaws = lint_case(c, requirements, &out);
        if (cases[i].says) {
            ck_assert_msg(flaws == 1, "%s: %s", cases[i].file, text_str(&out));
            assert_says(&out, cases[i].says);
        } else {
            ck_assert_msg(flaws == 0, "%s", text_str(&out));
        }
        json_decref(requirements);
        vectors_free(&vectors);
    }
}
END_TEST

START_TEST(a_case_is_no_stronger_than_its_requirements)
{
    vectors_t vectors;
    text_t out = {0};
    const vector_case_t *c = load_case(FILE_OF(CASE_WITH("", CONNECT BARRIER)), &vectors);
    json_t *requirements = json_pack("{s:{s:s}}", "JREF-02", "level", "should");
    ck_assert_uint_eq(lint_case(c, requirements, &out), 1);
    assert_says(&out, "level: must, and none of its requirements is stronger than should");
    json_decref(requirements);
    vectors_free(&vectors);
}
END_TEST

TEST_MAIN("lint", flaws_are_named_with_case_and_step, a_case_is_no_stronger_than_its_requirements)
