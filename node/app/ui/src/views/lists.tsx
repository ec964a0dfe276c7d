/** Playlists, collections and saved questions. */
import { makeList } from '../actions';
import { askText } from '../components/dialog';
import { Icon } from '../components/icons';
import { Loading, Problem } from '../components/states';
import { many } from '../format';
import { reread } from '../list/live';
import { useFetched } from '../list/paged';
import { go, href } from '../router';
import { mayWrite } from '../session';
import type { Collection } from '../types';
import '../styles/music.css';

export default function Lists() {
  const { value, wrong, again } = useFetched<{ collections: Collection[] }>('/collections', {}, reread.value);
  if (wrong && !value) return <Problem wrong={wrong} onRetry={again} />;
  if (!value) return <Loading />;
  const smart = value.collections.filter((each) => each.query);
  const playlists = value.collections.filter((each) => !each.query && each.kind === 'playlist');
  const collections = value.collections.filter((each) => !each.query && each.kind === 'collection');
  const make = async (kind: 'playlist' | 'collection') => {
    const name = await askText(`A new ${kind}`, 'Name', '', 'Make it');
    const id = name && (await makeList(kind, name, { ids: [] }));
    if (id) go(href(['list', id]));
  };
  const make2 = async () => {
    const name = await askText('A new saved question', 'Name', '', 'Next');
    const query = name && (await askText(name, 'Question, as in the search field', '', 'Save'));
    const id = query && (await makeList('collection', name, { query }));
    if (id) go(href(['list', id]));
  };
  return (
    <div class="page">
      <header class="view-head flush">
        <h1>Lists</h1>
      </header>
      <Group title="Playlists" lists={playlists} none="Songs in an order of your own." onMake={() => void make('playlist')} making="New playlist" />
      <Group title="Collections" lists={collections} none="Anything that belongs together: photos, films, songs." onMake={() => void make('collection')} making="New collection" />
      <Group
        title="Saved questions"
        lists={smart}
        none="A question that is asked anew each time: search for something, then save it."
        onMake={() => void make2()}
        making="New saved question"
      />
    </div>
  );
}

interface GroupProps {
  title: string;
  lists: Collection[];
  none: string;
  onMake: () => void;
  making: string;
}

function Group({ title, lists, none, onMake, making }: GroupProps) {
  return (
    <section class="list-group">
      <header>
        <h2>{title}</h2>
        {mayWrite.value && (
          <button onClick={onMake}>
            <Icon name="add" />
            {making}
          </button>
        )}
      </header>
      {lists.length === 0 && <p class="faint">{none}</p>}
      <ul class="folder-grid flush">
        {lists.map((each) => (
          <li key={each.id}>
            <a class="folder-card" href={href(['list', each.id])}>
              <Icon name={each.query ? 'search' : each.kind === 'playlist' ? 'playlist' : 'collection'} />
              <span>
                <b>{each.name}</b>
                <small>{each.query ?? many(each.size, 'item')}</small>
              </span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
