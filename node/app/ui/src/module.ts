/** Parts of the page that are loaded when they are first shown. */
import { useEffect, useState } from 'preact/hooks';
import { ApiError } from './api';
import { report } from './toasts';

/** Loads a module when it is first shown; a release changed under an open page says so. */
export function useModule<T>(load: (() => Promise<T>) | undefined): T | null {
  const [module, setModule] = useState<{ of: unknown; it: T } | null>(null);
  useEffect(() => {
    let shown = true;
    load?.()
      .then((it) => shown && setModule({ of: load, it }))
      .catch((wrong: unknown) => {
        if (!(wrong instanceof TypeError)) throw wrong; // import()'s word for "cannot be fetched"
        report(new ApiError(0, 'unavailable', 'This part of the page could not be loaded: reload it'));
      });
    return () => {
      shown = false;
    };
  }, [load]);
  return module && module.of === load ? module.it : null;
}
