"""The command `sora-edu bench` and what it shows; no timing is tested here."""
import importlib
import json
import os
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import sora_edu.cli as cli
from sora_edu.vae import VideoVAE

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = list(dict.fromkeys(row.script for row in cli.BENCHES.values()))
FIGURES = {row["id"]: row for row in json.loads((ROOT / "data/results/bench.json").read_text(encoding="utf-8"))}


def load(name: str, monkeypatch):
    """A script of tests/bench as a module that writes its records into a list."""
    monkeypatch.syspath_prepend(ROOT / "tests/bench")
    module, kept = importlib.import_module(name), []
    if hasattr(module, "record"): monkeypatch.setattr(module, "record", lambda *row: kept.append(row))
    return module, kept


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the repository with scripts that write their name, and no figures; gives the list of what ran."""
    (tmp_path / "tests/bench").mkdir(parents=True)
    for name in [*SCRIPTS, "cost"]: (tmp_path / f"tests/bench/{name}.py").write_text(f"import os\nprint(os.environ['OMP_NUM_THREADS'], '{name}')\n")
    monkeypatch.setattr(cli, "__file__", str(tmp_path / "sora_edu/cli.py"))
    monkeypatch.setattr(cli, "shipped_figures", dict)
    monkeypatch.setattr(cli, "busy", lambda: 0.)
    return tmp_path


# --- the command ---------------------------------------------------------------------------------

def test_all_scripts_run_with_two_threads_and_in_order(package, capfd):
    assert cli.main(["bench"]) == 0
    out, err = capfd.readouterr()
    assert re.findall(r"^2 (\w+)$", out, re.M) == [*SCRIPTS, "cost"] and out.count("not measured yet") == len(cli.BENCHES) and not err


def test_only_runs_and_shows_one(package, capfd):
    assert cli.main(["bench", "--only", "vae"]) == 0
    out = capfd.readouterr().out
    assert re.findall(r"^2 (\w+)$", out, re.M) == ["vae"] and out.count("not measured yet") == sum(row.script == "vae" for row in cli.BENCHES.values())


def test_help_names_every_script():
    assert all(name in cli.bench.__doc__ for name in [*SCRIPTS, "cost"])


def test_a_script_that_fails_is_named_and_the_others_run(package, capfd):
    (package / "tests/bench/vae.py").write_text("raise SystemExit(3)")
    assert cli.main(["bench"]) == 2
    out, err = capfd.readouterr()
    assert "vae did not finish" in err and err.count("\n") == 1
    assert "2 packed" in out and "2 cost" in out


def refused(capfd, *args) -> str:
    assert cli.main(["bench", *args]) == 2
    out, err = capfd.readouterr()
    assert err.startswith("sora-edu: error: ") and err.count("\n") == 1 and not out
    return err


def test_an_unknown_name_is_refused(package, capfd): assert "time_to_quality" in refused(capfd, "--only", "vea")


def test_without_the_peers_it_says_how_to_install_them(package, capfd, monkeypatch):
    monkeypatch.setattr(cli, "find_spec", lambda name: None)
    assert 'pip install -c constraints.txt -e ".[bench]"' in refused(capfd)


def test_in_a_wheel_it_says_where_the_benchmarks_are(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(cli, "__file__", str(tmp_path / "sora_edu/cli.py"))
    assert "tests/bench of the repository" in refused(capfd)


def test_a_busy_machine_is_told(package, capfd, monkeypatch):
    monkeypatch.setattr(cli, "busy", lambda: 3.)
    assert cli.main(["bench", "--only", "cost"]) == 0
    assert "load 3.0" in capfd.readouterr().err


# --- the figures ---------------------------------------------------------------------------------

def test_one_file_holds_all_figures_of_the_benchmarks():
    for path in (ROOT / "data/results").glob("*.json"):
        ids = [row["id"] for row in json.loads(path.read_text(encoding="utf-8"))]
        assert all(id.startswith("bench_") == (path.stem == "bench") for id in ids), path.name


def test_readme_shows_every_row_as_recorded():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for id, row in cli.BENCHES.items():
        line = next(line for line in readme.splitlines() if line.startswith(f"| {row.ratio} |"))
        if id not in FIGURES: assert "not measured yet" in line
        else: assert f"| {row.sign} {row.mark:g} |" in line and f" {FIGURES[id]['value']:.3g} |" in line and line.endswith(f"| {row.verdict(FIGURES[id]['value'])} |")


@pytest.mark.parametrize("value, verdict", [(.79, "met"), (.8, "met"), (.81, "missed")])
def test_verdict_at_most(value, verdict): assert cli.BENCHES["bench_dit_step"].verdict(value) == verdict


@pytest.mark.parametrize("value, verdict", [(.49, "missed"), (.5, "met"), (-1, "missed")])
def test_verdict_at_least(value, verdict): assert cli.BENCHES["bench_vae_db"].verdict(value) == verdict


def test_every_record_tells_the_load(tmp_path, monkeypatch):
    from sora_edu import evaluation
    monkeypatch.setattr(evaluation, "data_path", lambda *parts: tmp_path)
    evaluation.record("a", "a_b", 1, "", 1, None, "c")
    assert json.loads((tmp_path / "a.json").read_text())[0]["load"] == (pytest.approx(os.getloadavg()[0], abs=2) if hasattr(os, "getloadavg") else None)


# --- the arms are equal --------------------------------------------------------------------------

def test_autoencoders_are_equal_in_parameters_and_compression(monkeypatch):
    vae, _ = load("vae", monkeypatch)
    clips, size = torch.rand(1, 3, 17, 32, 32) * 2 - 1, {}
    for name, make in vae.MAKERS.items():
        model = make(clips)
        latent = model.encode(clips) if isinstance(model, VideoVAE) else model.encode(clips).latent_dist.mode()
        assert latent.shape == (1, 64, 5, 4, 4), name
        assert vae.loss_of(model, clips).requires_grad and vae.quality(model, clips).shape == (1,)
        size[name] = sum(p.numel() for p in model.parameters())
    assert all(abs(n / size["ours"] - 1) < .05 for n in size.values()), size
    assert f"after {vae.STEPS} equal steps" in cli.BENCHES["bench_vae_db"].ratio


def test_the_unet_has_as_many_parameters_and_the_same_shapes(monkeypatch):
    quality, _ = load("time_to_quality", monkeypatch)
    ours, theirs = quality.ours(), quality.theirs(1e-3)
    sizes = [sum(p.numel() for p in arm.model.parameters()) for arm in (ours, theirs)]
    assert abs(sizes[1] / sizes[0] - 1) < .05, sizes
    assert f"{quality.GOAL:.0f}% of" in cli.BENCHES["bench_time_to_quality"].ratio
    draw = lambda: (torch.randn(2, *quality.SHAPE), torch.randn(2, 8, 96))
    for arm in (ours, theirs):
        before = [p.clone() for p in arm.averaged.parameters()]
        arm.train(.01, draw)
        assert arm.steps >= 1 and any(not torch.equal(a, b) for a, b in zip(before, arm.averaged.parameters()))


@pytest.mark.parametrize("reached, value, unit", [(dict(ours=30., slow=90.), 1 / 3, "times"), (dict(ours=30.), .5, "at most, times"), (dict(fast=20., slow=90.), 2, "at least, times")])
def test_an_arm_that_never_got_there_gives_a_bound(reached, value, unit, monkeypatch):
    quality, kept = load("time_to_quality", monkeypatch)
    seconds = dict(ours=30., slow=60., fast=60.) if "ours" in reached else dict(ours=40., slow=60., fast=20.)
    arms = {name: SimpleNamespace(seconds=reached.get(name, spent), model=torch.nn.Linear(2, 2)) for name, spent in seconds.items()}
    quality.keep(arms, reached, dict.fromkeys(arms, 50.))
    _, id, ratio, said, *_ = kept[-1]
    assert id == "bench_time_to_quality" and ratio == pytest.approx(value) and said.startswith(unit)
    row = cli.bench_rows({id: dict(value=ratio, unit=said, interval=None)})[list(cli.BENCHES).index(id)]
    assert row[3].startswith(unit.split(",")[0] if "," in unit else f"{value:.3g}")


def test_easy_scenes_are_easy(monkeypatch):
    quality, _ = load("time_to_quality", monkeypatch)
    for scene, caption in quality.easy(5, 0):
        assert len(scene.things) == 1 and scene.background == "black" and scene.things[0].motion in quality.EASY["motion"] and caption


def test_costs_are_fitted_on_the_largest_sizes(monkeypatch):
    cost, kept = load("cost", monkeypatch)
    assert cost.slope([1, 10, 100, 1000], [50, 10, 100, 1000]) == pytest.approx(1) and cost.slope([1, 2, 4], [3, 3, 3]) == 0
    monkeypatch.setattr(cost, "GRIDS", ((1, 4, 4), (2, 4, 4), (4, 4, 4)))
    monkeypatch.setattr(cost, "WIDTHS", (16, 32, 64))
    monkeypatch.setattr(cost, "STEPS", (1, 2, 3))
    monkeypatch.setattr(cost, "REPEATS", 3)
    cost.main()
    ids = [id for _, id, *_ in kept]
    assert len(set(ids)) == len(ids) == 3 * (3 * 2 + 4) and "cost_expected_mb_steps" in ids


def test_without_a_gpu_nothing_is_claimed(monkeypatch):
    gpu, kept = load("gpu", monkeypatch)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="no CUDA device"): gpu.main()
    assert not kept
