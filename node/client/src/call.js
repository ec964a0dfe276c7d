/** A request on its way: what it asks, who waits for it, and when it is given up. */
import { Cancelled, DeadlineExceeded, InvalidArgument, ShuttingDown } from './errors.js';
import { messageType } from './contract.js';
import { decoder, errorFromWire } from './values.js';

/** @import { Connection } from './connection.js' */
/** @import { Command } from './contract.js' */

const GRACE_MS = 1000; // a daemon that keeps the deadline answers within this after it
const progressFrom = decoder(messageType('Progress'));

/**
 * How far a request is. Not an acknowledgement of anything.
 * @callback ProgressCallback
 * @param {import('./messages.js').Progress} progress
 * @returns {void}
 */

/**
 * What every method takes beside its own.
 * @typedef {object} CallOptions
 * @property {number} [deadlineMs] milliseconds until DeadlineExceeded, from now, waiting for a turn included. Default:
 *   the client's, for what neither walks nor hashes nor streams; 0: none
 * @property {AbortSignal} [signal] gives the request up, with Cancelled; the daemon is told
 * @property {ProgressCallback} [onProgress]
 * @property {string} [actor] the person on whose behalf; default: the client's
 * @property {string} [operation] UUID of a changing request; default: a new one
 */

/**
 * @typedef {object} CallSpec
 * @property {Command} command
 * @property {Record<string, any>} request as protobufjs takes it; no id
 * @property {(result: any, bytes: number) => void} keep gets each result, decoded
 * @property {number} deadlineMs 0: none
 * @property {AbortSignal} [signal]
 * @property {ProgressCallback} [onProgress]
 */

// One listener a signal: a person's many requests share one, and Node warns of the eleventh listener.
/** @type {WeakMap<AbortSignal, { waiting: Set<() => void>, tell: () => void }>} */
const signals = new WeakMap();

/** @param {AbortSignal} signal @param {() => void} callback */
function listen(signal, callback) {
  let known = signals.get(signal);
  if (!known) {
    /** @type {Set<() => void>} */
    const waiting = new Set();
    known = { waiting, tell: () => [...waiting].forEach((each) => each()) };
    signals.set(signal, known);
    signal.addEventListener('abort', known.tell, { once: true });
  }
  known.waiting.add(callback);
}

/** @param {AbortSignal} signal @param {() => void} callback */
function leave(signal, callback) {
  const known = signals.get(signal);
  known?.waiting.delete(callback);
  if (known?.waiting.size === 0) {
    signal.removeEventListener('abort', known.tell);
    signals.delete(signal);
  }
}

export class Call {
  /** @type {Connection | null} the one it was sent by */
  connection = null;
  id = 0;
  attempts = 0;
  done = false;
  /** Whether a request that a stopping daemon refused goes to its successor. @type {() => boolean} */
  onRefused = () => false;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  #until = Infinity;
  #onAbort = () => this.giveUp(new Cancelled('the request was given up', { cause: this.signal?.reason }));
  /** @type {() => void} */
  #resolve = () => {};
  /** @type {(error: Error) => void} */
  #reject = () => {};

  /** @param {CallSpec} spec */
  constructor({ command, request, keep, deadlineMs, signal, onProgress }) {
    if (!(deadlineMs >= 0 && deadlineMs <= 0x7fffffff)) {
      throw new InvalidArgument('a deadline is 0 to 2^31-1 milliseconds', { input: String(deadlineMs) });
    }
    this.command = command;
    this.request = request;
    this.keep = keep;
    this.signal = signal;
    this.onProgress = onProgress;
    this.resultName = command.name === 'ping' ? 'pong' : command.name;
    this.decode = decoder(command.reply);
    /** @type {Promise<void>} ends with the last reply, or with the error that ends the request */
    this.finished = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (deadlineMs) {
      this.#until = performance.now() + deadlineMs;
      const expire = () => this.giveUp(new DeadlineExceeded('mediad did not answer in time', { input: command.name }));
      this.#timer = setTimeout(expire, deadlineMs + GRACE_MS);
    }
    if (signal?.aborted) this.#onAbort();
    else if (signal) listen(signal, this.#onAbort);
  }

  /** Whether it is done once however often it is sent. */
  get repeatable() {
    return Boolean(this.request.operation);
  }

  /** The request as it is sent now: with what is left of its deadline. @returns {Record<string, any>} */
  message() {
    if (this.#until === Infinity) return this.request;
    return { ...this.request, deadlineMs: Math.max(1, Math.ceil(this.#until - performance.now())) };
  }

  /**
   * Takes a reply of the daemon's.
   * @param {any} reply the decoded message of protobufjs
   * @param {number} bytes
   */
  take(reply, bytes) {
    if (this.done) return; // given up before
    try {
      if (reply.error) {
        const error = errorFromWire(reply.error);
        if (error instanceof ShuttingDown && this.onRefused()) return;
        this.fail(error);
      } else if (reply.progress) this.onProgress?.(progressFrom(reply.progress));
      else if (reply[this.resultName]) this.keep(this.decode(reply[this.resultName]), bytes);
      if (reply.last && !this.done) this.#finish(this.#resolve);
    } catch (error) {
      // A callback's own error, or a value that is none: it belongs to who waits, not to the socket.
      this.giveUp(/** @type {Error} */ (error));
    }
  }

  /** Ends it with an error; its slot is free, or the connection is gone. @param {Error} error */
  fail(error) {
    if (!this.done) this.#finish(() => this.#reject(error));
  }

  /** Ends it with an error while the daemon may still be at it: the daemon is told. @param {Error} error */
  giveUp(error) {
    this.fail(error);
    this.connection?.cancel(this);
  }

  /** @param {() => void} settle */
  #finish(settle) {
    this.done = true;
    clearTimeout(this.#timer);
    if (this.signal) leave(this.signal, this.#onAbort);
    settle();
  }
}
