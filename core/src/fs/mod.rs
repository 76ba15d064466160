//! File primitives: safe opening, locking, atomic replacement, backups, digests.
//!
//! Of the other modules only [`crate::text`] is used, so that all others can use this one.

mod backup;
mod digest;
mod host_place;
mod id_file;
mod lock;
mod locked_change;
mod new_file;
mod obstacle;
mod open;
mod replace;
mod resolved_path;
mod temp_file;

pub use backup::change_with_backup;
pub use digest::sha256_hex;
pub(crate) use digest::short_digest;
pub(crate) use host_place::{HostPlace, host_place};
pub(crate) use id_file::{ensure_id, read_id};
pub use lock::{FileLock, available_space, remove_idle_lock};
pub(crate) use lock::{SignedLock, reserve_space};
pub use locked_change::{ChangeError, LockedChange, change_under_lock, lock_for_change};
pub(crate) use locked_change::{replace_if_unchanged, retry_under_lock};
pub use new_file::NewFile;
pub(crate) use obstacle::{is_obstructed, is_still_at, move_obstacle_aside};
#[cfg(target_os = "linux")]
pub(crate) use open::open_existing;
pub(crate) use open::{PRIVATE_MODE, create_new, is_symlink, open_to_update, set_mode, sync_dir};
pub use open::{
    append_to_foreign, create_private_dir, create_shared_dir, create_shared_file,
    create_unlinked_file, ensure_private_dir, open_for_reading, open_to_append, read_bytes,
    read_private_text, read_text, write_private,
};
pub(crate) use replace::FileReplacement;
pub use replace::{WriteOutcome, replace_private};
pub use resolved_path::ResolvedPath;
#[cfg(test)]
pub(crate) use temp_file::MAX_SWEPT_ENTRIES;
pub(crate) use temp_file::sweep_temp_files;
