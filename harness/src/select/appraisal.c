/* SPDX-License-Identifier: MIT */
#include "select/appraisal_impl.h"

#include "base/memory.h"
#include "select/pattern.h"

#include <stdlib.h>
#include <string.h>

/* The entry takes the variants that it names and no earlier one has. */
static bool bind_entry(appraisal_t *appraisal, size_t number, const vectors_t *vectors, text_t *notes,
                       text_t *error)
{
    const expectation_t *entry = &appraisal->expectations->at[number];
    bool named = false, taken = false, applies = false;
    const char *renamed = NULL;
    for (size_t i = 0; i < appraisal->all->len; i++) {
        const variant_t *variant = &appraisal->all->at[i];
        if (!pattern_matches(entry->pattern, variant)) {
            continue;
        }
        named = true;
        renamed = pattern_renamed(entry->pattern, variant->c);
        if (appraisal->entry[i] == NO_ENTRY) {
            appraisal->entry[i] = (long)number;
            taken = true;
            applies = applies || !variant->lacking;
        }
    }
    text_t place = {0};
    text_printf(&place, "%s: entry %zu, %s: ", appraisal->expectations->path, number + 1, entry->pattern);
    if (!named) {
        text_printf(error, "%sit matches no case", text_str(&place));
        pattern_near_misses(error, entry->pattern, vectors);
        text_puts(error, "correct it or take it out\n");
    } else if (!taken) {
        text_printf(error, "%searlier entries have all that it matches; take it out\n", text_str(&place));
    } else if (renamed) {
        text_printf(notes, "%sthe case is called %s now\n", text_str(&place), renamed);
    } else if (!applies && strcmp(entry->verdict, verdict_name(VERDICT_FAIL)) == 0) {
        text_printf(notes, "%snothing that it matches is applicable to this profile\n", text_str(&place));
    }
    text_free(&place);
    return taken;
}

static bool bind_entries(appraisal_t *appraisal, const vectors_t *vectors, text_t *notes, text_t *error)
{
    bool good = true;
    for (size_t i = 0; appraisal->expectations && i < appraisal->expectations->len; i++) {
        if (!appraisal->expectations->at[i].of_recording) {
            good = bind_entry(appraisal, i, vectors, notes, error) && good;
        }
    }
    return good;
}

appraisal_t *appraisal_new(const variants_t *all, const vectors_t *vectors,
                           const expectations_t *expectations, bool strict, text_t *notes, text_t *error)
{
    appraisal_t *appraisal = mem_new(1, sizeof *appraisal);
    appraisal->all = all;
    appraisal->expectations = expectations;
    appraisal->strict = strict;
    appraisal->entry = mem_new(all->len, sizeof *appraisal->entry);
    appraisal->fate = mem_new(all->len, sizeof *appraisal->fate);
    for (size_t i = 0; i < all->len; i++) {
        appraisal->entry[i] = NO_ENTRY;
    }
    if (!bind_entries(appraisal, vectors, notes, error)) {
        appraisal_free(appraisal);
        return NULL;
    }
    if (expectations) {
        expectations_unexplained(expectations, false, notes);
    }
    return appraisal;
}

void appraisal_free(appraisal_t *appraisal)
{
    if (appraisal) {
        free(appraisal->entry);
        free(appraisal->fate);
        free(appraisal);
    }
}

/* What is said of the target comes first, then what is known of its release. */
static void excuse(case_result_t *result, const expectation_t *entry, const variant_t *variant)
{
    const divergence_t *divergence = variant->divergence;
    const known_defect_t *defect = variant->known_defect;
    result->verdict = VERDICT_EXPECTED_FAILURE;
    if (entry) {
        result->excuse = (expected_t){entry->pattern, entry->reason, entry->link};
    } else if (divergence) {
        result->excuse = (expected_t){divergence->pattern, divergence->reason, divergence->link};
    } else {
        result->excuse = (expected_t){NULL, defect->does, defect->link};
    }
}

static void name_divergence(const divergence_t *divergence, case_result_t *result)
{
    text_t reason = {0};
    text_printf(&reason, "a divergence of the profile expects %s to fail (%s); take it out, or narrow it",
                divergence->pattern, divergence->reason);
    free(result->reason);
    result->reason = text_take(&reason);
    result->excuse = (expected_t){divergence->pattern, divergence->reason, divergence->link};
}

static void name_entry(const appraisal_t *appraisal, const expectation_t *entry, case_result_t *result)
{
    text_t reason = {0};
    text_printf(&reason, "%s, entry %zu, expects %s to %s (%s); take it out, or narrow it",
                appraisal->expectations->path, (size_t)(entry - appraisal->expectations->at) + 1,
                entry->pattern, strcmp(entry->verdict, "fail") == 0 ? "fail" : "be not applicable",
                entry->reason);
    free(result->reason);
    result->reason = text_take(&reason);
    result->excuse = (expected_t){entry->pattern, entry->reason, entry->link};
}

void appraisal_judge(appraisal_t *appraisal, const variant_t *variant, case_result_t *result)
{
    long number = appraisal->entry[variant->number];
    const expectation_t *entry = number == NO_ENTRY ? NULL : &appraisal->expectations->at[number];
    bool fails = entry && strcmp(entry->verdict, verdict_name(VERDICT_FAIL)) == 0;
    fate_t *fate = &appraisal->fate[variant->number];
    switch (result->verdict) {
    case VERDICT_PASS:
        *fate = FATE_PASSED;
        if (entry) {
            result->verdict = VERDICT_UNEXPECTED_PASS;
            name_entry(appraisal, entry, result);
        } else if (variant->divergence) {
            result->verdict = VERDICT_UNEXPECTED_PASS;
            name_divergence(variant->divergence, result);
        }
        break;
    case VERDICT_FAIL:
        if (fails || (!entry && (variant->divergence || variant->known_defect))) {
            *fate = FATE_HELD;
            excuse(result, entry, variant);
        } else {
            result->tolerated = variant->c->level != LEVEL_MUST && !appraisal->strict;
            *fate = result->tolerated ? FATE_TOLERATED : FATE_FAILED;
        }
        break;
    case VERDICT_NOT_APPLICABLE:
        *fate = entry && !fails ? FATE_HELD : FATE_UNTRIED;
        break;
    default:
        *fate = FATE_UNTRIED;
    }
}
