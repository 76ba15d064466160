// Asks once for the token, which the hub then keeps in a cookie that no script can read.

import { html, useState } from '../vendor/htm-preact-3.1.1.js';
import { login } from '../state/live.js';
import { Text } from './parts.js';

/** The view of those who have not logged in. */
export function Login() {
  const [problem, setProblem] = useState('');
  const [running, setRunning] = useState(false);
  const send = async (event) => {
    event.preventDefault();
    const token = new FormData(event.target).get('token').trim();
    if (!token) return;
    setRunning(true);
    try {
      await login(token);
    } catch (error) {
      setProblem(error.status === 401 ? 'The hub does not know this token, or it was revoked.' : error.message);
      setRunning(false);
    }
  };
  return html`<main class="login"><form onSubmit=${send}>
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" /><path d="M7 12h18M7 20h18" /><path class="true" d="M16 7v18" /></svg>
    <h1>trueup</h1>
    <label for="token">Access token</label>
    <input id="token" name="token" type="password" autocomplete="current-password" autofocus required spellcheck=${false}
      aria-describedby=${problem ? 'login-problem' : 'login-hint'} aria-invalid=${problem ? 'true' : undefined} />
    ${problem && html`<p id="login-problem" class="tone bad" role="alert"><${Text}>${problem}<//></p>`}
    <button type="submit" class="main" disabled=${running}>Log in</button>
    <p id="login-hint" class="dim">Whoever runs the hub makes one:<br /><code>trueup-hub token create NAME --role reader</code></p>
  </form></main>`;
}
