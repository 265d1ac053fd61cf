/* SPDX-License-Identifier: MIT */
#include "config_file.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "phx/bytes.h"
#include "settings.h"

/* Where in the file something stands: `FILE: mounts, "/tight", "window_ms":`. */
typedef struct place {
    const char *file;
    const char *mount; /* NULL: outside of them */
    const char *key;
} place_t;

static void describe(char *text, size_t size, const place_t *place)
{
    if (place->mount != NULL) {
        snprintf(text, size, "%s: mounts, \"%s\", \"%s\":", place->file, place->mount, place->key);
    } else {
        snprintf(text, size, "%s: \"%s\":", place->file, place->key);
    }
}

/* A key is the flag's name, with underscores. */
static bool is_key(const char *name, const char *key)
{
    while (*name != '\0' && *key == (*name == '-' ? '_' : *name)) {
        name++;
        key++;
    }
    return *name == '\0' && *key == '\0';
}

static const setting_t *find(const char *key, bool of_mount)
{
    size_t count;
    const setting_t *settings = settings_all(&count);
    for (size_t i = 0; i < count; i++) {
        if (settings[i].of_mount == of_mount && is_key(settings[i].name, key)) {
            return &settings[i];
        }
    }
    return NULL;
}

static const char *wanted_type(const setting_t *setting, const json_t *value)
{
    switch (setting->kind) {
    case SETTING_NUMBER:
    case SETTING_SIZE:
    case SETTING_PORT:
        return json_is_integer(value) ? NULL : "give a whole number";
    case SETTING_BOOL:
        return json_is_boolean(value) ? NULL : "give true or false";
    case SETTING_TEXT:
    case SETTING_NAME:
    case SETTING_RELEASE:
    case SETTING_ADDRESS:
        return json_is_string(value) ? NULL : "give a string";
    case SETTING_ORIGINS:
        return json_is_string(value) || json_is_array(value) ? NULL : "give a list of strings, or a policy";
    case SETTING_SUBPROTOCOLS:
        return json_is_array(value) ? NULL : "give a list of strings";
    }
    return NULL;
}

/* The value as a flag would have it. Returns NULL, or what is wrong with it. */
static const char *as_text(const json_t *value, phx_buf_t *text)
{
    char number[32];
    size_t index;
    const json_t *element;
    if (json_is_integer(value)) {
        snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        phx_buf_append_text(text, number);
    } else if (json_is_boolean(value)) {
        phx_buf_append_text(text, json_is_true(value) ? "true" : "false");
    } else if (json_is_string(value)) {
        phx_buf_append_text(text, json_string_value(value));
    }
    json_array_foreach(value, index, element)
    {
        const char *item = json_string_value(element);
        if (item == NULL || item[0] == '\0' || strchr(item, ',') != NULL) {
            return "an element is a string, not empty and without commas";
        }
        phx_buf_append_text(text, index > 0 ? "," : "");
        phx_buf_append_text(text, item);
    }
    phx_buf_append_byte(text, '\0');
    return text->failed ? "memory ran out" : NULL;
}

/* A policy is a word, a list is a list: `["any"]` is no policy. */
static bool is_one_origin_policy(const json_t *value)
{
    const char *word = json_string_value(value);
    return word == NULL || strcmp(word, "any") == 0 || strcmp(word, "host") == 0 || strcmp(word, "conn") == 0;
}

static bool set(options_t *options, option_mount_t *mount, const place_t *place, const json_t *value)
{
    char where[512];
    phx_buf_t text = {0};
    const setting_t *setting = find(place->key, mount != NULL);
    describe(where, sizeof(where), place);
    if (setting == NULL) {
        return setting_wrong(where, "no such setting",
                             find(place->key, mount == NULL) == NULL ? "see phxspec-server --help"
                             : mount == NULL                         ? "it belongs to a mount"
                                                                     : "it belongs outside of the mounts");
    }
    const char *wrong = wanted_type(setting, value);
    if (wrong == NULL && setting->kind == SETTING_ORIGINS && !is_one_origin_policy(value)) {
        wrong = "a policy is \"any\", \"host\" or \"conn\"; anything else is a list";
    }
    if (wrong == NULL) {
        wrong = as_text(value, &text);
    }
    bool good = false;
    if (wrong != NULL) {
        fprintf(stderr, "phxspec-server: %s %s\n", where, wrong);
    } else {
        good = setting_set(setting, options, mount, where, text.data);
    }
    phx_buf_free(&text);
    return good;
}

static bool read_mounts(options_t *options, const char *file, json_t *mounts)
{
    const char *path;
    const char *key;
    json_t *settings;
    json_t *value;
    if (!json_is_object(mounts)) {
        fprintf(stderr, "phxspec-server: %s: \"mounts\": give an object of paths\n", file);
        return false;
    }
    json_object_foreach(mounts, path, settings)
    {
        const char *reason = "give an object of settings";
        option_mount_t *mount = json_is_object(settings) ? options_mount(options, path, &reason) : NULL;
        if (mount == NULL) {
            fprintf(stderr, "phxspec-server: %s: mounts, \"%s\": %s\n", file, path, reason);
            return false;
        }
        json_object_foreach(settings, key, value)
        {
            if (!set(options, mount, &(place_t){file, path, key}, value)) {
                return false;
            }
        }
    }
    return true;
}

bool config_file_read(options_t *options, const char *path)
{
    json_error_t error;
    json_t *config = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (config == NULL && error.line < 0) {
        fprintf(stderr, "phxspec-server: %s\n", error.text); /* it names the file */
        return false;
    }
    if (!json_is_object(config)) {
        fprintf(stderr, "phxspec-server: %s:%d:%d: %s\n", path, config == NULL ? error.line : 1,
                config == NULL ? error.column : 1,
                config == NULL ? error.text : "a configuration is a JSON object");
        json_decref(config);
        return false;
    }
    const char *key;
    json_t *value;
    bool good = true;
    json_object_foreach(config, key, value)
    {
        if (good) {
            good = strcmp(key, "mounts") == 0 ? read_mounts(options, path, value)
                                              : set(options, NULL, &(place_t){path, NULL, key}, value);
        }
    }
    json_decref(config);
    return good;
}
