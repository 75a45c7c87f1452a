//! The path below which everything is. Comes in: a request as it came. Goes out: the same as if everything were
//! at the top, so that nothing behind this has to know.

use crate::config::BasePath;
use crate::http::health::Ask;
use hyper::Uri;
use hyper::http::uri::PathAndQuery;

/// Takes the path of `base` off; false when `uri` is not below it. Whoever looks whether the server is well need not
/// know where its pages are: that answers at the top as well.
pub(super) fn take_off(uri: &mut Uri, base: &BasePath) -> bool {
    let base = base.as_str();
    if base.is_empty() || Ask::of(uri.path()).is_some() {
        return true;
    }
    let whole = uri.path_and_query().map_or("", PathAndQuery::as_str);
    let Some(rest) = whole.strip_prefix(base) else { return false };
    let below = match rest.as_bytes().first() {
        None => "/".to_owned(),
        Some(b'?') => format!("/{rest}"),
        Some(b'/') => rest.to_owned(),
        Some(_) => return false,
    };
    let Ok(below) = below.parse() else { return false };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(below);
    let Ok(moved) = Uri::from_parts(parts) else { return false };
    *uri = moved;
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_is_moved_to_the_top() {
        let base = "/arena".parse().unwrap();
        for (asked, meant) in [
            ("/arena", Some("/")),
            ("/arena/", Some("/")),
            ("/arena?x=1", Some("/?x=1")),
            ("/arena/play?ticket=1", Some("/play?ticket=1")),
            ("/arena/arena", Some("/arena")),
            ("http://a.test/arena/s/1", Some("http://a.test/s/1")),
            ("/healthz", Some("/healthz")),
            ("/metrics", Some("/metrics")),
            ("/arena/healthz", Some("/healthz")),
            ("/", None),
            ("/arenas", None),
            ("/api/sessions", None),
            ("/play", None),
            ("*", None),
        ] {
            let mut uri: Uri = asked.parse().unwrap();
            let below = take_off(&mut uri, &base);
            assert_eq!(below.then(|| uri.to_string()).as_deref(), meant, "{asked}");
        }
        let mut uri = "/arena".parse().unwrap();
        assert!(take_off(&mut uri, &BasePath::default()) && uri == "/arena");
    }
}
