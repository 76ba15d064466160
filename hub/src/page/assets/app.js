// The page: its views, its keys, and the stream that feeds it.

import { html, render, useEffect, useState } from './vendor/htm-preact-3.1.1.js';
import { address } from './state/address.js';
import { start } from './state/live.js';
import { page, subscribe } from './state/store.js';
import { ActionDialog } from './view/actions.js';
import { announceChanges } from './view/announce.js';
import { Detail } from './view/detail.js';
import { Feed } from './view/feed.js';
import { Filters } from './view/filters.js';
import { Header } from './view/header.js';
import { Help } from './view/help.js';
import { listenToKeys } from './view/keys.js';
import { Lanes } from './view/lanes.js';
import { Login } from './view/login.js';
import { Needs } from './view/needs.js';
import { Notices } from './view/notices.js';
import { Guard } from './view/pane.js';
import { Tabs, useTab } from './view/tabs.js';
import { updateTitle } from './view/title.js';
import { Work } from './view/work.js';

function App() {
  const [, draw] = useState(0);
  useEffect(() => subscribe(() => draw((drawn) => drawn + 1)), []);
  const tab = useTab();
  if (page.stage === 'login') return html`<${Login} /><${Notices} />`;
  return html`<${Header} /><${Filters} />
    <main class=${`panes${address.item ? ' open' : ''}`} data-tab=${tab} aria-label="Dashboard">
      ${guarded('needs', Needs)}${guarded('work', Work)}${address.item ? guarded('detail', Detail) : guarded('feed', Feed)}${guarded('lanes', Lanes)}
    </main>
    <${Tabs} tab=${tab} /><${Notices} /><${ActionDialog} /><${Help} />
    <div id="announcer" class="unseen" aria-live="polite"></div>`;
}

function guarded(name, View) {
  return html`<${Guard} name=${name} key=${name}><${View} /><//>`;
}

document.getElementById('page').replaceChildren();
render(html`<${App} />`, document.getElementById('page'));
subscribe(updateTitle);
subscribe(announceChanges);
listenToKeys();
start();
