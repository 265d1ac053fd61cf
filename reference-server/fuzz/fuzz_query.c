/* SPDX-License-Identifier: MIT */
/* Query strings, versions and long-poll tokens. Input: a query. */
#include "fuzz.h"
#include "handshake.h"
#include "lp_token.h"
#include "query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t KEY[LP_KEY_BYTES] = {1, 2, 3};
    const phx_slice_t query = {(const char *)data, size};
    uint8_t id[LP_ID_BYTES];
    phx_vsn_t vsn;
    phx_slice_t token;
    MUST(!lp_token_verify(KEY, query, 0, UINT64_MAX / 1000, id));
    (void)handshake_serializer(query, &vsn);
    json_t *params = query_decode(query);
    if (params == NULL) {
        return 0;
    }
    char *text = json_dumps(params, JSON_COMPACT);
    MUST(text != NULL);
    free(text);
    if (query_string(params, "token", &token)) {
        MUST(!lp_token_verify(KEY, token, 0, UINT64_MAX / 1000, id));
    }
    if (query_string(params, "vsn", &token)) {
        (void)handshake_serializer(token, &vsn);
    }
    json_decref(params);
    return 0;
}
