/** Collections, playlists and saved questions. */
import { HttpError } from '../errors.js';
import { disposition } from '../mime.js';
import { itemJson, seconds } from '../map.js';
import { byId, ID, IDS, list, object, PAGE, Q, text } from '../schema.js';
import { asked } from './library.js';
import { changing } from './work.js';

/** @import { FastifyInstance, FastifyRequest } from 'fastify' */
/** @import { App } from '../types.js' */

const tags = ['work'];
const KIND = { type: 'string', enum: ['collection', 'playlist'] };
const NAME = { ...text(300), minLength: 1 };
const PLACE = { type: 'integer', minimum: -1, maximum: 1_000_000 };

/** @param {any} collection */
const describe = ({ id, kind, name, size, query, createdAtNs, actor }) => ({
  id, kind, name, size, query: query || null, created_at: seconds(createdAtNs), ...(actor ? { actor } : {}),
}); // prettier-ignore

/** @param {FastifyInstance} routes @param {App} app */
export function collectionRoutes(routes, { library, lists }) {
  const { client } = library;
  const b = (/** @type {FastifyRequest} */ request) => /** @type {any} */ (request.body);

  /** The list of an id, by which the daemon's commands do not ask. @param {FastifyRequest} request @param {string} [id] */
  async function find(request, id = /** @type {any} */ (request.params).id.toLowerCase()) {
    const found = (await client.collections(asked(request))).find((each) => each.id === id);
    if (!found) throw new HttpError('not_found', 'no collection of this id', { input: id });
    return found;
  }

  /** @param {FastifyRequest} request @param {{ name: string, kind: string, query?: string }} which @returns {Promise<string[]>} */
  async function entries(request, { name, kind }) {
    const [found] = await client.collections({ name, kind, entries: true, ...asked(request) });
    return found?.entries ?? [];
  }

  routes.get('/collections', { schema: { tags, summary: 'all lists', querystring: object({ kind: KIND }) }, config: { role: 'read' } }, async (request) => {
    const { kind = '' } = /** @type {any} */ (request.query);
    return { collections: (await client.collections({ kind, ...asked(request) })).map(describe) };
  });

  routes.get('/collections/:id', { schema: { tags, summary: 'a list, and a page of its items', params: byId(), querystring: object(PAGE) }, config: { role: 'read' } }, (request) => lists.run(async () => {
    const { limit, cursor } = /** @type {any} */ (request.query);
    const found = await find(request);
    if (found.query) {
      const page = await client.queryPage(found.query, { limit, cursor: cursor ? Buffer.from(cursor, 'base64url') : undefined, ...asked(request) });
      return { ...describe(found), items: page.items.map((item) => itemJson(item)), next: page.cursor?.toString('base64url') ?? null };
    }
    const ids = await entries(request, found);
    const from = cursor ? Number(Buffer.from(cursor, 'base64url').toString()) : 0;
    if (!Number.isSafeInteger(from) || from < 0) throw new HttpError('stale_cursor', 'this is no cursor of a list', { input: cursor });
    const some = ids.slice(from, from + limit);
    const got = some.length ? await client.get(some, { light: true, ...asked(request) }) : [];
    // An entry keeps its place though its item is gone: places are what remove and move name.
    const items = got.map(({ item, problem }, place) => (item ? itemJson(item) : { id: some[place], missing: true, problem: problem?.code }));
    const next = from + some.length < ids.length ? Buffer.from(String(from + some.length)).toString('base64url') : null;
    return { ...describe(found), items, next };
  })); // prettier-ignore

  routes.post('/collections', {
    schema: { tags, summary: 'a list more; with query a smart one', body: object({ kind: KIND, name: NAME, ids: IDS, query: Q }, ['name']) },
    config: { role: 'write', status: 201 },
  }, async (request, reply) => {
    const { kind = 'collection', name, ids = [], query } = b(request);
    if (query !== undefined && ids.length > 0) throw new HttpError('invalid_argument', 'one of ids and query: a list has items of its own, or is a question');
    const there = await client.collections({ kind, ...asked(request) });
    if (there.some((each) => each.name === name)) throw new HttpError('already_exists', `there is a ${kind} of this name`, { input: name });
    const how = query === undefined ? { targets: ids } : { query };
    const { collection } = await client.collect(name, query === undefined ? 'add' : 'save', { kind, ...how, ...changing(request) });
    return reply.code(201).send(describe(collection));
  }); // prettier-ignore

  routes.patch('/collections/:id', {
    schema: {
      tags, summary: 'one change of a list', params: byId(),
      body: object({ add: IDS, at: PLACE, remove: PLACE, move: { ...list(PLACE), minItems: 2, maxItems: 2 }, set: IDS, name: NAME, query: Q }),
    },
    config: { role: 'write' },
  }, async (request) => {
    const { add, at = -1, remove, move, set, name, query } = b(request);
    const found = await find(request);
    const how = { kind: /** @type {'collection' | 'playlist'} */ (found.kind), ...changing(request) };
    if ([add, remove, move, set, name, query].filter((each) => each !== undefined).length !== 1) throw new HttpError('invalid_argument', 'one of add, remove, move, set, name, query is needed');
    if (found.query && (add || move || set || remove !== undefined)) throw new HttpError('conflict', 'this list is a question: it has no places of its own', { input: found.name });
    const collect = (/** @type {any} */ action, /** @type {any} */ more) => client.collect(found.name, action, { ...how, ...more });
    const { collection, problems } = await (add ? collect('add', { targets: add, place: at })
      : remove !== undefined ? collect('remove', { place: remove })
      : move ? collect('move', { place: move[0], to: move[1] })
      : set ? collect('set', { targets: set })
      : name !== undefined ? collect('rename', { newName: name })
      : collect('save', { query })); // prettier-ignore
    return { ...describe(collection ?? (await find(request))), problems: problems.map(({ code, message }) => ({ code, message })) };
  }); // prettier-ignore

  routes.delete('/collections/:id', { schema: { tags, summary: 'a list less', params: byId() }, config: { role: 'write' } }, async (request) => {
    const { name, kind } = await find(request);
    await client.collect(name, 'delete', { kind: /** @type {any} */ (kind), ...changing(request) });
    return {};
  });

  routes.get('/playlists/:file', {
    schema: { tags, summary: 'an M3U of stream addresses: ID.m3u8', params: object({ file: { type: 'string', pattern: `^${ID.pattern.slice(1, -1)}(\\.m3u8)?$` } }, ['file']) },
    config: { role: 'read', content: ['application/vnd.apple.mpegurl'] },
  }, async (request, reply) => {
    const found = await find(request, /** @type {any} */ (request.params).file.slice(0, 36).toLowerCase());
    const base = `${request.protocol}://${request.headers.host}`;
    const lines = ['#EXTM3U', `#PLAYLIST:${line(found.name)}`];
    const ids = await entries(request, found);
    const some = found.query ? client.query(found.query, { limit: 10_000, ...asked(request) }) : inOrder(ids);
    for await (const item of some) {
      lines.push(`#EXTINF:${Math.round(item.duration) || -1},${line([item.artist, item.title || itemJson(item).name].filter(Boolean).join(' - '))}`, `${base}/file/${item.id}/stream`);
    }
    return reply.type('application/vnd.apple.mpegurl; charset=utf-8').header('content-disposition', disposition('attachment', `${found.name}.m3u8`)).send(`${lines.join('\n')}\n`);

    /** @param {string[]} ids */
    async function* inOrder(ids) {
      for (let at = 0; at < ids.length; at += 200) {
        for (const { item } of await client.get(ids.slice(at, at + 200), { light: true, ...asked(request) })) if (item) yield item;
      }
    }
  }); // prettier-ignore
}

/** @param {string} text on a line of its own */
const line = (text) => text.replace(/[\r\n]+/g, ' ');
