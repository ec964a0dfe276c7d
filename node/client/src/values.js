/**
 * Messages of the contract into JavaScript values and back, by reflection. The rules, for every message:
 *
 *   * names are those of protobuf's JSON mapping: `path_display` is `pathDisplay`;
 *   * an id (16 bytes, RFC 9562) is a UUID's text, null when it is not set; other bytes (paths!) are a Buffer;
 *   * `*Ns` and `inode` are BigInt, which alone holds them (2^53 ns are 104 days); other numbers are numbers;
 *   * an Error is an instance of the class of its code; a message that is not set is null;
 *   * `fieldsJson` and the like are the text as it came; `fields` beside it parses it when it is first asked for.
 */
import { CODE_NAMES, CODE_NUMBERS } from './contract.js';
import { ERRORS, Internal, InvalidArgument, MediadError, ProtocolError } from './errors.js';

/** @import protobuf from 'protobufjs' */
/** @typedef {(value: any) => any} Convert */

const EMPTY = Buffer.alloc(0);
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const JSON_SUFFIX = 'Json';

// Bytes fields that are ids; every other is a path or opaque. test/values.test.js makes sure that each is one of both.
const ID_FIELDS = new Set(['item', 'host', 'operation', 'epoch', 'successor', 'left', 'entries']);
const ID_FIELDS_OF = new Set([
  'Item.id', 'Target.id', 'Collection.id', 'Operation.id', 'Lineage.old', 'Lineage.new', 'Offer.old', 'Offer.new',
  'RelateReply.other', 'AccountRequest.id', 'ApiKey.id', 'Session.id', 'AuthenticateReply.id',
  'BrowseRequest.id', 'BrowseRequest.artist', 'Artist.id', 'Album.id', 'Album.artistId', 'Album.artistIds', 'Album.cover',
  'BrowseRequest.of', 'Link.album', 'Link.artists',
]);

/**
 * Whether a field of type bytes holds ids.
 * @param {protobuf.Field} field
 * @returns {boolean}
 */
export function isIdField(field) {
  return ID_FIELDS.has(field.name) || ID_FIELDS_OF.has(`${field.parent?.name}.${field.name}`);
}

/**
 * Whether a field of 64 bits does not fit a number.
 * @param {protobuf.Field} field
 * @returns {boolean}
 */
export function isBigField(field) {
  return field.name.endsWith('Ns') || field.name === 'inode';
}

/**
 * Whether null tells "not set" from the type's empty value.
 * @param {protobuf.Field} field
 * @returns {boolean}
 */
export function hasPresence(field) {
  return field.partOf !== null && !field.repeated;
}

/**
 * Whether `text` is a UUID in its usual form (RFC 9562, section 4).
 * @param {unknown} text
 * @returns {text is string}
 */
export function isUuid(text) {
  return typeof text === 'string' && UUID.test(text);
}

/**
 * @param {Uint8Array} data 16 bytes, or none
 * @returns {string | null}
 * @throws {ProtocolError} for any other length
 */
export function uuidFromBytes(data) {
  if (data.length === 0) return null;
  if (data.length !== 16) throw new ProtocolError(`an id has 16 bytes, not ${data.length}`, { input: data });
  const hex = /** @type {Buffer} */ (data).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/**
 * @param {string} text
 * @returns {Buffer} 16 bytes
 * @throws {InvalidArgument} when it is not a UUID
 */
export function uuidToBytes(text) {
  if (!isUuid(text)) throw new InvalidArgument('this is not a UUID', { input: String(text) });
  return Buffer.from(text.replaceAll('-', ''), 'hex');
}

// ---------------------------------------------------------------- from the wire

/**
 * The error of a wire error, not thrown. A code this version does not know is `internal`: the list is closed, so only
 * a broken peer sends one.
 * @param {any} error
 * @returns {MediadError}
 */
export function errorFromWire(error) {
  const kind = ERRORS[CODE_NAMES.get(error.code) ?? ''] ?? Internal;
  const { message, input, inputDisplay, retryable, position } = error;
  return new kind(message, { input: toBuffer(input), inputDisplay, retryable, position });
}

/**
 * @param {{ toNumber(): number, toString(): string } | number} value
 * @returns {number}
 */
function toNumber(value) {
  if (typeof value === 'number') return value;
  const number = value.toNumber();
  if (!Number.isSafeInteger(number)) throw new ProtocolError(`${value} is more than this field holds`);
  return number;
}

/** @param {any} value a Long, or a number where it is not set */
const toBig = (value) => (typeof value === 'number' ? BigInt(value) : value.toBigInt());

/** @param {Uint8Array} data */
const toBuffer = (data) => (data.length ? /** @type {Buffer} */ (data) : EMPTY);

/** @param {any} value */
const same = (value) => value;

/**
 * @param {protobuf.Field} field
 * @returns {Convert}
 */
function reader(field) {
  const { type, resolvedType } = field;
  if (resolvedType && 'fields' in resolvedType) {
    return resolvedType.name === 'Error' ? errorFromWire : decoder(/** @type {protobuf.Type} */ (resolvedType));
  }
  if (type === 'bytes') return isIdField(field) ? uuidFromBytes : toBuffer;
  if (type.endsWith('64')) return isBigField(field) ? toBig : toNumber;
  return same;
}

/** @type {Map<protobuf.Type, Convert>} */
const decoders = new Map();

/**
 * The function that makes a value of a decoded message of this type. Values of one type share a class of its name.
 * @param {protobuf.Type} type
 * @returns {Convert}
 * @throws {ProtocolError} (the function) for an id that is none, a number that does not fit
 */
export function decoder(type) {
  const known = decoders.get(type);
  if (known) return known;
  const Value = valueClass(type);
  /** @type {[string, Convert, boolean, boolean][]} */
  let fields;
  const decode = (/** @type {any} */ message) => {
    const value = new Value();
    for (const [name, read, repeated, nullable] of fields) {
      const given = message[name];
      if (repeated) value[name] = given.length ? (read === same ? given : given.map(read)) : [];
      else if (nullable && (given == null || !Object.hasOwn(message, name))) value[name] = null;
      else value[name] = read(given);
    }
    return value;
  };
  decoders.set(type, decode); // before its fields: a type may hold itself
  fields = type.fieldsArray.map((field) => [
    field.name,
    reader(field),
    field.repeated,
    hasPresence(field) || (field.resolvedType !== null && 'fields' in field.resolvedType),
  ]);
  return decode;
}

/**
 * @param {protobuf.Type} type
 * @returns {new () => Record<string, any>}
 */
function valueClass(type) {
  const Value = { [type.name]: class {} }[type.name];
  for (const { name } of type.fieldsArray) {
    if (!name.endsWith(JSON_SUFFIX)) continue;
    Object.defineProperty(Value.prototype, name.slice(0, -JSON_SUFFIX.length), {
      configurable: true,
      /** @this {any} */
      get() {
        const parsed = parseJson(this[name]);
        Object.defineProperty(this, name.slice(0, -JSON_SUFFIX.length), { value: parsed, writable: true });
        return parsed;
      },
    });
  }
  Object.defineProperty(Value.prototype, 'toJSON', { configurable: true, value: describe });
  return Value;
}

/**
 * @param {string} text
 * @returns {any} {} for an empty text
 */
function parseJson(text) {
  if (!text) return {};
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ProtocolError('mediad sent fields that are not JSON', { cause: error });
  }
}

/**
 * What goes into JSON, as protobuf's JSON mapping has it: bytes in base64, BigInt in decimal; JSON texts parsed.
 * @this {Record<string, any>}
 */
function describe() {
  /** @type {Record<string, any>} */
  const described = {};
  for (const [name, value] of Object.entries(this)) {
    if (name.endsWith(JSON_SUFFIX)) {
      const parsed = name.slice(0, -JSON_SUFFIX.length);
      described[parsed] = this[parsed];
    } else described[name] = Array.isArray(value) ? value.map(plain) : plain(value);
  }
  return described;
}

/** @param {any} value */
function plain(value) {
  if (typeof value === 'bigint') return String(value);
  return Buffer.isBuffer(value) ? value.toString('base64') : value;
}

// ---------------------------------------------------------------- to the wire

/**
 * @param {protobuf.Field} field
 * @param {any} value
 * @returns {never}
 */
function refuse(field, value) {
  const wanted = `${field.parent?.name}.${field.name} takes ${isIdField(field) ? 'a UUID' : field.type}`;
  throw new InvalidArgument(`${wanted}, not ${typeof value}`, { input: String(value) });
}

const RANGES = Object.freeze({
  uint32: [0, 0xffffffff], int32: [-0x80000000, 0x7fffffff], sint32: [-0x80000000, 0x7fffffff],
  uint64: [0, Infinity], int64: [-Infinity, Infinity],
}); // prettier-ignore

/**
 * @param {protobuf.Field} field
 * @param {any} value
 * @returns {any} what protobufjs encodes
 */
function write(field, value) {
  const { type, resolvedType } = field;
  if (resolvedType && 'fields' in resolvedType) {
    if (resolvedType.name === 'Error' && value instanceof MediadError) return errorToWire(value);
    return encodable(/** @type {protobuf.Type} */ (resolvedType), value);
  }
  if (type === 'bytes') {
    if (value instanceof Uint8Array) return value;
    if (typeof value !== 'string') refuse(field, value);
    return isIdField(field) ? uuidToBytes(value) : Buffer.from(value);
  }
  const range = /** @type {Record<string, readonly number[]>} */ (RANGES)[type];
  if (range) {
    const fits = typeof value === 'bigint' ? type.endsWith('64') : Number.isSafeInteger(value);
    if (!fits || value < range[0] || value > range[1]) refuse(field, value);
    if (typeof value !== 'bigint') return value;
    if (BigInt.asIntN(64, value) !== value && BigInt.asUintN(64, value) !== value) refuse(field, value);
    // The form that protobufjs takes without a library for 64-bit numbers.
    return { low: Number(BigInt.asIntN(32, value)), high: Number(BigInt.asIntN(32, value >> 32n)), unsigned: value >= 0n };
  }
  const wanted = /** @type {Record<string, string>} */ ({ string: 'string', bool: 'boolean', double: 'number' })[type];
  if (wanted !== undefined && typeof value !== wanted) refuse(field, value);
  return value;
}

/** @param {MediadError} error */
function errorToWire({ code, message, input, inputDisplay, retryable, position }) {
  return { code: CODE_NUMBERS.get(code), message, input, inputDisplay, retryable, position };
}

/**
 * What protobufjs encodes for a value of this type: the reverse of `decoder`. Names and types are checked, since
 * protobuf would pass over a misspelt name in silence. undefined and null are left out.
 * @param {protobuf.Type} type
 * @param {Record<string, any>} value
 * @returns {Record<string, any>}
 * @throws {InvalidArgument} naming the field
 */
export function encodable(type, value) {
  if (typeof value !== 'object' || value === null) {
    throw new InvalidArgument(`${type.name} is an object`, { input: String(value) });
  }
  /** @type {Record<string, any>} */
  const message = {};
  for (const name of Object.keys(value)) {
    const field = type.fields[name];
    const given = value[name];
    if (!field) throw new InvalidArgument(`${type.name} has no field of this name`, { input: name });
    if (given === undefined || given === null) continue;
    if (field.repeated) {
      if (typeof given === 'string' || typeof given[Symbol.iterator] !== 'function') refuse(field, given);
      message[name] = Array.from(given, (each) => write(field, each));
    } else message[name] = write(field, given);
  }
  return message;
}
