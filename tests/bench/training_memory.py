"""Memory that a step of nano's transformer takes beyond its weights and gradients: python tests/bench/training_memory.py (1 minute; Linux)

Each way is tried in a process of its own: a small step first, so that gradients and libraries are there, then a step of 32 clips. `peak` is by how much the process grew in it, at most.
Into data/results/training_memory.json."""
import subprocess
import sys
import time

import torch

from sora_edu.diffusion import RectifiedFlow
from sora_edu.dit import DiT
from sora_edu.evaluation import record
from sora_edu.training import portion, recompute

COMMAND, CLIPS = "python tests/bench/training_memory.py", 32
WAYS = {"whole": (1, False), "2_portions": (2, False), "4_portions": (4, False), "recompute": (1, True), "4_portions_recompute": (4, True)}


def memory(line: str) -> float:
    """A line of this process's status, in megabytes: VmRSS now, VmHWM at most so far."""
    return int(open("/proc/self/status").read().split(line + ":")[1].split()[0]) / 1000


def step(model: DiT, batch, portions: int) -> None:
    for which in range(portions):
        x, text = portion(batch, which, portions)
        (RectifiedFlow("data").loss(model, x, text=text) / portions).backward()


def measure(portions: int, again: bool) -> tuple[float, float]:
    """Megabytes and seconds of one core of a step of 32 clips."""
    torch.set_num_threads(1), torch.manual_seed(0)
    model, batch = DiT(), (torch.randn(CLIPS, 64, 5, 4, 4), torch.randn(CLIPS, 32, 96))
    if again: recompute(model.blocks)
    step(model, portion(batch, 0, CLIPS), 1)
    before, begin = memory("VmRSS"), time.process_time()
    step(model, batch, portions)
    return memory("VmHWM") - before, time.process_time() - begin


def main() -> None:
    for name, (portions, again) in WAYS.items():
        told = subprocess.run([sys.executable, __file__, str(portions), str(int(again))], capture_output=True, text=True, check=True).stdout
        peak, seconds = map(float, told.split())
        print(f"{name:22} {peak:6.0f} MB, {seconds:.2f} s", flush=True)
        record("training_memory", f"memory_{name}", peak, "MB", 1, None, COMMAND), record("training_memory", f"seconds_{name}", seconds, "s", 1, None, COMMAND)


if __name__ == "__main__":
    if len(sys.argv) > 1: print(*measure(int(sys.argv[1]), sys.argv[2] == "1"))
    else: main()
