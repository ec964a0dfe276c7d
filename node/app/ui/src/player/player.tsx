/** The player: a bar on a desk, on a phone a small one that opens to the whole screen; the queue beside it. */
import { signal } from '@preact/signals';
import { toggleStar } from '../actions';
import { Cover } from '../components/cover';
import { Dialog } from '../components/dialog';
import { Icon } from '../components/icons';
import { clock, titleOf } from '../format';
import { useKeys } from '../keys';
import { goAlbum, goArtist } from '../open';
import { mayWrite } from '../session';
import '../styles/player.css';
import { at, entries, next, playing, previous, repeat, shuffled, toggleRepeat, toggleShuffle } from './queue';
import { Queue } from './queuepanel';
import { length, levelled, muted, position, seek, setVolume, startSound, titleNow, volume, waiting } from './sound';
import { startSaving } from './saved';
import { startSession } from './system';
import type { Item } from '../types';

export const queueShown = signal(false);
const opened = signal(false);

startSound();
startSaving();
startSession();

const toggle = () => {
  playing.value = !playing.peek();
};

export default function Player() {
  const song = titleNow.value;
  useKeys([
    { keys: 'Space k', what: 'Play, pause', group: 'Player', run: toggle },
    { keys: 'ArrowRight', what: '10 s on', group: 'Player', run: () => seek(position.peek() + 10) },
    { keys: 'ArrowLeft', what: '10 s back', group: 'Player', run: () => seek(position.peek() - 10) },
    { keys: 'Shift+ArrowRight n', what: 'Next', group: 'Player', run: () => next() },
    { keys: 'Shift+ArrowLeft p', what: 'Previous', group: 'Player', run: () => previous(position.peek()) },
    { keys: '+', what: 'Louder', group: 'Player', run: () => setVolume(volume.peek() + 0.05) },
    { keys: '-', what: 'Softer', group: 'Player', run: () => setVolume(volume.peek() - 0.05) },
    { keys: 'm', what: 'Mute', group: 'Player', run: () => (muted.value = !muted.peek()) },
    { keys: 's', what: 'Shuffle', group: 'Player', run: toggleShuffle },
    { keys: 'r', what: 'Repeat', group: 'Player', run: toggleRepeat },
    { keys: 'u', what: 'Queue', group: 'Player', run: () => (queueShown.value = !queueShown.peek()) },
    {
      keys: 'Shift+L L',
      what: 'Star what plays',
      group: 'Player',
      run: () => {
        const id = titleNow.peek()?.id;
        if (id && mayWrite.peek()) void toggleStar([id]);
      },
    },
  ]);
  const sub = song && [song.artist, song.album].filter(Boolean).join(' · ');
  return (
    <>
      <section class={`player${waiting.value ? ' waiting' : ''}`} aria-label="Player">
        <div class="now">
          <button class="art" aria-label="Open the player" onClick={() => (opened.value = true)}>
            <Cover key={song?.id} id={song?.id} size={128} of="audio" eager />
          </button>
          <div class="names">
            <b>
              {song?.album ? (
                <a
                  href="#/albums"
                  onClick={(event) => {
                    event.preventDefault();
                    void goAlbum(song);
                  }}
                >
                  {titleOf(song)}
                </a>
              ) : (
                song && titleOf(song)
              )}
            </b>
            <small>{sub}</small>
          </div>
          {song && <Heart song={song} />}
        </div>
        <div class="middle">
          <Buttons />
          <Seek />
        </div>
        <div class="side-controls">
          <button class="icon" aria-label={muted.value ? 'Sound on' : 'Mute'} aria-pressed={muted.value} onClick={() => (muted.value = !muted.value)}>
            <Icon name={muted.value ? 'mute' : 'volume'} />
          </button>
          <input
            class="volume"
            type="range"
            min={0}
            max={1}
            step={0.02}
            aria-label="Volume"
            aria-valuetext={`${Math.round(volume.value * 100)} %`}
            value={volume.value}
            onInput={(event) => setVolume(Number(event.currentTarget.value))}
          />
          <QueueButton />
        </div>
        <div class="line" aria-hidden="true" style={{ transform: `scaleX(${length.value ? position.value / length.value : 0})` }} />
      </section>
      {queueShown.value && !opened.value && (
        <aside class="panel" aria-label="Queue">
          <Queue onClose={() => (queueShown.value = false)} />
        </aside>
      )}
      {opened.value && <Full song={song} onClose={() => (opened.value = false)} />}
    </>
  );
}

function QueueButton() {
  return (
    <button
      class="icon queue-button"
      aria-label={`Queue, ${at.value + 1} of ${entries.value.length}`}
      title="Queue (u)"
      aria-pressed={queueShown.value}
      onClick={() => (queueShown.value = !queueShown.value)}
    >
      <Icon name="queue" />
    </button>
  );
}

function Heart({ song }: { song: Item }) {
  if (!mayWrite.value) return null;
  return (
    <button class="icon heart" aria-label="Star" aria-pressed={Boolean(song.starred)} onClick={() => void toggleStar([song.id])}>
      <Icon name="heart" filled={Boolean(song.starred)} />
    </button>
  );
}

const REPEAT = { off: 'Repeat: off', all: 'Repeat: the queue', one: 'Repeat: this song' };

function Buttons() {
  return (
    <div class="controls" role="group" aria-label="Playing">
      <button class="icon mode" aria-label="Shuffle" title="Shuffle (s)" aria-pressed={shuffled.value} onClick={toggleShuffle}>
        <Icon name="shuffle" />
      </button>
      <button class="icon" aria-label="Previous" title="Previous (p)" onClick={() => previous(position.peek())}>
        <Icon name="previous" />
      </button>
      <button class="icon play" aria-label={playing.value ? 'Pause' : 'Play'} title="Space" onClick={toggle}>
        <Icon name={playing.value ? 'pause' : 'play'} />
      </button>
      <button class="icon" aria-label="Next" title="Next (n)" onClick={() => next()}>
        <Icon name="next" />
      </button>
      <button
        class="icon mode"
        aria-label={REPEAT[repeat.value]}
        title={`${REPEAT[repeat.value]} (r)`}
        aria-pressed={repeat.value !== 'off'}
        onClick={toggleRepeat}
      >
        <Icon name="repeat" />
        {repeat.value === 'one' && <sup>1</sup>}
      </button>
    </div>
  );
}

function Seek() {
  const whole = length.value;
  const gone = Math.min(position.value, whole || position.value);
  return (
    <div class="seek">
      <time>{clock(gone)}</time>
      <input
        type="range"
        min={0}
        max={Math.max(1, whole)}
        step={1}
        value={gone}
        disabled={!whole}
        aria-label="Place in the song"
        aria-valuetext={`${clock(gone)} of ${clock(whole)}`}
        style={{ '--part': `${whole ? (gone / whole) * 100 : 0}%` }}
        onInput={(event) => seek(Number(event.currentTarget.value))}
      />
      <time>{clock(whole)}</time>
    </div>
  );
}

function Full({ song, onClose }: { song: Item | null | undefined; onClose: () => void }) {
  const listed = queueShown.value;
  const leave = (to: () => Promise<void>) => {
    onClose();
    void to();
  };
  return (
    <Dialog title={listed ? 'Queue' : 'Playing'} onClose={onClose} form="full">
      <div class="full">
        {listed ? (
          <Queue />
        ) : (
          <>
            <Cover key={song?.id} id={song?.id} size={800} of="audio" eager alt={song?.album ? `Cover of ${song.album}` : ''} />
            <div class="names">
              <b>{song ? titleOf(song) : ' '}</b>
              <span>
                {song?.artist && (
                  <button class="link" onClick={() => leave(() => goArtist(song))}>
                    {song.artist}
                  </button>
                )}
                {song?.artist && song.album && ' · '}
                {song?.album && (
                  <button class="link" onClick={() => leave(() => goAlbum(song))}>
                    {song.album}
                  </button>
                )}
              </span>
            </div>
          </>
        )}
        <Seek />
        <Buttons />
        <div class="extras">
          {song && <Heart song={song} />}
          <label class="check">
            <input type="checkbox" checked={levelled.value} onChange={(event) => (levelled.value = event.currentTarget.checked)} />
            Same loudness (ReplayGain)
          </label>
          <QueueButton />
        </div>
      </div>
    </Dialog>
  );
}
