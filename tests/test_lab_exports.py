"""What the real nbgrader and Otter make of the exports: no solution gets out, and the marks are those of `sora-edu lab grade`."""
import json
import os
import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.nbgraderformat import MetadataValidator
from otter.run import AutograderConfig
from otter.test_files import GradingResults
from otter.test_files.exception_test import ExceptionTestFile
from traitlets.config import Config

from lab_mutants import RIGHT, WRONG
from sora_edu.checks.base import Verdict, chapters, exercises, find, judge, trials
from sora_edu.checks.build import build, derive, for_nbgrader
from sora_edu.checks.grade import Limits, grade, gradescope, write

ROOT = Path(__file__).resolve().parents[1]
STUB = r"# YOUR CODE HERE\n *raise NotImplementedError\(\)"   # nbgrader's
BLANK = r'raise NotImplementedError\("exercise \d\d\.\d"\)'     # ours
per_chapter = pytest.mark.parametrize("chapter", chapters())


def about(cell) -> dict:
    return cell.metadata.get("nbgrader", {})


# --- nbgrader ------------------------------------------------------------------------------------

@per_chapter
def test_nbgrader_accepts_the_metadata(chapter):
    notebook = for_nbgrader(chapter)
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    tests = [(about(cell).grade_id, about(cell).points) for cell in notebook.cells if about(cell).get("grade")]
    assert sorted(tests) == sorted((f"check-{id.replace('.', '-')}", 1) for id in exercises(chapter))   # in a chapter they stand where their functions do


@pytest.fixture(scope="module", autouse=True)
def commands_beside_python():
    """nbgrader calls the command `alembic`, which lies in the environment; that need not be an activated one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
        yield


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A folder with a course of nbgrader, in which each chapter has become an assignment; and the course."""
    folder = tmp_path_factory.mktemp("course")
    patience = dict(timeout=600, startup_timeout=600, iopub_timeout=600)   # a busy machine is no mistake of a learner
    config = Config(CourseDirectory=dict(root=str(folder)), Execute=patience)
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    for chapter in chapters():
        source = folder / "source" / chapter / "lab.ipynb"
        source.parent.mkdir(parents=True)
        next(file for file in build([chapter], folder / "built") if file.name == "nbgrader.ipynb").rename(source)
        done = api.generate_assignment(chapter)
        assert done["success"], done["log"]
    return folder, api


def released(course, chapter):
    return nbformat.read(course[0] / "release" / chapter / "lab.ipynb", as_version=4)


@per_chapter
def test_released_notebook_is_the_student_notebook(course, chapter):
    pairs = list(zip(released(course, chapter).cells, derive(chapter, solved=False).cells, strict=True))
    for theirs, ours in pairs:
        if about(theirs).get("grade"): assert ours.source in theirs.source
        else: assert re.sub(STUB, "", theirs.source) == re.sub(BLANK, "", ours.source)
    assert sum(len(re.findall(STUB, theirs.source)) for theirs, _ in pairs) == len(exercises(chapter))


def hand_in(notebook, learner: str) -> None:
    """Write a learner's answers into the released notebook of chapter 03."""
    solved = {about(cell)["grade_id"]: cell.source for cell in for_nbgrader("03").cells if about(cell)}
    answers = [cell for cell in notebook.cells if about(cell).get("solution")]
    if learner == "mallory":   # writes no answer at all
        answers[0].source = "import sora_edu.labs\nsora_edu.labs.check = lambda id: True"
        return
    for cell in answers: cell.source = solved[about(cell)["grade_id"]]
    positions, right = next(cell for cell in answers if "exercise 03.4" in cell.source), "return torch.cartesian_prod(*axes)"
    assert right in positions.source
    changed = {"ada": f"import warnings; warnings.warn('this is slow'); {right}", "ben": f"{right}.flip(1)"}
    positions.source = positions.source.replace(right, changed[learner])


@pytest.fixture(scope="module")
def marks(course):
    """nbgrader's points: {learner: {exercise id: points}}."""
    folder, api = course
    found = {}
    for learner in ("ada", "ben", "mallory"):
        notebook, file = released(course, "03"), folder / "submitted" / learner / "03" / "lab.ipynb"
        hand_in(notebook, learner)
        file.parent.mkdir(parents=True)
        nbformat.write(notebook, file)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(ROOT))   # for the kernel
            done = api.autograde("03", learner)
        assert done["success"], done["log"]
        with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
            grades = book.find_submission_notebook("lab", "03", learner).grades
            found[learner] = {grade.name.removeprefix("check-").replace("-", "."): grade.auto_score for grade in grades}
    return found


def test_nbgrader_takes_a_point_for_each_wrong_answer(marks):
    all_right = dict.fromkeys(exercises("03"), 1)
    assert marks["ada"] == all_right, "a warning is no mistake"
    assert marks["ben"] == all_right | {"03.4": 0}


@pytest.mark.skipif(os.name != "posix", reason="lab grade needs process limits")
def test_lab_grade_gives_the_same_marks_but_not_to_a_forger(course, marks, tmp_path):
    grade(course[0] / "submitted", tmp_path / "grades.csv", "03", Limits(seconds=100, start=600))
    files = sorted((tmp_path / "grades_gradescope").iterdir())
    results = {file.name.split("_")[0]: json.loads(file.read_text(encoding="utf-8")) for file in files}
    ours = {learner: {test["number"]: test["score"] for test in result["tests"]} for learner, result in results.items()}
    assert marks["mallory"] == marks["ada"], "nbgrader can be forged now as then: the instructor's page says so"
    assert ours == marks | {"mallory": dict.fromkeys(exercises("03"), 0)}


# --- Otter and Gradescope ------------------------------------------------------------------------

QUESTION = """
from otter.test_files import test_case
from sora_edu.labs import check

OK_FORMAT = False
name, points = "{id}", 1

@test_case()
def right({function}):
    verdict = check("{id}", {function})
    assert verdict, verdict
"""


def test_results_are_what_otter_writes_for_gradescope(tmp_path):
    answers = {id: next(iter((WRONG if id in ("03.2", "03.5") else RIGHT)[id].values())) for id in exercises("03")}
    questions = []
    for id in answers:
        (tmp_path / f"{id}.py").write_text(QUESTION.format(id=id, function=find(id).name), encoding="utf-8")
        questions.append(ExceptionTestFile.from_file(str(tmp_path / f"{id}.py")))
        questions[-1].run({find(id).name: answers[id]})
    otter = GradingResults(questions)
    _, *theirs = otter.to_gradescope_dict(AutograderConfig({"show_hidden": True, "show_all_public": True}))["tests"]
    ours = gradescope({id: judge(find(id), trials(find(id), answer, 0)) for id, answer in answers.items()})
    ours = json.loads(json.dumps(ours))
    assert (ours["score"], sum(test["max_score"] for test in ours["tests"])) == (otter.total, otter.possible) == (4, 6)
    for mine, other in zip(ours["tests"], theirs, strict=True):
        assert mine["number"] == other["name"] and other.keys() <= mine.keys()
        assert [mine[key] for key in ("score", "max_score", "visibility")] == [other[key] for key in ("score", "max_score", "visibility")]
        assert mine["output"] in other["output"] and mine["status"] == ("passed" if mine["score"] else "failed")
        assert mine["output_format"] == "text"


def test_whatever_a_learner_raises_can_be_written(tmp_path):
    said = "it raised ValueError: \ud800 <b>\"'"   # half a character, and markup
    write({"ada": {id: Verdict(id, e.name, "shape", said) for id, e in exercises("03").items()}}, exercises("03"), tmp_path / "grades.csv")
    results = json.loads((tmp_path / "grades_gradescope" / "ada-000.json").read_text(encoding="utf-8"))
    assert {(test["output"], test["output_format"]) for test in results["tests"]} == {(said.replace("\ud800", "?"), "text")}
