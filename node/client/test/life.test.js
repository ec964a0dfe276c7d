/** What outlives a daemon, and what a slow reader costs: restarts under load, the feed without a gap, bounded memory. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import v8 from 'node:v8';
import vm from 'node:vm';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as errors from '../src/errors.js';
import { Client } from '../src/index.js';
import { messageType } from '../src/contract.js';
import { Daemon, PYTHON, REPOSITORY, until } from './daemon.js';
import { framed } from './wire.js';

const ROWS = 20_000;
v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc'); // without it the heap says little of what is held
const daemon = new Daemon();
const library = path.join(daemon.folder, 'library');
/** @type {Client} */
let client;
/** @type {string[]} */
let ids;

before(async () => {
  cpSync(path.join(REPOSITORY, 'samples', 'Music'), library, { recursive: true });
  await daemon.start();
  client = daemon.client({ reconnectMs: 60_000 });
  await client.add(library);
  ids = [];
  for await (const { id } of client.query('kind:audio')) ids.push(id);
});
after(async () => {
  client?.close();
  await daemon.remove();
});

test('a restart: what has an operation is done once, the rest fails retryably, and the client goes on', async () => {
  const told = [];
  client.on('lost', (error) => told.push(error.code));
  client.on('connected', () => told.push('connected'));
  const { last, epoch } = await client.changes();
  const endless = client.call('changes', { follow: true }).then(null, (error) => error);
  await client.ping();
  const killed = daemon.stop('SIGKILL');
  // Sent into the dying connection, or while there is none: all of them wait, and each is done once.
  const work = [];
  for (let number = 0; number < 30; number += 1) {
    work.push(client.tag(ids[0], { add: [`tag-${number}`] }));
    await sleep(1);
  }
  await killed;
  const lost = await endless;
  assert.ok(lost instanceof errors.ConnectionLost);
  assert.deepEqual([lost.code, lost.retryable], ['unavailable', true]);
  const waiting = client.ping(Buffer.from('patient'));
  await daemon.start();
  assert.equal(String(await waiting), 'patient');
  await Promise.all(work);
  const { changes } = await client.changes({ since: last, epoch });
  const tags = changes.filter(({ action }) => action === 'tagged');
  assert.equal(tags.length, 30, 'each once');
  assert.equal(told[0], 'unavailable');
  assert.equal(told.at(-1), 'connected');
});

test('a stop with SIGTERM, under load of all kinds', async () => {
  let stop = false;
  let failed = 0;
  let done = 0;
  const load = Array.from({ length: 16 }, async (_, worker) => {
    for (let number = 0; !stop; number += 1) {
      try {
        if (worker % 4) await client.get(ids[0], { light: true });
        else await client.tag(ids[1], { add: [`load-${worker}-${number}`] });
        done += 1;
      } catch (error) {
        assert.ok(error instanceof errors.MediadError && error.retryable, String(error));
        failed += 1;
      }
      await sleep(2);
    }
  });
  await sleep(200);
  await daemon.stop();
  await daemon.start();
  const before = done;
  await until(() => done > before + 50, 'going on');
  stop = true;
  await Promise.all(load);
  assert.ok(failed < 200, `${failed} failed`);
});

test('the feed goes over a restart without a gap or a double', async () => {
  const { last, epoch } = await client.changes();
  const seen = [];
  const abort = new AbortController();
  const following = (async () => {
    for await (const { changes, resync } of client.followChanges({ since: last, epoch, signal: abort.signal })) {
      assert.equal(resync, false);
      seen.push(...changes.filter(({ action }) => action === 'played').map(({ seq }) => seq));
    }
  })().then(null, (error) => error);
  const followed = [];
  const asking = (async () => {
    for await (const { what } of client.follow('kind:audio', { signal: abort.signal })) followed.push(what);
  })().then(null, (error) => error);
  for (let number = 0; number < 5; number += 1) await client.play(ids[number % ids.length]);
  await until(() => seen.length === 5 && followed.includes('caughtUp'), 'the first five');
  await daemon.stop('SIGKILL');
  await daemon.start();
  for (let number = 0; number < 5; number += 1) await client.play(ids[number % ids.length]);
  await until(() => seen.length === 10, 'the others');
  await until(() => followed.filter((what) => what === 'caughtUp').length === 2, 'the question asked anew');
  assert.equal(followed.filter((what) => what === 'resync').length, 1);
  assert.equal(new Set(seen).size, 10);
  assert.deepEqual(seen, [...seen].sort((a, b) => a - b));
  abort.abort();
  assert.ok((await following) instanceof errors.Cancelled);
  assert.ok((await asking) instanceof errors.Cancelled);
});

test('a daemon that ends every time does not get a request for ever; one that is away not longer than said', async () => {
  let connections = 0;
  // No real daemon does this at will: one that greets, and ends at the first request.
  const limits = { requestsInFlight: 4, inboundFrameBytes: 4096, outboundFrameBytes: 4096, requestBytes: 4096 };
  const greeting = { greeting: { protocol: 1, limits } };
  const rude = net.createServer((socket) => {
    connections += 1;
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(framed(messageType('ServerFrame').encode(greeting).finish()));
      socket.on('data', () => socket.destroy());
    });
  });
  const where = path.join(daemon.folder, 'rude');
  await new Promise((resolve) => rude.listen(where, () => resolve(undefined)));
  const own = new Client({ socketPath: where, reconnectMs: 2000 });
  await assert.rejects(own.tag(ids[0], { add: ['x'] }), errors.ConnectionLost);
  assert.equal(connections, 3);
  own.close();
  rude.close();

  const away = new Client({ socketPath: path.join(daemon.folder, 'nothing'), patienceMs: 300 });
  const begin = performance.now();
  await assert.rejects(away.ping(), errors.DaemonNotRunning);
  assert.ok(performance.now() - begin >= 250);
  away.close();
});

test('a large answer read slowly: memory is bounded, and nobody else waits', async () => {
  const dsn = `host=${daemon.data}/cluster/run user=mediadb dbname=mediadb`;
  execFileSync(PYTHON, [path.join(REPOSITORY, 'bench', 'rows.py'), dsn, String(ROWS)], { cwd: REPOSITORY, stdio: 'ignore' });
  const held = () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return (heapUsed + external) / 1e6;
  };
  const before = held();
  let most = 0;
  let items = 0;
  let bytes = 0;
  let longest = 0;
  for await (const reply of client.stream('query', { text: '', fields: true })) {
    items += reply.items.length;
    bytes += JSON.stringify(reply).length;
    if (items < 2000) {
      await sleep(300); // the daemon has far more by now
      const begin = performance.now();
      await client.ping();
      longest = Math.max(longest, performance.now() - begin);
    }
    most = Math.max(most, held() - before);
  }
  assert.ok(items > ROWS);
  assert.ok(bytes > 10e6, `${bytes} bytes`);
  assert.ok(most < 16, `${most.toFixed(1)} MB held of ${(bytes / 1e6).toFixed(0)} MB`);
  assert.ok(longest < 250, `a ping took ${longest.toFixed(0)} ms`);

  let paged = 0;
  for await (const _ of client.query('', { limit: 3000 })) paged += 1;
  assert.equal(paged, 3000);
});
