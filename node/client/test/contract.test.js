/** The client's tables against the contract, and against the daemon's own table. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { CODE_NAMES, COMMANDS, messageType, messageTypes, VOCABULARY } from '../src/contract.js';
import * as errors from '../src/errors.js';
import { Client, listSockets } from '../src/index.js';
import { ANSWERED, CHANGING } from '../src/table.js';
import { decoder, encodable, isIdField } from '../src/values.js';
import { PYTHON, REPOSITORY } from './daemon.js';

test('every code has a class, every class a code', () => {
  const codes = [...CODE_NAMES.values()].filter((name) => name !== 'code_unspecified');
  assert.deepEqual(Object.keys(errors.ERRORS), codes);
});

test('retryable, changing, answered soon: as the daemon has it', () => {
  const script = `
import json
from mediad.commands.table import COMMANDS
from mediad.errors import ERRORS
print(json.dumps([{k: v.retryable for k, v in ERRORS.items()}, sorted(COMMANDS),
    sorted(k for k, v in COMMANDS.items() if v.changes), sorted(k for k, v in COMMANDS.items() if v.timed)]))`;
  const [retryable, commands, changing, timed] = JSON.parse(execFileSync(PYTHON, ['-c', script], { cwd: REPOSITORY, encoding: 'utf8' })); // prettier-ignore
  for (const [code, kind] of Object.entries(errors.ERRORS)) assert.equal(kind.retryable, retryable[code], code);
  assert.deepEqual([...COMMANDS.keys()].sort(), commands);
  assert.deepEqual([...CHANGING].sort(), changing);
  assert.deepEqual([...ANSWERED].sort(), timed);
});

test('every command has a method', () => {
  for (const name of COMMANDS.keys()) assert.equal(typeof Client.prototype[name], 'function', name);
});

test('every field of bytes is an id, or a path or opaque', () => {
  // A new one has to be put into this list, or into that of values.js.
  const plain = new Set(
    `payload input current path paths pathRaw symlinkTarget value cursor volume root destination source archive into
    sha1 top wanted got oldPath newPath side good data known tag`.split(/\s+/),
  );
  for (const type of messageTypes) {
    for (const field of type.fieldsArray.filter(({ type: kind }) => kind === 'bytes')) {
      assert.notEqual(isIdField(field), plain.has(field.name), `${type.name}.${field.name}`);
    }
  }
});

test('values: there and back', () => {
  const File = messageType('File');
  const given = {
    id: 7, item: '01a1fbb7-dc0f-7007-b396-04ac11a0c981', path: Buffer.from([0x2f, 0xff]), size: 2 ** 40,
    mtimeNs: 1795240888123456789n, ctimeNs: -1n, inode: 2n ** 64n - 1n, fieldsJson: '{"title":"x"}',
    problem: new errors.Corrupt('broken', { input: Buffer.from([0xff]) }),
  }; // prettier-ignore
  const file = decoder(File)(File.decode(File.encode(encodable(File, given)).finish()));
  for (const name of ['id', 'item', 'path', 'size', 'mtimeNs', 'ctimeNs', 'inode', 'fieldsJson']) {
    assert.deepEqual(file[name], given[name], name);
  }
  assert.ok(file.problem instanceof errors.Corrupt);
  assert.deepEqual([file.fields, file.tags, file.digests, file.host], [{ title: 'x' }, {}, [], null]);
  assert.equal(file.fields, file.fields, 'parsed once');
  const described = JSON.parse(JSON.stringify(file));
  assert.deepEqual(described.fields, { title: 'x' });
  assert.equal(described.mtimeNs, '1795240888123456789');
  assert.equal(described.path, 'L/8=');
  assert.equal(described.problem.code, 'corrupt');

  const Count = messageType('QueryReply');
  const count = (value) => decoder(Count)(Count.decode(Count.encode(encodable(Count, value)).finish())).count;
  assert.deepEqual([count({}), count({ count: 0 }), count({ count: 5 })], [null, 0, 5]);
});

test('values that a request does not take are named', () => {
  const refused = (type, value, input) =>
    assert.throws(() => encodable(messageType(type), value), (error) => {
      assert.ok(error instanceof errors.InvalidArgument);
      assert.equal(error.inputDisplay, input);
      return true;
    }); // prettier-ignore
  refused('QueryRequest', { txt: 'a' }, 'txt');
  refused('QueryRequest', { text: 5 }, '5');
  refused('QueryRequest', { limit: -1 }, '-1');
  refused('QueryRequest', { limit: 1.5 }, '1.5');
  refused('QueryRequest', { limit: 2 ** 32 }, String(2 ** 32));
  refused('QueryRequest', { columns: 'title' }, 'title');
  refused('QueryRequest', { count: 1 }, '1');
  refused('GetRequest', { targets: ['x'] }, 'x');
  refused('Target', { id: 'x' }, 'x');
  refused('WorkAction', { atNs: 1.5 }, '1.5');
  refused('WorkAction', { atNs: 2n ** 70n }, String(2n ** 70n));
  refused('ChangesRequest', { since: -1 }, '-1');
});

test('the vocabulary', () => {
  assert.equal(VOCABULARY.get('artists').plural, true);
  assert.equal(VOCABULARY.get('duration').unit, 's');
});

test('where the socket is looked for', () => {
  assert.deepEqual(listSockets('/a', { MEDIAD_SOCKET: '/b' }), ['/a']);
  assert.deepEqual(listSockets(undefined, { MEDIAD_SOCKET: '/b', XDG_RUNTIME_DIR: '/run/user/1' }), ['/b']);
  assert.deepEqual(listSockets('', { XDG_RUNTIME_DIR: '/run/user/1' }), ['/run/user/1/mediad/socket', '/run/mediad/socket']); // prettier-ignore
  assert.deepEqual(listSockets('', {}), ['/run/mediad/socket']);
});
