//! Opening files that others may have put there, and replacing files whole.

mod backup;
mod locked_change;
mod obstacle;
mod open;
mod path_text;
mod replace;
mod resolved_path;
mod temp_file;

pub use backup::change_with_backup;
pub use locked_change::{ChangeError, LockedChange};
pub(crate) use locked_change::{replace_if_unchanged, retry_under_lock};
pub(crate) use obstacle::{is_obstructed, is_still_at, move_obstacle_aside};
pub(crate) use open::{
    PRIVATE_MODE, create_new, create_shared_dir, is_symlink, open_existing, open_for_reading,
    open_to_update, set_mode, sync_dir,
};
pub use open::{
    append_to_foreign, create_private_dir, ensure_private_dir, open_to_append, read_bytes,
    read_text, write_private,
};
pub use path_text::{path_from_text, path_to_text};
pub(crate) use replace::FileReplacement;
pub use replace::WriteOutcome;
pub use resolved_path::ResolvedPath;
pub(crate) use temp_file::sweep_temp_files;

/// Returns the SHA-256 of bytes in hexadecimal, as `sha256sum` prints it.
pub fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    crate::hex::hex(&Sha256::digest(bytes))
}
