/**
 * Files on their way to the server: tus 1.0.0 (core, creation). Bytes go in pieces; where the connection is lost, the server is
 * asked how far it is, and it goes on from there.
 */
import { signal } from '@preact/signals';
import { ApiError, ask, get, uuid } from '../api';
import { ended } from '../care/jobs';
import { many } from '../format';
import { say } from '../toasts';
import type { Job } from '../types';

const PIECE = 8 * 1024 * 1024;
const AT_ONCE = 2;
/** How much of the past the rate is taken over, ms. */
const RATE_MS = 5000;
const TUS = { 'Tus-Resumable': '1.0.0' };
/** Refusals that another try does not change. */
const FINAL = new Set([400, 401, 403, 404, 409, 412, 413, 415, 507]);

/** What the server says of an upload that it has placed. */
export interface Placed {
  item: string | null;
  name: string;
  renamed?: boolean;
  already?: string[];
}

export interface Upload {
  key: string;
  name: string;
  size: number;
  sent: number;
  /** `reading`: the server has it, the daemon is at it */
  state: 'waiting' | 'sending' | 'paused' | 'reading' | 'done' | 'failed' | 'given up';
  problem?: { code: string; message: string };
  placed?: Placed;
  job?: string;
}

interface Sending {
  file: File;
  /** its address on the server, once there is one */
  at?: string;
  abort: AbortController;
}

export const uploads = signal<readonly Upload[]>([]);
/** bytes a second over all that are sent, 0: not known */
export const rate = signal(0);
const sending = new Map<string, Sending>();
let marks: { at: number; bytes: number }[] = [];

function change(key: string, news: Partial<Upload>): void {
  uploads.value = uploads.peek().map((each) => (each.key === key ? { ...each, ...news } : each));
}

/** Puts files into the line. Folders that were dropped are no files: the browser cannot read them so. */
export function upload(files: Iterable<File>): void {
  const added: Upload[] = [];
  for (const file of files) {
    const key = uuid();
    sending.set(key, { file, abort: new AbortController() });
    added.push({ key, name: file.name, size: file.size, sent: 0, state: 'waiting' });
  }
  uploads.value = [...added, ...uploads.peek()];
  next();
}

export function giveUp(key: string): void {
  const one = sending.get(key);
  one?.abort.abort();
  sending.delete(key);
  // what is already there is let go; where that fails the server does it by itself after a week
  if (one?.at) void ask('DELETE', one.at, { headers: TUS }).catch(quiet);
  change(key, { state: 'given up' });
  next();
}

/** Once more, from where it was. */
export function retry(key: string): void {
  change(key, { state: 'waiting', problem: undefined as never });
  next();
}

export function forgetEnded(): void {
  for (const each of uploads.peek()) if (each.state === 'failed') sending.delete(each.key);
  uploads.value = uploads.peek().filter((each) => ['waiting', 'sending', 'paused', 'reading'].includes(each.state));
}

function quiet(wrong: unknown): void {
  if (!(wrong instanceof ApiError)) throw wrong;
}

function next(): void {
  const all = uploads.peek();
  const busy = all.filter((each) => each.state === 'sending' || each.state === 'paused').length;
  // the first that came is the last of the list
  const waiting = all.filter((each) => each.state === 'waiting').reverse();
  for (const each of waiting.slice(0, Math.max(0, AT_ONCE - busy))) void run(each.key);
  if (!busy && !waiting.length) {
    rate.value = 0;
    marks = [];
  }
}

async function run(key: string): Promise<void> {
  const one = sending.get(key);
  if (!one) return;
  one.abort = new AbortController();
  change(key, { state: 'sending' });
  for (let wait = 1000; ; wait = Math.min(wait * 2, 15_000)) {
    try {
      const job = await send(key, one);
      sending.delete(key);
      change(key, { state: 'reading', sent: one.file.size, job });
      next();
      await follow(key, job);
      return;
    } catch (wrong) {
      if (one.abort.signal.aborted) return;
      if (!(wrong instanceof ApiError)) throw wrong;
      if (FINAL.has(wrong.status) || !sending.has(key)) {
        change(key, { state: 'failed', problem: { code: wrong.code, message: wrong.message } });
        next();
        return;
      }
      change(key, { state: 'paused', problem: { code: wrong.code, message: wrong.message } });
      await new Promise((done) => setTimeout(done, wait));
      if (one.abort.signal.aborted) return;
      change(key, { state: 'sending', problem: undefined as never });
    }
  }
}

/** All of one file; answers the job that reads it. */
async function send(key: string, one: Sending): Promise<string> {
  const { file } = one;
  const signal = one.abort.signal;
  let offset = 0;
  if (one.at) {
    try {
      const response = await ask('HEAD', one.at, { headers: TUS, signal });
      offset = Number(response.headers.get('Upload-Offset'));
    } catch (wrong) {
      // the answer to the last piece was lost: when the upload is known no more, its job has begun under the same id
      if (!(wrong instanceof ApiError) || wrong.status !== 404) throw wrong;
      const id = one.at.slice(one.at.lastIndexOf('/') + 1);
      await get<Job>(`/jobs/${id}`);
      return id;
    }
  } else {
    const name = btoa(String.fromCharCode(...new TextEncoder().encode(file.name)));
    const headers = { ...TUS, 'Upload-Length': String(file.size), 'Upload-Metadata': `filename ${name}` };
    const response = await ask('POST', './uploads', { headers, signal });
    one.at = `.${response.headers.get('Location')}`;
  }
  for (;;) {
    const { at, job } = await piece(key, one, offset);
    if (job) return job;
    if (at <= offset) throw new ApiError(0, 'io_error', 'The server took nothing of it');
    offset = at;
  }
}

/** One piece. XMLHttpRequest tells how far it is, fetch does not. */
function piece(key: string, { file, at, abort }: Sending, offset: number): Promise<{ at: number; job: string | null }> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    abort.signal.addEventListener('abort', stop);
    let told = offset;
    request.open('PATCH', at!);
    for (const [name, value] of Object.entries(TUS)) request.setRequestHeader(name, value);
    request.setRequestHeader('Content-Type', 'application/offset+octet-stream');
    request.setRequestHeader('Upload-Offset', String(offset));
    request.upload.onprogress = ({ loaded }) => {
      measure(offset + loaded - told);
      told = offset + loaded;
      change(key, { sent: told });
    };
    const lost = () => reject(new ApiError(0, 'unavailable', 'The connection was lost: it goes on by itself'));
    request.onerror = lost;
    request.onabort = lost;
    request.onloadend = () => abort.signal.removeEventListener('abort', stop);
    request.onload = () => {
      if (request.status < 300) resolve({ at: Number(request.getResponseHeader('Upload-Offset')), job: request.getResponseHeader('Mediadb-Job') });
      else reject(refusal(request));
    };
    request.send(file.slice(offset, offset + PIECE));
  });
}

function refusal({ status, responseText }: XMLHttpRequest): ApiError {
  try {
    const { error } = JSON.parse(responseText);
    // offsets differ where an answer was lost: the server is asked where it is
    return new ApiError(status === 409 && error.code === 'conflict' ? 0 : status, error.code, error.message);
  } catch (wrong) {
    if (!(wrong instanceof SyntaxError || wrong instanceof TypeError)) throw wrong;
    return new ApiError(status, 'internal', `The server answered ${status}`);
  }
}

function measure(bytes: number): void {
  const at = performance.now();
  marks = [...marks.filter((each) => at - each.at < RATE_MS), { at, bytes }];
  const span = (at - marks[0]!.at) / 1000;
  if (span > 0.3) rate.value = marks.slice(1).reduce((sum, each) => sum + each.bytes, 0) / span;
}

async function follow(key: string, id: string): Promise<void> {
  let job: Job;
  try {
    job = await ended(id);
  } catch (wrong) {
    if (!(wrong instanceof ApiError)) throw wrong;
    return change(key, { state: 'failed', problem: { code: wrong.code, message: 'The server was restarted while the file was read: look into the folder for what came in' } });
  }
  if (job.state === 'failed') return change(key, { state: 'failed', problem: job.error ?? { code: 'internal', message: 'It failed' } });
  change(key, { state: 'done', placed: job.result as Placed });
  const all = uploads.peek();
  if (all.some((each) => ['waiting', 'sending', 'paused', 'reading'].includes(each.state))) return;
  say(`${many(all.filter((each) => each.state === 'done').length, 'file')} came in`);
}

addEventListener('beforeunload', (event) => {
  if (uploads.peek().some((each) => ['waiting', 'sending', 'paused'].includes(each.state))) event.preventDefault();
});
