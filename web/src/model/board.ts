/** Changing boards: every function gives a new board, so that a change can be saved or thrown away whole. */
import type { Board, Card } from '../api/types';

export const WIDTHS: { value: number; label: string }[] = [
  { value: 3, label: 'A quarter' },
  { value: 4, label: 'A third' },
  { value: 6, label: 'Half' },
  { value: 8, label: 'Two thirds' },
  { value: 12, label: 'Whole' },
];

export const HEIGHTS: { value: number; label: string }[] = [
  { value: 1, label: 'Low' },
  { value: 3, label: 'Usual' },
  { value: 4, label: 'High' },
  { value: 6, label: 'Very high' },
];

/** Height of a row of the grid, and the gap between rows. */
export const ROW_PX = 104;
export const GAP_PX = 16;

export function cardHeight(card: Card): number {
  return card.height * ROW_PX + (card.height - 1) * GAP_PX;
}

export function newBoard(): Board {
  return { description: '', filter_rule: 'narrow', cards: [] };
}

function nextId(board: Board): number {
  return Math.max(0, ...cardsOf(board).map(({ id }) => id)) + 1;
}

export function cardsOf(board: Board): Card[] {
  return board.cards ?? [];
}

export function addReport(board: Board, report: number): Board {
  return { ...board, cards: [...cardsOf(board), { id: nextId(board), width: 6, height: 3, report }] };
}

export function addText(board: Board, text: string): Board {
  return { ...board, cards: [...cardsOf(board), { id: nextId(board), width: 12, height: 1, text }] };
}

export function changeCard(board: Board, id: number, part: Partial<Card>): Board {
  return { ...board, cards: cardsOf(board).map((card) => (card.id === id ? { ...card, ...part } : card)) };
}

export function removeCard(board: Board, id: number): Board {
  return { ...board, cards: cardsOf(board).filter((card) => card.id !== id) };
}

/** Moves a card to a place in the order; places outside are the nearest inside. */
export function moveCard(board: Board, id: number, place: number): Board {
  const cards = [...cardsOf(board)];
  const from = cards.findIndex((card) => card.id === id);
  if (from < 0) return board;
  const [card] = cards.splice(from, 1);
  if (card) cards.splice(Math.min(Math.max(0, place), cards.length), 0, card);
  return { ...board, cards };
}
