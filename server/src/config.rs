//! What the host of a server may set. Built once in `main` from flags and environment, checked, and
//! passed on by value.

use crate::net::limits::Limits;
use crate::net::upgrade::AllowedOrigin;
use clap::Parser;
use shared::game::{REWIND_MS, REWIND_MS_MAX, Setup};
use std::net::{Ipv4Addr, SocketAddr};

/// Gamekeeper: a multiplayer game server that you host yourself. Run it and open the address it
/// prints; whoever opens the same address plays with you.
#[derive(Clone, Debug, Parser)]
#[command(name = "gamekeeper", version)]
pub struct Config {
    /// Address and port to listen on; 0.0.0.0 is every network of this machine, 127.0.0.1 this
    /// machine alone, `[::]:8080` IPv6 and IPv4.
    #[arg(long, env = "GAMEKEEPER_BIND", value_name = "ADDR:PORT", default_value_t = Self::BIND)]
    pub bind: SocketAddr,

    /// Ticks per second. More is smoother and costs proportionally more of everything.
    #[arg(long, env = "GAMEKEEPER_TICK_RATE", value_name = "10..=128",
          default_value_t = Self::TICK_RATE, value_parser = clap::value_parser!(u16).range(10..=128))]
    pub tick_rate: u16,

    /// How far back others are taken when a shot is judged, in milliseconds, so that players on long lines
    /// hit what they see; 0 judges by the present. More lets players be hit longer after they took cover.
    #[arg(long, env = "GAMEKEEPER_REWIND_MS", value_name = "0..=500", default_value_t = REWIND_MS,
          value_parser = clap::value_parser!(u16).range(..=i64::from(REWIND_MS_MAX)))]
    pub rewind_ms: u16,

    /// Computer pilots join until people and they are this many together, so that a newcomer finds
    /// somebody to play with; 0 for none.
    #[arg(long, env = "GAMEKEEPER_PILOTS", value_name = "COUNT", default_value_t = Self::PILOTS,
          value_parser = clap::value_parser!(u16).range(..=1000))]
    pub pilots: u16,

    /// The most people at once; one more is told to try later.
    #[arg(long, env = "GAMEKEEPER_MAX_PLAYERS", value_name = "COUNT",
          default_value_t = Self::MAX_PLAYERS, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub max_players: u16,

    /// Number from which everything random follows; drawn at the start when absent.
    #[arg(long, env = "GAMEKEEPER_SEED", value_name = "NUMBER")]
    pub seed: Option<u64>,

    /// Pages that may open WebSockets, such as `https://game.example`; several with commas. When absent
    /// only pages that this server itself delivered may.
    #[arg(long, env = "GAMEKEEPER_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    pub origin: Vec<AllowedOrigin>,

    /// What goes into the log: error, warn, info, debug, or a filter as tracing-subscriber has it.
    #[arg(long, env = "GAMEKEEPER_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,

    /// Limits on what comes from outside.
    #[command(flatten)]
    pub limits: Limits,
}

impl Config {
    /// Where a server listens unless told otherwise.
    pub const BIND: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 8080);
    /// The tick rate that the arena's numbers were tuned at.
    pub const TICK_RATE: u16 = 30;
    /// Four or five ships in view wherever a newcomer is, in an arena of the usual size.
    pub const PILOTS: u16 = 36;
    /// A thousand headless bots fit.
    pub const MAX_PLAYERS: u16 = 1024;

    /// What a session of a game with `settings` starts from.
    pub fn setup<S>(&self, settings: S) -> Setup<S> {
        let seed = self.seed.unwrap_or_else(rand::random);
        let rewind_ms = self.rewind_ms;
        Setup { settings, seed, tick_rate: self.tick_rate, rewind_ms, teams: 0 }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bind: Self::BIND,
            tick_rate: Self::TICK_RATE,
            rewind_ms: REWIND_MS,
            pilots: Self::PILOTS,
            max_players: Self::MAX_PLAYERS,
            seed: None,
            origin: Vec::new(),
            log: "info".into(),
            limits: Limits::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(flags: &[&str]) -> Result<Config, String> {
        Config::try_parse_from([&["gamekeeper"], flags].concat()).map_err(|e| e.to_string())
    }

    #[test]
    fn no_flag_is_the_default() {
        let (parsed, default) = (parse(&[]).unwrap(), Config::default());
        assert_eq!(format!("{parsed:?}"), format!("{default:?}"));
    }

    #[test]
    fn a_tick_rate_out_of_range_is_a_sentence() {
        for rate in ["9", "129", "0", "-1", "fast"] {
            let said = parse(&[&format!("--tick-rate={rate}")]).unwrap_err();
            assert!(said.contains("--tick-rate"), "{said}");
        }
        assert_eq!(parse(&["--tick-rate", "128"]).unwrap().tick_rate, 128);
    }

    #[test]
    fn origins_are_a_list_without_paths() {
        let origins = parse(&["--origin", "https://a.example,http://b.example:81"]).unwrap().origin;
        assert_eq!(origins.len(), 2);
        for bad in ["a.example", "ftp://a.example", "https://a.example/", "https://a@b", "https://"]
        {
            assert!(parse(&["--origin", bad]).is_err(), "{bad}");
        }
    }
}
