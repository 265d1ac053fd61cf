/* SPDX-License-Identifier: MIT */
/* What the steps of a case for clients may say; vectors/client/README.md describes each. */
#ifndef CLIENT_SUITE_PLAY_CHECK_H
#define CLIENT_SUITE_PLAY_CHECK_H

#include "vectors/vector.h"

typedef enum deed {
    DEED_DO,
    DEED_EVENT,
    DEED_ACCEPT,
    DEED_REFUSE,
    DEED_SEND,
    DEED_PIPELINE,
    DEED_SEND_TEXT,
    DEED_SEND_BINARY,
    DEED_SEND_RAW,
    DEED_EXPECT,
    DEED_EXPECT_CLOSE,
    DEED_ALLOW,
    DEED_CLOSE,
    DEED_DROP,
    DEED_HOLD,
    DEED_RELEASE,
    DEED_AWAIT,
    DEED_ANSWER,
    DEED_SILENCE,
    DEED_WAIT,
    DEEDS
} deed_t;

const char *deed_name(deed_t deed);

/* The one verb of a step; DEEDS: it has none, or several. */
deed_t deed_of(const json_t *step);

/* Cases for clients: how their steps are checked, which capabilities a driver may have. */
extern const dialect_t client_dialect;

/* Capabilities of drivers; ended by NULL. */
extern const char *const client_capabilities[];

#endif
