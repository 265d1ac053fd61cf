// SPDX-License-Identifier: MIT
// phoenix-channels in node: version 1.0.0 of the protocol, over WebSocket.

const {Socket, Presence} = require("phoenix-channels")
const WebSocket = require("websocket").w3cwebsocket
const {dependencies} = require("./package.json") // pinned
const {drive} = require("../common/drive.cjs")

// Presences are functions there; a program keeps the state and says what happens.
class Tracker {
  constructor(channel){
    this.state = {}
    const told = (way) => (change) => {
      this.state = way(this.state, change, this.join, this.leave)
      this.sync()
    }
    channel.on("presence_state", told(Presence.syncState.bind(Presence)))
    channel.on("presence_diff", told(Presence.syncDiff.bind(Presence)))
  }
  onJoin(callback){ this.join = callback }
  onLeave(callback){ this.leave = callback }
  onSync(callback){ this.sync = callback }
  list(by){ return Presence.list(this.state, by) }
}

drive({
  Socket,
  Presence: Tracker,
  transports: {websocket: WebSocket},
  name: "phoenix-channels",
  version: dependencies["phoenix-channels"],
  // its timers outlive a disconnect
  forget: (socket, connection) => {
    clearInterval(socket.heartbeatTimer)
    socket.channels.forEach((channel) => channel.rejoinTimer.reset())
    socket.channels = []
    if(connection && connection._client){ connection._client.abort() }
    if(connection && connection._connection){ connection._connection.drop() }
  },
  capabilities: [
    "websocket", "vsn1", "presence", "heartbeat_ms", "timeout_ms", "push_timeout_ms", "reconnect_ms", "disconnect_code",
  ],
})
