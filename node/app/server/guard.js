/** What every request passes first: which Host, which Origin, how much; and what every reply carries. */
import { isIP } from 'node:net';
import { HttpError } from './errors.js';

/** @import { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify' */
/** @import { Config } from './config.js' */

const QUERY_BYTES = 8 * 1024; // of a URL's query: the daemon takes 64 KiB of a question, a URL is no place for that
const BODY_MS = 20_000; // for a body that is no upload
const WRITES = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** The page: nothing from elsewhere, no scripts but its own, in no frame of another's. */
export const PAGE_POLICY =
  "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/**
 * The name of a Host or of an Origin's host, without the port.
 * @param {string} host
 * @returns {string | null} null for what is none
 */
export function hostName(host) {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::\d{1,5})?$/.exec(host);
  return found ? (found[1] ?? found[2]).toLowerCase().replace(/\.$/, '') : null;
}

/**
 * Whether a browser may have been sent here under this name. Addresses cannot be rebound: a page of another site has its
 * own name in Host, and that is refused.
 * @param {string | undefined} host @param {readonly string[]} allowed
 */
export function isAllowedHost(host, allowed) {
  const name = host === undefined ? null : hostName(host);
  if (name === null) return false;
  return isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost') || allowed.includes(name);
}

/**
 * Whether a request that changes something comes from this page, or from a program that knows no origins.
 * @param {FastifyRequest} request
 */
export function isOwnOrigin({ headers, protocol }) {
  const { origin, host } = headers;
  if (origin === undefined) {
    // A browser that sends no Origin says at least this (Fetch Metadata).
    const site = headers['sec-fetch-site'];
    return site === undefined || site === 'same-origin' || site === 'none';
  }
  return origin === `${protocol}://${host}` || origin.replace(/^https?:\/\//, '') === host;
}

/** Where secrets stand in URLs: OpenSubsonic has them in the query. */
const SECRETS = /([?&;](?:p|t|s|apiKey|apikey|session|key|password|token)=)[^&;#]*/gi;

/** @param {string} url */
export const redact = (url) => url.replace(SECRETS, '$1-');

/**
 * @param {FastifyInstance} server
 * @param {Config} config
 */
export function guard(server, config) {
  server.addHook('onRequest', async (request, reply) => {
    const { raw } = request;
    reply.header('x-content-type-options', 'nosniff');
    reply.header('referrer-policy', 'no-referrer');
    reply.header('cross-origin-resource-policy', request.routeOptions.config.cors ? 'cross-origin' : 'same-origin');
    reply.header('content-security-policy', PAGE_POLICY);
    reply.header('x-frame-options', 'DENY');
    if (!isAllowedHost(raw.headers.host, config.allowed_hosts)) {
      throw new HttpError('misdirected', 'this server is not known by that name: allowed_hosts in mediadb-app.toml lists names', { input: raw.headers.host });
    }
    const { cors } = request.routeOptions.config;
    // For routes that say so: pages of any origin, never with cookies. Who asks stands in the request itself (OpenSubsonic).
    if (cors) reply.header('access-control-allow-origin', '*').header('access-control-allow-headers', 'range, content-type').header('access-control-expose-headers', 'content-range, accept-ranges, content-length, x-content-duration');
    if (WRITES.has(request.method) && !cors && !isOwnOrigin(request)) {
      throw new HttpError('permission_denied', 'a page of another origin may not change anything here', { input: request.headers.origin });
    }
    if (WRITES.has(request.method) && !request.routeOptions.config.slow) endSlow(request, reply);
    const query = request.url.indexOf('?');
    if (query >= 0 && request.url.length - query > QUERY_BYTES) {
      throw new HttpError('limit_exceeded', `the query of a URL has at most ${QUERY_BYTES} bytes`, { status: 414 });
    }
  });
}

/** Ends a connection whose small body does not come: one byte a minute is no request. @param {FastifyRequest} request @param {FastifyReply} reply */
function endSlow({ raw }, reply) {
  if (raw.headers['content-length'] === undefined && raw.headers['transfer-encoding'] === undefined) return;
  const late = setTimeout(() => raw.destroy(), BODY_MS);
  const done = () => clearTimeout(late);
  raw.once('end', done);
  reply.raw.once('close', done);
}
