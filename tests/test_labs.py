"""Labs: a wrong answer cannot pass, a right one is not refused, and everything derived is in step with the chapter."""
import ast
import inspect
import re
import subprocess
import sys
import textwrap
from importlib import import_module
from pathlib import Path

import nbformat
import pytest
import torch
from einops import rearrange
from hypothesis import given, settings
from hypothesis import strategies as st

import sora_edu.patches
from sora_edu.checks.base import chapters, exercises, find, judge, shape_sentence, trials
from sora_edu.checks.build import blank, bodies, build, card_text, cards, chapter_notebook, derive, instructor, slides, unlinked
from sora_edu.labs import check, hint, places, put, use
from sora_edu.diffusion import shift_t
from sora_edu.patches import attention_mask, grid_size, patchify

ROOT = Path(__file__).parents[1]
IDS = [id for chapter in chapters() for id in exercises(chapter)]
per_exercise = pytest.mark.parametrize("id", IDS)
SETS = {each.__name__.removeprefix("lab_mutants"): each for each in (import_module(path.stem) for path in sorted(Path(__file__).parent.glob("lab_mutants*.py")))}
WRONG, RIGHT = ({id: {f"{set}: {name}": f for set, each in SETS.items() for name, f in getattr(each, kind).get(id, {}).items()} for id in IDS} for kind in ("WRONG", "RIGHT"))
ACCEPTED = {id: {f"{set}: {name}" for set, each in SETS.items() for name in getattr(each, "ACCEPTED", {}).get(id, ())} for id in IDS}   # wrong, and not caught
per_chapter = pytest.mark.parametrize("chapter", chapters())


# --- checks --------------------------------------------------------------------------------------

@per_exercise
def test_wrong_answers_are_rejected(id):
    assert len(WRONG[id]) >= 10
    passed = {name for name, wrong in WRONG[id].items() if judge(find(id), trials(find(id), wrong, 0))}
    assert passed == ACCEPTED[id]


def test_the_mark_of_all_exercises_together():
    assert sum(map(len, ACCEPTED.values())) <= 0.05 * sum(map(len, WRONG.values()))


@per_exercise
def test_right_answers_are_accepted(id):
    assert len(RIGHT[id]) >= 3
    for seed in range(3):
        for name, right in {"the package's": find(id).function, **RIGHT[id]}.items():
            verdict = judge(find(id), trials(find(id), right, seed))
            assert verdict, f"{name}: {verdict}"


def swapped(x, p): return patchify(x, p).mT
def other_order(x, p): return patchify(x, p).flip(1)
def twice(x, p): return 2 * patchify(x, p)
class Mute(Exception):
    def __str__(self): raise RuntimeError


def moody(x, p, calls=[]):
    calls.append(x)
    return patchify(x, p) if len(calls) % 2 else None


def mute(x, p): raise Mute
def unchecked(x, p): return patchify(x[..., :x.shape[-3] // p[0] * p[0], :x.shape[-2] // p[1] * p[1], :x.shape[-1] // p[2] * p[2]], p)
def unwritten(x, p): raise NotImplementedError("exercise 03.2")
def fails(x, p): return x.no_such_thing


@pytest.mark.parametrize("function, stage, said", [
    (swapped, "shape", r"expected \(b, n, d\) = \(\d+, \d+, \d+\), got \(\d+, \d+, \d+\): channels and tokens look swapped"),
    (lambda x, p: None, "shape", r"expected a tensor \(b, n, d\) = .* got NoneType"),
    (lambda x, p: patchify(x, p)[0], "shape", "3 axes are wanted, not 2"),
    (lambda x, p: patchify(x, p).double(), "shape", "expected the dtype torch.float32, got torch.float64"),
    (lambda x, p: patchify(x.detach(), p), "manner", "the gradient is lost on the way"), (lambda x, p: patchify(x.mul_(2), p) / 2, "manner", "it changed its argument x in place"),
    (lambda x, p: patchify(x, p) + torch.rand(()), "manner", "another answer when it is called again"), (unchecked, "error", "it must raise ValueError: frames=9 is not a multiple .* raised nothing"),
    (moody, "manner", "another answer when it is called again"), (lambda x, p: patchify(x, p).to_sparse(), "shape", "an ordinary tensor"), (lambda x, p: patchify(x, p).to("meta"), "shape", "an ordinary tensor"), (mute, "shape", "it raised .*Mute"),
    (lambda x, p: patchify(x, p) / 0, "shape", "NaN or infinite"),
    (other_order, "law", "token 0 must be the first box"), (twice, "law", "every value of the clip once"),
    (lambda x, p: torch.cat([patchify(x, p)[:, :1], patchify(x, p)[:, 1:].flip(1)], 1), "value", "the right values in another order"),
    (unwritten, "shape", "not written yet"), (fails, "shape", r"AttributeError: .*no_such_thing.*\(line \d+: `def fails"), (lambda x: x, "shape", "it raised TypeError")])
def test_a_check_tells_the_first_thing_that_is_wrong(function, stage, said):
    verdict = check("03.2", function)
    assert not verdict and verdict.stage == stage and re.search(said, verdict.sentence), repr(verdict)
    assert "\n" not in repr(verdict) and re.fullmatch(r"03\.2 patchify: \w+: .+ \(case: .+\)", repr(verdict))


def test_one_of_several_results_is_told_by_its_place():
    from sora_edu.evaluation import tracks
    said = check("12.1", lambda masks: tuple(result.mean(1) for result in tracks(masks)))
    assert said.stage == "shape" and re.search(r"entry 0: expected \(axis 0, axis 1\) = .* 2 axes are wanted, not 1", said.sentence), repr(said)
    said = check("12.1", lambda masks: tuple(result.mT for result in tracks(masks)))
    assert said.stage == "shape" and "look swapped" in said.sentence, repr(said)
    said = check("12.1", lambda masks: (*tracks(masks)[:3], 2 * tracks(masks)[3]))
    assert said.stage == "value" and "first at (axis 0, axis 1) = (" in said.sentence, repr(said)


def test_a_right_answer_is_told_what_comes_on_submission():
    verdict = check("03.2", patchify)
    assert verdict and "On submission" in repr(verdict)


def test_value_sentences_name_place_and_numbers():
    squared = lambda t, shift: shift_t(t, shift) ** (2 if shift > 0 else 1)
    assert re.search(r"values are wrong, first at \(b\) = \(\d\): expected 0\.\d+, got 0\.\d+", check("05.4", squared).sentence)
    turned = lambda clip_id: ~attention_mask(clip_id) | torch.eye(clip_id.shape[1], dtype=torch.bool)
    assert re.search(r"first at \(b, n, n\) = \(0, \d, \d\): expected (True, got False|False, got True)", check("03.6", turned).sentence)


def test_videos_are_shown_beside_each_other():
    shown = check("03.3", lambda tokens, size, patch_size: -sora_edu.patches.unpatchify(tokens, size, patch_size))._repr_html_()
    assert "<img" in shown and 'alt="' in shown and "expected" in shown and "yours" in shown


@pytest.mark.fault(18)
def test_a_verdict_never_becomes_markup():
    def evil(x, p): raise ValueError("<script>alert(1)</script>")
    assert "<script" not in check("03.2", evil)._repr_html_()


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.randoms())
@settings(deadline=None, max_examples=100)
def test_shape_sentences_name_a_swap_only_where_there_is_one(expected, random):
    got = list(expected)
    random.shuffle(got)
    said = shape_sentence(tuple(expected), tuple(got), [f"axis {i}" for i in range(len(got))]) if got != expected else ""
    moved = [i for i in range(len(got)) if got[i] != expected[i]]
    assert ("swapped" in said) == (len(moved) == 2)
    assert all(f"axis {i}" in said.split("got")[1] for i in moved)


def test_check_finds_the_function_in_the_notebook_and_in_a_fresh_process():
    code = "import sora_edu.labs as labs\ndef grid_size(size, patch_size): return 3\nprint(labs.check('03.1'))\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert "03.1 grid_size: shape: expected a tuple of 3, got int" in done.stdout, done.stderr


@pytest.mark.parametrize("id", ["03.99", "99.1", "", "x", "3.2", None])
def test_unknown_exercises_are_one_clear_error(id):
    for ask in (check, hint): pytest.raises(ValueError, ask, id).match("exercise: expected")


def test_check_without_a_function_says_what_to_do():
    with pytest.raises(ValueError, match="there is no positions in this notebook; run the cell of exercise 03.4"): check("03.4")
    with pytest.raises(ValueError, match="the package's own"): check("03.2")      # imported above


# --- hints ---------------------------------------------------------------------------------------

@per_exercise
def test_hints_come_one_at_a_time_and_are_not_the_answer(id):
    exercise = find(id)
    given = [hint(id) for _ in exercise.hints]
    assert len(exercise.hints) >= 2 and len(set(given)) == len(given) and given[0].startswith("Hint 1 of")
    assert hint(id) == given[0]
    for piece in pieces(exercise.function): assert not any(piece in said for said in given), piece


def pieces(function) -> set[str]:
    """What a function's body is made of: its longer expressions and the halves of its einops patterns. The name of a tool is no piece."""
    nodes = [node for statement in ast.parse(textwrap.dedent(inspect.getsource(function))).body[0].body[1:] for node in ast.walk(statement)]
    patterns = {half.strip() for node in nodes if isinstance(node, ast.Constant) and "->" in str(node.value) for half in node.value.split("->")} - {""}
    return patterns | {text for node in nodes if isinstance(node, ast.expr) and len(text := ast.unparse(node)) > (18 if isinstance(node, ast.Subscript) else 24)}


# --- use -----------------------------------------------------------------------------------------

@pytest.fixture
def clean():
    """Swaps are undone at the end."""
    yield
    for id, function in use.yours.items(): put(places(find(id).name, function), find(id).function)
    use.yours.clear()


def test_the_pipeline_runs_on_the_learners_code(clean):
    from sora_edu.pipeline import Sora
    sora, calls = Sora.from_pretrained("nano"), []
    def mine(x, patch_size):
        calls.append(tuple(x.shape))
        if x.ndim != 5: raise ValueError("a clip has five axes")
        f, h, w = grid_size(tuple(x.shape[2:]), patch_size)
        return torch.stack([x[:, :, i * patch_size[0]:(i + 1) * patch_size[0], j * patch_size[1]:(j + 1) * patch_size[1], k * patch_size[2]:(k + 1) * patch_size[2]].flatten(1)
                            for i in range(f) for j in range(h) for k in range(w)], 1)
    before = sora("a red circle moves right", steps=2)
    assert "0 of" in use.report()
    use("03.2", mine)
    calls.clear()
    assert torch.equal(sora("a red circle moves right", steps=2), before) and calls
    report = use.report()
    share = re.match(r"1 of (\d+) functions on the path of a clip are yours", report)
    assert share and int(share[1]) > 40 and "yours: 03.2 patchify" in report and "03.1 grid_size" in report
    use("03.2", lambda x, p: mine(x, p))                 # a second answer takes the place of the first
    assert torch.equal(sora("a red circle moves right", steps=2), before)


def test_methods_are_swapped_in_their_class(clean):
    from sora_edu.diffusion import NoiseProcess, RectifiedFlow, broadcast_t, check_same_shape
    def mine(self, x, noise, t):
        check_same_shape(x, noise=noise)
        if not ((t >= 0) & (t <= 1)).all(): raise ValueError("t must lie in [0, 1]")
        alpha, sigma = self.alpha_sigma(broadcast_t(t, x))
        return alpha * x + sigma * noise
    use("05.2", mine)
    assert NoiseProcess.add_noise is mine and RectifiedFlow.add_noise is mine


def test_a_refused_function_that_the_package_uses_itself_stays_where_it_was(clean):
    unpatchify = sora_edu.patches.unpatchify
    with pytest.raises(ValueError, match="not swapped in"): use("03.3", patchify)
    assert sora_edu.patches.patchify is patchify and sora_edu.patches.unpatchify is unpatchify


def test_a_check_that_is_interrupted_leaves_the_package_as_it_was(clean):
    def interrupted(x, p): raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt): use("03.2", interrupted)
    assert sora_edu.patches.patchify is patchify


@pytest.mark.parametrize("function, said", [(swapped, "channels and tokens look swapped"), (patchify, "the package's own"),
                                            (lambda x, p: sora_edu.patches.patchify(x, p), "RecursionError")])
def test_use_refuses_and_says_why(function, said, clean):
    with pytest.raises(ValueError, match=said): use("03.2", function)
    assert sora_edu.patches.patchify is patchify and not use.yours


# --- what is derived from a chapter --------------------------------------------------------------

@pytest.mark.parametrize("line", ["#| exercise", "#| exercise 3.2 difficulty=2 minutes=15", "#| exercise 03.2 difficulty=6 minutes=15", "#| exercise 03.2 minutes=15 difficulty=2", "#| exercise 03.2 difficulty=2 minutes=x"])
def test_a_directive_that_cannot_be_read_is_one_clear_error(line):
    with pytest.raises(ValueError, match="exercise: expected '#| exercise 03.2"): cards(f"{line}\ndef f(): pass")


def test_blank_keeps_signature_and_docstring_and_all_around():
    source = 'def f(x: int) -> int:\n    """Twice."""\n    y = x\n    return 2 * y\n\n\nclass A:\n    "A"\n    def g(self):\n        return 1\n\n    def h(self): return 2'
    assert blank(source, {"f": "03.1", "A.g": "03.2"}) == ('def f(x: int) -> int:\n    """Twice."""\n    raise NotImplementedError("exercise 03.1")\n\n\nclass A:\n    "A"\n'
                                                           '    def g(self):\n        raise NotImplementedError("exercise 03.2")\n\n    def h(self): return 2')
    for name, said in (("A.h", "lines of its own"), ("nobody", "no function 'nobody'")): pytest.raises(ValueError, blank, source, {name: "03.1"}).match(said)


@per_chapter
def test_the_student_gets_no_solution_and_everything_else(chapter):
    student, solution, master = derive(chapter, False), derive(chapter, True), nbformat.read(chapter_notebook(chapter), 4)
    code = "\n".join(cell.source for cell in student.cells)
    for id, exercise in exercises(chapter).items():
        assert f'raise NotImplementedError("exercise {id}")' in code and f'check("{id}")' in code
        assert inspect.getdoc(exercise.function).splitlines()[0] in code
        source = textwrap.dedent(inspect.getsource(exercise.function))
        [(_, lines, _)] = bodies(source, {exercise.function.__name__: id})
        assert textwrap.dedent("\n".join(source.splitlines()[lines])) not in textwrap.dedent(code), id
        patterns = [half.strip() for text in re.findall('"([^"]+->[^"]+)"', source) for half in text.split("->")]
        assert not any(pattern in cell.source for pattern in patterns for cell in student.cells if cell.cell_type == "markdown"), f"{id}: the prose gives it away"
    assert "#| export" not in code and "" not in [cell.source for cell in student.cells] and not any(cell.get("outputs") for cell in student.cells)
    assert [c.source for c in student.cells if c.cell_type == "markdown"] == [c.source for c in solution.cells if c.cell_type == "markdown"]
    kept = [unlinked(cell.source) for cell in master.cells if cell.cell_type == "markdown"]
    assert [c.source for c in student.cells if c.cell_type == "markdown" and not c.source.startswith("**Exercise ")] == kept
    nbformat.validate(student), nbformat.validate(solution)


@per_chapter
def test_the_solutions_run_and_pass_their_checks_in_a_clean_kernel(chapter, tmp_path):
    from nbclient import NotebookClient
    notebook = derive(chapter, True)
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=dict(metadata=dict(path=str(chapter_notebook(chapter).parent)))).execute()
    told = [cell.outputs[0]["data"]["text/plain"] for cell in notebook.cells if cell.id.startswith("check-")]
    assert len(told) == len(exercises(chapter)) and all(": right." in text for text in told), told


def test_chapter_and_checks_must_name_the_same_exercises(monkeypatch):
    known = exercises("03")
    import sora_edu.checks.build as module
    monkeypatch.setattr(module, "exercises", lambda chapter: {id: e for id, e in known.items() if id != "03.4"})
    with pytest.raises(ValueError, match="03.4 has no check"): derive("03", True)
    monkeypatch.setattr(module, "exercises", lambda chapter: known | {"03.9": known["03.1"]})
    with pytest.raises(ValueError, match="chapter 03 marks"): derive("03", True)


def test_exported_modules_show_no_trace():
    for file in (ROOT / "sora_edu").glob("*.py"): assert not re.search(r"#\|\s*exercise", file.read_text(encoding="utf-8")), file


@per_chapter
def test_the_instructors_page(chapter):
    page = instructor(chapter)
    for part in ("What to learn", "How to run the lab", "To discuss", "Common mistakes", "Hints, in their order", "container", f"sora-edu lab build {chapter}", "sora-edu lab grade"):
        assert part in page, part
    for id, exercise in exercises(chapter).items(): assert id in page and exercise.name in page and exercise.mistakes[0][:20] in page.replace("<code>", "`").replace("</code>", "`")
    shown = slides(chapter)
    assert shown.count("<section>") > 5 and not re.search(r"<img(?![^>]*\balt=)|<script|https?:", shown)
    assert ".ipynb" not in re.sub("(student|solution|nbgrader).ipynb", "", page)


def test_build_writes_everything_and_says_what(tmp_path):
    written = build(["03"], tmp_path)
    assert all(file.exists() for file in written) and {file.suffix for file in written} == {".ipynb", ".html"}
    with pytest.raises(ValueError, match="chapter: expected the number of a notebook"): build(["77"], tmp_path)
    with pytest.raises(ValueError, match="chapter: expected one with exercises, .*03.*, got '99'"): exercises("99")


def test_a_card_says_what_a_learner_needs():
    [card] = cards("#| exercise 03.2 difficulty=2 minutes=15\ndef patchify(): pass")
    said = card_text(card, exercises("03"))
    assert "●●○○○" in said and "15 minutes" in said and 'hint("03.2")' in said
