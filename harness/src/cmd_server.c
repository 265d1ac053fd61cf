/* SPDX-License-Identifier: MIT */
/* phxspec server: the vectors against a server. */
#include "commands.h"

#include "net/deadline.h"
#include "report/jsonl.h"
#include "report/text_report.h"
#include "vectors/built_in.h"
#include "vectors/requirements.h"
#include "vectors/suite.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double PATIENCE_MS = 2000;
enum { PROBE_MS = 1500, DEFAULT_JOBS = 256, DEFAULT_DEADLINE_S = 120 };

static const char *const usage =
    "usage: phxspec server [options] URL\n"
    "       phxspec server [options] --list\n\n"
    "URL is where the server listens, http://HOST:PORT or ws://HOST:PORT; the paths of its mounts are in the "
    "profile.\n\n"
    "  --vectors DIR     folder of the vectors (default: $PHXSPEC_VECTORS, the installed ones, ./vectors)\n"
    "  --profile FILE    what the server offers (default: the conformance application with its own "
    "settings)\n"
    "  --without CAP,…   capabilities the server lacks\n"
    "  --run GLOB        only cases and variants that match, e.g. 'join.*' or '*/lp/v2'; may be repeated\n"
    "  --skip GLOB       all but those; may be repeated\n"
    "  --level LEVEL     only cases at least this strong: must, should or may (default: may)\n"
    "  --list            names what would run, and ends\n"
    "  --jobs N          so many at once (default: 256)\n"
    "  --deadline SEC    for the whole run (default: 120)\n"
    "  --report FILE     results as JSON lines\n"
    "  --quiet           failures and the summary only\n"
    "  --verbose         times and titles, too\n"
    "  --trace           everything that was said, too\n";

typedef struct options {
    const char *vectors, *profile, *report, *url;
    names_t without;
    selection_t selection;
    detail_t detail;
    long jobs, deadline_s;
    bool list, help;
    text_t rerun; /* the command line that runs one variant again, but for the variant */
} options_t;

static bool complain(text_t *error)
{
    span_t rest = text_span(error), line;
    while (span_next(&rest, '\n', &line)) {
        if (line.len > 0) {
            fprintf(stderr, "phxspec server: %.*s\n", (int)line.len, line.at);
        }
    }
    text_free(error);
    return false;
}

static bool read_count(const char *option, const char *string, long *count)
{
    char *end;
    errno = 0;
    *count = strtol(string, &end, 10);
    if (errno == 0 && *end == 0 && end != string && *count >= 1 && *count <= 100000) {
        return true;
    }
    fprintf(stderr, "phxspec server: %s %s: a whole number from 1 to 100000 is needed\n", option, string);
    return false;
}

static void keep_for_rerun(options_t *options, const char *option, const char *value)
{
    text_printf(&options->rerun, " %s ", option);
    text_shell_word(&options->rerun, value);
}

static bool read_options(int argc, char **argv, options_t *options)
{
    enum {
        VECTORS = 1,
        PROFILE,
        WITHOUT,
        RUN,
        SKIP,
        LEVEL,
        LIST,
        JOBS,
        DEADLINE,
        REPORT,
        QUIET,
        VERBOSE,
        TRACE,
        HELP
    };
    static const struct option known[] = {
        {"vectors", 1, NULL, VECTORS}, {"profile", 1, NULL, PROFILE}, {"without", 1, NULL, WITHOUT},
        {"run", 1, NULL, RUN},         {"skip", 1, NULL, SKIP},       {"level", 1, NULL, LEVEL},
        {"list", 0, NULL, LIST},       {"jobs", 1, NULL, JOBS},       {"deadline", 1, NULL, DEADLINE},
        {"report", 1, NULL, REPORT},   {"quiet", 0, NULL, QUIET},     {"verbose", 0, NULL, VERBOSE},
        {"trace", 0, NULL, TRACE},     {"help", 0, NULL, HELP},       {NULL, 0, NULL, 0}};
    int option;
    text_puts(&options->rerun, "phxspec server");
    optind = 1;
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case VECTORS:
            options->vectors = optarg;
            keep_for_rerun(options, "--vectors", optarg);
            break;
        case PROFILE:
            options->profile = optarg;
            keep_for_rerun(options, "--profile", optarg);
            break;
        case WITHOUT:
            names_add(&options->without, optarg);
            keep_for_rerun(options, "--without", optarg);
            break;
        case RUN:
            names_add(&options->selection.run, optarg);
            break;
        case SKIP:
            names_add(&options->selection.skip, optarg);
            break;
        case LEVEL:
            if (!level_parse(optarg, &options->selection.weakest)) {
                fprintf(stderr, "phxspec server: --level %s: must, should or may\n", optarg);
                return false;
            }
            break;
        case LIST:
            options->list = true;
            break;
        case JOBS:
            if (!read_count("--jobs", optarg, &options->jobs)) {
                return false;
            }
            break;
        case DEADLINE:
            if (!read_count("--deadline", optarg, &options->deadline_s)) {
                return false;
            }
            break;
        case REPORT:
            options->report = optarg;
            break;
        case QUIET:
            options->detail = DETAIL_QUIET;
            break;
        case VERBOSE:
            options->detail = DETAIL_VERBOSE;
            break;
        case TRACE:
            options->detail = DETAIL_TRACE;
            break;
        case HELP:
        case 'h':
            options->help = true;
            return true;
        default:
            fputs("phxspec server --help tells the options\n", stderr);
            return false;
        }
    }
    int urls = argc - optind;
    if (urls != 1 && !(options->list && urls == 0)) {
        fputs("phxspec server: one URL is needed; phxspec server --help tells the options\n", stderr);
        return false;
    }
    options->url = optind < argc ? argv[optind] : NULL;
    if (options->url) {
        text_putc(&options->rerun, ' ');
        text_shell_word(&options->rerun, options->url);
    }
    return true;
}

static const char *vectors_folder(const options_t *options)
{
    const char *environment = getenv("PHXSPEC_VECTORS");
    if (options->vectors) {
        return options->vectors;
    }
    if (environment && *environment) {
        return environment;
    }
    return access(BUILT_IN_VECTORS, R_OK) == 0 ? BUILT_IN_VECTORS : "vectors";
}

/* What is run, read from files. */
typedef struct plan {
    vectors_t vectors;
    json_t *requirements;
    profile_t profile;
    variants_t variants;
} plan_t;

static bool read_vectors(const options_t *options, plan_t *plan, text_t *error)
{
    text_t server = {0}, requirements = {0};
    const char *folder = vectors_folder(options);
    text_printf(&server, "%s/server", folder);
    text_printf(&requirements, "%s/requirements.json", folder);
    bool good = vectors_add_folder(&plan->vectors, text_str(&server), error);
    plan->requirements = requirements_load(text_str(&requirements), error);
    text_free(&server);
    text_free(&requirements);
    return plan->requirements && good &&
           vectors_check_requirements(&plan->vectors, plan->requirements, error);
}

static bool read_profile(const options_t *options, plan_t *plan, text_t *error)
{
    if (!options->profile) {
        profile_default(&plan->profile);
    } else if (!profile_load(options->profile, &plan->profile, error)) {
        return false;
    }
    bool good = true;
    for (size_t i = 0; i < options->without.len; i++) {
        good = profile_without(&plan->profile, options->without.at[i], error) && good;
    }
    return good;
}

static bool read_plan(const options_t *options, plan_t *plan)
{
    text_t error = {0};
    bool good = read_vectors(options, plan, &error) && read_profile(options, plan, &error) &&
                variants_select(&plan->variants, &plan->vectors, &plan->profile, &options->selection, &error);
    complain(&error);
    return good;
}

static void free_plan(plan_t *plan)
{
    variants_free(&plan->variants);
    vectors_free(&plan->vectors);
    json_decref(plan->requirements);
    profile_free(&plan->profile);
}

static void list(const plan_t *plan)
{
    for (size_t i = 0; i < plan->variants.len; i++) {
        const variant_t *variant = &plan->variants.at[i];
        printf("%-52s %-6s  %s", variant->name, level_name(variant->c->level), variant->c->title);
        if (variant->lacking) {
            printf("  (not applicable: %s)", variant->lacking);
        }
        putchar('\n');
    }
}

/* Where the verdicts go. */
typedef struct outputs {
    text_report_t text;
    FILE *jsonl;
    bool written;
} outputs_t;

static void on_verdict(void *ctx, const variant_t *variant, const case_result_t *result)
{
    outputs_t *outputs = ctx;
    text_report_verdict(&outputs->text, variant, result);
    if (outputs->jsonl) {
        outputs->written = jsonl_verdict(outputs->jsonl, variant, result) && outputs->written;
    }
}

static int exit_code(const suite_counts_t *counts, bool complete)
{
    if (!suite_counts_add_up(counts) || counts->by[VERDICT_HARNESS_ERROR] > 0) {
        return EXIT_HARNESS;
    }
    if (counts->by[VERDICT_FAIL] > counts->tolerated || counts->by[VERDICT_UNEXPECTED_PASS] > 0) {
        return EXIT_FAILED;
    }
    if (!complete) {
        return EXIT_HARNESS;
    }
    if (counts->by[VERDICT_PASS] == 0) {
        fputs("phxspec server: no selected case applies to this profile\n", stderr);
        return EXIT_USE;
    }
    return EXIT_AGREED;
}

static int run(const options_t *options, const plan_t *plan, const url_t *url, const address_t *address,
               FILE *jsonl)
{
    uv_loop_t loop;
    uv_loop_init(&loop);
    target_t target = {&loop, address, url->authority, &plan->profile, PATIENCE_MS};
    suite_options_t suite = {(size_t)options->jobs, (double)options->deadline_s * 1000, NULL};
    outputs_t outputs = {
        {stdout, options->detail, text_report_colours(stdout), plan->requirements, text_str(&options->rerun)},
        jsonl,
        true};
    suite_counts_t counts;
    double began = clock_ms();
    outputs.written = !jsonl || jsonl_plan(jsonl, plan->variants.len, options->url, &plan->profile);
    bool complete = suite_run(&target, &plan->variants, &suite, on_verdict, &outputs, &counts);
    text_report_summary(&outputs.text, &counts, clock_ms() - began);
    outputs.written = (!jsonl || jsonl_summary(jsonl, &counts, complete)) && outputs.written;
    uv_loop_close(&loop);
    if (!outputs.written) {
        fprintf(stderr, "phxspec server: %s: %s; the report is not whole\n", options->report,
                strerror(errno));
        return EXIT_HARNESS;
    }
    return exit_code(&counts, complete);
}

static bool read_url(const options_t *options, url_t *url)
{
    text_t error = {0};
    if (!url_parse(options->url, url, &error)) {
        return complain(&error);
    }
    if (*url->path) {
        fprintf(stderr,
                "phxspec server: %s: leave the path out; the paths of the mounts are in the profile\n",
                options->url);
    }
    return !*url->path;
}

/* The target is there, and the report can be written; else the exit code that says what is not. */
static int reach_and_run(const options_t *options, const plan_t *plan, const url_t *url)
{
    address_t address;
    text_t error = {0};
    FILE *jsonl = NULL;
    if (!url_resolve(url, &address, &error) || !address_probe(&address, url->authority, PROBE_MS, &error)) {
        complain(&error);
        return EXIT_HARNESS;
    }
    if (options->report && !(jsonl = fopen(options->report, "w"))) {
        fprintf(stderr, "phxspec server: %s: %s\n", options->report, strerror(errno));
        return EXIT_USE;
    }
    int code = run(options, plan, url, &address, jsonl);
    if (jsonl) {
        fclose(jsonl);
    }
    return code;
}

static int plan_and_run(const options_t *options)
{
    plan_t plan = {0};
    url_t url;
    int code = EXIT_USE;
    if ((options->list || read_url(options, &url)) && read_plan(options, &plan)) {
        if (options->list) {
            list(&plan);
            code = EXIT_AGREED;
        } else {
            code = reach_and_run(options, &plan, &url);
        }
    }
    free_plan(&plan);
    return code;
}

int cmd_server(int argc, char **argv)
{
    options_t options = {.jobs = DEFAULT_JOBS,
                         .deadline_s = DEFAULT_DEADLINE_S,
                         .selection = {.weakest = LEVEL_MAY},
                         .detail = DETAIL_NORMAL};
    int code = EXIT_USE;
    if (read_options(argc, argv, &options)) {
        if (options.help) {
            fputs(usage, stdout);
            code = EXIT_AGREED;
        } else {
            code = plan_and_run(&options);
        }
    }
    names_free(&options.without);
    names_free(&options.selection.run);
    names_free(&options.selection.skip);
    text_free(&options.rerun);
    return code;
}
