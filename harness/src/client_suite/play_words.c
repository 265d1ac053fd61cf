/* SPDX-License-Identifier: MIT */
#include "client_suite/play_words.h"

#include "base/member.h"
#include "client_suite/play_check.h"
#include "vectors/words.h"

static void json_phrase(text_t *out, const char *introduction, const json_t *value)
{
    if (value) {
        text_puts(out, introduction);
        words_value(out, value);
    }
}

static void time_phrase(text_t *out, const char *introduction, const json_t *time)
{
    if (time) {
        text_printf(out, "%s%g ms", introduction, json_number_value(json_object_get(time, "ms")));
    }
}

void play_words(text_t *out, const json_t *step)
{
    deed_t deed = deed_of(step);
    const json_t *value = deed < DEEDS ? json_object_get(step, deed_name(deed)) : NULL;
    const char *name = json_string_value(value), *on = string_member(step, "on", "a");
    switch (deed) {
    case DEED_DO:
        text_printf(out, "the driver is told to %s", name);
        json_phrase(out, " ", json_object_get(step, "with"));
        break;
    case DEED_EVENT:
        text_printf(out, "the driver must report \"%s\"", name);
        json_phrase(out, " with ", json_object_get(step, "with"));
        break;
    case DEED_ACCEPT:
        text_printf(out, "the client must connect, and is accepted as %s", name);
        json_phrase(out, "; it must ask with ", json_object_get(step, "expect"));
        break;
    case DEED_REFUSE:
        json_phrase(out, "the client must connect, and is refused with ", value);
        json_phrase(out, "; it must ask with ", json_object_get(step, "expect"));
        break;
    case DEED_SEND:
        text_printf(out, "the server sends on %s: ", on);
        words_message(out, value);
        break;
    case DEED_EXPECT:
        text_printf(out, "the client must send on %s: ", on);
        words_message(out, value);
        break;
    case DEED_PIPELINE:
        text_printf(out, "the server sends at once on %s: ", on);
        for (size_t i = 0; i < json_array_size(value); i++) {
            text_puts(out, i > 0 ? ", then " : "");
            words_message(out, json_array_get(value, i));
        }
        break;
    case DEED_SEND_TEXT:
        text_printf(out, "the server sends the text on %s: ", on);
        words_value(out, value);
        break;
    case DEED_SEND_BINARY:
    case DEED_SEND_RAW:
        text_printf(out, "the server sends %s on %s: ",
                    deed == DEED_SEND_RAW ? "bytes that are no frame" : "a binary message", on);
        words_value(out, value);
        break;
    case DEED_ALLOW:
        text_puts(out, "from here on the client may send, or not: ");
        words_message(out, value);
        break;
    case DEED_EXPECT_CLOSE:
        text_printf(out, "the client must end %s", on);
        json_phrase(out, " with the codes ", json_object_get(value, "codes"));
        break;
    case DEED_CLOSE:
        text_printf(out, "the server closes %s", on);
        json_phrase(out, " with ", value);
        break;
    case DEED_DROP:
        text_printf(out, "the server ends TCP of %s", on);
        break;
    case DEED_HOLD:
    case DEED_RELEASE:
        text_printf(out, "from here on each %s of %s is %s", name, on,
                    deed == DEED_HOLD ? "kept waiting" : "answered as usual");
        break;
    case DEED_AWAIT:
        text_printf(out, "a %s of %s must wait for its answer, where there are any", name, on);
        json_phrase(out, "; it must ask with ", json_object_get(step, "expect"));
        break;
    case DEED_ANSWER:
        text_printf(out, "the %s of %s that waits is answered", name, on);
        json_phrase(out, " with ", json_object_get(step, "with"));
        break;
    case DEED_SILENCE:
        time_phrase(out, "nothing may come from the client for ", value);
        break;
    case DEED_WAIT:
        time_phrase(out, "the server does nothing for ", value);
        break;
    default:
        text_printf(out, "the server: %s on %s: ", deed < DEEDS ? deed_name(deed) : "?", on);
        words_value(out, value);
        break;
    }
    time_phrase(out, ", after ", json_object_get(step, "after"));
    const char *since = json_string_value(json_object_get(step, "since"));
    if (since) {
        text_printf(out, " (since %s)", since);
    }
    const char *note = json_string_value(json_object_get(step, "note"));
    if (note) {
        text_printf(out, " (%s)", note);
    }
}
