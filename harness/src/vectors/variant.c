/* SPDX-License-Identifier: MIT */
#include "vectors/variant.h"

#include "base/memory.h"
#include "vectors/applicable.h"
#include "vectors/template.h"

#include <stdlib.h>
#include <string.h>

static const double HEAVY_BYTES = 1e6;

static void add_variant(variants_t *variants, const vector_case_t *c, const demands_t *demands,
                        transport_t transport, vsn_t vsn, const profile_t *profile)
{
    MEM_ROOM(variants->at, variants->len, variants->cap);
    variant_t *variant = &variants->at[variants->len++];
    *variant = (variant_t){.c = c,
                           .transport = transport,
                           .vsn = vsn,
                           .mount = c->mount[transport],
                           .number = variants->len - 1};
    text_t name = {0};
    text_printf(&name, "%s/%s/v%d", c->id, transport_short(transport), vsn == VSN_1 ? 1 : 2);
    variant->name = text_take(&name);
    variant->lacking = case_lacks(c, demands, transport, vsn, profile);
    variant->known_defect = case_known_defect(c, &profile->release);
    variant->divergence = profile_divergence(profile, c->id, variant->name);
    double bytes = 0;
    static const char *const timed[] = {"wait", "within", "silence", "after"};
    for (size_t i = 0; i < c->len; i++) {
        bytes += template_size(c->steps[i].json, &profile->mounts[variant->mount]);
        for (size_t t = 0; t < sizeof timed / sizeof *timed; t++) {
            variant->waits_ms +=
                time_ms(json_object_get(c->steps[i].json, timed[t]), &profile->mounts[variant->mount]);
        }
    }
    variant->heavy = bytes > HEAVY_BYTES;
}

int variant_order(const variant_t *a, const variant_t *b)
{
    if (a->waits_ms != b->waits_ms) {
        return a->waits_ms < b->waits_ms ? 1 : -1;
    }
    return a->number < b->number ? -1 : a->number > b->number;
}

const char *transport_short(transport_t transport)
{
    return transport == WEBSOCKET ? "ws" : "lp";
}

void variants_expand(variants_t *variants, const vectors_t *vectors, const profile_t *profile)
{
    for (size_t i = 0; i < vectors->len; i++) {
        const vector_case_t *c = &vectors->cases[i];
        demands_t demands = {0}; /* a profile has what servers offer */
        if (!c->dialect) {
            demands = case_demands(c);
        }
        for (int t = 0; t < TRANSPORTS; t++) {
            for (int v = 0; v < 2; v++) {
                if (c->transports[t] && c->vsns[v]) {
                    add_variant(variants, c, &demands, (transport_t)t, (vsn_t)v, profile);
                }
            }
        }
    }
}

void variants_free(variants_t *variants)
{
    for (size_t i = 0; i < variants->len; i++) {
        free(variants->at[i].name);
        free(variants->at[i].lacking);
    }
    free(variants->at);
    *variants = (variants_t){0};
}
