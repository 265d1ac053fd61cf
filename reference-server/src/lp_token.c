/* SPDX-License-Identifier: MIT */
#include "lp_token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

#include "phx/base64.h"

enum {
    CLAIM_BYTES = LP_ID_BYTES + 8,
    MAC_BYTES = 32,
    CLAIM_CHARS = 32, /* 24 bytes */
    MAC_CHARS = 43,   /* 32 bytes, without the `=` */
};

bool lp_id_random(uint8_t id[LP_ID_BYTES])
{
    return RAND_bytes(id, LP_ID_BYTES) == 1;
}

static bool mac_of(const uint8_t *key, const uint8_t *claim, uint8_t mac[MAC_BYTES])
{
    unsigned int len = MAC_BYTES;
    return HMAC(EVP_sha256(), key, LP_KEY_BYTES, claim, CLAIM_BYTES, mac, &len) != NULL;
}

/* `chars` of the encoding, in the alphabet that needs no escapes in a query. */
static void put_encoded(char *to, const uint8_t *bytes, size_t len, size_t chars)
{
    phx_buf_t encoded = {0};
    phx_base64_encode(&encoded, (phx_slice_t){(const char *)bytes, len});
    for (size_t i = 0; i < chars && i < encoded.len; i++) {
        char c = encoded.data[i];
        to[i] = c;
        if (c == '+') {
            to[i] = '-';
        } else if (c == '/') {
            to[i] = '_';
        }
    }
    phx_buf_free(&encoded);
}

static bool read_claim(phx_slice_t token, uint8_t claim[CLAIM_BYTES])
{
    char standard[CLAIM_CHARS];
    for (size_t i = 0; i < CLAIM_CHARS; i++) {
        char c = token.data[i];
        standard[i] = c;
        if (c == '-') {
            standard[i] = '+';
        } else if (c == '_') {
            standard[i] = '/';
        }
    }
    phx_buf_t decoded = {0};
    bool good = phx_base64_decode(&decoded, (phx_slice_t){standard, CLAIM_CHARS}, PHX_BASE64_PADDED) == 0 &&
                decoded.len == CLAIM_BYTES;
    if (good) {
        memcpy(claim, decoded.data, CLAIM_BYTES);
    }
    phx_buf_free(&decoded);
    return good;
}

bool lp_token_sign(const uint8_t key[LP_KEY_BYTES], const uint8_t id[LP_ID_BYTES], uint64_t born_ms,
                   char token[LP_TOKEN_CHARS + 1])
{
    uint8_t claim[CLAIM_BYTES];
    uint8_t mac[MAC_BYTES];
    memcpy(claim, id, LP_ID_BYTES);
    for (int i = 0; i < 8; i++) {
        claim[LP_ID_BYTES + i] = (uint8_t)(born_ms >> (56 - 8 * i));
    }
    if (!mac_of(key, claim, mac)) {
        return false;
    }
    memset(token, 0, LP_TOKEN_CHARS + 1);
    put_encoded(token, claim, CLAIM_BYTES, CLAIM_CHARS);
    token[CLAIM_CHARS] = '.';
    put_encoded(token + CLAIM_CHARS + 1, mac, MAC_BYTES, MAC_CHARS);
    return strlen(token) == LP_TOKEN_CHARS;
}

bool lp_token_verify(const uint8_t key[LP_KEY_BYTES], phx_slice_t token, uint64_t now_ms, uint64_t max_age_s,
                     uint8_t id[LP_ID_BYTES])
{
    uint8_t claim[CLAIM_BYTES];
    char expected[LP_TOKEN_CHARS + 1];
    if (token.len != LP_TOKEN_CHARS || !read_claim(token, claim)) {
        return false;
    }
    uint64_t born_ms = 0;
    for (int i = 0; i < 8; i++) {
        born_ms = born_ms << 8 | claim[LP_ID_BYTES + i];
    }
    /* The texts are compared, not what they decode to: a token has one spelling. */
    if (!lp_token_sign(key, claim, born_ms, expected) ||
        CRYPTO_memcmp(token.data, expected, LP_TOKEN_CHARS) != 0) {
        return false;
    }
    memcpy(id, claim, LP_ID_BYTES);
    return now_ms < born_ms || now_ms - born_ms <= max_age_s * 1000;
}

#ifdef PHXS_FAULTS
bool lp_token_claim(phx_slice_t token, uint8_t id[LP_ID_BYTES])
{
    uint8_t claim[CLAIM_BYTES];
    if (token.len < CLAIM_CHARS || !read_claim(token, claim)) {
        return false;
    }
    memcpy(id, claim, LP_ID_BYTES);
    return true;
}
#endif
