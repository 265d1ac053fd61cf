/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "phx/json.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char HELP[] =
    "phxspec-client: talks to a Phoenix Channels server from the command line\n"
    "\n"
    "usage: phxspec-client [OPTION…] URL [OPTION…] [COMMAND…]\n"
    "\n"
    "    phxspec-client ws://localhost:4000/socket join room:lobby push new_msg '{\"body\":\"hi\"}' watch\n"
    "\n"
    "URL is where the socket is mounted: ws://, wss://, http:// or https://, without /websocket or "
    "/longpoll.\n"
    "Commands come one after the other on the command line, or, without any there, line by line on stdin. "
    "Each\n"
    "begins when the one before is done.\n"
    "\n"
    "Commands; a PAYLOAD is JSON ({} if there is none), or base64:… for bytes:\n"
    "  join TOPIC [PAYLOAD]     joins, and makes TOPIC the one that the following commands are about\n"
    "  topic TOPIC              goes back to a topic that was joined before\n"
    "  push EVENT [PAYLOAD]     pushes and waits for the reply\n"
    "  send EVENT [PAYLOAD]     pushes and does not wait\n"
    "  expect EVENT             waits for the next message with that event\n"
    "  presence                 prints who is there, now and whenever it changes\n"
    "  leave                    leaves the topic\n"
    "  ping                     measures the time of a heartbeat\n"
    "  sleep MS                 goes on receiving for that time\n"
    "  disconnect [CODE]        ends the connection; `connect` begins a new one\n"
    "  watch                    goes on receiving until Ctrl-C\n"
    "On the command line the first command that fails is the last; those on stdin all run.\n"
    "\n"
    "The connection:\n"
    "  --param KEY=VALUE        a connect parameter; may be given several times\n"
    "  --params JSON            all connect parameters, an object\n"
    "  --token TEXT             a bearer token; --token-file FILE reads it from a file\n"
    "  --header 'NAME: VALUE'   a header for all requests; may be given several times\n"
    "  --vsn VERSION            the serializer: 2.0.0 (default) or 1.0.0\n"
    "  --transport NAME         websocket (default) or longpoll\n"
    "  --fallback MS            goes over to long-poll if the WebSocket does not work within this time\n"
    "  --token-in PLACE         the token of a long-poll session: query (default), header, or both\n"
    "  --ca-file FILE           the certificates to trust, instead of the system's\n"
    "  --insecure               trust any certificate\n"
    "  --retry                  tries on when the first connection fails, too\n"
    "\n"
    "Times, in milliseconds:\n"
    "  --timeout MS             for a join or a push to be answered (10000)\n"
    "  --connect-timeout MS     for a WebSocket to open (20000)\n"
    "  --heartbeat MS           between heartbeats, and for one to be answered (30000)\n"
    "  --poll-timeout MS        for a poll or POST to be answered (20000)\n"
    "  --reconnect MS,…         delays before attempts; the last goes on\n"
    "                           (10,50,100,150,200,250,500,1000,2000,5000)\n"
    "  --rejoin MS,…            delays before rejoins (1000,2000,5000,10000)\n"
    "\n"
    "Output:\n"
    "  --json                   a JSON object per line\n"
    "  --raw                    the messages themselves, too, as they are sent and received\n"
    "\n"
    "  --driver                 takes JSON commands from a harness instead, see harness/DRIVER.md\n"
#ifdef PHXC_FAULTS
    "  --fault NAME             the driver: with this fault; `list` lists them, `none` is none\n"
#endif
    "\n"
    "  --help, --version\n"
    "\n"
    "exit: 0 all went well, 1 a join was refused, a push got another status than ok, a time ran out, or a "
    "signal\n"
    "ended what was not `watch`, 2 wrong use, 3 no connection, or stdout takes nothing\n";

enum option_code {
    OPT_PARAM = 256,
    OPT_PARAMS,
    OPT_TOKEN,
    OPT_TOKEN_FILE,
    OPT_HEADER,
    OPT_VSN,
    OPT_TRANSPORT,
    OPT_FALLBACK,
    OPT_TOKEN_IN,
    OPT_CA_FILE,
    OPT_INSECURE,
    OPT_RETRY,
    OPT_TIMEOUT,
    OPT_CONNECT_TIMEOUT,
    OPT_HEARTBEAT,
    OPT_POLL_TIMEOUT,
    OPT_RECONNECT,
    OPT_REJOIN,
    OPT_DRIVER,
    OPT_FAULT,
    OPT_JSON,
    OPT_RAW,
    OPT_HELP,
    OPT_VERSION,
};

static const struct option LONG_OPTIONS[] = {
    {"param", required_argument, NULL, OPT_PARAM},
    {"params", required_argument, NULL, OPT_PARAMS},
    {"token", required_argument, NULL, OPT_TOKEN},
    {"token-file", required_argument, NULL, OPT_TOKEN_FILE},
    {"header", required_argument, NULL, OPT_HEADER},
    {"vsn", required_argument, NULL, OPT_VSN},
    {"transport", required_argument, NULL, OPT_TRANSPORT},
    {"fallback", required_argument, NULL, OPT_FALLBACK},
    {"token-in", required_argument, NULL, OPT_TOKEN_IN},
    {"ca-file", required_argument, NULL, OPT_CA_FILE},
    {"insecure", no_argument, NULL, OPT_INSECURE},
    {"retry", no_argument, NULL, OPT_RETRY},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"connect-timeout", required_argument, NULL, OPT_CONNECT_TIMEOUT},
    {"heartbeat", required_argument, NULL, OPT_HEARTBEAT},
    {"poll-timeout", required_argument, NULL, OPT_POLL_TIMEOUT},
    {"reconnect", required_argument, NULL, OPT_RECONNECT},
    {"rejoin", required_argument, NULL, OPT_REJOIN},
    {"driver", no_argument, NULL, OPT_DRIVER},
#ifdef PHXC_FAULTS
    {"fault", required_argument, NULL, OPT_FAULT},
#endif
    {"json", no_argument, NULL, OPT_JSON},
    {"raw", no_argument, NULL, OPT_RAW},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

static bool wrong(const char *option, const char *value, const char *wanted)
{
    (void)fprintf(stderr, "phxspec-client: --%s %s: %s\n", option, value, wanted);
    return false;
}

static bool parse_ms(const char *option, const char *text, const char **end, uint64_t *ms)
{
    char *after = NULL;
    errno = 0;
    const unsigned long long value = strtoull(text, &after, 10);
    if (text[0] < '0' || text[0] > '9' || errno != 0 || value > 86400000 ||
        (end == NULL ? *after != '\0' || value == 0 : *after != '\0' && *after != ',')) {
        return wrong(option, text, "give whole numbers of milliseconds, up to 86400000");
    }
    if (end != NULL) {
        *end = after;
    }
    *ms = value;
    return true;
}

static bool parse_delays(const char *option, const char *text, uint64_t *ms, phxc_delays_t *delays)
{
    size_t count = 0;
    do {
        if (count == MAX_DELAYS) {
            return wrong(option, text, "too many delays");
        }
        if (!parse_ms(option, text, &text, &ms[count++])) {
            return false;
        }
    } while (*text++ == ',');
    *delays = (phxc_delays_t){ms, count};
    return true;
}

/* The params become one object, in the order they are given. */
static bool add_param(options_t *options, const char *text)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        return wrong("param", text, "give KEY=VALUE");
    }
    const phx_slice_t key = {text, (size_t)(equals - text)};
    if (!phx_utf8_valid(phx_slice_of(text))) {
        return wrong("param", text, "it is not UTF-8");
    }
    if (options->params.len == 0) {
        phx_buf_append_text(&options->params, "{");
    } else {
        options->params.len--; /* the closing brace, and the NUL is not counted */
        phx_buf_append_text(&options->params,
                            options->params.data[options->params.len - 1] == '{' ? "" : ",");
    }
    phx_json_quote(&options->params, key);
    phx_buf_append_text(&options->params, ":");
    phx_json_quote(&options->params, phx_slice_of(equals + 1));
    phx_buf_append_text(&options->params, "}");
    return true;
}

static bool set_params(options_t *options, const char *text)
{
    phx_slice_t value;
    if (phx_json_check(phx_slice_of(text), &value, NULL) != 0 || phx_json_kind(value) != PHX_JSON_OBJECT) {
        return wrong("params", text, "give a JSON object");
    }
    phx_buf_clear(&options->params);
    phx_buf_append_slice(&options->params, value);
    return true;
}

static bool read_token(options_t *options, const char *path)
{
    char text[8192];
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return wrong("token-file", path, strerror(errno));
    }
    const size_t len = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[len] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    free(options->token);
    options->token = strdup(text);
    options->config.auth_token = options->token;
    return options->token != NULL;
}

static bool parse_one(options_t *options, int code, const char *name, const char *value)
{
    phxc_config_t *config = &options->config;
    switch (code) {
    case OPT_PARAM:
        return add_param(options, value);
    case OPT_PARAMS:
        return set_params(options, value);
    case OPT_TOKEN:
        config->auth_token = value;
        return true;
    case OPT_TOKEN_FILE:
        return read_token(options, value);
    case OPT_HEADER:
        if (options->header_count == MAX_HEADERS) {
            return wrong(name, value, "too many headers");
        }
        options->headers[options->header_count++] = value;
        return true;
    case OPT_VSN:
        config->vsn = value[0] == '1' ? PHX_V1 : PHX_V2;
        return strcmp(value, "1.0.0") == 0 || strcmp(value, "2.0.0") == 0 ||
               wrong(name, value, "give 1.0.0 or 2.0.0");
    case OPT_TRANSPORT:
        config->carriage = value[0] == 'l' ? PHXC_LONGPOLL : PHXC_WEBSOCKET;
        return strcmp(value, "websocket") == 0 || strcmp(value, "longpoll") == 0 ||
               wrong(name, value, "give websocket or longpoll");
    case OPT_FALLBACK:
        return parse_ms(name, value, NULL, &config->longpoll_fallback_ms);
    case OPT_TOKEN_IN:
        config->longpoll_token = value[0] == 'h'   ? PHXC_TOKEN_IN_HEADER
                                 : value[0] == 'b' ? PHXC_TOKEN_IN_BOTH
                                                   : PHXC_TOKEN_IN_QUERY;
        return strcmp(value, "query") == 0 || strcmp(value, "header") == 0 || strcmp(value, "both") == 0 ||
               wrong(name, value, "give query, header or both");
    case OPT_CA_FILE:
        config->ca_file = value;
        return true;
    case OPT_INSECURE:
        config->insecure = true;
        return true;
    case OPT_RETRY:
        options->retry = true;
        return true;
    case OPT_TIMEOUT:
        return parse_ms(name, value, NULL, &config->timeout_ms);
    case OPT_CONNECT_TIMEOUT:
        return parse_ms(name, value, NULL, &config->connect_timeout_ms);
    case OPT_HEARTBEAT:
        return parse_ms(name, value, NULL, &config->heartbeat_ms);
    case OPT_POLL_TIMEOUT:
        return parse_ms(name, value, NULL, &config->longpoll_timeout_ms);
    case OPT_RECONNECT:
        return parse_delays(name, value, options->reconnect, &config->reconnect_after);
    case OPT_REJOIN:
        return parse_delays(name, value, options->rejoin, &config->rejoin_after);
    case OPT_DRIVER:
        options->driver = true;
        return true;
    case OPT_FAULT:
        options->fault = value;
        return true;
    case OPT_JSON:
        options->json = true;
        return true;
    case OPT_RAW:
        options->raw = true;
        return true;
    default:
        return false;
    }
}

options_outcome_t options_parse(options_t *options, int argc, char **argv)
{
    *options = (options_t){0};
    phxc_config_defaults(&options->config);
    opterr = 0;
    for (;;) {
        int index = 0;
        const int at = optind;
        const int code = getopt_long(argc, argv, "+:", LONG_OPTIONS, &index); /* commands are no options */
        if (code == -1 && options->config.endpoint == NULL && optind < argc) {
            options->config.endpoint = argv[optind++];
            continue;
        }
        if (code == -1) {
            break;
        }
        if (code == OPT_HELP) {
            (void)fputs(HELP, stdout);
            return OPTIONS_DONE;
        }
        if (code == OPT_VERSION) {
            (void)puts("phxspec-client " PHXSPEC_VERSION);
            return OPTIONS_DONE;
        }
        if (code == '?' || code == ':') {
            (void)fprintf(stderr, "phxspec-client: %s: %s; --help lists the options\n", argv[at],
                          code == ':'                                    ? "its value is missing"
                          : optopt != 0 && strchr(argv[at], '=') != NULL ? "it takes no value"
                                                                         : "no such option");
            return OPTIONS_WRONG;
        }
        if (!parse_one(options, code, LONG_OPTIONS[index].name, optarg)) {
            return OPTIONS_WRONG;
        }
    }
    const char *url = options->config.endpoint;
    if (options->driver && url != NULL) {
        (void)fprintf(stderr, "phxspec-client: --driver takes no further words, but there is %s\n", url);
        return OPTIONS_WRONG;
    }
    if (options->driver) {
        return OPTIONS_RUN;
    }
    if (url == NULL) {
        (void)fprintf(stderr, "phxspec-client: which server? Give its URL, like ws://localhost:4000/socket; "
                              "--help tells the rest\n");
        return OPTIONS_WRONG;
    }
    if (strchr(url, '?') != NULL) {
        (void)fprintf(
            stderr,
            "phxspec-client: %s: give what follows the ? with --param KEY=VALUE, its vsn with --vsn\n", url);
        return OPTIONS_WRONG;
    }
    options->config.headers = options->headers;
    options->first_word = optind;
    if (options->params.len > 0) {
        phx_buf_append(&options->params, "", 1);
        options->config.params = options->params.data;
    }
    return OPTIONS_RUN;
}

void options_free(options_t *options)
{
    phx_buf_free(&options->params);
    free(options->token);
}
