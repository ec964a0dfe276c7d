/** Parts of the page that are loaded when they are first shown. */
import { useEffect, useState } from 'preact/hooks';
import { ApiError } from './api';

/** Loads a module when it is first shown; a release changed under an open page says so. */
export function useModule<T>(load: (() => Promise<T>) | undefined): T | ApiError | null {
  const [module, setModule] = useState<{ of: unknown; it: T | ApiError } | null>(null);
  useEffect(() => {
    let shown = true;
    load?.()
      .then((it) => shown && setModule({ of: load, it }))
      .catch((wrong: unknown) => {
        if (!(wrong instanceof TypeError)) throw wrong; // import()'s word for "cannot be fetched"
        if (shown) setModule({ of: load, it: new ApiError(404, 'not_found', 'This part of the page has changed on the server') });
      });
    return () => {
      shown = false;
    };
  }, [load]);
  return module && module.of === load ? module.it : null;
}
