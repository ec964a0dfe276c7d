/** One connection: the socket around a `ClientSession`. */
import { ConnectionLost, MediadError, ShuttingDown, Unavailable } from './errors.js';
import { connect } from './locate.js';
import { ClientSession } from './session.js';

/** @import { Call } from './call.js' */
/** @import { Opened } from './locate.js' */
/** @import { Greeting } from './session.js' */

/**
 * @typedef {object} ConnectionOptions
 * @property {readonly string[]} paths
 * @property {string} name of the client, for the daemon's log
 * @property {readonly string[]} require capabilities
 * @property {number} greetMs milliseconds until the daemon has greeted
 */

export class Connection {
  #socket;
  /** @type {ClientSession<Call>} */
  #session;
  /** @type {Buffer[]} */
  #unsent = [];
  #flush = () => this.#write();
  /** Called when something may be sent again: a slot became free, or the socket took what was written. */
  onReady = () => {};
  /** @type {(error: MediadError, calls: Call[]) => void} with the requests that were in flight */
  onLost = (_error, calls) => {
    for (const call of calls) call.fail(_error);
  };
  /** @type {MediadError | null} */
  lost = null;
  /** @type {Greeting | null} */
  greeting = null;

  /**
   * @param {ConnectionOptions} options
   * @returns {Promise<Connection>} greeted
   * @throws {MediadError} as `connect` of locate.js; what the daemon refuses with; Unavailable without a greeting in time
   */
  static async open(options) {
    const connection = new Connection(await connect(options.paths), options);
    await connection.#greeted(options.greetMs);
    return connection;
  }

  /**
   * @param {Opened} opened
   * @param {ConnectionOptions} options
   */
  constructor(opened, { name, require }) {
    this.#socket = opened.socket;
    this.#session = new ClientSession(
      {
        greeted: (greeting) => {
          this.greeting = greeting;
          this.#settleGreeting();
        },
        reply: (call, reply, bytes) => {
          if (reply.last) call.connection = null;
          call.take(reply, bytes);
          if (reply.last) this.onReady();
        },
        ended: (error) => this.lose(error),
      },
      { client: name, require },
    );
    opened.onBytes = (data) => this.#session.receive(data);
    this.#socket.on('drain', () => this.onReady());
    this.#socket.on('error', (error) => {
      this.lose(new ConnectionLost(`the connection to mediad is lost: ${error.message}`, { cause: error }));
    });
    this.#socket.on('close', () => this.lose(new ConnectionLost('mediad ended the connection')));
    this.#socket.write(this.#session.hello());
  }

  #settleGreeting = () => {};

  /** @param {number} milliseconds */
  async #greeted(milliseconds) {
    await new Promise((resolve) => {
      const late = () => this.lose(new Unavailable('mediad did not greet in time'));
      const timer = setTimeout(late, milliseconds);
      this.#settleGreeting = () => {
        clearTimeout(timer);
        resolve(undefined);
      };
      if (this.lost) this.#settleGreeting();
    });
    if (this.lost) throw this.lost;
  }

  /** Whether one more request may be sent now; else `onReady` tells when. */
  get hasRoom() {
    return this.lost === null && this.#session.hasRoom && !this.#socket.writableNeedDrain;
  }

  /**
   * Sends a request. What is sent in one turn of the loop is one write.
   * @param {Call} call
   * @throws {LimitExceeded} when it is larger than the greeting allows
   */
  send(call) {
    const { id, data } = this.#session.request(call.message(), call.command.name, call);
    call.id = id;
    call.connection = this;
    call.attempts += 1;
    this.#push(data);
  }

  /** Says that an answer is no longer wanted; its slot is free when the last reply has come. @param {Call} call */
  cancel(call) {
    const data = this.lost ? null : this.#session.cancel(call.id);
    if (data) this.#push([data]);
  }

  /** @param {Buffer[]} data */
  #push(data) {
    if (this.#unsent.length === 0) process.nextTick(this.#flush);
    this.#unsent.push(...data);
  }

  #write() {
    const data = this.#unsent;
    this.#unsent = [];
    if (this.lost === null && data.length > 0 && this.#socket.writable) this.#socket.write(data.length === 1 ? data[0] : Buffer.concat(data));
  }

  /** Stops reading: the daemon notices, and waits with what it has for this connection (for 30 s, then it ends it). */
  pause() {
    this.#socket.pause();
  }

  resume() {
    this.#socket.resume();
  }

  /** Ends the connection; what was in flight goes to `onLost`. @param {MediadError} error */
  lose(error) {
    if (this.lost !== null) return;
    this.#write(); // a Cancel may be among it
    this.lost = error;
    this.#socket.destroySoon();
    const calls = this.#session.abandon();
    for (const call of calls) call.connection = null;
    this.#settleGreeting();
    this.onLost(error, calls);
  }

  /** Whether a request that was in flight may have an answer when it is sent again. @param {MediadError} error */
  static passes(error) {
    return error instanceof ConnectionLost || error instanceof ShuttingDown;
  }
}
