import { expect, it } from 'vitest';
import { snippets } from './snippets';

it('names this server and this token, and nobody else’s host', () => {
  for (const { code } of snippets({ endpoint: 'https://a.example:8443', token: 'fpw_x', script: '/lib.js' })) {
    expect(code).toContain('fpw_x');
    expect(code).toContain('a.example:8443');
    for (const [, host] of code.matchAll(/https?:\/\/([^/"'\s]+)/g)) expect(host).toBe('a.example:8443');
  }
});
