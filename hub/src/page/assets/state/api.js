// Requests to the hub.

import { cleanAnswer, cleanText } from '../text/clean.js';

/** What the hub refused, or that it was not reached (status 0). */
export class ApiError extends Error {
  constructor(status, message, { hint, code } = {}) {
    super(message);
    this.status = status;
    this.hint = typeof hint === 'string' ? hint : '';
    this.code = code;
  }
}

/** Reads from the hub. */
export function getJson(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== '') query.set(name, value);
  }
  const text = query.toString();
  return request(text ? `${path}?${text}` : path, { method: 'GET' });
}

/** Sends to the hub. */
export function postJson(path, body = {}) {
  return request(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

/** Parses and cleans what the hub sent. */
export function parseMessage(text) {
  return cleanAnswer(JSON.parse(text));
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, { credentials: 'same-origin', cache: 'no-store', ...options });
  } catch (error) {
    throw new ApiError(0, 'the hub cannot be reached', { hint: cleanText(String(error.message)) });
  }
  const text = await response.text().catch(() => '');
  let answer = null;
  try {
    answer = text ? parseMessage(text) : null;
  } catch {
    answer = null;
  }
  if (response.ok) return answer;
  const problem = (answer && answer.error) || {};
  const message = typeof problem.message === 'string' ? problem.message : `the hub answered ${response.status}`;
  throw new ApiError(response.status, message, problem);
}
