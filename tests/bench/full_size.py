"""A cascade against one model at full size, for the same time of training: python tests/bench/full_size.py train FOLDER MINUTES, then measure FOLDER

Both go on from the shipped base model at 32 x 32 pixels. The cascade's time went into its upsampler in space; for the same minutes the base transformer itself is trained on clips of 64 x 64 pixels (`train`).
`measure` makes clips of the same one-object test prompts, 16 steps with guidance each. Into data/results/cascade.json: `full_adherence_full` and `full_adherence_cascade`, how often the judge finds everything right (it reads 32 x 32 pixels: a mean over areas),
`full_frechet_...` in its features, `full_detail_...`, how far a clip is from the same clip made small and large again (bicubic), in levels of 255: what has no detail has 0 (`..._real` for clips of the world, `..._bicubic` for the base clip enlarged),
and `full_seconds_...` for a clip. The first three prompts of both are in data/results/full_size.png, more in FOLDER."""
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

from cascade import keep
from sora_edu.cascade import enlarge
from sora_edu.evaluation import Judge, features, frechet_distance, interval, judge_clips, record
from sora_edu.pipeline import Sora, load_part
from sora_edu.training import config_for, train
from sora_edu.video import contact_sheet, data_path
from sora_edu.world import PLAIN, World, parse

NANO, SIZE, COMMAND = "data/weights/nano", (17, 64, 64), "python tests/bench/full_size.py measure FOLDER"


def small(videos: torch.Tensor) -> torch.Tensor: return F.avg_pool3d(videos, (1, 2, 2))


def detail(videos: torch.Tensor) -> torch.Tensor:
    """How far each clip is from itself made small and large again, in levels."""
    return 127.5 * (videos - enlarge(small(videos), "space")).square().mean((1, 2, 3, 4)).sqrt()


def measure(out: Path, n: int) -> None:
    judge, world = load_part(Judge, data_path("weights/judge")), World(SIZE, 77, "test", objects=(1,), backgrounds=tuple(PLAIN))
    prompts = [world.scene(i)[1] for i in range(n)]
    full, base = Sora.from_pretrained(out), Sora.from_pretrained("nano")
    arms = dict(full=lambda part, i: full(part, seed=i), cascade=lambda part, i: base(part, seed=i, upsample="space"))
    clips = {}
    for name, make in arms.items():
        begin = time.perf_counter()
        clips[name] = torch.cat([make(prompts[i:i + 10], i) for i in range(0, n, 10)])
        record("cascade", f"full_seconds_{name}", (time.perf_counter() - begin) / n, "s", n, None, COMMAND)
    for rows, path in ((3, data_path("results") / "full_size.png"), (12, out / "full_size.png")):
        contact_sheet(torch.cat([videos[:rows] for videos in clips.values()]), [f"{name}: {prompt}" for name in ("one model", "cascade") for prompt in prompts[:rows]]).save(path)
    asked = [parse(prompt) for prompt in prompts]
    other = World(SIZE, 78, "test", objects=(1,), backgrounds=tuple(PLAIN))
    truth = torch.stack([other[i][0] for i in range(300)])
    known = features(judge, small(truth))
    for name, videos in clips.items():
        share = 100 * sum(all(verdict.values()) for verdict in judge_clips(judge, small(videos), asked)) / n
        distance = frechet_distance(features(judge, small(videos)), known).item()
        print(f"{name:9} {share:.1f}% right, Fréchet distance {distance:.2f}", flush=True)
        record("cascade", f"full_adherence_{name}", share, "%", n, interval(share, n), COMMAND)
        record("cascade", f"full_frechet_{name}", distance, "", n, None, COMMAND)
    clips |= dict(bicubic=enlarge(small(clips["cascade"]), "space"), real=truth)
    for name, videos in clips.items(): keep(f"full_detail_{name}", detail(videos), "levels", "full_size")


if __name__ == "__main__":
    out = Path(sys.argv[2])
    if sys.argv[1] == "train": train(config_for("nano", clip=SIZE, batch=8, minutes=float(sys.argv[3]), clips=4000, lr=1e-3, muon_lr=5e-3, image_share=0., seed=5), out, start=NANO)
    else:
        with torch.no_grad(): measure(out, int(sys.argv[3]) if len(sys.argv) > 3 else 300)
