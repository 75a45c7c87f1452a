//! The operator's part of the API: who gets in, what they see, and what becomes of real connections when they act.

mod access;
mod acts;
mod removal;
mod seeing;

use serde_json::{Value, json};
use server::config::{AdminConfig, Config};
use server::http::admin::TOKEN_TRIES;
use server::net::limits::Limits;
use server::net::refusal::Reason;
use std::time::Duration;
use tests::buoys::Buoys;
use tests::harness::{Bystander, Peer, Running, binary, eventually, hasty, hello};
use tests::http::{Answer, Ear};
use tokio::net::TcpSocket;

const TOKEN: &str = "the-token-of-this-test";

/// A server with an operator, and one session in which nobody flies.
fn start() -> Running {
    start_with(hasty())
}

fn start_with(limits: Limits) -> Running {
    let admin = AdminConfig { admin_token: TOKEN.parse().ok(), ..AdminConfig::default() };
    let config = Config { limits, admin, pilots: 0, seed: Some(1), ..Config::default() };
    Running::start_with(&config, server::open::<Buoys>(&config).expect("settings that make sense"))
}

fn shows(token: &str) -> String {
    format!("Content-Type: application/json\r\nAuthorization: Bearer {token}\r\n")
}

async fn see(running: &Running, path: &str) -> Answer {
    running.ask("GET", &format!("/api/admin{path}"), &shows(TOKEN), "").await
}

async fn act(running: &Running, action: Value) -> Answer {
    running.ask("POST", "/api/admin/actions", &shows(TOKEN), &action.to_string()).await
}

/// The code of the one session.
async fn code(running: &Running) -> String {
    let overview = see(running, "/overview").await.expect(200);
    overview["sessions"][0]["code"].as_str().expect("a session").to_owned()
}

/// The lines of people in a session, once there are so many.
async fn people(running: &Running, code: &str, count: usize) -> Vec<Value> {
    for _ in 0..500 {
        let inside = see(running, &format!("/sessions/{code}")).await.expect(200);
        let people = inside["people"].as_array().expect("a list").clone();
        if people.len() == count {
            return people;
        }
    }
    panic!("never were there {count}");
}

fn number_of(people: &[Value], name: &str) -> u64 {
    let line = people.iter().find(|line| line[1] == name);
    line.unwrap_or_else(|| panic!("{name} in {people:?}"))[0].as_u64().expect("a number")
}

/// A connection that comes from another address of this machine.
async fn connect_from(running: &Running, from: &str) -> std::io::Result<Peer> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(format!("{from}:0").parse().expect("an address"))?;
    Ok(Peer::of(socket.connect(running.address).await?))
}

/// Somebody who joins from there; the welcome is read.
async fn join_from(running: &Running, from: &str, name: &str) -> Peer {
    let mut peer = connect_from(running, from).await.expect("a connection");
    peer.send(&running.handshake()).await;
    assert_eq!(peer.status().await, Some(101));
    peer.send(&binary(&hello(name))).await;
    let (opcode, _) = peer.frame().await.expect("a welcome");
    assert_eq!(opcode, 2);
    peer
}

async fn listen(running: &Running, query: &str) -> Ear {
    let request = format!(
        "GET /api/admin/events{query} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n",
        running.address
    );
    let mut peer = running.connect().await;
    peer.send(request.as_bytes()).await;
    let head = peer.head().await.expect("an answer").to_ascii_lowercase();
    assert!(head.contains(" 200 ") && head.contains("text/event-stream"), "{head}");
    Ear::of(peer)
}
