//! The transports against real servers, and against sockets that misbehave.
//!
//! What needs PostgreSQL is skipped where it is not installed, unless
//! `TRUEUP_REQUIRE_POSTGRES=1`.

#![expect(clippy::disallowed_methods, reason = "tests make files of their own")]
#![expect(
    clippy::unwrap_used,
    reason = "what a helper expects and does not find fails the test, with the line that failed"
)]

mod dependencies;
mod http_answers;
mod https;
mod https_tls;
mod name_lookup;
mod postgres;
mod postgres_faults;
mod postgres_tls;
mod support;
