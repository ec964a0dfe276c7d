/** Sends a file or a part of it: RFC 9110, sections 13 (conditions) and 14 (ranges). */
import { once } from 'node:events';

/** @import { FileHandle } from 'node:fs/promises' */
/** @import { IncomingMessage, ServerResponse } from 'node:http' */

// One buffer a download: read, written, and only when the socket took it read again. Measured against streams it is the
// quickest and the one whose memory does not grow with slow clients.
const CHUNK = 256 * 1024;

/**
 * @typedef {object} Sent
 * @property {FileHandle} handle closed in any case
 * @property {number} size bytes
 * @property {number} mtime seconds since the epoch
 * @property {string} etag strong, with its quotes
 * @property {Record<string, string>} headers Content-Type and others
 */

/**
 * The part that is asked for. Several ranges, other units and what is not of the form are passed over, as RFC 9110,
 * 14.2 allows: the whole is sent then.
 * @param {string | undefined} header
 * @param {number} size bytes
 * @returns {{ first: number, last: number } | null | 'unsatisfiable'} null: the whole
 */
export function parseRange(header, size) {
  const found = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header ?? '');
  if (!found || (found[1] === '' && found[2] === '')) return null;
  if (found[1] === '') {
    const length = Number(found[2]);
    return length === 0 || size === 0 ? 'unsatisfiable' : { first: Math.max(0, size - length), last: size - 1 };
  }
  const first = Number(found[1]);
  const last = found[2] === '' ? Infinity : Number(found[2]);
  if (last < first) return null;
  return first >= size ? 'unsatisfiable' : { first, last: Math.min(last, size - 1) };
}

/**
 * Whether a list of entity tags has this one. `weak`: compared as RFC 9110, 8.8.3.2 has it for If-None-Match.
 * @param {string} header @param {string} etag @param {boolean} weak
 */
function hasTag(header, etag, weak) {
  if (header.trim() === '*') return true;
  for (const [each] of header.matchAll(/(?:W\/)?"[^"]*"/g)) {
    if (each === etag || (weak && each.startsWith('W/') && each.slice(2) === etag)) return true;
  }
  return false;
}

/** @param {string | undefined} header @returns {number} seconds; NaN for what is no date */
const parseDate = (header) => (header === undefined ? NaN : Date.parse(header) / 1000);

/**
 * @param {IncomingMessage} request
 * @param {{ etag: string, mtime: number }} what
 * @returns {200 | 304 | 412} RFC 9110, 13.2.2
 */
export function checkConditions({ headers }, { etag, mtime }) {
  const whole = Math.floor(mtime); // a date of HTTP has whole seconds
  if (headers['if-match'] !== undefined) {
    if (!hasTag(headers['if-match'], etag, false)) return 412;
  } else if (whole > parseDate(headers['if-unmodified-since'])) return 412;
  if (headers['if-none-match'] !== undefined) {
    if (hasTag(headers['if-none-match'], etag, true)) return 304;
  } else if (whole <= parseDate(headers['if-modified-since'])) return 304;
  return 200;
}

/** @param {IncomingMessage} request @param {{ etag: string, mtime: number }} what @returns {boolean} whether Range counts */
function rangeCounts({ headers }, { etag, mtime }) {
  const condition = headers['if-range'];
  if (condition === undefined) return true;
  // Strong comparison; a date must be exactly the one that was sent.
  return typeof condition === 'string' && (condition.startsWith('"') ? condition === etag : parseDate(condition) === Math.floor(mtime));
}

/**
 * Answers GET or HEAD with the file, and closes it.
 * @param {IncomingMessage} request
 * @param {ServerResponse} response
 * @param {Sent} sent
 */
export async function sendFile(request, response, sent) {
  const { handle, size, mtime, etag } = sent;
  try {
    const headers = { ...sent.headers, etag, 'last-modified': new Date(Math.floor(mtime) * 1000).toUTCString(), 'accept-ranges': 'bytes' };
    const condition = checkConditions(request, sent);
    if (condition !== 200) {
      response.writeHead(condition, condition === 304 ? omit(headers, ['content-type']) : { etag, 'content-length': 0 }).end();
      return;
    }
    // Range has a meaning for GET alone (RFC 9110, 14.2).
    const range = request.method === 'GET' && rangeCounts(request, sent) ? parseRange(request.headers.range, size) : null;
    if (range === 'unsatisfiable') {
      response.writeHead(416, { 'content-range': `bytes */${size}`, 'content-length': 0, 'accept-ranges': 'bytes' }).end();
      return;
    }
    const first = range?.first ?? 0;
    const length = range ? range.last - range.first + 1 : size;
    response.writeHead(range ? 206 : 200, {
      ...headers, 'content-length': length, ...(range ? { 'content-range': `bytes ${first}-${range.last}/${size}` } : {}),
    }); // prettier-ignore
    if (request.method === 'HEAD' || length === 0) response.end();
    else await pour(handle, response, first, length);
  } finally {
    await handle.close();
  }
}

/** @param {Record<string, any>} headers @param {string[]} names */
function omit(headers, names) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}

/**
 * Bytes of a file into a response, as fast as the other side takes them. A file that became shorter meanwhile ends the
 * connection: the other side was told another length.
 * @param {FileHandle} handle
 * @param {ServerResponse} response
 * @param {number} first
 * @param {number} length
 * @returns {Promise<boolean>} whether all of it was taken
 */
export async function pour(handle, response, first, length) {
  const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK, length));
  let place = first;
  let left = length;
  while (left > 0) {
    if (response.destroyed) return false;
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, left), place);
    if (bytesRead === 0) {
      response.destroy();
      return false;
    }
    place += bytesRead;
    left -= bytesRead;
    // The buffer is free again when its bytes went to the kernel: the callback of the write, not `drain`, says so.
    if (!(await written(response, buffer.subarray(0, bytesRead)))) return false;
  }
  response.end();
  return true;
}

/** @param {ServerResponse} response @param {Buffer} bytes @returns {Promise<boolean>} false: the other side is gone */
export function written(response, bytes) {
  return new Promise((resolve) => {
    if (response.destroyed) return resolve(false);
    const close = () => resolve(false);
    response.once('close', close);
    response.write(bytes, (error) => {
      response.off('close', close);
      resolve(!error);
    });
  });
}

/** Waits until a response has room again. @param {ServerResponse} response @param {AbortSignal} signal */
export async function drained(response, signal) {
  await once(response, 'drain', { signal });
}
