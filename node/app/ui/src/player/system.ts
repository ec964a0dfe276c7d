/** Media keys, the lock screen, headphones: the Media Session of the browser (W3C Media Session). */
import { effect } from '@preact/signals';
import { titleOf } from '../format';
import { next, playing, previous } from './queue';
import { length, position, seek, titleNow } from './sound';

const JUMP = 10;

export function startSession(): void {
  if (!('mediaSession' in navigator)) return;
  const session = navigator.mediaSession;
  const handlers: [MediaSessionAction, MediaSessionActionHandler][] = [
    ['play', () => (playing.value = true)],
    ['pause', () => (playing.value = false)],
    ['stop', () => (playing.value = false)],
    ['nexttrack', () => next()],
    ['previoustrack', () => previous(position.peek())],
    ['seekto', ({ seekTime }) => seekTime !== undefined && seek(seekTime)],
    ['seekforward', ({ seekOffset }) => seek(position.peek() + (seekOffset ?? JUMP))],
    ['seekbackward', ({ seekOffset }) => seek(position.peek() - (seekOffset ?? JUMP))],
  ];
  for (const [action, handler] of handlers) session.setActionHandler(action, handler);
  effect(() => {
    const song = titleNow.value;
    session.metadata = song
      ? new MediaMetadata({
          title: titleOf(song),
          artist: song.artist ?? '',
          album: song.album ?? '',
          artwork: [128, 320, 800].map((size) => ({ src: `./file/${song.id}/preview/${size}`, sizes: `${size}x${size}` })),
        })
      : null;
  });
  effect(() => {
    session.playbackState = playing.value ? 'playing' : 'paused';
  });
  let said = -10;
  effect(() => {
    const whole = length.value;
    const gone = position.value;
    if (whole <= 0 || Math.abs(gone - said) < 1) return;
    said = gone;
    session.setPositionState({ duration: whole, position: Math.min(gone, whole), playbackRate: 1 });
  });
}
