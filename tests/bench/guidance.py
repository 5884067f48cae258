"""Strength of guidance against adherence and variety: python tests/bench/guidance.py (3 minutes)

The shipped weights, 8 prompts that leave place, size and background open, 8 seeds each, at guidance 0 to 8. The judge reads every clip.
For each strength, and for clips of the world itself that fit the prompts: the share right, and how much the seeds differ -
the spread of the object's place in pixels, its size (standard deviation of its radius), and the root mean square distance between two clips, in pixel values.
Writes data/results/guidance.json."""
import sys

import torch

from sora_edu.cli import load_judge
from sora_edu.evaluation import interval, record, verdict
from sora_edu.pipeline import Sora
from sora_edu.world import World, parse, split_of

PROMPTS = ["a red circle moves right", "a green square moves up", "a blue triangle moves left", "a yellow cross moves down",
           "an orange square spins", "a white cross stays still", "a cyan circle grows", "a purple triangle moves in a circle"]
SEEDS, SCALES = 8, (0, 1, 2, 4, 8)


def of_the_world(sora, prompt: str):
    """Clips of the world that show what the prompt says, from the split that it belongs to."""
    asked, found, i = parse(prompt), [], 0
    split = split_of(*(asked[kind] for kind in ("shape0", "color0", "motion0")))
    world = World(sora.config["clip"], seed=5, split=split, objects=(1,), backgrounds=tuple(sora.config["backgrounds"]))
    while len(found) < SEEDS:
        scene, _ = world.scene(i)
        if asked.items() <= scene.truth().items(): found.append(scene.render())
        i += 1
    return torch.stack(found)


def spread(values: list[float]) -> float: return torch.tensor(values).std().item() if len(values) > 1 else 0.0


def measure(judge, clips, prompt: str) -> tuple[list[bool], dict[str, float]]:
    """Which of the clips are right, and how much they differ."""
    readings, asked = judge.read(clips), parse(prompt)
    things = [reading["things"][0] for reading in readings if len(reading["things"]) == 1]
    place = sum(spread([thing[axis] for thing in things]) ** 2 for axis in ("row", "column")) ** 0.5
    pixels = torch.pdist(clips.flatten(1)).square().mean().div(clips[0].numel()).sqrt().item()
    return [all(verdict(reading, asked).values()) for reading in readings], dict(place=place, radius=spread([thing["radius"] for thing in things]), pixels=pixels)


def main(*ways: str) -> None:
    """`ways` such as 2 or world does only these."""
    torch.set_num_threads(1)
    sora, judge = Sora.from_pretrained("nano"), load_judge()
    for way in map(str, (*SCALES, "world")):
        if ways and way not in ways: continue
        make = of_the_world if way == "world" else lambda sora, prompt: sora([prompt] * SEEDS, cfg_scale=float(way))
        measured = [measure(judge, make(sora, prompt), prompt) for prompt in PROMPTS]
        rights = [right for some, _ in measured for right in some]
        share, n = 100 * sum(rights) / len(rights), len(rights)
        record("guidance", f"guidance_{way}_right", share, "%", n, interval(share, n), "python tests/bench/guidance.py")
        said = f"guidance {way:5}: {share:5.1f}% right"
        for name, unit in (("place", "pixels"), ("radius", "pixels"), ("pixels", "of the range -1 to 1")):
            values = torch.tensor([differ[name] for _, differ in measured])
            half = 1.96 * values.std().item() / len(values) ** 0.5
            record("guidance", f"guidance_{way}_{name}", values.mean(), unit, n, [round(values.mean().item() - half, 4), round(values.mean().item() + half, 4)], "python tests/bench/guidance.py")
            said += f", {name} {values.mean():.3f}"
        print(said, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
