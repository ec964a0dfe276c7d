/** The folders as they are on the disks, with what is in each. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { ApiError, get } from '../api';
import { Icon } from '../components/icons';
import { ItemList } from '../components/itemlist';
import { Loading, Problem } from '../components/states';
import { many } from '../format';
import { store } from '../items';
import { reread } from '../list/live';
import { Ids } from '../list/source';
import { openItem } from '../open';
import { playNow, playShuffled } from '../player/queue';
import { href } from '../router';
import type { ViewProps } from '../routes';
import type { Folder, FolderPage } from '../types';
import '../styles/music.css';

/** What a person reads of a folder's name: of a root it is a whole path. */
const short = (name: string) => name.split('/').filter(Boolean).pop() ?? name;

export default function Folders({ parts: [id] }: ViewProps) {
  const [page, setPage] = useState<FolderPage | null>(null);
  const [wrong, setWrong] = useState<ApiError | null>(null);
  const turn = reread.value;
  useEffect(() => {
    const abort = new AbortController();
    load(id, abort.signal, setPage).then(
      () => setWrong(null),
      (problem: unknown) => {
        if (problem instanceof DOMException) return;
        if (!(problem instanceof ApiError)) throw problem;
        setWrong(problem);
      },
    );
    return () => abort.abort();
  }, [id, turn]);
  const source = useMemo(() => {
    if (page) store(page.items);
    return new Ids(page?.items.map((each) => each.id) ?? [], `folder ${id ?? ''}`);
  }, [page]);
  if (wrong && !page) return <Problem wrong={wrong} />;
  if (!page) return <Loading />;
  const songs = page.items.filter((each) => each.kind === 'audio').map((each) => each.id);
  return (
    <ItemList
      source={source}
      label={page.folder ? `In ${page.folder.name}` : 'Folders'}
      onOpen={(at) => openItem(source, at)}
      empty={page.folders.length ? <span /> : <p class="empty">This folder is empty.</p>}
      before={
        <>
          <header class="view-head">
            <div class="path-head">
              {page.folder && (
                <nav class="crumbs" aria-label="Folders above">
                  <a href={href(['folders'])}>Folders</a>
                  {page.above.map((each) => (
                    <span key={each.id}>
                      {' / '}
                      <a href={href(['folders', each.id])} title={each.name}>
                        {short(each.name)}
                      </a>
                    </span>
                  ))}
                </nav>
              )}
              <h1>{page.folder ? short(page.folder.name) : 'Folders'}</h1>
            </div>
            {songs.length > 0 && (
              <div class="buttons">
                <button class="primary" onClick={() => playNow(songs)}>
                  <Icon name="play" />
                  Play
                </button>
                <button onClick={() => playShuffled(songs)}>
                  <Icon name="shuffle" />
                  Shuffle
                </button>
              </div>
            )}
          </header>
          {page.folders.length > 0 && (
            <ul class="folder-grid">
              {page.folders.map((each) => (
                <li key={each.id}>
                  <FolderCard folder={each} root={!page.folder} />
                </li>
              ))}
            </ul>
          )}
        </>
      }
    />
  );
}

function FolderCard({ folder, root }: { folder: Folder; root: boolean }) {
  const within = [folder.folders && many(folder.folders, 'folder'), folder.files && many(folder.files, 'file')].filter(Boolean).join(', ');
  return (
    <a class="folder-card" href={href(['folders', folder.id])}>
      <Icon name="folder" />
      <span>
        <b>{short(folder.name)}</b>
        <small>{root ? folder.name : within || 'empty'}</small>
      </span>
    </a>
  );
}

/** All pages of a folder, shown as they come. */
async function load(id: string | undefined, signal: AbortSignal, show: (page: FolderPage) => void): Promise<void> {
  let whole: FolderPage | null = null;
  let cursor: string | undefined;
  do {
    const page: FolderPage = await get<FolderPage>(id ? `/folders/${id}` : '/folders', { limit: 200, cursor }, signal);
    whole = whole ? { ...page, folders: [...whole.folders, ...page.folders], items: [...whole.items, ...page.items] } : page;
    show(whole);
    cursor = page.next ?? undefined;
  } while (cursor);
}
