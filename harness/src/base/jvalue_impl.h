/* SPDX-License-Identifier: MIT */
/* Inside of jvalue: jvalue.c reads, jvalue_equal.c compares, jvalue_write.c writes. */
#ifndef BASE_JVALUE_IMPL_H
#define BASE_JVALUE_IMPL_H

#include "base/jvalue.h"

/* The JSON text a tagged string carries; NULL when `value` is no tagged string. */
const char *jvalue__tag(const json_t *value);

/* Whether it is a number, tagged or not. */
bool jvalue__is_number(const json_t *value);

#endif
