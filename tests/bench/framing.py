"""Does training on native sizes frame better than training on square crops? python tests/bench/framing.py train FOLDER, then measure FOLDER, then picture FOLDER

Two transformers start from the shipped weights and train for equally many steps of 2,560 tokens on the same clips. One gets them in their native sizes, packed (`FOLDER/native`).
For the other, wide and tall clips are cropped to the square in their middle (`FOLDER/square`), as was common before. Training takes 2 x 7 minutes on two cores. Then both make wide and tall clips for the
same one-object test prompts from the same seeds. A subject is wholly in the frame when its mask is there in every frame and never touches the border.
Into data/results/framing.json: `framing_native`, `framing_square`, the same for clips of the world itself (`framing_real`), and how often the judge finds everything right
in the square around the subject (`framing_right_native`, ...). Sheets of the first clips land in FOLDER, one as data/results/framing.png."""
import sys
from dataclasses import replace
from pathlib import Path

import torch

from sora_edu import training
from sora_edu.evaluation import Judge, cover_of, ground_of, interval, judge_clips, record
from sora_edu.pipeline import Sora
from sora_edu.training import config_for, train
from sora_edu.video import contact_sheet, data_path
from sora_edu.world import PLAIN, World, parse

STEPS, NANO = 1500, "data/weights/nano"
NATIVE = ((1, 32, 32), (9, 32, 32), (17, 32, 32), (33, 32, 32), (17, 32, 64), (17, 64, 32), (17, 64, 64))
SQUARE = tuple((f, min(h, w), min(h, w)) for f, h, w in NATIVE)


class Cropped:
    """Scenes of a world of another size, and of their pixels the square in the middle."""

    def __init__(self, world: World, size): self.world, self.size, self.seed = world, size, world.seed

    def scene(self, i: int):
        scene, caption = self.world.scene(i)
        return Middle(scene, self.size), caption


class Middle:
    def __init__(self, scene, size): self.scene, self.size = scene, size

    def __getattr__(self, name): return getattr(self.scene, name)

    def render(self):
        video, (_, h, w) = self.scene.render(), self.size
        top, left = (video.shape[2] - h) // 2, (video.shape[3] - w) // 2
        return video[:, :, top:top + h, left:left + w]


def train_arms(out: Path, arms=("native", "square")) -> None:
    config = config_for("nano", shapes=NATIVE, steps=STEPS, clips=3000 * len(NATIVE), lr=1e-3, muon_lr=5e-3, image_share=0., seed=5)
    if "native" in arms: train(config, out / "native", start=NANO)
    if "square" not in arms: return
    encode, sizes = training.encode_world, iter(NATIVE)
    training.encode_world = lambda vae, tokenizer, world, n, tick: encode(vae, tokenizer, Cropped(World(next(sizes), world.seed, backgrounds=world.backgrounds), world.size), n, tick)
    train(replace(config, shapes=SQUARE), out / "square", start=NANO)


def subject(videos: torch.Tensor) -> torch.Tensor:
    """Where the subject covers a pixel by more than half: b f h w."""
    levels = (videos + 1) * 127.5
    return cover_of(levels, ground_of(levels)[1])[0] > .5


def framed(inside: torch.Tensor) -> torch.Tensor:
    """Clips whose subject is there (9 pixels) in every frame, with no more than a corner (2 pixels) on the border."""
    border = inside.clone()
    border[..., 1:-1, 1:-1] = False
    return (inside.flatten(2).sum(2).amin(1) >= 9) & (border.flatten(2).sum(2).amax(1) <= 2)


def window(video: torch.Tensor, inside: torch.Tensor, side: int = 32) -> torch.Tensor:
    """The square of a wide or tall clip (c f h w) in whose middle the subject (f h w) is, for a judge who reads squares."""
    starts = [int((inside.sum((0, 3 - axis)) @ torch.arange(n).float() / inside.sum().clamp(min=1) - side / 2).clamp(0, n - side).round()) for axis, n in ((1, video.shape[2]), (2, video.shape[3]))]
    return video[:, :, starts[0]:starts[0] + side, starts[1]:starts[1] + side]


def measure(out: Path, n: int) -> None:
    """Wide and tall clips, n each, of both arms and of the world; a picture of the first of them."""
    judge = Judge.from_pretrained("data/weights/judge", strict=True).eval()
    arms = {arm: Sora.from_pretrained(out / arm) for arm in ("native", "square")} | dict(real=None)
    for arm, sora in arms.items():
        whole, right = [], []
        for size in ((17, 32, 64), (17, 64, 32)):
            world = World(size, seed=78, split="test", objects=(1,), backgrounds=tuple(PLAIN))
            prompts = [world.scene(i)[1] for i in range(n)]
            videos = torch.cat([sora(prompts[i:i + 20], seed=i, size=size) for i in range(0, n, 20)]) if sora else torch.stack([world[i][0] for i in range(n)])
            inside = subject(videos)
            squares = torch.stack([window(*pair) for pair in zip(videos, inside.float())])
            whole += framed(inside).tolist()
            right += [all(v.values()) for v in judge_clips(judge, squares, [parse(prompt) for prompt in prompts])]
            if n >= 12: contact_sheet(videos[:12], prompts[:12]).save(out / f"{arm}_{size[1]}x{size[2]}.png")
        for id, hits in ((f"framing_{arm}", whole), (f"framing_right_{arm}", right)):
            share = 100 * sum(hits) / len(hits)
            print(id, f"{share:.1f}% of {len(hits)}", interval(share, len(hits)), flush=True)
            record("framing", id, share, "% of clips", len(hits), interval(share, len(hits)), "python tests/bench/framing.py measure FOLDER")


def picture(out: Path) -> None:
    """The first four wide prompts, by both, into data/results/framing.png."""
    world = World((17, 32, 64), seed=78, split="test", objects=(1,), backgrounds=tuple(PLAIN))
    prompts = [world.scene(i)[1] for i in range(4)]
    clips = [Sora.from_pretrained(out / arm)(prompts, size=world.size) for arm in ("native", "square")]
    contact_sheet(torch.cat(clips), [f"{how}: {prompt}" for how in ("native sizes", "square crops") for prompt in prompts]).save(data_path("results") / "framing.png")


if __name__ == "__main__":
    if sys.argv[1] == "train": train_arms(Path(sys.argv[2]), sys.argv[3:] or ("native", "square"))
    elif sys.argv[1] == "picture": picture(Path(sys.argv[2]))
    else: measure(Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 200)
