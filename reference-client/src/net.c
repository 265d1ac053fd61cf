/* SPDX-License-Identifier: MIT */
#include "net.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Not the loop's own time: that stands still while a program is busy before it runs the loop. */
static uint64_t clock_now(void *clock)
{
    (void)clock;
    return uv_hrtime() / 1000000;
}

static void clock_rings(uv_timer_t *handle)
{
    phxc_net_t *net = handle->data;
    phxc_net_hold(net);
    phxc_timers_run(&net->timers);
    phxc_net_release(net);
}

static void clock_changed(void *clock)
{
    phxc_net_t *net = clock;
    uint64_t due;
    if (uv_is_closing((uv_handle_t *)&net->clock)) {
        return;
    }
    if (!phxc_timers_due(&net->timers, &due)) {
        (void)uv_timer_stop(&net->clock);
        return;
    }
    const uint64_t now = clock_now(clock);
    /* Where the loop's time lags behind, it rings too early and is set again. */
    (void)uv_timer_start(&net->clock, clock_rings, due > now ? due - now : 0, 0);
}

static const char *tls_error(void)
{
    const char *reason = ERR_reason_error_string(ERR_get_error());
    return reason != NULL ? reason : "unknown error";
}

static bool set_up_tls(phxc_net_t *net, const phxc_config_t *config, char *error, size_t error_size)
{
    ERR_clear_error();
    net->tls = SSL_CTX_new(TLS_client_method());
    if (net->tls == NULL || SSL_CTX_set_min_proto_version(net->tls, TLS1_2_VERSION) != 1) {
        (void)snprintf(error, error_size, "cannot start TLS: %s", tls_error());
        return false;
    }
    SSL_CTX_set_verify(net->tls, config->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    if (config->ca_file != NULL) {
        if (SSL_CTX_load_verify_file(net->tls, config->ca_file) != 1) {
            (void)snprintf(error, error_size, "%s: no certificates could be read: %s", config->ca_file,
                           tls_error());
            return false;
        }
    } else if (SSL_CTX_set_default_verify_paths(net->tls) != 1) {
        (void)snprintf(error, error_size, "cannot find the system's certificates: %s", tls_error());
        return false;
    }
    return true;
}

static bool is_tls(const char *endpoint)
{
    return strncasecmp(endpoint, "wss:", 4) == 0 || strncasecmp(endpoint, "https:", 6) == 0;
}

/* A header must not smuggle in another one. */
static bool is_header(const char *text)
{
    const char *colon = strchr(text, ':');
    return colon != NULL && colon != text && strpbrk(text, "\r\n") == NULL &&
           strcspn(text, " \t") > (size_t)(colon - text);
}

static bool copy_headers(phxc_net_t *net, const phxc_config_t *config, char *error, size_t error_size)
{
    size_t count = 0;
    while (config->headers != NULL && config->headers[count] != NULL) {
        count++;
    }
    net->headers = calloc(count + 1, sizeof *net->headers);
    for (size_t i = 0; i < count && net->headers != NULL; i++) {
        if (!is_header(config->headers[i])) {
            (void)snprintf(error, error_size, "%s: a header is `Name: value`", config->headers[i]);
            return false;
        }
        net->headers[i] = strdup(config->headers[i]);
        if (net->headers[i] == NULL) {
            break;
        }
    }
    if (net->headers == NULL || (count > 0 && net->headers[count - 1] == NULL)) {
        (void)snprintf(error, error_size, "%s", phxc_strerror(PHX_ENOMEM));
        return false;
    }
    return true;
}

phxc_net_t *phxc_net_new(uv_loop_t *loop, const phxc_config_t *config, char *error, size_t error_size)
{
    phxc_net_t *net = calloc(1, sizeof *net);
    if (net == NULL || uv_timer_init(loop, &net->clock) != 0) {
        (void)snprintf(error, error_size, "%s", phxc_strerror(PHX_ENOMEM));
        free(net);
        return NULL;
    }
    net->clock.data = net;
    net->loop = loop;
    net->holders = 1;
    net->timers = (phxc_timers_t){.now = clock_now, .changed = clock_changed, .clock = net};
    net->insecure = config->insecure;
    net->connect_timeout_ms = config->connect_timeout_ms;
    net->longpoll_timeout_ms = config->longpoll_timeout_ms;
    net->longpoll_token = config->longpoll_token;
    net->max_message_bytes = config->max_message_bytes;
    if (!copy_headers(net, config, error, error_size) ||
        (is_tls(config->endpoint) && !set_up_tls(net, config, error, error_size))) {
        phxc_net_release(net);
        return NULL;
    }
    return net;
}

phxc_net_t *phxc_net_hold(phxc_net_t *net)
{
    net->holders++;
    return net;
}

static void clock_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void phxc_net_release(phxc_net_t *net)
{
    if (--net->holders > 0) {
        return;
    }
    for (char **header = net->headers; header != NULL && *header != NULL; header++) {
        free(*header);
    }
    free(net->headers);
    SSL_CTX_free(net->tls);
    uv_close((uv_handle_t *)&net->clock, clock_closed);
}
