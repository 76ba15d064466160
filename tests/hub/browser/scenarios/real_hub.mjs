// A real hub over a real database, which another process writes to.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { createInterface } from 'node:readline';
import { assertAccessible, openPage } from '../browser.mjs';

const run = promisify(execFile);

export async function play({ environment }) {
  const trueup = (...words) => run(environment.TRUEUP_TEST_COMMAND, words);
  let hub = await startHub(environment, '127.0.0.1:0');
  try {
    const page = await openPage(hub.origin);
    await logIn(page, environment.TRUEUP_TEST_ADMIN);
    await assertCookie(page);

    await trueup('item', 'add', 'SD-77', '--title', 'Written by another process');
    await page.locator('.work').getByText('Written by another process').waitFor();
    await page.locator('.feed .row', { hasText: 'SD-77' }).first().waitFor();

    hub = await assertRestart(page, hub, environment, trueup);
    await assertNeedIsEnded(page);
    await assertHistory(page, hub.origin, trueup);
    await assertReader(hub.origin, environment.TRUEUP_TEST_READER);
  } finally {
    hub.child.kill('SIGKILL');
  }
}

async function startHub(environment, address) {
  const child = spawn(environment.TRUEUP_TEST_HUB, ['serve', '--listen', address], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { child, origin: line.match(/http:\/\/\S+/)[0] };
}

async function logIn(page, token) {
  await page.getByLabel('Access token').fill(token);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.connection.good');
}

async function assertCookie(page) {
  const [cookie] = await page.context().cookies();
  assert.deepEqual([cookie.name, cookie.httpOnly, cookie.sameSite], ['trueup_hub', true, 'Strict']);
  assert.equal(await page.evaluate(() => document.cookie + JSON.stringify(localStorage)), '{}');
}

/** What is written while there is no hub appears once, and in order. */
async function assertRestart(page, hub, environment, trueup) {
  hub.child.kill('SIGTERM');
  await once(hub.child, 'exit');
  await page.waitForSelector('.connection.bad');
  for (const key of ['SD-81', 'SD-82', 'SD-83']) await trueup('item', 'add', key, '--title', 'Written without a hub');
  const again = await startHub(environment, new URL(hub.origin).host);
  await page.waitForSelector('.connection.good');
  await page.locator('.feed .row', { hasText: 'SD-83' }).waitFor();
  const rows = await page.locator('.feed .row', { hasText: /SD-8[123]/ }).allInnerTexts();
  assert.deepEqual(rows.map((text) => text.match(/SD-8\d/)[0]), ['SD-83', 'SD-82', 'SD-81']);
  await page.locator('.work .row', { hasText: 'SD-82' }).waitFor();
  return again;
}

async function assertNeedIsEnded(page) {
  const need = page.locator('.needs .row', { hasText: 'SD-1' });
  await need.getByRole('button', { name: 'Release…' }).click();
  await page.locator('dialog[open] input').fill('its machine is gone');
  await page.locator('dialog[open] .main').click();
  await page.locator('.notice', { hasText: 'SD-1' }).waitFor();
  await page.locator('.feed .row', { hasText: 'its machine is gone' }).first().waitFor();
  await page.waitForFunction(() => ![...document.querySelectorAll('.needs .act')].some((button) => button.textContent.startsWith('Release')));
}

async function assertHistory(page, origin, trueup) {
  await page.goto(`${origin}/?item=SD-1`);
  await page.locator('.timeline li', { hasText: 'its machine is gone' }).getByText('via lead').waitFor();
  await assertAccessible(page, 'an item of a real database');
  await page.locator('.moment input[type=range]').focus();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await page.getByText('State at this moment').waitFor();
  await page.locator('.blame tr', { hasText: 'holder' }).getByText('gone').waitFor();
  await page.getByRole('button', { name: 'Now', exact: true }).click();
  const before = await page.locator('.timeline li').count();
  await trueup('item', 'transition', 'SD-1', 'cancelled', '--reason', 'not needed');
  await page.waitForFunction((count) => document.querySelectorAll('.timeline li').length > count, before);
}

async function assertReader(origin, token) {
  const page = await openPage(origin);
  await logIn(page, token);
  await page.locator('.work .row').first().waitFor();
  assert.equal(await page.locator('.act').count(), 0);
  const status = await page.evaluate(async () => (await fetch('/api/actions/release', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"target":"SD-2"}' })).status);
  assert.equal(status, 403);
}
