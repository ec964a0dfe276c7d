/** Who asks; persons, their keys and sessions. */
import { COOKIE, cookieOf, isAway, mayDo, setCookie } from '../auth.js';
import { HttpError } from '../errors.js';
import { seconds, secondsOrNull } from '../map.js';
import { byId, ID, object, text } from '../schema.js';

/** @import { FastifyInstance, FastifyRequest } from 'fastify' */
/** @import { App } from '../types.js' */

const ROLE = { type: 'string', enum: ['read', 'write', 'organise', 'admin'] };
const NAME = { type: 'string', minLength: 1, maxLength: 64 };
const PASSWORD = { type: 'string', minLength: 1, maxLength: 1024 };
const tags = ['session'];

const userJson = (/** @type {any} */ user) => ({ name: user.name, role: user.role, created_at: seconds(user.createdAtNs), seen_at: secondsOrNull(user.seenAtNs) });
const keyJson = (/** @type {any} */ key) => ({ id: key.id, name: key.name, created_at: seconds(key.createdAtNs), used_at: secondsOrNull(key.usedAtNs) });

/** Somebody of one's own: an open server has nobody's keys. @param {FastifyRequest} request */
function own(request) {
  const { person } = request;
  if (person.open) throw new HttpError('unsupported', 'nobody has an account yet: make one first (POST /users)', { status: 409 });
  return person.name;
}

/** @param {FastifyInstance} routes @param {App} app */
export function sessionRoutes(routes, { auth, library, config, version }) {
  const { client } = library;

  routes.get('/session', { schema: { tags, summary: 'who asks, and what this server can' }, config: { role: null } }, async (request) => {
    let person = null;
    let away = false;
    try {
      person = await auth.person(request);
    } catch (error) {
      if (!isAway(error)) throw error;
      away = true;
    }
    const role = person?.role ?? null;
    return {
      open: person?.open ?? false,
      user: person && !person.open ? { name: person.name, role } : null,
      role,
      daemon: { connected: !away && library.connected, version: library.greeting?.server.split(' ')[1] ?? null },
      server: { version },
      features: {
        transcode: config.transcodes > 0 ? ['mp3', 'opus', 'remux'] : [],
        upload: config.staging !== '' && role !== null && mayDo(role, 'write'),
        organise: role !== null && mayDo(role, 'organise'),
        accounts: library.greeting?.capabilities.includes('accounts') ?? false,
        subsonic: config.subsonic,
      },
    };
  });

  routes.post('/login', {
    schema: { tags, summary: 'a session for a password', body: object({ name: NAME, password: PASSWORD }, ['name', 'password']) },
    config: { role: null },
  }, async (request, reply) => {
    const { name, password } = /** @type {any} */ (request.body);
    const agent = String(request.headers['user-agent'] ?? '').slice(0, 200);
    auth.attempts.check(request.ip);
    try {
      const [{ user, session, expiresAtNs }] = await client.call('login', { name, password, client: agent, origin: request.ip });
      setCookie(request, reply, session, seconds(expiresAtNs));
      return { user: userJson(user) };
    } catch (error) {
      throw refused(error, request.ip);
    }
  }); // prettier-ignore

  /** @param {unknown} error @param {string} origin */
  function refused(error, origin) {
    const { code, message } = /** @type {any} */ (error);
    if (code === 'permission_denied') {
      auth.attempts.failed(origin);
      return new HttpError('unauthorized', 'the name or the password is wrong');
    }
    if (code === 'limit_exceeded') return new HttpError('limit_exceeded', message, { status: 429, retryAfter: 60 });
    return error;
  }

  routes.post('/logout', { schema: { tags, summary: 'ends the session of the cookie' }, config: { role: null } }, async (request, reply) => {
    const session = cookieOf(request.headers.cookie, COOKIE);
    setCookie(request, reply, '');
    auth.forget();
    if (session) await client.call('logout', { session });
    return {};
  });

  // ---------------------------------------------------------------- persons

  /** @param {string} [name] */
  const accounts = async (name = '') => (await client.call('accounts', { name }))[0];
  /** @param {FastifyRequest} request @param {Record<string, any>} what */
  const change = async (request, what) => {
    const operation = operationOf(request);
    const [reply] = await client.call('account', what, { actor: request.person.name, operation });
    auth.forget();
    return reply;
  };

  routes.get('/users', { schema: { tags, summary: 'all persons' }, config: { role: 'admin' } }, async () => ({ users: (await accounts()).users.map(userJson) }));
  routes.post('/users', {
    schema: { tags, summary: 'a person more', body: object({ name: NAME, role: ROLE, password: { ...PASSWORD, minLength: 8 } }, ['name', 'role', 'password']) },
    config: { role: 'admin', status: 201 },
  }, async (request, reply) => {
    const { role } = /** @type {any} */ (request.body);
    // Whoever it is closes the server: with another role nobody could make the second one here.
    if (request.person.open && role !== 'admin') throw new HttpError('invalid_argument', 'the first person is an admin', { input: role });
    const { user } = await change(request, { action: 'create', .../** @type {any} */ (request.body) });
    return reply.code(201).send({ user: userJson(user) });
  }); // prettier-ignore
  routes.patch('/users/:name', {
    schema: { tags, summary: "a role (admin), or a password (one's own too)", params: object({ name: NAME }, ['name']), body: object({ role: ROLE, password: { ...PASSWORD, minLength: 8 }, current: PASSWORD }) },
    config: { role: 'read' },
  }, async (request) => {
    const { name } = /** @type {any} */ (request.params);
    const { role, password, current } = /** @type {any} */ (request.body);
    const { person } = request;
    const admin = mayDo(person.role, 'admin');
    if (role !== undefined && !admin) throw new HttpError('permission_denied', 'this needs the role admin');
    // By any case of its letters it is the same person: the daemon says whose name it is. Only admins may ask for others.
    const own = person.name === name || (admin && (await accounts(name)).users.some((/** @type {any} */ each) => each.name === person.name));
    if (!own && !admin) throw new HttpError('permission_denied', "another one's password is changed by an admin");
    if (role === undefined && password === undefined) throw new HttpError('invalid_argument', 'a role or a password is needed');
    if (password !== undefined && own) {
      // A page that was left open is not yet the person.
      auth.attempts.check(request.ip);
      if (current === undefined) throw new HttpError('invalid_argument', 'the current password is needed', { input: 'current' });
      try {
        const [{ session }] = await client.call('login', { name, password: current, client: 'password', origin: request.ip });
        await client.call('logout', { session });
      } catch (error) {
        throw refused(error, request.ip);
      }
    }
    let user;
    if (role !== undefined) ({ user } = await change(request, { action: 'role', name, role }));
    if (password !== undefined) ({ user } = await change(request, { action: 'password', name, password }));
    return { user: userJson(user) };
  }); // prettier-ignore
  routes.delete('/users/:name', { schema: { tags, summary: 'a person less', params: object({ name: NAME }, ['name']) }, config: { role: 'admin' } }, async (request) => {
    await change(request, { action: 'remove', name: /** @type {any} */ (request.params).name });
    return {};
  });

  // ---------------------------------------------------------------- keys and sessions

  routes.get('/keys', { schema: { tags, summary: "one's keys" }, config: { role: 'read' } }, async (request) => {
    return { keys: (await accounts(own(request))).keys.map(keyJson) };
  });
  routes.post('/keys', { schema: { tags, summary: 'a key more; its secret is shown once', body: object({ name: text(64) }, ['name']) }, config: { role: 'read', status: 201 } }, async (request, reply) => {
    const { key, secret } = await change(request, { action: 'key', name: own(request), keyName: /** @type {any} */ (request.body).name });
    return reply.code(201).header('cache-control', 'no-store').send({ ...keyJson(key), secret });
  });
  routes.delete('/keys/:id', { schema: { tags, summary: 'a key less', params: byId() }, config: { role: 'read' } }, async (request) => {
    await removeOwn(request, 'keys', 'unkey');
    return {};
  });
  routes.get('/sessions', { schema: { tags, summary: "one's sessions" }, config: { role: 'read' } }, async (request) => {
    const { sessions } = await accounts(own(request));
    return {
      sessions: sessions.map((/** @type {any} */ each) => ({
        id: each.id, client: each.client, created_at: seconds(each.createdAtNs), used_at: secondsOrNull(each.usedAtNs), expires_at: seconds(each.expiresAtNs),
        current: request.person.by === 'session' && each.id === request.person.id,
      })),
    }; // prettier-ignore
  });
  routes.delete('/sessions/:id', { schema: { tags, summary: 'ends a session', params: byId() }, config: { role: 'read' } }, async (request) => {
    await removeOwn(request, 'sessions', 'unsession');
    return {};
  });

  /** @param {FastifyRequest} request @param {'keys' | 'sessions'} what @param {string} action */
  async function removeOwn(request, what, action) {
    const { id } = /** @type {any} */ (request.params);
    const name = own(request);
    const mine = (await accounts(name))[what].some((/** @type {any} */ each) => each.id === id.toLowerCase());
    if (!mine) throw new HttpError('not_found', `none of your ${what} has this id`, { input: id });
    await change(request, { action, name, id });
  }
}

/** The operation id of a changing request: sent again under it, done once. @param {FastifyRequest} request */
export function operationOf({ headers }) {
  const given = headers.operation;
  if (given === undefined) return undefined;
  if (typeof given !== 'string' || !new RegExp(ID.pattern).test(given)) throw new HttpError('invalid_argument', 'Operation takes a UUID', { input: String(given) });
  return given;
}

