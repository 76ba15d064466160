//! Hooks whose database is on a server.

mod fixture;
mod hand_over;
mod machines;
mod sessions;
mod several_sessions;
mod unreachable;
