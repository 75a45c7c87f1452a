//! Which bots have what network. Comes in: the words of `--network`. Goes out: a preset per bot.

use serde::Serialize;
use shared::netcode::conditions::Conditions;
use std::fmt;
use std::str::FromStr;

/// The largest share in a mix. Larger ones would say nothing more about so few presets.
const SHARE_MAX: u32 = 1000;

/// A network that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Nothing is held back.
    Perfect,
    /// [`Conditions::GOOD`].
    Good,
    /// [`Conditions::MOBILE`].
    Mobile,
    /// [`Conditions::AWFUL`].
    Awful,
}

impl Preset {
    /// All of them, the best first.
    pub const ALL: [Self; 4] = [Self::Perfect, Self::Good, Self::Mobile, Self::Awful];

    /// Its name, as flags and reports have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Perfect => "perfect",
            Self::Good => "good",
            Self::Mobile => "mobile",
            Self::Awful => "awful",
        }
    }

    /// What the line is like, one way.
    pub fn conditions(self) -> Conditions {
        match self {
            Self::Perfect => Conditions::PERFECT,
            Self::Good => Conditions::GOOD,
            Self::Mobile => Conditions::MOBILE,
            Self::Awful => Conditions::AWFUL,
        }
    }
}

/// One preset, or a mix of them with shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    shares: Vec<(Preset, u32)>,
    /// One round of dealing; its length is the sum of all shares.
    round: Vec<Preset>,
}

impl Network {
    /// What bot `number`, from 0, has: dealt so that after any number of bots each preset has its share,
    /// give or take one.
    pub fn of_bot(&self, number: u32) -> Preset {
        self.round[number as usize % self.round.len()]
    }

    fn new(shares: Vec<(Preset, u32)>) -> Self {
        let all: u32 = shares.iter().map(|&(_, share)| share).sum();
        // Each time everybody's credit grows by the share, and who has most of it is dealt and pays.
        let mut credits = vec![0i64; shares.len()];
        let deal = |_| {
            credits.iter_mut().zip(&shares).for_each(|(c, &(_, share))| *c += i64::from(share));
            // The last of equals is taken by `max_by_key`; in reverse it is the first that was named.
            let next = (0..credits.len()).rev().max_by_key(|&i| credits[i]);
            let next = next.expect("a mix has presets");
            credits[next] -= i64::from(all);
            shares[next].0
        };
        let round = (0..all).map(deal).collect();
        Self { shares, round }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut shares: Vec<(Preset, u32)> = Vec::new();
        for part in text.split(',') {
            let (name, share) = part.split_once(':').unwrap_or((part, "1"));
            let preset = Preset::ALL.into_iter().find(|preset| preset.name() == name.trim());
            let Some(preset) = preset else {
                let names = Preset::ALL.map(Preset::name).join(", ");
                return Err(format!("there is no network {:?}; there are {names}", name.trim()));
            };
            let share = share.trim().parse().ok().filter(|share| (1..=SHARE_MAX).contains(share));
            let share =
                share.ok_or_else(|| format!("a share is a number from 1 to {SHARE_MAX}"))?;
            if shares.iter().any(|&(other, _)| other == preset) {
                return Err(format!("{} is there twice", preset.name()));
            }
            shares.push((preset, share));
        }
        Ok(Self::new(shares))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [(only, _)] = self.shares[..] {
            return f.write_str(only.name());
        }
        for (n, (preset, share)) in self.shares.iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            write!(f, "{comma}{}:{share}", preset.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(network: &Network, bots: u32) -> [usize; 4] {
        let dealt: Vec<_> = (0..bots).map(|number| network.of_bot(number)).collect();
        Preset::ALL.map(|preset| dealt.iter().filter(|&&p| p == preset).count())
    }

    #[test]
    fn presets_and_mixes_are_read_and_written() {
        for text in ["perfect", "good", "mobile", "awful", "good:50,mobile:40,awful:10"] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), text);
        }
        let spoken = " awful , good : 3 ".parse::<Network>().unwrap();
        assert_eq!(spoken.to_string(), "awful:1,good:3");
        for bad in ["", "bad", "good,", "good:0", "good:-1", "good:x", "good:1001", "good,good:2"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
        assert!("slow".parse::<Network>().unwrap_err().contains("perfect, good, mobile, awful"));
    }

    #[test]
    fn every_preset_has_its_share_at_any_time() {
        let network: Network = "good:50,mobile:40,awful:10".parse().unwrap();
        assert_eq!(counts(&network, 100), [0, 50, 40, 10]);
        assert_eq!(counts(&network, 1000), [0, 500, 400, 100]);
        for bots in 1..300 {
            let [perfect, shares @ ..] = counts(&network, bots);
            assert_eq!(perfect, 0);
            for (count, share) in shares.into_iter().zip([0.5, 0.4, 0.1]) {
                let exact = f64::from(bots) * share;
                assert!((count as f64 - exact).abs() < 1.0, "{count} of {bots}");
            }
        }
        assert_eq!(counts(&"awful".parse().unwrap(), 7), [0, 0, 0, 7]);
    }
}
