//! Makes metrics and enters them in the registry, each in a line.

use prometheus::core::Collector;
use prometheus::{
    Counter, Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry,
};

/// Makes metrics. Names, labels and help are constants of ours, so that nothing here fails after the first start.
pub(super) struct Maker(pub(super) Registry);

impl Maker {
    fn entered<T: Collector + Clone + 'static>(&self, made: prometheus::Result<T>) -> T {
        let made = made.expect("a proper name");
        self.0.register(Box::new(made.clone())).expect("a name of its own");
        made
    }

    pub(super) fn count(&self, name: &str, help: &str) -> IntCounter {
        self.entered(IntCounter::new(name, help))
    }

    pub(super) fn count_seconds(&self, name: &str, help: &str) -> Counter {
        self.entered(Counter::new(name, help))
    }

    /// One counter for each of `values`, in their order.
    pub(super) fn counts<const N: usize>(
        &self,
        name: &str,
        help: &str,
        label: &str,
        values: [&str; N],
    ) -> [IntCounter; N] {
        let all = self.counts_by(name, help, &[label]);
        values.map(|value| all.with_label_values(&[value]))
    }

    pub(super) fn counts_by(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.entered(IntCounterVec::new(Opts::new(name, help), labels))
    }

    pub(super) fn level(&self, name: &str, help: &str) -> IntGauge {
        self.entered(IntGauge::new(name, help))
    }

    pub(super) fn level_seconds(&self, name: &str, help: &str) -> Gauge {
        self.entered(Gauge::new(name, help))
    }

    /// One gauge for each of `values`, in their order.
    pub(super) fn levels<const N: usize>(
        &self,
        name: &str,
        help: &str,
        label: &str,
        values: [&str; N],
    ) -> [IntGauge; N] {
        let all = self.entered(IntGaugeVec::new(Opts::new(name, help), &[label]));
        values.map(|value| all.with_label_values(&[value]))
    }

    pub(super) fn spread(&self, name: &str, help: &str, buckets: &[f64]) -> Histogram {
        let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
        self.entered(Histogram::with_opts(options))
    }

    /// One histogram for each of `values`, in their order.
    pub(super) fn spreads<const N: usize>(
        &self,
        name: &str,
        help: &str,
        buckets: &[f64],
        label: &str,
        values: [&str; N],
    ) -> [Histogram; N] {
        let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
        let all = self.entered(HistogramVec::new(options, &[label]));
        values.map(|value| all.with_label_values(&[value]))
    }
}
