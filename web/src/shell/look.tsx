// The choice of language and appearance: in the footer for people who are signed out, in a
// dialog behind the picture for the others.
import type { TargetedEvent } from 'preact';
import { useId } from 'preact/hooks';
import { lang, languages, setLang, type Lang } from './i18n';
import { places } from './room';
import { setTheme, theme, themes, type Theme } from './theme';
import { ask, Dialog } from './ui';
import { t } from './words';

export function askLook(): void {
  void ask((close) => (
    <Dialog title={t('look')} onClose={close}>
      <div class="form">
        <p class="hint">{t('lookHint')}</p>
        <LanguageField />
        <ThemeField />
      </div>
    </Dialog>
  ));
}

export function Footer() {
  return (
    <footer class="bottom">
      {places().filter((spot) => spot.open).map((spot) => <a key={spot.href} href={spot.href}>{spot.label()}</a>)}
      <LanguageField />
      <ThemeField />
      <a href="/docs" data-leave>{t('api')}</a>
    </footer>
  );
}

// keepLook stores language and appearance again, after an answer that cleared this site's storage.
export function keepLook(): void {
  setTheme(theme.value);
  setLang(lang.value);
}

function LanguageField() {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{t('language')}</label>
      <select id={id} value={lang.value} onChange={(event: TargetedEvent<HTMLSelectElement>) => setLang(event.currentTarget.value as Lang)}>
        {Object.entries(languages).map(([tag, name]) => <option key={tag} value={tag} lang={tag} selected={tag === lang.value}>{name}</option>)}
      </select>
    </div>
  );
}

function ThemeField() {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{t('theme')}</label>
      <select id={id} value={theme.value} onChange={(event: TargetedEvent<HTMLSelectElement>) => setTheme(event.currentTarget.value as Theme)}>
        {themes.map((name) => <option key={name} value={name} selected={name === theme.value}>{t(`theme_${name}`)}</option>)}
      </select>
    </div>
  );
}
