//! Whose request it is that a proxy passes on. Comes in: a request's headers and who is trusted. Goes out: the
//! client's address.
//!
//! Each proxy adds the address of whoever asked it at the end of a list. So the list is read from its end, as
//! long as what stands there is trusted itself; the first that is not is the client, and whatever stands before
//! it the client may have made up. That need not even be text, so the list is cut as bytes.

use crate::config::ProxyHeader;
use hyper::header::{self, HeaderMap, HeaderName};
use std::net::{IpAddr, SocketAddr};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Headers of which a proxy that forwards anything at all writes at least one.
const SIGNS: [HeaderName; 6] = [
    X_FORWARDED_FOR,
    header::FORWARDED,
    header::VIA,
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
];

/// What a proxy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    /// Nothing.
    Untold,
    /// That it is this one's request.
    At(IpAddr),
    /// Something that is no address.
    Unreadable,
}

/// Whether a proxy seems to have passed this request on.
pub(super) fn is_forwarded(headers: &HeaderMap) -> bool {
    SIGNS.iter().any(|sign| headers.contains_key(sign))
}

/// Whose request it is, as the `header` of a trusted proxy says.
pub(super) fn client(
    headers: &HeaderMap,
    header: ProxyHeader,
    trusts: impl Fn(IpAddr) -> bool,
) -> Client {
    let name = match header {
        ProxyHeader::XForwardedFor => &X_FORWARDED_FOR,
        ProxyHeader::Forwarded => &header::FORWARDED,
    };
    let mut client = Client::Untold;
    let lines: Vec<_> = headers.get_all(name).iter().collect();
    for line in lines.into_iter().rev() {
        let mut rest = Some(line.as_bytes());
        while let Some(list) = rest {
            let (before, last) = split_last(list, b',');
            rest = before;
            // RFC 9110, 5.6.1.2: an empty element of a list is none.
            let last = last.trim_ascii();
            if last.is_empty() {
                continue;
            }
            let node = match header {
                ProxyHeader::XForwardedFor => last,
                ProxyHeader::Forwarded => match node(last) {
                    Node::Named(node) => node,
                    // What stands before it the client may have made up.
                    Node::Untold => return client,
                    Node::Unreadable => return Client::Unreadable,
                },
            };
            match address(node) {
                None => return Client::Unreadable,
                Some(address) if trusts(address) => client = Client::At(address),
                Some(address) => return Client::At(address),
            }
        }
    }
    client
}

/// What stands behind the last `separator` that is not in quotes, and what stands before it.
fn split_last(list: &[u8], separator: u8) -> (Option<&[u8]>, &[u8]) {
    let mut quoted = false;
    for (at, &byte) in list.iter().enumerate().rev() {
        quoted ^= byte == b'"';
        if byte == separator && !quoted {
            return (Some(&list[..at]), &list[at + 1..]);
        }
    }
    (None, list)
}

/// Whom an element of RFC 7239 names.
enum Node<'a> {
    /// The value of its `for`.
    Named(&'a [u8]),
    /// Nobody: a proxy need not say.
    Untold,
    Unreadable,
}

fn node(element: &[u8]) -> Node<'_> {
    let mut rest = Some(element);
    while let Some(pairs) = rest {
        let (before, pair) = split_last(pairs, b';');
        rest = before;
        let Some(equals) = pair.iter().position(|&byte| byte == b'=') else {
            match pair.trim_ascii() {
                b"" => continue,
                _ => return Node::Unreadable,
            }
        };
        let (name, value) = pair.split_at(equals);
        if name.trim_ascii().eq_ignore_ascii_case(b"for") {
            let value = value[1..].trim_ascii();
            let inner = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
            return Node::Named(inner.unwrap_or(value));
        }
    }
    Node::Untold
}

/// An address, perhaps with a port, perhaps in brackets.
fn address(node: &[u8]) -> Option<IpAddr> {
    let node = std::str::from_utf8(node).ok()?;
    let bracketed = node.strip_prefix('[').and_then(|node| node.strip_suffix(']'));
    let address = bracketed.unwrap_or(node).parse::<IpAddr>();
    let address = address.or_else(|_| node.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    /// What a proxy says with these lines, whose letters are one byte each.
    fn told(header: ProxyHeader, lines: &[&str]) -> Client {
        let name = match header {
            ProxyHeader::XForwardedFor => X_FORWARDED_FOR,
            ProxyHeader::Forwarded => header::FORWARDED,
        };
        let mut headers = HeaderMap::new();
        for line in lines {
            let bytes: Vec<_> = line.chars().map(|letter| letter as u8).collect();
            headers.append(&name, HeaderValue::from_bytes(&bytes).unwrap());
        }
        client(&headers, header, |address| address.to_string().starts_with("10."))
    }

    fn at(address: &str) -> Client {
        Client::At(address.parse().unwrap())
    }

    #[test]
    fn the_last_that_is_not_trusted_is_the_client() {
        for (lines, meant) in [
            (&[][..], Client::Untold),
            (&["203.0.113.7"], at("203.0.113.7")),
            (&["203.0.113.7:4711"], at("203.0.113.7")),
            (&["::ffff:203.0.113.7"], at("203.0.113.7")),
            (&["2001:db8::1"], at("2001:db8::1")),
            (&["[2001:db8::1]:80"], at("2001:db8::1")),
            (&["1.1.1.1, 203.0.113.7"], at("203.0.113.7")),
            (&["1.1.1.1, 203.0.113.7, 10.0.0.1"], at("203.0.113.7")),
            (&["1.1.1.1", "203.0.113.7", "10.0.0.1,10.0.0.2"], at("203.0.113.7")),
            (&["evil, 203.0.113.7"], at("203.0.113.7")),
            (&["\", 203.0.113.7"], at("203.0.113.7")),
            // Nor does what is no text.
            (&["ÿ, 203.0.113.7"], at("203.0.113.7")),
            (&["ÿ", "203.0.113.7, 10.0.0.1"], at("203.0.113.7")),
            (&["203.0.113.7, ÿ"], Client::Unreadable),
            (&["10.0.0.3, 10.0.0.1"], at("10.0.0.3")),
            (&["203.0.113.7, unknown"], Client::Unreadable),
            (&["unknown, 10.0.0.1"], Client::Unreadable),
            (&["203.0.113.7, unix:"], Client::Unreadable),
            (&[""], Client::Untold),
            (&["203.0.113.7, ,"], at("203.0.113.7")),
        ] {
            assert_eq!(told(ProxyHeader::XForwardedFor, lines), meant, "{lines:?}");
        }
    }

    #[test]
    fn rfc_7239_is_read_from_its_end_too() {
        for (lines, meant) in [
            (&["for=203.0.113.7"][..], at("203.0.113.7")),
            (&["For=\"[2001:db8::1]:4711\""], at("2001:db8::1")),
            (&["proto=https;for=203.0.113.7;by=10.0.0.1"], at("203.0.113.7")),
            (&["for=1.1.1.1, for=203.0.113.7, for=10.0.0.1"], at("203.0.113.7")),
            (&["for=1.1.1.1;host=\"a,b;c\", for=203.0.113.7"], at("203.0.113.7")),
            // A quote that a client left open does not swallow what its proxy added.
            (&["for=\", for=203.0.113.7"], at("203.0.113.7")),
            (&["for=203.0.113.7;host=\"a,b\""], at("203.0.113.7")),
            (&["for=ÿ, for=203.0.113.7"], at("203.0.113.7")),
            (&["for=203.0.113.7;host=ÿ"], at("203.0.113.7")),
            (&["for=ÿ"], Client::Unreadable),
            (&["for=_hidden"], Client::Unreadable),
            (&["for=203.0.113.7;", ","], at("203.0.113.7")),
            // Nobody can say who it is by leaving it to a proxy that does not.
            (&["by=10.0.0.1"], Client::Untold),
            (&["for=203.0.113.7, by=10.0.0.1;proto=https"], Client::Untold),
            (&["for=203.0.113.7, by=10.0.0.1, for=10.0.0.2"], at("10.0.0.2")),
            (&["203.0.113.7"], Client::Unreadable),
        ] {
            assert_eq!(told(ProxyHeader::Forwarded, lines), meant, "{lines:?}");
        }
    }

    #[test]
    fn any_sign_of_a_proxy_is_seen() {
        assert!(!is_forwarded(&HeaderMap::new()));
        for name in SIGNS {
            assert!(is_forwarded(&HeaderMap::from_iter([(name, "x".parse().unwrap())])));
        }
    }
}
