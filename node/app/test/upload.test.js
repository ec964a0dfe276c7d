/** Files on their way in: whole, in forms, piece by piece, broken off, too large, under any name; and what becomes of them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { cleanName } from '../server/upload.js';
import { sleep, until, World } from './world.js';

const MOST = 3_000_000;
const world = new World();
before(() => world.start({ config: `upload_bytes = ${MOST}\n` }));
after(() => world.remove());

const BOUNDARY = 'x-y-z';
/** @param {[string, Buffer | string][]} files */
const form = (files) => Buffer.concat([
  ...files.flatMap(([name, bytes]) => [Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: application/octet-stream\r\n\r\n`), Buffer.from(bytes), Buffer.from('\r\n')]),
  Buffer.from(`--${BOUNDARY}--\r\n`),
]); // prettier-ignore
const sendForm = (files) => world.ask('/NEW', { method: 'POST', body: form(files), headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` } });
const ended = async (id) => {
  let job;
  await until(async () => (job = await world.json(`/jobs/${id}`)).state !== 'running', 'the job ends', 40_000);
  return job;
};
const parts = () => readdirSync(world.staging);
const incoming = (name) => readFileSync(path.join(world.incoming, name));

test('a plain body, as curl -T sends it', async () => {
  const [{ path: where }] = (await world.json(`/file/${(await world.json('/audio?q=format:mp3&limit=1')).items[0].id}`)).files;
  const song = readFileSync(where);
  const answer = await world.ask('/NEW/new%20song.mp3', { method: 'PUT', body: Buffer.concat([song, Buffer.from('x')]), headers: { 'content-type': 'application/octet-stream' } });
  assert.equal(answer.status, 202);
  const job = await ended(answer.json.job);
  assert.deepEqual([job.state, job.result.name, job.result.renamed, job.what], ['done', 'new song.mp3', false, 'upload'], JSON.stringify(job));
  const item = await world.json(`/audio/${job.result.item}`);
  assert.equal(item.name, 'new song.mp3');
  assert.ok(incoming('new song.mp3').subarray(0, song.length).equals(song));
  assert.deepEqual(parts(), []);
  assert.equal((await world.json(`/NEW/${job.id}`)).state, 'done');
}); // prettier-ignore

test('a form of several files; a name that is taken becomes another, nothing is overwritten', async () => {
  const bytes = randomBytes(1_500_000);
  const answer = await sendForm([['one.bin', bytes], ['two.bin', 'second'], ['two.bin', 'third']]);
  assert.equal(answer.status, 202);
  const jobs = [];
  for (const id of answer.json.jobs) jobs.push(await ended(id));
  assert.deepEqual(jobs.map(({ state }) => state), ['done', 'done', 'done'], JSON.stringify(jobs)); // prettier-ignore
  assert.ok(incoming('one.bin').equals(bytes));
  const names = jobs.slice(1).map(({ result }) => result.name).sort();
  assert.deepEqual(names, ['two.bin', 'two_copy.bin']);
  assert.deepEqual([incoming('two.bin').toString(), incoming('two_copy.bin').toString()].sort(), ['second', 'third']);
  assert.deepEqual(jobs.slice(1).map(({ result }) => result.renamed).sort(), [false, true]); // prettier-ignore
});

test('names are hints: no path, nothing hidden, nothing longer than a name', async () => {
  for (const [given, wanted] of [
    ['../../etc/passwd', 'passwd'], ['C:\\Users\\x\\photo.jpg', 'photo.jpg'], ['.bashrc', 'bashrc'], ['..', 'upload'], ['', 'upload'], ['a\0b\n.txt', 'ab.txt'],
    ['exe.\u202Egpj', 'exe.gpj'], ['x.part', 'x.part_'], ['con|pipe?.txt', 'con_pipe_.txt'], [' spaced .txt ', 'spaced .txt'],
  ]) assert.equal(cleanName(given), wanted, JSON.stringify(given)); // prettier-ignore
  assert.ok(Buffer.byteLength(cleanName(`${'日'.repeat(300)}.flac`)) < 256);
  assert.ok(cleanName(`${'日'.repeat(300)}.flac`).endsWith('.flac'));
  const answer = await world.ask(`/NEW?name=${encodeURIComponent('../../../escape.txt')}`, { method: 'POST', body: Buffer.from('inside'), headers: { 'content-type': 'text/plain' } });
  assert.equal((await ended(answer.json.job)).result.name, 'escape.txt');
  const dotted = await world.ask('/NEW/..%2f..%2fescape2.txt', { method: 'PUT', body: Buffer.from('inside') });
  assert.equal((await ended(dotted.json.job)).result.name, 'escape2.txt');
  assert.equal(incoming('escape.txt').toString(), 'inside');
});

test('too large: refused before, and cut while it comes; nothing is left', async () => {
  const announced = await world.ask('/NEW/big.bin', { method: 'PUT', body: Buffer.alloc(MOST + 1) });
  assert.deepEqual([announced.status, announced.json.error.code], [413, 'limit_exceeded']);
  const cut = await sendForm([['big.bin', Buffer.alloc(MOST + 1)]]);
  assert.deepEqual([cut.status, cut.json.error.code], [413, 'limit_exceeded']);
  const unannounced = await chunked('/NEW/big.bin', Buffer.alloc(MOST + 100_000));
  assert.match(unannounced, /^HTTP\/1\.1 413 /);
  const both = await sendForm([['small.bin', 'small'], ['big.bin', Buffer.alloc(MOST + 1)]]);
  assert.equal(both.status, 413);
  assert.match(both.json.error.message, /1 files before it were taken/);
  await until(() => parts().length === 0, 'nothing is left');
});

/** A body whose length is not told. @param {string} where @param {Buffer} bytes @returns {Promise<string>} */
function chunked(where, bytes) {
  return new Promise((resolve) => {
    const socket = net.connect(world.port, '127.0.0.1');
    let text = '';
    socket.on('data', (part) => (text += part));
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
    socket.write(`PUT ${where} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${bytes.length.toString(16)}\r\n`);
    socket.write(bytes);
    socket.write('\r\n0\r\n\r\n');
  });
}

test('broken off: nothing is left of it', async () => {
  for (const head of [
    `PUT /NEW/half.bin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n`,
    `POST /NEW HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=${BOUNDARY}\r\nContent-Length: 100000\r\n\r\n--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="half.bin"\r\n\r\n`,
  ]) {
    const socket = net.connect(world.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(head);
    socket.write(Buffer.alloc(50_000));
    await until(() => parts().length > 0, 'it has begun');
    socket.destroy();
    await until(() => parts().length === 0, 'nothing is left');
  }
  await sleep(100);
  assert.ok(!readdirSync(world.incoming).includes('half.bin'));
  assert.equal((await world.json('/search?q=half&count=1&limit=1')).count, 0);
});

test('damaged forms', async () => {
  for (const [body, type] of [['nonsense', `multipart/form-data; boundary=${BOUNDARY}`], ['', 'multipart/form-data'], [form([]), `multipart/form-data; boundary=${BOUNDARY}`]]) {
    const answer = await world.ask('/NEW', { method: 'POST', body: Buffer.from(body), headers: { 'content-type': type } });
    assert.deepEqual([type, answer.status], [type, 400], answer.text);
  }
  await until(() => parts().length === 0, 'nothing is left');
});

test('tus: piece by piece, over a restart of the server, given up', async () => {
  const tus = { 'tus-resumable': '1.0.0' };
  const bytes = randomBytes(900_000);
  const metadata = `filename ${Buffer.from('in pieces 日本.bin').toString('base64')},type ${Buffer.from('x/y').toString('base64')}`;
  assert.equal((await world.ask('/uploads', { method: 'OPTIONS' })).headers['tus-version'], '1.0.0');
  const made = await world.ask('/uploads', { method: 'POST', headers: { ...tus, 'upload-length': bytes.length, 'upload-metadata': metadata } });
  assert.equal(made.status, 201);
  const at = made.headers.location;
  const piece = (from, to, offset = from) => world.ask(at, { method: 'PATCH', body: bytes.subarray(from, to), headers: { ...tus, 'upload-offset': offset, 'content-type': 'application/offset+octet-stream' } });
  assert.equal((await piece(0, 300_000)).headers['upload-offset'], '300000');
  assert.equal((await piece(0, 10)).status, 409);
  const socket = net.connect(world.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(`PATCH ${at} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 300000\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: 600000\r\n\r\n`);
  socket.write(bytes.subarray(300_000, 500_000));
  await sleep(200);
  socket.destroy();
  let offset = 0;
  await until(async () => (offset = Number((await world.ask(at, { method: 'HEAD', headers: tus })).headers['upload-offset'])) > 300_000, 'what came stays');
  await world.stopServer('SIGKILL');
  await world.serve();
  const head = await world.ask(at, { method: 'HEAD', headers: tus });
  assert.deepEqual([head.status, head.headers['upload-offset'], head.headers['upload-length']], [200, String(offset), String(bytes.length)]);
  const last = await piece(offset, bytes.length);
  assert.equal(last.status, 204);
  const job = await ended(last.headers['mediadb-job']);
  assert.deepEqual([job.state, job.result.name], ['done', 'in pieces 日本.bin']);
  assert.ok(incoming('in pieces 日本.bin').equals(bytes));
  assert.equal((await world.ask(at, { method: 'HEAD', headers: tus })).status, 404);
  const other = (await world.ask('/uploads', { method: 'POST', headers: { ...tus, 'upload-length': 10 } })).headers.location;
  assert.equal((await world.ask(other, { method: 'DELETE', headers: tus })).status, 204);
  assert.deepEqual(parts(), []);
  assert.equal((await world.ask('/uploads', { method: 'POST', headers: { ...tus, 'upload-length': MOST + 1 } })).status, 413);
  assert.equal((await world.ask('/uploads', { method: 'POST', headers: { 'upload-length': 5 } })).status, 412);
  assert.equal((await world.ask('/uploads', { method: 'POST', headers: { ...tus, 'upload-length': '-5' } })).status, 400);
});

test('what was whole when the server ended gets its place at the next start, once', async () => {
  await world.stopServer();
  const [whole, placed, half] = [randomUUID(), randomUUID(), randomUUID()];
  const put = (id, name, bytes, length) => {
    writeFileSync(path.join(world.staging, `.${id}.part`), bytes);
    writeFileSync(path.join(world.staging, `.${id}.json.part`), JSON.stringify({ id, name, length, actor: '', made: Date.now() }));
  };
  put(whole, 'acknowledged.bin', 'all of it', 9);
  put(half, 'half.bin', 'half', 9);
  put(placed, 'has its place.bin', 'twice?', 6);
  linkSync(path.join(world.staging, `.${placed}.part`), path.join(world.incoming, 'has its place.bin'));
  writeFileSync(path.join(world.staging, `.${randomUUID()}.json.part`), '{"id":');
  await world.serve();
  const job = await ended(whole);
  assert.deepEqual([job.state, job.result.name], ['done', 'acknowledged.bin'], JSON.stringify(job));
  assert.equal(incoming('acknowledged.bin').toString(), 'all of it');
  assert.deepEqual(readdirSync(world.incoming).filter((name) => name.includes('has its place')), ['has its place.bin']);
  const left = parts();
  assert.ok(left.includes(`.${half}.part`) && left.length === 3, left.join(' '));
  assert.equal((await world.ask(`/uploads/${half}`, { method: 'DELETE', headers: { 'tus-resumable': '1.0.0' } })).status, 204);
  for (const name of parts()) unlinkSync(path.join(world.staging, name));
});

test('an upload that cannot get its place waits for it: nothing that was answered is lost', async () => {
  const tus = { 'tus-resumable': '1.0.0' };
  const piece = { ...tus, 'upload-offset': 0, 'content-type': 'application/offset+octet-stream' };
  const made = await world.ask('/uploads', { method: 'POST', headers: { ...tus, 'upload-length': 5, 'upload-metadata': `filename ${Buffer.from('waits.bin').toString('base64')}` } });
  const at = made.headers.location;
  renameSync(world.incoming, `${world.incoming}.away`);
  writeFileSync(world.incoming, 'a file where the folder was');
  const sent = await world.ask(at, { method: 'PATCH', body: Buffer.from('bytes'), headers: piece });
  assert.equal((await ended(sent.headers['mediadb-job'])).state, 'failed');
  unlinkSync(world.incoming);
  renameSync(`${world.incoming}.away`, world.incoming);
  assert.equal((await world.ask(at, { method: 'HEAD', headers: tus })).headers['upload-offset'], '5');
  const again = await world.ask(at, { method: 'PATCH', body: Buffer.alloc(0), headers: { ...piece, 'upload-offset': 5 } });
  const job = await ended(again.headers['mediadb-job']);
  assert.deepEqual([job.state, job.result?.name], ['done', 'waits.bin'], JSON.stringify(job));
  assert.deepEqual(parts(), []);
});

test('no room: said before anything is written', { skip: process.getuid?.() === 0 ? false : 'mounting a small file system takes root' }, async (context) => {
  const small = path.join(world.folder, 'small');
  mkdirSync(small);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small]).status !== 0) return context.skip('tmpfs cannot be mounted here');
  try {
    await world.stopServer();
    writeFileSync(world.config, world.settings.replace(/staging = .*/, `staging = "${small}"`));
    await world.serve();
    const answer = await world.ask('/NEW/x.bin', { method: 'PUT', body: Buffer.alloc(10) });
    assert.deepEqual([answer.status, answer.json.error.code], [507, 'disk_full']);
  } finally {
    await world.stopServer();
    spawnSync('umount', [small]);
    writeFileSync(world.config, world.settings);
    await world.serve();
  }
});

test('by a template: uploads get their place by their metadata, and the move can be undone', async () => {
  await world.stopServer();
  writeFileSync(world.config, `${world.settings}upload_template = "music"\n`);
  await world.serve();
  const file = path.join(world.library, 'Music/the artist');
  const name = readdirSync(file, { recursive: true }).map(String).find((each) => each.endsWith('.flac'));
  const bytes = readFileSync(path.join(file, name));
  const answer = await world.ask('/NEW/whatever.flac', { method: 'PUT', body: Buffer.concat([bytes, Buffer.alloc(1)]) });
  const job = await ended(answer.json.job);
  assert.equal(job.state, 'done', JSON.stringify(job));
  const item = await world.json(`/audio/${job.result.item}`);
  assert.ok(item.files.some(({ path: where }) => where.includes('/music/')), JSON.stringify(item.files.map((each) => each.path)));
  assert.ok(job.result.operation);
  await world.json('/undo', { method: 'POST', body: { operation: job.result.operation } });
  assert.ok(readdirSync(world.incoming).includes('whatever.flac'));
});
