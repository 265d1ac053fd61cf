/* SPDX-License-Identifier: MIT */
#include "report/progress.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether the terminal goes on in the next line where one is full (DECAWM). */
#define NO_WRAP "\033[?7l"
#define WRAP "\033[?7h"

bool progress_wanted(FILE *to)
{
    const char *terminal = getenv("TERM");
    return isatty(fileno(to)) && terminal && *terminal && strcmp(terminal, "dumb") != 0;
}

void progress_clear(text_t *out)
{
    text_puts(out, "\r\033[K");
}

void progress_write(text_t *out, const run_t *run)
{
    const char *name;
    json_t *count;
    text_puts(out, NO_WRAP); /* what goes into a second line could not be cleared */
    text_printf(out, "%zu of %.0f, %zu begun", run->judged, event_number(run->head, "planned"), run->started);
    json_object_foreach(run->counts, name, count)
    {
        text_printf(out, "  %s %lld", look_of(name)->mark, (long long)json_integer_value(count));
    }
    text_puts(out, WRAP);
}
