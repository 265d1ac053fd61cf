/* SPDX-License-Identifier: MIT */
#include "select/selection.h"

#include "select_util.h"

static selection_t selection;

/* What is selected by these patterns, up to a NULL; `skip` or NULL. */
static void assert_selected(const char *run, const char *skip, const char *expected)
{
    variants_t chosen = {0};
    text_t error = {0}, notes = {0}, names = {0};
    if (run) {
        ck_assert(selection_add(&selection.run, run, &error));
    }
    if (skip) {
        ck_assert(selection_add(&selection.skip, skip, &error));
    }
    ck_assert_msg(selection_apply(&selection, &vectors, &expansion, &chosen, &notes, &error), "%s",
                  text_str(&error));
    for (size_t i = 0; i < chosen.len; i++) {
        text_printf(&names, "%s%s", i ? " " : "", chosen.at[i].name);
    }
    assert_text(&names, expected);
    free(chosen.at);
    text_free(&notes);
    selection_free(&selection);
    selection = (selection_t){.weakest = LEVEL_MAY};
}

#define ALL "join.all/ws/v1 join.all/ws/v2 join.all/lp/v1 join.all/lp/v2"
#define ONE "join.one/ws/v2"
#define MAY "join.may/ws/v1 join.may/lp/v1"

START_TEST(a_name_is_a_group_a_case_or_a_part_of_its_variants)
{
    setup();
    selection = (selection_t){.weakest = LEVEL_MAY};
    assert_selected(NULL, NULL, ALL " " ONE " " MAY);
    assert_selected("join", NULL, ALL " " ONE " " MAY);
    assert_selected("join.all", NULL, ALL);
    assert_selected("join.all/lp", NULL, "join.all/lp/v1 join.all/lp/v2");
    assert_selected("join.all/lp/v1", NULL, "join.all/lp/v1");
    assert_selected("join.a*", NULL, ALL);
    assert_selected("*/lp", NULL, "join.all/lp/v1 join.all/lp/v2 join.may/lp/v1");
    assert_selected("*/v2", NULL, "join.all/ws/v2 join.all/lp/v2 join.one/ws/v2");
    assert_selected("join", "join.all/ws", "join.all/lp/v1 join.all/lp/v2 " ONE " " MAY);
    teardown();
}
END_TEST

START_TEST(tags_requirements_levels_and_former_ids_choose)
{
    setup();
    selection = (selection_t){.weakest = LEVEL_MAY};
    assert_selected("tag:slow", NULL, ALL);
    assert_selected("tag:a*", NULL, ALL);
    assert_selected("req:JREF-03", NULL, ONE);
    assert_selected("req:JREF-*", NULL, ALL " " ONE);
    assert_selected("group:jo*", "level:m*", ONE);
    assert_selected("join.every", NULL, ALL);
    assert_selected("join.every/ws/v2", NULL, "join.all/ws/v2");
    teardown();
}
END_TEST

START_TEST(level_transport_and_version_leave_out)
{
    setup();
    selection = (selection_t){.weakest = LEVEL_SHOULD};
    assert_selected(NULL, NULL, ALL " " ONE);
    ck_assert(selection_transport(&selection, "lp"));
    assert_selected(NULL, NULL, "join.all/lp/v1 join.all/lp/v2 join.may/lp/v1");
    ck_assert(selection_transport(&selection, "websocket") && selection_vsn(&selection, "1"));
    assert_selected(NULL, NULL, "join.all/ws/v1 join.may/ws/v1");
    ck_assert(selection_vsn(&selection, "2.0.0"));
    assert_selected(NULL, "join.all", ONE);
    ck_assert(!selection_transport(&selection, "tcp") && !selection_vsn(&selection, "3"));
    teardown();
}
END_TEST

static void assert_refused(const char *run, const char *skip, const char *says)
{
    variants_t chosen = {0};
    text_t error = {0}, notes = {0};
    ck_assert(selection_add(&selection.run, run, &error));
    if (skip) {
        ck_assert(selection_add(&selection.skip, skip, &error));
    }
    ck_assert(!selection_apply(&selection, &vectors, &expansion, &chosen, &notes, &error));
    assert_says(&error, says);
    free(chosen.at);
    text_free(&notes);
    selection_free(&selection);
}

START_TEST(what_matches_nothing_is_named_with_what_is_near)
{
    setup();
    selection = (selection_t){.weakest = LEVEL_MAY};
    assert_refused("jion", NULL, "--run jion matches no case; did you mean join?");
    assert_refused("jion.*", NULL, "did you mean join?");
    assert_refused("join.al", NULL, "did you mean join.all");
    assert_refused("all", NULL, "did you mean join.all?");
    assert_refused("join.evry/ws", NULL, "join.every");
    assert_refused("tag:slwo", NULL, "did you mean slow?");
    assert_refused("req:JREF-30", NULL, "JREF-03");
    assert_refused("zzzzzzzz", NULL, "--run zzzzzzzz matches no case; --list");
    assert_refused("join", "nothing.like*", "--skip nothing.like* matches no case");
    assert_refused("join", "*", "no case is left");
    teardown();
}
END_TEST

START_TEST(a_former_id_is_told)
{
    setup();
    selection = (selection_t){.weakest = LEVEL_MAY};
    variants_t chosen = {0};
    text_t error = {0}, notes = {0};
    ck_assert(selection_add(&selection.run, "join.every/ws", &error));
    ck_assert(selection_apply(&selection, &vectors, &expansion, &chosen, &notes, &error));
    ck_assert_uint_eq(chosen.len, 2);
    assert_text(&notes, "--run join.every/ws: the case is called join.all now\n");
    free(chosen.at);
    selection_free(&selection);
    teardown();
}
END_TEST

START_TEST(a_file_has_a_pattern_a_line)
{
    setup();
    selection = (selection_t){.weakest = LEVEL_MAY};
    char path[40], argument[41] = "@";
    text_t error = {0};
    write_file(path, "# what we look at\n\n  join.one  # for now\r\n#join.may\njoin.all/ws/v1");
    strcpy(argument + 1, path);
    assert_selected(argument, NULL, "join.all/ws/v1 " ONE);
    unlink(path);
    ck_assert(!selection_add(&selection.run, argument, &error));
    assert_says(&error, path);
    write_file(path, "# nothing\n");
    strcpy(argument + 1, path);
    ck_assert(!selection_add(&selection.run, argument, &error));
    assert_says(&error, "there is no pattern in it");
    unlink(path);
    teardown();
}
END_TEST

TEST_MAIN("selection", a_name_is_a_group_a_case_or_a_part_of_its_variants,
          tags_requirements_levels_and_former_ids_choose, level_transport_and_version_leave_out,
          what_matches_nothing_is_named_with_what_is_near, a_former_id_is_told, a_file_has_a_pattern_a_line)
