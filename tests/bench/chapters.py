"""Measure what each chapter costs to run, and write it into its header card: python tests/bench/chapters.py [03 …] (4 minutes for all)

A clean kernel runs the notebook from top to bottom. `chapter_seconds_NN` and `chapter_gb_NN` (peak memory) go into data/results/chapters.json."""
import json
import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from sora_edu.evaluation import record

NBS = Path(__file__).resolve().parents[2] / "nbs"
MEMORY = "import resource, sys; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == 'darwin' else 1024))"
COST = re.compile(r"(\| \*\*Cost\*\* \| .*?)(?:; [\d.,]+ s on two CPU cores, [\d.]+ GB of memory)? \|")


def cost(seconds: float, gb: float) -> str: return f"; {seconds:.0f} s on two CPU cores, {gb:.1f} GB of memory"


def measure(path: Path) -> tuple[float, float]:
    """Seconds and gigabytes that the notebook needs."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(MEMORY))
    begin = time.perf_counter()
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(NBS)}}).execute()
    return time.perf_counter() - begin, int(notebook.cells[-1].outputs[0].text) / 1e9


def main(*chapters: str) -> None:
    for path in sorted(NBS.glob("[0-9]*.ipynb")):
        if chapters and path.stem[:2] not in chapters: continue
        seconds, gb = measure(path)
        print(f"{path.stem:20} {seconds:6.1f} s {gb:5.2f} GB", flush=True)
        for what, value, unit in (("seconds", seconds, "s"), ("gb", gb, "GB")):
            record("chapters", f"chapter_{what}_{path.stem[:2]}", value, unit, 1, None, "python tests/bench/chapters.py")
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "markdown" and COST.search(source): cell["source"] = COST.sub(lambda m: m[1] + cost(seconds, gb) + " |", source).splitlines(True)
        path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
