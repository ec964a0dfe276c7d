/**
 * The client's side of one connection, without I/O: bytes in, calls of `events` out; requests in, bytes out.
 * The rules, by bytes: proto/README.md.
 *
 * Requests in flight stand in an array of fixed length, the slot being part of the id. A Map of them is slower by half
 * under load: its replaced tables keep replies alive in old space (measured: four segments of 3 s, 8 in flight).
 */
import { messageType } from './contract.js';
import { LimitExceeded, MediadError, ProtocolError } from './errors.js';
import { frame, FrameReader } from './framing.js';
import { splitRequest } from './parts.js';
import { decoder, errorFromWire } from './values.js';

export const PROTOCOL_MIN = 1;
export const PROTOCOL_MAX = 1;
// What holds before the greeting, and a client takes larger frames than that up to the second, should a later server
// announce them.
const FRAME_BYTES = 1024 * 1024;
const FRAME_BYTES_MAX = 16 * 1024 * 1024;
const ID_BITS = 32;

const HELLO = messageType('Hello');
const CANCEL = messageType('Cancel');
const SERVER_FRAME = messageType('ServerFrame');
const greetingFrom = decoder(messageType('Greeting'));

/**
 * What the daemon says of itself.
 * @typedef {import('./messages.js').Greeting & { limits: import('./messages.js').Limits }} Greeting
 */

/**
 * What a session tells of. `reply` is the decoded message of protobufjs, `bytes` the size of its frame.
 * @template T
 * @typedef {object} SessionEvents
 * @property {(greeting: Greeting) => void} greeted
 * @property {(call: T, reply: any, bytes: number) => void} reply
 * @property {(error: MediadError) => void} ended nothing follows: refused, wrong bytes, or the server's last word
 */

/** @template T what stands for a request: it is given back with its replies */
export class ClientSession {
  #reader = new FrameReader(FRAME_BYTES);
  #events;
  /** @type {({ id: number, call: T } | null)[]} */
  #slots = [];
  /** @type {number[]} */
  #free = [];
  /** @type {number[]} */
  #generations = [];
  #slotBits = 0;
  #inFlight = 0;

  /**
   * @param {SessionEvents<T>} events
   * @param {{ client: string, require?: readonly string[] }} options `client`: name and version, for logs; `require`:
   *   capabilities without which it does not want to go on
   */
  constructor(events, { client, require = [] }) {
    this.#events = events;
    this.client = client;
    this.require = require;
    /** @type {Greeting | null} */
    this.greeting = null;
    this.closed = false;
  }

  /** How many requests were sent whose last reply has not come. */
  get inFlight() {
    return this.#inFlight;
  }

  /** Whether one more request may be sent. */
  get hasRoom() {
    return this.greeting !== null && !this.closed && this.#inFlight < this.greeting.limits.requestsInFlight;
  }

  /** Whether a frame has begun and is not whole. */
  get midFrame() {
    return this.#reader.pending;
  }

  /** @returns {Buffer} the first frame */
  hello() {
    const { client, require } = this;
    const hello = { protocolMin: PROTOCOL_MIN, protocolMax: PROTOCOL_MAX, client, require };
    return frame(1, HELLO.encode(hello).finish());
  }

  /**
   * The frames of a request; large ones go in parts.
   * @param {Record<string, any>} request as protobufjs takes it
   * @param {string} command
   * @param {T} call
   * @param {number} [id] default: one made of a free slot and how often it was used, so that a Cancel on its way for
   *   an id just freed does not meet a new request
   * @returns {{ id: number, data: Buffer[] }}
   * @throws {LimitExceeded} for more in flight, or a larger one, than the greeting allows
   */
  request(request, command, call, id = 0) {
    if (this.greeting === null || this.closed) throw new Error('request() outside of a greeted connection');
    if (!this.hasRoom) throw new LimitExceeded(`${this.greeting.limits.requestsInFlight} requests are in flight`);
    const slot = id ? this.#slotOf(id) : this.#free[this.#free.length - 1];
    if (this.#slots[slot]) throw new Error(`request id ${id} is in flight`);
    // 0 is no id
    const generation = (this.#generations[slot] + 1) % 2 ** (ID_BITS - this.#slotBits) || 1;
    const used = id || generation * 2 ** this.#slotBits + slot;
    const parts = splitRequest({ ...request, id: used }, command, this.greeting.limits);
    if (!id) this.#generations[slot] = generation;
    this.#free.splice(this.#free.lastIndexOf(slot), 1);
    this.#slots[slot] = { id: used, call };
    this.#inFlight += 1;
    return { id: used, data: parts.map((part) => frame(2, part)) };
  }

  /**
   * @param {number} id
   * @returns {Buffer | null} the Cancel of a request in flight (its last reply still comes), null for one that is over
   */
  cancel(id) {
    return this.#slots[this.#slotOf(id)]?.id === id ? frame(3, CANCEL.encode({ id }).finish()) : null;
  }

  /** Takes every request out of flight, as when the connection is lost. @returns {T[]} in the order of their slots */
  abandon() {
    const calls = this.#slots.flatMap((each) => (each ? [each.call] : []));
    this.closed = true;
    this.#slots = [];
    this.#inFlight = 0;
    return calls;
  }

  /**
   * Takes what the socket gave. Wrong bytes end the session, with `ended`.
   * @param {Uint8Array} data
   */
  receive(data) {
    if (this.closed) return;
    try {
      for (const payload of this.#reader.feed(data)) {
        this.#take(payload);
        if (this.closed) return;
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#end(error);
    }
  }

  /** @param {number} id */
  #slotOf(id) {
    return id % 2 ** this.#slotBits;
  }

  /** @param {MediadError} error */
  #end(error) {
    this.closed = true;
    this.#events.ended(error);
  }

  /** @param {Buffer} payload */
  #take(payload) {
    const received = /** @type {any} */ (decodeFrame(payload));
    if (this.greeting === null) {
      if (!received.greeting) throw new ProtocolError('mediad sent no Greeting');
      this.#takeGreeting(received.greeting);
    } else if (received.reply) this.#takeReply(received.reply, payload.length);
    else throw new ProtocolError(received.greeting ? 'mediad sent a second Greeting' : 'a frame of no known kind');
  }

  /** @param {any} message */
  #takeGreeting(message) {
    if (message.error) return this.#end(errorFromWire(message.error));
    /** @type {Greeting} */
    const greeting = greetingFrom(message);
    if (greeting.protocol < PROTOCOL_MIN || greeting.protocol > PROTOCOL_MAX) {
      throw new ProtocolError(`a Greeting in protocol ${greeting.protocol}`);
    }
    if (!greeting.limits?.requestsInFlight) throw new ProtocolError('a Greeting without limits');
    this.greeting = greeting;
    this.#reader.limit = Math.max(FRAME_BYTES, Math.min(greeting.limits.outboundFrameBytes, FRAME_BYTES_MAX));
    this.#slotBits = Math.ceil(Math.log2(greeting.limits.requestsInFlight));
    const count = 2 ** this.#slotBits;
    this.#slots = new Array(count).fill(null);
    this.#generations = new Array(count).fill(0);
    this.#free = Array.from({ length: count }, (_, index) => count - 1 - index);
    this.#events.greeted(greeting);
  }

  /**
   * @param {any} reply
   * @param {number} bytes
   */
  #takeReply(reply, bytes) {
    if (reply.id === 0 && reply.error) return this.#end(errorFromWire(reply.error));
    const slot = this.#slotOf(reply.id);
    const entry = this.#slots[slot];
    if (!entry || entry.id !== reply.id) {
      throw new ProtocolError(`a reply to request ${reply.id}, which is not in flight`);
    }
    if (reply.error) reply.last = true;
    if (reply.last) {
      this.#slots[slot] = null;
      this.#free.push(slot);
      this.#inFlight -= 1;
    }
    this.#events.reply(entry.call, reply, bytes);
  }
}

/** @param {Buffer} payload */
function decodeFrame(payload) {
  try {
    return SERVER_FRAME.decode(payload);
  } catch (error) {
    throw new ProtocolError('mediad sent a frame that is not a ServerFrame', { cause: error });
  }
}
