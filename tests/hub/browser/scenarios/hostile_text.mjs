// Whatever text is in a field, the page shows it as text, in every view.

import assert from 'node:assert/strict';
import { assertNoSidewaysScroll, openLive, readClipboard } from '../browser.mjs';
import { emptyWorld, itemFacts, makeEvent } from '../world.mjs';

const MARKUP = '"><img src=x onerror="window.broken=1"><script>window.broken=1</script>&lt;b&gt;${window.broken=1}\'`';
const DIRECTION = '\u202egnp.exe\u2066 \u200f\u061c abc\u2069';
const CONTROLS = 'a\u0000b\u0007c\r\nd\u001b[31me\u009b2Jf\u2028g\ufeffh';
const MARKS = 'Z' + '\u0300\u0301\u0302\u0489'.repeat(200);
const LONG = 'x'.repeat(20_000);
const TEXTS = { MARKUP, DIRECTION, CONTROLS, MARKS, LONG, INHERITED: 'constructor', PROTOTYPE: '__proto__' };

export async function play({ startHub }) {
  for (const [name, text] of Object.entries(TEXTS)) {
    const world = hostileWorld(text);
    const { hub, origin } = await startHub(world);
    const page = await openLive(origin);
    for (const view of ['', `?q=${encodeURIComponent(text.slice(0, 200))}&repo=${encodeURIComponent(text.slice(0, 200))}`, '?item=SD-1']) {
      await page.goto(`${origin}/${view}`);
      await page.waitForSelector('.connection.good');
      if (view.startsWith('?item')) await page.waitForSelector('.timeline');
      await assertOnlyText(page, `${name} ${view.slice(0, 6)}`);
    }
    if (name === 'MARKUP') await assertShown(page, origin);
    if (name === 'CONTROLS') await assertCommandIsOneLine(page, origin);
    hub.onAction = () => ({ done: text, undo: { action: text, target: text } });
    await page.goto(origin);
    await page.getByRole('button', { name: 'Release…' }).first().click();
    await page.locator('dialog[open] .main').click();
    await page.locator('.notice').waitFor();
    await assertOnlyText(page, `${name} notice`);
    await page.context().close();
  }
}

async function assertOnlyText(page, view) {
  const found = await page.evaluate(() => ({
    broken: window.broken ?? null,
    images: document.querySelectorAll('img, iframe, object, embed, #page script, #page b[onclick]').length,
    hidden: /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/.test(document.body.innerText + document.title),
    handlers: [...document.querySelectorAll('#page *')].filter((element) => [...element.attributes].some(({ name }) => name.startsWith('on'))).length,
  }));
  assert.deepEqual(found, { broken: null, images: 0, hidden: false, handlers: 0 }, view);
  await assertNoSidewaysScroll(page, view);
}

async function assertShown(page, origin) {
  await page.goto(origin);
  await page.waitForSelector('.connection.good');
  for (const pane of ['.needs', '.work', '.feed', '.lanes']) {
    const text = await page.locator(pane).innerText();
    assert.ok(text.includes('"><img src=x'), `${pane} shows the text itself: ${text.slice(0, 400)}`);
  }
}

/** A command with a line break would run by being pasted. */
async function assertCommandIsOneLine(page, origin) {
  await page.goto(origin);
  await page.locator('.needs .command').first().click();
  await page.locator('.notice').waitFor();
  const copied = await readClipboard(page);
  assert.doesNotMatch(copied, /[\u0000-\u001f\u007f-\u009f]/);
  assert.ok(copied.length > 5);
}

/** Makes a world with the text in every field that is a text. */
function hostileWorld(text) {
  const world = emptyWorld();
  world.caller = { name: text, role: 'admin' };
  const now = new Date().toISOString();
  const row = {
    key: 'SD-1', title: text, kind: text, status: 'running', phase: text, repo: text, parent: text, position: 1, holder: text, host: text,
    branch: text, heartbeat_at: now, alive: text, lease_expires_at: now, epoch: 1, acknowledged: 1, revision: 2, blocked_by: [text, text],
    blocks: [text], error_message: text, why: null, command: text, created_at: now,
  };
  world.sessions.set(text, {
    session_id: text, host: text, repo: text, branch: text, status: text, alive: text, state: text, heartbeat_at: now, lease_expires_at: text,
    item: text, phase: text, task: text, epoch: 1, revision: 2, acknowledged: 1, registered_at: text,
  });
  const facts = { ...itemFacts(row), [text]: text, __proto__: null, nested: { [text]: [text, { constructor: text }] } };
  const kinds = ['added', 'status', text, 'raised', 'claimed'];
  for (const entity of ['item', 'session', text]) {
    for (const kind of kinds) {
      world.events.push(makeEvent(world, { key: entity === 'item' ? 'SD-1' : text, entity, kind, actor: text, via: text, reason: kind === 'status' ? null : text, before: { status: text }, after: facts, op_id: text }));
    }
  }
  row.why = world.events[0];
  world.work.set('SD-1', row);
  for (const kind of ['gate_refusal', 'lost_session', text]) {
    world.needs.set(`${kind} ${text}`, { id: `${kind} ${text}`, kind, since: now, session_id: text, item: text, repo: text, host: text, line: text, command: `trueup ${text}`, why: world.events[0], actions: ['release', text, 'constructor', '__proto__'] });
  }
  return world;
}
