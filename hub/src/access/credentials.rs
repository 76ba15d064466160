//! The token that a request carries.

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};

/// The name of the cookie in which the page keeps its token.
pub(super) const COOKIE_NAME: &str = "trueup_hub";

/// Longest text that can be a token.
const MAX_TOKEN_BYTES: usize = 200;

/// Returns the token of a request: its `Authorization` header, or else its cookie. A header of
/// another kind is no token, and hides the cookie: what was asked for with it must not be answered
/// to somebody else.
pub(super) fn find_token(headers: &HeaderMap) -> Option<&str> {
    let token = match headers.get(AUTHORIZATION) {
        Some(value) => strip_scheme(value.to_str().ok()?)?,
        None => {
            headers.get_all(COOKIE).iter().find_map(|value| find_cookie(value.to_str().ok()?))?
        }
    };
    let is_plausible = !token.is_empty() && token.len() <= MAX_TOKEN_BYTES;
    is_plausible.then_some(token)
}

fn strip_scheme(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn find_cookie(value: &str) -> Option<&str> {
    let mut pairs = value.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(name, value)| (name == COOKIE_NAME).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_in_the_header_or_else_in_the_cookie() {
        for (authorization, cookie, expected) in [
            (Some("Bearer tuh_a"), None, Some("tuh_a")),
            (Some("bearer  tuh_a "), None, Some("tuh_a")),
            (Some("Basic tuh_a"), Some("trueup_hub=tuh_b"), None),
            (Some("Bearer"), None, None),
            (Some("Bearer "), None, None),
            (None, Some("a=1; trueup_hub=tuh_b; c=2"), Some("tuh_b")),
            (None, Some("xtrueup_hub=tuh_b"), None),
            (None, Some("trueup_hub="), None),
            (None, None, None),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [(AUTHORIZATION, authorization), (COOKIE, cookie)] {
                value.map(|value| headers.insert(name, value.parse().unwrap()));
            }
            assert_eq!(find_token(&headers), expected, "{authorization:?} {cookie:?}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, format!("Bearer {}", "x".repeat(201)).parse().unwrap());
        assert_eq!(find_token(&headers), None);
    }
}
