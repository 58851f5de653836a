// Words in every language. Each room has its own in words.ts; a message that one language
// lacks is a type error.
import { signal } from '@preact/signals';

export const languages = { en: 'English', de: 'Deutsch' } as const;
export type Lang = keyof typeof languages;

// A message is a text with {names}, or one text per plural category chosen by {count}.
export type Message = string | { one: string; other: string };
export type Values = Record<string, string | number>;

const stored = 'coffer.lang';

export const lang = signal<Lang>('en');

export function isLang(tag: string): tag is Lang {
  return Object.hasOwn(languages, tag);
}

// pickLang returns the first language of the list that we speak; "de-AT" counts as "de".
export function pickLang(tags: readonly string[]): Lang {
  for (const tag of tags) {
    const base = tag.toLowerCase().split('-')[0] ?? '';
    if (isLang(base)) return base;
  }
  return 'en';
}

export function startLang(): void {
  const chosen = localStorage.getItem(stored);
  show(pickLang(chosen ? [chosen] : navigator.languages));
}

export function setLang(l: Lang): void {
  localStorage.setItem(stored, l);
  show(l);
}

function show(l: Lang): void {
  lang.value = l;
  document.documentElement.lang = l;
}

export function fill(message: Message, values: Values, l: Lang): string {
  let text: string;
  if (typeof message === 'string') {
    text = message;
  } else {
    text = new Intl.PluralRules(l).select(Number(values.count)) === 'one' ? message.one : message.other;
  }
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? new Intl.NumberFormat(l).format(value) : value;
  });
}

export type Translate<K extends string> = ((key: K, values?: Values) => string) & Words;

export interface Words {
  catalog: Record<Lang, Record<string, Message>>;
  // find returns the message of a key that may not be there.
  find(key: string, values?: Values): string | undefined;
}

// The English messages name the keys; every other language must have the same.
type Catalog<K extends string> = { en: Record<K, Message> } & Record<Exclude<Lang, 'en'>, Record<NoInfer<K>, Message>>;

export function catalog<K extends string>(c: Catalog<K>): Translate<K> {
  const t = (key: K, values: Values = {}) => fill(c[lang.value][key], values, lang.value);
  return Object.assign(t, {
    catalog: c,
    find: (key: string, values?: Values) => (Object.hasOwn(c.en, key) ? t(key as K, values) : undefined),
  });
}

// ---- numbers, sizes, times -------------------------------------------------------

const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'];

// size writes bytes with decimal units, as disks and browsers count.
export function size(bytes: number): string {
  let n = bytes;
  let unit = 0;
  while (n >= 999.5 && unit < units.length - 1) {
    n /= 1000;
    unit++;
  }
  return new Intl.NumberFormat(lang.value, {
    style: 'unit',
    unit: units[unit]!,
    unitDisplay: unit === 0 ? 'long' : 'short',
    maximumFractionDigits: unit > 0 && n < 10 ? 1 : 0,
  }).format(n);
}

// duration writes a time span as one number: seconds, from one minute on minutes, from one
// hour on hours.
export function duration(seconds: number): string {
  const [unit, length] = seconds < 60 ? ['second', 1] as const : seconds < 3600 - 30 ? ['minute', 60] as const : ['hour', 3600] as const;
  return new Intl.NumberFormat(lang.value, { style: 'unit', unit, unitDisplay: 'long' }).format(Math.round(seconds / length));
}

export function dateTime(at: string): string {
  return new Intl.DateTimeFormat(lang.value, { dateStyle: 'long', timeStyle: 'short' }).format(new Date(at));
}

export function clock(at: string): string {
  return new Intl.DateTimeFormat(lang.value, { timeStyle: 'short' }).format(new Date(at));
}

export function date(at: string): string {
  return new Intl.DateTimeFormat(lang.value, { dateStyle: 'medium' }).format(new Date(at));
}

const steps: [Intl.RelativeTimeFormatUnit, number][] = [['minute', 60], ['hour', 3600], ['day', 86400]];

// ago writes a time the way people say it, up to a week; after that the date.
export function ago(at: string, now: number = Date.now()): string {
  const seconds = Math.max(0, (now - Date.parse(at)) / 1000);
  if (seconds >= 7 * 86400) return date(at);
  const relative = new Intl.RelativeTimeFormat(lang.value, { numeric: 'auto' });
  if (seconds < 60) return relative.format(0, 'second');
  let [unit, length] = steps[0]!;
  for (const step of steps) if (seconds >= step[1]) [unit, length] = step;
  return relative.format(-Math.floor(seconds / length), unit);
}

export function compareNames(a: string, b: string): number {
  return new Intl.Collator(lang.value, { numeric: true }).compare(a, b);
}
