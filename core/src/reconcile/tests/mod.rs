//! The laws of reconciling, and its lines byte for byte.

mod generate;
mod laws;
mod lines;
mod regressions;
mod world;
