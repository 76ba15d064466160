// Items by phase: who holds them, how alive that is, and what waits for what.

import { html, useMemo } from '../vendor/htm-preact-3.1.1.js';
import { address, setAddress } from '../state/address.js';
import { useNow } from '../state/clock.js';
import { isFiltered, rowFilter } from '../state/selection.js';
import { page } from '../state/store.js';
import { whyOf } from '../text/describe.js';
import { duration, fullTime } from '../text/format.js';
import { Pane } from './pane.js';
import { Age, Command, Icon, Id, Text } from './parts.js';
import { Rows } from './rows.js';

const ROW = 42;
const HEADING = 26;
const COLUMNS = ['Item', 'Holder', 'Seen', 'Lease', 'Epoch', 'Rev', ''];
const TITLES = {
  Seen: 'Last sign of life of the holder',
  Lease: 'How long the holder may stay silent',
  Epoch: 'Number of claims so far: writes of older ones are refused',
  Rev: 'Revision that the agent knows, of the current one',
};

/** The pane. */
export function Work() {
  const { q, repo, parent } = address;
  const rows = useMemo(() => groupRows(page.work.filter(rowFilter())), [page.version, q, repo, parent]);
  const number = rows.reduce((sum, row) => sum + (row.heading ? 0 : 1), 0);
  return html`<${Pane} name="work" title="Work" number=${number}>
    <div class="table" role="table" aria-label="Items by phase" aria-rowcount=${rows.length + 1}>
      <div role="rowgroup" class="columns"><div class="item-row" role="row" aria-rowindex="1">
        ${COLUMNS.map((name) => html`<span role="columnheader" title=${TITLES[name]}>${name || html`<span class="unseen">Command</span>`}</span>`)}
      </div></div>
      <${Rows} name="work" table rows=${rows} keyOf=${keyOf} heightOf=${heightOf} isHeading=${isHeading}
        drawRow=${drawWork} open=${openItem} copied=${copied}
        empty=${isFiltered() ? 'No item matches the filters.' : 'No work yet. trueup item add makes an item.'} />
    </div>
  <//>`;
}

function groupRows(work) {
  const rows = [];
  let heading = null;
  for (const row of work) {
    if (row.group !== heading?.heading) {
      heading = { heading: row.group, key: `group ${row.group}`, number: 0 };
      rows.push(heading);
    }
    heading.number += 1;
    rows.push(row);
  }
  return rows;
}

function drawWork(row) {
  if (row.heading) {
    return html`<span class="group-name" role="cell" aria-colspan="7"><${Text} limit=${60}>${row.heading}<//> <span class="dim">${row.number}</span></span>`;
  }
  return html`<div class=${`item-row ${row.status}${row.key === address.item ? ' opened' : ''}`} role="presentation">
    <div role="cell" class="what"><div class="line"><span class=${`status ${row.status}`} title=${row.status}></span>
      <${Id} value=${row.key} strong /><${Text} class="title-text" title=${row.title}>${row.title}<//></div>
      <div class="line second dim"><span class="unseen">${row.status}. </span><${Reason} row=${row} /></div></div>
    <div role="cell" class="holder">${row.holder ? html`<${Holder} row=${row} />` : html`<span class="none">free</span>`}</div>
    <div role="cell" class="figure-cell">${row.holder ? html`<${Age} at=${row.heartbeat_at} />` : html`<span class="none">–</span>`}</div>
    <div role="cell" class="figure-cell lease"><${Lease} row=${row} /></div>
    <div role="cell" class="figure-cell epoch">${row.epoch ?? '–'}</div>
    <div role="cell" class="figure-cell revision"><${Revision} row=${row} /></div>
    <div role="cell" class="row-end"><${Command} command=${row.command} label=${false} /></div>
  </div>`;
}

/** What stands in the way, or else why the row is as it is. */
function Reason({ row }) {
  const parts = [];
  if (row.blocked_by?.length) parts.push(html`<span class="tone warn">waits for <${Keys} keys=${row.blocked_by} /></span>`);
  if (row.error_message) parts.push(html`<span class="tone bad"><${Text}>${row.error_message}<//></span>`);
  if (row.blocks?.length) parts.push(html`<span class="blocks">blocks <${Keys} keys=${row.blocks} /></span>`);
  if (row.why && !(row.error_message && row.why.reason === row.error_message)) parts.push(html`<${Text}>${whyOf(row.why)}<//>`);
  return html`<span class="reason">${parts}</span>`;
}

function Keys({ keys }) {
  const more = keys.length > 3 ? ` and ${keys.length - 3} more` : '';
  return html`<${Text} class="mono" title=${keys.join(', ')}>${keys.slice(0, 3).join(', ') + more}<//>`;
}

function Holder({ row }) {
  return html`<div class="line"><span class=${`life ${row.alive || 'unknown'}`} title=${row.alive || 'unknown'}></span>
      <${Id} value=${row.holder} short /><${Text} class="dim host" title=${row.host}>${row.host}<//></div>
    <div class="line second dim">${row.branch && html`<${Icon} name="branch" /><${Text} class="branch" title=${row.branch}>${row.branch}<//>`}</div>`;
}

function Lease({ row }) {
  const now = useNow(5);
  if (!row.holder || !row.lease_expires_at) return html`<span class="none">–</span>`;
  const left = Date.parse(row.lease_expires_at) - now;
  if (left <= 0) return html`<span class="tone bad" title=${`ran out ${fullTime(row.lease_expires_at)}`}>out</span>`;
  return html`<span class=${left < 120_000 ? 'tone warn' : ''} title=${fullTime(row.lease_expires_at)}>${duration(left)}</span>`;
}

function Revision({ row }) {
  if (row.revision === null || row.revision === undefined) return html`<span class="none">–</span>`;
  if (row.acknowledged === null || row.acknowledged === undefined) return html`${row.revision}`;
  const late = row.revision - row.acknowledged;
  const title = late > 0 ? `The agent knows ${row.acknowledged} of ${row.revision}` : 'The agent knows the current state';
  return html`<span class=${late > 0 ? 'tone warn' : ''} title=${title}>${row.acknowledged}<span class="dim">/${row.revision}</span></span>`;
}

function openItem(row) {
  setAddress({ item: row.key, at: '' });
}

function copied(row) {
  return { command: row.command, id: row.key };
}

function keyOf(row) {
  return row.key;
}

function isHeading(row) {
  return Boolean(row.heading);
}

function heightOf(row) {
  return row.heading ? HEADING : ROW;
}
