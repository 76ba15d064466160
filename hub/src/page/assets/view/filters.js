// What is shown: by repository, parent and text.

import { html } from '../vendor/htm-preact-3.1.1.js';
import { address, setAddress } from '../state/address.js';
import { isFiltered, listChoices } from '../state/selection.js';
import { clip } from '../text/clean.js';
import { shortRepo } from '../text/format.js';
import { Icon } from './parts.js';

/** The line of filters. */
export function Filters() {
  const { repos, parents } = listChoices();
  return html`<search class="filters" aria-label="Filters">
    <label class="search"><${Icon} name="search" /><span class="unseen">Text</span>
      <input id="filter" type="search" placeholder="Filter by item, session, branch, text" autocomplete="off" spellcheck=${false}
        maxlength="200" value=${address.q} onInput=${(event) => setAddress({ q: event.target.value })} />
      <kbd aria-hidden="true">/</kbd></label>
    <${Choice} label="Repository" name="repo" options=${repos} all="All repositories" show=${shortRepo} />
    <${Choice} label="Parent" name="parent" options=${parents} all="All parents" show=${(key) => key} />
    ${isFiltered() &&
    html`<button type="button" class="plain" onClick=${() => setAddress({ q: '', repo: '', parent: '' })}>Clear filters</button>`}
  </search>`;
}

function Choice({ label, name, options, all, show }) {
  return html`<label class=${`choice${address[name] ? ' set' : ''}`}><span class="unseen">${label}</span>
    <select value=${address[name]} onChange=${(event) => setAddress({ [name]: event.target.value })}>
      <option value="" selected=${!address[name]}>${all}</option>
      ${options.map((option) => html`<option key=${option} value=${option} selected=${option === address[name]}>${clip(show(option), 60)}</option>`)}
    </select></label>`;
}
