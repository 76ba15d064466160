// The overview: fetched whole once, then only what changed, at most four times a second.

import { ApiError, getJson } from './api.js';
import { learnTime, now } from './clock.js';
import { changed, page } from './store.js';

const PAUSE = 250;
const DONE = new Set(['completed', 'failed', 'cancelled']);
const PHASES = ['LEAD', 'PLAN', 'EXEC', 'plan', 'validate', 'build', 'lint', 'test', 'review', 'document', 'ship', 'cleanup', 'verify'];
const STATUSES = ['running', 'blocked', 'ready', 'queued'];

let version = null;
let running = false;
let again = false;
let last = -Infinity;
const needs = new Map();
const work = new Map();

/** The event up to which the overview counts, and since when it has been behind the stream. */
export const reach = { seq: 0, behindSince: null };

/** Fetches the overview now, or soon when it was fetched just now. */
export async function refreshOverview() {
  if (running) {
    again = true;
    return null;
  }
  running = true;
  try {
    const wait = last + PAUSE - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    again = false;
    last = performance.now();
    const answer = await getJson('/api/overview', { since: version });
    apply(answer);
    return answer;
  } finally {
    running = false;
    if (again) refreshOverview().catch(() => {});
  }
}

/** Forgets everything, as after a logout. */
export function forgetOverview() {
  version = null;
  needs.clear();
  work.clear();
  page.sessions.clear();
  page.needs = [];
  page.work = [];
  page.counts = null;
}

/** Says that events up to this one are known, so that an overview without them is behind. */
export function expectReach(seq) {
  if (seq > reach.seq && reach.behindSince === null) reach.behindSince = now();
}

/** Finds an unfinished item, or one of today. */
export function findWork(key) {
  return work.get(key) || null;
}

function apply(answer) {
  if (!answer || typeof answer !== 'object') throw new ApiError(500, 'the hub sent no overview');
  learnTime(answer.as_of);
  if (answer.reset) {
    needs.clear();
    work.clear();
    page.sessions.clear();
  }
  const different = [
    merge(needs, answer.needs_me, 'id'),
    merge(work, answer.work, 'key'),
    merge(page.sessions, answer.sessions, 'session_id'),
  ];
  version = answer.version;
  reach.seq = answer.seq;
  reach.behindSince = null;
  page.caller = answer.caller;
  page.counts = answer.counts;
  if (answer.reset || different[0]) page.needs = [...needs.values()].sort(byAge);
  if (answer.reset || different[1]) page.work = sortWork([...work.values()]);
  if (answer.reset || different.includes(true)) page.version += 1;
  page.stage = 'ready';
  changed();
}

function merge(map, part, id) {
  const { rows = [], removed = [] } = part || {};
  for (const row of rows) map.set(row[id], row);
  for (const key of removed) map.delete(key);
  return rows.length > 0 || removed.length > 0;
}

function byAge(a, b) {
  return compare(a.since, b.since) || compare(a.id, b.id);
}

/** Returns the group of an item: its phase, else its status. */
function groupOf(row) {
  if (DONE.has(row.status)) return { name: 'Finished today', rank: 900 };
  if (row.phase) {
    const known = PHASES.indexOf(row.phase);
    return { name: row.phase, rank: known < 0 ? 90 : known };
  }
  const rank = STATUSES.indexOf(row.status);
  return { name: row.status[0].toUpperCase() + row.status.slice(1), rank: 100 + rank };
}

function sortWork(rows) {
  const placed = rows.map((row) => ({ row, group: groupOf(row) }));
  placed.sort(
    (a, b) =>
      a.group.rank - b.group.rank ||
      compare(a.group.name, b.group.name) ||
      compare(a.row.parent || '', b.row.parent || '') ||
      (a.row.position ?? 1e9) - (b.row.position ?? 1e9) ||
      compare(a.row.key, b.row.key),
  );
  return placed.map(({ row, group }) => ({ ...row, group: group.name }));
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
