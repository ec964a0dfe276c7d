/** What of playing is kept by the server: the queue, places in long pieces, and that something was played. */
import { effect } from '@preact/signals';
import { ApiError, ask, change, get, url, uuid } from '../api';
import { patch, peek } from '../items';
import { mayWrite } from '../session';
import { report } from '../toasts';
import { at, entries, entry, playing, restore } from './queue';
import { length, LONG, onHeard, position } from './sound';

const SAVE_MS = 3000;

interface Queue {
  ids: string[];
  /** which of them, from 0 */
  current: number;
  /** seconds into it */
  position: number;
}

let known = '';
let timer: ReturnType<typeof setTimeout> | undefined;

function present(): Queue {
  const ids = entries.peek().map((each) => each.id);
  return { ids, current: Math.max(0, at.peek()), position: Math.round(position.peek() * 10) / 10 };
}

async function save(): Promise<void> {
  timer = undefined;
  const queue = present();
  const text = JSON.stringify(queue);
  if (text === known || !mayWrite.peek()) return;
  known = text;
  try {
    await change('PUT', '/queue', queue);
  } catch (wrong) {
    if (!(wrong instanceof ApiError)) throw wrong;
    known = ''; // sent again with the next change; the banner says what is away
    if (wrong.status !== 0 && wrong.status !== 503) report(wrong);
  }
}

function soon(): void {
  timer ??= setTimeout(save, SAVE_MS);
}

/** The queue as it was left, unless something plays already. */
export async function resume(): Promise<void> {
  if (!mayWrite.peek()) return;
  try {
    const queue = await get<Queue>('/queue');
    if (entries.peek().length || !queue.ids.length) return;
    restore(queue.ids, queue.current, queue.position);
    known = JSON.stringify(present());
  } catch (wrong) {
    if (!(wrong instanceof ApiError)) throw wrong;
    if (wrong.code !== 'unsupported') report(wrong); // a daemon older than this page keeps no queues
  }
}

async function bookmark(id: string, at: number, whole: number): Promise<void> {
  if (!mayWrite.peek() || whole < LONG) return;
  const end = at < 10 || at > whole - 30;
  if (end && !peek(id)?.bookmark) return;
  try {
    if (end) await change('DELETE', `/file/${id}/bookmark`);
    else await change('PUT', `/file/${id}/bookmark`, { position: Math.round(at) });
    patch([id], () => (end ? { bookmark: undefined } : { bookmark: { position: Math.round(at) } }) as never);
  } catch (wrong) {
    if (!(wrong instanceof ApiError)) throw wrong;
    if (wrong.status !== 0 && wrong.status !== 503) report(wrong);
  }
}

let begun = false;

export function startSaving(): void {
  if (begun) return;
  begun = true;
  effect(() => {
    entries.value;
    at.value;
    soon();
  });
  let marked = 0;
  effect(() => {
    if (playing.value) return;
    const now = entry.peek();
    if (!now) return;
    soon();
    void bookmark(now.id, position.peek(), length.peek());
  });
  effect(() => {
    const gone = position.value;
    if (!playing.peek() || Math.abs(gone - marked) < 30) return;
    marked = gone;
    soon();
    const now = entry.peek();
    if (now) void bookmark(now.id, gone, length.peek());
  });
  onHeard((id, began) => {
    if (!mayWrite.peek()) return;
    patch([id], (item) => ({ plays: (item.plays ?? 0) + 1 }));
    change('POST', `/file/${id}/play`, { at: Math.round(began * 1000) / 1000 }).catch(report);
  });
  addEventListener('pagehide', () => {
    const queue = JSON.stringify(present());
    if (queue === known || !mayWrite.peek() || !entries.peek().length) return;
    const headers = { 'Content-Type': 'application/json', Operation: uuid() };
    // the page is going: nobody is left to be told
    ask('PUT', url('/queue'), { body: queue, headers, keepalive: true }).catch(() => undefined);
  });
}
