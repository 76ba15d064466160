//! Who may ask: under which name, from which page, with which token, how often.

mod allowed_hosts;
mod caller;
mod checks;
mod credentials;
mod login;
mod origin;
mod rate_limit;
mod token_cache;
mod token_digest;
mod token_text;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use trueup_core::model::TokenName;

pub(crate) use allowed_hosts::AllowedHosts;
pub(crate) use caller::{AdminCaller, Caller};
pub(crate) use checks::{check_source, check_token};
pub(crate) use token_digest::TokenDigest;
pub(crate) use token_text::{digest_token, make_token};

use crate::documented_routes::documented_routes;
use crate::problem::HubError;
use crate::store_pool::StorePool;
use rate_limit::RateLimit;
use token_cache::TokenCache;

// Open: whoever logs in has no token yet.
documented_routes! {
    needs Arc<Access>;
    post "/login" => login::log_in;
    post "/logout" => login::log_out;
}

/// Wrong tokens that may come from one address in a second, and at once: a person who mistypes is
/// not kept waiting, and a machine that is misconfigured does not ask the database all the time.
const WRONG_TOKENS_PER_SECOND: f64 = 1.0;
const WRONG_TOKENS_AT_ONCE: f64 = 20.0;

/// What whoever runs the hub decided.
#[derive(Debug, Clone)]
pub(crate) struct AccessPolicy {
    /// The names under which the hub may be asked.
    pub(crate) hosts: AllowedHosts,
    /// Whether browsers reach the hub by TLS, its own or a proxy's.
    pub(crate) is_secure: bool,
    /// Whether a proxy says who asks.
    pub(crate) is_behind_proxy: bool,
    /// Whether what is counted is shown without a token.
    pub(crate) open_metrics: bool,
    /// Most requests of one token in a second.
    pub(crate) max_rate: u32,
}

/// The checks, and what they remember.
pub(crate) struct Access {
    policy: AccessPolicy,
    pool: StorePool,
    tokens: Mutex<TokenCache>,
    requests: Mutex<RateLimit<TokenName>>,
    wrong_tokens: Mutex<RateLimit<IpAddr>>,
}

impl Access {
    pub(crate) fn new(policy: AccessPolicy, pool: StorePool) -> Self {
        let rate = f64::from(policy.max_rate.max(1));
        Self {
            policy,
            pool,
            tokens: Mutex::default(),
            requests: Mutex::new(RateLimit::new(rate, rate * 2.0)),
            wrong_tokens: Mutex::new(RateLimit::new(WRONG_TOKENS_PER_SECOND, WRONG_TOKENS_AT_ONCE)),
        }
    }

    /// What whoever runs the hub decided.
    pub(crate) const fn policy(&self) -> &AccessPolicy {
        &self.policy
    }

    /// Finds whose token it is.
    ///
    /// # Errors
    ///
    /// [`HubError::Unauthorized`] for an unknown or revoked one; that of the database.
    pub(crate) async fn find_caller(&self, token: &TokenDigest) -> Result<Caller, HubError> {
        let TokenDigest(digest) = token;
        if let Some(caller) = lock_counts(&self.tokens).find(digest, Instant::now()) {
            return Ok(caller);
        }
        let asked = digest.clone();
        let found = self.pool.run(move |store| store.find_token(&asked)).await?;
        let token = found.ok_or(HubError::Unauthorized)?;
        let caller = Caller { name: token.name, role: token.role };
        lock_counts(&self.tokens).remember(digest.clone(), caller.clone(), Instant::now());
        Ok(caller)
    }

    /// Finds whose token it is, for a request from an address; wrong ones are counted.
    ///
    /// # Errors
    ///
    /// Those of [`Self::find_caller`], and when too many wrong tokens came from there.
    async fn check_caller(&self, token: &str, address: IpAddr) -> Result<Caller, HubError> {
        if !lock_counts(&self.wrong_tokens).has_left(&address, Instant::now()) {
            return Err(HubError::TooManyRequests);
        }
        let found = self.find_caller(&TokenDigest::of_token(token)).await;
        if matches!(found, Err(HubError::Unauthorized)) {
            lock_counts(&self.wrong_tokens).take_request(&address, Instant::now());
        }
        found
    }

    /// Counts a request of a caller.
    ///
    /// # Errors
    ///
    /// When it is one too many.
    fn count_request(&self, caller: &Caller) -> Result<(), HubError> {
        let is_allowed = lock_counts(&self.requests).take_request(&caller.name, Instant::now());
        is_allowed.then_some(()).ok_or(HubError::TooManyRequests)
    }
}

/// Locks what is only counted: nothing is half done in it when a holder panics.
fn lock_counts<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
