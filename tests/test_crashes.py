"""What must not be lost: trainings that are killed, full disks, nonsense in the numbers, two at work in one folder, Ctrl-C, and files of strangers."""
import errno
import json
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from torch import nn

import sora_edu.training as training
from sora_edu.keep import Forgive, alone_in, check_version, load_checkpoint, only_ours, write, write_folder
from sora_edu.pipeline import Sora
from sora_edu.text import TextEncoder
from sora_edu.training import DiTStage, Live, Stage, encode_world, run, train
from sora_edu.vae import VideoVAE
from sora_edu.world import World
from kills import TINY, prepare
from test_training import Line, PowerCut, calm, ignore, numbers, of_transformer    # noqa: F401, calm is a fixture

posix = pytest.mark.skipif(os.name == "nt", reason="needs fork and signals")


@pytest.fixture
def often(monkeypatch):
    """A checkpoint after every step, in single precision."""
    monkeypatch.setattr(training, "precision", lambda: "32-true")
    monkeypatch.setattr(training, "Live", lambda name, **options: Live(name, every=0, **options))


# --- killed --------------------------------------------------------------------------------------

def killed(folder: Path, cases: int, seed: int, *more: str) -> None:
    done = subprocess.run([sys.executable, str(Path(__file__).with_name("kills.py")), str(folder), str(cases), str(seed), *more], capture_output=True, text=True, timeout=600 + 60 * cases)
    assert not done.returncode, done.stdout + done.stderr[-2000:]


@posix
@pytest.mark.fault(1)
def test_killed_trainings_end_bit_for_bit_like_one_that_was_not(tmp_path, cases): killed(tmp_path, cases(10, 50), 1)


@posix
@pytest.mark.fault(1)
def test_the_same_for_all_three_stages(tmp_path, cases): killed(tmp_path, cases(1, 12), 3, "nothing")


@posix
@pytest.mark.fault(2)
def test_the_same_on_another_filesystem(tmp_path, cases):
    other = Path("/dev/shm")
    if not other.exists() or other.stat().st_dev == Path(tempfile.gettempdir()).stat().st_dev: pytest.skip("this machine has no second filesystem to write to")
    with tempfile.TemporaryDirectory(dir=other) as folder: killed(Path(folder), cases(2, 20), 2)


@pytest.mark.fault(1)
def test_a_finished_run_that_is_resumed_returns_the_average(tmp_path):
    (stage, draw), (again, _) = (of_transformer(False) for _ in range(2))
    run(stage, draw, PowerCut(10, tmp_path / "last.ckpt"), ema=True)
    raw = load_checkpoint(tmp_path / "last.ckpt")["current_model_state"]
    assert run(again, draw, Live("again"), checkpoint=tmp_path / "last.ckpt", ema=True) and again.history == stage.history
    assert all(torch.equal(a, b) for a, b in zip(again.model.parameters(), stage.model.parameters()))
    assert any(not torch.equal(value, raw[f"model.{name}"]) for name, value in again.model.state_dict().items())


@pytest.mark.fault(1)
def test_a_new_network_depends_on_the_seed_alone():
    torch.manual_seed(1)
    first = training.transformer(TINY, None).state_dict()
    torch.manual_seed(2)
    assert all(torch.equal(value, first[name]) for name, value in training.transformer(TINY, None).state_dict().items())


# --- the disk ------------------------------------------------------------------------------------

@contextmanager
def room(size: int):
    """No file may grow above this size, which looks like a full disk."""
    import resource
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try: yield
    finally: resource.setrlimit(resource.RLIMIT_FSIZE, before)


SIZES = (0, 1, 100, 1000, 4096, 20_000, 60_000, 99_000)


@posix
@pytest.mark.fault(3)
@pytest.mark.parametrize("size", SIZES)
def test_a_full_disk_leaves_the_old_file(tmp_path, size):
    file, folder = tmp_path / "last.ckpt", tmp_path / "dit"
    write(file, lambda new: torch.save(torch.ones(25_000), new))
    write_folder(folder, lambda new: nn.Linear(25_000, 1).half() and (new / "weights").write_bytes(b"old"))
    large = VideoVAE(64, 192)
    with room(size):
        with pytest.raises(OSError, match="cannot write .*last.ckpt.*free space") as caught: write(file, lambda new: torch.save(torch.zeros(250_000), new))
        assert caught.value.errno == errno.EFBIG
        with pytest.raises(OSError, match="cannot write .*dit"): write_folder(folder, large.save_pretrained)
    assert torch.equal(load_checkpoint(file), torch.ones(25_000)) and (folder / "weights").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dit", "last.ckpt"] and len(list(folder.iterdir())) == 1


@posix
@pytest.mark.fault(3)
def test_a_full_disk_does_not_end_a_training(tmp_path, often, capsys, cases):
    whole = train(TINY, prepare(tmp_path / "whole"), ignore)
    for size in SIZES[-cases(1, 8):]:
        out, steps, disk = prepare(tmp_path / str(size)), [], room(size)
        def report(*_):
            steps.append(len(load_checkpoint(out / "last.ckpt")["budget"]["history"]))
            assert not list(out.glob("*.part"))
            if len(steps) == 4: disk.__enter__()
            if len(steps) == 9: disk.__exit__(None, None, None)
        train(TINY, out, report)
        assert steps == [1, 2, 3, 4, 4, 4, 4, 4, 4, 10, 11, 12]
        said = capsys.readouterr().err
        assert said.count("cannot write") == 1 and "last.ckpt (File too large)" in said and "goes on" in said
        assert (out / "dit/model.safetensors").read_bytes() == (whole / "dit/model.safetensors").read_bytes()


@posix
@pytest.mark.fault(3)
def test_a_disk_that_is_full_at_the_end_costs_the_newest_steps_at_most(tmp_path, often, capsys):   # capsys: what is printed goes to memory
    out, steps, disk = prepare(tmp_path / "out"), [], room(1000)
    def report(*_):
        steps.append(1)
        if len(steps) == 12: disk.__enter__()
    try:
        with pytest.raises(OSError, match="cannot write .*dit .*free space"): train(TINY, out, report)
    finally: disk.__exit__(None, None, None)
    assert not (out / "dit").exists() and (out / "last.ckpt").exists()
    train(TINY, out, ignore)
    assert len(json.loads((out / "dit/history.json").read_text())) == TINY.steps and len(steps) == 12


@posix
@pytest.mark.fault(3)
def test_a_folder_that_cannot_be_written_is_refused_at_the_start(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    for stage in ("text_stage", "vae_stage", "dit_stage"): monkeypatch.setattr(training, stage, None)
    with pytest.raises(ValueError, match="out: cannot write into .*file"): train(TINY, tmp_path / "file" / "out", ignore)
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    def told() -> bool:
        try: train(TINY, folder, ignore)
        except ValueError as error: return "out: cannot write into" in str(error)
        return False
    if os.getuid(): assert told()
    elif child := os.fork(): assert os.waitpid(child, 0)[1] == 0      # root may write anywhere, so a child that is nobody tries it
    else:
        try:
            os.setuid(65534)
            os._exit(not told())
        finally: os._exit(2)
    assert not list(folder.iterdir())
    folder.rmdir()


@pytest.mark.fault(3)
def test_errors_of_the_disk_are_forgiven_and_told_once():
    said = []
    forgive = Forgive(said.append)
    for _ in range(3):
        with forgive: raise OSError(28, "No space left on device")
    assert len(said) == 1 and "No space left" in said[0]
    with pytest.raises(ValueError), forgive: raise ValueError


@pytest.mark.fault(3)
def test_a_crash_between_the_two_renames_of_a_folder_loses_nothing(tmp_path):
    (tmp_path / "dit.old").mkdir()
    (tmp_path / "dit.old/weights").write_text("the only ones")
    def fail(folder): raise RuntimeError
    with pytest.raises(RuntimeError): write_folder(tmp_path / "dit", fail)
    assert [path.name for path in tmp_path.rglob("*")] == ["dit", "weights"]


@pytest.mark.fault(3)
def test_a_folder_with_other_files_is_not_replaced(tmp_path):
    from sora_edu.cascade import train_upsampler
    from sora_edu.evaluation import train_judge
    (tmp_path / "thesis.tex").write_text("years of work")
    for call in (lambda: train_judge(tmp_path), lambda: train_upsampler("space", tmp_path, tmp_path)):
        with pytest.raises(ValueError, match="out: .* would be replaced, and it holds thesis.tex; choose another folder"): call()
    (tmp_path / "thesis.tex").rename(tmp_path / "config.json")
    assert only_ours(tmp_path) == tmp_path and only_ours(tmp_path / "new") == tmp_path / "new"


# --- nonsense ------------------------------------------------------------------------------------

BAD = [float("nan"), float("inf"), -float("inf")]


class Off(Line):
    """A line whose loss or gradient goes wrong at step 3."""
    def __init__(self, where: str = "", value: float = 0.):
        super().__init__(8)
        self.where, self.value = where, value
        self.model.weight.register_hook(lambda gradient: gradient + (value if where == "gradient" and self.count == 3 else 0.))
    def loss(self, batch): return super().loss(batch) + (self.value if self.where == "loss" and self.count == 3 else 0.)


class Every(Live):
    """A checkpoint after every step."""
    def __init__(self, path): super().__init__("every", every=0, report=lambda stage, trainer: trainer.save_checkpoint(path))


@pytest.mark.fault(4)
@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize("where", ["batch", "loss", "gradient"])
def test_nonsense_stops_before_the_step_and_the_run_goes_on_from_there(tmp_path, where, value):
    whole, off, again, calls = Line(8), Off(where, value), Line(8), []
    run(whole, numbers, Live("whole"))
    def spoiled(generator):
        batch = numbers(generator)
        calls.append(batch)
        if where == "batch" and len(calls) == 4: batch[2] = value
        return batch
    blame = "not finite in the batch: number 2 " if where == "batch" else "the batch is finite; lower lr or muon_lr"
    with pytest.raises(FloatingPointError, match=f"Off: .* at step 3, .*{blame}"): run(off, spoiled, Every(tmp_path / "last.ckpt"))
    kept = load_checkpoint(tmp_path / "last.ckpt")
    assert len(off.history) == 3 and torch.equal(off.model.weight, kept["state_dict"]["model.weight"])
    run(again, numbers, Live("again"), checkpoint=tmp_path / "last.ckpt")
    assert torch.equal(again.model.weight, whole.model.weight) and [loss for _, loss in again.history] == [loss for _, loss in whole.history]


@pytest.mark.fault(4)
@pytest.mark.parametrize("value", BAD)
def test_a_bad_latent_is_named(value):
    stage, draw = of_transformer(False)
    latents, tokens = draw(None)
    latents[5, 1, 0, 2, 3] = value
    before = [p.clone() for p in stage.model.parameters()]
    with pytest.raises(FloatingPointError, match="DiTStage: .* at step 0, .* number 5 "): run(stage, lambda generator: (latents, tokens), Live("bad"))
    assert all(torch.equal(a, b) for a, b in zip(before, stage.model.parameters()))


@pytest.mark.fault(4)
def test_a_clip_that_cannot_be_encoded_is_named():
    class Odd(VideoVAE):
        def encode(self, video):
            latent = super().encode(video)
            if len(video) == 6: latent[2, 0, 0, 0, 0] = torch.nan
            return latent
    vae = Odd(8, 16, wide=16)
    with pytest.raises(FloatingPointError, match="latents: clip 66 of the world"): encode_world(vae, TextEncoder(16, 1, 2).tokenizer, World((1, 16, 16)), 70)


# --- versions, and files of strangers ------------------------------------------------------------

@pytest.mark.fault(12)
@pytest.mark.parametrize("needs", ["0.2", "0.1.1", "99"])
def test_a_folder_of_a_later_version_says_which_one_is_needed(tmp_path, needs):
    prepare(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(dict(needs=needs, clip=[17, 32, 32], backgrounds=[], shift=1.)))
    for call in (lambda: train(TINY, tmp_path, ignore), lambda: Sora.from_pretrained(tmp_path)):
        with pytest.raises(ValueError, match=f"config.json needs sora_edu {needs} or later, and this is .*; update"): call()


@pytest.mark.fault(12)
@pytest.mark.parametrize("needs", [{}, dict(needs="0.1"), dict(needs="0.0.9"), dict(needs="0.1.0")])
def test_an_older_folder_is_read(needs): check_version(needs, Path("config.json"))


@pytest.mark.fault(12)
def test_a_checkpoint_from_when_random_numbers_were_kept(tmp_path):
    whole, again = Line(20), Line(20)
    run(whole, numbers, PowerCut(12, tmp_path / "last.ckpt"))
    old = load_checkpoint(tmp_path / "last.ckpt")
    old["budget"]["random"] = [torch.get_rng_state()]
    torch.save(old, tmp_path / "last.ckpt")
    run(again, numbers, Live("again"), checkpoint=tmp_path / "last.ckpt")
    assert len(again.history) == 20


class Payload:
    """Runs code when it is unpickled."""
    def __init__(self, path): self.path = path
    def __reduce__(self): return Path.touch, (self.path,)


@pytest.mark.fault(11)
@pytest.mark.parametrize("wrap", [lambda payload: payload, lambda payload: dict(state_dict={}, loops=payload), lambda payload: dict(hyper_parameters=dict(_instantiator=payload))])
def test_a_hostile_checkpoint_runs_nothing(tmp_path, wrap):
    out, ran = prepare(tmp_path / "out"), tmp_path / "ran"
    for save in (torch.save, lambda thing, path: path.write_bytes(pickle.dumps(thing))):
        save(wrap(Payload(ran)), out / "last.ckpt")
        with pytest.raises(ValueError, match="checkpoint: .*last.ckpt is damaged or not one of ours"): train(TINY, out, ignore)
    assert not ran.exists() and not (out / "dit").exists()


@pytest.mark.fault(11)
@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.bin", "model.safetensors"])
def test_hostile_weights_run_nothing(tmp_path, name):
    folder, ran = prepare(tmp_path / "weights"), tmp_path / "ran"
    training.transformer(TINY, None).save_pretrained(folder / "dit")
    (folder / "config.json").write_text(json.dumps(dict(clip=[17, 32, 32], backgrounds=[], shift=1.)))
    (folder / "dit/model.safetensors").unlink()
    torch.save(Payload(ran), folder / "dit" / name)
    for call in (lambda: Sora.from_pretrained(folder), lambda: train(TINY, tmp_path / "again", ignore, start=folder)):
        with pytest.raises((ValueError, FileNotFoundError), match="weights"): call()
    assert not ran.exists() and not (tmp_path / "again").exists()


@pytest.mark.fault(11)
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\xff" * 16, b"{}" * 999])
def test_a_damaged_checkpoint_is_one_clear_error(tmp_path, content):
    (tmp_path / "last.ckpt").write_bytes(content)
    with pytest.raises(ValueError, match="checkpoint: .*last.ckpt is damaged"): run(Line(3), numbers, Live("test"), checkpoint=tmp_path / "last.ckpt")


# --- two at work ---------------------------------------------------------------------------------

HOLDER = "import sys, time; from pathlib import Path; from sora_edu.keep import alone_in\nwith alone_in(Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"


@pytest.mark.fault(13)
def test_a_second_training_is_refused_and_a_dead_one_locks_nobody_out(tmp_path):
    prepare(tmp_path)
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        begin = time.monotonic()
        with pytest.raises(ValueError, match="out: another training is at work in"): train(TINY, tmp_path, ignore)
        assert time.monotonic() - begin < 5 and not (tmp_path / "dit").exists() and not (tmp_path / "config.json").exists()
    finally:
        holder.kill()
        holder.wait()
    assert (tmp_path / ".lock").exists()       # what the dead one left
    train(TINY, tmp_path, ignore)
    assert (tmp_path / "dit").exists()


@pytest.mark.fault(13)
def test_two_threads_do_not_train_in_one_folder_either(tmp_path):
    said = []
    def second():
        try:
            with alone_in(tmp_path): said.append("both")
        except ValueError as error: said.append(str(error))
    with alone_in(tmp_path):
        thread = threading.Thread(target=second)
        thread.start(), thread.join()
    assert len(said) == 1 and "another training" in said[0]
    with alone_in(tmp_path): pass


# --- Ctrl-C --------------------------------------------------------------------------------------

READY = """
import logging, sys, warnings
sys.path[:0] = [{tests!r}, {root!r}]
warnings.simplefilter("ignore"); logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
import torch; torch.set_num_threads(1)
from dataclasses import replace
import sora_edu.training as training
from kills import TINY
live, endless = training.Live, replace(TINY, steps=10**7)
training.Live = lambda name, **options: live(name, every=.1, **options)
"""


@posix
@pytest.mark.fault(14)
def test_ctrl_c_in_a_notebook_keeps_work_and_kernel(tmp_path):
    from jupyter_client.manager import KernelManager
    out, manager, kept = prepare(tmp_path / "out"), KernelManager(kernel_name="python3"), 0
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    def told(message):
        while (reply := client.get_shell_msg(timeout=300))["parent_header"].get("msg_id") != message: pass
        return reply["content"]
    try:
        client.wait_for_ready(timeout=300)
        assert told(client.execute(READY.format(tests=str(Path(__file__).parent), root=str(Path(training.__file__).parents[1]))))["status"] == "ok"
        for times in (1, 5):
            begun, cell = time.time(), client.execute(f"training.train(endless, {str(out)!r}, report=lambda *_: None)", stop_on_error=False)      # else Jupyter drops a next cell that comes too soon
            while not (out / "last.ckpt").exists() or (out / "last.ckpt").stat().st_mtime < begun + .1: assert time.time() < begun + 300; time.sleep(.05)
            for _ in range(times):
                manager.interrupt_kernel()
                time.sleep(.05)
            reply = told(cell)
            assert reply["status"] == "error" and reply["ename"] == "KeyboardInterrupt", reply
            if times == 1: assert "dit is saved as far as it came" in reply["evalue"]
            assert told(client.execute("assert 6 * 7 == 42"))["status"] == "ok" and manager.is_alive()
            steps = len(load_checkpoint(out / "last.ckpt")["budget"]["history"])
            assert steps > kept and not list(out.glob("*.part"))
            kept = steps
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.mark.fault(14)
def test_a_burst_of_ctrl_c_is_one_wish_and_a_later_one_ends_at_once():
    class Trainer: should_stop = False
    live = Live("test")
    live.interrupted = False
    for _ in range(5): live.stop(Trainer)
    assert live.interrupted and Trainer.should_stop
    live.interrupted -= 4
    with pytest.raises(KeyboardInterrupt): live.stop(Trainer)


@posix
@pytest.mark.fault(14)
def test_lightning_does_not_leave_python():
    class Second(Live):
        def on_train_batch_end(self, *_): raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt, match="goes on from the last checkpoint"): run(Line(5), numbers, Second("test"))
