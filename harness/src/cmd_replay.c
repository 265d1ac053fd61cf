/* SPDX-License-Identifier: MIT */
#include "commands.h"

#include "replay/command.h"
#include "replay/session.h"

#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: phxspec replay [options] RECORDING... URL\n"
    "       phxspec replay [options] --spawn COMMAND RECORDING...\n"
    "\n"
    "Replays recorded sessions and compares what the target answers with what was recorded. RECORDING is a "
    "file\n"
    "(*.jsonl, *.json) or a folder of such files. URL is where the target listens (http://127.0.0.1:4000).\n"
    "\n"
    "The target:\n"
    "  --spawn COMMAND      start it: one server for each configuration the recordings ask for. In COMMAND "
    "{port} is\n"
    "                       the port, {release} that of the recorded server (1.8.12), {NAME} a key of a "
    "recording's\n"
    "                       config; a part in square brackets is left out when the config lacks a key in "
    "it:\n"
    "                       'my-server {port} [--window {longpoll_window_ms}]'\n"
    "  --spawn-ready HOW    line: {port} is 0, and the server prints \"ready http://127.0.0.1:PORT\" (the "
    "default);\n"
    "                       tcp: {port} is a free one, and the server is ready when it takes connections\n"
    "  --assume KEY,...     the target is what the recordings say about these keys; they need no place in "
    "COMMAND\n"
    "  --assume-config      the target is what the recordings say about all keys\n"
    "  --without CAP,...    capabilities the target lacks; recordings that need one are not applicable\n"
    "\n"
    "The recordings (names like phoenix-1.8.12-bandit/join.ok.ws.v2; GLOB as in a shell; may be given "
    "again):\n"
    "  --only GLOB          only these\n"
    "  --skip GLOB          not these\n"
    "  --expect FILE        disagreements that are on purpose, each with its reason\n"
    "                       (schema/expectations.schema.json beside the vectors)\n"
    "  --rules FILE         what repeated runs differed in (varies.json beside the recordings)\n"
    "  --jobs N             how many at the same time (64)\n"
    "\n"
    "The result:\n"
    "  --quiet              disagreements in one line each\n"
    "  --verbose            a line for every recording\n"
    "  --trace              the whole timeline of every recording\n"
    "  --report FILE        one JSON line for every verdict, and one with the counts: FILE.jsonl, or "
    "jsonl=FILE;\n"
    "                       there is no other format\n"
    "\n"
    "exit: 0 all agree, 1 some disagree, 2 wrong use or broken files, 3 the target or phxspec failed\n";

enum option_code {
    OPT_SPAWN = 256,
    OPT_SPAWN_READY,
    OPT_ASSUME,
    OPT_ASSUME_CONFIG,
    OPT_WITHOUT,
    OPT_ONLY,
    OPT_SKIP,
    OPT_EXPECT,
    OPT_RULES,
    OPT_JOBS,
    OPT_QUIET,
    OPT_VERBOSE,
    OPT_TRACE,
    OPT_REPORT,
    OPT_HELP,
};

static const struct option long_options[] = {
    {"spawn", required_argument, NULL, OPT_SPAWN},
    {"spawn-ready", required_argument, NULL, OPT_SPAWN_READY},
    {"assume", required_argument, NULL, OPT_ASSUME},
    {"assume-config", no_argument, NULL, OPT_ASSUME_CONFIG},
    {"without", required_argument, NULL, OPT_WITHOUT},
    {"only", required_argument, NULL, OPT_ONLY},
    {"skip", required_argument, NULL, OPT_SKIP},
    {"expect", required_argument, NULL, OPT_EXPECT},
    {"rules", required_argument, NULL, OPT_RULES},
    {"jobs", required_argument, NULL, OPT_JOBS},
    {"quiet", no_argument, NULL, OPT_QUIET},
    {"verbose", no_argument, NULL, OPT_VERBOSE},
    {"trace", no_argument, NULL, OPT_TRACE},
    {"report", required_argument, NULL, OPT_REPORT},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* Everything the command line says. */
typedef struct replay {
    session_options_t session;
    recordings_t recordings;
    rules_t *rules;
    names_t paths;
    expectations_t expect;
    const char *url, *expect_file, *rules_file, *report_file;
    text_t rerun;
    text_t error;
    bool help;
} replay_t;

static void replay_free(replay_t *replay)
{
    recordings_free(&replay->recordings);
    rules_free(replay->rules);
    names_free(&replay->paths);
    names_free(&replay->session.assumed);
    names_free(&replay->session.without);
    names_free(&replay->session.only);
    names_free(&replay->session.skip);
    expectations_free(&replay->expect);
    if (replay->session.report != NULL) {
        fclose(replay->session.report);
    }
    text_free(&replay->rerun);
    text_free(&replay->error);
}

static bool is_url(const char *argument)
{
    return strstr(argument, "://") != NULL;
}

/* The command line without what chooses recordings, for "run it alone". */
static void remember(replay_t *replay, int code, const char *argument)
{
    const struct option *option = long_options;
    while (option->val != code) {
        option++;
    }
    if (code == OPT_ONLY || code == OPT_SKIP || code == OPT_REPORT || code == OPT_TRACE ||
        code == OPT_VERBOSE || code == OPT_QUIET || code == OPT_JOBS) {
        return;
    }
    text_printf(&replay->rerun, " --%s", option->name);
    if (argument != NULL) {
        text_putc(&replay->rerun, ' ');
        text_shell_word(&replay->rerun, argument);
    }
}

static bool read_number(const char *string, size_t *number)
{
    long value;
    bool good = command_number(string, 1, 100000, &value);
    *number = (size_t)value;
    return good;
}

static bool read_report(replay_t *replay, const char *argument)
{
    static const char format[] = "jsonl=", suffix[] = ".jsonl";
    const size_t len = strlen(argument), end = sizeof suffix - 1;
    const bool named = strncmp(argument, format, sizeof format - 1) == 0;
    replay->report_file = named ? argument + sizeof format - 1 : argument;
    if (!named && (len <= end || strcmp(argument + len - end, suffix) != 0)) {
        text_printf(&replay->error, "--report %s: replay writes JSON lines only: FILE.jsonl, or jsonl=FILE",
                    argument);
        return false;
    }
    return true;
}

static bool read_option(replay_t *replay, int code, const char *argument)
{
    session_options_t *session = &replay->session;
    switch (code) {
    case OPT_SPAWN:
        session->spawn = argument;
        return command_check(argument, &replay->error);
    case OPT_SPAWN_READY:
        session->ready = strcmp(argument, "tcp") == 0 ? READY_BY_TCP : READY_BY_LINE;
        if (session->ready == READY_BY_LINE && strcmp(argument, "line") != 0) {
            text_printf(&replay->error, "--spawn-ready takes line or tcp, not \"%s\"", argument);
            return false;
        }
        return true;
    case OPT_ASSUME:
        names_add_list(&session->assumed, argument);
        return true;
    case OPT_ASSUME_CONFIG:
        session->assume_config = true;
        return true;
    case OPT_WITHOUT:
        names_add_list(&session->without, argument);
        return true;
    case OPT_ONLY:
        names_add(&session->only, argument);
        return true;
    case OPT_SKIP:
        names_add(&session->skip, argument);
        return true;
    case OPT_EXPECT:
        replay->expect_file = argument;
        return true;
    case OPT_RULES:
        replay->rules_file = argument;
        return true;
    case OPT_JOBS:
        if (!read_number(argument, &session->jobs)) {
            text_printf(&replay->error, "--jobs takes a number from 1 to 100000, not \"%s\"", argument);
            return false;
        }
        return true;
    case OPT_QUIET:
        session->verbosity = QUIET;
        return true;
    case OPT_VERBOSE:
        session->verbosity = VERBOSE;
        return true;
    case OPT_TRACE:
        session->verbosity = TRACE;
        return true;
    case OPT_REPORT:
        return read_report(replay, argument);
    default:
        replay->help = true;
        return true;
    }
}

static bool read_arguments(replay_t *replay, int argc, char **argv)
{
    int code;
    opterr = 0;
    optind = 0;
    while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (code == '?') {
            text_printf(&replay->error, "%s: no such option, or its value is missing; --help lists them",
                        argv[optind - 1]);
            return false;
        }
        if (!read_option(replay, code, optarg)) {
            return false;
        }
        if (!replay->help) {
            remember(replay, code, optarg);
        }
    }
    for (int i = optind; i < argc; i++) {
        text_putc(&replay->rerun, ' ');
        text_shell_word(&replay->rerun, argv[i]);
        if (!is_url(argv[i])) {
            names_add(&replay->paths, argv[i]);
        } else if (replay->url != NULL) {
            text_puts(&replay->error, "there are two URLs; one target at a time");
            return false;
        } else {
            replay->url = argv[i];
        }
    }
    text_puts(&replay->rerun, " --trace --only ");
    return true;
}

/* ---- files ---- */

static bool load_recordings(replay_t *replay)
{
    for (size_t i = 0; i < replay->paths.len; i++) {
        if (!recordings_load(&replay->recordings, replay->paths.at[i], &replay->error)) {
            return false;
        }
    }
    return true;
}

/* The rules lie beside the recordings, or up to two folders above. */
static bool find_rules(const char *path, text_t *found)
{
    text_t folder = {0};
    bool is_there = false;
    text_puts(&folder, path);
    for (int up = 0; up < 3 && !is_there; up++) {
        text_clear(found);
        text_printf(found, "%s/varies.json", folder.at);
        is_there = access(found->at, R_OK) == 0;
        char *slash = strrchr(folder.at, '/');
        if (slash == NULL) {
            break;
        }
        *slash = '\0';
    }
    text_free(&folder);
    return is_there;
}

static bool load_rules(replay_t *replay)
{
    text_t path = {0};
    if (replay->rules_file != NULL && !command_file("rules", replay->rules_file, &replay->error)) {
        return false;
    }
    if (replay->rules_file != NULL) {
        text_puts(&path, replay->rules_file);
    } else if (!find_rules(replay->paths.at[0], &path)) {
        text_clear(&path);
    }
    replay->rules = path.len > 0 ? rules_load(path.at, &replay->error) : rules_none();
    text_free(&path);
    return replay->rules != NULL;
}

static bool check_expectation(replay_t *replay, const char *glob)
{
    for (size_t i = 0; i < replay->recordings.len; i++) {
        if (fnmatch(glob, replay->recordings.at[i]->name, 0) == 0) {
            return true;
        }
    }
    text_printf(&replay->error, "%s: no recording is called \"%s\"; take the entry out or correct it",
                replay->expect_file, glob);
    return false;
}

static bool load_expect(replay_t *replay)
{
    if (replay->expect_file == NULL) {
        return true;
    }
    if (!command_file("expect", replay->expect_file, &replay->error) ||
        !expectations_load(replay->expect_file, &replay->expect, &replay->error)) {
        return false;
    }
    for (size_t i = 0; i < replay->expect.len; i++) {
        const expectation_t *each = &replay->expect.at[i];
        if (each->of_recording && !check_expectation(replay, each->pattern)) {
            return false;
        }
    }
    text_t notes = {0};
    expectations_unexplained(&replay->expect, true, &notes);
    fputs(text_str(&notes), stderr);
    text_free(&notes);
    replay->session.expect = &replay->expect;
    return true;
}

static bool check_selection(replay_t *replay)
{
    for (size_t i = 0; i < replay->recordings.len; i++) {
        if (session_chosen(&replay->session, replay->recordings.at[i])) {
            return true;
        }
    }
    if (replay->recordings.len > 0) {
        text_printf(
            &replay->error,
            "none of the %zu recordings is chosen; their names are like %s: look at --only and --skip",
            replay->recordings.len, replay->recordings.at[0]->name);
    } else {
        text_puts(&replay->error, "there are no recordings in what is named");
    }
    return false;
}

static bool check_use(replay_t *replay)
{
    if (replay->paths.len == 0) {
        text_puts(&replay->error, "there is no recording named; --help shows the use");
        return false;
    }
    if ((replay->url == NULL) == (replay->session.spawn == NULL)) {
        text_puts(&replay->error, replay->url ? "there are a URL and --spawn; one target at a time"
                                              : "there is no target: give a URL, or --spawn COMMAND");
        return false;
    }
    return replay->url == NULL || url_parse(replay->url, &replay->session.url, &replay->error);
}

static bool open_report(replay_t *replay)
{
    if (replay->report_file != NULL) {
        replay->session.report = fopen(replay->report_file, "w");
        if (replay->session.report == NULL) {
            text_printf(&replay->error, "--report %s: %s", replay->report_file, strerror(errno));
            return false;
        }
    }
    return true;
}

static bool reach_target(replay_t *replay)
{
    session_options_t *session = &replay->session;
    return replay->url == NULL ||
           (url_resolve(&session->url, &session->address, &replay->error) &&
            address_probe(&session->address, session->url.authority, 2000, &replay->error));
}

static int complain(const replay_t *replay, int code)
{
    span_t message = span_trim(text_span(&replay->error));
    fprintf(stderr, "phxspec replay: %.*s\n", (int)message.len, message.at);
    return code;
}

static int run(replay_t *replay, int argc, char **argv)
{
    text_shell_word(&replay->rerun, argv[-1]);
    text_puts(&replay->rerun, " replay");
    if (!read_arguments(replay, argc, argv)) {
        return complain(replay, EXIT_USE);
    }
    if (replay->help) {
        fputs(usage, stdout);
        return EXIT_AGREED;
    }
    if (!check_use(replay) || !load_recordings(replay) || !load_rules(replay) || !load_expect(replay) ||
        !check_selection(replay) || !open_report(replay)) {
        return complain(replay, EXIT_USE);
    }
    if (!reach_target(replay)) {
        return complain(replay, EXIT_HARNESS);
    }
    replay->session.rerun = replay->rerun.at;
    return session_run(&replay->session, &replay->recordings, replay->rules);
}

int cmd_replay(int argc, char **argv)
{
    replay_t replay = {.session = {.jobs = 64, .verbosity = NORMAL}};
    int code = run(&replay, argc, argv);
    replay_free(&replay);
    return code;
}
