/** One artist: the albums, and the songs that are played most. */
import { useEffect } from 'preact/hooks';
import { songsOf } from '../actions';
import { AlbumCard, starOf } from '../components/albums';
import { Icon } from '../components/icons';
import { ItemList } from '../components/itemlist';
import { Loading, Problem } from '../components/states';
import { many } from '../format';
import { reread, useMatches } from '../list/live';
import { useFetched } from '../list/paged';
import { openItem } from '../open';
import { playNow, playShuffled } from '../player/queue';
import type { ViewProps } from '../routes';
import { mayWrite } from '../session';
import { report } from '../toasts';
import type { Album, Artist } from '../types';
import { hue, letterOf } from './artists';
import '../styles/music.css';

type Page = Omit<Artist, 'albums'> & { albums: Album[] };

export default function ArtistPage({ parts: [id = ''] }: ViewProps) {
  const { value: artist, wrong, again } = useFetched<Page>(`/artist/${id}`, {}, reread.value);
  if (wrong && !artist) return <Problem wrong={wrong} onRetry={again} />;
  if (!artist) return <Loading />;
  return <Shown key={id} artist={artist} again={again} />;
}

function Shown({ artist, again }: { artist: Page; again: () => void }) {
  useEffect(() => {
    document.title = `${artist.name} · mediadb`;
  }, [artist]);
  const songs = useMatches(`id:${artist.id} kind:audio`, '-plays,album');
  const albums = artist.albums.map((each) => each.id);
  const all = (then: (ids: string[]) => void) => () => void songsOf(albums).then(then, report);
  return (
    <ItemList
      source={songs}
      label={`Songs of ${artist.name}`}
      within="artist"
      onOpen={(at) => openItem(songs, at)}
      empty={<span />}
      before={
        <>
          <header class="hero">
            <span class="initial large" aria-hidden="true" data-hue={hue(artist.name)}>
              {letterOf(artist.name)}
            </span>
            <div>
              <p class="kind">Artist</p>
              <h1>{artist.name}</h1>
              <p class="facts">
                {many(artist.albums.length, 'album')} · {many(artist.songs, 'song')}
              </p>
              <div class="buttons">
                <button class="primary" disabled={!albums.length} onClick={all(playNow)}>
                  <Icon name="play" />
                  Play
                </button>
                <button disabled={!albums.length} onClick={all(playShuffled)}>
                  <Icon name="shuffle" />
                  Shuffle
                </button>
                {mayWrite.value && (
                  <button
                    class="icon heart"
                    aria-label="Star this artist"
                    aria-pressed={Boolean(artist.starred)}
                    onClick={() => void starOf('artist', artist, !artist.starred).then(again)}
                  >
                    <Icon name="heart" filled={Boolean(artist.starred)} />
                  </button>
                )}
              </div>
            </div>
          </header>
          <div class="albums-flow">
            {artist.albums.map((each) => (
              <AlbumCard key={each.id} album={each} below={String(each.year ?? '')} />
            ))}
          </div>
          {songs.length > 0 && <h2 class="section">Songs</h2>}
        </>
      }
    />
  );
}
