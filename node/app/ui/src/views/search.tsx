/** What a question finds: grouped by kind, narrowed by what the finds have in common, kept as a saved question. */
import { useEffect, useMemo } from 'preact/hooks';
import { makeList } from '../actions';
import { ApiError } from '../api';
import { AlbumRow } from '../components/albums';
import { type Order, OrderSelect } from '../components/choosers';
import { askText, closeModal, Dialog, modal } from '../components/dialog';
import { Icon, type IconName } from '../components/icons';
import { ItemGrid } from '../components/itemgrid';
import { ItemList } from '../components/itemlist';
import { mistake } from '../components/searchfield';
import { Loading, Problem } from '../components/states';
import { count } from '../format';
import { store } from '../items';
import { reread, useMatches } from '../list/live';
import { useFetched, useLast, useSettled } from '../list/paged';
import { Ids } from '../list/source';
import { openItem } from '../open';
import { ask, asked, go, href, place } from '../router';
import { mayWrite } from '../session';
import type { Album, Artist, Facets, Item, Kind, Page } from '../types';
import '../styles/music.css';
import '../styles/search.css';

const KINDS: { kind: Kind; label: string; icon: IconName }[] = [
  { kind: 'audio', label: 'Songs', icon: 'song' },
  { kind: 'image', label: 'Pictures', icon: 'image' },
  { kind: 'video', label: 'Films', icon: 'film' },
  { kind: 'document', label: 'Documents', icon: 'document' },
  { kind: 'other', label: 'Other files', icon: 'copy' },
];

const FACETS = ['tag', 'genre', 'artist', 'year', 'format', 'rating', 'folder'];
const SORTS: Order[] = [
  ['', 'As they came'],
  ['title', 'Title'],
  ['artist', 'Artist'],
  ['-date', 'Newest date'],
  ['-added', 'Added last'],
  ['-rating', 'Best rated'],
  ['-size', 'Largest'],
];

/** A question and another term: alternatives at its top need parentheses. */
const and = (question: string, term: string) => (/\bor\b/i.test(question) ? `(${question}) ${term}` : `${question} ${term}`.trim());

export default function Search() {
  const question = asked.value.trim();
  const kind = (place.value.query.get('kind') ?? '') as Kind | '';
  const sort = place.value.query.get('sort') ?? '';
  const turn = reread.value;
  const whole = kind ? and(question, `kind:${kind}`) : question;
  const { value: counts, wrong } = useFetched<Page<Item>>('/search', { q: question, limit: 1, count: true, facets: 'kind' }, turn);
  const { value: within } = useFetched<{ facets: Facets }>(wrong ? null : '/facets', { q: useSettled(whole, 400), fields: FACETS.join(','), limit: 8 }, turn);
  const near = useLast(within);
  useEffect(() => {
    mistake.value = wrong;
    return () => {
      mistake.value = null;
    };
  }, [wrong]);
  useEffect(() => {
    document.title = `${question || 'Everything'} · mediadb`;
  }, [question]);
  const shown = useLast(counts);
  if (wrong) return <Mistake wrong={wrong} question={question} />;
  if (!shown) return <Loading />;
  const facets = shown.facets ?? {};
  const number = (of: Kind) => facets.kind?.find((each) => each.value === of)?.count ?? 0;
  const save = async () => {
    const name = await askText('Save this question', 'Name', question);
    const id = name && (await makeList('collection', name, { query: sort ? `${whole} sort:${sort}` : whole }));
    if (id) go(href(['list', id]));
  };
  const common = near?.facets ?? {};
  // beside the finds there is no room for it on a phone
  const narrow = () => {
    modal.value = () => (
      <Dialog title="Narrow down" onClose={closeModal}>
        <div class="narrow inside">
          <Terms facets={common} question={question} kind={kind} then={closeModal} />
        </div>
      </Dialog>
    );
  };
  const head = (
    <header class="view-head search-head">
      <div class="chips" role="group" aria-label="Kinds">
        <button class="chip" aria-pressed={!kind} onClick={() => ask({ kind: null })}>
          All <small>{count(shown.count ?? 0)}</small>
        </button>
        {KINDS.filter((each) => number(each.kind) > 0 || each.kind === kind).map((each) => (
          <button key={each.kind} class="chip" aria-pressed={kind === each.kind} onClick={() => ask({ kind: each.kind })}>
            {each.label} <small>{count(number(each.kind))}</small>
          </button>
        ))}
      </div>
      {kind && (
        <OrderSelect orders={SORTS} chosen={sort} />
      )}
      {groupsOf(common).length > 0 && (
        <button class="narrow-button" onClick={narrow}>
          <Icon name="settings" />
          Narrow
        </button>
      )}
      {mayWrite.value && question && (
        <button onClick={save}>
          <Icon name="collection" />
          Save
        </button>
      )}
    </header>
  );
  return (
    <div class="search-page">
      <div class="found">
        <h1 class="hidden">{question ? `What ${question} finds` : 'Everything'}</h1>
        {kind ? (
          <OfKind key={kind} kind={kind} question={whole} sort={sort} head={head} />
        ) : (
          <div class="page">
            {head}
            {shown.count === 0 && <Nothing question={question} />}
            {question && <Music question={question} turn={turn} />}
            {KINDS.filter((each) => number(each.kind) > 0).map((each) => (
              <Group key={each.kind} {...each} question={question} number={number(each.kind)} turn={turn} />
            ))}
          </div>
        )}
      </div>
      <Narrow facets={common} question={question} kind={kind} />
    </div>
  );
}

function Nothing({ question }: { question: string }) {
  return (
    <div class="empty">
      <Icon name="search" />
      <p>Nothing matches {question}</p>
      <p class="faint">
        Words match beginnings: <code>nor roo</code> finds Northern Rooms. Fields narrow: <code>artist:ada year:2010..2020 rating:&gt;=4</code>
      </p>
    </div>
  );
}

/** Points at the place in the question where the mistake is. `position` counts code points. */
function Mistake({ wrong, question }: { wrong: ApiError; question: string }) {
  if (wrong.position === undefined || wrong.code !== 'query_syntax') return <Problem wrong={wrong} />;
  const letters = Array.from(question);
  const at = Math.max(0, Math.min(letters.length, wrong.position));
  const rest = letters.slice(at).join('');
  const word = /^\S+/.exec(rest)?.[0] ?? '';
  return (
    <div class="empty mistake" role="alert">
      <h1>This question has a mistake</h1>
      <pre>
        {letters.slice(0, at).join('')}
        <mark>{word || ' '}</mark>
        {rest.slice(word.length)}
      </pre>
      <p>{wrong.message.replace(/: [^:]*$/, (tail) => (tail.includes(question) ? '' : tail))}</p>
    </div>
  );
}

function OfKind({ kind, question, sort, head }: { kind: Kind; question: string; sort: string; head: preact.ComponentChildren }) {
  const source = useMatches(question, sort);
  const shared = { source, label: 'What was found', onOpen: (at: number) => openItem(source, at), before: head };
  const empty = <p class="empty">Nothing of this kind.</p>;
  return kind === 'image' || kind === 'video' ? <ItemGrid {...shared} empty={empty} aspect={kind === 'video' ? 0.62 : 1} {...(kind === 'video' && { cell: 220 })} /> : <ItemList {...shared} empty={empty} />;
}

/** Artists and albums whose name begins so. */
function Music({ question, turn }: { question: string; turn: number }) {
  // only plain words are a name; fields are for items
  const plain = /[:=<>()"]/.test(question) ? null : question;
  const { value: artists } = useFetched<{ artists: Artist[] }>(plain && '/artists', { prefix: plain, limit: 6, all: true }, turn);
  const { value: albums } = useFetched<{ albums: Album[] }>(plain && '/albums', { prefix: plain, limit: 12 }, turn);
  return (
    <>
      {artists && artists.artists.length > 0 && (
        <section class="shelf">
          <header>
            <h2>Artists</h2>
          </header>
          <ul class="chips">
            {artists.artists.map((each) => (
              <li key={each.id}>
                <a class="chip" href={href(['artist', each.id])}>
                  <Icon name="artist" />
                  {each.name}
                </a>
              </li>
            ))}
          </ul>
        </section>
      )}
      {albums && albums.albums.length > 0 && (
        <section class="shelf">
          <header>
            <h2>Albums</h2>
          </header>
          <AlbumRow albums={albums.albums} />
        </section>
      )}
    </>
  );
}

interface GroupProps {
  kind: Kind;
  label: string;
  icon: IconName;
  question: string;
  number: number;
  turn: number;
}

/** The first few of a kind. */
function Group({ kind, label, question, number, turn }: GroupProps) {
  const pictures = kind === 'image' || kind === 'video';
  const limit = pictures ? 10 : 5;
  const { value } = useFetched<Page<Item>>('/search', { q: and(question, `kind:${kind}`), limit }, turn);
  const items = useLast(value)?.items;
  const source = useMemo(() => {
    if (items) store(items);
    return new Ids(items?.map((each) => each.id) ?? [], `${kind} ${question}`);
  }, [items]);
  if (!items) return null;
  const shared = { source, label, onOpen: (at: number) => openItem(source, at) };
  return (
    <section class="shelf">
      <header>
        <h2>{label}</h2>
        {number > items.length && (
          <button class="link" onClick={() => ask({ kind }, false)}>
            All {count(number)}
          </button>
        )}
      </header>
      <div class={pictures ? 'some pictures-only' : 'some'}>{pictures ? <ItemGrid {...shared} cell={120} /> : <ItemList {...shared} />}</div>
    </section>
  );
}

const TITLES: Record<string, string> = {
  tag: 'Tags',
  genre: 'Genres',
  artist: 'Artists',
  year: 'Years',
  format: 'Formats',
  rating: 'Ratings',
  folder: 'Folders',
};

/** What the finds have in common; pressing one narrows the question to it. */
const groupsOf = (facets: Facets) => Object.entries(TITLES).filter(([name]) => (facets[name]?.length ?? 0) > (name === 'folder' ? 1 : 0));

interface NarrowProps {
  facets: Facets;
  question: string;
  kind: string;
}

function Narrow(props: NarrowProps) {
  if (!groupsOf(props.facets).length) return null;
  return (
    <aside class="narrow" aria-label="Narrow down">
      <Terms {...props} />
    </aside>
  );
}

function Terms({ facets, question, kind, then }: NarrowProps & { then?: () => void }) {
  const add = (name: string, value: string) => {
    const term = name === 'year' || name === 'rating' ? `${name}:${value}` : `${name}${name === 'folder' ? ':' : '='}${JSON.stringify(value)}`;
    if (!question.includes(term)) go(href(['search'], { q: and(question, term), kind: kind || null }));
    then?.();
  };
  return (
    <>
      {groupsOf(facets).map(([name, title]) => (
        <section key={name}>
          <h2>{title}</h2>
          <ul>
            {facets[name]!.slice(0, 8).map((each) => (
              <li key={each.value}>
                <button onClick={() => add(name, each.value)}>
                  <span>{name === 'rating' ? '★'.repeat(Math.round(Number(each.value))) || each.value : name === 'folder' ? each.value.split('/').pop() : each.value}</span>
                  <small>{count(each.count)}</small>
                </button>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}
