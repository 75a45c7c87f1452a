//! Every limit on what comes from outside, and the bucket that measures rates.

use clap::Args;
use shared::wire::message::CLIENT_MESSAGE_BYTES_MAX;
use std::sync::LazyLock;
use tokio::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// Bytes of one HTTP request's head; past it the request is answered with 431.
pub const HEAD_BYTES_MAX: usize = 16 << 10;
/// Header lines of one HTTP request; past it the request is answered with 431.
pub const HEADERS_MAX: usize = 64;
/// Bytes per second that one connection may send in the long run, whatever they are. Inputs take a
/// hundredth of it; past it the connection ends with 1008.
pub const BYTES_PER_SECOND_MAX: f64 = 64.0 * 1024.0;
/// Bytes that one connection may send at once before [`BYTES_PER_SECOND_MAX`] counts.
pub const BYTES_BURST_MAX: f64 = 256.0 * 1024.0;
/// The rate of these two.
pub(crate) const BYTES: Price = Price::new(BYTES_PER_SECOND_MAX, BYTES_BURST_MAX);
/// Messages, pings and pongs that one connection may send per tick in the long run: an input each
/// tick, and as much again. Past it the connection ends with 1008.
pub const MESSAGES_PER_TICK_MAX: f64 = 2.0;
/// Seconds' worth of [`MESSAGES_PER_TICK_MAX`] that may come at once, as after a stall of the line.
pub const MESSAGES_BURST_SECONDS: f64 = 2.0;
/// Messages from all connections that wait for one session's next tick. When they are more, reading
/// from connections waits; the tick loop does not.
pub const SESSION_QUEUE_MAX: usize = 16_384;
/// Writes (a tick's messages are one) that wait for a connection whose line did not take them. When they are
/// more, the session keeps its frames and remembers what the player lacks.
pub const OUTBOX_MESSAGES_MAX: usize = 64;
/// Bytes that wait to be written to one connection, with the same consequence. A write is taken
/// whole once there are fewer, so one above it still gets through.
pub const OUTBOX_BYTES_MAX: usize = 128 << 10;
/// Bytes that wait for a line that takes nothing before the connection's own answers wait too, with all that it
/// has still to read; past twice as much in tungstenite the connection ends.
pub const WRITE_BUFFER_BYTES_MAX: usize = 256 << 10;
/// Bytes that are read from a socket at once, into a buffer that all connections of a thread share.
pub const READ_BYTES_MAX: usize = 4096;
/// Bytes that tungstenite reads at once, of the few that it is given. Its default of 128 KiB is taken per
/// connection, at once.
pub const READ_BUFFER_BYTES: usize = 512;
/// Bytes not yet sent that the kernel takes per socket: what waits longer is better not encoded yet.
pub const KERNEL_UNSENT_BYTES_MAX: u32 = 16 << 10;
/// Bytes that are read and thrown away from a peer who goes on sending after the goodbye.
pub const LINGER_BYTES_MAX: u64 = 4 << 20;
/// Bytes that TLS holds encrypted for a line that takes nothing; what is more waits in the outbox, as without TLS.
pub const TLS_UNSENT_BYTES_MAX: usize = 16 << 10;
/// Bytes of a request's body, which only the API takes; past it the request is answered with 413.
pub const BODY_BYTES_MAX: usize = 16 << 10;
/// Connections above [`Limits::max_connections`] that this machine's own addresses and Unix sockets may have, so that
/// whoever looks after a full server hears that it is well. No client of a proxy plays on one of them.
pub const LOCAL_CONNECTIONS_EXTRA: usize = 16;
/// How many times as much as one address (a /64 network of IPv6) the /48 around it may have and do, past which all of it is
/// refused as one address would be. One customer may be given a whole /48; a town's mobile phones may share one.
pub const SITE_SHARE: usize = 8;
/// In so many seconds one address may join again as often as it may have connections at once.
pub const JOIN_AGAIN_SECONDS: f64 = 200.0;
/// Connections that the kernel holds ready before they are accepted.
pub const BACKLOG: u32 = 1024;

/// Limits that an operator, or a test in a hurry, may set. Durations are not flags: their defaults come
/// from measurements, and an operator has no reason to touch them.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// The most connections in all; further ones are shut at once. A few more are for this machine's own addresses and Unix
    /// sockets, so that a full server can still be asked how it is: `/healthz`, `/readyz` and `/metrics`, all else gets 503.
    #[arg(long, env = "GAMEKEEPER_MAX_CONNECTIONS", value_name = "COUNT",
          default_value_t = Self::USUAL.max_connections, value_parser = at_least_one)]
    pub max_connections: usize,

    /// The most connections from one address (of IPv6: from one /64 network, and from a /48 eight times as many); further
    /// ones are shut at once. Everybody behind one router has the same address, and so have all bots on one machine.
    #[arg(long, env = "GAMEKEEPER_MAX_PER_ADDRESS", value_name = "COUNT",
          default_value_t = Self::USUAL.max_per_address, value_parser = at_least_one)]
    pub max_per_address: usize,

    /// The most connections from one address that have joined no session yet: pages being loaded, and
    /// whoever opens many and says nothing; further ones are shut at once. This machine's own addresses
    /// have no such limit: behind them are bots, or a proxy that speaks for everybody.
    #[arg(long, env = "GAMEKEEPER_MAX_UNJOINED_PER_ADDRESS", value_name = "COUNT",
          default_value_t = Self::USUAL.max_unjoined_per_address, value_parser = at_least_one)]
    pub max_unjoined_per_address: usize,

    /// From the first byte's chance to the last byte of a request's head; then the connection is shut.
    #[arg(skip = Self::USUAL.head_wait)]
    pub head_wait: Duration,
    /// From the first byte's chance to the end of a TLS handshake; then the connection is shut.
    #[arg(skip = Self::USUAL.tls_wait)]
    pub tls_wait: Duration,
    /// How often the files of the TLS certificate are looked at.
    #[arg(skip = Self::USUAL.certificate_look)]
    pub certificate_look: Duration,
    /// For how long a connection may speak HTTP in all; then it is shut. A phone on a bad line
    /// loads the page within it. A trusted proxy's connection serves many, and has as long after each request.
    #[arg(skip = Self::USUAL.http_wait)]
    pub http_wait: Duration,
    /// From the handshake to the hello; then the connection ends with 4001.
    #[arg(skip = Self::USUAL.hello_wait)]
    pub hello_wait: Duration,
    /// How often a peer is pinged.
    #[arg(skip = Self::USUAL.ping_every)]
    pub ping_every: Duration,
    /// For how long after a ping a peer may leave it and all further ones unanswered, then the connection ends with 4012.
    /// What else it sends is no sign that it reads. Counted in whole [`Self::ping_every`]s; one during which this machine
    /// stood still, as a laptop does that is shut, is one, however long.
    #[arg(skip = Self::USUAL.pong_wait)]
    pub pong_wait: Duration,
    /// For how long something may wait for the line to take it, without a moment at which all is taken;
    /// then the connection ends with 4012.
    #[arg(skip = Self::USUAL.write_wait)]
    pub write_wait: Duration,
    /// For how long the peer's half of a closing handshake is awaited, and for how long its last
    /// bytes are read after that.
    #[arg(skip = Self::USUAL.close_wait)]
    pub close_wait: Duration,
    /// For how long a stopping server waits for ticks to end, then for its connections to say goodbye, and then for its store.
    #[arg(skip = Self::USUAL.stop_wait)]
    pub stop_wait: Duration,
    /// For how long one stage of one tick may go on before its session counts as stuck: that is logged, and nobody is led to
    /// its lane any more. Counted in looks of the watchdog, half a second apart.
    #[arg(skip = Self::USUAL.tick_wait)]
    pub tick_wait: Duration,
    /// For how long a ticket is good, and a place promised to its holder.
    #[arg(skip = Self::USUAL.ticket_life)]
    pub ticket_life: Duration,
    /// How often an open event stream says that it is still there.
    #[arg(skip = Self::USUAL.heartbeat)]
    pub heartbeat: Duration,

    /// For how long there is too much to do before a session goes to another server of the site, and again before the next
    /// one goes.
    #[arg(skip = Self::USUAL.relief_wait)]
    pub relief_wait: Duration,

    /// Requests to the API from one address; past this rate, as with the next ones, 429.
    #[arg(skip = Self::USUAL.api_rate)]
    pub api_rate: Rate,
    /// Sessions that one address creates.
    #[arg(skip = Self::USUAL.create_rate)]
    pub create_rate: Rate,
    /// The most sessions that one address opened and that are still there; a further one is answered with 429. For those
    /// opened over loopback there is no such limit, and those that a start of the server opened again are nobody's.
    #[arg(skip = Self::USUAL.max_sessions_per_address)]
    pub max_sessions_per_address: usize,
    /// Tickets that one address asks for.
    #[arg(skip = Self::USUAL.ticket_rate)]
    pub ticket_rate: Rate,
    /// WebSockets that one address opens without a ticket, for quick play or by a session's code; over loopback there is no
    /// such limit. `None` is [`Self::max_per_address`], or 2,048 if that is less, at once, and as many again within
    /// [`JOIN_AGAIN_SECONDS`].
    #[arg(skip)]
    pub join_rate: Option<Rate>,
    /// Lines that one address says in the lobby.
    #[arg(skip = Self::USUAL.chat_rate)]
    pub chat_rate: Rate,
    /// Codes and tickets that do not exist which one address asks for; past it all of its look-ups are
    /// refused for a while, so that no answer tells a good guess.
    #[arg(skip = Self::USUAL.guess_rate)]
    pub guess_rate: Rate,
    /// The most event streams and long polls in all; a further one is answered with 503.
    #[arg(skip = Self::USUAL.max_listeners)]
    pub max_listeners: usize,
    /// The most of them from one address; a further one is answered with 429.
    #[arg(skip = Self::USUAL.max_listeners_per_address)]
    pub max_listeners_per_address: usize,
    /// The most event streams of whoever operates the server, which count among no others; a further one is answered with
    /// 503.
    #[arg(skip = Self::USUAL.max_operator_listeners)]
    pub max_operator_listeners: usize,
}

/// So many at once, and so many per second in the long run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// At once.
    pub burst: f64,
    /// Per second.
    pub per_second: f64,
}

impl Rate {
    /// `burst` at once, and one every `seconds`.
    pub const fn one_per(seconds: f64, burst: u32) -> Self {
        Self { burst: burst as f64, per_second: 1.0 / seconds }
    }
}

impl Limits {
    /// What holds where nobody sets anything else.
    const USUAL: Self = Self {
        max_connections: 4096,
        max_per_address: 2048,
        max_unjoined_per_address: 64,
        head_wait: Duration::from_secs(5),
        tls_wait: Duration::from_secs(5),
        certificate_look: Duration::from_secs(5),
        http_wait: Duration::from_secs(120),
        hello_wait: Duration::from_secs(5),
        ping_every: Duration::from_secs(5),
        pong_wait: Duration::from_secs(15),
        write_wait: Duration::from_secs(10),
        close_wait: Duration::from_secs(1),
        stop_wait: Duration::from_secs(3),
        tick_wait: Duration::from_secs(5),
        ticket_life: Duration::from_secs(15),
        heartbeat: Duration::from_secs(15),
        relief_wait: Duration::from_secs(10),
        // Sixty friends behind one router load the lobby together, and press Play together.
        api_rate: Rate::one_per(0.05, 300),
        create_rate: Rate::one_per(30.0, 5),
        // A class, or a club behind one router; a quarter of what a server usually has.
        max_sessions_per_address: 16,
        ticket_rate: Rate::one_per(0.5, 100),
        join_rate: None,
        chat_rate: Rate::one_per(2.0, 5),
        // Of 2^50 codes one address tries some thirty thousand a day. After a restart the pages behind a router
        // ask for their old codes once each.
        guess_rate: Rate::one_per(3.0, 20),
        max_listeners: 1024,
        max_listeners_per_address: 128,
        max_operator_listeners: 32,
    };

    /// How often one address joins without a ticket: all bots that one machine may have set out at once, and then whoever
    /// comes and goes is little to the others.
    pub(super) fn joins(&self) -> Rate {
        let most = self.max_per_address.max(Self::USUAL.max_per_address);
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        self.join_rate.unwrap_or(Rate::one_per(JOIN_AGAIN_SECONDS / f64::from(most), most))
    }

    /// How tungstenite is to be set up: small buffers, small messages, nothing unmasked.
    pub(super) fn websocket(&self) -> WebSocketConfig {
        WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(WRITE_BUFFER_BYTES_MAX)
            .max_message_size(Some(CLIENT_MESSAGE_BYTES_MAX))
            .max_frame_size(Some(CLIENT_MESSAGE_BYTES_MAX))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::USUAL
    }
}

/// A flag's value that may not be 0.
pub(crate) fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1 is needed".into()),
        Ok(count) => Ok(count),
        Err(_) => Err("a whole number is needed".into()),
    }
}

/// What a unit costs of a rate: so much at once, so much per second in the long run. A token bucket kept as the one moment
/// at which it is full again (the generic cell rate algorithm of ATM Forum TM 4.1), which costs an addition and a
/// comparison.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Price {
    unit_ns: f64,
    /// What all that may come at once costs.
    burst_ns: u64,
}

/// How full somebody's bucket is: when it is full again, in ns since [`BEGUN`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Level(u64);

/// What levels are counted from, as an [`Instant`] takes twice as much room in what every message needs: long before
/// anybody's first, also where clocks are stopped, each at another time, as tests do.
static BEGUN: LazyLock<Instant> = LazyLock::new(|| {
    let now = Instant::now();
    now.checked_sub(Duration::from_secs(60 * 60)).unwrap_or(now)
});

/// `now` as levels count.
fn ns(now: Instant) -> u64 {
    now.saturating_duration_since(*BEGUN).as_nanos() as u64
}

impl Level {
    /// A full one.
    pub(crate) const FULL: Self = Self(0);
}

impl Price {
    pub(crate) const fn new(per_second: f64, burst: f64) -> Self {
        let unit_ns = 1e9 / per_second;
        Self { unit_ns, burst_ns: (burst * unit_ns) as u64 }
    }

    /// Takes `amount` out; false, and nothing taken, when less is left.
    pub(crate) fn take(&self, level: &mut Level, amount: f64, now: Instant) -> bool {
        let now = ns(now);
        let full = self.without(*level, amount, now);
        let enough = full - now <= self.burst_ns;
        if enough {
            level.0 = full;
        }
        enough
    }

    /// When it is full again without this, not before now.
    fn without(&self, level: Level, amount: f64, now: u64) -> u64 {
        level.0.max(now) + (amount * self.unit_ns) as u64
    }
}

/// A bucket of its own price.
#[derive(Debug)]
pub(crate) struct Bucket {
    price: Price,
    level: Level,
}

impl Bucket {
    /// A full bucket.
    pub(crate) const fn new(per_second: f64, burst: f64) -> Self {
        Self { price: Price::new(per_second, burst), level: Level::FULL }
    }

    /// Takes `amount` out; false, and nothing taken, when less is left.
    pub(crate) fn take(&mut self, amount: f64, now: Instant) -> bool {
        self.price.take(&mut self.level, amount, now)
    }

    /// After how long [`Self::take`] would be true, if nobody else took anything until then.
    pub(crate) fn wait(&self, amount: f64, now: Instant) -> Duration {
        let now = ns(now);
        let full = self.price.without(self.level, amount, now);
        Duration::from_nanos((full - now).saturating_sub(self.price.burst_ns))
    }

    /// Whether all of it is there.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        self.level.0 <= ns(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_then_its_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new(10.0, 20.0);
        assert!((0..20).all(|_| bucket.take(1.0, start)));
        assert!(!bucket.take(1.0, start));
        let later = start + Duration::from_secs(1);
        assert_eq!((0..100).filter(|_| bucket.take(1.0, later)).count(), 10);
        assert_eq!(bucket.wait(1.0, later), Duration::from_millis(100));
        assert_eq!(bucket.wait(2.0, later), Duration::from_millis(200));
        let much_later = start + Duration::from_secs(1000);
        assert!(!bucket.is_full(later) && bucket.is_full(much_later));
        assert_eq!((0..100).filter(|_| bucket.take(1.0, much_later)).count(), 20);
    }

    #[test]
    fn a_clock_that_steps_back_earns_nothing() {
        let start = Instant::now();
        let later = start + Duration::from_secs(10);
        let mut bucket = Bucket::new(1000.0, 1.0);
        assert!(bucket.take(1.0, later));
        assert!(!bucket.take(1.0, later - Duration::from_secs(5)));
        assert!(!bucket.take(1.0, later));
    }
}
