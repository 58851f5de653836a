// Asks for files of the person's disk.

export function pick({ folder = false }: { folder?: boolean }, take: (files: File[]) => void): void {
  const field = document.createElement('input');
  field.type = 'file';
  field.multiple = true;
  field.webkitdirectory = folder;
  field.hidden = true;
  field.addEventListener('change', () => {
    field.remove();
    take([...field.files!]);
  });
  field.addEventListener('cancel', () => field.remove());
  document.body.append(field);
  field.click();
}
