"""Noise processes: against diffusers, and the properties every one of them must have."""
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sora_edu.diffusion import DDPM, PREDICTIONS, NoiseProcess, RectifiedFlow, broadcast_t, shift_t

SHAPE = (3, 2, 5, 4, 4)


def clips(seed=0, shape=SHAPE):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=g), torch.randn(shape, generator=g)


def all_processes():
    flows = [RectifiedFlow(p) for p in PREDICTIONS]
    return flows + [DDPM(p, s) for p in PREDICTIONS for s in ("linear", "cosine")]


# --- against diffusers -------------------------------------------------------------------------------------------------

STEPS = torch.tensor([0, 1, 17, 250, 500, 998, 999])  # diffusers' timestep k - 1
NAMES = {"linear": "linear", "cosine": "squaredcos_cap_v2"}
KINDS = {"noise": "epsilon", "data": "sample", "v": "v_prediction"}


@pytest.mark.parametrize("schedule", NAMES)
@pytest.mark.parametrize("scheduler", ["DDPMScheduler", "DDIMScheduler"])
def test_ddpm_mixes_and_aims_like_diffusers(schedule, scheduler):
    diffusers = pytest.importorskip("diffusers")
    theirs = getattr(diffusers, scheduler)(beta_schedule=NAMES[schedule])
    ours = DDPM("v", schedule)
    torch.testing.assert_close(ours.alpha_bar[1:], theirs.alphas_cumprod, atol=1e-6, rtol=1e-6)
    x, noise = clips(shape=(len(STEPS), 2, 3, 4, 4))
    t = (STEPS + 1) / 1000
    torch.testing.assert_close(ours.add_noise(x, noise, t), theirs.add_noise(x, noise, STEPS), atol=1e-5, rtol=0)
    torch.testing.assert_close(ours.target(x, noise, t), theirs.get_velocity(x, noise, STEPS), atol=1e-5, rtol=0)


@pytest.mark.parametrize("prediction", KINDS)
def test_ddpm_finds_the_data_like_diffusers(prediction):
    diffusers = pytest.importorskip("diffusers")
    theirs = diffusers.DDIMScheduler(prediction_type=KINDS[prediction], clip_sample=False)
    theirs.set_timesteps(1000)
    ours, (x_t, out) = DDPM(prediction), clips()
    for step in (0, 300, 700):
        expected = theirs.step(out, step, x_t).pred_original_sample
        got = ours.to_data(x_t, out, torch.full((3,), (step + 1) / 1000))
        torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-5)


def test_flow_mixes_like_diffusers():
    diffusers = pytest.importorskip("diffusers")
    theirs = diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0)
    theirs.set_timesteps(10)
    x, noise = clips()
    steps = theirs.timesteps[[1, 4, 8]]
    torch.testing.assert_close(RectifiedFlow().add_noise(x, noise, steps / 1000), theirs.scale_noise(x, steps, noise), atol=1e-5, rtol=0)
    torch.testing.assert_close(theirs.sigmas[:-1], shift_t(torch.linspace(1, theirs.sigmas[-2] / (3 - 2 * theirs.sigmas[-2]), 10), 3.0), atol=1e-5, rtol=0)


@pytest.mark.parametrize("sigma", [0.01, 0.5, 3.0, 80.0])
@pytest.mark.parametrize("kind, sign", [("epsilon", -1), ("v_prediction", 1)])
def test_edm_says_v_in_its_own_words(sigma, kind, sign):
    diffusers = pytest.importorskip("diffusers")
    theirs, sigma = diffusers.EDMEulerScheduler(sigma_data=1.0, prediction_type=kind), torch.tensor(sigma)
    x, noise = clips()
    noisy, alpha = x + sigma * noise, (1 + sigma**2).rsqrt()
    v = alpha * noise - alpha * sigma * x
    torch.testing.assert_close(theirs.precondition_inputs(noisy, sigma), alpha * noisy)
    ours = NoiseProcess("v").solve(alpha * noisy, v, alpha, alpha * sigma, to="data")
    torch.testing.assert_close(theirs.precondition_outputs(noisy, sign * v, sigma), ours, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(ours, x, atol=1e-4, rtol=1e-4)


def test_a_ddpm_of_diffusers_is_a_rectified_flow_at_another_level():
    diffusers = pytest.importorskip("diffusers")
    theirs = diffusers.DDPMScheduler()
    x, noise = clips()
    steps = torch.tensor([10, 400, 900])
    alpha, sigma = theirs.alphas_cumprod[steps].sqrt(), (1 - theirs.alphas_cumprod[steps]).sqrt()
    ours = RectifiedFlow().add_noise(x, noise, sigma / (alpha + sigma))
    torch.testing.assert_close(theirs.add_noise(x, noise, steps) / (alpha + sigma)[:, None, None, None, None], ours, atol=1e-5, rtol=1e-5)


# --- properties --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("process", all_processes(), ids=str)
@settings(max_examples=20, deadline=None)
@given(t=st.floats(0.05, 0.95), per_frame=st.booleans(), seed=st.integers(0, 99))
def test_a_perfect_model_tells_data_and_noise(process, t, per_frame, seed):
    x, noise = clips(seed)
    t = torch.full((3, 5), t) * torch.linspace(0.9, 1.05, 5) if per_frame else torch.full((3,), t)
    x_t, out = process.add_noise(x, noise, t), process.target(x, noise, t)
    alpha, sigma = process.alpha_sigma(broadcast_t(t, x))
    slack = 2e-6 / min(alpha.min(), sigma.min())  # dividing by a small share enlarges rounding
    torch.testing.assert_close(process.to_data(x_t, out, t), x, atol=20 * slack, rtol=1e-4)
    torch.testing.assert_close(process.to_noise(x_t, out, t), noise, atol=20 * slack, rtol=1e-4)
    for to in PREDICTIONS:
        aim = process.target.__func__(type(process)(to, process.schedule) if isinstance(process, DDPM) else RectifiedFlow(to), x, noise, t)
        torch.testing.assert_close(process.convert(x_t, out, t, to), aim, atol=40 * slack, rtol=1e-4)


@pytest.mark.parametrize("process", [RectifiedFlow(), DDPM("v", "cosine")], ids=str)
def test_each_frame_has_its_own_level(process):
    x, noise = clips()
    t = torch.rand(3, 5, generator=torch.Generator().manual_seed(1))
    whole = process.add_noise(x, noise, t)
    for f in range(5):
        torch.testing.assert_close(whole[:, :, f:f + 1], process.add_noise(x[:, :, f:f + 1], noise[:, :, f:f + 1], t[:, f]), atol=0, rtol=0)
    same = process.add_noise(x, noise, t[:, :1].expand(3, 5))
    torch.testing.assert_close(same, process.add_noise(x, noise, t[:, 0]), atol=0, rtol=0)


@pytest.mark.parametrize("process", [RectifiedFlow("data"), RectifiedFlow("velocity"), DDPM("noise"), DDPM("v"), DDPM("data")], ids=str)
def test_ends_are_data_and_noise_and_finite(process):
    x, noise = clips()
    t = torch.tensor([0.0, 0.5, 1.0])
    x_t = process.add_noise(x, noise, t)
    torch.testing.assert_close(x_t[0], x[0], atol=0, rtol=0)
    torch.testing.assert_close(x_t[2], noise[2], atol=0.05, rtol=0)  # DDPM keeps a trace of data at t = 1
    for to in PREDICTIONS:
        assert process.convert(x_t, torch.randn_like(x), t, to).isfinite().all()


def test_data_loss_is_the_velocity_loss():
    x, noise = clips()
    t = torch.tensor([0.2, 0.5, 0.9])
    guess = lambda x_t, t: 0.3 * x_t + 0.1
    as_data = RectifiedFlow("data").loss(guess, x, t, noise)
    wrapped = lambda x_t, t: (x_t - guess(x_t, t)) / broadcast_t(t, x)
    torch.testing.assert_close(as_data, RectifiedFlow().loss(wrapped, x, t, noise), rtol=1e-5, atol=1e-5)
    near = RectifiedFlow("data").loss(lambda x_t, t: x + 1, x, torch.full((3,), 0.001), noise)
    torch.testing.assert_close(near, torch.tensor(400.0))  # (1 / 0.05)²: the weight stops growing below 0.05
    level = RectifiedFlow("data", floor=0.5).loss_scale(torch.tensor([0.1, 0.5, 0.8]))
    torch.testing.assert_close(level, torch.tensor([2.0, 2.0, 1.25]))


def test_loss_weight_conditions_and_seed():
    x, noise = clips()
    seen = {}
    def model(x_t, t, **cond):
        seen.update(cond, t=t)
        return torch.zeros_like(x_t)
    flow = RectifiedFlow()
    left = torch.zeros(4).index_fill(0, torch.tensor([0, 1]), 2.0)  # count only the left half, twice
    weighted = flow.loss(model, x, torch.full((3, 5), 0.5), noise, weight=left, text="hello")
    torch.testing.assert_close(weighted, (noise - x)[..., :2].square().mean())
    assert seen["text"] == "hello" and seen["t"].shape == (3, 5)
    losses = [flow.loss(model, x, generator=torch.Generator().manual_seed(s)) for s in (0, 0, 1)]
    assert losses[0] == losses[1] != losses[2]


def test_training_levels():
    g = torch.Generator().manual_seed(0)
    bell, flat = RectifiedFlow().sample_t((20_000,), g), RectifiedFlow(times="uniform").sample_t((20_000,), g)
    assert abs(bell.median() - 0.5) < 0.02 and abs((bell < 0.5).float().mean() - 0.5) < 0.02
    assert bell.std() < 0.22 < 0.28 < flat.std()  # logistic-normal 0.208, uniform 0.289
    shifted = RectifiedFlow(shift=3.0).sample_t((20_000,), g)
    assert abs(shifted.median() - 0.75) < 0.02
    assert abs(RectifiedFlow().sample_t((20_000,), g, shift=3.0).median() - 0.75) < 0.02
    steps = DDPM(steps=10).sample_t((5_000,), g)
    assert sorted(set((steps * 10).round().int().tolist())) == list(range(1, 11))
    assert RectifiedFlow().sample_t((4, 5), g).shape == (4, 5)


@given(t=st.floats(0, 1), shift=st.floats(0.1, 20))
def test_shift_keeps_the_ends_and_can_be_undone(t, shift):
    t = torch.tensor([0.0, t, 1.0], dtype=torch.float64)
    moved = shift_t(t, shift)
    assert moved[0] == 0 and abs(moved[2] - 1) < 1e-12
    torch.testing.assert_close(shift_t(moved, 1 / shift), t, atol=1e-9, rtol=0)


@pytest.mark.parametrize("prediction", PREDICTIONS)
@given(alpha=st.floats(0.05, 2), sigma=st.floats(0.05, 20), seed=st.integers(0, 99))
def test_solve_goes_there_and_back_for_any_path(prediction, alpha, sigma, seed):
    (x, noise), process = clips(seed, (3, 2)), NoiseProcess(prediction)
    x, noise, alpha, sigma = x.double(), noise.double(), torch.tensor(alpha, dtype=torch.float64), torch.tensor(sigma, dtype=torch.float64)
    x_t = alpha * x + sigma * noise
    p, q = process._mix(prediction, alpha, sigma)
    for to in PREDICTIONS:
        there = process.solve(x_t, p * x + q * noise, alpha, sigma, to)
        p2, q2 = process._mix(to, alpha, sigma)
        torch.testing.assert_close(there, p2 * x + q2 * noise, atol=1e-9, rtol=1e-9)
        torch.testing.assert_close(NoiseProcess(to).solve(x_t, there, alpha, sigma, prediction), p * x + q * noise, atol=1e-9, rtol=1e-9)


def test_the_score_is_the_expected_noise_turned_round():
    centres, t = torch.randn(50, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)), torch.tensor(0.4, dtype=torch.float64)
    x_t = torch.randn(20, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    votes = -((x_t[:, None] - (1 - t) * centres) / t).square().sum(-1) / 2
    slope, = torch.autograd.grad(votes.logsumexp(1).sum(), x_t)
    x_t = x_t.detach()
    expected = RectifiedFlow("data").to_noise(x_t, votes.softmax(1).detach() @ centres, t)
    torch.testing.assert_close(slope, -expected / t)


# --- faults ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("t, error, words", [
    (torch.tensor([500, 1, 2]), TypeError, "divide a step number"),
    (500, ValueError, r"\[0, 1\]"),
    (torch.full((3,), -0.1), ValueError, r"\[0, 1\]"),
    (torch.full((3,), float("nan")), ValueError, r"\[0, 1\]"),
    (torch.rand(2), ValueError, r"\(b,\)"),
    (torch.rand(3, 4), ValueError, r"\(b, f\)"),
    (torch.rand(3, 1, 1), ValueError, r"\(b, f\)"),
])
def test_wrong_levels(t, error, words):
    with pytest.raises(error, match=words):
        RectifiedFlow().add_noise(*clips(), t)


def test_wrong_names_and_shapes():
    for make in (lambda: RectifiedFlow("speed"), lambda: RectifiedFlow(times="gauss"), lambda: DDPM(schedule="sine"), lambda: shift_t(torch.rand(2), 0)):
        with pytest.raises(ValueError, match="must be"):
            make()
    x, noise = clips()
    with pytest.raises(ValueError, match="noise must have the shape of x"):
        RectifiedFlow().add_noise(x, noise[:1], torch.rand(3))
    with pytest.raises(ValueError, match="model's output"):
        RectifiedFlow().loss(lambda x, t: x[:, :1], x)
