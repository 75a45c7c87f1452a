//! The plain case of RFC 6455, section 5.2: a whole binary message in a frame of its own. Nearly all that players send is
//! that, thousands of times in every tick, so it is read where it lies. Everything else goes to tungstenite, byte by byte.

use shared::wire::message::CLIENT_MESSAGE_BYTES_MAX;

/// A whole binary message: FIN, and opcode 2.
const BINARY: u8 = 0x82;
/// The bit that says that more frames of the message follow, or rather that none does.
const FIN: u8 = 0x80;
/// Bits of the first byte that no extension of ours uses.
const RESERVED: u8 = 0x70;
/// The bit of the opcode that control frames have.
const CONTROL: u8 = 0x08;
/// The bit of the second byte that says that there is a mask.
const MASKED: u8 = 0x80;
/// The longest length that fits into the second byte.
const SHORT_MAX: usize = 125;
/// Says that the length follows in two bytes.
const LENGTH_16: u8 = 126;
/// Says that it follows in eight.
const LENGTH_64: u8 = 127;
/// Bytes of a mask.
pub(super) const MASK_BYTES: usize = 4;

/// What bytes begin with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// A message: bytes before the mask, bytes behind it.
    Message { head: usize, payload: usize },
    /// A whole ping, pong or goodbye of so many bytes.
    Control(usize),
    /// The beginning of one of these.
    Part,
    /// Anything else.
    Other,
}

/// What `bytes`, which begin at a frame, begin with.
pub(super) fn front(bytes: &[u8]) -> Beginning {
    let &[first, second, ref rest @ ..] = bytes else { return Beginning::Part };
    let masked = second & MASKED != 0;
    let control = first & (FIN | RESERVED | CONTROL) == FIN | CONTROL;
    let (head, payload) = match second & !MASKED {
        LENGTH_64 => return Beginning::Other,
        LENGTH_16 => match rest {
            [high, low, ..] => (4, usize::from(u16::from_be_bytes([*high, *low]))),
            _ if masked && first == BINARY => return Beginning::Part,
            _ => return Beginning::Other,
        },
        short => (2, usize::from(short)),
    };
    // A length that would have fitted into a shorter form is no plain case.
    let sized = if head == 2 { payload <= SHORT_MAX } else { payload > SHORT_MAX };
    let whole = bytes.len() >= head + MASK_BYTES + payload;
    match () {
        () if !masked || !sized => Beginning::Other,
        () if first == BINARY && payload <= CLIENT_MESSAGE_BYTES_MAX && whole => {
            Beginning::Message { head, payload }
        }
        () if first == BINARY && payload <= CLIENT_MESSAGE_BYTES_MAX => Beginning::Part,
        () if control && head == 2 && whole => Beginning::Control(head + MASK_BYTES + payload),
        () if control && head == 2 => Beginning::Part,
        () => Beginning::Other,
    }
}

/// Takes the mask off a message: `masked` has the mask in front of the payload, which comes out.
pub(super) fn unmask(masked: &mut [u8]) -> &mut [u8] {
    let (mask, payload) = masked.split_at_mut(MASK_BYTES);
    payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
    payload
}

/// Adds a message to `frame` as a server sends it.
pub(super) fn write(message: &[u8], frame: &mut Vec<u8>) {
    frame.push(BINARY);
    match (message.len(), u16::try_from(message.len())) {
        (short @ ..=SHORT_MAX, _) => frame.push(short as u8),
        (_, Ok(length)) => {
            frame.push(LENGTH_16);
            frame.extend_from_slice(&length.to_be_bytes());
        }
        (long, Err(_)) => {
            frame.push(LENGTH_64);
            frame.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(message);
}

/// A ping with nothing in it, as a server sends it.
pub(super) const PING: [u8; 2] = [0x89, 0];

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        write(payload, &mut frame);
        let head = frame.len() - payload.len();
        frame[0] = first;
        frame[1] |= MASKED;
        let mask = [7, 77, 177, 217];
        frame[head..].iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        frame.splice(head..head, mask);
        frame
    }

    #[test]
    fn a_plain_message_is_found_when_it_is_whole() {
        for length in [0, 1, 125, 126, 127, CLIENT_MESSAGE_BYTES_MAX] {
            let payload: Vec<u8> = (0..length).map(|n| n as u8).collect();
            let mut frame = masked(BINARY, &payload);
            for cut in 0..frame.len() {
                assert_eq!(front(&frame[..cut]), Beginning::Part, "{cut} of {length}");
            }
            frame.push(0x82);
            let Beginning::Message { head, payload: found } = front(&frame) else {
                panic!("{length}")
            };
            assert_eq!(found, length);
            assert_eq!(unmask(&mut frame[head..head + MASK_BYTES + found]), payload);
        }
    }

    #[test]
    fn control_frames_are_told_apart_from_what_is_not_plain() {
        for opcode in [0x88, 0x89, 0x8a] {
            let frame = masked(opcode, b"why");
            assert_eq!(front(&frame), Beginning::Control(frame.len()));
            assert_eq!(front(&frame[..frame.len() - 1]), Beginning::Part);
        }
        let long = vec![0; 126];
        for (what, frame) in [
            ("text", masked(0x81, b"a")),
            ("the first of several", masked(0x02, b"a")),
            ("one more of several", masked(0x80, b"a")),
            ("compressed", masked(0xc2, b"a")),
            ("a control frame in parts", masked(0x09, b"a")),
            ("a long control frame", masked(0x89, &long)),
            ("no mask", vec![0x82, 1, b'a']),
            ("too long", masked(BINARY, &vec![0; CLIENT_MESSAGE_BYTES_MAX + 1])),
            ("far too long", vec![0x82, 0xff, 0, 0, 0, 0, 0, 0, 0, 1]),
            ("a length that is longer than it need be", vec![0x82, 0xfe, 0, 5, 0, 0, 0, 0]),
        ] {
            assert_eq!(front(&frame), Beginning::Other, "{what}");
        }
    }

    #[test]
    fn tungstenite_reads_what_is_written() {
        for length in [0, 125, 126, 65_535, 65_536] {
            let message = vec![9; length];
            let mut frame = Vec::new();
            write(&message, &mut frame);
            let stream = std::io::Cursor::new(frame);
            let mut socket = WebSocket::from_raw_socket(stream, Role::Client, None);
            assert_eq!(socket.read().unwrap(), Message::Binary(message.into()));
        }
    }
}
