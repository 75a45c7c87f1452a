//! Two real servers that are one site.

use crate::harness::{PATIENCE, Running, Welcomed, undrained, within};
use serde_json::{Value, json};
use server::config::{Config, ReachConfig, SiteConfig};
use server::net::listener;
use server::net::registry::State;
use shared::arena::Arena;
use shared::game::Game;
use shared::wire::Protocol;
use shared::wire::message::Hello;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The usual settings of a site's server, in which this machine is a trusted proxy.
pub fn config(letter: &str, site: &str) -> Config {
    let trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
    let site = SiteConfig {
        site: site.split(',').map(|server| server.parse().expect("a server")).collect(),
        site_letter: Some(letter.parse().expect("a letter")),
        ..SiteConfig::default()
    };
    let reach = ReachConfig { trusted_proxies, ..ReachConfig::default() };
    undrained(&Config { reach, site, pilots: 0, ..Config::default() })
}

/// Two servers of `G`, A and B, that are otherwise like this.
pub fn pair<G: Game>(like: impl Fn(&mut Config)) -> [Running; 2] {
    pair_called::<G>([["A", "B"], ["A", "B"]], like)
}

/// The same; each takes itself and the other for these.
pub fn pair_called<G: Game>(names: [[&str; 2]; 2], like: impl Fn(&mut Config)) -> [Running; 2] {
    let listeners = [(); 2]
        .map(|()| listener::bind("127.0.0.1:0".parse().expect("an address")).expect("a port"));
    let addresses = listeners.each_ref().map(|one| one.local_addr().expect("bound"));
    let mut names = names.into_iter().enumerate();
    listeners.map(|listener| {
        let (own, [a, b]) = names.next().expect("two of each");
        let mut config = config([a, b][own], &list([a, b], addresses));
        like(&mut config);
        Running::start_on::<G>(&config, listener.into())
    })
}

/// What the setting `site` says of two servers.
pub fn list([a, b]: [&str; 2], addresses: [SocketAddr; 2]) -> String {
    format!("{a}=http://{},{b}=http://{}", addresses[0], addresses[1])
}

/// WebSockets that a server passes on.
pub fn passed_on(running: &Running) -> usize {
    running.server.common.registry.count(State::PassedOn)
}

/// A session that was created on a server: its code, and the secret of its host.
pub async fn create(running: &Running, settings: Value) -> (String, String) {
    let created = running.post("/api/sessions", &settings.to_string()).await.expect(201);
    let text = |key: &str| created[key].as_str().expect("text").to_owned();
    assert_eq!(created["session"]["code"], created["code"]);
    (text("code"), text("host_secret"))
}

/// A ticket of a server: its session's code, and the path to play at.
pub async fn ticket(running: &Running, wish: Value) -> (String, String) {
    let given = running.post("/api/tickets", &wish.to_string()).await.expect(201);
    let text = |key: &str| given[key].as_str().expect("text").to_owned();
    (text("code"), text("play"))
}

/// Waits until a server's list is like this, and gives it. Whoever asks in a loop pauses: the API takes so many
/// questions and no more.
pub async fn listed(running: &Running, what: &str, like: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    within(PATIENCE, what, async {
        loop {
            let list = running.get("/api/sessions").await.expect(200);
            let sessions = list["sessions"].as_array().expect("a list");
            if like(sessions) {
                return sessions.clone();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
}

/// Waits until each of two servers knows that the other is there: as soon as it has seen a session of it.
pub async fn see_each_other(a: &Running, b: &Running) {
    for (one, other) in [(a, b), (b, a)] {
        let (code, _) = create(one, json!({"name": "Here", "public": true})).await;
        listed(other, "the other's session", |all| all.iter().any(|s| s["code"] == *code)).await;
    }
}

/// Somebody who joins a session of the arena in which somebody plays already, once its match has been on for so
/// long that one that begins anew elsewhere is behind for a while. Neither number nor tick of theirs is one that
/// anybody would have.
pub async fn in_a_match(running: &Running, play: &str) -> Welcomed {
    const TICKS: u64 = 60;
    // Those of all its sessions count.
    let sessions = running.server.common.directory.entries().len() as u64;
    running.played(1, TICKS * sessions).await;
    let hello = Hello::new(Protocol::of::<Arena>().hash, "Fay");
    let welcomed = running.welcome(play, hello).await;
    assert!(welcomed.player.0 > 0 && welcomed.tick > 30, "{:?} {}", welcomed.player, welcomed.tick);
    welcomed
}

/// A server that no real one is, until [`Self::end`].
pub struct MadeUp {
    /// Where it listens.
    pub address: SocketAddr,
    serving: JoinHandle<()>,
}

impl MadeUp {
    /// It answers every path with 200 and what `answer` says, or cuts the line. Where `answer` panics, so does
    /// [`Self::end`].
    pub async fn start(answer: impl Fn(&str) -> Option<&'static str> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let serving = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let mut head = vec![0; 4096];
                // Whoever stops meanwhile asks nothing.
                let Ok(read @ 1..) = stream.read(&mut head).await else { continue };
                let head = String::from_utf8_lossy(&head[..read]).to_string();
                assert!(head.contains("gamekeeper-from: "), "{head}");
                let path = head.split(' ').nth(1).expect("a path");
                let Some(body) = answer(path) else { continue };
                let length = body.len();
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
                drop(stream.write_all(answer.as_bytes()).await);
            }
        });
        Self { address, serving }
    }

    /// It is gone. Panics if it was asked for something that it should not have been.
    pub async fn end(self) {
        self.serving.abort();
        if let Err(ended) = self.serving.await
            && let Ok(panic) = ended.try_into_panic()
        {
            std::panic::resume_unwind(panic);
        }
    }
}
