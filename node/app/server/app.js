/** Builds the server: hooks, errors, routes. main.js lets it listen; tests let it listen on a port of their own. */
import { readFileSync } from 'node:fs';
import swagger from '@fastify/swagger';
import fastify from 'fastify';
import { Auth } from './auth.js';
import { describeError, HttpError } from './errors.js';
import { Feed } from './events.js';
import { Files } from './files.js';
import { guard, redact } from './guard.js';
import { Jobs } from './jobs.js';
import { Library } from './library.js';
import { documentation } from './openapi.js';
import { Semaphore } from './semaphore.js';
import { servePage } from './static.js';
import { Transcoder } from './transcode.js';
import { Uploads } from './upload.js';
import { browseRoutes } from './routes/browse.js';
import { collectionRoutes } from './routes/collections.js';
import { fileRoutes } from './routes/files.js';
import { homegalleryRoutes } from './routes/homegallery.js';
import { libraryRoutes } from './routes/library.js';
import { mediaRoutes } from './routes/media.js';
import { serviceRoutes } from './routes/service.js';
import { sessionRoutes } from './routes/session.js';
import { subsonicRoutes } from './subsonic/index.js';
import { uploadRoutes } from './routes/uploads.js';
import { workRoutes } from './routes/work.js';

/** @import { App } from './types.js' */
/** @import { Config } from './config.js' */

export const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

const BODY_BYTES = 512 * 1024; // 10,000 ids; uploads have their own
const LISTS = 8; // beyond it every list becomes slower for the garbage of the others
const ZIPS = 4;
const PREVIEWS = 8; // a grid asks for all it shows at once

/**
 * Routes of another interface, in a scope of their own (content types, hooks). A route with `config: { role: null, cors: true }`
 * is open to pages of any origin and asks `app.auth.identify` itself; `app.files` opens, `app.transcoder` sends.
 * @typedef {(routes: import('fastify').FastifyInstance, app: App) => void | Promise<void>} Plug
 */

/** @type {readonly Plug[]} */
const PLUGS = [(routes, app) => (app.config.subsonic ? subsonicRoutes(routes, app) : undefined)];

/**
 * @param {Config} config
 * @param {{ logLevel?: string, page?: string, plugs?: readonly Plug[] }} [how] `page`: the folder of the built page
 * @returns {Promise<App>}
 */
export async function buildApp(config, { logLevel = process.env.MEDIADB_APP_LOG ?? 'warn', page, plugs = PLUGS } = {}) {
  const server = fastify({
    logger: {
      level: logLevel,
      serializers: {
        req: ({ method, url, ip }) => ({ method, url: redact(url), ip }),
        err: ({ name, message, stack, code }) => ({ type: name, message, stack: stack ?? '', code }),
      },
    },
    bodyLimit: BODY_BYTES,
    connectionTimeout: 0, // a paused film is a connection that is silent for hours
    requestTimeout: 0, // uploads take long; guard.js ends what is slow before its head is there
    http: { headersTimeout: 15_000, maxHeaderSize: 16 * 1024, connectionsCheckingInterval: 5000 },
    keepAliveTimeout: 65_000,
    forceCloseConnections: true,
    return503OnClosing: false,
    trustProxy: config.trusted_proxies.length ? config.trusted_proxies : false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: true, useDefaults: true, allErrors: false } },
  });
  const library = new Library({ socket: config.socket });
  const jobs = new Jobs();
  const log = (/** @type {unknown} */ error) => server.log.error(error);
  const files = new Files(library, config.path_map);
  /** @type {App} */
  const app = {
    server, config, library, jobs, version, files,
    auth: new Auth(library, config),
    feed: new Feed(library, jobs, log),
    lists: new Semaphore(LISTS, { queue: 256, what: 'lists' }),
    zips: new Semaphore(ZIPS, { queue: 4, what: 'archives', retryAfter: 30 }),
    previews: new Semaphore(PREVIEWS, { queue: 1000, what: 'previews' }),
    transcoder: new Transcoder(config, log),
    uploads: new Uploads(config, library, files, jobs, log),
  }; // prettier-ignore

  server.setErrorHandler((error, request, reply) => {
    const { status, headers, body, fault } = describeError(error);
    if (fault) request.log.error(error);
    if (reply.sent || reply.raw.headersSent) return reply.raw.destroy();
    return reply.code(status).headers(headers).type('application/json; charset=utf-8').send(body);
  });
  server.setReplySerializer((payload) => JSON.stringify(payload));
  guard(server, config);
  server.decorateRequest('person');
  server.decorateRequest('gone');
  server.addHook('onRequest', async (request, reply) => {
    const gone = new AbortController();
    request.gone = gone.signal;
    reply.raw.on('close', () => {
      if (!reply.raw.writableFinished) gone.abort(new HttpError('cancelled', 'the client went away', { status: 499 }));
    });
    const { role } = request.routeOptions.config;
    if (role === null || role === undefined) return;
    request.person = await app.auth.admit(request, role);
  });
  const sendPage = servePage(server, page);
  server.setNotFoundHandler((request, reply) => {
    if (sendPage(request, reply)) return reply;
    throw new HttpError('not_found', 'no such resource', { input: request.url.split('?')[0] });
  });

  await server.register(swagger, documentation(version));
  await server.register(async (routes) => {
    sessionRoutes(routes, app);
    libraryRoutes(routes, app);
    workRoutes(routes, app);
    collectionRoutes(routes, app);
    browseRoutes(routes, app);
    mediaRoutes(routes, app);
    fileRoutes(routes, app);
    serviceRoutes(routes, app);
    if (config.homegallery) homegalleryRoutes(routes, app);
    for (const plug of plugs) await routes.register(async (inner) => plug(inner, app));
    await routes.register(async (inner) => uploadRoutes(inner, app)); // with content types of its own
  });
  await app.transcoder.clean();
  await app.uploads.resume().catch(log); // a staging folder that is away is told to whoever uploads
  server.addHook('preClose', async () => app.feed.close());
  server.addHook('onClose', async () => {
    jobs.close();
    await app.transcoder.close();
    library.close();
  });
  return app;
}
