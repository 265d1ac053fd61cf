/* SPDX-License-Identifier: MIT */
/* Members of JSON objects. */
#ifndef BASE_MEMBER_H
#define BASE_MEMBER_H

#include <jansson.h>

/* The string that a member is, borrowed; `otherwise` where there is no such member, or it is no string. */
const char *string_member(const json_t *object, const char *name, const char *otherwise);

#endif
