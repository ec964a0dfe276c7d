/**
 * The change feed (GET /events, SSE): what others do shows here without a reload. The browser's EventSource goes on by
 * itself with Last-Event-ID; after an HTTP error it gives up, so it is made anew then.
 */
import { signal } from '@preact/signals';
import type { Change, Job } from './types';

export interface Status {
  connected: boolean;
  /** files that are still to be read */
  pending?: number;
  /** walks through roots that are under way */
  scans?: unknown[];
  [name: string]: unknown;
}

/** What the daemon is doing; `connected: false` while the server cannot reach it. */
export const status = signal<Status>({ connected: true });
/** Jobs seen running, by id. */
export const jobs = signal<Record<string, Job>>({});
/** Whether the feed is open; the banner waits a moment before it says that it is not. */
export const live = signal(true);

type Listener = (changes: Change[]) => void;
const listeners = new Set<Listener>();

/** Calls `listener` with what happened, gathered over 200 ms: a scan brings thousands of changes a second. */
export function onChanges(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

let gathered: Change[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;

function flush(): void {
  timer = undefined;
  const changes = gathered;
  gathered = [];
  for (const listener of listeners) listener(changes);
}

function take(change: Change): void {
  gathered.push(change);
  timer ??= setTimeout(flush, 200);
}

let source: EventSource | undefined;
let again: ReturnType<typeof setTimeout> | undefined;
let wait = 500;
let anew = false;

/** Begins to follow; called once there is a session. */
export function follow(): void {
  if (source) return;
  source = new EventSource('./events');
  source.addEventListener('open', () => {
    live.value = true;
    wait = 500;
    // a feed made anew by hand has no Last-Event-ID: what happened in between is unknown, whoever shows something asks anew
    if (anew) take({ seq: -1, action: 'resync' });
    anew = false;
  });
  source.addEventListener('change', (event) => take(JSON.parse(event.data)));
  source.addEventListener('status', (event) => {
    status.value = JSON.parse(event.data);
  });
  // more was missed than the server tells one by one
  source.addEventListener('resync', () => take({ seq: -1, action: 'resync' }));
  source.addEventListener('progress', (event) => {
    const job: Job = JSON.parse(event.data);
    jobs.value = { ...jobs.value, [job.id]: job };
  });
  source.addEventListener('error', () => {
    live.value = false;
    if (source?.readyState !== EventSource.CLOSED) return; // it tries again by itself
    source = undefined;
    anew = true;
    again = setTimeout(follow, wait);
    wait = Math.min(wait * 2, 15_000);
  });
}

export function unfollow(): void {
  clearTimeout(again);
  source?.close();
  source = undefined;
  anew = false;
  live.value = true;
}
