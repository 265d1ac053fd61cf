/* SPDX-License-Identifier: MIT */
/* The token of a long-poll session: its id and birth, signed with the server's secret (LP-HTTP-08). */
#ifndef LP_TOKEN_H
#define LP_TOKEN_H

#include "phx/bytes.h"

enum {
    LP_ID_BYTES = 16,
    LP_KEY_BYTES = 32,
    LP_TOKEN_CHARS =
        76, /* (16 + 8) bytes and a MAC of 32, in URL-safe base64, with a dot between and a NUL behind */
};

/* A random id. Returns false when the system has no randomness to give. */
bool lp_id_random(uint8_t id[LP_ID_BYTES]);

/* Writes the token of a session born at `born_ms` (of the system's clock). Returns false on failure. */
bool lp_token_sign(const uint8_t key[LP_KEY_BYTES], const uint8_t id[LP_ID_BYTES], uint64_t born_ms,
                   char token[LP_TOKEN_CHARS + 1]);

/*
 * Reads a token; false unless this server signed it, and not more than `max_age_s` before `now_ms`
 * (LP-OPEN-02, LP-OPEN-07). The comparison takes the same time whatever differs.
 */
bool lp_token_verify(const uint8_t key[LP_KEY_BYTES], phx_slice_t token, uint64_t now_ms, uint64_t max_age_s,
                     uint8_t id[LP_ID_BYTES]);

#ifdef PHXS_FAULTS
/* What a token says, signed or not. */
bool lp_token_claim(phx_slice_t token, uint8_t id[LP_ID_BYTES]);
#endif

#endif
