//! Where to play. Comes in: an address as people write or copy it. Goes out: host, port and path of a
//! WebSocket, or a sentence on what is wrong with it.

use std::fmt;
use std::str::FromStr;
use tokio_tungstenite::tungstenite::http::Uri;

/// The path at which a server opens WebSockets; an address without a path means this one.
pub const PLAY_PATH: &str = "/play";
/// The port of an address with a scheme but without a port, as everywhere on the web.
const WEB_PORT: u16 = 80;
/// The same with TLS.
const TLS_PORT: u16 = 443;
/// The port of a bare host: the one that a server takes unless told otherwise.
const SERVER_PORT: u16 = 8080;

/// The address of a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Whether over TLS.
    pub tls: bool,
    /// Name or number of the machine; an IPv6 number stands in brackets.
    pub host: String,
    /// TCP port, never 0.
    pub port: u16,
    /// Path and query, starting with a slash.
    pub path: String,
}

impl FromStr for Address {
    type Err = String;

    /// Reads `ws://host:port/path`, the page's `http://host:port/`, either with TLS, `host:port` or just `host`.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let (tls, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "ws" | "http" => (false, WEB_PORT),
            "wss" | "https" => (true, TLS_PORT),
            "" if !text.contains("://") => (false, SERVER_PORT),
            other => {
                return Err(format!(
                    "ws://, wss://, http:// or https:// is expected, not {other}://"
                ));
            }
        };
        let uri: Uri = format!("ws://{rest}").parse().map_err(|_| Self::shape())?;
        let authority = uri.authority().ok_or_else(Self::shape)?;
        let (host, rest) = authority.as_str().split_at(authority.host().len());
        if host != authority.host() || host.is_empty() {
            return Err(Self::shape());
        }
        let port = match rest.strip_prefix(':') {
            None => default_port,
            Some(digits) => match digits.parse() {
                Ok(port) if port > 0 => port,
                _ => return Err(format!("a port is a number from 1 to 65535, not {digits:?}")),
            },
        };
        let path = match uri.path_and_query().map(|path| path.as_str()) {
            None | Some("/") => PLAY_PATH,
            Some(path) => path,
        };
        Ok(Self { tls, host: host.to_owned(), port, path: path.to_owned() })
    }
}

impl Address {
    fn shape() -> String {
        "an address looks like ws://127.0.0.1:8080/play or 192.168.1.20:8080".into()
    }

    /// Another path of the same server, below the same base: "/metrics" of `ws://host/arena/play` is "/arena/metrics".
    pub(crate) fn beside(&self, path: &str) -> Self {
        let own = self.path.split('?').next().unwrap_or_default();
        let base = own.strip_suffix(PLAY_PATH).unwrap_or_default();
        Self { path: format!("{base}{path}"), ..self.clone() }
    }

    /// The host as the resolver wants it: without the brackets of an IPv6 number.
    pub(crate) fn bare_host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tls, host, port, path } = self;
        write!(f, "{}://{host}:{port}{path}", if *tls { "wss" } else { "ws" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_beside_has_the_same_base() {
        for (play, metrics) in [
            ("localhost", "ws://localhost:8080/metrics"),
            ("https://game.example/arena/play?x=1", "wss://game.example:443/arena/metrics"),
        ] {
            let address: Address = play.parse().unwrap();
            assert_eq!(address.beside("/metrics").to_string(), metrics);
        }
    }

    #[test]
    fn every_usual_way_to_write_it_is_understood() {
        for (written, meant) in [
            ("ws://127.0.0.1:8080/play", "ws://127.0.0.1:8080/play"),
            ("ws://127.0.0.1:8080", "ws://127.0.0.1:8080/play"),
            ("http://192.168.1.20:8080/", "ws://192.168.1.20:8080/play"),
            ("HTTP://Game.Example", "ws://Game.Example:80/play"),
            ("https://Game.Example", "wss://Game.Example:443/play"),
            ("wss://game.example:8443/arena/play", "wss://game.example:8443/arena/play"),
            ("localhost:9000", "ws://localhost:9000/play"),
            ("localhost", "ws://localhost:8080/play"),
            ("  localhost:9000/other?x=1 ", "ws://localhost:9000/other?x=1"),
            ("[::1]:8080", "ws://[::1]:8080/play"),
            ("ws://[::1]/play", "ws://[::1]:80/play"),
        ] {
            let address: Address = written.parse().unwrap_or_else(|e| panic!("{written}: {e}"));
            assert_eq!(address.to_string(), meant, "{written}");
        }
        assert_eq!("[::1]:8080".parse::<Address>().unwrap().bare_host(), "::1");
    }

    #[test]
    fn what_is_no_address_gets_a_sentence() {
        for (written, part) in [
            ("", "looks like"),
            ("ws://", "looks like"),
            ("://host", "not ://"),
            ("ftp://host", "not ftp://"),
            ("host:0", "1 to 65535"),
            ("host:99999", "1 to 65535"),
            ("host:", "1 to 65535"),
            ("host:eighty", "1 to 65535"),
            ("user@host:80", "looks like"),
            ("two words", "looks like"),
            ("::1", "looks like"),
        ] {
            let said = written.parse::<Address>().expect_err(written);
            assert!(said.contains(part), "{written}: {said}");
        }
    }
}
