"""What a step costs besides the model: our samplers and diffusers' schedulers, in turn. python tests/bench/sampler_step.py (1 minute)

The model answers at once with a fixed tensor, so that only the sampler's own work is left. Both make the same clip to 1e-5, or the command stops.
`bench_sampler_step_<peer>`: our time per step over theirs; median of the rounds, and the quartiles as interval. `bench_sampler_step` is the largest of them."""
import time

import diffusers
import torch

from sora_edu.diffusion import DDPM, RectifiedFlow
from sora_edu.evaluation import record
from sora_edu.sampling import sample

ROUNDS, STEPS, SHAPE = 201, 25, (1, 64, 5, 4, 4)      # the latent of one shipped clip
NOISE, ANSWER = torch.randn(2, *SHAPE, generator=torch.Generator().manual_seed(0))


def model(x, t): return ANSWER


def theirs(scheduler, **levels):
    """Walk as their pipelines do. The model is told the noise level in [0, 1], as ours is."""
    level = (lambda k: k / 1000) if "Flow" in type(scheduler).__name__ else (lambda k: (k + 1) / 1000)
    def walk():
        x = NOISE
        scheduler.set_timesteps(**levels or dict(num_inference_steps=STEPS))
        for step in scheduler.timesteps: x = scheduler.step(model(x, level(step.expand(len(x)))), step, x, return_dict=False)[0]
        return x
    return walk


def ours(solver, process=RectifiedFlow(), levels=STEPS): return lambda: sample(model, SHAPE, levels, solver, noise=NOISE, process=process)


def pairs() -> dict:
    """For each of their schedulers: ours and theirs, on the same levels."""
    heun = diffusers.FlowMatchHeunDiscreteScheduler()
    heun.set_timesteps(STEPS)
    v = dict(prediction_type="v_prediction", timestep_spacing="trailing")
    multistep = diffusers.DPMSolverMultistepScheduler(**v)
    multistep.set_timesteps(STEPS)
    return {
        "FlowMatchEuler": (ours("euler"), theirs(diffusers.FlowMatchEulerDiscreteScheduler(), sigmas=torch.linspace(1, 1 / STEPS, STEPS).tolist())),
        "FlowMatchHeun": (ours("heun", levels=[*heun.sigmas[::2].tolist()[:STEPS], 0.0]), theirs(heun)),
        "DDIM": (ours("ddim", DDPM("v")), theirs(diffusers.DDIMScheduler(clip_sample=False, **v))),
        "DPMSolverMultistep": (ours("dpmpp", DDPM("v"), [(int(k) + 1) / 1000 for k in multistep.timesteps] + [0.0]), theirs(multistep)),
    }


def seconds(walk) -> float:
    begin = time.thread_time()      # of the processor, so that other programs do not count
    walk()
    return time.thread_time() - begin


def main() -> None:
    torch.set_num_threads(1)
    worst = None
    for name, (mine, other) in pairs().items():
        torch.testing.assert_close(mine(), other(), atol=1e-5, rtol=1e-5)
        timed = torch.tensor([[seconds(mine), seconds(other)] for _ in range(ROUNDS)])
        low, ratio, high = (timed[:, 0] / timed[:, 1]).quantile(torch.tensor([0.25, 0.5, 0.75])).tolist()
        a, b = (1e6 * timed.median(0).values / STEPS).tolist()
        print(f"{name:20} ours {a:6.1f} µs a step, theirs {b:6.1f} µs: {ratio:.2f} ({low:.2f} to {high:.2f})", flush=True)
        result = ratio, ROUNDS, [round(low, 3), round(high, 3)]
        worst = max(worst or result, result)
        record("bench", f"bench_sampler_step_{name}", result[0], "times diffusers'", *result[1:], "sora-edu bench --only sampler_step")
    record("bench", "bench_sampler_step", worst[0], "times diffusers', the largest of four", *worst[1:], "sora-edu bench --only sampler_step")


if __name__ == "__main__":
    main()
