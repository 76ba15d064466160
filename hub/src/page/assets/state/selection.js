// Which rows are shown, and which one is selected in each pane.

import { findWork } from './overview.js';
import { address } from './address.js';
import { page } from './store.js';
import { toneOf } from '../text/describe.js';

/** What the feed can be narrowed to: name and label. */
export const FEED_KINDS = [
  ['', 'Everything'],
  ['item', 'Items'],
  ['phase', 'Phases'],
  ['session', 'Sessions'],
  ['plan', 'Plans and tasks'],
  ['handoff', 'Hand-offs'],
  ['attention', 'Needs me'],
  ['trouble', 'Trouble only'],
];

/** Returns the repositories and parents that can be chosen. */
export function listChoices() {
  const repos = new Set();
  const parents = new Set();
  for (const row of page.work) {
    if (row.repo) repos.add(row.repo);
    if (row.parent) parents.add(row.parent);
  }
  for (const row of page.sessions.values()) if (row.repo) repos.add(row.repo);
  for (const row of page.needs) if (row.repo) repos.add(row.repo);
  if (address.repo) repos.add(address.repo);
  if (address.parent) parents.add(address.parent);
  return { repos: [...repos].sort(), parents: [...parents].sort() };
}

/** Says whether anything is filtered. */
export function isFiltered() {
  return Boolean(address.q || address.repo || address.parent);
}

/** Returns a test of rows of work, sessions and needs against the filters. */
export function rowFilter() {
  const { repo, parent } = address;
  const words = wordsOf(address.q);
  return (row) => {
    if (repo && row.repo !== repo) return false;
    if (parent && !isBelow(row, parent)) return false;
    return words.length === 0 || hasWords(textOf(row), words);
  };
}

/** Returns a test of events against the filters. */
export function eventFilter() {
  const { repo, parent, kind } = address;
  const words = wordsOf(address.q);
  return (event) => {
    if (kind && !isOfKind(event, kind)) return false;
    if (repo && factOf(event, 'repo') !== repo) return false;
    if (parent && event.key !== parent && factOf(event, 'parent') !== parent) return false;
    return words.length === 0 || hasWords(eventText(event), words);
  };
}

function isBelow(row, parent) {
  if (row.key === parent || row.parent === parent) return true;
  const item = findWork(row.item);
  return item !== null && (item.key === parent || item.parent === parent);
}

function isOfKind(event, kind) {
  if (kind === 'trouble') return toneOf(event) === 'bad';
  if (kind === 'plan') return ['plan', 'task', 'orchestrator'].includes(event.entity);
  return event.entity === kind;
}

function factOf(event, name) {
  const said = event.after?.[name] ?? event.before?.[name];
  if (said !== undefined && said !== null) return said;
  if (event.entity === 'session') return sessionFact(event.key, name);
  return findWork(event.key)?.[name] ?? sessionFact(event.actor, name);
}

function sessionFact(id, name) {
  const session = page.sessions.get(id);
  if (!session) return null;
  return name === 'repo' ? session.repo : (findWork(session.item)?.[name] ?? null);
}

function wordsOf(text) {
  return text.toLowerCase().split(/\s+/).filter(Boolean);
}

function hasWords(text, words) {
  return words.every((word) => text.includes(word));
}

function textOf(row) {
  return [
    row.key, row.title, row.item, row.session_id, row.holder, row.host, row.repo, row.branch,
    row.line, row.kind, row.status, row.state, row.phase, row.task, row.parent, row.error_message,
  ].filter(Boolean).join(' ').toLowerCase();
}

function eventText(event) {
  const title = event.after?.title;
  return `${event.key} ${event.entity} ${event.kind} ${event.actor} ${event.reason || ''} ${title || ''}`.toLowerCase();
}
