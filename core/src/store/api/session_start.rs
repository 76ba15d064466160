//! What the start of a session does in its database.

use super::{
    ClaimStore, ClockStore, DeliveryTarget, RepoNameStore, RetentionStore, SessionStore,
    StuckWorkStore,
};

/// A database in which a session starts. It names the operations that a start needs: the hook that
/// starts a session is a small program, and links no others.
pub trait SessionStartStore:
    DeliveryTarget
    + ClaimStore
    + ClockStore
    + RepoNameStore
    + RetentionStore
    + SessionStore
    + StuckWorkStore
{
}

impl<S> SessionStartStore for S where
    S: DeliveryTarget
        + ClaimStore
        + ClockStore
        + RepoNameStore
        + RetentionStore
        + SessionStore
        + StuckWorkStore
        + ?Sized
{
}
