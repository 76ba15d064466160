// Events in words.

import { cleanText, showValue } from './clean.js';
import { shortId } from './format.js';

/** What needs a person, by kind: label, and how urgent it looks. */
export const NEEDS = {
  __proto__: null,
  gate_refusal: ['refused at the gate', 'bad'],
  divergence: ['copies disagree', 'bad'],
  journal_entry: ['edit lost', 'warn'],
  dead_letter: ['write not sent', 'bad'],
  waits_for_input: ['waits for input', 'warn'],
  repo_behind: ['repository behind', 'calm'],
  repo_unpushed: ['not pushed', 'calm'],
  lost_session: ['session lost', 'bad'],
  open_handoff: ['hand-off open', 'warn'],
  stale_claim: ['claim is stale', 'warn'],
};

const TONES = {
  __proto__: null,
  claimed: 'good', accepted: 'good', registered: 'good', started: 'good',
  completed: 'good', settled: 'good', added: 'good', taken_over: 'warn',
  reopened: 'warn', released: 'calm', refused: 'bad', rejected: 'bad',
  lost: 'bad', crashed: 'bad', removed: 'warn', raised: 'bad', failed: 'bad', blocked: 'warn',
};

/** Returns how an event looks: good, warn, bad or calm. */
export function toneOf(event) {
  const status = event.kind === 'status' && event.after ? event.after.status : null;
  return TONES[status || event.kind] || 'calm';
}

/** Returns the word for what happened: the new status where that is what changed. */
export function verbOf(event) {
  const status = event.kind === 'status' && event.after ? event.after.status : null;
  return (typeof status === 'string' ? status : event.kind).replaceAll('_', ' ');
}

/** Returns the fields that an event changed: name, before, after. */
export function changesOf(event) {
  const before = plainObject(event.before);
  const after = plainObject(event.after);
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const changes = [];
  for (const name of names) {
    const [from, to] = [ownValue(before, name), ownValue(after, name)];
    if (JSON.stringify(from) === JSON.stringify(to)) continue;
    changes.push({ name: cleanText(name), from, to });
  }
  return changes;
}

/** Returns the changes in one line, without those that the verb says already. */
export function summaryOf(event) {
  if (event.reason) return event.reason;
  const task = event.kind === 'state' ? event.after?.currentTask : null;
  if (typeof task === 'string' && task !== event.before?.currentTask) return task;
  const verb = verbOf(event);
  return changesOf(event)
    .filter((change) => change.to !== null && showValue(change.to) !== verb)
    .slice(0, 4)
    .map((change) => `${change.name} ${showValue(nameOf(change.to), 60)}`)
    .join(', ');
}

/** Returns who did it, as short as can be read. */
export function actorOf(event) {
  const actor = shortId(event.actor);
  return event.via ? `${actor} via ${event.via}` : actor;
}

/** Returns why a row is as it is: its last event, in a line. */
export function whyOf(event) {
  if (!event) return '';
  const what = summaryOf(event);
  return `${verbOf(event)} by ${actorOf(event)}${what ? `: ${what}` : ''}`;
}

function nameOf(value) {
  return typeof value === 'string' ? shortId(value) : value;
}

function ownValue(object, name) {
  return Object.hasOwn(object, name) ? object[name] : null;
}

function plainObject(value) {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {};
}
