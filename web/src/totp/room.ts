// The layer of one-time codes from an authenticator app.
import type { Room } from '../shell/room';
import { Section, setUp, StepGoes } from './section';
import { Step } from './step';
import './totp.css';
import { problems, t } from './words';

export const totp: Room = {
  layers: { totp: { title: () => t('step'), order: 1, Step } },
  security: { Section, order: 1, first: { layer: 'totp', label: () => t('instead'), run: setUp }, advised: { line: 'totp', label: () => t('enrol'), run: setUp } },
  loss: { Line: StepGoes, order: 3 },
  problems,
};
