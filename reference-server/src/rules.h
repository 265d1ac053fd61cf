/* SPDX-License-Identifier: MIT */
/*
 * What changed on the wire between releases of Phoenix. A server follows the rules of one release; the rest
 * of it asks for a rule, never for the release.
 */
#ifndef RULES_H
#define RULES_H

#include <stdbool.h>
#include <stddef.h>

/* Which messages to a joined topic are its channel's, by their join_ref; others are dropped in silence. */
typedef enum join_ref_rule {
    JOIN_REF_ANY,         /* all */
    JOIN_REF_OF_THE_JOIN, /* those with that of the join; all, if the join had none */
    JOIN_REF_IF_GIVEN,    /* those with that of the join, and those without any */
} join_ref_rule_t;

typedef struct rules {
    join_ref_rule_t push_join_ref;   /* JREF-01 to JREF-03 */
    join_ref_rule_t leave_join_ref;  /* JREF-02, JREF-03, LEAVE-04 */
    bool channel_limit;              /* JOIN-06: a mount's limit of channels counts */
    const char *phx_error_payload;   /* STOP-06 */
    int disconnect_code;             /* WS-CLOSE-02 */
    int drain_code;                  /* WS-CLOSE-03: for a connection with channels */
    int bad_upgrade_status;          /* WS-CONN-07 */
    int odd_vsn_status;              /* WS-VSN-05: a vsn that is a list or a map */
    bool auth_token;                 /* TOK-02, TOK-07: a mount's auth_token counts */
    bool longpoll_token_in_header;   /* LP-HTTP-06 */
    bool longpoll_token_of_any_type; /* LP-OPEN-02: one that is a list or a map leads nowhere; else: HTTP 500
                                      */
    const char *longpoll_cache_control; /* LP-HTTP-03 */
    bool batches;                       /* LP-POST-03 */
    bool batches_carry_binary;          /* LP-POST-06, LP-BIN-01 */
    bool batch_read_first; /* LP-POST-08: a line that cannot be read fails those before it, too */
    size_t batch_limit;    /* LP-POST-05; 0: none */
    bool late_post_fails;  /* LP-POST-09: HTTP 500 instead of status 408 */
} rules_t;

/* The rules of a release, "1.8.11"; NULL: of the newest. False if it is none of the releases whose rules are
 * known (RULES_RANGE). */
bool rules_of(const char *release, rules_t *rules);

#define RULES_RANGE "1.6.0 to 1.8.12"

#endif
