/** OpenSubsonic over a real daemon: what clients nobody here wrote make of it is in tests/clients. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { linesOfText } from '../server/subsonic/media.js';
import { xmlOf } from '../server/subsonic/answer.js';
import { having, wordsOf } from '../server/subsonic/asks.js';
import { until, World } from './world.js';

const world = new World();
const ffmpeg = spawnSync('ffmpeg', ['-version']).status === 0;
const noFfmpeg = ffmpeg ? false : 'ffmpeg is not installed';
let serial = 0;

/** @param {string} folder @param {Record<string, string>} tags */
function song(folder, tags, extension = 'flac') {
  serial += 1;
  mkdirSync(folder, { recursive: true });
  const metadata = Object.entries(tags).flatMap(([name, value]) => ['-metadata', `${name}=${value}`]);
  execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', `sine=frequency=${200 + 37 * serial}:duration=${2 + serial / 10}`, ...metadata, path.join(folder, `${tags.title}.${extension}`)]);
}

/** @param {string} library */
function prepare(library) {
  if (!ffmpeg) return;
  for (const number of [1, 2, 3]) song(path.join(library, 'Anna', 'First'), { title: `Light ${number}`, artist: 'Anna', album: 'First', track: String(number), date: '1999', genre: 'Rock', lyrics: number === 1 ? 'one line\nanother' : '' });
  for (const number of [1, 2]) song(path.join(library, 'The Band', 'Second'), { title: `Dark ${number}`, artist: 'The Band', album: 'Second', track: String(number), date: '2005', genre: 'Jazz' }, 'mp3');
}

before(() => world.start({ prepare }));
after(() => world.remove());

/** @param {string} method @param {Record<string, any>} [asks] @param {any} [how] @returns {Promise<any>} */
async function rest(method, asks = {}, how) {
  const parameters = new URLSearchParams({ u: 'any', p: 'any', v: '1.16.1', c: 'test', f: 'json' });
  for (const [name, value] of Object.entries(asks)) {
    if (Array.isArray(value)) value.forEach((each) => parameters.append(name, String(each)));
    else if (value === null) parameters.delete(name);
    else parameters.set(name, String(value));
  }
  const answer = await world.ask(`/rest/${method}?${parameters}`, how);
  return answer.json?.['subsonic-response'] ?? answer;
}

/** @param {string} method @param {Record<string, any>} [asks] @returns {Promise<any>} */
async function well(method, asks) {
  const answer = await rest(method, asks);
  assert.equal(answer.status, 'ok', `${method} ${JSON.stringify(asks)}: ${JSON.stringify(answer.error ?? answer.text)}`);
  return answer;
}

test('XML, JSON, JSONP; GET, POST and forms; with and without .view', async () => {
  const xml = await world.ask('/rest/ping.view?u=a&p=b');
  assert.match(String(xml.headers['content-type']), /^text\/xml/);
  assert.match(xml.text, /^<\?xml version="1.0" encoding="UTF-8"\?>\n<subsonic-response xmlns="http:\/\/subsonic.org\/restapi" status="ok" version="1.16.1" type="mediadb"/);
  const jsonp = await world.ask('/rest/ping?u=a&p=b&f=jsonp&callback=my.call');
  assert.match(jsonp.text, /^\/\*\*\/my\.call\(\{.*\}\);$/);
  const evil = await world.ask(`/rest/ping?u=a&p=b&f=jsonp&callback=${encodeURIComponent('alert(1)//')}`);
  assert.equal(evil.json['subsonic-response'].status, 'failed');
  const form = await world.ask('/rest/search3', { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'u=a&p=b&f=json&query=&songCount=1' });
  assert.equal(form.json['subsonic-response'].searchResult3.song.length, 1);
  assert.equal((await rest('noSuchMethod')).status, 'failed');
  assert.equal((await world.ask('/rest/jukeboxControl?u=a&p=b&f=json')).status, 410);
  assert.equal((await world.ask('/rest/getAvatar?u=a&p=b&f=json')).status, 501);
  const options = await world.ask('/rest/ping', { method: 'OPTIONS', headers: { origin: 'https://elsewhere.example' } });
  assert.deepEqual([options.status, options.headers['access-control-allow-origin']], [204, '*']);
});

test('XML: attributes, lists, text, and what no document may have', () => {
  const text = xmlOf(/** @type {any} */ ({ status: 'ok', genres: { genre: [{ songCount: 1, value: 'R & B' }] }, user: { folder: [1, 2], name: 'a"<\u0001\ud800' } }));
  assert.match(text, /<genres><genre songCount="1">R &amp; B<\/genre><\/genres><user name="a&quot;&lt;\ufffd\ufffd"><folder>1<\/folder><folder>2<\/folder><\/user>/);
});

test('folders as they are on disk', { skip: noFfmpeg }, async () => {
  const { musicFolders: { musicFolder: [root] } } = await well('getMusicFolders'); // prettier-ignore
  assert.equal(root.name, 'library');
  const { indexes } = await well('getIndexes', { musicFolderId: root.id });
  const anna = indexes.index.find((/** @type {any} */ each) => each.name === 'A').artist[0];
  assert.equal(anna.name, 'Anna');
  assert.equal(indexes.index.find((/** @type {any} */ each) => each.artist.some((/** @type {any} */ one) => one.name === 'The Band')).name, 'B');
  const { directory } = await well('getMusicDirectory', { id: anna.id });
  assert.deepEqual(directory.child.map((/** @type {any} */ each) => [each.title, each.isDir]), [['First', true]]);
  const { directory: first } = await well('getMusicDirectory', { id: directory.child[0].id });
  assert.equal(first.parent, anna.id);
  assert.deepEqual(first.child.map((/** @type {any} */ each) => [each.title, each.isDir, each.parent]), [1, 2, 3].map((number) => [`Light ${number}`, false, first.id]));
  assert.equal((await well('getIndexes', { ifModifiedSince: indexes.lastModified })).indexes.index, undefined);
  assert.equal((await rest('getMusicDirectory', { id: 'di-999999' })).error.code, 70);
  for (const id of ['../../etc/passwd', 'di-1/../2', '..%2f..', "' or 1=1", 'di--1', '']) {
    assert.ok([10, 70].includes((await rest('getMusicDirectory', { id })).error.code), id);
  }
});

test('artists, albums, songs, genres, lists', { skip: noFfmpeg }, async () => {
  await until(async () => (await well('getArtists')).artists.index.flatMap((/** @type {any} */ each) => each.artist).some((/** @type {any} */ each) => each.name === 'The Band'), 'summed up');
  const artists = (await well('getArtists')).artists.index.flatMap((/** @type {any} */ each) => each.artist);
  const anna = artists.find((/** @type {any} */ each) => each.name === 'Anna');
  const { artist } = await well('getArtist', { id: anna.id });
  assert.deepEqual(artist.album.map((/** @type {any} */ each) => [each.name, each.songCount, each.year, each.genre]), [['First', 3, 1999, 'Rock']]);
  const { album } = await well('getAlbum', { id: artist.album[0].id });
  assert.deepEqual(album.song.map((/** @type {any} */ each) => [each.title, each.track, each.albumId, each.artistId]), [1, 2, 3].map((number) => [`Light ${number}`, number, album.id, anna.id]));
  const { song } = await well('getSong', { id: album.song[0].id });
  assert.deepEqual([song.suffix, song.contentType, song.duration, song.isDir], ['flac', 'audio/flac', 2, false]);
  assert.ok((await well('getGenres')).genres.genre.some((/** @type {any} */ each) => each.value === 'Rock' && each.songCount === 3));
  const names = async (/** @type {any} */ asks) => (await well('getAlbumList2', asks)).albumList2.album.map((/** @type {any} */ each) => each.name);
  const own = async (/** @type {any} */ asks) => (await names(asks)).filter((/** @type {string} */ name) => name === 'First' || name === 'Second'); // of those beside the samples'
  assert.deepEqual(await own({ type: 'byYear', fromYear: 1999, toYear: 2005 }), ['First', 'Second']);
  assert.deepEqual(await own({ type: 'byYear', fromYear: 2005, toYear: 1999 }), ['Second', 'First']);
  assert.deepEqual(await names({ type: 'byGenre', genre: 'Jazz' }), ['Second']);
  const all = await names({ type: 'alphabeticalByName', size: 500 });
  const paged = [];
  for (let offset = 0; offset < all.length; offset += 2) paged.push(...(await names({ type: 'alphabeticalByName', size: 2, offset })));
  assert.deepEqual(paged, all);
  assert.equal((await rest('getAlbumList2', { type: 'nonsense' })).status, 'failed');
  assert.equal((await rest('getAlbumList2')).error.code, 10);
  assert.equal((await rest('getAlbum', { id: song.id })).error.code, 70);
  assert.equal((await well('getRandomSongs', { size: 2, genre: 'Rock' })).randomSongs.song.length, 2);
});

test('an empty search is the whole library, at any offset, in any order of asking', async () => {
  const whole = (await well('search3', { query: '', songCount: 500 })).searchResult3.song.map((/** @type {any} */ each) => each.id);
  assert.ok(whole.length >= 3);
  assert.equal(new Set(whole).size, whole.length);
  for (const query of ['', '""']) {
    for (const songOffset of [whole.length - 1, 1, 0, 2]) {
      const part = (await well('search3', { query, songCount: 2, songOffset })).searchResult3.song.map((/** @type {any} */ each) => each.id);
      assert.deepEqual(part, whole.slice(songOffset, songOffset + 2), `${query} ${songOffset}`);
    }
  }
  assert.deepEqual((await well('search3', { query: '', songOffset: 10_000 })).searchResult3.song, []);
  assert.equal((await well('search3', { query: 'the artist (or not "', songCount: 1 })).status, 'ok');
});

test('words of a question never become its grammar', () => {
  assert.equal(wordsOf('""'), '');
  assert.equal(wordsOf('a:b (c) -d "e f" *g*'), 'a b c d e f g');
  assert.equal(wordsOf('rock and not roll'), 'rock "and" "not" roll');
  assert.equal(wordsOf('Björk 東京'), 'Björk 東京');
});

test('a value asked for exactly may have any signs', async () => {
  assert.equal(having('artist', 'Ça "Va" *'), 'artist="Ça  Va   "');
  for (const name of ['"', '!!!', 'F*** "You"', '\\', 'R & B', '東京', '"" or kind:image']) {
    await well('getLyrics', { artist: name, title: name });
    await well('getTopSongs', { artist: name });
    await well('getSongsByGenre', { genre: name });
    await well('getRandomSongs', { genre: name });
  }
});

test('stars, ratings, plays: the daemon keeps them, and tells them to everybody', async () => {
  const [song] = (await well('search3', { query: '', songCount: 1 })).searchResult3.song;
  await well('star', { id: song.id });
  assert.equal((await well('getStarred2')).starred2.song[0].id, song.id);
  await well('setRating', { id: song.id, rating: 4 });
  // Twice: a player that got no answer tells it again, and was heard no oftener for that.
  for (let sent = 0; sent < 2; sent += 1) await well('scrobble', { id: [song.id, song.id], time: [1_600_000_000_000, 1_600_000_100_000] });
  const again = (await well('getSong', { id: song.id })).song;
  assert.deepEqual([again.userRating, again.playCount, again.played], [4, 2, '2020-09-13T12:28:20.000Z']);
  assert.ok(Math.abs(Date.parse(again.starred) - Date.now()) < 60_000, again.starred);
  const [{ item }] = await world.client.get(song.id);
  assert.deepEqual([item.work.starred, item.work.user_rating, item.work.play_count], [true, 4, 2]);
  await well('setRating', { id: song.id, rating: 0 });
  await well('unstar', { id: song.id });
  assert.equal((await well('getSong', { id: song.id })).song.starred, undefined);
  await well('scrobble', { id: song.id, submission: false });
  assert.equal((await well('getNowPlaying')).nowPlaying.entry[0].id, song.id);
  assert.equal((await rest('star')).error.code, 10);
  assert.equal((await rest('star', { id: '01a1fbb7-dc0f-7007-b396-04ac11a0c981' })).error.code, 70);
  assert.equal((await rest('setRating', { id: song.id, rating: 6 })).status, 'failed');
});

test('playlists, queue, bookmarks', async () => {
  const songs = (await well('search3', { query: '', songCount: 3 })).searchResult3.song.map((/** @type {any} */ each) => each.id);
  const { playlist } = await well('createPlaylist', { name: 'mine', songId: songs });
  assert.deepEqual(playlist.entry.map((/** @type {any} */ each) => each.id), songs);
  assert.equal((await rest('createPlaylist', { name: 'mine' })).status, 'failed');
  await well('updatePlaylist', { playlistId: playlist.id, songIndexToRemove: [0, 2], songIdToAdd: [songs[0], songs[0]], name: 'other' });
  const changed = (await well('getPlaylist', { id: playlist.id })).playlist;
  assert.deepEqual([changed.name, changed.entry.map((/** @type {any} */ each) => each.id)], ['other', [songs[1], songs[0], songs[0]]]);
  assert.equal((await rest('updatePlaylist', { playlistId: playlist.id, songIndexToRemove: 3 })).error.code, 70);
  // Each reads the list, and sets it: eight at once lose nothing of each other's.
  await well('createPlaylist', { playlistId: playlist.id, songId: Array.from({ length: 8 }, () => songs[0]) });
  await Promise.all(Array.from({ length: 8 }, () => well('updatePlaylist', { playlistId: playlist.id, songIndexToRemove: 0, songIdToAdd: songs[1] })));
  assert.deepEqual((await well('getPlaylist', { id: playlist.id })).playlist.entry.map((/** @type {any} */ each) => each.id), Array.from({ length: 8 }, () => songs[1]));
  await well('createPlaylist', { playlistId: playlist.id, songId: [songs[2]] });
  assert.deepEqual((await well('getPlaylists')).playlists.playlist.map((/** @type {any} */ each) => [each.name, each.songCount]), [['other', 1]]);
  await well('deletePlaylist', { id: playlist.id });
  assert.equal((await rest('getPlaylist', { id: playlist.id })).error.code, 70);

  assert.deepEqual((await well('getPlayQueue')).playQueue.entry, []);
  await well('savePlayQueue', { id: [songs[0], songs[1]], current: songs[1], position: 12_345 });
  const { playQueue } = await well('getPlayQueue');
  assert.deepEqual([playQueue.current, playQueue.position, playQueue.changedBy, playQueue.entry.length], [songs[1], 12_345, 'test', 2]);
  await well('savePlayQueueByIndex', { id: [songs[0], songs[0]], currentIndex: 1, position: 5 });
  assert.equal((await well('getPlayQueueByIndex')).playQueueByIndex.currentIndex, 1);
  assert.equal((await rest('savePlayQueueByIndex', { id: songs[0], currentIndex: 4 })).status, 'failed');

  await well('createBookmark', { id: songs[0], position: 5000, comment: 'here' });
  const [bookmark] = (await well('getBookmarks')).bookmarks.bookmark;
  assert.deepEqual([bookmark.position, bookmark.comment, bookmark.entry.id], [5000, 'here', songs[0]]);
  await well('deleteBookmark', { id: songs[0] });
  assert.deepEqual((await well('getBookmarks')).bookmarks.bookmark, []);
});

test('streams: the original by ranges, others by ffmpeg', { skip: noFfmpeg }, async () => {
  const [song] = (await well('search3', { query: 'light', songCount: 1 })).searchResult3.song;
  const whole = await world.ask(`/rest/stream?u=a&p=b&id=${song.id}`);
  assert.deepEqual([whole.status, whole.body.length, whole.headers['content-type']], [200, song.size, 'audio/flac']);
  const part = await world.ask(`/rest/stream?u=a&p=b&id=${song.id}`, { headers: { range: 'bytes=100-199' } });
  assert.deepEqual([part.status, part.body.equals(whole.body.subarray(100, 200))], [206, true]);
  const mp3 = await world.ask(`/rest/stream?u=a&p=b&id=${song.id}&format=mp3&maxBitRate=64`);
  assert.deepEqual([mp3.status, mp3.headers['content-type']], [200, 'audio/mpeg']);
  assert.ok(mp3.body.length < song.size);
  const late = await world.ask(`/rest/stream?u=a&p=b&id=${song.id}&format=mp3&maxBitRate=64&timeOffset=1`);
  assert.ok(late.body.length < mp3.body.length * 0.8, `${late.body.length} of ${mp3.body.length}`);
  const download = await world.ask(`/rest/download?u=a&p=b&id=${song.id}`);
  assert.ok(download.body.equals(whole.body));
  assert.match(String(download.headers['content-disposition']), /^attachment; /);
  assert.equal((await rest('stream', { id: 'nonsense' })).error.code, 70);
  assert.deepEqual((await well('getLyricsBySongId', { id: song.id })).lyricsList.structuredLyrics?.[0].line, [{ value: 'one line' }, { value: 'another' }]);
});

test('lines of LRC have their times', () => {
  assert.deepEqual(linesOfText('[ar:x]\n[00:01.5][00:10.25]twice\n[00:02]once\n'), {
    synced: true,
    line: [{ start: 1500, value: 'twice' }, { start: 2000, value: 'once' }, { start: 10_250, value: 'twice' }],
  }); // prettier-ignore
  assert.deepEqual(linesOfText('plain\n\n'), { synced: false, line: [{ value: 'plain' }] });
});

test('pages of other origins learn and change nothing while nobody has an account', async () => {
  for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }]) {
    const answer = await world.ask('/rest/search3?query=&u=a&p=b&f=json', { headers });
    assert.equal(answer.json['subsonic-response'].error.code, 50);
  }
});

test('persons: keys in every form, roles, and what is whose', async () => {
  const { client } = world;
  const song = (await well('search3', { query: '', songCount: 1 })).searchResult3.song[0];
  await client.call('account', { action: 'create', name: 'ada', role: 'admin', password: 'a long password' });
  await client.call('account', { action: 'create', name: 'bob', role: 'read', password: 'another password' });
  const [{ secret }] = await client.call('account', { action: 'key', name: 'ada', keyName: 'phone' });
  const [{ secret: bobs }] = await client.call('account', { action: 'key', name: 'bob', keyName: 'phone' });
  const salt = 'c19b2d';
  const token = createHash('md5').update(secret + salt).digest('hex');
  const none = { u: null, p: null };
  await until(async () => (await rest('ping', none)).status === 'failed', 'the open door is shut');
  for (const shown of [{ u: 'ada', p: secret }, { u: 'ada', p: `enc:${Buffer.from(secret).toString('hex')}` }, { ...none, u: 'ada', t: token, s: salt }, { ...none, apiKey: secret }]) {
    assert.equal((await rest('ping', shown)).status, 'ok', JSON.stringify(shown));
  }
  const code = async (/** @type {any} */ shown) => (await rest('ping', shown)).error?.code;
  assert.equal(await code({ u: 'ada', p: 'a long password' }), 40); // the password itself is for the page
  assert.equal(await code({ u: 'bob', p: secret }), 40);
  assert.equal(await code({ ...none, apiKey: 'wrong' }), 44);
  assert.equal(await code({ p: null, u: 'ada', apiKey: secret }), 43);
  assert.equal(await code(none), 10);
  assert.equal((await well('getOpenSubsonicExtensions', none)).openSubsonicExtensions[0].name, 'formPost');
  assert.equal((await rest('tokenInfo', { ...none, apiKey: secret })).tokenInfo.username, 'ada');
  await well('star', { ...none, apiKey: secret, id: song.id });
  assert.equal((await well('getStarred2', { ...none, apiKey: bobs })).starred2.song.length, 0);
  assert.equal((await rest('star', { ...none, apiKey: bobs, id: song.id })).error.code, 50);
  assert.equal((await rest('getUsers', { ...none, apiKey: bobs })).error.code, 50);
  assert.equal((await well('getUsers', { ...none, apiKey: secret })).users.user.length, 2);
  const foreign = await rest('search3', { ...none, apiKey: secret, query: '' }, { headers: { origin: 'https://player.example' } });
  assert.equal(foreign.status, 'ok'); // a player in a page of its own, with its key
  const [{ keys }] = await client.call('accounts', { name: 'ada' });
  await client.call('account', { action: 'unkey', name: 'ada', id: keys[0].id });
  await until(async () => (await code({ ...none, apiKey: secret })) === 44, 'a key that is taken away is nobody’s');
  let status = 200;
  for (let attempt = 0; attempt < 40 && status !== 429; attempt += 1) ({ status } = await world.ask(`/rest/ping?f=json&apiKey=guess${attempt}`));
  assert.equal(status, 429);
  assert.ok(!world.output.includes(secret));
});
