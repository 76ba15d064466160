//! Errors of items and claims.

use trueup_core::text::CommandLine;

use crate::command_error::hint::{HintPart, HintPromise, HintText, ShellWord};
use crate::command_error::table::{ErrorCase, ErrorRow, REFUSED, error_cases};

error_cases! {
    /// An operation on an item or a claim that was refused.
    ItemCase {
        /// The item does not exist.
        ItemNotFound => REFUSED "item_not_found" {
            runs "trueup item list" "shows the items";
        }
        /// The item to claim does not exist; `--create` would add it.
        ItemToClaimNotFound { item: ShellWord } => REFUSED "item_not_found" {
            ends "trueup claim {item} --create" "adds and claims it";
        }
        /// The item to which something is added does not exist.
        ItemToAddToNotFound { item: ShellWord } => REFUSED "item_not_found" {
            ends "trueup item add {item}" "adds it";
        }
        /// The item exists already.
        ItemExists { item: ShellWord } => REFUSED "item_exists" {
            runs "trueup item show {item}" "shows it";
        }
        /// The item to claim is finished.
        ItemFinished { item: ShellWord } => REFUSED "item_finished" {
            ends "trueup item reopen {item} --reason again" "reopens it";
            runs "trueup item show {item}" "shows how it ended";
        }
        /// A live session holds the item.
        HeldByLive { command: CommandLine, at: HintText, condition: HintText } =>
            REFUSED "held_by_live_session" {
            later "{command}" "takes it from {at} on, if {condition}";
        }
        /// A session that may still be alive holds the item.
        HeldBySilent { command: CommandLine, at: HintText, condition: HintText } =>
            REFUSED "held_by_silent_session" {
            later "{command}" "takes it from {at} on, if {condition}";
        }
        /// The last sign of life of the holder is too recent for `--force`.
        TakeoverNotAllowed { command: CommandLine, at: HintText, condition: HintText } =>
            REFUSED "takeover_not_allowed" {
            later "{command}" "takes it from {at} on, if {condition}";
        }
        /// The claim was lost: the item has another epoch.
        ClaimLost { item: ShellWord } => REFUSED "stale_epoch" {
            runs "trueup item show {item}" "shows who holds it";
        }
        /// The session of the caller lost its claim.
        OwnClaimLost => REFUSED "stale_epoch" {
            runs "trueup status" "shows what this session holds";
        }
        /// The session holds no item to release.
        NothingHeld => REFUSED "not_holder" {
            runs "trueup item list --held" "shows held items";
        }
        /// The session holds no item to hand on.
        NothingToHandOn => REFUSED "not_holder" {
            runs "trueup next" "shows what can be claimed";
        }
        /// Another session holds the item, or none does.
        NotHolder { item: ShellWord } => REFUSED "not_holder" {
            runs "trueup item show {item}" "shows who holds it";
        }
        /// The item to release is held by another session, which is or may be alive.
        HeldByOther { item: ShellWord, holder: ShellWord, until: HintText } =>
            REFUSED "not_holder" {
            runs "trueup release {item} --session {holder}" "releases it for that session";
            says "its lease runs until {until}; once it is dead, a sweep frees the item";
        }
        /// The item to release is held by a session that is dead or has ended.
        HeldByDead { until: HintText } => REFUSED "not_holder" {
            runs "trueup sessions sweep" "frees it once the lease is over, at {until}";
        }
        /// The session holds no item whose work could be interrupted.
        NoItem => REFUSED "no_item" {
            runs "trueup next" "shows what can be claimed";
            says "only work on an item claimed with `trueup claim KEY` can be interrupted";
        }
        /// The held item is unfinished, and `--give-up` was not given.
        HoldsUnfinished { item: ShellWord, next: ShellWord, give_up: CommandLine } =>
            REFUSED "holds_unfinished" {
            ends "trueup item transition {item} completed" "completes it";
            runs "{give_up}" "gives it up and claims {next}";
        }
        /// The held item is unfinished and needs evidence, and `--give-up` was not given.
        HoldsWithoutEvidence { item: ShellWord, next: ShellWord, give_up: CommandLine } =>
            REFUSED "holds_unfinished" {
            says "`trueup item transition {item} completed --evidence REF` completes it";
            runs "{give_up}" "gives it up and claims {next}";
        }
        /// No item has that kind.
        KindNotFound { kinds: HintText } => REFUSED "kind_not_found" {
            runs "trueup item list --all-repos" "shows the items";
            says "known kinds: {kinds}";
        }
        /// The item does not depend on the other one.
        NotDependent { item: ShellWord } => REFUSED "not_dependent" {
            runs "trueup item show {item}" "shows what it depends on";
        }
        /// New dependencies would form a cycle.
        DependencyCycle => REFUSED "dependency_cycle" {
            says "each waits for the next, and a parent for its children; remove one dependency with \
                  `trueup item depend KEY --on KEY --remove`";
        }
        /// A new dependency is that of an item on itself.
        SelfDependency => REFUSED "dependency_cycle" {
            says "name another item";
        }
        /// A new parent would form a cycle.
        ParentCycle { item: ShellWord } => REFUSED "dependency_cycle" {
            runs "trueup item show {item}" "shows its dependencies";
        }
        /// Another row needs the item to remove.
        ItemInUse { item: ShellWord } => REFUSED "item_in_use" {
            runs "trueup item transition {item} cancelled" "cancels it instead";
        }
        /// Another item depends on the item to remove.
        ItemNeeded { item: ShellWord, other: ShellWord } => REFUSED "item_in_use" {
            runs "trueup item depend {other} --on {item} --remove" "takes the dependency away";
        }
        /// Another row needs the item to remove, and the item cannot be cancelled either.
        ItemStays { item: ShellWord } => REFUSED "item_in_use" {
            runs "trueup item show {item}" "shows its status";
        }
        /// The item cannot change from its status to that one.
        IllegalMove { item: ShellWord } => REFUSED "illegal_transition" {
            runs "trueup item reopen {item} --reason again" "is the only way back";
        }
        /// The item is not finished, so there is nothing to reopen.
        NothingToReopen { item: ShellWord } => REFUSED "illegal_transition" {
            runs "trueup item show {item}" "shows its status";
        }
        /// Dependencies of the item are not completed.
        DependenciesOpen { item: ShellWord } => REFUSED "dependencies_open" {
            runs "trueup item show {item}" "shows its dependencies";
            says "it becomes ready automatically when they are completed";
        }
        /// The item can be completed only with evidence.
        EvidenceRequired => REFUSED "evidence_required" {
            says "add --evidence REF, such as a pull request or a test run";
        }
    }
}
