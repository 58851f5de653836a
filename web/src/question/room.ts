// The layer of a security question, which a sign-in asks last.
import type { Room } from '../shell/room';
import './question.css';
import { Section, StepGoes } from './section';
import { Step } from './step';
import { problems, t } from './words';

export const question: Room = {
  layers: { security_question: { title: () => t('step'), order: 9, Step } },
  security: { Section, order: 4 },
  loss: { Line: StepGoes, order: 7 },
  problems,
};
