/** Requests in parts: cutting a large one into frames. Rule: proto/README.md, "Parts". */
import { messageType } from './contract.js';
import { LimitExceeded } from './errors.js';

/** @import protobuf from 'protobufjs' */

// Least charge for an entry of a list, as the daemon counts.
const ENTRY_BYTES = 32;
// Room left in a frame for the envelope: the frame's tag and length, and the request's own fields after the command.
const ENVELOPE_BYTES = 64;
const TAG_AND_LENGTH_BYTES = 6; // of a list's entry, at their longest

const REQUEST = messageType('Request');

/**
 * The encoded parts of a request: one, unless it is larger than a frame. Its lists are what can be cut; everything
 * else goes in the first part.
 * @param {Record<string, any>} request as protobufjs takes it, with its id
 * @param {string} command the name of its command
 * @param {{ inboundFrameBytes: number, requestBytes: number }} limits of the greeting
 * @returns {Uint8Array[]}
 * @throws {LimitExceeded} when it is over `requestBytes`, or one entry of it does not fit a frame
 */
export function splitRequest(request, command, { inboundFrameBytes, requestBytes }) {
  const room = inboundFrameBytes - ENVELOPE_BYTES;
  const whole = REQUEST.encode(request).finish();
  if (whole.length <= room) return [whole];
  const type = /** @type {protobuf.Type} */ (REQUEST.fields[command].resolvedType);
  const body = request[command];
  const lists = type.fieldsArray.filter(({ repeated, name }) => repeated && body[name]?.length);
  const entries = lists.reduce((sum, { name }) => sum + body[name].length, 0);
  const charged = Math.max(whole.length, entries * ENTRY_BYTES);
  if (charged > requestBytes) {
    throw new LimitExceeded(`a request of ${charged} bytes; ${requestBytes} are accepted`, { input: command });
  }
  const single = { ...body };
  for (const { name } of lists) delete single[name];

  /** @type {Uint8Array[]} */
  const parts = [];
  let part = { ...request, more: true, [command]: single };
  let used = REQUEST.encode(part).finish().length;
  const tooLarge = (/** @type {string} */ name) =>
    new LimitExceeded(`one value is larger than a frame of ${inboundFrameBytes} bytes`, { input: name });
  if (used > room) throw tooLarge(command);
  for (const list of lists) {
    for (const entry of body[list.name]) {
      const size = sizeOf(list, entry);
      if (size + ENVELOPE_BYTES > room) throw tooLarge(list.name);
      if (used + size > room) {
        parts.push(REQUEST.encode(part).finish());
        part = { id: request.id, more: true, [command]: {} };
        used = ENVELOPE_BYTES;
      }
      (part[command][list.name] ??= []).push(entry);
      used += size;
    }
  }
  part.more = false;
  parts.push(REQUEST.encode(part).finish());
  return parts;
}

/**
 * Bytes of a list's entry on the wire, at most.
 * @param {protobuf.Field} field
 * @param {any} entry
 */
function sizeOf(field, entry) {
  if (typeof entry === 'string') return Buffer.byteLength(entry) + TAG_AND_LENGTH_BYTES;
  if (entry instanceof Uint8Array) return entry.length + TAG_AND_LENGTH_BYTES;
  const { resolvedType } = field;
  if (resolvedType && 'encode' in resolvedType) {
    return /** @type {protobuf.Type} */ (resolvedType).encode(entry).finish().length + TAG_AND_LENGTH_BYTES;
  }
  return 10 + TAG_AND_LENGTH_BYTES; // a varint has ten bytes at most
}
