/** What is chosen in a list, for work on many at once. One list at a time: choosing elsewhere begins anew. */
import { computed, signal } from '@preact/signals';
import type { Source } from './source';

export class Selection {
  private readonly ids = signal<ReadonlySet<string>>(new Set());
  /** all of the source, which may be too many to name one by one */
  readonly all = signal(false);
  /** the row that keys move, -1 before the first key or press */
  readonly active = signal(-1);
  /** whether the bar is shown: a single press with a mouse merely says which row is meant */
  readonly meant = signal(false);
  private anchor = -1;

  constructor(public source: Source) {}

  readonly size = computed(() => (this.all.value ? this.source.length : this.ids.value.size));

  has(id: string): boolean {
    return this.all.value || this.ids.value.has(id);
  }

  /** What is chosen, in the order of the list. */
  list(): string[] {
    if (this.all.peek()) return Array.from({ length: this.source.length }, (_, at) => this.source.id(at));
    const chosen = this.ids.peek();
    if (chosen.size < 2) return [...chosen];
    const places = new Map([...chosen].map((id) => [id, 0]));
    for (let at = 0; at < this.source.length; at += 1) {
      const id = this.source.id(at);
      if (places.has(id)) places.set(id, at);
    }
    return [...places].sort((one, other) => one[1] - other[1]).map(([id]) => id);
  }

  /** One of what is chosen, '' where nothing is: for what the kind of things decides. */
  first(): string {
    return this.all.value ? this.source.id(0) : ([...this.ids.value][0] ?? '');
  }

  clear(): void {
    this.meant.value = false;
    this.all.value = false;
    this.ids.value = new Set();
  }

  everything(): void {
    this.meant.value = true;
    this.ids.value = new Set();
    this.all.value = this.source.length > 0;
  }

  only(at: number): void {
    this.meant.value = false;
    this.all.value = false;
    this.ids.value = new Set([this.source.id(at)]);
    this.active.value = at;
    this.anchor = at;
  }

  toggle(at: number): void {
    this.meant.value = true;
    const id = this.source.id(at);
    const chosen = new Set(this.all.peek() ? this.list() : this.ids.peek());
    if (!chosen.delete(id)) chosen.add(id);
    this.all.value = false;
    this.ids.value = chosen;
    this.active.value = at;
    this.anchor = at;
  }

  /** From the row last chosen to this one. */
  extend(at: number): void {
    this.meant.value = true;
    const from = this.anchor < 0 ? Math.max(0, this.active.peek()) : this.anchor;
    const chosen = new Set<string>();
    for (let each = Math.min(from, at); each <= Math.max(from, at); each += 1) chosen.add(this.source.id(each));
    this.anchor = from;
    this.all.value = false;
    this.ids.value = chosen;
    this.active.value = at;
  }

  /** The active row without choosing it: keys move, Space chooses. */
  moveTo(at: number): void {
    this.active.value = at;
    this.anchor = at;
  }

  /** What work is meant for: what is chosen, else the active row. */
  target(): string[] {
    if (this.size.peek()) return this.list();
    const at = this.active.peek();
    return at >= 0 && at < this.source.length ? [this.source.id(at)] : [];
  }
}

/** The one whose bar is shown. */
export const current = signal<Selection | null>(null);
