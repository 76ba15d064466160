//! Repositories on this machine: registration, names, and the delivery of their state.
//!
//! A repository has one main path on a machine and any number of further checkouts. A path belongs
//! to one repository, and clones of one remote are one repository. A machine stands for one data
//! directory of trueup, so that two users of a host never move each other's repositories.

mod counterpart;
mod identity;
mod machine_name;
mod registration;
mod repo_naming;
mod slug;
mod state_delivery;

pub use counterpart::are_counterparts;
pub use identity::{RepoIdentity, find_owner, list_checkouts, list_other_repos, read_repo_config};
pub use machine_name::{ensure_machine_name, read_machine_name};
pub use registration::{RegisterRefusal, RegisterRepoRequest, register_repo};
pub use repo_naming::{
    NamingContext, assign_repo_name, find_repo_name, list_naming_keys, load_repo_name,
    may_keep_name, record_repo_name,
};
pub use slug::slug_from_path;
pub use state_delivery::{
    CacheDelivery, CacheOutcome, PublishedState, StateError, StateFile, cache_path, deliver_state,
    deliver_to_all, describe_lines, publish_state,
};
