/** Money and ratios in whole numbers, so that every language gets the same last digit. */

/** Cents of a price as the CSV export writes it: `99.99` is 9999. */
export function cents(text: string): number {
  if (!/^[0-9]+\.[0-9]{2}$/.test(text)) {
    throw new RangeError(`${JSON.stringify(text)} is not an amount such as 12.50`);
  }
  return Number(text.replace(".", ""));
}

/** Cents of a JSON number that has at most two decimals. */
export function toCents(amount: number): number {
  return Math.round(amount * 100);
}

/** The JSON number for an amount of cents. */
export function fromCents(amount: number): number {
  return amount / 100;
}

/** The nearest whole number, halves up; 0 when the divisor is 0. For numbers from 0 up. */
export function divide(dividend: number, divisor: number): number {
  return divisor === 0 ? 0 : Math.floor((2 * dividend + divisor) / (2 * divisor));
}

/** An amount of cents for people: 384968 is `3849.68`. */
export function written(amount: number): string {
  return `${Math.floor(amount / 100)}.${String(amount % 100).padStart(2, "0")}`;
}
