/**
 * Frames: a length of four bytes, most significant first, and as many bytes of one protobuf message.
 * The rule is proto/README.md, "Frames". Nothing here reads or writes a socket.
 */
import { ProtocolError } from './errors.js';

export const HEADER_BYTES = 4;

/**
 * A ClientFrame whose field `tag` is an encoded message, framed. By hand, so that the message is copied once
 * (protobuf, "Encoding": a LEN field is tag << 3 | 2, a varint length, the bytes).
 * @param {number} tag 1 to 15
 * @param {Uint8Array} message
 * @returns {Buffer}
 */
export function frame(tag, message) {
  let lengthBytes = 1;
  for (let rest = message.length; rest > 0x7f; rest >>>= 7) lengthBytes += 1;
  const payload = 1 + lengthBytes + message.length;
  const data = Buffer.allocUnsafe(HEADER_BYTES + payload);
  data.writeUInt32BE(payload, 0);
  data[HEADER_BYTES] = (tag << 3) | 2;
  let at = HEADER_BYTES + 1;
  let rest = message.length;
  for (; rest > 0x7f; rest >>>= 7) data[at++] = (rest & 0x7f) | 0x80;
  data[at++] = rest;
  data.set(message, at);
  return data;
}

/**
 * Cuts a stream of bytes into the payloads of frames. Each payload has memory of its own, copied once, so that the
 * socket's buffer can be used again and views into a payload stay valid. Memory is one frame at most.
 */
export class FrameReader {
  #header = Buffer.alloc(HEADER_BYTES);
  #headerFilled = 0;
  /** @type {Buffer | null} */
  #payload = null;
  #filled = 0;

  /** @param {number} limit the longest payload accepted, in bytes; it may be changed later */
  constructor(limit) {
    this.limit = limit;
  }

  /** Whether a frame has begun and is not whole. */
  get pending() {
    return this.#headerFilled > 0 || this.#payload !== null;
  }

  /**
   * Takes bytes as they came from the peer, in pieces of any size, and yields the payloads that are whole.
   * @param {Uint8Array} data
   * @returns {Generator<Buffer, void>}
   * @throws {ProtocolError} for a length of 0 or over `limit`, as soon as the four bytes are there
   */
  *feed(data) {
    let at = 0;
    while (at < data.length) {
      if (this.#payload === null) {
        while (this.#headerFilled < HEADER_BYTES && at < data.length) this.#header[this.#headerFilled++] = data[at++];
        if (this.#headerFilled < HEADER_BYTES) return;
        const length = this.#header.readUInt32BE(0);
        if (length === 0 || length > this.limit) {
          throw new ProtocolError(`a frame of ${length} bytes; 1 to ${this.limit} are accepted`);
        }
        this.#headerFilled = 0;
        this.#payload = Buffer.allocUnsafe(length);
        this.#filled = 0;
      }
      const take = Math.min(this.#payload.length - this.#filled, data.length - at);
      this.#payload.set(data.subarray(at, at + take), this.#filled);
      this.#filled += take;
      at += take;
      if (this.#filled < this.#payload.length) return;
      const whole = this.#payload;
      this.#payload = null;
      yield whole;
    }
  }
}
