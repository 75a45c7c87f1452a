//! Who of many gets which of a few things. Comes in: words with shares, such as `good:50,awful:10`. Goes out: one
//! of them per bot.

use std::fmt;
use std::str::FromStr;

/// The largest share in a mix. Larger ones would say nothing more about so few things.
const SHARE_MAX: u32 = 1000;

/// Something that bots can have in shares.
pub trait Shared: Copy + Eq + 'static {
    /// What it is, for sentences.
    const WHAT: &'static str;
    /// All there are.
    const ALL: &'static [Self];
    /// Its name, as flags and reports have it.
    fn name(self) -> &'static str;
}

/// One thing for all, or a mix with shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mix<T> {
    shares: Vec<(T, u32)>,
    /// One round of dealing; its length is the sum of all shares.
    round: Vec<T>,
}

impl<T: Shared> Mix<T> {
    /// What bot `number`, from 0, has: dealt so that after any number of bots each thing has its share,
    /// give or take one.
    pub fn of_bot(&self, number: u32) -> T {
        self.round[number as usize % self.round.len()]
    }

    /// How many bots before bot `number` have the same as it: so that another mix can be dealt among them, and two
    /// mixes do not fall into step.
    pub fn rank(&self, number: u32) -> u32 {
        let own = self.of_bot(number);
        let (rounds, rest) =
            (number as usize / self.round.len(), number as usize % self.round.len());
        let count = |dealt: &[T]| dealt.iter().filter(|&&other| other == own).count();
        (rounds * count(&self.round) + count(&self.round[..rest])) as u32
    }

    /// Whether some bots have it.
    pub fn has(&self, thing: T) -> bool {
        self.shares.iter().any(|&(other, _)| other == thing)
    }

    fn new(shares: Vec<(T, u32)>) -> Self {
        let all: u32 = shares.iter().map(|&(_, share)| share).sum();
        // Each time everybody's credit grows by the share, and who has most of it is dealt and pays.
        let mut credits = vec![0i64; shares.len()];
        let deal = |_| {
            credits.iter_mut().zip(&shares).for_each(|(c, &(_, share))| *c += i64::from(share));
            // The last of equals is taken by `max_by_key`; in reverse it is the first that was named.
            let next = (0..credits.len()).rev().max_by_key(|&i| credits[i]);
            let next = next.expect("a mix is not empty");
            credits[next] -= i64::from(all);
            shares[next].0
        };
        let round = (0..all).map(deal).collect();
        Self { shares, round }
    }
}

impl<T: Shared> FromStr for Mix<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut shares: Vec<(T, u32)> = Vec::new();
        for part in text.split(',') {
            let (name, share) = part.split_once(':').unwrap_or((part, "1"));
            let Some(&thing) = T::ALL.iter().find(|thing| thing.name() == name.trim()) else {
                let names: Vec<_> = T::ALL.iter().map(|thing| thing.name()).collect();
                let (what, names) = (T::WHAT, names.join(", "));
                return Err(format!("there is no {what} {:?}; there are {names}", name.trim()));
            };
            let share = share.trim().parse().ok().filter(|share| (1..=SHARE_MAX).contains(share));
            let share =
                share.ok_or_else(|| format!("a share is a number from 1 to {SHARE_MAX}"))?;
            if shares.iter().any(|&(other, _)| other == thing) {
                return Err(format!("{} is there twice", thing.name()));
            }
            shares.push((thing, share));
        }
        Ok(Self::new(shares))
    }
}

impl<T: Shared> fmt::Display for Mix<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [(only, _)] = self.shares[..] {
            return f.write_str(only.name());
        }
        for (n, (thing, share)) in self.shares.iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            write!(f, "{comma}{}:{share}", thing.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::behaviour::Behaviours;
    use crate::network::{Network, Preset};

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
        let said = "dance".parse::<Behaviours>().unwrap_err();
        assert!(said.contains("no behaviour \"dance\"; there are fight, wander, idle"), "{said}");
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

    #[test]
    fn a_rank_counts_those_who_have_the_same() {
        let network: Network = "good:3,awful:2".parse().unwrap();
        for number in 0..23 {
            let own = network.of_bot(number);
            let before = (0..number).filter(|&n| network.of_bot(n) == own).count();
            assert_eq!(network.rank(number), before as u32);
        }
    }
}
