// The frame of a pane.

import { html, useErrorBoundary } from '../vendor/htm-preact-3.1.1.js';

/** A section with a heading, how many there are, and what belongs into its heading. */
export function Pane({ name, title, number, tone = '', tools = null, children }) {
  return html`<section class=${`pane ${name}`} id=${`pane-${name}`} aria-labelledby=${`title-${name}`}>
    <div class="title"><h2 id=${`title-${name}`}>${title}</h2>
      <span class=${`number ${tone}`}>${number}</span><span class="space"></span>${tools}</div>
    ${children}
  </section>`;
}

/** Keeps what goes wrong in one pane from the others. */
export function Guard({ name, children }) {
  const [error, again] = useErrorBoundary();
  if (!error) return children;
  return html`<section class=${`pane ${name}`} aria-label=${name}><p class="empty" role="alert">This pane could not be drawn: <bdi>${String(error.message).slice(0, 200)}</bdi></p>
    <button type="button" class="plain" onClick=${again}>Draw it again</button></section>`;
}
