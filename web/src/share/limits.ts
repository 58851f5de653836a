// The limits of a link, from the form to the body of the call.
import { Problem } from '../shell/problem';
import type { Values } from '../shell/form';
import type { Link } from './links';

const day = 86_400_000;

export interface Limits {
  note?: string | null;
  password?: string | null;
  expires_at?: string | null;
  max_downloads?: number | null;
  max_files?: number | null;
  max_file_bytes?: number | null;
  accept?: string[];
}

// A choice of days is "d7", one of a size "b1000000": a browser would put bare numbers first.
//
// read takes the fields that are there. A value that stays as it was is left out, so that a change
// says no more than what the person changed. now is the server's time.
export function read(values: Values, was: Partial<Link> | undefined, now: number): Limits {
  const out: Limits = {};
  const put = <K extends keyof Limits>(name: K, value: Limits[K], old: Limits[K] | undefined) => {
    if (JSON.stringify(value ?? null) !== JSON.stringify(old ?? null)) out[name] = value;
  };
  if (values.note !== undefined) put('note', values.note.trim() || null, was?.note || null);
  if (values.password) {
    const { length } = [...values.password];
    if (length < 4 || length > 256) throw refused('password', 'share_password');
    out.password = values.password;
  }
  if (values.passwordDo === 'none') out.password = null;
  if (values.expires !== undefined && values.expires !== 'keep') put('expires_at', end(values, now), was?.expires_at);
  for (const name of ['max_downloads', 'max_files'] as const) {
    if (values[name] !== undefined) put(name, count(values[name], name), was?.[name]);
  }
  if (values.max_file_bytes !== undefined) put('max_file_bytes', Number(values.max_file_bytes.slice(1)) || null, was?.max_file_bytes);
  if (values.accept !== undefined) put('accept', endings(values.accept), was?.accept ?? []);
  return out;
}

// end is when a link ends: after so many days, at the end of a day, or never.
function end(values: Values, now: number): string | null {
  if (values.expires === 'never') return null;
  if (values.expires !== 'on') return new Date(now + Number(values.expires!.slice(1)) * day).toISOString();
  const [y, m, d] = (values.expires_at ?? '').split('-').map(Number);
  const at = new Date(y!, m! - 1, d, 23, 59, 59);
  if (Number.isNaN(at.getTime())) throw refused('expires_at', 'required');
  return at.toISOString();
}

function count(text: string, name: string): number | null {
  const digits = text.trim();
  if (digits === '') return null;
  if (!/^\d{1,15}$/.test(digits) || Number(digits) === 0) throw refused(name, 'share_number');
  return Number(digits);
}

// endings reads ".pdf, docx" as two endings.
export function endings(text: string): string[] {
  const all = [...new Set(text.toLowerCase().split(/[\s,;]+/).filter(Boolean).map((e) => (e.startsWith('.') ? e : '.' + e)))];
  if (all.length > 50 || !all.every((e) => /^\.[a-z0-9]{1,16}$/.test(e))) throw refused('accept', 'share_ending');
  return all;
}

const refused = (name: string, code: string) => new Problem({ status: -1, code: 'validation_failed', fields: [{ pointer: '/' + name, code }] });

// made drops the nulls of a change: a link that is made has nothing to clear.
export function made<T extends object>(limits: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== null)) as { [K in keyof T]?: NonNullable<T[K]> };
}
