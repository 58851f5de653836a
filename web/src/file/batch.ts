// The same work on many entries, one after the other.
import { asProblem, type Problem } from '../shell/problem';

export interface Outcome<T> {
  done: T[];
  failed: { item: T; problem: Problem }[];
  left: T[]; // not tried: the person stopped, or the server is gone
}

interface Watch {
  signal: AbortSignal;
  progress: (tried: number) => void;
  pause?: (seconds: number) => Promise<void>;
}

const sleep = (seconds: number) => new Promise<void>((resolve) => setTimeout(resolve, seconds * 1000));
const patience = 20;

// each works on every item. One that fails does not stop the others; a server that cannot
// be reached does, and so does a session that ended. A busy server is waited for.
export async function each<T>(items: readonly T[], work: (item: T) => Promise<unknown>, { signal, progress, pause = sleep }: Watch): Promise<Outcome<T>> {
  const out: Outcome<T> = { done: [], failed: [], left: [] };
  for (const [at, item] of items.entries()) {
    if (signal.aborted) {
      out.left = items.slice(at);
      break;
    }
    const problem = await patiently(() => work(item), signal, pause);
    if (!problem) {
      out.done.push(item);
    } else if (signal.aborted) {
      out.left = items.slice(at);
      break;
    } else {
      out.failed.push({ item, problem });
    }
    if (problem && ends(problem)) {
      out.left = items.slice(at + 1);
      break;
    }
    progress(at + 1);
  }
  return out;
}

async function patiently(work: () => Promise<unknown>, signal: AbortSignal, pause: (seconds: number) => Promise<void>): Promise<Problem | undefined> {
  for (let tries = 1; ; tries++) {
    try {
      await work();
      return undefined;
    } catch (err) {
      const problem = asProblem(err);
      const wait = problem.wait || (problem.status === 429 ? problem.retryAfter : 0);
      if (!wait || tries >= patience || signal.aborted) return problem;
      await pause(wait);
    }
  }
}

// ends tells a failure that every other item would meet too.
function ends(p: Problem): boolean {
  return (p.temporary && p.code !== 'cancelled') || p.status === 429 || p.code === 'unauthenticated' || p.code === 'step_up_required';
}
