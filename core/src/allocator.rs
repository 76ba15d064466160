//! The allocator of the static binaries, for Rust and for SQLite.
//!
//! musl gives memory back to the kernel again and again: a process that reads SQLite's schema
//! maps and unmaps 160 times, which was a third of what a short write cost. Huge pages are left
//! alone: a hundred processes at once wait while the kernel makes room for them.

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;
