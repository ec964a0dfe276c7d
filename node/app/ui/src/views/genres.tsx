/** Genres as the files name them. */
import { Problem } from '../components/states';
import { many } from '../format';
import { reread } from '../list/live';
import { usePaged } from '../list/paged';
import { VirtualGrid } from '../list/virtual';
import { href } from '../router';
import type { Genre } from '../types';
import { hue } from './artists';
import '../styles/music.css';

export default function Genres() {
  const genres = usePaged<Genre>('/genres', 'genres', {}, reread.value);
  if (genres.wrong) return <Problem wrong={genres.wrong} />;
  return (
    <VirtualGrid
      class="padded"
      count={genres.all.length}
      cell={190}
      gap={14}
      aspect={0}
      below={92}
      before={
        <header class="view-head">
          <h1>Genres</h1>
        </header>
      }
      after={!genres.all.length && !genres.more ? <p class="empty">No song names a genre.</p> : undefined}
      body={{ class: 'genres', role: 'group', 'aria-label': 'Genres' }}
      render={(at) => {
        if (at >= genres.all.length - 30) genres.next();
        const genre = genres.all[at]!;
        return (
          <a key={genre.name} class="genre-card" data-hue={hue(genre.name)} href={href(['genre', genre.name])}>
            <b>{genre.name}</b>
            <small>{[genre.albums && many(genre.albums, 'album'), many(genre.songs, 'song')].filter(Boolean).join(', ')}</small>
          </a>
        );
      }}
    />
  );
}
