//! What players who read nothing cost the others: 80 bots on a real server, beside 20 more who play, and
//! beside 20 whose sockets fill up. Rounds of both take turns; medians of all rounds are printed.
//!
//! ```sh
//! cargo bench -p tests --bench readers
//! ```

use clap::Parser;
use client_bot::config::Config as Flags;
use client_bot::fleet;
use client_bot::progress::Progress;
use futures_util::SinkExt;
use server::Server;
use server::config::Config;
use server::http::ARENA;
use server::metrics::Stage;
use server::net::listener;
use server::net::outbox::ConnectionOutbox;
use server::session::door::ToSession;
use server::session::{Session, SessionConfig};
use server::tick_loop::Ticked;
use shared::arena::{Arena, Settings};
use shared::game::{Setup, Tick};
use shared::wire::Protocol;
use shared::wire::close::CloseCode;
use shared::wire::message::{self, ClientMessage, Hello};
use shared::wire::protocol::SUBPROTOCOL;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const BOTS: u32 = 80;
const OTHERS: u32 = 20;
const ROUNDS: usize = 5;
/// Shorter than the server's patience with somebody who confirms nothing.
const ROUND: &str = "9s";

/// A session, and what each of its ticks took.
struct Timed {
    session: Session<Arena, ConnectionOutbox>,
    took: Arc<Mutex<Vec<Duration>>>,
}

impl Ticked<ConnectionOutbox> for Timed {
    fn tick_rate(&self) -> u16 {
        self.session.tick_rate()
    }

    fn tick_now(&self) -> Tick {
        self.session.tick_now()
    }

    fn handle(&mut self, told: ToSession<ConnectionOutbox>, at: f64) {
        self.session.handle(told, at);
    }

    fn tick(&mut self, _: &mut dyn FnMut(Stage)) {
        let started = Instant::now();
        self.session.tick();
        self.took.lock().expect("nobody panics holding it").push(started.elapsed());
    }

    fn stop(&mut self, code: CloseCode, reason: &str) {
        self.session.stop(code, reason);
    }
}

/// Figures of one round, in ms.
struct Round {
    tick_p50: f64,
    tick_p99: f64,
    answer_p50: f64,
    answer_p99: f64,
    age_p99: f64,
}

fn main() {
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        without.push(round(false));
        with.push(round(true));
    }
    println!("medians of {ROUNDS} rounds, ms; {BOTS} bots");
    println!(
        "  {:<26} {:>22} {:>22} {:>6}",
        "", "20 more who play", "20 who read nothing", "ratio"
    );
    let line = |what: &str, of: fn(&Round) -> f64| {
        let (a, b) = (median(&without, of), median(&with, of));
        println!("  {what:<26} {a:>22.2} {b:>22.2} {:>6.2}", b / a);
    };
    line("a tick's work, p50", |r| r.tick_p50);
    line("a tick's work, p99", |r| r.tick_p99);
    line("input to frame, p50", |r| r.answer_p50);
    line("input to frame, p99", |r| r.answer_p99);
    line("age of a frame, p99", |r| r.age_p99);
}

fn median(rounds: &[Round], of: fn(&Round) -> f64) -> f64 {
    let mut all: Vec<f64> = rounds.iter().map(of).collect();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn round(stuck: bool) -> Round {
    let (bound, address) = std::sync::mpsc::channel();
    let took = Arc::new(Mutex::new(Vec::new()));
    let timed = Timed { session: session(), took: Arc::clone(&took) };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    // A runtime of its own, as the server has it.
    let serving = std::thread::spawn(move || {
        runtime().block_on(async move {
            let loopback = "127.0.0.1:0".parse().expect("an address");
            let listener = listener::bind(loopback).expect("a port");
            bound.send(listener.local_addr().expect("bound")).expect("somebody waits for it");
            let shutdown = async { drop(stopped.await) };
            let server = Server::new(&Config::default(), &ARENA).expect("a store in memory");
            let protocol = Protocol::of::<Arena>();
            server.serve(timed, protocol, listener, shutdown).await.expect("it serves");
        });
    });
    let address = address.recv().expect("it is bound");
    let report = runtime().block_on(async move {
        let mut silent = Vec::new();
        if stuck {
            for n in 0..OTHERS {
                silent.push(read_nothing(address, n).await);
            }
        }
        let bots = if stuck { BOTS } else { BOTS + OTHERS };
        let (url, bots) = (address.to_string(), bots.to_string());
        let flags = ["client-bot", "--url", &url, "--bots", &bots, "--duration", ROUND];
        let flags = Flags::parse_from(flags);
        fleet::run::<Arena>(&flags, pending(), Progress::nowhere()).await.expect("it begins")
    });
    drop(stop);
    serving.join().expect("no panic");
    assert!(report.ok, "{:?}", report.faults);
    let mut took = took.lock().expect("nobody panics holding it").split_off(60);
    took.sort_unstable();
    let tick = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
    Round {
        tick_p50: tick(0.5),
        tick_p99: tick(0.99),
        answer_p50: report.input_to_frame_ms.p50,
        answer_p99: report.input_to_frame_ms.p99,
        age_p99: report.frame_age_ms.p99,
    }
}

fn session() -> Session<Arena, ConnectionOutbox> {
    let setup = Setup::new(Settings::for_players(100), 5, 30);
    let config = SessionConfig { players_max: 200, ..SessionConfig::new(setup) };
    Session::new(config).expect("settings that make sense")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Joins, and never takes a byte again.
async fn read_nothing(address: SocketAddr, number: u32) -> impl Sized {
    let mut request = format!("ws://{address}/play").into_client_request().expect("a request");
    let protocol = SUBPROTOCOL.parse().expect("a header");
    request.headers_mut().insert("Sec-WebSocket-Protocol", protocol);
    let stream = TcpStream::connect(address).await.expect("the server accepts");
    let (mut socket, _) =
        tokio_tungstenite::client_async(request, stream).await.expect("a handshake");
    let hello = Hello::new(Protocol::of::<Arena>().hash, &format!("Silent {number}"));
    let hello = message::encode_control(&ClientMessage::Hello(hello));
    socket.send(Message::Binary(hello.into())).await.expect("it is taken");
    socket
}
