// Structural similarity (Wang, Bovik, Sheikh, Simoncelli: Image quality assessment, 2004) of two grey pictures.
import type { Pixels } from './page-pixels.ts';

const SIDE = 8;
const STEP = 4;
const C1 = (0.01 * 255) ** 2;
const C2 = (0.03 * 255) ** 2;
const WHITE = 250;

/** A part of a picture, in pixels. */
export interface Part {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Mean over windows of 8 × 8, each four pixels on. White windows are left out: they are alike in every drawing and would say
 * nothing. What one picture has more at the right and below is left aside.
 */
export function similarity(exact: Pixels, seen: Pixels, part?: Part): number {
  const [left, top] = [part?.left ?? 0, part?.top ?? 0];
  const right = Math.min(exact.width, seen.width, left + (part?.width ?? Number.POSITIVE_INFINITY));
  const bottom = Math.min(exact.height, seen.height, top + (part?.height ?? Number.POSITIVE_INFINITY));
  let sum = 0;
  let count = 0;
  for (let y = top; y + SIDE <= bottom; y += STEP)
    for (let x = left; x + SIDE <= right; x += STEP) {
      const value = windowOf(exact, seen, x, y);
      if (value === undefined) continue;
      sum += value;
      count += 1;
    }
  return count === 0 ? 1 : sum / count;
}

function windowOf(a: Pixels, b: Pixels, x: number, y: number): number | undefined {
  let [sumA, sumB, squareA, squareB, product] = [0, 0, 0, 0, 0];
  let darkest = 255;
  for (let row = y; row < y + SIDE; row++)
    for (let column = x; column < x + SIDE; column++) {
      const p = a.data[row * a.width + column] as number;
      const q = b.data[row * b.width + column] as number;
      darkest = Math.min(darkest, p, q);
      sumA += p;
      sumB += q;
      squareA += p * p;
      squareB += q * q;
      product += p * q;
    }
  if (darkest >= WHITE) return undefined;
  const n = SIDE * SIDE;
  const [meanA, meanB] = [sumA / n, sumB / n];
  const varianceA = squareA / n - meanA ** 2;
  const varianceB = squareB / n - meanB ** 2;
  const covariance = product / n - meanA * meanB;
  return (
    ((2 * meanA * meanB + C1) * (2 * covariance + C2)) / ((meanA ** 2 + meanB ** 2 + C1) * (varianceA + varianceB + C2))
  );
}
