"""Labs: a wrong answer cannot pass, a right one is not refused, and everything derived is in step with the chapter."""
import pytest

from lab_mutants import RIGHT, WRONG
from sora_edu.checks.base import exercises, find, judge, trials

IDS = [id for chapter in ("03", "05") for id in exercises(chapter)]
per_exercise = pytest.mark.parametrize("id", IDS)


# --- checks --------------------------------------------------------------------------------------

@per_exercise
def test_wrong_answers_are_rejected(id):
    assert len(WRONG[id]) >= 10
    passed = [name for name, wrong in WRONG[id].items() if judge(find(id), trials(find(id), wrong, 0))]
    assert len(passed) <= 0.05 * len(WRONG[id]), f"accepted: {passed}"


@per_exercise
def test_right_answers_are_accepted(id):
    assert len(RIGHT[id]) >= 3
    for seed in range(3):
        for name, right in {"the package's": find(id).function, **RIGHT[id]}.items():
            verdict = judge(find(id), trials(find(id), right, seed))
            assert verdict, f"{name}: {verdict}"
