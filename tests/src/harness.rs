//! A real server on a port of its own, and well-behaved players.

use crate::buoys::Buoys;
pub use crate::peer::{Peer, binary, close, frame, hello};
use futures_util::{SinkExt, StreamExt};
use server::Server;
use server::config::{Config, OverloadConfig, StoppingConfig};
use server::http::{ARENA, Build};
use server::net::PLAY_PATH;
use server::net::limits::Limits;
use server::net::listener;
use server::net::listeners::Listeners;
use server::net::outbox::ConnectionOutbox;
use server::net::refusal::Reason;
use server::net::registry::State;
use server::tick_loop::Ticked;
use shared::game::{Game, PlayerId, Tick};
use shared::netcode::client::{Client, Stats};
use shared::wire::message::{self, ClientMessage, Hello, ServerMessage};
use shared::wire::protocol::SUBPROTOCOL;
use shared::wire::{Protocol, SeatToken};
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// After which a test that waits for the server has failed. Far longer than anything takes: the machines that tests
/// run on stand still now and then, for a second or two.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Limits with which nobody who says goodbye has to be waited for. Who behaves is never too late for them, however slow
/// the machine is that tests run on.
pub fn hasty() -> Limits {
    Limits { close_wait: Duration::from_millis(300), ..Limits::default() }
}

/// The same settings for a server that stops without waiting for rounds to end.
pub fn undrained(config: &Config) -> Config {
    Config { stopping: StoppingConfig { drain_seconds: Some(0) }, ..config.clone() }
}

/// The same settings for a server that gives up nothing, however busy the machine is that tests run on.
pub fn unhurried(config: &Config) -> Config {
    let overload = OverloadConfig { overload: false, ..config.overload.clone() };
    Config { overload, ..config.clone() }
}

/// A server that runs.
pub struct Running {
    /// Where.
    pub address: SocketAddr,
    /// Its insides.
    pub server: Server,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    /// A session of [`Buoys`] without computer pilots.
    pub fn start(limits: Limits) -> Self {
        let config = Config { limits, pilots: 0, seed: Some(1), ..Config::default() };
        Self::start_with(&config, server::open::<Buoys>(&config).expect("settings that make sense"))
    }

    /// Any session that takes [`Buoys`]' messages.
    pub fn start_with(config: &Config, session: impl Ticked<ConnectionOutbox> + 'static) -> Self {
        let listener = listener::bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
        let address = listener.local_addr().expect("bound");
        let server =
            Server::new(&unhurried(&undrained(config)), &ARENA).expect("a place for results");
        let (stop, stopped) = oneshot::channel::<()>();
        let running = server.clone();
        let task = tokio::spawn(async move {
            let shutdown = async { drop(stopped.await) };
            running.serve(session, Protocol::of::<Buoys>(), listener, shutdown).await
        });
        Self { address, server, stop: Some(stop), task }
    }

    /// A server of `G` without a session: they open as somebody wants one.
    pub fn start_empty<G: Game>(config: &Config) -> Self {
        Self::start_draining::<G>(&undrained(config))
    }

    /// The same with a page of the game's own.
    pub fn start_with_page<G: Game>(config: &Config, page: &'static Build) -> Self {
        let listener = listener::bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
        Self::launch::<G>(&unhurried(&undrained(config)), page, listener.into())
    }

    /// The same; when it is stopped it lets rounds end, for as long as `config` says.
    pub fn start_draining<G: Game>(config: &Config) -> Self {
        let listener = listener::bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
        Self::start_on::<G>(config, listener.into())
    }

    /// As [`Self::start_empty`], listening where the settings say.
    pub fn start_reached<G: Game>(config: &Config) -> Self {
        let listeners = Listeners::open(&config.reach).expect("settings that make sense");
        Self::start_on::<G>(&undrained(config), listeners)
    }

    /// As [`Self::start_empty`], giving up detail when it is overloaded.
    pub fn start_governed<G: Game>(config: &Config) -> Self {
        let listener = listener::bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
        Self::launch::<G>(&undrained(config), &ARENA, listener.into())
    }

    /// Listening on these; when it is stopped it lets rounds end, for as long as `config` says. Where that is no
    /// TCP at all, `address` has port 0.
    pub fn start_on<G: Game>(config: &Config, listeners: Listeners) -> Self {
        Self::launch::<G>(&unhurried(config), &ARENA, listeners)
    }

    fn launch<G: Game>(config: &Config, page: &'static Build, listeners: Listeners) -> Self {
        let nowhere = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
        let address = listeners.addresses().next().map_or(nowhere, |(address, _)| address);
        let server = Server::of::<G>(config, page).expect("a place for results");
        let (stop, stopped) = oneshot::channel::<()>();
        let running = server.clone();
        let task =
            tokio::spawn(
                async move { running.run(listeners, async { drop(stopped.await) }).await },
            );
        Self { address, server, stop: Some(stop), task }
    }

    /// From now on whoever opens a connection is waited for so long only at this point, and as before at all others.
    pub fn hurries(&self, wait: impl Fn(&mut Limits) -> &mut Duration) {
        let live = &self.server.common.live;
        let mut config = (*live.get()).clone();
        *wait(&mut config.limits) = Duration::from_millis(300);
        live.replace(config);
    }

    /// Asks it to stop, which may take as long as its rounds do.
    pub fn ask_to_stop(&mut self) {
        self.stop = None;
    }

    /// Stops it, and how it ended.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.ask_to_stop();
        timeout(PATIENCE, self.task).await.expect("it stops").expect("it does not panic")
    }

    /// Waits until so many play, and then for so many ticks of all sessions together: what can be counted is the same on a
    /// slow machine.
    pub async fn played(&self, players: usize, ticks: u64) {
        let counts = &self.server.common.directory.ticks;
        let joined = || self.server.common.registry.count(State::Joined);
        eventually(&format!("{players} players"), || joined() >= players).await;
        let until = counts.ticks.load(Ordering::Relaxed) + ticks;
        let done = || counts.ticks.load(Ordering::Relaxed) >= until;
        eventually(&format!("{ticks} ticks"), done).await;
    }

    /// Waits until as many connections are open.
    pub async fn settles_at(&self, connections: usize) {
        let open = || self.server.common.registry.open();
        eventually(&format!("{connections} open connections"), || open() == connections).await;
    }

    /// A connection that says nothing yet.
    pub async fn connect(&self) -> Peer {
        let stream = TcpStream::connect(self.address).await.expect("the server accepts");
        stream.set_nodelay(true).expect("a socket");
        Peer::of(stream)
    }

    /// A proper request for a WebSocket.
    pub fn handshake(&self) -> Vec<u8> {
        self.handshake_with("").into_bytes()
    }

    /// The same with more header lines, each ended by CR LF.
    pub fn handshake_with(&self, headers: &str) -> String {
        self.handshake_at(PLAY_PATH, headers)
    }

    fn handshake_at(&self, path: &str, headers: &str) -> String {
        format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n{headers}\r\n",
            self.address
        )
    }

    /// A peer whose handshake is done.
    pub async fn open(&self) -> Peer {
        self.try_open(PLAY_PATH).await.expect("a WebSocket")
    }

    /// A peer whose handshake at this path is done, or the status of the refusal.
    pub async fn try_open(&self, path: &str) -> Result<Peer, u16> {
        let mut peer = self.connect().await;
        peer.send(self.handshake_at(path, "").as_bytes()).await;
        match peer.status().await.expect("an answer") {
            101 => Ok(peer),
            refused => Err(refused),
        }
    }

    /// A peer that joined the session.
    pub async fn join(&self, name: &str) -> Peer {
        self.join_at(PLAY_PATH, name).await
    }

    /// A peer that joined the session at this path.
    pub async fn join_at(&self, path: &str, name: &str) -> Peer {
        self.greeted(path, &hello(name)).await.0
    }

    /// Somebody who says this hello at this path, and is let in.
    pub async fn welcome(&self, path: &str, hello: Hello) -> Welcomed {
        let hello = message::encode_control(&ClientMessage::Hello(hello));
        let (peer, said) = self.greeted(path, &hello).await;
        let said = message::decode(&said[1..]).expect("a control message");
        let ServerMessage::Welcome { player, tick, seat, .. } = said else { panic!("{said:?}") };
        Welcomed { peer, player, tick, seat }
    }

    /// A peer that sent a hello, and the first message that it was sent.
    async fn greeted(&self, path: &str, hello: &[u8]) -> (Peer, Vec<u8>) {
        let mut peer = self.try_open(path).await.expect("a WebSocket");
        peer.send(&binary(hello)).await;
        loop {
            let (opcode, payload) = peer.frame().await.expect("a welcome");
            if opcode == 2 {
                assert_eq!(payload.first(), Some(&message::TYPE));
                return (peer, payload);
            }
            assert_eq!(opcode, 9, "nothing but pings comes before the welcome");
        }
    }
}

/// Somebody who was let in.
pub struct Welcomed {
    /// Their line.
    pub peer: Peer,
    /// As whom.
    pub player: PlayerId,
    /// After which tick.
    pub tick: Tick,
    /// What they show the next time.
    pub seat: SeatToken,
}

impl Welcomed {
    /// Shows the seat at `running`, and finds it in the same match: as the same player, and no earlier.
    pub async fn plays_on<G: Game>(&self, running: &Running, path: &str) -> Self {
        let hello =
            Hello { seat: Some(self.seat), ..Hello::new(Protocol::of::<G>().hash, "Again") };
        let again = running.welcome(path, hello).await;
        assert_eq!(again.player, self.player);
        assert!(again.tick >= self.tick, "{} after {}", again.tick, self.tick);
        again
    }
}

/// Waits for something that the server is about to do, and fails after [`PATIENCE`].
pub async fn eventually(what: &str, done: impl Fn() -> bool) {
    let waited = timeout(PATIENCE, async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    assert!(waited.await.is_ok(), "never happened: {what}");
}

/// Somebody who plays by the rules, with the real client, until the server ends it: also when nobody looks any more.
pub struct Bystander {
    stats: watch::Receiver<Stats>,
    task: JoinHandle<Option<u16>>,
}

impl Bystander {
    /// Joins.
    pub async fn join(address: SocketAddr, name: &str) -> Self {
        Self::join_from::<Buoys>("127.0.0.1", address, name).await
    }

    /// Joins a session of `G`, from this address of the machine.
    pub async fn join_from<G: Game>(from: &str, address: SocketAddr, name: &str) -> Self {
        let own = TcpSocket::new_v4().expect("a socket");
        own.bind(format!("{from}:0").parse().expect("an address")).expect("it is ours");
        let stream = own.connect(address).await.expect("the server accepts");
        Self::playing_over::<G>(stream, &format!("ws://{address}/play"), name).await
    }

    /// Joins a session of `G` at this path of a server.
    pub async fn join_at<G: Game>(running: &Running, path: &str, name: &str) -> Self {
        let stream = TcpStream::connect(running.address).await.expect("the server accepts");
        Self::playing_over::<G>(stream, &format!("ws://{}{path}", running.address), name).await
    }

    /// Joins at this address, over a stream that is open already.
    pub async fn over(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        url: &str,
        name: &str,
    ) -> Self {
        Self::playing_over::<Buoys>(stream, url, name).await
    }

    async fn playing_over<G: Game>(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        url: &str,
        name: &str,
    ) -> Self {
        let mut request = url.into_client_request().expect("a request");
        let protocol = SUBPROTOCOL.parse().expect("a header");
        request.headers_mut().insert("Sec-WebSocket-Protocol", protocol);
        let (mut socket, _) =
            tokio_tungstenite::client_async(request, stream).await.expect("a handshake");
        let mut client = Client::<G>::new(name);
        let (tell, stats) = watch::channel(client.stats());
        let task = tokio::spawn(async move {
            let start = Instant::now();
            let now = || start.elapsed().as_secs_f64() * 1000.0;
            let mut draw = interval(Duration::from_millis(8));
            socket.send(Message::Binary(client.hello(now()).into())).await.ok()?;
            loop {
                tokio::select! {
                    heard = socket.next() => match heard?.ok()? {
                        Message::Binary(bytes) => client.receive(&bytes, now()).expect("frames fit"),
                        Message::Close(frame) => return frame.map(|frame| frame.code.into()),
                        _ => {}
                    },
                    _ = draw.tick() => client.advance(now()),
                }
                while let Some(bytes) = client.outgoing() {
                    socket.send(Message::Binary(bytes.into())).await.ok()?;
                }
                tell.send_replace(client.stats());
            }
        });
        let mut bystander = Self { stats, task };
        bystander.is_well().await;
        bystander
    }

    /// Sees to it that frames go on coming and fit.
    pub async fn is_well(&mut self) {
        let before = self.stats.borrow_and_update().frames;
        let more = self.stats.wait_for(|stats| stats.frames >= before + 2);
        let stats = timeout(PATIENCE, more).await.expect("frames come").expect("still connected");
        assert_eq!(stats.mismatches, 0);
    }

    /// The code that the connection was closed with; `None` when it broke without one.
    pub async fn closed(self) -> Option<u16> {
        timeout(PATIENCE, self.task).await.expect("it is told").expect("it does not panic")
    }
}

/// Runs `story` within a time that no healthy one needs.
pub async fn within<T>(limit: Duration, what: &str, story: impl Future<Output = T>) -> T {
    timeout(limit, story).await.unwrap_or_else(|_| panic!("took longer than {limit:?}: {what}"))
}

/// A server, and somebody who plays on it.
pub async fn scene(limits: Limits) -> (Running, Bystander) {
    let running = Running::start(limits);
    let bystander = Bystander::join(running.address, "Bystander").await;
    (running, bystander)
}

/// Everybody else is gone without a trace, and the one who plays still does.
pub async fn unharmed(running: Running, mut bystander: Bystander) {
    running.settles_at(1).await;
    bystander.is_well().await;
    assert_eq!(running.server.common.refusals.count(Reason::Slow), 0);
    running.stop().await.expect("a server without a scratch");
}
