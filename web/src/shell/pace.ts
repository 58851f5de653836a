// Progress in words: percent, speed, the time that is left.
import { lang, size } from './i18n';
import { rounded, type Meter } from './meter';
import { t } from './words';

export function percent(done: number, whole: number): string {
  return new Intl.NumberFormat(lang.value, { style: 'percent' }).format(whole > 0 ? Math.floor((100 * done) / whole) / 100 : 0);
}

export const perSecond = (speed: number): string => t('perSecond', { size: size(speed) });

// pace says how fast it goes and how long it takes; nothing until that is known.
export function pace(of: Meter, left: number): string[] {
  const now = performance.now();
  const speed = of.speed(now);
  const seconds = of.left(now, left);
  if (speed === undefined || left <= 0) return [];
  if (seconds === undefined) return [t('stalled')];
  const { amount, unit } = rounded(seconds);
  const time = new Intl.NumberFormat(lang.value, { style: 'unit', unit, unitDisplay: 'short' }).format(amount);
  return [perSecond(speed), t('timeLeft', { time })];
}
