// Small files go as a form, several of them in one request: each request has its price.
import { address, hearTime, proof, withToken } from '../shell/api';
import { cancelled, offline, problemOf } from '../shell/problem';
import { stands, went, type Upload } from './upload-model';

// Fewer files than these go one by one: each then shows its own progress.
const many = 8;
const most = 50;
const small = 256 << 10;

// together returns what goes in the same request as the next upload. The server takes all files
// of a request, or none.
export function together(next: Upload, waiting: readonly Upload[]): Upload[] {
  const fits = (u: Upload) => !u.alone && u.key === undefined && u.size <= small && u.folders === next.folders && u.path.join('/') === next.path.join('/') && u.replace === next.replace;
  const all = fits(next) ? waiting.filter(fits) : [];
  return all.length < many ? [next] : all.slice(0, most);
}

// sendForm answers the names that the files got. The token may end while they wait for their turn
// on the wire.
export function sendForm(list: readonly Upload[], folder: string, signal: AbortSignal): Promise<(string | undefined)[]> {
  return withToken(async (token) => {
    const to = address('/files', { parent: folder, replace: list[0]!.replace || undefined });
    const authorization = 'Bearer ' + token;
    return transmit(list, to, { Authorization: authorization, ...(await proof('post', to, authorization)) }, signal);
  });
}

// transmit uses XMLHttpRequest because fetch tells no upload progress.
function transmit(list: readonly Upload[], to: string, headers: Record<string, string>, signal: AbortSignal): Promise<(string | undefined)[]> {
  return new Promise((resolve, reject) => {
    // Cancelled while its folder was being made.
    if (signal.aborted) return reject(cancelled());
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    signal.addEventListener('abort', abort);
    for (const u of list) stands(u, 0);
    request.open('POST', to);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => {
      // The frame around each file is a few hundred bytes more.
      let left = event.loaded;
      for (const u of list) {
        const sent = Math.min(u.size, left);
        left -= sent;
        went(u, sent);
      }
    };
    request.onload = () => {
      hearTime(request.getResponseHeader('Date'));
      if (request.status >= 200 && request.status < 300) return resolve(namesOf(parsed(request.responseText), list.length));
      reject(problemOf(request.status, parsed(request.responseText), request.getResponseHeader('Retry-After')));
    };
    request.onerror = () => reject(offline());
    request.onabort = () => reject(cancelled());
    request.onloadend = () => signal.removeEventListener('abort', abort);
    const form = new FormData();
    for (const u of list) form.append('file', u.file!, u.file!.name);
    request.send(form);
  });
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function namesOf(answer: unknown, count: number): (string | undefined)[] {
  const items = (answer as { items?: { name?: unknown }[] } | undefined)?.items;
  return Array.from({ length: count }, (_, i) => {
    const name = items?.[i]?.name;
    return typeof name === 'string' ? name : undefined;
  });
}
