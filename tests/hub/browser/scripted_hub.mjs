// A hub whose answers the test decides: what a real database would not take, or not in such numbers. The page
// and its headers are those of the real hub, which they are fetched from.

import http from 'node:http';
import { WebSocketServer } from './packages.mjs';
import { itemFacts, makeEvent } from './world.mjs';

export class ScriptedHub {
  constructor(world, pageOrigin) {
    Object.assign(this, { world, pageOrigin, version: 1, posts: [], loggedIn: true, clients: new Set() });
    this.changes = [];
    this.server = http.createServer((request, response) => this.answer(request, response).catch((error) => send(response, 500, { error: { code: 'test', message: String(error) } })));
    this.sockets = new WebSocketServer({ noServer: true });
    this.server.on('upgrade', (request, socket, head) => this.upgrade(request, socket, head));
  }

  async listen(port = 0) {
    await new Promise((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    this.port = this.server.address().port;
    this.heartbeat = setInterval(() => this.tell([]), 10_000);
    return `http://127.0.0.1:${this.port}`;
  }

  async close() {
    clearInterval(this.heartbeat);
    for (const client of this.clients) client.terminate();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Writes an event, with what it changes in the overview. */
  write(event, changes = {}) {
    const written = makeEvent(this.world, event);
    this.world.events.push(written);
    this.change(changes);
    this.tell([written]);
    return written;
  }

  /** Changes rows: `{ needs: { set: [], removed: [] }, work: …, sessions: … }`. */
  change(changes) {
    const ids = { needs: 'id', work: 'key', sessions: 'session_id' };
    this.version += 1;
    for (const [name, { set = [], removed = [] }] of Object.entries(changes)) {
      for (const row of set) this.world[name].set(row[ids[name]], row);
      for (const id of removed) this.world[name].delete(id);
      this.changes.push({ version: this.version, name, set, removed });
    }
  }

  tell(events) {
    const message = JSON.stringify({ events, next: this.world.seq });
    for (const client of this.clients) client.send(message);
  }

  upgrade(request, socket, head) {
    const since = Number(new URL(request.url, 'http://hub').searchParams.get('since') ?? this.world.seq);
    this.sockets.handleUpgrade(request, socket, head, (client) => {
      this.clients.add(client);
      client.on('close', () => this.clients.delete(client));
      client.send(JSON.stringify({ events: this.world.events.filter((event) => event.seq > since), next: this.world.seq }));
    });
  }

  async answer(request, response) {
    const url = new URL(request.url, 'http://hub');
    if (url.pathname === '/' || url.pathname.startsWith('/assets/')) return this.servePage(url, response);
    if (url.pathname === '/login') return this.login(request, response);
    if (!this.loggedIn) return send(response, 401, { error: { code: 'unauthorized', message: 'a token is needed', hint: null } });
    if (request.method === 'POST') return this.act(request, response, url);
    if (url.pathname === '/api/me') return send(response, 200, this.world.caller);
    if (url.pathname === '/api/overview') return send(response, 200, this.overview(url.searchParams.get('since')));
    if (url.pathname === '/api/events') return send(response, 200, this.events(url.searchParams));
    if (url.pathname.startsWith('/api/items/')) return this.item(response, url);
    return send(response, 404, { error: { code: 'not_found', message: 'no such path', hint: null } });
  }

  async servePage(url, response) {
    const answer = await fetch(this.pageOrigin + url.pathname);
    const headers = Object.fromEntries([...answer.headers].filter(([name]) => !['content-encoding', 'content-length', 'transfer-encoding', 'connection'].includes(name)));
    response.writeHead(answer.status, headers).end(Buffer.from(await answer.arrayBuffer()));
  }

  async login(request, response) {
    const { token } = JSON.parse(await body(request));
    this.loggedIn = token === 'tuh_right';
    if (this.loggedIn) response.writeHead(204).end();
    else send(response, 401, { error: { code: 'unauthorized', message: 'unknown token', hint: null } });
  }

  async act(request, response, url) {
    const text = await body(request);
    this.posts.push({ path: url.pathname, body: text ? JSON.parse(text) : null });
    if (url.pathname === '/logout') {
      this.loggedIn = false;
      return response.writeHead(204).end();
    }
    if (this.world.caller.role !== 'admin') return send(response, 403, { error: { code: 'forbidden', message: 'only for admins', hint: null } });
    const answer = this.onAction?.(url.pathname.split('/').pop(), JSON.parse(text)) ?? { done: 'done', undo: null };
    return send(response, answer.status ?? 200, answer);
  }

  overview(since) {
    const { world } = this;
    const reset = since === null || Number(since) > this.version;
    const part = (name, id) => {
      if (reset) return { rows: [...world[name].values()], removed: [] };
      const rows = new Map();
      const removed = new Set();
      for (const change of this.changes) {
        if (change.name !== name || change.version <= Number(since)) continue;
        for (const row of change.set) rows.set(row[id], row), removed.delete(row[id]);
        for (const key of change.removed) rows.delete(key), removed.add(key);
      }
      return { rows: [...rows.values()], removed: [...removed] };
    };
    return {
      version: String(this.version), reset, seq: world.seq, as_of: new Date().toISOString(), caller: world.caller,
      counts: countWorld(world), needs_me: part('needs', 'id'), work: part('work', 'key'), sessions: part('sessions', 'session_id'),
    };
  }

  events(parameters) {
    const limit = Number(parameters.get('limit') ?? 100);
    const since = parameters.get('since');
    if (parameters.get('order') === 'oldest') {
      const from = parameters.get('from') ?? '';
      const rows = this.world.events.filter((event) => event.at >= from && (since === null || event.seq > Number(since))).slice(0, limit);
      return { events: rows, next: rows.length === limit ? String(rows.at(-1).seq) : null };
    }
    return { events: this.world.events.slice(-limit).reverse(), next: null };
  }

  item(response, url) {
    const key = decodeURIComponent(url.pathname.slice('/api/items/'.length));
    const at = url.searchParams.get('at');
    const row = this.world.work.get(key);
    if (!row) return send(response, 404, { error: { code: 'item_not_found', message: `there is no item ${key}`, hint: null } });
    const events = this.world.events.filter((event) => event.key === key);
    const until = events.filter((event) => !at || event.at <= at);
    if (at && until.length === 0) return send(response, 404, { error: { code: 'item_not_found', message: `there was no item ${key}`, hint: null } });
    const facts = at ? (until.at(-1)?.after ?? null) : itemFacts(row);
    const blame = Object.entries(facts ?? {}).filter(([, value]) => value !== null).map(([field, value]) => {
      const by = until.findLast((event) => JSON.stringify(event.after?.[field]) !== JSON.stringify(event.before?.[field])) ?? until.at(-1);
      return { field, value, seq: by?.seq ?? 0, at: by?.at ?? row.created_at, actor: by?.actor ?? 'user', reason: by?.reason ?? null };
    });
    const item = facts && { key, ...facts, epoch: row.epoch, revision: row.revision, created_at: row.created_at };
    return send(response, 200, { item, at, events: until, blame });
  }
}

function countWorld(world) {
  const sessions = { live: 0, waiting: 0, stale: 0, dead: 0 };
  const items = { ready: 0, held: 0, done_today: 0 };
  const machines = new Set();
  for (const row of world.sessions.values()) {
    if (row.state in sessions) sessions[row.state] += 1;
    machines.add(row.host);
  }
  for (const row of world.work.values()) {
    if (row.holder) items.held += 1;
    else if (row.status === 'ready') items.ready += 1;
    else if (row.status === 'completed') items.done_today += 1;
  }
  const recent = new Date(Date.now() - 600_000).toISOString();
  const per = world.events.filter((event) => event.at > recent).length / 10;
  return { machines: machines.size, sessions, items, events_per_minute: per, needs_me: world.needs.size };
}

async function body(request) {
  let text = '';
  for await (const part of request) text += part;
  return text;
}

function send(response, status, answer) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
}
