// The way into a drop: by the secret of a link, or by a code that the person types.
import { useEffect, useRef, useState } from 'preact/hooks';
import { get } from '../shell/api';
import { CodeForm } from '../shell/code';
import { Icon } from '../shell/icon';
import { Problem, say } from '../shell/problem';
import { useEnd } from '../shell/ui';
import { be, settled } from './current';
import { joinDrop, type Drop, type Refusal, type State } from './drop';
import { Over } from './over';
import { isSecret } from './pick';
import { SafeLink } from './safe-page';
import { t } from './words';

// A refusal of these leaves the form, because another code may help.
const helped: readonly (Refusal | undefined)[] = ['wrong_code', 'burnt', 'not_the_host', 'too_often', 'offline'];

const problemOf = ({ refusal, retryAfter = 0 }: State): Problem =>
  refusal === 'too_often' ? new Problem({ status: 429, code: 'rate_limited', retryAfter })
    : new Problem({ status: refusal === 'offline' ? 0 : -1, code: refusal === 'offline' ? 'offline' : 'drop_' + refusal });

export function Join({ name, secret }: { name: string; secret: string | undefined }) {
  const end = useEnd();
  const whole = secret !== undefined && isSecret(secret);
  const [byLink, setByLink] = useState(whole);
  const [proving, setProving] = useState(false);
  const [wrong, setWrong] = useState(secret !== undefined && !whole ? t('wrongLink') : '');
  const [over, setOver] = useState<Refusal>();
  const running = useRef<Drop | undefined>(undefined);

  // connect ends when the host's device has let this one in; it throws what it refuses.
  async function connect(given: string): Promise<void> {
    const drop = await joinDrop(name, given);
    if (end.aborted) return drop.stop();
    running.current = drop;
    const last = await settled(drop, (phase) => setProving(phase === 'proving'));
    running.current = undefined;
    if (last.phase !== 'closed') return be(drop);
    await drop.stop();
    if (helped.includes(last.refusal)) throw problemOf(last);
    setOver(last.refusal ?? 'closed');
  }

  async function follow(): Promise<void> {
    try {
      await connect(secret!);
    } catch (err) {
      const problem = err as Problem;
      setWrong(problem.code === 'drop_wrong_code' && secret!.startsWith('v1.') ? t('wrongLink') : say(problem));
      setByLink(false);
    }
  }
  // A person types no code for a name that does not exist. Everything else is told when it is typed.
  async function look(): Promise<void> {
    try {
      await get('/drops/{name}', { open: true, path: { name }, signal: end });
    } catch (err) {
      if (!end.aborted && err instanceof Problem && (err.code === 'drop_not_found' || err.status === 422)) setOver('not_found');
    }
  }
  useEffect(() => {
    void (whole ? follow() : look());
    return () => void running.current?.leave().then(() => running.current?.stop());
  }, []);

  if (over) {
    return (
      <Over refusal={over} host={false} name={name} again={() => {
        setOver(undefined);
        setByLink(false);
        setWrong('');
      }} />
    );
  }
  if (byLink) {
    return (
      <div class="card narrow centre" role="status">
        <span class="spinner drop-spinner" aria-hidden="true" />
        <h1>{t('joinTitle')}</h1>
        <p>{proving ? t('proving') : t('joining', { name })}</p>
        <a class="button" href="/send">{t('cancel')}</a>
      </div>
    );
  }
  return (
    <div class="card narrow">
      <span class="badge"><Icon name="download" /></span>
      <h1>{t('joinTitle')}</h1>
      <p>{t('joinLead', { name })}</p>
      {wrong && <div class="notice bad" role="alert"><Icon name="warning" /><p>{wrong}</p></div>}
      <CodeForm label={t('code')} submit={t('join')} autoFocus onCode={async (code) => {
        setWrong('');
        if (!/^\d{6}$/.test(code)) throw new Problem({ status: -1, code: 'validation_failed', fields: [{ pointer: '/code', code: 'drop_code' }] });
        await connect(code);
      }} />
      <p class="hidden" role="status">{proving && t('proving')}</p>
      <p class="aside ways"><a href="/send">{t('otherName')}</a> <SafeLink /></p>
    </div>
  );
}
