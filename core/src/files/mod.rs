//! Opening files that others may have put there, and replacing files whole.

mod backup;
mod change;
mod door;
mod path_text;
mod replace;
mod way;

pub use backup::change_with_backup;
pub use change::{Change, ChangeError};
pub(crate) use change::{locked, replace};
pub(crate) use door::{
    PRIVATE, is_symlink, open, open_existing, open_to_update, set_mode, shared_dir, sync_dir,
};
pub use door::{
    append_to_theirs, open_to_append, own_dir, private_dir, read_bytes, read_text, write_own,
};
pub use path_text::{path_from_text, path_to_text};
pub use replace::Written;
pub(crate) use replace::{Replacement, sweep_drafts};
pub(crate) use way::{clear_the_way, is_in_the_way, is_still_of};
