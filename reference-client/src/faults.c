/* SPDX-License-Identifier: MIT */
#include "faults.h"

#include "channel.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* By phxc_fault_t. Names are those of the enumeration, `reconnect-never`. */
static const struct {
    const char *name;
    const char *what;
    const char *requirements;
} FAULTS[] = {
    {"NONE", "does everything right", ""},
#define FAULT(name, what, requirements) {#name, what, requirements},
#include "faults.def"
#undef FAULT
};

static const size_t FAULT_COUNT = sizeof FAULTS / sizeof FAULTS[0];

static char spelled(char letter)
{
    return letter == '_' ? '-' : (char)tolower((unsigned char)letter);
}

static bool is_called(const char *constant, const char *name)
{
    while (*constant != '\0' && spelled(*constant) == *name) {
        constant++;
        name++;
    }
    return *constant == '\0' && *name == '\0';
}

bool phxc_fault_find(const char *name, phxc_fault_t *fault)
{
    for (size_t i = 0; i < FAULT_COUNT; i++) {
        if (is_called(FAULTS[i].name, name)) {
            *fault = (phxc_fault_t)i;
            return true;
        }
    }
    return false;
}

void phxc_fault_list(void)
{
    for (size_t i = 1; i < FAULT_COUNT; i++) {
        for (const char *letter = FAULTS[i].name; *letter != '\0'; letter++) {
            (void)putchar(spelled(*letter));
        }
        (void)printf("\t%s\t%s\n", FAULTS[i].requirements, FAULTS[i].what);
    }
}

void phxc_fault_set(phxc_socket_t *socket, phxc_fault_t fault)
{
    socket->fault = fault;
}

uint64_t phxc_fault_reconnect(phxc_socket_t *socket, uint64_t delay)
{
    if (phxc_fault(socket, FALLBACK_FORGOTTEN) && socket->fallback_ms > 0) {
        socket->carriage = PHXC_WEBSOCKET;
    }
    return phxc_fault(socket, RECONNECT_AT_ONCE)      ? 0
           : phxc_fault(socket, RECONNECT_FLAT)       ? socket->reconnect_after.ms[0]
           : phxc_fault(socket, RECONNECT_COMPOUNDED) ? delay * socket->reconnects
                                                      : delay;
}

uint64_t phxc_fault_beat(const phxc_socket_t *socket, uint64_t delay)
{
    const uint64_t since = phxc_timers_now(socket->timers) - socket->beat_sent_ms;
    return phxc_fault(socket, BEAT_FIXED) && since < delay ? delay - since : delay;
}

void phxc_fault_base64url(phx_buf_t *out)
{
    for (size_t i = out->len; i > 0 && out->data[i - 1] != '.'; i--) {
        char *letter = &out->data[i - 1];
        *letter = *letter == '+' ? '-' : *letter == '/' ? '_' : *letter;
    }
}

void phxc_fault_raw(phx_buf_t *url, phx_slice_t token)
{
    for (size_t i = 0; i < token.len; i++) {
        phx_buf_append(url, token.data[i] == ' ' ? "%20" : token.data + i, token.data[i] == ' ' ? 3 : 1);
    }
}

void phxc_fault_attempt(phxc_socket_t *socket, const phx_buf_t *params, const phx_buf_t *token,
                        phx_buf_t *url)
{
    if (phxc_fault(socket, PARAMS_ONCE) && socket->params_at != NULL) {
        socket->params = strndup(params->data, params->len);
        socket->params_at = NULL;
    } else if (phxc_fault(socket, TOKEN_ONCE) && socket->auth_token_at != NULL) {
        socket->auth_token = strndup(token->data, token->len);
        socket->auth_token_at = NULL;
    } else if (phxc_fault(socket, VSN_LOST)) {
        strstr(url->data, "vsn=")[0] = '\0';
    } else if (phxc_fault(socket, LONGPOLL_PATH) && socket->carriage == PHXC_LONGPOLL) {
        memcpy(strstr(url->data, "/longpoll?"), "/websocke?", strlen("/longpoll?"));
    }
}

static void count_characters(phx_buf_t *binary)
{
    size_t at = 5; /* behind the kind and four sizes */
    for (size_t i = 1; i < 5; i++) {
        const size_t end = at + (uint8_t)binary->data[i];
        for (; at < end; at++) {
            binary->data[i] = (char)(binary->data[i] - (((uint8_t)binary->data[at] & 0xC0) == 0x80));
        }
    }
}

void phxc_fault_written(const phxc_socket_t *socket, int error, phx_buf_t *out, phx_form_t *form)
{
    if (error != 0) {
        return;
    }
    if (*form == PHX_TEXT && phxc_fault(socket, TEXT_IN_BINARY)) {
        *form = PHX_BINARY;
    } else if (*form == PHX_BINARY && phxc_fault(socket, BINARY_KIND)) {
        out->data[0] = 1;
    } else if (*form == PHX_BINARY && phxc_fault(socket, BINARY_SIZE_CHARACTERS)) {
        count_characters(out);
    }
}

bool phxc_fault_unread(const phxc_socket_t *socket, phx_form_t form, phx_slice_t bytes, phx_slice_t *topic,
                       phx_slice_t event)
{
    const bool is_reply = phx_slice_equals(event, "phx_reply");
    if (phxc_fault(socket, COMMAS_UNREAD)) {
        const char *comma = topic->len > 0 ? memchr(topic->data, ',', topic->len) : NULL;
        topic->len = comma != NULL ? (size_t)(comma - topic->data) : topic->len;
    }
    if (form == PHX_TEXT) {
        return phxc_fault(socket, BLANKS_UNREAD) && bytes.len > 1 &&
               (bytes.data[0] == ' ' || bytes.data[1] == ' ');
    }
    return (phxc_fault(socket, BINARY_UNREAD) && !is_reply) ||
           (phxc_fault(socket, BINARY_REPLY_UNREAD) && is_reply);
}

void phxc_fault_message(phxc_channel_t *channel, phx_slice_t topic, bool *ours, bool replies, bool *closes,
                        bool *fails)
{
    phxc_socket_t *socket = channel->socket;
    const bool is_end = *closes || *fails;
    const bool there = phx_slice_equal(phx_buf_slice(&channel->topic), topic);
    const bool listens = channel->state != PHXC_CHANNEL_NEW && channel->state != PHXC_CHANNEL_CLOSED;
    const bool takes_stale = (phxc_fault(socket, STALE_CLOSE) && *closes) ||
                             (phxc_fault(socket, STALE_ERROR) && *fails) ||
                             (phxc_fault(socket, STALE_REPLIES) && replies) ||
                             (phxc_fault(socket, JOIN_ANY_ANSWER) && replies && channel->join_sent) ||
                             (phxc_fault(socket, STALE_MESSAGES) && !is_end && !replies);
    if ((there && listens && takes_stale) ||
        (there && channel->state == PHXC_CHANNEL_CLOSED && phxc_fault(socket, LEAVE_LISTENS)) ||
        (listens && replies && phxc_fault(socket, REPLY_ANY_TOPIC))) {
        *ours = true;
    }
    if ((phxc_fault(socket, CLOSE_IGNORED) && *closes) || (phxc_fault(socket, ERROR_IGNORED) && *fails)) {
        *ours = false;
    }
    if (phxc_fault(socket, FIRST_MESSAGE_LOST) && *ours && !replies && socket->faulted > 0) {
        socket->faulted = 0;
        *ours = false;
    }
    if ((phxc_fault(socket, CLOSE_REJOINS) && *closes) || (phxc_fault(socket, ERROR_CLOSES) && *fails)) {
        *closes = !*closes;
        *fails = !*fails;
    }
}

bool phxc_fault_unheard(const phxc_channel_t *channel, phx_slice_t event)
{
    bool heard = false;
    for (size_t i = 0; i < channel->handler_count; i++) {
        heard = heard || phx_slice_equal(phx_buf_slice(&channel->handlers[i].event), event);
    }
    return phxc_fault(channel->socket, UNKNOWN_EVENT_FAILS) && !heard;
}
