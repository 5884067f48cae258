"""How often the two readers of chapter 12 agree, and how often each is right: python tests/bench/judges.py (a few minutes)

On 1,000 real held-out clips: `judges_agree` (both readings the same in everything), `judges_agree_KIND`, `judge_right` and `ruler_right` (everything as the scene says).
On 100 generated clips: `judges_agree_generated` (the same verdict on the prompt), `generated_judge` and `generated_ruler` (everything right). Writes data/results/judges.json
and out/judges_disagree.png with the generated clips on which they disagree."""
import torch

from sora_edu.cli import load_judge, writable
from sora_edu.evaluation import Ruler, adherence, agreement, interval, judge_clips, record, summary, verdict
from sora_edu.pipeline import Sora
from sora_edu.video import contact_sheet
from sora_edu.world import World, parse

COMMAND = "python tests/bench/judges.py"


def keep(id: str, rights: list[bool]) -> None:
    share = 100 * sum(rights) / len(rights)
    print(f"{id:24} {share:6.2f}% of {len(rights)}", flush=True)
    record("judges", id, share, "%", len(rights), interval(share, len(rights)), COMMAND)


def on_real(judge, ruler, n: int = 1000) -> None:
    world, alike, right = World(split="test", seed=79), [], dict(judge_right=[], ruler_right=[])
    for start in range(0, n, 50):
        videos, _, scenes = zip(*(world[i] for i in range(start, start + 50)))
        readings = [reader.read(torch.stack(videos)) for reader in (judge, ruler)]
        alike += [agreement(*two) for two in zip(*readings)]
        for id, read in zip(right, readings): right[id] += [all(verdict(r, scene.truth()).values()) for r, scene in zip(read, scenes)]
    keep("judges_agree", [all(a.values()) for a in alike])
    for kind in summary(alike).keys() - {"all"}: keep(f"judges_agree_{kind}", [same for a in alike for key, same in a.items() if key.rstrip("01") == kind])
    for id, rights in right.items(): keep(id, rights)


def on_generated(judge, ruler, n: int = 50) -> None:
    sora, rows = Sora.from_pretrained("nano"), []
    for objects in (1, 2):
        prompts, videos, verdicts = adherence(sora, judge, n, objects)
        rows += zip(prompts, videos, verdicts, judge_clips(ruler, videos, [parse(prompt) for prompt in prompts]))
    passed = [[all(row[k].values()) for row in rows] for k in (2, 3)]
    keep("generated_judge", passed[0])
    keep("generated_ruler", passed[1])
    keep("judges_agree_generated", [a == b for a, b in zip(*passed)])
    apart = [row for row, a, b in zip(rows, *passed) if a != b]
    said = [f"{prompt} (judge refuses: {[k for k, r in one.items() if not r]}; ruler refuses: {[k for k, r in two.items() if not r]})" for prompt, _, one, two in apart]
    if apart: contact_sheet([video for _, video, *_ in apart], said).save(writable("out") / "judges_disagree.png")


if __name__ == "__main__":
    judge, ruler = load_judge(), Ruler()
    on_real(judge, ruler)
    on_generated(judge, ruler)
