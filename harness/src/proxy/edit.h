/* SPDX-License-Identifier: MIT */
/* Changes in JSON by the names of its parts. */
#ifndef PROXY_EDIT_H
#define PROXY_EDIT_H

#include "judge/message.h"

/*
 * Applies an action that edits ("set", "remove", "retype") to `root`, an object or, in version 2.0.0, the
 * array of a message, where join_ref, ref, topic, event and payload name its elements. A path has its parts
 * joined by dots; list elements are numbers ("messages.0"). What is not there is left alone, but that "set"
 * makes members.
 */
void edit_json(json_t *root, const json_t *action);

/* Whether the action is one of these. */
bool edit_is(const json_t *action);

#endif
