/**
 * Where the page is. Addresses are behind the #, because the paths belong to the HTTP interface: `#/album/ID?sort=-year`.
 */
import { computed, signal } from '@preact/signals';

export interface Place {
  /** `/album/ID`, decoded part by part */
  path: string;
  parts: string[];
  query: URLSearchParams;
}

function read(): Place {
  const text = location.hash.replace(/^#/, '') || '/';
  const mark = text.indexOf('?');
  const path = mark < 0 ? text : text.slice(0, mark);
  const parts = path.split('/').filter(Boolean).map(decode);
  return { path, parts, query: new URLSearchParams(mark < 0 ? '' : text.slice(mark + 1)) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (wrong) {
    if (!(wrong instanceof URIError)) throw wrong;
    return part; // a person typed a lone % into the address
  }
}

export const place = signal<Place>(read());
/** The question in the address, or ''. */
export const asked = computed(() => place.value.query.get('q') ?? '');

addEventListener('hashchange', () => {
  place.value = read();
});

export type Query = Record<string, string | number | boolean | undefined | null>;

/** An address within the page: `href(['album', id], { sort: 'year' })`. */
export function href(parts: (string | number)[], query: Query = {}): string {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== null && value !== false && value !== '')
      text.set(name, value === true ? '1' : String(value));
  const tail = text.toString();
  return `#/${parts.map((part) => encodeURIComponent(String(part))).join('/')}${tail ? `?${tail}` : ''}`;
}

/** Goes there. `replace`: no step of its own in the history, as while typing. */
export function go(to: string, replace = false): void {
  if (location.hash === to) return;
  if (!replace) {
    location.hash = to;
    return;
  }
  history.replaceState(history.state, '', to);
  place.value = read();
}

/** Changes the query of the present address alone. */
export function ask(query: Query, replace = true): void {
  const all: Query = Object.fromEntries(place.value.query);
  go(href(place.value.parts, { ...all, ...query }), replace);
}
