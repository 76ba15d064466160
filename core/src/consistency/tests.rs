//! Rules on files that are read and rows that a store holds; deeds are carried out on both.

mod codes;
mod findings;
mod fixture;
mod ids;
mod laws;
mod plans;
mod ranks;
