//! Handles untrusted text: everything that was stored is cleaned, bounded and delimited before a
//! model or a terminal sees it.

mod char_roles;
mod cleaning;
mod command_line;
mod context_budget;
mod data_delimiter;
mod escapes;
mod hex;
pub mod lenient_json;
pub(crate) mod markdown;
mod path_text;
mod plain_json;
mod plural;
pub mod redact;

pub(crate) use char_roles::is_invisible;
pub use cleaning::{clean_block, one_line, visible_line, without_runner_commands};
pub use command_line::{CommandLine, quote_for_shell};
pub use context_budget::{CONTEXT_LIMIT, ContextPacker};
pub use data_delimiter::{DataDelimiter, InvalidNonce};
pub use hex::to_hex;
pub use path_text::{path_from_text, path_to_text};
pub use plain_json::{write_plain_json, write_redacted_json};
pub use plural::pluralize;
