"""How do time and memory grow with tokens, parameters and steps? python tests/bench/cost.py (2 minutes of one core)

A training step of `DiT` (forward, backward, AdamW) with more and more tokens, then with a wider and wider network; and sampling with more and more steps. For each point `cost_seconds_AXIS_SIZE`,
the median time of one core, and `cost_mb_AXIS_SIZE`, the most memory at once, weights and the optimiser's state with it. `cost_exponent_seconds_AXIS` is the slope of a straight line through the
three largest on logarithmic axes. `cost_expected_…` is the slope of what can be counted beforehand: arithmetic (FLOPs), and for memory the tensors kept for the backward pass with weights, gradients and
two averages for each. Into data/results/cost.json."""
import itertools
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch.profiler import profile
from torch.utils.flop_counter import FlopCounterMode

from sora_edu.dit import DiT
from sora_edu.evaluation import record
from sora_edu.sampling import sample

COMMAND, REPEATS = "sora-edu bench --only cost", 7
GRIDS = ((4, 4, 4), (8, 4, 4), (8, 8, 4), (8, 8, 8), (16, 8, 8), (16, 16, 8))
WIDTHS, STEPS = (32, 64, 128, 256, 512), (1, 2, 4, 8, 16, 32)


def weights(model) -> int: return sum(4 * p.numel() for p in model.parameters())


class Training:
    """One training step; `weight` is what the network weighs before it, in bytes."""

    def __init__(self, size: tuple[int, int, int], dim: int = 128, clips: int = 1):
        torch.manual_seed(0)
        self.model, self.batch = DiT(dim=dim), (torch.randn(clips, 64, *size), torch.full((clips,), .5), torch.randn(clips, 32, 96))
        self.optimiser, self.weight = torch.optim.AdamW(self.model.parameters(), fused=True), weights(self.model)

    def loss(self): return self.model(*self.batch).square().mean()

    def __call__(self) -> None:
        self.optimiser.zero_grad(), self.loss().backward(), self.optimiser.step()

    def expected(self) -> int:
        """Bytes that are there at the end of a forward pass, and what the optimiser adds."""
        kept = {}
        def keep(x):
            kept[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
            return x
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x): loss = self.loss()
        for p in self.model.parameters(): kept.pop(p.untyped_storage().data_ptr(), None)
        return sum(kept.values()) + 4 * self.weight


class Sampling:
    """A clip from noise in some steps."""

    def __init__(self, steps: int):
        torch.manual_seed(0)
        self.model, self.steps, self.text = DiT(dim=128), steps, torch.randn(1, 32, 96)
        self.weight = weights(self.model)

    @torch.no_grad()
    def __call__(self) -> None: sample(self.model, (1, 64, 5, 4, 4), self.steps, text=self.text)

    def expected(self) -> int: return self.weight


def seconds(task: Callable) -> list[float]:
    """Times of one core, sorted; the first run sets things up and does not count."""
    taken = []
    for _ in range(REPEATS + 1):
        begin = time.process_time()
        task()
        taken.append(time.process_time() - begin)
    return sorted(taken[1:])


def bytes_at_most(task: Callable) -> int:
    """The most that a task holds at once: the peak of the running sum of what it takes and gives back."""
    with profile(profile_memory=True) as seen: task()
    changes = sorted((event.start_ns(), event.nbytes()) for event in seen.profiler.kineto_results.events() if event.name() == "[memory]")
    return max(itertools.accumulate(n for _, n in changes))


def flops(task: Callable) -> int:
    with FlopCounterMode(display=False) as counter: task()
    return counter.get_total_flops()


def slope(sizes, values) -> float:
    """Of a straight line through the three largest sizes on logarithmic axes; below them, fixed costs count more."""
    return round(float(np.polyfit(np.log(sizes[-3:]), np.log(values[-3:]), 1)[0]), 4) + 0.       # no -0


def points():
    """For each axis: the sizes, and the task of each."""
    yield "tokens", [int(np.prod(grid)) for grid in GRIDS], [Training(grid) for grid in GRIDS]
    wide = [Training((5, 4, 4), dim, clips=8) for dim in WIDTHS]
    yield "parameters", [task.weight // 4 for task in wide], wide
    yield "steps", STEPS, [Sampling(steps) for steps in STEPS]


def main() -> None:
    torch.set_num_threads(1)
    for axis, sizes, tasks in points():
        found = {name: [] for name in ("seconds", "mb", "flops", "bytes")}
        for size, task in zip(sizes, tasks):
            expected, peak = (task.expected(), flops(task) if axis == "steps" else flops(task.loss) * 3), bytes_at_most(task) + task.weight
            times = seconds(task)
            for name, value in zip(found, (statistics.median(times), peak / 1e6, expected[1], expected[0])): found[name].append(value)
            print(f"{size:9,} {axis:10} {1000 * found['seconds'][-1]:8.1f} ms {found['mb'][-1]:8.1f} MB", flush=True)
            record("cost", f"cost_seconds_{axis}_{size}", found["seconds"][-1], "s", REPEATS, [round(times[1], 4), round(times[-2], 4)], COMMAND)
            record("cost", f"cost_mb_{axis}_{size}", found["mb"][-1], "MB", 1, None, COMMAND)
        for name, counted in (("seconds", "flops"), ("mb", "bytes")):
            fitted, expected = slope(sizes, found[name]), slope(sizes, found[counted])
            print(f"{name} grows as {axis} to the power of {fitted:.2f}, {expected:.2f} expected", flush=True)
            record("cost", f"cost_exponent_{name}_{axis}", fitted, "exponent", 3, None, COMMAND)
            record("cost", f"cost_expected_{name}_{axis}", expected, "exponent", 3, None, COMMAND)


if __name__ == "__main__":
    main()
