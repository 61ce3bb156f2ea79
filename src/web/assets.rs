//! Static files: part of the binary, named by their content, so that browsers keep them for ever.
//!
//! Here: the table of files, their hashed addresses and the handler. Not here: pages. Invariant: an
//! address changes whenever the bytes behind it do.

use std::sync::{LazyLock, OnceLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::io::Write;

/// How long browsers may keep a file: the customary year, without asking again.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Bytes of the content hash that go into the name; eight hex digits.
const HASH_BYTES: usize = 4;

/// Name, content type and content of every file that is served.
const FILES: [(&str, &str, &[u8]); 6] = [
    (
        "app.css",
        "text/css; charset=utf-8",
        include_bytes!("../../static/app.css"),
    ),
    (
        "app.js",
        "text/javascript; charset=utf-8",
        include_bytes!("../../static/app.js"),
    ),
    (
        "htmx-2.0.11.min.js",
        "text/javascript; charset=utf-8",
        include_bytes!("../../static/htmx-2.0.11.min.js"),
    ),
    (
        "icons.svg",
        "image/svg+xml",
        include_bytes!("../../static/icons.svg"),
    ),
    (
        "favicon.svg",
        "image/svg+xml",
        include_bytes!("../../static/favicon.svg"),
    ),
    (
        "LICENSES.md",
        "text/plain; charset=utf-8",
        include_bytes!("../../static/LICENSES.md"),
    ),
];

struct Asset {
    name: &'static str,
    /// `/static/<name>.<hash8>.<ext>`
    path: String,
    content_type: HeaderValue,
    etag: HeaderValue,
    plain: &'static [u8],
    /// Compressed at the first request that accepts it, then kept; None inside if that failed.
    gzip: OnceLock<Option<Bytes>>,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| FILES.into_iter().map(load).collect());

fn load((name, content_type, plain): (&'static str, &'static str, &'static [u8])) -> Asset {
    let hash: String = Sha256::digest(plain)
        .iter()
        .take(HASH_BYTES)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let path = match name.rsplit_once('.') {
        Some((stem, extension)) => format!("/static/{stem}.{hash}.{extension}"),
        None => format!("/static/{name}.{hash}"),
    };
    Asset {
        name,
        path,
        content_type: HeaderValue::from_static(content_type),
        // Hex digits are always a legal header value; the fallback only avoids a panic here.
        etag: HeaderValue::try_from(format!("\"{hash}\""))
            .unwrap_or(HeaderValue::from_static("\"\"")),
        plain,
        gzip: OnceLock::new(),
    }
}

/// Address of the file `name`, with its content hash. An unknown name gives an address that answers
/// 404, and a test renders every page to find such a name.
pub fn asset(name: &str) -> &'static str {
    ASSETS
        .iter()
        .find(|asset| asset.name == name)
        .map_or("/static/missing", |asset| &asset.path)
}

/// Serves the static files below `/static/`.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/static/{file}", get(show))
}

async fn show(Path(file): Path<String>, headers: HeaderMap) -> Response {
    let found = ASSETS
        .iter()
        .find(|asset| asset.path.strip_prefix("/static/") == Some(&file));
    match found {
        Some(asset) => respond(asset, &headers),
        None => (
            StatusCode::NOT_FOUND,
            [(header::CACHE_CONTROL, "no-store")],
            "There is no such file.",
        )
            .into_response(),
    }
}

fn respond(asset: &'static Asset, headers: &HeaderMap) -> Response {
    let common = [
        (header::CACHE_CONTROL, CACHE),
        (header::ETAG, asset.etag.clone()),
        (header::VARY, HeaderValue::from_static("Accept-Encoding")),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    ];
    if headers.get(header::IF_NONE_MATCH) == Some(&asset.etag) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let content_type = [(header::CONTENT_TYPE, asset.content_type.clone())];
    let packed = accepts_gzip(headers)
        .then(|| asset.gzip.get_or_init(|| gzip(asset.plain)).clone())
        .flatten();
    match packed {
        Some(body) => (
            common,
            content_type,
            [(header::CONTENT_ENCODING, "gzip")],
            body,
        )
            .into_response(),
        None => (common, content_type, Bytes::from_static(asset.plain)).into_response(),
    }
}

/// True when the browser lists gzip without refusing it (`gzip;q=0`, RFC 9110 s12.5.3).
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let Some(accepted) = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
    else {
        return false;
    };
    accepted.split(',').any(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let is_gzip = parts
            .next()
            .is_some_and(|coding| coding.eq_ignore_ascii_case("gzip"));
        let is_refused = parts.any(|part| {
            part.strip_prefix("q=")
                .and_then(|q| q.parse::<f32>().ok())
                .is_some_and(|q| q <= 0.0)
        });
        is_gzip && !is_refused
    })
}

fn gzip(plain: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use std::io::Read;
    use tower::ServiceExt;

    async fn fetch(
        path: &str,
        sent: &[(header::HeaderName, &str)],
    ) -> (StatusCode, HeaderMap, Bytes) {
        let mut request = Request::builder().uri(path);
        for (name, value) in sent {
            request = request.header(name, *value);
        }
        let response = router::<()>()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        (
            parts.status,
            parts.headers,
            to_bytes(body, 1 << 20).await.unwrap(),
        )
    }

    #[tokio::test]
    async fn every_file_has_its_type_and_may_be_kept_for_ever() {
        for (name, content_type, plain) in FILES {
            let (status, headers, body) = fetch(asset(name), &[]).await;
            assert_eq!(status, StatusCode::OK, "{name}");
            assert_eq!(headers["content-type"], content_type);
            assert_eq!(
                headers["cache-control"],
                "public, max-age=31536000, immutable"
            );
            assert_eq!(headers["x-content-type-options"], "nosniff");
            assert!(!headers.contains_key("content-encoding"));
            assert_eq!(body, plain);
        }
    }

    #[tokio::test]
    async fn gzip_only_for_who_accepts_it_and_it_unpacks_to_the_same() {
        for (accepted, packed) in [
            ("gzip, deflate, br", true),
            ("br;q=1.0, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0", false),
            ("br", false),
            ("", false),
        ] {
            let (_, headers, body) =
                fetch(asset("app.css"), &[(header::ACCEPT_ENCODING, accepted)]).await;
            assert_eq!(
                headers.contains_key("content-encoding"),
                packed,
                "{accepted}"
            );
            if packed {
                let mut plain = Vec::new();
                flate2::read::GzDecoder::new(&body[..])
                    .read_to_end(&mut plain)
                    .unwrap();
                assert_eq!(plain, include_bytes!("../../static/app.css"));
            }
        }
    }

    #[tokio::test]
    async fn an_unchanged_file_is_not_sent_again() {
        let (_, headers, _) = fetch(asset("app.js"), &[]).await;
        let etag = headers["etag"].to_str().unwrap().to_owned();
        let (status, _, body) = fetch(asset("app.js"), &[(header::IF_NONE_MATCH, &etag)]).await;
        assert_eq!((status, body.len()), (StatusCode::NOT_MODIFIED, 0));
        let (status, ..) = fetch(asset("app.js"), &[(header::IF_NONE_MATCH, "\"old\"")]).await;
        assert_eq!(status, StatusCode::OK);
    }

    #[tokio::test]
    async fn only_the_hashed_name_answers() {
        for path in [
            "/static/app.css",
            "/static/app.00000000.css",
            "/static/missing",
            "/static/..%2fCargo.toml",
        ] {
            let (status, headers, _) = fetch(path, &[]).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
            assert_eq!(headers["cache-control"], "no-store");
        }
    }

    #[test]
    fn the_hash_follows_the_content() {
        let one = load(("a.b.css", "text/css", b"x"));
        let two = load(("a.b.css", "text/css", b"y"));
        assert_ne!(one.path, two.path);
        assert_eq!(one.path, "/static/a.b.2d711642.css");
    }

    #[test]
    fn our_own_files_stay_small() {
        let size = |name| {
            FILES
                .iter()
                .find(|file| file.0 == name)
                .map(|file| file.2.len())
                .unwrap()
        };
        assert!(size("app.css") < 33 * 1024, "{}", size("app.css"));
        assert!(size("app.js") < 4 * 1024, "{}", size("app.js"));
    }
}
