/* SPDX-License-Identifier: MIT */
#include "report/progress.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    text_printf(out, "%zu of %.0f", run->judged, event_number(run->head, "planned"));
    json_object_foreach(run->counts, name, count)
    {
        text_printf(out, "  %s %lld", look_of(name)->mark, (long long)json_integer_value(count));
    }
}
