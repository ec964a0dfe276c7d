/**
 * Thumbnails in squares under headings, of any number: what is in sight alone is in the document, two elements a picture, and
 * where each stands is computed, never measured.
 */
import type { ComponentChildren, RefObject } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { entriesFor, workKeys } from '../components/bar';
import { Cover } from '../components/cover';
import { useListKeys, useSelection } from '../components/itemlist';
import { openMenu } from '../components/menu';
import { clock, count, titleOf } from '../format';
import { item } from '../items';
import { useKeys } from '../keys';
import { current } from '../list/selection';
import type { Source } from '../list/source';
import type { Scroller } from '../list/virtual';
import type { Section } from './timeline';
import '../styles/photos.css';

const GAP = 4;
const HEAD = 46;
/** Least width for the name of a month, in full and short, pixels. */
const NAME = 170;
const SHORT_NAME = 88;
/** Drawn above and below what is in sight, pixels. */
const BEYOND = 250;
/** Browsers cut elements off beyond (list/virtual.tsx). */
const TALLEST = 15_000_000;

interface Placed extends Section {
  top: number;
  /** in columns: months of a few pictures stand side by side */
  left: number;
  head: number;
  rows: number;
}

export interface Layout {
  sections: Placed[];
  /** of everything, pixels; the element is at most TALLEST high and scrolled in proportion */
  full: number;
  height: number;
  across: number;
  side: number;
}

/** Where everything stands for a width. */
export function layOut(sections: readonly Section[], width: number, cell: number): Layout {
  const across = Math.max(1, Math.floor((width + GAP) / (cell + GAP)));
  const side = width ? (width - GAP * (across - 1)) / across : cell;
  const step = side + GAP;
  const placed: Placed[] = [];
  let top = 0;
  let taken = 0; // columns of the row of months that is being filled, 0: none is
  const heading = (each: Section) => (each.label ? HEAD : 0);
  for (const each of sections) {
    const head = heading(each);
    const rows = Math.ceil(each.count / across);
    // its name needs some room too
    const columns = Math.max(each.count, Math.ceil(SHORT_NAME / step));
    if (taken && (rows > 1 || taken + columns > across)) {
      top += HEAD + step;
      taken = 0;
    }
    placed.push({ ...each, top, left: taken, head, rows });
    if (rows === 1 && each.label) taken += columns;
    else top += head + rows * step;
  }
  if (taken) top += HEAD + step;
  return { sections: placed, full: top, height: Math.min(top, TALLEST), across, side };
}

/** The first of the sections that stand beside this one. */
function rowOf(sections: readonly Placed[], place: number): number {
  while (place > 0 && sections[place - 1]!.top === sections[place]!.top) place -= 1;
  return place;
}

/** The last section that begins at or before a place, by halving. */
export function sectionAt(sections: readonly Placed[], top: number): number {
  let low = 0;
  let high = sections.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (sections[middle]!.top <= top) low = middle;
    else high = middle - 1;
  }
  return low;
}

export interface Walker {
  layout: Layout;
  /** what is at the top of the view, pixels of everything */
  at: number;
  /** height of the view, pixels */
  seen: number;
  /** Scrolls so that this is at the top. */
  to: (top: number) => void;
}

interface Props {
  source: Source;
  sections: readonly Section[];
  label: string;
  onOpen: (at: number) => void;
  before?: ComponentChildren;
  empty?: ComponentChildren;
  /** least width of a picture, pixels */
  cell?: number;
  /** drawn beside the grid: the scrubber */
  beside?: (walker: Walker) => ComponentChildren;
}

let grids = 0;

export function PhotoGrid({ source, sections, label, onOpen, before, empty, cell = 168, beside }: Props) {
  const selection = useSelection(source);
  const scroller = useRef<HTMLDivElement>(null);
  const spacer = useRef<HTMLDivElement>(null);
  const control: RefObject<Scroller | null> = useRef<Scroller>(null);
  const [width, setWidth] = useState(0);
  const [view, setView] = useState({ at: 0, seen: 900 });
  const id = useRef('');
  if (!id.current) id.current = `photos-${(grids += 1)}`;
  const layout = useMemo(() => layOut(sections, width, cell), [sections, width, cell]);
  const latest = useRef(layout);
  latest.current = layout;

  const scale = useCallback(() => {
    const { full, height } = latest.current;
    const seen = scroller.current?.clientHeight ?? 0;
    return height < full && height > seen ? (full - seen) / (height - seen) : 1;
  }, []);
  const look = useCallback(() => {
    const outer = scroller.current;
    const inner = spacer.current;
    if (!outer || !inner) return;
    const above = Math.max(0, outer.getBoundingClientRect().top - inner.getBoundingClientRect().top);
    const at = above * scale();
    setView((was) => (was.at === at && was.seen === outer.clientHeight ? was : { at, seen: outer.clientHeight }));
  }, []);
  useLayoutEffect(() => {
    const inner = spacer.current!;
    const outer = scroller.current!;
    const measure = () => {
      setWidth(inner.clientWidth);
      look();
    };
    measure();
    const sized = new ResizeObserver(measure);
    sized.observe(inner);
    sized.observe(outer);
    outer.addEventListener('scroll', look, { passive: true });
    return () => {
      sized.disconnect();
      outer.removeEventListener('scroll', look);
    };
  }, []);
  useEffect(look, [layout]);

  const begin = () => {
    const outer = scroller.current!;
    return outer.scrollTop + spacer.current!.getBoundingClientRect().top - outer.getBoundingClientRect().top;
  };
  const to = useCallback((top: number) => {
    if (scroller.current && spacer.current) scroller.current.scrollTop = top <= 0 ? 0 : begin() + top / scale();
  }, []);
  control.current = {
    reveal: (place) => {
      const outer = scroller.current;
      const found = layout.sections.find((each) => place < each.first + each.count);
      if (!outer || !found) return;
      const row = found.top + found.head + Math.floor((place - found.first) / layout.across) * (layout.side + GAP);
      const top = begin() + row / scale();
      if (place === 0) outer.scrollTop = 0;
      else if (top < outer.scrollTop) outer.scrollTop = top - GAP;
      else if (top + layout.side > outer.scrollTop + outer.clientHeight) outer.scrollTop = top + layout.side + GAP - outer.clientHeight;
    },
  };
  const onKeyDown = useListKeys(selection, control, onOpen, () => layout.across, 4);
  useKeys(workKeys(() => current.peek()?.target() ?? []));
  const active = selection.active.value;
  const choosing = selection.meant.value && selection.size.value > 0;
  const placeOf = (event: Event) => Number((event.target as Element).closest<HTMLElement>('[data-at]')?.dataset.at ?? -1);
  const menu = (at: number, x: number, y: number) => {
    current.value = selection;
    if (!selection.has(source.id(at))) selection.only(at);
    const choose = { label: 'Choose', icon: 'check' as const, keys: 'x', run: () => selection.toggle(at) };
    openMenu('What can be done', entriesFor(selection.list(), selection.meant.peek() ? [] : [choose]), { x, y });
  };
  const keys = (event: KeyboardEvent) => {
    const at = selection.active.peek();
    if (at < 0 || !(event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey))) return onKeyDown(event);
    event.preventDefault();
    const where = document.getElementById(`${id.current}-${at}`)?.getBoundingClientRect();
    if (where) menu(at, where.left + 24, where.top + 24);
  };

  const draw = (at: number, left: number, top: number) => {
    const key = source.id(at);
    const of = item(key);
    const chosen = selection.has(key);
    return (
      <div
        key={at}
        id={`${id.current}-${at}`}
        class={`photo${chosen && selection.meant.value ? ' chosen' : ''}${at === active ? ' active' : ''}${of?.starred ? ' starred' : ''}`}
        role="option"
        aria-selected={chosen}
        aria-label={of ? `${titleOf(of)}${of.kind === 'video' ? `, film of ${clock(of.duration)}` : ''}${of.starred ? ', starred' : ''}` : 'Loading'}
        data-at={at}
        data-length={of?.kind === 'video' ? clock(of.duration) || '▶' : undefined}
        style={{ transform: `translate(${left}px, ${top}px)`, width: `${layout.side}px`, height: `${layout.side}px` }}
      >
        {of && <Cover key={key} id={key} size={320} of={of.kind} />}
      </div>
    );
  };

  const from = view.at - BEYOND;
  const until = view.at + view.seen + BEYOND;
  // beyond TALLEST a pixel of scrolling is several of what is shown: what is drawn moves with the view
  const shift = scale() === 1 ? 0 : view.at / scale() - view.at;
  const drawn = [];
  const step = layout.side + GAP;
  for (let place = rowOf(layout.sections, sectionAt(layout.sections, from)); width > 0 && place < layout.sections.length; place += 1) {
    const each = layout.sections[place]!;
    if (each.top > until) break;
    const cells = each.top + each.head;
    const first = Math.max(0, Math.floor((from - cells) / step));
    const last = Math.min(each.rows, Math.ceil((until - cells) / step));
    const pictures = [];
    for (let at = first * layout.across; at < Math.min(last * layout.across, each.count); at += 1)
      pictures.push(draw(each.first + at, (each.left + (at % layout.across)) * step, cells + Math.floor(at / layout.across) * step + shift));
    drawn.push(
      <div key={each.key || each.label} role="group" aria-label={each.label || label}>
        {each.label && (
          <h2 class="month" aria-hidden="true" style={{ transform: `translate(${each.left * step}px, ${each.top + shift}px)` }}>
            {each.count * step < NAME && each.rows === 1 ? each.short : each.label} <small>{count(each.count)}</small>
          </h2>
        )}
        {pictures}
      </div>,
    );
  }

  return (
    <div class="photo-page">
      <div ref={scroller} class="scroller padded">
        {before}
        <div
          class={`photos${choosing ? ' choosing' : ''}`}
          role={source.length ? 'listbox' : undefined}
          aria-label={source.length ? label : undefined}
          aria-multiselectable={source.length ? true : undefined}
          aria-activedescendant={active >= 0 ? `${id.current}-${active}` : undefined}
          tabIndex={source.length ? 0 : undefined}
          onKeyDown={keys}
          onFocus={() => {
            current.value = selection;
            if (selection.active.peek() < 0) selection.moveTo(0);
          }}
          onClick={(event) => {
            const at = placeOf(event);
            if (at < 0) return;
            const box = (event.target as Element).closest('.photo')!.getBoundingClientRect();
            const corner = event.clientX - box.left < 34 && event.clientY - box.top < 34;
            if (event.shiftKey) selection.extend(at);
            else if (corner || choosing || event.ctrlKey || event.metaKey) selection.toggle(at);
            else {
              selection.moveTo(at);
              onOpen(at);
            }
          }}
          onContextMenu={(event) => {
            const at = placeOf(event);
            if (at < 0) return;
            event.preventDefault();
            menu(at, event.clientX, event.clientY);
          }}
        >
          <div ref={spacer} class="spacer" role="presentation" style={{ height: `${layout.height}px` }}>
            {drawn}
          </div>
        </div>
        {!source.length && !source.loading ? (empty ?? <p class="empty">Nothing here.</p>) : null}
      </div>
      {beside?.({ layout, at: view.at, seen: view.seen, to })}
    </div>
  );
}
