//! Messages in a stream of bytes, as a client reads and writes them: WebSocket's frames (RFC 6455, section 5.2), or
//! pieces of a fixed size.

/// Opcode of a binary message.
pub(super) const BINARY: u8 = 2;
const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
/// Opcode of the answer to a ping.
pub(super) const PONG: u8 = 10;
/// Marks the last frame of a message.
const FIN: u8 = 0x80;
/// Marks a frame as masked; clients have to, servers must not.
const MASKED: u8 = 0x80;
/// With which every frame is masked: it protects proxies, of which there are none here.
const MASK: [u8; 4] = [0x5a, 0xc3, 0x17, 0x88];
/// The most bytes of a ping.
const CONTROL_BYTES_MAX: usize = 125;

/// What came.
pub(super) enum Seen<'a> {
    /// A message, or a frame of one.
    Message {
        /// Its first byte.
        first: u8,
        /// Its length, in bytes.
        payload: u64,
        /// The same with the frame's header.
        wire: u64,
    },
    /// Wants to be answered with these bytes.
    Ping(&'a [u8]),
    /// The server says goodbye.
    Close,
}

/// Finds messages.
pub(super) enum Frames {
    WebSocket(WebSocket),
    Fixed(Fixed),
}

impl Default for Frames {
    fn default() -> Self {
        Self::WebSocket(WebSocket::default())
    }
}

impl Frames {
    /// Bytes came, and `tell` hears what that completes.
    pub(super) fn feed(&mut self, bytes: &[u8], tell: &mut dyn FnMut(Seen<'_>)) {
        match self {
            Self::WebSocket(frames) => frames.feed(bytes, tell),
            Self::Fixed(pieces) => pieces.feed(bytes, tell),
        }
    }
}

/// WebSocket's frames.
#[derive(Default)]
pub(super) struct WebSocket {
    head: Vec<u8>,
    /// The first bytes of what is inside.
    start: Vec<u8>,
    /// What has come of what is inside, in bytes.
    inside: u64,
}

impl WebSocket {
    fn feed(&mut self, mut bytes: &[u8], tell: &mut dyn FnMut(Seen<'_>)) {
        loop {
            let Some(length) = length(&self.head) else {
                let Some((&byte, rest)) = bytes.split_first() else { return };
                self.head.push(byte);
                bytes = rest;
                continue;
            };
            let taken = (length - self.inside).min(bytes.len() as u64) as usize;
            let kept = taken.min(CONTROL_BYTES_MAX - self.start.len());
            self.start.extend_from_slice(&bytes[..kept]);
            self.inside += taken as u64;
            bytes = &bytes[taken..];
            if self.inside < length {
                return;
            }
            let wire = length + self.head.len() as u64;
            match self.head[0] & 15 {
                TEXT | BINARY | CONTINUATION => tell(Seen::Message {
                    first: self.start.first().copied().unwrap_or(0),
                    payload: length,
                    wire,
                }),
                PING => tell(Seen::Ping(&self.start)),
                CLOSE => tell(Seen::Close),
                _ => {}
            }
            self.head.clear();
            self.start.clear();
            self.inside = 0;
        }
    }
}

/// How much is inside, once the header is complete.
fn length(head: &[u8]) -> Option<u64> {
    match (head.get(1)? & 127, head.len()) {
        (126, 4) => Some(u64::from(u16::from_be_bytes([head[2], head[3]]))),
        (127, 10) => Some(u64::from_be_bytes(head[2..10].try_into().ok()?)),
        (126 | 127, _) => None,
        (short, _) => Some(short.into()),
    }
}

/// Pieces of a fixed size.
pub(super) struct Fixed {
    size: usize,
    have: usize,
}

impl Fixed {
    /// Of so many bytes.
    pub(super) fn new(size: usize) -> Self {
        Self { size: size.max(1), have: 0 }
    }

    fn feed(&mut self, bytes: &[u8], tell: &mut dyn FnMut(Seen<'_>)) {
        self.have += bytes.len();
        while self.have >= self.size {
            self.have -= self.size;
            let size = self.size as u64;
            tell(Seen::Message { first: 0, payload: size, wire: size });
        }
    }
}

/// A client's frame around the `parts`, 125 bytes together at most.
pub(super) fn masked(opcode: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    assert!(length <= CONTROL_BYTES_MAX, "clients say little here");
    let mut out = vec![FIN | opcode, MASKED | length as u8];
    out.extend(MASK);
    let inside = parts.iter().copied().flatten();
    out.extend(inside.zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_found_wherever_the_stream_is_cut() {
        let mut bytes = vec![FIN | BINARY, 3, 7, 8, 9, FIN | PING, 2, b'h', b'i'];
        bytes.extend([FIN | BINARY, 126, 1, 44]);
        bytes.extend([5; 300]);
        bytes.extend([FIN | BINARY, 0]);
        for step in [1, 2, 3, 7, 1000] {
            let mut frames = Frames::default();
            let mut told = Vec::new();
            for piece in bytes.chunks(step) {
                frames.feed(piece, &mut |seen| {
                    told.push(match seen {
                        Seen::Message { first, payload, wire } => (first, payload, wire),
                        Seen::Ping(text) => (b'p', text.len() as u64, 0),
                        Seen::Close => (b'c', 0, 0),
                    });
                });
            }
            assert_eq!(told, [(7, 3, 5), (b'p', 2, 0), (5, 300, 304), (0, 0, 2)], "{step}");
        }
    }

    #[test]
    fn fixed_pieces_are_counted_across_reads() {
        let mut frames = Frames::Fixed(Fixed::new(10));
        let mut count = 0;
        for size in [4, 4, 4, 25, 3] {
            frames.feed(&vec![0; size], &mut |_| count += 1);
        }
        assert_eq!(count, 4);
    }

    #[test]
    fn what_a_client_says_is_masked() {
        let frame = masked(BINARY, &[&[1, 2], &[3, 4, 5]]);
        assert_eq!(frame[..6], [0x82, 0x85, 0x5a, 0xc3, 0x17, 0x88]);
        let inside: Vec<u8> =
            frame[6..].iter().zip(MASK.iter().cycle()).map(|(b, m)| b ^ m).collect();
        assert_eq!(inside, [1, 2, 3, 4, 5]);
    }
}
