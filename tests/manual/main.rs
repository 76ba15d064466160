//! The manual does what it says: its commands run, its outputs and formats are those of the
//! programs, its links lead somewhere, and a stranger finds what he looks for.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a suite fails by panicking")]

mod formats;
mod headings;
mod links;
mod normalize;
mod page;
mod pages;
mod questions;
mod scene;
mod site;
mod transcript;
