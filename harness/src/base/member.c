/* SPDX-License-Identifier: MIT */
#include "base/member.h"

const char *string_member(const json_t *object, const char *name, const char *otherwise)
{
    const char *string = json_string_value(json_object_get(object, name));
    return string ? string : otherwise;
}
