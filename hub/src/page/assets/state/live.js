// The stream of events: connected, resumed where it broke, and honest about how far behind it is.

import { ApiError, getJson, parseMessage, postJson } from './api.js';
import { now } from './clock.js';
import { addEvents, forgetEvents, history, loadHistory } from './events.js';
import { expectReach, forgetOverview, reach, refreshOverview } from './overview.js';
import { changed, page } from './store.js';

const FIRST_PAUSE = 400;
const LONGEST_PAUSE = 15_000;
// The hub says something every ten seconds.
const QUIET = 16_000;
const DEAD = 32_000;
const SLOW_OVERVIEW = 3_000;
// The hub lets go of a client that does not read fast enough. It may come back at once.
const TRY_AGAIN = 1013;

let socket = null;
let cursor = null;
let heard = 0;
let failures = 0;
let retryTimer = null;
let attempt = 0;

/** Loads everything and follows the stream. Without a valid token the page asks for one. */
export async function start() {
  const mine = ++attempt;
  try {
    const overview = await refreshOverview();
    if (mine !== attempt) return;
    resumeFrom(overview?.seq ?? reach.seq);
    connect();
    await loadHistory();
  } catch (error) {
    if (mine === attempt) fail(error);
  }
}

/** Gives the token to the hub, which keeps it in a cookie that no script can read. */
export async function login(token) {
  await postJson('/login', { token });
  failures = 0;
  await start();
}

/** Ends the login and forgets what was shown. */
export async function logout() {
  await postJson('/logout').catch(() => {});
  askForToken();
}

/** Tries to connect now. */
export function reconnectNow() {
  if (page.stage !== 'login' && (!socket || socket.readyState > WebSocket.OPEN)) start();
}

function resumeFrom(seq) {
  // A database that was restored begins its numbers again: what was shown is another history.
  if (cursor !== null && seq < cursor) {
    forgetEvents();
    cursor = null;
  }
  if (cursor === null) cursor = seq;
}

function connect() {
  clearTimeout(retryTimer);
  closeSocket();
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const opened = new WebSocket(`${scheme}://${location.host}/ws?since=${cursor}`);
  socket = opened;
  opened.onopen = () => {
    failures = 0;
    heard = now();
    show('live');
  };
  opened.onmessage = (message) => socket === opened && take(message.data);
  opened.onclose = (close) => {
    if (socket !== opened) return;
    socket = null;
    if (close.code === TRY_AGAIN) start();
    else retry('the stream ended');
  };
}

function take(text) {
  heard = now();
  let message;
  try {
    message = parseMessage(text);
  } catch {
    return;
  }
  const events = (message.events ?? []).filter((event) => event.seq > cursor);
  if (typeof message.next === 'number') cursor = Math.max(cursor, message.next);
  if (events.length > 0) {
    cursor = Math.max(cursor, events.at(-1).seq);
    addEvents(events);
    expectReach(cursor);
  }
  show('live');
  // Leases run out without an event, so the quiet messages are a reason to look as well.
  refreshOverview().catch(overviewFailed);
}

function overviewFailed(error) {
  if (error instanceof ApiError && error.status === 401) askForToken();
  else show('behind', error.message);
}

function fail(error) {
  closeSocket();
  if (error instanceof ApiError && error.status === 401) return askForToken();
  if (error instanceof ApiError && error.status === 403) {
    page.connection = { state: 'refused', detail: error.message };
    changed();
    return schedule();
  }
  return retry(error.message);
}

function retry(why) {
  page.connection = { state: 'disconnected', detail: why };
  changed();
  schedule();
}

function schedule() {
  clearTimeout(retryTimer);
  const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** failures);
  failures += 1;
  // All pages lose a hub in the same moment, and must not all come back in the same moment.
  retryTimer = setTimeout(comeBack, pause * (0.5 + Math.random() / 2));
}

async function comeBack() {
  try {
    // A refused upgrade does not say why; a plain request does.
    await getJson('/api/me');
    await start();
  } catch (error) {
    fail(error);
  }
}

function askForToken() {
  attempt += 1;
  clearTimeout(retryTimer);
  closeSocket();
  cursor = null;
  forgetOverview();
  forgetEvents();
  page.caller = null;
  page.stage = 'login';
  page.connection = { state: 'refused', detail: 'a token is needed' };
  changed();
}

function closeSocket() {
  const old = socket;
  socket = null;
  if (old) old.close();
}

function show(state, detail = '') {
  const { connection } = page;
  if (connection.state === state && connection.detail === detail) return;
  page.connection = { state, detail };
  changed();
}

/** Looks whether the stream still says something, and the overview still follows it. */
function watch() {
  if (!socket || socket.readyState !== WebSocket.OPEN) return;
  const quiet = now() - heard;
  if (quiet > DEAD) {
    closeSocket();
    retry('the hub says nothing');
  } else if (quiet > QUIET) {
    show('behind', `nothing heard for ${Math.round(quiet / 1000)} s`);
  } else if (reach.behindSince !== null && now() - reach.behindSince > SLOW_OVERVIEW) {
    show('behind', `${(history.events.at(-1)?.seq ?? 0) - reach.seq} events`);
  }
}

setInterval(watch, 1000);
addEventListener('online', reconnectNow);
document.addEventListener('visibilitychange', () => !document.hidden && reconnectNow());
