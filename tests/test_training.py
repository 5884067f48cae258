"""Training: each stage learns, data depends on the step alone, and whatever interrupts a training, nothing is lost or mixed up."""
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import nn

import sora_edu.training as training
from sora_edu.dit import DiT
from sora_edu.patches import grid_size
from sora_edu.text import TextEncoder
from sora_edu.training import (QUESTIONS, SIZES, Batches, DiTStage, Live, Muon, Stage, TextStage, VAEStage, captions_and_answers,
                               config_for, encode_world, finish, motion, orthogonalise, portion, precision, real_crops, recompute, run, train)
from sora_edu.vae import VideoVAE
from sora_edu.world import World

TINY = config_for("nano", steps=12, clips=32, batch=4, latent_channels=8, vae_dim=16, vae_wide=16, text_dim=16, dim=32, depth=1, heads=2)


@pytest.fixture(autouse=True)
def calm():
    """One thread, as on a busy machine, and Ctrl-C as it was."""
    before, threads = signal.getsignal(signal.SIGINT), torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    signal.signal(signal.SIGINT, before)


def ignore(*_): """A report that nobody reads."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return train(TINY, tmp_path_factory.mktemp("tiny") / "weights", report=ignore)


@pytest.fixture(scope="module")
def clips():
    return torch.stack([World(seed=5)[i][0] for i in range(64)])


class Line(Stage):
    """One weight that should become 3; remembers its batches."""

    def __init__(self, steps: int, **options):
        torch.manual_seed(0)
        super().__init__(nn.Linear(1, 1, bias=False), seconds=60, steps=steps, lr=.05, **options)
        self.seen = []

    def loss(self, batch):
        self.seen.append(batch.flatten().tolist())
        return (self.model(batch) - 3 * batch).square().mean()


def numbers(generator): return torch.randn(4, 1, generator=generator)


class Watch(Live):
    """Writes down learning rates and weights after every step."""

    def on_train_start(self, trainer, stage):
        super().on_train_start(trainer, stage)
        self.rates, self.weights = [], []

    def on_train_batch_end(self, trainer, stage, *_):
        super().on_train_batch_end(trainer, stage)
        self.rates.append([o.param_groups[0]["lr"] for o in trainer.optimizers])
        self.weights.append([p.detach().clone() for p in stage.model.parameters()])


class PowerCut(Live):
    """Saves a checkpoint after some steps and stops."""

    def __init__(self, step, path):
        super().__init__("cut")
        self.step, self.path = step, path

    def on_train_batch_end(self, trainer, stage, *_):
        if stage.count == self.step:
            trainer.save_checkpoint(self.path)
            trainer.should_stop = True


# --- each stage learns ---------------------------------------------------------------------------

def falls(stage: Stage, draw, share: float) -> None:
    """30 steps bring the loss on one batch, with the same noise, below `share` of what it was."""
    def measure():
        stage.count = stage.steps
        torch.manual_seed(1)
        with torch.no_grad(): return stage.loss(batch).item()
    batch = draw(torch.Generator().manual_seed(99))
    before = measure()
    assert run(stage, draw, Live("test"))
    after = measure()
    assert after < share * before, (before, after)


def test_text_encoder_learns():
    torch.manual_seed(0)
    encoder = TextEncoder(32, 1, 2)
    tokens, answers = captions_and_answers(World(seed=1), 200, encoder.tokenizer)
    def draw(generator):
        pick = torch.randint(len(tokens), (32,), generator=generator)
        return tokens[pick], answers[pick]
    falls(TextStage(encoder, seconds=60, steps=30, lr=3e-3), draw, .9)


def test_autoencoder_learns(clips):
    torch.manual_seed(0)
    model = VideoVAE(8, 32, 32, 64, 16)
    model.start_from(clips)
    data = ((clips + 1) * 127.5).round().byte()
    falls(VAEStage(model, seconds=60, steps=30, lr=2e-3), lambda g: data[torch.randint(len(data), (16,), generator=g)], .97)


def test_transformer_learns(clips):
    torch.manual_seed(0)
    vae, encoder = VideoVAE(8, 16, 16, 16, 8).requires_grad_(False), TextEncoder(16, 1, 2)
    vae.start_from(clips), vae.normalise_to(clips)
    latents, tokens = encode_world(vae, encoder.tokenizer, World(seed=5), 64)
    model = DiT(8, 64, 1, 2, text_dim=16)
    def draw(generator):
        pick = torch.randint(64, (64,), generator=generator)
        return latents[pick], tokens[pick, 0]
    falls(DiTStage(model, encoder, shift=2., image_share=0., seconds=60, steps=30, lr=5e-3, muon_lr=.02), draw, .9)


# --- data ----------------------------------------------------------------------------------------

@given(seed=st.integers(0, 10_000), start=st.integers(0, 10_000), ahead=st.integers(0, 20))
@settings(max_examples=30, deadline=None)
def test_a_batch_depends_on_seed_and_step_alone(seed, start, ahead):
    early, late = Batches(numbers, seed, start), Batches(numbers, seed, start + ahead)
    last, again = list(islice(early, ahead + 1))[-1], next(iter(late))
    assert torch.equal(last, again) and torch.equal(again, next(iter(late)))
    assert not torch.equal(again, next(iter(Batches(numbers, seed + 1, start + ahead))))
    assert not torch.equal(again, next(iter(Batches(numbers, seed, start + ahead + 1))))


def test_global_random_numbers_do_not_change_batches():
    torch.manual_seed(1)
    first = next(iter(Batches(numbers, 0)))
    torch.manual_seed(2)
    assert torch.equal(first, next(iter(Batches(numbers, 0))))


def test_answers_say_what_captions_name():
    world, keys = World(seed=1, lengths=("descriptive",)), list(QUESTIONS)
    _, answers = captions_and_answers(world, 50, TextEncoder(16, 1, 2).tokenizer)
    for i in range(50):
        truth = world.scene(i)[0].truth()
        assert all(QUESTIONS[key][answers[i, keys.index(key)]] == truth[key] for key in ("shape0", "color0", "size0", "motion0", "background", "camera"))
    assert len(answers) == 51 and not answers[50].any()   # the empty caption names nothing


def test_crops_are_reproducible_and_leave_the_end_of_a_clip_alone(monkeypatch):
    ramp = torch.arange(80).float().view(1, 1, 80, 1, 1).expand(1, 3, 80, 64, 64) / 127.5 - 1   # frame k has the byte value k
    monkeypatch.setattr(training, "load_clip", lambda name: ramp)
    train_part, held_out = (real_crops(40, (5, 16, 24), np.random.default_rng(0), part) for part in ((0, .75), (.75, 1)))
    assert train_part.shape == (40, 3, 5, 16, 24) and train_part.dtype == torch.uint8
    assert train_part.max() < 60 <= held_out.min()
    assert torch.equal(train_part, real_crops(40, (5, 16, 24), np.random.default_rng(0)))


def test_cached_latents_belong_to_their_captions(clips):
    torch.manual_seed(0)
    vae, tokenizer = VideoVAE(8, 16, 16, 16, 8), TextEncoder(16, 1, 2).tokenizer
    done = []
    latents, tokens = encode_world(vae, tokenizer, World(seed=5), 64, done.append)
    assert latents.shape == (64, 8, 5, 4, 4) and tokens.shape == (64, 3, 32) and done == [64]
    with torch.no_grad(): assert torch.allclose(latents[7:9].float(), vae.encode(clips[7:9]), atol=.1)
    color = World(seed=5).scene(7)[0].things[0].color
    assert all(tokenizer.numbers[color] in row for row in tokens[7].tolist())


@given(n=st.integers(1, 30), of=st.integers(1, 8))
@settings(max_examples=30, deadline=None)
def test_portions_are_the_batch(n, of):
    batch = torch.arange(n), torch.arange(2 * n).reshape(n, 2)
    dealt = [portion(batch, which, of) for which in range(of)]
    for place, whole in enumerate(batch): assert torch.equal(torch.cat([hand[place] for hand in dealt]).sort(0).values, whole)
    assert all(torch.equal(hand[0], portion(batch[0], which, of)) for which, hand in enumerate(dealt))


# --- single frames, then clips; captions dropped -------------------------------------------------

class Spy(nn.Module):
    """Stands in for the transformer and writes down what it gets."""

    def __init__(self):
        super().__init__()
        self.blocks, self.got = nn.Linear(1, 1), []

    def forward(self, x, t, text):
        self.got.append((tuple(x.shape), text))
        return x * self.blocks.weight.mean()


def test_the_first_share_of_the_steps_shows_single_frames():
    encoder = TextEncoder(16, 1, 2)
    stage = DiTStage(Spy(), encoder, shift=1., image_share=.3, seconds=60, steps=10, lr=1e-3)
    batch = torch.randn(16, 8, 5, 4, 4), encoder.tokenizer(["a red circle"] * 16)
    run(stage, lambda generator: batch, Live("test"))
    shapes = [shape for shape, _ in stage.model.got]
    assert shapes == 3 * [(16, 8, 1, 4, 4)] + 7 * [(4, 8, 5, 4, 4)]


def test_a_tenth_of_the_captions_is_emptied():
    encoder = TextEncoder(16, 1, 2)
    stage = DiTStage(Spy(), encoder, shift=1., image_share=1., seconds=60, steps=1, lr=1e-3)
    stage.count, n = 0, 4000
    torch.manual_seed(0)
    stage.loss((torch.randn(n, 8, 1, 1, 1), encoder.tokenizer(["a red circle"] * n)))
    text = stage.model.got[0][1]
    empty, full = ((text - encoder([prompt])).abs().amax((1, 2)) < 1e-5 for prompt in ("", "a red circle"))
    assert torch.equal(empty, ~full) and .08 < empty.float().mean() < .12


# --- steps ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("hold", (0., .3))
def test_the_learning_rate_warms_up_and_goes_to_zero(hold):
    stage, watch = Line(200, hold=hold), Watch("test")
    run(stage, numbers, watch)
    rates = np.array(watch.rates)[:, 0] / .05
    assert len(rates) == 200 and rates[0] == pytest.approx(1 / 50) and rates.max() > .75
    top = rates.argmax()
    assert (np.diff(rates[:top]) > 0).all() and (np.diff(rates[max(60, top + 1):]) < 0).all()
    assert rates[-1] <= 1 / 200 / (1 - hold) + 1e-9


def test_every_parameter_has_exactly_one_optimizer():
    model = DiT(8, 64, 2, 2, text_dim=16)
    adam, muon = DiTStage(model, TextEncoder(16, 1, 2), 1., 0., seconds=1, steps=1, lr=1e-3, muon_lr=.01).configure_optimizers()
    given_to = [id(p) for o in (adam, muon) for group in o.param_groups for p in group["params"]]
    assert sorted(given_to) == sorted(id(p) for p in model.parameters())
    assert all(p.ndim == 2 for p in muon.param_groups[0]["params"]) and isinstance(muon, Muon)


@given(rows=st.integers(2, 40), columns=st.integers(2, 40), scale=st.sampled_from((1e-4, 1., 1e4)), seed=st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_orthogonalise_keeps_directions_and_levels_strengths(rows, columns, scale, seed):
    gradient = torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))
    u, strengths, vh = torch.linalg.svd(gradient, full_matrices=False)
    made = u.T @ orthogonalise(scale * gradient) @ vh.T
    strong = strengths > .05 * strengths[0]
    assert ((made.diag()[strong] > .5) & (made.diag()[strong] < 1.3)).all()
    assert (made - made.diag().diag()).abs().max() < 1e-3


@pytest.mark.parametrize("shape", [(32, 32), (24, 96), (96, 24)])
def test_muon_walks_like_pytorchs(shape):
    """PyTorch's computes in bfloat16, so the two agree to about a percent of a step."""
    torch.manual_seed(0)
    ours, theirs = (nn.Parameter(torch.ones(shape)) for _ in range(2))
    optimizers = Muon([ours], lr=.1, weight_decay=.1), torch.optim.Muon([theirs], lr=.1, weight_decay=.1, adjust_lr_fn="match_rms_adamw")
    for _ in range(10):
        ours.grad = torch.randn(shape)
        theirs.grad = ours.grad.clone()
        for optimizer in optimizers: optimizer.step()
    assert (ours - theirs).norm() < .03 * (ours - 1).norm()


@pytest.mark.parametrize("slower, expected", [(torch.float32, "bf16-mixed"), (torch.bfloat16, "32-true")])
def test_precision_is_the_faster_one(monkeypatch, slower, expected):
    """A processor without instructions for bfloat16 takes ten times longer with it."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(training.timeit, "repeat", lambda work, **_: [10. if work().dtype == slower else 1.])
    assert precision.__wrapped__() == expected


def test_the_average_of_the_weights_is_kept_and_saved(tmp_path):
    torch.manual_seed(0)
    stage, watch = TextStage(TextEncoder(16, 1, 2), seconds=60, steps=12, lr=.01), Watch("test")
    tokens, answers = captions_and_answers(World(seed=1), 40, stage.model["encoder"].tokenizer)
    run(stage, lambda generator: (tokens, answers), watch, ema=True)
    expected = watch.weights[0]
    for n, weights in enumerate(watch.weights[1:], 1):
        share = max(.002, 10 / (10 + n))
        expected = [(1 - share) * old + share * new for old, new in zip(expected, weights)]
    kept, raw = list(stage.model.parameters()), watch.weights[-1]
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(kept, expected))
    assert max((a - b).abs().max() for a, b in zip(kept, raw)) > 1e-3
    finish(True, stage, stage.model["encoder"], tmp_path / "text")
    saved = TextEncoder.from_pretrained(tmp_path / "text")
    assert all(torch.allclose(a, b, atol=2e-3) for a, b in zip(saved.parameters(), expected))   # saved in half precision


def test_a_loss_that_is_no_number_stops_the_training():
    with pytest.raises(FloatingPointError, match="step 0.*not finite in the batch: number 0 "):
        run(Line(5), lambda generator: torch.full((1, 1), torch.inf), Live("test"))


# --- less memory, and several processes, with the same result ------------------------------------

def named(n: int = 60):
    """A text stage with Muon in it, and its batches of 32."""
    torch.manual_seed(0)
    encoder = TextEncoder(32, 1, 2)
    tokens, answers = captions_and_answers(World(seed=1), n, encoder.tokenizer)
    def draw(generator):
        pick = torch.randint(len(tokens), (32,), generator=generator)
        return tokens[pick], answers[pick]
    return encoder, draw


def of_transformer(again: bool, **options):
    """A transformer's stage on four random latents, and its batches."""
    torch.manual_seed(0)
    model, encoder = DiT(8, 32, 2, 2, text_dim=16), TextEncoder(16, 1, 2)
    latents, tokens = torch.randn(4, 8, 5, 4, 4), encoder.tokenizer(["a red circle", "a blue square", "a green cross", ""])
    if again: recompute(model.blocks)
    stage = DiTStage(model, encoder, shift=2., image_share=.4, seconds=60, steps=10, lr=1e-2, muon_lr=.02, **options)
    return stage, lambda generator: (latents.repeat(4, 1, 1, 1, 1), tokens.repeat(4, 1))


@pytest.mark.parametrize("parts", [2, 4])
def test_a_batch_in_portions_gives_the_same_losses(parts, monkeypatch):
    monkeypatch.setattr(training, "precision", lambda: "32-true")     # sums in another order differ less there
    losses = []
    for accumulate in (1, parts):
        encoder, draw = named()
        stage = TextStage(encoder, seconds=60, steps=8, lr=.03, hidden=encoder, muon_lr=.03, accumulate=accumulate)
        run(stage, draw, Live("test"))
        losses.append([loss for _, loss in stage.history])
    assert np.allclose(*losses, rtol=1e-3) and len(losses[0]) == 8


def test_recomputed_activations_change_nothing_but_the_memory():
    stages = []
    for again in (False, True):
        stage, draw = of_transformer(again)
        run(stage, draw, Live("test"), ema=True)
        stages.append(stage)
    assert [loss for _, loss in stages[0].history] == [loss for _, loss in stages[1].history]
    assert all(torch.equal(a, b) for a, b in zip(*(stage.model.parameters() for stage in stages)))
    kept = []
    for stage in stages:
        sizes = {}
        def note(x): sizes[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes(); return x
        stage.count = stage.steps
        with torch.autograd.graph.saved_tensors_hooks(note, lambda x: x): loss = stage.loss(draw(None))
        kept.append(sum(sizes.values()))
    assert kept[1] < .5 * kept[0], kept


def test_train_takes_both_and_refuses_portions_that_are_not_equal(finished, tmp_path):
    again = train(replace(TINY, accumulate=2, recompute=True), tmp_path / "again", ignore, start=finished)
    losses = [loss for _, loss in json.loads((again / "dit/history.json").read_text())]
    assert len(losses) == TINY.steps and np.isfinite(losses).all() and DiT.from_pretrained(again / "dit", strict=True)
    with pytest.raises(ValueError, match="accumulate: expected a divisor of the batch of 4, got 3"): train(replace(TINY, accumulate=3), tmp_path / "other", ignore)
    assert not (tmp_path / "other").exists()


SHARED = """
import json, os, sys
sys.path.insert(0, sys.argv[2])
import torch
torch.set_num_threads(1)
import sora_edu.training as training
training.precision = lambda: "32-true"
from test_training import named
encoder, draw = named()
stage = training.TextStage(encoder, seconds=600, steps=8, lr=.03, hidden=encoder, muon_lr=.03)
training.run(stage, draw, training.Live("shared"), ema=True)
told = dict(losses=[loss for _, loss in stage.history], weights=[p.tolist() for p in stage.model.parameters()])
with open(f"{sys.argv[1]}/{os.environ.get('RANK', 'one')}.json", "w") as file: json.dump(told, file)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="gloo under torchrun is tested on Linux and macOS")
def test_two_processes_give_the_losses_of_one(tmp_path):
    """Each works on half of every batch; gloo carries the gradients."""
    script, tests = tmp_path / "shared.py", Path(__file__).parent
    script.write_text(SHARED)
    for command in ([], ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]):
        done = subprocess.run([sys.executable, *command, str(script), str(tmp_path), str(tests)], capture_output=True, text=True, timeout=600,
                              env=os.environ | dict(OMP_NUM_THREADS="1", PYTHONPATH=str(tests.parent)))
        assert not done.returncode, done.stderr[-3000:]
    one, first, second = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("one", "0", "1"))
    assert len(one["losses"]) == 8 and first == second
    assert np.allclose(one["losses"], first["losses"], rtol=1e-3)
    for a, b in zip(one["weights"], first["weights"]): assert np.allclose(a, b, atol=1e-3)


# --- interruptions -------------------------------------------------------------------------------

def test_a_resumed_stage_walks_the_same_path(tmp_path):
    whole, cut, resumed = Line(30), Line(30), Line(30)
    assert run(whole, numbers, Live("whole"))
    run(cut, numbers, PowerCut(12, tmp_path / "last.ckpt"))
    run(resumed, numbers, Live("resumed"), checkpoint=tmp_path / "last.ckpt")
    assert len(cut.seen) == 12 and cut.seen + resumed.seen == whole.seen   # no batch twice, none left out
    assert [loss for _, loss in resumed.history] == [loss for _, loss in whole.history]
    assert torch.equal(resumed.model.weight, whole.model.weight)


def test_a_resumed_transformer_draws_the_noise_that_would_have_come(tmp_path):
    (whole, draw), (cut, _), (resumed, _) = (of_transformer(False) for _ in range(3))
    run(whole, draw, Live("whole"), ema=True)
    run(cut, draw, PowerCut(6, tmp_path / "last.ckpt"), ema=True)
    run(resumed, draw, Live("resumed"), checkpoint=tmp_path / "last.ckpt", ema=True)
    assert [loss for _, loss in resumed.history] == [loss for _, loss in whole.history] and len(cut.history) == 6
    assert all(torch.equal(a, b) for a, b in zip(resumed.model.parameters(), whole.model.parameters()))


KILLED = """
import os, signal, sys
import torch
torch.set_num_threads(1)
import sora_edu.training as training
training.precision, live, calls = lambda: "32-true", training.Live, []
training.Live = lambda name, **options: live(name, every=0, **options)
def report(*_):
    calls.append(1)
    if len(calls) == 6: os.kill(os.getpid(), signal.SIGKILL)
training.train(training.Config(**TINY), sys.argv[1], report=report)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_training_that_is_killed_ends_with_the_same_weights(finished, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "precision", lambda: "32-true")
    for name in ("whole", "killed"):
        for part in ("text", "vae"): shutil.copytree(finished / part, tmp_path / name / part)
    train(TINY, tmp_path / "whole", report=ignore)
    code = KILLED.replace("**TINY", f"**{asdict(TINY)!r}")
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "killed")], capture_output=True, text=True, timeout=600)
    assert done.returncode == -signal.SIGKILL and not (tmp_path / "killed/dit").exists(), done.stderr[-2000:]
    assert len(torch.load(tmp_path / "killed/last.ckpt", weights_only=True)["budget"]["history"]) == 6
    train(TINY, tmp_path / "killed", report=ignore)
    losses = [[loss for _, loss in json.loads((tmp_path / name / "dit/history.json").read_text())] for name in ("whole", "killed")]
    assert losses[0] == losses[1] and len(losses[0]) == TINY.steps
    assert (tmp_path / "whole/dit/model.safetensors").read_bytes() == (tmp_path / "killed/dit/model.safetensors").read_bytes()


class Killed(Exception):
    """What a power cut does to a training."""


def test_train_goes_on_from_the_last_checkpoint(finished, tmp_path, monkeypatch):
    for part in ("text", "vae"): shutil.copytree(finished / part, tmp_path / part)
    shutil.copy(finished / "config.json", tmp_path)
    monkeypatch.setattr(training, "Live", lambda name, **options: Live(name, every=0, **options))   # a checkpoint at every step
    reports = []
    def report(model, vae, encoder, seconds):
        reports.append(seconds)
        if len(reports) == 5: raise Killed
    with pytest.raises(Killed): train(TINY, tmp_path, report=report)
    assert (tmp_path / "last.ckpt").exists() and not (tmp_path / "dit").exists()
    before = torch.load(tmp_path / "last.ckpt", weights_only=True)["budget"]["history"]
    train(TINY, tmp_path, report=report)
    losses = [loss for _, loss in json.loads((tmp_path / "dit" / "history.json").read_text())]
    assert len(before) == 5 and len(reports) == TINY.steps == len(losses)   # 5 steps before, the rest after
    assert losses[:5] == [round(loss, 5) for _, loss in before]
    assert not (tmp_path / "last.ckpt").exists()


INTERRUPTED = """
import os, signal, sys
import sora_edu.training as training
folder, name = sys.argv[1:]
stage = getattr(training, name)
loss = stage.loss
def interrupt(stage, batch):
    if stage.count == 5: os.kill(os.getpid(), signal.SIGINT)
    return loss(stage, batch)
stage.loss = interrupt
few = training.captions_and_answers
training.captions_and_answers = lambda world, n, tokenizer: few(world, 100, tokenizer)
training.train(training.Config(**TINY), folder, report=lambda *_: None)
"""


def interrupted(folder, stage: str):
    code = INTERRUPTED.replace("**TINY", f"**{asdict(TINY)!r}")
    return subprocess.run([sys.executable, "-c", code, str(folder), stage], capture_output=True, text=True, timeout=300)


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends the process there")
def test_ctrl_c_in_an_early_stage_starts_that_stage_anew(tmp_path):
    done = interrupted(tmp_path, "TextStage")
    assert done.returncode and "stopped by Ctrl-C; training again starts text anew" in done.stderr, done.stderr[-2000:]
    assert not (tmp_path / "text").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends the process there")
def test_ctrl_c_in_the_last_stage_saves_it_and_training_goes_on(finished, tmp_path):
    for part in ("text", "vae"): shutil.copytree(finished / part, tmp_path / part)
    shutil.copy(finished / "config.json", tmp_path)
    done = interrupted(tmp_path, "DiTStage")
    assert done.returncode and "stopped by Ctrl-C; dit is saved" in done.stderr, done.stderr[-2000:]
    assert len(json.loads((tmp_path / "dit" / "history.json").read_text())) == 6   # the step it came in was finished
    assert DiT.from_pretrained(tmp_path / "dit", strict=True) and (tmp_path / "last.ckpt").exists()
    train(TINY, tmp_path, report=lambda *_: None)
    assert len(json.loads((tmp_path / "dit" / "history.json").read_text())) == TINY.steps
    assert not (tmp_path / "last.ckpt").exists()


# --- the whole chain -----------------------------------------------------------------------------

def test_train_writes_all_parts(finished):
    assert sorted(p.name for p in finished.iterdir()) == [".lock", "config.json", "dit", "text", "vae"]
    for part in ("text", "vae", "dit"):
        history = json.loads((finished / part / "history.json").read_text())
        assert len(history) == TINY.steps and (np.diff([s for s, _ in history]) >= 0).all()
    scale = VideoVAE.from_pretrained(finished / "vae", strict=True).latent_scale
    assert not torch.allclose(scale, torch.ones_like(scale))   # latents are normalised at the end of stage 2


def test_train_keeps_finished_stages(finished, monkeypatch):
    def never(*_): raise AssertionError("a finished stage ran again")
    for name in ("text_stage", "vae_stage", "dit_stage"): monkeypatch.setattr(training, name, never)
    before = {path: path.read_bytes() for path in finished.rglob("*.*")}
    assert train(TINY, finished) == finished
    assert before == {path: path.read_bytes() for path in finished.rglob("*.*")}


def test_training_goes_on_from_given_weights(finished, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "text_stage", None)
    monkeypatch.setattr(training, "vae_stage", None)
    again = train(replace(TINY, steps=1, lr=0., muon_lr=0.), tmp_path / "again", ignore, start=finished)
    for part in ("text", "vae", "dit"):
        assert (again / part / "model.safetensors").read_bytes() == (finished / part / "model.safetensors").read_bytes()
    assert (again / "dit/history_before.json").read_bytes() == (finished / "dit/history.json").read_bytes()


@pytest.mark.parametrize("start, changes, error, said", [("nowhere", {}, FileNotFoundError, "start: expected a folder that `train` wrote, got .*nowhere"),
                                                         ("", dict(dim=16), ValueError, "start: .* do not fit this configuration")])
def test_weights_to_start_from_that_do_not_fit_are_refused_before_anything_is_written(finished, tmp_path, start, changes, error, said):
    with pytest.raises(error, match=said): train(replace(TINY, **changes), tmp_path / "again", ignore, start=finished / start)
    assert not (tmp_path / "again").exists()


def test_clips_that_move_are_drawn_more_often(finished, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(training, "run", lambda stage, draw, *_, **__: drawn.extend(draw(torch.Generator().manual_seed(i))[0] for i in range(200)))
    monkeypatch.setattr(training, "finish", lambda done, stage, model, folder: folder.mkdir())
    train(TINY, tmp_path / "again", ignore, start=finished)
    latents, _ = encode_world(VideoVAE.from_pretrained(finished / "vae"), TextEncoder.from_pretrained(finished / "text").tokenizer, World(TINY.clip, TINY.seed + 3, backgrounds=TINY.backgrounds), TINY.clips)
    expected = (1 + motion(latents)) / (1 + motion(latents)).sum()
    counts = torch.tensor([sum((batch == x).flatten(1).all(1).sum().item() for batch in drawn) for x in latents])
    assert torch.allclose(counts / counts.sum(), expected, atol=.012) and expected.max() > 1.5 * expected.min()


@pytest.mark.fault(10)
def test_train_refuses_a_folder_with_another_configuration(finished):
    before = (finished / "config.json").read_text()
    with pytest.raises(ValueError, match="another dim, depth; choose another folder"):
        train(replace(TINY, dim=64, depth=2), finished)
    assert (finished / "config.json").read_text() == before


@pytest.mark.fault(12)
def test_a_folder_from_before_a_field_existed_is_the_same_training(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "old")
    old = {key: value for key, value in asdict(TINY).items() if key not in ("accumulate", "recompute")}
    (tmp_path / "old/config.json").write_text(json.dumps(old))
    assert train(TINY, tmp_path / "old") == tmp_path / "old"
    with pytest.raises(ValueError, match="another depth;"): train(replace(TINY, depth=2), tmp_path / "old")


@pytest.mark.fault(10)
def test_unknown_size():
    with pytest.raises(ValueError, match="size: expected one of .*'nano'.*, got 'giant'"): config_for("giant")


@pytest.mark.parametrize("size", SIZES)
def test_every_size_can_be_built(size):
    config = config_for(size)
    assert config.size == size
    with torch.device("meta"):
        vae = VideoVAE(config.latent_channels, config.vae_dim, wide=config.vae_wide)
        DiT(config.latent_channels, config.dim, config.depth, config.heads, patch_size=config.patch_size, text_dim=config.text_dim)
    grid_size(vae.latent_size(config.clip), config.patch_size)


# Clips of every size

MANY = replace(TINY, shapes=((1, 32, 32), (5, 32, 32), (9, 32, 64), (9, 64, 32), (17, 48, 48)), clips=40, batch=4)


def test_training_on_many_sizes_learns_from_all_of_them_and_resumes(tmp_path, finished):
    seen = []
    class Spy(training.NativeStage):
        def loss(self, batch):
            seen.append(sorted({tuple(x.shape[1:]) for x in batch[0]}))
            assert len(batch[0]) == len(batch[1]) and sum(x[0].numel() for x in batch[0]) <= 4 * 80
            return super().loss(batch)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "NativeStage", Spy)
        out = train(MANY, tmp_path / "weights", report=ignore, start=finished)
    assert {size for sizes in seen for size in sizes} == {(1, 4, 4), (2, 4, 4), (3, 4, 8), (3, 8, 4), (5, 6, 6)} and any(len(sizes) > 1 for sizes in seen)
    assert len(json.loads((out / "dit/history.json").read_text())) == 12


@pytest.mark.parametrize("shapes, says", [(((17, 32, 32), (17, 30, 32)), "height: expected a multiple of 8, got 30"), (((16, 32, 32),), "frames: expected 1"),
                                          (((65, 64, 64),), r"shapes: a clip of \(65, 64, 64\) has 1088 tokens, and a step takes batch x clip = 320")], ids=str)
def test_sizes_that_cannot_be_trained_on_are_refused_before_anything_is_written(shapes, says, tmp_path):
    with pytest.raises(ValueError, match=says): train(replace(TINY, shapes=shapes), tmp_path / "weights")
    assert not (tmp_path / "weights").exists()


def test_a_sequence_of_many_sizes_is_not_cut_into_portions(tmp_path):
    with pytest.raises(ValueError, match="accumulate: expected 1 with shapes, got 2"): train(replace(MANY, accumulate=2), tmp_path / "weights")
    assert not (tmp_path / "weights").exists()


@settings(max_examples=30, deadline=None)
@given(lengths=st.lists(st.integers(1, 50), min_size=1, max_size=6), seed=st.integers(0, 99), room=st.integers(0, 200))
def test_a_sequence_is_filled_until_the_next_clip_has_no_room(lengths, seed, room):
    budget = max(lengths) + room
    kinds = training.fill(lengths, budget, torch.Generator().manual_seed(seed))
    taken = sum(lengths[kind] for kind in kinds)
    assert budget - max(lengths) < taken <= budget and kinds == sorted(kinds) and kinds == training.fill(lengths, budget, torch.Generator().manual_seed(seed))
