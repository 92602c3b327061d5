/**
 * The one client that fetches. Paths, parameters, bodies and answers are typed by the generated schema, so a route that
 * changes on the server fails the type check here.
 */
import type { paths } from './schema';
import { isRecord, recordOf, textOrNull } from './json';

type Method = 'get' | 'post' | 'put' | 'delete';
type PathsWith<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, { responses: unknown }> ? P : never;
}[keyof paths];
type Operation<P extends keyof paths, M extends Method> = paths[P] extends Record<M, infer O> ? O : never;
type PathParameters<O> = O extends { parameters: { path: infer T } } ? T : Record<never, never>;
type QueryParameters<O> = O extends { parameters: { query?: infer T } } ? T : never;
type Body<O> = O extends { requestBody: { content: { 'application/json': infer T } } }
  ? T
  : O extends { requestBody: { content: { 'text/csv': string } } }
    ? Csv
    : never;
interface Json<T> {
  content: { 'application/json': T };
}
type Ok<O> = O extends { responses: { 200: Json<infer T> } | { 201: Json<infer T> } } ? T : undefined;

/** A table as CSV, which is sent as what it is. */
export class Csv {
  constructor(readonly text: string) {}
}

interface Options<O> {
  path?: PathParameters<O>;
  query?: QueryParameters<O>;
  body?: Body<O>;
  /** The version that a change was made from; the server refuses it with `conflict` when there is a newer one. */
  version?: number;
  signal?: AbortSignal;
}

/** A refusal by the server, or `offline` when there was no answer at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly at: string | null = null,
    readonly fix: string | null = null,
  ) {
    super(message);
  }
}

/** Runs when a request is refused because nobody is signed in (any more). */
let whenSignedOut: () => void = () => undefined;

export function onSignedOut(act: () => void): void {
  whenSignedOut = act;
}

export const api = {
  get: <P extends PathsWith<'get'>>(path: P, options: Options<Operation<P, 'get'>> = {}) =>
    send<Ok<Operation<P, 'get'>>>('GET', path, options),
  post: <P extends PathsWith<'post'>>(path: P, options: Options<Operation<P, 'post'>> = {}) =>
    send<Ok<Operation<P, 'post'>>>('POST', path, options),
  put: <P extends PathsWith<'put'>>(path: P, options: Options<Operation<P, 'put'>> = {}) =>
    send<Ok<Operation<P, 'put'>>>('PUT', path, options),
  delete: <P extends PathsWith<'delete'>>(path: P, options: Options<Operation<P, 'delete'>> = {}) =>
    send<Ok<Operation<P, 'delete'>>>('DELETE', path, options),
};

async function send<T>(method: string, path: string, options: Options<unknown>): Promise<T> {
  const response = await reach(urlOf(path, options.path, options.query), {
    method,
    ...content(options),
    signal: options.signal,
    credentials: 'same-origin',
    cache: 'no-store',
  });
  if (!response.ok) {
    const error = await refusal(response);
    if (error.status === 401 && path !== '/api/v1/session') whenSignedOut();
    throw error;
  }
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

function content({ body, version }: { body?: unknown; version?: number }): Pick<RequestInit, 'headers' | 'body'> {
  const from: Record<string, string> = version === undefined ? {} : { 'if-match': `"${version}"` };
  if (body === undefined) return { headers: from };
  if (body instanceof Csv) return { headers: { ...from, 'content-type': 'text/csv' }, body: body.text };
  return { headers: { ...from, 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw new ApiError(
      0,
      'offline',
      'The server does not answer.',
      null,
      'Check that it is running and that you are connected, then try again.',
    );
  }
}

/** The refusal as the server put it; a plain one where a proxy in between answered something else. */
async function refusal(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  const error = isRecord(body) ? recordOf(body.error) : {};
  const code = textOrNull(error.code);
  const message = textOrNull(error.message);
  if (code !== null && message !== null) {
    return new ApiError(response.status, code, message, textOrNull(error.at), textOrNull(error.fix));
  }
  return new ApiError(response.status, `http_${response.status}`, `The server answered with status ${response.status}.`);
}

export function urlOf(template: string, path: object = {}, query: object = {}): string {
  const values = path as Record<string, unknown>;
  const filled = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])));
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  const search = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString();
  return search === '' ? filled : `${filled}?${search}`;
}
