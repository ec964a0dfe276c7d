/** Moves, equal files, jobs. */
import { MediadError } from 'mediadb';
import { HttpError, notFound, problemOf } from '../errors.js';
import { nameOf, seconds } from '../map.js';
import { byId, ID, list, MEANT, NUMBER, object, text } from '../schema.js';
import { mayDo } from '../auth.js';
import { asked } from './library.js';
import { jobJson } from './uploads.js';
import { changing } from './work.js';

/** @import { FastifyInstance, FastifyRequest } from 'fastify' */
/** @import { App, File } from '../types.js' */
/** @import { Job } from '../jobs.js' */

const tags = ['files'];
const MOST = 10_000;
const WAIT_MS = 10_000; // what is known of equal files already is told at once
const KEPT_MS = 30_000;
const PAGE = 50;
/** The field that says: so many copies of this are meant. */
const MEANT_COPIES = 'copies_meant';

/** @param {any} step */
const stepJson = ({ action, method, sourceDisplay, destinationDisplay, size, state, problem }) => ({
  action, method, source: sourceDisplay, destination: destinationDisplay, size, state, problem: problem && problemOf(problem),
}); // prettier-ignore
/** @param {any} pair */
const pairJson = ({ source, wanted, got }) => ({ source: source.toString(), wanted: wanted.toString(), got: got.toString() });
/** @param {any} reply */
const moveJson = (reply) => ({
  steps: reply.steps.map(stepJson), problems: reply.problems.map(problemOf), already: reply.already.map(pairJson), clashes: reply.clashes.map(pairJson),
  notes: reply.notes, unchanged: reply.unchanged, bytes: reply.bytes, done: reply.done, failed: reply.failed, operation: reply.operation,
  fatal: reply.fatal && problemOf(reply.fatal),
}); // prettier-ignore

/** @param {FastifyInstance} routes @param {App} app */
export function fileRoutes(routes, { library, jobs }) {
  const { client } = library;
  const b = (/** @type {FastifyRequest} */ request) => /** @type {any} */ (request.body);

  // ---------------------------------------------------------------- jobs

  /** A person's own, or any for an admin. @param {FastifyRequest} request @param {string} [id] */
  function job(request, id = /** @type {any} */ (request.params).id.toLowerCase()) {
    const found = jobs.get(id);
    if (found.actor !== request.person.name && !mayDo(request.person.role, 'admin')) throw notFound('job', id);
    return found;
  }
  routes.get('/jobs', { schema: { tags, summary: 'what is going on, and what ended, newest first' }, config: { role: 'write' } }, async (request) => {
    const all = mayDo(request.person.role, 'admin');
    return { jobs: jobs.list().filter(({ actor }) => all || actor === request.person.name).map(jobJson) }; // prettier-ignore
  });
  for (const where of ['/jobs/:id', '/NEW/:id']) {
    routes.get(where, { schema: { tags, summary: 'how far one is', params: byId() }, config: { role: 'write' } }, async (request) => jobJson(job(request)));
  }
  routes.delete('/jobs/:id', { schema: { tags, summary: 'gives one up, or forgets one that ended', params: byId() }, config: { role: 'write' } }, async (request) => {
    jobs.stop(job(request).id);
    return {};
  });

  // ---------------------------------------------------------------- moves

  const TO = object({ root: NUMBER, folder: { anyOf: [NUMBER, text(4096)] }, template: text(2000) });
  const WHAT = list(object({ item: ID, file: NUMBER }, ['item', 'file']), MOST);
  routes.post('/move', {
    schema: {
      tags, summary: 'files to another place, with all that goes along; dry_run: the plan',
      body: object({
        ...MEANT, files: WHAT, to: TO, mode: { type: 'string', enum: ['move', 'copy', 'hardlink', 'symlink', 'reflink'], default: 'move' }, require: { type: 'boolean' },
        drop_duplicates: { type: 'boolean' }, prune: { type: 'boolean' }, fat: { type: 'boolean' }, dry_run: { type: 'boolean', default: false },
      }, ['to']),
    },
    config: { role: 'organise' },
  }, async (request, reply) => {
    const { to, mode, require, drop_duplicates: dropDuplicates, prune, fat, dry_run: dryRun } = b(request);
    const [what, query] = await meantFiles(request);
    const { destination, template } = await destinationOf(request, to);
    const options = changing(request);
    const operation = options.operation ?? crypto.randomUUID();
    const how = { query, folder: true, template, mode, require, dropDuplicates, prune, fat, ...options, operation };
    if (dryRun) return moveJson(await client.move(what, destination, { ...how, dryRun: true, signal: request.gone }));
    const begun = jobs.begin('move', { actor: request.person.name }, async (tell, signal) => {
      const onProgress = (/** @type {any} */ at) => tell({ stage: at.stage, done: at.filesDone, total: at.filesTotal, bytes_done: at.bytesDone, bytes_total: at.bytesTotal });
      return moveJson(await client.move(what, destination, { ...how, signal, onProgress }));
    });
    return reply.code(202).send({ job: begun.id, operation });
  }); // prettier-ignore

  /** @param {FastifyRequest} request @returns {Promise<[any, string | undefined]>} */
  async function meantFiles(request) {
    const { ids, q, files } = b(request);
    if ([ids, q, files].filter((each) => each !== undefined).length !== 1) throw new HttpError('invalid_argument', 'one of ids, q and files is needed');
    if (q !== undefined) return [undefined, q];
    if (ids) return [ids, undefined];
    const records = await client.get(files.map((/** @type {any} */ each) => each.item), { light: true, ...asked(request) });
    return [records.map(({ item, problem }, place) => {
      if (problem) throw problem;
      const found = item?.files.find(({ id }) => id === files[place].file);
      if (!found || found.path.length === 0) throw new HttpError('not_found', 'the item has no such file here', { input: String(files[place].file) });
      return found.path;
    }), undefined];
  }

  /** A place by numbers: no path of a client's. @param {FastifyRequest} request @param {any} to @returns {Promise<{ destination: Buffer | null, template: string | undefined }>} */
  async function destinationOf(request, { root, folder, template }) {
    if (typeof folder === 'number') {
      if (root !== undefined) throw new HttpError('invalid_argument', 'root goes with a relative folder', { input: 'to.root' });
      const [found] = await client.call('browse', { what: 'folders', folder }, asked(request));
      if (!found.folder?.path.length) throw new HttpError('not_found', 'no folder of this number is here', { input: String(folder) });
      return { destination: found.folder.path, template };
    }
    if (root === undefined) {
      if (template === undefined || folder !== undefined) throw new HttpError('invalid_argument', 'to takes root and folder, or the number of a folder, or a template', { input: 'to' });
      return { destination: null, template };
    }
    const found = (await library.roots()).find(({ id }) => id === root);
    if (!found?.path.length) throw new HttpError('not_found', 'no root of this number is here', { input: String(root) });
    const parts = (folder ?? '').split('/').filter(Boolean);
    const wrong = parts.find((/** @type {string} */ part) => part === '.' || part === '..' || part.includes('\0') || Buffer.byteLength(part) > 255);
    if (wrong !== undefined || (folder ?? '').startsWith('/')) throw new HttpError('invalid_argument', 'a folder is relative, of plain names', { input: folder });
    return { destination: Buffer.concat([found.path, Buffer.from(parts.map((/** @type {string} */ part) => `/${part}`).join(''))]), template };
  }

  // ---------------------------------------------------------------- equal files

  /** @type {Map<string, { at: number, answer: Promise<any>, job: Job }>} */
  const known = new Map();

  /** Groups by kind and question: what one page was told, the next is of. @param {FastifyRequest} request @param {string} kind @param {string} query */
  function duplicates(request, kind, query) {
    const key = JSON.stringify([kind, query, request.person.name]);
    const found = known.get(key);
    if (found && (found.job.state === 'running' || performance.now() - found.at < KEPT_MS)) return found;
    for (const [each, { at, job: of }] of known) if (of.state !== 'running' && performance.now() - at > KEPT_MS) known.delete(each);
    /** @type {Promise<any>} */
    let answer = Promise.resolve();
    const begun = jobs.begin('duplicates', { actor: request.person.name, name: kind }, (tell, signal) => {
      const onProgress = (/** @type {any} */ at) => tell({ stage: at.stage, done: at.filesDone, total: at.filesTotal, bytes_done: at.bytesDone, bytes_total: at.bytesTotal });
      answer = client.duplicates({ kind, query, actor: request.person.name, signal, onProgress }).then(async (reply) => {
        const entry = known.get(key);
        if (entry) entry.at = performance.now();
        return { groups: await withoutMeant(reply.groups, request.person.name), leftOut: reply.leftOut };
      });
      return answer.then(({ groups }) => ({ groups: groups.length }));
    });
    const entry = { at: performance.now(), answer, job: begun };
    known.set(key, entry);
    answer.catch(() => known.delete(key));
    return entry;
  }

  /** Groups whose copies somebody said are meant, unless there are more by now. @param {{ files: File[] }[]} groups @param {string} actor */
  async function withoutMeant(groups, actor) {
    const said = await client.count(`has:user_${MEANT_COPIES}`, { actor }).catch((error) => {
      if (error instanceof MediadError && error.code === 'query_syntax') return 0;
      throw error;
    });
    if (said === 0) return groups;
    /** @type {Map<string, number>} */
    const meant = new Map();
    for await (const item of client.query(`has:user_${MEANT_COPIES}`, { actor })) {
      const value = Number(/** @type {any} */ (item).work[MEANT_COPIES]);
      if (Number.isFinite(value)) meant.set(item.id, value);
    }
    // Equal items become one when their checksums are known: a group may name an id that it had before.
    const unknown = [...new Set(groups.flatMap(({ files }) => files.map(({ item }) => item ?? '')))].filter((id) => id !== '' && !meant.has(id));
    for (let at = 0; at < unknown.length; at += 500) {
      const some = unknown.slice(at, at + 500);
      for (const [place, { item }] of (await client.get(some, { light: true, actor })).entries()) {
        if (item && meant.has(item.id)) meant.set(some[place], meant.get(item.id) ?? 0);
      }
    }
    return groups.filter(({ files }) => !files.every((/** @type {File} */ { item }) => (meant.get(item ?? '') ?? 0) >= files.length));
  }

  routes.get('/duplicates', {
    schema: { tags, summary: 'groups of equal files, the most wasteful first; 202 while checksums are computed', querystring: object({ kind: { type: 'string', enum: ['payload', 'exact', 'twins', 'hardlinks'], default: 'payload' }, q: MEANT.q, cursor: { type: 'string', pattern: '^\\d{1,9}$' }, limit: { type: 'integer', minimum: 1, maximum: 200, default: PAGE } }) },
    config: { role: 'read' },
  }, async (request, reply) => {
    const { kind, q = '', cursor = '0', limit } = /** @type {any} */ (request.query);
    const { answer, job: begun } = duplicates(request, kind, q);
    /** @type {NodeJS.Timeout | undefined} */
    let timer;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, WAIT_MS, null)));
    const found = await Promise.race([answer, late]).finally(() => clearTimeout(timer));
    if (found === null) return reply.code(202).send({ job: begun.id });
    const from = Number(cursor);
    return {
      groups: found.groups.slice(from, from + limit).map(groupJson),
      count: found.groups.length,
      wasted: found.groups.reduce((/** @type {number} */ sum, /** @type {any} */ { wasted }) => sum + wasted, 0),
      left_out: found.leftOut,
      next: from + limit < found.groups.length ? String(from + limit) : null,
    };
  }); // prettier-ignore

  routes.post('/duplicates/keep', {
    schema: { tags, summary: 'these copies are meant: the group is not shown until there are more', body: object({ items: { ...list(ID, 1000), minItems: 1 }, copies: { type: 'integer', minimum: 1, maximum: 100_000, description: 'files of the group; default: of the items named' } }, ['items']) },
    config: { role: 'write' },
  }, async (request) => {
    const { items, copies } = b(request);
    const ids = [...new Set(/** @type {string[]} */ (items))];
    const records = await client.get(ids, { light: true, ...asked(request) });
    const count = copies ?? records.reduce((sum, { item }) => sum + (item?.files.filter(({ state }) => state !== 'missing').length ?? 0), 0);
    const options = changing(request);
    const operation = options.operation ?? crypto.randomUUID();
    const reply = await client.set(ids, { [MEANT_COPIES]: String(count) }, { ...options, operation });
    known.clear();
    return { items: reply.items, events: reply.events, operation };
  }); // prettier-ignore
}

/** @param {any} group */
function groupJson({ kind, size, wasted, files }) {
  const keep = suggest(files);
  return {
    kind, size, wasted,
    files: files.map((/** @type {File} */ file) => ({
      id: file.id, item: file.item, name: nameOf(file), path: file.pathDisplay, size: file.size, mtime: seconds(file.mtimeNs), keep: file === keep,
    })),
  }; // prettier-ignore
}

/**
 * The copy to keep: the one with most in it, then the one that is not in a folder of things that came in, then the oldest,
 * then the shortest name. A suggestion, nothing is done by itself.
 * @param {File[]} files
 */
function suggest(files) {
  const rank = (/** @type {File} */ file) => [-Object.keys(/** @type {any} */ (file).fields ?? {}).length, /\/(incoming|downloads?|tmp|ddl|torrents|usenet)\//i.test(file.pathDisplay) ? 1 : 0, Number(file.mtimeNs / 1_000_000n), file.pathDisplay.length];
  return [...files].sort((a, z) => {
    const [left, right] = [rank(a), rank(z)];
    const at = left.findIndex((each, place) => each !== right[place]);
    return at < 0 ? 0 : left[at] - right[at];
  })[0];
}
