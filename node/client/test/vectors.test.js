/** proto/vectors, played against the session of this client; the violations against the real daemon: daemon.test.js. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageType } from '../src/contract.js';
import { ProtocolError } from '../src/errors.js';
import { FrameReader } from '../src/framing.js';
import { ClientSession } from '../src/session.js';
import { framed, fromVector, named, toVector, vectors } from './wire.js';

for (const each of vectors('frames').frames) {
  test(`frame: ${each.name}`, () => {
    const type = each.sender === 'client' ? 'ClientFrame' : 'ServerFrame';
    const data = Buffer.from(each.hex, 'hex');
    const reader = new FrameReader(1 << 20);
    const [payload, ...others] = reader.feed(data);
    assert.equal(others.length, 0);
    assert.equal(reader.pending, false);
    assert.deepEqual(toVector(type, messageType(type).decode(payload)), named(each.decoded));
    assert.deepEqual(framed(messageType(type).encode(fromVector(type, each.decoded)).finish()), data);
  });

  test(`frame, byte by byte: ${each.name}`, () => {
    const data = Buffer.from(each.hex, 'hex');
    const reader = new FrameReader(1 << 20);
    const found = [...data].flatMap((byte) => [...reader.feed(Uint8Array.of(byte))]);
    assert.deepEqual(found, [data.subarray(4)]);
  });
}

/** A session, and what it told of. */
function listen(options) {
  const told = [];
  const session = new ClientSession(
    {
      greeted: (greeting) => told.push({ greeting }),
      reply: (call, reply) => told.push({ call, reply }),
      ended: (error) => told.push({ ended: error }),
    },
    options,
  );
  return { session, told };
}

for (const each of vectors('dialogues').dialogues.filter(({ roles }) => roles.includes('client'))) {
  test(`dialogue: ${each.name}`, () => {
    const { hello } = each.steps[0].send;
    const { session, told } = listen({ client: hello.client, require: hello.require ?? [] });
    const ids = new Map();
    for (const step of each.steps) {
      if (step.send) {
        const wanted = framed(messageType('ClientFrame').encode(fromVector('ClientFrame', step.send)).finish());
        if (step.send.hello) {
          if (step.send.hello.protocol_max === 1) assert.deepEqual(session.hello(), wanted);
        } else if (step.send.request) {
          const { id, ...request } = fromVector('Request', step.send.request);
          const command = messageType('Request').oneofs.command.oneof.find((name) => request[name]);
          const made = session.request(request, command, ids.size, id);
          assert.equal(made.id, id);
          ids.set(id, ids.size);
          assert.deepEqual(Buffer.concat(made.data), wanted);
        } else assert.deepEqual(session.cancel(step.send.cancel.id), wanted);
      } else if (step.end) assert.ok(session.closed);
      else {
        const message = fromVector('ServerFrame', step.expect);
        session.receive(framed(messageType('ServerFrame').encode(message).finish()));
        const event = told.pop();
        const problem = step.expect.greeting?.error ?? (step.expect.reply?.id ? undefined : step.expect.reply?.error);
        if (problem) assert.equal(event.ended.code, problem.code.toLowerCase());
        else if (step.expect.greeting) assert.equal(event.greeting.role, step.expect.greeting.role);
        else {
          assert.equal(event.call, ids.get(step.expect.reply.id));
          const expected = named(step.expect.reply);
          if (expected.error) expected.last = true;
          assert.deepEqual(toVector('Reply', event.reply), expected);
        }
      }
    }
    assert.equal(told.length, 0);
    assert.ok(session.inFlight === 0 || session.closed);
  });
}

const greeting = { greeting: { protocol: 1, limits: { requests_in_flight: 4, inbound_frame_bytes: 1000, outbound_frame_bytes: 1 << 20, request_bytes: 100_000 } } }; // prettier-ignore
const bytesOf = (frame) => framed(messageType('ServerFrame').encode(fromVector('ServerFrame', frame)).finish());

/** What a broken daemon may send: each ends the session with protocol_error, and nothing after it is heard. */
const WRONG = {
  'length 0': [true, Buffer.from('00000000', 'hex')],
  'one byte over the limit': [true, Buffer.from('00100001', 'hex')],
  'length 2^32-1': [false, Buffer.from('ffffffff', 'hex')],
  HTTP: [false, Buffer.from('HTTP/1.1 200 OK\r\n')],
  'not protobuf': [true, Buffer.from('00000002ffff', 'hex')],
  'text that is not UTF-8': [true, Buffer.from('0000000b12090801a20104120220ff', 'hex')],
  'a reply before the Greeting': [false, bytesOf({ reply: { id: 1, last: true, pong: {} } })],
  'a second Greeting': [true, bytesOf(greeting)],
  'a frame of an unknown kind': [true, Buffer.from('000000027a00', 'hex')],
  'a reply to what is not in flight': [true, bytesOf({ reply: { id: 77, last: true, pong: {} } })],
  'a Greeting in another protocol': [false, bytesOf({ greeting: { ...greeting.greeting, protocol: 2 } })],
  'a Greeting without limits': [false, bytesOf({ greeting: { protocol: 1 } })],
};
for (const [name, [greeted, bytes]] of Object.entries(WRONG)) {
  test(`wrong bytes: ${name}`, () => {
    const { session, told } = listen({ client: 't' });
    if (greeted) session.receive(bytesOf(greeting));
    told.length = 0;
    session.receive(bytes);
    session.receive(bytesOf(greeting));
    assert.equal(told.length, 1);
    assert.ok(told[0].ended instanceof ProtocolError);
    assert.ok(session.closed);
    assert.throws(() => session.request({ ping: {} }, 'ping', 1));
  });
}

test('slots: ids are used again under another number, never more in flight than announced', () => {
  const { session, told } = listen({ client: 't' });
  session.receive(bytesOf(greeting));
  const first = [0, 1, 2, 3].map((call) => session.request({ ping: {} }, 'ping', call).id);
  assert.equal(new Set(first).size, 4);
  assert.equal(session.hasRoom, false);
  assert.throws(() => session.request({ ping: {} }, 'ping', 4), { code: 'limit_exceeded' });
  session.receive(bytesOf({ reply: { id: first[2], last: true, pong: {} } }));
  assert.equal(told.at(-1).call, 2);
  const { id } = session.request({ ping: {} }, 'ping', 5);
  assert.ok(!first.includes(id));
  assert.equal(session.cancel(first[2]), null, 'a Cancel for the id just freed does not meet the new request');
  assert.deepEqual(session.abandon().sort(), [0, 1, 3, 5]);
});

test('parts: a large request is cut into frames that merge to it; too large is refused', () => {
  const { session } = listen({ client: 't' });
  session.receive(bytesOf(greeting));
  const targets = Array.from({ length: 200 }, (_, number) => ({ path: Buffer.from(`/srv/music/${number}`) }));
  const { id, data } = session.request({ actor: 'ada', get: { targets, light: true } }, 'get', 1);
  assert.ok(data.length > 1);
  const parts = data.map((each) => {
    assert.ok(each.length - 4 <= 1000);
    return messageType('ClientFrame').decode(each.subarray(4)).request;
  });
  assert.deepEqual(parts.map(({ more }) => more), [...Array(data.length - 1).fill(true), false]); // prettier-ignore
  assert.ok(parts.every((each) => each.id === id && each.get));
  assert.equal(parts[0].actor, 'ada');
  assert.deepEqual(parts.flatMap(({ get }) => get.targets.map(({ path }) => String(path))), targets.map(({ path }) => String(path))); // prettier-ignore
  assert.deepEqual(parts.map(({ get }) => get.light), [true, ...Array(data.length - 1).fill(false)]); // prettier-ignore
  const many = { targets: Array(4000).fill({ path: Buffer.from('/') }) };
  assert.throws(() => session.request({ get: many }, 'get', 2), { code: 'limit_exceeded' });
  const long = { targets: [{ path: Buffer.alloc(2000, 'x') }] };
  assert.throws(() => session.request({ get: long }, 'get', 2), { code: 'limit_exceeded' });
  assert.throws(() => session.request({ query: { text: 'x'.repeat(2000) } }, 'query', 2), { code: 'limit_exceeded' });
  assert.equal(session.inFlight, 1, 'what was refused is not in flight');
});
