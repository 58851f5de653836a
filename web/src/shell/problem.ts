// Problems and their words. The server answers RFC 9457 problem documents; a broken
// connection becomes a Problem too, so that callers handle one type.
import type { components } from '../api';
import { duration, lang, type Values } from './i18n';
import { rooms } from './room';
import { problems, t } from './words';

type Field = components['schemas']['ProblemField'];

// A refused field. A proxy may answer without code and detail.
export type FieldProblem = Pick<Field, 'pointer'> & Partial<Field>;

export class Problem extends Error {
  readonly status: number; // 0: no answer arrived
  readonly code: string;
  readonly detail: string;
  readonly requestId: string;
  readonly fields: readonly FieldProblem[];
  readonly retryAfter: number; // seconds; 0 when the server named none

  constructor(p: { status: number; code: string; detail?: string; requestId?: string; fields?: FieldProblem[]; retryAfter?: number }) {
    super(p.code);
    this.name = 'Problem';
    this.status = p.status;
    this.code = p.code;
    this.detail = p.detail ?? '';
    this.requestId = p.requestId ?? '';
    this.fields = p.fields ?? [];
    this.retryAfter = p.retryAfter ?? 0;
  }

  // wait is after how many seconds a program may try again by itself; 0: it must not.
  get wait(): number {
    return this.code === 'too_many_streams' || this.status === 503 ? this.retryAfter : 0;
  }

  // temporary: the same call may succeed soon.
  get temporary(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

export const offline = () => new Problem({ status: 0, code: 'offline' });
export const cancelled = () => new Problem({ status: 0, code: 'cancelled' });

// problemOf reads a refused answer, whatever its body turns out to be.
export function problemOf(status: number, body: unknown, retryAfter: string | null): Problem {
  const doc = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const text = (name: string) => (typeof doc[name] === 'string' ? (doc[name] as string) : '');
  const fields: FieldProblem[] = [];
  if (Array.isArray(doc.errors)) {
    for (const e of doc.errors as Record<string, unknown>[]) {
      if (typeof e?.pointer === 'string') fields.push({ pointer: e.pointer, code: String(e.code ?? ''), detail: String(e.detail ?? '') });
    }
  }
  return new Problem({
    status,
    code: text('code') || 'http_' + status,
    detail: text('detail') || text('title'),
    requestId: text('request_id'),
    fields,
    retryAfter: waitOf(retryAfter, Date.now()),
  });
}

// waitOf reads Retry-After: seconds or a date.
export function waitOf(header: string | null, now: number): number {
  if (!header) return 0;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, Math.ceil(seconds));
  const at = Date.parse(header);
  return Number.isNaN(at) ? 0 : Math.max(0, Math.ceil((at - now) / 1000));
}

export function asProblem(err: unknown): Problem {
  if (err instanceof Problem) return err;
  console.error(err);
  return new Problem({ status: -1, code: 'app_error' });
}

// fieldName turns a JSON pointer into the name of a form field: "/email" is "email".
export function fieldName(pointer: string): string {
  return pointer.replace(/^\/(body\/)?/, '').replace(/~1/g, '/').replace(/~0/g, '~');
}

// worded returns the words of a code: those of the shell, or of the room that has it alone.
function worded(code: string, values?: Values): string | undefined {
  for (const words of [problems, ...rooms().map((room) => room.problems)]) {
    const text = words?.find(code, values);
    if (text) return text;
  }
  return undefined;
}

// say writes a problem in the person's language, by its code. The server's own sentence is
// English: it serves English readers of a code that the catalogs do not know.
export function say(p: Problem): string {
  if (p.status === 429 && p.retryAfter > 0) return sayWait(p.retryAfter);
  const words = worded(p.code);
  if (words) return words;
  if (p.temporary) return problems('unavailable');
  if (p.detail && lang.value === 'en') return p.detail;
  return problems('other');
}

// sayWait says how long to wait the way people do: in minutes, not in seconds.
export function sayWait(seconds: number): string {
  return seconds < 60 ? t('waitLittle') : t('wait', { time: duration(seconds) });
}

// sayField writes the problem of a field. The server's setting of a length stands in its
// sentence alone, so the number is read from there.
export function sayField(f: FieldProblem): string {
  const code = 'field_' + (f.code ?? '');
  const count = /\d+/.exec(f.detail ?? '')?.[0];
  const words = (count && worded(code + '_count', { count: Number(count) })) || worded(code);
  if (words) return words;
  return (lang.value === 'en' && f.detail) || problems('field_other');
}
