import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Links between the Markdown pages that lead to no file or no heading; one line each. */
export function brokenLinks(root: string, pages: readonly string[]): string[] {
  return pages.flatMap((page) => {
    const text = withoutCode(readFileSync(join(root, page), 'utf8'));
    return [...text.matchAll(/\]\(([^()\s]+)\)/g)].flatMap(([, link]) => {
      if (/^[a-z]+:/.test(link!)) return [];
      const [path, heading] = link!.split('#');
      const target = path === '' ? join(root, page) : join(root, dirname(page), path!);
      if (!existsSync(target)) return [`${page}: ${link} leads to no file`];
      if (heading === undefined) return [];
      return headings(target).includes(heading) ? [] : [`${page}: ${link} leads to no heading`];
    });
  });
}

/** The anchors of a page, as GitHub makes them of its headings. */
function headings(path: string): string[] {
  const text = withoutCode(readFileSync(path, 'utf8'));
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, (code) => code.replaceAll(']', ' '));
}
