/* SPDX-License-Identifier: MIT */
/*
 * A whole server, from the bytes of its connections on: HTTP, handshakes, frames, long-poll, the application.
 * Input: a script (stage.h); a client says the bytes of its line, in which `\r`, `\n`, `\\` and `\xHH` are
 * escapes and `$TOKEN` stands for the last long-poll token.
 */
#include <string.h>

#include "stage.h"

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void unescape(const stage_t *stage, phx_slice_t line, phx_buf_t *out)
{
    for (size_t i = 0; i < line.len; i++) {
        const phx_slice_t rest = {line.data + i, line.len - i};
        if (phx_slice_starts_with(rest, "$TOKEN")) {
            phx_buf_append(out, stage->token, TOKEN_CHARS);
            i += 5;
        } else if (phx_slice_starts_with(rest, "\\x") && rest.len >= 4 && hex_digit(rest.data[2]) >= 0 &&
                   hex_digit(rest.data[3]) >= 0) {
            phx_buf_append_byte(out, (uint8_t)(hex_digit(rest.data[2]) << 4 | hex_digit(rest.data[3])));
            i += 3;
        } else if (rest.data[0] == '\\' && rest.len >= 2 && memchr("rn\\", rest.data[1], 3) != NULL) {
            phx_buf_append_byte(out, rest.data[1] == 'r' ? '\r' : rest.data[1] == 'n' ? '\n' : '\\');
            i++;
        } else {
            phx_buf_append_byte(out, (uint8_t)rest.data[0]);
        }
    }
}

static void say(stage_t *stage, size_t number, phx_slice_t line)
{
    bool fresh;
    carrier_conn_t *client = stage_client(stage, number, &fresh);
    phx_buf_t bytes = {0};
    if (client != NULL) {
        unescape(stage, line, &bytes);
        scripted_send(client, phx_buf_slice(&bytes));
        phx_buf_free(&bytes);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    stage_play((phx_slice_t){(const char *)data, size}, say);
    return 0;
}
