//! The checks that every request passes before a handler sees it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, Method};
use axum::middleware::Next;
use axum::response::Response;

use super::origin::{RequestSource, is_foreign};
use super::{Access, AccessPolicy, credentials};
use crate::problem::HubError;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Refuses what is asked under another name, or by a page of another origin.
pub(crate) async fn check_source(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Result<Response, HubError> {
    check_names(access.policy(), &request)?;
    Ok(next.run(request).await)
}

fn check_names(policy: &AccessPolicy, request: &Request) -> Result<(), HubError> {
    let host = find_host(request).ok_or(HubError::WrongHost)?;
    if !policy.hosts.allow(host) {
        return Err(HubError::WrongHost);
    }
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let source = RequestSource {
        // One that is no text is none of ours.
        origin: request.headers().get(ORIGIN).map(|value| value.to_str().unwrap_or_default()),
        fetch_site: header("sec-fetch-site"),
        fetch_mode: header("sec-fetch-mode"),
        host,
        only_reads: matches!(*request.method(), Method::GET | Method::HEAD),
    };
    if is_foreign(&source) { Err(HubError::ForeignOrigin) } else { Ok(()) }
}

/// Finds out who asks; leaves a [`Caller`](super::Caller) for the handler.
pub(crate) async fn check_token(
    State(access): State<Arc<Access>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Result<Response, HubError> {
    let address = find_address(access.policy(), peer, request.headers());
    let token = credentials::find_token(request.headers()).ok_or(HubError::Unauthorized)?;
    let caller = access.check_caller(token, address).await?;
    access.count_request(&caller)?;
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// Returns the name under which the hub was asked: the authority of HTTP/2, or the one `Host` of
/// HTTP/1.
fn find_host(request: &Request) -> Option<&str> {
    let mut hosts = request.headers().get_all(HOST).iter();
    match (request.uri().authority(), hosts.next(), hosts.next()) {
        (Some(authority), None, None) => Some(authority.as_str()),
        // Two names are one too many to check.
        (None, Some(host), None) => host.to_str().ok(),
        (Some(authority), Some(host), None) => {
            host.to_str().ok().filter(|host| *host == authority.as_str())
        }
        _ => None,
    }
}

/// Returns the address of who asks: the one that the nearest proxy saw, where there is one.
pub(super) fn find_address(policy: &AccessPolicy, peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
    let seen = || {
        let chain = headers.get(FORWARDED_FOR)?.to_str().ok()?;
        chain.rsplit(',').next()?.trim().parse().ok()
    };
    policy.is_behind_proxy.then(seen).flatten().unwrap_or_else(|| peer.ip())
}
