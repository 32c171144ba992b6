"""Writes data/real: one quarter of a small trader, the same at every run.

    python3 make_data.py [FOLDER]
"""

from __future__ import annotations

import json
import sys
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any, Dict, List, Sequence, TypeVar

T = TypeVar("T")

PRODUCTS = {
    "kitchen": ["Crème brûlée torch", "Mörser", "Żurek bowl", "抹茶 whisk", "Café press", "Bread tin"],
    "garden": ["Watering can", "Rosenschere", "Señor Gnome", "Seed box", "Hose reel", "Rain gauge"],
    "office": ["Notebook A5", "Fountain pen", "Desk lamp", "Paper tray", "Stapler", "Élan planner"],
    "outdoor": ["Two-man tent", "Þórsmörk flask", "Head torch", "Camp stove", "Rope 20 m", "Compass"],
    "toys": ["Wooden train", "Kite", "Матрёшка", "Building blocks", "Puzzle 500", "Yo-yo"],
    "widgets": ["Widget A", "Widget B", "Widget C", "Gadget X", "Gadget Y", "Gizmo Ω"],
}
REGIONS = ["north", "south", "east", "west"]
WAREHOUSES = ["WH-01", "WH-02", "WH-03", "WH-04"]
TIERS = {"basic": (1_000, 60_000), "standard": (20_000, 300_000), "gold": (200_000, 900_000),
         "premium": (800_000, 3_000_000)}
FIRST_NAMES = ["Alice", "Bjørn", "Chloé", "Dmitri", "Esra", "Fatima", "Grzegorz", "Håkon", "Inês",
               "José", "Keiko", "Łucja", "Márta", "Nguyễn", "Olga", "Özlem", "Paul", "Renée", "Søren", "李娜"]
LAST_NAMES = ["Ångström", "Brontë", "Castro", "Dvořák", "Evans", "Fischer", "García", "Horváth",
              "Ito", "Jensen", "Kowalski", "López", "Müller", "Novák", "O'Brien", "Peña", "Šimić", "Weiß"]


class Dice:
    """Draws by `random()` alone, whose sequence Python promises never to change."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed).random

    def number(self, low: int, high: int) -> int:
        return low + int(self._random() * (high - low + 1))

    def pick(self, items: Sequence[T]) -> T:
        return items[self.number(0, len(items) - 1)]


def amount(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def sales(dice: Dice, prices: Dict[str, int]) -> List[str]:
    lines = ["date,product,category,region,quantity,price,total"]
    rows = []
    for _ in range(3000):
        day = date(2026, 1, 1) + timedelta(days=dice.number(0, 89))
        category = dice.pick(list(PRODUCTS))
        product = dice.pick(PRODUCTS[category])
        quantity = dice.number(1, 12)
        # One sale in ten is at a tenth off.
        price = prices[product] if dice.number(1, 10) > 1 else prices[product] * 9 // 10
        region = dice.pick(REGIONS)
        money = f"{amount(price)},{amount(quantity * price)}"
        rows.append(f"{day},{product},{category},{region},{quantity},{money}")
    rows.sort(key=lambda row: row[:10])
    assert all(row.count(",") == 6 for row in rows), "no name may need quotes"
    return lines + rows


def inventory(dice: Dice) -> List[Any]:
    rows = []
    products = [product for group in PRODUCTS.values() for product in group]
    for number, product in enumerate(products, start=1):
        for warehouse in WAREHOUSES:
            rows.append({
                "product": product,
                "sku": f"SKU-{number:03d}",
                "warehouse": warehouse,
                "on_hand": dice.number(4, 260),
                "reorder_level": dice.pick([10, 20, 25, 30, 40]),
            })
    return rows


def customers(dice: Dice) -> List[Any]:
    rows = []
    for number in range(1, 401):
        tier = dice.pick(["basic", "basic", "standard", "standard", "standard", "gold", "gold", "premium"])
        value = dice.number(*TIERS[tier])
        joined = date(2019, 1, 1) + timedelta(days=dice.number(0, 2500))
        name = f"{dice.pick(FIRST_NAMES)} {dice.pick(LAST_NAMES)}"
        rows.append({"id": f"CUST-{number:04d}", "name": name, "tier": tier,
                     "lifetime_value": value / 100, "joined": str(joined)})
    return rows


def json_lines(name: str, rows: List[Any]) -> str:
    """An object with one row on each line, so that a difference is easy to see."""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return f'{{"{name}": [\n{lines}\n]}}\n'


def main(folder: Path) -> None:
    dice = Dice(20260101)
    prices = {p: dice.number(250, 19_999) for group in PRODUCTS.values() for p in group}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sales.csv").write_text("\n".join(sales(dice, prices)) + "\n", encoding="utf-8")
    (folder / "inventory.json").write_text(json_lines("rows", inventory(dice)), encoding="utf-8")
    (folder / "customers.json").write_text(json_lines("customers", customers(dice)), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent / "data" / "real")
