/**
 * What the web server costs: requests a second, processor time, memory, streaming, what is left of the aborted.
 *
 *     MEDIADB_PYTHON=.venv/bin/python node bench/http.mjs [FILES] [RESULT.md]
 *
 * The real server over the real daemon, each a process of its own; the load comes from this process. On a busy machine
 * take the processor time: it is the server's alone.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { World } from '../node/app/test/world.js';

const FILES = Number(process.argv[2] ?? 5000);
const STREAM_BYTES = 400 * 1024 * 1024;
const SOAK_S = Number(process.env.SOAK_S ?? 60);
const lines = [];
const say = (text) => {
  console.log(text);
  lines.push(text);
};

const ffmpeg = spawnSync('ffmpeg', ['-version']).status === 0;
const world = new World();
await world.start({
  prepare(library) {
    const many = path.join(library, 'many');
    mkdirSync(many);
    for (let number = 0; number < FILES; number += 1) writeFileSync(path.join(many, `number ${number}.txt`), `this is the text of number ${number}`);
    const file = openSync(path.join(library, 'large.bin'), 'w');
    ftruncateSync(file, STREAM_BYTES);
    closeSync(file);
    if (ffmpeg) execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'aevalsrc=sin(2*PI*(200*t+t*t)):d=300:s=44100', path.join(library, 'rising.flac')]);
  },
});
const { pid } = world.process;
/** A process and all below it. @param {number} top @returns {number[]} */
const tree = (top) => {
  const parents = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      return [[Number(name), Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1].split(' ')[1])]];
    } catch {
      return []; // it ended meanwhile
    }
  }); // prettier-ignore
  const found = [top];
  for (const each of found) found.push(...parents.filter(([, parent]) => parent === each).map(([child]) => child));
  return found;
};
const ticks = 100; // of a second: USER_HZ
/** Processor time of the server, seconds. */
const cpu = (of = pid) => {
  const fields = readFileSync(`/proc/${of}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticks;
};
/** That of the daemon and its PostgreSQL. */
const daemonCpu = () => tree(world.daemon.process.pid).reduce((sum, each) => sum + cpu(each), 0);
const memory = (name = 'VmRSS') => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

/** @param {http.Agent} agent @param {string} where @returns {Promise<number>} bytes */
const get = (agent, where) =>
  new Promise((resolve, reject) => {
    http.get({ host: '127.0.0.1', port: world.port, path: where, agent }, (response) => {
      let bytes = 0;
      if (response.statusCode !== 200) reject(new Error(`${where}: ${response.statusCode}`));
      response.on('data', (part) => (bytes += part.length));
      response.on('end', () => resolve(bytes));
      response.on('error', reject);
    }).on('error', reject);
  });

/** Hangs up as soon as something came. @param {string} where @returns {Promise<number>} the status */
const aborted = (where) =>
  new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port: world.port, path: where, agent: false }, (response) => {
      response.on('error', () => {});
      response.once('data', () => {
        request.destroy();
        resolve(response.statusCode ?? 0);
      });
    });
    request.on('error', reject);
  });

/** So many at a time for so long. @param {number} at @param {number} seconds @param {() => string} where */
async function load(at, seconds, where) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: at });
  const times = [];
  const [begin, used, daemonUsed] = [performance.now(), cpu(), daemonCpu()];
  await Promise.all(
    Array.from({ length: at }, async () => {
      while (performance.now() - begin < seconds * 1000) {
        const start = performance.now();
        await get(agent, where());
        times.push(performance.now() - start);
      }
    }),
  );
  const took = (performance.now() - begin) / 1000;
  agent.destroy();
  times.sort((a, b) => a - b);
  return { rate: times.length / took, p50: times[times.length >> 1], p99: times[Math.floor(times.length * 0.99)], cpu: ((cpu() - used) * 1e6) / times.length, daemon: ((daemonCpu() - daemonUsed) * 1e6) / times.length };
}

try {
  await sleep(1000);
  const idle = memory();
  say(`# The web server, ${new Date().toISOString().slice(0, 10)}`);
  say('');
  say(`Node.js ${process.version}, ${cpus().length} cores, a library of ${FILES} files; \`bench/http.mjs\`. The machine was shared: the processor time of the`);
  say('server is what to compare.');
  say('');
  say(`Memory: ${idle.toFixed(0)} MB idle (a bare Node.js has ${Math.round(process.memoryUsage().rss / 1048576)} MB here with this program).`);
  say('');
  say('| request | at a time | a second | median ms | p99 ms | µs of processor each | of daemon and PostgreSQL |');
  say('|---|---|---|---|---|---|---|');
  const ids = (await world.json('/search?q=folder:many&limit=200')).items.map(({ id }) => id);
  let turn = 0;
  const cases = [
    ['/session', () => '/session', [8]],
    ['an item', () => `/file/${ids[turn++ % ids.length]}`, [1, 32]],
    ['a list of 20', () => '/search?limit=20', [1, 8, 32]],
    ['a list of 100', () => '/search?limit=100', [8]],
    ['64 KiB of a file', () => `/file/${ids[turn++ % ids.length]}/stream`, [32]],
  ];
  for (const [name, where, many] of cases) {
    for (const at of many) {
      await load(at, 1, where);
      const { rate, p50, p99, cpu: each, daemon } = await load(at, 5, where);
      say(`| ${name} | ${at} | ${rate.toFixed(0)} | ${p50.toFixed(1)} | ${p99.toFixed(1)} | ${each.toFixed(0)} | ${daemon.toFixed(0)} |`);
    }
  }
  say('');
  const large = (await world.json('/search?q=large&limit=1')).items[0].id;
  const agent = new http.Agent({ keepAlive: true });
  await get(agent, `/file/${large}/stream`);
  for (let run = 0; run < 3; run += 1) {
    const [begin, used] = [performance.now(), cpu()];
    const bytes = await get(agent, `/file/${large}/stream`);
    const seconds = (performance.now() - begin) / 1000;
    say(`Streaming 400 MiB: ${(bytes / 1e6 / seconds).toFixed(0)} MB/s, ${((cpu() - used) / (bytes / 1e9)).toFixed(2)} s of processor a GB, ${memory().toFixed(0)} MB.`);
  }
  agent.destroy();
  say('');
  const before = memory();
  const slow = Array.from({ length: 50 }, () => {
    const request = http.get({ host: '127.0.0.1', port: world.port, path: `/file/${large}/stream`, agent: false }, (response) => {
      response.on('error', () => {});
      response.on('data', (part) => {
        response.pause();
        setTimeout(() => response.resume(), part.length / 200); // 200 kB/s
      });
    });
    request.on('error', () => {});
    return request;
  });
  await sleep(10_000);
  say(`50 clients at 200 kB/s: ${(memory() - before).toFixed(0)} MB over ${before.toFixed(0)} MB before (${(memory() - idle).toFixed(0)} MB over idle).`);
  for (const request of slow) request.destroy();
  await sleep(1000);
  say('');
  const rates = [];
  for (let part = 0; part < SOAK_S / 10; part += 1) rates.push(await load(8, 10, () => '/search?limit=20'));
  say(`Soak, ${SOAK_S} s, 8 at a time, lists of 20: ${rates.map(({ rate }) => rate.toFixed(0)).join(' ')} a second; µs of processor each: ${rates.map((each) => each.cpu.toFixed(0)).join(' ')}.`);
  say(`The last 10 s have ${((100 * rates.at(-1).rate) / rates[0].rate).toFixed(0)} % of the requests of the first, at ${((100 * rates.at(-1).cpu) / rates[0].cpu).toFixed(0)} % of the processor time each.`);
  say('');
  const song = ffmpeg ? (await world.json('/search?q=rising&limit=1')).items[0].id : null;
  const descriptors = world.descriptors();
  for (const [what, where] of [['streams', `/file/${large}/stream`], ...(song ? [['transcodes', `/audio/${song}/stream?format=mp3`]] : [])]) {
    let refused = 0;
    for (let number = 0; number < 200; number += 1) await aborted(`${where}`).then((status) => (refused += Number(status !== 200)));
    await sleep(3000);
    const left = tree(pid).length - 1;
    say(`200 aborted ${what} (${refused} refused): ${world.descriptors() - descriptors} descriptors more than before, ${left} processes left.`);
  }
  say('');
  await sleep(3000);
  say(`Memory afterwards: ${memory().toFixed(0)} MB, at most ${memory('VmHWM').toFixed(0)} MB.`);
} finally {
  await world.remove();
}
if (process.argv[3]) writeFileSync(process.argv[3], `${lines.join('\n')}\n`);
