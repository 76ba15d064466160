//! Numbers that tell versions apart: revisions of sessions, epochs of claims, lineages of databases.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! counter {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

counter!(
    /// Counts the changes of a work item, or of what a session's cache mirrors.
    ///
    /// Only the database raises it. Revisions of different lineages cannot be compared.
    Revision
);

counter!(
    /// The fencing token of a claim, raised by every claim of an item.
    ///
    /// A write with an older epoch comes from a holder that has lost the item.
    Epoch
);

/// The history that a revision belongs to, made once when a database is created.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lineage(pub String);

impl Lineage {
    /// Returns the first eight characters, enough to tell two databases apart in a message.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
