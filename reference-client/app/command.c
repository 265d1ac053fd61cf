/* SPDX-License-Identifier: MIT */
#include "command.h"

#include "phx/base64.h"
#include "phx/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum argument {
    ARGUMENT_NONE,
    ARGUMENT_NAME,
    ARGUMENT_MS,
    ARGUMENT_CODE, /* may be left out */
} argument_t;

static const struct form {
    const char *name;
    command_kind_t kind;
    argument_t argument;
    bool payload;
    const char *wanted;
} FORMS[] = {
    {"join", COMMAND_JOIN, ARGUMENT_NAME, true, "join TOPIC [PAYLOAD]"},
    {"topic", COMMAND_TOPIC, ARGUMENT_NAME, false, "topic TOPIC"},
    {"push", COMMAND_PUSH, ARGUMENT_NAME, true, "push EVENT [PAYLOAD]"},
    {"send", COMMAND_SEND, ARGUMENT_NAME, true, "send EVENT [PAYLOAD]"},
    {"expect", COMMAND_EXPECT, ARGUMENT_NAME, false, "expect EVENT"},
    {"presence", COMMAND_PRESENCE, ARGUMENT_NONE, false, "presence"},
    {"leave", COMMAND_LEAVE, ARGUMENT_NONE, false, "leave"},
    {"ping", COMMAND_PING, ARGUMENT_NONE, false, "ping"},
    {"sleep", COMMAND_SLEEP, ARGUMENT_MS, false, "sleep MILLISECONDS"},
    {"disconnect", COMMAND_DISCONNECT, ARGUMENT_CODE, false, "disconnect [CODE]"},
    {"connect", COMMAND_CONNECT, ARGUMENT_NONE, false, "connect"},
    {"watch", COMMAND_WATCH, ARGUMENT_NONE, false, "watch"},
};

static const struct form *form_of(const char *word)
{
    for (size_t i = 0; i < sizeof FORMS / sizeof FORMS[0]; i++) {
        if (strcmp(FORMS[i].name, word) == 0) {
            return &FORMS[i];
        }
    }
    return NULL;
}

enum { SHOWN_BYTES = 60 }; /* of a word that is wrong: what is wrong with it must not be cut off */

static bool wrong(const char *word, const char *why, char *error, size_t error_size)
{
    size_t shown = strlen(word);
    const bool cut = shown > SHOWN_BYTES;
    shown = cut ? SHOWN_BYTES : shown;
    while (cut && shown > 0 && ((uint8_t)word[shown] & 0xC0) == 0x80) {
        shown--; /* whole characters */
    }
    (void)snprintf(error, error_size, "%.*s%s: %s", (int)shown, word, cut ? "…" : "", why);
    return false;
}

static bool no_command(const char *word, char *error, size_t error_size)
{
    phx_buf_t why = {0};
    phx_buf_append_text(&why, "no such command; there are");
    for (size_t i = 0; i < sizeof FORMS / sizeof FORMS[0]; i++) {
        phx_buf_append_text(&why, " ");
        phx_buf_append_text(&why, FORMS[i].name);
    }
    phx_buf_append(&why, "", 1);
    (void)wrong(word, why.data != NULL ? why.data : "no such command", error, error_size);
    phx_buf_free(&why);
    return false;
}

static bool is_number(const char *word, uint64_t max, uint64_t *number)
{
    char *end;
    if (word[0] < '0' || word[0] > '9') {
        return false;
    }
    *number = strtoull(word, &end, 10);
    return *end == '\0' && *number <= max;
}

static bool is_bytes(const char *word)
{
    return strncmp(word, "base64:", 7) == 0;
}

/* A word that begins like JSON was meant to be JSON: no command does. */
static bool is_payload(const char *word)
{
    phx_slice_t value;
    return is_bytes(word) || (word[0] != '\0' && strchr("{[\"", word[0]) != NULL) ||
           phx_json_check(phx_slice_of(word), &value, NULL) == 0;
}

static bool take_payload(command_t *command, const char *word, char *error, size_t error_size)
{
    phx_slice_t value;
    if (is_bytes(word)) {
        command->form = PHX_BINARY;
        phx_buf_append_text(&command->data, ""); /* no bytes are bytes, too */
        if (phx_base64_decode(&command->data, phx_slice_of(word + 7), PHX_BASE64_OPTIONAL) != 0) {
            return wrong(word, "not base64", error, error_size);
        }
        return true;
    }
    if (phx_json_check(phx_slice_of(word), &value, NULL) != 0) {
        return wrong(word, "the payload is not JSON", error, error_size);
    }
    phx_buf_append_slice(&command->data, value);
    return true;
}

static bool parse(command_t *command, char *const *words, size_t count, size_t *used, char *error,
                  size_t error_size)
{
    const struct form *form = form_of(words[0]);
    if (form == NULL && strncmp(words[0], "--", 2) == 0) {
        return wrong(words[0], "options come before the commands", error, error_size);
    }
    if (form == NULL) {
        return no_command(words[0], error, error_size);
    }
    command->kind = form->kind;
    *used = 1;
    const char *word = *used < count ? words[*used] : NULL;
    const bool number = word != NULL && is_number(word, 86400000, &command->number);
    if (form->argument == ARGUMENT_NAME ? word == NULL || word[0] == '\0'
                                        : form->argument == ARGUMENT_MS && !number) {
        (void)snprintf(error, error_size, "%s: give it as `%s`", words[0], form->wanted);
        return false;
    }
    if (form->argument == ARGUMENT_NAME) {
        phx_buf_append_text(&command->name, word);
    }
    *used += form->argument == ARGUMENT_NAME || (form->argument != ARGUMENT_NONE && number);
    if (form->argument == ARGUMENT_CODE && number && command->number != 1000 &&
        (command->number < 3000 || command->number > 4999)) {
        (void)snprintf(error, error_size, "disconnect %s: a client may say 1000 and 3000 to 4999", word);
        return false;
    }
    if (!form->payload) {
        return true;
    }
    if (*used < count && is_payload(words[*used])) {
        return take_payload(command, words[(*used)++], error, error_size);
    }
    phx_buf_append_text(&command->data, "{}");
    return true;
}

bool command_parse(command_t *command, char *const *words, size_t count, size_t *used, char *error,
                   size_t error_size)
{
    *command = (command_t){0};
    if (!parse(command, words, count, used, error, error_size)) {
        command_free(command);
        return false;
    }
    return true;
}

bool command_parse_line(command_t *command, char *line, bool *empty, char *error, size_t error_size)
{
    char *words[3];
    size_t count = 0;
    size_t used = 0;
    line[strcspn(line, "\r\n")] = '\0';
    while (count < 3) {
        line += strspn(line, " \t");
        if (*line == '\0') {
            break;
        }
        words[count++] = line;
        if (count < 3) {
            line += strcspn(line, " \t");
            if (*line != '\0') {
                *line++ = '\0';
            }
        }
    }
    *command = (command_t){0};
    *empty = count == 0 || words[0][0] == '#';
    if (*empty) {
        return true;
    }
    if (!command_parse(command, words, count, &used, error, error_size)) {
        return false;
    }
    if (used < count) {
        command_free(command);
        return wrong(words[used], "the line goes on after the command", error, error_size);
    }
    return true;
}

void command_free(command_t *command)
{
    phx_buf_free(&command->name);
    phx_buf_free(&command->data);
}
