// What a page shows once it has asked for a mail.
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { focusMain } from '../shell/app';
import { duration } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { SignInLink } from '../shell/link-page';
import { SendAgain } from '../shell/send-again';
import { useSettings } from '../shell/settings';
import { t } from './words';

interface SentProps {
  text: string;
  next: string; // what to do with the mail
  send: () => Promise<unknown>;
  again: string; // what is said when it was sent once more
  children: ComponentChildren;
}

export function Sent({ text, next, send, again, children }: SentProps) {
  const lives = useSettings()?.link_seconds;
  useEffect(focusMain, []);
  return (
    <div class="card narrow">
      <span class="badge"><Icon name="mail" /></span>
      <h1>{t('sent')}</h1>
      <p>{text}</p>
      <p>{next} {lives && t('lives', { time: duration(lives) })}</p>
      <div class="form-actions">
        <SendAgain send={async () => {
          await send();
          return again;
        }} />
        <SignInLink class="button" />
      </div>
      <p class="aside">{t('noMail')} {children}</p>
    </div>
  );
}
