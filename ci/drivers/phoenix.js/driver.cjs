// SPDX-License-Identifier: MIT
// phoenix.js in node.

const WebSocket = require("ws")
const {Socket, Presence, LongPoll} = require("phoenix")
const {dependencies} = require("./package.json") // pinned
const {drive} = require("../common/drive.cjs")

// As in a browser: what a handler throws is reported, and the connection goes on.
class Tolerant extends WebSocket {
  set onmessage(handler){
    super.onmessage = (event) => {
      try { handler(event) } catch (error){ console.error(error) }
    }
  }
}

drive({
  Socket,
  Presence,
  transports: {websocket: Tolerant, longpoll: LongPoll},
  name: "phoenix.js",
  version: dependencies.phoenix,
  phoenix: dependencies.phoenix,
  forget: (_socket, connection) => connection && connection.terminate && connection.terminate(),
  capabilities: [
    "websocket", "longpoll", "vsn2", "binary", "presence", "token", "params_each", "token_each", "join_params_each",
    "heartbeat_ms", "timeout_ms", "push_timeout_ms", "reconnect_ms", "rejoin_ms", "longpoll_timeout_ms",
    "fallback_ms", "disconnect_code", "listeners", "replace_transport", "ping",
  ],
})
