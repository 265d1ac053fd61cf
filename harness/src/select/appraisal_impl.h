/* SPDX-License-Identifier: MIT */
/* Between appraisal.c and update.c. */
#ifndef SELECT_APPRAISAL_IMPL_H
#define SELECT_APPRAISAL_IMPL_H

#include "select/appraisal.h"

/* What became of a variant in this run. */
typedef enum fate {
    FATE_UNTRIED, /* not selected, not run, not applicable */
    FATE_HELD,    /* as its entry has it */
    FATE_PASSED,
    FATE_FAILED,   /* and it fails the run */
    FATE_TOLERATED /* a failure that does not */
} fate_t;

enum { NO_ENTRY = -1 };

struct appraisal {
    const variants_t *all;
    const expectations_t *expectations;
    bool strict;
    /* By number of the variant: */
    long *entry; /* of the expectations, or NO_ENTRY */
    fate_t *fate;
};

#endif
