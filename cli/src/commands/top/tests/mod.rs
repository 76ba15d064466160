//! Keys and readings in, pictures out.

mod keys;
mod pictures;
mod sample;
