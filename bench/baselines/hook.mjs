// What the first seed's hook did, in Node: the database wins over the cache.
//
// The fastest way to a database that a Node has: its own node:sqlite, else the sqlite3 command
// (loading the native addon better-sqlite3 was measured and takes longer than that command).
import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

const [database, session, cache] = process.argv.slice(2);
const payload = JSON.parse(readFileSync(0, 'utf8'));

const sql = `SELECT s.metadata, w.key FROM claude_sessions s
  LEFT JOIN work_items w ON w.holder = s.session_id WHERE s.session_id = `;

function read() {
  if (process.getBuiltinModule?.('node:sqlite')) {
    const connection = new (process.getBuiltinModule('node:sqlite').DatabaseSync)(database);
    try {
      return connection.prepare(`${sql}?`).get(session);
    } finally {
      connection.close();
    }
  }
  const text = `${sql}'${session.replaceAll("'", "''")}'`;
  const answer = execFileSync('sqlite3', ['-json', database, text], { encoding: 'utf8' });
  return answer ? JSON.parse(answer)[0] : undefined;
}

const row = read();
if (row) {
  const truth = { ...JSON.parse(row.metadata).execution_state, currentSd: row.key };
  let local = {};
  try {
    local = JSON.parse(readFileSync(cache, 'utf8'));
  } catch {
    // A cache that cannot be read is rebuilt.
  }
  const wrong = Object.keys(truth).filter((key) => local[key] !== truth[key]);
  if (wrong.length > 0) {
    writeFileSync(`${cache}.tmp`, JSON.stringify({ ...local, ...truth }, null, 2));
    renameSync(`${cache}.tmp`, cache);
    const told = `database says ${truth.currentSd}, file said ${local.currentSd}`;
    process.stdout.write(`[${payload.hook_event_name}] mended ${wrong.join(', ')}: ${told}\n`);
  }
}
