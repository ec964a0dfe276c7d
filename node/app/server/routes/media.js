/** The files themselves, in whole, in part, in another form; pictures and words of them. */
import { HttpError, notFound } from '../errors.js';
import { headersOf } from '../files.js';
import { disposition } from '../mime.js';
import { sendFile, written } from '../range.js';
import { byKind, ID, KIND_PATH, list, names, NUMBER, object, Q, text } from '../schema.js';
import { ZipAborted, ZipWriter } from '../zip.js';
import { nameOf } from '../map.js';
import { asked, heads } from './library.js';

/** @import { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify' */
/** @import { App, Item } from '../types.js' */

const tags = ['media'];
const SIZES = [128, 320, 800, 1280, 1920];
const ZIPPED = 10_000;
const ZIP_PAGE = 50;
const CHUNK = 256 * 1024;
const TEXT_BYTES = 4 * 1024 * 1024;

/** @param {FastifyInstance} routes @param {App} app */
export function mediaRoutes(routes, { files, library, transcoder, zips, previews }) {
  const { client } = library;

  /** @param {FastifyRequest} request @param {FastifyReply} reply @param {boolean} attachment */
  async function original(request, reply, attachment) {
    const { id, kind } = /** @type {any} */ (request.params);
    const { file, format, maxBitRate, timeOffset } = /** @type {any} */ (request.query);
    const opened = await files.open(await files.record(id, { kind, ...asked(request) }), file);
    let plan = null;
    try {
      plan = attachment ? null : transcoder.plan(opened, { format, maxBitRate, timeOffset });
    } catch (error) {
      await opened.handle.close();
      throw error;
    }
    if (plan) await transcoder.send(request.raw, reply.raw, opened, plan, heads(reply));
    else await sendFile(request.raw, reply.raw, { ...opened, headers: { ...heads(reply), ...headersOf(opened, { attachment }) } });
    reply.hijack();
    return reply;
  }

  const WHICH = { file: { ...NUMBER, description: 'one of the item by its number; default: the first that is here' } };
  routes.route({
    method: ['GET', 'HEAD'], url: `${KIND_PATH}/stream`,
    schema: {
      tags, summary: 'the original, or a part of it (RFC 9110, 14); or what ffmpeg makes of it', params: byKind,
      querystring: object({
        ...WHICH, format: { type: 'string', enum: ['raw', 'mp3', 'opus', 'remux'] }, maxBitRate: { type: 'integer', minimum: 0, maximum: 10_000, description: 'kbit/s' },
        timeOffset: { type: 'number', minimum: 0, maximum: 1e7, description: 'seconds: where to begin' },
      }),
    },
    config: { role: 'read', content: ['application/octet-stream', 'audio/mpeg', 'audio/ogg', 'video/mp4'] },
    handler: (request, reply) => original(request, reply, false),
  }); // prettier-ignore
  routes.route({
    method: ['GET', 'HEAD'], url: `${KIND_PATH}/download`,
    schema: { tags, summary: 'the original as an attachment', params: byKind, querystring: object(WHICH) },
    config: { role: 'read', content: ['application/octet-stream'] },
    handler: (request, reply) => original(request, reply, true),
  }); // prettier-ignore

  // ---------------------------------------------------------------- pictures, words, checksums

  routes.get(`${KIND_PATH}/preview/:size`, {
    schema: {
      tags, summary: 'a small picture of it, the longer side at most so many pixels', params: object({ ...byKind.properties, size: { type: 'integer', enum: SIZES } }, ['kind', 'id', 'size']),
      querystring: object({ v: text(100, 'whatever makes the address another when the picture is another') }),
    },
    config: { role: 'read', content: ['image/jpeg', 'image/png'] },
  }, async (request, reply) => {
    const { id, size } = /** @type {any} */ (request.params);
    const known = /^"([0-9a-f]{1,128})"$/.exec(String(request.headers['if-none-match'] ?? ''));
    const replies = await previews.run(() => client.call('preview', { target: { id }, size, ...(known ? { known: Buffer.from(known[1], 'hex') } : {}) }, { deadlineMs: 60_000, ...asked(request) }));
    const [{ mimeType, tag, same }] = replies;
    reply.header('etag', `"${tag.toString('hex')}"`).header('cache-control', `private, ${/** @type {any} */ (request.query).v ? 'max-age=31536000, immutable' : 'max-age=3600'}`);
    if (same) return reply.code(304).send();
    return reply.type(mimeType).header('content-disposition', 'inline').send(Buffer.concat(replies.map(({ data }) => data)));
  }); // prettier-ignore

  routes.get(`${KIND_PATH}/text`, { schema: { tags, summary: 'the words in it', params: byKind }, config: { role: 'read' } }, async (request) => {
    const { id } = /** @type {any} */ (request.params);
    for await (const { text: words, truncated, source, languages, problem } of client.text(id, { limit: TEXT_BYTES, ...asked(request) })) {
      if (problem?.code === 'unsupported') throw new HttpError('not_found', 'there are no words in it', { input: id });
      if (problem) throw problem;
      return { text: words, truncated, source, languages };
    }
    throw notFound('item', id);
  });

  routes.get(`${KIND_PATH}/checksum`, {
    schema: { tags, summary: 'its checksums: looked up, or computed now', params: byKind, querystring: object({ kind: { type: 'string', enum: ['file', 'stream'], default: 'file' } }) },
    config: { role: 'read' },
  }, async (request) => {
    const { id } = /** @type {any} */ (request.params);
    const scope = /** @type {any} */ (request.query).kind;
    const found = await client.checksum(id, { scopes: [scope], ...asked(request) });
    const good = found.find(({ problem }) => !problem);
    if (!good) throw found[0]?.problem ?? notFound('item', id);
    return {
      checksums: Object.fromEntries(good.digests.map(({ algorithm, value }) => [algorithm, value.toString('hex')])),
      stored: good.stored, algorithm: good.streamAlgorithm || undefined,
      files: found.map(({ pathDisplay, digests, problem }) => ({
        path: pathDisplay, problem: problem && { code: problem.code, message: problem.message },
        checksums: Object.fromEntries(digests.map(({ algorithm, value }) => [algorithm, value.toString('hex')])),
      })),
    }; // prettier-ignore
  }); // prettier-ignore

  // ---------------------------------------------------------------- many at once

  /** @param {FastifyRequest} request @param {{ ids?: string[], q?: string }} what @returns {AsyncGenerator<Item[], void, void>} */
  async function* pages(request, { ids, q }) {
    if (ids) for (let at = 0; at < ids.length; at += ZIP_PAGE) yield await records(request, ids.slice(at, at + ZIP_PAGE));
    else {
      /** @type {string[]} */
      let some = [];
      for await (const { id } of client.query(q ?? '', { bare: true, limit: ZIPPED + 1, ...asked(request) })) {
        some.push(id);
        if (some.length < ZIP_PAGE) continue;
        yield await records(request, some);
        some = [];
      }
      if (some.length) yield await records(request, some);
    }
  }
  /** @param {FastifyRequest} request @param {string[]} ids @returns {Promise<Item[]>} */
  async function records(request, ids) {
    return (await client.get(ids, asked(request))).map(({ item, problem }, place) => {
      if (problem || !item) throw problem ?? notFound('item', ids[place]);
      return item;
    });
  }

  /** @param {FastifyRequest} request @param {FastifyReply} reply @param {{ ids?: string[], q?: string, name?: string }} what */
  async function archive(request, reply, { ids, q, name = 'mediadb' }) {
    if ((ids === undefined) === (q === undefined)) throw new HttpError('invalid_argument', 'one of ids and q is needed');
    if (q !== undefined) {
      const count = await client.count(q, asked(request));
      if (count > ZIPPED) throw new HttpError('limit_exceeded', `an archive has at most ${ZIPPED} files, this finds ${count}`, { input: q });
    }
    const leave = await zips.enter();
    try {
      const source = pages(request, { ids, q });
      let page = await source.next(); // a question that is none is an error, not an empty archive
      if (page.done) throw new HttpError('not_found', 'there is nothing to put into an archive', { input: q });
      reply.hijack();
      reply.raw.writeHead(200, { ...heads(reply), 'content-type': 'application/zip', 'content-disposition': disposition('attachment', `${name}.zip`), 'cache-control': 'no-store' });
      const zip = new ZipWriter((bytes) => written(reply.raw, bytes));
      /** @type {string[]} */
      const left = [];
      for (; !page.done; page = await source.next()) for (const item of page.value) await addItem(zip, item, left);
      // Said in the archive: the head with its status is long gone.
      if (left.length) await zip.add('NOT INCLUDED.txt', Date.now() / 1000, one(Buffer.from(`These could not be read:\n\n${left.join('\n')}\n`)));
      await zip.finish();
      reply.raw.end();
    } catch (error) {
      if (!reply.raw.headersSent) throw error;
      reply.raw.destroy();
      if (!(error instanceof ZipAborted) && !request.gone.aborted) request.log.error(error);
    } finally {
      leave();
    }
    return reply;
  }

  /** @param {ZipWriter} zip @param {Item} item @param {string[]} left */
  async function addItem(zip, item, left) {
    let opened;
    try {
      opened = await files.open(item);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      left.push(`${item.files[0] ? nameOf(item.files[0]) : item.id}: ${error.message}`);
      return;
    }
    try {
      await zip.add(opened.name, opened.mtime, read(opened.handle, opened.size));
    } finally {
      await opened.handle.close();
    }
  }

  const NAME = { ...text(200), pattern: '^[^\\u0000-\\u001f/\\\\]*$' };
  routes.get('/download.zip', { schema: { tags, summary: 'originals in a ZIP, stored', querystring: object({ ids: text(8000, 'ids with commas'), q: Q, name: NAME }) }, config: { role: 'read', content: ['application/zip'] } }, (request, reply) => {
    const { ids, q, name } = /** @type {any} */ (request.query);
    const given = ids === undefined ? undefined : names(ids);
    const wrong = given?.find((/** @type {string} */ id) => !new RegExp(ID.pattern).test(id));
    if (wrong !== undefined || given?.length === 0) throw new HttpError('invalid_argument', 'ids takes UUIDs with commas between them', { input: wrong ?? ids });
    return archive(request, reply, { ids: given, q, name });
  });
  routes.post('/download.zip', { schema: { tags, summary: 'the same', body: object({ ids: { ...list(ID, ZIPPED), minItems: 1 }, q: Q, name: NAME }) }, config: { role: 'read', content: ['application/zip'] } }, (request, reply) => archive(request, reply, /** @type {any} */ (request.body)));
}

/** @param {Buffer} bytes */
async function* one(bytes) {
  yield bytes;
}

/** Through one buffer: a part is gone when the next is asked for. @param {import('node:fs/promises').FileHandle} handle @param {number} size */
async function* read(handle, size) {
  const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK, Math.max(1, size)));
  let place = 0;
  while (place < size) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, size - place), place);
    if (bytesRead === 0) return;
    place += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
