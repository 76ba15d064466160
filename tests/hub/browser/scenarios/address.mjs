// The address is the state.

import assert from 'node:assert/strict';
import { openLive } from '../browser.mjs';
import { demoWorld } from '../world.mjs';

export async function play({ startHub }) {
  const { hub, origin } = await startHub(demoWorld());
  const page = await openLive(origin);
  const query = () => Object.fromEntries(new URL(page.url()).searchParams);
  const rows = () => page.locator('.work .row').count();

  await page.getByLabel('Repository').selectOption('github.com/acme/ledger');
  await page.getByLabel('Parent').selectOption('SD-ORCH-LEDGER');
  await page.locator('#filter').fill('SD');
  await page.getByLabel('Kind of event').selectOption('item');
  const filtered = await rows();
  assert.ok(filtered > 0 && filtered < 10, `${filtered} rows`);
  const expected = { repo: 'github.com/acme/ledger', parent: 'SD-ORCH-LEDGER', q: 'SD', kind: 'item' };
  assert.deepEqual(query(), expected);

  await page.locator('.work .row').first().click();
  await page.waitForSelector('.timeline');
  const { item } = query();
  await page.locator('.moment input[type=range]').focus();
  await page.keyboard.press('Home');
  await page.getByText('State at this moment').waitFor();
  const { at } = query();
  assert.ok(Date.parse(at) > 0);

  await page.reload();
  await page.waitForSelector('.timeline');
  assert.deepEqual(query(), { ...expected, item, at });
  assert.equal(await page.locator('#filter').inputValue(), 'SD');
  assert.equal(await page.getByLabel('Repository').inputValue(), expected.repo);
  await page.getByText('State at this moment').waitFor();
  const blame = await page.locator('.blame').innerText();
  assert.match(blame, /queued/, 'the first event left it queued');

  await page.goBack();
  await page.waitForSelector('.feed');
  assert.equal(query().item, undefined);
  await page.goForward();
  await page.waitForSelector('.timeline');

  await page.getByRole('button', { name: 'Now', exact: true }).click();
  await page.getByText('State', { exact: true }).waitFor();
  const row = hub.world.work.get(item);
  hub.write({ key: item, kind: 'changed', before: { title: row.title }, after: { title: 'A title of another process' }, reason: 'renamed' }, { work: { set: [{ ...row, title: 'A title of another process' }] } });
  await page.locator('.detail-title', { hasText: 'A title of another process' }).waitFor();
  await page.locator('.timeline li').first().getByText('renamed').waitFor();
}
