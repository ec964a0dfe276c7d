/** Items that were seen, one copy of each: a rating given in one list shows in all. */
import { signal } from '@preact/signals';
import { ApiError, post } from './api';
import { onChanges } from './events';
import { report } from './toasts';
import type { Item } from './types';

/** More than any view shows at once; the oldest are let go. */
const KEPT = 5000;
/** docs/http.md, POST /items */
const AT_ONCE = 200;

const cache = new Map<string, Item | null>();
const wanted = new Set<string>();
const asking = new Set<string>();
/** Rises whenever an item came or changed; reading it in a component renders that anew. */
export const version = signal(0);

/** What is known of an item: undefined is not yet, null is gone. Asks for it where it is not known. */
export function item(id: string): Item | null | undefined {
  version.value;
  const found = cache.get(id);
  if (found === undefined) want([id]);
  return found;
}

/** The same without asking and without following. */
export const peek = (id: string): Item | null | undefined => cache.get(id);

export function store(items: readonly (Item | null)[]): void {
  for (const each of items) if (each) put(each.id, each);
  version.value += 1;
}

/** What only lists with `fields` bring; an answer without them takes nothing away. */
const FIELDS = ['track', 'disc', 'year', 'genres', 'codec', 'track_gain', 'album_gain'] as const;

function put(id: string, value: Item | null): void {
  const before = cache.get(id);
  if (value && before) {
    const keep: Partial<Record<(typeof FIELDS)[number], unknown>> = {};
    for (const name of FIELDS) if (before[name] !== undefined && value[name] === undefined) keep[name] = before[name];
    value = { ...value, ...(keep as Partial<Item>) };
  }
  cache.delete(id); // so that the last one set is the last to be let go
  cache.set(id, value);
  if (cache.size > KEPT) {
    const oldest = cache.keys().next().value;
    if (oldest !== undefined) cache.delete(oldest);
  }
}

/** Changes what is shown, before the server has answered. Answers how to take it back. */
export function patch(ids: readonly string[], change: (item: Item) => Partial<Item>): () => void {
  const before: Item[] = [];
  for (const id of ids) {
    const found = cache.get(id);
    if (!found) continue;
    before.push(found);
    cache.set(id, { ...found, ...change(found) });
  }
  version.value += 1;
  return () => store(before);
}

let timer: ReturnType<typeof setTimeout> | undefined;

/** Asks for items with the next few milliseconds' others. */
export function want(ids: readonly string[]): void {
  for (const id of ids) if (!asking.has(id)) wanted.add(id);
  // a list that flies by asks for rows nobody sees any more; those in sight ask again when they are drawn
  for (const id of wanted) {
    if (wanted.size <= 2 * AT_ONCE) break;
    wanted.delete(id);
  }
  if (wanted.size) timer ??= setTimeout(fetchWanted, 15);
}

async function fetchWanted(): Promise<void> {
  timer = undefined;
  const ids = [...wanted].slice(0, AT_ONCE);
  for (const id of ids) {
    wanted.delete(id);
    asking.add(id);
  }
  if (wanted.size) timer = setTimeout(fetchWanted, 0);
  try {
    const { items } = await post<{ items: (Item | null)[] }>('/items', { ids });
    items.forEach((each, at) => put(ids[at]!, each));
    version.value += 1;
  } catch (wrong) {
    if (!(wrong instanceof ApiError)) throw wrong;
    // while the daemon is away the banner says so; rows ask again when they are next drawn, and the feed draws them
    if (wrong.status !== 0 && wrong.status !== 503) report(wrong);
  } finally {
    for (const id of ids) asking.delete(id);
  }
}

const detailed = new Set<string>();

/** Asks once for what only lists with `fields` bring: the track, ReplayGain. */
export async function wantFields(ids: readonly string[]): Promise<void> {
  const fresh = ids.filter((id) => !detailed.has(id));
  if (!fresh.length) return;
  for (const id of fresh) detailed.add(id);
  try {
    store((await post<{ items: (Item | null)[] }>('/items', { ids: fresh, fields: true })).items);
  } catch (wrong) {
    if (!(wrong instanceof ApiError)) throw wrong;
    for (const id of fresh) detailed.delete(id); // asked again with the next song
  }
}

/** Asks again for those of these that are known, or for all that is known. */
export function refresh(ids?: readonly string[]): void {
  if (ids) want(ids.filter((id) => cache.has(id)));
  else {
    // those in sight stay until the new ones are there; the others are asked for when they come into sight
    const seen = [...cache.keys()].slice(-AT_ONCE);
    for (const id of [...cache.keys()].slice(0, -AT_ONCE)) cache.delete(id);
    want(seen);
  }
}

onChanges((changes) => {
  if (changes.some((each) => each.action === 'resync')) return refresh();
  const ids = new Set(changes.flatMap((each) => (each.item ? [each.item] : [])));
  refresh([...ids]);
});
