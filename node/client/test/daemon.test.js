/** The client against the real daemon: its commands, many in flight, giving up, and what is wrong on the wire. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { messageType } from '../src/contract.js';
import * as errors from '../src/errors.js';
import { FrameReader } from '../src/framing.js';
import { Client, listSockets, VOCABULARY } from '../src/index.js';
import { Daemon, REPOSITORY, until } from './daemon.js';
import { framed, fromVector, vectors } from './wire.js';

const daemon = new Daemon();
const library = path.join(daemon.folder, 'library');
/** @type {Client} */
let client;

before(async () => {
  cpSync(path.join(REPOSITORY, 'samples'), library, { recursive: true });
  writeFileSync(Buffer.from(`${library}/caf\xe9.txt`, 'latin1'), 'a name that is not UTF-8\n');
  await daemon.start();
  client = daemon.client({ actor: 'ada' });
  await client.connect();
});
after(async () => {
  client?.close();
  await daemon.remove();
});

const all = async (iterator) => {
  const found = [];
  for await (const each of iterator) found.push(each);
  return found;
};

test('greeting', () => {
  const { server, protocol, role, limits, capabilities } = client.greeting;
  assert.match(server, /^mediad /);
  assert.equal(protocol, 1);
  assert.equal(role, 'admin');
  assert.ok(limits.requestsInFlight >= 32);
  assert.ok(capabilities.includes('operations'));
});

test('add tells how far it is, and what it found', async () => {
  const stages = new Set();
  const added = await client.add(library, { onProgress: ({ stage }) => stages.add(stage) });
  assert.ok(stages.size > 0);
  assert.equal(added.filesRead, added.filesNew);
  assert.ok(added.filesNew > 20);
  assert.deepEqual(added.problems, []);
  const [root] = await client.roots();
  assert.equal(String(root.path), library);
  assert.equal(root.pathDisplay, library);
  assert.equal(root.watched, true);
  assert.ok(root.scannedAtNs > 1n << 60n);
  assert.ok((await client.rescan(library, { quick: true })).filesListed >= 0);
  const { version, items, socket } = await client.status();
  assert.deepEqual([version, socket], [client.greeting.server.split(' ')[1], daemon.socket]);
  assert.ok(items > 20);
  assert.ok((await client.handlers()).some(({ name }) => name === 'audio'));
});

test('query: items page by page, columns by the vocabulary, errors with their place', async () => {
  const items = await all(client.query('kind:audio', { fields: true }));
  assert.ok(items.length > 3);
  for (const { kind, files } of items) {
    assert.equal(kind, 'audio');
    for (const [name, value] of Object.entries(files[0].fields)) {
      assert.equal(Array.isArray(value), VOCABULARY.get(name).plural, name);
    }
  }
  assert.equal((await all(client.query('', { limit: 5 }))).length, 5);
  const first = await client.queryPage('', { limit: 3 });
  const second = await client.queryPage('', { limit: 3, cursor: first.cursor });
  assert.equal(new Set([...first.items, ...second.items].map(({ id }) => id)).size, 6);
  await assert.rejects(client.queryPage('other', { cursor: first.cursor }), errors.StaleCursor);
  const syntax = await client.queryPage('ü duration:abc').then(null, (error) => error);
  assert.ok(syntax instanceof errors.QuerySyntax);
  assert.deepEqual([syntax.code, syntax.retryable, syntax.position], ['query_syntax', false, 11]);
  assert.equal(String(syntax.input), 'ü duration:abc');
  await assert.rejects(all(client.query('', { limit: 0 })), errors.InvalidArgument);
  await assert.rejects(client.queryPage('', { colums: [] }), { code: 'invalid_argument', inputDisplay: 'colums' });
});

test('query: count, facets, explain, completion', async () => {
  const [count, files] = [await client.count('kind:audio'), await client.count('kind:audio', { files: true })];
  assert.equal(count, (await all(client.query('kind:audio'))).length);
  assert.ok(files >= count);
  const [facet] = await client.facets('', ['kind'], { limit: 2 });
  assert.equal(facet.field, 'kind');
  assert.equal(facet.values.length, 2);
  assert.ok(facet.more);
  assert.match((await client.explain('artist:"the artist"')).sql, /SELECT/);
  const [suggestion] = await client.complete('artis');
  assert.deepEqual([suggestion.start, suggestion.end], [0, 5]);
});

test('get: by id, by path, by bytes that are not UTF-8, through a link; a problem stands in its place', async () => {
  const [item] = await all(client.query('artist:"the artist"', { limit: 1 }));
  const link = path.join(daemon.folder, 'link');
  symlinkSync(library, link);
  const raw = Buffer.from(`${library}/caf\xe9.txt`, 'latin1');
  const nothing = path.join(library, 'nothing.mp3');
  const linked = Buffer.from(`${link}/caf\xe9.txt`, 'latin1');
  const found = await client.get([item.id, item.files[0].path, raw, linked, nothing]);
  assert.deepEqual(found.slice(0, 2).map((each) => each.item.id), [item.id, item.id]); // prettier-ignore
  assert.deepEqual(found.slice(2, 4).map((each) => each.item.files[0].path), [raw, raw]); // prettier-ignore
  assert.equal(found[4].item, null);
  assert.ok(found[4].problem instanceof errors.NotFound);
  assert.equal(found[4].problem.inputDisplay, nothing);
  assert.equal(found[0].item.files[0].fields.artists[0], 'the artist');
  assert.ok(found[0].item.keys.length > 0);
  const [light] = await client.get(item.id, { light: true });
  assert.deepEqual(light.item.keys, []);
  await assert.rejects(client.get(''), errors.InvalidArgument);
  await assert.rejects(client.get(5), errors.InvalidArgument);
  await assert.rejects(client.get([{}]), errors.InvalidArgument);
});

test('checksum, text', async () => {
  const raw = Buffer.from(`${library}/caf\xe9.txt`, 'latin1');
  const [sums] = await client.checksum(raw, { algorithms: ['md5'] });
  assert.equal(sums.digests[0].value.toString('hex'), createHash('md5').update('a name that is not UTF-8\n').digest('hex'));
  assert.match((await all(client.text(raw)))[0].text, /not UTF-8/);
  assert.ok((await client.indexText(raw)).indexed >= 0);
});

test('work: done once under its operation, kept per actor, undone', async () => {
  const [{ id }] = await all(client.query('artist:"the artist"', { limit: 1 }));
  const operation = '5f0c8b1e-2d3a-4c4b-9e8f-7a6b5c4d3e2f';
  const first = await client.tag(id, { add: ['slow', 'blue'] }, { operation });
  assert.equal(first.events, 2);
  assert.deepEqual(await client.tag(id, { add: ['slow', 'blue'] }, { operation }), first);
  await assert.rejects(client.tag(id, { add: ['other'] }, { operation }), errors.Conflict);
  await client.tag(id, { remove: ['blue'] });
  await client.rate(id, 4.5);
  await client.star(id);
  await client.play(id, { count: 3 });
  await client.set(id, { title: 'Another' });
  const work = async (how) => (await client.get(id, how))[0].item.work;
  const made = await work();
  assert.deepEqual(made.user_tags, ['slow']);
  assert.deepEqual([made.user_rating, made.starred, made.play_count], [4.5, true, 3]);
  const others = await work({ actor: 'bob' });
  assert.ok(others.user_tags.includes('slow'));
  assert.equal(others.play_count ?? 0, 0);
  assert.deepEqual((await all(client.query('tag:slow title:another'))).map((each) => each.id), [id]); // prettier-ignore
  await client.rate(id, null);
  await client.undo();
  assert.equal((await work()).user_rating, 4.5);
  assert.ok((await client.operations()).some((each) => each.id === operation && each.command === 'work'));
  const [{ changes, item }] = await client.history(id);
  assert.equal(item, id);
  assert.ok(changes.some(({ action, value }) => action === 'rated' && JSON.stringify(value).includes('4.5')));
});

test('collections and playlists', async () => {
  const [one, two] = await all(client.query('kind:audio', { limit: 2 }));
  const { collection } = await client.collect('evening', 'add', { kind: 'playlist', targets: [one.id, two.id, one.id] });
  assert.deepEqual([collection.kind, collection.size], ['playlist', 3]);
  await client.collect('evening', 'move', { kind: 'playlist', place: 2, to: 0 });
  const [found] = await client.collections({ name: 'evening', entries: true });
  assert.deepEqual(found.entries, [one.id, one.id, two.id]);
  await client.collect('songs', 'save', { query: 'kind:audio' });
  assert.equal(await client.count('saved:songs'), await client.count('kind:audio'));
  await client.collect('evening', 'delete', { kind: 'playlist' });
  assert.deepEqual((await client.collections()).map(({ name }) => name), ['songs']); // prettier-ignore
});

test('move, its plan, and undo', async () => {
  const from = path.join(library, 'Pictures', 'duck.png');
  const to = path.join(library, 'Moved', 'duck.png');
  mkdirSync(path.dirname(to));
  const plan = await client.move(from, to, { dryRun: true });
  assert.deepEqual(plan.steps.map(({ state }) => state), ['planned']); // prettier-ignore
  assert.equal(String(plan.steps[0].destination), to);
  const done = await client.move(from, to);
  assert.deepEqual([done.done, done.failed], [1, 0]);
  assert.equal((await client.undo(done.operation)).files, 1);
  assert.ok((await client.get(from))[0].item);
});

test('the others: relate, offers, sidecars, duplicates, verify, layout, archive, export, restore', async () => {
  const [{ files: [{ path: file }] }] = await all(client.query('kind:audio', { limit: 1 })); // prettier-ignore
  await assert.rejects(client.relate('accept', file), errors.MediadError);
  assert.deepEqual((await client.offers()).offers, []);
  assert.ok((await client.sidecars()).files.length >= 0);
  assert.ok(Array.isArray((await client.duplicates()).groups));
  const verified = await client.verify(file);
  assert.equal(verified.ok + verified.first, 1);
  const tree = path.join(daemon.folder, 'tree');
  mkdirSync(tree);
  assert.ok((await client.layout(tree)).trials.length >= 0);
  const archive = path.join(daemon.folder, 'archive');
  mkdirSync(archive);
  assert.ok((await client.archive(path.join(library, 'Pictures'), archive)).files > 0);
  assert.equal((await client.verifyArchive(archive)).findings.length, 0);
  assert.ok((await client.putback(undefined, { archive, into: path.join(daemon.folder, 'back'), dryRun: true })).steps.length > 0); // prettier-ignore
  const lines = await all(client.export());
  assert.ok(lines.every((line) => typeof JSON.parse(line) === 'object') && lines.length > 5);
  assert.ok((await client.restore(lines)).known > 0);
  assert.equal((await client.forget(file)).files, 1);
  await client.rescan(library);
});

test('64 in flight at a time, and far more than the daemon allows wait their turn', async () => {
  const items = await all(client.query(''));
  let inFlight = 0;
  for (const count of [64, 1000]) {
    const found = await Promise.all(
      Array.from({ length: count }, async (_, number) => {
        if (number % 100 === 99) inFlight = Math.max(inFlight, (await client.status()).requestsInFlight);
        const payload = await client.ping(Buffer.from(String(number)));
        assert.equal(String(payload), String(number));
        const { id } = items[number % items.length];
        return [id, (await client.get(id))[0].item.id];
      }),
    );
    for (const [asked, got] of found) assert.equal(got, asked);
  }
  assert.ok(inFlight <= client.greeting.limits.requestsInFlight);
});

test('a request of many parts', async () => {
  const named = Array.from({ length: 20_000 }, (_, number) => `/srv/none/${number}`);
  const found = await client.call('get', { targets: named.map((each) => ({ path: each })) }, { deadlineMs: 60_000 });
  assert.equal(found.length, named.length);
  assert.ok(found.every(({ problem, target }, number) => problem && String(target.path) === named[number]));
  const tooMany = { targets: Array(600_000).fill({ path: '/x' }) };
  await assert.rejects(client.call('get', tooMany), errors.LimitExceeded);
  await client.ping();
});

test('giving up: before it is sent, under way, while it waits for a turn', async () => {
  const reason = new Error('the person went away');
  const aborted = await client.ping(undefined, { signal: AbortSignal.abort(reason) }).then(null, (error) => error);
  assert.ok(aborted instanceof errors.Cancelled);
  assert.equal(aborted.cause, reason);

  const own = daemon.client();
  const limit = (await own.connect()).limits.requestsInFlight;
  const abort = new AbortController();
  const { signal } = abort;
  const endless = Array.from({ length: limit }, () => own.call('changes', { follow: true }, { signal }));
  const waiting = own.ping(Buffer.from('after'));
  const queued = new AbortController();
  const givenUp = own.ping(undefined, { signal: queued.signal });
  queued.abort();
  await assert.rejects(givenUp, errors.Cancelled);
  await until(async () => (await client.status()).requestsInFlight > limit, 'all in flight');
  abort.abort();
  for (const each of endless) await assert.rejects(each, errors.Cancelled);
  assert.equal(String(await waiting), 'after', 'the slots are free again');
  await until(async () => (await client.status()).requestsInFlight === 1, 'the daemon was told');
  own.close();
});

test('deadlines: the daemon keeps them, the client too when it does not answer', async () => {
  await assert.rejects(client.call('changes', { follow: true }, { deadlineMs: 50 }), (error) => {
    assert.ok(error instanceof errors.DeadlineExceeded);
    return error.retryable;
  });
  await assert.rejects(client.ping(undefined, { deadlineMs: -1 }), errors.InvalidArgument);
  const silent = net.createServer(() => {}).listen(path.join(daemon.folder, 'silent'));
  await once(silent, 'listening');
  const own = new Client({ socketPath: path.join(daemon.folder, 'silent'), deadlineMs: 100 });
  await assert.rejects(own.ping(), errors.Unavailable);
  own.close();
  silent.close();
});

test('streams: leaving the loop ends the request', async () => {
  const before = (await client.status()).connections;
  for await (const _ of client.stream('changes', { follow: true })) break;
  const abort = new AbortController();
  const following = all(client.followChanges({ signal: abort.signal }));
  setTimeout(() => abort.abort(), 100);
  await assert.rejects(following, errors.Cancelled);
  await until(async () => (await client.status()).connections === before, 'their connections ended');
});

test('follow: what matches, then what changes; the feed has it too, with numbers', async () => {
  const { last, epoch } = await client.changes();
  const seen = [];
  const abort = new AbortController();
  const following = (async () => {
    for await (const each of client.follow('tag:followed', { signal: abort.signal })) seen.push(each);
  })();
  await until(() => seen.some(({ what }) => what === 'caughtUp'), 'caught up');
  const [{ id }] = await all(client.query('kind:image', { limit: 1 }));
  await client.tag(id, { add: ['followed'] });
  await until(() => seen.some((each) => each.what === 'changed' && each.id === id), 'a change');
  await client.tag(id, { remove: ['followed'] });
  await until(() => seen.some((each) => each.what === 'left' && each.id === id), 'leaving');
  abort.abort();
  await assert.rejects(following, errors.Cancelled);

  const { changes } = await client.changes({ since: last, epoch });
  const tagging = changes.filter(({ action }) => action.endsWith('tagged')); // a checksum comes by itself
  assert.deepEqual(tagging.map(({ action, item }) => [action, item]), [['tagged', id], ['untagged', id]]); // prettier-ignore
  const foreign = await client.changes({ since: last, epoch: '5f0c8b1e-2d3a-4c4b-9e8f-7a6b5c4d3e2f' });
  assert.equal(foreign.resync, true);
  assert.match(foreign.reason, /another feed/);
  assert.equal(foreign.items.length, await client.count(''));
});

test('previews', async () => {
  const picture = path.join(library, 'Photos', 'Mountains', 'summit.jpg');
  const made = await client.preview(picture, 320);
  assert.deepEqual([made.mimeType, made.same, Math.max(made.width, made.height)], ['image/jpeg', false, 320]);
  assert.deepEqual([...made.data.subarray(0, 3)], [0xff, 0xd8, 0xff]);
  assert.equal(made.tag.length, 16);
  const known = await client.preview(picture, 320, { known: made.tag });
  assert.deepEqual([known.same, known.data.length, known.width], [true, 0, made.width]);
  assert.ok(known.tag.equals(made.tag));
  await assert.rejects(client.preview(picture, 321), { code: 'invalid_argument' });
  await assert.rejects(client.preview(path.join(library, 'Music', 'Noise', 'test.wav'), 128), { code: 'not_found' });
});

test('who is not there, and where one may not go', async () => {
  const nobody = new Client({ socketPath: path.join(daemon.folder, 'nobody') });
  const refused = await nobody.ping().then(null, (error) => error);
  assert.ok(refused instanceof errors.DaemonNotRunning);
  assert.deepEqual([refused.code, refused.retryable], ['unavailable', true]);
  assert.match(refused.message, /start it with/);
  nobody.close();
  await assert.rejects(nobody.ping(), errors.ConnectionLost);
  const picky = daemon.client({ require: ['time-travel'] });
  await assert.rejects(picky.connect(), { code: 'unsupported', inputDisplay: 'time-travel' });
  await assert.rejects(client.call('fly'), { code: 'invalid_argument', inputDisplay: 'fly' });
  assert.equal(listSockets(daemon.socket)[0], daemon.socket);
});

test('a socket whose path is longer than an address', async () => {
  const deep = path.join(daemon.folder, 'x'.repeat(60), 'y'.repeat(60));
  mkdirSync(deep, { recursive: true });
  renameSync(daemon.socket, path.join(deep, 'socket'));
  const far = new Client({ socketPath: path.join(deep, 'socket') });
  try {
    assert.equal(String(await far.ping(Buffer.from('far'))), 'far');
  } finally {
    far.close();
    renameSync(path.join(deep, 'socket'), daemon.socket);
  }
});

for (const { name, hex, greeted } of vectors('violations').streams) {
  test(`violation: ${name}`, async () => {
    const socket = net.connect(daemon.socket);
    const reader = new FrameReader(1 << 20);
    const frames = [];
    socket.on('data', (data) => {
      for (const payload of reader.feed(data)) frames.push(messageType('ServerFrame').decode(payload));
    });
    const ended = once(socket, 'end');
    if (greeted) {
      const hello = fromVector('ClientFrame', { hello: { protocol_min: 1, protocol_max: 1, client: 't' } });
      socket.write(framed(messageType('ClientFrame').encode(hello).finish()));
      await until(() => frames.length === 1, 'the greeting');
    }
    socket.write(Buffer.from(hex, 'hex'));
    await ended;
    socket.destroy();
    const last = frames.at(-1);
    const error = greeted ? last.reply.error : last.greeting.error;
    assert.equal(error.code, 2); // protocol_error
    assert.equal(frames.length, greeted ? 2 : 1);
    await client.ping();
  });
}
