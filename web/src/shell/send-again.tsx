// The button of a mail that did not come.
import { useWait } from './form';
import { duration } from './i18n';
import { Problem } from './problem';
import { toast, toastProblem } from './ui';
import { t } from './words';

// SendAgain shows the words that send answers, and rests for half a minute after each mail.
export function SendAgain({ send }: { send: (form: HTMLFormElement | null) => Promise<string | undefined> }) {
  const [wait, setWait] = useWait();
  return (
    <button type="button" class="button" disabled={wait > 0} onClick={async (event) => {
      try {
        const said = await send((event.currentTarget as HTMLButtonElement).form);
        if (!said) return;
        toast(said);
        setWait(30);
      } catch (err) {
        if (err instanceof Problem && err.retryAfter) setWait(err.retryAfter);
        toastProblem(err);
      }
    }}>
      {wait > 0 ? t('resendWait', { time: duration(wait) }) : t('resend')}
    </button>
  );
}
