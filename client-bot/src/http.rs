//! The little HTTP that a load test needs: the server's metrics, sessions and tickets. One request, one connection, one
//! answer. Comes in: a path and perhaps JSON. Goes out: a status and a text.

use crate::line::Target;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// For how long an answer may take; then it has failed.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// The largest answer that is taken, in bytes; past it the request has failed. Metrics are some 20 KB.
const ANSWER_BYTES_MAX: u64 = 4 << 20;

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// When to ask again, in seconds, if the server said so.
    pub(crate) retry_after: Option<u64>,
    /// The rest.
    pub(crate) body: String,
}

/// Asks for a path; with a body it is posted as JSON.
pub(crate) async fn ask(target: &Target, path: &str, body: Option<&str>) -> io::Result<Answer> {
    let answer = timeout(ANSWER_WAIT, ask_patiently(target, path, body)).await;
    answer.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn ask_patiently(target: &Target, path: &str, body: Option<&str>) -> io::Result<Answer> {
    let mut wire = target.wire().await.map_err(|error| io::Error::other(error.to_string()))?;
    let address = target.address();
    let head =
        format!("HTTP/1.1\r\nHost: {}:{}\r\nConnection: close\r\n", address.host, address.port);
    let request = match body {
        None => format!("GET {path} {head}\r\n"),
        Some(body) => format!(
            "POST {path} {head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    };
    wire.write_all(request.as_bytes()).await?;
    wire.flush().await?;
    let mut bytes = Vec::new();
    match wire.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes).await {
        Ok(_) => {}
        // Whoever ends TLS without a goodbye has still sent what came before.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
        Err(error) => return Err(error),
    }
    read(&bytes).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "that is no HTTP"))
}

fn read(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let (mut retry_after, mut chunked, mut length) = (None, false, None);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        match name.to_ascii_lowercase().as_str() {
            "retry-after" => retry_after = value.trim().parse().ok(),
            "transfer-encoding" => chunked = value.trim().eq_ignore_ascii_case("chunked"),
            "content-length" => length = Some(value.trim().parse::<usize>().ok()?),
            _ => {}
        }
    }
    let rest = &bytes[end + 4..];
    let body = match (chunked, length) {
        (true, _) => unchunk(rest)?,
        (false, Some(length)) => rest.get(..length)?.to_vec(),
        (false, None) => rest.to_vec(),
    };
    Some(Answer { status, retry_after, body: String::from_utf8(body).ok()? })
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = str::from_utf8(&rest[..end]).ok()?.split(';').next()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        rest = &rest[end + 2..];
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_whole_or_not_at_all() {
        let answer = |status, retry_after, body: &str| {
            Some(Answer { status, retry_after, body: body.to_owned() })
        };
        let plain = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
        assert_eq!(read(plain), answer(200, None, "hello"));
        assert_eq!(read(&plain[..plain.len() - 1]), None);
        let busy = b"HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nConnection: close\r\n\r\n{}";
        assert_eq!(read(busy), answer(429, Some(7), "{}"));
        let chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x\r\n!\r\n0\r\n\r\n";
        assert_eq!(read(chunks), answer(200, None, "hello!"));
        assert_eq!(read(&chunks[..chunks.len() - 8]), None);
        for nonsense in [&b""[..], b"SSH-2.0\r\n\r\n", b"HTTP/1.1 twohundred\r\n\r\n"] {
            assert_eq!(read(nonsense), None);
        }
    }
}
