//! The heart of trueup.
