// A list that stands still while a finger or a mouse button is down.
import { useEffect, useRef, useState } from 'preact/hooks';

// useSteady answers what to show, and what holds it for the length of a press. A row that moved between
// press and release would lose the press, or another button would get it.
export function useSteady<T>(now: T): { shown: T; hold: () => void } {
  const held = useRef<{ at: T } | undefined>(undefined);
  const [, draw] = useState(0);
  useEffect(() => {
    // After the click that the release makes.
    const release = () => setTimeout(() => {
      if (!held.current) return;
      held.current = undefined;
      draw((n) => n + 1);
    });
    const ends = ['pointerup', 'pointercancel', 'blur'] as const;
    for (const end of ends) addEventListener(end, release);
    return () => ends.forEach((end) => removeEventListener(end, release));
  }, []);
  return { shown: held.current ? held.current.at : now, hold: () => { held.current ??= { at: now }; } };
}
