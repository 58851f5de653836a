// The form that changes a link. The same link goes on.
import { patch, serverNow } from '../shell/api';
import { Form } from '../shell/form';
import { ask, Dialog } from '../shell/ui';
import { Fields } from './fields';
import { read } from './limits';
import { changed, nameOf, type Link } from './links';
import { t } from './words';

export const askChange = (link: Link): Promise<void> => ask((close) => (
  <Dialog title={t(link.kind === 'read' ? 'change' : 'changeRequest')} class="share-dialog" onClose={close}>
    <Form submit={t('save')} onCancel={close} onSubmit={async (values) => {
      const body = read(values, link, serverNow());
      if (Object.keys(body).length > 0) await patch('/shares/{id}', { path: { id: link.id }, body });
      changed();
      close();
    }}>
      <p class="long-name">{nameOf(link)}</p>
      <Fields kind={link.kind} was={link} />
    </Form>
  </Dialog>
));
