//! The opening handshake of RFC 6455, section 4.2. Comes in: a request for a WebSocket. Goes out: the
//! answer that accepts it, or the refusal with its status. hyper checks that a request is HTTP; that
//! it is a proper handshake is checked here. One from a page of another version is accepted as well: a browser
//! tells a page nothing of a handshake that fails, and only the goodbye of a WebSocket can tell it to load anew.

use super::answers::TurnedDown;
use super::refusal::Reason;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, StatusCode, Version};
use shared::wire::protocol::{SUBPROTOCOL, SUBPROTOCOL_FAMILY};
use std::str::FromStr;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// The version of the WebSocket protocol that there is.
const VERSION: &str = "13";
/// Letters of a handshake's key: sixteen bytes in base64.
const KEY_LETTERS: usize = 24;

/// An origin whose pages may open WebSockets: scheme, host and port, as browsers send it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedOrigin(String);

impl FromStr for AllowedOrigin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = split_origin(text).filter(|&(port, host)| is_plain_host(host) && host != port);
        let (port, _) =
            parts.ok_or("an origin is http:// or https://, a host, and perhaps a port")?;
        // Browsers leave the scheme's own port away.
        Ok(Self(text.strip_suffix(port).unwrap_or(text).to_ascii_lowercase()))
    }
}

/// Checks a handshake; answers the headers that accept it. That the request has one host and no body
/// has been checked for every request before.
pub(super) fn check<B>(
    request: &Request<B>,
    allowed: &[AllowedOrigin],
) -> Result<HeaderMap, TurnedDown> {
    let headers = request.headers();
    if request.version() != Version::HTTP_11 {
        return Err(bad_request("A WebSocket starts from HTTP/1.1."));
    }
    if !names(headers, header::UPGRADE, "websocket")
        || !names(headers, header::CONNECTION, "upgrade")
    {
        return Err(upgrade_required("This address is for WebSockets; open / in a browser."));
    }
    if only(headers, header::SEC_WEBSOCKET_VERSION) != Some(VERSION) {
        return Err(upgrade_required("The WebSocket version is 13."));
    }
    let key = only(headers, header::SEC_WEBSOCKET_KEY).filter(|key| is_key(key));
    let key = key.ok_or(bad_request("One Sec-WebSocket-Key of 24 letters is needed."))?;
    if !is_welcome(headers, allowed) {
        let sentence = "Pages from that origin may not play here; see --origin.";
        return Err(TurnedDown::new(StatusCode::FORBIDDEN, Reason::BadOrigin, sentence));
    }
    let spoken = match names(headers, header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL) {
        true => Some(SUBPROTOCOL),
        false => items(headers, header::SEC_WEBSOCKET_PROTOCOL).find(|item| is_related(item)),
    };
    let spoken = spoken.ok_or(bad_request(
        "The sub-protocol spoken here is gamekeeper's; see docs/protocol.md.",
    ))?;
    Ok(answer(key, spoken))
}

fn bad_request(sentence: &'static str) -> TurnedDown {
    TurnedDown::new(StatusCode::BAD_REQUEST, Reason::BadUpgrade, sentence)
}

fn upgrade_required(sentence: &'static str) -> TurnedDown {
    TurnedDown::new(StatusCode::UPGRADE_REQUIRED, Reason::BadUpgrade, sentence)
        .hinting(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION))
}

/// Whether a handshake that was answered so is one of a client of another version.
pub(super) fn is_outdated(answer: &HeaderMap) -> bool {
    answer.get(header::SEC_WEBSOCKET_PROTOCOL).is_none_or(|spoken| spoken != SUBPROTOCOL)
}

/// Whether a sub-protocol is another version's of ours.
fn is_related(item: &str) -> bool {
    let number = item.strip_prefix(SUBPROTOCOL_FAMILY).unwrap_or_default();
    !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
}

fn answer(key: &str, spoken: &str) -> HeaderMap {
    let accept = derive_accept_key(key.as_bytes());
    let accept = HeaderValue::from_str(&accept).expect("base64 fits into a header");
    let spoken = HeaderValue::from_str(spoken).expect("it came in a header");
    HeaderMap::from_iter([
        (header::CONNECTION, HeaderValue::from_static("upgrade")),
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (header::SEC_WEBSOCKET_ACCEPT, accept),
        (header::SEC_WEBSOCKET_PROTOCOL, spoken),
    ])
}

/// Whether the list in the headers called `name` has `wanted` in it.
fn names(headers: &HeaderMap, name: HeaderName, wanted: &str) -> bool {
    items(headers, name).any(|item| item.eq_ignore_ascii_case(wanted))
}

/// The items of the list in the headers called `name`.
fn items(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let lists = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim)
}

/// The value of the one header called `name`.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).into_iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

fn is_key(key: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
    key.len() == KEY_LETTERS
        && key.strip_suffix("==").is_some_and(|letters| letters.bytes().all(letter))
}

/// Whether the page that asks may: browsers always say whose page it is, bots say nothing. It has to be a page from the
/// very host that was asked, or one of the list.
pub(crate) fn is_welcome(headers: &HeaderMap, allowed: &[AllowedOrigin]) -> bool {
    if !headers.contains_key(header::ORIGIN) {
        return true;
    }
    let Some(origin) = only(headers, header::ORIGIN) else { return false };
    if allowed.iter().any(|AllowedOrigin(one)| one.eq_ignore_ascii_case(origin)) {
        return true;
    }
    // A proxy in front may speak TLS for us, so both schemes are ours; the port tells them apart.
    let own = only(headers, header::HOST);
    match (split_origin(origin), own) {
        (Some((default_port, host)), Some(own)) => {
            let bare =
                |host: &str| host.strip_suffix(default_port).unwrap_or(host).to_ascii_lowercase();
            is_plain_host(host) && bare(host) == bare(own)
        }
        _ => false,
    }
}

/// An origin's scheme, as the ending that a host of it may leave away, and the rest.
fn split_origin(origin: &str) -> Option<(&'static str, &str)> {
    let (scheme, host) = origin.split_once("://")?;
    match scheme.to_ascii_lowercase().as_str() {
        "http" => Some((":80", host)),
        "https" => Some((":443", host)),
        _ => None,
    }
}

/// Whether `host` is a host and perhaps a port, without user, path or anything else.
pub(super) fn is_plain_host(host: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
    !host.is_empty() && host.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &[(&str, &str)] = &[
        ("Host", "good.test:8080"),
        ("Connection", "keep-alive, Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Protocol", "something.else, gamekeeper.7"),
    ];

    /// The status with the good headers but `changes`: a name with nothing takes its header out, one
    /// that starts with + adds a second.
    fn status(changes: &[(&str, &str)], allowed: &[AllowedOrigin]) -> u16 {
        let mut headers: Vec<_> = GOOD.to_vec();
        for &(name, value) in changes {
            match name.strip_prefix('+') {
                Some(name) => headers.push((name, value)),
                None => {
                    headers.retain(|h| h.0 != name);
                    headers.push((name, value));
                }
            }
        }
        let mut request = Request::builder().uri("/play");
        for (name, value) in headers.into_iter().filter(|h| !h.1.is_empty()) {
            request = request.header(name, value);
        }
        match check(&request.body(()).unwrap(), allowed) {
            Ok(_) => 101,
            Err(turned_down) => turned_down.status.as_u16(),
        }
    }

    #[test]
    fn the_answer_is_the_rfcs_own_example() {
        let request =
            GOOD.iter().fold(Request::builder(), |r, &(name, value)| r.header(name, value));
        let headers = check(&request.body(()).unwrap(), &[]).unwrap();
        assert_eq!(headers[header::SEC_WEBSOCKET_ACCEPT], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(headers[header::SEC_WEBSOCKET_PROTOCOL], SUBPROTOCOL);
    }

    #[test]
    fn what_is_no_handshake_is_refused() {
        for (changes, expected) in [
            (&[][..], 101),
            (&[("Upgrade", "")], 426),
            (&[("Upgrade", "h2c")], 426),
            (&[("Connection", "")], 426),
            (&[("Connection", "close")], 426),
            (&[("Sec-WebSocket-Version", "")], 426),
            (&[("Sec-WebSocket-Version", "8")], 426),
            (&[("Sec-WebSocket-Version", "99")], 426),
            (&[("Sec-WebSocket-Version", "13abc")], 426),
            (&[("+Sec-WebSocket-Version", "13")], 426),
            (&[("Sec-WebSocket-Key", "")], 400),
            (&[("Sec-WebSocket-Key", "c2hvcnQ=")], 400),
            (&[("Sec-WebSocket-Key", "*not*base64*at*all*but*24")], 400),
            (&[("Sec-WebSocket-Key", "!!!!!!!!!!!!!!!!!!!!!!==")], 400),
            (&[("+Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")], 400),
            (&[("Sec-WebSocket-Protocol", "")], 400),
            (&[("Sec-WebSocket-Protocol", "gamekeeper.")], 400),
            (&[("Sec-WebSocket-Protocol", "gamekeeper.7a")], 400),
            (&[("Sec-WebSocket-Protocol", "warden.6")], 400),
            (&[("Sec-WebSocket-Extensions", "permessage-deflate")], 101),
        ] {
            assert_eq!(status(changes, &[]), expected, "{changes:?}");
        }
    }

    #[test]
    fn other_versions_of_ours_are_told_so_by_the_goodbye() {
        for (offered, spoken) in [
            ("chat, gamekeeper.5", "gamekeeper.5"),
            ("gamekeeper.72", "gamekeeper.72"),
            ("gamekeeper.5, gamekeeper.7", SUBPROTOCOL),
        ] {
            let headers = GOOD.iter().filter(|header| header.0 != "Sec-WebSocket-Protocol");
            let request =
                headers.fold(Request::builder(), |r, &(name, value)| r.header(name, value));
            let request = request.header("Sec-WebSocket-Protocol", offered).body(()).unwrap();
            let answer = check(&request, &[]).unwrap();
            assert_eq!(answer[header::SEC_WEBSOCKET_PROTOCOL], spoken, "{offered}");
            assert_eq!(is_outdated(&answer), spoken != SUBPROTOCOL);
        }
    }

    #[test]
    fn without_a_list_only_our_own_pages_are_welcome() {
        for (origin, expected) in [
            ("http://good.test:8080", 101),
            ("https://good.test:8080", 101),
            ("HTTP://Good.Test:8080", 101),
            ("http://good.test", 403),
            ("http://good.test:8081", 403),
            ("http://good.test:8080.evil", 403),
            ("http://good.test.evil:8080", 403),
            ("http://evil@good.test:8080", 403),
            ("http://good.test:8080/", 403),
            ("ftp://good.test:8080", 403),
            ("file://", 403),
            ("null", 403),
            ("http://", 403),
        ] {
            assert_eq!(status(&[("Origin", origin)], &[]), expected, "{origin}");
        }
        let behind_a_proxy = [("Host", "good.test"), ("Origin", "https://good.test")];
        assert_eq!(status(&behind_a_proxy, &[]), 101);
        let two = [("Origin", "http://good.test:8080"), ("+Origin", "http://good.test:8080")];
        assert_eq!(status(&two, &[]), 403);
    }

    #[test]
    fn with_a_list_those_of_the_list_are_welcome_beside_our_own() {
        let allowed = [
            "https://a.example",
            "http://b.example:81",
            "https://C.example:443",
            "http://[::1]:80",
        ]
        .map(|origin| origin.parse().unwrap());
        for (origin, expected) in [
            ("https://a.example", 101),
            ("https://c.example", 101),
            ("http://[::1]", 101),
            ("http://c.example:443", 403),
            ("http://b.example:81", 101),
            ("http://a.example", 403),
            ("https://a.example:444", 403),
            ("http://good.test:8080", 101),
            ("http://good.test", 403),
            ("", 101),
        ] {
            assert_eq!(status(&[("Origin", origin)], &allowed), expected, "{origin}");
        }
    }
}
