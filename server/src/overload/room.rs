//! How many more people fit, learned from what those who are here cost. Comes in: loads at numbers of people. Goes
//! out: a number of people, once something is known.
//!
//! Loads are kept by how many people there were, one smoothed load for each number or range, so that an hour with few
//! does not outweigh a minute with many. The cost of one more is the middle one of the slopes between all pairs, those
//! far apart counting more (Theil and Sen's regression, weighted): a few loads that are far off change nothing.

/// Numbers of people that have a bucket of their own; above, there are two buckets for each doubling.
const EXACT: u32 = 4;
/// Places in all: the last one begins at more people than a server takes.
const BUCKETS: usize = 32;
/// Of how many loads a bucket remembers the mean, roughly.
const MEMORY: f64 = 32.0;
/// A load that is so many times what is usual counts as this many times.
const OUTLIER: f64 = 2.0;
/// Loads after which one bucket is forgotten that got none: half an hour's at two a second.
const FORGOTTEN_AFTER: u64 = 3600;
/// No more people are said to fit than so many times the most that were seen: what happens beyond nobody knows.
const FORESEEN_TIMES: f64 = 10.0;
/// One more costs at least this share of what each costs on average; less is an error in the measurement.
const LEAST_SHARE: f64 = 0.1;

/// What people cost.
#[derive(Clone, Debug, Default)]
pub struct Room {
    buckets: [Option<Bucket>; BUCKETS],
    learned: u64,
    slopes: Vec<(f64, f64)>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    people: f64,
    load: f64,
    count: f64,
    newest: u64,
}

impl Room {
    /// With so many people, all of whom got everything, the load was this.
    pub fn learn(&mut self, people: u32, load: f64) {
        if !load.is_finite() || load < 0.0 {
            return;
        }
        self.learned += 1;
        let now = self.learned;
        for bucket in &mut self.buckets {
            if bucket.is_some_and(|bucket| now - bucket.newest > FORGOTTEN_AFTER) {
                *bucket = None;
            }
        }
        let fresh = Bucket { people: f64::from(people), load, count: 0.0, newest: now };
        let bucket = self.buckets[bucket_of(people)].get_or_insert(fresh);
        bucket.count = (bucket.count + 1.0).min(MEMORY);
        bucket.newest = now;
        bucket.people += (f64::from(people) - bucket.people) / bucket.count;
        // The first few are not known to be usual, so they are taken as they are.
        let usual = bucket.count < MEMORY / 4.0;
        let load = if usual { load } else { load.min(bucket.load * OUTLIER) };
        bucket.load += (load - bucket.load) / bucket.count;
    }

    /// How many more fit beside `people` until the load is `most`; `None` as long as nothing is known of that.
    pub fn beside(&mut self, people: u32, most: f64) -> Option<u32> {
        let known = || self.buckets.iter().flatten();
        let seen = known().map(|bucket| bucket.people).fold(f64::from(people), f64::max);
        let now = self.buckets[bucket_of(people)]?;
        let average = if now.people < 1.0 { 0.0 } else { now.load / now.people };
        let one_more = match self.slope() {
            Some(slope) => slope.max(average * LEAST_SHARE),
            // Of one number of people nothing is known but what each costs with the world around them.
            None => average,
        };
        if one_more <= 0.0 {
            return None;
        }
        let load = now.load + one_more * (f64::from(people) - now.people);
        let fit = ((most - load) / one_more).max(0.0);
        Some(fit.min(seen * FORESEEN_TIMES - f64::from(people)).max(0.0) as u32)
    }

    /// What one more costs; `None` where there were always as many.
    fn slope(&mut self) -> Option<f64> {
        self.slopes.clear();
        for (index, a) in self.buckets.iter().enumerate() {
            for (a, b) in
                self.buckets[..index].iter().flatten().filter_map(|b| Some((a.as_ref()?, b)))
            {
                let apart = a.people - b.people;
                if apart >= 1.0 {
                    self.slopes.push(((a.load - b.load) / apart, apart));
                }
            }
        }
        self.slopes.sort_by(|a, b| a.0.total_cmp(&b.0));
        let half = self.slopes.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
        let mut passed = 0.0;
        let middle = self.slopes.iter().find(|(_, weight)| {
            passed += weight;
            passed >= half
        });
        middle.map(|(slope, _)| *slope)
    }
}

fn bucket_of(people: u32) -> usize {
    if people < EXACT {
        return people as usize;
    }
    let octave = people.ilog2();
    let upper = people >> (octave - 1) & 1;
    ((EXACT + (octave - EXACT.ilog2()) * 2 + upper) as usize).min(BUCKETS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    fn load(people: u32) -> f64 {
        0.05 + 0.0004 * f64::from(people)
    }

    #[test]
    fn what_people_cost_is_found_under_noise() {
        for seed in 0..20 {
            let (mut room, mut random) = (Room::default(), StdRng::seed_from_u64(seed));
            for people in (0..400).chain((200..400).rev()) {
                let noise = random.random_range(0.8..1.2);
                // One look in twenty is far off: something else had the processor.
                let off = if random.random_range(0..20) == 0 {
                    random.random_range(2.0..30.0)
                } else {
                    1.0
                };
                room.learn(people, load(people) * noise * off);
            }
            let fits = room.beside(200, 0.6).expect("known");
            let truth = (0.6 - load(200)) / 0.0004;
            assert!(
                (f64::from(fits) - truth).abs() < truth * 0.25,
                "seed {seed}: {fits}, not {truth}"
            );
        }
    }

    #[test]
    fn of_one_number_of_people_it_is_told_with_caution() {
        let mut room = Room::default();
        assert_eq!(room.beside(100, 0.6), None);
        (0..50).for_each(|_| room.learn(100, load(100)));
        let fits = room.beside(100, 0.6).expect("something is known");
        assert!(fits > 400 && f64::from(fits) < (0.6 - load(100)) / 0.0004, "{fits}");
    }

    #[test]
    fn nobody_fits_where_it_is_full_and_nothing_far_away_is_foretold() {
        let mut room = Room::default();
        (0..=10).for_each(|people| room.learn(people, 0.001 + 0.0001 * f64::from(people)));
        assert_eq!(room.beside(10, 0.6), Some(90));
        (0..=10)
            .for_each(|people| (0..40).for_each(|_| room.learn(people, 0.07 * f64::from(people))));
        assert_eq!(room.beside(10, 0.6), Some(0));
        room.learn(3, f64::NAN);
        assert!(room.beside(3, 0.6).is_some_and(|fits| (4..=6).contains(&fits)));
    }

    #[test]
    fn an_empty_server_remembers_what_people_cost() {
        let mut room = Room::default();
        room.learn(0, 0.01);
        assert_eq!(room.beside(0, 0.6), None);
        (1..=4).for_each(|people| room.learn(people, 0.01 + 0.02 * f64::from(people)));
        assert!(room.beside(0, 0.6).is_some_and(|fits| (28..=30).contains(&fits)));
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let mut room = Room::default();
        room.learn(1, 0.5);
        (0..=FORGOTTEN_AFTER).for_each(|_| room.learn(8, 0.08));
        assert_eq!(room.beside(1, 0.6), None);
        assert_eq!(room.beside(8, 0.6), Some(52));
    }

    #[test]
    fn every_number_has_its_place() {
        let buckets: Vec<_> = (0..20_000).map(bucket_of).collect();
        assert!(buckets.is_sorted() && buckets.windows(2).all(|pair| pair[1] - pair[0] <= 1));
        assert_eq!((buckets[4], buckets[5], buckets[6]), (4, 4, 5));
        assert!(bucket_of(u32::MAX) < BUCKETS);
    }
}
