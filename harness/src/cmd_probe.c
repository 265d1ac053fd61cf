/* SPDX-License-Identifier: MIT */
/* phxspec probe: a first profile of a server. */
#include "commands.h"

#include "probe/probe.h"
#include "select/suite_files.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: phxspec probe [options] URL\n"
    "\n"
    "Tries a server and writes a first profile of it. URL is where it listens,\n"
    "http://HOST:PORT or ws://HOST:PORT, maybe with the path of its socket. What could\n"
    "not be found out is listed on standard error.\n"
    "\n"
    "  --mount PATH        path of the socket (that of the URL, or /socket)\n"
    "  --topic TOPIC       one that can be joined (phxspec:{unique}); {unique} stands\n"
    "                      for what differs from case to case\n"
    "  --from FILE         a profile whose mounts, connect, join, unmatched_topic,\n"
    "                      nodes and phoenix are taken over\n"
    "  --wait SEC          for timers of the server, 1 to 10 (3)\n"
    "  --output FILE       where the profile goes (standard output)\n"
    "  --vectors DIR       folder of the vectors\n"
    "                      ($PHXSPEC_VECTORS, the installed ones, ./vectors)\n"
    "\n"
    "It joins topics, makes channels of the conformance application fail, and opens some\n"
    "hundred connections, all within about 20 seconds.\n"
    "\n"
    "exit: 0 a profile was found, 2 wrong use or broken input, 3 nothing there speaks the\n"
    "protocol\n";

typedef struct options {
    const char *url, *output, *vectors, *from;
    long wait_s;
    bool help;
    probe_options_t probe;
} options_t;

static bool refuse(const char *format, const char *argument)
{
    text_t text = {0};
    text_printf(&text, format, argument);
    return command_complain("probe", &text);
}

static bool read_wait(const char *argument, options_t *options)
{
    return command_number(argument, 1, 10, &options->wait_s) ||
           refuse("--wait %s: a whole number from 1 to 10 is needed", argument);
}

static bool read_options(int argc, char **argv, options_t *options)
{
    enum { MOUNT = 256, TOPIC, FROM, WAIT, OUTPUT, VECTORS };
    static const struct option known[] = {{"mount", 1, NULL, MOUNT},   {"topic", 1, NULL, TOPIC},
                                          {"from", 1, NULL, FROM},     {"wait", 1, NULL, WAIT},
                                          {"output", 1, NULL, OUTPUT}, {"vectors", 1, NULL, VECTORS},
                                          {"help", 0, NULL, 'h'},      {NULL, 0, NULL, 0}};
    int option;
    opterr = 0;
    optind = 0;
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case MOUNT:
            options->probe.mount = optarg;
            if (*optarg != '/') {
                return refuse("--mount %s: a path begins with \"/\"", optarg);
            }
            break;
        case TOPIC:
            options->probe.topic = optarg;
            if (!*optarg) {
                return refuse("--topic %s: a topic is needed", "''");
            }
            break;
        case FROM:
            options->from = optarg;
            break;
        case WAIT:
            if (!read_wait(optarg, options)) {
                return false;
            }
            break;
        case OUTPUT:
            options->output = optarg;
            break;
        case VECTORS:
            options->vectors = optarg;
            break;
        case 'h':
            options->help = true;
            return true;
        default:
            return command_misread("probe", argv);
        }
    }
    options->url = argv[optind];
    return argc - optind == 1 || refuse("%s", "one URL is needed; phxspec probe --help tells the options");
}

/* The questions of the vectors' folder. */
static bool read_questions(const options_t *options, vectors_t *questions, text_t *error)
{
    text_t path = {0};
    if (!suite_folder_check(suite_folder(options->vectors), error)) {
        return false;
    }
    text_printf(&path, "%s/probe", suite_folder(options->vectors));
    bool good = vectors_add_folder(questions, text_str(&path), error);
    text_free(&path);
    return good;
}

/* The profile to begin with is a profile itself. */
static bool read_known(const options_t *options, json_t **known, text_t *error)
{
    profile_t profile;
    if (!options->from) {
        return true;
    }
    if (!command_file("from", options->from, error) || !profile_load(options->from, &profile, error)) {
        return false;
    }
    profile_free(&profile);
    *known = jvalue_parse_file(options->from, error);
    return *known != NULL;
}

static int write_profile(const options_t *options, const json_t *profile)
{
    FILE *to = options->output ? fopen(options->output, "w") : stdout;
    bool good = to && json_dumpf(profile, to, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) == 0 &&
                fputc('\n', to) != EOF && fflush(to) == 0;
    int failed = errno;
    if (to && to != stdout) {
        good = fclose(to) == 0 && good;
    }
    if (!good) {
        fprintf(stderr, "phxspec probe: %s: %s\n", options->output ? options->output : "standard output",
                strerror(failed));
    }
    return good ? EXIT_AGREED : EXIT_USE;
}

static int probe_and_write(options_t *options)
{
    url_t url;
    vectors_t questions = {0};
    json_t *known = NULL, *profile = NULL;
    text_t notes = {0};
    int code = EXIT_USE;
    options->probe.wait_ms = (double)options->wait_s * 1000;
    if (url_parse(options->url, &url, &notes) && read_questions(options, &questions, &notes) &&
        read_known(options, &known, &notes)) {
        options->probe.known = known;
        if (!options->probe.topic) {
            options->probe.topic = json_string_value(json_object_get(known, "topic"));
        }
        code = probe(&url, &questions, &options->probe, &profile, &notes) == PROBE_FOUND ? EXIT_AGREED
                                                                                         : EXIT_HARNESS;
    }
    command_complain("probe", &notes);
    if (profile) {
        code = write_profile(options, profile);
    }
    json_decref(profile);
    json_decref(known);
    vectors_free(&questions);
    return code;
}

int cmd_probe(int argc, char **argv)
{
    options_t options = {.wait_s = 3};
    if (!read_options(argc, argv, &options)) {
        return EXIT_USE;
    }
    if (options.help) {
        fputs(usage, stdout);
        return EXIT_AGREED;
    }
    return probe_and_write(&options);
}
