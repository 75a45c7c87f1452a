//! How many bots there are to be at what time. Comes in: the words of `--profile`, or `--bots` and `--ramp`. Goes
//! out: a number for each moment, and the moment at which it changes next.

use std::str::FromStr;
use std::time::Duration;

/// Slack for sums of fractions: a level is reached within it.
const EPSILON: f64 = 1e-6;

/// Points between which the number of bots goes in straight lines; after the last one it stays.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// (seconds, bots), times ascending; two of one time are a step.
    points: Vec<(f64, f64)>,
}

impl Profile {
    /// The first bot at once, and so many per second until there are `bots`.
    pub(crate) fn ramp(bots: u32, per_second: f64) -> Self {
        let takes = f64::from(bots - 1) / per_second;
        Self { points: vec![(0.0, 1.0), (takes, f64::from(bots))] }
    }

    /// From `there` bots at `now` seconds at `per_second` to `bots`.
    pub(crate) fn change(now: f64, there: u32, bots: u32, per_second: f64) -> Self {
        let takes = f64::from(there.abs_diff(bots)) / per_second;
        Self { points: vec![(now, f64::from(there)), (now + takes, f64::from(bots))] }
    }

    /// The most bots that there are at once.
    pub fn most(&self) -> u32 {
        self.points.iter().map(|&(_, bots)| bots as u32).max().unwrap_or_default()
    }

    /// The time of the last point.
    pub fn lasts(&self) -> Duration {
        Duration::from_secs_f64(self.points.last().map_or(0.0, |&(at, _)| at))
    }

    /// How many bots there are to be after so many seconds.
    pub fn bots(&self, seconds: f64) -> u32 {
        let passed = self.points.iter().rposition(|&(at, _)| at <= seconds + EPSILON);
        let Some(from) = passed else { return 0 };
        let (start, low) = self.points[from];
        let level = match self.points.get(from + 1) {
            Some(&(end, high)) => low + (high - low) * ((seconds - start) / (end - start)).min(1.0),
            None => low,
        };
        (level + EPSILON) as u32
    }

    /// The first time from `seconds` on at which there are to be more or fewer than `there`.
    pub(crate) fn next_change(&self, seconds: f64, there: u32) -> Option<f64> {
        if self.bots(seconds) != there {
            return Some(seconds);
        }
        let there = f64::from(there);
        for pair in self.points.windows(2) {
            let [(start, low), (end, high)] = pair else { unreachable!("windows of two") };
            if *end < seconds {
                continue;
            }
            // It rises to the next level, or falls below this one.
            let rises = high > low;
            let level = if rises { there + 1.0 } else { there - 2.0 * EPSILON };
            let crosses = if rises { *high >= level - EPSILON } else { *high < level };
            if crosses && high != low {
                let at = start + (end - start) * ((level - low) / (high - low)).clamp(0.0, 1.0);
                return Some(at.max(seconds));
            }
        }
        None
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut points: Vec<(f64, f64)> = Vec::new();
        for part in text.split(',') {
            let Some((time, bots)) = part.trim().split_once(':') else {
                return Err("points are written TIME:BOTS, such as 0:0, 30s:500, 2m:500".into());
            };
            let at = crate::config::parse_duration(time.trim())?.as_secs_f64();
            let bots =
                bots.trim().parse::<u32>().ok().filter(|&bots| bots <= crate::config::BOTS_MAX);
            let bots = bots.ok_or_else(|| {
                format!("bots are a whole number up to {}", crate::config::BOTS_MAX)
            })?;
            if points.last().is_some_and(|&(before, _)| at < before) {
                return Err(format!("{} comes after a later time", part.trim()));
            }
            points.push((at, f64::from(bots)));
        }
        let profile = Self { points };
        match profile.most() {
            0 => Err("a profile without bots measures nothing".into()),
            _ => Ok(profile),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_goes_either_way() {
        let down = Profile::change(100.0, 80, 60, 10.0);
        assert_eq!([100.0, 101.0, 102.0, 500.0].map(|at| down.bots(at)), [80, 70, 60, 60]);
        assert_eq!(down.next_change(102.0, 60), None);
        let up = Profile::change(100.0, 60, 70, 10.0);
        assert_eq!([100.0, 101.0, 500.0].map(|at| up.bots(at)), [60, 70, 70]);
        assert_eq!(Profile::change(9.0, 5, 5, 10.0).next_change(9.0, 5), None);
    }

    #[test]
    fn it_goes_in_straight_lines_between_points() {
        let profile: Profile = "0:0, 30s:300, 2m:300, 2m30s:100".parse().unwrap();
        let times = [0.0, 10.0, 30.0, 100.0, 120.0, 135.0, 150.0, 900.0];
        assert_eq!(times.map(|at| profile.bots(at)), [0, 100, 300, 300, 300, 200, 100, 100]);
        assert_eq!((profile.most(), profile.lasts()), (300, Duration::from_secs(150)));
        for bad in ["", "10", "0:-1", "0:x", "soon:5", "0:0", "10s:5,5s:5", "0:1e9"] {
            assert!(bad.parse::<Profile>().is_err(), "{bad}");
        }
    }

    /// Whoever only wakes at the changes follows the profile, bot by bot, and stops with it.
    #[test]
    fn its_changes_lead_along_it() {
        for (text, total) in [("0:0,2s:20,3s:20,4s:5,5s:9", 20 + 15 + 4), ("0:4,1s:4,1s:2", 4 + 2)]
        {
            let profile: Profile = text.parse().unwrap();
            let (mut at, mut there, mut changes) = (0.0, 0, 0);
            while let Some(next) = profile.next_change(at, there) {
                assert!(next >= at, "{text}: back from {at} to {next}");
                at = next;
                let wanted = profile.bots(at);
                assert_ne!(wanted, there, "{text}: nothing changes at {at}");
                there = if wanted > there { there + 1 } else { there - 1 };
                changes += 1;
                assert!(changes < 1000, "{text}");
            }
            assert_eq!((there, changes), (profile.bots(1e6), total), "{text}");
        }
    }

    #[test]
    fn a_ramp_is_a_profile() {
        let ramp = Profile::ramp(100, 50.0);
        assert_eq!((ramp.bots(0.0), ramp.bots(1.0), ramp.bots(1.98)), (1, 51, 100));
        assert_eq!(Profile::ramp(1, 50.0).next_change(0.0, 1), None);
    }
}
