// The packages of npm that the suite installs, from where it installs them.

import { createRequire } from 'node:module';

const require = createRequire(`${process.env.TRUEUP_BROWSER_PACKAGES}/`);

export const { chromium } = require('playwright-core');
export const { WebSocketServer } = require('ws');
export const axeSource = require('axe-core').source;
