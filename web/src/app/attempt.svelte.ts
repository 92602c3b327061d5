/** One thing that somebody tries to do: whether it is under way, and what went wrong. */
import { ApiError } from '../api/client';

export class Attempt {
  running = $state(false);
  failed = $state<string | null>(null);
  /** Somebody else changed the same thing first. */
  conflict = $state(false);

  /** Does it, one at a time; whether it worked. */
  async run(act: () => Promise<unknown>): Promise<boolean> {
    if (this.running) return false;
    this.running = true;
    this.failed = null;
    this.conflict = false;
    try {
      await act();
      return true;
    } catch (error) {
      this.conflict = error instanceof ApiError && error.code === 'conflict';
      this.failed = error instanceof ApiError ? [error.message, error.fix].filter(Boolean).join('. ') : 'This did not work.';
      return false;
    } finally {
      this.running = false;
    }
  }
}
