//! A match outlives a server that had no time to say goodbye.

use super::*;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use server::net::outbox::ConnectionOutbox;
use server::session::{Session, SessionConfig};
use shared::arena;
use shared::game::{Setup, Tick};
use shared::netcode::client::Client;
use std::path::PathBuf;
use std::time::Instant;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

/// A server's folder that is gone with the story.
struct Data(PathBuf);

impl Data {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("gamekeeper-{name}-{}", std::process::id())))
    }

    /// A server that keeps what it knows there.
    fn serve(&self) -> Served {
        let data = self.0.to_str().expect("UTF-8");
        Served::start(&mut server(&["--bind", "127.0.0.1:0", "--data", data]))
    }

    /// The same file as any other program may read it while the server runs.
    fn read(&self) -> Connection {
        let file = self.0.join("gamekeeper.sqlite3");
        Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("it is there")
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// How many people are in the checkpoint that is kept, and of which tick it is.
fn kept(db: &Connection) -> Option<(usize, Tick)> {
    let state = db.query_row("SELECT state FROM checkpoints", [], |row| row.get(0)).optional();
    let state: Vec<u8> = state.expect("a database that others may read")?;
    let config = SessionConfig::new(Setup::new(arena::Settings::default(), 0, 30));
    let session = Session::<Arena, ConnectionOutbox>::resume(config, &state).expect("it is one");
    Some((session.players(), session.tick_now()))
}

/// Joins quick play, and plays by the rules until something is `done`, which is looked at after every message.
fn play(
    port: u16,
    client: &mut Client<Arena>,
    start: Instant,
    done: impl Fn(&Client<Arena>) -> bool,
) -> WebSocket<TcpStream> {
    let now = || start.elapsed().as_secs_f64() * 1000.0;
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream.set_read_timeout(Some(ANSWER_WAIT)).expect("a socket");
    let url = format!("ws://127.0.0.1:{port}/play");
    let mut request = url.into_client_request().expect("a request");
    let protocol = SUBPROTOCOL.parse().expect("a header");
    request.headers_mut().insert("Sec-WebSocket-Protocol", protocol);
    let (mut socket, _) = tungstenite::client::client(request, stream).expect("a handshake");
    socket.send(Message::Binary(client.hello(now()).into())).expect("it reads");
    while !done(client) {
        if let Message::Binary(bytes) = socket.read().expect("the session speaks") {
            client.receive(&bytes, now()).expect("frames fit");
        }
        client.advance(now());
        while let Some(bytes) = client.outgoing() {
            socket.send(Message::Binary(bytes.into())).expect("it reads");
        }
    }
    socket
}

#[test]
fn a_match_goes_on_where_it_stood_some_seconds_before_the_server_was_killed() {
    let data = Data::new("killed");
    let mut child = data.serve();
    let at = port(&mut child);
    let start = Instant::now();
    let is_in = |client: &Client<Arena>| client.view().is_some();
    // The first number of a session says nothing: anybody has it in a new one.
    let _other = play(at, &mut Client::new("Ben"), start, is_in);
    let mut ann = Client::new("Ann");
    let db = data.read();
    let has_both = |_: &_| kept(&db).is_some_and(|(people, _)| people == 2);
    let _socket = play(at, &mut ann, start, has_both);
    let (_, tick) = kept(&db).expect("it stays");
    let me = ann.me();
    drop(db);
    child.kill().expect("it runs");
    assert!(!child.end().success(), "it had no time to keep anything else");

    let mut child = data.serve();
    let _socket = play(port(&mut child), &mut ann, start, is_in);
    assert!(me.is_some() && ann.me() == me, "the same seat: {me:?}, {:?}", ann.me());
    let seen = ann.view().expect("they are in").tick;
    assert!(seen >= tick, "{seen} of {tick}");
    child.kill().expect("it runs");
    child.end();
}
