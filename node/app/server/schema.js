/** Pieces of the routes' JSON Schemas; /openapi.json is made of them. */

export const ID = Object.freeze({ type: 'string', pattern: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$', description: 'a UUID (RFC 9562)' });
export const NUMBER = Object.freeze({ type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
export const KINDS = Object.freeze(['audio', 'video', 'image', 'document', 'file']);
export const QUERY_TEXT = 4096;
const TRUE = Object.freeze({ type: 'string', enum: ['0', '1', 'true', 'false'] });
export const text = (/** @type {number} */ most, /** @type {string} */ description = '') => ({ type: 'string', maxLength: most, ...(description ? { description } : {}) });

/** @param {Record<string, any>} properties @param {string[]} [required] */
export const object = (properties, required = []) => ({ type: 'object', properties, additionalProperties: false, ...(required.length ? { required } : {}) });
/** @param {any} items @param {number} [most] */
export const list = (items, most) => ({ type: 'array', items, ...(most ? { maxItems: most } : {}) });

export const Q = Object.freeze({ type: 'string', maxLength: QUERY_TEXT, description: 'a question (docs/query.md)' });
export const PAGE = Object.freeze({
  limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
  cursor: { type: 'string', maxLength: 2048, pattern: '^[A-Za-z0-9_-]*$', description: 'next of the reply before' },
});
export const FLAG = TRUE;
/** @param {string | undefined} flag */
export const isSet = (flag) => flag === '1' || flag === 'true';

/** @param {string} [kind] of what has the id */
export const byId = (kind) => object(kind === 'number' ? { id: NUMBER } : { id: ID }, ['id']);
/** Of every kind of item: /audio/:id, /file/:id ... */
export const byKind = Object.freeze(object({ kind: { type: 'string', enum: KINDS }, id: ID }, ['kind', 'id']));
export const KIND_PATH = '/:kind(^audio|video|image|document|file$)/:id';

/** At most so many ids in one request; the daemon takes more, a URL or page has no use for it. */
export const MANY = 10_000;
export const IDS = Object.freeze(list(ID, MANY));
/** Items by ids, or by a question. */
export const MEANT = Object.freeze({ ids: IDS, q: Q });

/** @param {string | undefined} cursor @returns {Buffer | undefined} */
export const cursorOf = (cursor) => (cursor ? Buffer.from(cursor, 'base64url') : undefined);
/** @param {string | undefined} names with commas */
export const names = (names) => (names ?? '').split(',').map((each) => each.trim()).filter(Boolean); // prettier-ignore
