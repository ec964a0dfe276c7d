/** The real daemon for tests: started as a person starts it, with a PostgreSQL of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, MediadError } from '../src/index.js';

export const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
/** The Python that mediad is installed for. */
export const PYTHON = process.env.MEDIADB_PYTHON || 'python3';
const START_MS = 90_000;
const STOP_MS = 40_000;

export class Daemon {
  /** @type {import('node:child_process').ChildProcess | null} */
  process = null;

  constructor() {
    this.folder = mkdtempSync(path.join(tmpdir(), 'mediadb-node-'));
    chmodSync(this.folder, 0o711); // PostgreSQL's account passes through it
    this.socket = path.join(this.folder, 'socket');
    this.data = path.join(this.folder, 'data');
    this.log = path.join(this.folder, 'log');
    const config = path.join(this.folder, 'mediad.toml');
    writeFileSync(config, '');
    this.argv = ['-m', 'mediad.main', '--config', config, '--data-dir', this.data, '--socket', this.socket];
  }

  /** Starts it and waits until its database is there. */
  async start() {
    const log = openSync(this.log, 'a');
    this.process = spawn(PYTHON, this.argv, { stdio: ['ignore', log, log], cwd: REPOSITORY, detached: true });
    closeSync(log);
    let failed = '';
    this.process.once('error', (error) => (failed = String(error)));
    const until = performance.now() + START_MS;
    while (performance.now() < until) {
      if (failed || this.process.exitCode !== null) throw new Error(`mediad ended: ${failed}\n${this.text()}`);
      const client = this.client({ deadlineMs: 5000 });
      try {
        if ((await client.status()).database === 'ready') return this;
      } catch (error) {
        if (!(error instanceof MediadError)) throw error;
      } finally {
        client.close();
      }
      await sleep(30);
    }
    throw new Error(`mediad is not ready after ${START_MS} ms\n${this.text()}`);
  }

  /** @param {import('../src/client.js').ClientOptions} [options] */
  client(options) {
    return new Client({ socketPath: this.socket, ...options });
  }

  text() {
    return readFileSync(this.log, 'utf8');
  }

  /** @param {NodeJS.Signals} [signal] */
  async stop(signal = 'SIGTERM') {
    const running = this.process;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, 'exit');
    running.kill(signal);
    const late = setTimeout(() => running.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(late);
  }

  async remove() {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Waits for a condition. @param {() => any} condition @param {string} what @param {number} [milliseconds] */
export async function until(condition, what, milliseconds = 20_000) {
  const end = performance.now() + milliseconds;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what} did not happen within ${milliseconds} ms`);
    await sleep(10);
  }
}
