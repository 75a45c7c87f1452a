//! A bad network, made up: when a message sent now arrives over a line like this. Comes in: what the line
//! is like, sizes and times. Goes out: times of arrival, in order, as a WebSocket's are.
//!
//! Tests, load tests and the page's sliders all use this one, so that "150 ms with 1 % lost" is the same
//! thing everywhere. It holds back what is sent at the same end; no packet is really lost.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// What a line is like, one way. Times in ms; the default is a perfect one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Conditions {
    /// What every message takes.
    pub delay_ms: f64,
    /// What a message takes longer at random, from 0 to this.
    pub jitter_ms: f64,
    /// Share of messages whose packet is lost, 0 to 1. TCP delivers it and all behind it a round trip and
    /// [`NOTICED_MS`] later.
    pub loss: f64,
    /// A stall begins after every so many ms; 0 for never.
    pub stall_every_ms: f64,
    /// How long nothing arrives then.
    pub stall_ms: f64,
    /// Bytes a second, headers included; 0 for no limit.
    pub bytes_per_second: f64,
}

/// After how long the packet behind a lost one shows the receiver the hole, in ms: one send interval at
/// 30 Hz. With it a loss stalls the stream by a round trip and a tick, as was measured on Linux with RACK.
pub const NOTICED_MS: f64 = 33.0;

impl Conditions {
    /// A good line: fibre or cable, a server in the same country. 30 ms round trip.
    pub const GOOD: Self = Self { delay_ms: 15.0, jitter_ms: 3.0, ..Self::PERFECT };
    /// A phone on the move: 90 ms round trip, uneven, one message in a hundred lost.
    pub const MOBILE: Self = Self { delay_ms: 40.0, jitter_ms: 15.0, loss: 0.01, ..Self::PERFECT };
    /// A line that nobody would choose: 240 ms round trip, one message in thirty lost, half a second of
    /// nothing every ten.
    pub const AWFUL: Self = Self {
        delay_ms: 100.0,
        jitter_ms: 40.0,
        loss: 0.03,
        stall_every_ms: 10_000.0,
        stall_ms: 500.0,
        ..Self::PERFECT
    };
    /// Nothing is held back.
    pub const PERFECT: Self = Self {
        delay_ms: 0.0,
        jitter_ms: 0.0,
        loss: 0.0,
        stall_every_ms: 0.0,
        stall_ms: 0.0,
        bytes_per_second: 0.0,
    };

    /// A line with half of the round trip `ms` each way and up to this much jitter each way.
    pub const fn round_trip(ms: f64, jitter_ms: f64) -> Self {
        Self { delay_ms: ms / 2.0, jitter_ms, ..Self::PERFECT }
    }
}

/// When messages arrive that are sent in one direction.
#[derive(Clone, Debug)]
pub struct Arrivals {
    dice: Pcg64Mcg,
    /// When the line is free for the next byte.
    free_ms: f64,
    last_ms: f64,
}

impl Arrivals {
    /// A line nothing was sent on yet; all that is random follows from `seed`.
    pub fn new(seed: u64) -> Self {
        Self { dice: Pcg64Mcg::seed_from_u64(seed), free_ms: 0.0, last_ms: 0.0 }
    }

    /// When a message arrives that takes so many bytes on the wire and is sent at `now`; never before one sent earlier.
    pub fn arrival(&mut self, conditions: &Conditions, bytes: usize, now_ms: f64) -> f64 {
        let c = conditions;
        let mut at = now_ms;
        if c.bytes_per_second > 0.0 {
            self.free_ms = self.free_ms.max(now_ms) + bytes as f64 * 1000.0 / c.bytes_per_second;
            at = self.free_ms;
        }
        at += c.delay_ms + c.jitter_ms * self.dice.random::<f64>();
        if c.loss > 0.0 && self.dice.random::<f64>() < c.loss {
            at += 2.0 * c.delay_ms + NOTICED_MS;
        }
        if c.stall_every_ms > 0.0 && at % c.stall_every_ms < c.stall_ms {
            at += c.stall_ms - at % c.stall_every_ms;
        }
        // Nothing overtakes on an ordered stream.
        self.last_ms = self.last_ms.max(at);
        self.last_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_overtakes_and_a_rate_is_kept() {
        let slow = Conditions { bytes_per_second: 1000.0, ..Conditions::AWFUL };
        let mut arrivals = Arrivals::new(1);
        let times: Vec<f64> =
            (0..1000).map(|n| arrivals.arrival(&slow, 100, f64::from(n))).collect();
        assert!(times.is_sorted());
        assert!(times[999] >= 100_000.0 + slow.delay_ms, "{}", times[999]);
        assert!(times.iter().all(|at| at % slow.stall_every_ms >= slow.stall_ms));
    }

    #[test]
    fn a_loss_costs_a_round_trip_and_holds_up_what_follows() {
        let lossy = Conditions { loss: 0.1, ..Conditions::round_trip(80.0, 0.0) };
        let mut arrivals = Arrivals::new(2);
        let took: Vec<f64> = (0..2000)
            .map(|n| f64::from(n) * 33.0)
            .map(|at| arrivals.arrival(&lossy, 30, at) - at)
            .collect();
        let lost = took.iter().filter(|&&ms| ms > 150.0).count();
        assert!((150..250).contains(&lost), "{lost}");
        assert!(took.iter().any(|&ms| (ms - 120.0).abs() < 0.001), "the next one waited for it");
    }
}
