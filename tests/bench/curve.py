"""Train nano from nothing and measure adherence along the way: python tests/bench/curve.py MINUTES OUT

Snapshots of the averaged weights are kept every five minutes; afterwards each is judged on validation prompts with one object.
Writes `minutes_to_95` and one `adherence_at` row per snapshot into data/results/curve.json."""
import copy
import sys
import time
from pathlib import Path

import torch

from sora_edu.cli import load_judge
from sora_edu.dit import DiT
from sora_edu.evaluation import adherence, interval, record, summary
from sora_edu.pipeline import Sora
from sora_edu.training import config_for, draw_samples, train

EVERY, PROMPTS, MARK = 300, 200, 95.


def run(minutes: float, out: Path) -> None:
    """Train into `out`; a snapshot's name is its time in seconds since the start of everything."""
    begin, config = time.perf_counter(), config_for("nano", minutes=minutes)
    def snapshot(model, vae, encoder, _):
        passed = time.perf_counter() - begin
        if passed - max((int(folder.name) for folder in (out / "snapshots").glob("*")), default=0) >= EVERY - 5:
            copy.deepcopy(model).half().save_pretrained(out / "snapshots" / f"{passed:05.0f}")
        draw_samples(model, vae, encoder, config, out / "samples" / f"{passed:05.0f}s.png")
    train(config, out, snapshot)
    (out / "seconds").write_text(str(time.perf_counter() - begin))


def measure(minutes: float, out: Path) -> None:
    """Judge every snapshot and the final weights, and write the records."""
    sora, judge, command = Sora.from_pretrained(out), load_judge(), f"python tests/bench/curve.py {minutes:g} OUT"
    points = [(int(folder.name), DiT.from_pretrained(folder, strict=True).eval()) for folder in sorted((out / "snapshots").iterdir())]
    reached = None
    for seconds, dit in [*points, (float((out / "seconds").read_text()), sora.dit)]:
        right = summary(adherence(Sora(sora.text, sora.vae, dit, sora.config), judge, PROMPTS, 1, split="val")[2])["all"][0]
        print(f"{seconds / 60:5.1f} min  {right:5.1f}%", flush=True)
        record("curve", f"adherence_at_{seconds / 60:04.1f}_of_{minutes:g}_min", right, "%", PROMPTS, interval(right, PROMPTS), command)
        if reached is None and right >= MARK: reached = seconds / 60
    if reached: record("curve", "minutes_to_95", reached, "min", 1, None, command)


if __name__ == "__main__":
    torch.set_num_threads(2)
    minutes, out = float(sys.argv[1]), Path(sys.argv[2])
    if not (out / "seconds").exists(): run(minutes, out)
    measure(minutes, out)
