/* SPDX-License-Identifier: MIT */
#include "mutation/score.h"

#include "base/jvalue.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_BEST = 8, MAX_TRIES = 5 };

const char *fate_name(fate_t fate)
{
    static const char *const names[FATES] = {"killed",   "killed nearby", "killed elsewhere",
                                             "survived", "not run",       "broken"};
    return names[fate];
}

/* ---- reading a report ---- */

static void read_event(const json_t *event, json_t *failed, size_t *passed, bool *whole)
{
    const char *kind = json_string_value(json_object_get(event, "event"));
    const char *verdict = json_string_value(json_object_get(event, "verdict"));
    if (kind && strcmp(kind, "summary") == 0) {
        *whole = json_is_true(json_object_get(event, "complete"));
    } else if (kind && verdict && strcmp(verdict, "pass") == 0) {
        (*passed)++;
    } else if (kind && verdict && strcmp(verdict, "fail") == 0) {
        json_object_set(failed, json_string_value(json_object_get(event, "variant")),
                        json_object_get(event, "requirements"));
    }
}

bool score_read_report(const char *path, json_t *failed, size_t *passed, text_t *error)
{
    text_t file = {0};
    bool whole = false;
    if (!file_read(path, &file, error)) {
        return false;
    }
    span_t rest = text_span(&file), line;
    while (span_next(&rest, '\n', &line)) {
        json_t *event = line.len > 0 ? jvalue_parse(line, NULL) : NULL;
        read_event(event, failed, passed, &whole);
        json_decref(event);
    }
    text_free(&file);
    if (!whole) {
        text_printf(error, "%s: the report has no end", path);
    }
    return whole;
}

/* ---- judging ---- */

static size_t group_length(const char *id)
{
    const char *dash = strrchr(id, '-');
    return dash ? (size_t)(dash - id) : strlen(id);
}

/* How near the requirements a case cites are to those that are broken. */
static fate_t nearness(const json_t *cited, const json_t *broken)
{
    fate_t best = FATE_ELSEWHERE;
    for (size_t c = 0; c < json_array_size(cited); c++) {
        for (size_t b = 0; b < json_array_size(broken); b++) {
            const char *one = json_string_value(json_array_get(cited, c)),
                       *other = json_string_value(json_array_get(broken, b));
            if (strcmp(one, other) == 0) {
                return FATE_KILLED;
            }
            if (group_length(one) == group_length(other) && strncmp(one, other, group_length(one)) == 0) {
                best = FATE_NEIGHBOUR;
            }
        }
    }
    return best;
}

/* Whether a variant of the same case is among them. */
static bool has_case(const names_t *variants, const char *variant)
{
    const size_t len = strcspn(variant, "/") + 1;
    bool found = false;
    for (size_t i = 0; i < variants->len; i++) {
        found = found || strncmp(variants->at[i], variant, len) == 0;
    }
    return found;
}

static void judge(mutant_result_t *result, const json_t *failed)
{
    const char *variant;
    json_t *requirements;
    result->fate = FATE_SURVIVED;
    result->killers = json_object_size(failed);
    json_object_foreach((json_t *)failed, variant, requirements)
    {
        fate_t fate = nearness(requirements, result->mutant->requirements);
        if (fate < result->fate) {
            result->fate = fate;
            names_free(&result->best);
        }
        if (fate == result->fate && result->best.len < MAX_BEST && !has_case(&result->best, variant)) {
            names_add(&result->best, variant);
        }
    }
}

void score_add(score_t *score, size_t index, const trial_t *trial)
{
    mutant_result_t *result = &score->at[index];
    text_t error = {0};
    json_t *failed = json_object();
    size_t passed = 0;
    result->mutant = trial_mutant(trial);
    result->hits = trial_hits(trial);
    bool ran =
        trial_state(trial) == TRIAL_RAN && score_read_report(trial_report(trial), failed, &passed, &error);
    if (ran && passed == 0 && json_object_size(failed) == 0) {
        text_puts(&error, "no case came to a verdict");
        result->fate = FATE_BROKEN;
    } else if (ran) {
        judge(result, failed);
    } else {
        text_puts(&error, trial_why(trial));
        result->fate = trial_state(trial) == TRIAL_NOT_MADE ? FATE_NOT_RUN : FATE_BROKEN;
    }
    result->why = text_take(&error);
    score->by[result->fate]++;
    json_decref(failed);
}

/* Leaves those that failed again. */
static void keep_failed(names_t *variants, const json_t *failed)
{
    names_t kept = {0};
    for (size_t i = 0; i < variants->len; i++) {
        if (json_object_get(failed, variants->at[i])) {
            names_add(&kept, variants->at[i]);
        }
    }
    names_free(variants);
    *variants = kept;
}

/* Takes back what the first trial said. Takes over `why`. */
static void refute(score_t *score, mutant_result_t *result, fate_t fate, text_t *why)
{
    score->by[result->fate]--;
    result->fate = fate;
    score->by[fate]++;
    free(result->why);
    result->why = text_take(why);
}

bool score_confirm(score_t *score, size_t index, const trial_t *trial)
{
    mutant_result_t *result = &score->at[index];
    text_t why = {0};
    json_t *failed = json_object();
    size_t passed = 0;
    bool ran =
        trial_state(trial) == TRIAL_RAN && score_read_report(trial_report(trial), failed, &passed, &why);
    if (!ran) {
        text_puts(&why, trial_why(trial));
        refute(score, result, FATE_BROKEN, &why);
        json_decref(failed);
        return true;
    }
    const bool decided = passed > 0 || json_object_size(failed) > 0;
    const bool again = !decided && ++result->tries < MAX_TRIES;
    if (!again && json_object_size(failed) == 0) {
        text_printf(&why, "%s turned red, but %s when it was run alone", result->best.at[0],
                    decided ? "not again" : "proved nothing");
        refute(score, result, FATE_SURVIVED, &why);
    } else if (!again) {
        keep_failed(&result->best, failed);
    }
    text_free(&why);
    json_decref(failed);
    return !again;
}

void score_withdraw(score_t *score, size_t index)
{
    mutant_result_t *result = &score->at[index];
    if (result->mutant) {
        score->by[result->fate]--;
        result->mutant = NULL;
    }
}

void score_free(score_t *score)
{
    for (size_t i = 0; i < score->len; i++) {
        names_free(&score->at[i].best);
        free(score->at[i].why);
    }
    free(score->at);
    *score = (score_t){0};
}

/* ---- telling ---- */

static void add_requirements(text_t *out, const json_t *requirements)
{
    for (size_t i = 0; i < json_array_size(requirements); i++) {
        text_printf(out, "%s%s", i > 0 ? ", " : "", json_string_value(json_array_get(requirements, i)));
    }
}

void score_print_one(FILE *to, const mutant_result_t *result, bool verbose)
{
    if (result->fate <= FATE_NEIGHBOUR && !verbose) {
        return;
    }
    text_t out = {0};
    text_printf(&out, "%-16s  %-34s  ", fate_name(result->fate), result->mutant->id);
    add_requirements(&out, result->mutant->requirements);
    text_printf(&out, "\n                  %s\n", result->mutant->title);
    if (*result->why) {
        text_printf(&out, "                  %s\n", result->why);
    } else if (result->best.len > 0) {
        text_printf(&out, "                  %zu variant%s turned red, %s among them\n", result->killers,
                    result->killers == 1 ? "" : "s", result->best.at[0]);
    } else if (result->mutant->proxy && result->hits == 0) {
        text_puts(&out, "                  nothing it is about was ever said\n");
    }
    fputs(text_str(&out), to);
    fflush(to);
    text_free(&out);
}

void score_print(FILE *to, const score_t *score, double ms)
{
    fprintf(to, "%zu mutants:", score->len);
    for (int fate = 0; fate < FATES; fate++) {
        fprintf(to, "%s %s %zu", fate ? "," : "", fate_name((fate_t)fate), score->by[fate]);
    }
    fprintf(to, " (%.0f s; %zu variants pass without a fault)\n", ms / 1000, score->control);
}

bool score_write_page(FILE *to, const score_t *score, bool client)
{
    size_t killed = score->by[FATE_KILLED] + score->by[FATE_NEIGHBOUR];
    const char *name = client ? "client-mutants" : "mutants"; /* of the folder, and of the script */
    fprintf(to, "# %s\n\n", client ? "Mutants that are clients" : "Mutants");
    fprintf(to,
            "A suite that cannot fail proves nothing. Each line below is a %s that breaks one rule on "
            "purpose\n"
            "([%s/](%s/README.md)); the suite must turn red, in a case that cites the rule or its "
            "neighbours.\n"
            "`ci/%s` makes this page.\n\n",
            client ? "client" : "server", name, name, name);
    size_t built_in = 0;
    for (size_t i = 0; i < score->len; i++) {
        built_in += score->at[i].mutant->fault != NULL;
    }
    if (built_in < score->len) {
        fprintf(to, "%zu are made by phxspec's proxy, %zu have the fault built in.\n\n",
                score->len - built_in, built_in);
    }
    fprintf(to,
            "**%zu of %zu killed**, %zu of them by a case that cites the very rule. Without a fault%s,\n"
            "%zu variants pass and none fails.\n\n"
            "| mutant | breaks | what it does | variants that turn red | one of them |\n"
            "| --- | --- | --- | --- | --- |\n",
            killed, score->len, score->by[FATE_KILLED],
            built_in < score->len ? ", through the same proxy" : "", score->control);
    for (size_t i = 0; i < score->len; i++) {
        const mutant_result_t *result = &score->at[i];
        text_t requirements = {0};
        add_requirements(&requirements, result->mutant->requirements);
        fprintf(to, "| %s | %s | %s | ", result->mutant->id, text_str(&requirements), result->mutant->title);
        const char *one = result->best.len > 0 ? result->best.at[0] : "";
        if (result->fate <= FATE_NEIGHBOUR) {
            fprintf(to, "%zu | %s |\n", result->killers, one);
        } else {
            fprintf(to, "**%s** | %s |\n", fate_name(result->fate), one);
        }
        text_free(&requirements);
    }
    return fflush(to) == 0 && !ferror(to);
}
