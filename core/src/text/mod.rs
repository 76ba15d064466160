//! Text that came out of state is untrusted: it is cleaned, bounded and fenced before a model
//! or a terminal sees it.

mod budget;
mod clean;
mod fence;
pub mod redact;
mod shell;

pub use budget::{CONTEXT_LIMIT, Packer};
pub use clean::{block, one_line};
pub use fence::{Fence, NotANonce};
pub use shell::quoted;
