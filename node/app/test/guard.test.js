/** Who is let in, and what is kept out: persons and roles, Host, Origin, sizes, slow clients, guesses; what the logs keep. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { isAllowedHost, redact } from '../server/guard.js';
import { MAIN, until, World } from './world.js';

const world = new World();
before(() => world.start({ config: 'allowed_hosts = ["nas.lan"]\n' }));
after(() => world.remove());

const post = (body, headers = {}) => ({ method: 'POST', body, headers });

test('Host: addresses, localhost and what is allowed; everything else is misdirected', async () => {
  for (const host of ['evil.com', 'evil.com:8017', 'localhost.evil.com', '127.0.0.1.evil.com', 'nas.lan.evil.com', 'a b', '[::1', 'nas.lan@evil.com']) {
    const answer = await world.ask('/session', { headers: { host } });
    assert.equal(answer.status, 421, host);
    assert.ok(!answer.text.includes('"open"'));
  }
  for (const host of ['localhost', '127.0.0.1:1', '[::1]:80', '192.168.1.5', 'nas.lan', 'NAS.lan:8017', 'nas.lan.']) {
    assert.equal((await world.ask('/session', { headers: { host } })).status, 200, host);
  }
  assert.equal(isAllowedHost(undefined, []), false);
  for (const where of ['/', '/api/database.json', '/events', '/openapi.json', '/healthz']) assert.equal((await world.ask(where, { headers: { host: 'evil.com' } })).status, 421, where);
});

test('Origin: no page of another site changes anything', async () => {
  const { id } = (await world.json('/audio?limit=1')).items[0];
  const own = `http://127.0.0.1:${world.port}`;
  for (const headers of [{ origin: 'http://evil.com' }, { origin: 'null' }, { origin: `${own}.evil.com` }, { 'sec-fetch-site': 'cross-site' }, { origin: 'http://127.0.0.1:1' }]) {
    for (const [method, where] of [['PUT', `/file/${id}/star`], ['DELETE', `/file/${id}/star`], ['POST', '/scan'], ['PATCH', `/file/${id}/tags`], ['PUT', '/NEW/x.bin'], ['POST', '/NEW'], ['POST', '/login'], ['POST', '/uploads'], ['POST', '/move']]) {
      const answer = await world.ask(where, { method, headers: { ...headers, 'content-type': 'text/plain', 'content-length': 1 }, body: 'x' });
      assert.deepEqual([where, answer.status], [where, 403]);
    }
  }
  assert.equal((await world.ask(`/file/${id}/star`, { method: 'PUT', headers: { origin: own } })).status, 200);
  const read = await world.ask('/search', { headers: { origin: 'http://evil.com' } });
  assert.equal(read.headers['access-control-allow-origin'], undefined);
  const preflight = await world.ask('/search', { method: 'OPTIONS', headers: { origin: 'http://evil.com', 'access-control-request-method': 'POST' } });
  assert.equal(preflight.headers['access-control-allow-origin'], undefined);
});

test('paths in every parameter lead nowhere', async () => {
  const { id } = (await world.json('/audio?limit=1')).items[0];
  const evil = ['..%2f..%2f..%2fetc%2fpasswd', '%2e%2e%2f%2e%2e%2fetc%2fpasswd', '....//....//etc/passwd', '..%5c..%5cetc%5cpasswd', '%00', '/etc/passwd', 'file:%2f%2f%2fetc%2fpasswd', '%c0%ae%c0%ae%2f', `${id}%00.txt`, `${id}%2f..%2f..`];
  const places = ['/file/@', '/file/@/stream', '/audio/@/download', '/file/@/preview/128', `/file/${id}/preview/@`, '/album/@', '/artist/@', '/folders/@', '/collections/@', '/playlists/@.m3u8', '/jobs/@', '/NEW/@', '/assets/@', '/@', '/files/@', `/files/ab/cd/@`, '/users/@', '/download.zip?ids=@', '/search?cursor=@', '/file/@/text', '/uploads/@'];
  for (const place of places) for (const each of evil) {
    const where = place.replace('@', each);
    const answer = await world.ask(where);
    assert.ok([400, 404, 405].includes(answer.status) || (where.startsWith('/search') && answer.status === 400), `${where}: ${answer.status} ${answer.text.slice(0, 200)}`);
    assert.ok(!answer.text.includes('root:'), where);
  } // prettier-ignore
  const { id: root } = (await world.json('/roots')).roots[0];
  for (const folder of ['../outside', '/etc', 'a/../../b', 'a/./b', 'a\0b']) {
    assert.equal((await world.ask('/move', post({ ids: [id], to: { root, folder }, dry_run: true }))).status, 400, folder);
  }
});

test('oversized and malformed everything', async () => {
  for (const [where, how, statuses] of [
    [`/search?q=${'x'.repeat(5000)}`, {}, [400]], [`/search?q=${'x'.repeat(9000)}`, {}, [414]], [`/${'x'.repeat(15_000)}`, {}, [404, 414]],
    ['/search', { headers: { 'x-long': 'y'.repeat(17_000) } }, [431]], ['/items', post(JSON.stringify({ ids: ['x'.repeat(600_000)] }), { 'content-type': 'application/json' }), [413]],
    ['/items', post('{"ids":', { 'content-type': 'application/json' }), [400]], ['/items', post('{}', { 'content-type': 'application/json' }), [400]], ['/items', post('x', { 'content-type': 'text/xml' }), [415]],
    ['/items', post('{"__proto__":{"x":1},"ids":[]}', { 'content-type': 'application/json' }), [400]], ['/items', post({ ids: [], more: 1 }), [400]], [`/download.zip?ids=${'x,'.repeat(3900)}`, {}, [400]],
    ['/search?limit=1&limit=2', {}, [400]], ['/search?q[]=1', {}, [400]], ['/search?limit=1e9', {}, [400]], ['/search?cursor=%ff', {}, [400]],
  ]) {
    const answer = await world.ask(where, how);
    assert.ok(statuses.includes(answer.status), `${where.slice(0, 60)}: ${answer.status} ${answer.text.slice(0, 200)}`);
  } // prettier-ignore
  assert.equal((await world.ask('/session')).status, 200);
});

test('slow heads and slow bodies are ended', { timeout: 60_000 }, async () => {
  const slow = (text) => new Promise((resolve) => {
    const begin = performance.now();
    const socket = net.connect(world.port, '127.0.0.1', () => socket.write(text));
    const drip = setInterval(() => socket.write('x'), 1000);
    socket.on('error', () => {});
    socket.on('data', () => {});
    socket.on('close', () => {
      clearInterval(drip);
      resolve(performance.now() - begin);
    });
  }); // prettier-ignore
  const [head, body] = await Promise.all([slow('GET /session HTTP/1.1\r\nHost: localhost\r\nX-Slow: '), slow('POST /items HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{')]);
  assert.ok(head < 30_000, `${head}`);
  assert.ok(body < 30_000, `${body}`);
});

test('every reply has its guards', async () => {
  for (const where of ['/session', '/search', '/nothing', '/file/x']) {
    const { headers } = await world.ask(where);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.match(headers['content-security-policy'], /default-src 'self'.*object-src 'none'.*frame-ancestors 'none'/);
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.equal(headers['referrer-policy'], 'no-referrer');
  }
});

test('open is open to this machine: what a proxy sent on, that nobody named, is from elsewhere', async () => {
  assert.equal((await world.ask('/search')).status, 200);
  for (const headers of [{ 'x-forwarded-for': '203.0.113.9' }, { forwarded: 'for=203.0.113.9' }, { 'x-real-ip': '203.0.113.9' }]) {
    assert.equal((await world.ask('/search', { headers })).status, 401);
    assert.equal((await world.ask('/users', { ...post({ name: 'eve', role: 'admin', password: 'long enough' }), headers })).status, 401);
    assert.equal((await world.ask('/rest/getAlbumList2?type=newest&f=json&u=x&p=y', { headers })).json['subsonic-response'].status, 'failed');
    assert.equal((await world.ask('/session', { headers })).json.open, false);
  }
});

test('persons: the first closes the server; roles; keys; sessions; guesses', async () => {
  assert.equal((await world.ask('/users', post({ name: 'ada', role: 'read', password: 'correct horse' }))).status, 400);
  const made = await world.ask('/users', post({ name: 'ada', role: 'admin', password: 'correct horse' }));
  assert.equal(made.status, 201, made.text);
  assert.equal((await world.ask('/search')).status, 401);
  assert.deepEqual((await world.json('/session')).open, false);
  const wrong = await world.ask('/login', post({ name: 'ada', password: 'wrong horse' }));
  assert.deepEqual([wrong.status, wrong.json.error.code], [401, 'unauthorized']);
  const login = await world.ask('/login', post({ name: 'ada', password: 'correct horse' }));
  assert.equal(login.status, 200);
  const [set] = login.headers['set-cookie'];
  assert.match(set, /^mediadb_session=\S+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/);
  const ada = { cookie: set.split(';')[0] };
  const as = async (headers, where, how = {}) => world.ask(where, { ...how, headers: { ...headers, ...how.headers } });
  assert.equal((await as(ada, '/search')).status, 200);
  assert.deepEqual((await as(ada, '/session')).json.user, { name: 'ada', role: 'admin' });
  for (const [name, role] of [['rita', 'read'], ['will', 'write'], ['oona', 'organise']]) assert.equal((await as(ada, '/users', post({ name, role, password: 'long enough' }))).status, 201);
  assert.deepEqual((await as(ada, '/users')).json.users.map(({ name }) => name).sort(), ['ada', 'oona', 'rita', 'will']); // prettier-ignore
  const keys = {};
  for (const name of ['rita', 'will', 'oona']) {
    const cookie = { cookie: (await world.ask('/login', post({ name, password: 'long enough' }))).headers['set-cookie'][0].split(';')[0] };
    const key = await as(cookie, '/keys', post({ name: 'phone' }));
    assert.equal(key.status, 201, key.text);
    keys[name] = { authorization: `Bearer ${key.json.secret}` };
    assert.deepEqual((await as(cookie, '/keys')).json.keys.map((each) => [each.name, each.secret]), [['phone', undefined]]); // prettier-ignore
  }
  const { id } = (await as(ada, '/audio?limit=1')).json.items[0];
  for (const [method, where, body, least] of [
    ['GET', '/search', undefined, 'read'], ['GET', `/file/${id}/stream`, undefined, 'read'], ['PUT', `/file/${id}/star`, undefined, 'write'], ['POST', '/work', { ids: [id], star: true }, 'write'],
    ['POST', '/collections', { name: `of ${Math.random()}`, ids: [] }, 'write'], ['POST', '/move', { ids: [id], to: { template: 'music' }, dry_run: true }, 'organise'], ['GET', '/users', undefined, 'admin'],
    ['POST', '/roots', { path: '/nonexistent' }, 'admin'], ['DELETE', '/roots/1', undefined, 'admin'], ['GET', '/jobs', undefined, 'write'],
  ]) for (const [name, rank] of [['rita', 0], ['will', 1], ['oona', 2]]) {
    const answer = await as(keys[name], where, { method, body });
    const may = rank >= ['read', 'write', 'organise', 'admin'].indexOf(least);
    assert.equal(answer.status === 403, !may, `${name} ${method} ${where}: ${answer.status} ${answer.text.slice(0, 200)}`);
  } // prettier-ignore
  // Each has stars of his own, named by who asked.
  assert.equal((await as(keys.will, `/file/${id}`)).json.starred, true);
  assert.equal((await as(keys.rita, `/file/${id}`)).json.starred, undefined);
  // One's own password, with the one before; nobody else's.
  assert.equal((await as(keys.rita, '/users/rita', { method: 'PATCH', body: { password: 'another one' } })).status, 400);
  assert.equal((await as(keys.rita, '/users/rita', { method: 'PATCH', body: { password: 'another one', current: 'long enough' } })).status, 200);
  assert.equal((await as(keys.rita, '/users/will', { method: 'PATCH', body: { password: 'another one' } })).status, 403);
  assert.equal((await as(keys.rita, '/users/rita', { method: 'PATCH', body: { role: 'admin' } })).status, 403);
  // Letters of another case are the same person: who finds an admin's page open does not change the password with it.
  for (const name of ['ada', 'ADA', 'Ada']) assert.equal((await as(ada, `/users/${name}`, { method: 'PATCH', body: { password: 'another one' } })).status, 400, name);
  assert.equal((await as(ada, '/users/nobody', { method: 'PATCH', body: { password: 'another one' } })).status, 404);
  assert.equal((await as(ada, '/users/ada', { method: 'DELETE' })).status, 409); // the last admin
  // A session that is ended is ended at once, here.
  // Who may not move files moves none back, nor takes back what another did.
  const move = (await as(keys.oona, '/move', post({ ids: [id], to: { root: (await as(ada, '/roots')).json.roots[0].id, folder: 'elsewhere' } }))).json;
  await until(async () => (await as(keys.oona, `/jobs/${move.job}`)).json.state !== 'running', 'it is moved', 20_000);
  assert.equal((await as(keys.oona, `/jobs/${move.job}`)).json.result?.done, 1);
  const starred = (await as(keys.oona, '/work', post({ ids: [id], star: true }))).json.operation;
  for (const operation of [move.operation, starred]) assert.equal((await as(keys.will, '/undo', post({ operation }))).status, 403);
  assert.equal((await as(keys.oona, `/file/${id}`)).json.starred, true);
  const mine = (await as(keys.will, '/work', post({ ids: [id], rating: 3 }))).json.operation;
  assert.equal((await as(keys.will, '/undo', post({ operation: mine }))).status, 200);
  assert.equal((await as(keys.will, '/work', post({ ids: [id], rating: 4 }))).status, 200);
  assert.equal((await as(keys.will, '/undo', post({}))).status, 200);
  assert.equal((await as(keys.oona, '/undo', post({ operation: move.operation }))).status, 200);
  // A page whose session has ended asks for all its pictures once more: these are no guesses, and it may log in.
  for (let number = 0; number < 40; number += 1) assert.equal((await as({ cookie: 'mediadb_session=ended' }, '/search')).status, 401);
  assert.equal((await world.ask('/login', post({ name: 'oona', password: 'long enough' }))).status, 200);
  // What one does is told to oneself, and to admins.
  const heard = { will: '', oona: '', ada: '' };
  const listeners = Object.entries({ ...keys, ada }).filter(([name]) => name in heard).map(([name, headers]) => http.get({ host: '127.0.0.1', port: world.port, path: '/events', agent: false, headers }, (response) => {
    response.on('data', (part) => (heard[name] += part));
    response.on('error', () => {});
  }).on('error', () => {})); // prettier-ignore
  await until(() => Object.values(heard).every((each) => each.includes('event: status')), 'all listen');
  const scan = (await as(keys.oona, '/scan', post({}))).json.job;
  await until(() => [heard.oona, heard.ada].every((each) => each.includes(scan)), 'who may know is told');
  assert.ok(!heard.will.includes(scan));
  for (const each of listeners) each.destroy();
  const { sessions } = (await as(ada, '/sessions')).json;
  assert.ok(sessions.some(({ current }) => current));
  const other = { cookie: (await world.ask('/login', post({ name: 'ada', password: 'correct horse' }))).headers['set-cookie'][0].split(';')[0] };
  assert.equal((await as(other, '/search')).status, 200);
  const second = (await as(other, '/sessions')).json.sessions.find(({ current }) => current).id;
  assert.equal((await as(ada, `/sessions/${second}`, { method: 'DELETE' })).status, 200);
  assert.equal((await as(other, '/search')).status, 401);
  assert.equal((await as(keys.will, `/sessions/${sessions[0].id}`, { method: 'DELETE' })).status, 404); // another's
  assert.equal((await as(ada, '/users/oona', { method: 'DELETE' })).status, 200);
  assert.equal((await as(keys.oona, '/search')).status, 401);
  assert.equal((await as(ada, '/logout', { method: 'POST' })).status, 200);
  assert.equal((await as(ada, '/search')).status, 401);
  // Guesses.
  const statuses = [];
  for (let number = 0; number < 12; number += 1) statuses.push(await world.ask('/login', post({ name: 'will', password: `guess ${number}` })));
  const refused = statuses.find(({ status }) => status === 429);
  assert.ok(refused, statuses.map(({ status }) => status).join(' ')); // prettier-ignore
  assert.ok(Number(refused.headers['retry-after']) > 0);
  let limited = 0;
  for (let number = 0; number < 40; number += 1) limited += (await as({ authorization: `Bearer guess${number}` }, '/search')).status === 429 ? 1 : 0;
  assert.ok(limited > 10, `${limited} of 40 guesses of a key were refused`);
});

test('secrets do not come into logs', async () => {
  assert.equal(redact('/rest/ping?u=ada&p=secret&t=abc&s=def&apiKey=xyz&v=1'), '/rest/ping?u=ada&p=-&t=-&s=-&apiKey=-&v=1');
  await world.stopServer();
  const before = process.env.MEDIADB_APP_LOG;
  process.env.MEDIADB_APP_LOG = 'info';
  await world.serve();
  if (before === undefined) delete process.env.MEDIADB_APP_LOG;
  else process.env.MEDIADB_APP_LOG = before;
  await world.ask('/search?apiKey=SECRET1&p=SECRET2', { headers: { authorization: 'Bearer SECRET3', cookie: 'mediadb_session=SECRET4' } });
  await world.ask('/login', post({ name: 'ada', password: 'SECRET5' }));
  await until(() => world.output.includes('"/login"'), 'it is logged');
  assert.doesNotMatch(world.output, /SECRET/);
});

test('beyond this machine it listens only where persons have accounts', async () => {
  const empty = new World();
  try {
    await empty.daemon.start();
    const run = (argv) => spawnSync(process.execPath, [MAIN, '--socket', empty.daemon.socket, ...argv], { encoding: 'utf8', timeout: 20_000 });
    const refused = run(['--listen', '0.0.0.0:0']);
    assert.deepEqual([refused.status, /accounts/.test(refused.stderr)], [2, true], refused.stderr);
    const config = path.join(empty.folder, 'mediadb-app.toml');
    for (const [text, said] of [
      ['listen = "nonsense"', 'listen'], ['nothing = 1', 'nothing: no such key'], ['transcodes = "many"', 'transcodes'], ['upload_bytes = "1 parsec"', 'upload_bytes'], ['listen = [', ':1:'],
      ['staging = "relative"', 'absolute'], ['staging = "/tmp"', 'incoming'], ['[mediastreamer]\nlisten = "0.0.0.0:1"', 'mediastreamer.listen'], ['[[path_map]]\nfrom = "/a"', 'path_map[0].to'],
    ]) {
      writeFileSync(config, text);
      const wrong = run(['--config', config]);
      assert.equal(wrong.status, 2, text);
      assert.ok(wrong.stderr.includes(config) && wrong.stderr.includes(said), wrong.stderr);
    } // prettier-ignore
    assert.equal(run(['--nonsense']).status, 2);
    assert.match(run(['--version']).stdout, /^mediadb-app \d/);
    assert.equal(run(['--config', '/nonexistent.toml']).status, 2);
  } finally {
    await empty.remove();
  }
});
