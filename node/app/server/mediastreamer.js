/**
 * What MediaStreamer's page asks of its server, on an address of its own: albums, songs, streams, and the duel of two
 * albums (Elo, K = 32, from 1000). It knows no persons: a loopback address only, off by default.
 */
import { createHash } from 'node:crypto';
import fastify from 'fastify';
import { albumJson } from './routes/browse.js';
import { describeError, HttpError } from './errors.js';
import { headersOf } from './files.js';
import { isAllowedHost } from './guard.js';
import { itemJson, LIST_FIELDS } from './map.js';
import { sendFile } from './range.js';
import { object } from './schema.js';

/** @import { FastifyInstance } from 'fastify' */
/** @import { App } from './types.js' */

const START = 1000;
const K = 32;
const ART_SIZE = 320;
const ARTS = 4;
const NUMBER = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
const FIELD = 'elo';

/** Its ids are numbers. These have 48 bits of a digest: stable, and equal for two of a million once in 500 libraries. @param {string} id */
const numberOf = (id) => createHash('sha256').update(id).digest().readUIntBE(0, 6);

/** @param {number} own @param {number} other @param {0 | 1} won @returns {number} */
export const elo = (own, other, won) => own + K * (won - 1 / (1 + 10 ** ((other - own) / 400)));

/**
 * @param {App} app
 * @returns {FastifyInstance}
 */
export function buildMediaStreamer({ config, library, files, previews, server: main }) {
  const { client } = library;
  const { origin } = config.mediastreamer;
  const server = fastify({ loggerInstance: main.log, bodyLimit: 4096, http: { headersTimeout: 15_000, connectionsCheckingInterval: 5000 }, requestTimeout: 30_000, forceCloseConnections: true });
  /** Ids by their numbers: filled when one is asked for that is not known. @type {{ albums: Map<number, string>, songs: Map<number, string> }} */
  const ids = { albums: new Map(), songs: new Map() };

  server.setErrorHandler((error, request, reply) => {
    const { status, headers, body, fault } = describeError(error);
    if (fault) request.log.error(error);
    if (reply.raw.headersSent) return reply.raw.destroy();
    return reply.code(status).headers(headers).send({ detail: body.error.message, ...body });
  });
  server.addHook('onRequest', async (request, reply) => {
    if (!isAllowedHost(request.headers.host, [])) throw new HttpError('misdirected', 'this server is not known by that name', { input: request.headers.host });
    const { origin: from } = request.headers;
    reply.header('vary', 'origin').header('x-content-type-options', 'nosniff');
    if (from === undefined) return;
    if (from !== origin && from !== `http://${request.headers.host}`) throw new HttpError('permission_denied', 'pages of this origin are not let in: mediastreamer.origin in mediadb-app.toml', { input: from });
    reply.header('access-control-allow-origin', from).header('access-control-expose-headers', 'content-range, accept-ranges, content-length');
  });
  server.options('/*', (_request, reply) => reply.code(204).header('access-control-allow-methods', 'GET, HEAD, POST').header('access-control-allow-headers', 'content-type, range').send());

  /** All albums in the order of their names. */
  async function albums() {
    const found = [];
    let cursor;
    do {
      /** @type {any[]} */
      const replies = await client.call('browse', { what: 'albums', sort: 'name', limit: 1000, ...(cursor ? { cursor } : {}) });
      for (const { albums: some } of replies) found.push(...some);
      cursor = replies.at(-1).cursor.length ? replies.at(-1).cursor : null;
    } while (cursor);
    ids.albums = new Map(found.map(({ id }) => [numberOf(id), id]));
    return found;
  }
  /** @param {number} number */
  async function album(number) {
    if (!ids.albums.has(number)) await albums();
    const id = ids.albums.get(number);
    const found = id === undefined ? null : (await client.call('browse', { what: 'albums', id })).at(-1).albums[0];
    if (!found) throw new HttpError('not_found', 'no album of this id', { input: String(number) });
    return found;
  }
  /** @param {number} number @returns {Promise<string>} */
  async function song(number) {
    if (!ids.songs.has(number)) for await (const { id } of client.query('kind:audio', { bare: true })) ids.songs.set(numberOf(id), id);
    const id = ids.songs.get(number);
    if (id === undefined) throw new HttpError('not_found', 'no song of this id', { input: String(number) });
    return id;
  }

  /** An album's picture as its page takes it. @param {string | null} cover @returns {Promise<string | null>} */
  async function art(cover) {
    if (!cover) return null;
    try {
      const { data, mimeType } = await previews.run(() => client.preview(cover, ART_SIZE));
      return `data:${mimeType};base64,${data.toString('base64')}`;
    } catch (error) {
      if (['not_found', 'corrupt', 'poison'].includes(/** @type {any} */ (error).code)) return null; // one damaged picture is not the list's end
      throw error;
    }
  }

  /** Of many a few at a time: more than may wait for previews would be refused, and nobody else would get one. @param {any[]} some */
  async function arts(some) {
    const found = [];
    for (let at = 0; at < some.length; at += ARTS) found.push(...(await Promise.all(some.slice(at, at + ARTS).map(({ cover }) => art(cover)))));
    return found;
  }

  /** What albums are worth: their songs say it, each the same. @param {any[]} some @returns {Promise<number[]>} */
  async function ratings(some) {
    const found = [];
    for (let at = 0; at < some.length; at += 200) {
      const page = some.slice(at, at + 200).map(({ cover }) => cover);
      for (const { item } of await client.get(page, { light: true })) {
        const value = Number(/** @type {any} */ (item)?.work?.[FIELD] ?? START);
        found.push(Number.isFinite(value) ? value : START);
      }
    }
    return found;
  }

  const songJson = (/** @type {any} */ item) => {
    const { id, title, name, artist = null, album: of = null, duration = null, track = null } = itemJson(item, { fields: true });
    const number = numberOf(id);
    ids.songs.set(number, id);
    return { id: number, title: title ?? name, artist, album: of, track_number: track, duration };
  };
  const byId = { schema: { params: object({ id: NUMBER }, ['id']) } };

  server.get('/albums', async () => {
    const all = await albums();
    const [values, pictures] = await Promise.all([ratings(all), arts(all)]);
    return all.map((each, place) => ({ key: numberOf(each.id), name: each.name, art: pictures[place], artist: each.artist || null, rating: values[place] }));
  });
  server.get('/album/:id', byId, async (request) => {
    const { id } = /** @type {any} */ (request.params);
    const found = await album(id);
    const tracks = [];
    for await (const item of client.query(`id:${found.id} kind:audio sort:album`, { columns: LIST_FIELDS })) tracks.push(songJson(item));
    const { artists = [] } = albumJson(found);
    return {
      album_id: id, album_name: found.name, album_art: await art(found.cover), album_artists: artists.map((/** @type {any} */ { name }) => name).join(', ') || found.artist,
      tracks: tracks.map(({ id: number, track_number, title, artist }) => ({ id: number, track_number, title, artist })),
    };
  }); // prettier-ignore
  server.route({
    method: ['GET', 'HEAD'], url: '/stream/:id', ...byId,
    handler: async (request, reply) => {
      const opened = await files.open(await files.record(await song(/** @type {any} */ (request.params).id), { actor: '' }));
      reply.hijack();
      await sendFile(request.raw, reply.raw, { ...opened, headers: { .../** @type {any} */ (reply.getHeaders()), ...headersOf(opened) } });
      return reply;
    },
  }); // prettier-ignore
  server.get('/songs', async () => {
    const found = [];
    for await (const item of client.query('kind:audio sort:album', { columns: LIST_FIELDS })) found.push(songJson(item));
    return found;
  });
  server.get('/songs/:id', byId, async (request) => {
    const [{ item, problem }] = await client.get(await song(/** @type {any} */ (request.params).id));
    if (problem) throw problem;
    return songJson(item);
  });

  const two = async (/** @type {number} */ count) => {
    const [{ albums: found }] = await client.call('browse', { what: 'albums', sort: 'random', limit: count });
    if (found.length < count) throw new HttpError('not_found', `there are not ${count} albums`);
    for (const { id } of found) ids.albums.set(numberOf(id), id);
    return found;
  };
  server.get('/random_album', async () => ({ album_id: numberOf((await two(1))[0].id) }));
  server.get('/compare_albums', async () => {
    const both = await two(2);
    const values = await ratings(both);
    return { albums: await Promise.all(both.map(async (/** @type {any} */ { id, name, cover }, /** @type {number} */ place) => ({ id: numberOf(id), name, art: await art(cover), rating: values[place] }))) };
  });
  server.post('/update_rating', { schema: { body: object({ winner_id: NUMBER, loser_id: NUMBER }, ['winner_id', 'loser_id']) } }, async (request) => {
    const { winner_id, loser_id } = /** @type {any} */ (request.body);
    if (winner_id === loser_id) throw new HttpError('invalid_argument', 'an album does not win over itself', { input: String(winner_id) });
    const both = [await album(winner_id), await album(loser_id)];
    const [winner, loser] = await ratings(both);
    const next = [elo(winner, loser, 1), elo(loser, winner, 0)];
    for (const [place, { id }] of both.entries()) await client.set(undefined, { [FIELD]: next[place].toFixed(3) }, { query: `id:${id} kind:audio` });
    return { message: 'Ratings updated', winner_new_elo: next[0], loser_new_elo: next[1] };
  });
  return server;
}
