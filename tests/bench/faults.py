"""How many faults are held, row by row: python tests/bench/faults.py [--short] [ROW ...]

Runs every test marked `fault(row)`, or those of some rows, in its long version (row 16 takes an hour or two, the others half an hour together), or in the one of `make test`. Writes `fault_01` and so on, the share of cases held, and `fault_09_ms`, the slowest of the wrong calls, into data/results/faults.json.
A test that tries many cases and fails holds none of them."""
import sys
from collections import Counter
from pathlib import Path

import pytest

from sora_edu.evaluation import interval, record


class Tally:
    """Counts cases and cases held of each row; of all rows, or of those asked for."""

    def __init__(self, rows: set[int]):
        self.rows = rows
        self.row, self.tried, self.held, self.slowest = {}, Counter(), Counter(), 0.

    def pytest_collection_modifyitems(self, items):
        self.row = {item.nodeid: mark.args[0] for item in items if (mark := item.get_closest_marker("fault")) and (not self.rows or mark.args[0] in self.rows)}
        items[:] = [item for item in items if item.nodeid in self.row]

    def pytest_runtest_logreport(self, report):
        if report.skipped or report.when != "call" and not report.failed: return
        noted = dict(report.user_properties)
        n, self.slowest = noted.get("cases", 1), max(self.slowest, noted.get("ms", 0.))
        self.tried[self.row[report.nodeid]] += n
        self.held[self.row[report.nodeid]] += n * report.passed


def main() -> int:
    tally = Tally({int(row) for row in sys.argv[1:] if row != "--short"})
    long = [] if "--short" in sys.argv else ["--long"]
    command = " ".join(["python tests/bench/faults.py", *sys.argv[1:]])
    failed = pytest.main([str(Path(__file__).parents[1]), "-q", "-m", "fault", *long], plugins=[tally])
    for row, n in sorted(tally.tried.items()):
        share = 100 * tally.held[row] / n
        print(f"fault {row:2}  {share:6.2f}% of {n}")
        record("faults", f"fault_{row:02}", share, "%", n, interval(share, n), command)
    if tally.tried[9]: record("faults", "fault_09_ms", tally.slowest, "ms", tally.tried[9], None, command)
    return failed


if __name__ == "__main__":
    sys.exit(main())
