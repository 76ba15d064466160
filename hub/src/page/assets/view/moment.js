// The choice of a moment: between any two events of the item, or any time.

import { html } from '../vendor/htm-preact-3.1.1.js';
import { setAddress } from '../state/address.js';
import { useNow } from '../state/clock.js';
import { fullTime } from '../text/format.js';

/** A slider over the events of an item, and a field for a time. */
export function Moment({ events, at }) {
  const time = useNow(60);
  const last = events.length;
  const value = at ? Math.max(0, events.findLastIndex((event) => event.at <= at)) : last;
  const label = at ? fullTime(at) : 'now';
  const slide = (event) => {
    const index = Number(event.target.value);
    setAddress({ at: index >= last ? '' : events[index].at });
  };
  const type = (event) => {
    const time = new Date(event.target.value);
    setAddress({ at: Number.isNaN(time.getTime()) ? '' : time.toISOString() });
  };
  return html`<fieldset class=${`moment${at ? ' set' : ''}`}><legend>As it was at</legend>
    <input type="range" min="0" max=${last} step="1" value=${value} onInput=${slide} aria-label="Moment" aria-valuetext=${label} disabled=${last === 0} />
    <input type="datetime-local" step="1" value=${localInput(at || time)} onChange=${type} aria-label="Time" />
    <button type="button" class="plain" disabled=${!at} onClick=${() => setAddress({ at: '' })}>Now</button>
  </fieldset>`;
}

/** Returns a time as the field wants it. */
function localInput(at) {
  return fullTime(at).replace(' ', 'T');
}
