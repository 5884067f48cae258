"""Our autoencoder beside three of diffusers. python tests/bench/vae.py (4 minutes, two threads); with `rates`, or when that was never done, learning rates are chosen first (10 minutes more)

Arms, in turns in one run: our `VideoVAE`, and small `AutoencoderKLLTXVideo`, `AutoencoderKLCogVideoX` and `AutoencoderKLWan`. All make 64 × 5 × 4 × 4 numbers of 17 frames of 32 × 32
(a latent frame of 4, the first alone; places of 8 × 8), and have as many parameters within 5%. All see the same batches for 300 steps of AdamW under one schedule. Each has the better
of two learning rates, by PSNR on clips of the validation split; the figures below are of the test split. Ours trains on its own loss, with noise on the latent, and starts from principal
components; `fresh` is ours without that start. The peers train on squared error alone, without noise, which is the easier task.
`bench_vae_speed`: frames encoded and decoded in a second, ours over the fastest peer in the same round, with the quartiles; `bench_vae_db`: PSNR of ours less that of the best peer, mean
over clips, with its 95% interval; `bench_vae_db_fresh` likewise. All into data/results/bench.json."""
import json
import statistics
import sys
import time

import torch
from diffusers import AutoencoderKLCogVideoX, AutoencoderKLLTXVideo, AutoencoderKLWan

from sora_edu.evaluation import record
from sora_edu.vae import VideoVAE, psnr
from sora_edu.video import data_path
from sora_edu.world import World

COMMAND, CHANNELS, STEPS, BATCH, HELD_OUT, ROUNDS, RATES = "sora-edu bench --only vae", 64, 300, 2, 64, 15, (1e-3, 3e-3)
PEERS = ("ltx", "cogvideox", "wan")


def ours(clips, start: bool = True):
    model = VideoVAE(CHANNELS)
    if start: model.start_from(clips)
    return model


def ltx(clips):
    down, no = ("LTXVideoDownBlock3D",) * 3, (False,) * 4
    return AutoencoderKLLTXVideo(latent_channels=CHANNELS, block_out_channels=(16, 32, 48), decoder_block_out_channels=(16, 32, 48), down_block_types=down, layers_per_block=(1,) * 4,
                                 decoder_layers_per_block=(1,) * 4, spatio_temporal_scaling=(True, True, False), decoder_spatio_temporal_scaling=(True, True, False), decoder_inject_noise=no,
                                 downsample_type=("conv",) * 3, upsample_residual=no[:3], upsample_factor=(1,) * 3, patch_size=2)


def cogvideox(clips):
    return AutoencoderKLCogVideoX(latent_channels=CHANNELS, down_block_types=("CogVideoXDownBlock3D",) * 4, up_block_types=("CogVideoXUpBlock3D",) * 4, block_out_channels=(16, 32, 40, 40),
                                  layers_per_block=1, norm_num_groups=8)


def wan(clips): return AutoencoderKLWan(z_dim=CHANNELS, base_dim=11, num_res_blocks=1, latents_mean=[0.] * CHANNELS, latents_std=[1.] * CHANNELS)


MAKERS = dict(ours=ours, fresh=lambda clips: ours(clips, start=False), ltx=ltx, cogvideox=cogvideox, wan=wan)


def there_and_back(model, clips):
    """A clip encoded and decoded, without noise."""
    if isinstance(model, VideoVAE): return model.decode(model.encode(clips))
    return model.decode(model.encode(clips).latent_dist.mode()).sample


def loss_of(model, clips): return model.loss(clips) if isinstance(model, VideoVAE) else (there_and_back(model, clips) - clips).square().mean()


@torch.no_grad()
def quality(model, clips): return torch.cat([psnr(there_and_back(model, some), some) for some in clips.split(16)])


def spread(values: torch.Tensor) -> list[float]:
    """The 95% interval of a mean."""
    half = 1.96 * values.std().item() / len(values) ** .5
    return [round(values.mean().item() - half, 2), round(values.mean().item() + half, 2)]


def clips_of(split: str, n: int) -> torch.Tensor: return torch.stack([World(split=split)[i][0] for i in range(n)])


def trained(rates: dict[str, float], clips: torch.Tensor) -> dict:
    """All arms, trained in turns on the same batches."""
    models = {}
    for name in rates: torch.manual_seed(0); models[name] = MAKERS[name](clips).train()
    optimisers = {name: torch.optim.AdamW(model.parameters(), lr=rates[name], weight_decay=0) for name, model in models.items()}
    schedules = [torch.optim.lr_scheduler.OneCycleLR(optimiser, rates[name], total_steps=STEPS) for name, optimiser in optimisers.items()]
    for _ in range(STEPS):
        batch = clips[torch.randint(len(clips), (BATCH,))]
        for name, model in models.items():
            optimisers[name].zero_grad(), loss_of(model, batch).backward(), optimisers[name].step()
        for schedule in schedules: schedule.step()
    return {name: model.eval() for name, model in models.items()}


def choose() -> None:
    """Train every arm at both rates and record what the validation split says."""
    clips, held_out = clips_of("train", 300), clips_of("val", HELD_OUT)
    for rate in RATES:
        for name, model in trained(dict.fromkeys(MAKERS, rate), clips).items():
            values = quality(model, held_out)
            print(f"{name:10} at {rate:g}: {values.mean():.2f} dB", flush=True)
            record("bench", f"bench_vae_rate_{name}_{rate:g}", values.mean().item(), "dB", HELD_OUT, spread(values), "python tests/bench/vae.py rates")


def chosen() -> dict[str, float]:
    """The better rate of each arm, from the records; without them it is chosen first."""
    read = lambda: {row["id"]: row["value"] for row in json.loads(data_path("results", "bench.json").read_text())}
    if f"bench_vae_rate_ours_{RATES[0]:g}" not in read(): choose()
    known = read()
    return {name: max(RATES, key=lambda rate: known[f"bench_vae_rate_{name}_{rate:g}"]) for name in MAKERS}


@torch.no_grad()
def speeds(models: dict, clips: torch.Tensor) -> dict[str, list[float]]:
    """Frames per second of each arm in each round; the first two rounds warm up."""
    taken = {name: [] for name in models}
    for _ in range(ROUNDS + 2):
        for name, model in models.items():
            begin = time.perf_counter()
            there_and_back(model, clips)
            taken[name].append(clips.shape[0] * clips.shape[2] / (time.perf_counter() - begin))
    return {name: each[2:] for name, each in taken.items()}


def main() -> None:
    torch.set_num_threads(2)
    clips, held_out = clips_of("train", 300), clips_of("test", HELD_OUT)
    models = trained(chosen(), clips)
    for name, model in models.items(): record("bench", f"bench_vae_parameters_{name}", sum(p.numel() for p in model.parameters()), "parameters", 1, None, COMMAND)
    decibels = {name: quality(model, held_out) for name, model in models.items()}
    best = max(PEERS, key=lambda name: decibels[name].mean())
    for name, values in decibels.items():
        print(f"{name:10} {values.mean():.2f} dB after {STEPS} steps", flush=True)
        record("bench", f"bench_vae_psnr_{name}", values.mean().item(), "dB", HELD_OUT, spread(values), COMMAND)
    for id, name in (("bench_vae_db", "ours"), ("bench_vae_db_fresh", "fresh")):
        more = decibels[name] - decibels[best]
        record("bench", id, more.mean().item(), f"dB above {best}, the best of diffusers' three", HELD_OUT, spread(more), COMMAND)
    fps = speeds({name: model for name, model in models.items() if name != "fresh"}, held_out[:4])
    for name, each in fps.items():
        print(f"{name:10} {statistics.median(each):.0f} frames/s", flush=True)
        record("bench", f"bench_vae_fps_{name}", statistics.median(each), "frames/s", ROUNDS, [round(v) for v in statistics.quantiles(each, n=4)[::2]], COMMAND)
    ratios = [mine / max(fps[name][i] for name in PEERS) for i, mine in enumerate(fps["ours"])]
    record("bench", "bench_vae_speed", statistics.median(ratios), "times diffusers' fastest", ROUNDS, [round(v, 2) for v in statistics.quantiles(ratios, n=4)[::2]], COMMAND)


if __name__ == "__main__":
    if sys.argv[1:] == ["rates"]: torch.set_num_threads(2), choose()
    else: main()
