//! How processes share a run: what the program that the user started tells those that it starts itself.

use super::Config;
use std::ffi::{OsStr, OsString};
use std::str::FromStr;

/// The most processes that one run starts.
pub(super) const PROCESSES_MAX: u32 = 256;

/// Which of how many processes one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// From 0.
    pub at: u32,
    /// How many there are.
    pub of: u32,
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers =
            text.split_once('/').and_then(|(at, of)| at.parse().ok().zip(of.parse().ok()));
        match numbers {
            Some((at, of)) if at < of && of <= PROCESSES_MAX => Ok(Self { at, of }),
            _ => Err("a part is written AT/OF".into()),
        }
    }
}

impl Config {
    /// What a part is told beside the sessions that its bots go into.
    pub(crate) fn flags_of_a_part(&self, part: Part) -> Vec<OsString> {
        let mut flags: Vec<OsString> = Vec::new();
        let mut say = |flag: &str, value: &OsStr| flags.extend([flag.into(), value.to_owned()]);
        say("--part", format!("{}/{}", part.at, part.of).as_ref());
        say("--url", self.url.to_string().as_ref());
        say("--bots", self.most().to_string().as_ref());
        say("--duration", "0".as_ref());
        say("--behaviour", self.behaviour.to_string().as_ref());
        say("--network", self.network.to_string().as_ref());
        if let Some(file) = &self.tls_ca {
            say("--tls-ca", file.as_ref());
        }
        if self.come_back {
            flags.push("--come-back".into());
        }
        flags
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn a_part_is_one_of_so_many() {
        assert_eq!("0/1".parse(), Ok(Part { at: 0, of: 1 }));
        for bad in ["", "1", "1/1", "2/1", "-1/2", "0/257", "0/1/2"] {
            assert!(bad.parse::<Part>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_part_plays_as_the_whole_would() {
        let flags = ["--bots", "9", "--ramp", "3", "--network", "good:1,awful:2", "--come-back"];
        let whole = Config::parse_from([&["client-bot"], &flags[..]].concat());
        let told = whole.flags_of_a_part(Part { at: 1, of: 3 });
        let part = Config::parse_from([vec!["client-bot".into()], told].concat());
        assert_eq!(part.part, Some(Part { at: 1, of: 3 }));
        assert_eq!((part.most(), part.come_back, part.check()), (9, true, Ok(())));
        for number in 0..9 {
            let (own, same) = (part.errand(number), whole.errand(number));
            assert_eq!((own.behaviour, own.preset), (same.behaviour, same.preset), "{number}");
        }
    }
}
