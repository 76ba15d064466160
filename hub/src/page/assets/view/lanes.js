// The last hour, a lane a session: what it held, and what happened.

import { html, useMemo } from '../vendor/htm-preact-3.1.1.js';
import { address, setAddress } from '../state/address.js';
import { useNow } from '../state/clock.js';
import { BUCKET, BUCKETS, history } from '../state/events.js';
import { rowFilter } from '../state/selection.js';
import { page } from '../state/store.js';
import { count, shellWord } from '../text/format.js';
import { Pane } from './pane.js';
import { Command, Id, Text } from './parts.js';
import { Rows } from './rows.js';

const HEIGHT = 22;
const WIDTH = BUCKETS * 4;
const HOUR = BUCKET * BUCKETS;
const TONES = ['calm', 'good', 'warn', 'bad'];

/** The pane. */
export function Lanes() {
  const { q, repo, parent } = address;
  const rows = useMemo(listSessions, [page.version, q, repo, parent]);
  const end = (Math.floor(useNow(5) / BUCKET) + 1) * BUCKET;
  return html`<${Pane} name="lanes" title="Last hour" number=${rows.length}
    tools=${html`<span class="axis dim" aria-hidden="true"><span>60 min</span><span>45</span><span>30</span><span>15</span><span>now</span></span>`}>
    <${Rows} name="lanes" label="Sessions, what each did in the last hour" rows=${rows} keyOf=${keyOf} heightOf=${() => HEIGHT}
      drawRow=${(row) => html`<${Lane} row=${row} end=${end} version=${history.version} />`} open=${openLane} copied=${copied}
      empty="No session." />
  <//>`;
}

function listSessions() {
  const rows = [...page.sessions.values()].filter(rowFilter());
  return rows.sort(
    (a, b) =>
      (a.state === 'ended') - (b.state === 'ended') ||
      order(a.host || '', b.host || '') ||
      order(a.registered_at || '', b.registered_at || '') ||
      order(a.session_id, b.session_id),
  );
}

function order(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

function Lane({ row, end }) {
  const lane = history.lanes.get(row.session_id);
  const start = end - HOUR;
  const spans = spansOf(row, lane, start, end);
  const said = `${row.state}${row.item ? `, holds ${row.item}` : ''}, ${count(lane?.count ?? 0, 'event')}`;
  return html`<div class="lane"><span class=${`life ${row.state}`} title=${row.state}></span>
    <${Id} value=${row.session_id} short /><${Text} class="dim lane-host" title=${row.host}>${row.host}<//>
    <span class="unseen">${said}</span>
    <svg class="strip" viewBox=${`0 0 ${WIDTH} 20`} preserveAspectRatio="none" aria-hidden="true">
      <path class="grid" d=${`M${WIDTH / 4} 0v20M${WIDTH / 2} 0v20M${(WIDTH * 3) / 4} 0v20`} />
      ${spans.map((span) => html`<rect class="span" x=${span.x} width=${span.width} y="3" height="14" rx="2" />`)}
      ${marksOf(lane, start).map(([tone, path]) => html`<path class=${`marks ${tone}`} d=${path} />`)}
    </svg>
    <${Text} class="mono lane-item" title=${row.task || row.item || ''}>${row.item || ''}<//><${Command} command=${commandOf(row)} label=${false} /></div>`;
}

function spansOf(row, lane, start, end) {
  const spans = (lane?.spans ?? []).filter((span) => (span.to ?? end) > start);
  const holds = row.item && !spans.some((span) => span.to === null && span.item === row.item);
  const known = Date.parse(row.registered_at || '') || 0;
  const all = holds ? [...spans, { from: Math.max(start, known), to: null }] : spans;
  return all.map((span) => {
    // A claim that no event ended is over when its holder does not hold it any more.
    const to = span.to ?? (row.item === span.item || span.item === undefined ? end : (lane?.last ?? end));
    const x = Math.max(0, ((span.from - start) / HOUR) * WIDTH);
    return { x, width: Math.max(2, ((to - start) / HOUR) * WIDTH - x) };
  });
}

function marksOf(lane, start) {
  const paths = new Map();
  const first = start / BUCKET;
  for (const [bucket, tone] of lane?.marks ?? []) {
    if (bucket < first || bucket >= first + BUCKETS) continue;
    const high = tone === 'bad' ? 'M%x 0v20' : tone === 'calm' ? 'M%x 7v6' : 'M%x 4v12';
    paths.set(tone, (paths.get(tone) ?? '') + high.replace('%x', String((bucket - first) * 4 + 2)));
  }
  return TONES.filter((tone) => paths.has(tone)).map((tone) => [tone, paths.get(tone)]);
}

function openLane(row) {
  if (row.item) setAddress({ item: row.item, at: '' });
}

function copied(row) {
  return { command: commandOf(row), id: row.session_id };
}

function commandOf(row) {
  return `trueup sessions show ${shellWord(row.session_id)}`;
}

function keyOf(row) {
  return row.session_id;
}
