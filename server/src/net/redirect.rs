//! The listener that sends browsers to TLS. Comes in: a request without it. Goes out: where to ask again.

use super::answers::TurnedDown;
use super::http1::screen;
use super::refusal::Reason;
use super::upgrade::is_plain_host;
use crate::config::ReachConfig;
use axum::body::Body;
use axum::response::IntoResponse;
use hyper::header::{self, HeaderValue};
use hyper::{Request, Response, StatusCode};

/// The port that a browser means by https.
const HTTPS_PORT: u16 = 443;

/// Sends whoever asks to the same address with TLS, at `port` unless the settings say what people type.
pub(super) fn answer<B>(request: &Request<B>, port: u16, reach: &ReachConfig) -> Response<Body> {
    if let Err(turned_down) = screen(request) {
        return turned_down.into_words();
    }
    if request.uri().path() == "/healthz" {
        return "ok\n".into_response();
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let origin = match (&reach.public_url, host.filter(|host| is_plain_host(host))) {
        (Some(url), _) => url.as_str().to_owned(),
        (None, Some(host)) => origin(host, port),
        (None, None) => {
            return bad_request("A request names one host.");
        }
    };
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let Ok(location) = HeaderValue::try_from(format!("{origin}{path}")) else {
        return bad_request("That address is none.");
    };
    let sentence = "This server speaks TLS: ask again with https.\n";
    (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, location)], sentence).into_response()
}

fn bad_request(sentence: &'static str) -> Response<Body> {
    TurnedDown::new(StatusCode::BAD_REQUEST, Reason::BadRequest, sentence).into_words()
}

/// `host` without the port that it may have, over TLS at `port`.
fn origin(host: &str, port: u16) -> String {
    let end = host.rfind(']').unwrap_or(0);
    let name = host[end..].find(':').map_or(host, |colon| &host[..end + colon]);
    if port == HTTPS_PORT { format!("https://{name}") } else { format!("https://{name}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(path: &str, host: &str, port: u16, reach: &ReachConfig) -> (u16, String) {
        let request = Request::builder().uri(path).header("Host", host).body(()).unwrap();
        let answer = answer(&request, port, reach);
        let location = answer.headers().get(header::LOCATION);
        let location = location.map_or("", |location| location.to_str().unwrap()).to_owned();
        (answer.status().as_u16(), location)
    }

    #[test]
    fn the_same_address_with_tls() {
        let reach = ReachConfig::default();
        for (host, port, meant) in [
            ("game.example", 443, "https://game.example/s/1?a=b"),
            ("game.example:80", 443, "https://game.example/s/1?a=b"),
            ("game.example:8080", 8443, "https://game.example:8443/s/1?a=b"),
            ("[::1]:80", 443, "https://[::1]/s/1?a=b"),
            ("[::1]", 8443, "https://[::1]:8443/s/1?a=b"),
        ] {
            assert_eq!(ask("/s/1?a=b", host, port, &reach), (308, meant.into()), "{host}");
        }
        let known = ReachConfig { public_url: "https://known.example".parse().ok(), ..reach };
        assert_eq!(ask("/", "10.0.0.1", 8443, &known), (308, "https://known.example/".into()));
    }

    #[test]
    fn nothing_else_is_answered() {
        let reach = ReachConfig::default();
        assert_eq!(ask("/healthz", "a", 443, &reach), (200, String::new()));
        for host in ["evil.test/..", "a@b", ""] {
            assert_eq!(ask("/", host, 443, &reach), (400, String::new()), "{host}");
        }
    }
}
