// The Node.js client over one warm connection: `ping` and `get`, 1 and 64 in flight, and pages of a question, beside the
// floor: the same ping frame by a bare socket, nothing encoded and nothing decoded.
//
//     MEDIADB_PYTHON=.venv/bin/python node bench/node.mjs [DIR] [REQUESTS]
//
// DIR: a library, default the samples. CPU is this process's own for each request, garbage collection included.
import net from 'node:net';
import path from 'node:path';
import { messageType } from '../node/client/src/contract.js';
import { frame } from '../node/client/src/framing.js';
import { Daemon, REPOSITORY } from '../node/client/test/daemon.js';

const [library = path.join(REPOSITORY, 'samples'), requests = '5000'] = process.argv.slice(2);
const REQUESTS = Number(requests);
const WARM_UP = 1000;
const SEGMENTS = 4; // a client that slows down while it runs is found out

/** Sends `count` calls, `inFlight` at a time; each one's microseconds. */
async function load(call, count, inFlight) {
  const times = [];
  let number = 0;
  const worker = async () => {
    while (number < count) {
      const began = performance.now();
      await call(number++);
      times.push((performance.now() - began) * 1000);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return times;
}

/** A ping by a bare socket: what kernel, event loop and daemon cost. */
async function bare(socketPath) {
  const socket = net.connect(socketPath);
  let told = () => {};
  socket.on('data', () => told());
  const heard = () => new Promise((resolve) => (told = resolve));
  const hello = { protocolMin: 1, protocolMax: 1, client: 'bench' };
  socket.write(frame(1, messageType('Hello').encode(hello).finish()));
  await heard();
  const ping = frame(2, messageType('Request').encode({ id: 1, ping: { payload: Buffer.from('x') } }).finish());
  const call = async () => {
    socket.write(ping);
    await heard();
  };
  return { call, end: () => socket.destroy() };
}

async function row(name, call, inFlight, count = REQUESTS) {
  await load(call, Math.min(WARM_UP, count), inFlight);
  const rates = [];
  const times = [];
  const before = process.cpuUsage();
  for (let segment = 0; segment < SEGMENTS; segment += 1) {
    const began = performance.now();
    times.push(...(await load(call, Math.ceil(count / SEGMENTS), inFlight)));
    rates.push(Math.ceil(count / SEGMENTS) / ((performance.now() - began) / 1000));
  }
  const { user, system } = process.cpuUsage(before);
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.floor(times.length * share)].toFixed(0);
  const rate = (value) => Math.round(value).toLocaleString('en');
  const mean = rates.reduce((sum, each) => sum + each) / rates.length;
  console.log(`| ${name}, ${inFlight} in flight | ${at(0.5)} | ${at(0.99)} | ${rate(mean)} | ${(rates.at(-1) / rates[0]).toFixed(2)} | ${((user + system) / times.length).toFixed(0)} |`); // prettier-ignore
}

const daemon = new Daemon();
try {
  await daemon.start();
  const client = daemon.client();
  await client.add(library);
  const ids = [];
  for await (const { id } of client.query('', { limit: 1000 })) ids.push(id);
  const payload = Buffer.from('x');
  const id = (number) => ids[number % ids.length];
  console.log(`Node ${process.version}, ${ids.length} items, ${REQUESTS} requests a row\n`);
  console.log('| warm socket | p50 us | p99 us | requests/s | last/first segment | client CPU us |\n|---|---|---|---|---|---|');
  const floor = await bare(daemon.socket);
  await row('ping by a bare socket', floor.call, 1);
  floor.end();
  for (const inFlight of [1, 64]) {
    await row('ping', () => client.ping(payload), inFlight);
    await row('get by id, light', (number) => client.get(id(number), { light: true }), inFlight);
    await row('get by id', (number) => client.get(id(number)), inFlight);
  }
  for (const inFlight of [1, 8]) {
    await row('query, a page of 20', () => client.queryPage('', { limit: 20 }), inFlight, Math.ceil(REQUESTS / 5));
  }
  console.log(`\nRSS ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB`);
  client.close();
} finally {
  await daemon.remove();
}
