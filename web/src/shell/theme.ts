// Light, dark, or as the system says. The choice is one attribute on <html>; the
// colours are all in tokens.css.
import { signal } from '@preact/signals';

export const themes = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

const stored = 'coffer.theme';

export const theme = signal<Theme>('auto');

export function startTheme(): void {
  const chosen = localStorage.getItem(stored);
  show(themes.find((t) => t === chosen) ?? 'auto');
}

export function setTheme(t: Theme): void {
  localStorage.setItem(stored, t);
  show(t);
}

function show(t: Theme): void {
  theme.value = t;
  if (t === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = t;
}
