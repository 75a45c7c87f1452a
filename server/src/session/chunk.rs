//! Memory for small messages: each is a slice of a chunk that it shares with others.

use bytes::{Bytes, BytesMut};

/// How large a chunk is, in bytes: some dozen messages. It lives as long as the slowest reader of one in it,
/// and is used again if nobody reads it any more when it is full.
const CHUNK_BYTES: usize = 4 << 10;

/// What messages are cut from.
#[derive(Default)]
pub(super) struct Chunk(BytesMut);

impl Chunk {
    /// A message of these bytes.
    pub(super) fn cut(&mut self, bytes: &[u8]) -> Bytes {
        if self.0.capacity() < bytes.len() {
            self.0.reserve(CHUNK_BYTES.max(bytes.len()));
        }
        self.0.extend_from_slice(bytes);
        self.0.split().freeze()
    }
}
