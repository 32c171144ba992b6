"""The tasks of 8 steps that the benchmarks give Stepwell, as workflows of DBOS; prints the figures as JSON."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from dbos import DBOS


@DBOS.step()
def noop(name):
    return {"text": ""}


@DBOS.workflow()
def pipeline(day):
    # What DBOS offers for steps side by side is asyncio or child workflows; one after the other is its plain way, and costs it least.
    for name in (
        "extract_sales", "extract_inventory", "extract_customers", "transform_sales", "transform_inventory",
        "transform_customers", "aggregate", "insights",
    ):
        noop(name)
    return day


def main(url, tasks, alone, threads):
    DBOS(config={"name": "bench", "system_database_url": url, "run_admin_server": False, "log_level": "ERROR"})
    DBOS.launch()
    for _ in range(5):
        pipeline("warm")
    times = []
    for _ in range(alone):
        start = time.perf_counter()
        pipeline("2026-11-30")
        times.append((time.perf_counter() - start) * 1000)
    start = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: pipeline("2026-11-30"), range(tasks)))
    seconds = time.perf_counter() - start
    times.sort()
    print(json.dumps({"rate": tasks * 8 / seconds, "p50": times[len(times) // 2], "p99": times[len(times) * 99 // 100]}))
    DBOS.destroy()


if __name__ == "__main__":
    main(sys.argv[1], *(int(word) for word in sys.argv[2:5]))
