import { describe, expect, it } from 'vitest';
import { blocksOf, isSafe, spansOf } from './markdown';

describe('the little Markdown', () => {
  it('knows headings, lists and paragraphs', () => {
    const text = (value: string) => [{ kind: 'text', text: value }];
    expect(blocksOf('# Goal\nfirst\nsecond\n\n- one\n* two\n### Why\n#no heading')).toEqual([
      { kind: 'heading', level: 2, spans: text('Goal') },
      { kind: 'paragraph', lines: [text('first'), text('second')] },
      { kind: 'list', items: [text('one'), text('two')] },
      { kind: 'heading', level: 3, spans: text('Why') },
      { kind: 'paragraph', lines: [text('#no heading')] },
    ]);
  });

  it('knows bold, italic, code and links inside a line', () => {
    expect(spansOf('a **b** *c* `d` [e](/boards/3)!')).toEqual([
      { kind: 'text', text: 'a ' },
      { kind: 'bold', text: 'b' },
      { kind: 'text', text: ' ' },
      { kind: 'italic', text: 'c' },
      { kind: 'text', text: ' ' },
      { kind: 'code', text: 'd' },
      { kind: 'text', text: ' ' },
      { kind: 'link', text: 'e', href: '/boards/3' },
      { kind: 'text', text: '!' },
    ]);
  });

  it.each(['javascript:alert(1)', 'JaVaScRiPt:x', 'data:text/html,x', '//evil.example', '/\\evil.example', 'x', 'vbscript:x', 'https:\\\\x'])(
    'leaves %j as text',
    (href) => {
      expect(isSafe(href)).toBe(false);
      expect(spansOf(`[x](${href})`).every(({ kind }) => kind === 'text')).toBe(true);
    },
  );

  it('keeps every character of text that is no markup', () => {
    const text = '<img src=x onerror=alert(1)> & "quotes" * ` [ ] ( )';
    expect(spansOf(text)).toEqual([{ kind: 'text', text }]);
  });
});
