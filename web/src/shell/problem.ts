// What went wrong, in words for a person. The server answers RFC 9457 problem
// documents; a broken connection becomes a Problem too, so that callers know one kind.
import { catalog, lang } from './i18n';

export interface FieldProblem {
  pointer: string;
  code?: string;
  detail?: string;
}

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

// say writes a problem in the person's language. The server's own sentence is
// English, so it serves where the catalog has no better one.
export function say(p: Problem): string {
  if (t.has(p.code)) return t(p.code, { seconds: p.retryAfter });
  if (p.temporary) return t('unavailable');
  if (p.detail && (lang.value === 'en' || p.status < 500)) return p.detail;
  return t('other');
}

export function sayField(f: FieldProblem): string {
  const key = 'field_' + (f.code ?? '');
  // The server's sentence knows the numbers ("at least 12"); English readers get it.
  if (f.detail && (lang.value === 'en' || !t.has(key))) return f.detail;
  return t.has(key) ? t(key) : t('field_other');
}

const t = catalog({
  en: {
    offline: 'The server cannot be reached. Check your connection and try again.',
    cancelled: 'Cancelled.',
    unavailable: 'The service is busy just now. Nothing was lost; try again in a moment.',
    rate_limited: 'Too many tries. Please wait a little.',
    too_many_streams: 'Too many uploads and downloads run at once. Try again in a moment.',
    invalid_credentials: 'That name and password do not belong together.',
    unauthenticated: 'You are signed out. Sign in to go on.',
    step_up_required: 'Confirm that it is you to go on.',
    validation_failed: 'Some of what you entered needs another look.',
    not_found: 'This is not here, or not any more.',
    payload_too_large: 'This is larger than the server takes.',
    too_large: 'This is larger than the server takes.',
    invalid_code: 'That code is not right. Check it and try again.',
    username_taken: 'That username belongs to somebody else. Choose another one.',
    account_exists: 'That address or username has an account already.',
    link_gone: 'That link or code was used already, was replaced by a newer one, or has expired.',
    busy: 'The server is busy just now. Try again in a moment.',
    app_error: 'Something went wrong on this page. Reload it and try again.',
    internal_error: 'Something went wrong on the server. The number below names it in its log.',
    other: 'That did not work.',
    field_required: 'Please fill this in.',
    field_too_short: 'This is too short.',
    field_too_long: 'This is too long.',
    field_too_common: 'This password is one of the most common. Choose another one.',
    field_too_personal: 'This password contains your name or address. Choose another one.',
    field_taken: 'This is taken. Choose another one.',
    field_wrong: 'This is not right.',
    field_invalid: 'This is not valid.',
    field_invalid_username: 'Usernames have 3 to 32 letters, digits, dots, hyphens or underscores; a letter first.',
    field_invalid_email: 'This does not look like an e-mail address.',
    field_invalid_characters: 'There is a character in it that cannot be used here.',
    field_other: 'This is not valid.',
  },
  de: {
    offline: 'Der Server ist nicht erreichbar. Prüfen Sie die Verbindung und versuchen Sie es noch einmal.',
    cancelled: 'Abgebrochen.',
    unavailable: 'Der Dienst ist gerade ausgelastet. Nichts ging verloren; versuchen Sie es gleich noch einmal.',
    rate_limited: 'Zu viele Versuche. Bitte warten Sie ein wenig.',
    too_many_streams: 'Zu viele Übertragungen laufen gleichzeitig. Versuchen Sie es gleich noch einmal.',
    invalid_credentials: 'Dieser Name und dieses Passwort gehören nicht zusammen.',
    unauthenticated: 'Sie sind abgemeldet. Melden Sie sich an, um weiterzumachen.',
    step_up_required: 'Bestätigen Sie, dass Sie es sind, um weiterzumachen.',
    validation_failed: 'Ein Teil der Eingaben passt noch nicht.',
    not_found: 'Das gibt es hier nicht oder nicht mehr.',
    payload_too_large: 'Das ist größer, als der Server annimmt.',
    too_large: 'Das ist größer, als der Server annimmt.',
    invalid_code: 'Dieser Code stimmt nicht. Prüfen Sie ihn und versuchen Sie es noch einmal.',
    username_taken: 'Dieser Benutzername gehört jemand anderem. Wählen Sie einen anderen.',
    account_exists: 'Diese Adresse oder dieser Benutzername hat schon ein Konto.',
    link_gone: 'Dieser Link oder Code wurde schon benutzt, durch einen neueren ersetzt oder ist abgelaufen.',
    busy: 'Der Server ist gerade ausgelastet. Versuchen Sie es gleich noch einmal.',
    app_error: 'Auf dieser Seite ging etwas schief. Laden Sie sie neu und versuchen Sie es noch einmal.',
    internal_error: 'Auf dem Server ging etwas schief. Die Nummer unten nennt den Eintrag in seinem Protokoll.',
    other: 'Das hat nicht geklappt.',
    field_required: 'Bitte ausfüllen.',
    field_too_short: 'Das ist zu kurz.',
    field_too_long: 'Das ist zu lang.',
    field_too_common: 'Dieses Passwort gehört zu den häufigsten. Wählen Sie ein anderes.',
    field_too_personal: 'Dieses Passwort enthält Ihren Namen oder Ihre Adresse. Wählen Sie ein anderes.',
    field_taken: 'Das ist schon vergeben. Wählen Sie etwas anderes.',
    field_wrong: 'Das stimmt nicht.',
    field_invalid: 'Das ist nicht gültig.',
    field_invalid_username: 'Benutzernamen haben 3 bis 32 Buchstaben, Ziffern, Punkte, Binde- oder Unterstriche; ein Buchstabe zuerst.',
    field_invalid_email: 'Das sieht nicht nach einer E-Mail-Adresse aus.',
    field_invalid_characters: 'Ein Zeichen darin geht hier nicht.',
    field_other: 'Das ist nicht gültig.',
  },
});
