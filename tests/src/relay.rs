//! A TCP relay that makes a line bad: delay, jitter, stalls, a rate limit, and a cut. It stands between a
//! real client and the real server, in user space, so it works on any kernel.

use shared::netcode::conditions::{Arrivals, Conditions};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// Bytes taken from a socket at once.
const CHUNK_BYTES: usize = 4096;
/// What a chunk takes on a wire beside itself, in bytes: TCP over IPv4 with timestamps.
const HEADER_BYTES: usize = 52;
/// Chunks under way in one direction; past it the relay stops reading, as a full pipe would.
const CHUNKS_MAX: usize = 1024;

/// What the lines are like, to the server and to the client.
#[derive(Clone, Copy)]
struct Ways {
    to_server: Conditions,
    to_client: Conditions,
}

/// A running relay; it stops when dropped.
pub struct Relay {
    address: SocketAddr,
    ways: Arc<Mutex<Ways>>,
    cut: watch::Sender<u64>,
    accepting: JoinHandle<()>,
}

impl Relay {
    /// Relays from a port of its own on loopback to `server` over such lines.
    pub async fn start(
        server: SocketAddr,
        conditions: Conditions,
        seed: u64,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let ways = Ways { to_server: conditions, to_client: conditions };
        let ways = Arc::new(Mutex::new(ways));
        let (cut, cuts) = watch::channel(0);
        let shared = Arc::clone(&ways);
        let accepting = tokio::spawn(async move {
            let mut number = seed;
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(server).await else { continue };
                number += 2;
                tokio::spawn(carry(near, far, Arc::clone(&shared), cuts.clone(), number));
            }
        });
        Ok(Self { address, ways, cut, accepting })
    }

    /// Where to connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the lines, also for connections that are open.
    pub fn set_conditions(&self, conditions: Conditions) {
        self.set_ways(conditions, conditions);
    }

    /// The same, each way by itself.
    pub fn set_ways(&self, to_server: Conditions, to_client: Conditions) {
        *self.ways.lock().expect("nobody panics holding it") = Ways { to_server, to_client };
    }

    /// Drops every open connection at once; new ones are let through.
    pub fn cut(&self) {
        self.cut.send_modify(|cuts| *cuts += 1);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(
    near: TcpStream,
    far: TcpStream,
    ways: Arc<Mutex<Ways>>,
    mut cuts: watch::Receiver<u64>,
    seed: u64,
) {
    if near.set_nodelay(true).and(far.set_nodelay(true)).is_err() {
        return;
    }
    let start = Instant::now();
    let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
    cuts.mark_unchanged();
    tokio::select! {
        // A cut ends both directions; dropping the sockets tells both ends.
        _ = cuts.changed() => {}
        _ = async {
            tokio::join!(
                one_way(near_read, far_write, || lock(&ways).to_server, start, seed),
                one_way(far_read, near_write, || lock(&ways).to_client, start, seed + 1),
            )
        } => {}
    }
}

async fn one_way(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    conditions: impl Fn() -> Conditions,
    start: Instant,
    seed: u64,
) {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(CHUNKS_MAX);
    let reading = async move {
        let mut arrivals = Arrivals::new(seed);
        loop {
            let mut chunk = vec![0; CHUNK_BYTES];
            let Ok(count @ 1..) = from.read(&mut chunk).await else { return };
            chunk.truncate(count);
            let now_ms = start.elapsed().as_secs_f64() * 1000.0;
            let at = start + ms(arrivals.arrival(&conditions(), count + HEADER_BYTES, now_ms));
            if sender.send((at, chunk)).await.is_err() {
                return;
            }
        }
    };
    let writing = async move {
        while let Some((at, chunk)) = receiver.recv().await {
            sleep_until(at).await;
            if to.write_all(&chunk).await.is_err() {
                return;
            }
        }
        // The other end has heard everything; it may hear the end as well.
        let _ = to.shutdown().await;
    };
    tokio::join!(reading, writing);
}

fn lock(ways: &Mutex<Ways>) -> Ways {
    *ways.lock().expect("nobody panics holding it")
}

fn ms(ms: f64) -> Duration {
    Duration::from_secs_f64(ms / 1000.0)
}
