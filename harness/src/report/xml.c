/* SPDX-License-Identifier: MIT */
#include "report/xml.h"

static void add_character(text_t *out, char character)
{
    switch (character) {
    case '&':
        text_puts(out, "&amp;");
        break;
    case '<':
        text_puts(out, "&lt;");
        break;
    case '>':
        text_puts(out, "&gt;");
        break;
    case '"':
        text_puts(out, "&quot;");
        break;
    case '\'':
        text_puts(out, "&#39;");
        break;
    default:
        text_putc(out, character);
    }
}

void xml_add_span(text_t *out, span_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        add_character(out, text.at[i]);
    }
}

void xml_add(text_t *out, const char *text)
{
    xml_add_span(out, span_of(text));
}

void xml_attribute(text_t *out, const char *name, const char *value)
{
    text_printf(out, " %s=\"", name);
    for (; *value; value++) {
        if (*value == '\n') {
            text_puts(out, "&#10;");
        } else {
            add_character(out, *value);
        }
    }
    text_putc(out, '"');
}
