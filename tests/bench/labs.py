"""How good the checks of all labs are, and how long a class takes: python tests/bench/labs.py

Writes `lab_wrong_rejected`, `lab_right_refused`, `lab_build_seconds` (all files of the slowest chapter) and `lab_grade_minutes` (100 submissions of
chapter 03; in each of them every answer is missing with a chance of 30%, and five of the learners left an endless loop) into data/results/labs.json."""
import random
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

import nbformat

sys.path.insert(0, str(Path(__file__).parents[1]))
from sora_edu.checks.base import chapters, find, judge, trials
from sora_edu.checks.build import blank, build, cards, derive
from sora_edu.checks.grade import grade
from sora_edu.evaluation import interval, record

COMMAND, CLASS = "python tests/bench/labs.py", 100


def passes(id: str, function) -> bool: return bool(judge(find(id), trials(find(id), function, 0)))


def proof() -> None:
    """Count wrong answers that are rejected and right ones that are refused, over every exercise."""
    sets = [import_module(path.stem) for path in sorted(Path(__file__).parents[1].glob("lab_mutants*.py"))]
    wrong = [not passes(id, function) for each in sets for id, ways in each.WRONG.items() for function in ways.values()]
    right = [not passes(id, function) for each in sets for id, ways in each.RIGHT.items() for function in ways.values()]
    share = 100 * sum(wrong) / len(wrong)
    record("labs", "lab_wrong_rejected", share, "%", len(wrong), interval(share, len(wrong)), COMMAND)
    record("labs", "lab_right_refused", sum(right), "answers", len(right), None, COMMAND)
    print(f"wrong rejected: {sum(wrong)} of {len(wrong)}; right refused: {sum(right)} of {len(right)}")


def building() -> None:
    seconds = []
    for chapter in chapters():
        begin = time.perf_counter()
        with tempfile.TemporaryDirectory() as place: build([chapter], place)
        seconds.append(time.perf_counter() - begin)
    record("labs", "lab_build_seconds", max(seconds), "s", len(seconds), None, COMMAND)
    print(f"build: {max(seconds):.1f} s at most")


def submission(number: int) -> str:
    """The solutions of chapter 03, some of them missing."""
    notebook, chance = derive("03", solved=True), random.Random(number)
    for cell in notebook.cells:
        for card in cards(cell.source) if cell.cell_type == "code" else ():
            if number < 5 and card.id == "03.2": cell.source = cell.source.split('"""')[0] + "while True: pass"
            elif chance.random() < .3: cell.source = blank(cell.source, {card.name: card.id})
    return nbformat.writes(notebook)


def grading() -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "class"
        folder.mkdir()
        for number in range(CLASS): (folder / f"learner{number:03}.ipynb").write_text(submission(number), encoding="utf-8")
        begin = time.perf_counter()
        results = grade(folder, Path(place) / "grades.csv")
        minutes = (time.perf_counter() - begin) / 60
    right = [bool(verdict) for verdicts in results.values() for verdict in verdicts.values()]
    record("labs", "lab_grade_minutes", minutes, "min", CLASS, None, COMMAND)
    print(f"{CLASS} submissions in {minutes:.1f} min; {sum(right)} of {len(right)} answers right")


if __name__ == "__main__":
    proof()
    building()
    grading()
