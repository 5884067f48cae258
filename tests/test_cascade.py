"""Properties and faults of sora_edu.cascade, and of its place in the pipeline."""
import json

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from sora_edu import cascade
from sora_edu.cascade import KINDS, Upsampler, augment, between, combine, enlarge, gap_of, invented, larger, pairs, train_upsampler, upsample
from sora_edu.dit import DiT
from sora_edu.pipeline import Sora
from sora_edu.text import TextEncoder
from sora_edu.vae import VideoVAE
from sora_edu.video import data_path
from sora_edu.world import PLAIN, World

CONFIG = dict(clip=(5, 16, 16), shift=1., backgrounds=["black"])


def noise(*shape, seed=0): return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def tiny():
    "An untrained pipeline of small parts, with both upsamplers; all parameters speak"
    torch.manual_seed(0)
    parts = dict(text=TextEncoder(dim=16, heads=2), vae=VideoVAE(4, 8, hidden=8, wide=8, conv_width=4), dit=DiT(4, 16, 1, 2, text_dim=16))
    ups = {kind: Upsampler(kind, 4, 16, 1, 2, patch_size=(1, 2, 2) if kind == "space" else (1, 1, 1), text_dim=16) for kind in KINDS}
    for part in (*parts.values(), *ups.values()):
        part.eval().requires_grad_(False)
        for p in part.parameters(): p.copy_(torch.randn(p.shape) * (0.3 if p.ndim == 1 else p.shape[-1] ** -0.5))
    return Sora(**parts, config=CONFIG, upsamplers=ups)


# --- interpolation and sizes ---------------------------------------------------------------------

@settings(max_examples=20, deadline=None)
@given(f=st.integers(1, 6), b=st.integers(1, 3), h=st.integers(1, 4), w=st.integers(1, 4))
def test_between_is_linear_interpolation(f, b, h, w):
    video = noise(b, 3, f, h, w)
    expected = video if f == 1 else F.interpolate(video, (2 * f - 1, h, w), mode="trilinear", align_corners=True)
    assert torch.allclose(between(video), expected, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_enlarge_has_the_size_that_larger_tells(kind):
    video = noise(2, 3, 5, 8, 12).clamp(-1, 1)
    big = enlarge(video, kind)
    assert tuple(big.shape[2:]) == larger((5, 8, 12), kind) and big.abs().max() <= 1
    assert torch.allclose(enlarge(torch.full_like(video, 0.3), kind), torch.full_like(big, 0.3), atol=1e-6)


def test_steps_commute_up_to_rounding_of_the_clip():
    video = noise(1, 3, 3, 8, 8).clamp(-1, 1) / 2
    assert torch.allclose(enlarge(enlarge(video, "time"), "space"), enlarge(enlarge(video, "space"), "time"), atol=1e-5)


@pytest.mark.parametrize("upsample", ["spcae", ("time", "colour"), [""]])
def test_unknown_steps_are_named(upsample):
    with pytest.raises(ValueError, match="upsample: expected steps out of space, time, got"): larger((5, 16, 16), upsample)


def test_the_world_is_the_same_at_every_size():
    few, many = (World((f, 32, 32), 3, "test")[4][0] for f in (9, 17))
    assert torch.equal(few, many[:, ::2])
    small, large = (World((9, s, s), 3, "test", backgrounds=tuple(PLAIN))[4][0] for s in (32, 64))
    assert (F.avg_pool3d(large[None], (1, 2, 2)) - small).abs().mean() < 0.05


# --- two measurements ----------------------------------------------------------------------------

def test_combine_is_the_posterior_of_a_gaussian():
    "Solved by a linear system: x ~ N(0, 1), y1 = x + e1, y2 = x + e2"
    for t, s, gap in ((0.3, 0.1, 0.2), (0.7, 0.0, 0.5), (0.9, 0.4, 0.05)):
        y = torch.tensor([0.8, -0.3], dtype=torch.float64)
        a = torch.tensor([1 - t, 1 - s], dtype=torch.float64)
        cov = torch.outer(a, a) + torch.diag(torch.tensor([t, ((1 - s) * gap) ** 2 + s * s], dtype=torch.float64) ** torch.tensor([2, 1]))
        gain = torch.linalg.solve(cov, a)
        guess, error = combine(y[0].float().view(1, 1, 1, 1, 1), torch.tensor([t]), y[1].float().view(1, 1, 1, 1, 1), torch.full((1, 1, 1, 1, 1), s), torch.tensor([gap]))
        assert guess.item() == pytest.approx((gain @ y).item(), rel=1e-4) and error.item() == pytest.approx((1 - gain @ a).sqrt().item(), rel=1e-4)


def test_augmentation_tells_its_level_and_hides_the_rest():
    c, e = noise(2, 4, 3, 2, 2), noise(2, 4, 3, 2, 2, seed=1)
    out = augment(c, torch.tensor([0.0, 1.0]), e)
    assert torch.equal(out[0, :-1], c[0]) and torch.equal(out[1, :-1], e[1]) and out[:, -1].flatten(1).tolist() == [[0.0] * 12, [1.0] * 12]


def test_a_fresh_upsampler_gives_the_guess_and_learns():
    model = Upsampler("space", 4, 16, 1, 2, text_dim=8)
    x, c, t, words = noise(2, 4, 3, 2, 2), noise(2, 4, 3, 2, 2, seed=1), torch.tensor([0.4, 0.9]), noise(2, 5, 8)
    given_ = augment(c, torch.tensor([0.1, 0.3]), noise(2, 4, 3, 2, 2, seed=2))
    assert torch.equal(model(x, t, (words, given_)), combine(x, t, given_[:, :-1], given_[:, -1:], model.gap)[0])
    loss = model.loss(x, c, words)
    loss.backward()
    assert loss.isfinite() and model.dit.leave.weight.grad.abs().sum() > 0


def test_without_augmentation_the_condition_is_never_spoilt(monkeypatch):
    seen = []
    monkeypatch.setattr(cascade, "augment", lambda c, level, e: seen.append(level) or augment(c, level, e))
    Upsampler("time", 4, 16, 1, 2, text_dim=8).loss(noise(8, 4, 3, 2, 2), noise(8, 4, 3, 2, 2), noise(8, 5, 8), top=0.)
    assert (seen[0] == 0).all()


def test_gap_and_invention():
    x = noise(3, 2, 2, 3, 4)
    assert gap_of(x, x).eq(0).all() and torch.allclose(gap_of(x, x + torch.tensor([1., 2.]).view(2, 1, 1, 1)), torch.tensor([1., 2.]))
    assert invented(x[:1].expand(3, -1, -1, -1, -1)).abs().max() < 1e-6
    with pytest.raises(ValueError, match="clips: expected at least two, got 1"): invented(x[:1])


# --- sampling ------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", KINDS)
def test_upsample_is_repeatable_and_clips_do_not_meet(tiny, kind):
    model, video, words = tiny.upsamplers[kind], noise(3, 3, 5, 16, 24).clamp(-1, 1), tiny.text(["red", "blue", "green"])
    made = upsample(model, tiny.vae, video, words, seed=5)
    assert tuple(made.shape[2:]) == larger((5, 16, 24), kind) and made.abs().max() <= 1
    assert torch.equal(made, upsample(model, tiny.vae, video, words, seed=5)) and not torch.equal(made, upsample(model, tiny.vae, video, words, seed=6))
    assert torch.allclose(made[1:2], upsample(model, tiny.vae, video[1:2], words[1:2], seed=6), atol=1e-4)


@pytest.mark.parametrize("change, said", [(dict(video=torch.zeros(0, 3, 5, 16, 16)), "at least one clip"), (dict(video=torch.zeros(3, 5, 16, 16)), r"expected \(b, c, f, h, w\)"),
                                          (dict(level=1.), "level: expected 0"), (dict(level=-.1), "level: expected 0"), (dict(video=torch.zeros(1, 3, 5, 12, 16)), "multiple"), (dict(steps=0), "steps must be")])
def test_bad_input_gets_one_clear_error(tiny, change, said):
    given_ = dict(video=torch.zeros(1, 3, 5, 16, 16), words=tiny.text(["red"])) | change
    with pytest.raises(ValueError, match=said): upsample(tiny.upsamplers["space"], tiny.vae, **given_)


def test_no_upsampler_of_another_kind():
    with pytest.raises(ValueError, match="upsample: expected steps out of space, time, got 'colour'"): Upsampler("colour")


# --- in the pipeline -----------------------------------------------------------------------------

def test_the_pipeline_chains_the_steps(tiny):
    plain = tiny("red", seed=3, steps=2)
    by_hand = plain
    for kind in ("time", "space"): by_hand = upsample(tiny.upsamplers[kind], tiny.vae, by_hand, tiny.text(["red"]), seed=3)
    assert torch.equal(tiny("red", seed=3, steps=2, upsample=("time", "space")), by_hand) and by_hand.shape == (1, 3, 9, 32, 32)
    assert torch.equal(tiny("red", seed=3, steps=2, upsample="time"), upsample(tiny.upsamplers["time"], tiny.vae, plain, tiny.text(["red"]), seed=3))


def test_what_was_not_trained_is_refused_before_any_work(tiny, monkeypatch):
    bare = Sora(tiny.text, tiny.vae, tiny.dit, CONFIG, upsamplers=dict(time=tiny.upsamplers["time"]))
    monkeypatch.setattr("sora_edu.pipeline.sample", lambda *_, **__: pytest.fail("work began before the check"))
    with pytest.raises(ValueError, match="no upsampler in space was trained for this model, only time"): bare("red", upsample=("time", "space"))
    with pytest.raises(ValueError, match="expected steps out of space, time, got 'x'"): bare("red", upsample="x")


def test_upsamplers_are_saved_and_found_again(tiny, tmp_path):
    tiny.save_pretrained(tmp_path)
    again = Sora.from_pretrained(tmp_path)
    assert not again.upsamplers and again.trained_kinds() == list(KINDS), "upsamplers are read when they are needed"
    half = again("red", steps=1, upsample="space")
    assert half.shape == (1, 3, 5, 32, 32) and list(again.upsamplers) == ["space"]
    assert "`cascade/space`" in (tmp_path / "README.md").read_text(encoding="utf-8")
    (tmp_path / "cascade/time/model.safetensors").write_bytes(b"cut off")
    with pytest.raises(ValueError, match="cascade/time/model.safetensors is damaged".replace("/", r"[/\\]")): again("red", steps=1, upsample="time")


# --- training ------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny):
    folder = tmp_path_factory.mktemp("weights")
    tiny.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_pairs_show_one_scene_at_two_sizes(tiny, kind):
    size = larger((5, 16, 16), kind)
    x, c, tokens = pairs(tiny.vae, tiny.text, kind, size, 4, seed=1)
    assert x.shape == c.shape == (4, 4, *tiny.vae.latent_size(size)) and len(tokens) == 4
    high = torch.stack([World(size, 1, backgrounds=tuple(PLAIN))[i][0] for i in range(4)])
    assert torch.equal(x, tiny.vae.encode(high).half())
    small = World((5, 16, 16), 1, backgrounds=tuple(PLAIN))[1][0][None]
    assert torch.allclose(c[1:2].float(), tiny.vae.encode(enlarge(small, kind)), atol=1e-2)


def test_training_is_deterministic_and_leaves_what_the_pipeline_reads(folder):
    made = [train_upsampler("time", folder, folder / "cascade" / name, steps=3, clips=.002) for name in ("time", "again")]
    assert all(torch.equal(a, b) for a, b in zip(made[0].state_dict().values(), made[1].state_dict().values()))
    assert Sora.from_pretrained(folder)("red", steps=1, upsample="time").shape == (1, 3, 9, 16, 16)
    assert len(json.loads((folder / "cascade/time/history.json").read_text())) == 3 and not (folder / "cascade/time.ckpt").exists()


# --- what is shipped -----------------------------------------------------------------------------

def test_the_shipped_upsamplers_are_small_and_better_than_bicubic():
    files = list((data_path("weights/nano") / "cascade").rglob("*.safetensors"))
    assert len(files) == 2 and sum(path.stat().st_size for path in files) <= 10e6
    sora = Sora.from_pretrained("nano")
    low, high = (torch.stack([World((17, s, s), 5, "test", backgrounds=tuple(PLAIN))[i][0] for i in range(6)]) for s in (32, 64))
    words = sora.text([World((17, 32, 32), 5, "test", backgrounds=tuple(PLAIN)).scene(i)[1] for i in range(6)])
    made = upsample(sora.upsampler("space"), sora.vae, low, words, level=0.)
    assert (made - high).square().mean() < (enlarge(low, "space") - high).square().mean()


def test_the_results_hold_their_marks():
    records = {r["id"]: r["value"] for r in json.loads(data_path("results/cascade.json").read_text())}
    assert records["cascade_time_error_px"] <= 1 and records["cascade_weights_mb"] <= 10
    assert records["cascade_space_decoded_gain_db"] >= 3 and records["cascade_space_gain_db"] >= 3   # small clips out of the autoencoder, as at work, and true ones
    assert records["adherence_cascade"] >= records["adherence_cascade_before"] - 2
