/** The rows of the three sources, and how they are grouped. */

import { PermanentError } from "stepwell";

import { divide, fromCents, toCents } from "./money.js";

export interface Sale {
  date: string;
  product: string;
  category: string;
  region: string;
  quantity: number;
  price: number;
  total: number;
}

export interface Stock {
  product: string;
  sku: string;
  warehouse: string;
  on_hand: number;
  reorder_level: number;
}

export interface Customer {
  id: string;
  name: string;
  tier: string;
  lifetime_value: number;
  joined: string;
}

/** The rows of an extract's result. */
export function records<Row>(extract: { records: Row[] } | null, step: string): Row[] {
  if (!extract) {
    throw new PermanentError(`the result of ${step} is missing`, { errorCode: "MISSING_EXTRACTION" });
  }
  return extract.records;
}

/** Different texts, sorted by Unicode scalar. JavaScript sorts by UTF-16, which is another order beyond U+FFFF. */
export function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort(compare);
}

function compare(left: string, right: string): number {
  const [one, other] = [[...left], [...right]];
  const place = one.findIndex((character, index) => character !== other[index]);
  return place < 0 ? one.length - other.length : (one[place]?.codePointAt(0) ?? -1) - (other[place]?.codePointAt(0) ?? -1);
}

/** The rows by the value of one member, sorted by that value. */
export function groups<Row>(rows: readonly Row[], key: (row: Row) => string): [string, Row[]][] {
  const found = new Map<string, Row[]>(distinct(rows.map(key)).map((value) => [value, []]));
  for (const row of rows) {
    found.get(key(row))?.push(row);
  }
  return [...found];
}

/** An object with a member for each group. */
export function byGroup<Row, T>(
  rows: readonly Row[],
  key: (row: Row) => string,
  sum: (group: Row[]) => T,
): Record<string, T> {
  return Object.fromEntries(groups(rows, key).map(([name, group]) => [name, sum(group)]));
}

/** Quantity, revenue, orders and the average order of each group of sales. */
export function sums(rows: readonly Sale[], key: (row: Sale) => string): Record<string, { revenue: number }> {
  return byGroup(rows, key, (group) => ({
    quantity: total(group, (row) => row.quantity),
    revenue: fromCents(revenue(group)),
    orders: group.length,
    avg_order_value: fromCents(divide(revenue(group), group.length)),
  }));
}

/** All totals together, in cents. */
export function revenue(rows: readonly Sale[]): number {
  return total(rows, (row) => toCents(row.total));
}

/** Whether a stock must be ordered again. */
export function isLow(row: Stock): boolean {
  return row.on_hand < row.reorder_level;
}

/** The sum of one number of each row. */
export function total<Row>(rows: readonly Row[], number: (row: Row) => number): number {
  return rows.reduce((sum, row) => sum + number(row), 0);
}
