//! The last step of a tick: a frame into the outbox of everybody whose window is open. A frame is
//! written only when it is certain to be taken, for the player's list moves on with it.

use super::Counts;
use super::door::Outbox;
use super::interest::PlayerSight;
use super::players::Player;
use bytes::BytesMut;
use shared::netcode::frame::{Changes, TYPE_KEYFRAME, TYPE_MASK};
use shared::wire::Row;

/// Frames are cut from chunks of this many bytes, so that no frame costs an allocation of its own. A
/// chunk lives as long as the slowest reader of a frame in it.
const CHUNK_BYTES: usize = 64 << 10;

/// Writes frames.
pub(super) struct FrameWriter {
    bytes: Vec<u8>,
    chunk: BytesMut,
}

impl FrameWriter {
    pub(super) fn new() -> Self {
        Self { bytes: Vec::new(), chunk: BytesMut::new() }
    }

    /// Commits a frame and whatever waits in the mailbox, if the player can take them.
    pub(super) fn send<I: Row, O: Outbox>(
        &mut self,
        player: &mut Player<I, O>,
        changes: &mut Changes,
        sight: &PlayerSight<'_>,
        counts: &mut Counts,
    ) {
        if player.flow.is_open() {
            player.mailbox.flush(&mut player.outbox);
        }
        if !player.flow.is_open() || !player.outbox.has_room() {
            counts.frames_withheld += 1;
            return;
        }
        self.bytes.clear();
        let margin = player.inputs.take_margin();
        let fresh = player.flow.wants_keyframe();
        player.list.encode(changes, sight, fresh, margin, &mut self.bytes);
        if self.chunk.capacity() < self.bytes.len() {
            self.chunk = BytesMut::with_capacity(CHUNK_BYTES.max(self.bytes.len()));
        }
        self.chunk.extend_from_slice(&self.bytes);
        if player.outbox.push(self.chunk.split().freeze()) {
            player.flow.committed(changes.tick());
            counts.frames += 1;
            counts.frame_bytes += self.bytes.len() as u64;
            counts.keyframes += u64::from(self.bytes[0] & TYPE_MASK == TYPE_KEYFRAME);
        } else {
            // The connection is going away; its frames no longer build on each other.
            player.flow.lost();
        }
    }
}
