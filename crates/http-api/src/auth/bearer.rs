//! The one place a token may stand: a single `Authorization` header.

use actix_web::http::header::{AUTHORIZATION, HeaderMap};

/// The bearer token of a request; `None` if there is none, more than one header, or anything that is no token.
pub(crate) fn token(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION);
    let value = values.next().filter(|_| values.next().is_none())?;
    let (scheme, rest) = value.to_str().ok()?.split_once(' ')?;
    let token = rest.trim_start_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && is_token68(token)).then_some(token)
}

/// The grammar of RFC 9110, section 11.2.
fn is_token68(text: &str) -> bool {
    let unpadded = text.trim_end_matches('=');
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    !unpadded.is_empty() && unpadded.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn token_of(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        token(&headers).map(str::to_owned)
    }

    #[test]
    fn one_header_with_one_token() {
        for accepted in ["Bearer abc", "bearer abc", "BEARER  abc"] {
            assert_eq!(token_of(&[accepted]).as_deref(), Some("abc"), "{accepted}");
        }
        assert_eq!(token_of(&["Bearer eyJh.e30.-_~+/=="]).as_deref(), Some("eyJh.e30.-_~+/=="));
        let refused =
            ["", "Bearer", "Bearer ", "Bearer    ", "Bearer a b", "Basic abc", "abc", "Bearer ключ", "Bearer a=b"];
        for refused in refused {
            assert_eq!(token_of(&[refused]), None, "{refused}");
        }
        assert_eq!(token_of(&[]), None);
        assert_eq!(token_of(&["Bearer abc", "Bearer abc"]), None);
    }
}
