// SPDX-License-Identifier: MIT
// What a user of phoenix.js does with a server, in node and in a browser. Each scenario throws, or does not end, if it does
// not go as it should. `say` tells the test something, which may act on it.
"use strict";

const QUICK = {
  reconnectAfterMs: () => 50,
  rejoinAfterMs: () => 50,
  timeout: 8000,
};

function check(condition, what) {
  if (!condition) throw new Error(what);
}

// What a push or join is answered.
function answer(push) {
  return new Promise((resolve, reject) => {
    push
      .receive("ok", resolve)
      .receive("error", (response) => reject(new Error("error: " + JSON.stringify(response))))
      .receive("timeout", () => reject(new Error("timeout of a " + (push.event || "join"))));
  });
}

function next(channel, event) {
  return new Promise((resolve) => {
    const ref = channel.on(event, (payload) => {
      channel.off(event, ref);
      resolve(payload);
    });
  });
}

function open(Phoenix, url, options) {
  const socket = new Phoenix.Socket(url, { ...QUICK, ...options });
  socket.connect();
  return socket;
}

async function closed(channel) {
  const gone = new Promise((resolve) => channel.onClose(resolve));
  await answer(channel.leave());
  await gone;
}

// A client joins again by itself; there is no callback for it, but the state.
async function rejoined(channel) {
  while (channel.state !== "joined") await new Promise((resolve) => setTimeout(resolve, 20));
}

function bytesOf(value) {
  return Array.from(new Uint8Array(value));
}

async function talk(Phoenix, socket, topic) {
  const channel = socket.channel(topic, { reply: { hello: "you" } });
  check((await answer(channel.join())).hello === "you", "the reply to the join");

  check((await answer(channel.push("echo", { text: "Grüße, 世界 🌍" }))).text === "Grüße, 世界 🌍", "an echo");

  const news = next(channel, "news");
  channel.push("push", { event: "news", payload: { n: 1 } });
  check((await news).n === 1, "a push");

  const refused = socket.channel(topic + ":refused", { reject: { reason: "no" } });
  const reason = await new Promise((resolve) => refused.join().receive("error", resolve));
  check(reason.reason === "no", "a refused join");
  refused.leave();

  const bytes = new Uint8Array([0, 1, 254, 255]).buffer;
  if (socket.transport === Phoenix.LongPoll) {
    channel.push("noreply", bytes); // long-poll carries bytes to the server only
    check((await answer(channel.push("echo", { n: 2 }))).n === 2, "an echo after bytes");
  } else {
    check(bytesOf(await answer(channel.push("echo", bytes))).join() === "0,1,254,255", "bytes that are said back");
  }
  return channel;
}

const SCENARIOS = {
  async basics(Phoenix, url) {
    const socket = open(Phoenix, url + "/socket");
    const channel = await talk(Phoenix, socket, "phxspec:js:basics");
    check(socket.transport !== Phoenix.LongPoll, "a WebSocket");
    await closed(channel);
    await new Promise((resolve) => socket.disconnect(resolve));
  },

  async broadcast(Phoenix, url) {
    const sockets = [open(Phoenix, url + "/socket"), open(Phoenix, url + "/socket")];
    const channels = sockets.map((socket) => socket.channel("phxspec:js:broadcast"));
    for (const channel of channels) await answer(channel.join());
    const heard = channels.map((channel) => next(channel, "news"));
    channels[0].push("broadcast", { event: "news", payload: { to: "all" } });
    for (const payload of await Promise.all(heard)) check(payload.to === "all", "a broadcast");
    sockets.forEach((socket) => socket.disconnect());
  },

  async fallback(Phoenix, url) {
    const socket = open(Phoenix, url + "/longpoll-only", { longPollFallbackMs: 2000 });
    const channel = await talk(Phoenix, socket, "phxspec:js:fallback");
    check(socket.transport === Phoenix.LongPoll, "long-poll");
    await closed(channel);
    socket.disconnect();
  },

  async longpoll(Phoenix, url) {
    const socket = open(Phoenix, url + "/socket", { transport: Phoenix.LongPoll });
    const channel = await talk(Phoenix, socket, "phxspec:js:longpoll");
    await closed(channel);
    socket.disconnect();
  },

  // The test ends the server and starts another at its port.
  async restart(Phoenix, url, say) {
    const sockets = [open(Phoenix, url + "/socket"), open(Phoenix, url + "/socket", { transport: Phoenix.LongPoll })];
    const channels = sockets.map((socket, i) => socket.channel("phxspec:js:restart-" + i));
    const joins = channels.map((channel) => channel.join());
    await Promise.all(joins.map(answer));
    const lost = Promise.all(channels.map((channel) => new Promise((resolve) => channel.onError(resolve))));
    say("restart");
    await lost;
    await Promise.all(channels.map(rejoined));
    for (const channel of channels) {
      check((await answer(channel.push("echo", { after: "restart" }))).after === "restart", "an echo after it");
    }
    sockets.forEach((socket) => socket.disconnect());
  },
};

async function runScenarios(Phoenix, url, names, say) {
  for (const name of names) {
    try {
      await SCENARIOS[name](Phoenix, url, say);
      say("ok " + name);
    } catch (error) {
      say("failed " + name + ": " + (error.stack || error));
    }
  }
  say("done");
}

globalThis.runScenarios = runScenarios;
