// The frame of a pane.

import { html } from '../vendor/htm-preact-3.1.1.js';

/** A section with a heading, how many there are, and what belongs into its heading. */
export function Pane({ name, title, number, tone = '', tools = null, children }) {
  return html`<section class=${`pane ${name}`} id=${`pane-${name}`} aria-labelledby=${`title-${name}`}>
    <div class="title"><h2 id=${`title-${name}`}>${title}</h2>
      <span class=${`number ${tone}`}>${number}</span><span class="space"></span>${tools}</div>
    ${children}
  </section>`;
}
