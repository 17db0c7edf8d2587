import { AsyncLocalStorage } from 'node:async_hooks';
import type { TransactionScope } from '../../store/database.ts';

export function createTransactionScope(): TransactionScope {
  const storage = new AsyncLocalStorage<{ open: boolean }>();
  return {
    // Work that outlives the transaction it was started in keeps its scope, but a closed one.
    inside: () => storage.getStore()?.open === true,
    run: async (work) => {
      const scope = { open: true };
      try {
        return await storage.run(scope, work);
      } finally {
        scope.open = false;
      }
    },
  };
}
