"""Which way of training on many sizes teaches most in the same time? python tests/bench/native.py [MINUTES=8] (three times as many minutes on two cores, and three more)

Three copies of the shipped transformer learn from the same clips of seven sizes (those of framing.py), each for as many minutes of work, in turns, a step at a time. Packed: many sizes in one sequence without padding, as training does.
Padded: the same clips, each row as long as the longest. Buckets: one size a step, with as many tokens. A clip of each size is drawn equally often by all.
Into data/results/framing.json: `native_loss_before`, `native_loss_packed`, ... the loss (a mean over the sizes) on 64 test clips of each size, with the same noise for all, of the averaged weights; `native_loss_packed_64x64`, ... for one size; and `native_clips_packed`, ..., how many clips each saw."""
import statistics
import sys
import time

import torch
from torch.optim.swa_utils import AveragedModel

from framing import NATIVE
from packed import padded
from sora_edu.evaluation import record
from sora_edu.patches import pack, unpack
from sora_edu.pipeline import load_part
from sora_edu.text import TextEncoder, empty_prompts
from sora_edu.training import DiTStage, NativeStage, average, config_for, draw_batch, draw_clips, encode_world, fill, learning_rate, precision, token_counts, transformer
from sora_edu.vae import VideoVAE
from sora_edu.video import data_path
from sora_edu.world import World

COMMAND = "python tests/bench/native.py"
CONFIG = config_for("nano", shapes=NATIVE, image_share=0., seed=6)
BUDGET, HOW = CONFIG.batch * 80, dict(seconds=1., steps=None, lr=1e-3, muon_lr=5e-3)          # tokens a step


class PaddedStage(NativeStage):
    """What `NativeStage` does, but through a padded batch."""

    def loss(self, batch):
        self.model.forward_packed = lambda packed, t, text: pack(padded(self.model, unpack(packed), t, text), (1, 1, 1), packed.tokens.shape[1])
        try: return super().loss(batch)
        finally: del self.model.forward_packed


class BucketStage(DiTStage):
    """Clips of one size."""

    def loss(self, batch):
        x, tokens = torch.stack(batch[0]).float(), batch[1]
        return self.flow.loss(self.model, x, text=self.encoder(empty_prompts(tokens, torch.rand(len(x)) < .1)).float())


def sequence(encoded, lengths, generator):
    """Clips of many sizes, as training draws them."""
    chosen = fill(lengths, BUDGET, generator)
    parts = [draw_clips(*encoded[kind], torch.ones(len(encoded[kind][0])), chosen.count(kind), generator) for kind in sorted(set(chosen))]
    return [clip for latents, _ in parts for clip in latents], torch.cat([tokens for _, tokens in parts])


def bucket(encoded, lengths, generator):
    """Clips of one size; the larger sizes come more often, because fewer of them fill a step."""
    kind = int(torch.multinomial(torch.tensor(lengths).float(), 1, generator=generator))
    latents, tokens = draw_clips(*encoded[kind], torch.ones(len(encoded[kind][0])), BUDGET // lengths[kind], generator)
    return list(latents), tokens


class Arm:
    """A transformer in training, and how much of its time it has used."""

    def __init__(self, kind, draw, encoder):
        torch.manual_seed(0)
        self.stage, self.draw, self.used, self.clips, self.count = kind(transformer(CONFIG, data_path("weights/nano")), encoder, CONFIG.shift, 0., **HOW), draw, 0., 0, 0
        self.optimizers, self.average = self.stage.configure_optimizers(), AveragedModel(self.stage.model, multi_avg_fn=average)

    def step(self, encoded, lengths, seconds: float) -> None:
        begin = time.perf_counter()
        now = learning_rate(self.count, self.used / seconds, self.stage.hold)
        for optimizer, top in zip(self.optimizers, self.stage.rates):
            for group in optimizer.param_groups: group["lr"] = top * now
        batch = draw_batch(lambda generator: self.draw(encoded, lengths, generator), CONFIG.seed, self.count)
        torch.manual_seed(self.count)
        with torch.autocast("cpu", torch.bfloat16, enabled=precision() == "bf16-mixed"): self.stage.loss(batch).backward()
        torch.nn.utils.clip_grad_norm_(self.stage.model.parameters(), 1.)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        self.average.update_parameters(self.stage.model)
        self.used, self.clips, self.count = self.used + time.perf_counter() - begin, self.clips + len(batch[1]), self.count + 1


@torch.no_grad()
def held_out(model, flow, encoder, test) -> list[torch.Tensor]:
    """The loss on each test clip (n,), size by size, with the same levels and noise for every model."""
    rows = []
    for latents, tokens in test:
        g, words = torch.Generator().manual_seed(1), encoder(tokens[:, 1]).float()
        levels, noise = torch.linspace(.05, .95, len(latents))[torch.randperm(len(latents), generator=g)], torch.randn(latents.shape, generator=g)
        rows.append(torch.stack([flow.loss(model, latents[i:i + 1].float(), text=words[i:i + 1], t=levels[i:i + 1], noise=noise[i:i + 1]) for i in range(len(latents))]))
    return rows


def main(minutes: float = 8.) -> None:
    vae, encoder = (load_part(kind, data_path("weights/nano") / name) for kind, name in ((VideoVAE, "vae"), (TextEncoder, "text")))
    lengths = token_counts(CONFIG, vae)
    draw = lambda size, n, **more: encode_world(vae, encoder.tokenizer, World(size, CONFIG.seed, backgrounds=CONFIG.backgrounds, **more), n)
    encoded, test = [draw(size, 1000) for size in NATIVE], [draw(size, 64, split="test") for size in NATIVE]
    arms = dict(packed=Arm(NativeStage, sequence, encoder), padded=Arm(PaddedStage, sequence, encoder), buckets=Arm(BucketStage, bucket, encoder))
    batch, flow = sequence(encoded, lengths, torch.Generator().manual_seed(0)), arms["packed"].stage.flow
    losses = []
    for name in ("packed", "padded"):
        torch.manual_seed(0)
        with torch.no_grad(): losses.append(arms[name].stage.loss(batch))
    torch.testing.assert_close(*losses, atol=1e-4, rtol=1e-4)
    found = dict(before=held_out(arms["packed"].stage.model, flow, encoder, test))
    while (arm := min(arms.values(), key=lambda arm: arm.used)).used < 60 * minutes: arm.step(encoded, lengths, 60 * minutes)
    for name, arm in arms.items():
        found[name] = held_out(arm.average.module.eval(), flow, encoder, test)
        record("framing", f"native_clips_{name}", arm.clips, "clips", arm.count, None, COMMAND)
        print(f"{name:8} {arm.clips:7,} clips in {arm.count:,} steps", flush=True)
    for name, rows in found.items():
        for size, row in zip(["x".join(map(str, size)) for size in NATIVE], rows): record("framing", f"native_loss_{name}_{size}", row.mean().item(), "", len(row), None, COMMAND)
        change = torch.cat([a - b for a, b in zip(rows, found["packed"])]).double()        # clip by clip, against packed
        half = 1.96 * change.std().item() / len(change) ** .5
        mean = statistics.mean(row.mean().item() for row in rows)
        print(f"{name:8} loss {mean:.4f}, against packed {change.mean():+.4f} ± {half:.4f}", flush=True)
        record("framing", f"native_loss_{name}", mean, "", len(change), None, COMMAND)
        if name != "packed": record("framing", f"native_change_{name}", change.mean().item(), "loss more than packed", len(change), [round(change.mean().item() - half, 4), round(change.mean().item() + half, 4)], COMMAND)


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
