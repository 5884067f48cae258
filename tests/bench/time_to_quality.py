"""Seconds of training until clips follow their prompts: our recipe and an older one. python tests/bench/time_to_quality.py (5 minutes, two threads)

An easy part of the world: one red, green or blue circle or square on black that moves left, right, up or down. Three arms train in turns from nothing until GOAL percent of their clips, made
for PROMPTS prompts, have everything right by the judge; time counts while an arm trains, not while it is asked.
Ours: `DiT` as in `nano`, which predicts data on a rectified flow, with Muon and AdamW as `sora-edu train` has them, without its single frames and its fall of the rate.
Theirs: diffusers' `UNet3DConditionModel` with as many parameters within 5%, which predicts the noise of DDPM's linear schedule, with AdamW, at two learning rates of which the
faster counts: the recipe of older teaching repositories.
These work on pixels; here both get the shipped autoencoder's latents and the shipped text encoder, because on pixels a step of the U-Net takes many times as long. Both get the same clips,
batches of 32, prompts emptied a tenth of the time, averaged weights, 16 steps of sampling and guidance 2.
`bench_time_to_quality`: our seconds over theirs. An arm that is not there after LIMIT times the seconds of the first is stopped; the unit then says that the ratio is a bound.
All into data/results/bench.json."""
import copy
import time

import torch
from diffusers import UNet3DConditionModel
from torch import Tensor, nn

from sora_edu.cli import load_judge
from sora_edu.diffusion import DDPM, RectifiedFlow
from sora_edu.dit import DiT
from sora_edu.evaluation import interval, judge_clips, record, summary
from sora_edu.pipeline import Sora
from sora_edu.sampling import sample
from sora_edu.text import empty_prompts
from sora_edu.training import Muon, average, config_for, learning_rate, motion, precision
from sora_edu.world import World, parse

COMMAND, GOAL, PROMPTS, CLIPS, EVERY, LIMIT, LONGEST, RATES = "sora-edu bench --only time_to_quality", 30., 64, 1500, 6., 2, 90., (1e-3, 3e-4)
EASY = dict(shape=("circle", "square"), color=("red", "green", "blue"), motion=("left", "right", "up", "down"))
SHAPE = (64, 5, 4, 4)


class UNet(nn.Module):
    """Diffusers' U-Net, called as ours is."""

    def __init__(self):
        super().__init__()
        self.network = UNet3DConditionModel(4, SHAPE[0], SHAPE[0], ("CrossAttnDownBlock3D", "DownBlock3D"), ("UpBlock3D", "CrossAttnUpBlock3D"), (32, 64), 1, norm_num_groups=16,
                                            cross_attention_dim=96, attention_head_dim=16)

    def forward(self, x: Tensor, t: Tensor, text: Tensor) -> Tensor: return self.network(x, 1000 * t - 1, text).sample


class Arm:
    """A model, how it learns and how it is asked. `seconds` counts its training alone."""

    def __init__(self, model: nn.Module, process, solver: str, shift: float, optimisers: list):
        self.model, self.process, self.solver, self.shift, self.optimisers = model.train(), process, solver, shift, optimisers
        self.tops, self.averaged, self.steps, self.seconds = [o.param_groups[0]["lr"] for o in optimisers], copy.deepcopy(model).eval().requires_grad_(False), 0, 0.

    def train(self, seconds: float, draw) -> None:
        begin = time.perf_counter()
        while time.perf_counter() - begin < seconds:
            latents, text = draw()
            with torch.autocast("cpu", torch.bfloat16, precision() == "bf16-mixed"): loss = self.process.loss(self.model, latents, text=text)
            for optimiser, top in zip(self.optimisers, self.tops):
                optimiser.zero_grad()
                for group in optimiser.param_groups: group["lr"] = top * learning_rate(self.steps, 0, 0)
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), 1.)
            for optimiser in self.optimisers: optimiser.step()
            with torch.no_grad(): average(list(self.averaged.parameters()), list(self.model.parameters()), torch.tensor(self.steps))
            self.steps += 1
        self.seconds += time.perf_counter() - begin

    @torch.no_grad()
    def clips(self, sora: Sora, prompts: list[str]) -> Tensor:
        how = dict(steps=16, solver=self.solver, cfg_scale=2., process=self.process, shift=self.shift, seed=0)
        return sora.vae.decode(sample(self.averaged, (len(prompts), *SHAPE), text=sora.text(prompts), null_text=sora.text([""]), **how)).clamp(-1, 1)


def ours() -> Arm:
    model, config = DiT(), config_for("nano")
    matrices = [p for p in model.blocks.parameters() if p.ndim == 2 and min(p.shape) > 16]
    rest = [p for p in model.parameters() if not any(p is m for m in matrices)]
    optimisers = [torch.optim.AdamW(rest, config.lr, (.9, .98), weight_decay=0., fused=True), Muon(matrices, config.muon_lr)]
    return Arm(model, RectifiedFlow("data", times="uniform", shift=config.shift, floor=.5), "ddpm", config.shift, optimisers)


def theirs(rate: float) -> Arm:
    model = UNet()
    return Arm(model, DDPM("noise"), "ddim", 1., [torch.optim.AdamW(model.parameters(), rate, weight_decay=0., fused=True)])


def easy(n: int, seed: int) -> list:
    """Scenes of the easy part, with their captions."""
    world, found, i = World(seed=seed, objects=(1,), backgrounds=("black",), lengths=("terse",)), [], 0
    while len(found) < n:
        scene, caption = world.scene(i)
        if all(getattr(scene.things[0], kind) in some for kind, some in EASY.items()): found.append((scene, caption))
        i += 1
    return found


@torch.no_grad()
def pool(sora: Sora):
    """A function that draws 32 latents and their prompts, those that move more often than those that do not."""
    scenes, captions = zip(*easy(CLIPS, 0))
    latents = torch.cat([sora.vae.encode(torch.stack([scene.render() for scene in scenes[i:i + 50]])) for i in range(0, CLIPS, 50)])
    tokens, chances, generator = sora.text.tokenizer(list(captions)), 1 + motion(latents), torch.Generator().manual_seed(0)
    def draw():
        pick = torch.multinomial(chances, 32, replacement=True, generator=generator)
        with torch.no_grad(): return latents[pick], sora.text(empty_prompts(tokens[pick], torch.rand(32, generator=generator) < .1))
    return draw


def main() -> None:
    torch.set_num_threads(2)
    torch.manual_seed(0)
    sora, judge, prompts = Sora.from_pretrained("nano"), load_judge(), [caption for _, caption in easy(PROMPTS, 1)]
    draw, asked = pool(sora), [parse(prompt) for prompt in prompts]
    arms, reached, shares = dict(ours=ours()) | {f"unet_{rate:g}": theirs(rate) for rate in RATES}, {}, {}
    while waiting := [name for name in arms if name not in reached and arms[name].seconds < (LIMIT * min(reached.values()) if reached else LONGEST)]:
        for name in waiting:
            arm = arms[name]
            arm.train(EVERY, draw)
            shares[name] = summary(judge_clips(judge, arm.clips(sora, prompts), asked))["all"][0]
            print(f"{name:10} {arm.seconds:5.0f} s, {arm.steps:5} steps: {shares[name]:5.1f}% right", flush=True)
            if shares[name] >= GOAL: reached[name] = arm.seconds
        if "ours" in reached and len(reached) > 1: break
    keep(arms, reached, shares)


def keep(arms: dict[str, Arm], reached: dict[str, float], shares: dict[str, float]) -> None:
    """Write what each arm took, and the ratio, or a bound of it where one side never got there."""
    for name, arm in arms.items():
        record("bench", f"bench_time_to_quality_seconds_{name}", arm.seconds, "s" if name in reached else f"s, and not at {GOAL:.0f}% yet", 1, None, COMMAND)
        record("bench", f"bench_time_to_quality_right_{name}", shares[name], "%", PROMPTS, interval(shares[name], PROMPTS), COMMAND)
        record("bench", f"bench_time_to_quality_parameters_{name}", sum(p.numel() for p in arm.model.parameters()), "parameters", 1, None, COMMAND)
    peers = [name for name in arms if name != "ours"]
    there = [reached[name] for name in peers if name in reached]
    bound = "" if there and "ours" in reached else "at most, " if "ours" in reached else "at least, "
    if reached: record("bench", "bench_time_to_quality", arms["ours"].seconds / min(there or [arms[name].seconds for name in peers]), bound + "times the U-Net's seconds", 1, None, COMMAND)


if __name__ == "__main__":
    main()
