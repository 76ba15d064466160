// Plays one scenario: `node scenario.mjs NAME`.

import { closeBrowser, listProblems } from './browser.mjs';
import { ScriptedHub } from './scripted_hub.mjs';

const { play } = await import(`./scenarios/${process.argv[2]}.mjs`);
const hubs = [];

/** Starts a hub whose answers the scenario decides. */
async function startHub(world) {
  const hub = new ScriptedHub(world, process.env.TRUEUP_PAGE_ORIGIN);
  hubs.push(hub);
  return { hub, origin: await hub.listen() };
}

try {
  await play({ startHub, environment: process.env });
  await closeBrowser();
  process.exit(0);
} catch (error) {
  console.error(error, listProblems());
  process.exit(1);
}
