/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char HELP[] =
    "phxspec-server: the reference server of the Phoenix Channels protocol, with the conformance "
    "application\n"
    "\n"
    "usage: phxspec-server [OPTION…]\n"
    "\n"
    "It serves three mounts: /socket (Phoenix' own settings), /tight (short timeouts, small limits) and "
    "/sub\n"
    "(subprotocols conf.a and conf.b, no auth token). When it listens it prints one line:\n"
    "    ready http://127.0.0.1:PORT\n"
    "SIGTERM and SIGINT drain it: WebSockets with channels are closed with 1012, waiting polls run to their "
    "end. A\n"
    "second signal ends it at once.\n"
    "\n"
    "The server:\n"
    "  --port N                 the port to listen on; 0, the default, takes a free one\n"
    "  --address ADDRESS        the numeric address to listen on (127.0.0.1)\n"
    "  --phoenix RELEASE        follow the rules of this release of Phoenix, 1.6.0 to 1.8.12 (1.8.12)\n"
    "  --secret TEXT            signs long-poll tokens; without it, a random one\n"
    "  --redis URL              joins the nodes that share this Redis: "
    "redis://[[USER]:PASSWORD@]HOST[:PORT]; they "
    "need one\n"
    "                           secret\n"
    "  --cluster NAME           of the nodes on that Redis, those of this name belong together (phxspec)\n"
    "  --node-name NAME         what connect_info tells; without it, one that is unique\n"
    "  --presence-down-ms N     what another node tracks leaves when it was not heard so long (30000)\n"
    "  --max-connections N      more are refused (what the limit of descriptors allows)\n"
    "  --max-queued-bytes N     a client that leaves more unread is dropped (67108864)\n"
    "  --request-timeout-ms N   for a request to be complete, and between requests (60000)\n"
    "\n"
    "A mount; options apply to the one named before them, at first to /socket:\n"
    "  --mount PATH             the mount that the following options set; a new one has the settings of "
    "/socket\n"
    "  --idle-timeout-ms N      a silent WebSocket is closed after this time (60000; /tight 1000)\n"
    "  --window-ms N            how long a poll waits (10000; /tight 300)\n"
    "  --pubsub-timeout-ms N    how long another node may take to say that a long-poll session is its own "
    "(2000; "
    "/tight 500)\n"
    "  --max-channels N         channels per connection or session; 0: no limit (100; /tight 3)\n"
    "  --max-frame-bytes N      the largest WebSocket message (10000000; /tight 4096)\n"
    "  --max-body-bytes N       the largest POST (8000000)\n"
    "  --token-max-age-s N      how long a long-poll session's token is good (1209600)\n"
    "  --origins LIST           allowed origins, parted by commas: //HOST, //*.HOST, //HOST:PORT, "
    "SCHEME://HOST;\n"
    "                           `any` allows all, `host` those of the request's own host\n"
    "                           (//localhost,//127.0.0.1,//phxspec.test)\n"
    "  --auth-token BOOL        take a bearer token from the subprotocols or X-Phoenix-AuthToken (true; /sub "
    "false)\n"
    "  --subprotocols LIST      subprotocols of the mount, the preferred first\n"
    "  --websocket BOOL         serve PATH/websocket (true)\n"
    "  --longpoll BOOL          serve PATH/longpoll (true)\n"
    "\n"
    "  --help, --version\n"
    "\n"
    "exit: 0 drained, 2 wrong use, 3 could not listen\n";

enum option_code {
    OPT_PORT = 256,
    OPT_ADDRESS,
    OPT_PHOENIX,
    OPT_SECRET,
    OPT_REDIS,
    OPT_CLUSTER,
    OPT_NODE_NAME,
    OPT_PRESENCE_DOWN,
    OPT_PUBSUB_TIMEOUT,
    OPT_MAX_CONNECTIONS,
    OPT_MAX_QUEUED_BYTES,
    OPT_REQUEST_TIMEOUT,
    OPT_MOUNT,
    OPT_IDLE_TIMEOUT,
    OPT_WINDOW,
    OPT_MAX_CHANNELS,
    OPT_MAX_FRAME_BYTES,
    OPT_MAX_BODY_BYTES,
    OPT_TOKEN_MAX_AGE,
    OPT_ORIGINS,
    OPT_AUTH_TOKEN,
    OPT_SUBPROTOCOLS,
    OPT_WEBSOCKET,
    OPT_LONGPOLL,
    OPT_HELP,
    OPT_VERSION,
};

static const struct option LONG_OPTIONS[] = {
    {"port", required_argument, NULL, OPT_PORT},
    {"address", required_argument, NULL, OPT_ADDRESS},
    {"phoenix", required_argument, NULL, OPT_PHOENIX},
    {"secret", required_argument, NULL, OPT_SECRET},
    {"redis", required_argument, NULL, OPT_REDIS},
    {"cluster", required_argument, NULL, OPT_CLUSTER},
    {"node-name", required_argument, NULL, OPT_NODE_NAME},
    {"presence-down-ms", required_argument, NULL, OPT_PRESENCE_DOWN},
    {"pubsub-timeout-ms", required_argument, NULL, OPT_PUBSUB_TIMEOUT},
    {"max-connections", required_argument, NULL, OPT_MAX_CONNECTIONS},
    {"max-queued-bytes", required_argument, NULL, OPT_MAX_QUEUED_BYTES},
    {"request-timeout-ms", required_argument, NULL, OPT_REQUEST_TIMEOUT},
    {"mount", required_argument, NULL, OPT_MOUNT},
    {"idle-timeout-ms", required_argument, NULL, OPT_IDLE_TIMEOUT},
    {"window-ms", required_argument, NULL, OPT_WINDOW},
    {"max-channels", required_argument, NULL, OPT_MAX_CHANNELS},
    {"max-frame-bytes", required_argument, NULL, OPT_MAX_FRAME_BYTES},
    {"max-body-bytes", required_argument, NULL, OPT_MAX_BODY_BYTES},
    {"token-max-age-s", required_argument, NULL, OPT_TOKEN_MAX_AGE},
    {"origins", required_argument, NULL, OPT_ORIGINS},
    {"auth-token", required_argument, NULL, OPT_AUTH_TOKEN},
    {"subprotocols", required_argument, NULL, OPT_SUBPROTOCOLS},
    {"websocket", required_argument, NULL, OPT_WEBSOCKET},
    {"longpoll", required_argument, NULL, OPT_LONGPOLL},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

static bool wrong(const char *option, const char *value, const char *wanted)
{
    fprintf(stderr, "phxspec-server: --%s %s: %s\n", option, value, wanted);
    return false;
}

static bool parse_number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < min || value > max) {
        fprintf(stderr, "phxspec-server: --%s %s: give a whole number from %llu to %llu\n", option, text,
                (unsigned long long)min, (unsigned long long)max);
        return false;
    }
    *number = value;
    return true;
}

static bool parse_size(const char *option, const char *text, size_t min, size_t *size)
{
    uint64_t number = 0;
    bool good = parse_number(option, text, min, (uint64_t)1 << 40, &number);
    *size = (size_t)number;
    return good;
}

static bool parse_ms(const char *option, const char *text, uint64_t *ms)
{
    return parse_number(option, text, 1, 86400000, ms);
}

static bool parse_bool(const char *option, const char *text, bool *value)
{
    *value = strcmp(text, "true") == 0;
    return *value || strcmp(text, "false") == 0 || wrong(option, text, "give true or false");
}

static bool is_address(const char *text)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    return uv_ip4_addr(text, 0, &v4) == 0 || uv_ip6_addr(text, 0, &v6) == 0;
}

static bool is_name(const char *text, size_t max)
{
    static const char ALLOWED[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:@";
    size_t len = strspn(text, ALLOWED);
    return len > 0 && len <= max && text[len] == '\0';
}

/* Splits a copy of `text`, which `*owned` keeps, into `list`. */
static bool parse_list(const char *option, const char *text, char **owned, const char *list[MAX_LIST + 1])
{
    free(*owned);
    *owned = strdup(text);
    size_t count = 0;
    char *rest = NULL;
    for (char *item = *owned != NULL ? strtok_r(*owned, ",", &rest) : NULL; item != NULL;
         item = strtok_r(NULL, ",", &rest)) {
        if (count == MAX_LIST) {
            return wrong(option, text, "too many elements");
        }
        list[count++] = item;
    }
    list[count] = NULL;
    return count > 0 || wrong(option, text, "give at least one element");
}

static bool parse_origins(option_mount_t *mount, const char *text)
{
    mount->config.check_origin = strcmp(text, "any") != 0;
    mount->config.origins = NULL;
    if (!mount->config.check_origin || strcmp(text, "host") == 0) {
        return true;
    }
    if (!parse_list("origins", text, &mount->origins_text, mount->origins)) {
        return false;
    }
    for (const char *const *origin = mount->origins; *origin != NULL; origin++) {
        if (strstr(*origin, "//") == NULL) {
            return wrong("origins", *origin, "an origin begins with // or with a scheme and ://");
        }
    }
    mount->config.origins = mount->origins;
    return true;
}

static bool parse_subprotocols(option_mount_t *mount, const char *text)
{
    mount->config.subprotocols = mount->subprotocols;
    return parse_list("subprotocols", text, &mount->subprotocols_text, mount->subprotocols);
}

/* The mount at `path`, made if there is none yet. */
static option_mount_t *mount_at(options_t *options, const char *path)
{
    for (size_t i = 0; i < options->mount_count; i++) {
        if (strcmp(options->mounts[i].path, path) == 0) {
            return &options->mounts[i];
        }
    }
    if (path[0] != '/' || path[1] == '\0' || strlen(path) >= sizeof(options->mounts[0].path)) {
        wrong("mount", path, "a path begins with / and is short");
        return NULL;
    }
    if (options->mount_count == MAX_MOUNTS) {
        wrong("mount", path, "too many mounts");
        return NULL;
    }
    option_mount_t *mount = &options->mounts[options->mount_count];
    snprintf(mount->path, sizeof(mount->path), "%s", path);
    phxs_mount_defaults(&mount->config);
    mount->config.auth_token = true;
    if (!parse_origins(mount, "//localhost,//127.0.0.1,//phxspec.test")) {
        return NULL;
    }
    options->mount_count++;
    return mount;
}

static bool contract_mounts(options_t *options)
{
    option_mount_t *socket = mount_at(options, "/socket");
    option_mount_t *tight = mount_at(options, "/tight");
    option_mount_t *sub = mount_at(options, "/sub");
    if (socket == NULL || tight == NULL || sub == NULL) {
        return false;
    }
    tight->config.websocket_timeout_ms = 1000;
    tight->config.longpoll_window_ms = 300;
    tight->config.longpoll_pubsub_timeout_ms = 500;
    tight->config.max_frame_bytes = 4096;
    tight->config.max_channels = 3;
    sub->config.auth_token = false;
    return parse_subprotocols(sub, "conf.a,conf.b");
}

static bool parse_one(options_t *options, option_mount_t **mount, int code, const char *name,
                      const char *value)
{
    phxs_mount_config_t *config = &(*mount)->config;
    uint64_t number = 0;
    switch (code) {
    case OPT_PORT:
        if (!parse_number(name, value, 0, 65535, &number)) {
            return false;
        }
        options->server.port = (uint16_t)number;
        return true;
    case OPT_ADDRESS:
        options->server.address = value;
        return is_address(value) || wrong(name, value, "give a numeric address, like 127.0.0.1 or ::1");
    case OPT_PHOENIX:
        options->server.phoenix = value;
        return phxs_release_known(value) ||
               wrong(name, value, "give a release of Phoenix from 1.6.0 to 1.8.12, like 1.8.11");
    case OPT_SECRET:
        options->server.secret = value;
        return true;
    case OPT_REDIS:
        options->server.redis = value;
        return strncmp(value, "redis://", 8) == 0 || wrong(name, value, "give redis://HOST:PORT");
    case OPT_CLUSTER:
        options->server.cluster = value;
        return is_name(value, 64) || wrong(name, value, "give 1 to 64 letters, digits, and . _ - : @");
    case OPT_NODE_NAME:
        options->server.node_name = value;
        return is_name(value, 64) || wrong(name, value, "give 1 to 64 letters, digits, and . _ - : @");
    case OPT_PRESENCE_DOWN:
        return parse_number(name, value, 100, 86400000, &options->server.presence_down_ms);
    case OPT_PUBSUB_TIMEOUT:
        return parse_ms(name, value, &config->longpoll_pubsub_timeout_ms);
    case OPT_MAX_CONNECTIONS:
        return parse_size(name, value, 1, &options->server.max_connections);
    case OPT_MAX_QUEUED_BYTES:
        return parse_size(name, value, 1, &options->server.max_queued_bytes);
    case OPT_REQUEST_TIMEOUT:
        return parse_ms(name, value, &options->server.request_timeout_ms);
    case OPT_MOUNT:
        *mount = mount_at(options, value);
        return *mount != NULL;
    case OPT_IDLE_TIMEOUT:
        return parse_ms(name, value, &config->websocket_timeout_ms);
    case OPT_WINDOW:
        return parse_ms(name, value, &config->longpoll_window_ms);
    case OPT_MAX_CHANNELS:
        return parse_size(name, value, 0, &config->max_channels);
    case OPT_MAX_FRAME_BYTES:
        return parse_size(name, value, 1, &config->max_frame_bytes);
    case OPT_MAX_BODY_BYTES:
        return parse_size(name, value, 1, &config->max_body_bytes);
    case OPT_TOKEN_MAX_AGE:
        return parse_number(name, value, 1, 10000000000, &config->token_max_age_s);
    case OPT_ORIGINS:
        return parse_origins(*mount, value);
    case OPT_AUTH_TOKEN:
        return parse_bool(name, value, &config->auth_token);
    case OPT_SUBPROTOCOLS:
        return parse_subprotocols(*mount, value);
    case OPT_WEBSOCKET:
        return parse_bool(name, value, &config->websocket);
    case OPT_LONGPOLL:
        return parse_bool(name, value, &config->longpoll);
    default:
        return false;
    }
}

options_outcome_t options_parse(options_t *options, int argc, char **argv)
{
    memset(options, 0, sizeof(*options));
    if (!contract_mounts(options)) {
        fprintf(stderr, "phxspec-server: memory ran out\n");
        return OPTIONS_WRONG;
    }
    option_mount_t *mount = &options->mounts[0];
    opterr = 0;
    for (;;) {
        int index = 0;
        int at = optind;
        int code = getopt_long(argc, argv, "", LONG_OPTIONS, &index);
        if (code == -1) {
            break;
        }
        if (code == OPT_HELP) {
            fputs(HELP, stdout);
            return OPTIONS_DONE;
        }
        if (code == OPT_VERSION) {
            puts("phxspec-server " PHXSPEC_VERSION);
            return OPTIONS_DONE;
        }
        if (code == '?') {
            fprintf(stderr,
                    "phxspec-server: %s: no such option, or its value is missing; --help lists them\n",
                    argv[at]);
            return OPTIONS_WRONG;
        }
        if (!parse_one(options, &mount, code, LONG_OPTIONS[index].name, optarg)) {
            return OPTIONS_WRONG;
        }
    }
    if (options->server.redis != NULL && options->server.secret == NULL) {
        fprintf(stderr,
                "phxspec-server: --redis: give --secret, too, the same to all nodes: each must know the "
                "others' tokens\n");
        return OPTIONS_WRONG;
    }
    if (optind < argc) {
        fprintf(stderr, "phxspec-server: %s: it takes options only; --help lists them\n", argv[optind]);
        return OPTIONS_WRONG;
    }
    return OPTIONS_RUN;
}

void options_free(options_t *options)
{
    for (size_t i = 0; i < MAX_MOUNTS; i++) {
        free(options->mounts[i].origins_text);
        free(options->mounts[i].subprotocols_text);
    }
}
