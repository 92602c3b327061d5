/** The people behind a number who are on screen, if any are. One drawer for all answers, in the frame of the app. */
import type { Report } from '../api/types';
import type { Behind } from '../model/behind';
import { session } from './session.svelte';

class Members {
  shown = $state.raw<{ report: Report; behind: Behind } | null>(null);
  private opener: Element | null = null;

  open(report: Report, behind: Behind): void {
    this.opener = document.activeElement;
    this.shown = { report, behind };
  }

  close(): void {
    this.shown = null;
    if (this.opener instanceof HTMLElement || this.opener instanceof SVGElement) this.opener.focus();
    this.opener = null;
  }

  /**
   * What opens the people behind a number of the report, given its place; `null` where there is nobody. Absent for those who
   * may neither see people nor keep them as a cohort, so that they are not offered what would be refused.
   */
  of<Place extends unknown[]>(report: Report, behind: (...place: Place) => Behind | null): ((...place: Place) => (() => void) | null) | undefined {
    if (!session.maySeePersons && !session.mayEdit) return undefined;
    return (...place) => {
      const found = behind(...place);
      return found && (() => this.open(report, found));
    };
  }
}

export const members = new Members();
