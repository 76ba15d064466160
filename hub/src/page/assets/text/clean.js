// Everything that the server sends is text of strangers. It is shown as text nodes only, and first
// loses what could make it look like something else: control characters, and those that reverse the
// direction of writing or hide. What is copied from the page is cleaned as well, so that no command
// brings a line break to a shell.

const HIDDEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/;
const EACH = new RegExp(HIDDEN.source, 'g');
const SPACES = /[\t\n\r\u2028\u2029]+/g;
// Private tags, and more than a few marks on one letter, which run over the rows around.
const TAGS = /[\u{e0000}-\u{e007f}]/gu;
const PILES = /(\p{M}{3})\p{M}+/gu;
const PLAIN = /^[\x20-\x7e]*$/;

/** Returns the text as one visible line. */
export function cleanText(text) {
  if (PLAIN.test(text)) return text;
  const line = HIDDEN.test(text) ? text.replace(SPACES, ' ').replace(EACH, '\ufffd') : text;
  return line.replace(TAGS, '\ufffd').replace(PILES, '$1');
}

/** Cleans every text of a parsed answer, in place. */
export function cleanAnswer(value) {
  if (typeof value === 'string') return cleanText(value);
  if (value === null || typeof value !== 'object') return value;
  for (const key of Object.keys(value)) value[key] = cleanAnswer(value[key]);
  return value;
}

/** Returns any value as a short line. */
export function showValue(value, limit = 240) {
  if (value === null || value === undefined) return '–';
  const text = typeof value === 'string' ? value : cleanText(JSON.stringify(value));
  return clip(text, limit);
}

/** Returns at most so many characters. */
export function clip(text, limit) {
  return text.length > limit ? text.slice(0, limit - 1) + '…' : text;
}
