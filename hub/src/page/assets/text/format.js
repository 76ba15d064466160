// Times and ids as the page shows them.

const two = (number) => String(number).padStart(2, '0');

/** Returns `07:41:05` in the reader's time zone. */
export function clockTime(at) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '–';
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Returns `2026-11-30 07:41:05`. */
export function fullTime(at) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '–';
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clockTime(at)}`;
}

/** Returns the time of day, or the day of what is older than twenty hours. */
export function momentTime(at, now) {
  return now - Date.parse(at) < 72_000_000 ? clockTime(at) : fullTime(at).slice(5, 16);
}

/** Returns a number of milliseconds as `14s`, `3m`, `2h 05m`, `4d`. */
export function duration(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 10) return minutes % 60 ? `${hours}h ${two(minutes % 60)}m` : `${hours}h`;
  if (hours < 48) return `${hours}h`;
  return `${Math.floor(hours / 24)}d`;
}

/** Returns the first characters of an id: enough to tell sessions apart. */
export function shortId(id) {
  if (!id) return '';
  return /^[0-9a-f]{8}-[0-9a-f]{4}-/.test(id) ? id.slice(0, 8) : id;
}

/** Returns the end of a repository's name, which is what people call it. */
export function shortRepo(repo) {
  if (!repo) return '';
  const parts = repo.split('/').filter(Boolean);
  return parts[parts.length - 1] || repo;
}

/** Returns a word as a shell reads it back. */
export function shellWord(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Returns `1 item`, `3 items`. */
export function count(number, noun) {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
