// On a phone, one pane at a time.

import { html, useState } from '../vendor/htm-preact-3.1.1.js';
import { address, setAddress } from '../state/address.js';
import { page } from '../state/store.js';

const TABS = [['needs', 'Needs me'], ['work', 'Work'], ['feed', 'Live'], ['lanes', 'Hour']];
let set = () => {};

/** Shows a pane where only one is shown. */
export function showTab(name) {
  set(name);
}

/** Returns the pane that is shown, and draws again when it changes. */
export function useTab() {
  const [tab, setTab] = useState('needs');
  set = setTab;
  return tab;
}

/** The tabs at the bottom of a narrow page. */
export function Tabs({ tab }) {
  return html`<nav class="tabs" aria-label="Panes">${TABS.map(
    ([name, label]) => html`<button type="button" key=${name} aria-current=${tab === name && !address.item ? 'true' : undefined}
      onClick=${() => { if (address.item) setAddress({ item: '', at: '' }); showTab(name); }}>${label}${name === 'needs' && page.needs.length > 0 && html` <b>${page.needs.length}</b>`}</button>`,
  )}</nav>`;
}
