// What the pages of mailed links share.
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { focusMain } from './app';
import { me } from './auth';
import { Icon } from './icon';
import type { Dead } from './link';
import { signInDoor, wayBack } from './room';
import { t } from './words';

interface DeadLinkProps {
  dead: Dead;
  gone: string; // what a used or expired link means
  damaged?: string;
  icon?: Icon;
  children: ComponentChildren; // the buttons that help
}

// DeadLink says that a link does not work, and what helps.
export function DeadLink({ dead, gone, damaged = t('linkDamagedText'), icon = 'mail', children }: DeadLinkProps) {
  useEffect(() => {
    if (dead === 'gone') focusMain();
  }, []);
  return (
    <div class="card narrow">
      <span class="badge"><Icon name={icon} /></span>
      <h1>{dead === 'damaged' ? t('linkDamaged') : t('linkGone')}</h1>
      <p>{dead === 'damaged' ? damaged : gone}</p>
      {children}
    </div>
  );
}

// SignInLink is for people who are signed out.
export function SignInLink(props: { class?: string }) {
  const door = signInDoor();
  return door && !me() ? <a {...props} href={door.href}>{door.label()}</a> : null;
}

// NewPasswordLink leads to where a person gets a new password without a session.
export function NewPasswordLink(props: { class?: string }) {
  const way = wayBack('password');
  return way ? <a {...props} href={way.href}>{t('newPassword')}</a> : null;
}
