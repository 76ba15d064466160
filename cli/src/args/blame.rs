//! `trueup blame`

use clap::Args;
use trueup_core::model::{BlamedField, ItemKey};

#[derive(Debug, Args)]
pub(crate) struct BlameArgs {
    /// The item
    pub(crate) key: ItemKey,
    /// A single field, such as status or holder
    pub(crate) field: Option<BlamedField>,
}
