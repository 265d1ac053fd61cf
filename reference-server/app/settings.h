/* SPDX-License-Identifier: MIT */
/*
 * The settings, one table for whoever sets them: a flag `--idle-timeout-ms` of the command line and a key
 * `idle_timeout_ms` of a configuration file are the same setting.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "options.h"

typedef enum setting_kind {
    SETTING_NUMBER, /* uint64_t */
    SETTING_SIZE,   /* size_t */
    SETTING_PORT,   /* uint16_t */
    SETTING_BOOL,
    SETTING_TEXT,
    SETTING_NAME,
    SETTING_RELEASE, /* of Phoenix */
    SETTING_ADDRESS,
    SETTING_ORIGINS,      /* a list, or a word that names a policy */
    SETTING_SUBPROTOCOLS, /* a list */
} setting_kind_t;

typedef struct setting {
    const char *name;     /* of the flag, without its dashes */
    const char *argument; /* what --help calls its value */
    const char *help;     /* lines */
    bool of_mount;        /* of a mount, not of the server */
    setting_kind_t kind;
    size_t offset; /* of the field: in phxs_config_t or phxs_mount_config_t; lists know theirs */
    uint64_t min;  /* of numbers */
    uint64_t max;
} setting_t;

/* All settings, those of the server first; `*count` says how many. */
const setting_t *settings_all(size_t *count);

/*
 * Sets it from a text; `mount` is the mount it is for, if it is of one. When the value is wrong, `where` (the
 * flag, or file and key) and what is wrong go to stderr, and it returns false.
 */
bool setting_set(const setting_t *setting, options_t *options, option_mount_t *mount, const char *where,
                 const char *text);

/* Writes to stderr that the value at `where` is wrong, and what is wanted. Returns false. */
bool setting_wrong(const char *where, const char *text, const char *wanted);

#endif
