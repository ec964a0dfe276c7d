/** What hangs over every view: the viewer, and files that are dragged in. Each is loaded when it is first wanted. */
import { useEffect } from 'preact/hooks';
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

export function Extras() {
  const Viewer = useModule(viewing.value ? viewer : undefined)?.default;
  const Drop = useModule(mayUpload.value ? drop : undefined)?.default;
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
