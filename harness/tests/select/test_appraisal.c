/* SPDX-License-Identifier: MIT */
#include "select/appraisal.h"

#include "base/memory.h"
#include "select_util.h"

static expectations_t expectations;
static appraisal_t *appraisal;
static text_t error, notes;
static char path[40];

#define HEAD "{\"expectations\": 1, \"about\": \"ours\", \"expected\": ["

/* The appraisal with these entries; NULL when they are refused. */
static appraisal_t *expect(const char *entries, bool strict)
{
    text_t content = {0};
    setup();
    text_printf(&content, HEAD "%s]}", entries);
    write_file(path, content.at);
    text_free(&content);
    if (expectations_load(path, &expectations, &error)) {
        appraisal = appraisal_new(&expansion, &vectors, &expectations, strict, &notes, &error);
    }
    return appraisal;
}

static void end(void)
{
    appraisal_free(appraisal);
    appraisal = NULL;
    expectations_free(&expectations);
    text_free(&error);
    text_free(&notes);
    unlink(path);
    teardown();
}

static const variant_t *variant(const char *name)
{
    size_t i = 0;
    while (strcmp(expansion.at[i].name, name) != 0) {
        i++;
    }
    return &expansion.at[i];
}

/* What becomes of a verdict; the result is to be freed. */
static case_result_t judged(const char *name, verdict_t verdict)
{
    case_result_t result = {.verdict = verdict, .reason = mem_string("it says so")};
    appraisal_judge(appraisal, variant(name), &result);
    return result;
}

static void assert_becomes(const char *name, verdict_t verdict, verdict_t expected)
{
    case_result_t result = judged(name, verdict);
    ck_assert_str_eq(verdict_name(result.verdict), verdict_name(expected));
    case_result_free(&result);
}

START_TEST(a_failure_may_be_expected_and_a_pass_not)
{
    ck_assert(expect("{\"case\":\"join.all/ws\",\"verdict\":\"fail\",\"reason\":\"no time yet\","
                     "\"link\":\"https://example.org/1\"}",
                     false));
    case_result_t failed = judged("join.all/ws/v1", VERDICT_FAIL);
    ck_assert_int_eq(failed.verdict, VERDICT_EXPECTED_FAILURE);
    ck_assert_str_eq(failed.reason, "it says so");
    ck_assert_str_eq(failed.excuse.pattern, "join.all/ws");
    ck_assert_str_eq(failed.excuse.reason, "no time yet");
    ck_assert_str_eq(failed.excuse.link, "https://example.org/1");
    case_result_free(&failed);
    case_result_t passed = judged("join.all/ws/v2", VERDICT_PASS);
    ck_assert_int_eq(passed.verdict, VERDICT_UNEXPECTED_PASS);
    text_t reason = {0};
    text_puts(&reason, passed.reason);
    assert_says(&reason, "entry 1, expects join.all/ws to fail (no time yet)");
    case_result_free(&passed);
    assert_becomes("join.all/lp/v1", VERDICT_FAIL, VERDICT_FAIL);
    assert_becomes("join.all/lp/v2", VERDICT_PASS, VERDICT_PASS);
    end();
}
END_TEST

START_TEST(what_proves_nothing_is_never_excused)
{
    ck_assert(expect("{\"case\":\"join\",\"verdict\":\"fail\",\"reason\":\"r\"}", false));
    assert_becomes("join.all/ws/v1", VERDICT_HARNESS_ERROR, VERDICT_HARNESS_ERROR);
    assert_becomes("join.all/ws/v2", VERDICT_NOT_RUN, VERDICT_NOT_RUN);
    assert_becomes("join.may/ws/v1", VERDICT_NOT_APPLICABLE, VERDICT_NOT_APPLICABLE);
    end();
}
END_TEST

START_TEST(not_applicable_may_be_expected)
{
    ck_assert(expect("{\"case\":\"join.may\",\"verdict\":\"not applicable\",\"reason\":\"r\"}", true));
    assert_becomes("join.may/ws/v1", VERDICT_NOT_APPLICABLE, VERDICT_NOT_APPLICABLE);
    assert_becomes("join.may/ws/v1", VERDICT_PASS, VERDICT_UNEXPECTED_PASS);
    assert_becomes("join.may/ws/v1", VERDICT_FAIL, VERDICT_FAIL);
    end();
}
END_TEST

START_TEST(what_is_no_must_is_tolerated_unless_strict)
{
    for (int strict = 0; strict < 2; strict++) {
        ck_assert(expect("", strict == 1));
        case_result_t must = judged("join.all/ws/v1", VERDICT_FAIL);
        case_result_t should = judged("join.one/ws/v2", VERDICT_FAIL);
        case_result_t may = judged("join.may/ws/v1", VERDICT_FAIL);
        ck_assert_int_eq(should.verdict, VERDICT_FAIL);
        ck_assert(!must.tolerated && should.tolerated == !strict && may.tolerated == !strict);
        case_result_free(&must);
        case_result_free(&should);
        case_result_free(&may);
        end();
    }
}
END_TEST

START_TEST(a_known_defect_of_the_release_excuses)
{
    static const known_defect_t defect = {.does = "drops it", .link = "https://example.org/2"};
    ck_assert(expect("", true));
    expansion.at[variant("join.all/ws/v2")->number].known_defect = &defect;
    case_result_t failed = judged("join.all/ws/v2", VERDICT_FAIL);
    ck_assert_int_eq(failed.verdict, VERDICT_EXPECTED_FAILURE);
    ck_assert_ptr_null(failed.excuse.pattern);
    ck_assert_str_eq(failed.excuse.reason, "drops it");
    case_result_free(&failed);
    assert_becomes("join.all/ws/v2", VERDICT_PASS, VERDICT_PASS);
    end();
}
END_TEST

static void assert_refused(const char *entries, const char *says)
{
    ck_assert(!expect(entries, false));
    ck_assert_msg(strstr(text_str(&error), path), "%s", text_str(&error));
    ck_assert_msg(strstr(text_str(&error), says), "%s", text_str(&error));
    end();
}

#define ENTRY(name) "{\"case\":\"" name "\",\"verdict\":\"fail\",\"reason\":\"r\"}"

START_TEST(entries_that_name_nothing_are_refused)
{
    assert_refused(ENTRY("join.all") "," ENTRY("join.oen"),
                   "entry 2, join.oen: it matches no case; did you mean join.one? correct it");
    assert_refused(ENTRY("join.*") "," ENTRY("join.all"), "entry 2, join.all: earlier entries have all");
    assert_refused("{\"case\":\"join\",\"verdict\":\"harness error\",\"reason\":\"r\"}", "verdict: ");
    assert_refused("{\"case\":\"join\",\"verdict\":\"not run\",\"reason\":\"r\"}", "verdict: ");
    assert_refused("{\"case\":\"join\",\"verdict\":\"fail\"}", "reason");
    assert_refused("{\"case\":\"join\",\"verdict\":\"fail\",\"reason\":\"\"}", "reason");
    assert_refused("{\"case\":\"join\",\"reason\":\"r\"}", "verdict");
    assert_refused("{\"verdict\":\"fail\",\"reason\":\"r\"}", "\"case\" and \"recording\"");
    assert_refused("{\"case\":\"join\",\"recording\":\"x\",\"verdict\":\"fail\",\"reason\":\"r\"}",
                   "\"case\" and");
    assert_refused("{\"case\":\"join\",\"verdict\":\"fail\",\"reason\":\"r\",\"link\":5}", "link");
    assert_refused("{\"case\":\"join\",\"verdict\":\"fail\",\"reason\":\"r\",\"bug\":\"5\"}",
                   "\"bug\" is not known");
    assert_refused("5", "entry 1: ");
}
END_TEST

START_TEST(notes_say_what_needs_care)
{
    ck_assert(expect("{\"case\":\"join.every\",\"verdict\":\"fail\",\"reason\":\"TODO: find out\"}", false));
    ck_assert_ptr_nonnull(strstr(text_str(&notes), "entry 1, join.every: the case is called join.all now"));
    ck_assert_ptr_nonnull(strstr(text_str(&notes), "entry 1, join.every: its reason is still to be written"));
    end();
}
END_TEST

/* ---- the update ---- */

static void assert_updated(const char *expected, size_t kept, size_t narrowed, size_t dropped, size_t added)
{
    appraisal_update_t update;
    text_t content = {0};
    json_t *entries = appraisal_update(appraisal, &update);
    ck_assert_msg(expectations_rewrite(&expectations, entries, &error), "%s", text_str(&error));
    json_decref(entries);
    ck_assert(file_read(path, &content, &error));
    assert_text(&content, expected);
    ck_assert_uint_eq(update.kept, kept);
    ck_assert_uint_eq(update.narrowed, narrowed);
    ck_assert_uint_eq(update.dropped, dropped);
    ck_assert_uint_eq(update.added, added);
}

static void judge(const char *name, verdict_t verdict)
{
    case_result_t result = judged(name, verdict);
    case_result_free(&result);
}

#define WRITTEN "{\n  \"expectations\": 1,\n  \"about\": \"ours\",\n  \"expected\": ["
#define KEPT(name) "{\"case\": \"" name "\", \"verdict\": \"fail\", \"reason\": \"r\"}"
#define ADDED(name)                                                                                          \
    "{\"case\": \"" name                                                                                     \
    "\", \"verdict\": \"fail\", \"reason\": \"TODO: say why, and where it is followed up\"}"

START_TEST(an_update_keeps_drops_and_adds)
{
    ck_assert(
        expect(ENTRY("join.one") "," ENTRY("join.all/ws") ",{\"recording\":\"*\",\"verdict\":\"disagree\","
                                                          "\"reason\":\"of replay\"}",
               false));
    judge("join.one/ws/v2", VERDICT_PASS);
    judge("join.all/ws/v1", VERDICT_FAIL);
    judge("join.all/ws/v2", VERDICT_FAIL);
    judge("join.all/lp/v1", VERDICT_PASS);
    judge("join.all/lp/v2", VERDICT_FAIL);
    judge("join.may/ws/v1", VERDICT_FAIL); /* tolerated: nothing to be expected */
    assert_updated(
        WRITTEN "\n    " KEPT(
            "join.all/ws") ",\n    "
                           "{\"recording\": \"*\", \"verdict\": \"disagree\", \"reason\": \"of replay\"}"
                           ",\n    " ADDED("join.all/lp/v2") "\n  ]\n}\n",
        2, 0, 1, 1);
    end();
}
END_TEST

START_TEST(an_update_narrows_what_came_true_in_part)
{
    ck_assert(expect("{\"case\":\"join.*\",\"verdict\":\"fail\",\"reason\":\"r\",\"link\":\"l\"}", true));
    judge("join.all/ws/v1", VERDICT_PASS);
    judge("join.all/ws/v2", VERDICT_FAIL);
    judge("join.one/ws/v2", VERDICT_FAIL);
    /* the others were not tried */
    assert_updated(
        WRITTEN
        "\n    {\"case\": \"join.all/ws/v2\", \"verdict\": \"fail\", \"reason\": \"r\", \"link\": \"l\"},"
        "\n    {\"case\": \"join.all/lp\", \"verdict\": \"fail\", \"reason\": \"r\", \"link\": \"l\"},"
        "\n    {\"case\": \"join.one\", \"verdict\": \"fail\", \"reason\": \"r\", \"link\": \"l\"},"
        "\n    {\"case\": \"join.may\", \"verdict\": \"fail\", \"reason\": \"r\", \"link\": \"l\"}"
        "\n  ]\n}\n",
        0, 1, 0, 0);
    end();
}
END_TEST

START_TEST(an_update_of_nothing_changes_nothing)
{
    ck_assert(expect("", false));
    assert_updated(WRITTEN "]\n}\n", 0, 0, 0, 0);
    end();
    ck_assert(expect(ENTRY("join.*"), false));
    assert_updated(WRITTEN "\n    " KEPT("join.*") "\n  ]\n}\n", 1, 0, 0, 0);
    end();
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_said)
{
    text_t why = {0};
    json_t *none = json_array();
    expectations_t missing = {0};
    expectations_begin("/no/such/folder/file.json", &missing);
    ck_assert(!expectations_rewrite(&missing, none, &why));
    assert_says(&why, "/no/such/folder/file.json: ");
    json_decref(none);
    expectations_free(&missing);
}
END_TEST

TEST_MAIN("appraisal", a_failure_may_be_expected_and_a_pass_not, what_proves_nothing_is_never_excused,
          not_applicable_may_be_expected, what_is_no_must_is_tolerated_unless_strict,
          a_known_defect_of_the_release_excuses, entries_that_name_nothing_are_refused,
          notes_say_what_needs_care, an_update_keeps_drops_and_adds, an_update_narrows_what_came_true_in_part,
          an_update_of_nothing_changes_nothing, a_file_that_cannot_be_written_is_said)
