"""Are clips of many sizes trained on faster packed than padded? python tests/bench/packed.py (2 minutes, two threads)

The same 24 clips of seven sizes (up to 320 tokens), drawn so that padding each to the longest would waste 40% of the tokens, through `DiT` (nano), forward and backward, in the arithmetic that training
uses here. Arms, in turns: packed by `pack` into one sequence, as training does, read by `forward_packed`; padded to the longest clip, with a mask over the padding (the faster of two ways to mask); buckets, one batch for each size, which waste
nothing and mix no sizes in a step. All three give each clip the same answer, checked first. Time includes packing and padding. Into data/results/bench.json: `bench_packed`, real tokens a second of packed
over padded, `bench_packed_buckets`, the same over buckets, `bench_wasted_padded`, the share of tokens that belong to
no clip, and `bench_wasted_packed`, the share of its budget that training leaves unused because no clip fits any more (those tokens are not computed)."""
import random
import statistics
import time

import torch
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence

from sora_edu import dit
from sora_edu.dit import DiT, place_features, rotary_angles
from sora_edu.evaluation import record
from sora_edu.patches import pack, patchify, positions, unpack
from sora_edu.training import fill, precision

SHAPES = ((1, 4, 4), (3, 4, 4), (5, 4, 4), (9, 4, 4), (5, 4, 8), (5, 8, 4), (5, 8, 8))       # of latents
CLIPS, ROUNDS, PATCH, COMMAND = 24, 25, (1, 1, 1), "sora-edu bench --only packed"


def tokens_of(shape) -> int: return shape[0] * shape[1] * shape[2]


def draw(seed: int = 0) -> list[tuple[int, int, int]]:
    """Shapes of clips, longest first: their mean length is 60% of the longest, within half a percent."""
    rng = random.Random(seed)
    while True:
        shapes = sorted(rng.choices(SHAPES, weights=[rng.random() for _ in SHAPES], k=CLIPS), key=tokens_of, reverse=True)
        if abs(sum(map(tokens_of, shapes)) / CLIPS / tokens_of(shapes[0]) - .6) < .005 and len(set(shapes)) >= 5: return shapes


def packed(model, clips, t, text):
    return unpack(model.forward_packed(pack(clips, PATCH, sum(tokens_of(clip.shape[1:]) for clip in clips)), t, text))


def masked(q, k, v, bias):
    return (q.to(v.dtype) / q.shape[-1] ** .5 @ k.to(v.dtype).mT + bias).softmax(-1).to(v.dtype) @ v


def fused(q, k, v, bias):
    return F.scaled_dot_product_attention(q.to(v.dtype), k.to(v.dtype), v, attn_mask=bias)


def padded(model, clips, t, text, attend=masked):
    """One row for each clip, as long as the longest. Nobody looks at padding."""
    tokens = [patchify(clip[None], PATCH)[0] for clip in clips]
    places = pad_sequence([positions(tuple(clip.shape[1:])) for clip in clips], batch_first=True)
    real = torch.tensor([len(each) for each in tokens])[:, None] > torch.arange(places.shape[1])
    bias = torch.zeros(real.shape).masked_fill(~real, -torch.inf)
    bias = F.pad(bias, (0, text.shape[1]))[:, None, None].to(torch.bfloat16 if torch.is_autocast_enabled("cpu") else torch.float32)
    features, angles = (each.unflatten(0, real.shape) for each in (place_features(places.flatten(0, 1)), rotary_angles(places.flatten(0, 1), model.head_dim)))
    plain, dit.attend = dit.attend, lambda q, k, v: attend(q, k, v, bias)
    try: answers = model.answer(pad_sequence(tokens, batch_first=True)[:, None], features[:, None], *model.modulations(t[:, None], text), text, angles[:, None])
    finally: dit.attend = plain
    return [answer[0, :len(each)].T.reshape(clip.shape) for answer, each, clip in zip(answers, tokens, clips)]


def buckets(model, clips, t, text):
    """A batch for each size."""
    answers = []
    for shape in dict.fromkeys(clip.shape for clip in clips):
        same = [i for i, clip in enumerate(clips) if clip.shape == shape]
        answers += model(torch.stack([clips[i] for i in same]), t[same], text[same])
    return answers


def seconds(model, arm, *given) -> float:
    begin = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=precision() == "bf16-mixed"): answers = arm(model, *given)
    torch.stack([answer.float().square().mean() for answer in answers]).mean().backward()
    model.zero_grad()
    return time.perf_counter() - begin


def main() -> None:
    torch.set_num_threads(2)
    torch.manual_seed(0)
    model, shapes = DiT(), draw()
    for layer in (model.modulation, model.last_modulation, model.leave): torch.nn.init.normal_(layer.weight, std=.05)      # else all answers are zero
    given = [torch.randn(64, *shape) for shape in shapes], torch.rand(CLIPS), torch.randn(CLIPS, 32, 96)
    arms = dict(packed=packed, padded=padded, fused=lambda *each: padded(*each, attend=fused), buckets=buckets)
    with torch.no_grad():
        for name, arm in arms.items():
            for answer, other in zip(arm(model, *given), packed(model, *given), strict=True): torch.testing.assert_close(answer, other, atol=1e-4, rtol=1e-4)
    taken = {name: [] for name in arms}
    for _ in range(ROUNDS + 3):                                       # the first three warm up
        for name, arm in arms.items(): taken[name].append(seconds(model, arm, *given))
    taken = {name: each[3:] for name, each in taken.items()}
    real = sum(map(tokens_of, shapes))
    for name, each in taken.items(): print(f"{name:8} {1000 * statistics.median(each):6.1f} ms, {real / statistics.median(each):,.0f} real tokens a second", flush=True)
    slower = min(("padded", "fused"), key=lambda name: statistics.median(taken[name]))
    for id, other in (("bench_packed", slower), ("bench_packed_buckets", "buckets")):
        ratios = [b / a for a, b in zip(taken["packed"], taken[other])]
        print(f"{id:22} {statistics.median(ratios):.3f}", flush=True)
        record("bench", id, statistics.median(ratios), f"times {'padded' if other != 'buckets' else 'buckets'}", ROUNDS, [round(v, 3) for v in statistics.quantiles(ratios, n=4)[::2]], COMMAND)
    record("bench", "bench_wasted_padded", 100 * (1 - real / CLIPS / tokens_of(shapes[0])), "% of tokens", CLIPS, None, COMMAND)
    slots = [fill(list(map(tokens_of, SHAPES)), real, torch.Generator().manual_seed(i)) for i in range(200)]          # what training leaves empty of its budget
    record("bench", "bench_wasted_packed", 100 - 100 * statistics.mean(sum(tokens_of(SHAPES[kind]) for kind in row) for row in slots) / real, "% of the budget", len(slots), None, COMMAND)


if __name__ == "__main__":
    main()
