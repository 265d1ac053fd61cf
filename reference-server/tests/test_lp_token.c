/* SPDX-License-Identifier: MIT */
#include <check.h>
#include <string.h>

#include "lp_token.h"
#include "test_util.h"

static const uint8_t KEY[LP_KEY_BYTES] = "a key of thirty-two bytes, exact";
static const uint8_t OTHER_KEY[LP_KEY_BYTES] = "A key of thirty-two bytes, exact";
static const uint64_t BORN_MS = 1800000000123;

static void sign(uint8_t id[LP_ID_BYTES], char token[LP_TOKEN_CHARS + 1])
{
    ck_assert(lp_id_random(id));
    ck_assert(lp_token_sign(KEY, id, BORN_MS, token));
}

START_TEST(a_token_leads_to_its_id)
{
    uint8_t id[LP_ID_BYTES];
    uint8_t found[LP_ID_BYTES];
    char token[LP_TOKEN_CHARS + 1];
    sign(id, token);
    ck_assert_uint_eq(strlen(token), LP_TOKEN_CHARS);
    ck_assert_msg(strpbrk(token, "+/=&%") == NULL, "%s is safe in a query", token);
    ck_assert(lp_token_verify(KEY, phx_slice_of(token), BORN_MS, 1, found));
    ck_assert_mem_eq(id, found, LP_ID_BYTES);
}
END_TEST

START_TEST(any_change_is_refused)
{
    uint8_t id[LP_ID_BYTES];
    uint8_t found[LP_ID_BYTES];
    char token[LP_TOKEN_CHARS + 1];
    sign(id, token);
    for (int i = 0; i < LP_TOKEN_CHARS; i++) {
        char kept = token[i];
        for (const char *other = "ABQg-_.=+/"; *other != '\0'; other++) {
            token[i] = *other;
            ck_assert_msg(*other == kept || !lp_token_verify(KEY, phx_slice_of(token), BORN_MS, 1, found),
                          "character %d of %s", i, token);
        }
        token[i] = kept;
    }
    for (size_t len = 0; len < LP_TOKEN_CHARS; len++) {
        ck_assert(!lp_token_verify(KEY, (phx_slice_t){token, len}, BORN_MS, 1, found));
    }
    ck_assert(!lp_token_verify(OTHER_KEY, phx_slice_of(token), BORN_MS, 1, found));
    ck_assert(!lp_token_verify(KEY, PHX_SLICE("garbage"), BORN_MS, 1, found));
}
END_TEST

START_TEST(a_token_gets_old)
{
    uint8_t id[LP_ID_BYTES];
    char token[LP_TOKEN_CHARS + 1];
    sign(id, token);
    ck_assert(lp_token_verify(KEY, phx_slice_of(token), BORN_MS + 5000, 5, id)); /* LP-OPEN-07 */
    ck_assert(!lp_token_verify(KEY, phx_slice_of(token), BORN_MS + 5001, 5, id));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("lp_token");
    tcase_add_test(tcase, a_token_leads_to_its_id);
    tcase_add_test(tcase, any_change_is_refused);
    tcase_add_test(tcase, a_token_gets_old);
    Suite *suite = suite_create("lp_token");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
