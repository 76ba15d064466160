// The one state of the page, and who is told when it changed.

const listeners = new Set();
let waiting = false;

/** What every view reads. Views never write it; they call functions of `state/`. */
export const page = {
  /** `starting`, `login`, `ready` */
  stage: 'starting',
  caller: null,
  counts: null,
  needs: [],
  work: [],
  sessions: new Map(),
  /** Grows with every change of needs, work or sessions. */
  version: 0,
  connection: { state: 'starting', detail: '' },
};

/** Calls `listener` after changes, at most once a frame. Returns what ends that. */
export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Says that the state changed. */
export function changed() {
  if (waiting) return;
  waiting = true;
  // A page in the background has no frames, but its title and icon are still looked at.
  if (document.hidden) setTimeout(tell, 100);
  else requestAnimationFrame(tell);
}

function tell() {
  waiting = false;
  for (const listener of [...listeners]) listener();
}
