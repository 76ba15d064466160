//! What the suites share.
pub mod certificates;
pub mod client;
pub mod codex;
pub mod files;
pub mod home;
pub mod host_name;
pub mod network;
pub mod npm;
pub mod postgres;
pub mod program;
pub mod python;
pub mod race;
pub mod sample_database;
pub mod supabase;
pub mod tied_process;
pub mod tls;
