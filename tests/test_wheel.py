"""A wheel built from the repository makes a clip by itself: no repository, no nbdev, no Lightning, no network."""
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BUILT_FROM = ["settings.ini", "setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "sora_edu", "data"]

GENERATE = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"nbdev", "fastcore", "execnb", "lightning", "pytorch_lightning", "IPython"}:
            raise ModuleNotFoundError(f"{name} is blocked in this test", name=name)

sys.meta_path.insert(0, Blocked())
import torch
torch.set_num_threads(1)
import sora_edu
from sora_edu.pipeline import Sora

clip = Sora.from_pretrained("nano")("a red circle moves right", seed=0)
print(sora_edu.__file__, tuple(clip.shape), float(clip.min()), float(clip.max()), float(clip.std()), sep="\\n")
"""


def run(*command, **kwargs) -> str:
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, **kwargs)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in BUILT_FROM:
        path = ROOT / name
        shutil.copytree(path, source / name) if path.is_dir() else shutil.copy(path, source)
    run("-m", "build", "--wheel", "--no-isolation", "--outdir", out, source)
    return next(out.glob("*.whl"))


def test_wheel_holds_modules_and_data_only(wheel):
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    shipped = {f"sora_edu/{p.relative_to(ROOT).as_posix()}" for p in (ROOT / "data").rglob("[!.]*") if p.is_file()}
    assert names == shipped | {p.relative_to(ROOT).as_posix() for p in (ROOT / "sora_edu").rglob("*.py")}


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> tuple[Path, dict]:
    """The folder with the package, and a working folder and environment in which nothing else is found."""
    site, elsewhere = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("elsewhere")
    run("-m", "pip", "install", "--no-deps", "--no-index", "--target", site, wheel)
    return site, dict(cwd=elsewhere, env=os.environ | {"PYTHONPATH": str(site), "HF_HUB_OFFLINE": "1"})


def test_wheel_generates_a_clip(installed):
    site, place = installed
    file, shape, low, high, std = run("-c", GENERATE, **place).splitlines()
    assert Path(file).is_relative_to(site)
    assert shape == "(1, 3, 17, 32, 32)"
    assert -1 <= float(low) <= float(high) <= 1 and float(std) > 0.05


def test_wheel_checks_and_grades_answers(installed, tmp_path):
    site, place = installed
    answer = ("#| exercise 03.1 difficulty=1 minutes=10\ndef grid_size(size, patch_size):\n    if any(l % p for l, p in zip(size, patch_size)): raise ValueError\n"
              "    return tuple(l // p for l, p in zip(size, patch_size))\n")
    assert "03.1 grid_size: right." in run("-c", f"from sora_edu.labs import check\n{answer}\nprint(check('03.1'))", **place)
    cells = [dict(cell_type="code", id="a", metadata={}, execution_count=None, outputs=[], source=answer)]
    (tmp_path / "ada.ipynb").write_text(json.dumps(dict(nbformat=4, nbformat_minor=5, metadata={}, cells=cells)), encoding="utf-8")
    run("-c", f"import sora_edu\nfrom sora_edu.cli import main\nassert sora_edu.__path__[0].startswith({str(site)!r})\nassert not main(['lab', 'grade', {str(tmp_path)!r}, '--out', {str(tmp_path / 'grades.csv')!r}])", **place)
    assert (tmp_path / "grades.csv").read_text().splitlines()[1].startswith("ada,1,6,1,0,")
