/* SPDX-License-Identifier: MIT */
/* The numbered requirements that vectors cite. */
#ifndef VECTORS_REQUIREMENTS_H
#define VECTORS_REQUIREMENTS_H

#include "base/jvalue.h"

/*
 * Reads requirements.json (../vectors/schema/requirements.schema.json). A new object of its rules by id;
 * NULL, and lines of "FILE: …" appended to `error`, when a rule lacks what is read here: id, level, role,
 * text.
 */
json_t *requirements_load(const char *path, text_t *error);

/* Appends "JREF-02 (must, server): text". */
void requirement_write(text_t *out, const json_t *requirements, const char *id);

#endif
