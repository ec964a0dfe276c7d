/** Persons, keys, sessions, queues, bookmarks against the real daemon. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Conflict, InvalidArgument, NotFound, PermissionDenied } from '../src/index.js';
import { Daemon, REPOSITORY } from './daemon.js';

const daemon = new Daemon();
const library = path.join(daemon.folder, 'library');
/** @type {import('../src/index.js').Client} */
let client;

before(async () => {
  cpSync(path.join(REPOSITORY, 'samples'), library, { recursive: true });
  await daemon.start();
  client = daemon.client({ actor: 'ada' });
  await client.add(library);
});
after(async () => {
  client?.close();
  await daemon.remove();
});

test('a person logs in, a device has a key', async () => {
  assert.equal((await client.authenticate()).nobody, true);
  const { user } = await client.account('create', { name: 'Ada', role: 'admin', password: 'analytical engine' });
  assert.deepEqual([user.name, user.role], ['Ada', 'admin']);
  await assert.rejects(client.login('Ada', 'difference engine'), PermissionDenied);
  const { session } = await client.login('ada', 'analytical engine', { client: 'test', origin: '10.0.0.1' });
  const known = await client.authenticate({ session });
  assert.equal(known.user.name, 'Ada');
  const { key, secret } = await client.account('key', { name: 'Ada', keyName: 'phone' });
  const token = createHash('md5').update(`${secret}salt`).digest('hex');
  for (const how of [{ key: secret }, { name: 'ADA', token, salt: 'salt' }]) {
    assert.equal((await client.authenticate(how)).id, key.id);
  }
  const { users, keys, sessions } = await client.accounts('Ada');
  assert.deepEqual([users.length, keys[0].id, sessions[0].id], [1, key.id, known.id]);
  await assert.rejects(client.account('remove', { name: 'Ada' }), Conflict);
  await client.account('unkey', { id: key.id });
  await assert.rejects(client.authenticate({ key: secret }), PermissionDenied);
  await client.logout(session);
  await assert.rejects(client.authenticate({ session }), PermissionDenied);
});

test('a key that is asked for twice under one operation is one key', async () => {
  const operation = '6d1b3c54-6c7f-4c0e-9a53-0c3e4be6a001';
  const made = () => client.account('key', { name: 'Ada', keyName: 'tv', operation });
  assert.equal((await made()).secret, (await made()).secret);
});

test('a queue, and a place in it', async () => {
  const { items } = await client.queryPage('', { limit: 4 });
  const ids = items.map(({ id }) => id);
  await assert.rejects(client.saveQueue(null, { current: 0, position: 1 }), NotFound);
  assert.equal((await client.saveQueue([...ids, ids[0]], { current: 4, position: 2.5, client: 'test' })).events, 1);
  assert.equal((await client.saveQueue(null, { current: 4, position: 12.5, client: 'test' })).events, 0);
  const { entries, current, position, changedAtNs } = await client.queue();
  assert.deepEqual([entries, current, position], [[...ids, ids[0]], 4, 12.5]);
  assert.ok(changedAtNs > 1n << 60n);
  await assert.rejects(client.saveQueue(null, { current: 9 }), InvalidArgument);
});

test('bookmarks, and a playlist set at once', async () => {
  const { items } = await client.queryPage('', { limit: 3 });
  const ids = items.map(({ id }) => id);
  await client.bookmark([ids[0]], 61.5, { comment: 'here' });
  const [{ item }] = await client.get([ids[0]]);
  assert.deepEqual([item.work.bookmark.position, item.work.bookmark.comment], [61.5, 'here']);
  assert.equal(await client.count('has:bookmark'), 1);
  await client.bookmark([ids[0]], null);
  assert.equal(await client.count('has:bookmark'), 0);
  await client.collect('list', 'set', { targets: ids, kind: 'playlist' });
  const { collection } = await client.collect('list', 'set', { targets: [ids[2], ids[0]], kind: 'playlist' });
  assert.deepEqual(collection.entries, [ids[2], ids[0]]);
});
