/** One document: its first page, its words, and the file itself to be opened or taken away. */
import { useEffect } from 'preact/hooks';
import { download, rate, toggleStar } from '../actions';
import { entriesFor, workKeys } from '../components/bar';
import { Cover } from '../components/cover';
import { Icon } from '../components/icons';
import { openMenuAt } from '../components/menu';
import { Loading } from '../components/states';
import { Stars } from '../components/stars';
import { ItemTags } from '../components/tags';
import { openDetails } from '../details';
import { bytes, titleOf } from '../format';
import { item } from '../items';
import { useKeys } from '../keys';
import { useFetched } from '../list/paged';
import type { ViewProps } from '../routes';
import { mayWrite } from '../session';
import '../styles/care.css';

interface Words {
  text: string;
  truncated?: boolean;
  source?: string;
}

/** As much as a page shows at once; the rest is in the file. */
const SHOWN = 200_000;

export default function Document({ parts: [id = ''] }: ViewProps) {
  const of = item(id);
  const { value, wrong } = useFetched<Words>(`/file/${id}/text`);
  useKeys(workKeys(() => [id]));
  const title = of ? titleOf(of) : 'Document';
  useEffect(() => {
    document.title = `${title} · mediadb`;
  }, [title]);
  if (of === undefined) return <Loading />;
  if (of === null) return <p class="empty">This document is no longer in the library.</p>;
  const write = mayWrite.value;
  return (
    <div class="page">
      <div class="document-page">
        <aside>
          <Cover id={id} size={800} of="document" alt={`First page of ${title}`} />
          <p class="faint">{[of.artist, of.format, bytes(of.size), of.date?.slice(0, 10)].filter(Boolean).join(' · ')}</p>
          <div class="facts">
            {write && (
              <button class="icon heart" aria-label="Star" aria-pressed={Boolean(of.starred)} onClick={() => void toggleStar([id])}>
                <Icon name="heart" filled={Boolean(of.starred)} />
              </button>
            )}
            <Stars value={of.rating} disabled={!write} onRate={(value) => void rate([id], value)} />
          </div>
          <a class="button primary" href={`./file/${id}/stream`} target="_blank" rel="noopener noreferrer">
            <Icon name="document" />
            Open
          </a>
          <button onClick={() => download([id])}>
            <Icon name="download" />
            Download
          </button>
          <button onClick={() => openDetails(id)}>
            <Icon name="info" />
            Details
          </button>
          <button aria-haspopup="menu" onClick={(event) => openMenuAt(title, entriesFor([id]), event.currentTarget)}>
            <Icon name="more" />
            More
          </button>
          <ItemTags id={id} tags={of.tags} disabled={!write} />
        </aside>
        <article>
          <nav class="crumbs" aria-label="Above">
            <a href="#/documents">Documents</a>
          </nav>
          <h1>{title}</h1>
          {value ? (
            <>
              <div class="words-of" tabIndex={0} role="region" aria-label="Words in it">
                {value.text.slice(0, SHOWN).trim().split(/\n{2,}|\f/).map((each, at) => (
                  <p key={at}>{each}</p>
                ))}
              </div>
              {(value.truncated || value.text.length > SHOWN) && <p class="faint">The rest is in the file itself.</p>}
            </>
          ) : wrong ? (
            <p class="faint">{wrong.status === 404 ? 'There are no words in it to be shown.' : wrong.message}</p>
          ) : (
            <Loading />
          )}
        </article>
      </div>
    </div>
  );
}
