"""How much quality does a ratio cost? python tests/bench/vae_ratios.py (2 minutes of one thread)

The autoencoder of chapter 04 with fewer and more latent channels, each trained as the chapter trains it: 250 steps of eight clips. PSNR on 64 clips of the validation
split, as principal components alone and after training, and the seconds of one core that training took; three records for each ratio into data/results/vae_ratios.json."""
import time

import torch

from sora_edu.evaluation import record
from sora_edu.vae import VideoVAE, psnr
from sora_edu.world import World

CHANNELS, STEPS, HELD_OUT = (4, 8, 16, 32, 64), 250, 64
COMMAND = "python tests/bench/vae_ratios.py"


def keep(id: str, decibels: torch.Tensor) -> None:
    """Mean over clips, with its 95% interval."""
    mean, half = decibels.mean().item(), 1.96 * decibels.std().item() / len(decibels) ** .5
    record("vae_ratios", id, mean, "dB", len(decibels), [round(mean - half, 2), round(mean + half, 2)], COMMAND)
    print(f"{id:28} {mean:5.1f} dB", flush=True)


@torch.no_grad()
def quality(model: VideoVAE, clips: torch.Tensor) -> torch.Tensor:
    return psnr(model.decode(model.encode(clips)), clips)


def train(model: VideoVAE, clips: torch.Tensor) -> float:
    """As in the chapter; gives the seconds of one core it took."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-3, total_steps=STEPS)
    torch.manual_seed(0)
    start = time.process_time()
    for _ in range(STEPS):
        loss = model.loss(clips[torch.randint(len(clips), (8,))])
        optimiser.zero_grad(), loss.backward(), optimiser.step(), schedule.step()
    return time.process_time() - start


def main() -> None:
    torch.set_num_threads(1)
    clips, held_out = (torch.stack([world[i][0] for i in range(n)]) for world, n in ((World(), 300), (World(split="val"), HELD_OUT)))
    for channels in CHANNELS:
        torch.manual_seed(0)
        model = VideoVAE(latent_channels=channels)
        ratio = 3 * 4 * 8 * 8 // channels                      # of a full patch
        model.start_from(clips)
        keep(f"vae_ratio_{ratio}_linear", quality(model, held_out))
        seconds = train(model, clips)
        keep(f"vae_ratio_{ratio}_trained", quality(model, held_out))
        record("vae_ratios", f"vae_ratio_{ratio}_seconds", seconds, "s", STEPS, None, COMMAND)


if __name__ == "__main__":
    main()
