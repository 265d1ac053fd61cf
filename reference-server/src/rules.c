/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <stdlib.h>
#include <string.h>

/* 1.MINOR.PATCH */
typedef struct release {
    unsigned long minor;
    unsigned long patch;
} release_t;

/* The first patch of each series that has a rule: it was brought to several of them at once. */
typedef struct since {
    unsigned long in_1_6;
    unsigned long in_1_7;
    unsigned long in_1_8;
} since_t;

enum { OLDEST_MINOR = 6, NEWEST_MINOR = 8, NEWEST_PATCH = 12, NEVER = 1000 };

static bool parse_number(const char **text, unsigned long *number)
{
    size_t digits = strspn(*text, "0123456789");
    if (digits == 0 || digits > 3 || (digits > 1 && **text == '0')) {
        return false;
    }
    *number = strtoul(*text, NULL, 10);
    *text += digits;
    return true;
}

static bool parse(const char *text, release_t *release)
{
    if (strncmp(text, "1.", 2) != 0) {
        return false;
    }
    text += 2;
    if (!parse_number(&text, &release->minor) || *text++ != '.' || !parse_number(&text, &release->patch)) {
        return false;
    }
    return *text == '\0';
}

static bool has(const release_t *release, since_t since)
{
    const unsigned long first[] = {since.in_1_6, since.in_1_7, since.in_1_8};
    return release->patch >= first[release->minor - OLDEST_MINOR];
}

static bool is(const release_t *release, unsigned long minor, unsigned long patch)
{
    return release->minor == minor && release->patch == patch;
}

/* Pushes: 1.8.3 dropped what is not of the current join, and with it what says nothing (phoenix#6800). */
static join_ref_rule_t push_join_ref(const release_t *release)
{
    if (has(release, (since_t){NEVER, NEVER, 12})) {
        return JOIN_REF_IF_GIVEN;
    }
    return has(release, (since_t){NEVER, NEVER, 3}) ? JOIN_REF_OF_THE_JOIN : JOIN_REF_ANY;
}

static join_ref_rule_t leave_join_ref(const release_t *release)
{
    if (has(release, (since_t){NEVER, NEVER, 12})) {
        return JOIN_REF_IF_GIVEN;
    }
    return has(release, (since_t){16, 0, 0}) ? JOIN_REF_OF_THE_JOIN : JOIN_REF_ANY;
}

static void fill(rules_t *rules, const release_t *release)
{
    const bool limits = has(release, (since_t){17, 24, 9});
    const bool longpoll_revised = has(release, (since_t){NEVER, NEVER, 10});
    const bool binary = has(release, (since_t){NEVER, 7, 0});
    *rules = (rules_t){
        .push_join_ref = push_join_ref(release),
        .leave_join_ref = leave_join_ref(release),
        .channel_limit = limits,
        .phx_error_payload =
            has(release, (since_t){NEVER, NEVER, 10}) ? "{\"reason\":\"channel_crash\"}" : "{}",
        .disconnect_code = has(release, (since_t){NEVER, NEVER, 8}) ? 1001 : 1000,
        /* Before 1.7.2 nothing drained: the HTTP server ended all alike, with 1000 at best (WS-CLOSE-04). */
        .drain_code = has(release, (since_t){NEVER, 4, 0}) ? 1012 : 1000,
        .bad_upgrade_status = has(release, (since_t){NEVER, 10, 0}) ? 400 : 426,
        .odd_vsn_status = has(release, (since_t){NEVER, NEVER, 6}) ? 403 : 500,
        .auth_token = has(release, (since_t){NEVER, NEVER, 0}),
        .longpoll_token_in_header = longpoll_revised,
        .longpoll_token_of_any_type = longpoll_revised,
        .longpoll_cache_control = longpoll_revised ? "no-store" : "max-age=0, private, must-revalidate",
        .batches = has(release, (since_t){NEVER, 0, 0}),
        .batches_carry_binary = binary,
        .batch_read_first = binary && !limits,
        .batch_limit = has(release, (since_t){NEVER, 24, 9}) ? 100 : 0,
        .late_post_fails = is(release, 7, 22) || is(release, 8, 6),
    };
}

bool rules_of(const char *text, rules_t *rules)
{
    release_t release = {NEWEST_MINOR, NEWEST_PATCH};
    if (text != NULL && !parse(text, &release)) {
        return false;
    }
    if (release.minor < OLDEST_MINOR || release.minor > NEWEST_MINOR ||
        (release.minor == NEWEST_MINOR && release.patch > NEWEST_PATCH)) {
        return false;
    }
    fill(rules, &release);
    return true;
}
