// axe finds nothing in any view, light and dark, wide and narrow.

import { DESK, PHONE, assertAccessible, openLive } from '../browser.mjs';
import { demoWorld, emptyWorld } from '../world.mjs';

export async function play({ startHub }) {
  const { hub, origin } = await startHub(demoWorld());
  for (const scheme of ['light', 'dark']) {
    for (const viewport of [DESK, PHONE]) await visitViews(hub, origin, scheme, viewport);
  }
  const empty = await startHub(emptyWorld());
  const page = await openLive(empty.origin);
  await assertAccessible(page, 'nothing to show');
}

async function visitViews(hub, origin, scheme, viewport) {
  const name = `${scheme} ${viewport.width}`;
  hub.loggedIn = true;
  const page = await openLive(origin, { scheme, viewport });
  const tabs = await page.locator('.tabs button:visible').all();
  for (const tab of tabs.length ? tabs : [null]) {
    await tab?.click();
    await assertAccessible(page, `${name} ${tab ? await tab.textContent() : 'panes'}`);
  }
  await tabs[0]?.click();
  await page.getByRole('button', { name: 'Release…' }).first().click();
  await page.locator('dialog[open]').waitFor();
  await assertAccessible(page, `${name} confirmation`);
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await page.locator('dialog.help[open]').waitFor();
  await assertAccessible(page, `${name} keys`);
  await page.keyboard.press('Escape');
  await page.goto(`${origin}/?item=SD-115&q=SD&at=${encodeURIComponent(new Date(Date.now() - 240_000).toISOString())}`);
  await page.waitForSelector('.timeline');
  await assertAccessible(page, `${name} item at a moment`);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByLabel('Access token').fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').waitFor();
  await assertAccessible(page, `${name} login`);
  await page.context().close();
}
