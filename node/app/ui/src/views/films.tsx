/** Films as frames of themselves, and how far one is in each. */
import { useRef } from 'preact/hooks';
import { entriesFor, workKeys } from '../components/bar';
import { type Filter, FilterChips, filterOf, type Order, OrderSelect } from '../components/choosers';
import { Frame } from '../film/frame';
import { press, useListKeys, useSelection } from '../components/itemlist';
import { openMenu } from '../components/menu';
import { clock, count, titleOf } from '../format';
import { item } from '../items';
import { useKeys } from '../keys';
import { useMatches } from '../list/live';
import { current } from '../list/selection';
import { type Scroller, VirtualGrid } from '../list/virtual';
import { go, href, place } from '../router';
import '../styles/films.css';

const SORTS: Order[] = [
  ['-added', 'Added last'],
  ['title', 'Title'],
  ['-date', 'Newest'],
  ['-duration', 'Longest'],
  ['-rating', 'Best rated'],
];
const FILTERS: Filter[] = [
  ['', 'All', 'kind:video'],
  ['begun', 'Go on', 'kind:video has:bookmark'],
  ['new', 'Not seen yet', 'kind:video plays:0'],
  ['starred', 'Starred', 'kind:video starred:yes'],
];

export default function Films() {
  const sort = place.value.query.get('sort') ?? '-added';
  const filter = place.value.query.get('show') ?? '';
  const source = useMatches(filterOf(FILTERS, filter)[2], sort);
  const selection = useSelection(source);
  const control = useRef<Scroller>(null);
  const columns = useRef<number>(1);
  const open = (at: number) => go(href(['film', source.id(at)]));
  const onKeyDown = useListKeys(selection, control, open, () => columns.current ?? 1, 3);
  useKeys(workKeys(() => current.peek()?.target() ?? []));
  const active = selection.active.value;
  const placeOf = (event: Event) => Number((event.target as Element).closest<HTMLElement>('[data-at]')?.dataset.at ?? -1);
  return (
    <VirtualGrid
      class="film-wall"
      count={source.length}
      cell={matchMedia('(max-width: 760px)').matches ? 160 : 230}
      aspect={9 / 16}
      below={52}
      control={control}
      columns={columns}
      before={
        <header class="view-head">
          <h1>
            Films <small class="faint">{count(source.length)}</small>
          </h1>
          <FilterChips filters={FILTERS} chosen={filter} />
          <OrderSelect orders={SORTS} chosen={sort} />
        </header>
      }
      after={!source.length && !source.loading ? <p class="empty">{filter ? 'Nothing of that kind.' : 'No films yet.'}</p> : undefined}
      body={{
        class: 'films',
        role: source.length ? 'listbox' : undefined,
        'aria-label': source.length ? 'Films' : undefined,
        'aria-multiselectable': source.length ? true : undefined,
        'aria-activedescendant': active >= 0 ? `film-${active}` : undefined,
        tabIndex: source.length ? 0 : undefined,
        onKeyDown,
        onFocus: () => {
          current.value = selection;
          if (selection.active.peek() < 0) selection.moveTo(0);
        },
        onClick: (event: PointerEvent) => {
          const at = placeOf(event);
          if (at < 0) return;
          if (event.ctrlKey || event.metaKey || event.shiftKey || selection.meant.peek()) return press(event, at, selection, open);
          open(at);
        },
        onContextMenu: (event: MouseEvent) => {
          const at = placeOf(event);
          if (at < 0) return;
          event.preventDefault();
          current.value = selection;
          if (!selection.has(source.id(at))) selection.only(at);
          openMenu('What can be done', entriesFor(selection.list()), { x: event.clientX, y: event.clientY });
        },
      }}
      render={(at) => {
        const key = source.id(at);
        const of = item(key);
        const chosen = selection.has(key);
        const seen = of?.bookmark && of.duration ? of.bookmark.position / of.duration : 0;
        return (
          <div
            key={at}
            id={`film-${at}`}
            class={`film${chosen && selection.meant.value ? ' chosen' : ''}${at === active ? ' active' : ''}`}
            role="option"
            aria-selected={chosen}
            aria-label={of ? undefined : 'Loading'}
            data-at={at}
          >
            <span class="frame">
              {of && <Frame key={key} of={of} />}
              {of?.duration ? <span class="length">{clock(of.duration)}</span> : null}
              {seen > 0 && <progress max={1} value={seen} aria-hidden="true" />}
            </span>
            <span class="says">
              <b>{of ? titleOf(of) : ' '}</b>
              <small>{of ? [of.starred && '♥', seen > 0 && `${Math.round(seen * 100)} % seen`, of.date?.slice(0, 4), of.height && `${of.height}p`, of.missing && 'missing'].filter(Boolean).join(' · ') : ''}</small>
            </span>
          </div>
        );
      }}
    />
  );
}
