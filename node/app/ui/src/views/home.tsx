/** The start: where one left off, what is new, what is loved. */
import { useMemo } from 'preact/hooks';
import { AlbumRow } from '../components/albums';
import { Cover } from '../components/cover';
import { Icon } from '../components/icons';
import { count, titleOf } from '../format';
import { store } from '../items';
import { reread } from '../list/live';
import { useFetched, usePaged } from '../list/paged';
import { Ids } from '../list/source';
import { openItem } from '../open';
import { href } from '../router';
import type { Album, Facets, Item, Page } from '../types';
import '../styles/music.css';

const KINDS: [string, string, 'song' | 'image' | 'film' | 'document' | 'copy'][] = [
  ['audio', 'songs', 'song'],
  ['image', 'pictures', 'image'],
  ['video', 'films', 'film'],
  ['document', 'documents', 'document'],
  ['other', 'other files', 'copy'],
];

/** Kinds with a view of their own; the others are searched for. */
const HOME_OF: Record<string, string> = { audio: 'songs', image: 'photos', video: 'films', document: 'documents' };

export default function Home() {
  const turn = reread.value;
  const { value: kinds } = useFetched<{ facets: Facets }>('/facets', { fields: 'kind' }, turn);
  const added = usePaged<Album>('/albums', 'albums', { sort: 'added', limit: 20 }, turn);
  const played = usePaged<Album>('/albums', 'albums', { sort: 'recent', limit: 20 }, turn);
  const starred = usePaged<Album>('/albums', 'albums', { starred: true, limit: 20 }, turn);
  const heard = played.all.filter((each) => each.plays);
  return (
    <div class="page">
      <h1 class="hidden">Start</h1>
      <ul class="kinds">
        {KINDS.map(([kind, label, icon]) => {
          const found = kinds?.facets.kind?.find((each) => each.value === kind)?.count ?? 0;
          return found ? (
            <li key={kind}>
              <a href={HOME_OF[kind] ? href([HOME_OF[kind]]) : href(['search'], { kind })}>
                <Icon name={icon} />
                <b>{count(found)}</b> {label}
              </a>
            </li>
          ) : null;
        })}
      </ul>
      {heard.length > 0 && <Shelf title="Played lately" albums={heard} more={href(['albums'], { sort: 'recent' })} />}
      {added.all.length > 0 && <Shelf title="New albums" albums={added.all} more={href(['albums'], { sort: 'added' })} />}
      {starred.all.length > 0 && <Shelf title="Starred albums" albums={starred.all} more={href(['albums'], { starred: true })} />}
      <Pictures turn={turn} />
      <Items title="Starred" question="starred:yes" turn={turn} />
      <Items title="Added last" question="sort:-added" turn={turn} />
    </div>
  );
}

function Shelf({ title, albums, more }: { title: string; albums: readonly Album[]; more: string }) {
  return (
    <section class="shelf">
      <header>
        <h2>{title}</h2>
        <a class="link" href={more} aria-label={`${title}: all`}>
          All
        </a>
      </header>
      <AlbumRow albums={albums} />
    </section>
  );
}

/** The first of what a question finds, and what opens them in their order. */
function useSome(q: string, limit: number, turn: number): { items: readonly Item[]; source: Ids } {
  const { value } = useFetched<Page<Item>>('/search', { q, limit }, turn);
  return useMemo(() => {
    const items = value?.items ?? [];
    store(items);
    return { items, source: new Ids(items.map((each) => each.id), q) };
  }, [value]);
}

function Pictures({ turn }: { turn: number }) {
  const { items, source } = useSome('kind:image sort:-date', 16, turn);
  if (!items.length) return null;
  return (
    <section class="shelf">
      <header>
        <h2>Latest pictures</h2>
        <a class="link" href={href(['photos'])} aria-label="Latest pictures: all">
          All
        </a>
      </header>
      <div class="picture-row" role="group" aria-label="Latest pictures" tabIndex={0}>
        {items.map((each, at) => (
          <button key={each.id} aria-label={titleOf(each)} onClick={() => openItem(source, at)}>
            <Cover id={each.id} size={320} of="image" />
          </button>
        ))}
      </div>
    </section>
  );
}

function Items({ title, question, turn }: { title: string; question: string; turn: number }) {
  const { items, source } = useSome(question, 10, turn);
  if (!items.length) return null;
  return (
    <section class="shelf">
      <header>
        <h2>{title}</h2>
        <a class="link" href={href(['search'], { q: question })} aria-label={`${title}: all`}>
          All
        </a>
      </header>
      <ul class="small-items">
        {items.map((each, at) => (
          <li key={each.id}>
            <button onClick={() => openItem(source, at)}>
              <Cover id={each.id} size={128} of={each.kind} />
              <span>
                <b>{titleOf(each)}</b>
                <small>{[each.artist, each.album].filter(Boolean).join(' · ') || each.date?.slice(0, 10) || each.format}</small>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
