/** What opening an item of a list does, by its kind. Views that show a kind put themselves here (routes.ts). */
import { openDetails } from './details';
import { peek } from './items';
import { allOf, type Source } from './list/source';
import { playNow } from './player/queue';
import type { Kind } from './types';

type Opener = (source: Source, at: number) => void;

export const openers: Partial<Record<Kind, Opener>> = {
  // play from here: the list is the queue
  audio: (source, at) => void allOf(source).then((ids) => playNow(ids, at)),
};

export function openItem(source: Source, at: number): void {
  const id = source.id(at);
  const kind = peek(id)?.kind;
  const opener = kind && openers[kind];
  if (opener) opener(source, at);
  else openDetails(id);
}
