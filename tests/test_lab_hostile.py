"""Submissions that are broken or mean harm: each is stopped in time, costs the others nothing, and gets no more than it earned."""
import csv
import json
import shutil
import time
from pathlib import Path

import nbformat
import pytest
import torch

import sora_edu
from sora_edu.checks.base import exercises
from sora_edu.checks.build import derive
from sora_edu.checks.grade import Limits, blank_package, grade, grade_one, hidden, unpack

LIMITS = Limits(seconds=3, notebook_megabytes=2)
RIGHT = '''#| exercise 03.1
def grid_size(size, patch_size):
    if any(l % p for l, p in zip(size, patch_size)): raise ValueError("does not divide")
    return tuple(l // p for l, p in zip(size, patch_size))'''
PATCHIFY = "#| exercise 03.2\ndef patchify(x, patch_size):\n    "
STEAL = "import sora_edu, importlib, sys\nfrom pathlib import Path\n"

# The bodies of `patchify`; a {name} is filled in by the test.
HOSTILE = {
    "endless loop": "while True: pass",
    "endless print": "while True: print('x' * 1000)",
    "endless memory": "return [bytearray(1 << 26) for _ in range(128)]",
    "eight gigabytes at once": "return torch.zeros(2_000_000_000)",
    "deep recursion": "return patchify(x, patch_size)",
    "fork bomb": "import os\n    while True: os.fork()",
    "thread bomb": "import threading\n    while True: threading.Thread(target=lambda: threading.Event().wait()).start()",
    "programs": "import subprocess\n    while True: subprocess.Popen(['sleep', '60'])",
    "exit": "import os\n    os._exit(0)",
    "kill": "import os\n    os.kill(os.getppid(), 9)",
    "abort": "raise KeyboardInterrupt",
    "input": "return input()",
    "catches everything": "while True:\n        try: time.sleep(1)\n        except BaseException: pass",
    "network": "import socket\n    return socket.create_connection(('127.0.0.1', 80))",
    "fills the disk": "while True: open('big', 'ab').write(bytes(1 << 20))",
    "writes outside": "open('{outside}/mine', 'w').write('x')\n    return x",
    "deletes": "import shutil\n    shutil.rmtree('{outside}')\n    return x",
    "huge answer": "return [x] * 10**7",
    "unsendable answer": "return object()",
    "sparse answer": "return x.flatten(1).to_sparse()",
    "error that cannot be told": "class Mute(Exception):\n        def __str__(self): raise RuntimeError\n    raise Mute",
    "lying answer": "return type('Tensor', (), dict(shape=(1,), __eq__=lambda *_: True))()",
    "not finite": "return x.flatten(1)[:, None] * float('nan')",
}
FORGED = {
    "reads the package": "exec(open('{package}/patches.py').read(), names := {{}}); return names['patchify'](x, patch_size)",
    "reads the package without Python": "import torch; return bytes(torch.from_file('{package}/patches.py', size=4000, dtype=torch.uint8).numpy())",
    "imports the package": "import sora_edu.patches; return sora_edu.patches.patchify(x, patch_size)",
    "reads the chapter": "import json; return json.load(open('{package}/../nbs/03_patches.ipynb'))",
    "reads the tests": "return open('{package}/../tests/lab_mutants.py').read()",
    "reads a neighbour": "return open('{class_}/ada.ipynb').read()",
    "lifts the fence": "import sora_edu.checks.runner as r; r.FORBIDDEN = (); r.os.path.realpath = str; return open('{package}/patches.py').read()",
    "writes the score": "import os, json, struct; m = json.dumps(dict(id='03.2', outcomes=[], score=100, right=True)).encode()\n    for pipe in range(3, 20):\n        try: os.write(pipe, struct.pack('<II', len(m), 0) + m)\n        except OSError: pass\n    return x",
    "writes noise": "import os\n    for pipe in range(3, 20):\n        try: os.write(pipe, bytes(range(256)) * 99)\n        except OSError: pass\n    return x",
    "patches the judge": "import sora_edu.checks.base as b; b.judge = lambda *_: True; b.same = lambda *_: True; b.Verdict.__bool__ = lambda _: True; return x",
    "patches torch": "torch.equal = torch.allclose = torch.Tensor.equal = lambda *_, **__: True; return x",
}


def notebook(*cells: str, **metadata) -> str:
    return json.dumps(dict(nbformat=4, nbformat_minor=5, metadata=metadata, cells=[dict(cell_type="code", id=f"c{i}", metadata={}, execution_count=None, outputs=[], source=cell)
                                                                                     for i, cell in enumerate(cells)]))


@pytest.fixture(scope="module")
def known(): return {id: e for id, e in exercises("03").items() if id in ("03.1", "03.2")}


@pytest.fixture(scope="module")
def blank(tmp_path_factory):
    folder = tmp_path_factory.mktemp("blank")
    blank_package(folder, "03")
    return folder


@pytest.fixture(scope="module")
def class_(tmp_path_factory):
    """A folder of submissions, with the solutions as the one by Ada."""
    folder = tmp_path_factory.mktemp("class")
    (folder / "ada.ipynb").write_text(nbformat.writes(derive("03", solved=True)), encoding="utf-8")
    return folder


@pytest.fixture
def tried(known, blank, class_):
    """The verdicts on a notebook, and the seconds they took."""
    def run(text: str | bytes):
        file = class_ / "mallory.ipynb"
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        begin = time.perf_counter()
        try: return grade_one(file, known, [1, 2], blank, hidden(class_), LIMITS), time.perf_counter() - begin
        finally: file.unlink()
    return run


@pytest.fixture(scope="module")
def start(known, blank, class_):
    """Seconds that a process needs before any code of a learner runs."""
    begin = time.perf_counter()
    assert all(grade_one(class_ / "ada.ipynb", known, [1, 2], blank, hidden(class_), LIMITS).values())
    return time.perf_counter() - begin


# --- mean ----------------------------------------------------------------------------------------

@pytest.mark.fault(17)
@pytest.mark.parametrize("name", HOSTILE)
def test_stopped_in_time_and_the_rest_counts(name, tried, start, tmp_path):
    (tmp_path / "precious").write_text("mine")
    verdicts, seconds = tried(notebook("import time, torch", RIGHT, PATCHIFY + HOSTILE[name].replace("{outside}", str(tmp_path))))
    assert verdicts["03.1"] and not verdicts["03.2"]
    assert verdicts["03.2"].sentence and "\n" not in verdicts["03.2"].sentence
    assert seconds < LIMITS.seconds + 5 + 3 * start        # at most two more processes were started
    assert [file.name for file in tmp_path.iterdir()] == ["precious"]


@pytest.mark.fault(17)
@pytest.mark.parametrize("name", FORGED)
def test_never_above_honest(name, tried, class_, tmp_path):
    import sora_edu
    package = list(sora_edu.__path__)[0]
    body = FORGED[name].replace("{package}", package).replace("{class_}", str(class_)).replace("{{}}", "{}")
    verdicts, _ = tried(notebook("import torch", RIGHT, PATCHIFY + body))
    assert verdicts["03.1"] and not verdicts["03.2"], repr(verdicts["03.2"])


@pytest.mark.fault(17)
def test_a_patched_check_changes_nothing(tried):
    verdicts, _ = tried(notebook("check = judge = lambda *_: True", RIGHT, PATCHIFY + "return x", 'check("03.2")'))
    assert verdicts["03.1"] and not verdicts["03.2"]


# --- broken --------------------------------------------------------------------------------------

@pytest.mark.fault(17)
@pytest.mark.parametrize("name, text, sentence", [
    ("empty file", "", "not a notebook"), ("text", "hello", "not a notebook"), ("bytes", b"\xff\xfe\x00", "not a notebook"), ("a list", "[]", "not a notebook"),
    ("cells are no list", '{"cells": 3}', "not a notebook"), ("a cell is no cell", '{"cells": [3]}', "not a notebook"), ("source is a number", '{"cells": [{"cell_type": "code", "source": 3}]}', "not a notebook"),
    ("deeply nested", "[" * 200_000, "not a notebook"), ("no cells", notebook(), "no code"), ("blank cells", notebook("", "  "), "no code"),
    ("too large", notebook("x = 1", "#" * 3_000_000), "larger than 2 MB")])
def test_broken_notebooks(name, text, sentence, tried):
    verdicts, seconds = tried(text)
    assert not any(verdicts.values()) and all(sentence in v.sentence for v in verdicts.values())
    assert seconds < 5


@pytest.mark.parametrize("name, cells, sentence", [
    ("syntax error", [RIGHT, PATCHIFY + "return ("], "the cell cannot be read: SyntaxError"),
    ("missing function", [RIGHT], "there is no function patchify"),
    ("NUL in the code", [RIGHT, PATCHIFY + "return '\0'"], "cannot be read"),
    ("not called patchify and not alone", [RIGHT, "#| exercise 03.2\ndef a(): pass\ndef b(): pass"], "there is no function patchify"),
    ("fails on import", [RIGHT, "import no_such_module\n" + PATCHIFY.split("\n", 1)[1] + "return no_such_module.cut(x)"], "no_such_module"),
    ("no function at all", [RIGHT, "patchify = 3"], "not callable"),
    ("deep expression", [RIGHT, PATCHIFY + "return " + "(" * 300 + "x" + ")" * 300], "cannot be read")])
def test_broken_code_is_told(name, cells, sentence, tried):
    verdicts, _ = tried(notebook(*cells))
    assert verdicts["03.1"] and not verdicts["03.2"] and sentence in verdicts["03.2"].sentence, repr(verdicts["03.2"])


@pytest.mark.parametrize("metadata", [{}, dict(kernelspec=dict(name="julia", language="julia", display_name="Julia")), dict(kernelspec=3)])
def test_wrong_kernel_metadata_does_not_matter(metadata, tried):
    verdicts, _ = tried(notebook(RIGHT, **metadata))
    assert verdicts["03.1"]


@pytest.mark.parametrize("cells", [
    [RIGHT.replace("#| exercise 03.1\n", "")], ["%matplotlib inline\n!ls\n" + RIGHT], [RIGHT, RIGHT], ["def patchify(x, p): return x", "1 / 0", RIGHT],
    ['#| exercise 03.1\ndef grid_size(size, patch_size):\n    raise NotImplementedError("exercise 03.1")', RIGHT],
    [RIGHT, '#| exercise 03.1\ndef grid_size(size, patch_size):\n    raise NotImplementedError("exercise 03.1")'],
    ["def fits(l, p): return l % p == 0", RIGHT.replace("l % p for", "not fits(l, p) for")]],
    ids=["no directive", "magics", "twice", "another cell fails", "the stub kept before", "the stub kept behind", "a helper in another cell"])
def test_answers_are_found_by_exercise_not_by_place(cells, tried):
    verdicts, _ = tried(notebook(*cells))
    assert verdicts["03.1"], repr(verdicts["03.1"])


# --- the class -----------------------------------------------------------------------------------

@pytest.mark.fault(17)
def test_the_class_run_goes_on(class_, tmp_path):
    folder = tmp_path / "class"
    shutil.copytree(class_, folder)
    (folder / "loop.ipynb").write_text(notebook("import torch", RIGHT, PATCHIFY + HOSTILE["endless loop"]), encoding="utf-8")
    (folder / "<img src=x onerror=alert(1)>.ipynb").write_text(notebook(PATCHIFY + "raise ValueError('<script>alert(1)</script>')"), encoding="utf-8")
    (folder / "=cmd.ipynb").write_text("nothing", encoding="utf-8")
    grade(folder, tmp_path / "grades.csv", "03", LIMITS)
    rows = {row["student"]: row for row in csv.DictReader((tmp_path / "grades.csv").open(encoding="utf-8"))}
    assert {name: row["score"] for name, row in rows.items()} == {"ada": "6", "loop": "1", "<img src=x onerror=alert(1)>": "0", "'=cmd": "0"}
    pages = "".join(page.read_text(encoding="utf-8") for page in (tmp_path / "grades_feedback").iterdir())
    assert len(list((tmp_path / "grades_feedback").iterdir())) == 4
    assert "<script" not in pages and "<img" not in pages and "&lt;script&gt;" in pages
    items = list(csv.DictReader((tmp_path / "grades_items.csv").open(encoding="utf-8")))
    assert [item["exercise"] for item in items] == list(exercises("03")) and items[0]["right"] == "0.5" and all(item["commonest_failure"] for item in items)


def test_a_machine_on_which_no_submission_can_run_is_told_and_nobody_gets_a_zero(class_, tmp_path, monkeypatch):
    monkeypatch.setattr("sora_edu.checks.grade.alone", lambda hidden: ["false"])
    with pytest.raises(OSError, match="lab grade: .* does not start"): grade(class_, tmp_path / "grades.csv", "03", LIMITS)
    assert not list(tmp_path.iterdir())


def test_what_is_no_file_is_no_submission(class_, tmp_path):
    import os
    folder = tmp_path / "class"
    shutil.copytree(class_, folder)
    os.mkfifo(folder / "pipe.ipynb")
    (folder / "lost.ipynb").symlink_to(tmp_path / "nowhere")
    (folder / "folder.ipynb").mkdir()
    assert list(grade(folder, tmp_path / "grades.csv", "", LIMITS)) == ["ada"]


@pytest.mark.parametrize("given, said", [(dict(chapter="99"), "chapter"), (dict(chapter="03", submissions="nowhere"), "submissions"), (dict(), "no notebook holds a line")])
def test_nothing_to_grade_is_one_clear_error(given, said, tmp_path):
    (tmp_path / "odd.ipynb").write_text(notebook("x = 1"), encoding="utf-8")
    with pytest.raises(ValueError, match=said): grade(**{"submissions": tmp_path, "out": tmp_path / "grades.csv", **given})


@pytest.mark.fault(17)
@pytest.mark.parametrize("forged", [{"tensor": "9"}, {"array": "9"}, {"array": []}, {"array": None}, {}, {"array": "0", "tensor": "9"}, {"array": "1"}])
def test_a_forged_value_is_never_right_and_stops_nothing(forged):
    value = unpack([forged], {"0": torch.zeros(2), "1": torch.zeros(2, dtype=torch.bfloat16)})
    assert type(value[0]) is object


def test_an_answer_may_use_what_an_earlier_chapter_built(tmp_path):
    blank_package(tmp_path, "04")
    here = Path(sora_edu.__path__[0])
    same = {name: (tmp_path / "sora_edu" / name).read_text() == (here / name).read_text() for name in ("patches.py", "vae.py", "world.py")}
    assert same == {"patches.py": True, "vae.py": False, "world.py": True}
