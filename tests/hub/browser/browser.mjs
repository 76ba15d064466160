// Chromium as the scenarios use it. Whatever a browser complains about fails the scenario.

import assert from 'node:assert/strict';
import { axeSource, chromium } from './packages.mjs';

export const DESK = { width: 1440, height: 900 };
export const PHONE = { width: 360, height: 740 };

let browser = null;
const pages = [];

/** Opens a page that is watched for errors, violations of the policy and requests to others. */
export async function openPage(url, { viewport = DESK, scheme = 'light', cookies = [] } = {}) {
  browser ??= await chromium.launch({ executablePath: process.env.TRUEUP_CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  const context = await browser.newContext({ viewport, colorScheme: scheme, locale: 'en-GB', timezoneId: 'UTC' });
  await context.grantPermissions(['clipboard-write']);
  if (cookies.length > 0) await context.addCookies(cookies);
  // Only for what never happens: the tests do not depend on how fast the machine is.
  context.setDefaultTimeout(120_000);
  const page = await context.newPage();
  const watched = { page, problems: [] };
  pages.push(watched);
  const origin = new URL(url).origin;
  page.on('pageerror', (error) => watched.problems.push(`error: ${error.message}`));
  page.on('console', (message) => {
    const text = message.text();
    // What the scenario does to the hub is no fault of the page.
    if (message.type() === 'error' && !/Failed to load resource|WebSocket connection to/.test(text)) watched.problems.push(`console: ${text}`);
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith('data:')) watched.problems.push(`request to ${request.url()}`);
  });
  await page.addInitScript(() => {
    window.violations = [];
    // The page's policy lets nobody read the clipboard, and so not a test.
    const write = navigator.clipboard?.writeText.bind(navigator.clipboard);
    if (write) navigator.clipboard.writeText = (text) => write(text).then(() => (window.copied = text));
    document.addEventListener('securitypolicyviolation', (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
  });
  const answer = await page.goto(url);
  assert.equal(answer.status(), 200, url);
  return page;
}

/** Opens the page of a hub and waits until it is live. */
export async function openLive(url, options) {
  const page = await openPage(url, options);
  await page.waitForSelector('.connection.good');
  return page;
}

/** Returns what the pages have complained about so far. */
export function listProblems() {
  return pages.flatMap(({ problems }) => problems);
}

/** Fails when any page complained, and ends the browser. */
export async function closeBrowser() {
  for (const { page, problems } of pages) {
    if (!page.isClosed()) problems.push(...(await page.evaluate(() => window.violations)).map((text) => `violation: ${text}`));
    assert.deepEqual(problems, []);
  }
  await browser?.close();
}

/** Fails when axe finds anything in what is shown. */
export async function assertAccessible(page, view) {
  await page.evaluate(axeSource);
  const found = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.any[0]?.message ?? node.all[0]?.message ?? ''}`).join(' | ')}`);
  });
  assert.deepEqual(found, [], view);
}

/** Fails when anything sticks out at the side. */
export async function assertNoSidewaysScroll(page, view) {
  const wide = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const out = [];
    if (document.documentElement.scrollWidth > width) out.push('the page');
    for (const element of document.querySelectorAll('.scroll, .detail-body, .top, .filters, dialog[open], .tabs')) {
      if (element.scrollWidth > element.clientWidth + 1) out.push(element.className);
    }
    return out;
  });
  assert.deepEqual(wide, [], view);
}

/** Returns the text that the page copied last. */
export function readClipboard(page) {
  return page.evaluate(() => window.copied);
}
