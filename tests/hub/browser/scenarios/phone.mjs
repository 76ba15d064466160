// On a phone nothing sticks out, and every pane can be reached.

import assert from 'node:assert/strict';
import { PHONE, assertNoSidewaysScroll, openLive } from '../browser.mjs';
import { demoWorld } from '../world.mjs';

export async function play({ startHub }) {
  const { origin } = await startHub(demoWorld());
  const page = await openLive(origin, { viewport: PHONE });
  for (const pane of ['needs', 'work', 'feed', 'lanes']) {
    await page.locator('.tabs button').nth(['needs', 'work', 'feed', 'lanes'].indexOf(pane)).click();
    assert.ok(await page.locator(`.${pane}`).isVisible(), pane);
    assert.equal(await page.locator('.pane:visible').count(), 1);
    await assertNoSidewaysScroll(page, pane);
  }
  await page.locator('.tabs button').nth(1).click();
  await page.locator('.work .row').first().click();
  await page.waitForSelector('.timeline');
  await assertNoSidewaysScroll(page, 'item');
  await page.getByRole('button', { name: 'Close the item' }).click();
  assert.ok(await page.locator('.work').isVisible());
  await page.locator('.tabs button').first().click();
  await page.getByRole('button', { name: 'Release…' }).first().click();
  await assertNoSidewaysScroll(page, 'confirmation');
}
