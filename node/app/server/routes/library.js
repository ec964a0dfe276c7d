/** Questions and items. */
import { setTimeout as sleep } from 'node:timers/promises';
import { mayDo } from '../auth.js';
import { HttpError } from '../errors.js';
import { cursorText, itemJson, LIST_FIELDS, plainJson, recordJson } from '../map.js';
import { byKind, cursorOf, FLAG, ID, isSet, KIND_PATH, KINDS, list, names, NUMBER, object, PAGE, Q, text } from '../schema.js';
import { written } from '../range.js';

/** @import { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify' */
/** @import { App } from '../types.js' */

const IDS_BYTES = 16;
const tags = ['library'];

/** @param {FastifyRequest} request */
export const asked = (request) => ({ actor: request.person.name, signal: request.gone });

/** @param {FastifyInstance} routes @param {App} app */
export function libraryRoutes(routes, { library, lists, files, feed, auth, version }) {
  const { client } = library;
  const SEARCH = object({
    q: Q, '': { ...Q, description: 'the question, as in /audio/?=lady%20gaga' }, kind: { type: 'string', enum: KINDS }, ...PAGE, sort: text(200, 'keys as of `sort:`, with commas'),
    fields: FLAG, count: FLAG, facets: text(400, 'names of fields, with commas'),
  }); // prettier-ignore

  /** @param {FastifyRequest} request @param {string} [kind] */
  const search = (request, kind) => lists.run(async () => {
    const asks = /** @type {any} */ (request.query);
    const only = kind ?? asks.kind;
    const words = asks.q ?? asks[''] ?? '';
    const question = only && only !== 'file' ? `kind:${only}${words.trim() === '' ? '' : ` (${words})`}` : words;
    const shift = question.length - words.length - (question === words ? 0 : 1);
    const fields = isSet(asks.fields);
    try {
      const facets = names(asks.facets);
      const [page, count, counted] = await Promise.all([
        client.queryPage(question, { limit: asks.limit, cursor: cursorOf(asks.cursor), columns: fields ? LIST_FIELDS : [], sort: names(asks.sort), ...asked(request) }),
        isSet(asks.count) ? client.count(question, asked(request)) : undefined,
        facets.length ? client.facets(question, facets, asked(request)) : undefined,
      ]);
      return {
        items: page.items.map((item) => itemJson(item, { fields })),
        next: cursorText(page.cursor),
        ...(count === undefined ? {} : { count }),
        ...(counted === undefined ? {} : { facets: facetsJson(counted) }),
      };
    } catch (error) {
      throw shiftError(error, shift, words);
    }
  });

  routes.get('/search', { schema: { tags, summary: 'items that a question finds', querystring: SEARCH }, config: { role: 'read' } }, (request) => search(request));
  for (const kind of KINDS) {
    routes.get(`/${kind}`, { schema: { tags, summary: `the same, of the kind ${kind}`, querystring: SEARCH }, config: { role: 'read' } }, (request) => search(request, kind));
  }

  routes.get(KIND_PATH, { schema: { tags, summary: 'everything known of an item', params: byKind }, config: { role: 'read' } }, async (request) => {
    const { id, kind } = /** @type {any} */ (request.params);
    return recordJson(await files.record(id, { kind, ...asked(request) }));
  });

  routes.post('/items', {
    schema: { tags, summary: 'items by their ids, in order', body: object({ ids: list(ID, 200), fields: { type: 'boolean' } }, ['ids']) },
    config: { role: 'read' },
  }, (request) => lists.run(async () => {
    const { ids, fields = false } = /** @type {any} */ (request.body);
    if (ids.length === 0) return { items: [] };
    const found = await client.get(ids, { light: !fields, ...asked(request) });
    return { items: found.map(({ item, problem }) => {
      if (problem && problem.code !== 'not_found') throw problem;
      return item ? itemJson(item, { fields }) : null;
    }) };
  })); // prettier-ignore

  routes.get('/ids', {
    schema: { tags, summary: 'the ids of all that match, 16 bytes each, in order', querystring: object({ q: Q, sort: text(200) }) },
    config: { role: 'read', content: ['application/octet-stream'] },
  }, async (request, reply) => {
    const { q = '', sort } = /** @type {any} */ (request.query);
    const replies = client.stream('query', { text: q, bare: true, sort: names(sort) }, asked(request));
    const leave = await lists.enter();
    try {
      // A question that is none is an error of its own, before the head is sent.
      let next = await replies.next();
      reply.hijack();
      reply.raw.writeHead(200, { ...heads(reply), 'content-type': 'application/octet-stream', 'cache-control': 'no-store' });
      while (!next.done) {
        const { items } = next.value;
        const bytes = Buffer.allocUnsafe(items.length * IDS_BYTES);
        items.forEach((/** @type {{ id: string }} */ { id }, /** @type {number} */ place) => bytes.write(id.replaceAll('-', ''), place * IDS_BYTES, 'hex'));
        if (bytes.length > 0 && !(await written(reply.raw, bytes))) break;
        next = await replies.next();
      }
      reply.raw.end();
    } catch (error) {
      if (!reply.raw.headersSent) throw error;
      // A list that ends too early must not look like a whole one.
      reply.raw.destroy();
    } finally {
      leave();
      await replies.return();
    }
    return reply;
  }); // prettier-ignore

  routes.get('/complete', {
    schema: { tags, summary: 'what may stand at a place of a question', querystring: object({ q: Q, at: { ...NUMBER, description: 'in code points; default: the end' }, limit: { type: 'integer', minimum: 1, maximum: 100 } }) },
    config: { role: 'read' },
  }, async (request) => {
    const { q = '', at, limit } = /** @type {any} */ (request.query);
    return { suggestions: await client.complete(q, { ...(at === undefined ? {} : { cursor: at }), ...(limit ? { limit } : {}), ...asked(request) }) };
  }); // prettier-ignore

  routes.get('/explain', { schema: { tags, summary: 'how a question is understood and answered', querystring: object({ q: Q }) }, config: { role: 'read' } }, (request) => lists.run(async () => {
    const { tree, sql, parameters, plan, share } = await client.explain(/** @type {any} */ (request.query).q ?? '', asked(request));
    return { tree, sql, parameters, plan, share };
  })); // prettier-ignore

  routes.get('/facets', {
    schema: { tags, summary: 'how often values of fields are among what matches', querystring: object({ q: Q, fields: text(400), limit: { type: 'integer', minimum: 1, maximum: 1000, default: 50 } }, ['fields']) },
    config: { role: 'read' },
  }, (request) => lists.run(async () => {
    const { q = '', fields, limit } = /** @type {any} */ (request.query);
    return { facets: facetsJson(await client.facets(q, names(fields), { limit, ...asked(request) })) };
  })); // prettier-ignore

  routes.get('/events', { schema: { tags: ['service'], summary: 'live changes (Server-Sent Events); Last-Event-ID goes on' }, config: { role: 'read', content: ['text/event-stream'] } }, async (request, reply) => {
    if (feed.isFull) throw new HttpError('limit_exceeded', 'too many pages listen', { status: 429, retryAfter: 30 });
    const given = request.headers['last-event-id'] ?? /** @type {any} */ (request.query).last_event_id;
    reply.hijack();
    reply.raw.writeHead(200, { ...heads(reply), 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' });
    await feed.attach(reply.raw, { actor: request.person.name, all: mayDo(request.person.role, 'admin'), lastEventId: typeof given === 'string' ? given : undefined });
    // A session that ended elsewhere does not go on listening for ever.
    while (!request.gone.aborted && !reply.raw.destroyed) {
      await sleep(60_000, undefined, { ref: false, signal: request.gone }).catch(() => {});
      if (request.gone.aborted) break;
      const person = await auth.person(request).catch(() => request.person);
      if (person === null) reply.raw.end();
    }
    return reply;
  });

  routes.get('/status', { schema: { tags: ['service'], summary: 'how the daemon is' }, config: { role: 'read' } }, async (request) => ({ ...plainJson(await client.status(asked(request))), host: undefined, connected: true }));
  routes.get('/handlers', { schema: { tags: ['service'], summary: 'what reads which files' }, config: { role: 'read' } }, async (request) => ({ handlers: plainJson(await client.handlers(asked(request))) }));
  routes.get('/healthz', { schema: { tags: ['service'], summary: 'whether server and daemon are there' }, config: { role: null } }, async (_request, reply) => {
    try {
      await client.ping(undefined, { deadlineMs: 2000 });
      return { server: 'ok', daemon: 'ok', version };
    } catch (error) {
      return reply.code(503).header('retry-after', 2).send({ server: 'ok', daemon: /** @type {any} */ (error).code ?? 'internal', version });
    }
  });
  routes.get('/docs', { schema: { hide: true }, config: { role: null } }, async (_request, reply) => reply.redirect('/#/docs')); // the page shows it
  routes.get('/openapi.json', { schema: { tags: ['service'], summary: 'this description' }, config: { role: null } }, async () => routes.swagger());
}

/** Headers that were set before a reply was taken over. @param {FastifyReply} reply @returns {any} */
export const heads = (reply) => reply.getHeaders();

/** @param {{ field: string, values: { value: string, items: number }[] }[]} facets */
export function facetsJson(facets) {
  return Object.fromEntries(facets.map(({ field, values }) => [field, values.map(({ value, items }) => ({ value, count: items }))]));
}

/** A place in a question is told as in the text that was given, not in what was put before it. @param {any} error @param {number} shift @param {string} words */
function shiftError(error, shift, words) {
  if (error?.code !== 'query_syntax' || shift <= 0) return error;
  return new HttpError('query_syntax', error.message, { input: words, position: Math.max(0, error.position - shift) });
}

