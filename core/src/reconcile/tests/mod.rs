//! The laws of reconciling, and its lines byte for byte.

mod case;
mod files;
mod generate;
mod laws;
mod mismatches;
mod regressions;
mod surroundings;
mod world;
