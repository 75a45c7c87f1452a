//! This server as it is, from its listener to its tick loop, with a session in it that knows no game: it takes every
//! input and sends everybody the same bytes each tick, each their own copy.

use super::{MESSAGE_BYTES, RATE};
use anyhow::Result;
use server::Server;
use server::config::Config;
use server::http::ARENA;
use server::metrics::Stage;
use server::net::listener;
use server::net::outbox::ConnectionOutbox;
use server::session::door::{ConnectionId, Outbox, ToSession};
use server::tick_loop::Ticked;
use shared::game::Tick;
use shared::wire::Protocol;
use shared::wire::close::CloseCode;
use shared::wire::field::Field;
use std::collections::BTreeMap;
use std::future::pending;
use std::iter::once;
use std::net::SocketAddr;

/// With the six bytes in front of them these make an input of sixteen.
const INPUT: &[Field] = &[
    Field::count("a", 16),
    Field::count("b", 16),
    Field::count("c", 16),
    Field::count("d", 16),
    Field::count("e", 16),
];

/// What both ends agree on.
pub(super) const PROTOCOL: Protocol =
    Protocol { name: "transport", kinds: &[], input: INPUT, hash: 0x7261_6e73_706f_7274 };

#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    #[arg(long)]
    bind: SocketAddr,
}

pub(crate) fn serve(flags: &Flags) -> Result<()> {
    let mut config = Config::default();
    config.limits.max_connections = 10_000;
    config.limits.max_per_address = 10_000;
    config.overload.overload = false;
    rlimit::increase_nofile_limit(12_000)?;
    server::runtime()?.block_on(async {
        let listener = listener::bind(flags.bind)?;
        Server::new(&config, &ARENA)?.serve(Echo::default(), PROTOCOL, listener, pending()).await
    })
}

/// The session. Players are gone through in the order in which they came, as in a real one.
#[derive(Default)]
struct Echo {
    tick: Tick,
    inputs: u64,
    players: BTreeMap<ConnectionId, ConnectionOutbox>,
}

impl Ticked<ConnectionOutbox> for Echo {
    fn tick_rate(&self) -> u16 {
        RATE as u16
    }

    fn tick_now(&self) -> Tick {
        self.tick
    }

    fn handle(&mut self, told: ToSession<ConnectionOutbox>, _at: f64) {
        match told {
            ToSession::Join(newcomer) => {
                self.players.insert(newcomer.connection, newcomer.outbox);
            }
            ToSession::Leave { connection, .. } => {
                self.players.remove(&connection);
            }
            ToSession::Input { .. } => self.inputs += 1,
            _ => {}
        }
    }

    fn tick(&mut self, _lap: &mut dyn FnMut(Stage)) {
        self.tick += 1;
        let message = [self.tick as u8; MESSAGE_BYTES];
        for outbox in self.players.values_mut() {
            outbox.push(once(&message[..]));
        }
    }

    fn stop(&mut self, code: CloseCode, reason: &str) {
        self.players.values_mut().for_each(|outbox| outbox.close(code, reason));
    }
}
