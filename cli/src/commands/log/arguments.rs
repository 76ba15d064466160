//! The arguments of `trueup log`.

use clap::Args;
use trueup_core::model::ItemKey;

use crate::number_argument::{parse_natural, parse_whole_number};

#[derive(Debug, Clone, Args)]
pub(crate) struct LogArgs {
    /// Only events of this item and its phases
    #[arg(long, value_name = "KEY")]
    pub(crate) item: Option<ItemKey>,
    /// Only events of this entity, such as item, phase, session or port
    #[arg(long, value_name = "E")]
    pub(crate) entity: Option<String>,
    /// Only events of this kind, such as claimed, released, status or reopened
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Option<String>,
    /// Only events by this actor: a session id, a user, or sql
    #[arg(long, value_name = "A")]
    pub(crate) actor: Option<String>,
    /// Only events since this time, such as 2026-02-02T03:00:00Z or 2026-02-02 (UTC by default),
    /// or since a duration ago, such as 2h, 1h30m or 1w
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    pub(crate) since: Option<String>,
    /// Only events after this cursor, the `next` value of an earlier answer
    #[arg(long, value_name = "SEQ", allow_negative_numbers = true, value_parser = parse_natural)]
    pub(crate) after: Option<i64>,
    /// Maximum number of events: the newest, or the next ones with --after; 0 for all
    #[arg(long, value_name = "N", default_value_t = 50, allow_negative_numbers = true, value_parser = parse_whole_number::<u32>)]
    pub(crate) limit: u32,
    /// Events of all repositories, not just of this one and of none
    #[arg(long)]
    pub(crate) all_repos: bool,
    /// Also tell the numbers of events, epochs, whole ids and which commands made them
    #[arg(long)]
    pub(crate) verbose: bool,
    /// Keep running and print new events
    #[arg(long)]
    pub(crate) follow: bool,
}
