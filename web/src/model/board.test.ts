import { describe, expect, it } from 'vitest';
import { addReport, addText, cardsOf, changeCard, moveCard, newBoard, removeCard } from './board';

const board = addText(addReport(addReport(newBoard(), 7), 8), 'hello');
const ids = (of: typeof board) => cardsOf(of).map(({ id }) => id);

describe('a board', () => {
  it('numbers its cards and never uses a number of one that is there', () => {
    expect(ids(board)).toEqual([1, 2, 3]);
    expect(ids(addReport(removeCard(board, 2), 9))).toEqual([1, 3, 4]);
  });

  it('moves cards, also to places that are not there', () => {
    expect(ids(moveCard(board, 3, 0))).toEqual([3, 1, 2]);
    expect(ids(moveCard(board, 1, 1))).toEqual([2, 1, 3]);
    expect(ids(moveCard(board, 1, 99))).toEqual([2, 3, 1]);
    expect(ids(moveCard(board, 2, -5))).toEqual([2, 1, 3]);
    expect(moveCard(board, 42, 0)).toBe(board);
  });

  it('changes one card and leaves the board it came from alone', () => {
    const changed = changeCard(board, 2, { width: 12 });
    expect(cardsOf(changed)[1]).toEqual({ id: 2, width: 12, height: 3, report: 8 });
    expect(cardsOf(board)[1]?.width).toBe(6);
  });
});
