/** Work on items: at once on the page, then by the server, with a way back. */
import { ApiError, change, get } from './api';
import { many, titleOf } from './format';
import { patch, peek, refresh } from './items';
import { current } from './list/selection';
import { done, report, say } from './toasts';
import type { Item } from './types';

/** As many ids as go into one request's 64 KiB. */
const AT_ONCE = 1000;

interface WorkBody {
  add_tags?: string[];
  remove_tags?: string[];
  rating?: number;
  star?: boolean;
}

/** The question that stands for these ids, where all of a list is chosen. */
function questionOf(ids: readonly string[]): string | undefined {
  const selection = current.peek();
  if (!selection?.all.peek() || selection.source.length !== ids.length) return undefined;
  return selection.source.question;
}

/** "The Wall" or "12 items" */
export function name(ids: readonly string[]): string {
  const only = ids.length === 1 ? peek(ids[0]!) : undefined;
  return only ? titleOf(only) : many(ids.length, 'item');
}

async function work(ids: readonly string[], body: WorkBody, said: string, shown: (item: Item) => Partial<Item>): Promise<void> {
  if (!ids.length) return;
  const back = patch(ids, shown);
  const question = ids.length > AT_ONCE ? questionOf(ids) : undefined;
  try {
    if (question !== undefined) {
      const { operation } = await change('POST', '/work', { q: question, ...body });
      return done(said, operation);
    }
    let operation;
    for (let at = 0; at < ids.length; at += AT_ONCE)
      ({ operation } = await change('POST', '/work', { ids: ids.slice(at, at + AT_ONCE), ...body }));
    // what took several requests is several operations, and the last alone would be half a way back
    done(said, ids.length <= AT_ONCE ? operation : undefined);
  } catch (wrong) {
    back();
    report(wrong);
  }
}

export const STARS = ['no rating', '★', '★★', '★★★', '★★★★', '★★★★★'];

/** @param rating 0 to 5; 0 takes it away */
export function rate(ids: readonly string[], rating: number): Promise<void> {
  return work(ids, { rating }, `${name(ids)}: ${STARS[rating]}`, () => ({ rating }));
}

export function star(ids: readonly string[], starred: boolean): Promise<void> {
  return work(ids, { star: starred }, `${name(ids)}: ${starred ? 'starred' : 'no longer starred'}`, () => ({ starred }));
}

/** Stars all of these, unless all are starred already. */
export function toggleStar(ids: readonly string[]): Promise<void> {
  return star(ids, !ids.every((id) => peek(id)?.starred));
}

export function tag(ids: readonly string[], add: string[], remove: string[] = []): Promise<void> {
  const said = [...add.map((each) => `+ ${each}`), ...remove.map((each) => `− ${each}`)].join(', ');
  return work(ids, { add_tags: add, remove_tags: remove }, `${name(ids)}: ${said}`, (item) => ({
    tags: [...(item.tags ?? []).filter((each) => !remove.includes(each) && !add.includes(each)), ...add],
  }));
}

/** Sets fields of one item; null takes a person's value away. */
export async function setFields(id: string, fields: Record<string, string | null>): Promise<void> {
  try {
    const { operation } = await change('PATCH', `/file/${id}/fields`, fields);
    refresh([id]);
    const named = Object.keys(fields).join(', ');
    done(`${name([id])}: ${named} ${Object.values(fields).every((each) => each === null) ? 'as in the file' : 'set'}`, operation);
  } catch (wrong) {
    report(wrong);
  }
}

/** Puts items at the end of a list. */
export async function addTo(list: { id: string; name: string }, ids: readonly string[]): Promise<void> {
  try {
    const { operation } = await change('PATCH', `/collections/${list.id}`, { add: ids });
    done(`${many(ids.length, 'item')} added to ${list.name}`, operation);
  } catch (wrong) {
    report(wrong);
  }
}

/** Makes a list of items, or a saved question. */
export async function makeList(
  kind: 'collection' | 'playlist',
  called: string,
  of: { ids: readonly string[] } | { query: string },
): Promise<string | undefined> {
  try {
    const made = await change<{ id: string }>('POST', '/collections', { kind, name: called, ...of });
    done(`${called} made`, made.operation);
    return made.id;
  } catch (wrong) {
    report(wrong);
    return undefined;
  }
}

/** One file as it is, several as a ZIP. */
export function download(ids: readonly string[]): void {
  if (ids.length === 1) return follow(`./file/${ids[0]}/download`);
  const question = questionOf(ids);
  if (question !== undefined) return follow(`./download.zip?q=${encodeURIComponent(question)}`);
  // ids in the address have their limit; 36 characters each and 8 KiB of a request's head
  if (ids.length > 200) return say('At most 200 chosen items, or all of a list, can be downloaded at once');
  follow(`./download.zip?ids=${ids.join(',')}`);
}

/** Lets the browser download an address: no copy of it in memory. */
function follow(address: string): void {
  const link = document.createElement('a');
  link.href = address;
  link.download = '';
  link.click();
}

/** Tags that begin so, the most used first. */
export async function suggestTags(begin: string): Promise<string[]> {
  try {
    const q = `tag:${/[\s"]/.test(begin) ? JSON.stringify(begin) : begin}`;
    const { suggestions } = await get<{ suggestions: { text: string }[] }>('/complete', { q, at: q.length });
    return suggestions.map((each) => each.text.replace(/^tag:/, '').replace(/^"(.*)"?$/, '$1').replace(/"$/, ''));
  } catch (wrong) {
    if (!(wrong instanceof ApiError)) throw wrong;
    return []; // completion is a help; without it the tag can still be typed
  }
}

/** Ids of the songs of albums, in their order. */
export async function songsOf(albums: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const id of albums) {
    const { songs } = await get<{ songs: Item[] }>(`/album/${id}`);
    found.push(...songs.map((each) => each.id));
  }
  return found;
}
