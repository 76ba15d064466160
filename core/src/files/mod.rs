//! Opening files that others may have put there, and replacing files whole.

mod backup;
mod change;
mod door;
mod draft;
mod path_text;
mod replace;
mod resolved;
mod way;

pub use backup::change_with_backup;
pub use change::{Change, ChangeError};
pub(crate) use change::{locked, replace};
pub(crate) use door::{
    PRIVATE, create_new, is_symlink, open, open_existing, open_to_update, set_mode, shared_dir,
    sync_dir,
};
pub use door::{
    append_to_theirs, open_to_append, own_dir, private_dir, read_bytes, read_text, write_own,
};
pub(crate) use draft::sweep_drafts;
pub use path_text::{path_from_text, path_to_text};
pub(crate) use replace::Replacement;
pub use replace::Written;
pub use resolved::ResolvedPath;
pub(crate) use way::{clear_the_way, is_in_the_way, is_still_of};

/// Returns the SHA-256 of bytes in hexadecimal, as `sha256sum` prints it.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    crate::hex::hex(&Sha256::digest(bytes))
}
