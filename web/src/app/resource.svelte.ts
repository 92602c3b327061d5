/** Something that is fetched: what is known so far, whether more is coming, what went wrong. */
import { ApiError } from '../api/client';

export class Resource<T> {
  /** The newest answer; kept while a newer one is on its way, so that nothing flashes. */
  data = $state.raw<T | null>(null);
  loading = $state(false);
  error = $state.raw<ApiError | null>(null);
  /** Abandoned by whoever asked. */
  stopped = $state(false);
  private running: AbortController | null = null;

  /** Asks; an earlier question that is still running is abandoned. */
  async load(ask: (signal: AbortSignal) => Promise<T>): Promise<void> {
    this.running?.abort();
    const running = new AbortController();
    this.running = running;
    this.loading = true;
    this.stopped = false;
    try {
      const data = await ask(running.signal);
      if (running.signal.aborted) return;
      this.data = data;
      this.error = null;
    } catch (error) {
      if (running.signal.aborted) return;
      this.error = error instanceof ApiError ? error : new ApiError(0, 'app_fault', 'The app could not read the answer.');
    } finally {
      if (!running.signal.aborted) this.loading = false;
    }
  }

  /** Abandons what is being asked; the server stops computing it. What was known before stays. */
  stop(): void {
    if (!this.loading) return;
    this.running?.abort();
    this.loading = false;
    this.stopped = true;
  }

  clear(): void {
    this.running?.abort();
    this.data = null;
    this.error = null;
    this.loading = false;
    this.stopped = false;
  }
}
