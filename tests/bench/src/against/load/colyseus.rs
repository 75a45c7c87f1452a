//! Colyseus' protocol, as far as it takes to play (`@colyseus/sdk` 0.18, `Client.ts` and `Room.ts`): a seat by HTTP,
//! a WebSocket that names it, and an answer to the room's first message.

use super::stream::{self, Joined};
use anyhow::{Context, Result};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// First byte of the room's first message, and all of the answer to it.
pub(super) const JOIN_ROOM: u8 = 10;
/// What stands before an input: message of bytes (`ROOM_DATA_BYTES`), type 0.
pub(super) const INPUT: [u8; 2] = [17, 0];
/// The room that `tests/bench/others/colyseus.mjs` has.
const ROOM: &str = "arena";

/// Takes a seat and goes in.
pub(super) fn join(address: SocketAddr) -> Result<Joined> {
    let mut stream = TcpStream::connect(address)?;
    let body = "{}";
    let request = format!(
        "POST /matchmake/joinOrCreate/{ROOM} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    let (head, mut said) = stream::answer(&mut stream)?;
    stream.read_to_end(&mut said)?;
    // In one piece or in chunks: the object is what stands between the braces.
    let said = String::from_utf8_lossy(&said);
    let seat = said.find('{').zip(said.rfind('}')).map(|(start, end)| &said[start..=end]);
    let seat: Value = seat
        .and_then(|seat| serde_json::from_str(seat).ok())
        .with_context(|| format!("no seat: {head}{said}"))?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    // Older versions had the room's names in an object of its own.
    let room = if seat["room"].is_object() { &seat["room"] } else { &seat };
    let (process, id) =
        text(&room["processId"]).zip(text(&room["roomId"])).with_context(|| said.to_string())?;
    let session = text(&seat["sessionId"]).with_context(|| said.to_string())?;
    stream::join(address, &format!("/{process}/{id}?sessionId={session}"))
}
