/** Files over HTTP: every rule of ranges byte for byte, odd names, what must not be shown in place, archives, transcodes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { World, sleep, until } from './world.js';

const world = new World();
const BYTES = randomBytes(1_000_003);
const RAW_NAME = Buffer.from('caf\xe9 \xff.txt', 'latin1');
const ODD = ['a#b?c%41&d<e>"f\'g+h;i.txt', 'ünïcödé 日本 🎵.txt', ' leading space.txt', 'semi;colon,comma=.txt', 'new\nline.txt'];
const ACTIVE = { 'evil.svg': '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', 'evil.html': '<script>alert(1)</script>', 'evil.xml': '<?xml version="1.0"?><a/>', 'evil.pdf': '%PDF-1.4\n%%EOF\n', 'evil.xhtml': '<html xmlns="http://www.w3.org/1999/xhtml"/>' };
const noFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0 ? false : 'ffmpeg is missing';
const noUnzip = spawnSync('python3', ['-c', 'import zipfile']).status === 0 ? false : 'python3 is missing';

before(() => world.start({
  config: 'transcodes = 3\n',
  prepare(library) {
    const odd = path.join(library, 'odd');
    mkdirSync(odd);
    writeFileSync(path.join(odd, 'payload.bin'), BYTES);
    writeFileSync(path.join(odd, 'empty.bin'), '');
    writeFileSync(Buffer.concat([Buffer.from(`${odd}/`), RAW_NAME]), 'not UTF-8\n');
    for (const name of ODD) writeFileSync(path.join(odd, name), `this is ${name}`);
    for (const [name, text] of Object.entries(ACTIVE)) writeFileSync(path.join(odd, name), text);
    if (!noFfmpeg) {
      spawnSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'sine=440:duration=120:sample_rate=44100', '-metadata', 'title=long tone', path.join(odd, 'long.flac')]);
      spawnSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=duration=4:size=160x120:rate=10', '-f', 'lavfi', '-i', 'sine=330:duration=4', '-c:v', 'libx264', '-c:a', 'ac3', path.join(odd, 'film.mkv')]);
      writeFileSync(path.join(odd, 'list.mp3'), `#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n`);
    }
  },
})); // prettier-ignore
after(() => world.remove());

const find = async (name) => (await world.json(`/search?limit=200&q=${encodeURIComponent('folder:odd')}`)).items.find((item) => item.name === name);
const stream = async (name, headers, method) => world.ask(`/file/${(await find(name)).id}/stream`, { headers, method });

test('ranges: each form, byte for byte', async () => {
  const { id } = await find('payload.bin');
  const at = `/file/${id}/stream`;
  const size = BYTES.length;
  const whole = await world.ask(at);
  assert.deepEqual([whole.status, whole.body.equals(BYTES), whole.headers['accept-ranges'], whole.headers['content-length']], [200, true, 'bytes', String(size)]);
  for (const [range, first, last] of [
    ['0-0', 0, 0], ['0-', 0, size - 1], ['5-', 5, size - 1], ['-1', size - 1, size - 1], ['-50', size - 50, size - 1], [`-${size}`, 0, size - 1], [`-${size * 9}`, 0, size - 1],
    ['100-199', 100, 199], [`${size - 1}-`, size - 1, size - 1], [`${size - 10}-${size + 1000}`, size - 10, size - 1], ['0-999999999999999999999', 0, size - 1],
    ['262140-262150', 262140, 262150], [' 7-9 ', 7, 9],
  ]) {
    const part = await world.ask(at, { headers: { range: `bytes=${range}` } });
    assert.deepEqual([range, part.status, part.headers['content-range'], part.headers['content-length']], [range, 206, `bytes ${first}-${last}/${size}`, String(last - first + 1)]);
    assert.ok(part.body.equals(BYTES.subarray(first, last + 1)), range);
  } // prettier-ignore
  for (const range of [`bytes=${size}-`, `bytes=${size + 5}-${size + 9}`, 'bytes=-0', 'bytes=99999999999999999999-']) {
    const none = await world.ask(at, { headers: { range } });
    assert.deepEqual([range, none.status, none.headers['content-range'], none.body.length], [range, 416, `bytes */${size}`, 0]);
  }
  for (const range of ['bytes=5-2', 'bytes=0-1,4-5', 'bytes=a-b', 'bytes=-', 'bytes=', 'items=0-5', 'bytes 0-5', 'bytes=1-2-3', 'bytes=0x0-0x5', 'bytes=--5', '']) {
    const all = await world.ask(at, { headers: { range } });
    assert.deepEqual([range, all.status, all.body.equals(BYTES), all.headers['content-range']], [range, 200, true, undefined]);
  }
  const empty = await stream('empty.bin');
  assert.deepEqual([empty.status, empty.body.length], [200, 0]);
  assert.equal((await stream('empty.bin', { range: 'bytes=0-' })).status, 416);
  assert.equal((await stream('empty.bin', { range: 'bytes=-1' })).status, 416);
}); // prettier-ignore

test('conditions: ETag, dates, If-Range, HEAD', async () => {
  const { id } = await find('payload.bin');
  const at = `/file/${id}/stream`;
  const head = await world.ask(at, { method: 'HEAD' });
  assert.deepEqual([head.status, head.body.length, head.headers['content-length']], [200, 0, String(BYTES.length)]);
  assert.equal((await world.ask(at, { method: 'HEAD', headers: { range: 'bytes=0-0' } })).status, 200); // for GET alone
  const { etag, 'last-modified': modified } = head.headers;
  assert.match(etag, /^"[^"]+"$/);
  const later = new Date(Date.parse(modified) + 5000).toUTCString();
  const earlier = new Date(Date.parse(modified) - 5000).toUTCString();
  const status = async (headers) => (await world.ask(at, { headers })).status;
  for (const [headers, wanted] of [
    [{ 'if-none-match': etag }, 304], [{ 'if-none-match': `W/${etag}` }, 304], [{ 'if-none-match': `"x", ${etag}` }, 304], [{ 'if-none-match': '*' }, 304], [{ 'if-none-match': '"x"' }, 200],
    [{ 'if-modified-since': modified }, 304], [{ 'if-modified-since': later }, 304], [{ 'if-modified-since': earlier }, 200], [{ 'if-modified-since': 'nonsense' }, 200],
    [{ 'if-none-match': '"x"', 'if-modified-since': later }, 200], [{ 'if-match': etag }, 200], [{ 'if-match': '"x"' }, 412], [{ 'if-match': `W/${etag}` }, 412],
    [{ 'if-unmodified-since': earlier }, 412], [{ 'if-unmodified-since': modified }, 200],
    [{ range: 'bytes=0-9', 'if-range': etag }, 206], [{ range: 'bytes=0-9', 'if-range': '"stale"' }, 200], [{ range: 'bytes=0-9', 'if-range': `W/${etag}` }, 200],
    [{ range: 'bytes=0-9', 'if-range': modified }, 206], [{ range: 'bytes=0-9', 'if-range': later }, 200], [{ range: `bytes=${BYTES.length}-`, 'if-range': '"stale"' }, 200],
    [{ range: 'bytes=0-9', 'if-none-match': etag }, 304],
  ]) assert.deepEqual([headers, await status(headers)], [headers, wanted]); // prettier-ignore
  const same = await world.ask(at, { headers: { 'if-none-match': etag } });
  assert.deepEqual([same.body.length, same.headers.etag], [0, etag]);
});

test('names of any bytes and characters', async () => {
  const raw = (await world.json('/search?limit=200&q=folder:odd')).items.find(({ name }) => name.startsWith('caf'));
  const answer = await world.ask(`/file/${raw.id}/download`);
  assert.deepEqual([answer.status, answer.text], [200, 'not UTF-8\n']);
  for (const name of ODD) {
    const found = (await world.json('/search?limit=200&q=folder:odd')).items.find((item) => item.size === Buffer.byteLength(`this is ${name}`) && item.name.slice(-7) === name.slice(-7));
    const file = await world.ask(`/file/${found.id}/download`);
    assert.equal(file.text, `this is ${name}`);
    const disposition = file.headers['content-disposition'];
    assert.match(disposition, /^attachment; filename="[^"\\\r\n]*"/);
    if (/[^\x20-\x7e]|["%]/.test(name) && !name.includes('\n')) {
      const encoded = /filename\*=UTF-8''([^;]+)$/.exec(disposition)[1];
      assert.match(encoded, /^[A-Za-z0-9!#$&+.^_`|~%-]+$/);
      assert.equal(decodeURIComponent(encoded), name);
    }
  }
});

test('what can hold scripts is saved, in a sandbox, never shown in place', async () => {
  for (const name of Object.keys(ACTIVE)) {
    const { headers, text } = await stream(name);
    assert.equal(text, ACTIVE[name]);
    assert.match(headers['content-disposition'], /^attachment/, name);
    assert.match(headers['content-security-policy'], /^sandbox/, name);
    assert.equal(headers['x-content-type-options'], 'nosniff');
  }
  const { headers } = await world.ask(`/file/${(await world.json('/audio?limit=1')).items[0].id}/stream`);
  assert.match(headers['content-disposition'], /^inline/);
  assert.match(headers['content-type'], /^audio\//);
});

test('checksum, text, preview', async () => {
  const { id } = await find('payload.bin');
  const { checksums } = await world.json(`/file/${id}/checksum`);
  assert.equal(checksums.sha256, createHash('sha256').update(BYTES).digest('hex'));
  assert.equal((await world.ask(`/file/${id}/stream`, { method: 'HEAD' })).headers.etag, `"${checksums.sha256}"`);
  const book = (await world.json('/document?q=format:epub&limit=1')).items[0];
  assert.ok((await world.json(`/document/${book.id}/text`)).text.length > 0);
  assert.equal((await world.ask(`/file/${id}/text`)).status, 404);
  const photo = (await world.json('/image?q=format:jpeg&limit=1')).items[0];
  const preview = await world.ask(`/image/${photo.id}/preview/128`);
  assert.deepEqual([preview.status, preview.headers['content-type'], preview.body.subarray(0, 2).toString('hex')], [200, 'image/jpeg', 'ffd8']);
  assert.equal((await world.ask(`/image/${photo.id}/preview/128`, { headers: { 'if-none-match': preview.headers.etag } })).status, 304);
  assert.equal((await world.ask(`/image/${photo.id}/preview/129`)).status, 400);
  assert.equal((await world.ask(`/file/${id}/preview/128`)).status, 404);
});

test('archives hold the originals, whatever they are called', { skip: noUnzip }, async () => {
  const items = (await world.json('/search?q=folder:odd&limit=200')).items;
  const answer = await world.ask('/download.zip', { method: 'POST', body: { ids: items.map(({ id }) => id), name: 'all "ödd"' } });
  assert.equal(answer.status, 200);
  const file = path.join(world.folder, 'all.zip');
  writeFileSync(file, answer.body);
  const script = 'import zipfile,sys,json,hashlib\nz=zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\nprint(json.dumps([[i.filename,i.file_size,hashlib.sha256(z.read(i)).hexdigest()] for i in z.infolist()]))';
  const listed = JSON.parse(spawnSync('python3', ['-c', script, file], { encoding: 'utf8' }).stdout);
  assert.equal(listed.length, items.length);
  assert.ok(listed.some(([name, size, sum]) => name === 'payload.bin' && size === BYTES.length && sum === createHash('sha256').update(BYTES).digest('hex')));
  assert.equal(new Set(listed.map(([name]) => name)).size, items.length);
  for (const [name] of listed) assert.ok(!/[/\\]|^\.\.?$/.test(name), name);
  const twice = await world.ask(`/download.zip?ids=${items[0].id},${items[0].id}`);
  assert.equal(twice.status, 200);
  assert.equal((await world.ask('/download.zip?q=nothinghasthisword')).status, 404);
  assert.equal((await world.ask('/download.zip?ids=../../etc/passwd')).status, 400);
  assert.equal((await world.ask('/download.zip')).status, 400);
});

test('transcodes: mp3, opus, at an offset, from the cache with ranges; HEAD', { skip: noFfmpeg }, async () => {
  const { id } = await find('long.flac');
  const at = `/audio/${id}/stream`;
  const seconds = (bytes) => Number(spawnSync('ffprobe', ['-v', 'error', '-show_entries', 'packet=duration_time', '-of', 'csv=p=0', '-'], { input: bytes, encoding: 'utf8', maxBuffer: 1 << 28 }).stdout.split('\n').reduce((sum, each) => sum + (parseFloat(each) || 0), 0));
  const head = await world.ask(`${at}?format=mp3`, { method: 'HEAD' });
  assert.deepEqual([head.status, head.headers['content-type'], head.headers['x-content-duration'], head.headers['accept-ranges']], [200, 'audio/mpeg', '120.000', 'none']);
  const mp3 = await world.ask(`${at}?format=mp3&maxBitRate=96`);
  assert.equal(mp3.status, 200);
  assert.ok(Math.abs(seconds(mp3.body) - 120) < 0.2, `${seconds(mp3.body)}`);
  const late = await world.ask(`${at}?format=opus&timeOffset=100`);
  assert.equal(late.headers['content-type'], 'audio/ogg; codecs=opus');
  assert.equal(late.headers['x-content-duration'], '20.000');
  assert.ok(Math.abs(seconds(late.body) - 20) < 0.3, `${seconds(late.body)}`);
  await until(() => readdirSync(world.cache).some((name) => /^[0-9a-f]{64}$/.test(name)), 'it is cached');
  const part = await world.ask(`${at}?format=mp3&maxBitRate=96`, { headers: { range: 'bytes=1000-1999' } });
  assert.deepEqual([part.status, part.body.equals(mp3.body.subarray(1000, 2000))], [206, true]);
  assert.equal(readdirSync(world.cache).length, 1); // an offset is not kept
  const small = await world.ask(`${at}?maxBitRate=64`);
  assert.equal(small.headers['content-type'], 'audio/mpeg');
  const raw = await world.ask(`${at}?maxBitRate=64&format=raw`, { method: 'HEAD' });
  assert.equal(raw.headers['content-type'], 'audio/flac');
  assert.equal((await world.ask(`/file/${(await find('payload.bin')).id}/stream?format=mp3`)).status, 415);
  assert.equal((await world.ask(`${at}?format=remux`)).status, 415);
  assert.equal((await world.ask(`${at}?format=exe`)).status, 400);
});

test('films are put into fragmented MP4 without coding pictures anew', { skip: noFfmpeg }, async () => {
  const film = await find('film.mkv');
  const answer = await world.ask(`/video/${film.id}/stream?format=remux`);
  assert.deepEqual([answer.status, answer.headers['content-type'], answer.body.subarray(4, 8).toString()], [200, 'video/mp4', 'ftyp']);
  const probe = spawnSync('ffprobe', ['-v', 'error', '-show_entries', 'stream=codec_name', '-of', 'csv=p=0', '-'], { input: answer.body, encoding: 'utf8' });
  assert.deepEqual(probe.stdout.trim().split('\n').sort(), ['h264', 'opus']);
});

test('a list of other files in the guise of a song opens none of them', { skip: noFfmpeg }, async () => {
  const list = await find('list.mp3');
  const answer = await world.ask(`/file/${list.id}/stream?format=mp3`);
  assert.ok([415, 422].includes(answer.status), `${answer.status} ${answer.text}`);
});

test('more at a time than allowed are told when to come again', { skip: noFfmpeg }, async () => {
  const { id } = await find('long.flac');
  const slow = [];
  for (let number = 0; number < 3; number += 1) {
    slow.push(await new Promise((resolve) => {
      const request = http.get({ host: '127.0.0.1', port: world.port, path: `/audio/${id}/stream?format=opus&timeOffset=${number + 1}`, agent: false }, (response) => {
        response.pause();
        resolve(request);
      });
      request.on('error', () => {});
    }));
  }
  // Nothing is taken of them: ffmpeg waits for the pipe. A short song may be in the buffers as a whole, so it may have ended.
  const next = await world.ask(`/audio/${id}/stream?format=mp3&maxBitRate=320&timeOffset=0.5`);
  assert.ok(next.status === 429 ? Number(next.headers['retry-after']) > 0 : next.status === 200, `${next.status}`);
  for (const request of slow) request.destroy();
});

test('200 aborted streams and transcodes leave no descriptor and no ffmpeg', { timeout: 120_000 }, async () => {
  const { id } = await find('payload.bin');
  const song = noFfmpeg ? null : await find('long.flac');
  await world.ask(`/file/${id}/stream`);
  await until(() => ffmpegs() === 0, 'earlier ones end');
  await sleep(300);
  const before = world.descriptors();
  const abort = (where) => new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port: world.port, path: where, agent: false }, (response) => {
      response.once('data', () => request.destroy());
      response.on('error', () => {});
      response.once('end', () => request.destroy());
    });
    request.on('error', () => {});
    request.on('close', () => resolve(undefined));
  }); // prettier-ignore
  for (let round = 0; round < 20; round += 1) {
    await Promise.all(Array.from({ length: 10 }, (_, number) => abort(number % 5 === 0 && song ? `/audio/${song.id}/stream?format=mp3&timeOffset=${number + round}` : `/file/${id}/stream`)));
  }
  await until(() => ffmpegs() === 0, 'no ffmpeg is left', 10_000);
  await until(() => world.descriptors() <= before, `descriptors are closed (${before}, ${world.descriptors()})`, 10_000);
});

test('files under another path, which is a symbolic link', async () => {
  const { id } = await find('payload.bin');
  const [here, elsewhere] = [path.join(world.folder, 'as seen here'), path.join(world.folder, 'another')];
  symlinkSync(world.library, here);
  mkdirSync(elsewhere);
  symlinkSync(world.library, path.join(elsewhere, path.basename(world.library)));
  try {
    // The configuration's own path may be a link; a link behind it leads anywhere.
    for (const [from, to, status] of [[world.library, here, 200], [world.folder, elsewhere, 403]]) {
      await world.stopServer();
      writeFileSync(world.config, `${world.settings}\n[[path_map]]\nfrom = ${JSON.stringify(from)}\nto = ${JSON.stringify(to)}\n`);
      await world.serve();
      const answer = await world.ask(`/file/${id}/stream`);
      assert.deepEqual([answer.status, answer.body.equals(BYTES)], [status, status === 200], answer.text.slice(0, 200));
    }
  } finally {
    await world.stopServer();
    writeFileSync(world.config, world.settings);
    await world.serve();
  }
});

// The last one: the folder is elsewhere for a moment, and the library notes that it was.
test('a file that changed, went, or became a link is never sent as what it was', async () => {
  const file = path.join(world.library, 'odd', 'semi;colon,comma=.txt');
  const { id } = await find('semi;colon,comma=.txt');
  const at = `/file/${id}/stream`;
  const secret = path.join(world.folder, 'secret.txt');
  writeFileSync(secret, readFileSync(file));
  renameSync(file, `${file}.kept`);
  symlinkSync(secret, file);
  const linked = await world.ask(at);
  assert.ok([404, 409].includes(linked.status), `${linked.status} ${linked.text}`);
  rmSync(file);
  renameSync(`${file}.kept`, file);
  await until(async () => (await world.ask(at)).status === 200, 'it is back');
  appendFileSync(file, 'more');
  const changed = await world.ask(at);
  assert.ok(changed.status === 409 || changed.status === 404 || changed.text.endsWith('more'), changed.text);
  // A folder that became a link to elsewhere: the file would lie outside of every root.
  const odd = path.join(world.library, 'odd');
  const { id: other } = await find('payload.bin');
  renameSync(odd, path.join(world.folder, 'moved away'));
  symlinkSync(path.join(world.folder, 'moved away'), odd);
  const outside = await world.ask(`/file/${other}/stream`);
  assert.ok([403, 404, 503].includes(outside.status), `${outside.status}`);
  assert.ok(!outside.body.equals(BYTES));
  rmSync(odd);
  renameSync(path.join(world.folder, 'moved away'), odd);
  await until(async () => (await world.ask(`/file/${other}/stream`)).status === 200, 'it is back');
});

/** Children of the server. */
function ffmpegs() {
  const { pid } = world.process;
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).length; // prettier-ignore
}
