//! What a server's `/metrics` says. Comes in: the text, at two moments. Goes out: what happened between them.

use std::collections::BTreeMap;

/// Work of ticks, in seconds.
pub(crate) const WORK: &str = "gamekeeper_tick_work_seconds";
/// How late ticks began, in seconds.
pub(crate) const JITTER: &str = "gamekeeper_tick_start_jitter_seconds";

/// What the metrics said at a moment: values by name and labels, as they stand in the text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scrape(BTreeMap<String, f64>);

/// From one look to a later one.
#[derive(Clone, Debug)]
pub(crate) struct Between {
    pub(crate) before: Scrape,
    pub(crate) after: Scrape,
}

impl Scrape {
    /// Reads the text; lines that are no sample are left out.
    pub(crate) fn read(text: &str) -> Self {
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let samples = samples.filter_map(|line| line.rsplit_once(' '));
        Self(
            samples
                .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
                .collect(),
        )
    }

    /// The sum over all labels of a name; 0 where there is none.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        let those = self.0.range(name.to_owned()..).take_while(|(key, _)| key.starts_with(name));
        let exact =
            those.filter(|(key, _)| matches!(key.as_bytes().get(name.len()), None | Some(b'{')));
        exact.map(|(_, value)| value).sum()
    }

    /// Upper bounds and how many were within them, the lowest first.
    fn buckets(&self, name: &str) -> Vec<(f64, f64)> {
        let prefix = format!("{name}_bucket{{le=\"");
        let those = self.0.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix));
        let mut buckets: Vec<_> = those
            .filter_map(|(key, &count)| {
                let bound = key[prefix.len()..].strip_suffix("\"}")?;
                let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().ok()? };
                Some((bound, count))
            })
            .collect();
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        buckets
    }
}

impl Between {
    /// By how much a counter grew, over all of its labels.
    pub(crate) fn grew(&self, name: &str) -> f64 {
        self.after.sum(name) - self.before.sum(name)
    }

    /// How many of a histogram's times were within each upper bound.
    fn buckets(&self, name: &str) -> Vec<(f64, f64)> {
        let before = self.before.buckets(name);
        let earlier = |bound: f64| before.iter().find(|b| b.0 == bound).map_or(0.0, |b| b.1);
        let after = self.after.buckets(name).into_iter();
        after.map(|(bound, count)| (bound, count - earlier(bound))).collect()
    }

    /// What a share of `quantile` (0 to 1) of a histogram's times did not exceed, interpolated within its bucket; `None`
    /// without any times. Of times beyond the last bound it is that bound.
    pub(crate) fn quantile(&self, name: &str, quantile: f64) -> Option<f64> {
        let buckets = self.buckets(name);
        let wanted = buckets.last().map(|b| b.1).filter(|&all| all > 0.0)? * quantile;
        let (mut low, mut below) = (0.0, 0.0);
        for (bound, count) in buckets {
            if count >= wanted && count > below {
                let share = (wanted - below) / (count - below);
                // Rounded, the end of a bucket could come out beyond it.
                let within = (low + (bound - low) * share).min(bound);
                return Some(if bound.is_finite() { within } else { low });
            }
            (low, below) = (bound, count);
        }
        None
    }

    /// The upper bound of the highest bucket that has any times: no time was longer.
    pub(crate) fn longest(&self, name: &str) -> Option<f64> {
        let buckets = self.buckets(name);
        let all = buckets.last().map(|b| b.1).filter(|&all| all > 0.0)?;
        buckets.iter().find(|b| b.1 >= all).map(|b| b.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(buckets: [u32; 3], deltas: u32) -> Scrape {
        let [fast, slow, all] = buckets;
        Scrape::read(&format!(
            "# TYPE {WORK} histogram\n{WORK}_bucket{{le=\"0.001\"}} {fast}\n{WORK}_bucket{{le=\"0.01\"}} {slow}\n\
             {WORK}_bucket{{le=\"+Inf\"}} {all}\nframes{{kind=\"a\"}} {deltas}\nframes{{kind=\"b\"}} 1\nframes_more 9\n"
        ))
    }

    #[test]
    fn what_happened_is_between_two_looks() {
        let (before, after) = (look([10, 10, 10], 5), look([60, 110, 110], 105));
        let between = Between { before: before.clone(), after: after.clone() };
        assert_eq!(between.grew("frames"), 100.0);
        assert_eq!(between.quantile(WORK, 0.5), Some(0.001));
        assert_eq!(between.quantile(WORK, 1.0), Some(0.01));
        assert_eq!(between.longest(WORK), Some(0.01));
        let beyond = Between { before, after: look([60, 110, 111], 5) };
        assert_eq!(beyond.longest(WORK), Some(f64::INFINITY));
        assert_eq!(beyond.quantile(WORK, 1.0), Some(0.01));
        assert_eq!(Between { before: after.clone(), after }.quantile(WORK, 0.5), None);
    }
}
