/* SPDX-License-Identifier: MIT */
#include "scenario.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const char HELP[] =
    "phxspec-bench: what phxspec-server costs for each message, and how much of it a bare libwebsockets echo "
    "takes,\n"
    "and the kernel alone\n"
    "\n"
    "usage: phxspec-bench [--quick] [--json] [--check] [--run TEXT] SERVER YARDSTICK FLOOR\n"
    "\n"
    "  --quick      a tenth of the clients, and shorter: tells that all works, and little more\n"
    "  --json       one JSON object instead of a table\n"
    "  --check      exit code 1 if a goal is not reached\n"
    "  --run TEXT   only scenarios whose name has TEXT in it; may be given several times\n"
    "\n"
    "Costs are processor time of the server, user and system, the best of three measurements, in turn "
    "with the\n"
    "yardsticks. Everything happens on 127.0.0.1. `ci/bench` builds what it takes and runs it.\n";

enum { MAX_NAMES = 16, QUICK_PART = 10, ROUNDS = 3 };

typedef struct options {
    bool quick;
    bool json;
    bool check;
    const char *names[MAX_NAMES];
    size_t name_count;
    const char *server;
    const char *yardstick;
    const char *floor;
} options_t;

typedef struct row {
    const scenario_t *scenario;
    size_t clients;
    cost_t ours;
    cost_t bare;   /* each is 0: the yardstick cannot do it */
    cost_t kernel; /* the same */
} row_t;

static bool chosen(const options_t *options, const scenario_t *scenario)
{
    for (size_t i = 0; i < options->name_count; i++) {
        if (strstr(scenario->name, options->names[i]) != NULL) {
            return true;
        }
    }
    return options->name_count == 0;
}

static double in_units(const scenario_t *scenario, double each)
{
    return scenario->kind == MEMORY ? each : each / 1000;
}

static double ratio(const row_t *row, const cost_t *yardstick)
{
    return yardstick->each > 0 ? row->ours.each / yardstick->each : 0;
}

static bool within(double value, double goal)
{
    return goal <= 0 || value <= goal;
}

static bool reached(const row_t *row)
{
    const scenario_t *scenario = row->scenario;
    return within(in_units(scenario, row->ours.each), scenario->goal) &&
           within(ratio(row, &row->bare), scenario->goal_bare);
}

/* What else the machine does only adds. */
static void keep_best(cost_t *best, cost_t cost, bool first)
{
    if (first || cost.each < best->each) {
        best->each = cost.each;
    }
    if (cost.per_second > best->per_second) {
        best->per_second = cost.per_second;
    }
}

/* Round after round each has its turn, so that a busy spell of the machine falls on all of them. */
static row_t run_row(const options_t *options, const scenario_t *scenario)
{
    const bool many = scenario->clients > 1000 || scenario->kind == MEMORY;
    const uint64_t run_ns = options->quick ? 100000000 : many ? 900000000 : 500000000;
    const run_t ours = {.program = options->server, .run_ns = run_ns};
    const run_t bare = {.program = options->yardstick, .run_ns = run_ns, .bare = true};
    const run_t kernel = {.program = options->floor, .run_ns = run_ns, .bare = true};
    row_t row = {.scenario = scenario,
                 .clients = options->quick && many ? scenario->clients / QUICK_PART : scenario->clients};
    for (int round = 0; round < (options->quick ? 1 : ROUNDS); round++) {
        keep_best(&row.ours, scenario_run(scenario, row.clients, &ours), round == 0);
        if (scenario_bare(scenario)) {
            keep_best(&row.bare, scenario_run(scenario, row.clients, &bare), round == 0);
        }
        if (scenario->kind == ECHO || scenario->kind == BROADCAST) { /* its memory is the kernel's only */
            keep_best(&row.kernel, scenario_run(scenario, row.clients, &kernel), round == 0);
        }
    }
    return row;
}

/* ---- output ---- */

static void print_number(double number, int width, const char *none)
{
    if (number <= 0) {
        printf("%*s", width, none);
    } else {
        printf("%*.*f", width, number < 100 ? 2 : 0, number);
    }
}

static void print_heading(void)
{
    printf("%-18s %8s  %-20s %8s %5s  %8s %6s %5s  %8s %6s %10s\n", "scenario", "clients", "for each",
           "phxspec", "goal", "bare lws", "ratio", "goal", "kernel", "ratio", "a second");
}

static void print_row(const row_t *row)
{
    const scenario_t *scenario = row->scenario;
    char unit[32];
    snprintf(unit, sizeof unit, "%s, %s", scenario->unit, scenario->kind == MEMORY ? "B" : "µs");
    /* µ is one column and two bytes */
    printf("%-18s %8zu  %-*s", scenario->name, row->clients, scenario->kind == MEMORY ? 20 : 21, unit);
    print_number(in_units(scenario, row->ours.each), 9, "0.00");
    print_number(scenario->goal, 6, "-");
    print_number(in_units(scenario, row->bare.each), 10, "-");
    print_number(ratio(row, &row->bare), 7, "-");
    print_number(scenario->goal_bare, 6, "-");
    print_number(in_units(scenario, row->kernel.each), 10, "-");
    print_number(ratio(row, &row->kernel), 7, "-");
    print_number(row->ours.per_second, 11, "-");
    printf("%s\n", reached(row) ? "" : "  over");
    fflush(stdout);
}

static void print_json_number(const char *name, double number)
{
    if (number > 0) {
        printf(",\"%s\":%.3f", name, number);
    }
}

static void print_json_row(const row_t *row, bool first)
{
    const scenario_t *scenario = row->scenario;
    printf("%s\n{\"scenario\":\"%s\",\"clients\":%zu,\"each\":\"%s\",\"unit\":\"%s\",\"reached\":%s",
           first ? "" : ",", scenario->name, row->clients, scenario->unit,
           scenario->kind == MEMORY ? "B" : "us", reached(row) ? "true" : "false");
    print_json_number("phxspec", in_units(scenario, row->ours.each));
    print_json_number("bare", in_units(scenario, row->bare.each));
    print_json_number("ratio", ratio(row, &row->bare));
    print_json_number("kernel", in_units(scenario, row->kernel.each));
    print_json_number("kernel_ratio", ratio(row, &row->kernel));
    print_json_number("goal", scenario->goal);
    print_json_number("goal_ratio", scenario->goal_bare);
    print_json_number("per_second", row->ours.per_second);
    printf("}");
}

typedef struct range {
    double least;
    double most;
} range_t;

static void widen(range_t *range, double each)
{
    range->least = range->least <= 0 || each < range->least ? each : range->least;
    range->most = each > range->most ? each : range->most;
}

/* How much dearer a message is with the number of clients that suits us least than with the one that suits us
 * best; and the kernel, for what it does not keep flat nobody above it can. */
static void print_scaling(const row_t *rows, size_t count, bool json)
{
    static const scenario_kind_t KINDS[] = {ECHO, BROADCAST};
    static const char *const NAMES[] = {"echo", "broadcast"};
    for (size_t k = 0; k < 2; k++) {
        range_t ours = {0};
        range_t bare = {0};
        range_t kernel = {0};
        size_t scaled = 0;
        for (size_t i = 0; i < count; i++) {
            if (rows[i].scenario->kind == KINDS[k] && rows[i].scenario->window == 1) {
                widen(&ours, rows[i].ours.each);
                widen(&bare, rows[i].bare.each);
                widen(&kernel, rows[i].kernel.each);
                scaled++;
            }
        }
        if (scaled < 2) {
            continue;
        }
        const double scaling[] = {ours.most / ours.least, bare.most / bare.least, kernel.most / kernel.least};
        if (json) {
            printf(",\"scaling_%s\":{\"phxspec\":%.3f,\"bare\":%.3f,\"kernel\":%.3f}", NAMES[k], scaling[0],
                   scaling[1], scaling[2]);
        } else {
            printf(
                "%s: the dearest number of clients costs %.2f times the cheapest (bare lws: %.2f, the kernel "
                "alone: %.2f)\n",
                NAMES[k], scaling[0], scaling[1], scaling[2]);
        }
    }
}

/* ---- the program ---- */

static int wrong(void)
{
    fputs(HELP, stderr);
    return 2;
}

/* Returns -1 to go on, or an exit code. */
static int parse(options_t *options, int argc, char **argv)
{
    static const struct option LONG[] = {
        {"quick", no_argument, NULL, 'q'}, {"json", no_argument, NULL, 'j'},
        {"check", no_argument, NULL, 'c'}, {"run", required_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},  {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "", LONG, NULL)) != -1) {
        if (option == 'q') {
            options->quick = true;
        } else if (option == 'j') {
            options->json = true;
        } else if (option == 'c') {
            options->check = true;
        } else if (option == 'r' && options->name_count < MAX_NAMES) {
            options->names[options->name_count++] = optarg;
        } else if (option == 'h') {
            fputs(HELP, stdout);
            return 0;
        } else {
            return wrong();
        }
    }
    if (argc - optind != 3) {
        return wrong();
    }
    options->server = argv[optind];
    options->yardstick = argv[optind + 1];
    options->floor = argv[optind + 2];
    return -1;
}

static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        if (limit.rlim_max < 10100) {
            fprintf(stderr,
                    "bench: 10 000 clients take more descriptors than the %llu allowed; raise `ulimit -Hn`\n",
                    (unsigned long long)limit.rlim_max);
        }
    }
}

int main(int argc, char **argv)
{
    options_t options = {0};
    const int status = parse(&options, argc, argv);
    if (status >= 0) {
        return status;
    }
    raise_descriptors();
    row_t *rows = calloc(SCENARIO_COUNT, sizeof *rows);
    if (rows == NULL) {
        return 3;
    }
    size_t count = 0;
    bool all_reached = true;
    if (options.json) {
        printf("{\"quick\":%s,\"rows\":[", options.quick ? "true" : "false");
    } else {
        print_heading();
    }
    for (size_t i = 0; i < SCENARIO_COUNT; i++) {
        if (!chosen(&options, &SCENARIOS[i])) {
            continue;
        }
        rows[count] = run_row(&options, &SCENARIOS[i]);
        all_reached = all_reached && reached(&rows[count]);
        if (options.json) {
            print_json_row(&rows[count], count == 0);
        } else {
            print_row(&rows[count]);
        }
        count++;
    }
    if (options.json) {
        printf("]");
    }
    print_scaling(rows, count, options.json);
    if (options.json) {
        printf("}\n");
    }
    free(rows);
    if (count == 0) {
        fprintf(stderr, "bench: --run names no scenario\n");
        return 2;
    }
    return options.check && !all_reached ? 1 : 0;
}
