"""Runs the pipeline with its Rust handlers, and holds it against the same results as the Python ones.

    (cd docs/examples/analytics_pipeline/rust && cargo build --offline --release)
    STEPWELL_BIN=.build/release/stepwell \\
        python3 -m unittest discover -s docs/examples/analytics_pipeline -p test_rust.py
"""

import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]

import worker_pipeline as pipeline



class Rust:
    built = HERE / "rust" / "target" / "release" / "analytics-pipeline"
    how = "cargo build --offline --release in docs/examples/analytics_pipeline/rust"
    worker = [str(built)]


class Results(Rust, pipeline.Results):
    pass


class Faults(Rust, pipeline.Faults):
    pass


class Crash(Rust, pipeline.Crash):
    pass


class Remote(Rust, pipeline.Remote):
    pass


if __name__ == "__main__":
    unittest.main()
