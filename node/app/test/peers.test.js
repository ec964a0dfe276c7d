/** What other programs ask for: HomeGallery's fetch, MediaStreamer's page. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { ask, REPOSITORY, World } from './world.js';

const world = new World();
let port = 0;
before(async () => {
  port = await new Promise((resolve) => {
    const free = net.createServer().listen(0, '127.0.0.1', () => {
      const { port: found } = /** @type {net.AddressInfo} */ (free.address());
      free.close(() => resolve(found));
    });
  });
  await world.start({
    config: `[mediastreamer]\nenabled = true\nlisten = "127.0.0.1:${port}"\n`,
    prepare(library) {
      mkdirSync(path.join(library, 'odd'));
      cpSync(path.join(REPOSITORY, 'samples/Photos/2003 Garden'), path.join(library, 'odd/Gärten "}, {"'), { recursive: true });
    },
  });
});
after(() => world.remove());

/** The digest of an entry as HomeGallery computes it. */
const canonical = (value) => (value === undefined ? 'null' : Array.isArray(value) ? `[${value.map(canonical).join(',')}]` : value === null || typeof value !== 'object' ? JSON.stringify(value) : `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`); // prettier-ignore

test("HomeGallery's database, events and previews", async () => {
  const { id, name } = (await world.json('/image?q=format:jpeg&limit=1')).items[0];
  await world.json(`/file/${id}/tags`, { method: 'PATCH', body: { add: ['süd'] } });
  const answer = await world.ask('/api/database.json');
  assert.equal(answer.status, 200);
  assert.match(answer.text, /^\{"type":"home-gallery\/database@1\.3\.0","created":"[^"]+","data":\[/);
  assert.match(answer.text, /^[\x20-\x7e]*$/);
  const { data } = answer.json;
  const count = (await world.json('/search?q=kind:image,video&count=1&limit=1')).count;
  assert.equal(data.length, count);
  assert.deepEqual(data.map(({ date }) => date), data.map(({ date }) => date).toSorted().reverse()); // prettier-ignore
  for (const { hash, ...entry } of data) {
    assert.match(entry.id, /^[0-9a-f]{40}$/);
    assert.equal(hash, createHash('sha1').update(canonical(entry)).digest('hex'));
    assert.ok(['image', 'video'].includes(entry.type));
  }
  const { files: [{ path: where }] } = await world.json(`/file/${id}`); // prettier-ignore
  const sha1 = createHash('sha1').update(readFileSync(where)).digest('hex');
  const entry = data.find((each) => each.id === sha1);
  assert.deepEqual([entry.tags, entry.files[0].filename], [['süd'], name]);
  assert.ok(entry.previews.length > 0);
  for (const preview of entry.previews) {
    const picture = await world.ask(`/files/${preview}`);
    assert.deepEqual([preview, picture.status, picture.headers['content-type']], [preview, 200, 'image/jpeg']);
  }
  assert.equal((await world.ask(`/files/${entry.previews[0].replace('image-preview', 'exif').replace('.jpg', '.json')}`)).status, 404);
  const events = (await world.ask('/api/events.json')).json;
  assert.equal(events.type, 'home-gallery/events@1.0');
  assert.deepEqual(events.data.map(({ type, targetIds, actions }) => [type, targetIds, actions]), [['userAction', [sha1], [{ action: 'addTag', value: 'süd' }]]]); // prettier-ignore
  assert.equal((await world.ask('/api/events.json')).json.data[0].id, events.data[0].id);
  assert.ok(Math.abs(Date.parse(events.data[0].date) - Date.now()) < 60_000);
});

test("MediaStreamer's eight routes", async () => {
  const get = (where, how) => ask(port, where, how);
  const json = async (where, how) => (await get(where, how)).json;
  const albums = await json('/albums');
  assert.ok(albums.length >= 2);
  for (const { key, rating, art } of albums) {
    assert.ok(Number.isSafeInteger(key));
    assert.equal(rating, 1000);
    assert.ok(art === null || /^data:image\/(jpeg|png);base64,/.test(art));
  }
  const album = await json(`/album/${albums[0].key}`);
  assert.deepEqual([album.album_id, album.album_name, album.tracks.length > 0], [albums[0].key, albums[0].name, true]);
  assert.equal((await get('/album/12345')).status, 404);
  const song = await json(`/songs/${album.tracks[0].id}`);
  assert.equal(song.title, album.tracks[0].title);
  assert.ok((await json('/songs')).length >= 3);
  const whole = await get(`/stream/${song.id}`);
  const last = await get(`/stream/${song.id}`, { headers: { range: 'bytes=-50' } });
  assert.deepEqual([last.status, last.body.equals(whole.body.subarray(-50))], [206, true]);
  const clamped = await get(`/stream/${song.id}`, { headers: { range: 'bytes=10-99999999' } });
  assert.ok(clamped.body.equals(whole.body.subarray(10)));
  assert.equal((await get(`/stream/${song.id}`, { headers: { range: 'bytes=0-1,4-5' } })).status, 200);
  assert.equal((await get(`/stream/${song.id}`, { method: 'HEAD' })).headers['content-length'], String(whole.body.length));
  assert.ok(Number.isSafeInteger((await json('/random_album')).album_id));
  const { albums: both } = await json('/compare_albums');
  assert.equal(new Set(both.map(({ id }) => id)).size, 2);
  const origin = 'http://localhost:5173';
  const rated = await get('/update_rating', { method: 'POST', body: { winner_id: both[0].id, loser_id: both[1].id }, headers: { origin } });
  assert.deepEqual([rated.status, rated.json.winner_new_elo, rated.json.loser_new_elo], [200, 1016, 984]);
  assert.equal(rated.headers['access-control-allow-origin'], origin);
  assert.equal((await json('/albums')).find(({ key }) => key === both[0].id).rating, 1016);
  const { operations } = await world.json('/operations?limit=2');
  assert.ok(operations.every(({ command }) => command === 'work')); // events like all others: undo knows them
  assert.equal((await get('/update_rating', { method: 'POST', body: { winner_id: both[0].id, loser_id: both[1].id }, headers: { origin: 'http://evil.com' } })).status, 403);
  assert.equal((await get('/albums', { headers: { host: 'evil.com' } })).status, 421);
  assert.equal((await get('/albums', { method: 'OPTIONS', headers: { origin } })).status, 204);
});
