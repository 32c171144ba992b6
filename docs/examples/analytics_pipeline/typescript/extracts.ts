/** Extract: three sources, each in its own form. */

import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

import {
  NotFoundError, PermanentError, RetryableError, StepHandler, ValidationError, type StepContext, type StepHandlerResult,
} from "stepwell";

import { traced } from "./footprints.js";
import { cents, divide, fromCents, toCents } from "./money.js";
import { byGroup, type Customer, distinct, type Sale, type Stock, total } from "./rows.js";

const DEFAULT_INVENTORY_URL = "http://127.0.0.1:8642";

/** Sales from a CSV export. */
export class ExtractSalesData extends StepHandler {
  static override handlerName = "data_pipeline.extract_sales_data";

  call(context: StepContext): Promise<StepHandlerResult> {
    return traced(context, () => {
      const first = context.getInputOr("date_range_start", "");
      const last = context.getInputOr("date_range_end", "9999-12-31");
      const rows = csv(readData(context, "sales.csv"))
        .filter(({ row }) => first <= (row["date"] ?? "") && (row["date"] ?? "") <= last)
        .map(({ row, line }) => sale(row, line));
      context.log.info("read %d sales", rows.length);
      const dates = distinct(rows.map((row) => row.date));
      return this.success({
        source: "sales_export",
        record_count: rows.length,
        records: rows,
        total_amount: fromCents(total(rows, (row) => toCents(row.total))),
        total_quantity: total(rows, (row) => row.quantity),
        date_range: { start: dates.at(0) ?? null, end: dates.at(-1) ?? null },
      });
    });
  }
}

/** Stock from the inventory service, which may be down for a while. */
export class ExtractInventoryData extends StepHandler {
  static override handlerName = "data_pipeline.extract_inventory_data";

  call(context: StepContext): Promise<StepHandlerResult> {
    return traced(context, async () => {
      const base = context.getInput<string>("inventory_url") || process.env["INVENTORY_URL"] || DEFAULT_INVENTORY_URL;
      const url = `${base.replace(/\/+$/, "")}/inventory?${new URLSearchParams({ data: dataSet(context) })}`;
      const { rows } = await getJSON<{ rows: Stock[] }>(url, context.getConfig("request_timeout_seconds", 5), context);
      context.log.info("got %d rows from %s on attempt %d", rows.length, url, context.attempt);
      return this.success({
        source: "inventory_service",
        record_count: rows.length,
        records: rows,
        total_quantity: total(rows, (row) => row.on_hand),
        warehouses: distinct(rows.map((row) => row.warehouse)),
        products_tracked: distinct(rows.map((row) => row.product)).length,
      });
    });
  }
}

/** Customers from a JSON export. */
export class ExtractCustomerData extends StepHandler {
  static override handlerName = "data_pipeline.extract_customer_data";

  call(context: StepContext): Promise<StepHandlerResult> {
    return traced(context, () => {
      const { customers: rows } = JSON.parse(readData(context, "customers.json")) as { customers: Customer[] };
      const worth = total(rows, (row) => toCents(row.lifetime_value));
      return this.success({
        source: "customer_export",
        record_count: rows.length,
        records: rows,
        total_customers: rows.length,
        total_lifetime_value: fromCents(worth),
        avg_lifetime_value: fromCents(divide(worth, rows.length)),
        tier_breakdown: byGroup(rows, (row) => row.tier, (group) => group.length),
      });
    });
  }
}

/** The data set that the task's input names. */
function dataSet(context: StepContext): string {
  const name = context.getInputOr("data", "real");
  if (name !== "real" && name !== "fixed") {
    throw new ValidationError(`there is no data set ${JSON.stringify(name)}; choose real or fixed`);
  }
  return name;
}

function readData(context: StepContext, file: string): string {
  // The compiled handlers are two folders below the example's.
  return readFileSync(fileURLToPath(new URL(`../../data/${dataSet(context)}/${file}`, import.meta.url)), "utf8");
}

/** The rows of a CSV text that has a header, and neither quotes nor commas within values. */
function csv(text: string): { row: Record<string, string>; line: number }[] {
  const [header = "", ...lines] = text.split("\n").map((line) => line.replace(/\r$/, ""));
  const names = header.split(",");
  return lines.flatMap((line, index) => {
    const values = line.split(",");
    const row = Object.fromEntries(names.map((name, place) => [name, values[place] ?? ""]));
    return line === "" ? [] : [{ row, line: index + 2 }];
  });
}

/** A row of the CSV file as JSON. A row that contradicts itself fails the step for good. */
export function sale(row: Record<string, string>, line: number): Sale {
  const { date = "", product = "", category = "", region = "", quantity: text = "" } = row;
  try {
    const [quantity, price, amount] = [Number(text), cents(row["price"] ?? ""), cents(row["total"] ?? "")];
    if (!/^[0-9]+$/.test(text) || quantity * price !== amount) {
      throw new RangeError(`${text} × ${row["price"]} is not ${row["total"]}`);
    }
    return { date, product, category, region, quantity, price: fromCents(price), total: fromCents(amount) };
  } catch (error) {
    throw new ValidationError(`sales.csv, line ${line}: ${(error as Error).message}`, { cause: error });
  }
}

/** GET `url`. What may pass is retryable, with the wait that the service asks for. */
async function getJSON<T>(url: string, seconds: number, context: StepContext): Promise<T> {
  const limit = new AbortController();
  const stop = (): void => limit.abort();
  const timer = setTimeout(stop, seconds * 1000);
  context.signal.addEventListener("abort", stop);
  try {
    const response = await fetch(url, { signal: limit.signal });
    if (!response.ok) {
      throw refused(url, response);
    }
    return (await response.json()) as T;
  } catch (error) {
    if (error instanceof RetryableError || error instanceof PermanentError) {
      throw error;
    }
    context.throwIfCancelled();
    // Refused, too slow, cut short, or no JSON.
    throw new RetryableError(`cannot read ${url}: ${(error as Error).message}`, { cause: error });
  } finally {
    clearTimeout(timer);
    context.signal.removeEventListener("abort", stop);
  }
}

function refused(url: string, response: Response): RetryableError | PermanentError {
  const words = `${url} answers ${response.status} ${response.statusText}`;
  if (response.status === 404) {
    return new NotFoundError(words);
  }
  if (response.status < 500 && response.status !== 408 && response.status !== 429) {
    return new PermanentError(words);
  }
  const retryAfter = secondsOf(response.headers.get("Retry-After"));
  return new RetryableError(words, { errorCode: `HTTP_${response.status}`, retryAfter });
}

/** Seconds that a Retry-After header asks for; it holds a number of seconds or a date. */
export function secondsOf(header: string | null): number | undefined {
  if (header && /^ *[0-9]+ *$/.test(header)) {
    return Number(header);
  }
  const date = Date.parse(header ?? "");
  return Number.isNaN(date) ? undefined : Math.max(0, (date - Date.now()) / 1000);
}
