/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES ((uint64_t)1 << 40)
#define MAX_MS 86400000u
#define MAX_COUNT 100000000u

#define SERVER(field) .of_mount = false, .offset = offsetof(phxs_config_t, field)
#define MOUNT(field) .of_mount = true, .offset = offsetof(phxs_mount_config_t, field)
#define BYTES(least) .argument = "N", .kind = SETTING_SIZE, .min = (least), .max = MAX_BYTES
#define COUNT(least) .argument = "N", .kind = SETTING_SIZE, .min = (least), .max = MAX_COUNT
#define MS .argument = "N", .kind = SETTING_NUMBER, .min = 1, .max = MAX_MS
#define BOOL .argument = "BOOL", .kind = SETTING_BOOL

static const setting_t SETTINGS[] = {
    {"port", SERVER(port), .argument = "N", .kind = SETTING_PORT, .max = 65535,
     .help = "the port to listen on; 0, the default, takes a free one"},
    {"address", SERVER(address), .argument = "ADDRESS", .kind = SETTING_ADDRESS,
     .help = "the numeric address to listen on (127.0.0.1)"},
    {"reuse-port", SERVER(reuse_port), BOOL,
     .help = "several processes listen on the port, all with this, and with the\n"
             "same --redis and --secret are one server (false)"},
    {"phoenix", SERVER(phoenix), .argument = "RELEASE", .kind = SETTING_RELEASE,
     .help = "follow the rules of this release of Phoenix, 1.6.0 to 1.8.12\n"
             "(1.8.12)"},
    {"tls-cert", SERVER(tls_cert), .argument = "FILE", .kind = SETTING_TEXT,
     .help = "speak TLS only, with this chain of certificates (PEM)"},
    {"tls-key", SERVER(tls_key), .argument = "FILE", .kind = SETTING_TEXT,
     .help = "the key of the certificate (PEM)"},
    {"secret", SERVER(secret), .argument = "TEXT", .kind = SETTING_TEXT,
     .help = "signs long-poll tokens; without it, a random one"},
    {"redis", SERVER(redis), .argument = "URL", .kind = SETTING_TEXT,
     .help = "joins the nodes that share this Redis and their secret:\n"
             "redis://[[USER]:PASSWORD@]HOST[:PORT]"},
    {"cluster", SERVER(cluster), .argument = "NAME", .kind = SETTING_NAME,
     .help = "of the nodes on that Redis, those of this name belong together\n"
             "(phxspec)"},
    {"node-name", SERVER(node_name), .argument = "NAME", .kind = SETTING_NAME,
     .help = "what connect_info tells; without it, one that is unique"},
    {"presence-down-ms", SERVER(presence_down_ms), .argument = "N", .kind = SETTING_NUMBER, .min = 100,
     .max = MAX_MS, .help = "what another node tracks leaves when it is silent so long (30000)"},
    {"max-connections", SERVER(max_connections), COUNT(1),
     .help = "more are refused (what the limit of descriptors allows)"},
    {"max-sessions", SERVER(max_sessions), COUNT(1),
     .help = "long-poll sessions; who asks for more gets 503 (100000)"},
    {"max-queued-bytes", SERVER(max_queued_bytes), BYTES(1),
     .help = "a client that leaves more unread is dropped (67108864)"},
    {"max-longpoll-bytes", SERVER(max_longpoll_bytes), BYTES(1),
     .help = "a session that lets more pile up between polls ends; an answer\n"
             "with it must fit into the limit before (16777216)"},
    {"max-total-queued-bytes", SERVER(max_total_queued_bytes), BYTES(1),
     .help = "when all clients together leave more unread, those with\n"
             "most of it are dropped (536870912)"},
    {"max-total-received-bytes", SERVER(max_total_received_bytes), BYTES(1),
     .help = "who sends a part of a message or request when all such parts\n"
             "together take more is dropped; the first 64 kB of each do not\n"
             "count (536870912)"},
    {"max-head-bytes", SERVER(max_head_bytes), .argument = "N", .kind = SETTING_SIZE, .min = 256,
     .max = 1 << 24, .help = "of a request: its line with the query, and its headers (65536)"},
    {"max-headers", SERVER(max_headers), .argument = "N", .kind = SETTING_SIZE, .min = 1, .max = 10000,
     .help = "of a request (100)"},
    {"head-timeout-ms", SERVER(head_timeout_ms), MS,
     .help = "for the head of a request to be complete, from connecting or\n"
             "from its first byte; with TLS for the handshake, too (15000)"},
    {"request-timeout-ms", SERVER(request_timeout_ms), MS,
     .help = "for the body of a request to be complete, and between requests\n"
             "(60000)"},

    {"idle-timeout-ms", MOUNT(websocket_timeout_ms), MS,
     .help = "a silent WebSocket is closed after this time (60000; /tight 1000)"},
    {"window-ms", MOUNT(longpoll_window_ms), MS, .help = "how long a poll waits (10000; /tight 300)"},
    {"pubsub-timeout-ms", MOUNT(longpoll_pubsub_timeout_ms), MS,
     .help = "for another node to say that a long-poll session is its own\n"
             "(2000; /tight 500)"},
    {"max-channels", MOUNT(max_channels), COUNT(0),
     .help = "channels per connection or session; 0: no limit (100; /tight 3)"},
    {"max-frame-bytes", MOUNT(max_frame_bytes), BYTES(1),
     .help = "the largest WebSocket message (10000000; /tight 4096)"},
    {"max-body-bytes", MOUNT(max_body_bytes), BYTES(1), .help = "the largest POST (8000000)"},
    {"token-max-age-s", MOUNT(token_max_age_s), .argument = "N", .kind = SETTING_NUMBER, .min = 1,
     .max = 10000000000, .help = "how long a long-poll session's token is good (1209600)"},
    {"origins", .of_mount = true, .argument = "LIST", .kind = SETTING_ORIGINS,
     .help = "allowed origins, parted by commas: //HOST, //*.HOST, //HOST:PORT,\n"
             "SCHEME://HOST; or `any`: all; `host`: those of the request's\n"
             "own host; `conn`: those of its scheme, host and port\n"
             "(//localhost,//127.0.0.1,//phxspec.test)"},
    {"auth-token", MOUNT(auth_token), BOOL,
     .help = "take a bearer token from the subprotocols or X-Phoenix-AuthToken\n"
             "(true; /sub false)"},
    {"subprotocols", .of_mount = true, .argument = "LIST", .kind = SETTING_SUBPROTOCOLS,
     .help = "subprotocols of the mount, the preferred first"},
    {"websocket", MOUNT(websocket), BOOL, .help = "serve PATH/websocket (true)"},
    {"longpoll", MOUNT(longpoll), BOOL, .help = "serve PATH/longpoll (true)"},
};

const setting_t *settings_all(size_t *count)
{
    *count = sizeof(SETTINGS) / sizeof(SETTINGS[0]);
    return SETTINGS;
}

bool setting_wrong(const char *where, const char *text, const char *wanted)
{
    fprintf(stderr, "phxspec-server: %s %s: %s\n", where, text, wanted);
    return false;
}

static bool parse_number(const setting_t *setting, const char *where, const char *text, uint64_t *number)
{
    char wanted[80];
    char *end = NULL;
    errno = 0;
    *number = strtoull(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *number >= setting->min &&
        *number <= setting->max) {
        return true;
    }
    snprintf(wanted, sizeof(wanted), "give a whole number from %" PRIu64 " to %" PRIu64, setting->min,
             setting->max);
    return setting_wrong(where, text, wanted);
}

static bool is_address(const char *text)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    return uv_ip4_addr(text, 0, &v4) == 0 || uv_ip6_addr(text, 0, &v6) == 0;
}

static bool is_name(const char *text)
{
    static const char ALLOWED[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:@";
    size_t len = strspn(text, ALLOWED);
    return len > 0 && len <= 64 && text[len] == '\0';
}

static bool out_of_memory(const char *where, const char *text)
{
    return setting_wrong(where, text, "memory ran out");
}

/* Splits a copy of `text` into `list`. */
static bool parse_list(options_t *options, const char *where, const char *text,
                       const char *list[MAX_LIST + 1])
{
    size_t count = 0;
    char *rest = options_keep(options, text, strlen(text));
    if (rest == NULL) {
        return out_of_memory(where, text);
    }
    for (char *item = strtok_r(rest, ",", &rest); item != NULL; item = strtok_r(NULL, ",", &rest)) {
        if (count == MAX_LIST) {
            return setting_wrong(where, text, "too many elements");
        }
        list[count++] = item;
    }
    list[count] = NULL;
    return count > 0 || setting_wrong(where, text, "give at least one element");
}

static bool parse_origins(options_t *options, option_mount_t *mount, const char *where, const char *text)
{
    phxs_mount_config_t *config = &mount->config;
    config->check_origin = strcmp(text, "any") != 0;
    config->same_connection = strcmp(text, "conn") == 0;
    config->origins = NULL;
    if (!config->check_origin || config->same_connection || strcmp(text, "host") == 0) {
        return true;
    }
    if (!parse_list(options, where, text, mount->origins)) {
        return false;
    }
    for (const char *const *origin = mount->origins; *origin != NULL; origin++) {
        const char *slashes = strstr(*origin, "//");
        if (slashes == NULL || slashes[2] == '\0' || slashes[2] == '/') {
            return setting_wrong(where, *origin, "an origin is //HOST or SCHEME://HOST");
        }
    }
    config->origins = mount->origins;
    return true;
}

static bool parse_bool(const char *where, const char *text, bool *value)
{
    *value = strcmp(text, "true") == 0;
    return *value || strcmp(text, "false") == 0 || setting_wrong(where, text, "give true or false");
}

static bool keep_text(options_t *options, const char *where, const char *text, const char **field)
{
    *field = options_keep(options, text, strlen(text));
    return *field != NULL || out_of_memory(where, text);
}

bool setting_set(const setting_t *setting, options_t *options, option_mount_t *mount, const char *where,
                 const char *text)
{
    char *base = setting->of_mount ? (char *)&mount->config : (char *)&options->server;
    void *field = base + setting->offset;
    uint64_t number = 0;
    switch (setting->kind) {
    case SETTING_NUMBER:
        return parse_number(setting, where, text, field);
    case SETTING_SIZE:
        if (!parse_number(setting, where, text, &number)) {
            return false;
        }
        *(size_t *)field = (size_t)number;
        return true;
    case SETTING_PORT:
        if (!parse_number(setting, where, text, &number)) {
            return false;
        }
        *(uint16_t *)field = (uint16_t)number;
        return true;
    case SETTING_BOOL:
        return parse_bool(where, text, field);
    case SETTING_TEXT:
        return text[0] != '\0' ? keep_text(options, where, text, field)
                               : setting_wrong(where, text, "is empty");
    case SETTING_NAME:
        return is_name(text) ? keep_text(options, where, text, field)
                             : setting_wrong(where, text, "give 1 to 64 letters, digits, and . _ - : @");
    case SETTING_RELEASE:
        return phxs_release_known(text)
                   ? keep_text(options, where, text, field)
                   : setting_wrong(where, text,
                                   "give a release of Phoenix from 1.6.0 to 1.8.12, like 1.8.11");
    case SETTING_ADDRESS:
        return is_address(text) ? keep_text(options, where, text, field)
                                : setting_wrong(where, text, "give a numeric address, like 127.0.0.1 or ::1");
    case SETTING_ORIGINS:
        return parse_origins(options, mount, where, text);
    case SETTING_SUBPROTOCOLS:
        mount->config.subprotocols = mount->subprotocols;
        return parse_list(options, where, text, mount->subprotocols);
    }
    return false;
}
