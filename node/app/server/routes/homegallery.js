/**
 * What HomeGallery's `fetch` pulls from a peer: its database, its events, its previews. Formats: `home-gallery/database@1.3.0`
 * and `home-gallery/events@1.0`; a reader passes over an entry whose `id` is no SHA-1, so each file's is computed where
 * it is not known yet, once.
 */
import { createHash } from 'node:crypto';
import { HttpError } from '../errors.js';
import { nameOf } from '../map.js';
import { written } from '../range.js';
import { object } from '../schema.js';
import { asked, heads } from './library.js';

/** @import { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify' */
/** @import { App, File, Item } from '../types.js' */

const PAGE = 50;
const SIZES = [1920, 1280, 800, 320, 128];
const tags = ['peers'];
const DATED = 'kind:image,video has:date sort:-date';
const UNDATED = 'kind:image,video missing:date sort:-modified'; // their date is the file's

/** Only ASCII: other characters came out damaged of HomeGallery's reader. @param {any} value */
const ascii = (value) => JSON.stringify(value).replace(/[\u0080-\uffff]/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Its digest of an entry: JSON with keys in UTF-16 order, no spaces, undefined as null. @param {any} value @returns {string} */
function canonical(value) {
  if (value === undefined) return 'null';
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`; // prettier-ignore
}

/** @param {string} sha1 @param {string} suffix */
const storagePath = (sha1, suffix) => `${sha1.slice(0, 2)}/${sha1.slice(2, 4)}/${sha1.slice(4)}-${suffix}`;

/** @param {string} date as items have it, as far as it is known @param {bigint} mtimeNs */
function isoDate(date, mtimeNs) {
  const found = /^(\d{4})(?:-(\d\d))?(?:-(\d\d))?(?:T(\d\d:\d\d:\d\d))?/.exec(date);
  const at = found ? Date.parse(`${found[1]}-${found[2] ?? '01'}-${found[3] ?? '01'}T${found[4] ?? '00:00:00'}Z`) : NaN;
  return new Date(Number.isNaN(at) ? Number(mtimeNs / 1_000_000n) : at).toISOString();
}

/**
 * An entry of the database; the order of its keys is part of the format.
 * @param {Item} item @param {File} file @param {string} sha1
 */
function entryOf(item, file, sha1) {
  const fields = /** @type {any} */ (file).fields;
  const { work } = /** @type {any} */ (item);
  const image = item.kind === 'image';
  const longest = Math.max(item.width, item.height);
  const previews = image ? SIZES.filter((size) => size <= Math.max(longest, 128)).map((size) => storagePath(sha1, `image-preview-${size}.jpg`)) : [];
  /** @type {Record<string, any>} */
  const entry = {
    id: sha1, hash: '', type: image ? 'image' : 'video', date: isoDate(item.date, file.mtimeNs), updated: new Date(Number(file.mtimeNs / 1_000_000n)).toISOString(),
    files: [{ id: sha1, index: 'mediadb', type: image ? 'image' : 'video', size: file.size, filename: nameOf(file) }],
    previews, plugin: {}, faces: [], objects: [],
    latitude: fields.latitude, longitude: fields.longitude, altitude: fields.altitude, description: fields.description,
    width: item.width || undefined, height: item.height || undefined, orientation: fields.orientation, duration: item.duration || undefined,
    make: fields.camera_make, model: fields.camera_model, iso: fields.iso, aperture: fields.f_number, focalLength: fields.focal_length,
    groupIds: [], tags: work.user_tags ?? [], country: fields.country, state: fields.state, city: fields.city,
  }; // prettier-ignore
  for (const name of Object.keys(entry)) if (entry[name] === undefined) delete entry[name];
  const { hash: _none, ...rest } = entry;
  entry.hash = createHash('sha1').update(canonical(rest)).digest('hex');
  return entry;
}

/** @param {FastifyInstance} routes @param {App} app */
export function homegalleryRoutes(routes, { library, previews, zips }) {
  const { client } = library;

  /**
   * Items with their first file here and its SHA-1, which is computed where it must be. What cannot be read is left out:
   * the format has no place for it.
   * @param {FastifyRequest} request @param {string[]} ids
   * @returns {Promise<{ item: Item, file: File, sha1: string }[]>}
   */
  async function withSums(request, ids) {
    const found = [];
    const unknown = [];
    for (const { item } of await client.get(ids, asked(request))) {
      const file = item?.files.find(({ state, path }) => state === 'read' && path.length > 0);
      if (!item || !file) continue;
      const sum = sha1Of(file);
      found.push({ item, file, sha1: sum ?? '' });
      if (!sum) unknown.push(item.id);
    }
    if (unknown.length) {
      for (const { item, path, digests, problem } of await client.checksum(unknown, { algorithms: ['sha1'], ...asked(request) })) {
        const of = found.find((each) => each.item.id === item && each.file.path.equals(path));
        const [digest] = digests;
        if (of && digest) of.sha1 = digest.value.toString('hex');
        else if (problem) request.log.warn(`homegallery: left out: ${problem}`);
      }
    }
    return found.filter(({ sha1 }) => sha1 !== '');
  }

  /** @param {FastifyRequest} request @param {string} question @returns {AsyncGenerator<string[], void, void>} */
  async function* media(request, question) {
    /** @type {string[]} */
    let ids = [];
    for await (const { id } of client.query(question, { bare: true, ...asked(request) })) {
      ids.push(id);
      if (ids.length < PAGE) continue;
      yield ids;
      ids = [];
    }
    if (ids.length) yield ids;
  }

  /** Sends `head` + a list that comes as it comes. @param {FastifyRequest} request @param {FastifyReply} reply @param {Record<string, any>} head @param {AsyncGenerator<any[], void, void>} parts */
  async function sendList(request, reply, head, parts) {
    const leave = await zips.enter();
    try {
      let next = await parts.next();
      reply.hijack();
      reply.raw.writeHead(200, { ...heads(reply), 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
      let separator = '';
      let well = await written(reply.raw, Buffer.from(`${ascii(head).slice(0, -1)},"data":[`));
      for (; well && !next.done; next = await parts.next()) {
        if (next.value.length === 0) continue;
        well = await written(reply.raw, Buffer.from(separator + next.value.map(ascii).join(',')));
        separator = ',';
      }
      reply.raw.end(']}');
    } catch (error) {
      if (!reply.raw.headersSent) throw error;
      reply.raw.destroy();
      if (!request.gone.aborted) request.log.error(error);
    } finally {
      leave();
    }
    return reply;
  }

  routes.get('/api/database.json', { schema: { tags, summary: "HomeGallery's database of pictures and films" }, config: { role: 'read', content: ['application/json'] } }, (request, reply) => {
    /** @param {string} question */
    async function* entries(question) {
      for await (const ids of media(request, question)) for (const { item, file, sha1 } of await withSums(request, ids)) yield entryOf(item, file, sha1);
    }
    /** Both in one, the newest first: its page shows them as they come. @returns {AsyncGenerator<any[], void, void>} */
    async function* merged() {
      const lists = [entries(DATED), entries(UNDATED)];
      const next = await Promise.all(lists.map((each) => each.next()));
      for (;;) {
        const at = next[0].done || (!next[1].done && next[1].value.date > next[0].value.date) ? 1 : 0;
        if (next[at].done) return;
        yield [next[at].value];
        next[at] = await lists[at].next();
      }
    }
    return sendList(request, reply, { type: 'home-gallery/database@1.3.0', created: new Date().toISOString() }, merged());
  });

  routes.get('/api/events.json', { schema: { tags, summary: "HomeGallery's events: tags that persons added and removed" }, config: { role: 'read', content: ['application/json'] } }, (request, reply) => {
    async function* events() {
      /** @type {any[]} */
      let some = [];
      for await (const line of client.export({ signal: request.gone })) {
        const told = JSON.parse(line);
        if (told.target_kind !== 'stream' || (told.action !== 'tagged' && told.action !== 'untagged')) continue;
        some.push(told);
        if (some.length < PAGE) continue;
        yield await ofSums(some);
        some = [];
      }
      yield await ofSums(some);
    }
    /** @param {any[]} some */
    async function ofSums(some) {
      if (some.length === 0) return [];
      const sums = new Map((await withSums(request, [...new Set(some.map(({ target }) => target))])).map(({ item, sha1 }) => [item.id, sha1]));
      return some.filter(({ target }) => sums.has(target)).map((told) => ({
        id: eventId(told), type: 'userAction', targetIds: [sums.get(told.target)],
        actions: [{ action: told.action === 'tagged' ? 'addTag' : 'removeTag', value: told.value.tag }], date: new Date(told.at_ns / 1e6).toISOString(),
      })); // prettier-ignore
    }
    return sendList(request, reply, { type: 'home-gallery/events@1.0', created: new Date().toISOString() }, events());
  });

  routes.get('/files/:a/:b/:rest', {
    schema: {
      tags, summary: "a picture of HomeGallery's storage",
      params: object({ a: { type: 'string', pattern: '^[0-9a-f]{2}$' }, b: { type: 'string', pattern: '^[0-9a-f]{2}$' }, rest: { type: 'string', pattern: '^[0-9a-f]{36}-[a-z0-9.-]{1,60}$' } }, ['a', 'b', 'rest']),
    },
    config: { role: 'read', content: ['image/jpeg'] },
  }, async (request, reply) => {
    const { a, b, rest } = /** @type {any} */ (request.params);
    const sha1 = `${a}${b}${rest.slice(0, 36)}`;
    const size = Number(/^-image-preview-(\d+)\.jpg$/.exec(rest.slice(36))?.[1]);
    const { items: [item] } = SIZES.includes(size) ? await client.queryPage(`sha1:${sha1}`, { limit: 1, bare: true, ...asked(request) }) : { items: [] }; // prettier-ignore
    if (!item) throw new HttpError('not_found', 'no such file in the storage', { input: `${a}/${b}/${rest}` });
    const [first, ...others] = await previews.run(() => client.call('preview', { target: { id: item.id }, size }, { deadlineMs: 60_000, ...asked(request) }));
    return reply.type(first.mimeType).send(Buffer.concat([first, ...others].map(({ data }) => data)));
  }); // prettier-ignore
}

/** @param {File} file */
const sha1Of = (file) => file.digests.find(({ algorithm, scope }) => algorithm === 'sha1' && scope === 'file')?.value.toString('hex');

/** Stable, for an event that is pulled twice is one; in the form of version 4 (RFC 9562), which its readers know. @param {any} told */
function eventId(told) {
  const hex = createHash('sha256').update(JSON.stringify([told.host, told.seq, told.target, told.action, told.value])).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
