-- Tables, views and indexes: those of SQLite, column by column. Flags are 0 and 1 and times are
-- texts in RFC 3339, UTC, with milliseconds, so that one statement serves both databases.

CREATE TABLE trueup.trueup_meta (
    key   trueup.bytewise_text PRIMARY KEY,
    value trueup.bytewise_text NOT NULL
);

CREATE TABLE trueup.claude_sessions (
    session_id            trueup.bytewise_text PRIMARY KEY,
    metadata              jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    repo                  trueup.bytewise_text,
    worktree              trueup.bytewise_text,
    branch                trueup.bytewise_text GENERATED ALWAYS AS (metadata ->> 'branch') STORED,
    state                 jsonb GENERATED ALWAYS AS (trueup.mirrored_state(metadata)) STORED,
    others                jsonb GENERATED ALWAYS AS (trueup.other_metadata(metadata)) STORED,
    host                  trueup.bytewise_text,
    pid                   bigint,
    pid_started           bigint,
    boot_id               trueup.bytewise_text,
    status                trueup.bytewise_text NOT NULL DEFAULT 'active'
                          CHECK (status IN ('active', 'idle', 'ended', 'lost')),
    ended_reason          trueup.bytewise_text,
    predecessor           trueup.bytewise_text,
    registered_at         trueup.bytewise_text NOT NULL DEFAULT trueup.now_text(),
    heartbeat_at          trueup.bytewise_text NOT NULL DEFAULT trueup.now_text(),
    lease_expires_at      trueup.bytewise_text NOT NULL
                          DEFAULT trueup.format_time(trueup.clock() + '900 seconds'),
    silent_until          trueup.bytewise_text,
    revision              bigint NOT NULL DEFAULT 1 CHECK (revision > 0),
    acknowledged_revision bigint NOT NULL DEFAULT 0,
    swept                 bigint NOT NULL DEFAULT 0 CHECK (swept IN (0, 1)),
    last_actor            trueup.bytewise_text,
    last_reason           trueup.bytewise_text,
    last_op               trueup.bytewise_text,
    machine_id            trueup.bytewise_text,
    pid_namespace         trueup.bytewise_text,
    moved_revision        bigint NOT NULL DEFAULT 0
);

CREATE TABLE trueup.work_items (
    key               trueup.bytewise_text PRIMARY KEY
                      CHECK (length(key) BETWEEN 1 AND 200 AND key ~ '^[A-Za-z0-9_:#][A-Za-z0-9._:#-]*$'
                             AND strpos(key, '..') = 0),
    title             trueup.bytewise_text,
    kind              trueup.bytewise_text NOT NULL DEFAULT 'task',
    parent            trueup.bytewise_text REFERENCES trueup.work_items (key),
    position          bigint,
    repo              trueup.bytewise_text,
    status            trueup.bytewise_text NOT NULL DEFAULT 'queued'
                      CHECK (status IN ('queued', 'ready', 'running', 'blocked',
                                        'completed', 'failed', 'cancelled')),
    phase             trueup.bytewise_text,
    holder            trueup.bytewise_text REFERENCES trueup.claude_sessions (session_id),
    claim_epoch       bigint NOT NULL DEFAULT 0 CHECK (claim_epoch >= 0),
    claimed_at        trueup.bytewise_text,
    error_message     trueup.bytewise_text,
    evidence          trueup.bytewise_text,
    revision          bigint NOT NULL DEFAULT 1,
    created_at        trueup.bytewise_text NOT NULL DEFAULT trueup.now_text(),
    updated_at        trueup.bytewise_text NOT NULL DEFAULT trueup.now_text(),
    completed_at      trueup.bytewise_text,
    last_actor        trueup.bytewise_text,
    last_reason       trueup.bytewise_text,
    last_op           trueup.bytewise_text,
    facts             jsonb GENERATED ALWAYS AS (trueup.item_facts(
                          title, kind, parent, position, repo, status, phase, holder,
                          error_message, evidence)) STORED,
    requires_evidence bigint NOT NULL DEFAULT 0 CHECK (requires_evidence IN (0, 1)),
    open_dependencies bigint NOT NULL DEFAULT 0,
    reopened          bigint NOT NULL DEFAULT 0,
    under_epoch       bigint
);

-- The number of an event is given under the lock that all writers take: see take_turn.
CREATE TABLE trueup.events (
    seq    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     trueup.bytewise_text NOT NULL DEFAULT trueup.now_text(),
    actor  trueup.bytewise_text NOT NULL,
    entity trueup.bytewise_text NOT NULL,
    key    trueup.bytewise_text NOT NULL,
    kind   trueup.bytewise_text NOT NULL,
    before jsonb,
    after  jsonb,
    epoch  bigint,
    reason trueup.bytewise_text,
    op_id  trueup.bytewise_text,
    -- Who called, which an actor that a program names does not tell.
    via    trueup.bytewise_text
);

CREATE TABLE trueup.session_tasks (
    session_id trueup.bytewise_text REFERENCES trueup.claude_sessions (session_id),
    task_id    trueup.bytewise_text,
    subject    trueup.bytewise_text NOT NULL,
    PRIMARY KEY (session_id, task_id)
);

-- Filled from the one table in the code; `back` edges are for reopening alone.
CREATE TABLE trueup.legal_transitions (
    entity      trueup.bytewise_text,
    from_status trueup.bytewise_text,
    to_status   trueup.bytewise_text,
    back        bigint NOT NULL,
    PRIMARY KEY (entity, from_status, to_status)
);

CREATE TABLE trueup.item_dependencies (
    item       trueup.bytewise_text REFERENCES trueup.work_items (key),
    depends_on trueup.bytewise_text REFERENCES trueup.work_items (key),
    PRIMARY KEY (item, depends_on),
    CHECK (item <> depends_on)
);

-- rowid is the order in which rows were added, which decides between rows that are alike.
CREATE TABLE trueup.phase_queue (
    rowid             bigint GENERATED ALWAYS AS IDENTITY,
    queue_id          trueup.bytewise_text PRIMARY KEY
                      CHECK (length(queue_id) BETWEEN 1 AND 240
                             AND queue_id ~ '^[A-Za-z0-9_:#][A-Za-z0-9._:#-]*$'
                             AND strpos(queue_id, '..') = 0),
    item              trueup.bytewise_text NOT NULL REFERENCES trueup.work_items (key),
    issue_number      bigint,
    feature_id        bigint,
    parent_issue      bigint GENERATED ALWAYS AS (feature_id) STORED,
    phase_number      bigint NOT NULL CHECK (phase_number BETWEEN 1 AND 2147483647),
    current_phase     trueup.bytewise_text NOT NULL
                      CHECK (current_phase IN ('plan', 'validate', 'build', 'lint', 'test',
                                               'review', 'document', 'ship', 'cleanup', 'verify')),
    status            trueup.bytewise_text NOT NULL DEFAULT 'queued'
                      CHECK (status IN ('queued', 'ready', 'running', 'blocked',
                                        'completed', 'failed', 'cancelled')),
    depends_on_phases trueup.bytewise_text NOT NULL DEFAULT '[]'
                      CHECK (trueup.has_json_type(depends_on_phases, 'array')),
    phase_data        trueup.bytewise_text
                      CHECK (phase_data IS NULL OR trueup.has_json_type(phase_data, 'object')),
    assigned_to       trueup.bytewise_text,
    adw_id            trueup.bytewise_text,
    pr_number         bigint,
    priority          bigint NOT NULL DEFAULT 50,
    queue_position    bigint,
    created_at        trueup.bytewise_text NOT NULL DEFAULT trueup.now_text(),
    updated_at        trueup.bytewise_text NOT NULL DEFAULT trueup.now_text(),
    completed_at      trueup.bytewise_text,
    ready_timestamp   trueup.bytewise_text,
    started_timestamp trueup.bytewise_text,
    error_message     trueup.bytewise_text,
    blocked_by        trueup.bytewise_text,
    orchestrator      trueup.bytewise_text,
    revision          bigint NOT NULL DEFAULT 1,
    reopened          bigint NOT NULL DEFAULT 0,
    under_epoch       bigint,
    last_actor        trueup.bytewise_text,
    last_reason       trueup.bytewise_text,
    last_op           trueup.bytewise_text,
    facts             jsonb GENERATED ALWAYS AS (trueup.phase_facts(
                          current_phase, status, depends_on_phases, phase_data, issue_number,
                          feature_id, assigned_to, adw_id, pr_number, priority, queue_position,
                          error_message, blocked_by, orchestrator)) STORED,
    is_over           bigint NOT NULL DEFAULT 0 CHECK (is_over IN (0, 1)),
    UNIQUE (item, phase_number)
);

CREATE TABLE trueup.plans (
    plan_id    trueup.bytewise_text PRIMARY KEY,
    path       trueup.bytewise_text NOT NULL UNIQUE,
    title      trueup.bytewise_text,
    extra      trueup.bytewise_text NOT NULL DEFAULT '{}'
               CHECK (trueup.parse_json(extra) IS NOT NULL),
    revision   bigint NOT NULL DEFAULT 1,
    created_at trueup.bytewise_text NOT NULL DEFAULT trueup.now_text(),
    updated_at trueup.bytewise_text NOT NULL DEFAULT trueup.now_text()
);

CREATE TABLE trueup.plan_tasks (
    plan_id      trueup.bytewise_text,
    id           trueup.bytewise_text,
    phase_number bigint,
    phase_title  trueup.bytewise_text,
    title        trueup.bytewise_text NOT NULL,
    status       trueup.bytewise_text NOT NULL DEFAULT 'pending'
                 CHECK (status IN ('pending', 'in_progress', 'completed', 'failed', 'skipped')),
    priority     trueup.bytewise_text,
    position     bigint NOT NULL DEFAULT 0,
    depends_on   trueup.bytewise_text NOT NULL DEFAULT '[]'
                 CHECK (trueup.has_json_type(depends_on, 'array')),
    extra        trueup.bytewise_text NOT NULL DEFAULT '{}'
                 CHECK (trueup.parse_json(extra) IS NOT NULL),
    started_at   trueup.bytewise_text,
    completed_at trueup.bytewise_text,
    error        trueup.bytewise_text,
    skip_reason  trueup.bytewise_text,
    retry_count  bigint NOT NULL DEFAULT 0 CHECK (retry_count BETWEEN 0 AND 2),
    stuck        bigint NOT NULL DEFAULT 0,
    orchestrator trueup.bytewise_text,
    session      trueup.bytewise_text,
    started_by   trueup.bytewise_text,
    revision     bigint NOT NULL DEFAULT 1,
    reopened     bigint NOT NULL DEFAULT 0,
    updated_at   trueup.bytewise_text NOT NULL DEFAULT trueup.now_text(),
    last_actor   trueup.bytewise_text,
    last_reason  trueup.bytewise_text,
    last_op      trueup.bytewise_text,
    facts        jsonb GENERATED ALWAYS AS (trueup.plan_task_facts(
                     title, status, phase_number, phase_title, priority, position, depends_on,
                     error, skip_reason, retry_count, stuck, orchestrator, session, started_by,
                     extra)) STORED,
    PRIMARY KEY (plan_id, id)
);

CREATE TABLE trueup.orchestrators (
    id            trueup.bytewise_text PRIMARY KEY,
    plan_id       trueup.bytewise_text NOT NULL,
    session_id    trueup.bytewise_text,
    host          trueup.bytewise_text NOT NULL,
    pid           bigint NOT NULL,
    pid_started   bigint,
    boot_id       trueup.bytewise_text,
    supervised    bigint NOT NULL DEFAULT 0,
    status        trueup.bytewise_text NOT NULL DEFAULT 'running'
                  CHECK (status IN ('running', 'stopping', 'stopped', 'crashed')),
    started_at    trueup.bytewise_text NOT NULL DEFAULT trueup.now_text(),
    heartbeat_at  trueup.bytewise_text NOT NULL DEFAULT trueup.now_text(),
    stopped_at    trueup.bytewise_text,
    exit_code     bigint,
    signal        bigint,
    reason        trueup.bytewise_text,
    epoch         bigint NOT NULL,
    revision      bigint NOT NULL DEFAULT 1,
    machine_id    trueup.bytewise_text,
    pid_namespace trueup.bytewise_text
);

CREATE TABLE trueup.handoffs (
    rowid         bigint GENERATED ALWAYS AS IDENTITY,
    id            trueup.bytewise_text PRIMARY KEY,
    type          trueup.bytewise_text NOT NULL,
    status        trueup.bytewise_text NOT NULL DEFAULT 'pending_acceptance'
                  CHECK (status IN ('pending_acceptance', 'accepted', 'rejected', 'blocked')),
    item          trueup.bytewise_text NOT NULL,
    from_session  trueup.bytewise_text NOT NULL,
    to_session    trueup.bytewise_text CHECK (to_session <> from_session),
    repo          trueup.bytewise_text,
    worktree      trueup.bytewise_text,
    branch        trueup.bytewise_text,
    phase         trueup.bytewise_text,
    task          trueup.bytewise_text,
    epoch         bigint NOT NULL,
    summary       trueup.bytewise_text,
    deliverables  trueup.bytewise_text,
    decisions     trueup.bytewise_text,
    known_issues  trueup.bytewise_text,
    resources     trueup.bytewise_text,
    actions       trueup.bytewise_text,
    created_at    trueup.bytewise_text NOT NULL DEFAULT trueup.now_text(),
    decided_at    trueup.bytewise_text,
    decided_by    trueup.bytewise_text,
    reject_reason trueup.bytewise_text,
    shown_at      trueup.bytewise_text,
    told_at       trueup.bytewise_text,
    revision      bigint NOT NULL DEFAULT 1
);

CREATE TABLE trueup.port_reservations (
    id            trueup.bytewise_text,
    host          trueup.bytewise_text,
    backend       bigint NOT NULL CHECK (backend BETWEEN 9100 AND 9114),
    frontend      bigint NOT NULL CHECK (frontend = backend + 100),
    session       trueup.bytewise_text,
    pid           bigint,
    pid_started   bigint,
    boot_id       trueup.bytewise_text,
    allocated_at  trueup.bytewise_text NOT NULL DEFAULT trueup.now_text(),
    machine_id    trueup.bytewise_text,
    pid_namespace trueup.bytewise_text,
    PRIMARY KEY (host, id),
    UNIQUE (host, backend)
);

CREATE TABLE trueup.repos (
    slug          trueup.bytewise_text PRIMARY KEY
                  CHECK (length(slug) BETWEEN 1 AND 64 AND slug ~ '^[A-Za-z0-9][A-Za-z0-9._-]*$'
                         AND strpos(slug, '..') = 0),
    passive       bigint NOT NULL DEFAULT 0 CHECK (passive IN (0, 1)),
    places        trueup.bytewise_text NOT NULL DEFAULT '{}'
                  CHECK (trueup.has_json_type(places, 'object')),
    created_at    trueup.bytewise_text NOT NULL DEFAULT trueup.now_text(),
    updated_at    trueup.bytewise_text NOT NULL DEFAULT trueup.now_text(),
    synced_at     trueup.bytewise_text,
    synced_by     trueup.bytewise_text,
    source_digest trueup.bytewise_text,
    digest        trueup.bytewise_text,
    redacted      bigint,
    summary       trueup.bytewise_text,
    content       trueup.bytewise_text
);

CREATE TABLE trueup.workplan_links (
    item        trueup.bytewise_text PRIMARY KEY,
    link        trueup.bytewise_text NOT NULL UNIQUE,
    digest      trueup.bytewise_text NOT NULL,
    planning    trueup.bytewise_text NOT NULL CHECK (trueup.has_json_type(planning, 'object')),
    description trueup.bytewise_text NOT NULL
);

CREATE TABLE trueup.repo_names (
    identity trueup.bytewise_text PRIMARY KEY,
    name     trueup.bytewise_text NOT NULL
);

-- The statements that trueup.exchange runs, and no others.
CREATE TABLE trueup.statements (
    digest text PRIMARY KEY,
    name   text NOT NULL,
    text   text NOT NULL,
    writes boolean NOT NULL
);

CREATE VIEW trueup.open_item_dependencies AS
SELECT d.item FROM trueup.item_dependencies d JOIN trueup.work_items w ON w.key = d.depends_on
WHERE w.status <> 'completed';
