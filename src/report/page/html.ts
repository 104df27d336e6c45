/** Text that is HTML already. */
export interface Html {
  readonly html: string;
}

type Value = Html | string | number | readonly Html[] | null | undefined | false;

/** A template of HTML: whatever is put into it is text and gets escaped, unless it is HTML of another template. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  const text = strings.map((part, index) => part + (index < values.length ? valueText(values[index]) : ''));
  return { html: text.join('') };
}

/** HTML that this program wrote itself, such as styles. */
export function trusted(text: string): Html {
  return { html: text };
}

/** A text that is anybody's, kept from turning round what stands beside it. */
export function foreign(text: string): Html {
  return html`<bdi>${text}</bdi>`;
}

/** Escaped for any place in HTML that holds text: elements and quoted attributes. Characters that cannot be seen are replaced. */
export function escapeText(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/[^\P{Cc}\n\t]|[\p{Cf}\p{Cs}\u2028\u2029]/gu, '\ufffd')
    .replace(/[&<>"'`]/g, (char) => `&#${char.charCodeAt(0)};`);
}

function valueText(value: Value): string {
  if (value === null || value === undefined || value === false) return '';
  if (typeof value === 'string' || typeof value === 'number') return escapeText(String(value));
  return 'html' in value ? value.html : value.map((one) => one.html).join('');
}
