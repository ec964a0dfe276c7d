/** One film: played here, gone on with where it was left, and what is known of it. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { download, rate, toggleStar } from '../actions';
import { entriesFor, workKeys } from '../components/bar';
import { Icon } from '../components/icons';
import { openMenuAt } from '../components/menu';
import { Loading } from '../components/states';
import { Stars } from '../components/stars';
import { ItemTags } from '../components/tags';
import { openDetails } from '../details';
import { FilmPlayer } from '../film/player';
import { bytes, clock, many, titleOf } from '../format';
import { item } from '../items';
import { useKeys } from '../keys';
import { Ids } from '../list/source';
import { openViewer } from '../photo/viewing';
import type { ViewProps } from '../routes';
import { mayWrite } from '../session';
import '../styles/films.css';

export default function Film({ parts: [id = ''] }: ViewProps) {
  const of = item(id);
  const [begun, setBegun] = useState<number | null>(null);
  const source = useMemo(() => new Ids([id], `film ${id}`), [id]);
  useKeys(workKeys(() => [id]));
  const title = of ? titleOf(of) : 'Film';
  useEffect(() => {
    document.title = `${title} · mediadb`;
  }, [title]);
  if (of === undefined) return <Loading />;
  if (of === null) return <p class="empty">This film is no longer in the library.</p>;
  const write = mayWrite.value;
  const left = of.bookmark?.position ?? 0;
  return (
    <div class="page">
      <div class="film-page">
        <nav class="crumbs" aria-label="Above">
          <a href="#/films">Films</a>
        </nav>
        <FilmPlayer key={`${id} ${begun ?? ''}`} id={id} start={begun ?? left} autoplay={begun !== null} />
        <h1>{title}</h1>
        <div class="facts">
          {write && (
            <button class="icon heart" aria-label="Star" aria-pressed={Boolean(of.starred)} onClick={() => void toggleStar([id])}>
              <Icon name="heart" filled={Boolean(of.starred)} />
            </button>
          )}
          <Stars value={of.rating} disabled={!write} onRate={(value) => void rate([id], value)} />
          <span class="faint">
            {[clock(of.duration), of.width && `${of.width} × ${of.height}`, of.format, bytes(of.size), of.date?.slice(0, 10), of.plays ? many(of.plays, 'play') : '', of.missing && 'missing'].filter(Boolean).join(' · ')}
          </span>
          <div class="buttons">
            {left > 0 && begun === null && (
              <>
                <button class="primary" onClick={() => setBegun(left)}>
                  <Icon name="play" />
                  Go on at {clock(left)}
                </button>
                <button onClick={() => setBegun(0)}>From the start</button>
              </>
            )}
            <button onClick={() => openViewer(source, 0)}>
              <Icon name="grow" />
              In the whole window
            </button>
            <button onClick={() => download([id])}>
              <Icon name="download" />
              Download
            </button>
            <button onClick={() => openDetails(id)}>
              <Icon name="info" />
              Details
            </button>
            <button class="icon" aria-label="More" aria-haspopup="menu" onClick={(event) => openMenuAt(title, entriesFor([id]), event.currentTarget)}>
              <Icon name="more" />
            </button>
          </div>
        </div>
        <ItemTags id={id} tags={of.tags} disabled={!write} />
      </div>
    </div>
  );
}
