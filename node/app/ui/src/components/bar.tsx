/** What can be done with chosen items: the bar, and the menu of one of them. */
import { download, rate, star, toggleStar } from '../actions';
import { many } from '../format';
import { peek } from '../items';
import { current, type Selection } from '../list/selection';
import { enqueue, playNext, playNow } from '../player/queue';
import { mayOrganise, mayWrite } from '../session';
import { openAddTo, openRating, openTags } from './dialogs';
import { Icon, type IconName } from './icons';
import type { Entry } from './menu';
import { openDetails } from '../details';
import { goAlbum, goArtist } from '../open';

/** Whether these can be played one after another. */
const playable = (ids: readonly string[]) => ids.length > 0 && peek(ids[0]!)?.kind === 'audio';

/** The addresses that a view of another engineer's part answers; an action without its view is not offered. */
export const views: { move?: (ids: readonly string[]) => void } = {};

/** The menu of items, with what their kind and the person's role allow. */
export function entriesFor(ids: readonly string[], more: (Entry | null)[] = []): (Entry | null)[] {
  const only = ids.length === 1 ? peek(ids[0]!) : undefined;
  const entries: (Entry | null)[] = [];
  if (playable(ids))
    entries.push(
      { label: 'Play', icon: 'play', run: () => void playNow(ids) },
      { label: 'Play next', icon: 'next', run: () => playNext(ids) },
      { label: 'Add to the queue', icon: 'queue', run: () => enqueue(ids) },
      null,
    );
  if (mayWrite.value) {
    const starred = ids.every((id) => peek(id)?.starred);
    entries.push(
      { label: starred ? 'Take the star away' : 'Star', icon: 'heart', keys: 'L', run: () => void star(ids, !starred) },
      { label: 'Tags …', icon: 'tag', keys: 'T', run: () => openTags(ids) },
      { label: 'Rate …', icon: 'star', keys: '1–5', run: () => openRating(ids) },
      { label: 'Add to a list …', icon: 'playlist', run: () => openAddTo(ids) },
    );
  }
  entries.push({ label: ids.length > 1 ? 'Download as ZIP' : 'Download', icon: 'download', run: () => download(ids) });
  const { move } = views;
  if (mayOrganise.value && move) entries.push({ label: 'Move files …', icon: 'move', keys: 'Shift+M', run: () => move(ids) });
  if (only) {
    if (only.kind === 'audio' && (only.album || only.artist)) {
      entries.push(null);
      if (only.album) entries.push({ label: 'To the album', icon: 'album', run: () => void goAlbum(only) });
      if (only.artist) entries.push({ label: 'To the artist', icon: 'artist', run: () => void goArtist(only) });
    }
    entries.push(null, { label: 'Details', icon: 'info', keys: 'I', run: () => openDetails(ids[0]!) });
  }
  if (more.length) entries.push(null, ...more);
  return entries;
}


export function SelectionBar() {
  const selection = current.value;
  if (!selection?.meant.value || selection.size.value === 0) return null;
  return <Bar selection={selection} />;
}

function Bar({ selection }: { selection: Selection }) {
  const act = (label: string, icon: IconName, run: (ids: string[]) => void) => (
    <button class="icon" aria-label={label} title={label} onClick={() => run(selection.list())}>
      <Icon name={icon} />
    </button>
  );
  const { move } = views;
  return (
    <section class="selection-bar" aria-label="What is chosen">
      <button class="icon" aria-label="Choose nothing" title="Choose nothing (Esc)" onClick={() => selection.clear()}>
        <Icon name="close" />
      </button>
      <strong>{many(selection.size.value, 'item')}</strong>
      {playable([selection.first()]) && (
        <>
          {act('Play', 'play', (ids) => void playNow(ids))}
          {act('Add to the queue', 'queue', enqueue)}
        </>
      )}
      {mayWrite.value && (
        <>
          {act('Star', 'heart', (ids) => void toggleStar(ids))}
          {act('Tags', 'tag', openTags)}
          {act('Rate', 'star', openRating)}
          {act('Add to a list', 'playlist', openAddTo)}
        </>
      )}
      {act('Download', 'download', download)}
      {mayOrganise.value && move && act('Move files', 'move', move)}
    </section>
  );
}

/** The shortcuts that hold in every list of items: rating, star, tags, details, list, queue. */
export function workKeys(target: () => string[]) {
  const group = 'What is chosen';
  const write = (run: (ids: string[]) => void) => () => {
    const ids = target();
    if (ids.length && mayWrite.peek()) run(ids);
  };
  return [
    { keys: '1 2 3 4 5', what: 'Rate', group, run: (event: KeyboardEvent) => write((ids) => void rate(ids, Number(event.key)))() },
    { keys: '0', what: 'Take the rating away', group, run: write((ids) => void rate(ids, 0)) },
    { keys: 'l', what: 'Star', group, run: write((ids) => void toggleStar(ids)) },
    { keys: 't', what: 'Tags', group, run: write(openTags) },
    { keys: 'a', what: 'Add to a list', group, run: write(openAddTo) },
    {
      keys: 'M',
      what: 'Move files',
      group,
      run: () => {
        const ids = target();
        if (ids.length && mayOrganise.peek()) views.move?.(ids);
      },
    },
    {
      keys: 'i',
      what: 'Details',
      group,
      run: () => {
        const [id] = target();
        if (id) openDetails(id);
      },
    },
    { keys: 'q', what: 'Add to the queue', group, run: () => enqueue(target()) },
  ];
}
