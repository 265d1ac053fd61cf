/* SPDX-License-Identifier: MIT */
/* Text inside XML and HTML. What is appended is clean text (clean.h) with all that is markup escaped. */
#ifndef REPORT_XML_H
#define REPORT_XML_H

#include "base/text.h"

void xml_add(text_t *out, const char *text);
void xml_add_span(text_t *out, span_t text);

/* Appends ` name="value"`; line feeds are escaped, too, since a parser would turn them into blanks. */
void xml_attribute(text_t *out, const char *name, const char *value);

#endif
