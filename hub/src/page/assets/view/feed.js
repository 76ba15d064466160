// Events as they happen, the newest on top.

import { html, useMemo, useRef } from '../vendor/htm-preact-3.1.1.js';
import { address, setAddress } from '../state/address.js';
import { history } from '../state/events.js';
import { FEED_KINDS, eventFilter, isFiltered } from '../state/selection.js';
import { actorOf, summaryOf, toneOf, verbOf } from '../text/describe.js';
import { shellWord } from '../text/format.js';
import { Pane } from './pane.js';
import { Clock, Command, Id, Text, Tone } from './parts.js';
import { Rows } from './rows.js';

const HEIGHT = 42;

/** The pane. */
export function Feed() {
  const rows = useFiltered();
  const tools = html`<label class=${`choice small${address.kind ? ' set' : ''}`}><span class="unseen">Kind of event</span>
    <select value=${address.kind} onChange=${(event) => setAddress({ kind: event.target.value })}>
      ${FEED_KINDS.map(([kind, label]) => html`<option key=${kind} value=${kind} selected=${kind === address.kind}>${label}</option>`)}
    </select></label>`;
  return html`<${Pane} name="feed" title="Live" number=${rows.length} tools=${tools}>
    <${Rows} name="feed" label="Events, newest first" rows=${rows} keyOf=${keyOf} heightOf=${() => HEIGHT} stick
      drawRow=${drawEvent} open=${openEvent} copied=${copied}
      empty=${address.kind || isFiltered() ? 'No event matches the filters.' : 'Nothing has happened yet.'} />
  <//>`;
}

/** Tests only events that are new, unless the filters changed. */
function useFiltered() {
  const kept = useRef({ key: null, generation: -1, seq: -1, rows: [] });
  const key = JSON.stringify([address.q, address.repo, address.parent, address.kind]);
  return useMemo(() => {
    const { events, generation } = history;
    const before = kept.current;
    const goesOn = before.key === key && before.generation === generation;
    const matches = eventFilter();
    const fresh = [];
    for (let index = events.length - 1; index >= 0; index -= 1) {
      const event = events[index];
      if (goesOn && event.seq <= before.seq) break;
      if (matches(event)) fresh.push(event);
    }
    const rows = goesOn ? (fresh.length ? fresh.concat(before.rows) : before.rows) : fresh;
    kept.current = { key, generation, seq: events.at(-1)?.seq ?? -1, rows };
    return rows;
  }, [history.version, key]);
}

function drawEvent(event) {
  const summary = summaryOf(event);
  return html`<div class="event"><div class="line"><${Clock} at=${event.at} /><${Tone} tone=${toneOf(event)}><${Text} limit=${24}>${verbOf(event)}<//><//>
      <${Id} value=${event.key} short strong /><span class="dim entity"><${Text} limit=${24}>${event.entity}<//></span><${Command} command=${commandOf(event)} label=${false} /></div>
    <div class="line second dim"><${Text} class="mono actor" limit=${40}>${actorOf(event)}<//>${summary && html`<${Text} class="summary" title=${summary}>${summary}<//>`}</div></div>`;
}

/** Opens the item of an event, as it was right after it. */
function openEvent(event) {
  if (event.entity === 'item') setAddress({ item: event.key, at: event.at });
}

function copied(event) {
  return { command: commandOf(event), id: event.key };
}

function commandOf(event) {
  if (event.entity === 'item') return `trueup log --item ${shellWord(event.key)}`;
  if (event.entity === 'session') return `trueup sessions show ${shellWord(event.key)}`;
  return `trueup log --entity ${shellWord(event.entity)}`;
}

function keyOf(event) {
  return String(event.seq);
}
