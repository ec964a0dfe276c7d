/** OpenSubsonic under /rest: https://opensubsonic.netlify.app. Which methods there are: docs/opensubsonic.md. */
import { describeError } from '../errors.js';
import { isOwnOrigin } from '../guard.js';
import { CODE, envelope, failureOf, SubsonicError, written } from './answer.js';
import { annotating, Listening } from './annotating.js';
import { Asks } from './asks.js';
import { browsing } from './browsing.js';
import { media } from './media.js';
import { playlists } from './playlists.js';
import { Shelf } from './shelf.js';
import { NEVER, NOT_YET, system } from './system.js';
import { mayDo } from '../auth.js';

/** @import { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify' */
/** @import { App, Person } from '../types.js' */

/**
 * @typedef {object} Context
 * @property {Asks} asks
 * @property {Shelf} shelf
 * @property {{ actor: string, signal: AbortSignal }} by
 * @property {Person} person
 * @property {Listening} listening
 * @property {App} app
 * @property {FastifyRequest} request
 * @property {FastifyReply} reply
 */

/**
 * What a method answers: its content; or the reply itself when it has sent that: bytes of songs and pictures.
 * @typedef {(context: Context) => Promise<Record<string, any> | FastifyReply>} Method
 */

const METHODS = /** @type {Record<string, Method>} */ ({ ...system, ...browsing, ...annotating, ...playlists, ...media });
const WRITES = new Set([...Object.keys(annotating).filter((name) => !name.startsWith('get')), 'createPlaylist', 'updatePlaylist', 'deletePlaylist', 'startScan']);
const OPEN = new Set(['getOpenSubsonicExtensions']);
const FORM_BYTES = 2 * 1024 * 1024; // a queue of 10,000 songs has 420 kB

/** @param {FastifyInstance} routes a scope of their own @param {App} app */
export async function subsonicRoutes(routes, app) {
  const shelf = new Shelf(app);
  const listening = new Listening();

  routes.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: FORM_BYTES }, (_request, body, done) => done(null, new URLSearchParams(String(body))));
  // Other bodies say nothing here; py-sonic and others send an empty one with any type.
  routes.addContentTypeParser('*', { parseAs: 'string', bodyLimit: 64 * 1024 }, (_request, _body, done) => done(null, new URLSearchParams()));

  // CORS: who asks says who it is in the request itself, no cookie is looked at, so any page may ask.
  routes.addHook('onRequest', async (_request, reply) => {
    reply.header('access-control-allow-origin', '*');
    reply.header('access-control-expose-headers', 'Accept-Ranges, Content-Range, Content-Length, X-Content-Duration');
  });
  routes.options('/rest/*', { schema: { hide: true }, config: { role: null, cors: true } }, async (_request, reply) =>
    reply.code(204).headers({ 'access-control-allow-methods': 'GET, HEAD, POST', 'access-control-allow-headers': '*', 'access-control-max-age': '86400' }).send());

  routes.route({
    method: ['GET', 'HEAD', 'POST'],
    url: '/rest/:method',
    schema: { hide: true },
    config: { role: null, cors: true },
    handler: answer,
  });

  /** @param {FastifyRequest} request @param {FastifyReply} reply */
  async function answer(request, reply) {
    const name = /** @type {any} */ (request.params).method.replace(/\.view$/, '');
    const parameters = new URLSearchParams(request.url.split('?')[1] ?? '');
    if (request.body instanceof URLSearchParams) for (const [key, value] of request.body) parameters.append(key, value);
    const asks = new Asks(parameters);
    try {
      const person = await admitted(name, asks, request);
      const by = { actor: person.name, signal: request.gone };
      const method = METHODS[name];
      if (!Object.hasOwn(METHODS, name)) return refuse(reply, asks, name);
      if (WRITES.has(name) && !mayDo(person.role, 'write')) throw new SubsonicError(CODE.forbidden, `${person.name || 'this server'} may read only`);
      const found = await method({ asks, shelf, by, person, listening, app, request, reply });
      return found === reply || reply.sent ? reply : send(reply, asks, found);
    } catch (error) {
      if (reply.sent || reply.raw.headersSent) {
        reply.raw.destroy();
        return reply;
      }
      const failure = failureOf(error);
      if (failure === null) {
        request.log.error(error);
        return send(reply, asks, { error: { code: CODE.generic, message: 'a fault of mediadb-app, which is in its log' } });
      }
      const { headers, status, body } = describeError(error);
      // A client that waits may come again: the protocol has no word for it, HTTP has.
      if (status === 429 || status === 503) reply.code(status).headers(headers);
      else if (body.error.code === 'limit_exceeded' && body.error.retryable) reply.code(429).header('retry-after', 60);
      return send(reply, asks, { error: failure });
    }
  }

  /** @param {FastifyReply} reply @param {Asks} asks @param {Record<string, any>} content */
  function send(reply, asks, content) {
    let format = asks.text('f');
    let answered = envelope(app.version, content);
    let found;
    try {
      found = written(answered, format, asks.text('callback'));
    } catch (error) {
      if (!(error instanceof SubsonicError)) throw error;
      [format, answered] = ['json', envelope(app.version, { error: { code: error.code, message: error.message } })];
      found = written(answered, format, undefined);
    }
    return reply.type(found.type).serializer((/** @type {string} */ text) => text).send(found.text);
  }

  /** What is no method here, with the status that says for how long. @param {FastifyReply} reply @param {Asks} asks @param {string} name */
  function refuse(reply, asks, name) {
    const [status, why] = NEVER.has(name) ? [410, 'is not part of this server'] : NOT_YET.has(name) ? [501, 'is not there yet'] : [404, 'is no method'];
    return send(reply.code(status), asks, { error: { code: CODE.generic, message: `${name.slice(0, 60)} ${why}` } });
  }

  /**
   * Who asks: an API key, or a name with an app password, plain, in hexadecimal, or as a token (md5 of it and a salt).
   * @param {string} name of the method
   * @param {Asks} asks
   * @param {FastifyRequest} request
   * @returns {Promise<Person>}
   * @throws {SubsonicError}
   */
  async function admitted(name, asks, request) {
    const [key, user, token, salt] = ['apiKey', 'u', 't', 's'].map((each) => asks.text(each));
    const password = plain(asks.text('p'));
    if (OPEN.has(name) && key === undefined && user === undefined) return { name: '', role: 'read', open: false, id: null, by: 'open' };
    const nobody = await app.auth.nobody(request);
    if (nobody) {
      // Nobody has an account: programs on this machine are let in, whatever they show. Pages of other sites are not: the
      // browser of this machine is on this machine.
      if (!isOwnOrigin(request)) throw new SubsonicError(CODE.forbidden, 'a page of another origin needs an API key, and nobody has an account');
      return { ...nobody, name: '' };
    }
    if (key !== undefined && (user !== undefined || token !== undefined || password !== undefined)) throw new SubsonicError(CODE.conflicting, 'an API key, or a name: not both');
    if (key === undefined && user === undefined) throw new SubsonicError(CODE.missing, 'required parameter is missing: u, or apiKey');
    let shown;
    if (key !== undefined) shown = { key };
    else if (token !== undefined) {
      if (salt === undefined) throw new SubsonicError(CODE.missing, 'required parameter is missing: s');
      if (!/^[0-9a-f]{32}$/i.test(token)) throw new SubsonicError(CODE.wrong, 'wrong name or app password');
      shown = { name: user, token: token.toLowerCase(), salt };
    } else if (password !== undefined) shown = { name: user, key: password };
    else throw new SubsonicError(CODE.missing, 'required parameter is missing: p, or t and s');
    const person = await app.auth.identify(shown, request.ip);
    if (person === null) {
      if (key !== undefined) throw new SubsonicError(CODE.badKey, 'this API key is nobody’s');
      throw new SubsonicError(CODE.wrong, 'wrong name or app password: make one in the page, under Settings, Keys');
    }
    return person;
  }
}

/** @param {string | undefined} password `enc:` and hexadecimal, or as it is */
function plain(password) {
  if (password === undefined || !password.startsWith('enc:')) return password;
  const hex = password.slice(4);
  return /^(?:[0-9a-f]{2})*$/i.test(hex) ? Buffer.from(hex, 'hex').toString() : password;
}
