/* SPDX-License-Identifier: MIT */
/* phxspec mutants: the worth of the vectors, measured by servers that break a rule on purpose. */
#include "commands.h"

#include "base/memory.h"
#include "mutation/score.h"
#include "net/deadline.h"
#include "select/suite_files.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROBE_MS = 1500, DEFAULT_JOBS = 2 };

static const char usage[] =
    "usage: phxspec mutants [options] URL [-- OPTIONS OF phxspec server]\n"
    "       phxspec mutants --client --spawn DRIVER [options] [-- OPTIONS OF phxspec client]\n"
    "\n"
    "Runs the vectors against the server at URL once as it is and once for every mutant: altered on the way "
    "by\n"
    "phxspec's proxy, or a server that has the fault built in. Says which mutants no case notices. Some of "
    "what "
    "turned\n"
    "red has to do so again, alone: that is no accident then.\n"
    "\n"
    "  --client          the mutants are clients, and --spawn says how the driver of one is started, with "
    "the "
    "fault\n"
    "                    {fault}, or with none, \"none\": then phxspec's proxy between client and server "
    "may alter\n"
    "                    what passes\n"
    "  --mutants PATH    file or folder (default: mutants, or client-mutants, in the folder $PHXSPEC_VECTORS "
    "or "
    "else\n"
    "                    in that of the installed vectors; --vectors behind -- does not move it)\n"
    "  --run GLOB        only these, by id; may be repeated\n"
    "  --spawn COMMAND   how the server is started with a fault built in: {port} is 0, {fault} the name of "
    "the fault;\n"
    "                    it prints \"ready URL\". Without it, such mutants are not run. The server at URL is "
    "best the\n"
    "                    same one without a fault\n"
    "  --quick           only those cases that cite the group of the broken requirement\n"
    "  --jobs N          trials at the same time (default: 2)\n"
    "  --page FILE       the result of all mutants as a Markdown page; what stands in FILE stays until then\n"
    "  --verbose         a line for every mutant, not only for those that were not killed\n"
    "\n"
    "exit: 0 all killed that were run, 1 some were not, 2 wrong use, broken files, or none was run, 3 the "
    "server\n"
    "fails without a fault, a mutant is broken, the run was interrupted, or phxspec itself failed\n";

typedef struct options {
    const char *mutants, *spawn, *page, *url;
    names_t run;
    long jobs;
    bool client, quick, verbose, help;
    text_t arguments;
} options_t;

static bool read_jobs(const char *string, long *jobs)
{
    bool good = command_number(string, 1, 64, jobs);
    if (!good) {
        fprintf(stderr, "phxspec mutants: --jobs %s: a whole number from 1 to 64 is needed\n", string);
    }
    return good;
}

static bool read_options(int argc, char **argv, options_t *options)
{
    static const struct option known[] = {
        {"mutants", 1, NULL, 'm'}, {"run", 1, NULL, 'r'},  {"spawn", 1, NULL, 's'}, {"client", 0, NULL, 'c'},
        {"quick", 0, NULL, 'q'},   {"jobs", 1, NULL, 'j'}, {"page", 1, NULL, 'p'},  {"verbose", 0, NULL, 'v'},
        {"help", 0, NULL, 'h'},    {NULL, 0, NULL, 0}};
    int option;
    opterr = 0;
    optind = 0;
    while ((option = getopt_long(argc, argv, "+h", known, NULL)) != -1) {
        switch (option) {
        case 'm':
            options->mutants = optarg;
            break;
        case 'r':
            names_add(&options->run, optarg);
            break;
        case 's':
            options->spawn = optarg;
            break;
        case 'c':
            options->client = true;
            break;
        case 'q':
            options->quick = true;
            break;
        case 'j':
            if (!read_jobs(optarg, &options->jobs)) {
                return false;
            }
            break;
        case 'p':
            options->page = optarg;
            break;
        case 'v':
            options->verbose = true;
            break;
        case 'h':
            options->help = true;
            return true;
        default:
            return command_misread("mutants", argv);
        }
    }
    if (options->spawn && !strstr(options->spawn, "{fault}")) {
        fprintf(stderr,
                "phxspec mutants: --spawn %s: {fault} has to stand where the name of the fault goes\n",
                options->spawn);
        return false;
    }
    if (options->page && (options->run.len > 0 || options->quick)) {
        fprintf(stderr,
                "phxspec mutants: --page %s: the page is of all mutants and all cases, without --run and "
                "--quick\n",
                options->page);
        return false;
    }
    if (options->client && !options->spawn) {
        fputs("phxspec mutants: --client needs --spawn, the driver with {fault} in its command\n", stderr);
        return false;
    }
    if (!options->client) {
        options->url = optind < argc ? argv[optind++] : NULL;
    } else if (strcmp(argv[optind - 1], "--") == 0) {
        optind--; /* getopt took it */
    }
    if ((!options->client && !options->url) || (optind < argc && strcmp(argv[optind], "--") != 0)) {
        fprintf(stderr, "phxspec mutants: %s and -- before options of phxspec %s\n",
                options->client ? "no URL is needed," : "one URL is needed,",
                options->client ? "client" : "server");
        return false;
    }
    for (int i = optind + 1; i < argc; i++) {
        text_putc(&options->arguments, ' ');
        text_shell_word(&options->arguments, argv[i]);
    }
    return true;
}

/* All trials: some under way, the rest to come. */
typedef struct campaign {
    const options_t *options;
    trial_setup_t setup;
    FILE *page; /* NULL: none */
    const mutant_t **chosen;
    size_t count, next, under_way;
    trial_t *control, **trials; /* those that run, `trials` by the place of the mutant; owned */
    score_t score;
    bool control_failed, interrupted;
    double began;
} campaign_t;

static void start_more(campaign_t *campaign);

static void on_trial(void *ctx, trial_t *trial)
{
    campaign_t *campaign = ctx;
    size_t i = 0;
    while (campaign->chosen[i] != trial_mutant(trial)) {
        i++;
    }
    campaign->trials[i] = NULL;
    const mutant_result_t *result = &campaign->score.at[i];
    bool confirmed = false;
    if (trial_only(trial)) {
        confirmed = score_confirm(&campaign->score, i, trial);
    } else {
        score_add(&campaign->score, i, trial);
    }
    trial_free(trial);
    if (result->best.len > 0 && !confirmed) {
        campaign->trials[i] =
            trial_start(&campaign->setup, result->mutant, &result->best, on_trial, campaign);
        return;
    }
    score_print_one(stdout, result, campaign->options->verbose);
    campaign->under_way--;
    start_more(campaign);
}

static void start_more(campaign_t *campaign)
{
    while (campaign->next < campaign->count && campaign->under_way < (size_t)campaign->options->jobs) {
        const size_t i = campaign->next++;
        campaign->under_way++;
        campaign->trials[i] = trial_start(&campaign->setup, campaign->chosen[i], NULL, on_trial, campaign);
    }
}

static void on_control(void *ctx, trial_t *trial)
{
    campaign_t *campaign = ctx;
    campaign->control = NULL;
    json_t *failed = json_object();
    text_t error = {0};
    bool ran = trial_state(trial) == TRIAL_RAN &&
               score_read_report(trial_report(trial), failed, &campaign->score.control, &error);
    if (!ran) {
        fprintf(stderr, "phxspec mutants: the run without a fault: %s%s\n", text_str(&error),
                trial_why(trial));
    } else if (json_object_size(failed) > 0 || campaign->score.control == 0) {
        fprintf(stderr,
                "phxspec mutants: without a fault %zu variants pass and %zu fail (%s …): mend that first\n",
                campaign->score.control, json_object_size(failed),
                json_object_size(failed) ? json_object_iter_key(json_object_iter(failed)) : "");
    } else {
        start_more(campaign);
        json_decref(failed);
        trial_free(trial);
        return;
    }
    campaign->control_failed = true;
    json_decref(failed);
    text_free(&error);
    trial_free(trial);
}

/* What has been judged stays, and what is under way ends undecided. */
static void on_interrupt(uv_signal_t *signal, int number)
{
    campaign_t *campaign = signal->data;
    (void)number;
    campaign->interrupted = true;
    if (campaign->control) {
        trial_free(campaign->control);
        campaign->control = NULL;
    }
    for (size_t i = 0; i < campaign->next; i++) {
        if (campaign->trials[i]) {
            trial_free(campaign->trials[i]);
            campaign->trials[i] = NULL;
            score_withdraw(&campaign->score, i);
        }
    }
}

/* The loop does not wait for it. */
static void watch_signal(campaign_t *campaign, uv_signal_t *signal, int number)
{
    uv_signal_init(campaign->setup.loop, signal);
    signal->data = campaign;
    uv_signal_start(signal, on_interrupt, number);
    uv_unref((uv_handle_t *)signal);
}

static void run_trials(campaign_t *campaign)
{
    uv_loop_t *loop = campaign->setup.loop;
    uv_signal_t interrupt, terminate;
    watch_signal(campaign, &interrupt, SIGINT);
    watch_signal(campaign, &terminate, SIGTERM);
    campaign->control = trial_start(&campaign->setup, NULL, NULL, on_control, campaign);
    uv_run(loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&interrupt, NULL);
    uv_close((uv_handle_t *)&terminate, NULL);
    uv_run(loop, UV_RUN_DEFAULT);
}

static int judge(const campaign_t *campaign)
{
    const score_t *score = &campaign->score;
    if (campaign->control_failed || campaign->interrupted || score->by[FATE_BROKEN] > 0) {
        return EXIT_HARNESS;
    }
    if (score->by[FATE_NOT_RUN] == score->len) {
        return EXIT_USE;
    }
    return score->by[FATE_KILLED] + score->by[FATE_NEIGHBOUR] + score->by[FATE_NOT_RUN] == score->len
               ? EXIT_AGREED
               : EXIT_FAILED;
}

static void tell(const campaign_t *campaign)
{
    const score_t *score = &campaign->score;
    if (campaign->interrupted) {
        size_t judged = 0;
        for (int fate = 0; fate < FATES; fate++) {
            judged += score->by[fate];
        }
        fprintf(stderr, "phxspec mutants: interrupted; %zu of %zu mutants were judged%s\n", judged,
                score->len, campaign->options->page ? ", and the page was not written" : "");
    }
    if (score->by[FATE_NOT_RUN] == score->len) {
        fputs(
            "phxspec mutants: none of the mutants chosen was run: their faults are built into a server, and "
            "--spawn says how it is started\n",
            stderr);
    }
    if (!campaign->control_failed) {
        score_print(stdout, score, clock_ms() - campaign->began);
    }
}

/* Before anything is run; what stands in the file stays until there is something better. */
static bool open_page(campaign_t *campaign)
{
    const char *path = campaign->options->page;
    campaign->page = path ? fopen(path, "a") : NULL;
    if (path && !campaign->page) {
        fprintf(stderr, "phxspec mutants: --page %s: %s\n", path, strerror(errno));
    }
    return !path || campaign->page;
}

static bool write_page(const campaign_t *campaign)
{
    /* EINVAL: a pipe, say, which has nothing in it to be replaced */
    bool good = (ftruncate(fileno(campaign->page), 0) == 0 || errno == EINVAL) &&
                score_write_page(campaign->page, &campaign->score, campaign->options->client);
    if (!good) {
        fprintf(stderr, "phxspec mutants: --page %s: %s\n", campaign->options->page, strerror(errno));
    }
    return good;
}

static int run(campaign_t *campaign)
{
    uv_loop_t loop;
    text_t path = {0};
    char self[4096], *folder;
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    const char *temporary = getenv("TMPDIR");
    text_printf(&path, "%s/phxspec-mutants-XXXXXX", temporary && *temporary ? temporary : "/tmp");
    folder = text_take(&path);
    if (len < 0 || !mkdtemp(folder)) {
        fprintf(stderr, "phxspec mutants: %s: %s\n", folder, strerror(errno));
        free(folder);
        return EXIT_HARNESS;
    }
    self[len] = 0;
    uv_loop_init(&loop);
    campaign->setup.loop = &loop;
    campaign->setup.self = self;
    campaign->setup.folder = folder;
    campaign->score.at = mem_new(campaign->count, sizeof *campaign->score.at);
    campaign->score.len = campaign->count;
    campaign->trials = mem_new(campaign->count, sizeof(trial_t *));
    campaign->began = clock_ms();
    run_trials(campaign);
    uv_loop_close(&loop);
    rmdir(folder);
    free(folder);
    int code = judge(campaign);
    tell(campaign);
    if (campaign->page && !campaign->control_failed && !campaign->interrupted && !write_page(campaign)) {
        code = EXIT_HARNESS;
    }
    free(campaign->trials);
    score_free(&campaign->score);
    return code;
}

/* The mutants that were asked for, in the order of the files. False when there is none. */
static bool choose(campaign_t *campaign, const mutants_t *mutants)
{
    campaign->chosen = mem_new(mutants->len, sizeof *campaign->chosen);
    for (size_t i = 0; i < mutants->len; i++) {
        if (campaign->options->run.len == 0 || names_match(&campaign->options->run, mutants->at[i].id)) {
            campaign->chosen[campaign->count++] = &mutants->at[i];
        }
    }
    if (campaign->count == 0) {
        fputs("phxspec mutants: no mutant has such an id\n", stderr);
    }
    return campaign->count > 0;
}

static bool any_proxied(const campaign_t *campaign)
{
    bool any = false;
    for (size_t i = 0; i < campaign->count; i++) {
        any = any || campaign->chosen[i]->proxy;
    }
    return any;
}

static char *mutants_path(const options_t *options)
{
    text_t path = {0};
    text_puts(&path, options->mutants ? options->mutants : suite_folder(NULL));
    text_puts(&path, options->mutants ? "" : options->client ? "/client-mutants" : "/mutants");
    return text_take(&path);
}

/* The server without a fault. False and a message where there is none. */
static bool find_server(const char *string, address_t *server, int *code, text_t *error)
{
    url_t url;
    if (!url_parse(string, &url, error)) {
        *code = EXIT_USE;
        return false;
    }
    *code = EXIT_HARNESS;
    return url_resolve(&url, server, error) && address_probe(server, url.authority, PROBE_MS, error);
}

static int load_and_run(const options_t *options)
{
    campaign_t campaign = {.options = options};
    mutants_t mutants = {0};
    text_t error = {0};
    address_t upstream;
    char *path = mutants_path(options);
    int code = EXIT_USE;
    if ((!options->mutants || command_file("mutants", path, &error)) &&
        mutants_load(&mutants, path, &error) && choose(&campaign, &mutants) && open_page(&campaign) &&
        (options->client || find_server(options->url, &upstream, &code, &error))) {
        campaign.setup = (trial_setup_t){.upstream = options->client ? NULL : &upstream,
                                         .spawn = options->spawn,
                                         .arguments = text_str(&options->arguments),
                                         .mutants = path,
                                         .client = options->client,
                                         .detour = any_proxied(&campaign),
                                         .quick = options->quick};
        code = run(&campaign);
    }
    command_complain("mutants", &error);
    if (campaign.page) {
        fclose(campaign.page);
    }
    free(campaign.chosen);
    free(path);
    mutants_free(&mutants);
    return code;
}

int cmd_mutants(int argc, char **argv)
{
    options_t options = {.jobs = DEFAULT_JOBS};
    int code = EXIT_USE;
    if (read_options(argc, argv, &options)) {
        if (options.help) {
            fputs(usage, stdout);
            code = EXIT_AGREED;
        } else {
            code = load_and_run(&options);
        }
    }
    names_free(&options.run);
    text_free(&options.arguments);
    return code;
}
