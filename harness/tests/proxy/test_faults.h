/* SPDX-License-Identifier: MIT */
/* Faults out of a test's text. */
#ifndef PROXY_TEST_FAULTS_H
#define PROXY_TEST_FAULTS_H

#include "proxy/fault.h"

#include "test_util.h"

/* Owned by the caller. */
static inline faults_t *faults_of(const char *text)
{
    json_t *list = jvalue_parse(span_of(text), NULL);
    ck_assert_msg(list != NULL, "%s", text);
    faults_t *faults = faults_new(list);
    json_decref(list);
    return faults;
}

#endif
