"""Where the time and the memory of a clip go: python tests/bench/pipeline_cost.py (2 minutes)

For each network of the shipped pipeline and batches of 1, 4 and 16 prompts: `pipeline_ms_PART_N`, the median time of one core that the part takes for the whole
batch (what other programs do meanwhile is not counted), and `pipeline_mb_PART_N`, the most memory that it holds at once besides its weights. Written into data/results/pipeline.json."""
import itertools
import statistics
import time
from collections.abc import Callable

import torch
from torch.profiler import profile

from sora_edu.diffusion import RectifiedFlow
from sora_edu.evaluation import record
from sora_edu.pipeline import Sora
from sora_edu.sampling import sample

PROMPT, BATCHES, COMMAND = "a red circle moves right", (1, 4, 16), "python tests/bench/pipeline_cost.py"


def milliseconds(task: Callable, n: int) -> float:
    """Median time of one core that a task takes."""
    taken = []
    for _ in range(n):
        begin = time.process_time()
        task()
        taken.append(1000 * (time.process_time() - begin))
    return statistics.median(taken)


def megabytes(task: Callable) -> float:
    """The most that a task holds at once: the peak of the running sum of what it takes and gives back."""
    with profile(profile_memory=True) as seen: task()
    changes = sorted((event.start_ns(), event.nbytes()) for event in seen.profiler.kineto_results.events() if event.name() == "[memory]")
    return max(itertools.accumulate(n for _, n in changes)) / 1e6


@torch.no_grad()
def main() -> None:
    torch.set_num_threads(1)
    sora = Sora.from_pretrained("nano")
    for n in BATCHES:
        text, null = sora.text([PROMPT] * n), sora.text([""])
        shape = (n, sora.vae.latent_channels, *sora.vae.latent_size(tuple(sora.config["clip"])))
        way = dict(steps=16, solver="ddpm", cfg_scale=2., text=text, null_text=null, process=RectifiedFlow("data"), shift=sora.config["shift"])
        latent = sample(sora.dit, shape, **way)
        tasks = dict(text_encoder=lambda: (sora.text([PROMPT] * n), sora.text([""])), transformer=lambda: sample(sora.dit, shape, **way), decoder=lambda: sora.vae.decode(latent))
        runs = 15 if n < 16 else 5
        for part, task in tasks.items():
            task()                                       # the first run sets things up
            took, held = milliseconds(task, runs), megabytes(task)
            print(f"{part:13} {n:3} at once: {took:8.1f} ms {held:7.2f} MB", flush=True)
            record("pipeline", f"pipeline_ms_{part}_{n}", took, "ms", runs, None, COMMAND)
            record("pipeline", f"pipeline_mb_{part}_{n}", held, "MB", 1, None, COMMAND)


if __name__ == "__main__":
    main()
