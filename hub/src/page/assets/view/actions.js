// What an admin can do from the page. Each is confirmed, sent with a reason, and offered to be undone.

import { html, useEffect, useRef, useState } from '../vendor/htm-preact-3.1.1.js';
import { postJson } from '../state/api.js';
import { refreshOverview } from '../state/overview.js';
import { page } from '../state/store.js';
import { clip } from '../text/clean.js';
import { notify } from './notices.js';
import { Text } from './parts.js';

const ACTIONS = {
  release: { label: 'Release', ask: 'Release the claim on', says: 'Its holder can write to it no more. Whoever claims it next is shown the unfinished work.', of: 'item' },
  reopen: { label: 'Reopen', ask: 'Reopen', says: 'It is offered again as work to do.', of: 'item', reason: 'needed' },
  reject: { label: 'Reject', ask: 'Reject the hand-off', says: 'Its sender keeps the item and is told why. This cannot be undone.', of: 'id', reason: 'needed' },
  restore_journal: { label: 'Restore', ask: 'Restore the lost edit', says: 'The values that were rejected are written again.', of: 'id' },
  drop_journal: { label: 'Drop', ask: 'Drop the lost edit', says: 'The values that were rejected are gone for good.', of: 'id', danger: true },
  resend: { label: 'Send again', ask: 'Send again', says: 'The write is tried once more as it is.', of: 'id' },
  drop_dead_letter: { label: 'Drop', ask: 'Drop the write', says: 'The write is never sent. What it says is lost.', of: 'id', danger: true },
};

let openDialog = () => {};

/** The buttons of a row, for those who may. */
export function ActionButtons({ actions, row }) {
  const known = (actions ?? []).filter((action) => Object.hasOwn(ACTIONS, action));
  if (page.caller?.role !== 'admin' || known.length === 0) return null;
  return html`<span class="actions">${known.map(
    (action) => html`<button type="button" class=${`act${ACTIONS[action].danger ? ' danger' : ''}`} key=${action} data-action=${action}
      onClick=${(event) => {
        event.stopPropagation();
        openDialog({ action, target: targetOf(action, row) });
      }}>${ACTIONS[action].label}…</button>`,
  )}</span>`;
}

/** The dialog that asks before anything is done. */
export function ActionDialog() {
  const [wish, setWish] = useState(null);
  const [problem, setProblem] = useState(null);
  const [running, setRunning] = useState(false);
  const dialog = useRef(null);
  useEffect(() => {
    openDialog = (next) => {
      setProblem(null);
      setWish(next);
    };
  }, []);
  useEffect(() => {
    if (wish && !dialog.current.open) dialog.current.showModal();
    if (!wish && dialog.current.open) dialog.current.close();
  }, [wish]);
  const send = async (event) => {
    event.preventDefault();
    const reason = new FormData(event.target).get('reason').trim();
    setRunning(true);
    setProblem(null);
    try {
      await act({ ...wish, reason, force: needsForce(problem) });
      setWish(null);
    } catch (error) {
      setProblem(error);
    } finally {
      setRunning(false);
    }
  };
  const kind = wish && ACTIONS[wish.action];
  return html`<dialog ref=${dialog} class="confirm" aria-labelledby="confirm-title" onClose=${() => setWish(null)}>
    ${wish &&
    html`<form method="dialog" onSubmit=${send} key=${`${wish.action} ${wish.target}`}>
      <h2 id="confirm-title">${kind.ask} <${Text} class="mono" limit=${120}>${wish.target}<//>?</h2>
      <p>${kind.says}</p>
      <label>Reason${kind.reason ? '' : ' (optional)'}
        <input name="reason" maxlength="500" autocomplete="off" required=${Boolean(kind.reason)} autofocus /></label>
      <p class="dim">Recorded as done by <${Text} limit=${60}>${page.caller?.name}<//>.</p>
      ${problem && html`<p class="tone bad" role="alert"><${Text} limit=${500}>${problem.hint ? `${problem.message}. ${problem.hint}` : problem.message}<//></p>`}
      <div class="buttons"><button type="button" class="plain" onClick=${() => setWish(null)}>Cancel</button>
        <button type="submit" class=${kind.danger || needsForce(problem) ? 'main danger' : 'main'} disabled=${running}>${kind.label}${needsForce(problem) ? ' all the same' : ''}</button></div>
    </form>`}
  </dialog>`;
}

/** Says whether the hub would do it if it were asked once more: its holder may still work. */
function needsForce(problem) {
  return problem?.code === 'holder_may_live';
}

/** The item; or else what the need is about, whose id follows the kind. */
function targetOf(action, row) {
  if (ACTIONS[action].of === 'item') return row.item || row.key;
  return row.id.startsWith(`${row.kind}:`) ? row.id.slice(row.kind.length + 1) : row.id;
}

async function act({ action, target, reason, force = false }) {
  const answer = await postJson(`/api/actions/${encodeURIComponent(action)}`, { target, reason, ...(force && { force }) });
  const { undo } = answer ?? {};
  notify(answer?.done || `${ACTIONS[action]?.label ?? action}: ${clip(target, 60)}`, {
    action: undo ? { label: 'Undo', run: () => takeBack(undo, target) } : null,
  });
  refreshOverview().catch(() => {});
}

async function takeBack(undo, target) {
  try {
    await act({ action: undo.action, target: undo.target, reason: `undo of what was done to ${target}` });
  } catch (error) {
    notify(error.message, { tone: 'bad' });
  }
}
