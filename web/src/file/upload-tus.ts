// Large files go by the tus protocol: what the server has stays there when the connection breaks,
// when the person pauses, and when the page is loaded anew.
import { Upload as Transfer, type DetailedError, type HttpRequest, type HttpResponse } from 'tus-js-client';
import { address, get, hearTime, proof, withToken } from '../shell/api';
import { asProblem, cancelled, offline, Problem, problemOf } from '../shell/problem';
import { begun, over } from './upload-left';
import { parsed } from './upload-form';
import { stands, went, type Upload } from './upload-model';

// A connection on which nothing moves for so long is taken for a broken one.
const silence = 90_000;

// sendResumable answers the name that the file got.
export async function sendResumable(u: Upload, folder: string, signal: AbortSignal): Promise<string | undefined> {
  for (let anew = false; ; anew = true) {
    try {
      const id = await withToken((token) => transmit(u, folder, token, signal));
      over(u);
      if (!id) return undefined;
      return (await get('/files/{id}', { path: { id } }).catch(() => undefined))?.name;
    } catch (err) {
      // It was given up, by the server or on another device: it begins anew, once.
      if (anew || !u.key || !gone(asProblem(err)) || signal.aborted) throw err;
      over(u);
      stands(u, 0);
    }
  }
}

const gone = (p: Problem): boolean => p.status === 404 || p.status === 410;

// giveUp has the server forget what it has of an upload.
export async function giveUp(u: Upload): Promise<void> {
  const { key } = u;
  if (!key) return;
  over(u);
  await end(key);
}

// end has the server forget an unfinished upload.
export async function end(key: string): Promise<void> {
  await withToken((token) => Transfer.terminate(whole(address('/uploads/{id}', {}, { id: key })), { retryDelays: null, onBeforeRequest: signed(token) }).catch((err) => {
    throw problem(err);
  })).catch((err) => {
    if (!gone(asProblem(err))) throw err;
  });
}

const whole = (path: string) => location.origin + path;

// signed has a request carry the token, and its proof.
const signed = (token: string, signal?: AbortSignal) => async (request: HttpRequest): Promise<void> => {
  const { pathname, search } = new URL(request.getURL());
  const authorization = 'Bearer ' + token;
  const fields = { Authorization: authorization, ...(await proof(request.getMethod(), pathname + search, authorization)) };
  if (signal?.aborted) throw cancelled(); // while it was signed
  for (const [name, value] of Object.entries(fields)) request.setHeader(name, value);
};

// transmit sends what the server lacks, and answers the id of the file.
function transmit(u: Upload, folder: string, token: string, signal: AbortSignal): Promise<string | undefined> {
  const sign = signed(token, signal);
  let made: string | undefined;
  let transfer: Transfer;
  let quiet: ReturnType<typeof setTimeout>;
  return new Promise<string | undefined>((resolve, reject) => {
    if (signal.aborted) return reject(cancelled());
    const heard = () => {
      clearTimeout(quiet);
      quiet = setTimeout(() => {
        void transfer.abort();
        reject(offline());
      }, silence);
    };
    transfer = new Transfer(u.file!, {
      // Without an endpoint a refusal makes no second upload.
      endpoint: u.key ? null : whole(address('/uploads')),
      uploadUrl: u.key ? whole(address('/uploads/{id}', {}, { id: u.key })) : null,
      metadata: { filename: u.file!.name, ...(u.file!.type && { filetype: u.file!.type }), ...(folder && { parent: folder }), ...(u.replace && { replace: 'true' }) },
      // The queue tries again, and the app remembers.
      retryDelays: null,
      storeFingerprintForResuming: false,
      onBeforeRequest: (request) => {
        heard();
        return sign(request);
      },
      onAfterResponse: (request, response) => {
        heard();
        hearTime(response.getHeader('Date') ?? null);
        made = response.getHeader('Coffer-File') ?? made;
        const offset = Number(response.getHeader('Upload-Offset') ?? NaN);
        if (request.getMethod() === 'HEAD' && Number.isFinite(offset)) stands(u, offset);
      },
      onUploadUrlAvailable: () => {
        const { pathname } = new URL(transfer.url!, location.origin);
        transfer.url = whole(pathname);
        begun(u, pathname.split('/').pop()!);
      },
      onProgress: (sent) => {
        heard();
        went(u, sent);
      },
      onSuccess: () => resolve(made),
      onError: (err) => reject(problem(err)),
    });
    signal.addEventListener('abort', () => {
      void transfer.abort();
      reject(cancelled());
    }, { once: true });
    transfer.start();
  }).finally(() => clearTimeout(quiet));
}

function problem(err: Error | DetailedError): Problem {
  const response: HttpResponse | null | undefined = 'originalResponse' in err ? err.originalResponse : undefined;
  if (!response) return 'originalRequest' in err ? offline() : asProblem(err);
  const status = response.getStatus();
  const told = problemOf(status, parsed(response.getBody()), response.getHeader('Retry-After') ?? null);
  // An answer to HEAD has no body that names its code.
  return status === 401 && told.code === 'http_401' ? new Problem({ status, code: 'unauthenticated' }) : told;
}
