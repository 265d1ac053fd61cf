// SPDX-License-Identifier: MIT

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.reflect.TypeToken;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.net.SocketFactory;
import kotlin.Unit;
import kotlin.jvm.functions.Function0;
import kotlin.jvm.functions.Function1;
import okhttp3.OkHttpClient;
import org.phoenixframework.Channel;
import org.phoenixframework.Defaults;
import org.phoenixframework.Message;
import org.phoenixframework.Presence;
import org.phoenixframework.Push;

/** JavaPhoenixClient: commands on stdin, events on stdout; harness/DRIVER.md describes both. */
public class Driver {
    static final Gson GSON = new GsonBuilder().serializeNulls().create();
    static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    /** What belongs to one case: once it is over nothing more of it is said. */
    static class Play {
        org.phoenixframework.Socket socket;
        final Sockets sockets = new Sockets();
        final Map<String, Channel> channels = new HashMap<>();
        final Map<String, Object[]> listeners = new HashMap<>();
        volatile boolean over;

        void say(String event, Object... more) {
            JsonObject line = new JsonObject();
            line.addProperty("event", event);
            for (int i = 0; i < more.length; i += 2) {
                line.add((String) more[i], more[i + 1] instanceof JsonElement json ? json : GSON.toJsonTree(more[i + 1]));
            }
            synchronized (OUT) {
                if (!over) {
                    OUT.println(GSON.toJson(line));
                }
            }
        }

        void connect(JsonObject c) {
            if (socket != null) {
                socket.connect();
                return;
            }
            JsonObject options = c.getAsJsonObject("options");
            OkHttpClient client = new OkHttpClient.Builder().socketFactory(sockets).build();
            socket = new org.phoenixframework.Socket(c.get("url").getAsString(), params(c), c.get("vsn").getAsString(),
                Defaults.INSTANCE.getEncode(), Defaults.INSTANCE.getDecode(), client);
            if (options.has("heartbeat_ms")) {
                socket.setHeartbeatIntervalMs(options.get("heartbeat_ms").getAsLong());
            }
            if (options.has("timeout_ms")) {
                socket.setTimeout(options.get("timeout_ms").getAsLong());
            }
            if (options.has("reconnect_ms")) {
                socket.setReconnectAfterMs(table(options, "reconnect_ms"));
            }
            if (options.has("rejoin_ms")) {
                socket.setRejoinAfterMs(table(options, "rejoin_ms"));
            }
            socket.onOpen(() -> { say("open"); return Unit.INSTANCE; });
            socket.onClose(() -> { say("close"); return Unit.INSTANCE; });
            socket.onError((error, response) -> { say("error", "reason", error.toString()); return Unit.INSTANCE; });
            socket.connect();
        }

        void channel(JsonObject c) {
            String name = c.get("channel").getAsString();
            Channel made = socket.channel(c.get("topic").getAsString(), params(c));
            channels.put(name, made);
            if (c.has("listen")) {
                for (JsonElement event : c.getAsJsonArray("listen")) {
                    listen(name, made, event.getAsString(), event.getAsString());
                }
            }
            made.onError(message -> { say("channel", "channel", name, "state", "errored"); return Unit.INSTANCE; });
            made.onClose(message -> { say("channel", "channel", name, "state", "closed"); return Unit.INSTANCE; });
        }

        void listen(String channel, Channel made, String name, String listener) {
            int ref = made.on(name, message -> {
                if (listener.equals(name)) {
                    say("message", "channel", channel, "name", name, "payload", message.getPayload());
                } else {
                    say("message", "channel", channel, "name", name, "payload", message.getPayload(), "listener", listener);
                }
                return Unit.INSTANCE;
            });
            listeners.put(channel + "/" + listener, new Object[] {name, ref});
        }

        void presence(String channel, Channel made) {
            Presence presence = new Presence(made, Presence.Options.Companion.getDefaults());
            presence.onJoin((key, before, now) -> told(channel, "join", key));
            presence.onLeave((key, now, gone) -> told(channel, "leave", key));
            presence.onSync(() -> {
                Map<String, Object> list = new TreeMap<>(presence.getState());
                say("presence", "channel", channel, "kind", "sync", "keys", list.keySet(), "list", list);
                return Unit.INSTANCE;
            });
        }

        Unit told(String channel, String kind, String key) {
            say("presence", "channel", channel, "kind", kind, "key", key);
            return Unit.INSTANCE;
        }

        /** Tells the answers to a push: what it is called is a name and its value. */
        void receive(Push push, String channel, String word, String value, String... statuses) {
            for (String status : statuses) {
                push.receive(status, message -> {
                    say("reply", "channel", channel, word, value, "status", status, "response", message.getPayload());
                    if (status.equals("ok") && value.equals("join")) {
                        say("channel", "channel", channel, "state", "joined");
                    }
                    return Unit.INSTANCE;
                });
            }
        }

        void command(JsonObject c) {
            String name = c.has("channel") ? c.get("channel").getAsString() : null;
            Channel made = channels.get(name);
            switch (c.get("do").getAsString()) {
                case "connect" -> connect(c);
                case "disconnect" -> socket.disconnect(c.has("code") ? c.get("code").getAsInt() : 1000,
                    c.has("reason") ? c.get("reason").getAsString() : null, null);
                case "channel" -> channel(c);
                case "listen" -> listen(name, made, c.get("name").getAsString(), c.get("listener").getAsString());
                case "unlisten" -> {
                    Object[] listener = listeners.get(name + "/" + c.get("listener").getAsString());
                    made.off((String) listener[0], (Integer) listener[1]);
                }
                case "join" -> receive(made.join(socket.getTimeout()), name, "to", "join", "ok", "error", "timeout");
                case "leave" -> receive(made.leave(socket.getTimeout()), name, "to", "leave", "ok", "timeout");
                case "push" -> receive(made.push(c.get("name").getAsString(), map(c.get("payload")),
                    c.has("timeout_ms") ? c.get("timeout_ms").getAsLong() : socket.getTimeout()),
                    name, "push", c.get("push").getAsString(), "ok", "error", "other", "timeout");
                case "presence" -> presence(name, made);
                case "sync" -> say("synced");
                default -> throw new IllegalArgumentException("no such command");
            }
        }

        void end() {
            synchronized (OUT) {
                over = true;
            }
            if (socket != null) {
                socket.removeAllCallbacks();
                socket.disconnect(1000, null, null);
            }
            sockets.end();
        }
    }

    /** Makes the connections of a case, and ends them with it. */
    static class Sockets extends SocketFactory {
        private final List<Socket> made = new ArrayList<>();
        private boolean over;

        @Override
        public synchronized Socket createSocket() throws IOException {
            if (over) {
                throw new IOException("the case is over");
            }
            Socket socket = new Socket();
            made.add(socket);
            return socket;
        }

        synchronized void end() {
            over = true;
            for (Socket socket : made) {
                try {
                    socket.close();
                } catch (IOException error) {
                    System.err.println(error);
                }
            }
        }

        @Override
        public Socket createSocket(String host, int port) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Socket createSocket(InetAddress host, int port) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Socket createSocket(String host, int port, InetAddress local, int localPort) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort) {
            throw new UnsupportedOperationException();
        }
    }

    static Map<String, Object> map(JsonElement json) {
        return json == null ? Map.of() : GSON.fromJson(json, new TypeToken<Map<String, Object>>() {}.getType());
    }

    /** The version is in the name of the jar. */
    static String version() {
        return Channel.class.getProtectionDomain().getCodeSource().getLocation().getPath().replaceAll(".*-|\\.jar$", "");
    }

    /** A function of the program: `params`, or the next of `params_each`, whose last one stays. */
    static Function0<Map<String, Object>> params(JsonObject c) {
        if (!c.has("params_each")) {
            Map<String, Object> params = map(c.get("params"));
            return () -> params;
        }
        List<Map<String, Object>> each = new ArrayList<>();
        c.getAsJsonArray("params_each").forEach(params -> each.add(map(params)));
        return () -> each.size() > 1 ? each.remove(0) : each.get(0);
    }

    /** A table of delays whose last one repeats. */
    static Function1<Integer, Long> table(JsonObject options, String name) {
        var delays = options.getAsJsonArray(name);
        return tries -> delays.get(Math.min(tries, delays.size()) - 1).getAsLong();
    }

    /** Classes that are loaded when the first connection is made would take its time. */
    static void warmUp() throws IOException {
        Play play = new Play();
        play.over = true;
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            play.command(JsonParser.parseString(
                "{\"do\":\"connect\",\"vsn\":\"2.0.0\",\"options\":{},\"url\":\"ws://127.0.0.1:" + server.getLocalPort() + "/socket\"}")
                .getAsJsonObject());
            server.accept().close();
        }
        Defaults.INSTANCE.getDecode().invoke("[null,null,\"phoenix\",\"phx_reply\",{\"response\":{}}]");
        play.end();
    }

    public static void main(String[] arguments) throws IOException {
        System.setOut(System.err);
        warmUp();
        Play play = new Play();
        play.say("hello", "protocol", 1, "name", "JavaPhoenixClient", "version", version(), "capabilities",
            List.of("websocket", "vsn2", "presence", "params_each", "join_params_each", "heartbeat_ms", "timeout_ms",
                "push_timeout_ms", "reconnect_ms", "rejoin_ms", "disconnect_code", "listeners"));
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JsonObject command = JsonParser.parseString(line).getAsJsonObject();
            if (command.get("do").getAsString().equals("reset")) {
                play.end();
                play = new Play();
                play.say("reset");
                continue;
            }
            try {
                play.command(command);
            } catch (RuntimeException error) {
                play.say("failed", "do", command.get("do").getAsString(), "reason", error.toString());
            }
        }
        Runtime.getRuntime().halt(0);
    }
}
