/** All songs, in one list of any length. */
import { Icon } from '../components/icons';
import { ItemList } from '../components/itemlist';
import { count } from '../format';
import { useMatches } from '../list/live';
import { allOf } from '../list/source';
import { playNow, playShuffled } from '../player/queue';
import { ask, place } from '../router';

export default function Songs() {
  const sort = place.value.query.get('sort') ?? 'artist';
  const source = useMatches('kind:audio', sort);
  return (
    <ItemList
      source={source}
      label="Songs"
      sort={{ value: sort, onSort: (value) => ask({ sort: value }) }}
      onOpen={async (at) => playNow(await allOf(source), at)}
      before={
        <header class="view-head">
          <h1>Songs</h1>
          <span class="faint">{count(source.length)}</span>
          <div class="buttons">
            <button class="primary" onClick={async () => playNow(await allOf(source))}>
              <Icon name="play" />
              Play
            </button>
            <button onClick={async () => playShuffled(await allOf(source))}>
              <Icon name="shuffle" />
              Shuffle
            </button>
          </div>
        </header>
      }
    />
  );
}
