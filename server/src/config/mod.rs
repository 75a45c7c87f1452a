//! What the operator of a server may set. [`load`] builds it from flags, environment and a file; every setting is one
//! argument of clap's, whose docstring is what `--help` and `docs/hosting.md` say of it.

mod admin;
mod file;
mod load;
mod overload;
mod reach;
mod seeing;
mod site;
mod stopping;

pub use admin::{AdminConfig, SECRET_CHARS_MIN, Secret, Tokens};
pub use file::FileErrors;
pub use load::{Changes, Cli, LoadError, Loaded, Todo, UsualSettings, load, settings};
pub use overload::OverloadConfig;
pub use reach::{BasePath, Bind, FileMode, ProxyHeader, PublicUrl, ReachConfig};
pub use seeing::{LogFormat, MetricsFor, SeeingConfig};
pub use site::{SiteConfig, SiteServer};
pub use stopping::StoppingConfig;

use crate::net::limits::{Limits, at_least_one};
use crate::net::upgrade::AllowedOrigin;
use crate::session::settings::{ROUND_S_MAX, ROUND_S_MIN, SPECTATOR_DELAY_S_MAX, TEAMS_MAX};
use clap::{ArgAction, Args};
use core::ops::RangeInclusive;
use shared::game::{REWIND_MS, REWIND_MS_MAX, Setup};
use std::path::PathBuf;
use std::thread::available_parallelism;
use tracing_subscriber::EnvFilter;

/// Settings that are as they were at the start until the server starts again; all others follow a reload.
pub const RESTART: &[&str] = &[
    "bind",
    "data",
    "threads",
    "unix_mode",
    "tls_cert",
    "tls_key",
    "tls_http",
    "base_path",
    "site",
    "site_letter",
    "site_secret",
    "log_format",
    "otel_endpoint",
];

/// For how long players may do nothing, in seconds: long enough to be warned in, and at most a day.
const INACTIVE_S: RangeInclusive<u32> = 60..=86_400;

/// All settings.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Sessions")]
pub struct Config {
    /// Ticks per second, unless who opens a session wants others. More is smoother and costs proportionally more of
    /// everything.
    #[arg(long, env = "GAMEKEEPER_TICK_RATE", value_name = "10..=128",
          default_value_t = Self::TICK_RATE, value_parser = clap::value_parser!(u16).range(10..=128))]
    pub tick_rate: u16,

    /// How far back others are taken when a shot is judged, in milliseconds, so that players on long lines
    /// hit what they see; 0 judges by the present. More lets players be hit longer after they took cover. Who opens a
    /// session may want another.
    #[arg(long, env = "GAMEKEEPER_REWIND_MS", value_name = "0..=500", default_value_t = REWIND_MS,
          value_parser = clap::value_parser!(u16).range(..=i64::from(REWIND_MS_MAX)))]
    pub rewind_ms: u16,

    /// Computer pilots join until people and they are this many together, so that a newcomer finds
    /// somebody to play with; 0 for none. Who opens a session may want other numbers.
    #[arg(long, env = "GAMEKEEPER_PILOTS", value_name = "COUNT", default_value_t = Self::PILOTS,
          value_parser = clap::value_parser!(u16).range(..=1000))]
    pub pilots: u16,

    /// Teams of sessions that quick play opens, and of others unless who opens them wants it otherwise; 0 for everybody
    /// against everybody.
    #[arg(long, env = "GAMEKEEPER_TEAMS", value_name = "0|2..=4", default_value_t = 0, value_parser = teams)]
    pub teams: u8,

    /// Length of a round in seconds, unless who opens a session wants another; 0 for a game without rounds.
    #[arg(long, env = "GAMEKEEPER_ROUND_SECONDS", value_name = "0|20..=3600",
          default_value_t = Self::ROUND_SECONDS, value_parser = round_seconds)]
    pub round_seconds: u16,

    /// The most people at once in one session; one more is told that no seat is free.
    #[arg(long, env = "GAMEKEEPER_MAX_PLAYERS", value_name = "COUNT",
          default_value_t = Self::MAX_PLAYERS, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub max_players: u16,

    /// The most people at once who watch a session, unless who opens it wants another number; 0 for none. One more is told
    /// that all places to watch are taken.
    #[arg(long, env = "GAMEKEEPER_MAX_SPECTATORS", value_name = "COUNT",
          default_value_t = Self::MAX_SPECTATORS, value_parser = clap::value_parser!(u16).range(..=1000))]
    pub max_spectators: u16,

    /// By how many seconds what spectators see is delayed, unless who opens a session wants it otherwise. Whoever plays in one
    /// window can watch in another: with a delay that tells them nothing any more.
    #[arg(long, env = "GAMEKEEPER_SPECTATOR_DELAY_SECONDS", value_name = "0..=30", default_value_t = 0,
          value_parser = clap::value_parser!(u8).range(..=i64::from(SPECTATOR_DELAY_S_MAX)))]
    pub spectator_delay_seconds: u8,

    /// The most sessions at once; when there are so many, nobody opens a further one.
    #[arg(long, env = "GAMEKEEPER_MAX_SESSIONS", value_name = "COUNT", default_value_t = Self::MAX_SESSIONS,
          value_parser = at_least_one)]
    pub max_sessions: usize,

    /// Threads that sessions are spread over, each of which stays on one with everybody in it; as many as the machine
    /// has cores when absent. More are of no use.
    #[arg(long, env = "GAMEKEEPER_THREADS", value_name = "1..=256",
          value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,

    /// For how many seconds nobody is in a session until it ends; 0 for never.
    #[arg(long, env = "GAMEKEEPER_IDLE_SECONDS", value_name = "SECONDS", default_value_t = Self::IDLE_SECONDS)]
    pub idle_seconds: u32,

    /// For how many seconds players may do nothing until they only watch, where there is a place to watch; they are warned,
    /// and may play on while there is a seat. A tab that was forgotten would hold a seat, and keep a match going that
    /// nobody plays. A session in which nobody has done anything for an hour is one with nobody in it. 0 for never, as a
    /// game may want in which people think for long.
    #[arg(long, env = "GAMEKEEPER_INACTIVE_SECONDS", value_name = "0|60..=86400",
          default_value_t = Self::INACTIVE_SECONDS, value_parser = inactive_seconds)]
    pub inactive_seconds: u32,

    /// Whether visitors may open sessions of their own; quick play opens some in any case.
    #[arg(long, env = "GAMEKEEPER_OPEN_SESSIONS", value_name = "yes|no", default_value = "yes",
          action = ArgAction::Set, value_parser = yes_or_no)]
    pub open_sessions: bool,

    /// Folder in which the file gamekeeper.sqlite3 keeps results, open sessions and their matches, bans and the audit log;
    /// made if it is missing. Without it they are kept in memory, until the server stops.
    #[arg(long, env = "GAMEKEEPER_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Mebibytes of recordings of rounds that are kept, to be looked at again; the oldest make room for newer ones, and
    /// with 0 nothing is recorded. A round of five minutes with forty ships takes half a one.
    #[arg(long, env = "GAMEKEEPER_RECORDINGS_MIB", value_name = "MIB", default_value_t = Self::RECORDINGS_MIB)]
    pub recordings_mib: u32,

    /// Number from which the rocks of the arena follow in sessions that quick play opens; drawn anew for each
    /// round when absent.
    #[arg(long, env = "GAMEKEEPER_SEED", value_name = "NUMBER")]
    pub seed: Option<u64>,

    /// Pages that may open WebSockets and do what takes a POST, beside those that this server itself delivers, such as
    /// `https://game.example`; several with commas.
    #[arg(long, env = "GAMEKEEPER_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    pub origin: Vec<AllowedOrigin>,

    /// How people reach the server.
    #[command(flatten)]
    pub reach: ReachConfig,

    /// Which other servers belong to it.
    #[command(flatten)]
    pub site: SiteConfig,

    /// What it tells of itself.
    #[command(flatten)]
    pub seeing: SeeingConfig,

    /// Who operates it.
    #[command(flatten)]
    pub admin: AdminConfig,

    /// How it stops.
    #[command(flatten)]
    pub stopping: StoppingConfig,

    /// What it does when it has more to do than it can.
    #[command(flatten)]
    pub overload: OverloadConfig,

    /// Limits on what comes from outside.
    #[command(flatten)]
    pub limits: Limits,
}

impl Config {
    /// The tick rate that the arena's numbers were tuned at.
    pub const TICK_RATE: u16 = 30;
    /// Four or five ships in view wherever a newcomer is, in an arena of the usual size.
    pub const PILOTS: u16 = 36;
    /// A thousand headless bots fit.
    pub const MAX_PLAYERS: u16 = 1024;
    /// As many as gather around one match of friends.
    pub const MAX_SPECTATORS: u16 = 32;
    /// Five minutes: long enough for a comeback, short enough for a break.
    pub const ROUND_SECONDS: u16 = 300;
    /// Sixty sessions of the usual size are what a small machine bears.
    pub const MAX_SESSIONS: usize = 64;
    /// Who reloads the page, or sends a friend the link, finds the session again.
    pub const IDLE_SECONDS: u32 = 120;
    /// A round of the usual length: who took no part in one is not there.
    pub const INACTIVE_SECONDS: u32 = 300;

    /// A hundred rounds of the usual size, and bearable also where they are kept in memory.
    pub const RECORDINGS_MIB: u32 = 64;

    /// The most that all recordings take together, in bytes.
    pub(crate) fn recordings_bytes(&self) -> u64 {
        u64::from(self.recordings_mib) << 20
    }

    /// What is wrong with settings that are right one by one.
    fn validate(&self) -> Result<(), Vec<String>> {
        let filter = EnvFilter::try_new(&self.seeing.log);
        let filter =
            filter.map_err(|why| format!("log: {:?} is no filter: {why}", self.seeing.log));
        let checks =
            [filter.map(drop), self.admin.tokens().map(drop), self.overload.contradiction()];
        let wrong = checks.into_iter().filter_map(Result::err);
        let wrong = wrong.chain(self.reach.contradictions());
        let wrong: Vec<_> = wrong.chain(self.site.contradictions(&self.reach)).collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// Threads that sessions are spread over.
    pub(crate) fn threads(&self) -> usize {
        // Where the system does not say how many cores there are, one is certain.
        let cores = || available_parallelism().map_or(1, usize::from);
        self.threads.map_or_else(cores, usize::from)
    }

    /// What a session of a game with `settings` starts from.
    pub fn setup<S>(&self, settings: S) -> Setup<S> {
        let seed = self.seed.unwrap_or_else(rand::random);
        let rewind_ms = self.rewind_ms;
        Setup { settings, seed, tick_rate: self.tick_rate, rewind_ms, teams: self.teams }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tick_rate: Self::TICK_RATE,
            rewind_ms: REWIND_MS,
            pilots: Self::PILOTS,
            teams: 0,
            round_seconds: Self::ROUND_SECONDS,
            max_players: Self::MAX_PLAYERS,
            max_spectators: Self::MAX_SPECTATORS,
            spectator_delay_seconds: 0,
            max_sessions: Self::MAX_SESSIONS,
            threads: None,
            idle_seconds: Self::IDLE_SECONDS,
            inactive_seconds: Self::INACTIVE_SECONDS,
            open_sessions: true,
            data: None,
            recordings_mib: Self::RECORDINGS_MIB,
            seed: None,
            origin: Vec::new(),
            reach: ReachConfig::default(),
            site: SiteConfig::default(),
            seeing: SeeingConfig::default(),
            admin: AdminConfig::default(),
            stopping: StoppingConfig::default(),
            overload: OverloadConfig::default(),
            limits: Limits::default(),
        }
    }
}

pub(crate) fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("yes or no is needed".into()),
    }
}

fn inactive_seconds(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(seconds) if seconds == 0 || INACTIVE_S.contains(&seconds) => Ok(seconds),
        _ => Err(format!("0, or {} to {}, is needed", INACTIVE_S.start(), INACTIVE_S.end())),
    }
}

fn teams(text: &str) -> Result<u8, String> {
    match text.parse() {
        Ok(teams) if teams == 0 || (2..=TEAMS_MAX).contains(&teams) => Ok(teams),
        _ => Err(format!("0, or 2 to {TEAMS_MAX}, is needed")),
    }
}

fn round_seconds(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(seconds) if seconds == 0 || (ROUND_S_MIN..=ROUND_S_MAX).contains(&seconds) => {
            Ok(seconds)
        }
        _ => Err(format!("0, or {ROUND_S_MIN} to {ROUND_S_MAX}, is needed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::FromArgMatches;

    fn parse(flags: &[&str]) -> Result<Config, String> {
        let matches = settings().try_get_matches_from([&["gamekeeper"], flags].concat());
        let config = matches.and_then(|matches| Config::from_arg_matches(&matches));
        config.map_err(|error| error.to_string())
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
    fn rounds_and_visitors_sessions_are_set_in_words() {
        let config = parse(&["--round-seconds=0", "--open-sessions=no", "--data=x"]).unwrap();
        assert_eq!((config.round_seconds, config.open_sessions), (0, false));
        assert_eq!(config.data, Some("x".into()));
        for bad in
            ["--round-seconds=19", "--round-seconds=3601", "--open-sessions=1", "--max-sessions=0"]
        {
            let said = parse(&[bad]).unwrap_err();
            assert!(said.contains(bad.split('=').next().unwrap()), "{said}");
        }
    }

    #[test]
    fn origins_are_a_list_without_paths() {
        let origins = parse(&["--origin", "https://a.example,http://b.example:81"]).unwrap().origin;
        assert_eq!(origins.len(), 2);
        for bad in [
            "a.example",
            "ftp://a.example",
            "https://a.example/",
            "https://a@b",
            "https://",
            "https://:443",
        ] {
            assert!(parse(&["--origin", bad]).is_err(), "{bad}");
        }
    }
}
