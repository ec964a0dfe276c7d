/** One genre: its albums, then its songs. */
import { AlbumRow } from '../components/albums';
import { Icon } from '../components/icons';
import { ItemList } from '../components/itemlist';
import { count } from '../format';
import { reread, useMatches } from '../list/live';
import { usePaged } from '../list/paged';
import { allOf } from '../list/source';
import { openItem } from '../open';
import { playNow, playShuffled } from '../player/queue';
import { ask, href, place } from '../router';
import type { ViewProps } from '../routes';
import type { Album } from '../types';
import '../styles/music.css';

export default function GenrePage({ parts: [name = ''] }: ViewProps) {
  const sort = place.value.query.get('sort') ?? 'artist';
  const songs = useMatches(`kind:audio genre=${JSON.stringify(name)}`, sort);
  const albums = usePaged<Album>('/albums', 'albums', { genre: name, sort: 'artist' }, reread.value);
  return (
    <ItemList
      source={songs}
      label={`Songs of ${name}`}
      sort={{ value: sort, onSort: (value) => ask({ sort: value }) }}
      onOpen={(at) => openItem(songs, at)}
      before={
        <>
          <header class="view-head">
            <h1>{name}</h1>
            <span class="faint">{count(songs.length)}</span>
            <div class="buttons">
              <button class="primary" onClick={async () => playNow(await allOf(songs))}>
                <Icon name="play" />
                Play
              </button>
              <button onClick={async () => playShuffled(await allOf(songs))}>
                <Icon name="shuffle" />
                Shuffle
              </button>
            </div>
          </header>
          {albums.all.length > 0 && (
            <>
              <AlbumRow albums={albums.all.slice(0, 20)} />
              {albums.all.length > 20 && (
                <p class="section">
                  <a class="link" href={href(['albums'], { genre: name })}>
                    All albums of this genre
                  </a>
                </p>
              )}
            </>
          )}
        </>
      }
    />
  );
}
