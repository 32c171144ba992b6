"""Runs the pipeline with its TypeScript handlers, and holds it against the same results as the Python ones.

    tsc -p docs/examples/analytics_pipeline/typescript
    STEPWELL_BIN=.build/release/stepwell \\
        python3 -m unittest discover -s docs/examples/analytics_pipeline -p test_typescript.py
"""

import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]

import worker_pipeline as pipeline

PROGRAM = HERE.parents[2] / "Sources" / "Workers" / "typescript" / "dist" / "bin.js"


class TypeScript:
    built = HERE / "typescript" / "build" / "handlers.js"
    how = "tsc -p docs/examples/analytics_pipeline/typescript"
    worker = ["node", str(PROGRAM), str(built)]


class Results(TypeScript, pipeline.Results):
    pass


class Faults(TypeScript, pipeline.Faults):
    pass


class Crash(TypeScript, pipeline.Crash):
    pass


class Remote(TypeScript, pipeline.Remote):
    pass


if __name__ == "__main__":
    unittest.main()
