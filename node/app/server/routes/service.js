/** Roots, scans, problems, templates, figures for monitoring. */
import { HttpError, notFound, problemOf } from '../errors.js';
import { cursorText, itemJson, plainJson, rootJson } from '../map.js';
import { cursorOf, NUMBER, object, PAGE, text } from '../schema.js';
import { asked } from './library.js';
import { changing } from './work.js';

/** @import { FastifyInstance, FastifyRequest } from 'fastify' */
/** @import { App } from '../types.js' */

const tags = ['service'];
const byNumber = object({ id: NUMBER }, ['id']);

/** @param {FastifyInstance} routes @param {App} app */
export function serviceRoutes(routes, { library, jobs, lists, feed, transcoder }) {
  const { client } = library;
  const b = (/** @type {FastifyRequest} */ request) => /** @type {any} */ (request.body);

  /** @param {number} id */
  async function root(id) {
    const found = (await library.roots({ fresh: true })).find((each) => each.id === id);
    if (!found) throw notFound('root', String(id));
    if (found.path.length === 0) throw new HttpError('unavailable', 'this root is not here', { input: found.pathDisplay, retryAfter: 30 });
    return found;
  }
  /** How far a walk is, for a job. @param {(news: any) => void} tell */
  const telling = (tell) => (/** @type {any} */ at) => tell({ stage: at.stage, done: at.filesDone, total: at.filesTotal || at.filesListed, bytes_done: at.bytesDone, bytes_total: at.bytesTotal });
  const added = (/** @type {any} */ reply) => ({
    files_listed: reply.filesListed, files_new: reply.filesNew, files_changed: reply.filesChanged, files_missing: reply.filesMissing, files_moved: reply.filesMoved,
    files_read: reply.filesRead, files_failed: reply.filesFailed, problems: reply.problems.map(problemOf), problem_count: reply.problemCount,
  }); // prettier-ignore

  routes.get('/roots', { schema: { tags, summary: 'the folders of the library' }, config: { role: 'read' } }, async () => ({ roots: (await library.roots({ fresh: true })).map(rootJson) }));
  routes.post('/roots', {
    schema: { tags, summary: 'a folder of the server more (the one place where a path is named, for admins)', body: object({ path: { ...text(4096), minLength: 1, pattern: '^/' } }, ['path']) },
    config: { role: 'admin', status: 202 },
  }, async (request, reply) => {
    const { path } = b(request);
    const options = changing(request);
    const begun = jobs.begin('scan', { actor: request.person.name, name: path }, async (tell, signal) => added(await client.add(path, { ...options, signal, onProgress: telling(tell) })));
    return reply.code(202).send({ job: begun.id });
  }); // prettier-ignore
  routes.delete('/roots/:id', { schema: { tags, summary: 'a folder less; its files stay, their records go', params: byNumber }, config: { role: 'admin' } }, async (request) => {
    const { path } = await root(/** @type {any} */ (request.params).id);
    const { files, items, problems } = await client.forget(path, changing(request));
    if (problems.length) throw problems[0];
    return { files, items };
  });
  routes.post('/roots/:id/accept', { schema: { tags, summary: 'the loss that froze it is real', params: byNumber }, config: { role: 'admin' } }, async (request) => {
    const { path } = await root(/** @type {any} */ (request.params).id);
    return { roots: (await client.accept(path, changing(request))).map(rootJson) };
  });

  routes.post('/scan', {
    schema: { tags, summary: 'walks the roots again', body: object({ root: NUMBER, quick: { type: 'boolean', default: false } }) },
    config: { role: 'write', status: 202 },
  }, async (request, reply) => {
    const { root: id, quick = false } = b(request) ?? {};
    const paths = id === undefined ? [] : [(await root(id)).path];
    const begun = jobs.begin('scan', { actor: request.person.name }, async (tell, signal) => added(await client.rescan(paths, { quick, signal, actor: request.person.name, onProgress: telling(tell) })));
    return reply.code(202).send({ job: begun.id });
  }); // prettier-ignore
  routes.get('/scan', { schema: { tags, summary: 'whether a walk goes on, and how far reading is' }, config: { role: 'read' } }, async (request) => {
    const { pending, failed, scans } = await client.status(asked(request));
    const at = plainJson(scans[0] ?? {});
    return { running: scans.length > 0, stage: at.stage ?? '', files_listed: at.files_listed ?? 0, files_done: at.files_done ?? 0, files_total: at.files_total ?? 0, files_failed: at.files_failed ?? 0, pending, failed };
  });

  routes.get('/problems', { schema: { tags, summary: 'files that could not be read', querystring: object(PAGE) }, config: { role: 'read' } }, (request) => lists.run(async () => {
    const { limit, cursor } = /** @type {any} */ (request.query);
    const page = await client.queryPage('state:failed,parked', { files: true, limit, cursor: cursorOf(cursor), ...asked(request) });
    return {
      items: page.items.map((item) => ({ ...itemJson(item), file: item.files[0]?.id, path: item.files[0]?.pathDisplay, state: item.files[0]?.state, problem: item.files[0]?.problem ? problemOf(item.files[0].problem) : null })),
      next: cursorText(page.cursor),
    };
  })); // prettier-ignore

  routes.get('/templates', { schema: { tags, summary: 'templates of names (docs/names.md)' }, config: { role: 'read' } }, async (request) => {
    const status = /** @type {any} */ (await client.status(asked(request)));
    return { templates: status.templates.map((/** @type {any} */ { name, text: of }) => ({ name, text: of })) };
  });

  routes.get('/metrics', { schema: { tags, summary: 'figures, in the text format of Prometheus' }, config: { role: 'read', content: ['text/plain'] } }, async (_request, reply) => {
    const { rss } = process.memoryUsage();
    /** @type {[string, string, string, number][]} */
    const figures = [
      ['mediadb_app_resident_bytes', 'gauge', 'memory of the web server', rss],
      ['mediadb_app_cpu_seconds_total', 'counter', 'processor time of the web server', process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6],
      ['mediadb_app_pages', 'gauge', 'pages that listen to /events', feed.pages],
      ['mediadb_app_transcodes', 'gauge', 'running ffmpegs', transcoder.running],
      ['mediadb_app_jobs', 'gauge', 'running jobs', jobs.list().filter(({ state }) => state === 'running').length],
      ['mediadb_daemon_up', 'gauge', 'whether the daemon is there', library.connected ? 1 : 0],
    ];
    if (library.connected) {
      const status = await client.status();
      for (const name of /** @type {const} */ (['files', 'items', 'pending', 'failed', 'missing', 'parked'])) figures.push([`mediadb_${name}`, 'gauge', `${name} of the library`, status[name]]);
      figures.push(['mediadb_events_total', 'counter', 'number of the last event', status.lastEvent], ['mediadb_daemon_requests_total', 'counter', 'requests of the daemon', status.requests]);
    }
    reply.type('text/plain; version=0.0.4; charset=utf-8');
    return reply.send(figures.map(([name, type, help, value]) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value}\n`).join(''));
  });
}
