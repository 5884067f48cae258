"""What a GPU makes of `small`: python tests/bench/gpu.py (5 minutes on one NVIDIA GPU)

The transformer of size `small` trains on random latents in bfloat16, compiled. `gpu_mfu_small`: the share of the card's peak that its arithmetic fills (model FLOPs utilisation); the peak is
measured, by a large product of matrices. Then, each in a process of its own that may take no more than 4, 8 or 16 GB (`set_per_process_memory_fraction`): `gpu_steps_per_second_small_NGB` with the
largest portions of a batch that fit, and `gpu_peak_gb_small_NGB`. Into data/results/gpu.json; the machine's name in each record is the card's. Without a GPU it says so and ends."""
import statistics
import subprocess
import sys
import time

import torch
from torch.utils.flop_counter import FlopCounterMode

from sora_edu.diffusion import RectifiedFlow
from sora_edu.dit import DiT
from sora_edu.evaluation import record
from sora_edu.training import config_for, portion, transformer
from sora_edu.vae import VideoVAE

COMMAND, CAPS, REPEATS, WORDS = "python tests/bench/gpu.py", (4, 8, 16), 15, 32
FLOW = RectifiedFlow("data", times="uniform")


def start(device: str):
    """The model of `small` and one of its batches."""
    config = config_for("small")
    torch.manual_seed(0)
    latents = torch.randn(config.batch, config.latent_channels, *VideoVAE(config.latent_channels).latent_size(config.clip), device=device)
    return transformer(config, None).to(device).train(), (latents, torch.randn(config.batch, WORDS, config.text_dim, device=device))


def step(model: DiT, optimiser, batch, portions: int = 1) -> None:
    """One training step in bfloat16, in portions that one after the other fit into memory."""
    optimiser.zero_grad()
    for which in range(portions):
        x, text = portion(batch, which, portions)
        with torch.autocast(x.device.type, torch.bfloat16): loss = FLOW.loss(model, x, text=text) / portions
        loss.backward()
    optimiser.step()


def seconds(task) -> float:
    """Median of `REPEATS`, each waited for."""
    taken = []
    for _ in range(REPEATS + 3):                                      # the first three compile and warm up
        begin = time.perf_counter()
        task()
        torch.cuda.synchronize()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken[3:])


def flops_of_a_step(model: DiT, batch) -> int:
    """Forward and backward, counted by torch; nothing is recomputed, so that it is the model's own arithmetic."""
    with FlopCounterMode(display=False) as counter: FLOW.loss(model, batch[0], text=batch[1]).backward()
    return counter.get_total_flops()


def peak_flops(side: int = 8192) -> float:
    """What the card does in a second on a product of large matrices in bfloat16."""
    a = torch.randn(side, side, device="cuda", dtype=torch.bfloat16)
    return 2 * side ** 3 / seconds(lambda: a @ a)


def utilisation() -> None:
    model, batch = start("cuda")
    work, optimiser, fast = flops_of_a_step(model, batch), torch.optim.AdamW(model.parameters(), fused=True), torch.compile(model)
    taken, peak = seconds(lambda: step(fast, optimiser, batch)), peak_flops()
    print(f"small: {1000 * taken:.1f} ms a step, {work / taken / 1e12:.1f} of {peak / 1e12:.1f} TFLOP/s", flush=True)
    record("gpu", "gpu_mfu_small", 100 * work / taken / peak, "% of the measured peak", REPEATS, None, COMMAND)


def capped(gb: int) -> None:
    """Steps per second in `gb` gigabytes, with as few portions as fit."""
    torch.cuda.set_per_process_memory_fraction(min(1., gb * 1e9 / torch.cuda.get_device_properties(0).total_memory))
    model, batch = start("cuda")
    optimiser, portions = torch.optim.AdamW(model.parameters(), fused=True), 1
    while True:
        try:
            taken = seconds(lambda: step(model, optimiser, batch, portions))
            break
        except torch.cuda.OutOfMemoryError:
            if portions == len(batch[0]): raise
        portions *= 2
        torch.cuda.empty_cache()
    held = torch.cuda.max_memory_reserved() / 1e9
    print(f"{gb:2} GB: {1 / taken:.2f} steps/s in {portions} portions, {held:.1f} GB held", flush=True)
    record("gpu", f"gpu_steps_per_second_small_{gb}gb", 1 / taken, f"steps/s of {len(batch[0])} clips, in {portions} portions", REPEATS, None, COMMAND)
    record("gpu", f"gpu_peak_gb_small_{gb}gb", held, "GB", 1, None, COMMAND)


def main() -> None:
    if not torch.cuda.is_available(): sys.exit("gpu.py: no CUDA device here, nothing was measured; run it on a machine with an NVIDIA GPU and a CUDA build of torch")
    utilisation()
    for gb in CAPS: subprocess.run([sys.executable, __file__, str(gb)], check=True)


if __name__ == "__main__":
    if len(sys.argv) > 1: capped(int(sys.argv[1]))
    else: main()
