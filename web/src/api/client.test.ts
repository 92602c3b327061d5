import { afterEach, describe, expect, it, vi } from 'vitest';
import { ApiError, api, onSignedOut, urlOf } from './client';

function answer(status: number, body: string) {
  const fetched = vi.fn(() => Promise.resolve(new Response(status === 204 ? null : body, { status })));
  vi.stubGlobal('fetch', fetched);
  return fetched;
}

afterEach(() => vi.unstubAllGlobals());

describe('addresses', () => {
  it('fill in and escape', () => {
    expect(urlOf('/p/{id}/x/{n}', { id: 1, n: 'a/b' }, { q: 'ü &', none: undefined })).toBe('/p/1/x/a%2Fb?q=%C3%BC+%26');
    expect(urlOf('/p')).toBe('/p');
  });
});

describe('refusals', () => {
  it('carry code, place and cure', async () => {
    answer(400, '{"error":{"code":"invalid_report","message":"no","at":"/question","fix":"yes"}}');
    const error = await api.get('/api/v1/status').catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 400, code: 'invalid_report', message: 'no', at: '/question', fix: 'yes' });
  });

  it('of something in between get a code too', async () => {
    answer(502, '<html>');
    await expect(api.get('/api/v1/status')).rejects.toMatchObject({ status: 502, code: 'http_502' });
  });

  it('by silence are called offline', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('failed')));
    await expect(api.get('/api/v1/status')).rejects.toMatchObject({ code: 'offline' });
  });

  it('for want of a session are told once to the app, but not while signing in', async () => {
    const told = vi.fn();
    onSignedOut(told);
    answer(401, '{"error":{"code":"unauthenticated","message":"no"}}');
    await api.post('/api/v1/session', { body: { code: 'x' } }).catch(() => undefined);
    expect(told).not.toHaveBeenCalled();
    await api.get('/api/v1/status').catch(() => undefined);
    expect(told).toHaveBeenCalledOnce();
  });
});

it('sends JSON, and reads an empty answer', async () => {
  const fetched = answer(204, '');
  await expect(api.delete('/api/v1/session')).resolves.toBeUndefined();
  expect(fetched).toHaveBeenCalledWith('/api/v1/session', expect.objectContaining({ method: 'DELETE', headers: {} }));
});
