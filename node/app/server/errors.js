/** Errors of the HTTP interface: the closed codes of proto/README.md, "Errors", and the statuses of docs/http.md. */
import { MediadError } from 'mediadb';

/** @type {Readonly<Record<string, number>>} */
const STATUS = Object.freeze({
  invalid_argument: 400, query_syntax: 400, stale_cursor: 400, protocol_error: 502, unauthorized: 401,
  permission_denied: 403, not_found: 404, already_exists: 409, conflict: 409, limit_exceeded: 413, unsupported: 415,
  corrupt: 422, poison: 422, unavailable: 503, shutting_down: 503, disk_full: 507, deadline_exceeded: 504,
  cancelled: 499, io_error: 500, internal: 500, misdirected: 421,
}); // prettier-ignore

/** Seconds after which a client may ask again. */
const RETRY_AFTER = 2;

/** What is answered with a status and a code of the closed list. */
export class HttpError extends Error {
  /**
   * @param {string} code a word of the closed list, or `unauthorized` (401), `misdirected` (421): HTTP knows more of who asks
   * @param {string} message one sentence for a person
   * @param {{ input?: string, status?: number, retryAfter?: number, headers?: Record<string, string>, position?: number }} [details]
   *   `retryAfter`: seconds
   */
  constructor(code, message, { input, status, retryAfter, headers, position } = {}) {
    super(message);
    this.name = 'HttpError';
    this.code = code;
    this.input = input;
    this.status = status ?? STATUS[code] ?? 500;
    this.retryAfter = retryAfter;
    this.position = position;
    this.headers = headers ?? {};
  }
}

/** @param {string} what @param {string} id */
export const notFound = (what, id) => new HttpError('not_found', `no ${what} of this id`, { input: id });

/**
 * The body of an error, without anything that only the server's logs should say.
 * @param {{ code: string, message: string, input?: string, position?: number, retryable?: boolean }} error
 */
const bodyOf = ({ code, message, input, position, retryable }) => ({
  error: {
    code,
    message,
    ...(input ? { input } : {}),
    ...(position !== undefined ? { position } : {}),
    ...(retryable ? { retryable } : {}),
  },
});

/**
 * What stands in place of a result in JSON: of a file, of a step.
 * @param {MediadError} error
 */
export const problemOf = ({ code, message, inputDisplay }) => ({ code, message, ...(inputDisplay ? { input: inputDisplay } : {}) });

/**
 * Status, headers and body of an error.
 * @param {unknown} error
 * @returns {{ status: number, headers: Record<string, string>, body: ReturnType<typeof bodyOf>, fault: boolean }} `fault`: of
 *   this program, and worth a line in its log
 */
export function describeError(error) {
  if (error instanceof HttpError) {
    const { code, message, input, status, retryAfter, position } = error;
    const headers = { ...error.headers, ...(retryAfter ? { 'retry-after': String(retryAfter) } : {}) };
    const retryable = retryAfter !== undefined;
    return { status, headers, body: bodyOf({ code, message, input, position, retryable }), fault: status === 500 };
  }
  if (error instanceof MediadError) {
    const { code, message, inputDisplay: input, retryable } = error;
    const position = code === 'query_syntax' ? error.position : undefined;
    const status = STATUS[code] ?? 500;
    const headers = { ...(status === 503 ? { 'retry-after': String(RETRY_AFTER) } : {}) };
    return { status, headers, body: bodyOf({ code, message, input, position, retryable }), fault: code === 'internal' };
  }
  const { statusCode, code, message, validation } = /** @type {any} */ (error);
  if (validation || (statusCode >= 400 && statusCode < 500)) {
    // Fastify's own: a body over the limit, of a wrong type, not JSON, or not of the schema.
    const known = statusCode === 413 ? 'limit_exceeded' : statusCode === 415 ? 'unsupported' : statusCode === 404 ? 'not_found' : 'invalid_argument';
    const input = validation?.[0] ? `${validation[0].instancePath || ''}`.slice(1) || undefined : undefined;
    return { status: statusCode ?? 400, headers: {}, body: bodyOf({ code: known, message, input }), fault: false };
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return { status: 507, headers: {}, body: bodyOf({ code: 'disk_full', message: 'the disk is full', retryable: true }), fault: true };
  }
  return { status: 500, headers: {}, body: bodyOf({ code: 'internal', message: 'a fault of mediadb-app, which is in its log' }), fault: true };
}
