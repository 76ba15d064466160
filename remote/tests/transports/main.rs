//! The transports against real servers, and against sockets that misbehave.
//!
//! What needs PostgreSQL is skipped where it is not installed, unless
//! `TRUEUP_REQUIRE_POSTGRES=1`.

#![allow(clippy::disallowed_methods, reason = "tests make files of their own")]

mod dependencies;
mod https;
mod https_tls;
mod postgres;
mod postgres_faults;
mod postgres_tls;
mod support;
