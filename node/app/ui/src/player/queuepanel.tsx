/** What comes: reordered by drag or Alt and arrows, played from anywhere, taken out. */
import { useRef } from 'preact/hooks';
import { askText } from '../components/dialog';
import { Cover } from '../components/cover';
import { Icon } from '../components/icons';
import { makeList } from '../actions';
import { clock, many, span, titleOf } from '../format';
import { item, peek } from '../items';
import { type Scroller, VirtualList } from '../list/virtual';
import { mayWrite } from '../session';
import { signal } from '@preact/signals';
import { at, clear, entries, jump, move, playing, remove } from './queue';

const ROW = 52;
const active = signal(-1);

export function Queue({ onClose }: { onClose?: () => void }) {
  const control = useRef<Scroller>(null);
  const dragged = useRef(-1);
  const all = entries.value;
  const left = all.slice(at.value + 1).reduce((sum, each) => sum + (peek(each.id)?.duration ?? 0), 0);
  const save = async () => {
    const name = await askText('Save the queue as a playlist', 'Name');
    if (name) await makeList('playlist', name, { ids: all.map((each) => each.id) });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const { key, altKey } = event;
    const here = active.peek() < 0 ? at.peek() : active.peek();
    const to = (place: number) => {
      active.value = Math.max(0, Math.min(all.length - 1, place));
      control.current?.reveal(active.peek());
    };
    if (key === 'ArrowDown' || key === 'ArrowUp') {
      const there = here + (key === 'ArrowDown' ? 1 : -1);
      if (altKey && there >= 0 && there < all.length) move(here, there);
      to(there);
    } else if (key === 'Home') to(0);
    else if (key === 'End') to(all.length - 1);
    else if (key === 'Enter') jump(here);
    else if (key === 'Delete') {
      remove(here);
      to(Math.min(here, all.length - 2));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const placeOf = (event: Event) => Number((event.target as Element).closest<HTMLElement>('[data-at]')?.dataset.at ?? -1);
  return (
    <div class="queue">
      <header>
        <div>
          <h2>Queue</h2>
          <small class="faint">
            {many(all.length, 'item')}
            {left > 0 && `, ${span(left)} to come`}
          </small>
        </div>
        {mayWrite.value && (
          <button class="icon" aria-label="Save as a playlist" title="Save as a playlist" onClick={save}>
            <Icon name="playlist" />
          </button>
        )}
        <button class="icon" aria-label="Empty the queue" title="Empty the queue" onClick={clear}>
          <Icon name="trash" />
        </button>
        {onClose && (
          <button class="icon" aria-label="Close the queue" onClick={onClose}>
            <Icon name="close" />
          </button>
        )}
      </header>
      <VirtualList
        rows={all.length}
        rowHeight={ROW}
        control={control}
        body={{
          class: 'rows queue-rows',
          role: 'listbox',
          'aria-label': 'Queue',
          'aria-activedescendant': active.value >= 0 ? `queue-${all[active.value]?.key}` : undefined,
          tabIndex: 0,
          onKeyDown,
          onClick: (event: PointerEvent) => {
            const place = placeOf(event);
            if (place < 0) return;
            active.value = place;
            if ((event.target as Element).closest('.more')) remove(place);
            else if (event.pointerType === 'touch') jump(place);
          },
          onDblClick: (event: MouseEvent) => {
            const place = placeOf(event);
            if (place >= 0 && !(event.target as Element).closest('.more')) jump(place);
          },
          onDragStart: (event: DragEvent) => {
            dragged.current = placeOf(event);
            event.dataTransfer?.setData('text/plain', String(dragged.current));
          },
          onDragOver: (event: DragEvent) => event.preventDefault(),
          onDrop: (event: DragEvent) => {
            event.preventDefault();
            const place = placeOf(event);
            if (dragged.current >= 0 && place >= 0) move(dragged.current, place);
            dragged.current = -1;
          },
        }}
        render={(place) => {
          const each = all[place]!;
          const song = item(each.id);
          const now = place === at.value;
          return (
            <div
              key={each.key}
              id={`queue-${each.key}`}
              class={`row${now ? ' sounding' : ''}${place === active.value ? ' active' : ''}${place < at.value ? ' past' : ''}`}
              role="option"
              aria-selected={now}
              data-at={place}
              draggable
            >
              <span class="lead">{now ? <Icon name={playing.value ? 'volume' : 'pause'} /> : song && <Cover id={song.id} size={128} of={song.kind} plain />}</span>
              <span class="what">
                <b>{song ? titleOf(song) : song === null ? 'No longer there' : ' '}</b>
                <small>{song?.artist}</small>
              </span>
              <span class="time">{clock(song?.duration)}</span>
              <span class="more" title="Take it out (Delete)">
                ×
              </span>
            </div>
          );
        }}
      />
    </div>
  );
}
