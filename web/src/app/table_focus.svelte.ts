/** One tab stop for all the buttons of a table; the arrow keys go on from there, as in a grid. */
export class TableFocus {
  private at = $state<string | null>(null);

  /** `first` is the key of the button that is reached first. */
  constructor(private readonly first: () => string | null) {}

  tabindex(key: string): 0 | -1 {
    return (this.at ?? this.first()) === key ? 0 : -1;
  }

  /** The buttons are others now. */
  reset(): void {
    this.at = null;
  }

  /** To attach to the element that holds the buttons. */
  attach = (body: HTMLElement): (() => void) => {
    body.addEventListener('focusin', this.onfocusin);
    body.addEventListener('keydown', this.onkeydown);
    return () => {
      body.removeEventListener('focusin', this.onfocusin);
      body.removeEventListener('keydown', this.onkeydown);
    };
  };

  private onfocusin = ({ target }: FocusEvent): void => {
    const key = target instanceof HTMLElement ? target.dataset.at : undefined;
    if (key !== undefined) this.at = key;
  };

  private onkeydown = (event: KeyboardEvent): void => {
    const cell = event.target instanceof HTMLElement && event.target.dataset.at !== undefined ? event.target.closest('td') : null;
    const next = cell && nextButton(cell, event.key);
    if (!next) return;
    event.preventDefault();
    next.focus();
  };
}

/** The nearest cell with a button in the direction of an arrow key. */
function nextButton(cell: HTMLTableCellElement, key: string): HTMLElement | null {
  const row = cell.parentElement;
  const button = (of: Element | null | undefined) => of?.querySelector<HTMLElement>('button[data-at]') ?? null;
  const step: Record<string, (from: Element) => Element | null> = {
    ArrowRight: (from) => from.nextElementSibling,
    ArrowLeft: (from) => from.previousElementSibling,
    ArrowDown: (from) => from.parentElement?.nextElementSibling?.children[cell.cellIndex] ?? null,
    ArrowUp: (from) => from.parentElement?.previousElementSibling?.children[cell.cellIndex] ?? null,
  };
  const go = step[key];
  if (!go || !row) return null;
  for (let at = go(cell); at; at = go(at)) {
    const found = button(at);
    if (found) return found;
  }
  return null;
}
