/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_file.h"
#ifdef PHXS_FAULTS
#include "faults.h"
#endif
#include "settings.h"

static const char INTRODUCTION[] =
    "phxspec-server: the reference server of the Phoenix Channels protocol, with the conformance\n"
    "application\n"
    "\n"
    "usage: phxspec-server [OPTION…]\n"
    "\n"
    "It serves three mounts: /socket (Phoenix' own settings), /tight (short timeouts, small limits)\n"
    "and /sub (subprotocols conf.a and conf.b, no auth token). When it listens it prints one line:\n"
    "    ready http://127.0.0.1:PORT\n"
    "SIGTERM and SIGINT drain it: WebSockets with channels are closed with 1012, waiting polls run to\n"
    "their end. A second signal ends it at once.\n"
    "\n"
    "The server:\n";

static const char MOUNTS[] = "\n"
                             "A mount; options apply to the one named before them, at first to /socket:\n";

static const char END[] =
    "\n"
    "  --help, --version\n"
    "\n"
    "A configuration file is a JSON object: its keys are the options above with underscores\n"
    "({\"max_sessions\": 10}), and \"mounts\" with an object of a mount's options for each path.\n"
    "Options of the command line win.\n"
    "\n"
    "exit: 0 drained, 2 wrong use or a wrong configuration, 3 could not listen\n";

typedef struct option_text {
    struct option_text *next;
    char text[];
} option_text_t;

char *options_keep(options_t *options, const char *text, size_t len)
{
    option_text_t *kept = malloc(sizeof(*kept) + len + 1);
    if (kept == NULL) {
        return NULL;
    }
    memcpy(kept->text, text, len);
    kept->text[len] = '\0';
    kept->next = options->texts;
    options->texts = kept;
    return kept->text;
}

void options_free(options_t *options)
{
    while (options->texts != NULL) {
        option_text_t *kept = options->texts;
        options->texts = kept->next;
        free(kept);
    }
}

/* ---- mounts ---- */

static const setting_t *setting_named(const char *name)
{
    size_t count;
    const setting_t *settings = settings_all(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(settings[i].name, name) == 0) {
            return &settings[i];
        }
    }
    return NULL;
}

option_mount_t *options_mount(options_t *options, const char *path, const char **reason)
{
    for (size_t i = 0; i < options->mount_count; i++) {
        if (strcmp(options->mounts[i].path, path) == 0) {
            return &options->mounts[i];
        }
    }
    if (path[0] != '/' || path[1] == '\0' || strlen(path) >= sizeof(options->mounts[0].path)) {
        *reason = "a path begins with / and is short";
        return NULL;
    }
    if (options->mount_count == MAX_MOUNTS) {
        *reason = "too many mounts";
        return NULL;
    }
    option_mount_t *mount = &options->mounts[options->mount_count];
    snprintf(mount->path, sizeof(mount->path), "%s", path);
    phxs_mount_defaults(&mount->config);
    mount->config.auth_token = true;
    if (!setting_set(setting_named("origins"), options, mount, path,
                     "//localhost,//127.0.0.1,//phxspec.test")) {
        *reason = "memory ran out";
        return NULL;
    }
    options->mount_count++;
    return mount;
}

/* The mounts of the conformance application. */
static bool contract_mounts(options_t *options)
{
    const char *reason;
    option_mount_t *socket = options_mount(options, "/socket", &reason);
    option_mount_t *tight = options_mount(options, "/tight", &reason);
    option_mount_t *sub = options_mount(options, "/sub", &reason);
    if (socket == NULL || tight == NULL || sub == NULL) {
        return false;
    }
    tight->config.websocket_timeout_ms = 1000;
    tight->config.longpoll_window_ms = 300;
    tight->config.longpoll_pubsub_timeout_ms = 500;
    tight->config.max_frame_bytes = 4096;
    tight->config.max_channels = 3;
    sub->config.auth_token = false;
    return setting_set(setting_named("subprotocols"), options, sub, "/sub", "conf.a,conf.b");
}

/* ---- help ---- */

static void print_option(const char *name, const char *argument, const char *help)
{
    char flag[64];
    enum { COLUMN = 32 };
    snprintf(flag, sizeof(flag), "  --%s %s", name, argument);
    printf("%-*s ", COLUMN, flag);
    for (const char *p = help; *p != '\0'; p++) {
        putchar(*p);
        if (*p == '\n') {
            printf("%*s", COLUMN + 1, "");
        }
    }
    putchar('\n');
}

static void print_help(void)
{
    size_t count;
    const setting_t *settings = settings_all(&count);
    fputs(INTRODUCTION, stdout);
    print_option("config", "FILE", "a configuration file, see below");
    for (size_t i = 0; i < count; i++) {
        if (settings[i].of_mount && (i == 0 || !settings[i - 1].of_mount)) {
            fputs(MOUNTS, stdout);
            print_option("mount", "PATH",
                         "the mount that the following options set; a new one has the\nsettings of /socket");
        }
        print_option(settings[i].name, settings[i].argument, settings[i].help);
    }
#ifdef PHXS_FAULTS
    fputs("\nBuilt to misbehave:\n", stdout);
    print_option("fault", "NAME", "breaks a rule; \"list\" lists them");
#endif
    fputs(END, stdout);
}

/* ---- the command line ---- */

enum { OPT_CONFIG = 1000, OPT_MOUNT, OPT_FAULT, OPT_HELP, OPT_VERSION, MAX_OPTIONS = 64 };

/* A setting's code is its place in the table. */
static void list_options(struct option list[MAX_OPTIONS])
{
    static const struct option OTHERS[] = {
        {"config", required_argument, NULL, OPT_CONFIG},
        {"mount", required_argument, NULL, OPT_MOUNT},
#ifdef PHXS_FAULTS
        {"fault", required_argument, NULL, OPT_FAULT},
#endif
        {"help", no_argument, NULL, OPT_HELP},
        {"version", no_argument, NULL, OPT_VERSION},
        {NULL, 0, NULL, 0},
    };
    size_t count;
    const setting_t *settings = settings_all(&count);
    for (size_t i = 0; i < count; i++) {
        list[i] = (struct option){settings[i].name, required_argument, NULL, (int)i};
    }
    memcpy(&list[count], OTHERS, sizeof(OTHERS));
}

static bool set_option(options_t *options, option_mount_t **mount, const struct option *option)
{
    char where[64];
    const char *reason;
    size_t count;
    if (option->val == OPT_CONFIG) {
        return true; /* read before */
    }
    snprintf(where, sizeof(where), "--%s", option->name);
    if (option->val == OPT_MOUNT) {
        *mount = options_mount(options, optarg, &reason);
        return *mount != NULL || setting_wrong(where, optarg, reason);
    }
#ifdef PHXS_FAULTS
    if (option->val == OPT_FAULT) {
        options->fault = optarg;
        return faults_named(optarg) != FAULT_NONE || setting_wrong(where, optarg, "--fault list lists them");
    }
#endif
    return setting_set(&settings_all(&count)[option->val], options, *mount, where, optarg);
}

/* The next option; NULL at their end, or, `*wrong` says so, at what is none. */
static const struct option *next_option(int argc, char **argv, const struct option *list, const char **wrong)
{
    int index = 0;
    const int at = optind > 0 ? optind : 1;
    *wrong = NULL;
    const int code = getopt_long(argc, argv, "", list, &index);
    if (code == '?') {
        *wrong = argv[at];
    }
    return code == -1 || code == '?' ? NULL : &list[index];
}

/* What comes before the settings of the command line, wherever it stands among them. */
static options_outcome_t read_first(options_t *options, int argc, char **argv, const struct option *list)
{
    const char *wrong;
    const struct option *option;
    optind = 0;
    while ((option = next_option(argc, argv, list, &wrong)) != NULL) {
        if (option->val == OPT_HELP) {
            print_help();
            return OPTIONS_DONE;
        }
#ifdef PHXS_FAULTS
        if (option->val == OPT_FAULT && strcmp(optarg, "list") == 0) {
            faults_print(stdout);
            return OPTIONS_DONE;
        }
#endif
        if (option->val == OPT_VERSION) {
            puts("phxspec-server " PHXSPEC_VERSION);
            return OPTIONS_DONE;
        }
        if (option->val == OPT_CONFIG && !config_file_read(options, optarg)) {
            return OPTIONS_WRONG;
        }
    }
    if (wrong != NULL) {
        fprintf(stderr, "phxspec-server: %s: no such option, or its value is missing; --help lists them\n",
                wrong);
        return OPTIONS_WRONG;
    }
    if (optind < argc) {
        fprintf(stderr, "phxspec-server: %s: it takes options only; --help lists them\n", argv[optind]);
        return OPTIONS_WRONG;
    }
    return OPTIONS_RUN;
}

static bool check_together(const options_t *options)
{
    const phxs_config_t *server = &options->server;
    if ((server->tls_cert == NULL) != (server->tls_key == NULL)) {
        fprintf(stderr, "phxspec-server: TLS takes both, --tls-cert and --tls-key\n");
        return false;
    }
    if (server->redis != NULL && strncmp(server->redis, "redis://", 8) != 0) {
        return setting_wrong("--redis", server->redis, "give redis://HOST:PORT");
    }
    if (server->redis != NULL && server->secret == NULL) {
        fprintf(stderr,
                "phxspec-server: --redis: give --secret, too, the same to all nodes: each must know the "
                "others' tokens\n");
        return false;
    }
    return true;
}

options_outcome_t options_parse(options_t *options, int argc, char **argv)
{
    struct option list[MAX_OPTIONS];
    memset(options, 0, sizeof(*options));
    list_options(list);
    if (!contract_mounts(options)) {
        fprintf(stderr, "phxspec-server: memory ran out\n");
        return OPTIONS_WRONG;
    }
    opterr = 0;
    const options_outcome_t outcome = read_first(options, argc, argv, list);
    if (outcome != OPTIONS_RUN) {
        return outcome;
    }
    const char *wrong;
    const struct option *option;
    option_mount_t *mount = &options->mounts[0];
    optind = 0;
    while ((option = next_option(argc, argv, list, &wrong)) != NULL) {
        if (!set_option(options, &mount, option)) {
            return OPTIONS_WRONG;
        }
    }
    return check_together(options) ? OPTIONS_RUN : OPTIONS_WRONG;
}
