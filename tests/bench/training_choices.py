"""What Muon and the average of the weights bring: python tests/bench/training_choices.py (1 minute of one thread)

A small transformer learns single frames, 32 in a step, from nothing: Muon with AdamW, and AdamW alone, with three learning rates each; then AdamW at its best rate with as many more steps
as Muon's take longer. Error on held-out frames, always with the same noise, of the weights as they are and of their average; seconds are those of one core, without the measuring.
Into data/results/training_choices.json."""
import time

import torch

from sora_edu.dit import DiT
from sora_edu.evaluation import record
from sora_edu.text import TextEncoder
from sora_edu.training import EMA, DiTStage, Live, encode_world, run
from sora_edu.vae import VideoVAE
from sora_edu.video import data_path
from sora_edu.world import World

COMMAND, SHIPPED, STEPS, EVERY = "python tests/bench/training_choices.py", data_path("weights") / "nano", 200, 25
RATES = dict(muon=(.01, .02, .04), adamw=(2e-3, 4e-3, 8e-3))     # with Muon, the small and outer parameters stay with AdamW at 2e-3


class Look(Live):
    """The error on held-out frames, of the weights and of their average, every `EVERY` steps and at the end; and how long that takes."""

    def __init__(self, held_out):
        super().__init__("a run")
        self.held_out, self.errors, self.seconds = held_out, {}, 0.

    @torch.no_grad()
    def error(self, stage, model) -> float:
        x, tokens = self.held_out
        with torch.random.fork_rng():
            torch.manual_seed(1)
            return stage.flow.loss(model.eval(), x, text=stage.encoder(tokens)).item()

    def on_train_batch_end(self, trainer, stage, *_):
        if stage.count % EVERY and stage.count != stage.steps: return
        begin = time.process_time()
        average = next(c for c in trainer.callbacks if isinstance(c, EMA)).average.model
        self.errors[stage.count] = self.error(stage, stage.model), self.error(stage, average)
        stage.model.train()
        self.seconds += time.process_time() - begin


def trained(way: str, rate: float, seed: int, data, held_out, encoder, steps: int = STEPS) -> tuple[dict, float]:
    """Errors by step, and seconds for a step."""
    latents, tokens = data
    def draw(generator):
        pick = torch.randint(len(latents), (32,), generator=generator)
        return latents[pick], tokens[pick, torch.randint(tokens.shape[1], pick.shape, generator=generator)]
    torch.manual_seed(seed)
    model = DiT(dim=64, depth=2)
    rates = dict(lr=2e-3, muon_lr=rate) if way == "muon" else dict(lr=rate)
    stage, look = DiTStage(model, encoder, shift=4., image_share=2., seconds=1, steps=steps, **rates), Look(held_out)     # the share is never used up: single frames only
    if way == "adamw": stage.hidden = None
    begin = time.process_time()
    run(stage, draw, look, seed, ema=True)
    seconds = (time.process_time() - begin - look.seconds) / steps
    print(f"{way:6} {rate:<6} seed {seed}, {steps} steps: error {look.errors[steps][1]:.4f}, {1000 * seconds:.0f} ms a step", flush=True)
    return look.errors, seconds


def keep(id: str, value: float, unit: str, n: int) -> None: record("training_choices", id, value, unit, n, None, COMMAND)


def main() -> None:
    torch.set_num_threads(1)
    vae, encoder = VideoVAE.from_pretrained(SHIPPED / "vae").eval(), TextEncoder.from_pretrained(SHIPPED / "text")
    data, other = (encode_world(vae, encoder.tokenizer, world, n) for world, n in ((World(seed=21), 1200), (World(seed=22, split="val"), 200)))
    data, held_out = (data[0][:, :, :1], data[1]), (other[0][:, :, :1].float(), other[1][:, 1])
    best, took = {}, {}
    for way, rates in RATES.items():
        found = {rate: trained(way, rate, 0, data, held_out, encoder) for rate in rates}
        for rate, (errors, _) in found.items(): keep(f"{way}_{rate}", errors[STEPS][1], "loss", STEPS)
        best[way] = min(found, key=lambda rate: found[rate][0][STEPS][1])
        errors, took[way] = found[best[way]]
        for step in errors:
            for name, error in zip(("weights", "average"), errors[step]): keep(f"{way}_step_{step}_{name}", error, "loss", step)
        keep(f"{way}_seconds", took[way], "s", STEPS)
    longer = round(STEPS * max(1., took["muon"] / took["adamw"]))
    keep("adamw_same_time", trained("adamw", best["adamw"], 0, data, held_out, encoder, longer)[0][longer][1], "loss", longer)


if __name__ == "__main__":
    main()
