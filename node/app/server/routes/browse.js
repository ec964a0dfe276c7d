/** The library as persons walk through it: artists, albums, genres, folders, dates, places. */
import { HttpError } from '../errors.js';
import { cursorText, filled, itemJson, LIST_FIELDS, secondsOrNull } from '../map.js';
import { byId, cursorOf, FLAG, ID, isSet, object, PAGE, Q, text } from '../schema.js';
import { asked } from './library.js';

/** @import { FastifyInstance } from 'fastify' */
/** @import { App } from '../types.js' */

const tags = ['library'];
const YEAR = { type: 'integer', minimum: 0, maximum: 9999 };
const PLACES = 500;
const BUCKETS = 10_000; // as many as a facet has: 27 years of days

export const artistJson = (/** @type {any} */ each) => filled({
  id: each.id, name: each.name, sort_name: each.sortName, albums: each.albums, songs: each.songs, starred: each.starredAtNs ? true : null,
  starred_at: secondsOrNull(each.starredAtNs), rating: each.rating || null, musicbrainz_id: each.musicbrainzId,
}); // prettier-ignore
export const albumJson = (/** @type {any} */ each) => filled({
  id: each.id, name: each.name, artist: each.artist, artist_id: each.artistId, songs: each.songs, duration: each.duration, year: each.year || null,
  genres: each.genres, created_at: secondsOrNull(each.createdAtNs), cover: each.cover, starred: each.starredAtNs ? true : null,
  starred_at: secondsOrNull(each.starredAtNs), rating: each.rating || null, plays: each.plays || null, played_at: secondsOrNull(each.playedAtNs),
  compilation: each.compilation || null, musicbrainz_id: each.musicbrainzId,
  artists: each.artistIds.map((/** @type {string} */ id, /** @type {number} */ place) => ({ id, name: each.artistNames[place] })),
}); // prettier-ignore
const folderJson = (/** @type {any} */ each) => filled({
  id: each.id, parent: each.parent || null, name: each.name, files: each.files, folders: each.folders, mtime: secondsOrNull(each.mtimeNs),
}); // prettier-ignore

/** @param {FastifyInstance} routes @param {App} app */
export function browseRoutes(routes, { library, lists }) {
  const { client } = library;
  /** @param {Record<string, any>} request @param {any} options @returns {Promise<any>} */
  async function browse(request, options) {
    const replies = await client.call('browse', request, { deadlineMs: client.deadlineMs, ...options });
    const last = replies.at(-1);
    for (const name of ['artists', 'albums', 'genres', 'folders', 'items']) last[name] = replies.flatMap((each) => each[name]);
    return last;
  }

  /** @type {Record<string, (each: any) => any>} */
  const LISTS = { artists: artistJson, albums: albumJson, genres: ({ name, songs, albums }) => ({ name, songs, albums }) };
  for (const [what, describe] of Object.entries(LISTS)) {
    routes.get(`/${what}`, {
      schema: {
        tags, summary: `${what} of the library, or of what a question finds`,
        querystring: object({
          q: Q, sort: text(40), ...PAGE, prefix: text(200),
          ...(what === 'albums' ? { artist: ID, genre: text(200), year_from: YEAR, year_to: YEAR } : {}),
          ...(what === 'artists' ? { all: FLAG } : {}), ...(what === 'genres' ? {} : { starred: FLAG }),
        }),
      },
      config: { role: 'read' },
    }, (request) => lists.run(async () => {
      const { q = '', sort = '', limit, cursor, prefix = '', artist, genre = '', year_from = 0, year_to = 0, starred, all } = /** @type {any} */ (request.query);
      const found = await browse({
        what, query: q, sort, limit, cursor: cursorOf(cursor), prefix, artist, genre, yearFrom: year_from, yearTo: year_to, starred: isSet(starred), allArtists: isSet(all),
      }, asked(request));
      return { [what]: found[what].map(describe), next: cursorText(found.cursor) };
    })); // prettier-ignore
  }

  routes.get('/artist/:id', { schema: { tags, summary: 'an artist and its albums', params: byId() }, config: { role: 'read' } }, async (request) => {
    const { id } = /** @type {any} */ (request.params);
    const [{ artists: [artist] }, { albums }] = await Promise.all([
      browse({ what: 'artists', id }, asked(request)),
      browse({ what: 'albums', artist: id, sort: 'year' }, asked(request)),
    ]); // prettier-ignore
    if (!artist) throw new HttpError('not_found', 'no artist of this id', { input: id });
    return { ...artistJson(artist), album_count: artist.albums, albums: albums.map(albumJson) };
  });

  routes.get('/album/:id', { schema: { tags, summary: 'an album and its songs', params: byId() }, config: { role: 'read' } }, async (request) => {
    const { id } = /** @type {any} */ (request.params);
    const { albums: [album] } = await browse({ what: 'albums', id }, asked(request)); // prettier-ignore
    if (!album) throw new HttpError('not_found', 'no album of this id', { input: id });
    const songs = [];
    for await (const item of client.query(`id:${id} kind:audio sort:album`, { columns: LIST_FIELDS, limit: 2000, ...asked(request) })) songs.push(itemJson(item, { fields: true }));
    return { ...albumJson(album), song_count: album.songs, songs };
  });

  for (const where of ['/folders', '/folders/:id']) {
    routes.get(where, {
      schema: { tags, summary: 'a folder: those in it, and its items', querystring: object({ ...PAGE, fields: FLAG }), ...(where.endsWith('id') ? { params: byId('number') } : {}) },
      config: { role: 'read' },
    }, (request) => lists.run(async () => {
      const { limit, cursor } = /** @type {any} */ (request.query);
      const { id = 0 } = /** @type {any} */ (request.params ?? {});
      const found = await browse({ what: 'folders', folder: id, items: id !== 0, limit, cursor: cursorOf(cursor) }, asked(request));
      if (id !== 0 && !found.folder) throw new HttpError('not_found', 'no folder of this number', { input: String(id) });
      return {
        folder: found.folder && folderJson(found.folder), above: found.above.map(folderJson), folders: found.folders.map(folderJson),
        items: found.items.map((/** @type {any} */ item) => itemJson(item)), next: cursorText(found.cursor),
      };
    })); // prettier-ignore
  }

  routes.get('/timeline', {
    schema: { tags, summary: 'how many items each year, month or day has, newest first', querystring: object({ q: Q, unit: { type: 'string', enum: ['year', 'month', 'day'], default: 'month' } }) },
    config: { role: 'read' },
  }, (request) => lists.run(async () => {
    const { q = '', unit } = /** @type {any} */ (request.query);
    const [[facet], all] = await Promise.all([client.facets(q, [unit], { limit: BUCKETS, ...asked(request) }), client.count(q, asked(request))]);
    const buckets = (facet?.values ?? []).map(({ value, items }) => ({ date: value, count: items }));
    const dated = buckets.reduce((sum, { count }) => sum + count, 0);
    buckets.sort((a, z) => (a.date < z.date ? 1 : -1));
    // With more dates than are told, how many have none is not known.
    return { buckets, undated: facet?.more ? null : Math.max(0, all - dated), more: facet?.more ?? false };
  })); // prettier-ignore

  routes.get('/places', { schema: { tags, summary: 'where pictures and films were taken', querystring: object({ q: Q }) }, config: { role: 'read' } }, (request) => lists.run(async () => {
    const { q = '' } = /** @type {any} */ (request.query);
    const [facet] = await client.facets(q, ['places'], { limit: PLACES, ...asked(request) });
    const places = await Promise.all((facet?.values ?? []).map(async ({ value, items: count }) => {
      const [country, state, city] = JSON.parse(value);
      // `state` asks for what the library has of a file; the field is asked as `province` (docs/query.md)
      const named = Object.entries({ country, province: state, city }).filter(([, each]) => each !== null);
      const question = [...named.map(([field, each]) => `${field}=${quoted(each)}`), ...(q.trim() ? [`(${q})`] : [])].join(' ');
      const { items: [cover] } = await client.queryPage(question, { limit: 1, columns: ['latitude', 'longitude'], ...asked(request) }); // prettier-ignore
      const { latitude, longitude } = /** @type {any} */ (cover?.files[0])?.fields ?? {};
      return filled({ country, state, city, count, cover: cover?.id, latitude, longitude, q: question });
    })); // prettier-ignore
    return { places };
  })); // prettier-ignore
}

/** A value as a question has it, whole. @param {string} value */
export const quoted = (value) => `"${value.replace(/["\\]/g, ' ')}"`;
