//! The table of errors: every error of a command, with its code, its exit code and its hint.
//!
//! A code and a hint are written nowhere else. What a hint promises of its commands is checked by
//! a suite that brings each error about and runs them (`tests/cli/hints.rs`).

use trueup_core::text::CommandLine;

use super::hint::{Advice, Choice, Promise, Said, Word};

/// The answer is no: findings, or an operation that was refused.
pub(crate) const REFUSED: u8 = 1;
/// A command line that makes no sense, or no session.
pub(crate) const USAGE: u8 = 2;
/// The work could not be done.
pub(crate) const UNABLE: u8 = 3;
/// The exit code of shells for a file that is no command.
const NOT_EXECUTABLE: u8 = 126;
/// The exit code of shells for a command that is not there.
const NOT_FOUND: u8 = 127;

/// One row of the table.
#[derive(Debug)]
pub struct ErrorRow {
    /// Its name in the source.
    pub name: &'static str,
    /// The stable word for scripts.
    pub code: &'static str,
    /// The exit code.
    pub exit: u8,
    /// The commands of its hint, with `{…}` for what comes from the state, in order.
    pub commands: &'static [(Promise, &'static str)],
}

macro_rules! errors {
    (@advice says $text:literal) => { Advice::Sentence(format!($text)) };
    (@advice $promise:ident $command:literal $does:literal) => {
        Advice::Command { command: format!($command), does: format!($does) }
    };
    (@promise ends) => { Promise::Ends };
    (@promise runs) => { Promise::Runs };
    (@promise later) => { Promise::Later };
    (@commands [$($done:tt)*]) => { &[$($done)*] };
    (@commands [$($done:tt)*] says $text:literal; $($rest:tt)*) => {
        errors!(@commands [$($done)*] $($rest)*)
    };
    (@commands [$($done:tt)*] $promise:ident $command:literal $does:literal; $($rest:tt)*) => {
        errors!(@commands [$($done)* (errors!(@promise $promise), $command),] $($rest)*)
    };
    ($(
        $(#[$doc:meta])*
        $name:ident $({ $($field:ident: $kind:ty),+ })? => $exit:ident $code:literal {
            $( $promise:ident $text:literal $($does:literal)?; )+
        }
    )+) => {
        /// An error, with what its hint names.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub(crate) enum ErrorCase {
            $( $(#[$doc])* $name $({ $($field: $kind),+ })?, )+
        }

        impl ErrorCase {
            /// Returns its row.
            pub(crate) const fn row(&self) -> &'static ErrorRow {
                match self {
                    $( Self::$name { .. } => &ErrorRow {
                        name: stringify!($name),
                        code: $code,
                        exit: $exit,
                        commands: errors!(@commands [] $($promise $text $($does)?;)+),
                    }, )+
                }
            }

            /// Returns the pieces of its hint.
            pub(super) fn advice(&self) -> Vec<Advice> {
                match self {
                    $( Self::$name $({ $($field),+ })? => vec![
                        $( errors!(@advice $promise $text $($does)?) ),+
                    ], )+
                }
            }
        }

        /// The table.
        pub const ERRORS: &[ErrorRow] = &[
            $( ErrorRow {
                name: stringify!($name),
                code: $code,
                exit: $exit,
                commands: errors!(@commands [] $($promise $text $($does)?;)+),
            }, )+
        ];
    };
}

errors! {
    // Command lines.

    /// The command line makes no sense.
    Usage { help: CommandLine } => USAGE "usage" {
        runs "{help}" "shows how it is called";
    }
    /// A variable of the environment makes no sense.
    Variable { name: Said } => USAGE "usage" {
        says "unset {name}, or mend its value";
    }
    /// No span of retention is that short.
    KeepTooShort => USAGE "usage" {
        runs "trueup db prune --keep 1d --dry-run" "shows what the shortest would remove";
    }
    /// A time that is none.
    BadTime => USAGE "usage" {
        says "a time is written 2026-02-02T03:00:00Z, 2026-02-02T04:00:00+01:00 or 2026-02-02, \
              and how long ago 90s, 30m, 2h, 1h30m, 1d or 1w";
    }
    /// An operation id that was used for something else.
    OperationIdUsed => REFUSED "op_id_used" {
        says "give every change an id of its own";
    }

    // Whom a command speaks for.

    /// No session was named, and none can be told.
    NoSession => USAGE "no_session" {
        runs "trueup sessions list" "shows the sessions";
        says "name one with --session ID, or run this inside Claude Code";
    }
    /// An id is the beginning of several.
    AmbiguousId => USAGE "ambiguous_id" {
        runs "trueup sessions list" "shows the sessions";
        says "write more of the id";
    }
    /// The session has ended, and no command brings it back.
    SessionEnded { session: Word } => REFUSED "session_ended" {
        ends "claude --resume {session}" "takes it up again";
        runs "trueup sessions show {session}" "reads it";
    }
    /// The session is not registered.
    PhantomSession => REFUSED "phantom_session" {
        runs "trueup sessions list" "shows those that are registered";
        says "a session registers itself when Claude Code starts with the plugin";
    }

    // The configuration and the database.

    /// The configuration cannot be read.
    Configuration => UNABLE "config" {
        says "mend what is named, or remove it for the default";
    }
    /// The URL names no database that this build reads.
    DatabaseUrl => UNABLE "store_unavailable" {
        says "set TRUEUP_DATABASE_URL to sqlite:/path, or remove it for the default";
    }
    /// There is no database yet.
    DatabaseMissing => UNABLE "store_missing" {
        ends "trueup db migrate" "creates it";
        says "so does the first session of Claude Code";
    }
    /// The database cannot be reached.
    DatabaseUnavailable => UNABLE "store_unavailable" {
        says "check that the path exists, is yours and has space";
    }
    /// Others kept the database busy.
    DatabaseContended => UNABLE "store_contended" {
        says "try again; TRUEUP_DEADLINE_MS raises the limit";
    }
    /// A newer trueup wrote the database.
    SchemaTooNew => UNABLE "schema_too_new" {
        says "a newer trueup wrote it: upgrade this one (install/install.sh)";
    }
    /// The database is damaged, or not trueup's.
    DatabaseCorrupt => UNABLE "store_corrupt" {
        says "nothing was changed; put a backup in its place with trueup db restore, or name \
              another database in TRUEUP_DATABASE_URL";
    }
    /// Somebody was faster.
    Conflict => REFUSED "conflict" {
        says "it was changed meanwhile: look again, and repeat the command";
    }
    /// The database's rules forbid it.
    Denied => REFUSED "denied" {
        says "nothing was changed";
    }
    /// The request makes no sense to the store.
    Invalid => REFUSED "invalid" {
        says "nothing was changed; write it otherwise";
    }
    /// A copy cannot be written.
    CopyUnwritable => UNABLE "io" {
        says "name a file in a folder that exists, is yours and has space";
    }
    /// A copy cannot be put in the database's place.
    CopyUnusable => UNABLE "copy_unusable" {
        says "nothing was changed; name a file that trueup db backup made";
    }
    /// Another process has the database open.
    DatabaseInUse => REFUSED "database_in_use" {
        says "nothing was changed; end what uses it, such as trueup-hub, trueup log --follow or \
              sqlite3, and try again";
    }

    // Files.

    /// A file cannot be read or written.
    File => UNABLE "io" {
        says "check that file and folder are there and yours, and that there is space";
    }
    /// Trueup's own directory cannot be written.
    DataDirectory => UNABLE "io" {
        says "check that trueup's data directory is yours and has space";
    }
    /// The journal cannot be written.
    JournalUnwritable => UNABLE "journal_unwritable" {
        says "check that trueup's data directory is yours and has space";
    }
    /// The journal cannot be read.
    JournalUnreadable => UNABLE "journal_unreadable" {
        says "check that the file is yours; moved away, a new one is begun";
    }
    /// The journal has no such entry.
    EntryNotFound => REFUSED "entry_not_found" {
        runs "trueup journal list" "shows the entries";
    }
    /// Others keep a file busy.
    FileBusy => UNABLE "file_busy" {
        says "try again; TRUEUP_DEADLINE_MS raises the limit";
    }
    /// A fault of trueup itself.
    Internal => UNABLE "internal" {
        says "this is a fault of trueup; please report it";
    }

    // Items and claims.

    /// There is no such item.
    ItemNotFound => REFUSED "item_not_found" {
        runs "trueup item list" "shows the items";
    }
    /// There is no such item, and a claim may make it.
    ItemToClaimNotFound { item: Word } => REFUSED "item_not_found" {
        ends "trueup claim {item} --create" "adds it and takes it";
    }
    /// There is no such item, to which something is to be added.
    ItemToAddToNotFound { item: Word } => REFUSED "item_not_found" {
        ends "trueup item add {item}" "adds it";
    }
    /// The item exists.
    ItemExists { item: Word } => REFUSED "item_exists" {
        runs "trueup item show {item}" "shows it";
    }
    /// The item that is to be claimed is finished.
    ItemFinished { item: Word } => REFUSED "item_finished" {
        ends "trueup item reopen {item} --reason again" "begins it again";
        runs "trueup item show {item}" "shows how it ended";
    }
    /// A session that lives holds the item.
    HeldByLive { command: CommandLine, at: Said, condition: Said } =>
        REFUSED "held_by_live_session" {
        later "{command}" "takes it when it becomes free, at {at}, if {condition}";
    }
    /// A session that may live holds the item.
    HeldBySilent { command: CommandLine, at: Said, condition: Said } =>
        REFUSED "held_by_silent_session" {
        later "{command}" "takes it when it becomes free, at {at}, if {condition}";
    }
    /// The holder gave a sign of life too lately for force.
    TakeoverNotAllowed { command: CommandLine, at: Said, condition: Said } =>
        REFUSED "takeover_not_allowed" {
        later "{command}" "takes it when it becomes free, at {at}, if {condition}";
    }
    /// The claim was lost, and the item has another epoch.
    ClaimLost { item: Word } => REFUSED "stale_epoch" {
        runs "trueup item show {item}" "shows who holds it";
    }
    /// The claim of the session that speaks was lost.
    OwnClaimLost => REFUSED "stale_epoch" {
        runs "trueup status" "shows what this session holds";
    }
    /// The session holds nothing to release.
    NothingHeld => REFUSED "not_holder" {
        runs "trueup status" "shows what this session holds";
    }
    /// The session holds nothing to hand on.
    NothingToHandOn => REFUSED "not_holder" {
        runs "trueup next" "shows what could be claimed";
    }
    /// Somebody else holds the item, or nobody.
    NotHolder { item: Word } => REFUSED "not_holder" {
        runs "trueup item show {item}" "shows who holds it";
    }
    /// A person releases what a session holds that lives or may live.
    HeldByOther { item: Word, holder: Word } => REFUSED "not_holder" {
        runs "trueup release {item} --session {holder}" "speaks for that session";
    }
    /// There is no work to interrupt.
    NoItem => REFUSED "no_item" {
        runs "trueup next" "shows what could be claimed";
        says "only work on an item that was taken with trueup claim can be interrupted";
    }
    /// Unfinished work is not given up unasked.
    HoldsUnfinished { item: Word, next: Word, give_up: CommandLine } =>
        REFUSED "holds_unfinished" {
        ends "trueup item transition {item} completed" "finishes it";
        runs "{give_up}" "leaves it to others and takes {next}";
    }
    /// Unfinished work that is finished with evidence only is not given up unasked.
    HoldsUnproven { item: Word, next: Word, give_up: CommandLine } =>
        REFUSED "holds_unfinished" {
        says "trueup item transition {item} completed --evidence REF finishes it";
        runs "{give_up}" "leaves it to others and takes {next}";
    }
    /// No item is of that kind.
    KindNotFound { kinds: Said } => REFUSED "kind_not_found" {
        runs "trueup item list --all-repos" "shows the items";
        says "kinds there are: {kinds}";
    }
    /// An item does not depend on another.
    NotDependent { item: Word } => REFUSED "not_dependent" {
        runs "trueup item show {item}" "shows what it depends on";
    }
    /// New dependencies would close a circle.
    DependencyCycle => REFUSED "dependency_cycle" {
        says "each waits for the next, a parent for its children; leave one of them out";
    }
    /// A new parent would close a circle.
    ParentCycle { item: Word } => REFUSED "dependency_cycle" {
        runs "trueup item show {item}" "shows what it waits for";
    }
    /// Something needs the item that is to be removed.
    ItemInUse { item: Word } => REFUSED "item_in_use" {
        runs "trueup item transition {item} cancelled" "puts it away";
    }
    /// Something needs the item that is to be removed, and it cannot be put away either.
    ItemStays { item: Word } => REFUSED "item_in_use" {
        runs "trueup item show {item}" "shows how it stands";
    }
    /// Nothing leads from the item's status to that one.
    IllegalMove { item: Word } => REFUSED "illegal_transition" {
        runs "trueup item reopen {item} --reason again" "leads back to the start, and nothing else";
    }
    /// The item was not begun.
    NothingToReopen { item: Word } => REFUSED "illegal_transition" {
        runs "trueup item show {item}" "shows how it stands";
    }
    /// What the item waits for is open.
    DependenciesOpen { item: Word } => REFUSED "dependencies_open" {
        runs "trueup item show {item}" "shows what it waits for";
        says "it becomes ready by itself when that is completed";
    }
    /// The item is completed with evidence only.
    EvidenceRequired => REFUSED "evidence_required" {
        says "name what proves it, with --evidence REF";
    }

    // Hand-offs.

    /// Copies disagree.
    NotConsistent { ways: Choice } => REFUSED "not_consistent" {
        ends "{ways}" "ends what keeps this from being handed on";
    }
    /// Copies disagree, and no command ends it.
    NotConsistentForGood => REFUSED "not_consistent" {
        says "nothing is handed on while copies disagree";
    }
    /// The item is handed on already.
    HandoffOpen { handoff: Word } => REFUSED "handoff_open" {
        ends "trueup handoff reject {handoff} --reason withdrawn" "withdraws it";
    }
    /// Whoever hands on does not hand on to itself.
    HandoffToItself => REFUSED "handoff_to_itself" {
        says "without --to it is for whoever takes it";
    }
    /// There is no such hand-off.
    HandoffNotFound => REFUSED "handoff_not_found" {
        runs "trueup handoff list" "shows those that wait";
    }
    /// The hand-off was accepted or rejected.
    HandoffDecided { handoff: Word } => REFUSED "handoff_decided" {
        runs "trueup handoff show {handoff}" "says by whom";
    }
    /// The hand-off is another session's.
    HandoffNotAddressed { handoff: Word } => REFUSED "not_addressed" {
        runs "trueup handoff show {handoff}" "says whose it is";
    }
    /// Who made a hand-off does not accept it.
    OwnHandoff { handoff: Word } => REFUSED "own_handoff" {
        runs "trueup handoff reject {handoff} --reason withdrawn" "withdraws it";
    }
    /// The item of a hand-off is gone.
    HandoffItemNotFound { handoff: Word } => REFUSED "item_not_found" {
        runs "trueup handoff reject {handoff} --reason gone" "puts it away";
    }
    /// The item of a hand-off is finished.
    HandoffItemFinished { handoff: Word } => REFUSED "item_finished" {
        runs "trueup handoff reject {handoff} --reason finished" "puts it away";
    }
    /// The sender of a hand-off lost the item.
    HandoffOutlived { handoff: Word } => REFUSED "stale_epoch" {
        runs "trueup handoff reject {handoff} --reason outlived" "puts it away";
        says "ask for a new one";
    }

    // Phases of items.

    /// There is no such phase.
    PhaseNotFound => REFUSED "phase_not_found" {
        runs "trueup queue list" "shows the phases";
    }
    /// The item has phases.
    PhasesExist { item: Word } => REFUSED "phases_exist" {
        runs "trueup queue list --item {item}" "shows them";
    }
    /// A dependency names a phase that is not among those to be added.
    PhaseToDependOnNotFound => REFUSED "phase_not_found" {
        runs "trueup queue add --help" "shows how dependencies are written";
    }
    /// Dependencies of phases close a circle.
    PhaseCycle => REFUSED "dependency_cycle" {
        runs "trueup queue add --help" "shows how dependencies are written";
    }
    /// Another session holds the item of a phase.
    PhaseHeld => REFUSED "not_holder" {
        runs "trueup queue next" "finds a phase that is free";
    }
    /// The item of a phase was taken over.
    PhaseTakenOver => REFUSED "stale_epoch" {
        runs "trueup status" "shows what this session holds";
        says "what was done stays where it is";
    }
    /// Nothing leads from the phase's status to that one.
    IllegalStep { item: Word } => REFUSED "illegal_transition" {
        runs "trueup queue list --item {item}" "shows how its phases stand";
    }
    /// Only a reopening leads on from the phase's status.
    PhaseOver { phase: Word } => REFUSED "illegal_transition" {
        runs "trueup queue reopen {phase} --reason again" "begins it again";
    }
    /// Another phase blocks this one.
    PhaseBlocked { by: Word } => REFUSED "illegal_transition" {
        runs "trueup queue reopen {by} --reason again" "begins what blocks it again";
    }
    /// The phase was started too often of late.
    TooManyStarts { item: Word } => REFUSED "retry_limit" {
        runs "trueup log --item {item}" "shows why it does not come to an end";
    }

    // Metadata files of workflows.

    /// There is no such file.
    MetadataNotFound { id: Word } => REFUSED "metadata_not_found" {
        ends "trueup meta set {id} adw_id={id}" "makes it";
    }
    /// A field is the database's.
    FieldOfDatabase => REFUSED "database_owned" {
        runs "trueup queue list" "shows what the database has";
    }
    /// The file has no such field.
    FieldNotFound { id: Word } => REFUSED "field_not_found" {
        runs "trueup meta get {id}" "shows all";
    }
    /// The id in a file is that of its folder.
    IdMismatch => REFUSED "id_mismatch" {
        says "a workflow of another id has a folder of its own";
    }
    /// A phase lacks what it needs.
    PhaseContract => REFUSED "phase_contract" {
        says "trueup meta set gives a workflow what it lacks, as FIELD=VALUE";
    }
    /// A phase names a workflow that cannot be one.
    PhaseWorkflow => REFUSED "phase_contract" {
        says "its adw_id names no file; add its item's phases anew with --adw ID";
    }
    /// A file does not parse.
    MetadataCorrupt => UNABLE "metadata_corrupt" {
        says "the file was left as it is; mend that line";
    }
    /// A file is a link.
    MetadataSymlink => UNABLE "metadata_symlink" {
        says "put the file itself in its place";
    }
    /// Others keep a file busy.
    MetadataBusy => UNABLE "metadata_busy" {
        says "try again; TRUEUP_DEADLINE_MS raises the limit";
    }

    // Plans.

    /// There is no plan at all.
    NoPlans => USAGE "usage" {
        says "trueup plan import takes one in from its file";
    }
    /// No plan is named, and there are several.
    SeveralPlans => USAGE "usage" {
        runs "trueup plan list" "shows them";
        says "name one with --plan or TRUEUP_PLAN";
    }
    /// There is no such plan.
    PlanNotFound { plans: Said } => REFUSED "plan_not_found" {
        runs "trueup plan list" "shows the plans";
        says "there are: {plans}";
    }
    /// There is no such plan, nor any.
    PlanOfNoneNotFound => REFUSED "plan_not_found" {
        says "trueup plan import takes one in from its file";
    }
    /// A file holds no task.
    NoTasks => REFUSED "no_plan" {
        says "a plan has headings such as \"## Phase 1: Name\" and, below them, lines such as \
              \"- [ ] 1.1 Title\"";
    }
    /// A plan's file cannot be read.
    PlanUnreadable => UNABLE "plan_unreadable" {
        says "nothing was changed; name a file of text that is there and yours";
    }
    /// A file is no status file.
    NoStatusFile => UNABLE "plan_unreadable" {
        says "nothing was changed; a status.json has a list \"tasks\"";
    }
    /// There is no such task.
    TaskNotFound { plan: Word } => REFUSED "task_not_found" {
        runs "trueup plan status {plan}" "shows the tasks";
    }
    /// Somebody else works on the task.
    TaskInProgress { task: Word, plan: Word } => REFUSED "already_in_progress" {
        ends "trueup plan fail {task} --plan {plan} --error abandoned && \
              trueup plan retry {task} --plan {plan}" "puts it back, if nobody works on it";
    }
    /// Somebody else works on the task, which was tried again as often as may be.
    TaskInProgressAtLast { plan: Word } => REFUSED "already_in_progress" {
        runs "trueup plan status {plan}" "shows the tasks";
    }
    /// The task failed, and may be tried again.
    TaskFailed { task: Word, plan: Word } => REFUSED "illegal_transition" {
        ends "trueup plan retry {task} --plan {plan}" "puts it back";
    }
    /// The task failed, and was tried again as often as may be.
    TaskFailedForGood { task: Word, plan: Word } => REFUSED "illegal_transition" {
        runs "trueup plan skip {task} --plan {plan} --reason unsolved" "lets others go on without it";
    }
    /// Nothing leads from the task's status to that one.
    IllegalTaskStep { plan: Word } => REFUSED "illegal_transition" {
        runs "trueup plan status {plan}" "shows where its tasks stand";
    }
    /// The task was tried again as often as may be.
    RetriesSpent { task: Word, plan: Word } => REFUSED "retry_limit" {
        runs "trueup plan skip {task} --plan {plan} --reason unsolved" "lets others go on without it";
        says "put what is left to do into the plan as a new task, and import it again";
    }

    // Orchestrators.

    /// Somebody runs the plan.
    PlanRunning { run: Word } => REFUSED "plan_already_running" {
        ends "trueup orchestrator stop {run}" "ends it";
    }
    /// There is no such orchestrator.
    OrchestratorNotFound => REFUSED "orchestrator_not_found" {
        runs "trueup orchestrator list" "shows them";
    }
    /// The run is over.
    OrchestratorEnded { plan: Word } => REFUSED "orchestrator_ended" {
        runs "trueup orchestrator register {plan}" "begins again";
    }
    /// The run is over, and its plan is another's or gone.
    OrchestratorReplaced => REFUSED "orchestrator_ended" {
        runs "trueup orchestrator list" "shows who runs what now";
    }
    /// The process that asked for a run is gone.
    Orphaned => UNABLE "orphaned" {
        says "nothing was run; begin again with trueup orchestrator start";
    }
    /// The command of a run before still runs.
    CommandStillRuns => UNABLE "command_still_runs" {
        says "end that command, and start again";
    }
    /// The command of a run is not there.
    CommandNotFound => NOT_FOUND "command_not_found" {
        says "name a program that is in PATH, or its path";
    }
    /// The command of a run is none.
    CommandNotExecutable => NOT_EXECUTABLE "command_not_executable" {
        says "name a file that may be executed";
    }

    // Ports.

    /// Every pair is reserved, or bound by others.
    PoolFull { oldest: Word } => REFUSED "pool_full" {
        ends "trueup ports release {oldest}" "gives the oldest back, if it is no longer needed";
    }
    /// Every pair is bound by what reserved none.
    PoolOccupied => REFUSED "pool_full" {
        says "end what listens on these ports";
    }
    /// Nothing is reserved under the id.
    NotReserved => REFUSED "not_reserved" {
        runs "trueup ports list" "shows who has which ports";
    }

    // Repositories and their states.

    /// There is no such repository.
    RepoNotFound => REFUSED "repo_not_found" {
        runs "trueup repo list" "shows the repositories";
    }
    /// The repository here is not registered.
    RepoUnregistered { path: Word } => REFUSED "repo_not_found" {
        ends "trueup repo add {path}" "registers it";
    }
    /// The repository does not lie on this machine.
    RepoElsewhere { slug: Said } => REFUSED "repo_not_here" {
        runs "trueup repo list" "shows what lies where";
        says "trueup repo add, with its path and --slug {slug}, says where it lies here";
    }
    /// The repository takes no part.
    RepoPassive { path: Word } => REFUSED "repo_passive" {
        ends "trueup repo add {path} --active" "changes that";
    }
    /// The repository's own file says that it takes no part.
    RepoPassiveByFile => REFUSED "repo_passive" {
        says "take passive = true out of its .trueup.toml";
    }
    /// What is to be registered is no git repository.
    NoRepository { path: Word } => REFUSED "not_a_repository" {
        ends "git init {path}" "makes it one";
    }
    /// The directory is registered under another name.
    PathTaken { slug: Word } => REFUSED "already_registered" {
        ends "trueup repo remove {slug}" "frees the directory";
    }
    /// The name is another directory's.
    SlugTaken { slug: Word } => REFUSED "slug_taken" {
        ends "trueup repo remove {slug}" "frees the name";
        says "or give another name with --slug";
    }
    /// The directory is a checkout of a repository that has another name.
    SameRepository { path: Word } => REFUSED "same_repository" {
        runs "trueup repo add {path}" "adds it as a checkout of that one";
        says "repo = \"NAME\" in its .trueup.toml makes it another repository";
    }
    /// No name can be made of the directory's.
    NoSlug => REFUSED "no_slug" {
        says "name it with --slug";
    }
    /// The repository gave no state.
    NoState { slug: Word } => REFUSED "no_state" {
        ends "trueup state sync {slug}" "gives it";
    }
    /// The repository gave no state, and none can be given from here.
    NoStateFromHere => REFUSED "no_state" {
        runs "trueup repo list" "shows what lies where";
        says "trueup state sync gives one, where the repository lies and has a STATE.md";
    }
    /// The repository has no state file.
    NoStateFile => REFUSED "no_state_file" {
        says "write one, or name it in .trueup.toml: state_file = \"…\"";
    }
    /// The state file is none.
    StateUnfit => UNABLE "state_unreadable" {
        says "the state is a Markdown file of at most 4 MiB that git tracks or could track";
    }
    /// The state file holds secrets.
    SecretsFound { slug: Word } => REFUSED "secrets_found" {
        runs "trueup state sync {slug}" "lets them be replaced";
        says "or take them out";
    }

    // The log.

    /// Nothing in the log is of that kind.
    EventKindNotFound => REFUSED "kind_not_found" {
        runs "trueup log" "shows what there is";
    }
    /// Nothing in the log is of that kind of thing.
    EntityNotFound => REFUSED "entity_not_found" {
        runs "trueup log" "shows what there is";
    }
    /// Nothing in the log is by that one.
    ActorNotFound => REFUSED "actor_not_found" {
        runs "trueup log" "shows what there is";
    }
}
