/* SPDX-License-Identifier: MIT */
#include "vectors/requirements.h"

#include "vectors/vector.h"

#include <string.h>

static bool is_requirement(const json_t *entry)
{
    level_t level;
    const char *level_word = json_string_value(json_object_get(entry, "level"));
    return json_is_string(json_object_get(entry, "id")) && level_word && level_parse(level_word, &level) &&
           json_is_string(json_object_get(entry, "role")) && json_is_string(json_object_get(entry, "text"));
}

json_t *requirements_load(const char *path, text_t *error)
{
    json_t *file = jvalue_parse_file(path, error);
    if (!file) {
        text_putc(error, '\n');
        return NULL;
    }
    json_t *by_id = json_object();
    const json_t *rules = json_object_get(file, "rules");
    bool good = json_integer_value(json_object_get(file, "requirements")) == 1 && json_is_array(rules);
    if (!good) {
        text_printf(error,
                    "%s: no requirements of version 1: {\"requirements\": 1, \"rules\": […]} is needed\n",
                    path);
    }
    for (size_t i = 0; i < json_array_size(rules); i++) {
        json_t *entry = json_array_get(rules, i);
        const char *id = json_string_value(json_object_get(entry, "id"));
        if (!is_requirement(entry)) {
            text_printf(error, "%s: rule %zu%s%s: id, level (must, should, may), role and text are needed\n",
                        path, i + 1, id ? ", " : "", id ? id : "");
            good = false;
        } else if (json_object_get(by_id, id)) {
            text_printf(error, "%s: rule %zu: %s is there twice\n", path, i + 1, id);
            good = false;
        } else {
            json_object_set(by_id, id, entry);
        }
    }
    json_decref(file);
    if (!good) {
        json_decref(by_id);
        return NULL;
    }
    return by_id;
}

void requirement_write(text_t *out, const json_t *requirements, const char *id)
{
    const json_t *entry = json_object_get(requirements, id);
    text_printf(out, "%s (%s, %s): %s", id, json_string_value(json_object_get(entry, "level")),
                json_string_value(json_object_get(entry, "role")),
                json_string_value(json_object_get(entry, "text")));
}
