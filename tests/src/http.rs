//! A tiny HTTP client: one request, one connection, one answer; and an ear for event streams.

use crate::harness::{Peer, Running};
use serde_json::Value;
use server::session::result::{Place, RoundResult};
use server::session::settings::Mode;
use server::store::{KeptResult, unix_ms};
use shared::wire::Visitor;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Status line and headers, in small letters.
    pub head: String,
    /// The rest.
    pub body: String,
}

impl Answer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|why| panic!("{why}: {self:?}"))
    }

    /// The body as JSON, of an answer with this status.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// The sentence of a problem with this status.
    pub fn problem(&self, status: u16) -> String {
        let problem = self.expect(status);
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        assert_eq!(problem["status"], status);
        assert!(problem["title"].is_string() && problem["type"] == "about:blank", "{problem}");
        problem["detail"].as_str().expect("a sentence").to_owned()
    }
}

/// Of a round in a public session that nobody played.
pub fn result_of_nobody() -> KeptResult {
    let result = RoundResult {
        name: "Arena".into(),
        mode: Mode::FreeForAll,
        public: true,
        counts: true,
        round: 1,
        seconds: 300,
        teams: Vec::new(),
        places: Vec::new(),
    };
    KeptResult { result, at: unix_ms(), recording: None }
}

/// Of a round in which one person was best.
pub fn round_of(name: &str, score: i32, figures: &[(&str, i32)]) -> KeptResult {
    let mut kept = result_of_nobody();
    kept.result.places.push(Place {
        place: 1,
        player: 1,
        name: name.into(),
        computer: false,
        team: 0,
        score,
        figures: figures.iter().map(|&(figure, count)| (figure.to_owned(), count)).collect(),
        visitor: Visitor::default(),
    });
    kept
}

impl Running {
    /// Asks for something, with more header lines, each ended by CR LF.
    pub async fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let mut peer = self.connect().await;
        let length = if body.is_empty() && method != "POST" {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", body.len())
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{length}{headers}\r\n",
            self.address
        );
        peer.send(head.as_bytes()).await;
        peer.send(body.as_bytes()).await;
        let head = peer.head().await.expect("an answer").to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let body = String::from_utf8(peer.rest().await).expect("UTF-8");
        Answer { status: status.expect("a status"), head, body }
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", "").await
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, body: &str) -> Answer {
        self.ask("POST", path, "Content-Type: application/json\r\n", body).await
    }

    /// Something done as the host of a session.
    pub async fn act(&self, code: &str, secret: &str, action: &str) -> Answer {
        let headers =
            format!("Content-Type: application/json\r\nAuthorization: Bearer {secret}\r\n");
        self.ask("POST", &format!("/api/sessions/{code}/actions"), &headers, action).await
    }

    /// Opens an event stream.
    pub async fn listen(&self) -> Ear {
        let mut peer = self.connect().await;
        let request =
            format!("GET /api/sessions/events HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
        peer.send(request.as_bytes()).await;
        let head = peer.head().await.expect("an answer").to_ascii_lowercase();
        assert!(head.contains(" 200 ") && head.contains("text/event-stream"), "{head}");
        Ear { peer, heard: String::new() }
    }
}

/// An event stream.
pub struct Ear {
    peer: Peer,
    heard: String,
}

impl Ear {
    /// One at a stream whose head was read.
    pub fn of(peer: Peer) -> Self {
        Self { peer, heard: String::new() }
    }

    /// The data of the next event with this name; others before it are passed over. `None` at the end.
    pub async fn next(&mut self, name: &str) -> Option<Value> {
        let begins = format!("event: {name}\ndata: ");
        loop {
            if let Some((_, rest)) = self.heard.split_once(&begins)
                && let Some((data, rest)) = rest.split_once("\n\n")
            {
                let data = serde_json::from_str(data).expect("JSON on one line");
                self.heard = rest.to_owned();
                return Some(data);
            }
            self.heard += &self.peer.text().await?;
        }
    }

    /// What came that is no event.
    pub async fn until(&mut self, text: &str) {
        while !self.heard.contains(text) {
            self.heard += &self.peer.text().await.expect("it goes on");
        }
    }

    /// Reads to the end of the stream.
    pub async fn end(&mut self) {
        self.peer.end().await;
    }
}
