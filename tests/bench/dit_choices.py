"""What do the choices inside the transformer of chapter 07 bring? python tests/bench/dit_choices.py (2 minutes of one thread)

Small networks trained on world clips for equal FLOPs, from SEEDS seeds each; the mean loss on held-out clips, with the smallest and the largest as interval: `dit_loss_<arm>`, and
`dit_steps_<arm>`. Arms: ours; factorised attention; the prompt read by cross-attention; gates open at the start; no QK-norm; and the last, and ours, at FAST times
the learning rate. Into data/results/dit_choices.json."""
import statistics

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from sora_edu.diffusion import RectifiedFlow
from sora_edu.dit import DiT
from sora_edu.evaluation import record
from sora_edu.text import TextEncoder
from sora_edu.vae import VideoVAE
from sora_edu.video import data_path
from sora_edu.world import World

STEPS, BATCH, SEEDS, RATE, FAST = 150, 8, 2, 2e-3, 5
COMMAND = "python tests/bench/dit_choices.py"
PROCESS = RectifiedFlow(prediction="data", shift=3)


def fresh(seed: int, open_gates: bool = False, qk_norm: bool = True, **options) -> DiT:
    """A small network; its six vectors are shift, scale, gate, shift, scale, gate."""
    torch.manual_seed(seed)
    model = DiT(dim=64, depth=4, heads=4, **options)
    if open_gates: model.modulation.bias.data.view(6, -1)[[2, 5]] = 1
    if not qk_norm:
        for block in model.blocks: block.attention.q_norm = block.attention.k_norm = nn.Identity()
    return model


@torch.no_grad()
def data(split: str, n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Latents and encoded captions of world clips, by the shipped networks."""
    vae, reader = VideoVAE.from_pretrained(data_path("weights/nano/vae")), TextEncoder.from_pretrained(data_path("weights/nano/text"))
    clips, captions, _ = zip(*(World(split=split)[i] for i in range(n)))
    return torch.cat([vae.encode(torch.stack(clips[i:i + 32])) for i in range(0, n, 32)]), reader(list(captions))


def flops(model: DiT, latents: torch.Tensor, text: torch.Tensor) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad(): model(latents[:1], torch.ones(1), text[:1])
    return counter.get_total_flops()


def train(model: DiT, latents: torch.Tensor, text: torch.Tensor, steps: int, rate: float, seed: int) -> None:
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0)
    torch.manual_seed(1000 + seed)
    for _ in range(steps):
        i = torch.randint(len(latents), (BATCH,))
        loss = PROCESS.loss(model, latents[i], text=text[i])
        optimiser.zero_grad(), loss.backward(), optimiser.step()


@torch.no_grad()
def held_out_loss(model: DiT, latents: torch.Tensor, text: torch.Tensor) -> float:
    """The mean over levels that every model gets, with the same noise."""
    levels = torch.linspace(.1, 1, len(latents))[torch.randperm(len(latents), generator=torch.Generator().manual_seed(0))]
    return PROCESS.loss(model, latents, levels, generator=torch.Generator().manual_seed(0), text=text).item()


def main() -> None:
    torch.set_num_threads(1)
    known, unseen = data("train", 512), data("val", 256)
    budget = STEPS * flops(fresh(0), *known)
    arms = dict(ours={}, factorised=dict(attention="factorised"), cross=dict(prompt="cross"), open_gates=dict(open_gates=True), no_qk_norm=dict(qk_norm=False), ours_fast={}, no_qk_norm_fast=dict(qk_norm=False))
    for name, options in arms.items():
        losses, steps = [], round(budget / flops(fresh(0, **options), *known))
        for seed in range(SEEDS):
            model = fresh(seed, **options)
            train(model, *known, steps, RATE * (FAST if name.endswith("_fast") else 1), seed)
            losses.append(held_out_loss(model, *unseen))
        print(f"{name:16} {steps} steps, loss {statistics.mean(losses):.4f}  {losses}", flush=True)
        record("dit_choices", f"dit_loss_{name}", statistics.mean(losses), "", SEEDS, [round(min(losses), 4), round(max(losses), 4)], COMMAND)
        record("dit_choices", f"dit_steps_{name}", steps, "steps", 1, None, COMMAND)


if __name__ == "__main__":
    main()
