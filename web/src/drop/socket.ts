// The connection of one member: its calls to the API and its socket, which comes back by itself.
import { frameOf, type Frame } from './wire';

// Refused is an answer of the server that is no success. Status 0: no answer came.
export class Refused extends Error {
  constructor(readonly status: number, readonly code: string, readonly detail = '', readonly retryAfter = 0) {
    super(code);
    this.name = 'Refused';
  }
}

// api calls an operation and answers its body.
const callTime = 20_000; // ms

export async function api<T = Record<string, unknown>>(method: string, path: string, token?: string, body?: object): Promise<T> {
  // A call that hangs is a call that failed: the caller tries again.
  const response = await request(method, path, token, body, { signal: AbortSignal.timeout(callTime) });
  return (response.status === 204 ? undefined : await response.json().catch(() => {
    throw new Refused(0, 'offline');
  })) as T;
}

export async function request(method: string, path: string, token?: string, body?: object, extra: RequestInit = {}): Promise<Response> {
  const headers: Record<string, string> = {};
  if (token) headers.Authorization = 'Drop ' + token;
  if (body) headers['Content-Type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch('/v1/drops' + path, { method, headers, body: body && JSON.stringify(body), credentials: 'omit', cache: 'no-store', ...extra });
  } catch {
    throw new Refused(0, 'offline');
  }
  if (response.ok) return response;
  const problem = (await response.json().catch(() => ({}))) as { code?: unknown; detail?: unknown };
  const seconds = Number(response.headers.get('Retry-After'));
  throw new Refused(response.status, String(problem.code ?? 'http_' + response.status), String(problem.detail ?? ''), Number.isFinite(seconds) ? Math.ceil(seconds) : 0);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

// Pauses are the waits between attempts: 0.5 s doubling to 15 s, and a little chance in each, so
// that many members of a node that stopped do not come back at one moment.
export class Pauses {
  private next = 500;
  reset(): void {
    this.next = 500;
  }
  async wait(atLeast = 0, wake?: Promise<unknown>): Promise<void> {
    const ms = Math.max(this.next * (0.75 + Math.random() / 2), atLeast * 1000);
    this.next = Math.min(this.next * 2, 15_000);
    await Promise.race([pause(ms), ...(wake ? [wake] : [])]);
  }
}

export interface Hears {
  frame(frame: Frame): void;
  cut(): void; // the socket ended; another attempt follows
  over(refusal: Refused): void; // the server knows the drop or the token no more
}

export class Socket {
  private ws: WebSocket | undefined;
  private stopped = false;
  private frame = new Uint8Array(0);
  private readonly pauses = new Pauses();

  constructor(private readonly name: () => string, private readonly token: string, private readonly hears: Hears) {}

  start(): void {
    addEventListener('offline', this.offline);
    void this.run();
  }

  stop(): void {
    this.stopped = true;
    removeEventListener('offline', this.offline);
    this.ws?.close(1000);
    this.ws = undefined;
  }

  get open(): boolean {
    return this.ws?.readyState === WebSocket.OPEN;
  }

  // send says whether the frame went to the socket; one that is cut tells its end by `cut`.
  send(frame: object): boolean {
    if (!this.open) return false;
    this.ws!.send(JSON.stringify(frame));
    return true;
  }

  // sendChunk sends u32 n ‖ sealed. The socket copies what it is given, so the memory serves again.
  sendChunk(n: number, sealed: ArrayBuffer): void {
    if (!this.open) return;
    const length = 4 + sealed.byteLength;
    if (this.frame.length < length) this.frame = new Uint8Array(length);
    new DataView(this.frame.buffer).setUint32(0, n);
    this.frame.set(new Uint8Array(sealed), 4);
    this.ws!.send(this.frame.subarray(0, length));
  }

  // drained waits until little of what was sent is left in this browser's memory. The browser tells
  // no event for it.
  async drained(most: number): Promise<void> {
    const ws = this.ws;
    while (ws && ws === this.ws && this.open && ws.bufferedAmount > most) await pause(2);
  }

  // A browser that went offline may take minutes to see that its socket is dead.
  private readonly offline = () => this.ws?.close();

  private async run(): Promise<void> {
    while (!this.stopped) {
      let refusal: Refused | undefined;
      try {
        const { ticket } = await api<{ ticket: string }>('POST', `/${this.name()}/tickets`, this.token);
        if (this.stopped) return;
        await this.connection(ticket);
      } catch (err) {
        if (!(err instanceof Refused)) throw err;
        if ([401, 403, 404, 410].includes(err.status)) {
          if (!this.stopped) this.hears.over(err);
          return;
        }
        refusal = err;
      }
      if (this.stopped) return;
      this.hears.cut();
      await this.pauses.wait(refusal?.retryAfter, new Promise((resolve) => addEventListener('online', resolve, { once: true })));
    }
  }

  // connection lasts as long as one socket.
  private connection(ticket: string): Promise<void> {
    return new Promise((resolve) => {
      const address = new URL(`/v1/drops/${this.name()}/socket?ticket=${encodeURIComponent(ticket)}`, location.origin);
      address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
      const ws = new WebSocket(address, 'coffer.drop.v1');
      const late = setTimeout(() => ws.close(), 20_000);
      ws.onmessage = ({ data }) => {
        if (ws !== this.ws || typeof data !== 'string') return;
        let frame: Frame | undefined;
        try {
          frame = frameOf(data);
        } catch {
          ws.close(); // the server speaks another protocol
          return;
        }
        if (!frame) return;
        if (frame.t === 'welcome') {
          clearTimeout(late);
          this.pauses.reset();
        }
        if (frame.t === 'reconnect') ws.close();
        else this.hears.frame(frame);
      };
      ws.onclose = () => {
        clearTimeout(late);
        if (ws === this.ws) this.ws = undefined;
        resolve();
      };
      this.ws = ws;
    });
  }
}
