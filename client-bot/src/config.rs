//! What the user wants. Built once in `main` from the flags and passed on by value.

use crate::address::Address;
use crate::network::Network;
use clap::Parser;
use std::path::PathBuf;
use std::time::Duration;

/// The most bots of one process: about what one address has of ports for outgoing connections.
const BOTS_MAX: u32 = 28_000;
/// The quickest ramp, in bots per second. More at once would measure the kernel's queue of connections.
const RAMP_MAX: f64 = 10_000.0;

/// Headless players for a running Gamekeeper server.
///
/// Each bot is a real client: its own WebSocket, the clocks, the decoding and the prediction that the
/// browser has, and the game's brain for hands. They join one after the other, play until the time is
/// over or Ctrl-C is pressed, say goodbye, and a report of what they saw is printed.
///
/// Exit status: 0 when all went well; 1 when a bot was not let in or thrown out, when rows differed
/// from the server's or nothing came, and the report's last lines say so; 2 when it could not begin,
/// as with a wrong flag or address or when nobody listens there.
#[derive(Clone, Debug, Parser)]
#[command(name = "client-bot", version)]
pub struct Config {
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

    /// For how long, counted from the first bot's connection: 30s, 5m, 1h30m, or a number of seconds.
    /// 0 is until Ctrl-C.
    #[arg(long, value_name = "TIME", default_value = Self::DURATION, value_parser = parse_duration)]
    pub duration: Duration,

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

    /// Also writes the report as JSON into this file.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
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
    pub const DURATION: &str = "30s";
    /// Nothing is held back: what is measured is the server, and the real network.
    pub const NETWORK: &str = "perfect";

    /// Checks what single flags cannot know. Errors with a sentence.
    pub fn check(&self) -> Result<(), String> {
        let ramp = self.ramp_takes();
        if !self.duration.is_zero() && ramp >= self.duration {
            let (bots, speed) = (self.bots, self.ramp);
            let needed = humantime::format_duration(Duration::from_secs(ramp.as_secs() + 1));
            return Err(format!(
                "{bots} bots at {speed} per second take {needed} to set out, and --duration ends before"
            ));
        }
        Ok(())
    }

    /// From the first bot's start to the last one's.
    fn ramp_takes(&self) -> Duration {
        Duration::from_secs_f64(self.starts_after(self.bots - 1))
    }

    /// When bot `number`, from 0, sets out, in seconds after the first.
    pub(crate) fn starts_after(&self, number: u32) -> f64 {
        f64::from(number) / self.ramp
    }
}

fn parse_ramp(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(ramp) if (0.001..=RAMP_MAX).contains(&ramp) => Ok(ramp),
        _ => Err(format!("a number from 0.001 to {RAMP_MAX} is needed")),
    }
}

fn parse_duration(text: &str) -> Result<Duration, String> {
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
        assert_eq!(config.duration, Duration::from_secs(30));
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
        ] {
            let said = parse(&[flag, value]).unwrap_err();
            assert!(said.contains(flag), "{flag} {value}: {said}");
        }
    }

    #[test]
    fn a_ramp_longer_than_the_run_is_refused() {
        let late = parse(&["--bots", "1000", "--ramp", "10", "--duration", "60s"]).unwrap();
        assert!(late.check().unwrap_err().contains("1m 40s"), "{:?}", late.check());
        let endless = parse(&["--bots", "1000", "--ramp", "10", "--duration", "0"]).unwrap();
        assert_eq!(endless.check(), Ok(()));
    }
}
