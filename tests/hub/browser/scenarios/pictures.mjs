// The pictures of the README and the documentation.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { openLive } from '../browser.mjs';
import { encodePalette } from '../palette_png.mjs';
import { demoWorld } from '../world.mjs';

const MOST_BYTES = 150_000;
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
    const picture = encodePalette(await readPixels(page, await page.screenshot()));
    assert.ok(picture.length < MOST_BYTES, `${name} has ${picture.length} bytes`);
    fs.mkdirSync(environment.TRUEUP_PICTURES, { recursive: true });
    fs.writeFileSync(`${environment.TRUEUP_PICTURES}/${name}.png`, picture);
  }
}

/** The browser decodes what it encoded. */
async function readPixels(page, png) {
  const { width, height, text } = await page.evaluate(async (source) => {
    const image = new Image();
    image.src = source;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    let binary = '';
    for (let at = 0; at < data.length; at += 32_768) binary += String.fromCharCode(...data.subarray(at, at + 32_768));
    return { width: image.width, height: image.height, text: btoa(binary) };
  }, `data:image/png;base64,${png.toString('base64')}`);
  return { width, height, pixels: Buffer.from(text, 'base64') };
}
