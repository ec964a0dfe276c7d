/** Who asks: a cookie's session, a Bearer key, or nobody while nobody has an account. The daemon knows, this remembers for seconds. */
import { createHash } from 'node:crypto';
import { LimitExceeded, MediadError, PermissionDenied, Unsupported } from 'mediadb';
import { isLoopback } from './config.js';
import { HttpError } from './errors.js';

/** @import { FastifyRequest, FastifyReply } from 'fastify' */
/** @import { Library } from './library.js' */
/** @import { Person, Role } from './types.js' */

export const COOKIE = 'mediadb_session';
const REMEMBERED_MS = 5000; // a session that is ended elsewhere is ended here by then
const REMEMBERED = 1000;
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip']; // RFC 7239, and what was there before it
const ATTEMPTS = 20; // with wrong credentials from one address
const WINDOW_MS = 60_000;

/** Each role may do what those before it may (settled 24). @type {readonly Role[]} */
export const ROLES = ['read', 'write', 'organise', 'admin'];

/** @param {Role} role @param {Role} needed */
export const mayDo = (role, needed) => ROLES.indexOf(role) >= ROLES.indexOf(needed);

/** The smaller of both: what the server itself may not do at the daemon, no person does through it. @param {string} a @param {string} b @returns {Role} */
export const smaller = (a, b) => ROLES[Math.max(0, Math.min(ROLES.indexOf(/** @type {Role} */ (a)), ROLES.indexOf(/** @type {Role} */ (b))))];

/** How often wrong credentials came from an address in the last minute. Bounded: the oldest are forgotten. */
export class Attempts {
  /** @type {Map<string, { count: number, since: number }>} */
  #of = new Map();

  /** @param {string} origin @throws {HttpError} limit_exceeded, 429 */
  check(origin) {
    const found = this.#of.get(origin);
    if (!found) return;
    const passed = performance.now() - found.since;
    if (passed > WINDOW_MS) this.#of.delete(origin);
    else if (found.count >= ATTEMPTS) {
      throw new HttpError('limit_exceeded', 'too many attempts with wrong credentials', { status: 429, retryAfter: Math.ceil((WINDOW_MS - passed) / 1000) });
    }
  }

  /** @param {string} origin */
  failed(origin) {
    const found = this.#of.get(origin);
    if (found) found.count += 1;
    else {
      if (this.#of.size >= 10_000) this.#of.delete(/** @type {string} */ (this.#of.keys().next().value));
      this.#of.set(origin, { count: 1, since: performance.now() });
    }
  }
}

/** @param {string | undefined} header @param {string} name @returns {string | undefined} RFC 6265, section 4.2.1 */
export function cookieOf(header, name) {
  for (const each of (header ?? '').split(';')) {
    const at = each.indexOf('=');
    if (at > 0 && each.slice(0, at).trim() === name) return each.slice(at + 1).trim().replace(/^"(.*)"$/, '$1');
  }
  return undefined;
}

export class Auth {
  /** @type {Map<string, { until: number, found: Promise<Person | null> }>} by the digest of what was shown: no secret stays in memory */
  #known = new Map();

  /**
   * @param {Library} library
   * @param {{ listen: { host: string }, trusted_proxies: string[] }} config
   */
  constructor(library, { listen, trusted_proxies }) {
    this.library = library;
    // A proxy speaks for others: what it is told on 127.0.0.1 can come from anywhere.
    this.loopback = isLoopback(listen.host) && trusted_proxies.length === 0;
    this.attempts = new Attempts();
  }

  /** Forgets what it remembers: an account, key or session was changed through this server. */
  forget() {
    this.#known.clear();
  }

  /**
   * Whose the credentials are.
   * @param {{ session?: string, key?: string, name?: string, token?: string, salt?: string }} shown none: nobody's
   * @param {string} origin address of who asks, for the limit of attempts
   * @returns {Promise<Person | null>} null: nobody's
   * @throws {HttpError} limit_exceeded
   * @throws {MediadError} unavailable
   */
  async identify(shown, origin) {
    // A session is 256 random bits, which nobody guesses; a page whose session has ended asks for a hundred pictures at once,
    // and is to log in then. Nor does a browser that is logged in wait for what others of its house or proxy guess.
    if (shown.session === undefined) this.attempts.check(origin);
    const text = JSON.stringify([shown.session, shown.key, shown.name, shown.token, shown.salt]);
    const digest = createHash('sha256').update(text).digest('base64');
    const now = performance.now();
    const known = this.#known.get(digest);
    if (known && known.until > now) return known.found;
    this.#known.delete(digest);
    const found = this.#ask(shown, origin);
    if (this.#known.size >= REMEMBERED) this.#known.delete(/** @type {string} */ (this.#known.keys().next().value));
    this.#known.set(digest, { until: now + REMEMBERED_MS, found });
    try {
      const person = await found;
      // A wrong one is asked for again each time: the daemon counts attempts too, and a new session is good at once.
      if (person === null) this.#known.delete(digest);
      return person;
    } catch (error) {
      this.#known.delete(digest);
      throw error;
    }
  }

  /** @param {Parameters<Auth['identify']>[0]} shown @param {string} origin @returns {Promise<Person | null>} */
  async #ask(shown, origin) {
    const { client } = this.library;
    const nothing = Object.values(shown).every((each) => each === undefined);
    try {
      const [{ user, id, nobody }] = await client.call('authenticate', { ...shown, origin }, { deadlineMs: client.deadlineMs });
      const role = client.greeting?.role ?? 'read';
      if (user) return { name: user.name, role: smaller(user.role, role), open: false, id: idText(id), by: shown.session === undefined ? 'key' : 'session' };
      return nobody && nothing ? this.#open(role) : null;
    } catch (error) {
      if (error instanceof Unsupported) return nothing ? this.#open(client.greeting?.role ?? 'read') : null;
      if (error instanceof LimitExceeded) throw new HttpError('limit_exceeded', error.message, { status: 429, retryAfter: 60 });
      if (!(error instanceof PermissionDenied)) throw error;
      if (shown.session === undefined) this.attempts.failed(origin);
      return null;
    }
  }

  /** While nobody has an account: whoever is on this machine is the server's own account. @param {string} role @returns {Person | null} */
  #open(role) {
    return this.loopback ? { name: '', role: smaller(role, 'admin'), open: true, id: null, by: 'open' } : null;
  }

  /**
   * @param {FastifyRequest} request
   * @returns {Promise<Person | null>}
   * @throws {HttpError} limit_exceeded
   */
  async person(request) {
    const { authorization, cookie } = request.headers;
    const bearer = /^Bearer +([\x21-\x7e]{1,512})$/i.exec(authorization ?? '');
    if (bearer) return this.identify({ key: bearer[1] }, request.ip);
    const basic = /^Basic +([A-Za-z0-9+/=]{1,1024})$/i.exec(authorization ?? '');
    if (basic) {
      // A name and a key, for programs that know no Bearer; never a password, which would be sent with each request.
      const [name, ...key] = Buffer.from(basic[1], 'base64').toString().split(':');
      return this.identify({ name, key: key.join(':') }, request.ip);
    }
    const session = cookieOf(cookie, COOKIE);
    if (session !== undefined && session !== '' && session.length <= 512) {
      const person = await this.identify({ session }, request.ip);
      if (person) return person;
    }
    return this.nobody(request);
  }

  /**
   * Who asks without any credentials: while nobody has an account, this machine; but not what a proxy of it sent on that
   * `trusted_proxies` does not name, and that says so: it may come from anywhere.
   * @param {FastifyRequest} request
   * @returns {Promise<Person | null>}
   */
  async nobody(request) {
    return FORWARDED.some((name) => request.headers[name] !== undefined) ? null : this.identify({}, request.ip);
  }

  /**
   * Lets a request in, or not.
   * @param {FastifyRequest} request
   * @param {Role} needed
   * @returns {Promise<Person>}
   * @throws {HttpError} unauthorized (401), permission_denied (403)
   */
  async admit(request, needed) {
    const person = await this.person(request);
    if (person === null) {
      throw new HttpError('unauthorized', 'this needs a person: log in, or send a key', { headers: { 'www-authenticate': 'Bearer realm="mediadb"' } });
    }
    if (!mayDo(person.role, needed)) {
      throw new HttpError('permission_denied', `this needs the role ${needed}, ${person.name || 'this server'} has ${person.role}`);
    }
    return person;
  }
}

/** @param {any} id UUID text or bytes @returns {string | null} */
function idText(id) {
  return typeof id === 'string' ? id : null;
}

/**
 * The cookie of a session.
 * @param {FastifyRequest} request
 * @param {FastifyReply} reply
 * @param {string} session '' ends it
 * @param {number} [expires] seconds since the epoch
 */
export function setCookie(request, reply, session, expires) {
  const age = session === '' ? 0 : Math.max(0, Math.round((expires ?? 0) - Date.now() / 1000));
  reply.header('set-cookie', `${COOKIE}=${session}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${age}${request.protocol === 'https' ? '; Secure' : ''}`);
}

/** Tells an absence of the daemon from a refusal. @param {unknown} error */
export const isAway = (error) => error instanceof MediadError && (error.code === 'unavailable' || error.code === 'shutting_down');
