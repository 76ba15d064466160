// Each field with its value, and who set it.

import { html } from '../vendor/htm-preact-3.1.1.js';
import { setAddress } from '../state/address.js';
import { showValue } from '../text/clean.js';
import { fullTime, shortId } from '../text/format.js';
import { Age, Text } from './parts.js';

/** The table of fields. */
export function Blame({ blame }) {
  if (blame.length === 0) return html`<p class="dim">No field is set.</p>`;
  return html`<table class="blame"><colgroup><col class="field" /><col /><col class="by" /></colgroup><thead class="unseen"><tr><th scope="col">Field</th><th scope="col">Value</th><th scope="col">Set by</th></tr></thead>
    <tbody>${blame.map(
      (line) => html`<tr key=${line.field}><th scope="row"><${Text} limit=${60}>${line.field}<//></th>
        <td class=${isMono(line.value) ? 'mono' : ''}><${Text} limit=${400} title=${showValue(line.value, 2000)}>${showValue(line.value, 400)}<//></td>
        <td class="by dim"><div class="line"><button type="button" class="link" title=${`Show it at ${fullTime(line.at)}`} onClick=${() => setAddress({ at: line.at })}>
          <${Text} limit=${30}>${shortId(line.actor)}<//> <${Age} at=${line.at} after=" ago" /></button>
          ${line.reason && html`<${Text} class="why" limit=${200} title=${line.reason}>${line.reason}<//>`}</div></td></tr>`,
    )}</tbody></table>`;
}

function isMono(value) {
  return typeof value === 'string' && /^[0-9a-f-]{32,}$|^[^ ]+[/#@][^ ]*$/.test(value);
}
