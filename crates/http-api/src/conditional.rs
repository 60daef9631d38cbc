//! Documents with an entity tag, answered in full or by 304.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use bytes::Bytes;

/// A JSON document. The bytes are shared, not copied.
pub(crate) fn json(request: &HeaderMap, etag: &str, body: Bytes) -> HttpResponse {
    document(request, etag, "application/json", body)
}

/// A document of any type. Caches may keep it, and ask each time whether it is still right.
pub(crate) fn document(request: &HeaderMap, etag: &str, media_type: &'static str, body: Bytes) -> HttpResponse {
    let mut response = if holds(request, etag) {
        HttpResponse::NotModified().finish()
    } else {
        let mut response = HttpResponse::Ok().body(body);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        response
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Ok(etag) = HeaderValue::from_str(etag) {
        headers.insert(ETAG, etag);
    }
    response
}

/// Whether `If-None-Match` names the document: by its tag, strong or weak, or by `*`.
fn holds(request: &HeaderMap, etag: &str) -> bool {
    let mut values = request.get_all(IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
    values.any(|value| value.trim() == "*" || tags(value).any(|tag| tag == etag))
}

/// The tags of a list, quotes included, without their weakness. A list ends where it stops being one.
fn tags(mut list: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let start = list.trim_start_matches([' ', '\t', ',']);
        let start = start.strip_prefix("W/").unwrap_or(start);
        let end = start.strip_prefix('"')?.find('"')? + 2;
        let (tag, rest) = start.split_at_checked(end)?;
        list = rest;
        Some(tag)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds_any(values: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(IF_NONE_MATCH, HeaderValue::from_static(value));
        }
        holds(&headers, "\"abc\"")
    }

    #[test]
    fn a_tag_is_found_in_any_list() {
        for list in [
            "\"abc\"",
            "W/\"abc\"",
            "*",
            " * ",
            "\"x\", \"abc\"",
            "\"x\",W/\"abc\" , \"y\"",
            ",,\"abc\"",
            "\"a,b\",\"abc\"",
        ] {
            assert!(holds_any(&[list]), "{list}");
        }
        for list in ["", "abc", "\"abcd\"", "\"ab", "\"x,\"abc\"", "x \"abc\"", "\"*\""] {
            assert!(!holds_any(&[list]), "{list}");
        }
        assert!(holds_any(&["\"x\"", "\"abc\""]));
        assert!(!holds_any(&[]));
    }
}
