/* SPDX-License-Identifier: MIT */
#include "select/list.h"

#include <stdlib.h>
#include <string.h>

void list_text(FILE *to, const variants_t *variants)
{
    size_t width = 0;
    for (size_t i = 0; i < variants->len; i++) {
        size_t len = strlen(variants->at[i].name);
        width = len > width ? len : width;
    }
    for (size_t i = 0; i < variants->len; i++) {
        const variant_t *variant = &variants->at[i];
        fprintf(to, "%-*s  %-6s  %s", (int)width, variant->name, level_name(variant->c->level),
                variant->c->title);
        if (variant->lacking) {
            fprintf(to, "  (not applicable: %s)", variant->lacking);
        }
        putc('\n', to);
    }
}

static json_t *describe(const variant_t *variant)
{
    const vector_case_t *c = variant->c;
    json_t *line =
        json_pack("{s:s, s:s, s:s%, s:s, s:s, s:s, s:s, s:s, s:O}", "variant", variant->name, "case", c->id,
                  "group", c->id, strcspn(c->id, "."), "title", c->title, "level", level_name(c->level),
                  "transport", transport_name(variant->transport), "vsn", vsn_name(variant->vsn), "mount",
                  mount_name(variant->mount), "requirements", c->requirements);
    const struct {
        const char *key;
        const json_t *list;
    } lists[] = {{"tags", c->tags}, {"formerly", c->formerly}, {"needs", c->needs}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        if (lists[i].list) {
            json_object_set(line, lists[i].key, (json_t *)lists[i].list);
        }
    }
    if (variant->lacking) {
        json_object_set_new(line, "not_applicable", json_string(variant->lacking));
    }
    return line;
}

void list_json(FILE *to, const variants_t *variants)
{
    for (size_t i = 0; i < variants->len; i++) {
        json_t *line = describe(&variants->at[i]);
        char *text = json_dumps(line, 0);
        fprintf(to, "%s%s", i == 0 ? "[\n" : ",\n", text);
        free(text);
        json_decref(line);
    }
    fputs(variants->len > 0 ? "\n]\n" : "[]\n", to);
}
