//! How a file of the page is answered, and under which policy a browser runs it.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::files::{Lifetime, PageFile};

/// Scripts, styles and connections of this hub only, nothing inline, nowhere to send a form, and no
/// other page around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; font-src 'none'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

/// What the page may use of the browser: only the clipboard, to copy commands.
const PERMISSIONS: &str = "accelerometer=(), camera=(), clipboard-read=(), clipboard-write=(self), \
    display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), \
    payment=(), usb=()";

/// Answers with a file, or that the browser has it.
pub(super) fn answer_file(file: &PageFile, request: &HeaderMap) -> Response {
    let cache = match file.lifetime {
        Lifetime::Checked => "no-cache",
        Lifetime::Forever => "public, max-age=31536000, immutable",
    };
    let head = [(CACHE_CONTROL, cache), (ETAG, file.etag.as_str())];
    if is_known(request, &file.etag) {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    (head, [(CONTENT_TYPE, file.media_type)], file.content.clone()).into_response()
}

/// Says whether the browser has what carries this tag.
fn is_known(request: &HeaderMap, etag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let known = request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    known.flat_map(|list| list.split(',')).any(|tag| opaque(tag) == opaque(etag))
}

/// Adds what a browser must keep to.
pub(super) async fn set_page_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
