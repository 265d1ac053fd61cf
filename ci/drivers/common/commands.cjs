// SPDX-License-Identifier: MIT
// What a driver of phoenix.js, and of what is like it, does with commands, in node and in a browser;
// harness/DRIVER.md describes them.

// What a program hands over as bytes is written {"$base64": "…"} in commands and events.
const toBytes = (value) => {
  if(value && typeof value.$base64 === "string"){
    return Uint8Array.from(atob(value.$base64), (char) => char.charCodeAt(0)).buffer
  }
  return value
}
const fromBytes = (value) =>
  value instanceof ArrayBuffer ? {$base64: btoa(String.fromCharCode(...new Uint8Array(value)))} : value

// The n-th of a list of values, the last one for ever after: tables of delays, parameters of each attempt.
const nth = (list, n) => list[Math.min(n, list.length) - 1]
const oneAfterTheOther = (list) => {
  let n = 0
  return () => nth(list, ++n)
}
const table = (list) => list && ((tries) => nth(list, tries))

// `library`: Socket, Presence, transports, name, version, capabilities, forget(socket, connection), which ends what a
// disconnect leaves, and in a browser show(state of the page). `tell` writes an event. Says hello, and returns what takes a command.
const driver = (library, tell) => {
  const say = (event, more = {}) => tell(JSON.stringify({event, ...more}))
  let socket = null
  let channels = {}

  const commands = {
    connect({url, transport, vsn, params, params_each, token, token_each, options}){
      const opts = {
        transport: library.transports[transport],
        vsn,
        params: params_each ? oneAfterTheOther(params_each) : params,
        authToken: token_each ? oneAfterTheOther(token_each) : token,
        heartbeatIntervalMs: options.heartbeat_ms,
        timeout: options.timeout_ms,
        longpollerTimeout: options.longpoll_timeout_ms,
        longPollFallbackMs: options.fallback_ms,
        reconnectAfterMs: table(options.reconnect_ms),
        rejoinAfterMs: table(options.rejoin_ms),
      }
      Object.keys(opts).forEach((key) => opts[key] === undefined && delete opts[key])
      if(!socket){
        socket = new library.Socket(url, opts)
        socket.onOpen(() => say("open"))
        socket.onClose((event) => say("close", {code: event && event.code}))
        socket.onError((error) => say("error", {reason: String((error && error.message) || error)}))
      }
      socket.connect()
    },

    disconnect({code, reason}){
      socket.disconnect(undefined, code, reason)
    },

    channel({channel, topic, params, params_each, listen = []}){
      const made = socket.channel(topic, params_each ? oneAfterTheOther(params_each) : params)
      const entry = {made, listeners: {}}
      channels[channel] = entry
      listen.forEach((name) => commands.listen({channel, name, listener: name}))
      made.onError((reason) => say("channel", {channel, state: "errored", reason: fromBytes(reason)}))
      made.onClose(() => say("channel", {channel, state: "closed"}))
    },

    listen({channel, name, listener}){
      const {made, listeners} = channels[channel]
      const more = listener === name ? {} : {listener}
      const ref = made.on(name, (payload) => say("message", {channel, name, payload: fromBytes(payload), ...more}))
      listeners[listener] = {name, ref}
    },

    unlisten({channel, listener}){
      const {made, listeners} = channels[channel]
      made.off(listeners[listener].name, listeners[listener].ref)
    },

    join({channel, timeout_ms}){
      const answer = (status) => (response) => {
        say("reply", {channel, to: "join", status, response: fromBytes(response)})
        if(status === "ok"){ say("channel", {channel, state: "joined"}) }
      }
      const push = channels[channel].made.join(timeout_ms)
      ;["ok", "error", "timeout"].forEach((status) => push.receive(status, answer(status)))
    },

    push({channel, push, name, payload, timeout_ms}){
      const made = channels[channel].made.push(name, toBytes(payload), timeout_ms)
      ;["ok", "error", "other", "timeout"].forEach((status) =>
        made.receive(status, (response) => say("reply", {channel, push, status, response: fromBytes(response)})))
    },

    leave({channel, timeout_ms}){
      const push = channels[channel].made.leave(timeout_ms)
      ;["ok", "timeout"].forEach((status) => push.receive(status, () => say("reply", {channel, to: "leave", status})))
    },

    presence({channel}){
      const presence = new library.Presence(channels[channel].made)
      presence.onJoin((key, before, now) => say("presence", {channel, kind: "join", key, before, now}))
      presence.onLeave((key, now, gone) => say("presence", {channel, kind: "leave", key, now, gone}))
      presence.onSync(() => {
        const list = Object.fromEntries(presence.list((key, entry) => [key, entry]))
        say("presence", {channel, kind: "sync", keys: Object.keys(list).sort(), list})
      })
    },

    replace_transport({transport}){
      socket.replaceTransport(library.transports[transport])
      socket.connect()
    },

    ping(){
      socket.ping((rtt) => say("pong", {rtt_ms: rtt}))
    },

    page({state}){
      library.show(state)
    },

    // everything said before has been done
    sync(){
      say("synced")
    },

    reset(){
      const old = socket
      socket = null
      channels = {}
      if(!old){ return say("reset") }
      // nothing of the old socket is reported any more
      for(const list of Object.values(old.stateChangeCallbacks)){ list.length = 0 }
      old.channels.forEach((channel) => { channel.bindings = [] })
      old.reconnectTimer.reset()
      const connection = old.conn
      old.disconnect()
      library.forget(old, connection)
      say("reset")
    },
  }

  say("hello", {
    protocol: 1,
    name: library.name,
    version: library.version,
    phoenix: library.phoenix, // undefined: not said
    capabilities: library.capabilities,
  })

  return (line) => {
    const command = JSON.parse(line)
    try {
      commands[command.do](command)
    } catch (error){
      say("failed", {do: command.do, reason: error.message})
    }
  }
}

if(typeof module === "object"){ module.exports = {driver} }
