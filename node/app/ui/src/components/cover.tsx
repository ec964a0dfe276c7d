/** Pictures of items: previews that the daemon made, or a drawing of the kind where there is none. */
import { useState } from 'preact/hooks';
import type { Kind } from '../types';
import { Icon, type IconName } from './icons';

const OF_KIND: Record<Kind | 'album' | 'artist' | 'playlist' | 'folder', IconName> = {
  audio: 'song',
  image: 'image',
  video: 'film',
  document: 'document',
  other: 'copy',
  album: 'album',
  artist: 'artist',
  playlist: 'playlist',
  folder: 'folder',
};

export type Size = 128 | 320 | 800 | 1280 | 1920;

/** Addresses that had no picture: not asked for again in this visit. */
const without = new Set<string>();

interface Props {
  /** the item whose preview it is */
  id: string | undefined;
  size: Size;
  of: keyof typeof OF_KIND;
  /** said to those who don't see it; decoration beside a name needs none */
  alt?: string;
  eager?: boolean;
  round?: boolean;
  /** in rows: the drawing is a sign of the font, one element instead of three */
  plain?: boolean;
}

export function Cover({ id, size, of, alt = '', eager = false, round = false, plain = false }: Props) {
  const address = id ? `./file/${id}/preview/${size}` : '';
  const [gone, setGone] = useState('');
  const shape = round ? 'cover round' : 'cover';
  const missing = !address || gone === address || without.has(address);
  if (missing && plain) return <span class={`${shape} none plain`} data-of={of} />;
  if (missing)
    return (
      <span class={`${shape} none`} role={alt ? 'img' : undefined} aria-label={alt || undefined}>
        <Icon name={OF_KIND[of]} />
      </span>
    );
  return (
    <img
      class={shape}
      src={address}
      alt={alt}
      loading={eager ? 'eager' : 'lazy'}
      decoding="async"
      draggable={false}
      onError={() => {
        without.add(address);
        setGone(address);
      }}
    />
  );
}
