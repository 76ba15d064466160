//! Telling a receiver elsewhere what needs a person, and when that is over.
//!
//! The hub compares what needs a person with what it knew, writes what is new into a queue on the
//! disk, and sends from there: nothing that was seen is forgotten by a crash, and a receiver that is
//! down gets it later. Whatever is sent again has the same delivery id.

mod backoff;
mod burst;
mod delivery;
mod message;
mod observed_need;
mod queue;
mod queue_file;
mod sender;
mod signature;
mod signing_secret;
mod watcher;
mod webhook_error;

pub(crate) use watcher::{NeedSources, Webhooks, follow_needs};
