/* SPDX-License-Identifier: MIT */
/* phxspec proxy: between a client and a server, with faults from data. */
#include "commands.h"

#include "proxy/mutant.h"
#include "proxy/proxy.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROBE_MS = 1500 };

static const char usage[] =
    "usage: phxspec proxy --upstream URL [--faults FILE] [options]\n"
    "\n"
    "Listens on 127.0.0.1 and passes everything on to the server at URL and back, altered as the faults of "
    "a\n"
    "mutant say (vectors/mutants/README.md). Prints \"ready URL\"; SIGINT and SIGTERM end it.\n"
    "\n"
    "  --upstream URL    the server, http://HOST:PORT\n"
    "  --faults FILE     a file of mutants; without it nothing is altered\n"
    "  --mutant ID       which of them (needed when the file has several); none: nothing is altered\n"
    "  --port N          where it listens (default: 0, a free port)\n";

typedef struct options {
    const char *upstream, *faults, *mutant;
    int port;
    bool help;
} options_t;

static bool read_port(const char *string, int *port)
{
    long value;
    if (!command_number(string, 0, 65535, &value)) {
        fprintf(stderr, "phxspec proxy: --port %s: a number from 0 to 65535 is needed\n", string);
        return false;
    }
    *port = (int)value;
    return true;
}

static bool read_options(int argc, char **argv, options_t *options)
{
    static const struct option known[] = {{"upstream", 1, NULL, 'u'}, {"faults", 1, NULL, 'f'},
                                          {"mutant", 1, NULL, 'm'},   {"port", 1, NULL, 'p'},
                                          {"help", 0, NULL, 'h'},     {NULL, 0, NULL, 0}};
    int option;
    opterr = 0;
    optind = 0;
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case 'u':
            options->upstream = optarg;
            break;
        case 'f':
            options->faults = optarg;
            break;
        case 'm':
            options->mutant = optarg;
            break;
        case 'p':
            if (!read_port(optarg, &options->port)) {
                return false;
            }
            break;
        case 'h':
            options->help = true;
            return true;
        default:
            return command_misread("proxy", argv);
        }
    }
    if (!options->upstream || optind != argc) {
        fputs("phxspec proxy: --upstream URL is needed, and nothing beside the options\n", stderr);
        return false;
    }
    return true;
}

static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    uv_stop(signal->loop);
}

static int serve(const options_t *options, const address_t *upstream, json_t *list)
{
    uv_loop_t loop;
    uv_signal_t interrupt, terminate;
    text_t error = {0};
    uv_loop_init(&loop);
    faults_t *faults = faults_new(list);
    proxy_t *proxy = proxy_start(&loop, options->port, upstream, faults, &error);
    if (proxy) {
        uv_signal_init(&loop, &interrupt);
        uv_signal_init(&loop, &terminate);
        uv_signal_start(&interrupt, on_signal, SIGINT);
        uv_signal_start(&terminate, on_signal, SIGTERM);
        printf("ready http://127.0.0.1:%d\n", proxy_port(proxy));
        fflush(stdout);
        uv_run(&loop, UV_RUN_DEFAULT);
        fprintf(stderr, "phxspec proxy: %zu times something was altered\n", faults_hits(faults));
        uv_close((uv_handle_t *)&interrupt, NULL);
        uv_close((uv_handle_t *)&terminate, NULL);
        proxy_free(proxy);
    } else {
        fprintf(stderr, "phxspec proxy: %s\n", text_str(&error));
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    faults_free(faults);
    text_free(&error);
    return proxy ? EXIT_AGREED : EXIT_HARNESS;
}

static int load_and_serve(const options_t *options)
{
    text_t error = {0};
    url_t url;
    address_t upstream;
    json_t *list = NULL;
    int code = EXIT_USE;
    if (url_parse(options->upstream, &url, &error) &&
        (!options->faults || command_file("faults", options->faults, &error)) &&
        (list = options->faults ? mutants_choose_faults(options->faults, options->mutant, &error)
                                : json_array())) {
        code = EXIT_HARNESS;
        if (url_resolve(&url, &upstream, &error) &&
            address_probe(&upstream, url.authority, PROBE_MS, &error)) {
            code = serve(options, &upstream, list);
        }
    }
    command_complain("proxy", &error);
    json_decref(list);
    return code;
}

int cmd_proxy(int argc, char **argv)
{
    options_t options = {0};
    if (!read_options(argc, argv, &options)) {
        return EXIT_USE;
    }
    if (options.help) {
        fputs(usage, stdout);
        return EXIT_AGREED;
    }
    return load_and_serve(&options);
}
