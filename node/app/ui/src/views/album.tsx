/** One album: its cover, its songs by disc and track. */
import { useEffect, useMemo } from 'preact/hooks';
import { change } from '../api';
import { albumMenu, starOf } from '../components/albums';
import { Cover } from '../components/cover';
import { Icon } from '../components/icons';
import { ItemList } from '../components/itemlist';
import { openMenuAt } from '../components/menu';
import { Loading, Problem } from '../components/states';
import { Stars } from '../components/stars';
import { many, span } from '../format';
import { store } from '../items';
import { reread } from '../list/live';
import { useFetched } from '../list/paged';
import { Ids } from '../list/source';
import { playNow, playShuffled } from '../player/queue';
import { href } from '../router';
import type { ViewProps } from '../routes';
import { mayWrite } from '../session';
import { done, report } from '../toasts';
import type { Album, Item } from '../types';
import '../styles/music.css';

export default function AlbumPage({ parts: [id = ''] }: ViewProps) {
  const { value: album, wrong, again } = useFetched<Album & { songs: Item[] }>(`/album/${id}`, {}, reread.value);
  useEffect(() => {
    if (album) document.title = `${album.name} · mediadb`;
  }, [album]);
  const source = useMemo(() => {
    if (album) store(album.songs);
    return new Ids(album?.songs.map((each) => each.id) ?? [], `album ${id}`, `id:${id} kind:audio`);
  }, [album]);
  if (wrong && !album) return <Problem wrong={wrong} onRetry={again} />;
  if (!album) return <Loading />;
  const ids = source.ids;
  const rateIt = async (rating: number) => {
    try {
      const { operation } = await change('PUT', `/album/${id}/rating`, { rating });
      done(`${album.name}: ${rating ? '★'.repeat(rating) : 'no rating'}`, operation);
      again();
    } catch (problem) {
      report(problem);
    }
  };
  return (
    <ItemList
      source={source}
      label={`Songs of ${album.name}`}
      lead="track"
      within="album"
      artist={album.artist}
      onOpen={(at) => playNow(ids, at)}
      before={
        <header class="hero">
          <Cover key={album.cover} id={album.cover} size={320} of="album" eager alt={`Cover of ${album.name}`} />
          <div>
            <p class="kind">Album</p>
            <h1>{album.name}</h1>
            <p class="facts">
              {album.artists?.length
                ? album.artists.map((each, at) => (
                    <span key={each.id}>
                      {at > 0 && ', '}
                      <a href={href(['artist', each.id])}>{each.name}</a>
                    </span>
                  ))
                : album.artist && (album.artist_id ? <a href={href(['artist', album.artist_id])}>{album.artist}</a> : album.artist)}
              {[album.year, many(album.songs.length, 'song'), album.duration && span(album.duration), ...(album.genres ?? [])]
                .filter(Boolean)
                .map((each) => ` · ${each}`)
                .join('')}
            </p>
            <div class="buttons">
              <button class="primary" onClick={() => playNow(ids)}>
                <Icon name="play" />
                Play
              </button>
              <button onClick={() => playShuffled(ids)}>
                <Icon name="shuffle" />
                Shuffle
              </button>
              {mayWrite.value && (
                <>
                  <button
                    class="icon heart"
                    aria-label="Star this album"
                    aria-pressed={Boolean(album.starred)}
                    onClick={() => void starOf('album', album, !album.starred).then(again)}
                  >
                    <Icon name="heart" filled={Boolean(album.starred)} />
                  </button>
                  <Stars value={album.rating} label="Rating of this album" onRate={(value) => void rateIt(value)} />
                </>
              )}
              <button class="icon" aria-label="More" aria-haspopup="menu" onClick={(event) => openMenuAt(album.name, albumMenu(album).slice(2), event.currentTarget)}>
                <Icon name="more" />
              </button>
            </div>
          </div>
        </header>
      }
    />
  );
}
