"""A wheel built from the repository makes a clip by itself: no repository, no nbdev, no Lightning, no network."""
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
    assert names == shipped | {f"sora_edu/{p.name}" for p in (ROOT / "sora_edu").glob("*.py")}


def test_wheel_generates_a_clip(wheel, tmp_path):
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    run("-m", "pip", "install", "--no-deps", "--no-index", "--target", site, wheel)
    environment = os.environ | {"PYTHONPATH": str(site), "HF_HUB_OFFLINE": "1"}
    file, shape, low, high, std = run("-c", GENERATE, cwd=elsewhere, env=environment).splitlines()
    assert Path(file).is_relative_to(site)
    assert shape == "(1, 3, 17, 32, 32)"
    assert -1 <= float(low) <= float(high) <= 1 and float(std) > 0.05
