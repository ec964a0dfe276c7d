/** The picture of a film: its poster where the daemon has one, else a frame that the browser takes out of it. */
import { useState } from 'preact/hooks';
import { Icon } from '../components/icons';
import type { Item } from '../types';

/** Films without a poster, and those no frame comes out of: not asked for again in this visit. */
const known = new Map<string, 'frame' | 'none'>();

/** A tenth into it, past what is black or a title, at most so many seconds. */
const INTO = 30;

export function Frame({ of }: { of: Item }) {
  const [state, setState] = useState(known.get(of.id) ?? 'poster');
  const turn = (to: 'frame' | 'none') => {
    known.set(of.id, to);
    setState(to);
  };
  if (state === 'none' || of.missing)
    return (
      <span class="cover none">
        <Icon name="film" />
      </span>
    );
  if (state === 'poster')
    return <img class="cover" src={`./file/${of.id}/preview/320`} alt="" loading="lazy" decoding="async" draggable={false} onError={() => turn('frame')} />;
  const at = Math.min(INTO, (of.duration ?? 0) / 10);
  return (
    <video
      class="cover"
      src={`./file/${of.id}/stream#t=${at.toFixed(1)}`}
      preload="metadata"
      muted
      playsInline
      tabIndex={-1}
      aria-hidden="true"
      onLoadedMetadata={(event) => !event.currentTarget.videoWidth && turn('none')}
      onError={() => turn('none')}
    />
  );
}
