"""Frames of 32x32 that one core draws in a second, captions and all: python tests/bench/world_speed.py"""
import os
import random
import statistics
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy and torch start their threads

import torch

from sora_edu.evaluation import record
from sora_edu.world import World

RUNS, CLIPS, MARK = 15, 60, 2000


def speed(first: int) -> float:
    """Frames per second of `CLIPS` clips in a row, new ones for each run."""
    world, start = World((17, 32, 32)), time.perf_counter()
    for i in range(first, first + CLIPS):
        world[i]
    return CLIPS * 17 / (time.perf_counter() - start)


def main() -> None:
    torch.set_num_threads(1)
    speed(0)  # warm up
    speeds = [speed(run * CLIPS) for run in range(1, RUNS + 1)]
    draws = sorted(statistics.median(random.Random(i).choices(speeds, k=RUNS)) for i in range(1000))
    value, interval = round(statistics.median(speeds)), [round(draws[25]), round(draws[974])]
    record("world_speed", "world_fps", value, "frames/s", RUNS, interval, "python tests/bench/world_speed.py")
    print(f"world_fps {value} (95% interval {interval[0]} to {interval[1]}, {RUNS} runs), mark {MARK}")
    sys.exit(value < MARK)


if __name__ == "__main__":
    main()
