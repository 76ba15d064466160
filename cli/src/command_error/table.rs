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
        runs "{help}" "shows the usage";
    }
    /// A variable of the environment makes no sense.
    Variable { name: Said } => USAGE "usage" {
        says "unset {name}, or correct its value";
    }
    /// No span of retention is that short.
    KeepTooShort => USAGE "usage" {
        runs "trueup db prune --keep 1d --dry-run" "shows what the shortest period would remove";
    }
    /// A time that is none.
    BadTime => USAGE "usage" {
        says "write a time as 2026-02-02T03:00:00Z, 2026-02-02T04:00:00+01:00 or 2026-02-02, \
              or a duration as 90s, 30m, 2h, 1h30m, 1d or 1w";
    }
    /// An operation id that was used for something else.
    OperationIdUsed => REFUSED "op_id_used" {
        says "use a new operation id for every change";
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
        ends "claude --resume {session}" "resumes it";
        runs "trueup sessions show {session}" "shows it";
    }
    /// The session is not registered.
    PhantomSession => REFUSED "phantom_session" {
        runs "trueup sessions list" "shows the registered sessions";
        says "a session is registered when Claude Code starts with the plugin";
    }

    // The configuration and the database.

    /// The configuration cannot be read.
    Configuration => UNABLE "config" {
        says "correct the setting, or remove it to use the default";
    }
    /// The URL names no database that this build reads.
    DatabaseUrl => UNABLE "store_unavailable" {
        says "set TRUEUP_DATABASE_URL to sqlite:/path, or unset it to use the default";
    }
    /// There is no database yet.
    DatabaseMissing => UNABLE "store_missing" {
        ends "trueup db migrate" "creates it";
        says "the first Claude Code session creates it too";
    }
    /// The database cannot be reached.
    DatabaseUnavailable => UNABLE "store_unavailable" {
        says "check that the path exists and is writable, and that the disk has space";
    }
    /// Others kept the database busy.
    DatabaseContended => UNABLE "store_contended" {
        says "try again; TRUEUP_DEADLINE_MS raises the limit";
    }
    /// A newer trueup wrote the database.
    SchemaTooNew => UNABLE "schema_too_new" {
        says "a newer trueup wrote it; upgrade with install/install.sh";
    }
    /// The database is damaged, or not trueup's.
    DatabaseCorrupt => UNABLE "store_corrupt" {
        says "nothing was changed; restore a backup with trueup db restore FILE, or set \
              TRUEUP_DATABASE_URL to another database";
    }
    /// Somebody was faster.
    Conflict => REFUSED "conflict" {
        says "it was changed by someone else; check the current state and try again";
    }
    /// The database's rules forbid it.
    Denied => REFUSED "denied" {
        says "nothing was changed";
    }
    /// The request makes no sense to the store.
    Invalid => REFUSED "invalid" {
        says "nothing was changed; correct the value and try again";
    }
    /// A copy cannot be written.
    CopyUnwritable => UNABLE "io" {
        says "choose a file in an existing, writable directory with enough space";
    }
    /// A copy cannot be put in the database's place.
    CopyUnusable => UNABLE "copy_unusable" {
        says "nothing was changed; use a file created by trueup db backup";
    }
    /// Another process has the database open.
    DatabaseInUse => REFUSED "database_in_use" {
        says "nothing was changed; stop what uses it, such as trueup-hub, trueup log --follow or \
              sqlite3, and try again";
    }

    // Files.

    /// A file cannot be read or written.
    File => UNABLE "io" {
        says "check that the file and its directory exist and are writable, and that the disk has space";
    }
    /// Trueup's own directory cannot be written.
    DataDirectory => UNABLE "io" {
        says "check that trueup's data directory is writable and that the disk has space";
    }
    /// The journal cannot be written.
    JournalUnwritable => UNABLE "journal_unwritable" {
        says "check that trueup's data directory is writable and that the disk has space";
    }
    /// The journal cannot be read.
    JournalUnreadable => UNABLE "journal_unreadable" {
        says "check its permissions, or move it away to start a new one";
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
        says "this is a bug in trueup; please report it";
    }

    // Items and claims.

    /// There is no such item.
    ItemNotFound => REFUSED "item_not_found" {
        runs "trueup item list" "shows the items";
    }
    /// There is no such item, and a claim may make it.
    ItemToClaimNotFound { item: Word } => REFUSED "item_not_found" {
        ends "trueup claim {item} --create" "adds and claims it";
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
        ends "trueup item reopen {item} --reason again" "reopens it";
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
        runs "trueup next" "shows what can be claimed";
    }
    /// Somebody else holds the item, or nobody.
    NotHolder { item: Word } => REFUSED "not_holder" {
        runs "trueup item show {item}" "shows who holds it";
    }
    /// A person releases what a session holds that lives or may live.
    HeldByOther { item: Word, holder: Word } => REFUSED "not_holder" {
        runs "trueup release {item} --session {holder}" "releases it for that session";
    }
    /// There is no work to interrupt.
    NoItem => REFUSED "no_item" {
        runs "trueup next" "shows what can be claimed";
        says "only work on an item claimed with trueup claim can be interrupted";
    }
    /// Unfinished work is not given up unasked.
    HoldsUnfinished { item: Word, next: Word, give_up: CommandLine } =>
        REFUSED "holds_unfinished" {
        ends "trueup item transition {item} completed" "completes it";
        runs "{give_up}" "gives it up and claims {next}";
    }
    /// Unfinished work that is finished with evidence only is not given up unasked.
    HoldsUnproven { item: Word, next: Word, give_up: CommandLine } =>
        REFUSED "holds_unfinished" {
        says "trueup item transition {item} completed --evidence REF completes it";
        runs "{give_up}" "gives it up and claims {next}";
    }
    /// No item is of that kind.
    KindNotFound { kinds: Said } => REFUSED "kind_not_found" {
        runs "trueup item list --all-repos" "shows the items";
        says "known kinds: {kinds}";
    }
    /// An item does not depend on another.
    NotDependent { item: Word } => REFUSED "not_dependent" {
        runs "trueup item show {item}" "shows what it depends on";
    }
    /// New dependencies would close a circle.
    DependencyCycle => REFUSED "dependency_cycle" {
        says "each waits for the next, and a parent for its children; remove one of them";
    }
    /// A new parent would close a circle.
    ParentCycle { item: Word } => REFUSED "dependency_cycle" {
        runs "trueup item show {item}" "shows its dependencies";
    }
    /// Something needs the item that is to be removed.
    ItemInUse { item: Word } => REFUSED "item_in_use" {
        runs "trueup item transition {item} cancelled" "cancels it instead";
    }
    /// Something needs the item that is to be removed, and it cannot be put away either.
    ItemStays { item: Word } => REFUSED "item_in_use" {
        runs "trueup item show {item}" "shows its status";
    }
    /// Nothing leads from the item's status to that one.
    IllegalMove { item: Word } => REFUSED "illegal_transition" {
        runs "trueup item reopen {item} --reason again" "is the only way back";
    }
    /// The item was not begun.
    NothingToReopen { item: Word } => REFUSED "illegal_transition" {
        runs "trueup item show {item}" "shows its status";
    }
    /// What the item waits for is open.
    DependenciesOpen { item: Word } => REFUSED "dependencies_open" {
        runs "trueup item show {item}" "shows its dependencies";
        says "it becomes ready automatically when they are completed";
    }
    /// The item is completed with evidence only.
    EvidenceRequired => REFUSED "evidence_required" {
        says "add --evidence REF, such as a pull request or a test run";
    }

    // Hand-offs.

    /// Copies disagree.
    NotConsistent { ways: Choice } => REFUSED "not_consistent" {
        ends "{ways}" "resolves the difference";
    }
    /// Copies disagree, and no command ends it.
    NotConsistentForGood => REFUSED "not_consistent" {
        says "the item cannot be handed off until the copies agree";
    }
    /// The item is handed on already.
    HandoffOpen { handoff: Word } => REFUSED "handoff_open" {
        ends "trueup handoff reject {handoff} --reason withdrawn" "withdraws it";
    }
    /// Whoever hands on does not hand on to itself.
    HandoffToItself => REFUSED "handoff_to_itself" {
        says "omit --to to let any session accept it";
    }
    /// There is no such hand-off.
    HandoffNotFound => REFUSED "handoff_not_found" {
        runs "trueup handoff list" "shows the open ones";
    }
    /// The hand-off was accepted or rejected.
    HandoffDecided { handoff: Word } => REFUSED "handoff_decided" {
        runs "trueup handoff show {handoff}" "shows who decided";
    }
    /// The hand-off is another session's.
    HandoffNotAddressed { handoff: Word } => REFUSED "not_addressed" {
        runs "trueup handoff show {handoff}" "shows the receiver";
    }
    /// Who made a hand-off does not accept it.
    OwnHandoff { handoff: Word } => REFUSED "own_handoff" {
        runs "trueup handoff reject {handoff} --reason withdrawn" "withdraws it";
    }
    /// The item of a hand-off is gone.
    HandoffItemNotFound { handoff: Word } => REFUSED "item_not_found" {
        runs "trueup handoff reject {handoff} --reason gone" "closes the hand-off";
    }
    /// The item of a hand-off is finished.
    HandoffItemFinished { handoff: Word } => REFUSED "item_finished" {
        runs "trueup handoff reject {handoff} --reason finished" "closes the hand-off";
    }
    /// The sender of a hand-off lost the item.
    HandoffOutlived { handoff: Word } => REFUSED "stale_epoch" {
        runs "trueup handoff reject {handoff} --reason outlived" "closes the hand-off";
        says "ask the sender for a new one";
    }

    // Phases of items.

    /// There is no such phase.
    PhaseNotFound => REFUSED "phase_not_found" {
        runs "trueup queue list" "shows the phases";
    }
    /// The item has phases.
    PhasesExist { item: Word } => REFUSED "phases_exist" {
        runs "trueup queue list --item {item}" "shows its phases";
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
        runs "trueup queue next" "shows a phase that is free";
    }
    /// The item of a phase was taken over.
    PhaseTakenOver => REFUSED "stale_epoch" {
        runs "trueup status" "shows what this session holds";
        says "work already done is kept";
    }
    /// Nothing leads from the phase's status to that one.
    IllegalStep { item: Word } => REFUSED "illegal_transition" {
        runs "trueup queue list --item {item}" "shows the status of its phases";
    }
    /// Only a reopening leads on from the phase's status.
    PhaseOver { phase: Word } => REFUSED "illegal_transition" {
        runs "trueup queue reopen {phase} --reason again" "reopens it";
    }
    /// Another phase blocks this one.
    PhaseBlocked { by: Word } => REFUSED "illegal_transition" {
        runs "trueup queue reopen {by} --reason again" "reopens the phase that blocks it";
    }
    /// The phase was started too often of late.
    TooManyStarts { item: Word } => REFUSED "retry_limit" {
        runs "trueup log --item {item}" "shows why it keeps restarting";
    }

    // Metadata files of workflows.

    /// There is no such file.
    MetadataNotFound { id: Word } => REFUSED "metadata_not_found" {
        ends "trueup meta set {id} adw_id={id}" "creates it";
    }
    /// A field is the database's.
    FieldOfDatabase => REFUSED "database_owned" {
        runs "trueup queue list" "shows the values in the database";
    }
    /// The file has no such field.
    FieldNotFound { id: Word } => REFUSED "field_not_found" {
        runs "trueup meta get {id}" "shows all fields";
    }
    /// The id in a file is that of its folder.
    IdMismatch => REFUSED "id_mismatch" {
        says "a workflow with another id needs its own directory";
    }
    /// A phase lacks what it needs.
    PhaseContract => REFUSED "phase_contract" {
        says "set missing fields with trueup meta set ID FIELD=VALUE";
    }
    /// A phase names a workflow that cannot be one.
    PhaseWorkflow => REFUSED "phase_contract" {
        says "its adw_id has no metadata file; add the item's phases again with --adw ID";
    }
    /// A file does not parse.
    MetadataCorrupt => UNABLE "metadata_corrupt" {
        says "the file was not changed; correct that line";
    }
    /// A file is a link.
    MetadataSymlink => UNABLE "metadata_symlink" {
        says "replace the symlink with the file itself";
    }
    /// Others keep a file busy.
    MetadataBusy => UNABLE "metadata_busy" {
        says "try again; TRUEUP_DEADLINE_MS raises the limit";
    }

    // Plans.

    /// There is no plan at all.
    NoPlans => USAGE "usage" {
        says "trueup plan import FILE imports a plan";
    }
    /// No plan is named, and there are several.
    SeveralPlans => USAGE "usage" {
        runs "trueup plan list" "shows the plans";
        says "choose one with --plan or TRUEUP_PLAN";
    }
    /// There is no such plan.
    PlanNotFound { plans: Said } => REFUSED "plan_not_found" {
        runs "trueup plan list" "shows the plans";
        says "known plans: {plans}";
    }
    /// There is no such plan, nor any.
    PlanOfNoneNotFound => REFUSED "plan_not_found" {
        says "trueup plan import FILE imports a plan";
    }
    /// A file holds no task.
    NoTasks => REFUSED "no_plan" {
        says "a plan has headings such as \"## Phase 1: Name\" and, below them, lines such as \
              \"- [ ] 1.1 Title\"";
    }
    /// A plan's file cannot be read.
    PlanUnreadable => UNABLE "plan_unreadable" {
        says "nothing was changed; choose a readable text file";
    }
    /// A file is no status file.
    NoStatusFile => UNABLE "plan_unreadable" {
        says "nothing was changed; a status.json contains a list \"tasks\"";
    }
    /// There is no such task.
    TaskNotFound { plan: Word } => REFUSED "task_not_found" {
        runs "trueup plan status {plan}" "shows the tasks";
    }
    /// Somebody else works on the task.
    TaskInProgress { task: Word, plan: Word } => REFUSED "already_in_progress" {
        ends "trueup plan fail {task} --plan {plan} --error abandoned && \
              trueup plan retry {task} --plan {plan}" "resets it, if nobody is working on it";
    }
    /// Somebody else works on the task, which was tried again as often as may be.
    TaskInProgressAtLast { plan: Word } => REFUSED "already_in_progress" {
        runs "trueup plan status {plan}" "shows the tasks";
    }
    /// The task failed, and may be tried again.
    TaskFailed { task: Word, plan: Word } => REFUSED "illegal_transition" {
        ends "trueup plan retry {task} --plan {plan}" "resets it";
    }
    /// The task failed, and was tried again as often as may be.
    TaskFailedForGood { task: Word, plan: Word } => REFUSED "illegal_transition" {
        runs "trueup plan skip {task} --plan {plan} --reason unsolved" "lets dependent tasks continue";
    }
    /// Nothing leads from the task's status to that one.
    IllegalTaskStep { plan: Word } => REFUSED "illegal_transition" {
        runs "trueup plan status {plan}" "shows the status of its tasks";
    }
    /// The task was tried again as often as may be.
    RetriesSpent { task: Word, plan: Word } => REFUSED "retry_limit" {
        runs "trueup plan skip {task} --plan {plan} --reason unsolved" "lets dependent tasks continue";
        says "add the remaining work to the plan as a new task, and import it again";
    }

    // Orchestrators.

    /// Somebody runs the plan.
    PlanRunning { run: Word } => REFUSED "plan_already_running" {
        ends "trueup orchestrator stop {run}" "stops it";
    }
    /// There is no such orchestrator.
    OrchestratorNotFound => REFUSED "orchestrator_not_found" {
        runs "trueup orchestrator list" "shows the runs";
    }
    /// The run is over.
    OrchestratorEnded { plan: Word } => REFUSED "orchestrator_ended" {
        runs "trueup orchestrator register {plan}" "starts a new run";
    }
    /// The run is over, and its plan is another's or gone.
    OrchestratorReplaced => REFUSED "orchestrator_ended" {
        runs "trueup orchestrator list" "shows the current runs";
    }
    /// The process that asked for a run is gone.
    Orphaned => UNABLE "orphaned" {
        says "nothing was run; start again with trueup orchestrator start";
    }
    /// The command of a run before still runs.
    CommandStillRuns => UNABLE "command_still_runs" {
        says "stop that command and start again";
    }
    /// The command of a run is not there.
    CommandNotFound => NOT_FOUND "command_not_found" {
        says "use a program on PATH, or give its full path";
    }
    /// The command of a run is none.
    CommandNotExecutable => NOT_EXECUTABLE "command_not_executable" {
        says "use an executable file";
    }

    // Ports.

    /// Every pair is reserved, or bound by others.
    PoolFull { oldest: Word } => REFUSED "pool_full" {
        ends "trueup ports release {oldest}" "releases the oldest pair, if it is no longer needed";
    }
    /// Every pair is bound by what reserved none.
    PoolOccupied => REFUSED "pool_full" {
        says "stop the programs that listen on these ports";
    }
    /// Nothing is reserved under the id.
    NotReserved => REFUSED "not_reserved" {
        runs "trueup ports list" "shows the reserved ports";
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
        runs "trueup repo list" "shows the registered directories";
        says "trueup repo add PATH --slug {slug} registers its directory on this machine";
    }
    /// The repository takes no part.
    RepoPassive { path: Word } => REFUSED "repo_passive" {
        ends "trueup repo add {path} --active" "makes it active";
    }
    /// The repository's own file says that it takes no part.
    RepoPassiveByFile => REFUSED "repo_passive" {
        says "remove passive = true from its .trueup.toml";
    }
    /// What is to be registered is no git repository.
    NoRepository { path: Word } => REFUSED "not_a_repository" {
        ends "git init {path}" "creates one";
    }
    /// The directory is registered under another name.
    PathTaken { slug: Word } => REFUSED "already_registered" {
        ends "trueup repo remove {slug}" "frees the directory";
    }
    /// The name is another directory's.
    SlugTaken { slug: Word } => REFUSED "slug_taken" {
        ends "trueup repo remove {slug}" "frees the name";
        says "or choose another name with --slug";
    }
    /// The directory is a checkout of a repository that has another name.
    SameRepository { path: Word } => REFUSED "same_repository" {
        runs "trueup repo add {path}" "adds it as a checkout of that one";
        says "repo = \"NAME\" in its .trueup.toml makes it a separate repository";
    }
    /// No name can be made of the directory's.
    NoSlug => REFUSED "no_slug" {
        says "choose a name with --slug";
    }
    /// The repository gave no state.
    NoState { slug: Word } => REFUSED "no_state" {
        ends "trueup state sync {slug}" "shares it";
    }
    /// The repository gave no state, and none can be given from here.
    NoStateFromHere => REFUSED "no_state" {
        runs "trueup repo list" "shows the registered directories";
        says "run trueup state sync on the machine that has the repository and its STATE.md";
    }
    /// The repository has no state file.
    NoStateFile => REFUSED "no_state_file" {
        says "create it, or set its name in .trueup.toml: state_file = \"…\"";
    }
    /// The state file is none.
    StateUnfit => UNABLE "state_unreadable" {
        says "the state file is a Markdown file of at most 4 MiB that git tracks or can track";
    }
    /// The state file holds secrets.
    SecretsFound { slug: Word } => REFUSED "secrets_found" {
        runs "trueup state sync {slug}" "redacts them";
        says "or remove them from the file";
    }

    // The log.

    /// Nothing in the log is of that kind.
    EventKindNotFound => REFUSED "kind_not_found" {
        runs "trueup log" "shows the latest events";
    }
    /// Nothing in the log is of that kind of thing.
    EntityNotFound => REFUSED "entity_not_found" {
        runs "trueup log" "shows the latest events";
    }
    /// Nothing in the log is by that one.
    ActorNotFound => REFUSED "actor_not_found" {
        runs "trueup log" "shows the latest events";
    }
}
