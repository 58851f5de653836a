// The rules of this server that pages tell: asked for once, when a page first needs them.
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { get, type Answer } from './api';

type Settings = Answer<'get', '/settings'>;

const settings = signal<Settings | undefined>(undefined);
let asked: Promise<void> | undefined;

// useSettings returns undefined until the server has answered. A page goes on without them.
export function useSettings(): Settings | undefined {
  useEffect(() => void settled(), []);
  return settings.value;
}

// settled waits for the server's answer, or for its failure.
export function settled(): Promise<void> {
  return (asked ??= get('/settings', { open: true }).then((answer) => void (settings.value = answer), () => void (asked = undefined)));
}
