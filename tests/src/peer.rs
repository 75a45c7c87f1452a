//! A peer that sends whatever it is given, and what is sent as bytes. Comes in: bytes. Goes out: frames and heads as they
//! came.

use crate::buoys::Buoys;
use crate::harness::PATIENCE;
use shared::wire::Protocol;
use shared::wire::message::{self, ClientMessage, Hello};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A proper hello.
pub fn hello(name: &str) -> Vec<u8> {
    let protocol = Protocol::of::<Buoys>().hash;
    message::encode_control(&ClientMessage::Hello(Hello::new(protocol, name)))
}

/// A masked frame: the first byte as given, a length in as few bytes as it needs, the payload.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = vec![first];
    match payload.len() {
        len @ 0..126 => bytes.push(0x80 | len as u8),
        len @ 126..0x1_0000 => {
            bytes.push(0x80 | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
        len => {
            bytes.push(0x80 | 127);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// A whole binary message.
pub fn binary(payload: &[u8]) -> Vec<u8> {
    frame(0x82, payload)
}

/// A close frame with this code.
pub fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(0x88, &[&code.to_be_bytes(), reason].concat())
}

/// A TCP connection that sends whatever it is told to, and reads what comes.
pub struct Peer {
    /// The socket itself.
    pub stream: TcpStream,
    received: Vec<u8>,
}

impl Peer {
    /// One over a connection that is there.
    pub fn of(stream: TcpStream) -> Self {
        Self { stream, received: Vec::new() }
    }

    /// Sends bytes. A server that has had enough may be gone by then; that is for the answer to say.
    pub async fn send(&mut self, bytes: &[u8]) {
        let sent = timeout(PATIENCE, self.stream.write_all(bytes)).await;
        drop(sent.expect("the server reads or closes"));
    }

    /// The status of an HTTP answer, its head read; `None` when the connection ends without one.
    pub async fn status(&mut self) -> Option<u16> {
        let head = self.head().await?;
        head.split(' ').nth(1)?.parse().ok()
    }

    /// The head of an HTTP answer, up to the empty line.
    pub async fn head(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.received.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = self.received.drain(..end + 4).collect();
                return Some(String::from_utf8(head).expect("our heads are ASCII"));
            }
            self.more().await?;
        }
    }

    /// The next frame from the server: opcode and payload; `None` when the connection ends.
    pub async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Some((opcode, start, end)) = self.framed() {
                let payload = self.received[start..end].to_vec();
                self.received.drain(..end);
                return Some((opcode, payload));
            }
            self.more().await?;
        }
    }

    /// Code and reason of the close frame that ends the connection, which is answered; `None` when there
    /// is none. Frames before it are passed over.
    pub async fn closing(&mut self) -> Option<(u16, String)> {
        loop {
            let (opcode, payload) = self.frame().await?;
            if opcode == 8 {
                let (code, reason) = payload.split_at_checked(2).unwrap_or((&[0, 0], &[]));
                let code = u16::from_be_bytes([code[0], code[1]]);
                self.send(&frame(0x88, &payload)).await;
                return Some((code, String::from_utf8(reason.to_vec()).expect("UTF-8")));
            }
        }
    }

    /// Reads until the server has closed its half.
    pub async fn end(&mut self) {
        while self.more().await.is_some() {}
    }

    /// Everything that comes until the server has closed its half.
    pub async fn rest(&mut self) -> Vec<u8> {
        self.end().await;
        std::mem::take(&mut self.received)
    }

    /// Text that came, some of it at least; `None` when the connection ends.
    pub async fn text(&mut self) -> Option<String> {
        if self.received.is_empty() {
            self.more().await?;
        }
        Some(String::from_utf8(std::mem::take(&mut self.received)).expect("whole letters"))
    }

    fn framed(&self) -> Option<(u8, usize, usize)> {
        let (&first, &second) = (self.received.first()?, self.received.get(1)?);
        assert_eq!(second & 0x80, 0, "servers do not mask");
        let (start, len) = match second {
            126 => {
                let len = self.received.get(2..4)?;
                (4, usize::from(u16::from_be_bytes(len.try_into().expect("two bytes"))))
            }
            127 => {
                let len = self.received.get(2..10)?;
                (10, u64::from_be_bytes(len.try_into().expect("eight bytes")) as usize)
            }
            short => (2, usize::from(short)),
        };
        (self.received.len() >= start + len).then_some((first & 0x0f, start, start + len))
    }

    async fn more(&mut self) -> Option<()> {
        let mut some = [0; 4096];
        let read =
            timeout(PATIENCE, self.stream.read(&mut some)).await.expect("the server answers");
        let read = read.ok().filter(|&read| read > 0)?;
        self.received.extend_from_slice(&some[..read]);
        Some(())
    }
}
