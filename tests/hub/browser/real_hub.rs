//! The dashboard of a hub with a real database, which other processes write to.
