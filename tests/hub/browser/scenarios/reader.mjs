// A reader sees everything and can do nothing; an admin is asked before anything is done.

import assert from 'node:assert/strict';
import { openLive } from '../browser.mjs';
import { demoWorld } from '../world.mjs';

export async function play({ startHub }) {
  await assertReader(startHub);
  await assertAdmin(startHub);
}

async function assertReader(startHub) {
  const world = demoWorld();
  world.caller = { name: 'guest', role: 'reader' };
  const { origin } = await startHub(world);
  const page = await openLive(origin);
  assert.equal(await page.locator('.need').count() > 4, true);
  assert.equal(await page.locator('.act').count(), 0);
  for (const item of ['SD-142', [...world.work.values()].find((row) => row.status === 'completed').key]) {
    await page.goto(`${origin}/?item=${item}`);
    await page.waitForSelector('.timeline');
    assert.equal(await page.locator('.act').count(), 0, item);
  }
}

async function assertAdmin(startHub) {
  const world = demoWorld();
  const { hub, origin } = await startHub(world);
  const done = [...world.work.values()].find((row) => row.status === 'completed').key;
  hub.onAction = (action, { target }) => ({ done: `${action} of ${target}`, undo: action === 'release' ? { action: 'reopen', target } : null });
  const page = await openLive(origin);
  await page.getByRole('button', { name: 'Release…' }).first().click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  assert.deepEqual(hub.posts, [], 'nothing is sent before it is confirmed');

  await page.getByRole('button', { name: 'Release…' }).first().click();
  await page.locator('dialog[open] .main').click();
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('reopen of SD-142', { exact: true }).waitFor();
  assert.deepEqual(hub.posts.map(({ path }) => path), ['/api/actions/release', '/api/actions/reopen']);

  await page.goto(`${origin}/?item=${done}`);
  await page.getByRole('button', { name: 'Reopen…' }).click();
  await page.locator('dialog[open] .main').click();
  assert.equal(hub.posts.length, 2, 'a reason is needed');
  await page.locator('dialog[open] input').fill('a case was missed');
  hub.world.caller = { name: 'lead', role: 'reader' };
  await page.locator('dialog[open] .main').click();
  await page.getByRole('alert').getByText('only for admins').waitFor();
  hub.world.caller = { name: 'lead', role: 'admin' };
  await page.locator('dialog[open] .main').click();
  await page.getByText(`reopen of ${done}`, { exact: true }).waitFor();
  assert.deepEqual(hub.posts.at(-1).body, { target: done, reason: 'a case was missed' });

  await assertForce(page, hub);

  // What was ended leaves the list, and the title counts the rest.
  hub.write({ key: 'SD-142', kind: 'released' }, { needs: { removed: ['need-0'] } });
  await page.waitForFunction(() => document.title.startsWith('(6)'));
  assert.match(await page.locator('#icon').getAttribute('href'), /^data:image\/svg\+xml,.*%3E6%3C/);
}

/** What may still be alive is released only by whoever confirms it twice. */
async function assertForce(page, hub) {
  await page.goto(new URL(page.url()).origin);
  hub.onAction = (action, { target, force }) =>
    force ? { done: `forced ${target}`, undo: null } : { status: 409, error: { code: 'holder_may_live', message: 'its holder may be at work', hint: null } };
  await page.getByRole('button', { name: 'Release…' }).nth(1).click();
  await page.locator('dialog[open] .main').click();
  await page.getByRole('alert').getByText('may be at work').waitFor();
  await page.getByRole('button', { name: 'Release all the same' }).click();
  await page.getByText('forced SD-121', { exact: true }).waitFor();
  assert.equal(hub.posts.at(-1).body.force, true);
}
