//! How much of a player's stream is under way. A socket that takes bytes proves nothing, as the kernel
//! hides minutes of a slow stream; what counts is which frames the client says it has decoded.
//!
//! Ticks in flight are measured from the last frame *sent*, not from the session's tick: else a player
//! whose window once shut could never open it again, with nothing under way to be confirmed.

use super::allowance::Pause;
use super::ease::Ease;
use shared::game::Tick;
use shared::netcode::least::Least;

/// The smallest window, in ticks. A quarter of a second at 30 Hz, so that one lost TCP segment does not
/// shut it.
pub(super) const WINDOW_TICKS_MIN: f64 = 8.0;
/// The widest window, in ticks. A second at 30 Hz: past it a player is better off skipping ahead.
pub(super) const WINDOW_TICKS_MAX: f64 = 30.0;
/// What a window holds beside two round trips and the ticks of a message, in ticks: frames and
/// confirmations travel once a tick.
const WINDOW_TICKS_EXTRA: f64 = 3.0;
/// For how long at least the shortest round trip is remembered, in ticks: a third of a minute at 30 Hz. A
/// line that has become longer is believed after twice that at most.
const ROUND_TRIP_TICKS: f64 = 600.0;
/// For how long a player may confirm nothing while frames are under way, in seconds; then the connection
/// is closed as [`shared::wire::close::CloseCode::Unresponsive`].
pub(super) const UNRESPONSIVE_SECONDS: u32 = 10;
/// How long a confirmation is believed to have waited for the next input, in ticks: as long as a client on
/// a slow line leaves inputs out.
const WAITED_TICKS_MAX: u32 = 8;
/// With more ticks under way not even a keyframe that is asked for is sent: a confirmation's one byte would no longer say
/// which tick it is for.
const ASKED_TICKS_MAX: u32 = 200;
/// How often a client's wish for a keyframe is granted, in seconds.
const AFRESH_SECONDS_MIN: u32 = 1;

/// One player's stream.
#[derive(Debug)]
pub(super) struct Flow {
    /// Tick of the newest frame committed.
    sent: Tick,
    /// Newest tick the client confirmed.
    confirmed: Tick,
    /// When it last confirmed something new, or the first frame was sent.
    progress: Tick,
    /// Of which tick the newest input was.
    input: Tick,
    /// Shortest time from sending a frame to its confirmation, in ticks.
    round_trip: Least,
    ease: Ease,
    afresh: bool,
    /// Whether the client asked for that: it confirms nothing before it has it, so it is sent through a shut window.
    asked: bool,
    /// Since a keyframe was granted that was asked for.
    granted: Pause,
}

impl Flow {
    pub(super) fn new(first: Tick) -> Self {
        let before = first.wrapping_sub(1);
        Self {
            sent: before,
            confirmed: before,
            progress: before,
            input: before,
            round_trip: Least::new(ROUND_TRIP_TICKS),
            ease: Ease::new(first),
            afresh: true,
            asked: false,
            granted: Pause::default(),
        }
    }

    /// The input of `input` said that the frame whose tick ends in `low` is decoded; returns the newest tick
    /// that the client has confirmed.
    pub(super) fn acknowledge(&mut self, low: u8, input: Tick, at: f64, tick_ms: f64) -> Tick {
        // Where inputs are left out, a confirmation waits for the next one.
        let waited = input.wrapping_sub(self.input).saturating_sub(1).min(WAITED_TICKS_MAX);
        self.input = input;
        let behind = (self.sent as u8).wrapping_sub(low);
        let tick = self.sent.wrapping_sub(u32::from(behind));
        let news = tick.wrapping_sub(self.confirmed) as i32;
        if news <= 0 {
            return self.confirmed;
        }
        self.confirmed = tick;
        self.progress = at.max(0.0) as Tick;
        let round_trip = (at - f64::from(tick)).max(0.0);
        let shortest = self.round_trip.add(round_trip, at);
        let queue = (round_trip - shortest - f64::from(waited)).max(0.0);
        self.ease.confirmed(queue * tick_ms, at.max(0.0) as Tick);
        tick
    }

    /// Whether one more frame may go out.
    pub(super) fn is_open(&self) -> bool {
        (self.asked && self.in_flight() < ASKED_TICKS_MAX)
            || f64::from(self.in_flight()) < self.window()
    }

    /// Ticks between the newest frame sent and the newest confirmed.
    pub(super) fn in_flight(&self) -> u32 {
        self.sent.wrapping_sub(self.confirmed)
    }

    /// The shortest time lately from sending a frame to its confirmation, in ticks.
    pub(super) fn round_trip(&self) -> f64 {
        self.round_trip.get()
    }

    fn window(&self) -> f64 {
        let trips = (2.0 * self.round_trip.get()).min(WINDOW_TICKS_MAX);
        let together = f64::from(self.ease.ticks_per_message());
        (trips + WINDOW_TICKS_EXTRA + together).clamp(WINDOW_TICKS_MIN, WINDOW_TICKS_MAX)
    }

    /// What the line is given.
    pub(super) fn ease(&self) -> &Ease {
        &self.ease
    }

    /// The same, to be held back; see [`Ease::hold`].
    pub(super) fn ease_mut(&mut self) -> &mut Ease {
        &mut self.ease
    }

    /// Whether a frame of `tick` is due: there is one in every so many ticks, and a keyframe at once. Where an
    /// overloaded server is why, players with different `phase` have their turn in different ticks, so that each
    /// tick has as much to do.
    pub(super) fn is_due(&self, tick: Tick, phase: u16) -> bool {
        let together = self.ease.ticks_per_message();
        let turn = || tick.wrapping_add(phase.into()).is_multiple_of(together);
        self.afresh || tick.wrapping_sub(self.sent) >= together || self.ease.is_held() && turn()
    }

    /// A tick begins to be sent.
    pub(super) fn tick(&mut self, tick_ms: f64) {
        // A stall delays everything, however little there is: that is for the line to mend.
        let usual = self.round_trip.get() + f64::from(self.ease.ticks_per_message());
        let late = if self.ease.is_easing() { f64::from(self.in_flight()) - usual } else { 0.0 };
        self.ease.tick(tick_ms, late * tick_ms);
    }

    /// A frame of `tick` was committed. After a gap the window counts from here: what was under way
    /// before has long been confirmed, or the window had not opened.
    pub(super) fn committed(&mut self, tick: Tick) {
        if self.in_flight() == 0 {
            self.progress = tick;
            self.confirmed = tick.wrapping_sub(1);
        }
        self.sent = tick;
        (self.afresh, self.asked) = (false, false);
    }

    /// A frame was written and not taken: the next one can't build on it.
    pub(super) fn lost(&mut self) {
        self.afresh = true;
    }

    /// The client wants a keyframe; granted once per [`AFRESH_SECONDS_MIN`]. Whether it is.
    pub(super) fn start_afresh(&mut self, now: Tick, rate: u16) -> bool {
        let granted = self.granted.take(now, AFRESH_SECONDS_MIN * u32::from(rate));
        if granted {
            (self.afresh, self.asked) = (true, true);
        }
        granted
    }

    /// Whether the next frame has to be a keyframe.
    pub(super) fn wants_keyframe(&self) -> bool {
        self.afresh
    }

    pub(super) fn is_unresponsive(&self, now: Tick, rate: u16) -> bool {
        let silent = now.wrapping_sub(self.progress) as i32;
        self.in_flight() > 0 && silent > (UNRESPONSIVE_SECONDS * u32::from(rate)) as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK_MS: f64 = 1000.0 / 30.0;

    #[test]
    fn a_client_that_confirms_nothing_shuts_its_window() {
        let mut flow = Flow::new(1);
        let sent = (1..100).filter(|&tick| {
            let open = flow.is_open();
            if open {
                flow.committed(tick);
            }
            open
        });
        assert_eq!(sent.count(), WINDOW_TICKS_MAX as usize);
        assert!(!flow.is_unresponsive(30 * 10, 30));
        assert!(flow.is_unresponsive(30 * 10 + 2, 30));
    }

    #[test]
    fn a_confirmation_opens_it_again_however_late() {
        let mut flow = Flow::new(1);
        (1..=30).for_each(|tick| flow.committed(tick));
        assert!(!flow.is_open());
        flow.acknowledge(30, 500, 500.0, TICK_MS);
        assert!(flow.is_open());
        flow.committed(501);
        assert_eq!(flow.in_flight(), 1);
        assert!(flow.is_open());
    }

    #[test]
    fn the_window_follows_the_round_trip() {
        let mut flow = Flow::new(1);
        flow.committed(1);
        flow.acknowledge(1, 3, 3.0, TICK_MS);
        assert_eq!(flow.window(), WINDOW_TICKS_MIN);
        let mut far = Flow::new(1);
        far.committed(1);
        far.acknowledge(1, 9, 9.5, TICK_MS);
        assert_eq!(far.window(), 21.0);
    }

    #[test]
    fn confirming_what_was_never_sent_is_no_progress() {
        let mut flow = Flow::new(1);
        (1..=30).for_each(|tick| flow.committed(tick));
        flow.acknowledge(31, 31, 30.0, TICK_MS);
        assert_eq!(flow.in_flight(), 30);
    }

    #[test]
    fn a_keyframe_that_is_asked_for_goes_through_a_shut_window() {
        let mut flow = Flow::new(1);
        (1..=30).for_each(|tick| flow.committed(tick));
        assert!(!flow.is_open());
        assert!(flow.start_afresh(31, 30));
        assert!(flow.is_open() && flow.wants_keyframe());
        flow.committed(31);
        assert!(!flow.is_open());
        flow.acknowledge(31, 40, 40.0, TICK_MS);
        assert!(flow.is_open());
        // Whoever asks and asks, and confirms nothing, is let go all the same.
        for tick in 32..=400 {
            flow.start_afresh(tick, 30);
            if flow.is_open() {
                flow.committed(tick);
            }
            flow.acknowledge(31, tick, f64::from(tick), TICK_MS);
            assert_eq!(flow.confirmed, 31, "{tick}");
        }
        assert!(flow.is_unresponsive(400, 30));
    }

    #[test]
    fn keyframes_are_granted_once_a_second() {
        let mut flow = Flow::new(1);
        flow.committed(1);
        assert!(flow.start_afresh(5, 30));
        assert!(flow.wants_keyframe());
        flow.committed(6);
        assert!(!flow.start_afresh(20, 30));
        assert!(!flow.wants_keyframe());
        assert!(flow.start_afresh(35, 30));
        assert!(flow.wants_keyframe());
    }
}
