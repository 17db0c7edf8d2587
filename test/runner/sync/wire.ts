/** What happens to one call on its way. */
export type Fate = 'pass' | 'lose request' | 'lose answer' | 'double' | 'slow request' | 'slow answer';

export type Fetch = (input: string, init: RequestInit) => Promise<Response>;

/** A line between Runner and Host that a test can spoil. */
export interface Wire {
  fetch: Fetch;
  /** Fates of the next calls of `sync`, in order; then all pass. */
  spoil(fates: readonly Fate[]): void;
  /** Answers in the Host's place until it answers `null`. */
  answerInstead(answer: ((path: string, init: RequestInit) => Promise<Response | null>) | null): void;
  /** Paths that were called and got an answer, with its status. */
  calls: string[];
}

const slowMs = 120;

export function createWire(beneath: Fetch): Wire {
  let fates: Fate[] = [];
  let instead: ((path: string, init: RequestInit) => Promise<Response | null>) | null = null;
  const calls: string[] = [];
  const wire: Wire = {
    calls,
    spoil(next) {
      fates = [...next];
    },
    answerInstead(answer) {
      instead = answer;
    },
    async fetch(input, init) {
      const { pathname } = new URL(input);
      const faked = (await instead?.(pathname, init)) ?? null;
      const answer =
        faked ??
        (await suffer(beneath, { input, init, fate: pathname.endsWith('/sync') ? (fates.shift() ?? 'pass') : 'pass' }));
      calls.push(`${pathname.split('/').at(-1)} ${answer.status}`);
      return answer;
    },
  };
  return wire;
}

async function suffer(
  beneath: Fetch,
  { input, init, fate }: { input: string; init: RequestInit; fate: Fate },
): Promise<Response> {
  const lost = (): Error => new TypeError('the line was cut');
  switch (fate) {
    case 'pass':
      return beneath(input, init);
    case 'lose request':
      throw lost();
    case 'lose answer':
      await beneath(input, init);
      throw lost();
    case 'double': {
      const [first, second] = [beneath(input, init), beneath(input, init)];
      second.then(
        (answer) => answer.text(),
        () => undefined,
      );
      return first;
    }
    case 'slow request':
      await wait(slowMs);
      return beneath(input, init);
    case 'slow answer': {
      const answer = await beneath(input, init);
      await wait(slowMs);
      return answer;
    }
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
