//! HTTP content negotiation: status 304 for content that the reader has already, and gzip where it is asked for.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, ETAG, VARY};
use http::{HeaderValue, Method, StatusCode};
use sha2::{Digest as _, Sha256};

use crate::page::AS_OF;
use crate::request::Request;
use crate::response::Response;

/// The minimum size of a compressed body in bytes; below, a packet holds it anyway.
const MIN_COMPRESSED_BYTES: usize = 1_024;

impl Response {
    /// The HTTP response to `request`. Successful responses carry a weak `ETag`, and have no body if the reader has the same
    /// content (RFC 9110, section 13.1.2).
    pub fn answering(self, request: &Request) -> http::Response<Vec<u8>> {
        let is_read = matches!(request.method, Method::GET | Method::HEAD);
        let tag = (is_read && self.status == 200).then(|| entity_tag(&self.body));
        let is_known = tag
            .as_deref()
            .is_some_and(|tag| matches_any(request.if_none_match.as_deref(), tag));
        let mut response = http::Response::<Vec<u8>>::from(self);
        let accept_encoding = HeaderValue::from_name(ACCEPT_ENCODING);
        response.headers_mut().append(VARY, accept_encoding);
        if let Some(tag) = tag.and_then(|tag| HeaderValue::try_from(tag).ok()) {
            response.headers_mut().insert(ETAG, tag);
        }
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response.body_mut().clear();
        } else if accepts_gzip(request.accept_encoding.as_deref())
            && response.body().len() >= MIN_COMPRESSED_BYTES
            && let Some(compressed) = gzip(response.body())
        {
            *response.body_mut() = compressed;
            response
                .headers_mut()
                .insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}

/// The tag of a body. The time at which the data was read is left out, so that a refreshed page with the same content has
/// the same tag.
fn entity_tag(body: &str) -> String {
    let mut digest = Sha256::new();
    match body.split_once(AS_OF) {
        Some((before, rest)) => {
            digest.update(before);
            digest.update(rest.split_once("</p>").map_or(rest, |(_, after)| after));
        }
        None => digest.update(body),
    }
    let hex: String = digest
        .finalize()
        .iter()
        .take(12)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("W/\"{hex}\"")
}

/// Whether the list of `If-None-Match` contains the tag, by weak comparison.
fn matches_any(list: Option<&str>, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let mut tags = list.into_iter().flat_map(|list| list.split(','));
    tags.any(|each| each.trim() == "*" || opaque(each) == opaque(tag))
}

/// Whether `Accept-Encoding` names gzip with a weight above 0 (RFC 9110, section 12.5.3).
fn accepts_gzip(header: Option<&str>) -> bool {
    let mut codings = header.into_iter().flat_map(|header| header.split(','));
    codings.any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let weight = parts.find_map(|part| part.strip_prefix("q="));
        is_gzip && weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0))
    })
}

fn gzip(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;
    use crate::response::{CachePolicy, ContentType};

    fn page(as_of: &str, text: &str) -> Response {
        let body = format!("<main>{}{AS_OF}As of {as_of}</p></main>", text.repeat(500));
        Response::new(200, ContentType::Html, CachePolicy::NoStore, body)
    }

    fn tag(response: Response) -> String {
        let response = response.answering(&Request::default());
        response.headers()[ETAG].to_str().unwrap().to_owned()
    }

    #[test]
    fn same_content_has_same_tag_whenever_it_was_read() {
        assert_eq!(tag(page("05:41", "up")), tag(page("05:42", "up")));
        assert_ne!(tag(page("05:41", "up")), tag(page("05:41", "down")));
    }

    #[test]
    fn known_content_is_not_sent_again() {
        let known = tag(page("05:41", "up"));
        for (list, status) in [
            (known.clone(), 304),
            (format!("\"x\", {known}"), 304),
            ("*".to_owned(), 304),
            ("\"x\"".to_owned(), 200),
        ] {
            let request = Request {
                if_none_match: Some(list.clone()),
                ..Request::default()
            };
            let response = page("05:42", "up").answering(&request);
            assert_eq!(response.status(), status, "{list}");
            assert_eq!(response.body().is_empty(), status == 304, "{list}");
            assert!(response.headers().contains_key("cache-control"));
        }
        let missing = Response::new(404, ContentType::Text, CachePolicy::NoStore, "no");
        let request = Request {
            if_none_match: Some("*".to_owned()),
            ..Request::default()
        };
        assert_eq!(missing.answering(&request).status(), 404);
    }

    #[test]
    fn body_is_compressed_if_asked_for() {
        for (header, is_compressed) in [
            (None, false),
            (Some("br, gzip"), true),
            (Some("GZIP;q=0.5"), true),
            (Some("gzip;q=0"), false),
            (Some("br"), false),
        ] {
            let request = Request {
                accept_encoding: header.map(str::to_owned),
                ..Request::default()
            };
            let plain = page("05:41", "up").body;
            let response = page("05:41", "up").answering(&request);
            assert_eq!(
                response.headers().contains_key(CONTENT_ENCODING),
                is_compressed,
                "{header:?}"
            );
            let mut text = String::new();
            if is_compressed {
                assert!(response.body().len() < plain.len() / 5);
                GzDecoder::new(&response.body()[..])
                    .read_to_string(&mut text)
                    .unwrap();
            } else {
                text = String::from_utf8(response.into_body()).unwrap();
            }
            assert_eq!(text, plain);
        }
    }
}
