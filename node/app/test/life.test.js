/** What goes on while the server runs: live changes, a daemon that goes and comes back, moves with their plan and undo, equal files. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { sleep, until, World } from './world.js';

const world = new World();
before(() => world.start({
  prepare(library) {
    mkdirSync(path.join(library, 'copies'));
    cpSync(path.join(library, 'Photos/2003 Beijing'), path.join(library, 'copies/Beijing again'), { recursive: true });
    for (let number = 0; number < 300; number += 1) writeFileSync(path.join(library, 'copies', `n${number}.txt`), `number ${number}`);
  },
})); // prettier-ignore
after(() => world.remove());

const post = (body, headers = {}) => ({ method: 'POST', body, headers });

/** A page that listens. */
class Listener {
  events = [];
  constructor(port, lastEventId) {
    this.request = http.get({ host: '127.0.0.1', port, path: '/events', agent: false, headers: { accept: 'text/event-stream', ...(lastEventId ? { 'last-event-id': lastEventId } : {}) } }, (response) => {
      this.response = response;
      let text = '';
      response.on('data', (part) => {
        text += part;
        for (let at; (at = text.indexOf('\n\n')) >= 0; text = text.slice(at + 2)) {
          const event = Object.fromEntries(text.slice(0, at).split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()])); // prettier-ignore
          if (event.event) this.events.push({ name: event.event, id: event.id, data: JSON.parse(event.data) });
        }
      });
      response.on('error', () => {});
      response.on('close', () => (this.closed = true));
    });
    this.request.on('error', () => {});
  }
  of(name) {
    return this.events.filter((event) => event.name === name);
  }
  close() {
    this.request.destroy();
  }
}

/** The daemon sums up what is worked on meanwhile, and says so too. @param {Listener} listener */
const rated = (listener) => listener.of('change').filter(({ data }) => data.action === 'rated');

test('live changes; Last-Event-ID goes on without a gap; an unknown one is told to ask anew', async () => {
  const { id } = (await world.json('/audio?limit=1')).items[0];
  const first = new Listener(world.port);
  await until(() => first.of('status').length > 0, 'a status comes first');
  assert.equal(first.of('status')[0].data.connected, true);
  await sleep(200); // the feed is followed from now on
  for (let number = 1; number <= 3; number += 1) await world.json(`/file/${id}/rating`, { method: 'PUT', body: { rating: number } });
  await until(() => rated(first).length >= 3, 'three changes come');
  const changes = rated(first);
  assert.deepEqual(changes.map(({ data }) => [data.action, data.item]), Array(3).fill(['rated', id])); // prettier-ignore
  first.close();
  await world.json(`/file/${id}/rating`, { method: 'PUT', body: { rating: 4 } });
  await world.json(`/file/${id}/rating`, { method: 'PUT', body: { rating: 5 } });
  const second = new Listener(world.port, changes[1].id);
  await until(() => rated(second).length >= 3, 'what was missed comes');
  await sleep(300);
  const numbers = second.of('change').map(({ data }) => data.seq);
  assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b));
  assert.equal(rated(second).length, 3);
  for (const wrong of ['nonsense', '00000000-0000-4000-8000-000000000000:5', `${changes[0].id.split(':')[0]}:99999999999`]) {
    const third = new Listener(world.port, wrong);
    await until(() => third.of('resync').length > 0, `${wrong} is answered with resync`);
    third.close();
  }
  const job = (await world.json('/scan', post({}))).job;
  await until(() => second.of('progress').some(({ data }) => data.id === job && data.state === 'done'), 'jobs are told');
  second.close();
});

test('a page that takes nothing is dropped, the others are not', async () => {
  const slow = new Listener(world.port);
  const quick = new Listener(world.port);
  await until(() => slow.response && quick.of('status').length, 'both listen');
  slow.response.pause();
  const ids = (await world.json('/search?limit=200&q=folder:copies')).items.map(({ id }) => id);
  const comment = 'x'.repeat(9000);
  for (let round = 0; round < 8 && !slow.closed; round += 1) await world.json('/work', post({ ids, set: { comment_of_mine: `${comment}${round}` } }));
  await until(() => quick.of('change').length >= ids.length * 8, `all changes come (${quick.of('change').length})`, 40_000);
  slow.response.resume();
  await until(() => slow.closed, 'the slow one is dropped');
  assert.ok(!quick.closed);
  quick.close();
});

test('without pages the feed is not followed', async () => {
  await until(async () => /^mediadb_app_pages 0$/m.test((await world.ask('/metrics')).text), 'no page is left');
});

test('the daemon goes and comes back: 503 with Retry-After, status events, and all by itself', { timeout: 120_000 }, async () => {
  const page = new Listener(world.port);
  await until(() => page.of('status').length > 0, 'it listens');
  await sleep(300);
  await world.daemon.stop();
  await until(() => page.of('status').some(({ data }) => data.connected === false), 'the page is told');
  const away = await world.ask('/search');
  assert.deepEqual([away.status, away.json.error.code, away.json.error.retryable], [503, 'unavailable', true]);
  assert.ok(Number(away.headers['retry-after']) > 0);
  assert.equal((await world.ask('/healthz')).status, 503);
  const session = await world.json('/session');
  assert.equal(session.daemon.connected, false);
  await world.daemon.start();
  await until(() => page.of('status').at(-1).data.connected === true, 'the page is told that it is back', 30_000);
  await until(async () => (await world.ask('/search?limit=1')).status === 200, 'it answers');
  const { id } = (await world.json('/audio?limit=1')).items[0];
  const before = page.of('change').length;
  await sleep(500);
  await world.json(`/file/${id}/star`, { method: 'PUT' });
  await until(() => page.of('change').slice(before).some(({ data }) => data.action === 'starred'), 'changes come again', 30_000);
  page.close();
});

test('moves: the plan, the job, and back', async () => {
  const { id: root } = (await world.json('/roots')).roots[0];
  const { id } = (await world.json('/image?q=folder:%222003%20Garden%22&limit=1')).items[0];
  const before = (await world.json(`/file/${id}`)).files[0].path;
  const plan = await world.json('/move', post({ ids: [id], to: { root, folder: 'moved/here' }, dry_run: true }));
  const step = plan.steps.find(({ action }) => action === 'move');
  assert.deepEqual([step.source, step.state, path.dirname(step.destination)], [before, 'planned', path.join(world.library, 'moved/here')]);
  assert.ok(existsSync(before));
  const begun = await world.ask('/move', post({ ids: [id], to: { root, folder: 'moved/here' } }));
  assert.equal(begun.status, 202);
  let job;
  await until(async () => (job = await world.json(`/jobs/${begun.json.job}`)).state !== 'running', 'it moves');
  assert.deepEqual([job.state, job.result.done, job.result.operation], ['done', 1, begun.json.operation], JSON.stringify(job));
  assert.ok(existsSync(step.destination));
  assert.equal((await world.json(`/file/${id}`)).files[0].path, step.destination);
  const back = await world.json('/undo', post({ operation: job.result.operation }));
  assert.equal(back.files, 1);
  assert.ok(existsSync(before));
  // By the number of a folder, and of one file of an item.
  const { folders } = await world.json('/folders');
  const target = (await world.json(`/folders/${folders[0].id}`)).folders.find(({ name }) => name === 'Photos');
  const file = (await world.json(`/file/${id}`)).files[0];
  const one = await world.json('/move', post({ files: [{ item: id, file: file.id }], to: { folder: target.id }, dry_run: true }));
  assert.equal(path.dirname(one.steps.find(({ action }) => action === 'move').destination), path.join(world.library, 'Photos'));
  for (const body of [{ ids: [id], to: {} }, { to: { root } }, { ids: [id], q: 'x', to: { root } }, { ids: [id], to: { root, folder: 5 } }, { ids: [id], to: { root }, mode: 'burn' }]) assert.equal((await world.ask('/move', post(body))).status, 400, JSON.stringify(body));
  assert.equal((await world.ask('/move', post({ ids: [id], to: { root: 99_999 } }))).status, 404);
});

test('equal files: groups, one to keep, and those that are meant', async () => {
  let answer;
  await until(async () => (answer = await world.ask('/duplicates?kind=payload')).status === 200, 'they are known', 60_000);
  const { groups, wasted, count } = answer.json;
  assert.ok(count >= 1 && wasted > 0);
  for (const { files } of groups) assert.equal(files.filter(({ keep }) => keep).length, 1);
  const [group] = groups;
  await world.json('/duplicates/keep', post({ items: [...new Set(group.files.map(({ item }) => item))], copies: group.files.length }));
  const rest = await world.json('/duplicates?kind=payload');
  assert.equal(rest.count, count - 1);
  const first = await world.json('/duplicates?kind=payload&limit=1');
  assert.equal(first.groups.length, Math.min(1, rest.count));
});

test('a job is given up; roots are added and taken away', async () => {
  const other = path.join(world.folder, 'other');
  mkdirSync(other);
  writeFileSync(path.join(other, 'a.txt'), 'a');
  const { job } = await world.json('/roots', post({ path: other }));
  await until(async () => (await world.json(`/jobs/${job}`)).state === 'done', 'it is added');
  const { roots } = await world.json('/roots');
  const added = roots.find(({ path: where }) => where === other);
  assert.equal(added.files, 1);
  await world.json(`/roots/${added.id}`, { method: 'DELETE' });
  assert.equal((await world.json('/roots')).roots.length, 1);
  await world.json(`/jobs/${job}`, { method: 'DELETE' });
  assert.equal((await world.ask(`/jobs/${job}`)).status, 404);
  const failed = (await world.json('/roots', post({ path: '/nonexistent/folder' }))).job;
  let state;
  await until(async () => (state = await world.json(`/jobs/${failed}`)).state !== 'running', 'it fails');
  assert.deepEqual([state.state, state.error.code], ['failed', 'not_found']);
});
