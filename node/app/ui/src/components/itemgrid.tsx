/** Pictures and films as a grid of any length, with choosing, keys and menus as in lists. */
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { clock, titleOf } from '../format';
import { item } from '../items';
import { useKeys } from '../keys';
import { current } from '../list/selection';
import type { Source } from '../list/source';
import { type Scroller, VirtualGrid } from '../list/virtual';
import { entriesFor, workKeys } from './bar';
import { Cover } from './cover';
import { useListKeys, useSelection } from './itemlist';
import { openMenu } from './menu';
import '../styles/pictures.css';

interface Props {
  source: Source;
  label: string;
  onOpen: (at: number) => void;
  before?: ComponentChildren;
  empty?: ComponentChildren;
  /** least width of a cell in pixels, and its height / width */
  cell?: number;
  aspect?: number;
}

let grids = 0;

/** Of a phone held upright: three pictures side by side. */
const narrow = matchMedia('(max-width: 760px)');

export function ItemGrid({ source, label, onOpen, before, empty, cell = narrow.matches ? 110 : 150, aspect = 1 }: Props) {
  const selection = useSelection(source);
  const control = useRef<Scroller>(null);
  const columns = useRef<number>(1);
  const id = useRef('');
  if (!id.current) id.current = `grid-${(grids += 1)}`;
  const onKeyDown = useListKeys(selection, control, onOpen, () => columns.current ?? 1, 4);
  useKeys(workKeys(() => current.peek()?.target() ?? []));
  const active = selection.active.value;
  const choosing = selection.meant.value && selection.size.value > 0;
  const placeOf = (event: Event) => Number((event.target as Element).closest<HTMLElement>('[data-at]')?.dataset.at ?? -1);
  return (
    <VirtualGrid
      class="padded"
      count={source.length}
      cell={cell}
      aspect={aspect}
      gap={6}
      before={before}
      after={!source.length && !source.loading ? (empty ?? <p class="empty">Nothing here.</p>) : undefined}
      control={control}
      columns={columns}
      body={{
        class: `pictures${choosing ? ' choosing' : ''}`,
        role: source.length ? 'listbox' : undefined,
        'aria-label': source.length ? label : undefined,
        'aria-multiselectable': source.length ? true : undefined,
        'aria-activedescendant': active >= 0 ? `${id.current}-${active}` : undefined,
        tabIndex: source.length ? 0 : undefined,
        onKeyDown,
        onFocus: () => {
          current.value = selection;
        },
        onClick: (event: MouseEvent) => {
          const at = placeOf(event);
          if (at < 0) return;
          const mark = (event.target as Element).closest('.mark');
          if (event.shiftKey) selection.extend(at);
          else if (mark || choosing || event.ctrlKey || event.metaKey) selection.toggle(at);
          else {
            selection.moveTo(at);
            onOpen(at);
          }
        },
        onContextMenu: (event: MouseEvent) => {
          const at = placeOf(event);
          if (at < 0) return;
          event.preventDefault();
          if (!selection.has(source.id(at))) selection.only(at);
          const choose = { label: 'Choose', icon: 'check' as const, keys: 'x', run: () => selection.toggle(at) };
          openMenu('What can be done', entriesFor(selection.list(), selection.meant.peek() ? [] : [choose]), { x: event.clientX, y: event.clientY });
        },
      }}
      render={(at) => {
        const key = source.id(at);
        const of = item(key);
        const chosen = selection.has(key);
        return (
          <div
            key={at}
            id={`${id.current}-${at}`}
            class={`cell${chosen && selection.meant.value ? ' chosen' : ''}${at === active ? ' active' : ''}`}
            role="option"
            aria-selected={chosen}
            aria-label={of ? titleOf(of) : 'Loading'}
            data-at={at}
          >
            {of && <Cover key={key} id={key} size={320} of={of.kind} />}
            <span class="mark" aria-hidden="true" />
            {of?.kind === 'video' && <span class="badge">{clock(of.duration)}</span>}
            {of?.starred && <span class="badge heart">♥</span>}
          </div>
        );
      }}
    />
  );
}
