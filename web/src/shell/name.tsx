// A name that is cut in the middle when it is too long for its place.
import { cut } from './cut';

// Name shows the whole name on hover. What stands around it names it to screen readers,
// or `read` adds the whole for them.
export function Name({ name, read }: { name: string; read?: boolean }) {
  const [head, tail] = cut(name);
  if (!tail) return <bdi class="cut" title={name}><span class="cut-head">{name}</span></bdi>;
  return (
    <>
      {read && <span class="hidden">{name}</span>}
      <bdi class="cut" title={name} aria-hidden={read}><span class="cut-head">{head}</span><span class="cut-tail">{tail}</span></bdi>
    </>
  );
}
