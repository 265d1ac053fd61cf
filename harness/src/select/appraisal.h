/* SPDX-License-Identifier: MIT */
/*
 * What a verdict means for the run: a failure may be expected (by the expectations file, or as a defect that
 * the release of Phoenix is known for) or tolerated (a case that is not a must, without --strict), and a pass
 * may be unexpected. Harness errors and what was not run are never excused.
 */
#ifndef SELECT_APPRAISAL_H
#define SELECT_APPRAISAL_H

#include "judge/expectations.h"
#include "vectors/verdict.h"

typedef struct appraisal appraisal_t;

/*
 * `all` is the whole expansion, not only what is run. Everything is borrowed and must outlive the appraisal;
 * `expectations` may be NULL. NULL, and lines appended to `error`, when an entry matches no case, or none
 * that earlier entries leave to it. Notes on entries that need care are appended to `notes`.
 */
appraisal_t *appraisal_new(const variants_t *all, const vectors_t *vectors,
                           const expectations_t *expectations, bool strict, text_t *notes, text_t *error);
void appraisal_free(appraisal_t *appraisal);

/* Turns the verdict of one variant, once each. */
void appraisal_judge(appraisal_t *appraisal, const variant_t *variant, case_result_t *result);

typedef struct appraisal_update {
    size_t kept, narrowed, dropped, added;
} appraisal_update_t;

/*
 * The entries as this run has them, a new reference: what held or was not tried stays with its reason and
 * link, what came out otherwise goes, and failures that nothing excuses are added with a reason to be
 * written.
 */
json_t *appraisal_update(const appraisal_t *appraisal, appraisal_update_t *update);

#endif
