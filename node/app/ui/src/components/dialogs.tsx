/** Dialogs about items: tags, rating, which list. */
import { useEffect, useState } from 'preact/hooks';
import { addTo, makeList, name, rate, tag } from '../actions';
import { get } from '../api';
import { many } from '../format';
import { item, peek } from '../items';
import { report } from '../toasts';
import type { Collection } from '../types';
import { askText, closeModal, Dialog, modal } from './dialog';
import { Icon } from './icons';
import { Stars } from './stars';
import { TagEditor } from './tags';

export function openTags(ids: readonly string[]): void {
  if (ids.length) modal.value = () => <Tags ids={ids} />;
}

/** Tags that all of these have can be taken away; those of some stand with their number. */
function Tags({ ids }: { ids: readonly string[] }) {
  const seen = new Map<string, number>();
  for (const id of ids.slice(0, 500)) for (const each of item(id)?.tags ?? []) seen.set(each, (seen.get(each) ?? 0) + 1);
  return (
    <Dialog title={`Tags of ${name(ids)}`} onClose={closeModal}>
      <TagEditor
        tags={[...seen.keys()].sort()}
        onAdd={(each) => void tag(ids, [each])}
        onRemove={(each) => void tag(ids, [], [each])}
        autofocus
      />
      {ids.length > 1 && <p class="faint">A tag here is one of any of them; taking it away takes it from all.</p>}
    </Dialog>
  );
}

export function openRating(ids: readonly string[]): void {
  if (!ids.length) return;
  modal.value = () => (
    <Dialog title={`Rating of ${name(ids)}`} onClose={closeModal}>
      <div class="middle">
        <Stars
          value={ids.length === 1 ? item(ids[0]!)?.rating : undefined}
          onRate={(value) => {
            closeModal();
            void rate(ids, value);
          }}
        />
      </div>
      <p class="faint middle">Keys 1 to 5 do this in any list, 0 takes it away.</p>
    </Dialog>
  );
}

export function openAddTo(ids: readonly string[]): void {
  if (ids.length) modal.value = () => <AddTo ids={ids} />;
}

function AddTo({ ids }: { ids: readonly string[] }) {
  const [lists, setLists] = useState<Collection[] | null>(null);
  useEffect(() => {
    get<{ collections: Collection[] }>('/collections')
      .then(({ collections }) => setLists(collections.filter((each) => !each.query)))
      .catch(report);
  }, []);
  const audio = ids.every((id) => peek(id)?.kind === 'audio');
  const make = async () => {
    closeModal();
    const kind = audio ? 'playlist' : 'collection';
    const called = await askText(`A new ${kind}`, 'Name', '', 'Make it');
    if (called) await makeList(kind, called, { ids });
  };
  return (
    <Dialog title={`Add ${name(ids)} to a list`} onClose={closeModal}>
      <ul class="choices">
        <li>
          <button onClick={make} autofocus>
            <Icon name="add" />
            <span>{audio ? 'A new playlist' : 'A new collection'}</span>
          </button>
        </li>
        {lists?.map((each) => (
          <li key={each.id}>
            <button
              onClick={() => {
                closeModal();
                void addTo(each, ids);
              }}
            >
              <Icon name={each.kind === 'playlist' ? 'playlist' : 'collection'} />
              <span>{each.name}</span>
              <small>{many(each.size, 'item')}</small>
            </button>
          </li>
        ))}
      </ul>
      {!lists && <p class="faint">Looking for lists …</p>}
    </Dialog>
  );
}
