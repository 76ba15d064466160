// One item: its state now or at a moment, who is to blame for each field, and its history.

import { html, useEffect, useMemo, useState } from '../vendor/htm-preact-3.1.1.js';
import { address, setAddress } from '../state/address.js';
import { getJson } from '../state/api.js';
import { history } from '../state/events.js';
import { findWork } from '../state/overview.js';
import { page } from '../state/store.js';
import { ActionButtons } from './actions.js';
import { Blame } from './blame.js';
import { Moment } from './moment.js';
import { Command, Icon, Id, Text } from './parts.js';
import { Timeline } from './timeline.js';

/** The pane of the item that the address names. */
export function Detail() {
  const { item: key, at } = address;
  const { answer, problem } = useItem(key, at);
  return html`<section class="pane detail" aria-labelledby="detail-title" id="pane-detail">
    <div class="title"><h2 id="detail-title"><span class="unseen">Item </span><${Id} value=${key} strong /></h2><span class="space"></span>
      <button type="button" class="tool" aria-label="Close the item" title="Close (Escape)" onClick=${() => setAddress({ item: '', at: '' })}><${Icon} name="close" /></button></div>
    ${problem && html`<p class="empty tone bad" role="alert"><${Text}>${problem}<//></p>`}
    ${!problem && !answer && html`<p class="empty">Loading…</p>`}
    ${!problem && answer && html`<${Item} answer=${answer} at=${at} />`}
  </section>`;
}

function Item({ answer, at }) {
  const { item, blame = [] } = answer;
  const events = useMemo(() => [...(answer.events ?? [])].sort((a, b) => a.seq - b.seq), [answer]);
  const row = findWork(address.item);
  return html`<div class="detail-body" tabindex="0" aria-labelledby="detail-title" role="group">
    ${item
      ? html`<p class="detail-title"><${Text} limit=${2000}>${item.title}<//></p>
        <div class="detail-facts"><span class="chip"><span class=${`status ${item.status}`}></span>${item.status}</span>
          ${item.phase && html`<span class="chip"><${Text} limit=${60}>${item.phase}<//></span>`}
          ${item.holder && html`<span class="chip">held by <${Id} value=${item.holder} short /></span>`}
          ${item.parent && html`<span class="chip">part of <${Id} value=${item.parent} /></span>`}
          ${item.repo && html`<span class="chip"><${Text} limit=${80}>${item.repo}<//></span>`}</div>`
      : html`<p class="detail-title dim"><${Text}>${answer.missing}<//></p>`}
    ${!at && item && html`<div class="need-end"><${Command} command=${row?.command} /><${ActionButtons} actions=${actionsOf(item, row)} row=${{ key: item.key }} /></div>`}
    <${Moment} events=${events} at=${at} />
    <h3>State${at ? ' at this moment' : ''}</h3><${Blame} blame=${blame} item=${item} />
    <h3>History</h3><${Timeline} events=${events} at=${at} />
  </div>`;
}

/** Releases what a lost session holds, reopens what is finished. */
function actionsOf(item, row) {
  if (['completed', 'failed', 'cancelled'].includes(item.status)) return ['reopen'];
  return item.holder && row && row.alive !== 'alive' ? ['release'] : [];
}

/** Fetches the item, and again after each of its events. */
function useItem(key, at) {
  const [state, setState] = useState({ key: null, answer: null, problem: '' });
  const latest = useMemo(() => history.events.findLast((event) => isAbout(event, key))?.seq ?? 0, [history.version, key]);
  useEffect(() => {
    let current = true;
    loadItem(key, at)
      .then((answer) => current && setState({ key, answer, problem: '' }))
      .catch((error) => current && setState({ key, answer: null, problem: error.message }));
    return () => {
      current = false;
    };
  }, [key, at, latest, page.caller?.name]);
  return state.key === key ? state : { answer: null, problem: '' };
}

/** An item with all its events, and its state and blame at a moment. */
async function loadItem(key, at) {
  const path = `/api/items/${encodeURIComponent(key)}`;
  const [now, then] = await Promise.all([getJson(path), at ? getJson(path, { at }).catch(notYet) : null]);
  return at ? { ...then, events: now.events } : now;
}

/** Before its first event, an item is not found. */
function notYet(error) {
  if (error.status === 404) return { item: null, blame: [], missing: error.message };
  throw error;
}

function isAbout(event, key) {
  return event.key === key || (event.entity === 'phase' && event.key.startsWith(`${key}:`));
}
