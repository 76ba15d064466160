// The events of an item, the newest on top, each with what it changed.

import { html } from '../vendor/htm-preact-3.1.1.js';
import { setAddress } from '../state/address.js';
import { now } from '../state/clock.js';
import { showValue } from '../text/clean.js';
import { actorOf, changesOf, toneOf, verbOf } from '../text/describe.js';
import { fullTime, momentTime } from '../text/format.js';
import { Text, Tone } from './parts.js';

const SHOWN = 300;

/** The timeline. A click shows the item as it was right after the event. */
export function Timeline({ events, at }) {
  const newest = [...events].reverse();
  const current = at ? newest.find((event) => event.at <= at)?.seq : newest[0]?.seq;
  return html`<ol class="timeline">${newest.slice(0, SHOWN).map((event) => {
    const later = at && event.at > at;
    return html`<li key=${event.seq} class=${`moment-of ${toneOf(event)}${later ? ' later' : ''}`} aria-current=${event.seq === current ? 'true' : undefined}>
      <button type="button" class="link when mono" title=${`As it was at ${fullTime(event.at)}`} onClick=${() => setAddress({ at: event.at })}>${momentTime(event.at, now())}</button>
      <div><div class="line"><${Tone} tone=${toneOf(event)}><${Text} limit=${24}>${verbOf(event)}<//><//>${event.entity !== 'item' && html`<${Text} class="mono" limit=${60}>${event.key}<//>`} <span class="dim">by <${Text} class="mono" limit=${40}>${actorOf(event)}<//></span></div>
        ${event.reason && html`<p class="said"><${Text} limit=${500}>${event.reason}<//></p>`}
        <${Changes} event=${event} /></div></li>`;
  })}</ol>
  ${newest.length > SHOWN && html`<p class="dim">${newest.length - SHOWN} older events: trueup log</p>`}`;
}

function Changes({ event }) {
  const added = event.before === null;
  const changes = changesOf(event).filter((change) => !added || change.to !== null);
  if (changes.length === 0) return null;
  return html`<ul class="changes">${changes.map(
    (change) => html`<li key=${change.name}><span class="dim"><${Text} limit=${60}>${change.name}<//></span>
      ${!added && html`<del><${Text} limit=${120}>${showValue(change.from)}<//></del>`}<ins><${Text} limit=${200}>${showValue(change.to)}<//></ins></li>`,
  )}</ul>`;
}
