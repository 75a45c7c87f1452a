//! Two real servers that are one site.

use crate::harness::{Running, undrained};
use server::config::{Config, Reach, Site};
use server::net::listener;
use server::net::registry::State;
use shared::game::Game;
use std::net::SocketAddr;

/// The usual settings of a site's server, in which this machine is a trusted proxy.
pub fn config(letter: &str, site: &str) -> Config {
    let trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
    let site = Site {
        site: site.split(',').map(|server| server.parse().expect("a server")).collect(),
        site_letter: Some(letter.parse().expect("a letter")),
        site_secret: None,
    };
    let reach = Reach { trusted_proxies, ..Reach::default() };
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
    running.server.front.registry.count(State::PassedOn)
}
