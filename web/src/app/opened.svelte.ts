/** The saved report that the builder on screen began with, if it did. */
import type { SavedReport } from '../api/types';

class Opened {
  saved = $state.raw<SavedReport | null>(null);
}

export const opened = new Opened();
