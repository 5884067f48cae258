"""Few steps: what breaks, and in which order? python tests/bench/few_steps.py (2 minutes)

The shipped weights, 100 one-object prompts of the validation split, two solvers, 1 to 16 model calls, guidance 2. The judge says for each kind of attribute how many are right.
Writes a record for each solver, number of calls and kind into data/results/few_steps.json."""
import sys

import torch

from sora_edu.cli import load_judge
from sora_edu.evaluation import adherence, interval, record, summary
from sora_edu.pipeline import Sora

PROMPTS, CALLS, SOLVERS = 100, (1, 2, 4, 8, 16), ("euler", "ddpm")


def main(*ways: str) -> None:
    """`ways` such as euler_4 does only these."""
    torch.set_num_threads(1)
    sora, judge = Sora.from_pretrained("nano"), load_judge()
    for solver, calls in ((solver, calls) for solver in SOLVERS for calls in CALLS):
        if ways and f"{solver}_{calls}" not in ways: continue
        class Way(Sora):
            def __call__(self, prompt, **given): return super().__call__(prompt, steps=calls, solver=solver, **given)
        right = summary(adherence(Way(sora.text, sora.vae, sora.dit, sora.config), judge, PROMPTS, 1, split="val")[2])
        print(f"{solver:6} {calls:2} calls: " + ", ".join(f"{kind} {share:.0f}%" for kind, (share, _) in right.items()), flush=True)
        for kind, (share, n) in right.items():
            record("few_steps", f"few_steps_{solver}_{calls:02}_{kind}", share, "%", n, interval(share, n), "python tests/bench/few_steps.py")


if __name__ == "__main__":
    main(*sys.argv[1:])
