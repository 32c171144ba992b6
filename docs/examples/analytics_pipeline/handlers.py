"""The eight handlers of the analytics pipeline. README.md describes every field of every result.

The extracts and the insights are classes, the steps between are functions: both forms do the same.
"""

from __future__ import annotations

import csv
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Dict, List, Optional

from footprints import footprints
from money import cents, divide, from_cents, to_cents, written
from stepwell import (
    NotFoundError,
    PermanentError,
    RetryableError,
    StepContext,
    StepHandler,
    StepHandlerResult,
    ValidationError,
    depends_on,
    step_handler,
)

DATA = Path(__file__).resolve().parent / "data"
DEFAULT_INVENTORY_URL = "http://127.0.0.1:8642"

Row = Dict[str, Any]


# Extract: three sources, each in its own form.


class ExtractSalesData(StepHandler):
    """Sales from a CSV export."""

    handler_name = "data_pipeline.extract_sales_data"

    @footprints
    def call(self, context: StepContext) -> StepHandlerResult:
        first = context.get_input("date_range_start") or ""
        last = context.get_input("date_range_end") or "9999-12-31"
        path = data_folder(context) / "sales.csv"
        with open(path, encoding="utf-8", newline="") as file:
            rows = [
                sale(row, number)
                for number, row in enumerate(csv.DictReader(file), start=2)
                if first <= row["date"] <= last
            ]
        context.log.info("read %d sales from %s", len(rows), path.name)
        dates = [row["date"] for row in rows]
        return self.success(
            {
                "source": "sales_export",
                "record_count": len(rows),
                "records": rows,
                "total_amount": from_cents(sum(to_cents(row["total"]) for row in rows)),
                "total_quantity": sum(row["quantity"] for row in rows),
                "date_range": {"start": min(dates, default=None), "end": max(dates, default=None)},
            }
        )


class ExtractInventoryData(StepHandler):
    """Stock from the inventory service, which may be down for a while."""

    handler_name = "data_pipeline.extract_inventory_data"

    @footprints
    def call(self, context: StepContext) -> StepHandlerResult:
        base = context.get_input("inventory_url") or os.environ.get("INVENTORY_URL")
        query = urllib.parse.urlencode({"data": data_folder(context).name})
        url = f"{(base or DEFAULT_INVENTORY_URL).rstrip('/')}/inventory?{query}"
        rows = get_json(url, context.get_config("request_timeout_seconds", 5))["rows"]
        context.log.info("got %d rows from %s on attempt %d", len(rows), url, context.attempt)
        return self.success(
            {
                "source": "inventory_service",
                "record_count": len(rows),
                "records": rows,
                "total_quantity": sum(row["on_hand"] for row in rows),
                "warehouses": sorted({row["warehouse"] for row in rows}),
                "products_tracked": len({row["product"] for row in rows}),
            }
        )


class ExtractCustomerData(StepHandler):
    """Customers from a JSON export."""

    handler_name = "data_pipeline.extract_customer_data"

    @footprints
    def call(self, context: StepContext) -> StepHandlerResult:
        text = (data_folder(context) / "customers.json").read_text(encoding="utf-8")
        rows: List[Row] = json.loads(text)["customers"]
        total = sum(to_cents(row["lifetime_value"]) for row in rows)
        tiers = sorted({row["tier"] for row in rows})
        return self.success(
            {
                "source": "customer_export",
                "record_count": len(rows),
                "records": rows,
                "total_customers": len(rows),
                "total_lifetime_value": from_cents(total),
                "avg_lifetime_value": from_cents(divide(total, len(rows))),
                "tier_breakdown": {t: sum(row["tier"] == t for row in rows) for t in tiers},
            }
        )


# Transform: each needs its own extract and nothing else.


@step_handler("data_pipeline.transform_sales")
@depends_on(sales="extract_sales_data")
@footprints
def transform_sales(sales: Optional[Row], context: StepContext) -> Row:
    """Revenue by day, product, category and region."""
    rows = records(sales, "extract_sales_data")
    by_category = sums(rows, "category")
    return {
        "record_count": len(rows),
        "total_revenue": from_cents(revenue(rows)),
        "total_quantity": sum(row["quantity"] for row in rows),
        "daily_sales": sums(rows, "date"),
        "product_sales": sums(rows, "product"),
        "by_category": by_category,
        "by_region": sums(rows, "region"),
        # The highest revenue; of equals the first by name.
        "top_category": max(by_category, key=lambda c: by_category[c]["revenue"], default=None),
        "total_categories": len(by_category),
        "total_regions": len({row["region"] for row in rows}),
        "total_days": len({row["date"] for row in rows}),
    }


@step_handler("data_pipeline.transform_inventory")
@depends_on(inventory="extract_inventory_data")
@footprints
def transform_inventory(inventory: Optional[Row], context: StepContext) -> Row:
    """Stock by warehouse and product, and the rows that are below their reorder level."""
    rows = records(inventory, "extract_inventory_data")
    low = [row for row in rows if is_low(row)]
    warehouses = {
        name: {
            "on_hand": sum(row["on_hand"] for row in group),
            "rows": len(group),
            "reorder_alerts": sum(is_low(row) for row in group),
        }
        for name, group in groups(rows, "warehouse").items()
    }
    products = {
        name: {
            "on_hand": sum(row["on_hand"] for row in group),
            "warehouses": len({row["warehouse"] for row in group}),
            "needs_reorder": any(is_low(row) for row in group),
        }
        for name, group in groups(rows, "product").items()
    }
    return {
        "record_count": len(rows),
        "total_quantity_on_hand": sum(row["on_hand"] for row in rows),
        "reorder_alerts": len(low),
        "low_stock": low,
        "warehouse_summary": warehouses,
        "product_inventory": products,
        "total_warehouses": len(warehouses),
        "total_products": len(products),
    }


@step_handler("data_pipeline.transform_customers")
@depends_on(customers="extract_customer_data")
@footprints
def transform_customers(customers: Optional[Row], context: StepContext) -> Row:
    """Customers by tier and by what they have spent so far."""
    rows = records(customers, "extract_customer_data")
    high = to_cents(context.get_config("high_value_from", 10000))
    medium = to_cents(context.get_config("medium_value_from", 1000))
    values = [to_cents(row["lifetime_value"]) for row in rows]
    tiers = {}
    for tier, group in groups(rows, "tier").items():
        worth = sum(to_cents(row["lifetime_value"]) for row in group)
        tiers[tier] = {
            "customers": len(group),
            "lifetime_value": from_cents(worth),
            "avg_lifetime_value": from_cents(divide(worth, len(group))),
        }
    return {
        "record_count": len(rows),
        "total_customers": len(rows),
        "total_lifetime_value": from_cents(sum(values)),
        "avg_customer_value": from_cents(divide(sum(values), len(rows))),
        "tier_analysis": tiers,
        "value_segments": {
            "high": sum(value >= high for value in values),
            "medium": sum(medium <= value < high for value in values),
            "low": sum(value < medium for value in values),
        },
    }


# Aggregate: where the three branches meet.


@step_handler("data_pipeline.aggregate_metrics")
@depends_on(
    sales="transform_sales", inventory="transform_inventory", customers="transform_customers"
)
@footprints
def aggregate_metrics(
    sales: Optional[Row], inventory: Optional[Row], customers: Optional[Row], context: StepContext
) -> Row:
    """One set of figures from all three sources."""
    if not sales or not inventory or not customers:
        raise PermanentError("a transform's result is missing", error_code="MISSING_TRANSFORMS")
    earned = to_cents(sales["total_revenue"])
    on_hand = inventory["total_quantity_on_hand"]
    buyers = customers["total_customers"]
    return {
        "total_revenue": sales["total_revenue"],
        "total_inventory_quantity": on_hand,
        "total_customers": buyers,
        "total_customer_lifetime_value": customers["total_lifetime_value"],
        "avg_customer_value": customers["avg_customer_value"],
        "sales_transactions": sales["record_count"],
        "inventory_reorder_alerts": inventory["reorder_alerts"],
        "revenue_per_customer": from_cents(divide(earned, buyers)),
        # Revenue for each unit in stock, in ten-thousandths.
        "inventory_turnover_indicator": divide(earned * 100, on_hand) / 10000,
        "top_category": sales["top_category"],
        "total_records_processed": sum(s["record_count"] for s in (sales, inventory, customers)),
        "sources_included": 3,
        "aggregation_complete": True,
    }


# Insights: what the figures say.


class GenerateInsights(StepHandler):
    """Three findings and a score from 0 to 100."""

    handler_name = "data_pipeline.generate_insights"

    @footprints
    def call(self, context: StepContext) -> StepHandlerResult:
        metrics = context.get_dependency_result("aggregate_metrics")
        if not metrics:
            return self.failure("the metrics are missing", retryable=False, error_code="MISSING_AGGREGATION")
        per_customer = to_cents(metrics["revenue_per_customer"])
        alerts = metrics["inventory_reorder_alerts"]
        value = to_cents(metrics["avg_customer_value"])
        insights = [
            {
                "type": "trend",
                "category": "Revenue",
                "finding": f"{written(to_cents(metrics['total_revenue']))} earned,"
                f" {written(per_customer)} for each customer",
                "recommendation": "offer more" if per_customer < 50000 else "keep the course",
            },
            {
                "type": "alert" if alerts else "trend",
                "category": "Inventory",
                "finding": f"stocks below their reorder level: {alerts}",
                "recommendation": "reorder" if alerts else "keep the course",
            },
            {
                "type": "trend",
                "category": "Customer Value",
                "finding": f"a customer is worth {written(value)} on average",
                "recommendation": "care for the best" if value > 300000 else "win customers back",
            },
        ]
        points = {
            "Revenue": (40 if per_customer > 50000 else 20 if per_customer > 20000 else 0, 40),
            "Inventory": (30 if alerts == 0 else 15 if alerts < 3 else 0, 30),
            "Customer": (30 if value > 300000 else 15 if value > 100000 else 0, 30),
        }
        score = sum(got for got, _ in points.values())
        for insight in insights:
            print(f"{insight['category']}: {insight['finding']}")
        return self.success(
            {
                "insights": insights,
                "insight_count": len(insights),
                "health_score": {
                    "score": score,
                    "max_score": 100,
                    "rating": rating(score),
                    "details": ", ".join(f"{k}: {got}/{most}" for k, (got, most) in points.items()),
                },
                "total_metrics_analyzed": len(metrics),
                "pipeline_complete": True,
            }
        )


# What the handlers share.


def data_folder(context: StepContext) -> Path:
    """The folder of the data set that the task's input names."""
    name = context.get_input_or("data", "real")
    if name not in ("real", "fixed"):
        raise ValidationError(f"there is no data set {name!r}; choose real or fixed")
    return DATA / str(name)


def sale(row: Dict[str, str], line: int) -> Row:
    """A row of the CSV file as JSON. A row that contradicts itself fails the step for good."""
    try:
        quantity, price, total = int(row["quantity"]), cents(row["price"]), cents(row["total"])
        if quantity * price != total:
            raise ValueError(f"{quantity} × {row['price']} is not {row['total']}")
    except (KeyError, TypeError, ValueError) as error:
        raise ValidationError(f"sales.csv, line {line}: {error}") from error
    names = {key: row[key] for key in ("date", "product", "category", "region")}
    return {**names, "quantity": quantity, "price": from_cents(price), "total": from_cents(total)}


def get_json(url: str, timeout: float) -> Any:
    """GET `url`. What may pass is retryable, with the wait that the service asks for."""
    # Without proxies: the service is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            words = f"{url} answers {error.code} {error.reason}"
            if error.code == 404:
                raise NotFoundError(words) from None
            if error.code < 500 and error.code not in (408, 429):
                raise PermanentError(words) from None
            wait = retry_after(error.headers.get("Retry-After"))
            raise RetryableError(words, retry_after=wait, error_code=f"HTTP_{error.code}") from None
    except (OSError, ValueError) as error:  # refused, too slow, cut short, or no JSON
        raise RetryableError(f"cannot read {url}: {error}") from error


def retry_after(header: Optional[str]) -> Optional[float]:
    """Seconds that a Retry-After header asks for; it holds a number of seconds or a date."""
    if not header:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(timezone.utc)).total_seconds())
    except (TypeError, ValueError):
        return None


def records(extract: Optional[Row], step: str) -> List[Row]:
    """The rows of an extract's result."""
    if not extract:
        raise PermanentError(f"the result of {step} is missing", error_code="MISSING_EXTRACTION")
    rows: List[Row] = extract["records"]
    return rows


def groups(rows: List[Row], key: str) -> Dict[str, List[Row]]:
    """The rows by the value of one member, sorted by that value."""
    found: Dict[str, List[Row]] = {value: [] for value in sorted({row[key] for row in rows})}
    for row in rows:
        found[row[key]].append(row)
    return found


def sums(rows: List[Row], key: str) -> Dict[str, Row]:
    """Quantity, revenue, orders and the average order of each group of sales."""
    return {
        name: {
            "quantity": sum(row["quantity"] for row in group),
            "revenue": from_cents(revenue(group)),
            "orders": len(group),
            "avg_order_value": from_cents(divide(revenue(group), len(group))),
        }
        for name, group in groups(rows, key).items()
    }


def is_low(row: Row) -> bool:
    """Whether a stock must be ordered again."""
    return bool(row["on_hand"] < row["reorder_level"])


def revenue(rows: List[Row]) -> int:
    """All totals together, in cents."""
    return sum(to_cents(row["total"]) for row in rows)


def rating(score: int) -> str:
    """A word for a score."""
    for least, word in ((80, "Excellent"), (60, "Good"), (40, "Fair")):
        if score >= least:
            return word
    return "Needs Improvement"
