/** What hangs over every view: the viewer, and files that are dragged in. Each is loaded when it is first wanted. */
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { ApiError } from './api';
import { useModule } from './module';
import { views } from './components/bar';
import { openers } from './open';
import { openViewer, viewing } from './photo/viewing';
import { go, href } from './router';
import { mayUpload } from './session';

const viewer = () => import('./photo/viewer');
const drop = () => import('./upload/drop');

openers.image = (source, at) => openViewer(source, at);
openers.video = (source, at) => go(href(['film', source.id(at)]));
openers.document = (source, at) => go(href(['document', source.id(at)]));
views.move = (ids) => void import('./care/movedialog').then(({ openMove }) => openMove({ ids }));

/** A part that changed on the server since the page was opened is left out: the next view says so. */
const partOf = (module: { default: ComponentType } | ApiError | null) => (module instanceof ApiError ? undefined : module?.default);

export function Extras() {
  const Viewer = partOf(useModule(viewing.value ? viewer : undefined));
  const Drop = partOf(useModule(mayUpload.value ? drop : undefined));
  useEffect(() => {
    // a file dropped beside the place for it must not replace the page
    const keepPage = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
    };
    addEventListener('dragover', keepPage);
    addEventListener('drop', keepPage);
    return () => {
      removeEventListener('dragover', keepPage);
      removeEventListener('drop', keepPage);
    };
  }, []);
  return (
    <>
      {viewing.value && Viewer && <Viewer />}
      {Drop && <Drop />}
    </>
  );
}
