/**
 * Writes src/messages.d.ts, the types of all messages for editors, from the .proto and its comments.
 *
 *     node tools/messages.js            writes it
 *     node tools/messages.js --check    fails when it is another
 */
import { readFileSync, writeFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { messageTypes, PROTO_FILE } from '../src/contract.js';
import { hasPresence, isBigField, isIdField } from '../src/values.js';

const OUT = new URL('../src/messages.d.ts', import.meta.url);

// A second look at the file, with the comments beside the fields, which the first leaves out.
const commented = protobuf
  .parse(readFileSync(PROTO_FILE, 'utf8'), new protobuf.Root(), { alternateCommentMode: true, preferTrailingComment: true })
  .root.resolveAll();

const SCALARS = { string: 'string', bool: 'boolean', double: 'number' };

/** @param {protobuf.Field} field */
function typeOf(field) {
  const { type, resolvedType } = field;
  if (resolvedType) return resolvedType.name === 'Error' ? 'MediadError' : 'fields' in resolvedType ? resolvedType.name : 'number';
  if (type === 'bytes') return isIdField(field) ? 'string' : 'Buffer';
  if (type.endsWith('64') && isBigField(field)) return 'bigint';
  return SCALARS[type] ?? 'number';
}

const ALWAYS = new Set(['Item.id', 'Collection.id', 'Operation.id', 'Lineage.old', 'Lineage.new', 'Offer.old', 'Offer.new']);
/** @param {protobuf.Field} field */
const isAlwaysSet = (field) => ALWAYS.has(`${field.parent?.name}.${field.name}`);

/** @param {protobuf.Type} type */
function* lines(type) {
  yield `export interface ${type.name} {`;
  for (const field of type.fieldsArray) {
    const comment = commented.lookupType(type.fullName).fields[field.name].comment?.replace(/\s+/g, ' ').replace('*/', '');
    if (comment) yield `  /** ${comment} */`;
    const nullable = hasPresence(field) || (field.type === 'bytes' && isIdField(field) && !isAlwaysSet(field)) || (field.resolvedType && 'fields' in field.resolvedType);
    yield `  ${field.name}: ${typeOf(field)}${field.repeated ? '[]' : nullable ? ' | null' : ''};`;
    if (field.name.endsWith('Json')) yield `  /** \`${field.name}\`, parsed when it is first asked for. */\n  readonly ${field.name.slice(0, -4)}: Record<string, any>;`;
  }
  yield '}';
}

const head = `// Written by tools/messages.js from proto/mediadb.proto. How a message becomes a value: values.js.
import type { MediadError } from './errors.js';
`;
const skipped = new Set(['ClientFrame', 'ServerFrame', 'Error', 'Request', 'Reply', 'Cancel', 'Hello']);
const text = [head, ...messageTypes.filter(({ name }) => !skipped.has(name)).map((type) => [...lines(type)].join('\n') + '\n')].join('\n');

if (process.argv.includes('--check')) {
  if (readFileSync(OUT, 'utf8') !== text) {
    console.error('src/messages.d.ts is not what proto/mediadb.proto says: npm run generate');
    process.exitCode = 1;
  }
} else writeFileSync(OUT, text);
