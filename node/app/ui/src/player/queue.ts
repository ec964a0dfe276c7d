/** What is played and what comes after it. The sound itself: sound.ts. */
import { batch, computed, signal } from '@preact/signals';
import { many } from '../format';
import { kept, keep } from '../kept';
import { say } from '../toasts';

/** A place in the queue: the same item may stand in it twice. */
export interface Entry {
  key: number;
  id: string;
}

export type Repeat = 'off' | 'all' | 'one';

/** As many as one request keeps (PUT /queue, 64 KiB). */
export const LONGEST = 1000;

export const entries = signal<readonly Entry[]>([]);
export const at = signal(-1);
/** Whether it is to sound; a browser may still refuse or wait for data. */
export const playing = signal(false);
export const repeat = signal<Repeat>(kept('repeat', 'off') as Repeat);
export const shuffled = signal(false);
/** Rises when the present entry is to begin anew although it is the same. */
export const turn = signal(0);
/** Where to begin, in seconds; taken by the sound when it loads. */
export const startAt = signal(0);

export const entry = computed(() => entries.value[at.value]);
export const playingId = computed(() => entry.value?.id);

let keys = 0;
/** The order before shuffling, to go back to. */
let straight: readonly Entry[] | null = null;

const entriesOf = (ids: readonly string[]): Entry[] => ids.map((id) => ({ key: (keys += 1), id }));

/** Plays these from the one at `place`; the queue so far goes. */
export function playNow(ids: readonly string[], place = 0): void {
  if (!ids.length) return;
  const from = ids.length > LONGEST ? place : 0;
  const taken = ids.slice(from, from + LONGEST);
  batch(() => {
    entries.value = entriesOf(taken);
    at.value = place - from;
    straight = null;
    startAt.value = 0;
    turn.value += 1;
    playing.value = true;
    if (shuffled.peek()) mix();
  });
  if (ids.length > LONGEST) say(`The queue takes ${many(LONGEST, 'song')} from here on`);
}

/** Plays all of these in a random order. */
export function playShuffled(ids: readonly string[]): void {
  const mixed = random(ids).slice(0, LONGEST);
  batch(() => {
    shuffled.value = false;
    playNow(mixed);
  });
}

function insert(ids: readonly string[], place: number, said: string): void {
  if (!ids.length) return;
  const room = LONGEST - entries.peek().length;
  if (room <= 0) return say(`The queue is full: ${many(LONGEST, 'song')}`);
  const added = entriesOf(ids.slice(0, room));
  const before = entries.peek();
  batch(() => {
    entries.value = [...before.slice(0, place), ...added, ...before.slice(place)];
    if (straight) straight = [...straight, ...added];
    if (at.peek() < 0) at.value = 0;
  });
  say(`${many(added.length, 'item')} ${said}`);
}

export const playNext = (ids: readonly string[]) => insert(ids, at.peek() + 1, 'next in the queue');
export const enqueue = (ids: readonly string[]) => insert(ids, entries.peek().length, 'added to the queue');

export function jump(place: number): void {
  if (!entries.peek()[place]) return;
  batch(() => {
    at.value = place;
    startAt.value = 0;
    turn.value += 1;
    playing.value = true;
  });
}

/** Which entry comes after the present one; -1 where it ends. */
export const following = computed(() => {
  if (repeat.value === 'one') return at.value;
  if (at.value + 1 < entries.value.length) return at.value + 1;
  return repeat.value === 'all' && entries.value.length ? 0 : -1;
});

/** On to the next; `ended`: by itself, at its end. */
export function next(ended = false): void {
  const place = ended || repeat.peek() !== 'one' ? following.peek() : at.peek() + 1;
  if (place < 0 || !entries.peek()[place]) {
    playing.value = false;
    return;
  }
  jump(place);
}

/** Back to the beginning of this one, or where it has only just begun, to the one before. */
export function previous(position: number): void {
  if (position > 3 || at.peek() <= 0) jump(Math.max(0, at.peek()));
  else jump(at.peek() - 1);
}

export function remove(place: number): void {
  const before = entries.peek();
  const gone = before[place];
  if (!gone) return;
  batch(() => {
    entries.value = before.filter((_, each) => each !== place);
    if (straight) straight = straight.filter((each) => each !== gone);
    if (place < at.peek()) at.value -= 1;
    else if (place === at.peek()) {
      if (at.peek() >= entries.peek().length) {
        at.value = entries.peek().length - 1;
        playing.value = false;
      }
      startAt.value = 0;
    }
  });
}

export function move(from: number, to: number): void {
  const before = [...entries.peek()];
  const [moved] = before.splice(from, 1);
  if (!moved || to < 0 || to > before.length) return;
  const present = entry.peek();
  before.splice(to, 0, moved);
  batch(() => {
    entries.value = before;
    at.value = before.findIndex((each) => each === present);
  });
}

/** Empties it but for what is playing. */
export function clear(): void {
  const present = entry.peek();
  batch(() => {
    straight = null;
    entries.value = playing.peek() && present ? [present] : [];
    at.value = entries.peek().length - 1;
  });
}

function random<T>(values: readonly T[]): T[] {
  const mixed = [...values];
  for (let last = mixed.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other]!, mixed[last]!];
  }
  return mixed;
}

/** Mixes what is yet to come; what is playing goes first. */
function mix(): void {
  const all = entries.peek();
  const present = entry.peek();
  straight = all;
  entries.value = present ? [present, ...random(all.filter((each) => each !== present))] : random(all);
  at.value = present ? 0 : -1;
}

export function toggleShuffle(): void {
  batch(() => {
    shuffled.value = !shuffled.peek();
    if (shuffled.peek()) return mix();
    const present = entry.peek();
    if (straight) {
      entries.value = straight;
      at.value = present ? straight.indexOf(present) : -1;
    }
    straight = null;
  });
}

export function toggleRepeat(): void {
  repeat.value = repeat.peek() === 'off' ? 'all' : repeat.peek() === 'all' ? 'one' : 'off';
  keep('repeat', repeat.peek());
}

/** As it was left, here or in another player. */
export function restore(ids: readonly string[], current: number, position: number): void {
  batch(() => {
    entries.value = entriesOf(ids.slice(0, LONGEST));
    at.value = Math.min(current, entries.peek().length - 1);
    startAt.value = position;
    playing.value = false;
    turn.value += 1;
  });
}
