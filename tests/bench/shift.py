"""Which shift of the noise levels suits short and long clips? python tests/bench/shift.py (4 minutes)

The shipped weights at 9, 17 and 33 frames, in only 8 steps so that their places matter, with five shifts; the same 100 one-object validation prompts and seeds for each. The judge counts prompts
all right. Into data/results/shift.json: `shift_<frames>_<shift>`, and `shift_<frames>_real`, the same for the world's own clips of these prompts: what the judge can read at that length. `real` as an argument measures only those."""
import sys

import torch

from sora_edu.cli import load_judge
from sora_edu.evaluation import interval, judge_clips, record
from sora_edu.pipeline import Sora
from sora_edu.world import World, parse

FRAMES, SHIFTS, N, STEPS = (9, 17, 33), (1, 2, 4, 8, 16), 100, 8


def main(only: str = "") -> None:
    sora, judge = Sora.from_pretrained("nano"), load_judge()
    world = World(sora.config["clip"], seed=79, split="val", objects=(1,), backgrounds=tuple(sora.config["backgrounds"]))
    prompts = [world.scene(i)[1] for i in range(N)]
    for frames in FRAMES:
        for shift in ("real",) if only else ("real", *SHIFTS):
            if shift == "real": videos = torch.stack([World((frames, 32, 32), world.seed, "val", objects=(1,), backgrounds=world.backgrounds)[i][0] for i in range(N)])
            else:
                sora.config["shift"] = shift
                videos = torch.cat([sora(prompts[i:i + 20], seed=i, steps=STEPS, size=(frames, 32, 32)) for i in range(0, N, 20)])
            right = sum(all(v.values()) for v in judge_clips(judge, videos, [parse(prompt) for prompt in prompts]))
            print(f"{frames:2} frames, shift {shift}: {right} of {N}", flush=True)
            record("shift", f"shift_{frames}_{shift}", 100 * right / N, "% of prompts all right", N, interval(100 * right / N, N), "python tests/bench/shift.py")


if __name__ == "__main__":
    main(*sys.argv[1:])
