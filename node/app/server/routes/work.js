/** What a person makes of items: tags, ratings, stars, plays, fields, bookmarks; and taking it back. */
import { mayDo } from '../auth.js';
import { HttpError } from '../errors.js';
import { plainJson, seconds } from '../map.js';
import { byId, byKind, ID, KIND_PATH, list, MEANT, NUMBER, object, text } from '../schema.js';
import { asked } from './library.js';
import { operationOf } from './session.js';

/** @import { FastifyInstance, FastifyRequest } from 'fastify' */
/** @import { App } from '../types.js' */

const tags = ['work'];
const OPERATIONS = 1000; // of a person, among which one to be taken back is looked for
const TAGS = list(text(500), 1000);
const RATING = { type: 'number', minimum: 0, maximum: 5, description: '0 takes it away' };
const SET = { type: 'object', additionalProperties: { type: ['string', 'null'], maxLength: 65536 }, propertyNames: { pattern: '^[a-z][a-z0-9_]{0,63}$' }, description: 'fields of any name; null takes one away' };

/** Seconds as nanoseconds. @param {number} at */
export const nanoseconds = (at) => BigInt(Math.round(at * 1e6)) * 1000n;

/** Options of a call that changes something. @param {FastifyRequest} request */
export const changing = (request) => ({ actor: request.person.name, operation: operationOf(request) });

/** @param {any} body what has `ids` or `q` @returns {{ targets: { id: string }[], query?: string }} */
export function meant({ ids, q }) {
  if ((ids === undefined) === (q === undefined)) throw new HttpError('invalid_argument', 'one of ids and q is needed');
  return ids === undefined ? { targets: [], query: q } : { targets: ids.map((/** @type {string} */ id) => ({ id })) };
}

/** @param {Record<string, string | null>} fields */
const setting = (fields) => Object.entries(fields).map(([name, value]) => (value === null ? { action: 'unset', name } : { action: 'set', name, value }));
/** @param {number} rating */
const rating = (rating) => (rating === 0 ? { action: 'unrate' } : { action: 'rate', number: rating });

/** @param {FastifyInstance} routes @param {App} app */
export function workRoutes(routes, { library, files }) {
  const { client } = library;

  /** @param {FastifyRequest} request @param {{ targets: any[], query?: string }} what @param {any[]} actions */
  async function work(request, what, actions) {
    const options = changing(request);
    const operation = options.operation ?? crypto.randomUUID();
    const reply = (await client.call('work', { ...what, actions }, { ...options, operation })).at(-1);
    return { items: reply.items, events: reply.events, problems: reply.problems.map(plainJson), operation };
  }

  /** Does it to the item of the address. @param {FastifyRequest} request @param {any[]} actions */
  async function one(request, actions) {
    const { id, kind } = /** @type {any} */ (request.params);
    if (kind !== 'file') await files.record(id, { kind, ...asked(request) });
    const done = await work(request, { targets: [{ id }] }, actions);
    if (done.problems.length > 0) throw new HttpError(done.problems[0].code, done.problems[0].message, { input: id });
    return done;
  }
  /** @param {string} summary @param {any} [body] */
  const ofItem = (summary, body) => ({ schema: { tags, summary, params: byKind, ...(body ? { body } : {}) }, config: { role: /** @type {const} */ ('write') } });
  const b = (/** @type {FastifyRequest} */ request) => /** @type {any} */ (request.body);

  routes.patch(`${KIND_PATH}/tags`, ofItem('tags added and removed', object({ add: TAGS, remove: TAGS })), (request) => {
    const { add = [], remove = [] } = b(request);
    return one(request, [...add.map((/** @type {string} */ name) => ({ action: 'tag', name })), ...remove.map((/** @type {string} */ name) => ({ action: 'untag', name }))]);
  });
  routes.put(`${KIND_PATH}/rating`, ofItem("the person's rating", object({ rating: RATING }, ['rating'])), (request) => one(request, [rating(b(request).rating)]));
  routes.put(`${KIND_PATH}/star`, ofItem('a star'), (request) => one(request, [{ action: 'star' }]));
  routes.delete(`${KIND_PATH}/star`, ofItem('no star'), (request) => one(request, [{ action: 'unstar' }]));
  routes.patch(`${KIND_PATH}/fields`, ofItem('fields set and taken away', SET), (request) => one(request, setting(b(request))));
  routes.post(`${KIND_PATH}/play`, ofItem('it was played', object({ at: { type: 'number', minimum: 0 }, position: { type: 'number', minimum: 0 } })), (request) => {
    const { at } = b(request) ?? {};
    return one(request, [{ action: 'play', ...(at === undefined ? {} : { atNs: nanoseconds(at) }) }]);
  });
  routes.put(`${KIND_PATH}/bookmark`, ofItem('where to go on', object({ position: { type: 'number', minimum: 0 }, comment: text(2000) }, ['position'])), (request) => {
    const { position, comment = '' } = b(request);
    return one(request, [{ action: 'bookmark', number: position, value: comment }]);
  });
  routes.delete(`${KIND_PATH}/bookmark`, ofItem('no bookmark'), (request) => one(request, [{ action: 'unbookmark' }]));

  routes.post('/work', {
    schema: { tags, summary: 'to many items at once, wholly or not at all', body: object({ ...MEANT, add_tags: TAGS, remove_tags: TAGS, rating: RATING, star: { type: 'boolean' }, set: SET, play: { type: 'boolean' } }) },
    config: { role: 'write' },
  }, (request) => {
    const { add_tags = [], remove_tags = [], rating: stars, star, set = {}, play } = b(request);
    const actions = [
      ...add_tags.map((/** @type {string} */ name) => ({ action: 'tag', name })),
      ...remove_tags.map((/** @type {string} */ name) => ({ action: 'untag', name })),
      ...(stars === undefined ? [] : [rating(stars)]),
      ...(star === undefined ? [] : [{ action: star ? 'star' : 'unstar' }]),
      ...setting(set),
      ...(play ? [{ action: 'play' }] : []),
    ];
    if (actions.length === 0) throw new HttpError('invalid_argument', 'nothing to be done is named');
    return work(request, meant(b(request)), actions);
  }); // prettier-ignore

  // Stars and ratings of artists and albums: the same actions, the id is a meta's.
  for (const kind of ['artist', 'album']) {
    const of = (/** @type {string} */ summary, /** @type {any} */ body = undefined) => ({ schema: { tags, summary: `${summary} of an ${kind}`, params: byId(), ...(body ? { body } : {}) }, config: { role: /** @type {const} */ ('write') } });
    const does = (/** @type {FastifyRequest} */ request, /** @type {any} */ action) => one(Object.assign(Object.create(request), { params: { id: /** @type {any} */ (request.params).id, kind: 'file' } }), [action]);
    routes.put(`/${kind}/:id/star`, of('a star'), (request) => does(request, { action: 'star' }));
    routes.delete(`/${kind}/:id/star`, of('no star'), (request) => does(request, { action: 'unstar' }));
    routes.put(`/${kind}/:id/rating`, of("the person's rating", object({ rating: RATING }, ['rating'])), (request) => does(request, rating(b(request).rating)));
  }

  routes.get(`${KIND_PATH}/history`, { schema: { tags, summary: 'what happened to it', params: byKind }, config: { role: 'read' } }, async (request) => {
    const { id } = /** @type {any} */ (request.params);
    const [{ problem, changes, revisions, lineage, stored }] = await client.history(id, asked(request));
    if (problem) throw problem;
    return {
      changes: changes.map((each) => ({ ...plainJson(each), at: seconds(each.atNs), host: undefined, value: /** @type {any} */ (each).value })),
      revisions: plainJson(revisions).map((/** @type {any} */ each) => ({ ...each, path: each.path_display, path_display: undefined })),
      lineage: plainJson(lineage),
      stored: plainJson(stored).map((/** @type {any} */ each) => ({ ...each, path: each.path_display, path_display: undefined })),
    };
  });

  /**
   * For the daemon it is this server who asks, which may move files: what the person may is looked at here. Who may not
   * move files takes back what is one's own and moved none.
   * @param {FastifyRequest} request @param {string | null} operation @param {number} [count]
   * @throws {HttpError} permission_denied
   */
  async function mayUndo(request, operation, count = 1) {
    if (mayDo(request.person.role, 'organise')) return;
    const own = await client.operations({ limit: OPERATIONS, ...asked(request) });
    const meant = operation === null ? own.filter(({ undone, command }) => !undone && command !== 'undo').slice(0, count) : own.filter(({ id }) => id === operation.toLowerCase());
    if (operation !== null && meant.length === 0) throw new HttpError('permission_denied', "this is none of your last operations; another's is taken back by the role organise", { input: operation });
    const moved = meant.find(({ files }) => files > 0);
    if (moved) throw new HttpError('permission_denied', 'files are moved back by those who may move them: role organise', { input: String(moved.id) });
  }

  routes.post('/undo', {
    schema: { tags, summary: 'takes an operation back, or the last ones of this person', body: object({ operation: ID, count: { type: 'integer', minimum: 1, maximum: 100 } }) },
    config: { role: 'write' },
  }, async (request) => {
    const { operation = null, count } = b(request) ?? {};
    await mayUndo(request, operation, count);
    const reply = await client.undo(operation, { ...(count ? { count } : {}), ...changing(request) });
    return { operations: reply.operations.map(operationJson), events: reply.events, files: reply.files, problems: reply.problems.map(plainJson) };
  }); // prettier-ignore

  routes.get('/operations', {
    schema: { tags, summary: 'what was done last, newest first', querystring: object({ limit: { ...NUMBER, minimum: 1, maximum: 200, default: 50 } }) },
    config: { role: 'read' },
  }, async (request) => ({ operations: (await client.operations({ limit: /** @type {any} */ (request.query).limit, ...asked(request) })).map(operationJson) })); // prettier-ignore

  // ---------------------------------------------------------------- the queue

  routes.get('/queue', { schema: { tags, summary: 'what a person is about to hear' }, config: { role: 'read' } }, async (request) => {
    const [{ entries, current, position, changedAtNs, client: by }] = await client.call('queue', { action: 'get' }, asked(request));
    return { ids: entries, current, position, changed_at: changedAtNs ? seconds(changedAtNs) : null, client: by };
  });
  routes.put('/queue', {
    schema: { tags, summary: 'the same, as it is from now on; without ids only where in it', body: object({ ids: MEANT.ids, current: NUMBER, position: { type: 'number', minimum: 0 }, client: text(100) }) },
    config: { role: 'write' },
  }, async (request) => {
    const { ids, current = 0, position = 0, client: by = 'web' } = b(request);
    const what = ids === undefined ? { action: 'at' } : { action: 'save', targets: ids.map((/** @type {string} */ id) => ({ id })) };
    const reply = (await client.call('queue', { ...what, current, position, client: by }, changing(request))).at(-1);
    return { changed: reply.events > 0, problems: reply.problems.map(plainJson) };
  }); // prettier-ignore
}

/** @param {any} operation */
export const operationJson = ({ id, atNs, actor, command, summary, events, files, undone }) => ({ id, at: seconds(atNs), actor, command, summary, events, files, undone });
