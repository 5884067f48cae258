"""Chapter 00 exports no module: its four functions stand in the chapter and beside their checks, and must not drift apart."""
import ast
import inspect

import nbformat
import pytest

from lab_mutants_00 import RIGHT, WRONG
from sora_edu.checks.base import exercises, find, judge, trials
from sora_edu.checks.build import cards, chapter_notebook, derive, instructor
from sora_edu.labs import use

per_exercise = pytest.mark.parametrize("id", exercises("00"))


def marked(id: str) -> str:
    """The source of the function in the chapter's cell of an exercise."""
    sources = [cell.source for cell in nbformat.read(chapter_notebook("00"), as_version=4).cells if cell.cell_type == "code"]
    [(source, card)] = [(source, card) for source in sources for card in cards(source) if card.id == id]
    [node] = [node for node in ast.parse(source).body if getattr(node, "name", "") == card.name]
    return ast.get_source_segment(source, node)


@per_exercise
def test_chapter_and_checks_hold_the_same_function(id):
    assert marked(id) == inspect.getsource(find(id).function).rstrip()


@per_exercise
def test_the_checks_reject_the_wrong_and_accept_the_right(id):
    assert len(WRONG[id]) >= 10 and len(RIGHT[id]) >= 3
    assert not [name for name, wrong in WRONG[id].items() if judge(find(id), trials(find(id), wrong, 0))]
    for seed in range(3):
        for name, right in {"ours": find(id).function, **RIGHT[id]}.items(): assert (verdict := judge(find(id), trials(find(id), right, seed))), f"{name}: {verdict}"


@per_exercise
def test_use_says_that_no_clip_passes_through_a_warm_up(id):
    with pytest.raises(ValueError, match="no clip of Sora passes through"): use(id, next(iter(RIGHT[id].values())))
    assert id not in use.yours and 'use("00' not in instructor("00").replace("&quot;", '"')


def test_a_derived_notebook_keeps_no_state_of_widgets():
    for solved in (False, True): assert "widgets" not in derive("00", solved).metadata
