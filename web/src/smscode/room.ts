// The sign-in step of codes that are sent to a telephone.
import type { Room } from '../shell/room';
import { Section, StepGoes } from './section';
import './smscode.css';
import { Step } from './step';
import { problems, t } from './words';

export const smscode: Room = {
  layers: { sms: { title: () => t('step'), order: 3, Step } },
  security: { Section, order: 3 },
  loss: { Line: StepGoes, order: 6 },
  problems,
};
