/**
 * The little Markdown of text cards: headings, lists, bold, italic, code, links. It becomes a tree that components draw,
 * never HTML, so text cannot become markup; and a link leads to `http`, `https` or a place of this app only.
 */

export type Span =
  | { kind: 'text' | 'bold' | 'italic' | 'code'; text: string }
  | { kind: 'link'; text: string; href: string };

export type Block =
  | { kind: 'heading'; level: 2 | 3; spans: Span[] }
  | { kind: 'list'; items: Span[][] }
  | { kind: 'paragraph'; lines: Span[][] };

const SPAN = /\*\*([^*\n]+)\*\*|\*([^*\n]+)\*|`([^`\n]+)`|\[([^\]\n]+)\]\(([^)\s]+)\)/g;

export function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  for (const line of text.split(/\r?\n/)) {
    const last = blocks.at(-1);
    const heading = /^(#{1,3}) +(.+)$/.exec(line);
    const item = /^[-*] +(.+)$/.exec(line);
    if (heading) blocks.push({ kind: 'heading', level: heading[1] === '#' ? 2 : 3, spans: spansOf(heading[2] ?? '') });
    else if (item) {
      if (last?.kind === 'list') last.items.push(spansOf(item[1] ?? ''));
      else blocks.push({ kind: 'list', items: [spansOf(item[1] ?? '')] });
    } else if (line.trim() === '') blocks.push({ kind: 'paragraph', lines: [] });
    else if (last?.kind === 'paragraph' && last.lines.length > 0) last.lines.push(spansOf(line));
    else blocks.push({ kind: 'paragraph', lines: [spansOf(line)] });
  }
  return blocks.filter((block) => block.kind !== 'paragraph' || block.lines.length > 0);
}

export function spansOf(line: string): Span[] {
  const spans: Span[] = [];
  let at = 0;
  for (const match of line.matchAll(SPAN)) {
    if (match.index > at) spans.push({ kind: 'text', text: line.slice(at, match.index) });
    spans.push(spanOf(match));
    at = match.index + match[0].length;
  }
  if (at < line.length) spans.push({ kind: 'text', text: line.slice(at) });
  return spans;
}

function spanOf([whole, bold, italic, code, text, href]: RegExpExecArray): Span {
  if (bold !== undefined) return { kind: 'bold', text: bold };
  if (italic !== undefined) return { kind: 'italic', text: italic };
  if (code !== undefined) return { kind: 'code', text: code };
  if (text !== undefined && href !== undefined && isSafe(href)) return { kind: 'link', text, href };
  return { kind: 'text', text: whole };
}

/** `/boards/3`, `https://…`; not `javascript:`, `//host` or anything else that a browser reads as an address. */
export function isSafe(href: string): boolean {
  return /^https?:\/\/[^\s\\]+$/i.test(href) || /^\/(?![/\\])[^\s\\]*$/.test(href);
}
