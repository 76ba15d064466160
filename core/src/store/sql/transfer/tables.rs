//! The tables that an export holds, column by column.
//!
//! Both databases have these columns under these names; a test compares the list with either
//! schema, so that a column of a later migration cannot be left behind. Columns that a database
//! computes are left out, and so are tables that a migration fills.

use crate::store::sql::statement::{Kind, Statement, kind};

/// A table that an export holds.
#[derive(Debug)]
pub struct TransferTable {
    name: &'static str,
    columns: &'static [TransferColumn],
    key: &'static [&'static str],
    order: &'static str,
    page: Statement,
    count: Statement,
}

/// A column of such a table.
#[derive(Debug)]
pub struct TransferColumn {
    /// Its name, in both databases.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// How a column is selected: JSON as a text, so that a row has texts and numbers alone.
macro_rules! selected {
    ($column:ident json) => {
        concat!("CAST(", stringify!($column), " AS text) AS ", stringify!($column))
    };
    ($column:ident $kind:ident) => {
        stringify!($column)
    };
}

/// Defines [`TRANSFER_TABLES`]. Behind the name of a table stand the columns of its key, the order
/// of its rows, and the condition and limit of a page that begins with a key.
macro_rules! transfer_tables {
    ($(
        $table:ident
        key ($($key:ident $key_kind:ident),+)
        order $order:literal page $from:literal limit $limit:literal
        { $first:ident $first_kind:ident $(, $column:ident $kind:ident)* $(,)? }
    )+) => {
        /// Every table of an export, in the order of its rows there.
        pub static TRANSFER_TABLES: &[TransferTable] = &[$(
            TransferTable {
                name: stringify!($table),
                columns: &[
                    TransferColumn { name: stringify!($first), kind: kind!($first_kind) },
                    $(TransferColumn { name: stringify!($column), kind: kind!($kind) }),*
                ],
                key: &[$(stringify!($key)),+],
                order: $order,
                page: Statement::new(
                    concat!(module_path!(), "::page of ", stringify!($table)),
                    concat!(
                        "SELECT ", selected!($first $first_kind),
                        $(", ", selected!($column $kind),)*
                        " FROM ", stringify!($table), " WHERE ", $from,
                        " ORDER BY ", $order, " LIMIT ", $limit,
                    ),
                    &[$(kind!($key_kind),)+ Kind::Integer],
                ),
                count: Statement::new(
                    concat!(module_path!(), "::count of ", stringify!($table)),
                    concat!("SELECT count(*) AS exported FROM ", stringify!($table)),
                    &[],
                ),
            }
        ),+];
    };
}

transfer_tables! {
    trueup_meta key (key text) order "key" page "key >= ?1" limit "?2" { key text, value text }

    claude_sessions
    key (session_id text) order "session_id" page "session_id >= ?1" limit "?2"
    {
        session_id text, metadata json, repo text, worktree text, host text, pid int,
        pid_started int, boot_id text, status text, ended_reason text, predecessor text,
        registered_at text, heartbeat_at text, lease_expires_at text, silent_until text,
        revision int, acknowledged_revision int, swept int, last_actor text, last_reason text,
        last_op text, machine_id text, pid_namespace text, moved_revision int,
        delivered_from text,
    }

    work_items
    key (key text) order "key" page "key >= ?1" limit "?2"
    {
        key text, title text, kind text, parent text, position int, repo text, status text,
        phase text, holder text, claim_epoch int, claimed_at text, error_message text,
        evidence text, revision int, created_at text, updated_at text, completed_at text,
        last_actor text, last_reason text, last_op text, requires_evidence int,
        open_dependencies int, reopened int, under_epoch int, priority int, description text,
        extra text,
    }

    item_dependencies
    key (item text, depends_on text) order "item, depends_on"
    page "(item, depends_on) >= (?1, ?2)" limit "?3"
    { item text, depends_on text }

    phase_queue
    key (rowid int) order "rowid" page "rowid >= ?1" limit "?2"
    {
        rowid int, queue_id text, item text, issue_number int, feature_id int, phase_number int,
        current_phase text, status text, depends_on_phases text, phase_data text,
        assigned_to text, adw_id text, pr_number int, priority int, queue_position int,
        created_at text, updated_at text, completed_at text, ready_timestamp text,
        started_timestamp text, error_message text, blocked_by text, orchestrator text,
        revision int, reopened int, under_epoch int, last_actor text, last_reason text,
        last_op text, is_over int,
    }

    plans
    key (plan_id text) order "plan_id" page "plan_id >= ?1" limit "?2"
    {
        plan_id text, path text, title text, extra text, revision int, created_at text,
        updated_at text,
    }

    plan_tasks
    key (plan_id text, id text) order "plan_id, id"
    page "(plan_id, id) >= (?1, ?2)" limit "?3"
    {
        plan_id text, id text, phase_number int, phase_title text, title text, status text,
        priority text, position int, depends_on text, extra text, started_at text,
        completed_at text, error text, skip_reason text, retry_count int, stuck int,
        orchestrator text, session text, started_by text, revision int, reopened int,
        updated_at text, last_actor text, last_reason text, last_op text,
    }

    orchestrators
    key (id text) order "id" page "id >= ?1" limit "?2"
    {
        id text, plan_id text, session_id text, host text, pid int, pid_started int,
        boot_id text, supervised int, status text, started_at text, heartbeat_at text,
        stopped_at text, exit_code int, signal int, reason text, epoch int, revision int,
        machine_id text, pid_namespace text,
    }

    handoffs
    key (rowid int) order "rowid" page "rowid >= ?1" limit "?2"
    {
        rowid int, id text, type text, status text, item text, from_session text,
        to_session text, repo text, worktree text, branch text, phase text, task text,
        epoch int, summary text, deliverables text, decisions text, known_issues text,
        resources text, actions text, created_at text, decided_at text, decided_by text,
        reject_reason text, shown_at text, told_at text, revision int,
    }

    port_reservations
    key (host text, id text) order "host, id" page "(host, id) >= (?1, ?2)" limit "?3"
    {
        id text, host text, backend int, frontend int, session text, pid int, pid_started int,
        boot_id text, allocated_at text, machine_id text, pid_namespace text,
    }

    session_tasks
    key (session_id text, task_id text) order "session_id, task_id"
    page "(session_id, task_id) >= (?1, ?2)" limit "?3"
    { session_id text, task_id text, subject text }

    // The empty text behind the slug makes SQLite compare it with its case.
    repos
    key (slug text) order "slug || ''" page "slug || '' >= ?1" limit "?2"
    {
        slug text, passive int, places text, created_at text, updated_at text, synced_at text,
        synced_by text, source_digest text, digest text, redacted int, summary text,
        content text,
    }

    repo_names
    key (identity text) order "identity" page "identity >= ?1" limit "?2"
    { identity text, name text }

    workplan_links
    key (item text) order "item" page "item >= ?1" limit "?2"
    { item text, link text, digest text, planning text, description text }

    access_tokens
    key (name text) order "name" page "name >= ?1" limit "?2"
    {
        name text, role text, digest text, created_at text, created_by text, revoked_at text,
        revoked_by text,
    }

    attention
    key (id text) order "id" page "id >= ?1" limit "?2"
    {
        id text, kind text, session text, item text, repo text, host text, line text,
        command text, content text, raised_at text, ended_at text, ended_by text,
        ended_reason text,
    }

    callers
    key (op_id text) order "op_id" page "op_id >= ?1" limit "?2"
    { op_id text, name text, recorded_at text }

    events
    key (seq int) order "seq" page "seq >= ?1" limit "?2"
    {
        seq int, at text, actor text, entity text, key text, kind text, before json, after json,
        epoch int, reason text, op_id text, via text,
    }
}

/// The name of the table that every database has rows in, an empty one as well.
pub(super) const META_TABLE: &str = "trueup_meta";

impl TransferTable {
    /// The name, the same in both databases.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The columns, in the order of their values.
    pub const fn columns(&self) -> &'static [TransferColumn] {
        self.columns
    }

    /// The column that the database numbers rows in, where it does.
    pub fn number_column(&self) -> Option<&'static str> {
        self.key.first().copied().filter(|key| ["rowid", "seq"].contains(key))
    }

    /// The places of the key's columns.
    pub(super) fn key_places(&self) -> impl Iterator<Item = usize> + '_ {
        let place = |key: &&str| self.columns.iter().position(|column| column.name == *key);
        self.key.iter().filter_map(place)
    }

    /// Selects all rows in the order of an export.
    pub fn select_text(&self) -> String {
        let columns: Vec<String> = self
            .columns
            .iter()
            .map(|TransferColumn { name, kind }| match kind {
                Kind::Json => format!("CAST({name} AS text)"),
                Kind::Text | Kind::Integer => (*name).to_owned(),
            })
            .collect();
        format!("SELECT {} FROM {} ORDER BY {}", columns.join(", "), self.name, self.order)
    }

    /// The names of the columns, for an `INSERT` or a `COPY`.
    pub fn column_list(&self) -> String {
        self.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
    }

    /// Selects the rows from a key on; the last parameter is how many.
    pub(super) const fn page_statement(&self) -> &Statement {
        &self.page
    }

    /// Counts the rows.
    pub(super) const fn count_statement(&self) -> &Statement {
        &self.count
    }
}

/// The statements that read every table by pages.
pub(in crate::store::sql) fn page_statements() -> impl Iterator<Item = &'static Statement> {
    TRANSFER_TABLES.iter().flat_map(|table| [&table.page, &table.count])
}
