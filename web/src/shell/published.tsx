// The pages of the place where a person sees what they published: rooms give one each.
import { collect } from './room';
import { path } from './router';

export function PublishedTabs({ label }: { label: string }) {
  const pages = collect((room) => room.published);
  if (pages.length < 2) return null;
  return (
    <nav class="tabs" aria-label={label}>
      {pages.map((page) => <a key={page.href} href={page.href} aria-current={path.value === page.href ? 'page' : undefined}>{page.label()}</a>)}
    </nav>
  );
}
