/** Rows of items with keys, choosing, ratings and menus: the list of songs, of what was found, of a folder. */
import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { bytes, clock, titleOf } from '../format';
import { item } from '../items';
import { useKeys } from '../keys';
import { current, Selection } from '../list/selection';
import type { Source } from '../list/source';
import { type Scroller, VirtualList } from '../list/virtual';
import { playingId } from '../player/queue';
import type { Item } from '../types';
import { entriesFor, workKeys } from './bar';
import { Cover } from './cover';
import type { Entry } from './menu';
import { openMenu } from './menu';
import { starText } from './stars';

export const ROW = 52;

export interface ListOptions {
  source: Source;
  label: string;
  /** pressing Enter, a double click, a tap */
  onOpen: (at: number) => void;
  /** what a row begins with: its picture, its track, its place */
  lead?: 'cover' | 'track' | 'place';
  /** `album`: everything is of one album, so that it isn't said in each row */
  within?: 'album' | 'artist' | undefined;
  /** whose it all is: only others are named in the rows */
  artist?: string | undefined;
  before?: ComponentChildren;
  after?: ComponentChildren;
  empty?: ComponentChildren;
  sort?: { value: string; onSort: (sort: string) => void };
  /** more entries in a row's menu */
  menu?: (at: number) => (Entry | null)[];
  onMove?: (from: number, to: number) => void;
  onRemove?: (places: number[]) => void;
  selection?: Selection;
}

/** A selection of a source: it is the one whose bar is shown while its view is. */
export function useSelection(source: Source): Selection {
  const selection = useMemo(() => new Selection(source), []);
  if (selection.source !== source) {
    const same = selection.source.name === source.name;
    selection.source = source;
    if (!same) {
      selection.clear();
      selection.active.value = -1;
    }
  }
  useEffect(() => {
    current.value = selection;
    return () => {
      if (current.peek() === selection) current.value = null;
    };
  }, []);
  return selection;
}

/** Keys that move through a list or grid of items and choose. */
export function useListKeys(
  selection: Selection,
  control: RefObject<Scroller | null>,
  onOpen: (at: number) => void,
  across: () => number = () => 1,
  page = 12,
) {
  const step = (by: number, extend: boolean) => {
    const last = selection.source.length - 1;
    if (last < 0) return;
    const to = Math.max(0, Math.min(last, selection.active.peek() < 0 ? (by > 0 ? 0 : last) : selection.active.peek() + by));
    if (extend) selection.extend(to);
    else selection.moveTo(to);
    control.current?.reveal(to);
  };
  return (event: KeyboardEvent) => {
    const { key, shiftKey } = event;
    const at = selection.active.peek();
    if (event.altKey) return;
    if ((event.ctrlKey || event.metaKey) && key.toLowerCase() !== 'a') return;
    if (key === 'ArrowDown') step(across(), shiftKey);
    else if (key === 'ArrowUp') step(-across(), shiftKey);
    else if (key === 'ArrowRight' && across() > 1) step(1, shiftKey);
    else if (key === 'ArrowLeft' && across() > 1) step(-1, shiftKey);
    else if (key === 'PageDown') step(page * across(), shiftKey);
    else if (key === 'PageUp') step(-page * across(), shiftKey);
    else if (key === 'Home') step(-selection.source.length, shiftKey);
    else if (key === 'End') step(selection.source.length, shiftKey);
    else if (key === 'Enter' && at >= 0) onOpen(at);
    else if ((key === 'x' || (key === ' ' && shiftKey)) && at >= 0) selection.toggle(at);
    else if (key.toLowerCase() === 'a' && (event.ctrlKey || event.metaKey)) selection.everything();
    else if (key === 'Escape' && selection.size.peek()) selection.clear();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
}

/** What a press on a row or cell does: choose with a mouse, open with a finger. */
export function press(event: MouseEvent & { pointerType?: string }, at: number, selection: Selection, onOpen: (at: number) => void): void {
  if (event.ctrlKey || event.metaKey) selection.toggle(at);
  else if (event.shiftKey) selection.extend(at);
  else if (event.pointerType === 'touch') {
    if (selection.size.peek()) selection.toggle(at);
    else onOpen(at);
  } else selection.only(at);
}

let lists = 0;

export function ItemList(options: ListOptions) {
  const { source, label, onOpen, lead = 'cover', within, before, after, sort, onMove, onRemove } = options;
  const own = useSelection(source);
  const selection = options.selection ?? own;
  const control = useRef<Scroller>(null);
  const id = useRef('');
  if (!id.current) id.current = `list-${(lists += 1)}`;
  const dragged = useRef(-1);
  const keys = useListKeys(selection, control, onOpen);
  useKeys(workKeys(() => current.peek()?.target() ?? []));
  const active = selection.active.value;

  const menu = (at: number, x: number, y: number) => {
    current.value = selection;
    if (!selection.has(source.id(at))) selection.only(at);
    openMenu('What can be done', entriesFor(selection.list(), options.menu?.(at) ?? []), { x, y });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if ((event.target as Element).closest('button')) return; // a heading, which has keys of its own
    const at = selection.active.peek();
    const box = () => document.getElementById(`${id.current}-${at}`)?.getBoundingClientRect();
    if (onMove && event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown') && at >= 0) {
      const to = at + (event.key === 'ArrowUp' ? -1 : 1);
      if (to >= 0 && to < source.length) {
        onMove(at, to);
        selection.moveTo(to);
        control.current?.reveal(to);
      }
    } else if (onRemove && event.key === 'Delete' && at >= 0) {
      const chosen = selection.size.peek() ? selection.list().map((each) => source.indexOf(each)) : [at];
      selection.clear();
      onRemove(chosen);
    } else if ((event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) && at >= 0) {
      const where = box();
      if (where) menu(at, where.left + 60, where.bottom);
    } else return keys(event);
    event.preventDefault();
  };
  const placeOf = (event: Event) => {
    const row = (event.target as Element).closest<HTMLElement>('[data-at]');
    return row ? Number(row.dataset.at) : -1;
  };

  const render = (at: number) => {
    const key = source.id(at);
    const found = item(key);
    return (
      <Row
        key={at}
        row={`${id.current}-${at}`}
        at={at}
        item={found}
        lead={lead}
        within={within}
        artist={options.artist}
        chosen={selection.has(key)}
        active={at === active}
        sounding={playingId.value === key}
        draggable={Boolean(onMove)}
      />
    );
  };

  return (
    <VirtualList
      rows={source.length}
      rowHeight={ROW}
      render={render}
      before={before}
      after={source.length === 0 && !source.loading ? (options.empty ?? <p class="empty">Nothing here.</p>) : after}
      control={control}
      heading={sort && source.length > 0 && <Heading sort={sort} lead={lead} within={within} />}
      headingHeight={sort ? 36 : 0}
      body={{
        class: `rows ${within ?? ''}`,
        role: source.length ? 'grid' : undefined,
        'aria-label': source.length ? label : undefined,
        'aria-rowcount': source.length || undefined,
        'aria-multiselectable': source.length ? true : undefined,
        'aria-activedescendant': active >= 0 ? `${id.current}-${active}` : undefined,
        tabIndex: source.length ? 0 : undefined,
        onKeyDown,
        onFocus: (event: FocusEvent) => {
          current.value = selection;
          if (event.target === event.currentTarget && selection.active.peek() < 0) selection.moveTo(0);
        },
        onClick: (event: PointerEvent) => {
          const at = placeOf(event);
          if (at < 0) return;
          if ((event.target as Element).closest('.more')) return menu(at, event.clientX - 200, event.clientY + 12);
          press(event, at, selection, onOpen);
        },
        onDblClick: (event: MouseEvent) => {
          const at = placeOf(event);
          if (at >= 0 && !(event.target as Element).closest('.more')) onOpen(at);
        },
        onContextMenu: (event: MouseEvent) => {
          const at = placeOf(event);
          if (at < 0) return;
          event.preventDefault();
          menu(at, event.clientX, event.clientY);
        },
        ...(onMove && {
          onDragStart: (event: DragEvent) => {
            dragged.current = placeOf(event);
            event.dataTransfer?.setData('text/plain', String(dragged.current));
          },
          onDragOver: (event: DragEvent) => event.preventDefault(),
          onDrop: (event: DragEvent) => {
            event.preventDefault();
            const to = placeOf(event);
            if (dragged.current >= 0 && to >= 0 && to !== dragged.current) onMove(dragged.current, to);
            dragged.current = -1;
          },
        }),
      }}
    />
  );
}

interface RowProps {
  row: string;
  at: number;
  item: Item | null | undefined;
  lead: 'cover' | 'track' | 'place';
  within?: 'album' | 'artist' | undefined;
  artist?: string | undefined;
  chosen: boolean;
  active: boolean;
  sounding: boolean;
  draggable: boolean;
}

/** Ten elements: with the rows in sight of a large window the list stays below 250. */
function Row({ row, at, item: of, lead, within, artist, chosen, active, sounding, draggable }: RowProps) {
  const state = `row${chosen ? ' chosen' : ''}${active ? ' active' : ''}${sounding ? ' sounding' : ''}${of === null || of?.missing ? ' gone' : ''}`;
  const begin = lead === 'track' ? (of?.track ?? '') : lead === 'place' ? at + 1 : null;
  const second = of && within !== 'artist' && of.artist !== artist ? of.artist : undefined;
  return (
    <div id={row} class={state} role="row" aria-rowindex={at + 1} aria-selected={chosen} data-at={at} draggable={draggable}>
      <span class="lead" role="gridcell">
        {lead === 'cover' ? of && <Cover id={of.id} size={128} of={of.kind} plain /> : begin}
      </span>
      <span class="what" role="gridcell">
        <b>{of === undefined ? ' ' : of === null ? 'No longer there' : titleOf(of)}</b>
        <small>{[second, of?.missing && 'missing', of?.kind !== 'audio' && of?.date?.slice(0, 10)].filter(Boolean).join(' · ')}</small>
      </span>
      {within !== 'album' && (
        <span class="album" role="gridcell">
          {of?.album ?? (of && of.kind !== 'audio' ? [of.format, bytes(of.size)].filter(Boolean).join(' · ') : '')}
        </span>
      )}
      <span class="mark" role="gridcell" aria-label={of ? `${of.starred ? 'starred, ' : ''}${of.rating ?? 'no'} of 5` : undefined}>
        {of && `${of.starred ? '♥ ' : ''}${starText(of.rating)}`}
      </span>
      <span class="time" role="gridcell">
        {clock(of?.duration)}
      </span>
      <span class="more" role="gridcell" aria-label="Menu">
        ⋯
      </span>
    </div>
  );
}

const COLUMNS: { name: string; label: string; class: string }[] = [
  { name: 'title', label: 'Title', class: 'what' },
  { name: 'album', label: 'Album', class: 'album' },
  { name: 'rating', label: 'Rating', class: 'mark' },
  { name: 'duration', label: 'Length', class: 'time' },
];

function Heading({ sort, lead, within }: { sort: { value: string; onSort: (sort: string) => void }; lead: string; within: string | undefined }) {
  return (
    <div class="row heading" role="row">
      <span class="lead" role="columnheader">
        {lead === 'cover' ? <span class="hidden">Picture</span> : '#'}
      </span>
      {COLUMNS.filter((each) => !(within === 'album' && each.name === 'album')).map((each) => {
        const up = sort.value === each.name;
        const down = sort.value === `-${each.name}`;
        return (
          <span key={each.name} class={each.class} role="columnheader" aria-sort={up ? 'ascending' : down ? 'descending' : 'none'}>
            <button onClick={() => sort.onSort(up ? `-${each.name}` : each.name)}>
              {each.label}
              {up ? ' ↑' : down ? ' ↓' : ''}
            </button>
          </span>
        );
      })}
      <span class="more" role="columnheader">
        <span class="hidden">Menu</span>
      </span>
    </div>
  );
}
