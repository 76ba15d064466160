// The events that the page holds: the newest ones, in order, and what they say of each session's last hour.

import { toneOf } from '../text/describe.js';
import { getJson } from './api.js';
import { now } from './clock.js';
import { changed } from './store.js';

const HELD = 10_000;
const HOUR = 3_600_000;
const PAGE = 1000;

/** Width of a mark in a lane. */
export const BUCKET = 20_000;
/** How many marks are an hour. */
export const BUCKETS = HOUR / BUCKET;

const RANK = { calm: 0, good: 1, warn: 2, bad: 3 };

/**
 * The events by `seq`, ascending, and the lanes by session. `version` grows with every change,
 * `generation` with those that are more than events added at the end.
 */
export const history = { events: [], lanes: new Map(), perMinute: new Map(), version: 0, generation: 0 };

/** Forgets everything, as after a logout. */
export function forgetEvents() {
  history.events = [];
  rebuild();
}

/** Takes events as they come from the stream. */
export function addEvents(events) {
  const newest = history.events.at(-1)?.seq ?? -1;
  if (events.length === 0) return;
  if (events[0].seq > newest) {
    for (const event of events) {
      history.events.push(event);
      index(event);
    }
    if (history.events.length > HELD * 1.2) trim();
  } else {
    mergeOlder(events);
  }
  history.version += 1;
  changed();
}

/** Loads the newest events, and then the rest of the last hour in the background. */
export async function loadHistory() {
  const newest = await getJson('/api/events', { order: 'newest', limit: 200 });
  addEvents([...(newest?.events ?? [])].sort((a, b) => a.seq - b.seq));
  const from = new Date(now() - HOUR).toISOString();
  if (history.events.length === 0 || history.events[0].at < from) return;
  let since = null;
  for (let read = 0; read < HELD; read += PAGE) {
    const part = await getJson('/api/events', { order: 'oldest', from, limit: PAGE, since });
    const events = part?.events ?? [];
    if (events.length === 0) return;
    addEvents(events);
    since = part.next;
    if (since === null || since === undefined || events.length < PAGE) return;
  }
}

function mergeOlder(events) {
  const bySeq = new Map();
  for (const event of history.events) bySeq.set(event.seq, event);
  for (const event of events) bySeq.set(event.seq, event);
  history.events = [...bySeq.values()].sort((a, b) => a.seq - b.seq);
  trim();
}

function trim() {
  history.events = history.events.slice(-HELD);
  rebuild();
}

function rebuild() {
  history.lanes = new Map();
  history.perMinute = new Map();
  for (const event of history.events) index(event);
  history.version += 1;
  history.generation += 1;
}

function index(event) {
  const time = Date.parse(event.at);
  if (Number.isNaN(time)) return;
  const minute = Math.floor(time / 60_000);
  history.perMinute.set(minute, (history.perMinute.get(minute) ?? 0) + 1);
  const session = event.entity === 'session' ? event.key : event.actor;
  mark(laneOf(session), event, time);
  if (event.entity !== 'item') return;
  const [before, after] = [event.before?.holder ?? null, event.after?.holder ?? null];
  if (before === after) return;
  if (before !== null) closeSpan(laneOf(before), event.key, time);
  if (after !== null) laneOf(after).spans.push({ item: event.key, from: time, to: null });
}

function laneOf(session) {
  let lane = history.lanes.get(session);
  if (!lane) {
    lane = { marks: new Map(), spans: [], last: 0, count: 0 };
    history.lanes.set(session, lane);
  }
  return lane;
}

function mark(lane, event, time) {
  const bucket = Math.floor(time / BUCKET);
  const tone = toneOf(event);
  const there = lane.marks.get(bucket);
  if (there === undefined || RANK[tone] > RANK[there]) lane.marks.set(bucket, tone);
  lane.last = Math.max(lane.last, time);
  lane.count += 1;
}

function closeSpan(lane, item, time) {
  const open = lane.spans.findLast((span) => span.item === item && span.to === null);
  if (open) open.to = time;
  else lane.spans.push({ item, from: 0, to: time });
}
