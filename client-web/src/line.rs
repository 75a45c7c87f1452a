//! The page's doors to netcode's made-up network, for the sliders of the network panel. Comes in: what
//! the line is to be like, sizes and times. Goes out: times of arrival; holding messages back until then
//! is `www/line.js`'s.

use shared::netcode::conditions::{Arrivals, Conditions};
use wasm_bindgen::prelude::wasm_bindgen;

/// The most of any time, ms: beyond it the page would give the connection up for dead.
const MS_MAX: f64 = 5_000.0;
/// The most bytes a second; more is as good as no limit.
const RATE_MAX: f64 = 1e9;

/// A line that is worse than the real one, both ways.
#[wasm_bindgen]
pub struct Line {
    conditions: Conditions,
    seed: u64,
    outward: Arrivals,
    inward: Arrivals,
}

#[wasm_bindgen]
impl Line {
    /// A line that holds nothing back; all that is random on it follows from `seed`.
    #[wasm_bindgen(constructor)]
    pub fn new(seed: u32) -> Self {
        let seed = 2 * u64::from(seed);
        Self {
            conditions: Conditions::PERFECT,
            seed,
            outward: Arrivals::new(seed),
            inward: Arrivals::new(seed + 1),
        }
    }

    /// The connection is gone, and what was under way with it.
    pub fn clear(&mut self) {
        self.seed += 2;
        self.outward = Arrivals::new(self.seed);
        self.inward = Arrivals::new(self.seed + 1);
    }

    /// What it is like each way: delay and jitter, ms; share of messages lost, 0 to 1; a stall begins
    /// every so many ms and lasts so many; bytes a second towards the page. What is no number counts as 0.
    pub fn set(&mut self, values: &[f64]) {
        let value = |place: usize, max: f64| {
            let value = values.get(place).copied().filter(|value| value.is_finite());
            value.unwrap_or(0.0).clamp(0.0, max)
        };
        self.conditions = Conditions {
            delay_ms: value(0, MS_MAX),
            jitter_ms: value(1, MS_MAX),
            loss: value(2, 1.0),
            stall_every_ms: value(3, f64::MAX),
            stall_ms: value(4, MS_MAX),
            bytes_per_second: value(5, RATE_MAX),
        };
    }

    /// What it is like, in the order of `set`.
    pub fn conditions(&self) -> Vec<f64> {
        listed(&self.conditions)
    }

    /// What the line of a name is like, in the order of `set`; of any other name: a perfect one.
    pub fn preset(name: &str) -> Vec<f64> {
        listed(&match name {
            "good" => Conditions::GOOD,
            "mobile" => Conditions::MOBILE,
            "awful" => Conditions::AWFUL,
            _ => Conditions::PERFECT,
        })
    }

    /// When a message of so many bytes arrives at the server that is sent at `now`.
    pub fn outward(&mut self, bytes: usize, now: f64) -> f64 {
        // Inputs need a few hundred bytes a second at all times; a narrow line is about frames.
        let wide = Conditions { bytes_per_second: 0.0, ..self.conditions };
        self.outward.arrival(&wide, bytes, now)
    }

    /// When a message of so many bytes arrives at the page that came off the real line at `now`.
    pub fn inward(&mut self, bytes: usize, now: f64) -> f64 {
        self.inward.arrival(&self.conditions, bytes, now)
    }
}

fn listed(c: &Conditions) -> Vec<f64> {
    vec![c.delay_ms, c.jitter_ms, c.loss, c.stall_every_ms, c.stall_ms, c.bytes_per_second]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_the_sliders_say() {
        let mut line = Line::new(1);
        assert_eq!((line.outward(30, 5.0), line.inward(30, 6.0)), (5.0, 6.0), "perfect at first");
        let values = [100.0, 0.0, 0.0, 0.0, 0.0, 1000.0];
        line.set(&values);
        assert_eq!(line.conditions(), values);
        assert_eq!(line.outward(50, 10.0), 110.0, "nothing but the delay");
        assert_eq!(line.inward(50, 10.0), 160.0, "50 ms for the bytes, then the delay");
        line.clear();
        assert_eq!(line.inward(50, 20.0), 170.0, "nothing waits for the last connection's bytes");
        line.set(&[f64::NAN, -5.0, 7.0]);
        assert_eq!(line.conditions(), [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn presets_are_netcodes() {
        let mut line = Line::new(1);
        line.set(&Line::preset("awful"));
        assert_eq!(line.conditions, Conditions::AWFUL);
        line.set(&Line::preset("nonsense"));
        assert_eq!(line.conditions, Conditions::PERFECT);
    }
}
