// SPDX-License-Identifier: MIT
// phoenix.js in node: the one beside this file, or that of the folder named.
//
//     node driver.cjs [FOLDER]

const path = require("node:path")
const WebSocket = require("ws")
const {drive} = require("../common/drive.cjs")

const folder = path.resolve(process.argv[2] || path.join(__dirname, "node_modules/phoenix"))
const {Socket, Presence, LongPoll} = require(folder)
const {version} = require(path.join(folder, "package.json"))

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
  version,
  phoenix: version,
  forget: (_socket, connection) => connection && connection.terminate && connection.terminate(),
  capabilities: [
    "websocket", "longpoll", "vsn2", "binary", "presence", "token", "params_each", "token_each", "join_params_each",
    "heartbeat_ms", "timeout_ms", "push_timeout_ms", "reconnect_ms", "rejoin_ms", "longpoll_timeout_ms",
    "fallback_ms", "disconnect_code", "listeners", "replace_transport", "ping",
  ],
})
