"""Time to import sora_edu with every name it exports (but those of training, which is Lightning's place), as a multiple of `import torch`: python tests/bench/import_time.py"""
import random
import statistics
import subprocess
import sys
from pathlib import Path

from sora_edu.evaluation import record

RUNS = 15
PACKAGE = Path(__file__).resolve().parents[2] / "sora_edu"
MODULES = sorted(path.stem for path in PACKAGE.glob("*.py") if not path.stem.startswith("_") and path.stem != "training")
OURS = "import sora_edu; " + "; ".join(f"from sora_edu.{name} import *" for name in MODULES)


def seconds(statement: str) -> float:
    """Seconds one statement takes in a new interpreter, the interpreter's own start not counted."""
    code = f"import time; start = time.perf_counter(); {statement}; print(time.perf_counter() - start)"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def ratio(pairs: list[tuple[float, float]]) -> float:
    ours, torch = zip(*pairs)
    return statistics.median(ours) / statistics.median(torch)


def main() -> None:
    seconds(OURS), seconds("import torch")  # fills the disk cache
    # Alternating runs meet the same load on a shared machine.
    pairs = [(seconds(OURS), seconds("import torch")) for _ in range(RUNS)]
    draws = sorted(ratio(random.Random(i).choices(pairs, k=RUNS)) for i in range(1000))
    value, interval = round(ratio(pairs), 3), [round(draws[25], 3), round(draws[974], 3)]
    record("bench", "bench_import", value, "x import torch", RUNS, interval, "sora-edu bench --only import_time")
    print(f"{value} times import torch (95% interval {interval[0]} to {interval[1]}, {RUNS} runs)")


if __name__ == "__main__":
    main()
