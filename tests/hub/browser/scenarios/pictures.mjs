// The pictures of the README and the documentation.

import { openLive } from '../browser.mjs';
import { demoWorld } from '../world.mjs';

const PICTURES = [
  ['dashboard-light', 'light', { width: 1440, height: 900 }, ''],
  ['dashboard-dark', 'dark', { width: 1440, height: 900 }, ''],
  ['dashboard-item', 'light', { width: 1440, height: 900 }, '?item=SD-115'],
  ['dashboard-phone', 'light', { width: 390, height: 844 }, ''],
];

export async function play({ startHub, environment }) {
  const { origin } = await startHub(demoWorld());
  for (const [name, scheme, viewport, query] of PICTURES) {
    const page = await openLive(`${origin}/${query}`, { scheme, viewport });
    await page.waitForFunction(() => document.querySelectorAll('.strip .marks').length > 5 || document.querySelector('.tabs')?.offsetParent);
    if (query) await page.waitForSelector('.timeline');
    await page.evaluate(() => document.fonts.ready);
    await page.screenshot({ path: `${environment.TRUEUP_PICTURES}/${name}.png` });
  }
}
