// The first line: how many, how fast, and whether the page can be trusted.

import { html, useState } from '../vendor/htm-preact-3.1.1.js';
import { useNow } from '../state/clock.js';
import { history } from '../state/events.js';
import { logout, reconnectNow } from '../state/live.js';
import { page } from '../state/store.js';
import { openHelp } from './help.js';
import { Icon, Text } from './parts.js';
import { chosenTheme, nextTheme } from './theme_switch.js';

const STATES = {
  starting: ['calm', 'connecting'],
  live: ['good', 'live'],
  behind: ['warn', 'behind'],
  disconnected: ['bad', 'disconnected'],
  refused: ['bad', 'refused'],
};

/** The header of the page. */
export function Header() {
  const counts = page.counts;
  return html`<header class="top">
    <h1 class="brand"><${Mark} />trueup</h1>
    ${counts ? html`<${Numbers} counts=${counts} />` : html`<div class="numbers"></div>`}
    <div class="tools">
      <${Connection} />
      <${ThemeButton} />
      <button type="button" class="tool key" onClick=${openHelp} aria-label="Keys" title="Keys (?)">?</button>
      ${page.caller && html`<${CallerButton} caller=${page.caller} />`}
    </div>
  </header>`;
}

function Mark() {
  return html`<svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" />
    <path d="M7 12h18M7 20h18" /><path class="true" d="M16 7v18" /></svg>`;
}

function Numbers({ counts }) {
  const { sessions, items } = counts;
  return html`<div class="numbers">
    <${Group} label="Machines"><${Figure} value=${counts.machines} word="machines" /><//>
    <${Group} label="Sessions">
      <${Figure} value=${sessions.live} word="live" tone="good" />
      <${Figure} value=${sessions.waiting} word="waiting" tone="warn" />
      <${Figure} value=${sessions.stale} word="stale" tone="warn" />
      <${Figure} value=${sessions.dead} word="dead" tone="bad" />
    <//>
    <${Group} label="Items">
      <${Figure} value=${items.ready} word="ready" />
      <${Figure} value=${items.held} word="held" />
      <${Figure} value=${items.done_today} word="done today" />
    <//>
    <${Group} label="Events"><${Figure} value=${Math.round(counts.events_per_minute)} word="a minute" /><${Spark} /><//>
  </div>`;
}

function Group({ label, children }) {
  return html`<div class="group" role="group" aria-label=${label}>${children}</div>`;
}

function Figure({ value, word, tone }) {
  return html`<span class=${`figure ${value > 0 ? tone || '' : 'zero'}`}><b>${value}</b> <span>${word}</span></span>`;
}

/** Events of each minute of the last half hour. */
function Spark() {
  const minute = Math.floor(useNow(10) / 60_000);
  const values = Array.from({ length: 30 }, (_, index) => history.perMinute.get(minute - 29 + index) ?? 0);
  const most = Math.max(1, ...values);
  const path = values.map((value, index) => `M${index * 3 + 1} 20v${-Math.max(1, Math.round((value / most) * 18))}`).join('');
  return html`<svg class="spark" viewBox="0 0 90 20" aria-hidden="true"><path d=${path} /></svg>`;
}

function Connection() {
  const { state, detail } = page.connection;
  const [tone, word] = STATES[state];
  const broken = state === 'disconnected';
  return html`<span class=${`connection ${tone}`} title=${detail}>
    <span class="dot" aria-hidden="true"></span><span class="word">${word}</span>
    ${detail && html`<${Text} class="detail" limit=${60}>${detail}<//>`}
    ${broken && html`<button type="button" class="plain" onClick=${reconnectNow}>now</button>`}
  </span>`;
}

function ThemeButton() {
  const [theme, setTheme] = useState(chosenTheme());
  return html`<button type="button" class="tool" aria-label=${`Colours: ${theme}`} title=${`Colours: ${theme} (t)`}
    data-theme-button onClick=${() => setTheme(nextTheme())}><${Icon} name=${theme} /></button>`;
}

function CallerButton({ caller }) {
  return html`<span class="caller"><${Text} limit=${24} title=${caller.name}>${caller.name}<//><span class="dim">${caller.role}</span>
    <button type="button" class="tool" aria-label="Log out" title="Log out" onClick=${logout}><${Icon} name="leave" /></button></span>`;
}
