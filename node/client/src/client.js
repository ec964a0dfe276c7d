/** The client: one connection, made when it is needed and again after a loss; requests in flight; streams. */
import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Call } from './call.js';
import { Connection } from './connection.js';
import { COMMANDS } from './contract.js';
import {
  Cancelled, ConnectionLost, DaemonNotRunning, InvalidArgument, MediadError, ShuttingDown, Unavailable,
} from './errors.js'; // prettier-ignore
import { listSockets } from './locate.js';
import { ANSWERED, CHANGING } from './table.js';
import { encodable } from './values.js';

/** @import { CallOptions } from './call.js' */
/** @import { Greeting } from './session.js' */

const { name, version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

const ANSWER_MS = 30_000; // for whatever neither walks nor hashes
const RECONNECT_MS = 10_000; // a daemon that is restarted is back by then
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;
const ATTEMPTS = 3; // of a request with an operation id: one that ends the daemon each time is not sent for ever
const STREAM_BYTES = 256 * 1024; // of replies that nobody has taken yet; then the stream's connection is not read

/**
 * @typedef {object} ClientOptions
 * @property {string} [socketPath] default: $MEDIAD_SOCKET, $XDG_RUNTIME_DIR/mediad/socket, /run/mediad/socket
 * @property {string} [actor] the person on whose behalf; default: the peer itself
 * @property {number} [deadlineMs] milliseconds for each answer that neither walks nor hashes, and for the greeting;
 *   default: 30 s; 0: no deadline
 * @property {number} [reconnectMs] how long requests wait for a daemon that went away; default: 10 s
 * @property {number} [patienceMs] how long the first connection waits for a daemon that is not there yet; default: 0
 * @property {readonly string[]} [require] capabilities without which the client does not want to go on
 */

/**
 * A connection to mediad with many requests in flight. Emits `connected` (Greeting) and `lost` (MediadError).
 * The commands are methods of `Client` in commands.js.
 */
export class BaseClient extends EventEmitter {
  /** @type {Connection | null} */
  #connection = null;
  /** @type {Promise<void> | null} */
  #connecting = null;
  /** @type {Call[]} */
  #queue = [];
  #head = 0; // of the queue: entries before it are gone
  #lostAt = -Infinity;
  #closed = false;
  #closing = new AbortController();
  /** @type {Set<Connection>} those of streams, and those that end when what is in flight on them has ended */
  #others = new Set();
  #options;

  /** @param {ClientOptions} [options] */
  constructor(options = {}) {
    super();
    const { socketPath, deadlineMs = ANSWER_MS, require = [] } = options;
    /** @type {string} */
    this.actor = options.actor ?? '';
    this.deadlineMs = deadlineMs;
    this.reconnectMs = options.reconnectMs ?? RECONNECT_MS;
    this.patienceMs = options.patienceMs ?? 0;
    this.#options = {
      paths: listSockets(socketPath), name: `${name}-node/${version}`, require, greetMs: deadlineMs || ANSWER_MS,
    }; // prettier-ignore
  }

  /** What the daemon said of itself; null without a connection. @returns {Greeting | null} */
  get greeting() {
    return this.#connection?.greeting ?? null;
  }

  /**
   * Connects unless connected. Not needed: the first request connects.
   * @returns {Promise<Greeting>}
   * @throws {MediadError} DaemonNotRunning, PermissionDenied, Unavailable, or what the daemon refuses with
   */
  async connect() {
    this.#refuseClosed();
    if (!this.#connection) await this.#connect();
    return /** @type {Greeting} */ (/** @type {Connection | null} */ (this.#connection)?.greeting);
  }

  /** Ends the connections. Requests in flight are given up, with ConnectionLost. */
  close() {
    this.#closed = true;
    const error = new ConnectionLost('the client was closed');
    this.#closing.abort(error);
    this.#connection?.lose(error);
    for (const other of [...this.#others]) other.lose(error);
    this.#failQueue(error);
  }

  /**
   * Sends any command of proto/mediadb.proto, by its name there.
   * @param {string} command `query`, `get`, ...
   * @param {Record<string, any>} [request] the fields of its request, named as in JavaScript (`values.js`)
   * @param {CallOptions} [options]
   * @returns {Promise<any[]>} its results in order, progress apart
   * @throws {MediadError} the daemon's answer; InvalidArgument for a name or value that the request does not take
   */
  async call(command, request = {}, options = {}) {
    /** @type {any[]} */
    const results = [];
    const deadlineMs = options.deadlineMs ?? (ANSWERED.has(command) ? this.deadlineMs : 0);
    const call = this.#makeCall(command, request, { ...options, deadlineMs }, (result) => results.push(result));
    call.onRefused = () => this.#retry(call);
    this.#submit(call);
    await call.finished;
    return results;
  }

  /**
   * The results of any command one by one, as they come. It has a connection of its own, which is not read while
   * nobody takes: the daemon waits, other requests do not. A daemon of which nothing is taken for 30 s ends it.
   * @param {string} command
   * @param {Record<string, any>} [request]
   * @param {CallOptions} [options]
   * @returns {AsyncGenerator<any, void, void>} leaving the loop cancels the request
   * @throws {MediadError} as `call`, from the first `next` on
   */
  async *stream(command, request = {}, options = {}) {
    /** @type {{ result: any, bytes: number }[]} */
    const waiting = [];
    let held = 0;
    let wake = () => {};
    /** @type {Connection | null} */
    let connection = null;
    const call = this.#makeCall(command, request, options, (result, bytes) => {
      waiting.push({ result, bytes });
      held += bytes;
      if (held > STREAM_BYTES) connection?.pause();
      wake();
    });
    /** @type {{ error?: Error } | null} */
    let end = null;
    call.finished.then(() => ({}), (error) => ({ error })).then((found) => {
      end = found;
      wake();
    }); // prettier-ignore
    try {
      if (!call.done) {
        connection = await this.#openWithPatience(call.signal);
        this.#others.add(connection);
        if (!call.done) connection.send(call);
      }
      for (;;) {
        const next = waiting.shift();
        if (next) {
          held -= next.bytes;
          if (held <= STREAM_BYTES / 2) connection?.resume();
          yield next.result;
        } else if (end !== null) {
          const { error } = /** @type {{ error?: Error }} */ (end);
          if (error) throw error;
          return;
        } else await new Promise((resolve) => (wake = () => resolve(undefined)));
      }
    } finally {
      call.giveUp(new Cancelled('nobody takes the stream any more'));
      if (connection) {
        this.#others.delete(connection);
        connection.lose(new ConnectionLost('the stream was closed'));
      }
    }
  }

  /**
   * Waits before trying again, with a pause that doubles.
   * @param {number} attempt from 0
   * @param {AbortSignal} [signal]
   */
  async pauseBefore(attempt, signal) {
    const longest = Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS);
    const stop = new AbortController();
    const abort = () => stop.abort();
    const signals = signal ? [signal, this.#closing.signal] : [this.#closing.signal];
    for (const each of signals) each.addEventListener('abort', abort);
    try {
      // Half of it by chance: the clients of a daemon that was restarted do not come all at once.
      await sleep(longest * (0.5 + Math.random() / 2), undefined, { signal: stop.signal });
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    } finally {
      for (const each of signals) each.removeEventListener('abort', abort);
    }
    this.#refuseClosed();
    if (signal?.aborted) throw new Cancelled('the request was given up', { cause: signal.reason });
  }

  #refuseClosed() {
    if (this.#closed) throw new ConnectionLost('the client was closed', { retryable: false });
  }

  /**
   * @param {string} command
   * @param {Record<string, any>} request
   * @param {CallOptions} options
   * @param {(result: any, bytes: number) => void} keep
   */
  #makeCall(command, request, { deadlineMs = 0, signal, onProgress, actor = this.actor, operation }, keep) {
    this.#refuseClosed();
    const known = COMMANDS.get(command);
    if (!known) throw new InvalidArgument('no command of this name', { input: command });
    const envelope = encodable(/** @type {any} */ (known.request.parent).lookupType('Request'), {
      actor: actor || null, operation: operation ?? (CHANGING.has(command) ? randomUUID() : null), [command]: request,
    }); // prettier-ignore
    return new Call({ command: known, request: envelope, keep, deadlineMs, signal, onProgress });
  }

  /** @param {Call} call */
  #submit(call) {
    if (call.done) return;
    if (this.#head === this.#queue.length && this.#connection?.hasRoom) this.#send(this.#connection, call);
    else {
      this.#queue.push(call);
      this.#pump();
    }
  }

  /**
   * @param {Connection} connection
   * @param {Call} call
   */
  #send(connection, call) {
    try {
      connection.send(call);
    } catch (error) {
      call.fail(/** @type {Error} */ (error)); // too large: its own fault, the others go on
    }
  }

  /** Sends what waits, as far as there is room. */
  #pump() {
    const connection = this.#connection;
    if (connection === null) {
      // Who waits is told by `#failQueue`; there is nobody else to tell.
      if (this.#head < this.#queue.length) this.#connect().catch(() => {});
      return;
    }
    while (this.#head < this.#queue.length && connection.hasRoom) {
      const call = this.#queue[this.#head++];
      if (!call.done) this.#send(connection, call);
    }
    if (this.#head * 2 >= this.#queue.length) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** @param {Error} error */
  #failQueue(error) {
    const waiting = this.#queue.slice(this.#head);
    this.#queue = [];
    this.#head = 0;
    for (const call of waiting) call.fail(error);
  }

  /** Connects; at most once at a time. Fails what waits when it cannot. @returns {Promise<void>} */
  #connect() {
    this.#connecting ??= this.#openWithPatience().then(
      (connection) => {
        this.#connecting = null;
        this.#connection = connection;
        connection.onReady = () => this.#pump();
        connection.onLost = (error, calls) => this.#lose(connection, error, calls);
        this.emit('connected', connection.greeting);
        this.#pump();
      },
      (error) => {
        this.#connecting = null;
        this.#failQueue(error);
        throw error;
      },
    );
    return this.#connecting;
  }

  /**
   * Opens a connection. A daemon that went away a moment ago is waited for, others as long as `patienceMs` says.
   * @param {AbortSignal} [signal]
   * @returns {Promise<Connection>}
   */
  async #openWithPatience(signal) {
    const begin = performance.now();
    const until = Math.max(begin + this.patienceMs, this.#lostAt + this.reconnectMs);
    for (let attempt = 0; ; attempt += 1) {
      try {
        const connection = await Connection.open(this.#options);
        if (this.#closed) connection.lose(new ConnectionLost('the client was closed'));
        this.#refuseClosed();
        return connection;
      } catch (error) {
        const passing = error instanceof Unavailable || error instanceof ShuttingDown;
        // One that is there and busy is as good as one that greets late.
        const there = passing && !(error instanceof DaemonNotRunning);
        const last = there ? Math.max(until, begin + this.#options.greetMs) : until;
        if (!passing || this.#closed || performance.now() >= last) throw error;
      }
      await this.pauseBefore(attempt, signal);
    }
  }

  /**
   * The daemon refuses requests because it is stopping: its connection takes no new ones, and one that is done once goes
   * to its successor. @param {Call} call @returns {boolean} whether it does
   */
  #retry(call) {
    if (this.#connection) {
      this.#others.add(this.#connection);
      this.#connection = null;
      this.#lostAt = performance.now();
    }
    if (this.#closed || !call.repeatable || call.attempts >= ATTEMPTS) return false;
    this.#submit(call);
    return true;
  }

  /**
   * @param {Connection} connection
   * @param {MediadError} error
   * @param {Call[]} calls those that were in flight on it
   */
  #lose(connection, error, calls) {
    if (!this.#others.delete(connection)) {
      this.#connection = null;
      this.#lostAt = performance.now();
    }
    /** @type {Call[]} */
    const again = [];
    for (const call of calls) {
      const repeat = !this.#closed && call.repeatable && call.attempts < ATTEMPTS && Connection.passes(error);
      if (repeat && !call.done) again.push(call);
      else call.fail(error);
    }
    this.#queue = again.concat(this.#queue.slice(this.#head));
    this.#head = 0;
    if (!this.#closed) this.emit('lost', error);
    this.#pump();
  }
}
