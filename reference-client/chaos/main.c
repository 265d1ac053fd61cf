/* SPDX-License-Identifier: MIT */
/*
 * chaos: the reference client against a server, through a proxy that refuses, delays, splits, stalls and cuts
 * connections as a seed says. ci/chaos starts it with the reference server.
 *
 *     chaos PORT [ROUNDS [SEED [ONLY]]]
 *
 * Built with the option `faults`, its clients have the one that CHAOS_FAULT names.
 */
#include "round.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { AT_ONCE = 40, MOST_TOLD = 5 };

typedef struct campaign {
    uv_loop_t loop;
    int server;
    uint64_t seed;
    unsigned next;
    unsigned end;
    unsigned under_way;
    unsigned wrong;
    round_counts_t sum;
#ifdef PHXC_FAULTS
    phxc_fault_t fault;
#endif
} campaign_t;

static void start_more(campaign_t *campaign);

static void add(round_counts_t *sum, const round_counts_t *more)
{
    sum->pushes += more->pushes;
    sum->replied += more->replied;
    sum->unmatched += more->unmatched;
    sum->timed_out += more->timed_out;
    sum->cancelled += more->cancelled;
    sum->received += more->received;
    sum->outages += more->outages;
    sum->weather.connections += more->weather.connections;
    sum->weather.refused += more->weather.refused;
    sum->weather.cut += more->weather.cut;
    sum->weather.stalled += more->weather.stalled;
}

static void on_over(void *user, round_t *round)
{
    campaign_t *campaign = user;
    const round_counts_t counts = round_counts(round);
    add(&campaign->sum, &counts);
    if (round_wrong(round) != NULL && campaign->wrong++ < MOST_TOLD) {
        printf("round %u: %s\n", round_number(round), round_wrong(round));
        round_tell(round, stdout);
        printf("again: ci/chaos BUILD_FOLDER 1 %" PRIu64 " %u\n", campaign->seed, round_number(round));
    }
    round_free(round);
    campaign->under_way--;
    start_more(campaign);
}

static void start_more(campaign_t *campaign)
{
    while (campaign->next < campaign->end && campaign->under_way < AT_ONCE) {
        const unsigned number = campaign->next++;
        round_t *round =
            round_start(&campaign->loop, campaign->server, campaign->seed, number, on_over, campaign);
        if (round == NULL) {
            printf("round %u: could not begin\n", number);
            campaign->wrong++;
            return;
        }
#ifdef PHXC_FAULTS
        round_break(round, campaign->fault);
#endif
        campaign->under_way++;
    }
}

static bool read_number(const char *text, uint64_t most, uint64_t *number)
{
    char *end = NULL;
    *number = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && *number <= most;
}

int main(int argc, char **argv)
{
    uint64_t numbers[4] = {0, 1000, (uint64_t)time(NULL), 0};
    for (int i = 1; i < argc; i++) {
        if (argc > 5 || !read_number(argv[i],
                                     i == 1   ? 65535
                                     : i == 3 ? UINT64_MAX
                                              : 1000000,
                                     &numbers[i - 1])) {
            argc = 0;
        }
    }
    campaign_t campaign = {.server = (int)numbers[0], .seed = numbers[2]};
    if (argc < 2 || uv_loop_init(&campaign.loop) != 0) {
        (void)fprintf(stderr, "usage: chaos PORT [ROUNDS [SEED [ONLY]]]\n");
        return 2;
    }
#ifdef PHXC_FAULTS
    const char *fault = getenv("CHAOS_FAULT");
    if (fault != NULL && !phxc_fault_find(fault, &campaign.fault)) {
        (void)fprintf(stderr, "chaos: CHAOS_FAULT=%s: there is none of this name\n", fault);
        return 2;
    }
#endif
    (void)signal(SIGPIPE, SIG_IGN); /* the weather writes to both sides by libuv */
    const bool only = argc == 5;
    campaign.next = only ? (unsigned)numbers[3] : 0;
    campaign.end = campaign.next + (only ? 1 : (unsigned)numbers[1]);
    printf("chaos: %u rounds, seed %" PRIu64 "\n", campaign.end - campaign.next, campaign.seed);
    (void)fflush(stdout);
    const uint64_t began = uv_hrtime();
    start_more(&campaign);
    (void)uv_run(&campaign.loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&campaign.loop);
    const round_counts_t *sum = &campaign.sum;
    printf("%u of %u rounds went wrong (%.0f s): %u pushes, %u replied (%u unmatched), %u timed out, %u "
           "cancelled; %u "
           "broadcasts "
           "received; %u outages of %u connections, %u refused, %u cut, %u stalled\n",
           campaign.wrong, campaign.end - (only ? (unsigned)numbers[3] : 0),
           (double)(uv_hrtime() - began) / 1e9, sum->pushes, sum->replied, sum->unmatched, sum->timed_out,
           sum->cancelled, sum->received, sum->outages, sum->weather.connections, sum->weather.refused,
           sum->weather.cut, sum->weather.stalled);
    return campaign.wrong > 0 ? 1 : 0;
}
