//! The last step of a tick: a frame into the outbox of everybody whose window is open. A frame is
//! written only when it is certain to be taken, for the link's list moves on with it.

use super::Counts;
use super::door::Outbox;
use super::interest::Interest;
use super::players::Link;
use shared::game::{Focus, PlayerId};
use shared::netcode::frame::{Changes, Encoder, PAST_TICKS, TYPE_KEYFRAME, TYPE_MASK, ViewList};
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
}

impl FrameWriter {
    pub(super) fn new() -> Self {
        Self { encoder: Encoder::new(), bytes: Vec::new() }
    }

    /// Appends the frame of somebody who looks at `focus` and is nobody.
    pub(super) fn of_everything(
        &mut self,
        list: &mut ViewList,
        (changes, interest): (&mut Changes, &Interest),
        focus: Focus,
        out: &mut Vec<u8>,
    ) {
        let sight = interest.sight(PlayerId::NOBODY, focus);
        self.encoder.frame(list, changes, &sight, false, None, out);
    }

    /// Commits a message and whatever waits in the mailbox, if the connection can take them: a
    /// difference, after a short pause those that were missed and the difference, after a longer one a
    /// keyframe.
    pub(super) fn send<I: Row, O: Outbox>(
        &mut self,
        link: &mut Link<O>,
        inputs: &mut InputBuffer<I>,
        (changes, interest): (&mut Changes, &Interest),
        (player, focus, watches): (PlayerId, Focus, bool),
        counts: &mut Counts,
    ) {
        let focus = focus.reaching(link.reach(focus));
        let open = link.flow.is_open();
        let due = open && link.flow.is_due(changes.tick(), player.0);
        let paused = !open || !link.outbox.has_room();
        counts.pauses += u64::from(paused && !link.paused);
        counts.paused_ticks += u64::from(paused);
        link.paused = paused;
        if !due || paused {
            counts.frames_withheld += 1;
            if link.missed.len() == PAST_TICKS {
                link.flow.lost();
            } else {
                link.missed.push(focus);
            }
            return;
        }
        self.bytes.clear();
        let fresh = link.flow.wants_keyframe();
        if !fresh && !link.missed.is_empty() {
            counts.catch_ups += 1;
            for (ago, &focus) in (1..=link.missed.len()).rev().zip(&link.missed) {
                let step = changes.step_ago(ago).expect("as many are kept");
                let sight = interest.sight_ago(ago, player, focus);
                let kinds = changes.kinds();
                self.encoder.catch_up(&mut link.list, kinds, step, &sight, &mut self.bytes);
            }
        }
        let ticks = link.missed.len() + 1;
        link.missed.clear();
        let mut sight = interest.sight(player, focus);
        if watches {
            sight = sight.among_others();
        }
        let margin = inputs.take_margin();
        let copied =
            self.encoder.frame(&mut link.list, changes, &sight, fresh, margin, &mut self.bytes);
        // In one write: system calls are most of what a player costs.
        let frame = core::iter::once(&self.bytes[..]);
        if link.outbox.push(link.mailbox.messages().chain(frame)) {
            let told = link.mailbox.sent();
            counts.told_bytes += told;
            link.bytes += told;
            link.flow.committed(changes.tick());
            link.look = (link.look + LOOK_GROWS).min(1.0);
            counts.frames += 1;
            counts.frames_copied += u64::from(copied);
            link.bytes += self.bytes.len() as u64;
            counts.frame_bytes += self.bytes.len() as u64;
            if self.bytes[0] & TYPE_MASK == TYPE_KEYFRAME {
                counts.keyframes += 1;
                counts.keyframe_bytes += self.bytes.len() as u64;
                link.keyframes += 1;
            } else {
                let each = self.bytes.len() as f32 / ticks as f32;
                link.lately += (each - link.lately) * (LATELY_SHARE * ticks as f32).min(1.0);
            }
        } else {
            // The connection is going away; its frames no longer build on each other.
            link.flow.lost();
        }
    }
}
