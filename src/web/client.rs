//! Who is at the other end of a connection, and where a browser may be sent.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};

use crate::web::secure::Arrival;

/// Longer addresses of this panel do not exist.
const LONGEST_PATH: usize = 1_000;

/// The browser's address and how it came here, as far as it can be believed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Client {
    /// The IP address as text; empty when the request did not come over a socket.
    pub address: String,
    /// The browser speaks HTTPS, to us or to a proxy of ours, so cookies may say `Secure`.
    pub is_https: bool,
}

impl Client {
    /// `X-Forwarded-*` headers are believed from `trusted` proxies only: anybody can send them.
    pub fn of(parts: &Parts, trusted: &[IpAddr]) -> Client {
        let Some(ConnectInfo(peer)) = parts.extensions.get::<ConnectInfo<SocketAddr>>() else {
            return Client::default();
        };
        let peer = peer.ip().to_canonical();
        let arrival = parts.extensions.get::<Arrival>();
        let is_tls = arrival.is_some_and(|arrival| arrival.is_tls);
        if !trusted.contains(&peer) {
            return Client {
                address: peer.to_string(),
                is_https: is_tls,
            };
        }
        let proto = parts
            .headers
            .get("x-forwarded-proto")
            .and_then(|value| value.to_str().ok());
        Client {
            address: forwarded(&parts.headers, trusted)
                .unwrap_or(peer)
                .to_string(),
            is_https: proto.map_or(is_tls, |proto| proto.trim().eq_ignore_ascii_case("https")),
        }
    }
}

/// The last address in `X-Forwarded-For` that is no proxy of ours: each proxy adds the one it saw to the end, so what stands
/// before it is only claimed by the browser.
fn forwarded(headers: &HeaderMap, trusted: &[IpAddr]) -> Option<IpAddr> {
    let lines: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .into_iter()
        .filter_map(|line| line.to_str().ok())
        .collect();
    for entry in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        let address: IpAddr = entry.trim().parse().ok()?;
        let address = address.to_canonical();
        if !trusted.contains(&address) {
            return Some(address);
        }
    }
    None
}

/// `text` if it is an address of this panel: a path, with nothing that a browser could read as another host.
pub fn local_path(text: &str) -> Option<&str> {
    let is_path = text.starts_with('/') && !text.starts_with("//");
    // Browsers drop tabs and line breaks and read `\` as `/`, so neither may be anywhere.
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (is_path && is_plain && text.len() <= LONGEST_PATH).then_some(text)
}

/// Path and query of a request, to come back to.
pub fn here(uri: &Uri) -> String {
    let path = uri.path_and_query().map_or("/", |it| it.as_str());
    local_path(path).unwrap_or("/").to_owned()
}

/// The page of this panel from which a form was sent, or the dashboard.
pub fn came_from(headers: &HeaderMap) -> String {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let path = text(header::REFERER).and_then(|referer| {
        let (_, rest) = referer.split_once("://")?;
        local_path(rest.strip_prefix(text(header::HOST)?)?)
    });
    path.unwrap_or("/").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn client(peer: &str, headers: &[(&str, &str)], trusted: &[&str]) -> (String, bool) {
        let mut request =
            Request::builder().extension(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let trusted: Vec<IpAddr> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        let client = Client::of(&request.body(()).unwrap().into_parts().0, &trusted);
        (client.address, client.is_https)
    }

    #[test]
    fn forwarded_headers_count_from_our_own_proxy_only() {
        let claim = [
            ("x-forwarded-for", "6.6.6.6, 198.51.100.7"),
            ("x-forwarded-proto", "https"),
        ];
        assert_eq!(
            client("192.0.2.1", &claim, &[]),
            ("192.0.2.1".into(), false)
        );
        assert_eq!(
            client("192.0.2.1", &claim, &["192.0.2.2"]),
            ("192.0.2.1".into(), false)
        );
        assert_eq!(
            client("192.0.2.1", &claim, &["192.0.2.1"]),
            ("198.51.100.7".into(), true)
        );
        assert_eq!(
            client("::ffff:192.0.2.1", &claim, &["192.0.2.1"]),
            ("198.51.100.7".into(), true)
        );
    }

    #[test]
    fn the_last_address_that_is_no_proxy_is_the_browser() {
        for (headers, address) in [
            (
                &[("x-forwarded-for", "6.6.6.6, 198.51.100.7, 192.0.2.2")][..],
                "198.51.100.7",
            ),
            (
                &[
                    ("x-forwarded-for", "6.6.6.6"),
                    ("x-forwarded-for", "2001:db8::7, 192.0.2.2"),
                ][..],
                "2001:db8::7",
            ),
            (&[("x-forwarded-for", "6.6.6.6, nonsense")][..], "192.0.2.1"),
            (&[("x-forwarded-for", "192.0.2.2")][..], "192.0.2.1"),
            (&[][..], "192.0.2.1"),
        ] {
            let trusted = &["192.0.2.1", "192.0.2.2"];
            assert_eq!(
                client("192.0.2.1", headers, trusted).0,
                address,
                "{headers:?}"
            );
        }
    }

    #[test]
    fn only_a_path_of_this_panel_is_followed() {
        for good in [
            "/",
            "/subscribers?q=a%20b&page=2",
            "/nas/1#top",
            &format!("/{}", "a".repeat(999)),
        ] {
            assert_eq!(local_path(good), Some(good));
        }
        for bad in [
            "",
            "subscribers",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "/a\r\nLocation: x",
            "/a b",
            "https://evil.example/",
            "javascript:alert(1)",
            "/é",
            &format!("/{}", "a".repeat(1_000)),
        ] {
            assert_eq!(local_path(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_way_back_is_a_page_of_the_same_host() {
        for (referer, host, back) in [
            (
                "http://panel.example:8080/plans?x=1",
                "panel.example:8080",
                "/plans?x=1",
            ),
            ("http://panel.example.evil/plans", "panel.example", "/"),
            ("http://evil.example/plans", "panel.example", "/"),
            ("http://panel.example//evil.example", "panel.example", "/"),
            ("http://panel.example", "panel.example", "/"),
            ("/plans", "panel.example", "/"),
        ] {
            let headers = HeaderMap::from_iter([
                (header::REFERER, referer.parse().unwrap()),
                (header::HOST, host.parse().unwrap()),
            ]);
            assert_eq!(came_from(&headers), back, "{referer}");
        }
        assert_eq!(came_from(&HeaderMap::new()), "/");
    }
}
