//! What the user wants. Built once in `main` from the flags and passed on by value: here where to play and what the load
//! is, in `search` how the capacity is looked for, in `results` what is measured besides and what becomes of it, in
//! `part` how processes share a run.

mod part;
mod results;
mod search;

use crate::address::Address;
use crate::behaviour::{Behaviour, Behaviours};
use crate::bot::Errand;
use crate::capacity;
use crate::network::Network;
use crate::profile::Profile;
use clap::{Parser, Subcommand};
use part::PROCESSES_MAX;
pub use part::Part;
pub(crate) use results::METRICS_PATH;
pub use results::{Metrics, Results};
pub use search::Search;
use std::path::PathBuf;
use std::time::Duration;

/// The most bots of one process: about what one address has of ports for outgoing connections.
pub(crate) const BOTS_MAX: u32 = 28_000;
/// The quickest ramp, in bots per second. More at once would measure the kernel's queue of connections.
const RAMP_MAX: f64 = 10_000.0;
/// The most sessions that one run opens.
const SESSIONS_MAX: u32 = 10_000;

/// Headless players for a running Gamekeeper server.
///
/// Each bot is a real client: its own WebSocket, the clocks, the decoding and the prediction that the
/// browser has, and the game's brain for hands. They join one after the other, play until the time is
/// over or Ctrl-C is pressed, say goodbye, and a report of what they saw is printed.
///
/// Exit status: 0 when all went well; 1 when a bot was not let in or thrown out, when rows differed
/// from the server's, nothing came or a requirement was not met, and the report's last lines say so; 2 when it could not begin,
/// as with a wrong flag or address or when nobody listens there.
#[derive(Clone, Debug, Parser)]
#[command(name = "client-bot", version, args_conflicts_with_subcommands = true)]
pub struct Config {
    /// What to do instead of a run.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Where to play: ws://HOST:PORT/play, or wss:// with TLS; http://HOST:PORT or https:// as opened in the
    /// browser, HOST:PORT and HOST do as well.
    #[arg(long, value_name = "ADDRESS", default_value = Self::URL)]
    pub url: Address,

    /// File with certificates in PEM, whose owners' word counts when the server shows its own; those that this
    /// system believes when absent.
    #[arg(long, value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,

    /// How many bots.
    #[arg(long, value_name = "COUNT", default_value_t = Self::BOTS,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(BOTS_MAX)))]
    pub bots: u32,

    /// How many of them join per second; fractions are fine.
    #[arg(long, value_name = "PER_SECOND", default_value_t = Self::RAMP, value_parser = parse_ramp,
          allow_negative_numbers = true)]
    pub ramp: f64,

    /// How many bots at what time, instead of --bots and --ramp: "0:0, 30s:500, 2m:500, 2m30s:100" goes in straight
    /// lines between these points. As it falls, the newest bots are called back; who fell out is not replaced, and so many
    /// fewer are.
    #[arg(long, value_name = "PROFILE", conflicts_with_all = ["bots", "ramp"])]
    pub profile: Option<Profile>,

    /// How many processes the bots are spread over, where one is not enough; more than cores make no sense.
    #[arg(long, value_name = "COUNT", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(PROCESSES_MAX)))]
    pub processes: u32,

    /// Which of how many processes this is, as AT/OF: how a run starts its parts.
    #[arg(long, value_name = "AT/OF", hide = true)]
    pub part: Option<Part>,

    /// For how long, counted from the first bot's connection: 30s, 5m, 1h30m, or a number of seconds.
    /// 0 is until Ctrl-C. When absent 30s, or as long as the profile or the search for the capacity takes; a profile
    /// whose last point is at 0 says nothing of that, and needs it.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub duration: Option<Duration>,

    /// What the bots do: fight, wander, idle, spectate, chat or churn, or a mix with shares, such as
    /// fight:60,idle:20,churn:20.
    ///
    /// Who fights plays by the game's brain; who wanders does so without seeing others; who chats fights and says a
    /// line every five seconds; who churns fights for some seconds, leaves, and joins again as somebody new.
    #[arg(long, value_name = "BEHAVIOUR", default_value = Self::BEHAVIOUR)]
    pub behaviour: Behaviours,

    /// Opens so many private sessions over the HTTP API, with room for all, and spreads the bots over them. When
    /// absent the address's quick play spreads them.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=i64::from(SESSIONS_MAX)))]
    pub sessions: Option<u32>,

    /// A session to play in, by its code; several times spreads the bots over them.
    #[arg(long, value_name = "CODE")]
    pub code: Vec<String>,

    /// What network the bots have: perfect, good, mobile or awful, or a mix with shares, such as
    /// good:50,mobile:40,awful:10.
    ///
    /// Each bot holds back what it hears and what it says, so that the round trip is 0, about 33, 95 or
    /// 240 ms longer; mobile and awful lose packets, and awful stands still for half a second every ten.
    #[arg(long, value_name = "NETWORK", default_value = Self::NETWORK)]
    pub network: Network,

    /// Whoever loses the line comes back by itself, as the page does, and is no fault of the run: for restarts of the
    /// server.
    #[arg(long)]
    pub come_back: bool,

    /// What is measured besides, and what becomes of it.
    #[command(flatten)]
    pub results: Results,

    /// The search for the capacity, instead of a run.
    #[command(flatten)]
    pub search: Search,
}

/// What to do instead of a run.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Shows two runs side by side, from the files that --json wrote.
    Compare {
        /// The first run.
        a: PathBuf,
        /// The second run; ratios are of it to the first.
        b: PathBuf,
    },
}

impl Config {
    /// A server on this machine, as it listens unless told otherwise.
    pub const URL: &str = "ws://127.0.0.1:8080/play";
    /// Company for one player.
    pub const BOTS: u32 = 10;
    /// Bots per second; a server counts connections from one address that have not joined yet, and this
    /// stays far below.
    pub const RAMP: f64 = 50.0;
    /// Long enough for clocks to settle and percentiles to mean something.
    pub const DURATION: Duration = Duration::from_secs(30);
    /// The game as it is meant to be.
    pub const BEHAVIOUR: &str = "fight";
    /// Nothing is held back: what is measured is the server, and the real network.
    pub const NETWORK: &str = "perfect";

    /// Checks what single flags cannot know. Errors with a sentence.
    pub fn check(&self) -> Result<(), String> {
        self.search.check(self.bots, self.ramp)?;
        if self.search.find_capacity {
            // Whether the server tells its figures is not known yet.
            capacity::check(self.results.bounds(), true)?;
        }
        if self.sessions.is_some() && !self.code.is_empty() {
            return Err("--sessions opens sessions, --code names them: one of both".into());
        }
        if self.duration.is_none() && self.profile.as_ref().is_some_and(|p| p.lasts().is_zero()) {
            return Err(
                "the profile ends as it begins: give it a later point, such as the second of \
                        0:100,30s:100, or say with --duration how long the run takes"
                    .into(),
            );
        }
        let ramp = self.profile().lasts();
        let duration = self.lasts();
        if self.profile.is_none()
            && !duration.is_zero()
            && ramp >= duration
            && !self.search.find_capacity
        {
            let (bots, speed) = (self.bots, self.ramp);
            let needed = humantime::format_duration(Duration::from_secs(ramp.as_secs() + 1));
            return Err(format!(
                "{bots} bots at {speed} per second take {needed} to set out, and --duration ends before"
            ));
        }
        Ok(())
    }

    /// How many bots at what time.
    pub(crate) fn profile(&self) -> Profile {
        match &self.profile {
            Some(profile) => profile.clone(),
            None if self.search.find_capacity => self.search.profile(self.bots, self.ramp),
            None => Profile::ramp(self.bots, self.ramp),
        }
    }

    /// How long the run takes; 0 is until Ctrl-C.
    pub fn lasts(&self) -> Duration {
        match (self.duration, &self.profile) {
            (Some(duration), _) => duration,
            (None, None) if !self.search.find_capacity => Self::DURATION,
            (None, None) => self.search.lasts(self.bots),
            (None, Some(profile)) => profile.lasts(),
        }
    }

    /// The most bots that there are at once.
    pub(crate) fn most(&self) -> u32 {
        self.profile.as_ref().map_or(self.bots, Profile::most)
    }

    /// The players that a session has to have room for. Who churns may be back before the old seat is free.
    pub(crate) fn players_per_session(&self) -> u32 {
        let players = self.most().div_ceil(self.sessions.unwrap_or(1).max(1));
        if self.behaviour.has(Behaviour::Churn) { 2 * players } else { players }
    }

    /// Who bot `number`, from 0, is.
    pub(crate) fn errand(&self, number: u32) -> Errand {
        let behaviour = self.behaviour.of_bot(number);
        Errand { number, behaviour, preset: self.network.of_bot(self.behaviour.rank(number)) }
    }
}

fn parse_ramp(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(ramp) if (0.001..=RAMP_MAX).contains(&ramp) => Ok(ramp),
        _ => Err(format!("a number from 0.001 to {RAMP_MAX} is needed")),
    }
}

pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => humantime::parse_duration(text).ok(),
    };
    // A thousand days is for ever to a bot, and no sum of times overflows.
    duration
        .filter(|d| d.as_secs() < 1000 * 86_400)
        .ok_or_else(|| "a time such as 30s, 5m, 1h30m or a number of seconds is needed".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(flags: &[&str]) -> Result<Config, String> {
        Config::try_parse_from([&["client-bot"], flags].concat()).map_err(|e| e.to_string())
    }

    #[test]
    fn the_flags_hold_together() {
        Config::command().debug_assert();
        let config = parse(&[]).unwrap();
        assert_eq!((config.bots, config.ramp), (Config::BOTS, Config::RAMP));
        assert_eq!(config.url.to_string(), Config::URL);
        assert_eq!(config.lasts(), Duration::from_secs(30));
        assert_eq!(config.network.to_string(), Config::NETWORK);
        assert_eq!(config.check(), Ok(()));
    }

    #[test]
    fn times_are_written_as_people_do() {
        for (text, ms) in [("30s", 30_000), ("45", 45_000), ("1.5", 1500), ("0", 0), ("0s", 0)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        assert_eq!(parse_duration("1h 30m"), Ok(Duration::from_secs(5400)));
        for bad in ["", "-1", "soon", "NaN", "inf", "1e300", "9999999h", "30 parsecs"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for (flag, value) in [
            ("--bots", "0"),
            ("--bots", "many"),
            ("--ramp", "0"),
            ("--ramp", "-5"),
            ("--ramp", "NaN"),
            ("--duration", "soon"),
            ("--url", "ftp://host"),
            ("--network", "slow"),
            ("--network", "good:0"),
            ("--behaviour", "dance"),
            ("--profile", "0:0"),
            ("--require", "frame_age<1ms"),
            ("--metrics", "ftp://host"),
            ("--precision", "0"),
            ("--precision", "much"),
        ] {
            let said = parse(&[flag, value]).unwrap_err();
            assert!(said.contains(flag), "{flag} {value}: {said}");
        }
    }

    #[test]
    fn two_mixes_do_not_fall_into_step() {
        let flags = ["--behaviour", "fight:1,idle:1", "--network", "good:1,awful:1"];
        let config = parse(&flags).unwrap();
        let errands: Vec<_> = (0..40).map(|number| config.errand(number)).collect();
        for behaviour in [Behaviour::Fight, Behaviour::Idle] {
            let those = errands.iter().filter(|errand| errand.behaviour == behaviour);
            let good = those.filter(|errand| errand.preset == crate::network::Preset::Good).count();
            assert_eq!(good, 10, "{behaviour:?}");
        }
    }

    #[test]
    fn a_search_has_time_to_settle() {
        let config =
            parse(&["--find-capacity", "--bots", "300", "--step", "100", "--ramp", "20"]).unwrap();
        assert!(config.check().unwrap_err().contains("raise --ramp"));
        let config = parse(&["--find-capacity", "--bots", "30", "--step", "10"]).unwrap();
        assert_eq!((config.check(), config.lasts()), (Ok(()), Duration::from_secs(30)));
    }

    #[test]
    fn a_search_is_asked_only_for_what_its_steps_measure() {
        let search = |required: &str| {
            let config = parse(&["--find-capacity", "--require", required]);
            config.and_then(|config| config.check())
        };
        for fine in [
            "frame_age.p99<80ms",
            "round_trip.p50<80ms",
            "thrown_out=0",
            "unreadable=0",
            "late_inputs<1%",
            "frames_per_second>29",
            "server.ticks_dropped=0",
            "generator.cpu<80%",
        ] {
            assert_eq!(search(fine), Ok(()), "{fine}");
        }
        for other in ["way_back.p99<5s", "lost_seats=0", "still_away=0"] {
            let said = search(other).unwrap_err();
            assert!(said.contains(other) && said.contains("no step measures"), "{other}: {said}");
        }
        let run = parse(&["--require", "way_back.p99<5s"]).unwrap();
        assert_eq!(run.check(), Ok(()));
    }

    /// It would go on for ever.
    #[test]
    fn a_profile_without_an_end_needs_a_duration() {
        for text in ["0:100", "0:0,0:100"] {
            let said = parse(&["--profile", text]).unwrap().check().unwrap_err();
            assert!(said.contains("ends as it begins"), "{text}: {said}");
            for duration in ["30s", "0"] {
                let config = parse(&["--profile", text, "--duration", duration]).unwrap();
                assert_eq!(config.check(), Ok(()), "{text}");
            }
        }
        assert_eq!(parse(&["--profile", "0:100,30s:100"]).unwrap().check(), Ok(()));
    }

    #[test]
    fn a_ramp_longer_than_the_run_is_refused() {
        let late = parse(&["--bots", "1000", "--ramp", "10", "--duration", "60s"]).unwrap();
        assert!(late.check().unwrap_err().contains("1m 40s"), "{:?}", late.check());
        let endless = parse(&["--bots", "1000", "--ramp", "10", "--duration", "0"]).unwrap();
        assert_eq!(endless.check(), Ok(()));
    }
}
