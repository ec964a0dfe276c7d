/** The parameters of a request, from the URL and from a form (extension formPost), and what each must be. */
import { CODE, SubsonicError } from './answer.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const FOLDER = /^di-(\d{1,15})$/;

/** The id of a folder, beside which all other ids are UUIDs. @param {number} id */
export const folderId = (id) => `di-${id}`;

export class Asks {
  /** @param {URLSearchParams} parameters */
  constructor(parameters) {
    this.parameters = parameters;
  }

  /** @param {string} name @returns {string | undefined} */
  text(name) {
    return this.parameters.get(name) ?? undefined;
  }

  /** @param {string} name @returns {string} @throws {SubsonicError} it is missing */
  needed(name) {
    const value = this.text(name);
    if (value === undefined || value === '') throw new SubsonicError(CODE.missing, `required parameter is missing: ${name}`);
    return value;
  }

  /** @param {string} name @returns {string[]} */
  all(name) {
    return this.parameters.getAll(name).filter((each) => each !== '');
  }

  /**
   * @param {string} name
   * @param {number} otherwise
   * @param {{ least?: number, most?: number, whole?: boolean }} [bounds] what is beyond them is cut
   * @returns {number}
   */
  number(name, otherwise, { least = 0, most = Number.MAX_SAFE_INTEGER, whole = true } = {}) {
    const given = this.text(name);
    if (given === undefined || given === '') return otherwise;
    const value = Number(given);
    if (!Number.isFinite(value) || (whole && !Number.isInteger(value))) throw new SubsonicError(CODE.generic, `${name}: a number is needed, not ${given.slice(0, 40)}`);
    return Math.min(most, Math.max(least, value));
  }

  /** @param {string} name @param {boolean} otherwise */
  truth(name, otherwise) {
    const given = this.text(name);
    return given === undefined || given === '' ? otherwise : given.toLowerCase() === 'true' || given === '1';
  }

  /**
   * Ids of items, albums, artists: UUIDs. Others are nothing that was ever given out.
   * @param {string} name
   * @returns {string[]}
   * @throws {SubsonicError} not found
   */
  ids(name) {
    return this.all(name).map((each) => uuidOf(each));
  }

  /** @param {string} name @returns {string} */
  id(name) {
    return uuidOf(this.needed(name));
  }
}

/** @param {string} text @returns {string} @throws {SubsonicError} not found */
export function uuidOf(text) {
  if (!UUID.test(text)) throw new SubsonicError(CODE.notFound, `nothing has the id ${text.slice(0, 80)}`);
  return text.toLowerCase();
}

/** @param {string} text @returns {number | null} the number of a folder; null: it is no folder's id */
export function folderOf(text) {
  const found = FOLDER.exec(text);
  return found ? Number(found[1]) : null;
}

/**
 * What a person typed as words of a question: every sign of the query language is taken away, each word finds what
 * begins with it, as clients expect. Quotes mean nothing here; `""` is everything.
 * @param {string} typed
 * @returns {string}
 */
export function wordsOf(typed) {
  const words = typed.normalize('NFC').match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  return words.slice(0, 20).map((word) => (/^(and|or|not|order|in|exists|count)$/i.test(word) ? `"${word}"` : word)).join(' ');
}

/**
 * The term of a question for a field that has exactly this value. In a phrase stands neither a quote nor an asterisk
 * (docs/query.md), and signs do not count; a value of nothing else (the band `!!!`) cannot be asked for: nothing is found.
 * @param {string} field @param {string} value
 */
export const having = (field, value) => (/[\p{L}\p{N}]/u.test(value) ? `${field}="${value.replace(/["*]/g, ' ')}"` : '(kind:audio not kind:audio)');
