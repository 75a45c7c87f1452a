//! The last step of a tick: a frame into the outbox of everybody whose window is open. A frame is
//! written only when it is certain to be taken, for the link's list moves on with it.

use super::Counts;
use super::door::Outbox;
use super::players::Link;
use super::world::World;
use shared::game::{Focus, PlayerId, Tick};
use shared::netcode::frame::{Encoder, PAST_TICKS, TYPE_KEYFRAME, TYPE_MASK, ViewList};
use shared::netcode::inputs::InputBuffer;
use shared::wire::Row;

/// Where a player on a slow line looks somewhere else at once, as after a respawn, everything there would
/// come in one message that takes too long. So it begins with this share of the reach.
const FIRST_LOOK: f32 = 0.4;
/// By how much that grows with each message.
const LOOK_GROWS: f32 = 0.06;

/// How much of what a player's frames took lately is that of the newest tick: it follows within a second.
const LATELY_SHARE: f32 = 1.0 / 16.0;

/// Writes frames.
pub(super) struct FrameWriter {
    encoder: Encoder,
    bytes: Vec<u8>,
}

/// Who is sent a frame.
#[derive(Clone, Copy)]
pub(super) struct Viewer {
    pub(super) player: PlayerId,
    /// Where they look, on a line that is good enough for all of it.
    pub(super) focus: Focus,
    /// Whether they watch rather than play, and so perhaps see just what others see.
    pub(super) watches: bool,
}

impl FrameWriter {
    pub(super) fn new() -> Self {
        Self { encoder: Encoder::new(), bytes: Vec::new() }
    }

    /// Appends the frame of somebody who sees everything and is nobody.
    pub(super) fn of_everything(
        &mut self,
        list: &mut ViewList,
        World { changes, interest }: &mut World,
        out: &mut Vec<u8>,
    ) {
        self.encoder.frame(list, changes, &interest.everything(), false, None, out);
    }

    /// Commits a message and whatever waits in the mailbox, if the connection can take them: a
    /// difference, after a short pause those that were missed and the difference, after a longer one a
    /// keyframe.
    pub(super) fn send<I: Row, O: Outbox>(
        &mut self,
        link: &mut Link<O>,
        inputs: &mut InputBuffer<I>,
        world: &mut World,
        Viewer { player, focus, watches }: Viewer,
        counts: &mut Counts,
    ) {
        let focus = focus.reaching(link.reach(focus));
        let tick = world.changes.tick();
        if !link.has_turn(tick, player, counts) {
            counts.frames_withheld += 1;
            link.miss(focus);
            return;
        }
        self.bytes.clear();
        let fresh = link.flow.wants_keyframe();
        if !fresh && !link.missed.is_empty() {
            counts.catch_ups += 1;
            self.catch_up(link, world, player);
        }
        let ticks = link.missed.len() + 1;
        link.missed.clear();
        let World { changes, interest } = world;
        let mut sight = interest.sight(player, focus);
        if watches {
            sight = sight.among_others();
        }
        let margin = inputs.take_margin();
        let copied =
            self.encoder.frame(&mut link.list, changes, &sight, fresh, margin, &mut self.bytes);
        if link.commit(&self.bytes, (tick, ticks), counts) {
            counts.frames_copied += u64::from(copied);
        }
    }

    /// Writes the frames that were missed.
    fn catch_up<O>(
        &mut self,
        link: &mut Link<O>,
        World { changes, interest }: &World,
        player: PlayerId,
    ) {
        for (ago, &focus) in (1..=link.missed.len()).rev().zip(&link.missed) {
            let step = changes.step_ago(ago).expect("as many are kept");
            let sight = interest.sight_ago(ago, player, focus);
            self.encoder.catch_up(&mut link.list, changes.kinds(), step, &sight, &mut self.bytes);
        }
    }
}

impl<O: Outbox> Link<O> {
    /// Share of the view's width and height that is shown to a player who looks at `focus`.
    fn reach(&mut self, focus: Focus) -> f32 {
        let ease = self.flow.ease();
        let far = |a: f32, b: f32, half: f32| (a - b).abs() > half;
        let jumped = far(focus.x, self.looked.x, focus.half_width)
            || far(focus.y, self.looked.y, focus.half_height);
        self.looked = focus;
        if jumped && ease.is_easing() {
            self.look = FIRST_LOOK;
        }
        ease.reach() * self.look
    }

    /// Whether a message goes out in this tick: it is time for one, and the connection can take it.
    fn has_turn(&mut self, tick: Tick, player: PlayerId, counts: &mut Counts) -> bool {
        let open = self.flow.is_open();
        let due = open && self.flow.is_due(tick, player.0);
        let paused = !open || !self.outbox.has_room();
        counts.pauses += u64::from(paused && !self.paused);
        counts.paused_ticks += u64::from(paused);
        self.paused = paused;
        due && !paused
    }

    /// None goes out to who looks at `focus`: it is caught up on later, or is too much for that.
    fn miss(&mut self, focus: Focus) {
        if self.missed.len() == PAST_TICKS {
            self.flow.lost();
        } else {
            self.missed.push(focus);
        }
    }

    /// Hands over what waits in the mailbox and a message of so many ticks, the last of which is `tick`. Whether they were
    /// taken.
    fn commit(&mut self, frames: &[u8], (tick, ticks): (Tick, usize), counts: &mut Counts) -> bool {
        // In one write: system calls are most of what a player costs.
        if !self.outbox.push(self.mailbox.messages().chain(core::iter::once(frames))) {
            // The connection is going away; its frames no longer build on each other.
            self.flow.lost();
            return false;
        }
        let told = self.mailbox.sent();
        counts.told_bytes += told;
        self.flow.committed(tick);
        self.look = (self.look + LOOK_GROWS).min(1.0);
        counts.frames += 1;
        counts.frame_bytes += frames.len() as u64;
        self.bytes += told + frames.len() as u64;
        if frames[0] & TYPE_MASK == TYPE_KEYFRAME {
            counts.keyframes += 1;
            counts.keyframe_bytes += frames.len() as u64;
            self.keyframes += 1;
        } else {
            let each = frames.len() as f32 / ticks as f32;
            self.lately += (each - self.lately) * (LATELY_SHARE * ticks as f32).min(1.0);
        }
        true
    }
}
