"""What the cascade gains, and what it costs: python tests/bench/cascade.py [space time real adherence noise cost] (40 minutes on two cores for all)

Into data/results/cascade.json, always on the test split:
space      PSNR and SSIM over bicubic interpolation at 32 to 64, 64 to 128 and 32 to 128 pixels: `cascade_space_gain_db` and others
time       the same for the frames in between, over the mean of two neighbours, and how far objects are from their true places in them, in pixels of 32: `cascade_time_error_px` and others
real       the same for real clips, made small by averaging over areas (in space) or by leaving out frames (in time); the upsamplers have never seen one
adherence  how often the judge finds everything right in 300 generated clips before and after the cascade (made small again by averaging): `adherence_cascade`; and Fréchet distances in its features
noise      two small upsamplers, equal but for the noise on their condition: what they make of clips with faults
cost       seconds for a clip, of the base model, of each upsampler, and of the base network at the larger size
Intervals are 95%, from the spread over clips."""
import sys
import tempfile
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torchmetrics.functional.image import structural_similarity_index_measure as ssim

from sora_edu.cascade import Upsampler, between, enlarge, train_upsampler, upsample
from sora_edu.evaluation import Judge, Ruler, color_masks, features, frechet_distance, interval, judge_clips, record, steadiness, tracks
from sora_edu.pipeline import Sora, load_part, weights_folder
from sora_edu.sampling import sample
from sora_edu.diffusion import RectifiedFlow
from sora_edu.vae import psnr
from sora_edu.video import data_path, load_clip
from sora_edu.world import COLORS, PLAIN, World, parse

COMMAND = "python tests/bench/cascade.py"
REAL = ("bunny", "city", "earth", "heart")


def keep(name: str, values: torch.Tensor, unit: str, what: str) -> None:
    """Record the mean of some values with its interval."""
    values = values[values.isfinite()].double()
    half = (1.96 * values.std() / len(values) ** .5).item() if len(values) > 1 else float("nan")
    mean = values.mean().item()
    print(f"{name:38} {mean:8.3f} {unit} ± {half:.3f}", flush=True)
    record("cascade", name, mean, unit, len(values), [round(mean - half, 4), round(mean + half, 4)] if half == half else None, f"{COMMAND} {what}")


def in_parts(function, *batches, size: int = 8) -> torch.Tensor:
    """A function of batches, a few clips at a time."""
    return torch.cat([function(*part) for part in zip(*(batch.split(size) for batch in batches))])


def similarity(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """SSIM of each clip, a mean over its frames."""
    return torch.stack([ssim(x.transpose(0, 1), y.transpose(0, 1), data_range=2.) for x, y in zip(a, b)])


def world_clips(size: tuple, n: int, seed: int = 55) -> tuple[torch.Tensor, list[str], list]:
    world = World(size, seed, "test", backgrounds=tuple(PLAIN))
    videos, captions, scenes = zip(*(world[i] for i in range(n)))
    return torch.stack(videos), list(captions), list(scenes)


def space(sora: Sora) -> None:
    model = sora.upsampler("space")
    for side, steps, n in ((32, 1, 200), (64, 1, 40), (32, 2, 40)):
        (low, captions, _), (high, _, _) = (world_clips((17, s, s), n) for s in (side, side * 2 ** steps))
        words, name = sora.text(captions), "cascade_space" + ("" if side == 32 and steps == 1 else f"_{side}_to_{side * 2 ** steps}")
        plain, made = low, low
        for _ in range(steps): plain, made = enlarge(plain, "space"), in_parts(lambda v, w: upsample(model, sora.vae, v, w, level=0.), made, words)
        before, after = psnr(plain, high), psnr(made, high)
        for what, values, unit in (("bicubic_db", before, "dB"), ("db", after, "dB"), ("gain_db", after - before, "dB"), ("bicubic_ssim", similarity(plain, high), ""), ("ssim", similarity(made, high), "")):
            keep(f"{name}_{what}", values, unit, "space")
        keep(f"{name}_limit_db", psnr(in_parts(lambda v: sora.vae.decode(sora.vae.encode(v)), high), high), "dB", "space")
    (low, captions, _), (high, _, _) = (world_clips((17, s, s), 200) for s in (32, 64))
    passed = in_parts(lambda v: sora.vae.decode(sora.vae.encode(v)).clamp(-1, 1), low)
    for level, ending in ((0., "_db"), (.05, "_0.05_db")):
        made = in_parts(lambda v, w: upsample(model, sora.vae, v, w, level=level), passed, sora.text(captions))
        keep(f"cascade_space_decoded_gain{ending}", psnr(made, high) - psnr(enlarge(passed, "space"), high), "dB", "space")
    for looks in (1, 2, 4, 8):
        made = in_parts(lambda v, w: upsample(model, sora.vae, v, w, level=0., steps=looks), low[:100], sora.text(captions[:100]))
        keep(f"cascade_space_{looks}_steps_db", psnr(made, high[:100]), "dB", "space")


def centres(video: torch.Tensor, scenes: list) -> list[torch.Tensor]:
    """For each clip the centres (things, 2, frames) of its things, found by their colours."""
    masks = color_masks(video)
    found = []
    for mask, scene in zip(masks, scenes):
        _, row, column, _ = tracks(mask[[tuple(COLORS).index(thing.color) for thing in scene.things]])
        found.append(torch.stack([row, column], 1))
    return found


def time_(sora: Sora) -> None:
    model, odd = sora.upsampler("time"), slice(1, None, 2)
    for frames, n in ((9, 200), (17, 200), (33, 60)):
        made_of, name = 2 * frames - 1, "cascade_time" + ("" if frames == 17 else f"_{frames}_to_{2 * frames - 1}")
        high, captions, scenes = world_clips((made_of, 32, 32), n)
        moving = [i for i, scene in enumerate(scenes) if any(thing.motion != "still" for thing in scene.things) and len({t.color for t in scene.things}) == len(scene.things)]
        high, captions, scenes = high[moving], [captions[i] for i in moving], [scenes[i] for i in moving]
        low = high[:, :, ::2]
        made, plain = in_parts(lambda v, w: upsample(model, sora.vae, v, w, level=0.), low, sora.text(captions)), between(low)
        for what, values, unit in (("between_db", psnr(plain[:, :, odd], high[:, :, odd]), "dB"), ("db", psnr(made[:, :, odd], high[:, :, odd]), "dB"),
                                   ("limit_db", psnr(in_parts(lambda v: sora.vae.decode(sora.vae.encode(v)), high)[:, :, odd], high[:, :, odd]), "dB"),
                                   ("between_ssim", similarity(plain[:, :, odd], high[:, :, odd]), ""), ("ssim", similarity(made[:, :, odd], high[:, :, odd]), "")):
            keep(f"{name}_{what}", values, unit, "time")
        if frames % 4 == 1:
            passed = in_parts(lambda v: sora.vae.decode(sora.vae.encode(v)).clamp(-1, 1), low)
            gain = psnr(in_parts(lambda v, w: upsample(model, sora.vae, v, w, level=0.), passed, sora.text(captions))[:, :, odd], high[:, :, odd]) - psnr(between(passed)[:, :, odd], high[:, :, odd])
            keep(f"{name}_decoded_gain_db", gain, "dB", "time")
        true = centres(high, scenes)
        for what, video in (("error_px", made), ("between_error_px", plain)):
            errors = torch.cat([(a - b).norm(dim=1)[:, odd].mean(1) for a, b in zip(centres(video, scenes), true)])
            keep(f"{name}_{what}", errors, "pixels", "time")
        fast = torch.stack([(t[:, :, 1:] - t[:, :, :-1]).norm(dim=1).mean() for t in true]) > .5
        gain = psnr(made[:, :, odd], high[:, :, odd]) - psnr(plain[:, :, odd], high[:, :, odd])
        if fast.sum() > 5: keep(f"{name}_fast_gain_db", gain[fast], "dB", "time")


def real_clips(frames: int) -> torch.Tensor:
    """Stretches of the real clips (all there are of this length, at most six of each), 64 pixels a side."""
    rows = []
    for name in REAL:
        clip = load_clip(name)[0]
        starts = range(0, clip.shape[1] - frames + 1, max(frames, (clip.shape[1] - frames) // 6 + 1))
        rows += [clip[:, i:i + frames] for i in list(starts)[:6]]
    return torch.stack(rows)


def real(sora: Sora) -> None:
    high = real_clips(17)
    nothing = sora.text([""]).expand(len(high), -1, -1)
    low = F.avg_pool3d(high, (1, 2, 2))
    made, plain = in_parts(lambda v, w: upsample(sora.upsampler("space"), sora.vae, v, w, level=0.), low, nothing), enlarge(low, "space")
    for what, a, b in (("space", made, high), ("space_bicubic", plain, high)):
        keep(f"cascade_real_{what}_db", psnr(a, b), "dB", "real"), keep(f"cascade_real_{what}_ssim", similarity(a, b), "", "real")
    keep("cascade_real_space_limit_db", psnr(sora.vae.decode(sora.vae.encode(high)), high), "dB", "real")
    crops, odd = high[:, :, :, 16:48, 16:48], slice(1, None, 2)
    made, plain = in_parts(lambda v, w: upsample(sora.upsampler("time"), sora.vae, v, w, level=0.), crops[:, :, ::2], nothing), between(crops[:, :, ::2])
    for what, a in (("time", made), ("time_between", plain)): keep(f"cascade_real_{what}_db", psnr(a[:, :, odd], crops[:, :, odd]), "dB", "real")


def adherence(sora: Sora, n: int = 300) -> None:
    judge, ruler = load_part(Judge, data_path("weights/judge")), Ruler()
    world = World(sora.config["clip"], 77, "test", objects=(1,), backgrounds=tuple(PLAIN))
    prompts = [world.scene(i)[1] for i in range(n)]
    small = torch.cat([sora(prompts[i:i + 32], seed=i) for i in range(0, n, 32)])
    words, asked = sora.text(prompts), [parse(prompt) for prompt in prompts]
    seeds = torch.arange(n)
    go = lambda kind, video: in_parts(lambda v, w, s: upsample(sora.upsampler(kind), sora.vae, v, w, seed=s.tolist()), video, words, seeds)
    smooth, wide = go("time", small), go("space", small)
    clips = dict(before=small, space=F.avg_pool3d(wide, (1, 2, 2)), time=smooth[:, :, ::2], bicubic=F.avg_pool3d(enlarge(small, "space"), (1, 2, 2)))
    clips["both"] = F.avg_pool3d(go("space", smooth)[:, :, ::2], (1, 2, 2))
    right = {name: torch.tensor([all(verdict.values()) for verdict in judge_clips(judge, video, asked)]).double() for name, video in clips.items()}
    for name, each in right.items():
        share = 100 * each.mean().item()
        print(f"adherence {name:9} {share:5.1f}%", flush=True)
        record("cascade", {"before": "adherence_cascade_before", "both": "adherence_cascade"}.get(name, f"adherence_cascade_{name}"), share, "%", n, interval(share, n), f"{COMMAND} adherence")
    keep("adherence_cascade_change", 100 * (right["both"] - right["before"]), "points", "adherence")
    one = World(sora.config["clip"], 78, "test", objects=(1,), backgrounds=tuple(PLAIN))
    truth = features(judge, torch.stack([one[i][0] for i in range(400)]))
    for name, video in clips.items():
        distance = frechet_distance(features(judge, video), truth).item()
        print(f"Fréchet distance {name:9} {distance:.2f}", flush=True)
        record("cascade", f"cascade_frechet_{name}", distance, "", n, None, f"{COMMAND} adherence")
    for name in ("before", "space", "both"):
        said = steadiness(ruler.read(clips[name]))
        for what in ("flicker", "misfit", "tint", "jerk"): record("cascade", f"cascade_{what}_{name}", said[what], dict(flicker="levels", tint="levels", jerk="pixels").get(what, ""), n, None, f"{COMMAND} adherence")
        print(name, said, flush=True)


def noise(sora: Sora, steps: int = 800) -> None:
    """Faults of known strength: noise on the latents of the small clip, decoded. It looks like what the base model gets wrong: wobbling edges and shades."""
    (low, captions, _), (high, _, _) = (world_clips((17, s, s), 64) for s in (32, 64))
    words, latents = sora.text(captions), sora.vae.encode(low)
    noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(0))
    with tempfile.TemporaryDirectory() as folder:
        for name, top in (("without", 0.), ("with", .5)):
            kept = Path(folder) / name
            model = train_upsampler("space", weights_folder("nano"), kept, steps=steps, top=top, clips=.1125).eval()
            for fault in (0., .1, .2, .3, .4):
                small = sora.vae.decode(latents + fault * noise).clamp(-1, 1)
                made = in_parts(lambda v, w: upsample(model, sora.vae, v, w, level=.2 if top else 0.), small, words)
                keep(f"cascade_{name}_augmentation_fault_{fault}_db", psnr(made, high), "dB", "noise")
                if top:
                    keep(f"cascade_bicubic_fault_{fault}_db", psnr(enlarge(small, "space"), high), "dB", "noise")
                    keep(f"cascade_with_level_0_fault_{fault}_db", psnr(in_parts(lambda v, w: upsample(model, sora.vae, v, w, level=0.), small, words), high), "dB", "noise")


def cost(sora: Sora, n: int = 4) -> None:
    torch.set_num_threads(2)
    prompts = ["a red circle moves right"] * n
    words, null = sora.text(prompts), sora.text([""])
    def seconds(work, times=3):
        work()
        taken = []
        for _ in range(times): begin = time.perf_counter(); work(); taken.append((time.perf_counter() - begin) / n)
        return torch.tensor(sorted(taken)[times // 2:times // 2 + 1])
    how = dict(steps=16, solver="ddpm", cfg_scale=2., text=words, null_text=null, process=RectifiedFlow("data"), shift=4.)
    full = lambda *size: lambda: sora.vae.decode(sample(sora.dit, (n, 64, *sora.vae.latent_size(size)), **how))
    small = sora(prompts)
    smooth, wide = upsample(sora.upsampler("time"), sora.vae, small, words), upsample(sora.upsampler("space"), sora.vae, small, words)
    keep("cascade_seconds_base", seconds(full(17, 32, 32)), "s", "cost")
    keep("cascade_seconds_time", seconds(lambda: upsample(sora.upsampler("time"), sora.vae, small, words)), "s", "cost")
    keep("cascade_seconds_space", seconds(lambda: upsample(sora.upsampler("space"), sora.vae, small, words)), "s", "cost")
    keep("cascade_seconds_space_128", seconds(lambda: upsample(sora.upsampler("space"), sora.vae, wide, words), 1), "s", "cost")
    keep("cascade_seconds_one_model_64", seconds(full(17, 64, 64)), "s", "cost")
    keep("cascade_seconds_one_model_33_frames", seconds(full(33, 32, 32)), "s", "cost")
    mb = sum(path.stat().st_size for path in (data_path("weights/nano") / "cascade").rglob("*.safetensors")) / 1e6
    record("cascade", "cascade_weights_mb", mb, "MB", 2, None, f"{COMMAND} cost")


def main(*names: str) -> None:
    sora = Sora.from_pretrained("nano")
    works = dict(space=space, time=time_, real=real, adherence=adherence, noise=noise, cost=cost)
    for name in names or works: works[name](sora)


if __name__ == "__main__":
    with torch.no_grad() if sys.argv[1:] and "noise" not in sys.argv[1:] else torch.enable_grad(): main(*sys.argv[1:])
