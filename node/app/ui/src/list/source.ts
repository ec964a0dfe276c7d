/** What a list shows: ids in order. The items themselves come from items.ts, as far as they are in sight. */
import { signal } from '@preact/signals';
import { ask, url, uuidOf } from '../api';
import { report } from '../toasts';

export interface Source {
  /** how many are known so far; a signal inside, so that reading it follows */
  readonly length: number;
  /** whether more are still coming */
  readonly loading: boolean;
  /** what it is a list of, the same before and after it was read anew: choices in it stay */
  readonly name: string;
  /** the question whose answer this is, for work on all of it at once */
  readonly question?: string | undefined;
  id(at: number): string;
  indexOf(id: string): number;
}

/** Ids that are already here: an album, a playlist, a page. */
export class Ids implements Source {
  readonly loading = false;
  constructor(
    readonly ids: readonly string[],
    readonly name = '',
    readonly question?: string,
  ) {}
  get length(): number {
    return this.ids.length;
  }
  id(at: number): string {
    return this.ids[at] ?? '';
  }
  indexOf(id: string): number {
    return this.ids.indexOf(id);
  }
}

/** Bytes of an id in the answer of GET /ids. */
const WIDTH = 16;

/**
 * All ids that match a question, 16 bytes each, in order, as they come: 100,000 are 1.6 MB and no object. The list shows the
 * first while the rest is still on its way.
 */
export class Matches implements Source {
  private bytes = new Uint8Array(WIDTH * 1024);
  private filled = 0;
  private readonly known = signal(0);
  private readonly coming = signal(true);
  private readonly abort = new AbortController();
  /** Ends when all have come, or with the refusal (also reported by whoever waits). */
  readonly complete: Promise<void>;
  readonly name: string;

  constructor(
    readonly question: string,
    sort = '',
  ) {
    this.name = `${question} ${sort}`;
    this.complete = this.load(sort);
    this.complete.catch(() => undefined); // who shows the list reports it
  }

  get length(): number {
    return this.known.value;
  }
  get loading(): boolean {
    return this.coming.value;
  }
  id(at: number): string {
    return at >= 0 && at < this.known.peek() ? uuidOf(this.bytes, at * WIDTH) : '';
  }
  indexOf(id: string): number {
    const wanted = bytesOf(id);
    for (let at = 0; at < this.known.peek(); at += 1) {
      let same = 0;
      while (same < WIDTH && this.bytes[at * WIDTH + same] === wanted[same]) same += 1;
      if (same === WIDTH) return at;
    }
    return -1;
  }
  /** Nobody shows it any more. */
  close(): void {
    this.abort.abort();
  }

  private async load(sort: string): Promise<void> {
    try {
      const init = { signal: this.abort.signal };
      const response = await ask('GET', url('/ids', { q: this.question, sort: sort || undefined }), init);
      const reader = response.body!.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        this.take(value);
      }
    } finally {
      this.coming.value = false;
    }
  }

  private take(piece: Uint8Array): void {
    if (this.filled + piece.length > this.bytes.length) {
      const wider = new Uint8Array(Math.max(this.bytes.length * 2, this.filled + piece.length));
      wider.set(this.bytes.subarray(0, this.filled));
      this.bytes = wider;
    }
    this.bytes.set(piece, this.filled);
    this.filled += piece.length;
    this.known.value = Math.floor(this.filled / WIDTH);
  }
}

function bytesOf(id: string): Uint8Array {
  const text = id.replaceAll('-', '');
  return Uint8Array.from({ length: WIDTH }, (_, at) => Number.parseInt(text.slice(at * 2, at * 2 + 2), 16));
}

/** All ids of a source, the rest of which may still be coming: for playing or exporting all of it. */
export async function allOf(source: Source): Promise<string[]> {
  if (source instanceof Matches) {
    try {
      await source.complete;
    } catch (wrong) {
      report(wrong);
    }
  }
  return Array.from({ length: source.length }, (_, at) => source.id(at));
}
