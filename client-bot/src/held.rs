//! What a bot's made-up network holds back: messages of both directions, each until it arrives. Comes
//! in: messages and the time. Goes out: the same messages, in order, when they are due.

use crate::network::Preset;
use shared::netcode::conditions::{Arrivals, Conditions};
use std::collections::VecDeque;

/// Messages held back per direction at most; then no more are taken until one has arrived, and TCP
/// makes the sender wait. No preset comes near: awful holds about a second of 60 messages each.
const HELD_MAX: usize = 1024;
/// Seeds between two bots: one per direction.
const SEEDS_PER_BOT: u64 = 2;

/// Both directions of one bot's network. `H` is what it hears, `S` what it says.
#[derive(Debug)]
pub(crate) struct Held<H, S> {
    /// What the server sent.
    pub(crate) heard: Way<H>,
    /// What the bot sends.
    pub(crate) said: Way<S>,
}

impl<H, S> Held<H, S> {
    /// Bot `number`'s, whose `phase` (0 to 1) is other bots' at no time; `None` when nothing is to be held
    /// back.
    pub(crate) fn of_bot(number: u32, phase: f64, preset: Preset) -> Option<Self> {
        let conditions = preset.conditions();
        if conditions == Conditions::PERFECT {
            return None;
        }
        let seed = u64::from(number) * SEEDS_PER_BOT;
        // One line has its stalls in both directions at once, but not all bots have theirs together.
        let shift_ms = phase * conditions.stall_every_ms;
        let heard = Way::new(conditions, seed, shift_ms);
        Some(Self { heard, said: Way::new(conditions, seed + 1, shift_ms) })
    }

    /// When the next message is due, in ms.
    pub(crate) fn next_ms(&self) -> Option<f64> {
        [self.heard.next_ms(), self.said.next_ms()].into_iter().flatten().reduce(f64::min)
    }
}

/// One direction.
#[derive(Debug)]
pub(crate) struct Way<T> {
    conditions: Conditions,
    arrivals: Arrivals,
    /// What the line's clock is ahead of the bot's, in ms.
    shift_ms: f64,
    /// (when it is due, what), the next first.
    waiting: VecDeque<(f64, T)>,
}

impl<T> Way<T> {
    fn new(conditions: Conditions, seed: u64, shift_ms: f64) -> Self {
        let arrivals = Arrivals::new(seed);
        Self { conditions, arrivals, shift_ms, waiting: VecDeque::new() }
    }

    /// Whether it takes no more for now.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= HELD_MAX
    }

    /// Takes in what was sent at `now_ms` and has so many bytes.
    pub(crate) fn put(&mut self, now_ms: f64, bytes: usize, item: T) {
        let at = self.arrivals.arrival(&self.conditions, bytes, now_ms + self.shift_ms);
        self.waiting.push_back((at - self.shift_ms, item));
    }

    /// Hands out the next that is due.
    pub(crate) fn take(&mut self, now_ms: f64) -> Option<T> {
        self.waiting.pop_front_if(|(at, _)| *at <= now_ms).map(|(_, item)| item)
    }

    /// When the next is due, in ms.
    pub(crate) fn next_ms(&self) -> Option<f64> {
        self.waiting.front().map(|&(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_line_holds_nothing_back() {
        assert!(Held::<(), ()>::of_bot(3, 0.5, Preset::Perfect).is_none());
    }

    #[test]
    fn everything_comes_out_in_order_and_in_time() {
        for preset in [Preset::Good, Preset::Mobile, Preset::Awful] {
            let mut held = Held::<u32, u32>::of_bot(1, 0.5, preset).unwrap();
            let (mut heard, mut late) = (Vec::new(), 0);
            for n in 0..30_000u32 {
                let now_ms = f64::from(n);
                if n % 30 == 0 && n < 20_000 {
                    held.heard.put(now_ms, 50, n);
                }
                while let Some(sent) = held.heard.take(now_ms) {
                    let took = now_ms - f64::from(sent);
                    assert!(took >= preset.conditions().delay_ms);
                    late += u32::from(took > 2.0 * preset.conditions().delay_ms + 33.0);
                    heard.push(sent);
                }
            }
            assert_eq!(heard.len(), 667);
            assert!(heard.is_sorted());
            assert_eq!(late > 0, preset != Preset::Good, "only bad lines lose packets");
            assert_eq!(held.next_ms(), None);
        }
    }

    #[test]
    fn a_full_way_says_so_and_both_ways_wake() {
        let mut held = Held::<u32, u32>::of_bot(2, 0.5, Preset::Good).unwrap();
        held.said.put(1000.0, 10, 0);
        assert!((1015.0..=1018.0).contains(&held.next_ms().unwrap()));
        held.heard.put(0.0, 10, 0);
        assert!((15.0..=18.0).contains(&held.next_ms().unwrap()));
        (1..HELD_MAX as u32).for_each(|n| held.heard.put(0.0, 10, n));
        assert!(held.heard.is_full() && !held.said.is_full());
        assert_eq!(held.heard.take(20.0), Some(0));
        assert!(!held.heard.is_full());
    }
}
