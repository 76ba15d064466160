//! The allocator of the static binaries, for Rust and for SQLite.
//!
//! musl keeps returning memory to the kernel: reading SQLite's schema maps and unmaps 160 times,
//! which was a third of the cost of a short write. Huge pages stay off, because a hundred processes
//! at once wait while the kernel makes room for them.

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;
