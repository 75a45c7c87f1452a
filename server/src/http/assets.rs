//! The files that a build script put into the binary (package `page`), and how a browser keeps them: the page asks every
//! time whether it is still the same, everything else has the build in its path and never changes.

use crate::config::BasePath;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, Response, StatusCode, header};
use axum::response::IntoResponse;
use flate2::{Compression, write::GzEncoder};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::sync::Arc;

/// The arena's page, and the operator's.
pub static ARENA: Build = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// How long a browser keeps what the build's name is in the path of.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// How a browser keeps the page: it asks each time.
const ASK_AGAIN: &str = "no-cache";

/// A page with all that it loads, as `page::embed` writes it for `include!`.
#[derive(Debug)]
pub struct Build {
    /// Names it in the paths of its assets.
    pub name: &'static str,
    /// HTML by the name of its file, with a mark where the base path belongs. The first one is what players open.
    pub pages: &'static [(&'static str, &'static str)],
    /// What these load, in ascending order of paths.
    pub assets: &'static [Asset],
}

/// One file in the binary.
#[derive(Debug)]
pub struct Asset {
    /// Below the build's folder, without a slash in front.
    pub path: &'static str,
    /// The media type.
    pub media: &'static str,
    /// The entity tag, as it stands in the header.
    pub tag: &'static str,
    /// The bytes.
    pub plain: &'static [u8],
    /// The bytes through gzip, where that is smaller.
    pub gzip: Option<&'static [u8]>,
}

/// One answer's bytes.
struct Forms {
    plain: Bytes,
    /// Through gzip, where that is smaller.
    gzip: Option<Bytes>,
}

/// What a page writes where the base path belongs.
const BASE: &str = "{{base}}";

/// A page, made for where this server's pages are.
#[derive(Clone, Debug)]
pub(super) struct Page(Arc<Made>);

#[derive(Debug)]
struct Made {
    tag: String,
    plain: Bytes,
    gzip: Bytes,
}

impl Page {
    /// What players open.
    pub(super) fn game(build: &Build, base: &BasePath) -> Self {
        Self::new(build.pages.first().expect("a page has a file of HTML").1, base)
    }

    /// The operator's.
    pub(super) fn admin(base: &BasePath) -> Self {
        let [_, (_, source)] = ARENA.pages else { panic!("the operator's page is the second one") };
        Self::new(source, base)
    }

    /// The page of this source, with `base` wherever it says so.
    pub(super) fn new(source: &str, base: &BasePath) -> Self {
        let page = source.replace(BASE, base.as_str());
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let zipped = encoder.write_all(page.as_bytes()).and_then(|()| encoder.finish());
        let mut hasher = DefaultHasher::new();
        page.hash(&mut hasher);
        Self(Arc::new(Made {
            tag: format!("W/\"{:016x}\"", hasher.finish()),
            plain: page.into(),
            gzip: zipped.expect("memory takes bytes").into(),
        }))
    }

    /// The page, as this browser takes it.
    pub(super) fn respond(&self, request: &HeaderMap) -> Response<Body> {
        let Made { tag, plain, gzip } = &*self.0;
        let forms = Forms { plain: plain.clone(), gzip: Some(gzip.clone()) };
        respond("text/html; charset=utf-8", tag, forms, ASK_AGAIN, request)
    }
}

/// Letters of a build's name: a hash in hexadecimal digits, as `page::embed` writes it.
const NAME_LETTERS: usize = 16;

/// Whether a build may be called so.
pub(super) fn is_build_name(name: &str) -> bool {
    let is_digit = |letter: u8| matches!(letter, b'0'..=b'9' | b'a'..=b'f');
    name.len() == NAME_LETTERS && name.bytes().all(is_digit)
}

impl Build {
    /// The file at `path`.
    pub(super) fn respond(&self, path: &str, request: &HeaderMap) -> Response<Body> {
        let Ok(place) = self.assets.binary_search_by_key(&path, |asset| asset.path) else {
            return not_found();
        };
        let asset = &self.assets[place];
        let forms = Forms {
            plain: Bytes::from_static(asset.plain),
            gzip: asset.gzip.map(Bytes::from_static),
        };
        respond(asset.media, asset.tag, forms, FOREVER, request)
    }
}

/// Nothing is there.
pub(super) fn not_found() -> Response<Body> {
    (StatusCode::NOT_FOUND, "There is nothing here.\n").into_response()
}

fn respond(
    media: &'static str,
    tag: &str,
    forms: Forms,
    keep: &'static str,
    request: &HeaderMap,
) -> Response<Body> {
    let common =
        [(header::CACHE_CONTROL, keep), (header::ETAG, tag), (header::VARY, "accept-encoding")];
    if lists(request, header::IF_NONE_MATCH).any(|known| known == tag || known == "*") {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let media = [(header::CONTENT_TYPE, media)];
    match forms.gzip.filter(|_| takes_gzip(request)) {
        Some(zipped) => {
            let encoding = [(header::CONTENT_ENCODING, "gzip")];
            (common, media, encoding, zipped).into_response()
        }
        None => (common, media, forms.plain).into_response(),
    }
}

fn takes_gzip(request: &HeaderMap) -> bool {
    lists(request, header::ACCEPT_ENCODING).any(|item| {
        let (coding, quality) = item.split_once(';').unwrap_or((item, "q=1"));
        let refused = quality.trim().strip_prefix("q=").is_none_or(|q| q.parse() == Ok(0.0_f32));
        coding.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

/// The items of all lists in the headers called `name`.
fn lists(request: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = request.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|list| list.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(path: &str, headers: &[(HeaderName, &'static str)]) -> Response<Body> {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap()));
        ARENA.respond(path, &headers.collect())
    }

    #[test]
    fn the_page_names_this_builds_assets_and_they_are_there() {
        let made = Page::game(&ARENA, &"/arena".parse().unwrap());
        let top = Page::game(&ARENA, &BasePath::default());
        assert!(top.0.tag != made.0.tag && top.0.plain.len() < made.0.plain.len());
        for page in [made, Page::admin(&"/arena".parse().unwrap())] {
            let page = std::str::from_utf8(&page.0.plain).unwrap();
            let folder = format!("\"/arena/assets/{}/", ARENA.name);
            let named: Vec<_> = page.split(&folder).skip(1).collect();
            assert!(!named.is_empty() && !page.contains("{{") && !page.contains("\"/assets"));
            assert!(page.contains("<meta name=\"base\" content=\"/arena\">"));
            for rest in named {
                let path = rest.split(['"', '\'']).next().unwrap();
                assert_eq!(ask(path, &[]).status(), StatusCode::OK, "{path}");
            }
        }
        assert_eq!(
            ask("client_web_bg.wasm", &[]).headers()[header::CONTENT_TYPE],
            "application/wasm"
        );
        let script = ARENA.assets.iter().find(|asset| asset.path == "client_web.js").unwrap();
        let script = std::str::from_utf8(script.plain).unwrap();
        assert!(script.contains("client_web_bg.wasm"), "the script knows where the module is");
    }

    #[test]
    fn only_files_of_the_build_are_there() {
        for path in ["", "..", "../Cargo.toml", "/etc/passwd", "client_web.js\0", "index.html"] {
            assert_eq!(ask(path, &[]).status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn builds_are_called_by_a_hash() {
        assert!(is_build_name(ARENA.name), "{}", ARENA.name);
        for other in ["", "anything", "0123456789abcde", "0123456789ABCDEF", "0123456789abcdef0"] {
            assert!(!is_build_name(other), "{other}");
        }
    }

    #[test]
    fn what_the_browser_has_is_not_sent_again() {
        let tag = ask("client_web.js", &[]).headers()[header::ETAG].clone();
        let has = HeaderMap::from_iter([(header::IF_NONE_MATCH, tag)]);
        let answer = ARENA.respond("client_web.js", &has);
        assert_eq!(answer.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(answer.headers()[header::CACHE_CONTROL], FOREVER);
    }

    #[test]
    fn gzip_is_for_those_who_take_it() {
        for (said, zipped) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0", false),
            ("br", false),
            ("", false),
        ] {
            let answer = ask("client_web.js", &[(header::ACCEPT_ENCODING, said)]);
            assert_eq!(answer.headers().contains_key(header::CONTENT_ENCODING), zipped, "{said}");
        }
    }
}
