/** The real server over a real daemon and real files, for tests. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Daemon, REPOSITORY, until } from '../../client/test/daemon.js';

export { REPOSITORY, sleep, until };
export const MAIN = fileURLToPath(new URL('../server/main.js', import.meta.url));

/** What came back. @typedef {{ status: number, headers: http.IncomingHttpHeaders, body: Buffer, text: string, json: any }} Answer */

/**
 * One request over a socket of its own: what fetch does not let through (Host, odd paths) can be said.
 * @param {number} port @param {string} where @param {{ method?: string, headers?: Record<string, any>, body?: any, agent?: http.Agent, abortAfter?: number }} [how]
 * @returns {Promise<Answer>}
 */
export function ask(port, where, { method = 'GET', headers = {}, body, agent } = {}) {
  const payload = body === undefined || Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body);
  const all = { ...(body !== undefined && payload !== body ? { 'content-type': 'application/json' } : {}), ...headers };
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, path: where, method, headers: all, agent: agent ?? false }, (response) => {
      const parts = /** @type {Buffer[]} */ ([]);
      response.on('data', (part) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(parts);
        const text = bytes.toString();
        const isJson = String(response.headers['content-type']).startsWith('application/json');
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: bytes, text, json: isJson && text ? JSON.parse(text) : null });
      });
    });
    request.on('error', reject);
    request.end(payload);
  });
}

export class World {
  /** @type {import('node:child_process').ChildProcess | null} */
  process = null;
  port = 0;
  output = '';

  constructor() {
    this.daemon = new Daemon();
    this.folder = this.daemon.folder;
    this.library = path.join(this.folder, 'library');
    this.staging = path.join(this.folder, 'staging');
    this.incoming = path.join(this.library, 'incoming');
    this.cache = path.join(this.folder, 'cache');
  }

  /** @param {{ samples?: boolean, add?: boolean, config?: string, prepare?: (library: string) => void }} [how] */
  async start({ samples = true, add = true, config = '', prepare } = {}) {
    mkdirSync(this.library, { recursive: true });
    mkdirSync(this.staging);
    mkdirSync(this.incoming);
    if (samples) cpSync(path.join(REPOSITORY, 'samples'), this.library, { recursive: true });
    prepare?.(this.library);
    await this.daemon.start();
    this.client = this.daemon.client();
    if (add) await this.client.add(this.library);
    this.config = path.join(this.folder, 'mediadb-app.toml');
    this.settings = `staging = "${this.staging}"\nincoming = "${this.incoming}"\ncache_dir = "${this.cache}"\n${config}`;
    writeFileSync(this.config, this.settings);
    await this.serve();
    return this;
  }

  /** Starts the server and waits until it listens. @param {string[]} [more] */
  async serve(more = []) {
    this.output = '';
    const argv = [MAIN, '--config', this.config, '--listen', '127.0.0.1:0', '--socket', this.daemon.socket, ...more];
    const running = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.process = running;
    for (const stream of [running.stdout, running.stderr]) stream.on('data', (text) => (this.output += text));
    await until(() => /http:\S+:(\d+)/.test(this.output) || running.exitCode !== null, 'the server listens');
    const found = /http:\S+:(\d+)/.exec(this.output);
    if (!found) throw new Error(`mediadb-app ended with ${running.exitCode}: ${this.output}`);
    this.port = Number(found[1]);
  }

  /** @param {string} where @param {Parameters<typeof ask>[2]} [how] */
  ask(where, how) {
    return ask(this.port, where, how);
  }

  /** @param {string} where @param {any} [how] @returns {Promise<any>} the JSON of a reply that must be well */
  async json(where, how) {
    const answer = await this.ask(where, how);
    if (answer.status >= 300) throw new Error(`${how?.method ?? 'GET'} ${where}: ${answer.status} ${answer.text}`);
    return answer.json;
  }

  /** Descriptors that the server has open. */
  descriptors() {
    return readdirSync(`/proc/${this.process?.pid}/fd`).length;
  }

  async stopServer(signal = 'SIGTERM') {
    const running = this.process;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, 'exit');
    running.kill(/** @type {NodeJS.Signals} */ (signal));
    await ended;
  }

  async remove() {
    await this.stopServer();
    this.client?.close();
    await this.daemon.remove();
  }
}
