"""What is installed beside us: ranges that leave out releases with known holes, a tested set within the ranges, and nothing used that is not declared."""
import ast
import re
import sys
from importlib.metadata import packages_distributions, version

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name as plain

from versions import ROOT, lowest, ranges

RANGES = {plain(r.name): r.specifier for r in map(Requirement, ranges("dev", "test"))}
# Releases nobody should get: malware, or holes through which a file, a notebook or a page of a stranger runs code or changes files.
HOLES = [
    ("lightning", ["2.6.2", "2.6.3"], "malware"), ("lightning", ["2.5.0", "2.6.5"], "a checkpoint's `_instantiator` runs code, even with weights_only"),
    ("torch", ["2.5.1", "2.9.1"], "CVE-2025-32434, CVE-2026-24747: weights_only could be tricked"), ("jupyter-server", ["2.14.0", "2.19.0"], "older than 2.20"),
    ("pillow", ["9.5.0", "10.2.0"], "CVE-2023-4863, CVE-2024-28219: crafted pictures write outside of memory"), ("tqdm", ["4.66.2"], "CVE-2024-34062: options are evaluated"),
    ("filelock", ["3.20.0", "3.20.2"], "CVE-2025-68146, CVE-2026-22701: a link in place of the lock file"), ("nbconvert", ["7.16.6"], "CVE-2025-53000: runs a program that lies beside the notebook"),
    ("jupyterlab", ["4.4.7"], "CVE-2025-59842: pages that are linked to get a hold on the notebook"), ("setuptools", ["78.1.0"], "CVE-2025-47273: writes outside of its folder")]


@pytest.mark.parametrize("name, releases, why", HOLES, ids=[f"{name}-{'-'.join(releases)}" for name, releases, _ in HOLES])
def test_ranges_leave_out_releases_with_known_holes(name, releases, why):
    assert not [release for release in releases if RANGES[name].contains(release)], why


def test_every_range_has_a_lower_end():
    # tools that only older releases of others go with have an upper end instead
    assert [name for name, specifier in RANGES.items() if not any(s.operator == ">=" for s in specifier)] == ["execnb", "fastcore"]
    assert len(lowest()) == len(ranges())


def test_the_tested_set_lies_in_the_ranges():
    tested = dict(re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.M))
    tested = {plain(name): release for name, release in tested.items()}
    assert not [name for name, specifier in RANGES.items() if not specifier.contains(tested[name])]


@pytest.mark.parametrize("name", RANGES)
def test_what_is_installed_lies_in_the_ranges(name):
    assert RANGES[name].contains(version(name), prereleases=True)


def test_nothing_is_imported_that_is_not_declared():
    imported = {node.module.split(".")[0] for node in _imports(ast.ImportFrom) if node.module and not node.level} | {alias.name.split(".")[0] for node in _imports(ast.Import) for alias in node.names}
    owners = packages_distributions()
    unknown = {name for name in imported - set(sys.stdlib_module_names) - {"sora_edu"} if not {plain(owner) for owner in owners.get(name, [])} & RANGES.keys()}
    # IPython, nbformat and jupyter_client come with every Jupyter; nbclient and pygments with nbconvert
    assert unknown <= {"IPython", "nbformat", "jupyter_client", "nbclient", "pygments"}, unknown


def _imports(kind):
    return [node for path in (ROOT / "sora_edu").rglob("*.py") for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, kind)]
