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

  // One watches, and is present itself; two others come and go. A key has two metas, of which one leaves.
  async presence(Phoenix, url) {
    const sockets = ["watcher", "a", "b"].map(() => open(Phoenix, url + "/socket"));
    const [watched, a, b] = sockets.map((socket, i) =>
      socket.channel("phxspec:js:presence", i === 0 ? { presence: { key: "w", meta: { as: "watcher" } } } : {}),
    );
    const presence = new Phoenix.Presence(watched);
    const seen = [];
    const note = (what) => (key, current, { metas }) => {
      if (key !== "w") seen.push([what, key, current ? current.metas.length : 0, metas[0].as]);
    };
    presence.onJoin(note("join"));
    presence.onLeave(note("leave"));
    // The state of the next sync in which `holds`; it may hold already.
    const synced = (holds) =>
      new Promise((resolve) => {
        const look = () => holds(presence.list((key, { metas }) => [key, metas.map((meta) => meta.as).sort()])) && resolve();
        presence.onSync(look);
        if (!presence.inPendingSyncState()) look();
      });
    const is = (wanted) => (list) => JSON.stringify(list.sort()) === JSON.stringify([...wanted, ["w", ["watcher"]]]);
    const track = (channel, key, as) => answer(channel.push("presence_track", { key, meta: { as } }));

    await answer(a.join());
    await track(a, "u1", "phone"); // before the watcher comes: it is told by presence_state
    await answer(watched.join());
    await synced(is([["u1", ["phone"]]]));

    await answer(b.join());
    await track(b, "u1", "desk");
    await track(b, "u2", "desk");
    await synced(is([["u1", ["desk", "phone"]], ["u2", ["desk"]]]));

    const { metas } = presence.state.u2;
    await answer(b.push("presence_update", { key: "u2", meta: { as: "away" } }));
    await synced(is([["u1", ["desk", "phone"]], ["u2", ["away"]]]));
    check(presence.state.u2.metas[0].phx_ref_prev === metas[0].phx_ref, "phx_ref_prev");

    await answer(a.push("presence_untrack", { key: "u1" }));
    await synced(is([["u1", ["desk"]], ["u2", ["away"]]]));
    sockets[2].disconnect(); // without a word of its channel
    await synced(is([]));

    const wanted = [
      ["join", "u1", 0, "phone"],
      ["join", "u1", 1, "desk"],
      ["join", "u2", 0, "desk"],
      ["join", "u2", 1, "away"],
      ["leave", "u2", 1, "desk"],
      ["leave", "u1", 1, "phone"],
    ];
    check(JSON.stringify(seen.slice(0, 6)) === JSON.stringify(wanted), "joins and leaves: " + JSON.stringify(seen));
    const last = seen.slice(6).map((entry) => entry.join()).sort();
    check(last.join(" ") === "leave,u1,0,desk leave,u2,0,away", "the last to leave: " + JSON.stringify(seen));
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
