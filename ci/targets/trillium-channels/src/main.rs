// SPDX-License-Identifier: MIT
//! The conformance application (vectors/APPLICATION.md), as far as trillium-channels lets one write it.
//!
//! It has no way to end a channel or a connection from the server, to broadcast to all but the sender, or to serve
//! anything but WebSockets and JSON.
use serde_json::{Value, json};
use std::{pin::Pin, time::Duration};
use trillium_channels::{ChannelClient, ChannelConn, ChannelEvent, ChannelHandler, channel};

struct Conformance;

type Work<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

fn is_served(topic: &str) -> bool {
    topic.starts_with("phxspec:") || topic == "exact"
}

async fn pause(ms: &Value) {
    async_io::Timer::after(Duration::from_millis(ms.as_u64().unwrap_or(0))).await;
}

fn in_background(work: impl Future<Output = ()> + Send + 'static) {
    trillium_smol::async_global_executor::spawn(work).detach();
}

async fn reply(client: &ChannelClient, to: &ChannelEvent, status: &Value, response: &Value) {
    let body = json!({"status": status, "response": response});
    client.send_event(to.build_reply("phx_reply", &body)).await;
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

fn event_of(topic: &str, wish: &Value) -> ChannelEvent {
    ChannelEvent::new(topic.to_string(), text(&wish["event"]), &wish["payload"])
}

/// `to` is the message that brought the command: what replies answer.
fn run<'a>(
    client: &'a ChannelClient,
    to: &'a ChannelEvent,
    event: &'a str,
    wish: &'a Value,
) -> Work<'a> {
    Box::pin(async move {
        match event {
            "echo" => reply(client, to, &json!("ok"), wish).await,
            "reply" => reply(client, to, &wish["status"], &wish["response"]).await,
            "reply_many" => {
                for n in 1..=wish["count"].as_u64().unwrap_or(0) {
                    reply(client, to, &json!("ok"), &json!({"n": n})).await;
                }
            }
            "reply_later" => {
                let (client, to, wish) = (client.clone(), to.clone(), wish.clone());
                in_background(async move {
                    pause(&wish["delay_ms"]).await;
                    reply(&client, &to, &wish["status"], &wish["response"]).await;
                });
            }
            "sleep" => pause(&wish["ms"]).await,
            "push" => client.send_event(event_of(to.topic(), wish)).await,
            "broadcast" => client.broadcast(event_of(to.topic(), wish)),
            "broadcast_to" => client.broadcast(event_of(&text(&wish["topic"]), wish)),
            "sequence" => run_all(client, to, &wish["commands"]).await,
            "later" => {
                let (client, to, wish) = (client.clone(), to.clone(), wish.clone());
                in_background(async move {
                    pause(&wish["delay_ms"]).await;
                    run_all(&client, &to, &wish["commands"]).await;
                });
            }
            _ => {}
        }
    })
}

async fn run_all(client: &ChannelClient, to: &ChannelEvent, commands: &Value) {
    for command in commands.as_array().into_iter().flatten() {
        run(client, to, &text(&command["event"]), &command["payload"]).await;
    }
}

impl ChannelHandler for Conformance {
    async fn join_channel(&self, conn: ChannelConn<'_>, event: ChannelEvent) {
        let Some(client) = conn.client().cloned() else {
            return;
        };
        let wish = event.payload();
        pause(&wish["delay_ms"]).await;
        if !is_served(event.topic()) {
            reply(
                &client,
                &event,
                &json!("error"),
                &json!({"reason": "unmatched topic"}),
            )
            .await;
        } else if !wish["reject"].is_null() {
            reply(&client, &event, &json!("error"), &wish["reject"]).await;
        } else {
            let response = if wish["reply"].is_null() {
                json!({})
            } else {
                wish["reply"].clone()
            };
            client.allow_join(&event, &response).await;
            let brought = ChannelEvent::new(event.topic().to_string(), "after_join", &());
            run_all(&client, &brought, &wish["after_join"]).await;
        }
    }

    async fn incoming_message(&self, conn: ChannelConn<'_>, event: ChannelEvent) {
        if let Some(client) = conn.client().cloned() {
            run(&client, &event, event.event(), event.payload()).await;
        }
    }
}

fn main() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    println!(
        "ready http://{}",
        listener.local_addr().expect("its address")
    );
    trillium_smol::config()
        .with_prebound_server(async_net::TcpListener::try_from(listener).expect("a listener"))
        .run(trillium_router::router().get("/socket/websocket", channel(Conformance)));
}
