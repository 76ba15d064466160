// The page says when it cannot be trusted, and comes back by itself without losing an event.

import assert from 'node:assert/strict';
import { openLive, openPage } from '../browser.mjs';
import { ScriptedHub } from '../scripted_hub.mjs';
import { demoWorld } from '../world.mjs';

export async function play({ startHub, environment }) {
  const { hub, origin } = await startHub(demoWorld());
  const page = await openLive(origin);
  await hub.close();
  await page.waitForSelector('.connection.bad');
  await page.waitForFunction(() => document.title.includes('disconnected'));
  assert.ok(await page.locator('.work .row').count() > 0, 'what was known stays');

  const again = new ScriptedHub(hub.world, environment.TRUEUP_PAGE_ORIGIN);
  for (let number = 0; number < 3; number += 1) again.write({ key: 'SD-115', reason: `missed ${number}` });
  await again.listen(hub.port);
  await page.waitForSelector('.connection.good');
  await page.getByText('missed 2').waitFor();
  const missed = await page.locator('.feed .row', { hasText: 'missed' }).allInnerTexts();
  assert.deepEqual(missed.map((text) => text.match(/missed \d/)[0]), ['missed 2', 'missed 1', 'missed 0']);

  // A client that was too slow is let go, and resumes.
  for (const client of again.clients) client.close(1013);
  again.write({ key: 'SD-115', reason: 'after the pause' });
  await page.getByText('after the pause').waitFor();

  // A hub that has begun to say nothing.
  await page.clock.install();
  await page.reload();
  await page.waitForSelector('.connection.good');
  await page.clock.runFor(20_000);
  await page.waitForSelector('.connection.warn');

  // A token that was revoked meanwhile.
  again.loggedIn = false;
  again.tell([]);
  await page.getByLabel('Access token').waitFor();
  await page.context().close();
  await assertLogin(again, origin);
  await again.close();
}

async function assertLogin(hub, origin) {
  const page = await openPage(origin);
  await page.getByLabel('Access token').fill('wrong');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('alert').getByText('does not know this token').waitFor();
  await page.getByLabel('Access token').fill('tuh_right');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.waitForSelector('.connection.good');
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByLabel('Access token').waitFor();
  assert.equal(await page.getByText('SD-115').count(), 0, 'nothing of the team is left');
  assert.ok(hub.posts.some(({ path }) => path === '/logout'));
}
