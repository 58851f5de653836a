// What is told without an alarm. The place is there before its text, so that screen readers read it.
import { Icon } from '../shell/icon';

export function Calm({ children }: { children: string | false }) {
  return <div class="calm" role="status">{children && <p class="notice"><Icon name="key" /> <span>{children}</span></p>}</div>;
}
