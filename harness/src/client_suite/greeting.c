/* SPDX-License-Identifier: MIT */
#include "client_suite/pool.h"

#include "base/member.h"
#include "base/memory.h"
#include "client_suite/play_check.h"
#include "net/deadline.h"

#include <stdlib.h>
#include <string.h>

static const tolerance_t usual = {25, 400};

/* The only version there is of the driver protocol. */
enum { PROTOCOL = 1 };
/* What is told of its stderr. */
enum { NOISE_MAX = 4000 };

typedef struct reading {
    greeting_t *greeting;
    driver_t *driver;
    deadline_t *deadline;
    text_t noise, *error;
    double limit_ms;
    bool good, over;
} reading_t;

void greeting_free(greeting_t *greeting)
{
    free(greeting->name);
    free(greeting->version);
    free(greeting->phoenix);
    names_free(&greeting->capabilities);
    *greeting = (greeting_t){0};
}

static void stop(reading_t *reading)
{
    reading->over = true;
    deadline_cancel(&reading->deadline);
    driver_free(reading->driver);
    reading->driver = NULL;
}

static double number_at(const json_t *object, const char *key, double otherwise)
{
    const json_t *number = json_object_get(object, key);
    return json_is_number(number) ? json_number_value(number) : otherwise;
}

/* A time that cannot be read must not become the usual one. */
static bool tolerance_good(const json_t *tolerance)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)tolerance, key, value)
    {
        if (!json_is_number(value) || json_number_value(value) < 0) {
            return false;
        }
    }
    return !tolerance || json_is_object(tolerance);
}

static bool read_hello(const json_t *hello, greeting_t *greeting, text_t *error)
{
    const json_t *capabilities = json_object_get(hello, "capabilities");
    const json_t *tolerance = json_object_get(hello, "tolerance");
    const json_t *protocol = json_object_get(hello, "protocol");
    if (strcmp(string_member(hello, "event", "?"), "hello") != 0 || !json_is_integer(protocol) ||
        !json_is_string(json_object_get(hello, "name")) ||
        !json_is_string(json_object_get(hello, "version")) || !json_is_array(capabilities)) {
        text_printf(error,
                    "the driver does not begin with {\"event\": \"hello\", \"protocol\": %d, \"name\": …, "
                    "\"version\": …, \"capabilities\": […]}; harness/DRIVER.md describes it\n",
                    PROTOCOL);
        return false;
    }
    if (json_integer_value(protocol) != PROTOCOL) {
        text_printf(
            error,
            "the driver speaks version %lld of the driver protocol, and this phxspec knows version %d\n",
            (long long)json_integer_value(protocol), PROTOCOL);
        return false;
    }
    if (!tolerance_good(tolerance)) {
        text_puts(error,
                  "the driver's tolerance is not {\"early_ms\": N, \"late_ms\": N}, in milliseconds\n");
        return false;
    }
    greeting->name = mem_string(string_member(hello, "name", "?"));
    greeting->version = mem_string(string_member(hello, "version", "?"));
    const char *phoenix = json_string_value(json_object_get(hello, "phoenix"));
    release_t release;
    if (phoenix && !release_parse(phoenix, &release)) {
        text_printf(error, "the driver says it follows phoenix.js %s, which is no release\n", phoenix);
        return false;
    }
    greeting->phoenix = phoenix ? mem_string(phoenix) : NULL;
    greeting->tolerance = (tolerance_t){number_at(tolerance, "early_ms", usual.early_ms),
                                        number_at(tolerance, "late_ms", usual.late_ms)};
    for (size_t i = 0; i < json_array_size(capabilities); i++) {
        const char *name = json_string_value(json_array_get(capabilities, i));
        if (!name || !client_dialect.capability_known(name)) {
            text_printf(error, "the driver says it has the capability %s; known are", name ? name : "?");
            for (const char *const *known = client_capabilities; *known; known++) {
                text_printf(error, " %s", *known);
            }
            text_putc(error, '\n');
            return false;
        }
        names_add(&greeting->capabilities, name);
    }
    return true;
}

static void on_said(void *ctx, const json_t *line)
{
    reading_t *reading = ctx;
    reading->good = read_hello(line, reading->greeting, reading->error);
    stop(reading);
}

static void on_noise(void *ctx, span_t line)
{
    reading_t *reading = ctx;
    if (reading->noise.len < NOISE_MAX) {
        text_show(&reading->noise, line, NOISE_MAX);
        text_putc(&reading->noise, '\n');
    }
}

static void on_end(void *ctx, const char *how)
{
    reading_t *reading = ctx;
    text_printf(reading->error, "%s, before its hello\n%s", how, text_str(&reading->noise));
    stop(reading);
}

static void on_deadline(void *ctx)
{
    reading_t *reading = ctx;
    reading->deadline = NULL;
    text_printf(reading->error, "the driver said no hello within %.0f s; --hello SEC gives it more\n%s",
                reading->limit_ms / 1000, text_str(&reading->noise));
    stop(reading);
}

bool greeting_read(uv_loop_t *loop, char *const *arguments, double limit_ms, greeting_t *greeting,
                   text_t *error)
{
    static const driver_events_t events = {on_said, on_noise, on_end};
    reading_t reading = {.greeting = greeting, .error = error, .limit_ms = limit_ms};
    reading.deadline = deadline_start(loop, limit_ms, on_deadline, &reading);
    reading.driver = driver_start(loop, arguments, &events, &reading);
    uv_run(loop, UV_RUN_DEFAULT);
    text_free(&reading.noise);
    return reading.good;
}
