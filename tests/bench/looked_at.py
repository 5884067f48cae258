"""Forty random held-out clips for a person to look at.

    python tests/bench/looked_at.py            writes out/looked_at.png, without the judge's opinion
    python tests/bench/looked_at.py 37 W…      records `looked_at`: 37 looked right; W… are the numbers of the clips that looked wrong.
                                               Also records how often the judge agrees with those eyes, and prints where it does not."""
import sys

import torch

from sora_edu.cli import load_judge, writable
from sora_edu.evaluation import adherence, record
from sora_edu.pipeline import Sora
from sora_edu.video import contact_sheet


def clips() -> tuple:
    """Prompts, clips and verdicts: twenty with one object, twenty with two."""
    sora, judge = Sora.from_pretrained("nano"), load_judge()
    one, two = (adherence(sora, judge, 20, objects) for objects in (1, 2))
    return one[0] + two[0], torch.cat([one[1], two[1]]), one[2] + two[2]


def main(right: str = "", *wrong: str) -> None:
    prompts, videos, verdicts = clips()
    if not right: return contact_sheet(videos, [f"{i}. {prompt}" for i, prompt in enumerate(prompts)]).save(writable("out") / "looked_at.png")
    if int(right) + len(wrong) != len(prompts): raise SystemExit(f"expected {len(prompts)} clips in all, got {right} right and {len(wrong)} wrong")
    judged = [all(verdict.values()) for verdict in verdicts]
    apart = [i for i, good in enumerate(judged) if good == (str(i) in wrong)]
    print("the judge disagrees on", [(i, prompts[i], [key for key, good in verdicts[i].items() if not good]) for i in apart])
    record("looked_at", "looked_at", int(right), f"of {len(prompts)}", len(prompts), None, "python tests/bench/looked_at.py")
    record("looked_at", "looked_at_judge_agrees", len(prompts) - len(apart), f"of {len(prompts)}", len(prompts), None, "python tests/bench/looked_at.py")


if __name__ == "__main__":
    main(*sys.argv[1:])
