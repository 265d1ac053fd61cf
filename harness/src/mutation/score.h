/* SPDX-License-Identifier: MIT */
/* What the trials came to: who was killed, by which cases, and what survived. */
#ifndef MUTATION_SCORE_H
#define MUTATION_SCORE_H

#include "mutation/trial.h"

#include <stdio.h>

typedef enum fate {
    FATE_KILLED,    /* by a case that cites a requirement it breaks */
    FATE_NEIGHBOUR, /* by one that cites a requirement of the same group */
    FATE_ELSEWHERE, /* only cases about other things turned red */
    FATE_SURVIVED,
    FATE_NOT_RUN,
    FATE_BROKEN,
    FATES
} fate_t;
const char *fate_name(fate_t fate);

/* One mutant's fate. Owned by the score. */
typedef struct mutant_result {
    const mutant_t *mutant;
    fate_t fate;
    size_t hits;    /* times the proxy altered something */
    size_t killers; /* variants that failed */
    names_t best;   /* those that say it best, one of a case, a few */
    size_t tries;   /* of these, alone */
    char *why;      /* where it did not come to a result */
} mutant_result_t;

typedef struct score {
    mutant_result_t *at; /* in the order of the mutants */
    size_t len;
    size_t by[FATES];
    size_t control; /* variants that passed without a fault */
} score_t;

/* Reads a report of phxspec server. Variants that failed are added to `failed`, an object {variant:
 * [requirement, …]}, those that passed are counted. False and a message when the report is not whole. */
bool score_read_report(const char *path, json_t *failed, size_t *passed, text_t *error);

/* Enters what a trial came to. */
void score_add(score_t *score, size_t index, const trial_t *trial);

/*
 * Enters what a second trial, of the variants `best` alone, came to: those that passed prove nothing, for a
 * busy machine may have turned them red. Where none is left the mutant has survived; where the server did not
 * live it is broken. False: the trial proved nothing and is to be made once more.
 */
bool score_confirm(score_t *score, size_t index, const trial_t *trial);

/* Takes back what was entered, if anything was: it is not known whether the mutant dies again. */
void score_withdraw(score_t *score, size_t index);

void score_free(score_t *score);

/* One line, as the trial ends; with `verbose` also for what was killed. */
void score_print_one(FILE *to, const mutant_result_t *result, bool verbose);
void score_print(FILE *to, const score_t *score, double ms);

/* The whole table, as a page; of mutants that are clients, or servers. False and errno when it cannot be
 * written. */
bool score_write_page(FILE *to, const score_t *score, bool client);

#endif
