/** Uploads: forms, plain bodies, and tus 1.0.0 (core, creation, termination) for what may be broken off. */
import { Busboy } from '@fastify/busboy';
import { HttpError } from '../errors.js';
import { byId, object, text } from '../schema.js';

/** @import { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify' */
/** @import { App } from '../types.js' */
/** @import { Job } from '../jobs.js' */

const tags = ['files'];
const TUS = '1.0.0';
const FILES = 100; // of one form; they are written one after the other

/** @param {Job} job */
export const jobJson = ({ id, what, state, stage, name, done, total, bytes_done, bytes_total, error, result, started_at }) => ({
  id, what, state, stage, name, done, total, bytes_done, bytes_total, error, result, started_at,
}); // prettier-ignore

/** @param {FastifyRequest} request @returns {number | undefined} */
function lengthOf({ headers }) {
  const length = headers['content-length'];
  return length === undefined ? undefined : Number(length);
}

/** Upload-Metadata: `filename <base64>, ...`. @param {unknown} header */
function metadataOf(header) {
  /** @type {Record<string, string>} */
  const found = {};
  for (const pair of String(header ?? '').split(',')) {
    const [name, value = ''] = pair.trim().split(' ');
    if (name) found[name] = Buffer.from(value, 'base64').toString();
  }
  return found;
}

/** @param {FastifyInstance} routes @param {App} app */
export function uploadRoutes(routes, { uploads, config }) {
  // Bodies are files here, whatever they say they are: nothing parses them before they are on the disk.
  routes.removeAllContentTypeParsers();
  routes.addContentTypeParser('*', (_request, _payload, done) => done(null));

  /** @param {FastifyRequest} request @param {FastifyReply} reply @param {string} [name] */
  async function receive(request, reply, name) {
    uploads.demand();
    const type = String(request.headers['content-type'] ?? '');
    const actor = request.person.name;
    const jobs = /^multipart\/form-data\b/i.test(type) && name === undefined
      ? await receiveForm(request)
      : [await uploads.take(request.raw, { name: name ?? 'upload', actor, bytes: lengthOf(request) })]; // prettier-ignore
    return reply.code(202).send({ job: jobs[0].id, jobs: jobs.map(({ id }) => id) });
  }

  /** @param {FastifyRequest} request @returns {Promise<Job[]>} */
  async function receiveForm(request) {
    /** @type {Job[]} */
    const jobs = [];
    const actor = request.person.name;
    let form;
    try {
      form = new Busboy({ headers: /** @type {any} */ (request.headers), limits: { files: FILES, fields: 20, fieldSize: 64 * 1024, fileSize: config.upload_bytes, parts: FILES + 20 } });
    } catch (error) {
      throw new HttpError('invalid_argument', `this is no form: ${/** @type {Error} */ (error).message}`);
    }
    /** @type {Promise<any>} */
    let work = Promise.resolve();
    /** @type {unknown} */
    let failed = null;
    /** @type {import('node:stream').Readable | null} */
    let current = null;
    form.on('file', (_field, stream, filename) => {
      current = stream;
      stream.on('error', () => {}); // told by whoever reads it; one that nobody reads yet must not end the server
      // The next part comes when this one was read: the form waits of itself.
      work = work.then(() => (failed ? void stream.resume() : uploads.take(stream, { name: filename || 'upload', actor, truncated: () => /** @type {any} */ (stream).truncated }).then((job) => jobs.push(job)))).catch((error) => {
        failed ??= error;
        stream.resume();
      });
    });
    await new Promise((resolve, reject) => {
      form.on('filesLimit', () => (failed ??= new HttpError('limit_exceeded', `a form has at most ${FILES} files`)));
      form.on('finish', () => resolve(undefined));
      form.on('error', (error) => reject(new HttpError('invalid_argument', `the form is damaged: ${/** @type {Error} */ (error).message}`)));
      request.raw.once('close', () => {
        if (request.raw.complete) return;
        // What is being read of it ends too: a form knows nothing of its connection.
        const lost = new HttpError('cancelled', 'the upload was broken off', { status: 400 });
        current?.destroy(lost);
        reject(lost);
      });
      request.raw.pipe(form);
    }).catch((error) => (failed ??= error));
    await work;
    if (failed && jobs.length === 0) throw failed;
    if (failed) throw Object.assign(failed, { message: `${/** @type {Error} */ (failed).message}; ${jobs.length} files before it were taken` });
    if (jobs.length === 0) throw new HttpError('invalid_argument', 'there is no file in the form');
    return jobs;
  }

  routes.post('/NEW', {
    schema: { tags, summary: 'a file, or a form of files', consumes: ['multipart/form-data', 'application/octet-stream'], querystring: object({ name: text(1000, 'what a plain body is called') }) },
    config: { role: 'write', status: 202, slow: true },
  }, (request, reply) => receive(request, reply, /** @type {any} */ (request.query).name)); // prettier-ignore
  routes.put('/NEW/:name', {
    schema: { tags, summary: 'a file, as curl -T sends it', consumes: ['application/octet-stream'], params: object({ name: text(1000) }, ['name']) },
    config: { role: 'write', status: 202, slow: true },
  }, (request, reply) => receive(request, reply, /** @type {any} */ (request.params).name)); // prettier-ignore

  // ---------------------------------------------------------------- resumable

  /** @param {FastifyReply} reply */
  const tus = (reply) => reply.header('tus-resumable', TUS).header('cache-control', 'no-store');
  /** @param {FastifyRequest} request @param {FastifyReply} reply */
  const checkVersion = (request, reply) => {
    tus(reply);
    uploads.demand();
    const version = request.headers['tus-resumable'];
    if (version !== TUS) throw new HttpError('unsupported', `tus ${TUS} is spoken here`, { status: 412, input: String(version), headers: { 'tus-version': TUS } });
  };

  routes.options('/uploads', { schema: { tags, summary: 'what of tus is spoken' }, config: { role: null } }, (_request, reply) => {
    return tus(reply).code(204).header('tus-version', TUS).header('tus-extension', 'creation,termination').header('tus-max-size', config.upload_bytes).send();
  });
  routes.post('/uploads', { schema: { tags, summary: 'begins a resumable upload (tus 1.0.0)' }, config: { role: 'write', status: 201 } }, async (request, reply) => {
    checkVersion(request, reply);
    const given = request.headers['upload-length'];
    const length = Number(given);
    if (typeof given !== 'string' || !/^\d{1,16}$/.test(given)) throw new HttpError('invalid_argument', 'Upload-Length takes bytes', { input: String(given) });
    const { filename, name } = metadataOf(request.headers['upload-metadata']);
    const id = await uploads.create({ name: filename ?? name ?? 'upload', length, actor: request.person.name });
    return reply.code(201).header('location', `/uploads/${id}`).header('upload-offset', 0).send();
  });
  routes.head('/uploads/:id', { schema: { tags, summary: 'how much of it is here', params: byId() }, config: { role: 'write' } }, async (request, reply) => {
    checkVersion(request, reply);
    const { offset, length } = await uploads.look(idOf(request), request.person.name);
    return reply.header('upload-offset', offset).header('upload-length', length).send();
  });
  routes.patch('/uploads/:id', { schema: { tags, summary: 'goes on with it; with its last byte a job begins', consumes: ['application/offset+octet-stream'], params: byId() }, config: { role: 'write', status: 204, slow: true } }, async (request, reply) => {
    checkVersion(request, reply);
    if (!String(request.headers['content-type']).startsWith('application/offset+octet-stream')) throw new HttpError('unsupported', 'the type is application/offset+octet-stream');
    const at = Number(request.headers['upload-offset']);
    if (!Number.isSafeInteger(at) || at < 0) throw new HttpError('invalid_argument', 'Upload-Offset takes bytes', { input: String(request.headers['upload-offset']) });
    const { offset, job } = await uploads.append(idOf(request), request.raw, { at, actor: request.person.name });
    if (job) reply.header('mediadb-job', job.id);
    return reply.code(204).header('upload-offset', offset).send();
  });
  routes.delete('/uploads/:id', { schema: { tags, summary: 'gives it up', params: byId() }, config: { role: 'write', status: 204 } }, async (request, reply) => {
    checkVersion(request, reply);
    await uploads.drop(idOf(request), request.person.name);
    return reply.code(204).send();
  });
}

/** @param {FastifyRequest} request @returns {string} */
const idOf = (request) => /** @type {any} */ (request.params).id.toLowerCase();
