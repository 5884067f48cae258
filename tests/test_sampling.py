"""Samplers: against diffusers, order of convergence, seeds, guidance, known frames, faults."""
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sora_edu.diffusion import DDPM, RectifiedFlow, broadcast_t, shift_t
from sora_edu.sampling import SOLVERS, ahead, sample, time_grid

SHAPE = (2, 3, 4, 6, 6)


def wavy(x, t, text=None):
    "A smooth stand-in for a network, on points and clips alike; independent from clip to clip"
    push = 0.0 if text is None else text.reshape(-1, *[1] * (x.ndim - 1))
    return torch.sin(2 * x + 3 * broadcast_t(t, x)) - 0.5 * x + push


def start(shape=SHAPE, seed=0, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def run_theirs(scheduler, x, model=wavy):
    "Sample with a diffusers scheduler; `t` reaches the model in our convention"
    for step in scheduler.timesteps:
        t = (step.float() + (0 if "Flow" in type(scheduler).__name__ else 1)) / 1000
        out = model(scheduler.scale_model_input(x, step) if hasattr(scheduler, "scale_model_input") else x, t.expand(len(x)))
        x = scheduler.step(out, step, x).prev_sample
    return x


def says(kind):
    "`wavy` as a v prediction, spoken in another kind: keeps the predicted data within bounds"
    return lambda x, t: DDPM("v").convert(x, wavy(x, t), t, kind)


# --- against diffusers -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("shift", [1.0, 3.0])
@pytest.mark.parametrize("steps", [1, 4, 25])
def test_euler_is_diffusers_flow_euler(steps, shift):
    diffusers = pytest.importorskip("diffusers")
    theirs = diffusers.FlowMatchEulerDiscreteScheduler(shift=shift)
    theirs.set_timesteps(sigmas=torch.linspace(1, 1 / steps, steps).tolist())
    got = sample(wavy, SHAPE, steps, "euler", noise=start(), shift=shift)
    torch.testing.assert_close(got, run_theirs(theirs, start()), atol=1e-5, rtol=0)


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_heun_is_diffusers_flow_heun(shift):
    diffusers = pytest.importorskip("diffusers")
    theirs = diffusers.FlowMatchHeunDiscreteScheduler(shift=shift)
    theirs.set_timesteps(8)
    levels = [*theirs.sigmas[::2].tolist()[:8], 0.0]
    got = sample(wavy, SHAPE, levels, "heun", noise=start())
    torch.testing.assert_close(got, run_theirs(theirs, start()), atol=1e-5, rtol=1e-5)


KINDS = {"noise": "epsilon", "data": "sample", "v": "v_prediction"}


@pytest.mark.parametrize("prediction", KINDS)
@pytest.mark.parametrize("schedule", ["linear", "squaredcos_cap_v2"])
def test_ddim_is_diffusers_ddim(prediction, schedule):
    diffusers = pytest.importorskip("diffusers")
    theirs = diffusers.DDIMScheduler(beta_schedule=schedule, prediction_type=KINDS[prediction], clip_sample=False, timestep_spacing="leading")
    theirs.set_timesteps(20)
    process = DDPM(prediction, "linear" if schedule == "linear" else "cosine")
    levels = [(int(k) + 1) / 1000 for k in theirs.timesteps] + [0.0]
    got = sample(wavy, SHAPE, levels, "ddim", noise=start(), process=process)
    torch.testing.assert_close(got, run_theirs(theirs, start()), atol=1e-5, rtol=1e-5)


def test_ddim_grid_is_diffusers_trailing_grid():
    diffusers = pytest.importorskip("diffusers")
    theirs = diffusers.DDIMScheduler(prediction_type="v_prediction", clip_sample=False, timestep_spacing="trailing")
    theirs.set_timesteps(25)
    got = sample(wavy, SHAPE, 25, "ddim", noise=start(), process=DDPM("v"))
    torch.testing.assert_close(got, run_theirs(theirs, start()), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("prediction", KINDS)
def test_ddpm_is_diffusers_ddpm(prediction, monkeypatch):
    diffusers = pytest.importorskip("diffusers")
    from diffusers.schedulers import scheduling_ddpm
    theirs = diffusers.DDPMScheduler(prediction_type=KINDS[prediction], clip_sample=False)
    theirs.set_timesteps(50)
    draws = torch.Generator().manual_seed(5)  # the draws of clip 0, made one after another
    torch.randn(SHAPE[1:], generator=draws)
    monkeypatch.setattr(scheduling_ddpm, "randn_tensor", lambda shape, **kw: torch.randn(shape[1:], generator=draws)[None])
    levels = [(int(k) + 1) / 1000 for k in theirs.timesteps] + [0.0]
    noise = start((1, *SHAPE[1:]), 5)
    expected = run_theirs(theirs, noise, says(prediction))
    got = sample(says(prediction), noise.shape, levels, "ddpm", seed=5, process=DDPM(prediction))
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-5)


def test_dpmpp_is_diffusers_dpm_solver():
    diffusers = pytest.importorskip("diffusers")
    theirs = diffusers.DPMSolverMultistepScheduler(prediction_type="v_prediction")
    theirs.set_timesteps(20)
    levels = [(int(k) + 1) / 1000 for k in theirs.timesteps] + [0.0]
    got = sample(wavy, SHAPE, levels, "dpmpp", noise=start(), process=DDPM("v"))
    torch.testing.assert_close(got, run_theirs(theirs, start()), atol=1e-5, rtol=1e-5)


def test_dpmpp_on_a_flow_is_diffusers_dpm_solver():
    diffusers = pytest.importorskip("diffusers")
    theirs = diffusers.DPMSolverMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
    theirs.set_timesteps(16)
    levels = theirs.sigmas.tolist()
    # diffusers rounds the timestep a model sees to a whole number; the level itself is what we compare at
    x, levels_left = start(), iter(levels)
    for step in theirs.timesteps:
        x = theirs.step(wavy(x, torch.full((2,), next(levels_left))), step, x).prev_sample
    got = sample(wavy, SHAPE, levels, "dpmpp", noise=start())
    torch.testing.assert_close(got, x, atol=1e-5, rtol=0)


def test_ddim_is_diffusers_euler_in_other_units():
    "k-diffusion's Euler walks x / alpha against sigma / alpha; its path is DDIM's"
    diffusers = pytest.importorskip("diffusers")
    theirs = diffusers.EulerDiscreteScheduler(timestep_spacing="trailing", prediction_type="v_prediction")
    theirs.set_timesteps(25)
    process, noise = DDPM("v"), start()
    alpha = process.alpha_bar[-1].sqrt()
    expected = run_theirs(theirs, noise / alpha)
    got = sample(wavy, SHAPE, 25, "ddim", noise=noise, process=process)
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-5)


# --- how fast the error falls ------------------------------------------------------------------------------------------

MEAN, STD = torch.tensor([1.0, -2.0], dtype=torch.float64), 0.5


def gaussian(x, t, text=None):
    "The exact velocity when the data is one Gaussian; the exact sample is then MEAN + STD * noise"
    t = t[:, None]
    off = (x - (1 - t) * MEAN) / ((1 - t) ** 2 * STD**2 + t**2)
    return t * off - (MEAN + (1 - t) * STD**2 * off)


@pytest.mark.parametrize("solver, order", [("euler", 1), ("ddim", 1), ("heun", 2), ("ab2", 2), ("dpmpp", 2)])
def test_order_of_convergence(solver, order):
    noise = start((64, 2), dtype=torch.float64)
    errors = [(sample(gaussian, (64, 2), n, solver, noise=noise) - (MEAN + STD * noise)).abs().mean() for n in (320, 640)]
    assert errors[1] < 5e-3
    assert abs(math.log2(errors[0] / errors[1]) - order) < 0.25, errors


def test_ancestral_samples_have_the_right_spread():
    x = sample(gaussian, (4000, 2), 100, "ddpm", process=RectifiedFlow(), noise=start((4000, 2), dtype=torch.float64))
    torch.testing.assert_close(x.mean(0), MEAN, atol=0.05, rtol=0)
    torch.testing.assert_close(x.std(0), torch.full((2,), STD, dtype=torch.float64), atol=0.03, rtol=0)


@pytest.mark.parametrize("solver", ["euler", "heun", "ab2", "dpmpp", "ddim"])
def test_what_the_model_predicts_does_not_matter(solver):
    "The same velocity spoken as data prediction gives the same clip"
    as_data = lambda x, t: x - broadcast_t(t, x) * wavy(x, t)
    a = sample(wavy, SHAPE, 12, solver, noise=start())
    b = sample(as_data, SHAPE, 12, solver, noise=start(), process=RectifiedFlow("data"))
    torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.05, 0.4), st.floats(0.05, 0.4))
def test_ahead_is_exact_on_lines(slope, value, last, this):
    "A quantity that changes evenly with the level: halfway into the step to come"
    line = lambda t: torch.tensor([[value + slope * t]], dtype=torch.float64)
    guess = ahead(line(0.5), line(0.5 + last), torch.tensor([[this / last]], dtype=torch.float64))
    torch.testing.assert_close(guess, line(0.5 - this / 2))


def test_where_a_ratio_is_not_finite_nothing_is_extrapolated():
    now, before = start((3, 2)), start((3, 2), seed=1)
    assert torch.equal(ahead(now, before, torch.tensor([[math.nan], [math.inf], [-math.inf]])), now)


@pytest.mark.parametrize("solver", ["ddim", "dpmpp", "ddpm"])
def test_the_table_of_a_process_is_entered_once(solver, monkeypatch):
    process, looked = DDPM("v"), []
    entered = process.alpha_sigma
    monkeypatch.setattr(process, "alpha_sigma", lambda t: looked.append(t.shape) or entered(t))
    sample(wavy, SHAPE, 10, solver, process=process)
    assert looked == [(11, 2, 1, 1, 1, 1)]


# --- seeds -------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("solver", SOLVERS)
def test_a_clip_does_not_know_its_batch(solver):
    together = sample(wavy, (3, *SHAPE[1:]), 6, solver, seed=[7, 3, 8])
    for i, s in enumerate([7, 3, 8]):
        torch.testing.assert_close(together[i:i + 1], sample(wavy, (1, *SHAPE[1:]), 6, solver, seed=s), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(sample(wavy, (2, *SHAPE[1:]), 6, solver, seed=7)[1], together[2], atol=1e-6, rtol=1e-5)
    assert not torch.allclose(together[0], together[1])


def test_sampling_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    sample(wavy, SHAPE, 3, "ddpm")
    assert torch.equal(before, torch.get_rng_state())


# --- guidance ----------------------------------------------------------------------------------------------------------

@settings(max_examples=20, deadline=None)
@given(scale=st.floats(0, 10))
def test_guidance_is_linear_and_one_call(scale):
    calls = []
    def model(x, t, text):
        calls.append(len(x))
        return text.reshape(-1, 1).expand_as(x)
    x = sample(model, (2, 2), 1, cfg_scale=scale, text=torch.tensor([1.0, 2.0]), null_text=torch.tensor([0.5]), noise=torch.zeros(2, 2))
    torch.testing.assert_close(-x[:, 0], 0.5 + scale * (torch.tensor([1.0, 2.0]) - 0.5))
    assert calls == ([2] if scale == 1 else [4])


def test_text_may_be_nested():
    def model(x, t, text):
        tokens, extra = text
        assert len(tokens) == len(x) == len(extra["mask"]) and extra["none"] is None
        return wavy(x, t, tokens.mean(1))
    text = (torch.rand(2, 5), {"mask": torch.ones(2, 5, dtype=torch.bool), "none": None})
    null = (torch.zeros(1, 5), {"mask": torch.ones(1, 5, dtype=torch.bool), "none": None})
    assert sample(model, SHAPE, 2, cfg_scale=2.0, text=text, null_text=null).shape == SHAPE
    plain = sample(model, SHAPE, 2, text=text)
    torch.testing.assert_close(plain, sample(lambda x, t, text: wavy(x, t, text), SHAPE, 2, text=text[0].mean(1)))


# --- known frames ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("process", [RectifiedFlow(), RectifiedFlow("data"), DDPM("v")], ids=str)
def test_known_frames_are_kept_and_shown_clean(solver, process):
    if solver in ("euler", "heun", "ab2") and isinstance(process, DDPM):
        pytest.skip("these follow a velocity")
    seen = []
    def model(x, t):
        seen.append((x[:, :, 0].clone(), t.clone()))
        return wavy(x, t)
    latent, frames = start(seed=9), torch.tensor([True, False, False, True])
    x, path = sample(model, SHAPE, 5, solver, process=process, known=(latent, frames), trajectory=True)
    assert torch.equal(x[:, :, frames], latent[:, :, frames]) and x.isfinite().all()
    assert not torch.allclose(x[:, :, ~frames], latent[:, :, ~frames], atol=0.1)
    for first, t in seen:
        assert torch.equal(first, latent[:, :, 0])
        assert t.shape == (2, 4) and not t[:, frames].any()
        assert (t[:, 1] == t[:, 2]).all()
    assert all(torch.equal(data[:, :, frames], latent[:, :, frames]) for _, _, data in path)


def test_known_frames_do_not_touch_the_others():
    "For a model that treats frames apart, the free frames come out as without known ones"
    frames = torch.tensor([[True, False, False, False], [False, False, True, False]])
    free = sample(wavy, SHAPE, 6)
    some = sample(wavy, SHAPE, 6, known=(start(seed=9), frames))
    keep = ~frames[:, None, :, None, None].expand(SHAPE)
    torch.testing.assert_close(some[keep], free[keep])


# --- path, grid, faults ------------------------------------------------------------------------------------------------

def test_trajectory():
    x, path = sample(wavy, SHAPE, 4, noise=start(), shift=2.0, trajectory=True)
    assert [round(t, 6) for t, _, _ in path] == [round(t, 6) for t in time_grid(4, 2.0)[:-1]]
    assert torch.equal(path[0][1], start())
    torch.testing.assert_close(path[0][2], start() - wavy(start(), torch.ones(2)))
    torch.testing.assert_close(path[-1][2], x)  # the last Euler step lands on the predicted data
    assert torch.equal(x, sample(wavy, SHAPE, 4, noise=start(), shift=2.0))


@given(steps=st.integers(1, 200), shift=st.floats(0.2, 10))
def test_grid_falls_from_one_to_zero(steps, shift):
    grid = time_grid(steps, shift)
    assert len(grid) == steps + 1 and grid[0] == pytest.approx(1) and grid[-1] == 0
    assert all(a > b for a, b in zip(grid, grid[1:]))


def test_module_on_its_device_and_dtype():
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(()))
        def forward(self, x, t):
            return (self.scale * x).bfloat16()
    x = sample(Net(), SHAPE, 3)
    assert x.dtype == torch.float32 and not x.requires_grad


@pytest.mark.parametrize("kw, words", [
    (dict(solver="rk4"), "euler, heun, ab2, dpmpp, ddim, ddpm"),
    (dict(steps=0), "at least 1"),
    (dict(steps=-3), "at least 1"),
    (dict(steps=[0.2, 0.9]), "fall"),
    (dict(steps=[1.0]), "at least two"),
    (dict(shape=(2, 3, 4)), "b, c, f, h, w"),
    (dict(shape=(0, 3, 4, 6, 6)), "shape"),
    (dict(cfg_scale=3.0), "text"),
    (dict(cfg_scale=3.0, text=torch.zeros(2)), "null_text"),
    (dict(text=torch.zeros(5)), "batch"),
    (dict(seed=[1, 2, 3]), "seed"),
    (dict(noise=torch.zeros(1, 3, 4, 6, 6)), "noise"),
    (dict(process=DDPM("v")), "RectifiedFlow"),
    (dict(process=RectifiedFlow("noise")), "predicts noise"),
    (dict(shift=0.0), "shift"),
    (dict(known=(torch.zeros(1, 3, 4, 6, 6), torch.ones(4, dtype=torch.bool))), "known"),
    (dict(known=(torch.zeros(SHAPE), torch.ones(3, dtype=torch.bool))), "known"),
    (dict(known=(torch.zeros(SHAPE), torch.ones(4))), "known"),
])
def test_one_clear_error(kw, words):
    with pytest.raises(ValueError, match=words):
        sample(**{"model": wavy, "shape": SHAPE, **kw})


def test_wrong_types():
    with pytest.raises(TypeError, match="text"):
        sample(wavy, SHAPE, text="a red circle", cfg_scale=1)
    with pytest.raises(ValueError, match="model's output"):
        sample(lambda x, t: x[:, :1], SHAPE)
