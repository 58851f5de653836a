// A sheet of backup codes: to read, to copy, to save as a text and to print.
import { auth } from '../shell/auth';
import { Time } from '../shell/form';
import { date } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { Copy } from '../shell/ui';
import { t } from './words';

interface PaperProps {
  codes: readonly { code: string; used_at?: string }[];
  made?: string; // when they became good; today when they are new
}

// Paper takes no used code along: a used one stands on the page alone, struck.
export function Paper({ codes, made = new Date().toISOString() }: PaperProps) {
  const good = codes.filter((c) => !c.used_at).map((c) => grouped(c.code));
  const name = auth.value.is === 'in' ? auth.value.account.username : '';
  const heading = [t('paperTitle', { username: name }), t('paperMade', { date: date(made) })];
  return (
    <div class="paper">
      <div class="paper-head">
        <h3>{heading[0]}</h3>
        <p>{heading[1]}</p>
      </div>
      <ol class="codes">
        {codes.map(({ code, used_at }) => (
          <li key={code} class={used_at && 'codes-used'}>
            {used_at
              ? <><s>{grouped(code)}</s> <span class="hint">{t('codesUsed')} <Time at={used_at}>{date(used_at)}</Time></span></>
              : <span>{grouped(code)}</span>}
          </li>
        ))}
      </ol>
      <p class="paper-foot">{t('paperFoot', { address: location.host })}</p>
      {good.length > 0 && (
        <div class="paper-tools">
          <Copy text={good.join('\n')} />
          <button type="button" class="button" onClick={() => save(`coffer-${t('paperFile')}-${name}.txt`, [...heading, '', ...good, '', t('paperFoot', { address: location.host }), ''].join('\r\n'))}>
            <Icon name="download" /> {t('codesText')}
          </button>
          <button type="button" class="button" onClick={() => print()}><Icon name="print" /> {t('codesPrint')}</button>
        </div>
      )}
    </div>
  );
}

// grouped writes twelve digits as people read them.
const grouped = (code: string) => code.replace(/(.{4})(?=.)/g, '$1 ');

function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
