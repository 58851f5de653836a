// The blocks of pins, as this server's gateway hands them out: to anyone, without a session.
import { asProblem, offline, Problem, problemOf } from '../shell/problem';
import { Damaged, mostBlock, type Bytes, type Get } from './blocks';

// So often a block is asked for again, when the server is busy or the connection is lost.
const tries = 6;

export const get: Get = async (cid, anew, signal) => {
  for (let lost = 0; ; lost++) {
    try {
      return await once(cid, anew, signal);
    } catch (err) {
      if (signal.aborted || err instanceof Damaged) throw err;
      const problem = asProblem(err);
      const wait = problem.status === 429 ? problem.retryAfter || 1 : problem.temporary || problem.code === 'download_broken' ? problem.retryAfter || 0.5 * 2 ** lost : 0;
      if (wait === 0 || lost === tries) throw problem;
      await pause(wait * 1000, signal);
    }
  }
};

async function once(cid: string, anew: boolean, signal: AbortSignal): Promise<Bytes> {
  const response = await fetch(`/ipfs/${cid}?format=raw`, { signal, credentials: 'omit', cache: anew ? 'reload' : 'default', headers: { Accept: 'application/vnd.ipld.raw' } }).catch((err: unknown) => {
    throw signal.aborted ? err : offline();
  });
  if (!response.ok) {
    const body: unknown = await response.json().catch(() => undefined);
    const problem = problemOf(response.status, body, response.headers.get('Retry-After'));
    throw response.status === 404 ? new Problem({ status: 404, code: 'pin_block_gone' }) : problem;
  }
  return whole(response, signal);
}

// whole reads a body within the bounds of a block.
async function whole(response: Response, signal: AbortSignal): Promise<Bytes> {
  const parts: Bytes[] = [];
  let size = 0;
  const reader = response.body!.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch((err: unknown) => {
      throw signal.aborted ? err : new Problem({ status: 0, code: 'download_broken' });
    });
    if (done) break;
    size += value.length;
    if (size > mostBlock) {
      void reader.cancel();
      throw new Damaged('block ' + response.url);
    }
    parts.push(value);
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(wake, ms);
    function wake(): void {
      clearTimeout(timer);
      removeEventListener('online', wake);
      signal.removeEventListener('abort', wake);
      resolve();
    }
    signal.addEventListener('abort', wake);
    addEventListener('online', wake);
  });
}
