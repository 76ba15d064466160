//! How new a fact is, whose history it belongs to, and which claim a write was made under.

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
    /// Counts the changes of what a session's cache mirrors, or of a work item.
    ///
    /// Only the database raises it. Revisions of different lineages do not compare.
    Revision
);

counter!(
    /// The fence of a claim: raised by every claim of an item.
    ///
    /// A write that carries an older epoch comes from a holder that has lost the item.
    Epoch
);

/// Which database history a revision belongs to: made once, when a database is created.
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
