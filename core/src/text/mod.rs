//! Text that came out of state is untrusted: it is cleaned, bounded and fenced before a model
//! or a terminal sees it.

mod budget;
mod characters;
mod clean;
mod count;
mod escapes;
mod fence;
mod json;
pub mod lenient;
pub mod redact;
mod shell;

pub use budget::{CONTEXT_LIMIT, Packer};
pub(crate) use characters::is_unseen;
pub use clean::{block, one_line, visible_line, without_runner_commands};
pub use count::counted;
pub use fence::{Fence, NotANonce};
pub use json::to_plain_json;
pub use shell::{CommandLine, quoted};
