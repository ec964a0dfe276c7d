/** What OpenSubsonic answers: one value as JSON, JSONP or XML. https://opensubsonic.netlify.app/docs/responses/subsonic-response/ */
import { HttpError } from '../errors.js';
import { MediadError } from 'mediadb';

export const PROTOCOL = '1.16.1';

/** Codes of https://opensubsonic.netlify.app/docs/responses/error/ */
export const CODE = Object.freeze({
  generic: 0, missing: 10, clientOld: 20, serverOld: 30, wrong: 40, noToken: 41, mechanism: 42, conflicting: 43, badKey: 44, forbidden: 50, notFound: 70,
}); // prettier-ignore

/** A failure in the words of the protocol: answered with status 200. */
export class SubsonicError extends Error {
  /** @param {number} code of CODE @param {string} message */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * Code and message of whatever went wrong; null for what is a fault of this program.
 * @param {unknown} error
 * @returns {{ code: number, message: string } | null}
 */
export function failureOf(error) {
  if (error instanceof SubsonicError) return { code: error.code, message: error.message };
  if (!(error instanceof HttpError) && !(error instanceof MediadError)) return null;
  const message = error.message;
  switch (error.code) {
    case 'not_found': return { code: CODE.notFound, message };
    case 'unauthorized': return { code: CODE.wrong, message };
    case 'permission_denied': return { code: CODE.forbidden, message };
    case 'internal': return null;
    default: return { code: CODE.generic, message };
  } // prettier-ignore
}

/**
 * The envelope.
 * @param {string} version of this server
 * @param {Record<string, any>} content `{ error }`, or what was asked for under its name
 */
export const envelope = (version, content) => ({
  status: 'error' in content ? 'failed' : 'ok',
  version: PROTOCOL,
  type: 'mediadb',
  serverVersion: version,
  openSubsonic: true,
  ...content,
});

const ESCAPES = /** @type {Record<string, string>} */ ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\n': '&#10;', '\r': '&#13;', '\t': '&#9;' });
// XML 1.0, 2.2: what no document may have, not even escaped
// eslint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/** @param {unknown} value */
const escaped = (value) => String(value).toWellFormed().replace(FORBIDDEN, '\ufffd').replace(/[&<>"\n\r\t]/g, (each) => ESCAPES[each]);

/**
 * An element: scalars are attributes, objects and lists of objects child elements, lists of scalars child elements with
 * text, and `value` the text of the element itself, as the XML of Subsonic has it.
 * @param {string} name
 * @param {any} content
 * @param {string[]} into
 */
function element(name, content, into) {
  if (content === null || typeof content !== 'object') {
    into.push(`<${name}>${escaped(content)}</${name}>`);
    return;
  }
  into.push(`<${name}`);
  /** @type {[string, any][]} */
  const below = [];
  let text = '';
  for (const [key, value] of Object.entries(content)) {
    if (value === undefined || value === null) continue;
    if (typeof value === 'object') below.push([key, value]);
    else if (key === 'value') text = escaped(value);
    else into.push(` ${key}="${escaped(value)}"`);
  }
  if (below.length === 0 && text === '') {
    into.push('/>');
    return;
  }
  into.push('>', text);
  for (const [key, value] of below) {
    for (const each of Array.isArray(value) ? value : [value]) element(key, each, into);
  }
  into.push(`</${name}>`);
}

/** @param {ReturnType<typeof envelope>} answer @returns {string} a document in the namespace of the XSD */
export function xmlOf(answer) {
  /** @type {string[]} */
  const parts = ['<?xml version="1.0" encoding="UTF-8"?>\n'];
  element('subsonic-response', { xmlns: 'http://subsonic.org/restapi', ...answer }, parts);
  return parts.join('');
}

const CALLBACK = /^[A-Za-z_$][\w$.]{0,99}$/; // a name, never an expression

/**
 * @param {ReturnType<typeof envelope>} answer
 * @param {string | undefined} format json, jsonp, else xml
 * @param {string | undefined} callback of jsonp
 * @returns {{ type: string, text: string }}
 * @throws {SubsonicError} a callback that is no name
 */
export function written(answer, format, callback) {
  if (format !== 'json' && format !== 'jsonp') return { type: 'text/xml; charset=utf-8', text: xmlOf(answer) };
  const text = JSON.stringify({ 'subsonic-response': answer });
  if (format === 'json') return { type: 'application/json; charset=utf-8', text };
  if (!CALLBACK.test(callback ?? '')) throw new SubsonicError(callback === undefined ? CODE.missing : CODE.generic, 'callback: the name of a function is needed');
  // U+2028 and U+2029 end a line of older JavaScript
  const safe = text.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029').replaceAll('<', '\\u003c');
  return { type: 'text/javascript; charset=utf-8', text: `/**/${callback}(${safe});` };
}
