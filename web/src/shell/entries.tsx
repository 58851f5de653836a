// The other ways beside a form: below a line that says "or", one button a line.
import type { ComponentChildren } from 'preact';
import { collect, type EnterProps } from './room';
import { t } from './words';

// Others shows nothing while none of its children has anything to press.
export function Others({ children, before }: { children: ComponentChildren; before?: boolean }) {
  const or = <p class="or"><span>{t('or')}</span></p>;
  return <div class="others">{!before && or}{children}{before && or}</div>;
}

// Entries are the ways that rooms offer to sign in, or to make an account.
export function Entries(props: EnterProps) {
  const ways = collect((room) => room.enter).filter(({ signUp }) => signUp || !props.signUp);
  return ways.length > 0 ? <Others>{ways.map(({ Entry, order }) => <Entry key={order} {...props} />)}</Others> : null;
}
