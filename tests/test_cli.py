"""The command line: help, typos, YAML files, folders that cannot be written, and each command from end to end."""
import json
import re
import signal
import subprocess
import sys
import threading
from dataclasses import fields
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch

import sora_edu.cli as cli
from sora_edu.evaluation import Judge
from sora_edu.training import Config
from sora_edu.video import load_video
from test_pipeline import save_tiny

COMMAND = [sys.executable, "-c", "import sys; from sora_edu.cli import main; sys.exit(main())"]
SMALL = "--steps 60 --clips 64 --latent_channels 8 --vae_dim 32 --vae_wide 32 --dim 64 --depth 2 --heads 2 --batch 32".split()


def call(*args) -> int:
    """The exit code of a command."""
    try: return cli.main([str(arg) for arg in args])
    except SystemExit as end: return end.code


def refused(capfd, *args) -> str:
    """The command fails with exit code 2 and one line on stderr; that line."""
    assert call(*args) == 2
    out, err = capfd.readouterr()
    assert err.startswith("sora-edu: error: ") and err.count("\n") == 1 and "Traceback" not in out + err, err
    return err


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def untrained_judge(monkeypatch):
    torch.manual_seed(0)
    judge = Judge().eval()
    monkeypatch.setattr(cli, "load_judge", lambda: judge)


# --- help and options ----------------------------------------------------------------------------

@pytest.mark.parametrize("command", [name for name, step in cli.COMMANDS.items() if callable(step)] + [f"lab {name}" for name in cli.COMMANDS["lab"]])
def test_help_explains_every_option(command, capsys):
    assert call(*command.split(), "--help") == 0
    text = capsys.readouterr().out
    options = re.split(r"\n  (?=-|\w+ {2,}\S)", text.split("\noptions:")[1])[1:]
    for option in options:
        name, _, said = option.partition("  " if option.startswith("-h") else "\n" if "\n" in option.split("  ")[0] else "  ")
        assert re.sub(r"\(type:.*", "", said, flags=re.S).strip(), f"{command}: no help for {name}"
    assert "default: " in text


def test_help_of_labs_lists_their_commands(capsys):
    assert call("lab", "--help") == 0
    text = capsys.readouterr().out
    assert "build" in text and "grade" in text and "`sora-edu lab COMMAND --help`" in text


def test_help_is_quick():
    code = "import sys; from sora_edu.cli import main\ntry: main(['--help'])\nexcept SystemExit: print({'torch', 'lightning'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.endswith("set()\n")


def test_every_field_of_config_is_explained():
    assert set(cli.HELP) == {field.name for field in fields(Config)}


def test_help_of_a_size_shows_its_defaults(capsys):
    assert call("train", "--size", "small", "--help") == 0
    assert re.search(r"--minutes MINUTES .*default: 60\)", capsys.readouterr().out)


@pytest.mark.fault(10)
@pytest.mark.parametrize("args, nearest", [(["demo", "--minute", "3"], "--minutes"), (["demo", "--minuts=3"], "--minutes"), (["generate", "x", "--sed", "3"], "--seed"),
                                           (["lab", "grade", "x", "--chaptr", "03"], "--chapter"), (["train", "--step", "3"], "--steps"), (["evaluate", "--splitt", "val"], "--split")])
def test_misspelt_and_abbreviated_options(args, nearest, capfd):
    assert f"did you mean {nearest}?" in refused(capfd, *args)


@pytest.mark.fault(10)
@pytest.mark.parametrize("args", [[], ["foo"], ["generate"], ["demo", "--minutes", "soon"], ["train", "--clip", "[17,32]"], ["evaluate", "--record", "perhaps"], ["generate", "a", "b"]])
def test_what_makes_no_sense(args, capfd):
    refused(capfd, *args)


@pytest.mark.fault(10)
@pytest.mark.parametrize("args, words", [
    (["train", "--size", "nanoo"], ["size", "nano", "large", "'nanoo'"]), (["train", "--minutes", "0"], ["minutes"]), (["train", "--steps", "0"], ["steps"]),
    (["demo", "--minutes", "1"], ["minutes", "at least 2"]), (["demo", "--minutes", "nan"], ["minutes"]), (["judge", "--minutes", "-1"], ["minutes"]),
    (["evaluate", "--n", "0"], ["n: expected"]), (["evaluate", "--split", "val", "--record", "true"], ["split test"]),
    (["generate", "a red circle", "--out", "clip.avi"], [".mp4", "clip.avi"])])
def test_values_out_of_range(args, words, capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    message = refused(capfd, *args)
    assert all(word in message for word in words), message
    assert not list(tmp_path.rglob("*.json")), "work began before the check"


@pytest.mark.fault(3)
@pytest.mark.parametrize("args", [["demo"], ["train"], ["judge"], ["evaluate"], ["generate", "a red circle"]])
def test_folder_that_cannot_be_written(args, capfd, tmp_path):
    (tmp_path / "file").write_text("in the way")
    target = tmp_path / "file" / "clip.mp4" if args[0] == "generate" else tmp_path / "file"
    message = refused(capfd, *args, "--out", target)
    assert f"cannot write into {tmp_path / 'file'}" in message and "--out" in message


# --- YAML ----------------------------------------------------------------------------------------

def test_yaml_fills_in_and_options_win(tmp_path):
    (tmp_path / "a.yaml").write_text("size: small\ndim: 48\nclip: [5, 16, 16]\nbackgrounds: [navy]\nout: there\n")
    command, options = cli.read(["train", "--config", str(tmp_path / "a.yaml"), "--depth", "2"])
    assert command is cli.train
    assert [options[key] for key in ("dim", "depth", "clip", "backgrounds", "out")] == [48, 2, (5, 16, 16), ("navy",), "there"]
    assert options["minutes"] == 60, "the defaults are those of the size in the file"


@pytest.mark.fault(10)
@pytest.mark.parametrize("text, words", [("minuts: 3\n", ["minuts", "--minutes"]), ("minutes: soon\n", ["minutes", "soon"]), ("minutes: [\n", [])])
def test_faults_in_yaml(text, words, capfd, tmp_path):
    (tmp_path / "a.yaml").write_text(text)
    message = refused(capfd, "demo", "--config", tmp_path / "a.yaml")
    assert all(word in message for word in words), message


def test_missing_yaml(capfd, tmp_path):
    assert "none.yaml" in refused(capfd, "demo", "--config", tmp_path / "none.yaml")


# --- generate and evaluate -----------------------------------------------------------------------

@pytest.mark.parametrize("name", ["clip.mp4", "clip.gif", "new folder/clip.webp"])
def test_generate_writes_each_format(tiny, tmp_path, name, capfd):
    assert call("generate", "a red circle", "--weights", tiny, "--out", tmp_path / name, "--steps", 2, "--frames", 5) == 0
    assert load_video(tmp_path / name).shape[2] == 5
    assert str(tmp_path / name) in capfd.readouterr().out


def test_generate_warns_in_one_line(tiny, tmp_path, capfd):
    assert call("generate", "a red circl \ud800", "--weights", tiny, "--out", tmp_path / "clip.webp", "--steps", 1) == 0
    assert re.fullmatch(r"sora-edu: warning: .*'circl' \(nearest: 'circle'\).*\n", capfd.readouterr().err)


@pytest.mark.parametrize("args, word", [(["--weights", "nanno"], "'nanno'"), (["--frames", "16"], "frames"), (["--height", "0"], "height"), (["--steps", "0"], "steps")])
def test_generate_refuses(tiny, tmp_path, args, word, capfd):
    given = args if args[0] == "--weights" else ["--weights", tiny, *args]
    assert word in refused(capfd, "generate", "a red circle", "--out", tmp_path / "clip.mp4", *given)
    assert not (tmp_path / "clip.mp4").exists()


def test_evaluate_prints_draws_and_records(tiny, tmp_path, monkeypatch, untrained_judge, capfd):
    monkeypatch.setattr("sora_edu.evaluation.data_path", lambda *parts: tmp_path)
    assert call("evaluate", "--weights", tiny, "--n", 3, "--out", tmp_path, "--record", "true") == 0
    out = capfd.readouterr().out
    assert "prompts with one object, split test" in out and "prompts with two objects, split test" in out and "95% interval" in out
    assert (tmp_path / "evaluate.png").exists()
    rows = {row["id"]: row for row in json.loads((tmp_path / "adherence.json").read_text())}
    assert {"adherence_one", "adherence_two", "adherence_one_shape", "adherence_two_relation", "adherence_one_by_geometry"} <= set(rows)
    assert rows["adherence_one"]["n"] == 3 and rows["adherence_one"]["command"] == f"sora-edu evaluate --weights {tiny} --n 3 --split test --record true"


def test_the_exam_prints_marks_draws_and_records(tiny, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr("sora_edu.evaluation.data_path", lambda *parts: tmp_path)
    assert call("evaluate", "--exam", "true", "--weights", tiny, "--n", 1, "--out", tmp_path, "--record", "true") == 0
    out = capfd.readouterr().out
    assert all(word in out for word in ("colour binding", "event order", "counting", "camera", "terse", "95% interval")) and (tmp_path / "exam.png").exists()
    rows = {row["id"]: row for row in json.loads((tmp_path / "exam.json").read_text())}
    assert {"exam_colour_binding", "exam_event_order", "exam_counting", "exam_camera", "exam_terse"} <= set(rows) and rows["exam_camera"]["n"] == 1
    assert "split test" in refused(capfd, "evaluate", "--exam", "true", "--split", "val", "--out", tmp_path)


def test_a_judge_judges_real_clips():
    verdicts = cli.judge_real(Judge().eval(), 12)
    assert len(verdicts) == 12 and all({"whole", "number", "shape0", "color0"} <= set(v) for v in verdicts)


# --- training ------------------------------------------------------------------------------------

@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for a subprocess")
def test_train_is_interrupted_and_goes_on(tmp_path, capfd):
    out = tmp_path / "model"
    arguments = ["train", *SMALL, "--out", str(out)]
    process = subprocess.Popen([*COMMAND, *arguments], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    guard = threading.Timer(200, process.kill)
    guard.start()
    seen = b""
    while b"diffusion transformer" not in seen and (byte := process.stderr.read(1)): seen += byte
    threading.Event().wait(.3)
    process.send_signal(signal.SIGINT)
    seen += process.stderr.read()
    assert process.wait() == 130 and b"Traceback" not in seen, seen.decode()
    guard.cancel()
    assert seen.decode().strip().splitlines()[-1].startswith("sora-edu: stopped: ")
    state = json.loads((out / "state.json").read_text())
    assert state["stopped"] == "dit" and (out / "dit" / "model.safetensors").exists()

    kept = (out / "vae" / "model.safetensors").read_bytes()
    assert call(*arguments) == 0
    assert json.loads((out / "state.json").read_text())["done"] and (out / "vae" / "model.safetensors").read_bytes() == kept
    assert len(json.loads((out / "dit" / "history.json").read_text())) == 60

    assert call(*arguments) == 0
    assert "holds a finished training" in capfd.readouterr().out
    assert "another depth" in refused(capfd, *arguments, "--depth", 3)
    assert call("generate", "a red circle", "--weights", out, "--out", tmp_path / "clip.gif", "--steps", 2) == 0


# --- demo ----------------------------------------------------------------------------------------

class Fake:
    """Stands in for `training.train`: writes tiny weights, and is interrupted where `stop` says."""

    def __init__(self): self.stop, self.trained = "", []

    def __call__(self, config, out, start=None):
        missing = [part for part in ("text", "vae", "dit") if not (out / part).exists()]
        self.trained.append(missing)
        save_tiny(out) if missing else None
        settings = json.loads((out / "config.json").read_text()) | dict(minutes=config.minutes, seed=config.seed)
        (out / "config.json").write_text(json.dumps(settings))
        for part in ("text", "vae", "dit"): (out / part / "history.json").write_text("[[0.5, 3.0], [1.0, 0.5]]")
        if self.stop == "before dit": import shutil; shutil.rmtree(out / "dit")
        if self.stop: raise KeyboardInterrupt("stopped by Ctrl-C; saved")


@pytest.fixture
def fake(monkeypatch, tiny, untrained_judge):
    import sora_edu.pipeline as pipeline
    known, train = pipeline.weights_folder, Fake()
    monkeypatch.setattr(pipeline, "weights_folder", lambda name: tiny if name == "nano" else known(name))
    monkeypatch.setattr("sora_edu.training.train", train)
    monkeypatch.setattr(cli, "HELD_OUT", 3)
    return train


class Page(HTMLParser):
    """Tags of a page, with their attributes."""
    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)
    def handle_starttag(self, tag, attrs): self.tags.append((tag, dict(attrs)))


def test_demo_stops_goes_on_and_ends(fake, tmp_path, capfd):
    fake.stop = "in dit"
    assert call("demo", "--out", tmp_path) == 0
    assert "Stopped by Ctrl-C" in capfd.readouterr().out
    assert "stopped before its end" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert len(list(tmp_path.glob("*.mp4"))) == 6 and (tmp_path / "shipped.png").exists()

    fake.stop = ""
    assert call("demo", "--out", tmp_path) == 0
    assert fake.trained[-1] == ["dit"], "only the stage that was cut short is trained again"
    assert "stopped before its end" not in (tmp_path / "report.html").read_text(encoding="utf-8")

    assert call("demo", "--out", tmp_path) == 0
    assert fake.trained[-1] == []
    assert re.search("holds a finished training.*start afresh", capfd.readouterr().out)
    message = refused(capfd, "demo", "--out", tmp_path, "--minutes", 5)
    assert "--minutes 15 --seed 0" in message and "delete that folder" in message


def test_demo_stopped_before_there_is_a_model(fake, tmp_path, capfd):
    fake.stop = "before dit"
    assert call("demo", "--out", tmp_path) == 130
    assert capfd.readouterr().err.splitlines()[-1].startswith("sora-edu: stopped: ")
    fake.stop = ""
    assert call("demo", "--out", tmp_path) == 0
    assert fake.trained[-1] == ["vae", "dit"], "the autoencoder was cut short"


def test_the_report_is_one_file_that_describes_its_pictures(fake, tmp_path, monkeypatch):
    rows = dict(adherence_one=dict(value=97.2, n=500, interval=[95.4, 98.3]))
    monkeypatch.setattr(cli, "shipped_figures", lambda: rows)
    assert call("demo", "--out", tmp_path) == 0
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    tags = Page(text).tags
    pictures = [attrs for tag, attrs in tags if tag == "img"]
    assert len(pictures) == 6 and all(len(p["alt"]) > 40 and p["src"].startswith("data:image/png;base64,") for p in pictures)
    drawings = [attrs for tag, attrs in tags if tag == "svg"]
    assert len(drawings) == 3 and all(d["role"] == "img" and d["aria-label"].startswith("Loss of the") for d in drawings)
    assert not {"script", "link", "iframe"} & {tag for tag, _ in tags} and "http" not in text
    assert "97.2% of 500 (95.4 to 98.3%)" in text and "not measured here" in text and "text encoder" in text
    assert re.search("[✓✗] (right|wrong): ", text)


@pytest.mark.fault(18)
def test_prompts_are_escaped():
    hostile = '<script>alert("1")</script> red circle'
    tags = Page(cli.strip(hostile, torch.zeros(3, 5, 16, 16), dict(whole=False, color0=True))).tags
    assert "script" not in {tag for tag, _ in tags} and hostile in dict(tags)["img"]["alt"]


def test_training_from_weights_that_are_not_there(tmp_path, capfd):
    assert "no trained model 'nowhere'" in refused(capfd, "train", "--start", "nowhere", "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


# --- labs ----------------------------------------------------------------------------------------

def test_a_lab_from_chapter_to_grades(tmp_path, capfd):
    assert call("lab", "build", "03", "--out", tmp_path / "lab") == 0
    made = [Path(line) for line in capfd.readouterr().out.split()]
    assert {file.name for file in made} == {"student.ipynb", "solution.ipynb", "nbgrader.ipynb", "instructor.html", "slides.html"} and all(file.exists() for file in made)
    (tmp_path / "class").mkdir()
    for name in ("student", "solution"): (tmp_path / "lab/03_patches" / f"{name}.ipynb").rename(tmp_path / "class" / f"{name}.ipynb")
    assert call("lab", "grade", tmp_path / "class", "--out", tmp_path / "grades.csv") == 0
    assert "2 notebooks, 3.0 of 6 exercises right on average" in capfd.readouterr().out
    rows = (tmp_path / "grades.csv").read_text().splitlines()
    assert rows[1:] == ["solution,6,6,1,1,1,1,1,1", "student,0,6,0,0,0,0,0,0"]


@pytest.mark.parametrize("args, said", [(["lab", "build", "77"], "chapter: expected the number of a notebook"),
                                        (["lab", "build"], "chapters"), (["lab"], "{build,grade}"), (["lab", "grade", "nowhere"], "submissions: expected a folder with notebooks")])
def test_labs_refuse_in_one_line(args, said, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert said in refused(capfd, *args)
