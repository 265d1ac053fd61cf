// SPDX-License-Identifier: MIT
//! The conformance application (vectors/APPLICATION.md), as far as actix-phoenix-channel lets one write it.
//!
//! It has no way to end a channel or a connection from the server, to broadcast to all but the sender, or to serve
//! anything but WebSockets and JSON.
use actix_phoenix_channel::{
    ChannelCentral, ChannelConn, ChannelEvent, ChannelHandler, configure_channel_websocket_route,
};
use actix_web::{App, HttpServer};
use serde_json::{Value, json};
use std::{pin::Pin, sync::Arc, time::Duration};

struct Conformance;

type Work<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

fn is_served(topic: &str) -> bool {
    topic.starts_with("phxspec:") || topic == "exact"
}

async fn pause(ms: &Value) {
    tokio::time::sleep(Duration::from_millis(ms.as_u64().unwrap_or(0))).await;
}

fn answer(to: &ChannelEvent, status: &Value, response: &Value) -> ChannelEvent {
    to.build_reply(
        "phx_reply",
        &json!({"status": status, "response": response}),
    )
}

async fn reply(conn: &ChannelConn, to: &ChannelEvent, status: &Value, response: &Value) {
    conn.client().send_event(answer(to, status, response)).await;
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

fn event_of(topic: &str, wish: &Value) -> ChannelEvent {
    ChannelEvent::new(topic.to_string(), text(&wish["event"]), &wish["payload"])
}

/// `to` is the message that brought the command: what replies answer.
fn run<'a>(
    conn: &'a ChannelConn,
    to: &'a ChannelEvent,
    event: &'a str,
    wish: &'a Value,
) -> Work<'a> {
    Box::pin(async move {
        match event {
            "echo" => reply(conn, to, &json!("ok"), wish).await,
            "reply" => reply(conn, to, &wish["status"], &wish["response"]).await,
            "reply_many" => {
                for n in 1..=wish["count"].as_u64().unwrap_or(0) {
                    reply(conn, to, &json!("ok"), &json!({"n": n})).await;
                }
            }
            "reply_later" => {
                let client = conn.client().clone();
                let (reply, delay) = (
                    answer(to, &wish["status"], &wish["response"]),
                    wish["delay_ms"].clone(),
                );
                tokio::spawn(async move {
                    pause(&delay).await;
                    client.send_event(reply).await;
                });
            }
            "sleep" => pause(&wish["ms"]).await,
            "push" => conn.client().send_event(event_of(to.topic(), wish)).await,
            "broadcast" => conn.client().broadcast(event_of(to.topic(), wish)),
            "broadcast_to" => conn
                .client()
                .broadcast(event_of(&text(&wish["topic"]), wish)),
            "sequence" => run_all(conn, to, &wish["commands"]).await,
            _ => {}
        }
    })
}

async fn run_all(conn: &ChannelConn, to: &ChannelEvent, commands: &Value) {
    for command in commands.as_array().into_iter().flatten() {
        run(conn, to, &text(&command["event"]), &command["payload"]).await;
    }
}

#[async_trait::async_trait]
impl ChannelHandler for Conformance {
    async fn join_channel(&self, conn: &ChannelConn, event: ChannelEvent) {
        let wish = event.payload();
        pause(&wish["delay_ms"]).await;
        if !is_served(event.topic()) {
            reply(
                conn,
                &event,
                &json!("error"),
                &json!({"reason": "unmatched topic"}),
            )
            .await;
        } else if !wish["reject"].is_null() {
            reply(conn, &event, &json!("error"), &wish["reject"]).await;
        } else {
            let response = if wish["reply"].is_null() {
                json!({})
            } else {
                wish["reply"].clone()
            };
            conn.client().allow_join(&event, &response).await;
            let brought = ChannelEvent::new(event.topic().to_string(), "after_join", &());
            run_all(conn, &brought, &wish["after_join"]).await;
        }
    }

    async fn incoming_message(&self, conn: &ChannelConn, event: ChannelEvent) {
        run(conn, &event, event.event(), event.payload()).await;
    }
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    println!("ready http://{}", listener.local_addr()?);
    let channels = Arc::new(ChannelCentral::new(Conformance));
    HttpServer::new(move || {
        App::new().configure(|app| configure_channel_websocket_route(app, channels.clone()))
    })
    .workers(1)
    .listen(listener)?
    .run()
    .await
}
