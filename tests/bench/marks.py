"""Measure what the shipped weights are good for, except adherence (`sora-edu evaluate`): python tests/bench/marks.py

Writes into data/results/marks.json: the autoencoder's quality on held-out clips, the judge's on real clips (also after the autoencoder),
seconds for one clip from prompt to file, megabytes of weights."""
import statistics
import tempfile
import time
from pathlib import Path

import torch

from sora_edu.cli import load_judge
from sora_edu.evaluation import interval, judge_clips, record, summary
from sora_edu.pipeline import Sora
from sora_edu.vae import psnr
from sora_edu.video import data_path, load_clip, save_video
from sora_edu.world import World

COMMAND = "python tests/bench/marks.py"


def note(id: str, value: float, unit: str, n: int, limits: list[float] | None = None) -> None:
    """Print a figure and record it."""
    print(f"{id:28} {value:8.2f} {unit}  n={n}", flush=True)
    record("marks", id, value, unit, n, limits, COMMAND)


@torch.no_grad()
def autoencoder(sora: Sora) -> None:
    """Mean PSNR over clips; of real clips only the last quarter of the frames, which training never saw."""
    again = lambda video: sora.vae.decode(sora.vae.encode(video)).clamp(-1, 1)
    world = World(sora.config["clip"], seed=79, split="test")
    clips = torch.stack([world[i][0] for i in range(300)])
    values = psnr(again(clips), clips)
    error = 1.96 * values.std().item() / len(values) ** .5
    note("vae_psnr_world", values.mean().item(), "dB", len(values), [round(values.mean().item() + sign * error, 2) for sign in (-1, 1)])
    real = {}
    for name in ("bunny", "city", "earth", "heart"):
        clip = load_clip(name)
        unseen = clip[:, :, int(.75 * clip.shape[2]):]
        unseen = unseen[:, :, :(unseen.shape[2] - 1) // 4 * 4 + 1]
        real[name] = psnr(again(unseen), unseen).item()
        note(f"vae_psnr_{name}", real[name], "dB", unseen.shape[2])
    note("vae_psnr_real", statistics.mean(real.values()), "dB", len(real))
    note("vae_ratio", clips[0].numel() / sora.vae.encode(clips[:1]).numel(), ": 1", 1)


def judge(sora: Sora, n: int = 1000) -> None:
    """Share read right for each attribute on held-out real clips, straight and after the autoencoder."""
    reader, world, verdicts = load_judge(), World(seed=78, split="test"), {"": [], "_after_vae": []}
    for start in range(0, n, 50):
        clips = [world[i] for i in range(start, start + 50)]
        videos, truths = torch.stack([video for video, _, _ in clips]), [scene.truth() for _, _, scene in clips]
        with torch.no_grad(): rebuilt = sora.vae.decode(sora.vae.encode(videos))
        verdicts[""] += judge_clips(reader, videos, truths)
        verdicts["_after_vae"] += judge_clips(reader, rebuilt, truths)
    for ending, results in verdicts.items():
        for name, (percent, cases) in summary(results).items(): note(f"judge_{name}{ending}", percent, "%", cases, interval(percent, cases))


def speed(sora: Sora, n: int = 15) -> None:
    """From prompt to file, weights loaded, two threads."""
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        for i in range(n):
            begin = time.perf_counter()
            save_video(sora("a red circle moves right", seed=i), Path(folder) / "clip.mp4")
            seconds.append(time.perf_counter() - begin)
    note("seconds_per_clip", statistics.median(seconds), "s", n)


def main() -> None:
    torch.set_num_threads(2)
    sora, files = Sora.from_pretrained("nano"), list(data_path("weights").rglob("*.safetensors"))
    note("weights_mb", sum(file.stat().st_size for file in files) / 1e6, "MB", len(files))
    speed(sora)
    autoencoder(sora)
    judge(sora)


if __name__ == "__main__":
    main()
