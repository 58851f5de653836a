// The layer of codes that are mailed.
import type { Room } from '../shell/room';
import { Section, StepGoes } from './section';
import { Step } from './step';
import { problems, t } from './words';

export const mailcode: Room = {
  layers: { email_otp: { title: () => t('step'), order: 2, Step } },
  security: { Section, order: 2 },
  loss: { Line: StepGoes, order: 5 },
  problems,
};
