//! The header of the PROXY protocol, versions 1 and 2, at the start of a connection from a trusted proxy.
//! Comes in: a stream. Goes out: who connects, and the stream behind the header, to the byte.

use ppp::{HeaderResult, v1, v2};
use std::io;
use std::net::IpAddr;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Bytes with which version 2 begins.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Bytes of a header of version 2 before what it says the length of.
const FIXED_BYTES: usize = 16;
/// Bytes of the longest header of version 1, line end included; a longer one is refused.
const LINE_BYTES_MAX: usize = 107;
/// Bytes of the longest header of version 2 that is read, with what a proxy may add for itself; a longer one is
/// refused.
const HEADER_BYTES_MAX: usize = 4096;

/// Reads the header, and no byte more. `None` when the proxy speaks for itself, as when it looks whether we
/// are well. What is no such header is [`io::ErrorKind::InvalidData`].
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<IpAddr>> {
    let mut header = vec![0; SIGNATURE.len()];
    // The shortest header of version 1 is longer than the signature of version 2.
    stream.read_exact(&mut header).await?;
    if header == SIGNATURE {
        header.resize(FIXED_BYTES, 0);
        stream.read_exact(&mut header[SIGNATURE.len()..]).await?;
        let rest = usize::from(u16::from_be_bytes([header[14], header[15]]));
        if FIXED_BYTES + rest > HEADER_BYTES_MAX {
            return Err(invalid("a header of the PROXY protocol that is too long"));
        }
        header.resize(FIXED_BYTES + rest, 0);
        stream.read_exact(&mut header[FIXED_BYTES..]).await?;
    } else {
        if !header.starts_with(b"PROXY ") {
            return Err(invalid("no header of the PROXY protocol"));
        }
        while !header.ends_with(b"\r\n") {
            if header.len() == LINE_BYTES_MAX {
                return Err(invalid("a header of the PROXY protocol without an end"));
            }
            header.push(stream.read_u8().await?);
        }
    }
    match HeaderResult::parse(&header) {
        HeaderResult::V1(Ok(header)) => Ok(match header.addresses {
            v1::Addresses::Tcp4(addresses) => Some(addresses.source_address.into()),
            v1::Addresses::Tcp6(addresses) => Some(addresses.source_address.into()),
            v1::Addresses::Unknown => None,
        }),
        HeaderResult::V2(Ok(header)) => Ok(match (header.command, header.addresses) {
            (v2::Command::Proxy, v2::Addresses::IPv4(addresses)) => {
                Some(addresses.source_address.into())
            }
            (v2::Command::Proxy, v2::Addresses::IPv6(addresses)) => {
                Some(addresses.source_address.into())
            }
            _ => None,
        }),
        _ => Err(invalid("a broken header of the PROXY protocol")),
    }
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let length = (body.len() as u16).to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, body].concat()
    }

    async fn told(header: &[u8]) -> Result<Option<String>, io::ErrorKind> {
        let bytes = [header, b"GET /"].concat();
        let mut stream = &bytes[..];
        let told = read(&mut stream).await.map_err(|error| error.kind())?;
        assert_eq!(stream, b"GET /", "not a byte more was read");
        Ok(told.map(|address| address.to_string()))
    }

    #[tokio::test]
    async fn both_versions_say_who_connects() {
        let v4 = [203, 0, 113, 7, 10, 0, 0, 1, 0x12, 0x67, 0, 80];
        let v6 = [&[0x20, 1, 0x0d, 0xb8][..], &[0; 11], &[1], &[0; 16], &[0, 1, 0, 80]].concat();
        let with_more = [&v4[..], &[4, 0, 3, 1, 2, 3]].concat();
        for (header, meant) in [
            (b"PROXY TCP4 203.0.113.7 10.0.0.1 4711 80\r\n".to_vec(), Some("203.0.113.7")),
            (b"PROXY TCP6 2001:db8::1 ::1 4711 80\r\n".to_vec(), Some("2001:db8::1")),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (v2(0x21, 0x11, &v4), Some("203.0.113.7")),
            (v2(0x21, 0x21, &v6), Some("2001:db8::1")),
            (v2(0x21, 0x11, &with_more), Some("203.0.113.7")),
            (v2(0x20, 0x00, &[]), None),
        ] {
            assert_eq!(told(&header).await, Ok(meant.map(str::to_owned)), "{header:?}");
        }
    }

    #[tokio::test]
    async fn anything_else_is_refused() {
        let endless = [b"PROXY TCP4 ".to_vec(), vec![b'1'; 200]].concat();
        for header in [
            &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
            b"PROXY TCP4 203.0.113.7\r\n",
            b"PROXY TCP4 evil 10.0.0.1 1 2\r\n",
            &endless,
            &v2(0x31, 0x11, &[0; 12]),
            &v2(0x21, 0x11, &[0; 3]),
            &v2(0x21, 0x11, &[0; 5000]),
        ] {
            assert_eq!(told(header).await, Err(io::ErrorKind::InvalidData), "{header:?}");
        }
        assert_eq!(told(b"PR").await, Err(io::ErrorKind::UnexpectedEof));
    }
}
