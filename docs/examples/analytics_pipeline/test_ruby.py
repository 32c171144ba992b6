"""Runs the pipeline with its Ruby handlers, and holds it against the same results as the Python ones.

    STEPWELL_BIN=.build/release/stepwell \\
        python3 -m unittest discover -s docs/examples/analytics_pipeline -p test_ruby.py
"""

import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]

import worker_pipeline as pipeline

PROGRAM = HERE.parents[2] / "Sources" / "Workers" / "ruby" / "exe" / "stepwell-worker"


class Ruby:
    worker = ["ruby", "-w", str(PROGRAM), str(HERE / "ruby" / "handlers.rb")]


class Results(Ruby, pipeline.Results):
    pass


class Faults(Ruby, pipeline.Faults):
    pass


class Crash(Ruby, pipeline.Crash):
    pass


class Remote(Ruby, pipeline.Remote):
    pass


if __name__ == "__main__":
    unittest.main()
