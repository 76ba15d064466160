//! Tests of the rules on files in a directory and rows in a store, with fixes applied to both.

mod codes;
mod findings;
mod fixture;
mod ids;
mod laws;
mod plans;
mod ranks;
