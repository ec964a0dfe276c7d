/**
 * Lists and grids of any length with the rows in sight alone. Rows have one height, so a place is a multiplication and
 * nothing is measured while it scrolls.
 */
import type { ComponentChildren, RefObject } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** Browsers cut elements off beyond (Firefox at some 17.8 million pixels): longer lists are scrolled in proportion. */
const TALLEST = 15_000_000;
/** What is drawn above and below what is in sight, in pixels: two rows of a list, one of a grid below. */
const BEYOND = 104;

export interface Scroller {
  /** Brings a row into sight, with as little movement as possible. */
  reveal: (row: number) => void;
}

interface Window {
  first: number;
  /** exclusive */
  last: number;
  /** where the first drawn row is, in pixels within the spacer */
  top: number;
}

interface Frame {
  rows: number;
  rowHeight: number;
  scroller: RefObject<HTMLElement | null>;
  spacer: RefObject<HTMLElement | null>;
  /** sticky head above the rows, which hides them: pixels */
  head?: number;
}

function useWindow({ rows, rowHeight, scroller, spacer, head = 0 }: Frame) {
  const [shown, setShown] = useState<Window>({ first: 0, last: Math.min(rows, 12), top: 0 });
  const full = rows * rowHeight;
  const height = Math.min(full, TALLEST);
  const latest = useRef({ rows, rowHeight, full, height, head });
  latest.current = { rows, rowHeight, full, height, head };

  const look = useCallback(() => {
    const view = scroller.current;
    const inner = spacer.current;
    if (!view || !inner) return;
    const now = latest.current;
    const seen = view.clientHeight;
    // how far the spacer's top is above the top of the view
    const above = view.getBoundingClientRect().top - inner.getBoundingClientRect().top;
    const scale = now.height < now.full && now.height > seen ? (now.full - seen) / (now.height - seen) : 1;
    const at = Math.max(0, above) * scale;
    const first = Math.max(0, Math.floor(at / now.rowHeight) - Math.floor(BEYOND / now.rowHeight));
    const reach = Math.ceil((at + Math.min(seen, seen + above)) / now.rowHeight);
    const last = Math.min(now.rows, reach + Math.ceil(BEYOND / now.rowHeight));
    const top = scale === 1 ? first * now.rowHeight : Math.max(0, above) - (at - first * now.rowHeight);
    setShown((before) =>
      before.first === first && before.last === last && before.top === top ? before : { first, last, top },
    );
  }, []);

  useLayoutEffect(look, [rows, rowHeight]);
  useEffect(() => {
    const view = scroller.current!;
    view.addEventListener('scroll', look, { passive: true });
    const sized = new ResizeObserver(look);
    sized.observe(view);
    if (spacer.current) sized.observe(spacer.current);
    return () => {
      view.removeEventListener('scroll', look);
      sized.disconnect();
    };
  }, []);

  const reveal = useCallback((row: number) => {
    const view = scroller.current;
    const inner = spacer.current;
    if (!view || !inner) return;
    const now = latest.current;
    const start = view.scrollTop + inner.getBoundingClientRect().top - view.getBoundingClientRect().top;
    const scale = now.full > now.height ? (now.height - view.clientHeight) / (now.full - view.clientHeight) : 1;
    const top = start + row * now.rowHeight * scale;
    const bottom = top + now.rowHeight;
    if (top < view.scrollTop + now.head) view.scrollTop = row === 0 ? 0 : top - now.head;
    else if (bottom > view.scrollTop + view.clientHeight) view.scrollTop = bottom - view.clientHeight;
  }, []);

  return { shown, height, reveal };
}

interface Shared {
  /** what is above the rows and scrolls with them */
  before?: ComponentChildren;
  after?: ComponentChildren;
  class?: string;
  /** attributes of the element that holds the rows: role, label, keys */
  body: Record<string, unknown>;
  /** a sticky row of headings, within the body */
  heading?: ComponentChildren;
  headingHeight?: number;
  control?: RefObject<Scroller | null>;
}

interface ListProps extends Shared {
  rows: number;
  /** pixels */
  rowHeight: number;
  render: (row: number) => ComponentChildren;
}

export function VirtualList(props: ListProps) {
  const { rows, rowHeight, render, before, after, body, heading, headingHeight = 0, control } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const spacer = useRef<HTMLDivElement>(null);
  const { shown, height, reveal } = useWindow({ rows, rowHeight, scroller, spacer, head: headingHeight });
  if (control) control.current = { reveal };
  const drawn = [];
  for (let row = shown.first; row < Math.min(shown.last, rows); row += 1) drawn.push(render(row));
  return (
    <div ref={scroller} class={`scroller ${props.class ?? ''}`}>
      {before}
      <div {...body}>
        {heading}
        <div ref={spacer} class="spacer" role="presentation" style={{ height: `${height}px` }}>
          <div role="presentation" class="drawn" style={{ transform: `translateY(${shown.top}px)` }}>
            {drawn}
          </div>
        </div>
      </div>
      {after}
    </div>
  );
}

interface GridProps extends Shared {
  count: number;
  /** least width of a cell, gap between cells and what a cell has below its square, in pixels */
  cell: number;
  gap?: number;
  below?: number;
  /** height of a cell / its width, before `below` */
  aspect?: number;
  render: (at: number) => ComponentChildren;
  /** how many stand side by side, for whoever moves by keys */
  columns?: RefObject<number | null>;
}

/** Cells of one size, as many side by side as there is room for. */
export function VirtualGrid(props: GridProps) {
  const { count, cell, gap = 16, below = 0, aspect = 1, render, before, after, body, control, columns } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const spacer = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const inner = spacer.current!;
    const measure = () => setWidth(inner.clientWidth);
    measure();
    const sized = new ResizeObserver(measure);
    sized.observe(inner);
    return () => sized.disconnect();
  }, []);
  const across = Math.max(1, Math.floor((width + gap) / (cell + gap)));
  if (columns) columns.current = across;
  const side = width ? (width - gap * (across - 1)) / across : cell;
  const rowHeight = Math.round(side * aspect) + below + gap;
  const rows = width ? Math.ceil(count / across) : 0;
  const { shown, height, reveal } = useWindow({ rows, rowHeight, scroller, spacer });
  if (control) control.current = { reveal: (at) => reveal(Math.floor(at / across)) };
  const drawn = [];
  for (let at = shown.first * across; at < Math.min(shown.last * across, count); at += 1) drawn.push(render(at));
  return (
    <div ref={scroller} class={`scroller ${props.class ?? ''}`}>
      {before}
      <div {...body}>
        <div ref={spacer} class="spacer" role="presentation" style={{ height: `${height}px` }}>
          <div
            role="presentation"
            class="drawn cells"
            style={{
              transform: `translateY(${shown.top}px)`,
              gridTemplateColumns: `repeat(${across}, 1fr)`,
              gridAutoRows: `${rowHeight - gap}px`,
              gap: `${gap}px`,
            }}
          >
            {drawn}
          </div>
        </div>
      </div>
      {after}
    </div>
  );
}
