/* SPDX-License-Identifier: MIT */
/*
 * The state of sockets and channels, whatever clients say in whatever order, with the conformance
 * application. Input: a script (stage.h); a client says a message: its text, or `=` and its bytes in base64.
 * Clients 0 and 1 have WebSockets with the serializer 2.0.0, client 2 has one with 1.0.0, client 3 a
 * long-poll session, in which an empty line polls and `&` parts the lines of a batch.
 */
#include "phx/base64.h"
#include "stage.h"
#include "ws_frame.h"

enum { VERSION_1 = 2, LONGPOLL = 3 };

static void put_frame(phx_buf_t *out, phx_slice_t line)
{
    static const char NO_MASK[4] = {0};
    phx_buf_t decoded = {0};
    const bool binary = phx_slice_starts_with(line, "=");
    uint8_t head[10];
    if (binary) {
        (void)phx_base64_decode(&decoded, (phx_slice_t){line.data + 1, line.len - 1}, PHX_BASE64_OPTIONAL);
        line = phx_buf_slice(&decoded);
    }
    const size_t len = ws_frame_head(head, binary ? WS_BINARY : WS_TEXT, line.len);
    head[1] |= 0x80;
    phx_buf_append(out, head, len);
    phx_buf_append(out, NO_MASK, sizeof NO_MASK);
    phx_buf_append_slice(out, line);
    phx_buf_free(&decoded);
}

static void put_handshake(phx_buf_t *out, bool version_1)
{
    phx_buf_append_text(out, "GET /socket/websocket?user_id=u&vsn=");
    phx_buf_append_text(out, version_1 ? "1.0.0" : "2.0.0");
    phx_buf_append_text(out,
                        " HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
                        "sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
}

static void put_longpoll(phx_buf_t *out, const stage_t *stage, phx_slice_t line)
{
    char head[256];
    const int token_chars = stage->token[0] != '\0' ? TOKEN_CHARS : 0;
    (void)snprintf(head, sizeof head,
                   "%s /socket/longpoll?vsn=2.0.0&user_id=u&token=%.*s HTTP/1.1\r\nhost: x\r\n"
                   "content-type: application/x-ndjson\r\ncontent-length: %zu\r\n\r\n",
                   line.len > 0 ? "POST" : "GET", token_chars, stage->token, line.len);
    phx_buf_append_text(out, head);
    for (size_t i = 0; i < line.len; i++) {
        phx_buf_append_byte(out, (uint8_t)(line.data[i] == '&' ? '\n' : line.data[i]));
    }
}

static void say(stage_t *stage, size_t number, phx_slice_t line)
{
    bool fresh;
    phx_buf_t bytes = {0};
    carrier_conn_t *client = stage_client(stage, number, &fresh);
    if (client == NULL) {
        return;
    }
    if (number == LONGPOLL) {
        put_longpoll(&bytes, stage, line);
    } else {
        if (fresh) {
            put_handshake(&bytes, number == VERSION_1);
        }
        put_frame(&bytes, line);
    }
    scripted_send(client, phx_buf_slice(&bytes));
    phx_buf_free(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    stage_play((phx_slice_t){(const char *)data, size}, say);
    return 0;
}
