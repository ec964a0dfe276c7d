/** The vectors of proto/vectors, whose JSON is protobuf's with the names of the .proto, for protobufjs. */
import { readFileSync } from 'node:fs';
import { messageType } from '../src/contract.js';

/** @param {string} name */
export function vectors(name) {
  return JSON.parse(readFileSync(new URL(`../../../proto/vectors/${name}.json`, import.meta.url), 'utf8'));
}

const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

function named(value) {
  if (Array.isArray(value)) return value.map(named);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [camel(name), named(each)]));
}

/** A protobufjs message of a vector's JSON. */
export function fromVector(type, value) {
  return messageType(type).fromObject(named(value));
}

/** A message as a vector's JSON, names in camel case; what is not set is left out. */
export function toVector(type, message) {
  return messageType(type).toObject(message, { longs: String, enums: String, bytes: String });
}

export { named };

/** A frame of its payload. @param {Uint8Array} payload */
export function framed(payload) {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(payload.length);
  return Buffer.concat([head, payload]);
}
