// A made-up team: twenty agents on three machines, with everything that the dashboard can show.

const MINUTE = 60_000;
const HOSTS = ['build-1', 'ana-mbp', 'ci-runner-4'];
const REPOS = ['github.com/acme/checkout', 'github.com/acme/ledger', 'github.com/acme/web'];
const PHASES = ['LEAD', 'PLAN', 'EXEC'];
const TITLES = [
  'Refunds keep the original currency', 'Idempotency keys for the payment API', 'Ledger export in camt.053',
  'Retry queue for failed webhooks', 'Cart survives a change of region', 'Rate limits by tenant',
  'Move sessions to signed cookies', 'Split settlement from capture', 'Nightly balance check',
  'Search by invoice number', 'Dark theme for receipts', 'Audit trail of price changes',
  'Drop support for TLS 1.1', 'Chargeback evidence upload', 'Two-person approval of payouts',
  'Bulk import of tax rates', 'Metrics of the outbox', 'Streaming CSV for large reports',
  'Fewer queries on the order page', 'Sandbox for partners', 'Locale of amounts on mobile',
  'Expire abandoned carts', 'Replay of a day of events', 'Health page for the status site',
  'Feature flags by region', 'Consistent rounding in totals', 'Backfill of merchant ids', 'Archive old statements',
];

/** Numbers that look random and are the same each time. */
export function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export function sessionId(number) {
  const hex = (Math.imul(number + 7, 2654435761) >>> 0).toString(16).padStart(8, '0');
  return `${hex}-5a1c-4e0b-9d3f-${String(number).padStart(12, '0')}`;
}

export function makeEvent(world, event) {
  world.seq += 1;
  return {
    seq: world.seq, at: event.at ?? new Date().toISOString(), actor: 'user', via: null, entity: 'item', key: '',
    kind: 'changed', before: null, after: null, epoch: null, reason: null, op_id: `op-${world.seq}`, ...event,
  };
}

/** Makes the world of the pictures. */
export function demoWorld(now = Date.now()) {
  const random = randomNumbers(41);
  const world = emptyWorld();
  const ago = (minutes) => new Date(now - minutes * MINUTE).toISOString();
  const states = ['live', 'live', 'live', 'waiting', 'live', 'live', 'live', 'stale', 'live', 'live', 'live', 'waiting',
    'live', 'live', 'dead', 'live', 'live', 'live', 'live', 'live'];
  states.forEach((state, number) => addSession(world, { number, state, ago, random }));
  TITLES.forEach((title, number) => addItem(world, { title, number, ago, random }));
  writeHistory(world, { now, random });
  addNeeds(world, ago);
  return world;
}

export function emptyWorld() {
  return { seq: 4200, events: [], sessions: new Map(), work: new Map(), needs: new Map(), caller: { name: 'lead', role: 'admin' } };
}

function addSession(world, { number, state, ago, random }) {
  const silent = { live: random() * 1.5, waiting: 3 + random() * 6, stale: 19, dead: 34 }[state];
  const revision = 8 + Math.floor(random() * 40);
  world.sessions.set(sessionId(number), {
    session_id: sessionId(number), host: HOSTS[number % 3], repo: REPOS[Math.floor(number / 3) % 3], branch: null,
    status: state === 'waiting' ? 'idle' : state === 'dead' ? 'lost' : 'active',
    alive: state === 'dead' ? 'dead' : state === 'stale' ? 'unknown' : 'alive', state,
    heartbeat_at: ago(silent), lease_expires_at: ago(silent - 15), item: null, phase: null, task: null, epoch: null,
    revision, acknowledged: number % 7 === 3 ? revision - 2 : revision, registered_at: ago(200 - number * 7),
  });
}

function addItem(world, { title, number, ago, random }) {
  const key = `SD-${String(100 + number * 3)}`;
  const holder = number < 17 ? [...world.sessions.values()][number] : null;
  const status = holder ? (number === 5 ? 'blocked' : 'running') : number < 21 ? 'ready' : number < 24 ? 'queued' : 'completed';
  const phase = holder ? PHASES[number < 2 ? 0 : number < 6 ? 1 : 2] : null;
  const slug = title.toLowerCase().split(' ').slice(0, 3).join('-').replace(/[^a-z0-9-]/g, '');
  const row = {
    key, title, kind: 'task', status, phase, repo: holder?.repo ?? REPOS[number % 3],
    parent: number % 4 === 0 ? 'SD-ORCH-PAYMENTS' : number % 4 === 1 ? 'SD-ORCH-LEDGER' : null, position: number,
    holder: holder?.session_id ?? null, host: holder?.host ?? null, branch: holder ? `feat/${key}-${slug}` : null,
    heartbeat_at: holder?.heartbeat_at ?? null, alive: holder?.alive ?? null,
    lease_expires_at: holder?.lease_expires_at ?? null, epoch: holder ? 1 + Math.floor(random() * 4) : 0,
    acknowledged: holder?.acknowledged ?? null, revision: holder?.revision ?? null, blocked_by: [], blocks: [],
    error_message: number === 5 ? 'needs the sandbox credentials of the bank' : null, why: null,
    command: holder ? `trueup item show ${key}` : status === 'completed' ? `trueup item show ${key}` : `trueup claim ${key}`,
    created_at: ago(1500 - number),
  };
  if (number === 14 || number === 22) {
    row.blocked_by = ['SD-106'];
    world.work.get('SD-106')?.blocks.push(key);
  }
  if (number === 23) row.blocked_by = ['SD-112', 'SD-118'];
  world.work.set(key, row);
  if (holder) Object.assign(holder, { item: key, phase, task: `${slug}: tests`, epoch: row.epoch, branch: row.branch });
}

export function itemFacts(row, changes = {}) {
  return {
    title: row.title, kind: row.kind, parent: row.parent, position: row.position, repo: row.repo, status: row.status,
    phase: row.phase, holder: row.holder, error_message: row.error_message, evidence: null, ...changes,
  };
}

const DOINGS = ['wrote the failing test first', 'tests pass', 'split the migration in two', 'waits for review',
  'found the rounding in one place', 'moved to the new client', 'benchmarks are level'];

function writeHistory(world, { now, random }) {
  const drafts = [];
  const add = (minutes, event) => drafts.push({ ...event, at: new Date(now - minutes * MINUTE).toISOString() });
  for (const row of world.work.values()) {
    const queued = itemFacts(row, { status: 'queued', phase: null, holder: null, error_message: null });
    add(1200 - row.position, { key: row.key, kind: 'added', after: queued, reason: 'item add' });
    if (!row.holder) continue;
    const began = 8 + random() * 75;
    const first = itemFacts(row, { status: 'running', phase: 'LEAD', error_message: null });
    add(began, { key: row.key, actor: row.holder, kind: 'claimed', before: queued, after: first, epoch: row.epoch, reason: 'next --claim' });
    const steps = PHASES.slice(0, PHASES.indexOf(row.phase) + 1);
    steps.slice(1).forEach((phase, index) => add(began * (0.8 - index * 0.2), {
      key: row.key, actor: row.holder, kind: 'changed', before: { ...first, phase: steps[index] }, after: { ...first, phase }, epoch: row.epoch, reason: `${steps[index]} is done`,
    }));
    if (row.status === 'blocked') add(3, { key: row.key, actor: row.holder, kind: 'status', before: { ...first, phase: row.phase }, after: itemFacts(row), epoch: row.epoch, reason: row.error_message });
  }
  for (const session of world.sessions.values()) {
    const quiet = (now - Date.parse(session.heartbeat_at)) / MINUTE;
    for (let minutes = 61; minutes > quiet; minutes -= 1 + random() * 9) {
      add(minutes, { entity: 'session', key: session.session_id, actor: session.session_id, kind: random() < 0.2 ? 'checkpoint' : 'state',
        before: { currentTask: 'before' }, after: { currentTask: DOINGS[Math.floor(random() * DOINGS.length)], currentSd: session.item } });
    }
    if (session.state === 'dead') add(20, { entity: 'session', key: session.session_id, actor: 'sweep', kind: 'lost', before: { status: 'active' }, after: { status: 'lost' }, reason: 'the process is gone' });
  }
  drafts.sort((a, b) => (a.at < b.at ? -1 : 1));
  world.events = drafts.map((draft) => makeEvent(world, draft));
  for (const event of world.events) if (world.work.has(event.key)) world.work.get(event.key).why = event;
}

function addNeeds(world, ago) {
  const session = (number) => [...world.sessions.values()][number];
  const needs = [
    ['lost_session', 34, 14, 'Session lost with unfinished work on SD-142: the process is gone', 'trueup release SD-142 --session {id}', ['release']],
    ['gate_refusal', 26, 3, 'Refused git push: the branch names SD-109, the session holds SD-112', 'trueup claim SD-109 --session {id}', []],
    ['stale_claim', 19, 7, 'No sign of life for longer than the lease; SD-121 is still held', 'trueup release SD-121 --session {id}', ['release']],
    ['journal_entry', 12, 9, 'An edit of currentPhase came too late: PLAN was rejected, the database says EXEC', 'trueup journal restore 01J9', ['restore_journal', 'drop_journal']],
    ['waits_for_input', 7, 11, 'Waits for input: “May I run the migration against staging?”', 'trueup sessions show {id}', []],
    ['dead_letter', 5, 4, 'A write was refused three times: the claim has a newer epoch', 'trueup outbox retry 01J9QK', ['resend', 'drop_dead_letter']],
    ['repo_unpushed', 2, 1, 'Two workplan commits on ana-mbp are not pushed', 'git -C ~/src/checkout push', []],
  ];
  needs.forEach(([kind, minutes, number, line, command, actions], index) => {
    const of = session(number);
    const why = world.events.findLast((event) => event.key === of.session_id || event.actor === of.session_id) ?? null;
    world.needs.set(`need-${index}`, {
      id: `need-${index}`, kind, since: ago(minutes), session_id: of.session_id, item: of.item, repo: of.repo, host: of.host,
      line, command: command.replace('{id}', of.session_id.slice(0, 8)), why, actions,
    });
  });
}
