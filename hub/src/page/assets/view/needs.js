// What needs a person, oldest first.

import { html, useMemo } from '../vendor/htm-preact-3.1.1.js';
import { address, setAddress } from '../state/address.js';
import { isFiltered, rowFilter } from '../state/selection.js';
import { page } from '../state/store.js';
import { NEEDS, whyOf } from '../text/describe.js';
import { ActionButtons } from './actions.js';
import { Pane } from './pane.js';
import { Age, Command, Id, Text, Tone } from './parts.js';
import { Rows } from './rows.js';

const HEIGHT = 122;

/** The pane. */
export function Needs() {
  const { q, repo, parent } = address;
  const rows = useMemo(() => page.needs.filter(rowFilter()), [page.version, q, repo, parent]);
  const hidden = page.needs.length - rows.length;
  return html`<${Pane} name="needs" title="Needs me" number=${rows.length} tone=${rows.length ? 'bad' : ''}
    tools=${hidden > 0 && html`<span class="dim">${hidden} filtered</span>`}>
    <${Rows} name="needs" label="Needs me, oldest first" rows=${rows} keyOf=${keyOf} heightOf=${() => HEIGHT}
      drawRow=${drawNeed} open=${openNeed} copied=${copied}
      empty=${isFiltered() ? 'Nothing that matches the filters.' : 'Nothing needs you.'} />
  <//>`;
}

function drawNeed(row) {
  const [label, tone] = NEEDS[row.kind] ?? [row.kind.replaceAll('_', ' '), 'calm'];
  const id = row.item || row.session_id || row.id;
  return html`<div class=${`need ${tone}`}>
    <div class="need-head"><${Tone} tone=${tone}>${label}<//><${Id} value=${id} short strong />
      ${row.host && html`<${Text} class="dim need-host" limit=${60}>${row.host}<//>`}<span class="space"></span><${Age} at=${row.since} /></div>
    <p class="need-line"><${Text}>${row.line}<//></p>
    <p class="need-why dim"><${Text}>${row.why ? whyOf(row.why) : place(row)}<//></p>
    <div class="need-end"><${Command} command=${row.command} /><${ActionButtons} actions=${row.actions} row=${row} /></div>
  </div>`;
}

function place(row) {
  return [row.host && `on ${row.host}`, row.repo && `in ${row.repo}`].filter(Boolean).join(' ');
}

function openNeed(row) {
  if (row.item) setAddress({ item: row.item, at: '' });
}

function copied(row) {
  return { command: row.command, id: row.item || row.session_id || row.id };
}

function keyOf(row) {
  return row.id;
}
