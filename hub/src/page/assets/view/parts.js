// Small pieces of which rows are made.

import { html } from '../vendor/htm-preact-3.1.1.js';
import { now, useNow } from '../state/clock.js';
import { clip } from '../text/clean.js';
import { duration, fullTime, momentTime, shortId } from '../text/format.js';
import { copyText } from './notices.js';

const ICONS = {
  copy: 'M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z',
  command: 'M2.5 4l4 4-4 4M8 12.5h5.5',
  close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  branch: 'M4.5 3v10M4.5 9.5c0-3 7-1.5 7-5M4.5 2.5v1M11.5 3v1',
  search: 'M7 2.5a4.5 4.5 0 100 9 4.5 4.5 0 000-9zM10.5 10.5l3 3',
  auto: 'M8 2.5a5.5 5.5 0 100 11zM8 2.5a5.5 5.5 0 010 11',
  light: 'M8 5.5a2.5 2.5 0 100 5 2.5 2.5 0 000-5zM8 1.5v1.5M8 13v1.5M1.5 8H3M13 8h1.5M3.400 3.400l1 1M11.600 11.600l1 1M3.400 12.600l1-1M11.600 4.400l1-1',
  dark: 'M13 9.5A5.5 5.5 0 016.5 3a5.5 5.5 0 106.5 6.5z',
  leave: 'M6.5 2.5h-4v11h4M6 8h7.5M10.5 5l3 3-3 3',
};

/** A drawing that says nothing to a screen reader. */
export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=${ICONS[name]} /></svg>`;
}

/** Text of strangers: isolated, so that its direction of writing ends with it. */
export function Text({ children, limit = 300, ...rest }) {
  const text = children === null || children === undefined ? '' : String(children);
  return html`<bdi ...${rest}>${clip(text, limit)}</bdi>`;
}

/** How long ago something was, by the database's clock. */
export function Age({ at, after = '' }) {
  const time = useNow(1);
  if (!at) return html`<span class="none">–</span>`;
  return html`<time datetime=${at} title=${fullTime(at)}>${duration(time - Date.parse(at))}${after}</time>`;
}

/** The time of day of something. */
export function Clock({ at }) {
  return html`<time class="mono dim" datetime=${at} title=${fullTime(at)}>${momentTime(at, now())}</time>`;
}

/** An id that is copied by a click. */
export function Id({ value, short = false, strong = false }) {
  if (!value) return null;
  return html`<button class=${`id mono${strong ? ' strong' : ''}`} type="button" tabindex="-1"
    title=${`Copy ${clip(value, 200)}`} aria-label=${`Copy id ${clip(value, 200)}`}
    onClick=${(event) => copyFrom(event, value)}><${Text}>${short ? shortId(value) : value}<//></button>`;
}

/** A command that is copied by a click. */
export function Command({ command, label = true }) {
  if (!command) return null;
  return html`<button class="command mono" type="button" tabindex="-1" title=${`Copy: ${clip(command, 400)}`}
    aria-label=${`Copy command ${clip(command, 400)}`} onClick=${(event) => copyFrom(event, command)}>
    <${Icon} name=${label ? 'command' : 'copy'} />${label && html`<${Text}>${command}<//>`}</button>`;
}

/** A word in the colour of how urgent it is. */
export function Tone({ tone, children }) {
  return html`<span class=${`tone ${tone}`}>${children}</span>`;
}

function copyFrom(event, text) {
  event.stopPropagation();
  copyText(text);
}
