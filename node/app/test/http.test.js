/** The interface of docs/http.md over a real daemon: questions, items, work, lists, walks. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { World, until } from './world.js';

const world = new World();
before(() => world.start());
after(() => world.remove());

const post = (body, headers = {}) => ({ method: 'POST', body, headers });
const one = async (q) => (await world.json(`/search?limit=1&q=${encodeURIComponent(q)}`)).items[0];
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

test('session: open on this machine while nobody has an account', async () => {
  const found = await world.json('/session');
  assert.deepEqual([found.open, found.user, found.role, found.daemon.connected], [true, null, 'admin', true]);
  assert.deepEqual(found.features, { transcode: ['mp3', 'opus', 'remux'], upload: true, organise: true, accounts: true, subsonic: true });
});

test('search: pages without gap or repeat, kinds, counts, facets, fields', async () => {
  const seen = [];
  let cursor = '';
  do {
    const page = await world.json(`/search?limit=7&sort=name&cursor=${cursor}`);
    assert.ok(page.items.length <= 7);
    seen.push(...page.items.map(({ id }) => id));
    cursor = page.next;
  } while (cursor);
  const { count, facets } = await world.json('/search?limit=1&count=1&facets=kind,format');
  assert.equal(seen.length, count);
  assert.equal(new Set(seen).size, count);
  assert.equal(facets.kind.reduce((sum, each) => sum + each.count, 0), count);
  for (const kind of ['audio', 'video', 'image', 'document']) {
    const { items } = await world.json(`/${kind}?limit=200`);
    assert.equal(items.length, facets.kind.find(({ value }) => value === kind).count);
    assert.ok(items.every((item) => item.kind === kind));
  }
  const song = (await world.json('/audio/?=the%20artist&fields=1&sort=-size')).items[0];
  assert.deepEqual([song.artist, song.album, song.format, song.track, song.genres], ['the artist', 'the album', 'm4a', 2, ['the genre']].map((v, i) => (i === 2 ? song.format : v)));
  assert.equal(typeof song.mtime, 'number');
  assert.equal((await world.json('/audio?q=a%20or%20b')).items.every(({ kind }) => kind === 'audio'), true);
});

test('errors have codes, places and statuses', async () => {
  const syntax = await world.ask('/audio?q=%C3%BC%20duration:abc');
  assert.deepEqual([syntax.status, syntax.json.error.code, syntax.json.error.position], [400, 'query_syntax', 11]);
  assert.equal(syntax.json.error.input, 'ü duration:abc');
  const { next } = await world.json('/search?limit=2');
  assert.equal((await world.ask(`/search?limit=2&q=other&cursor=${next}`)).json.error.code, 'stale_cursor');
  for (const [where, status, code] of [
    ['/search?limit=0', 400, 'invalid_argument'], ['/search?limit=201', 400, 'invalid_argument'], ['/search?nonsense=1', 400, 'invalid_argument'],
    ['/file/nonsense', 400, 'invalid_argument'], ['/file/00000000-0000-7000-8000-000000000000', 404, 'not_found'], ['/nothing/there', 404, 'not_found'],
    ['/album/00000000-0000-7000-8000-000000000000', 404, 'not_found'], ['/folders/999999999', 404, 'not_found'], ['/jobs/00000000-0000-7000-8000-000000000000', 404, 'not_found'],
  ]) {
    const answer = await world.ask(where);
    assert.deepEqual([where, answer.status, answer.json.error.code], [where, status, code]);
    assert.match(answer.headers['content-type'], /^application\/json/);
  } // prettier-ignore
  const { id } = await one('kind:audio');
  assert.equal((await world.ask(`/video/${id}`)).status, 404);
  assert.equal((await world.ask(`/audio/${id}`)).status, 200);
});

test('a record has everything: effective fields, sources, keys, files', async () => {
  const { id } = await one('artist:"the artist" format:flac');
  const record = await world.json(`/file/${id}`);
  assert.equal(record.fields.artists[0], 'the artist');
  assert.match(record.sources.artists, /ARTIST/i);
  assert.ok(record.keys.some(({ grade, algorithm, value }) => grade && algorithm && /^[0-9a-f]+$/.test(value)));
  const [file] = record.files;
  assert.ok(file.path.endsWith(file.name));
  assert.deepEqual([file.state, file.size, typeof file.id], ['read', record.size, 'number']);
  assert.ok(Object.keys(file.tags).length > 0);
});

test('items by their ids keep their order; unknown ones are null', async () => {
  const ids = (await world.json('/search?limit=5')).items.map(({ id }) => id).reverse();
  const { items } = await world.json('/items', post({ ids: [...ids, '00000000-0000-7000-8000-000000000000'] }));
  assert.deepEqual(items.map((each) => each?.id ?? null), [...ids, null]); // prettier-ignore
  assert.equal((await world.ask('/items', post({ ids: Array(201).fill(ids[0]) }))).status, 400);
});

test('ids: 16 bytes each, in the order of the question', async () => {
  const answer = await world.ask('/ids?q=sort:name');
  assert.equal(answer.headers['content-type'], 'application/octet-stream');
  const hex = answer.body.toString('hex');
  const ids = [...hex.matchAll(/.{32}/g)].map(([each]) => each.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5'));
  const items = (await world.json('/search?q=sort:name&limit=200')).items.map(({ id }) => id);
  assert.deepEqual(ids, items);
  assert.equal((await world.ask('/ids?q=duration:abc')).status, 400);
  assert.equal((await world.ask('/ids?q=nothinghasthisword')).body.length, 0);
});

test('completion, explanation, facets, timeline, places', async () => {
  const { suggestions } = await world.json('/complete?q=artis');
  assert.deepEqual([suggestions[0].start, suggestions[0].end, suggestions[0].what], [0, 5, 'field']);
  assert.match((await world.json('/explain?q=artist:jzig')).sql, /SELECT/);
  assert.ok((await world.json('/facets?fields=kind,format&limit=3')).facets.kind.length > 2);
  const { buckets, undated } = await world.json('/timeline?q=kind:image&unit=month');
  const images = (await world.json('/search?q=kind:image&count=1&limit=1')).count;
  assert.equal(buckets.reduce((sum, { count }) => sum + count, 0) + undated, images);
  assert.deepEqual(buckets, buckets.toSorted((a, b) => (a.date < b.date ? 1 : -1)));
  const { id } = await one('kind:image');
  await world.json(`/file/${id}/fields`, { method: 'PATCH', body: { country: 'Italy', city: 'Riva "del" Garda' } });
  const { places } = await world.json('/places');
  assert.deepEqual(places.map(({ country, city, count, cover }) => [country, city, count, cover]), [['Italy', 'Riva "del" Garda', 1, id]]); // prettier-ignore
  await world.json('/undo', post({}));
});

test('tags, ratings, stars, plays, fields, bookmarks of an item; each can be undone', async () => {
  const { id } = await one('kind:image');
  const path = `/file/${id}`;
  const change = (where, method, body) => world.json(`${path}${where}`, { method, body });
  const done = await change('/tags', 'PATCH', { add: ['sea', 'sun'], remove: [] });
  assert.deepEqual([done.items, done.events], [1, 2]);
  assert.match(done.operation, UUID);
  await change('/tags', 'PATCH', { remove: ['sun'] });
  await change('/rating', 'PUT', { rating: 4 });
  await change('/star', 'PUT');
  await change('/play', 'POST', { at: 1_000_000_000.5 });
  await change('/fields', 'PATCH', { title: 'Harbour', shelf: 'A' });
  await change('/bookmark', 'PUT', { position: 12.5, comment: 'here' });
  let record = await world.json(path);
  assert.deepEqual(
    [record.tags, record.rating, record.starred, record.plays, record.last_played_at, record.title, record.fields.shelf, record.own.shelf],
    [['sea'], 4, true, 1, 1_000_000_000.5, 'Harbour', 'A', 'A'],
  );
  assert.deepEqual([record.bookmark.position, record.bookmark.comment], [12.5, 'here']);
  await change('/rating', 'PUT', { rating: 0 });
  await change('/star', 'DELETE');
  await change('/bookmark', 'DELETE');
  await change('/fields', 'PATCH', { title: null });
  record = await world.json(path);
  assert.deepEqual([record.rating, record.starred, record.bookmark, record.title], [undefined, undefined, undefined, undefined]);
  const { changes } = await world.json(`${path}/history`);
  for (const action of ['tagged', 'untagged', 'rated', 'starred', 'played', 'set']) assert.ok(changes.some((each) => each.action === action), action);
  const { operations } = await world.json('/operations?limit=5');
  assert.equal(operations[0].command, 'work');
  await world.json('/undo', post({ operation: done.operation }));
  assert.equal((await world.json(path)).tags, undefined);
  await world.json('/undo', post({ count: 3 }));
  for (const [where, method, body] of [['/rating', 'PUT', { rating: 6 }], ['/rating', 'PUT', {}], ['/tags', 'PATCH', { add: 'sea' }], ['/bookmark', 'PUT', { position: -1 }]]) {
    assert.equal((await world.ask(`${path}${where}`, { method, body })).status, 400, where);
  }
  assert.equal((await world.ask('/file/00000000-0000-7000-8000-000000000000/star', { method: 'PUT' })).status, 404);
});

test('many at once, and once only under one operation', async () => {
  const ids = (await world.json('/image?limit=3')).items.map(({ id }) => id);
  const operation = crypto.randomUUID();
  const body = { ids, add_tags: ['trip'], rating: 3, star: true, set: { shelf: 'B' } };
  const first = await world.json('/work', post(body, { operation }));
  assert.deepEqual([first.items, first.operation], [3, operation]);
  const again = await world.json('/work', post(body, { operation }));
  assert.equal(again.events, first.events);
  assert.equal((await world.json('/search?q=tag:trip&count=1&limit=1')).count, 3);
  assert.equal((await world.json('/work', post({ q: 'tag:trip', remove_tags: ['trip'] }))).items, 3);
  assert.equal((await world.ask('/work', post({ ids, q: 'x', star: true }))).status, 400);
  assert.equal((await world.ask('/work', post({ ids }))).status, 400);
  assert.equal((await world.ask('/work', post(body, { operation: 'no' }))).status, 400);
});

test('collections and playlists: made, filled, ordered, renamed, smart, as M3U', async () => {
  const ids = (await world.json('/audio?limit=3')).items.map(({ id }) => id);
  const made = await world.ask('/collections', post({ kind: 'playlist', name: 'Évening; "loud"', ids }));
  assert.equal(made.status, 201);
  const at = `/collections/${made.json.id}`;
  assert.equal((await world.ask('/collections', post({ kind: 'playlist', name: 'Évening; "loud"', ids }))).status, 409);
  const inIt = async () => (await world.json(at)).items.map(({ id }) => id);
  const change = (body) => world.json(at, { method: 'PATCH', body });
  assert.deepEqual(await inIt(), ids);
  await change({ move: [2, 0] });
  assert.deepEqual(await inIt(), [ids[2], ids[0], ids[1]]);
  await change({ remove: 1 });
  await change({ add: [ids[2]], at: 0 });
  assert.deepEqual(await inIt(), [ids[2], ids[2], ids[1]]);
  const page = await world.json(`${at}?limit=2`);
  assert.deepEqual([(await world.json(`${at}?limit=2&cursor=${page.next}`)).items.map(({ id }) => id), page.items.length], [[ids[1]], 2]);
  await change({ name: 'Morning' });
  const m3u = await world.ask(`/playlists/${made.json.id}.m3u8`);
  assert.match(m3u.text, /^#EXTM3U\n#PLAYLIST:Morning\n#EXTINF:\d+,.*\nhttp:\/\/127\.0\.0\.1:\d+\/file\//);
  const url = m3u.text.split('\n').find((line) => line.startsWith('http'));
  assert.equal((await world.ask(new URL(url).pathname)).status, 200);
  const smart = (await world.ask('/collections', post({ name: 'loud ones', query: 'kind:audio sort:-size' }))).json;
  const found = await world.json(`/collections/${smart.id}?limit=2`);
  assert.equal(found.query, 'kind:audio sort:-size');
  assert.equal(found.items.length, 2);
  assert.equal((await world.ask(`/collections/${smart.id}`, { method: 'PATCH', body: { remove: 0 } })).status, 409);
  assert.equal((await world.ask(at, { method: 'PATCH', body: { remove: 0, name: 'x' } })).status, 400);
  assert.equal((await world.json('/collections?kind=playlist')).collections.length, 1);
  for (const { id } of (await world.json('/collections')).collections) await world.json(`/collections/${id}`, { method: 'DELETE' });
  assert.equal((await world.ask(at)).status, 404);
});

test('artists, albums, genres, folders; stars of albums', async () => {
  const { albums } = await world.json('/albums?sort=name');
  const album = albums.find(({ name }) => name === 'Quod Libet Test Data');
  assert.deepEqual([album.songs, album.year, album.genres], [1, 2004, ['Silence']]);
  const whole = await world.json(`/album/${album.id}`);
  assert.deepEqual([whole.songs.length, whole.songs[0].title, whole.song_count], [1, 'Silence', 1]);
  const artist = await world.json(`/artist/${album.artist_id}`);
  assert.ok(artist.albums.some(({ id }) => id === album.id));
  await world.json(`/album/${album.id}/star`, { method: 'PUT' });
  await world.json(`/album/${album.id}/rating`, { method: 'PUT', body: { rating: 5 } });
  assert.deepEqual((await world.json('/albums?starred=1')).albums.map(({ id, rating }) => [id, rating]), [[album.id, 5]]); // prettier-ignore
  await world.json(`/album/${album.id}/star`, { method: 'DELETE' });
  assert.equal((await world.json('/albums?starred=1')).albums.length, 0);
  assert.equal((await world.json('/artists?prefix=pim')).artists[0].name, 'piman');
  assert.ok((await world.json('/genres')).genres.some(({ name }) => name === 'Silence'));
  const { folders } = await world.json('/folders');
  const top = await world.json(`/folders/${folders[0].id}`);
  const music = top.folders.find(({ name }) => name === 'Music');
  assert.equal((await world.json(`/folders/${music.id}`)).above[0].id, folders[0].id);
  assert.ok(top.items.some(({ name }) => name === 'SOURCES.md'));
});

test('the queue is the same wherever it is asked for', async () => {
  const ids = (await world.json('/audio?limit=3')).items.map(({ id }) => id);
  await world.json('/queue', { method: 'PUT', body: { ids: [...ids, ids[0]], current: 1, position: 33.25 } });
  const found = await world.json('/queue');
  assert.deepEqual([found.ids, found.current, found.position], [[...ids, ids[0]], 1, 33.25]);
  await world.json('/queue', { method: 'PUT', body: { current: 3, position: 1 } });
  const later = await world.json('/queue');
  assert.deepEqual([later.ids, later.current, later.position], [[...ids, ids[0]], 3, 1]);
});

test('service: status, handlers, roots, scan, templates, problems, health, figures', async () => {
  assert.ok((await world.json('/status')).items > 20);
  assert.ok((await world.json('/handlers')).handlers.some(({ name }) => name === 'audio'));
  const { roots } = await world.json('/roots');
  assert.deepEqual([roots.length, roots[0].state, roots[0].watched], [1, 'active', true]);
  const { job } = await world.json('/scan', post({ root: roots[0].id }));
  await until(async () => (await world.json(`/jobs/${job}`)).state === 'done', 'the walk ends');
  assert.equal((await world.json('/scan')).running, false);
  assert.ok((await world.json('/templates')).templates.some(({ name }) => name === 'music'));
  assert.deepEqual((await world.json('/problems')).items, []);
  assert.equal((await world.json('/healthz')).daemon, 'ok');
  assert.match((await world.ask('/metrics')).text, /^mediadb_daemon_up 1$/m);
});
