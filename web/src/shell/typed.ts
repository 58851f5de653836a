// What a person has typed into the forms of a page survives a trip to another site in the same
// tab. It waits in the tab's session storage, without anything that is secret, and goes into the
// form with the same fields when that is next shown on the same page.
const stored = 'coffer.typed';

const lasts = 15 * 60_000;

interface Kept {
  at: number;
  page: string;
  forms: { names: string; values: Record<string, string | boolean> }[];
}

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

const controls = (form: HTMLFormElement) => ([...form.elements] as Control[]).filter((c) => c.name && c.matches('input:not([readonly], [type=password], [data-secret]), textarea, select'));

const namesOf = (form: HTMLFormElement) => controls(form).map((c) => c.name).join(' ');

// keepTyped is called before the tab leaves for another site.
export function keepTyped(): void {
  const forms = [...document.forms].flatMap((form) => {
    const values = Object.fromEntries(controls(form).map((c) => [c.type === 'radio' ? '' : c.name, isCheck(c) ? c.checked : c.value]));
    delete values[''];
    return Object.keys(values).length > 0 ? [{ names: namesOf(form), values }] : [];
  });
  sessionStorage.setItem(stored, JSON.stringify({ at: Date.now(), page: location.pathname, forms } satisfies Kept));
}

const isCheck = (c: Control): c is HTMLInputElement => c.type === 'checkbox';

// giveBack fills a form that has appeared, once.
export function giveBack(form: HTMLFormElement): void {
  const text = sessionStorage.getItem(stored);
  if (!text) return;
  const kept = JSON.parse(text) as Kept;
  const at = kept.page === location.pathname && Date.now() - kept.at < lasts ? kept.forms.findIndex(({ names }) => names === namesOf(form)) : -1;
  if (at < 0) return;
  const [{ values }] = kept.forms.splice(at, 1) as [Kept['forms'][number]];
  if (kept.forms.length > 0) sessionStorage.setItem(stored, JSON.stringify(kept));
  else sessionStorage.removeItem(stored);
  for (const c of controls(form)) {
    const value = values[c.name];
    if (value === undefined || value === (isCheck(c) ? c.checked : c.value)) continue;
    if (isCheck(c)) c.checked = value as boolean;
    else c.value = value as string;
    c.dispatchEvent(new Event('input', { bubbles: true }));
    c.dispatchEvent(new Event('change', { bubbles: true }));
  }
}
