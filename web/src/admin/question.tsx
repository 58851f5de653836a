// One clear question before something is done: what it does stands in it.
import type { ComponentChildren } from 'preact';
import { Form, type Values } from '../shell/form';
import { Dialog } from '../shell/ui';

interface QuestionProps {
  title: string;
  submit: string;
  danger?: boolean;
  run: (values: Values) => Promise<unknown>;
  onClose: () => void;
  children: ComponentChildren;
}

export function Question({ title, submit, danger, run, onClose, children }: QuestionProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <Form submit={submit} danger={danger} onCancel={onClose} onSubmit={async (values) => {
        await run(values);
        onClose();
      }}>
        {children}
      </Form>
    </Dialog>
  );
}
