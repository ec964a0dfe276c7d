/** One list: played, put in order by drag or keys, renamed; or a saved question with what it finds. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { ApiError, change, get } from '../api';
import { askText, confirm } from '../components/dialog';
import { Icon } from '../components/icons';
import { ItemList } from '../components/itemlist';
import { openMenuAt, type Entry } from '../components/menu';
import { Loading, Problem } from '../components/states';
import { many, span } from '../format';
import { peek, store, version } from '../items';
import { reread, useMatches } from '../list/live';
import { allOf, Ids } from '../list/source';
import { openItem } from '../open';
import { playNow, playShuffled } from '../player/queue';
import { go, href } from '../router';
import type { ViewProps } from '../routes';
import { mayWrite } from '../session';
import { done, report } from '../toasts';
import type { Collection, Item } from '../types';
import '../styles/music.css';

type Page = Collection & { items: Item[]; next: string | null };

export default function ListPage({ parts: [id = ''] }: ViewProps) {
  const [list, setList] = useState<Collection | null>(null);
  const [ids, setIds] = useState<readonly string[]>([]);
  const [wrong, setWrong] = useState<ApiError | null>(null);
  const [turn, setTurn] = useState(0);
  const again = () => setTurn((before) => before + 1);
  useEffect(() => {
    const abort = new AbortController();
    read(id, abort.signal).then(
      (found) => {
        setList(found.list);
        setIds(found.ids);
        setWrong(null);
      },
      (problem: unknown) => {
        if (problem instanceof DOMException) return;
        if (!(problem instanceof ApiError)) throw problem;
        setWrong(problem);
      },
    );
    return () => abort.abort();
  }, [id, turn, reread.value]);
  useEffect(() => {
    if (list) document.title = `${list.name} · mediadb`;
  }, [list]);
  if (wrong) return <Problem wrong={wrong} onRetry={again} />;
  if (!list) return <Loading />;
  return list.query ? <Question list={list} query={list.query} again={again} /> : <Ordered list={list} ids={ids} setIds={setIds} again={again} />;
}

/** The list and the ids of all its entries, page by page. */
async function read(id: string, signal: AbortSignal): Promise<{ list: Collection; ids: string[] }> {
  const first = await get<Page>(`/collections/${id}`, { limit: 200 }, signal);
  store(first.items.filter((each) => each.kind));
  const ids = first.items.map((each) => each.id);
  if (first.query) return { list: first, ids };
  for (let next = first.next; next; ) {
    const page = await get<Page>(`/collections/${id}`, { limit: 200, cursor: next }, signal);
    ids.push(...page.items.map((each) => each.id));
    next = page.next;
  }
  return { list: first, ids };
}

interface Shown {
  list: Collection;
  again: () => void;
}

/** Does it, and says so with a way back; the list is read anew either way. */
async function alter(list: Collection, body: Record<string, unknown>, said: string, again: () => void): Promise<void> {
  try {
    const { operation } = await change('PATCH', `/collections/${list.id}`, body);
    done(said, operation);
  } catch (wrong) {
    report(wrong);
  }
  again();
}

function Head({ list, again, facts, all }: Shown & { facts: string; all: () => Promise<readonly string[]> }) {
  const kind = list.query ? 'saved question' : list.kind;
  const rename = async () => {
    const name = await askText(`Rename this ${kind}`, 'Name', list.name);
    if (name && name !== list.name) await alter(list, { name }, `${list.name} is now ${name}`, again);
  };
  const requery = async () => {
    const query = await askText(list.name, 'Question', list.query ?? '');
    if (query && query !== list.query) await alter(list, { query }, `${list.name}: ${query}`, again);
  };
  const remove = async () => {
    if (!(await confirm(`Delete ${list.name}?`, `The ${kind} goes; what is in it stays where it is. This can be undone.`, 'Delete'))) return;
    try {
      const { operation } = await change('DELETE', `/collections/${list.id}`);
      done(`${list.name} deleted`, operation);
      go('#/playlists');
    } catch (wrong) {
      report(wrong);
    }
  };
  const entries: (Entry | null)[] = [
    { label: 'Rename …', icon: 'edit', run: () => void rename() },
    ...(list.query ? [{ label: 'Change the question …', icon: 'search' as const, run: () => void requery() }] : []),
    { label: 'As an M3U file', icon: 'download', run: () => location.assign(`./playlists/${list.id}.m3u8`) },
    null,
    { label: 'Delete …', icon: 'trash', danger: true, run: () => void remove() },
  ];
  return (
    <header class="view-head">
      <div class="path-head">
        <p class="kind">{kind}</p>
        <h1>{list.name}</h1>
        <p class="faint">{facts}</p>
      </div>
      <div class="buttons">
        <button class="primary" onClick={async () => playNow(await all())}>
          <Icon name="play" />
          Play
        </button>
        <button onClick={async () => playShuffled(await all())}>
          <Icon name="shuffle" />
          Shuffle
        </button>
        {mayWrite.value && (
          <button class="icon" aria-label="More" aria-haspopup="menu" onClick={(event) => openMenuAt(list.name, entries, event.currentTarget)}>
            <Icon name="more" />
          </button>
        )}
      </div>
    </header>
  );
}

function Question({ list, query, again }: Shown & { query: string }) {
  const source = useMatches(query);
  return (
    <ItemList
      source={source}
      label={list.name}
      onOpen={(at) => openItem(source, at)}
      empty={<p class="empty">Nothing matches now.</p>}
      before={<Head list={list} again={again} facts={`${many(source.length, 'item')} · ${query}`} all={() => allOf(source)} />}
    />
  );
}

function Ordered({ list, ids, setIds, again }: Shown & { ids: readonly string[]; setIds: (ids: readonly string[]) => void }) {
  const source = useMemo(() => new Ids(ids, `list ${list.id}`), [ids]);
  version.value; // lengths come with the items
  const whole = ids.reduce((sum, id) => sum + (peek(id)?.duration ?? 0), 0);
  const move = (from: number, to: number) => {
    const order = [...ids];
    order.splice(to, 0, ...order.splice(from, 1));
    setIds(order);
    void alter(list, { move: [from, to] }, `Moved to place ${to + 1}`, again);
  };
  const remove = (places: number[]) => {
    const gone = new Set(places);
    const left = ids.filter((_, at) => !gone.has(at));
    setIds(left);
    const body = places.length === 1 ? { remove: places[0] } : { set: left };
    void alter(list, body, `${many(places.length, 'item')} taken out of ${list.name}`, again);
  };
  const write = mayWrite.value;
  return (
    <ItemList
      source={source}
      label={list.name}
      lead={list.kind === 'playlist' ? 'place' : 'cover'}
      onOpen={(at) => openItem(source, at)}
      {...(write && {
        onMove: move,
        onRemove: remove,
        menu: (at: number) => [{ label: 'Take it out of this list', icon: 'close' as const, keys: 'Del', run: () => remove([at]) }],
      })}
      empty={
        <p class="empty">
          Nothing in it yet. Choose something anywhere and press <kbd>a</kbd>, or use its menu.{' '}
          <a class="link" href={href(['songs'])}>
            To the songs
          </a>
        </p>
      }
      before={
        <Head
          list={list}
          again={again}
          facts={[many(ids.length, 'item'), whole > 0 && span(whole)].filter(Boolean).join(' · ')}
          all={async () => ids}
        />
      }
    />
  );
}
