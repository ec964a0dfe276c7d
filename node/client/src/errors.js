/**
 * The closed list of error codes, one class a code. The same names, upper case, are `Code` in proto/mediadb.proto;
 * what each means, and which are retryable, is in proto/README.md, "Errors".
 */

const NOTHING = Buffer.alloc(0);

/**
 * What an error may say beside its sentence.
 * @typedef {object} ErrorDetails
 * @property {Uint8Array | string} [input] what it is about, as it was given (a path, an id's text, the query)
 * @property {string} [inputDisplay] the same for people
 * @property {boolean} [retryable] the same request may succeed later; default: as usual for the code
 * @property {number} [position] query_syntax: offset into the query text in characters (code points)
 * @property {unknown} [cause]
 */

/** Base of all errors of this package. */
export class MediadError extends Error {
  /** A word of the closed list, lower case: switch over it, never over messages. */
  static code = 'internal';
  static retryable = false;

  /**
   * @param {string} message one sentence for a person
   * @param {ErrorDetails} [details]
   */
  constructor(message, details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    const own = /** @type {typeof MediadError} */ (new.target);
    this.name = own.name;
    /** @type {string} */
    this.code = own.code;
    const { input = NOTHING } = details;
    /** @type {Buffer} what it is about, as it was given: a path stays bytes */
    this.input = typeof input === 'string' ? Buffer.from(input) : asBuffer(input);
    /** @type {string} */
    this.inputDisplay = details.inputDisplay ?? this.input.toString();
    /** @type {boolean} the same request may succeed later */
    this.retryable = details.retryable ?? own.retryable;
    /** @type {number} query_syntax: offset into the query text in characters (code points) */
    this.position = details.position ?? 0;
  }

  /** @returns {string} code, sentence and input, in one line */
  toString() {
    return `${this.code}: ${this.message}${this.inputDisplay ? ` (${this.inputDisplay})` : ''}`;
  }

  /** What goes into JSON: the input as text for people, since bytes have no place there. */
  toJSON() {
    const { code, message, inputDisplay: input, retryable, position } = this;
    return { code, message, input, retryable, position };
  }
}

/** @param {Uint8Array} data */
function asBuffer(data) {
  return Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

/** The request or a value in it is not of the form the field takes. */
export class InvalidArgument extends MediadError {
  static code = 'invalid_argument';
}
/** The bytes are not this protocol; the connection ends. */
export class ProtocolError extends MediadError {
  static code = 'protocol_error';
}
/** Larger or more than the announced limits. */
export class LimitExceeded extends MediadError {
  static code = 'limit_exceeded';
}
/** The peer's role does not allow it, or the file system refuses. */
export class PermissionDenied extends MediadError {
  static code = 'permission_denied';
}
/** No such item, file, root, folder. */
export class NotFound extends MediadError {
  static code = 'not_found';
}
export class AlreadyExists extends MediadError {
  static code = 'already_exists';
}
/** An operation id used for another request; a file that changes while it is read. */
export class Conflict extends MediadError {
  static code = 'conflict';
  static retryable = true;
}
/** No handler, scope, algorithm or capability for this. */
export class Unsupported extends MediadError {
  static code = 'unsupported';
}
/** The file is not what it claims to be. */
export class Corrupt extends MediadError {
  static code = 'corrupt';
}
/** The file system failed. */
export class InputOutputError extends MediadError {
  static code = 'io_error';
  static retryable = true;
}
/** `input` is the text, `position` points into it. */
export class QuerySyntax extends MediadError {
  static code = 'query_syntax';
}
/** A cursor of another query or version. */
export class StaleCursor extends MediadError {
  static code = 'stale_cursor';
}
/** The daemon, its database or a volume is away. */
export class Unavailable extends MediadError {
  static code = 'unavailable';
  static retryable = true;
}
export class DeadlineExceeded extends MediadError {
  static code = 'deadline_exceeded';
  static retryable = true;
}
/** Given up by its AbortSignal, whose reason is the `cause`. */
export class Cancelled extends MediadError {
  static code = 'cancelled';
}
export class ShuttingDown extends MediadError {
  static code = 'shutting_down';
  static retryable = true;
}
export class DiskFull extends MediadError {
  static code = 'disk_full';
  static retryable = true;
}
/** The file has killed its handler; parked until file or handler changes. */
export class Poison extends MediadError {
  static code = 'poison';
}
/** A fault of mediad, and logged there. */
export class Internal extends MediadError {
  static code = 'internal';
}

/** No daemon answers at any of the places looked at. */
export class DaemonNotRunning extends Unavailable {}
/** The connection ended while an answer was due. */
export class ConnectionLost extends Unavailable {}

/** The class of each code. @type {Readonly<Record<string, typeof MediadError>>} */
export const ERRORS = Object.freeze(
  Object.fromEntries(
    [
      InvalidArgument, ProtocolError, LimitExceeded, PermissionDenied, NotFound, AlreadyExists, Conflict, Unsupported,
      Corrupt, InputOutputError, QuerySyntax, StaleCursor, Unavailable, DeadlineExceeded, Cancelled, ShuttingDown,
      DiskFull, Poison, Internal,
    ].map((kind) => [kind.code, kind]),
  ),
);
