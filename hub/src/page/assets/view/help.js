// The keys.

import { html, useEffect, useRef } from '../vendor/htm-preact-3.1.1.js';

const KEYS = [
  ['/', 'Filter'],
  ['j  k', 'Next and previous row'],
  ['g  G', 'First and last row'],
  ['1  2  3  4', 'Needs me, work, live, last hour'],
  ['Enter', 'Open the item of the row'],
  ['y', 'Copy the command of the row'],
  ['i', 'Copy the id of the row'],
  ['a', 'What can be done with the row'],
  ['t', 'Light, dark, as the system'],
  ['Escape', 'Close, or clear the filter'],
  ['?', 'This list'],
];

let dialog = null;

/** Opens the list of keys. */
export function openHelp() {
  if (dialog && !dialog.open) dialog.showModal();
}

/** The dialog with the keys. */
export function Help() {
  const element = useRef(null);
  useEffect(() => {
    dialog = element.current;
  }, []);
  return html`<dialog ref=${element} class="help" aria-labelledby="help-title">
    <form method="dialog"><h2 id="help-title">Keys</h2>
      <dl>${KEYS.map(([key, does]) => html`<div key=${key}><dt>${key.split('  ').map((one) => html`<kbd>${one}</kbd> `)}</dt><dd>${does}</dd></div>`)}</dl>
      <div class="buttons"><button type="submit" class="main" autofocus>Close</button></div>
    </form></dialog>`;
}
