// Everything can be done by keyboard alone.

import assert from 'node:assert/strict';
import { openLive, readClipboard } from '../browser.mjs';
import { demoWorld } from '../world.mjs';

export async function play({ startHub }) {
  const { hub, origin } = await startHub(demoWorld());
  hub.onAction = (action, body) => ({ done: `${action} of ${body.target}`, undo: action === 'release' ? { action: 'reopen', target: body.target } : null });
  const page = await openLive(origin);
  const press = (key) => page.keyboard.press(key);
  const focused = () => page.evaluate(() => document.activeElement?.dataset?.key ?? document.activeElement?.id ?? '');

  await press('j');
  assert.equal(await focused(), 'need-0', 'the first key goes to what needs a person');
  await press('j');
  await press('k');
  assert.equal(await focused(), 'need-0');
  await assertFocusIsVisible(page);
  await press('y');
  await page.waitForFunction(() => document.querySelector('.notice'));
  assert.match(await readClipboard(page), /^trueup release SD-142 /);
  await press('i');
  await page.getByText('Copied SD-142', { exact: true }).waitFor();
  assert.equal(await readClipboard(page), 'SD-142');

  await press('a');
  await press('Enter');
  await page.locator('dialog.confirm[open]').waitFor();
  await page.keyboard.type('its machine is gone');
  await press('Enter');
  await page.getByText('release of SD-142', { exact: true }).waitFor();
  assert.deepEqual(hub.posts[0], { path: '/api/actions/release', body: { target: 'SD-142', reason: 'its machine is gone' } });

  await press('2');
  const first = await focused();
  for (let step = 0; step < 25; step += 1) await press('j');
  await assertFocusIsVisible(page);
  assert.notEqual(await focused(), first);
  await press('g');
  assert.equal(await focused(), first);
  await press('G');
  await assertFocusIsVisible(page);
  await press('g');
  await press('Enter');
  await page.waitForSelector('.detail .timeline');
  assert.equal(new URL(page.url()).searchParams.get('item'), first);
  await press('j');
  await press('Escape');
  await page.waitForSelector('.detail', { state: 'detached' });

  await press('/');
  assert.equal(await focused(), 'filter');
  await page.keyboard.type('tenant');
  await page.waitForFunction(() => document.querySelectorAll('.work .row').length === 1);
  await press('Enter');
  assert.equal(await focused(), 'SD-115', 'Enter goes from the filter to the rows');
  await press('/');
  await press('Escape');
  assert.equal(await page.locator('#filter').inputValue(), '');
  await press('Escape');

  await press('4');
  assert.ok(await page.evaluate(() => document.activeElement.closest('.lanes') !== null));
  await press('3');
  assert.ok(await page.evaluate(() => document.activeElement.closest('.feed') !== null));
  await press('?');
  await page.locator('dialog.help[open]').waitFor();
  await press('Escape');
  await page.waitForSelector('dialog.help[open]', { state: 'detached' });
  await press('t');
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'light');
  await page.reload();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'light', 'the choice is kept');
}

async function assertFocusIsVisible(page) {
  const shown = await page.evaluate(() => {
    const element = document.activeElement;
    const row = element.getBoundingClientRect();
    const box = element.closest('.scroll').getBoundingClientRect();
    return { inside: row.top >= box.top - 1 && row.bottom <= box.bottom + 1, outline: getComputedStyle(element).outlineStyle };
  });
  assert.deepEqual(shown, { inside: true, outline: 'solid' });
}
