/**
 * The contract that all programs of mediadb share: proto/mediadb.proto, read by reflection, and the vocabulary of
 * fields.json. Read at run time: 60 ms once, and no generated code that could differ from it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

// A package carries copies (tools/pack.js), a clone has the originals. Nothing else is ever loaded: a foreign .proto
// would be code (CVE-2026-41242).
const packed = new URL('../contract/', import.meta.url);
const inPackage = existsSync(packed);

export const PROTO_FILE = fileURLToPath(
  new URL(inPackage ? 'mediadb.proto' : '../../../proto/mediadb.proto', inPackage ? packed : import.meta.url),
);
const FIELDS_FILE = new URL(
  inPackage ? 'fields.json' : '../../../proto/mediadb_contract/fields.json',
  inPackage ? packed : import.meta.url,
);

const root = new protobuf.Root().loadSync(PROTO_FILE).resolveAll();

/**
 * A message type of the contract.
 * @param {string} name without the package
 * @returns {protobuf.Type}
 * @throws {Error} for a name that is not there
 */
export function messageType(name) {
  return root.lookupType(`mediadb.v1.${name}`);
}

/** All message types, in the order of the file. */
export const messageTypes = /** @type {protobuf.Namespace} */ (root.lookup('mediadb.v1')).nestedArray.filter(
  (each) => each instanceof protobuf.Type,
);

const codes = root.lookupEnum('mediadb.v1.Code').values;

/** Error codes, lower case, by their numbers. @type {ReadonlyMap<number, string>} */
export const CODE_NAMES = new Map(Object.entries(codes).map(([name, number]) => [number, name.toLowerCase()]));
/** Numbers of error codes by their lower-case names. @type {ReadonlyMap<string, number>} */
export const CODE_NUMBERS = new Map([...CODE_NAMES].map(([number, name]) => [name, number]));

/**
 * A command: its name, the type of its request, and that of its replies.
 * @typedef {{ name: string, request: protobuf.Type, reply: protobuf.Type }} Command
 */

const REPLY_OF = Object.freeze({ ping: 'pong' }); // the one result that has another name than its command

/** @returns {Map<string, Command>} */
function listCommands() {
  const request = messageType('Request');
  const reply = messageType('Reply');
  return new Map(
    request.oneofs.command.fieldsArray.map(({ name, resolvedType }) => {
      const answered = reply.fields[/** @type {Record<string, string>} */ (REPLY_OF)[name] ?? name];
      return [
        name,
        {
          name,
          request: /** @type {protobuf.Type} */ (resolvedType),
          reply: /** @type {protobuf.Type} */ (answered.resolvedType),
        },
      ];
    }),
  );
}

/** The commands of the contract by name. @type {ReadonlyMap<string, Command>} */
export const COMMANDS = listCommands();

/**
 * A field of the vocabulary (fields.json), as it may stand in `File.fields`.
 * @typedef {object} VocabularyField
 * @property {number} number
 * @property {string} name
 * @property {string} type text, integer, number, boolean, date, ...
 * @property {boolean} plural always a list
 * @property {string} unit SI, or empty
 * @property {boolean} core
 * @property {boolean} search
 * @property {string[]} kinds audio, image, video, document, other
 * @property {string} doc
 */

/** The vocabulary by name. @type {ReadonlyMap<string, Readonly<VocabularyField>>} */
export const VOCABULARY = new Map(
  /** @type {VocabularyField[]} */ (JSON.parse(readFileSync(FIELDS_FILE, 'utf8'))).map((each) => [
    each.name,
    Object.freeze(each),
  ]),
);
