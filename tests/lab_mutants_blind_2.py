"""Wrong and right answers to the exercises of chapters 00, 01, 02 and 04, for testing the checks.

Written by somebody who saw only the exercises' texts (the student notebooks), and neither the solutions nor the checks.
WRONG[id][name] must be refused, RIGHT[id][name] must be accepted. Methods are functions with `self` first.
The checks were improved after they had been tried on these, so this is no held-out set any more."""
import math
from bisect import bisect_right

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange, reduce, repeat
from torch import nn

from sora_edu import world
from sora_edu.world import COLORS, MOTIONS, PLAIN, SHAPES, SIZES, SOFT, WORDS

WRONG, RIGHT = {}, {}
ACCEPTED = {   # what the checks let pass
    "01.2": ("negative_strides_fail",)}     # an array that runs backwards is no case of the check: too much to ask here


def refuse(good, message="not allowed", error=ValueError):
    "Raise unless `good`: a statement for lambdas."
    if not good: raise error(message)


def seq(*values):
    "The last of some values: several statements in one lambda."
    return values[-1]


# ---------------------------------------------------------------- 00.1 mean_colour
def colour_loops(video):
    out = torch.empty(video.shape[:3], dtype=video.dtype)
    for i in range(video.shape[0]):
        for j in range(video.shape[1]):
            for k in range(video.shape[2]): out[i, j, k] = ((video[i, j, k] + 1) / 2).sum() / video[i, j, k].numel()
    return out

RIGHT["00.1"] = dict(
    mean_then_scale=lambda v: (v.mean((3, 4)) + 1) / 2,
    scale_then_mean=lambda v: (0.5 * v + 0.5).mean(-1).mean(-1),
    einops=lambda v: reduce(v, "b c f h w -> b c f", "mean") / 2 + 0.5,
    loops=colour_loops,
    flatten=lambda v: v.flatten(3).add(1).mean(-1).div(2),
    summed=lambda v: (v.sum((-2, -1)) / (v.shape[-2] * v.shape[-1]) + 1) * 0.5,
    pooled=lambda v: (F.adaptive_avg_pool3d(v.flatten(0, 1)[:, None], (v.shape[2], 1, 1)).reshape(v.shape[:3]) + 1) / 2,
    through_numpy=lambda v: torch.from_numpy((v.numpy().mean((3, 4)) + 1) / 2),
)
WRONG["00.1"] = dict(
    no_scale=lambda v: v.mean((3, 4)),
    half_only=lambda v: v.mean((3, 4)) / 2,
    plus_one_only=lambda v: v.mean((3, 4)) + 1,
    order_of_scale=lambda v: v.mean((3, 4)) / 2 + 1,
    over_frames_too=lambda v: ((v.mean((2, 3, 4)) + 1) / 2)[..., None].expand(v.shape[:3]),
    over_channels_too=lambda v: ((v.mean((1, 3, 4)) + 1) / 2)[:, None].expand(v.shape[:3]),
    over_batch_too=lambda v: ((v.mean((0, 3, 4)) + 1) / 2)[None].expand(v.shape[:3]),
    over_c_and_f=lambda v: (v.mean((1, 2)) + 1) / 2,
    frames_before_channels=lambda v: (v.mean((3, 4)).transpose(1, 2) + 1) / 2,
    square_only=lambda v: (v.sum((3, 4)) / v.shape[3] ** 2 + 1) / 2,
    in_place=lambda v: v.add_(1).div_(2).mean((3, 4)),
    median=lambda v: (v.flatten(3).median(-1).values + 1) / 2,
    dark_clipped=lambda v: v.clamp(min=0).mean((3, 4)),
    absolute=lambda v: v.abs().mean((3, 4)),
    first_row=lambda v: (v[:, :, :, 0].mean(-1) + 1) / 2,
    midrange=lambda v: (v.amax((3, 4)) + v.amin((3, 4))) / 4 + 0.5,
    stretched=lambda v: ((v - v.min()) / (v.max() - v.min())).mean((3, 4)),
    keepdim=lambda v: (v.mean((3, 4), keepdim=True) + 1) / 2,
    squeezed=lambda v: ((v.mean((3, 4)) + 1) / 2).squeeze(),
    view_needs_contiguous=lambda v: (v.view(*v.shape[:3], -1).mean(-1) + 1) / 2,
    bytes_first=lambda v: (127.5 * (v + 1)).byte().float().mean((3, 4)) / 255,
    two_decimals=lambda v: ((v.mean((3, 4)) + 1) / 2).round(decimals=2),
    three_channels=lambda v: torch.stack([(v[:, i].mean((2, 3)) + 1) / 2 for i in range(3)], 1),
    rows_only=lambda v: ((v.mean(3) + 1) / 2)[..., 0],
)

# ---------------------------------------------------------------- 00.2 mix
five = lambda t: t[:, None, None, None, None]

RIGHT["00.2"] = dict(
    plain=lambda c, n, t: (1 - five(t)) * c + five(t) * n,
    from_clip=lambda c, n, t: c + t.reshape(-1, 1, 1, 1, 1) * (n - c),
    lerp=lambda c, n, t: torch.lerp(c, n, five(t).expand(c.shape)),
    loop=lambda c, n, t: torch.stack([(1 - s) * x + s * y for x, y, s in zip(c, n, t)]),
    einsum=lambda c, n, t: torch.einsum("b...,b->b...", c, 1 - t) + torch.einsum("b...,b->b...", n, t),
    flat=lambda c, n, t: ((1 - t)[:, None] * c.flatten(1) + t[:, None] * n.flatten(1)).reshape(c.shape),
    batch_last=lambda c, n, t: (c.movedim(0, -1) * (1 - t) + n.movedim(0, -1) * t).movedim(-1, 0),
    through_numpy=lambda c, n, t: torch.from_numpy(c.numpy() * (1 - five(t).numpy()) + n.numpy() * five(t).numpy()),
)
WRONG["00.2"] = dict(
    swapped=lambda c, n, t: five(t) * c + (1 - five(t)) * n,
    level_along_width=lambda c, n, t: (1 - t) * c + t * n,
    level_along_channels=lambda c, n, t: (1 - t[:, None, None, None]) * c + t[:, None, None, None] * n,
    level_along_frames=lambda c, n, t: (1 - t[:, None, None]) * c + t[:, None, None] * n,
    first_level=lambda c, n, t: (1 - t[0]) * c + t[0] * n,
    mean_level=lambda c, n, t: (1 - t.mean()) * c + t.mean() * n,
    one_clip_only=lambda c, n, t: (1 - t.item()) * c + t.item() * n,
    clip_kept_whole=lambda c, n, t: c + five(t) * n,
    variance_kept=lambda c, n, t: (1 - five(t) ** 2).sqrt() * c + five(t) * n,
    roots=lambda c, n, t: (1 - five(t)).sqrt() * c + five(t).sqrt() * n,
    in_place_clip=lambda c, n, t: c.mul_(1 - five(t)).add_(five(t) * n),
    in_place_noise=lambda c, n, t: n.mul_(five(t)).add_((1 - five(t)) * c),
    in_place_level=lambda c, n, t: c + five(t.clamp_(0.001, 0.999)) * (n - c),
    wrong_sign=lambda c, n, t: c - five(t) * (n - c),
    minus_clip=lambda c, n, t: five(t) * n - (1 - five(t)) * c,
    clipped=lambda c, n, t: (c + five(t) * (n - c)).clamp(-1, 1),
    levels_by_thousand=lambda c, n, t: c + five((t * 1000).long() / 1000) * (n - c),
    two_decimals=lambda c, n, t: c + five(t.round(decimals=2)) * (n - c),
    own_noise=lambda c, n, t: c + five(t) * (torch.randn(c.shape, generator=torch.Generator().manual_seed(0)) - c),
    noise_of_first=lambda c, n, t: c + five(t) * (n[:1] - c),
    unit_noise=lambda c, n, t: c + five(t) * ((n - n.mean()) / n.std() - c),
    levels_reversed=lambda c, n, t: c + five(t.flip(0)) * (n - c),
    levels_tiled=lambda c, n, t: c + t.repeat(c.numel() // len(t)).reshape(c.shape) * (n - c),
    squared=lambda c, n, t: c + five(t) ** 2 * (n - c),
    random_choice=lambda c, n, t: torch.where(torch.rand(c.shape, generator=torch.Generator().manual_seed(0)) < five(t), n, c),
)

# ---------------------------------------------------------------- 00.3 noise_levels
def moved(t, s): return s * t / (1 + (s - 1) * t)

def levels_loop(steps, shift):
    out = []
    for i in range(steps + 1):
        t = (steps - i) / steps
        out.append(shift * t / (1 + (shift - 1) * t))
    return torch.tensor(out)

def levels_stepwise(steps, shift):
    t, out = 1.0, []
    while t > 0:                                      # 1 - 1/n - 1/n … need not end at 0
        out.append(moved(t, shift))
        t -= 1 / steps
    return torch.tensor(out + [0.0])

RIGHT["00.3"] = dict(
    linspace=lambda n, s: moved(torch.linspace(1, 0, n + 1), s),
    loop=levels_loop,
    arange=lambda n, s: moved(1 - torch.arange(n + 1) / n, s),
    odds=lambda n, s: 1 / (1 + (1 / (torch.arange(n, -1, -1) / n) - 1) / s),
    through_numpy=lambda n, s: torch.from_numpy(moved(np.linspace(1, 0, n + 1), s).astype(np.float32)),
    flipped=lambda n, s: moved(torch.linspace(0, 1, n + 1), s).flip(0),
    from_below=lambda n, s: 1 - (u := torch.arange(n + 1) / n) / (u + s * (1 - u)),
)
WRONG["00.3"] = dict(
    rising=lambda n, s: moved(torch.linspace(0, 1, n + 1), s),
    one_short=lambda n, s: moved(torch.linspace(1, 0, n), s),
    without_zero=lambda n, s: moved(torch.linspace(1, 0, n + 1)[:-1], s),
    without_one=lambda n, s: moved(torch.linspace(1, 0, n + 1)[1:], s),
    one_more=lambda n, s: moved(torch.linspace(1, 0, n + 2), s),
    never_zero=lambda n, s: moved(torch.linspace(1, 1e-3, n + 1), s),
    no_shift=lambda n, s: torch.linspace(1, 0, n + 1),
    shift_down=lambda n, s: moved(torch.linspace(1, 0, n + 1), 1 / s),
    shift_of_example=lambda n, s: moved(torch.linspace(1, 0, n + 1), 4.0 if s != 1 else 1.0),
    shift_whole=lambda n, s: moved(torch.linspace(1, 0, n + 1), int(s)),
    shift_at_least_one=lambda n, s: moved(torch.linspace(1, 0, n + 1), max(s, 1)),
    brackets=lambda n, s: s * (t := torch.linspace(1, 0, n + 1)) / (1 + s - 1 * t),
    no_one_plus=lambda n, s: torch.cat([(s * (t := torch.linspace(1, 0, n + 1)[:-1]) / (t + (s - 1) * t)), torch.zeros(1)]),
    shift_plus_one=lambda n, s: (s + 1) * (t := torch.linspace(1, 0, n + 1)) / (1 + s * t),
    no_numerator=lambda n, s: (t := torch.linspace(1, 0, n + 1)) / (1 + (s - 1) * t),
    power=lambda n, s: torch.linspace(1, 0, n + 1) ** (1 / s),
    divided_by_steps_plus_one=lambda n, s: moved(torch.arange(n, -1, -1) / (n + 1), s),
    endless_arange=lambda n, s: moved(torch.arange(1, -1 / n, -1 / n), s),
    stepwise=levels_stepwise,
    a_list=lambda n, s: moved(torch.linspace(1, 0, n + 1), s).tolist(),
    numpy_array=lambda n, s: moved(np.linspace(1, 0, n + 1, dtype=np.float32), s),
    two_decimals=lambda n, s: moved(torch.linspace(1, 0, n + 1), s).round(decimals=2),
    whole_timesteps=lambda n, s: (1000 * moved(torch.linspace(1, 0, n + 1), s)).round() / 1000,
    half=lambda n, s: moved(torch.linspace(1, 0, n + 1), s).half(),
    column=lambda n, s: moved(torch.linspace(1, 0, n + 1), s)[:, None],
    integer_division=lambda n, s: moved(1 - torch.arange(n + 1) // n, s).float(),
)

# ---------------------------------------------------------------- 00.4 guide
RIGHT["00.4"] = dict(
    along=lambda w, o, s: o + s * (w - o),
    weights=lambda w, o, s: s * w + (1 - s) * o,
    lerp=lambda w, o, s: torch.lerp(o, w, float(s)),
    from_words=lambda w, o, s: w + (s - 1) * (w - o),
    loop=lambda w, o, s: torch.stack([b + s * (a - b) for a, b in zip(w, o)]),
    einsum=lambda w, o, s: torch.einsum("k,k...->...", torch.tensor([s, 1 - s], dtype=w.dtype), torch.stack([w, o])),
    copies=lambda w, o, s: w.clone().sub_(o).mul_(s).add_(o),
    through_numpy=lambda w, o, s: torch.from_numpy(o.numpy() + np.float32(s) * (w.numpy() - o.numpy())),
)
WRONG["00.4"] = dict(
    swapped=lambda w, o, s: w + s * (o - w),
    from_the_words=lambda w, o, s: w + s * (w - o),
    no_start=lambda w, o, s: s * (w - o),
    wrong_sign=lambda w, o, s: o - s * (w - o),
    plain_sum=lambda w, o, s: s * w + o,
    scale_words=lambda w, o, s: o + s * w,
    minus_one=lambda w, o, s: o + (s - 1) * (w - o),
    clipped=lambda w, o, s: (o + s * (w - o)).clamp(-1, 1),
    scale_at_least_zero=lambda w, o, s: o + max(s, 0) * (w - o),
    scale_at_least_one=lambda w, o, s: o + max(s, 1) * (w - o),
    scale_at_most_one=lambda w, o, s: o + min(s, 1) * (w - o),
    scale_whole=lambda w, o, s: o + int(s) * (w - o),
    scale_of_example=lambda w, o, s: o + (s if s in (0, 1, -1) else 2) * (w - o),
    absolute=lambda w, o, s: o + s * (w - o).abs(),
    in_place_words=lambda w, o, s: w.sub_(o).mul_(s).add_(o),
    in_place_without=lambda w, o, s: o.add_(s * (w - o)),
    in_place_lerp=lambda w, o, s: o.lerp_(w, float(s)),
    unit_way=lambda w, o, s: o + s * (w - o) / ((w - o).norm() + 1e-8),
    same_spread=lambda w, o, s: (g := o + s * (w - o)) * w.std() / g.std().clamp(min=1e-8),
    mean_of_without=lambda w, o, s: o.mean() + s * (w - o.mean()),
    first_clip=lambda w, o, s: o + s * (w - o)[:1],
    only_first_channel=lambda w, o, s: torch.cat([o[:, :1] + s * (w - o)[:, :1], w[:, 1:]], 1),
    negative_once_more=lambda w, o, s: o + abs(s) * (w - o),
    squared=lambda w, o, s: o + s * s * (w - o),
)

# ---------------------------------------------------------------- 01.1 to_bytes
def bytes_one_by_one(v):
    out = [min(255, max(0, math.floor(127.5 * (x + 1) + 0.5))) for x in v.double().flatten().tolist()]
    return torch.tensor(out, dtype=torch.uint8).reshape(v.shape)

up = lambda v: v.detach().double()

RIGHT["01.1"] = dict(
    plain=lambda v: ((v.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8),
    clip_after=lambda v: (127.5 * (v.float() + 1)).clamp(0, 255).round().byte(),
    half_up=lambda v: (127.5 * v.float().clamp(-1, 1) + 128).to(torch.uint8),
    one_by_one=bytes_one_by_one,
    through_numpy=lambda v: torch.from_numpy(np.asarray(np.rint((np.clip(up(v).numpy(), -1, 1) + 1) * 127.5), dtype=np.uint8)),
    round_first=lambda v: (255 * (v.float() / 2 + 0.5)).round().clamp(0, 255).to(torch.uint8),
    double=lambda v: v.double().clip(-1, 1).add(1).mul(127.5).round().byte(),
)
WRONG["01.1"] = dict(
    truncates=lambda v: ((v.float().clamp(-1, 1) + 1) * 127.5).to(torch.uint8),
    ceil=lambda v: ((v.float().clamp(-1, 1) + 1) * 127.5).ceil().to(torch.uint8),
    wraps=lambda v: ((v.float() + 1) * 127.5).round().long().remainder(256).to(torch.uint8),
    clips_bytes=lambda v: ((v.float() + 1) * 127.5).round().long().remainder(256).to(torch.uint8).clamp(0, 255),
    clips_above_only=lambda v: ((v.float().clamp(max=1) + 1) * 127.5).round().long().remainder(256).to(torch.uint8),
    clips_below_only=lambda v: ((v.float().clamp(min=-1) + 1) * 127.5).round().long().remainder(256).to(torch.uint8),
    times_128=lambda v: ((v.float().clamp(-1, 1) + 1) * 128).clamp(max=255).round().to(torch.uint8),
    times_128_floor=lambda v: ((v.float().clamp(-1, 1) + 1) * 128).clamp(max=255).to(torch.uint8),
    times_127=lambda v: (v.float().clamp(-1, 1) * 127 + 128).round().to(torch.uint8),
    times_255=lambda v: (v.float().clamp(0, 1) * 255).round().to(torch.uint8),
    absolute=lambda v: (v.float().clamp(-1, 1).abs() * 255).round().to(torch.uint8),
    clips_to_zero_one=lambda v: ((v.float().clamp(0, 1) + 1) * 127.5).round().to(torch.uint8),
    long_integers=lambda v: ((v.float().clamp(-1, 1) + 1) * 127.5).round().long(),
    floats=lambda v: ((v.float().clamp(-1, 1) + 1) * 127.5).round(),
    numpy_array=lambda v: ((v.float().clamp(-1, 1) + 1) * 127.5).round().byte().numpy(),
    in_place_clip=lambda v: ((v.clamp_(-1, 1).float() + 1) * 127.5).round().byte(),
    in_place_scale=lambda v: v.add_(1).mul_(127.5).round_().clamp_(0, 255).byte(),
    stretched=lambda v: ((v - v.min()) / (v.max() - v.min()).clamp(min=1e-8) * 255).round().byte(),
    half_precision=lambda v: ((v.half().clamp(-1, 1) + 1) * 127.5).round().byte(),
    no_shift=lambda v: (v.float().clamp(-1, 1) * 127.5).round().to(torch.int8).view(torch.uint8),
    always_batched=lambda v: (v[None].float().clamp(-1, 1) * 127.5 + 127.5).round().byte(),
    channels_last=lambda v: ((v.float().clamp(-1, 1) + 1) * 127.5).round().byte().movedim(0, -1),
    five_axes_only=lambda v: (rearrange(v.float(), "b c f h w -> b c f h w").clamp(-1, 1) * 127.5 + 127.5).round().byte(),
    tanh=lambda v: ((v.float().tanh() / math.tanh(1)).clamp(-1, 1) * 127.5 + 127.5).round().byte(),
    nearest_step_of_255=lambda v: ((v.float().clamp(-1, 1) + 1) / 2 * 254).round().byte(),
)

# ---------------------------------------------------------------- 01.2 to_float
def frames_right(x): refuse(isinstance(x, np.ndarray) and x.dtype == np.uint8 and x.ndim == 4)

def float_loops(x):
    frames_right(x)
    f, h, w, c = x.shape
    out = torch.empty(1, c, f, h, w)
    for i in range(f):
        for j in range(c): out[0, j, i] = torch.tensor(x[i, :, :, j].astype(np.float32) / 127.5 - 1)
    return out

def float_table(x):
    frames_right(x)
    table = torch.arange(256) / 127.5 - 1
    return table[torch.tensor(x.astype(np.int64))].permute(3, 0, 1, 2)[None]

raw = lambda x: torch.tensor(np.ascontiguousarray(x)).float() / 127.5 - 1

RIGHT["01.2"] = dict(
    einops=lambda x: seq(frames_right(x), rearrange(raw(x), "f h w c -> 1 c f h w")),
    permute=lambda x: seq(frames_right(x), raw(x).permute(3, 0, 1, 2).unsqueeze(0)),
    loops=float_loops,
    table=float_table,
    numpy=lambda x: seq(frames_right(x), torch.from_numpy((x.transpose(3, 0, 1, 2)[None] / 127.5 - 1).astype(np.float32))),
    movedim=lambda x: seq(frames_right(x), raw(x)[None].movedim(-1, 1).contiguous()),
    stack=lambda x: seq(frames_right(x), torch.stack([raw(x)[..., k] for k in range(x.shape[-1])])[None]),
)
good = lambda f: lambda x: seq(frames_right(x), f(x))
WRONG["01.2"] = dict(
    no_checks=lambda x: raw(x).permute(3, 0, 1, 2)[None],
    checks_axes_only=lambda x: seq(refuse(np.ndim(x) == 4), raw(x).permute(3, 0, 1, 2)[None]),
    checks_type_only=lambda x: seq(refuse(isinstance(x, np.ndarray) and x.dtype == np.uint8), rearrange(raw(x), "... f h w c -> ... c f h w").reshape(1, x.shape[-1], *x.shape[-4:-1])),
    type_error=lambda x: seq(refuse(isinstance(x, np.ndarray) and x.dtype == np.uint8, error=TypeError), refuse(x.ndim == 4), raw(x).permute(3, 0, 1, 2)[None]),
    asserts=lambda x: seq(refuse(isinstance(x, np.ndarray) and x.dtype == np.uint8 and x.ndim == 4, error=AssertionError), raw(x).permute(3, 0, 1, 2)[None]),
    range_instead_of_type=lambda x: seq(refuse(np.ndim(x) == 4 and 0 <= np.min(x) and np.max(x) <= 255), raw(x).permute(3, 0, 1, 2)[None]),
    any_whole_type=lambda x: seq(refuse(isinstance(x, np.ndarray) and np.issubdtype(x.dtype, np.integer) and x.ndim == 4), raw(x).permute(3, 0, 1, 2)[None]),
    one_picture_is_a_clip=lambda x: seq(refuse(isinstance(x, np.ndarray) and x.dtype == np.uint8 and x.ndim in (3, 4)), raw(x[None] if x.ndim == 3 else x).permute(3, 0, 1, 2)[None]),
    batch_is_a_clip=lambda x: seq(refuse(isinstance(x, np.ndarray) and x.dtype == np.uint8 and x.ndim in (4, 5)), raw(x[0] if x.ndim == 5 else x).permute(3, 0, 1, 2)[None]),
    only_rgb=lambda x: seq(frames_right(x), refuse(x.shape[-1] == 3), raw(x).permute(3, 0, 1, 2)[None]),
    reshape=good(lambda x: raw(x).reshape(1, x.shape[3], *x.shape[:3])),
    frames_before_channels=good(lambda x: raw(x).permute(0, 3, 1, 2)[None]),
    width_before_height=good(lambda x: raw(x).permute(3, 0, 2, 1)[None]),
    transposed=good(lambda x: raw(x).permute(3, 2, 1, 0)[None]),
    no_batch=good(lambda x: raw(x).permute(3, 0, 1, 2)),
    zero_to_one=good(lambda x: ((raw(x) + 1) / 2).permute(3, 0, 1, 2)[None]),
    no_minus_one=good(lambda x: (raw(x) + 1).permute(3, 0, 1, 2)[None]),
    by_128=good(lambda x: ((raw(x) + 1) * 127.5 / 128 - 1).permute(3, 0, 1, 2)[None]),
    by_127=good(lambda x: ((raw(x) + 1) * 127.5 / 127 - 1).permute(3, 0, 1, 2)[None]),
    byte_overflow=good(lambda x: torch.tensor((x * np.uint8(2) - np.uint8(255)).astype(np.float32) / 255).permute(3, 0, 1, 2)[None]),
    minus_in_bytes=good(lambda x: torch.tensor((x - np.uint8(128)).astype(np.float32) / 127.5).permute(3, 0, 1, 2)[None]),
    double=good(lambda x: torch.tensor(x / 127.5 - 1).permute(3, 0, 1, 2)[None]),
    half=good(lambda x: raw(x).half().permute(3, 0, 1, 2)[None]),
    negative_strides_fail=good(lambda x: (torch.from_numpy(x).float() / 127.5 - 1).permute(3, 0, 1, 2)[None]),
    bgr=good(lambda x: raw(x).flip(-1).permute(3, 0, 1, 2)[None]),
    stretched=good(lambda x: ((x2 := raw(x)) / x2.abs().max()).permute(3, 0, 1, 2)[None]),
    buffer=good(lambda x: (torch.frombuffer(bytearray(x.data if x.flags.c_contiguous else x.base.data), dtype=torch.uint8)[:x.size].float() / 127.5 - 1).reshape(x.shape).permute(3, 0, 1, 2)[None]),
)

# ---------------------------------------------------------------- 01.3 slice_video
AXES = dict(frame=2, height=3, width=4)

def cut_right(v, axis, place): refuse(axis in AXES and 0 <= place < v.shape[AXES[axis]])

def slice_loops(v, axis, place):
    cut_right(v, axis, place)
    b, c, f, h, w = v.shape
    down, right = dict(frame=(h, w), height=(f, w), width=(h, f))[axis]
    out = torch.empty(b, c, down, right, dtype=v.dtype)
    for i in range(down):
        for j in range(right):
            out[:, :, i, j] = v[(slice(None), slice(None), *dict(frame=(place, i, j), height=(i, place, j), width=(j, i, place))[axis])]
    return out

def slice_matches(v, axis, place):
    match axis:
        case "frame" if 0 <= place < v.shape[2]: return v[:, :, place]
        case "height" if 0 <= place < v.shape[3]: return v[:, :, :, place]
        case "width" if 0 <= place < v.shape[4]: return v[..., place].mT
    raise ValueError(f"no {axis} {place}")

RIGHT["01.3"] = dict(
    select=lambda v, a, p: seq(cut_right(v, a, p), v.select(AXES[a], p) if a != "width" else v.select(4, p).transpose(2, 3)),
    match=slice_matches,
    loops=slice_loops,
    einops=lambda v, a, p: seq(cut_right(v, a, p), rearrange(v, f"b c f h w -> {dict(frame='f b c h w', height='h b c f w', width='w b c h f')[a]}")[p]),
    index=lambda v, a, p: seq(cut_right(v, a, p), rearrange(v.index_select(AXES[a], torch.tensor([p])), dict(frame="b c 1 h w -> b c h w", height="b c f 1 w -> b c f w", width="b c f h 1 -> b c h f")[a])),
    swap=lambda v, a, p: seq(cut_right(v, a, p), v.transpose(2, AXES[a])[:, :, p].clone()),
)
cut_or = lambda check, cut=lambda v, a, p: v.transpose(2, AXES[a])[:, :, p]: lambda v, a, p: seq(check(v, a, p), cut(v, a, p))
cut_with = lambda cut: cut_or(cut_right, cut)
WRONG["01.3"] = dict(
    no_check=lambda v, a, p: v.transpose(2, AXES[a])[:, :, p],
    no_check_of_place=cut_or(lambda v, a, p: refuse(a in AXES)),
    no_check_of_axis=cut_or(lambda v, a, p: refuse(0 <= p < v.shape[AXES[a]])),
    negative_place=cut_or(lambda v, a, p: refuse(a in AXES and p < v.shape[AXES[a]])),
    python_range=cut_or(lambda v, a, p: refuse(a in AXES and -v.shape[AXES[a]] <= p < v.shape[AXES[a]])),
    minus_one_only=cut_or(lambda v, a, p: refuse(a in AXES and p != -1 and p < v.shape[AXES[a]])),
    one_too_far=cut_or(lambda v, a, p: refuse(a in AXES and 0 <= p <= v.shape[AXES[a]])),
    index_error=cut_or(lambda v, a, p: seq(refuse(a in AXES), refuse(0 <= p < v.shape[AXES[a]], error=IndexError))),
    key_error=cut_or(lambda v, a, p: seq(refuse(a in AXES, error=KeyError), refuse(0 <= p < v.shape[AXES[a]]))),
    zero_refused=cut_or(lambda v, a, p: refuse(a in AXES and 0 < p < v.shape[AXES[a]])),
    against_frames=cut_or(lambda v, a, p: refuse(a in AXES and 0 <= p < v.shape[2])),
    against_width=cut_or(lambda v, a, p: refuse(a in AXES and 0 <= p < v.shape[4])),
    against_smallest=cut_or(lambda v, a, p: refuse(a in AXES and 0 <= p < min(v.shape[2:]))),
    slice_hides_range=cut_or(lambda v, a, p: refuse(a in AXES and p >= 0), lambda v, a, p: v.transpose(2, AXES[a])[:, :, min(p, v.shape[AXES[a]] - 1)]),
    first_letter=lambda v, a, p: seq(k := "..fhw".find(a[:1]), refuse(k > 1 and 0 <= p < v.shape[k]), v.transpose(2, k)[:, :, p]),
    any_case=lambda v, a, p: slice_matches(v, a.lower(), p),
    other_names=lambda v, a, p: slice_matches(v, dict(row="height", column="width", time="frame").get(a, a), p),
    prefix=lambda v, a, p: slice_matches(v, next((k for k in AXES if a and k.startswith(a)), a), p),
    channel_too=lambda v, a, p: v[:, p] if a == "channel" else slice_matches(v, a, p),
    not_transposed=cut_with(lambda v, a, p: v.select(AXES[a], p)),
    row_transposed=cut_with(lambda v, a, p: v.select(AXES[a], p).mT if a != "frame" else v[:, :, p]),
    column_reshaped=cut_with(lambda v, a, p: v.select(4, p).reshape(*v.shape[:2], v.shape[3], v.shape[2]) if a == "width" else v.select(AXES[a], p)),
    frame_transposed=cut_with(lambda v, a, p: v[:, :, p].mT if a == "frame" else v.transpose(2, AXES[a])[:, :, p]),
    height_is_width=lambda v, a, p: slice_matches(v, dict(height="width", width="height").get(a, a), p),
    axis_kept=cut_with(lambda v, a, p: v.transpose(2, AXES[a])[:, :, p:p + 1]),
    squeezed=cut_with(lambda v, a, p: v.transpose(2, AXES[a])[:, :, p].squeeze()),
    first_clip=cut_with(lambda v, a, p: v[:1].transpose(2, AXES[a])[:, :, p]),
    from_one=cut_with(lambda v, a, p: v.transpose(2, AXES[a])[:, :, p - 1]),
    from_below=cut_with(lambda v, a, p: v.transpose(2, AXES[a])[:, :, p if a != "height" else v.shape[3] - 1 - p]),
    time_backwards=cut_with(lambda v, a, p: v[:, :, p] if a == "frame" else v.flip(2).transpose(2, AXES[a])[:, :, p]),
    in_place=cut_with(lambda v, a, p: v.transpose_(2, AXES[a])[:, :, p]),
)

# ---------------------------------------------------------------- 01.4 spread
def spread_loop(length, frames):
    if frames < 1: raise ValueError(frames)
    if frames >= length: return list(range(length))
    if frames == 1: return [0]
    picked = []
    for i in range(frames): picked.append(int(i * (length - 1) / (frames - 1) + 0.5))
    return picked

def spread_with(number):
    "The usual frame with another middle."
    def answer(length, frames):
        refuse(frames >= 1)
        return list(range(length)) if frames >= length else [0] if frames == 1 else number(length, frames)
    return answer

RIGHT["01.4"] = dict(
    half_up=spread_loop,
    half_even=lambda n, k: seq(refuse(k > 0), [round(i * (n - 1) / max(1, min(n, k) - 1)) for i in range(min(n, k))]),
    linspace=lambda n, k: seq(refuse(k >= 1), np.linspace(0, n - 1, min(n, k)).round().astype(int).tolist()),
    torch=lambda n, k: seq(refuse(k >= 1), torch.linspace(0, n - 1, min(n, k), dtype=torch.float64).round().int().tolist()),
    whole_numbers=spread_with(lambda n, k: [(2 * i * (n - 1) + k - 1) // (2 * (k - 1)) for i in range(k)]),
    set=lambda n, k: seq(refuse(k >= 1), [0] if k == 1 else sorted({round(x) for x in np.linspace(0, n - 1, min(n, k))})),
)
WRONG["01.4"] = dict(
    truncated=spread_with(lambda n, k: [i * (n - 1) // (k - 1) for i in range(k)]),
    ceil=spread_with(lambda n, k: [-(-i * (n - 1) // (k - 1)) for i in range(k)]),
    ties_down=spread_with(lambda n, k: [math.ceil(i * (n - 1) / (k - 1) - 0.5) for i in range(k)]),
    stride=spread_with(lambda n, k: list(range(0, n, n // k))[:k]),
    stride_float=spread_with(lambda n, k: [round(i * n / k) for i in range(k)]),
    past_the_end=spread_with(lambda n, k: [round(i * n / (k - 1)) for i in range(k)]),
    clamped_end=spread_with(lambda n, k: [min(n - 1, round(i * n / (k - 1))) for i in range(k)]),
    rounded_step=spread_with(lambda n, k: [min(n - 1, i * round((n - 1) / (k - 1))) for i in range(k)]),
    rounded_step_end_fixed=spread_with(lambda n, k: [i * ((n - 1) // (k - 1)) for i in range(k - 1)] + [n - 1]),
    middles=spread_with(lambda n, k: [int((i + 0.5) * n / k) for i in range(k)]),
    no_error=lambda n, k: [] if k < 1 else spread_loop(n, k),
    no_error_for_negative=lambda n, k: [] if k < 0 else spread_loop(n, k),
    no_error_for_zero=lambda n, k: seq(refuse(k >= 0), [] if k == 0 else spread_loop(n, k)),
    zero_gives_one=lambda n, k: spread_loop(n, max(1, k)),
    one_is_refused=lambda n, k: seq(refuse(k > 1), spread_loop(n, k)),
    zero_division=lambda n, k: seq(refuse(k >= 1), list(range(n)) if k >= n else [round(i * (n - 1) / (k - 1)) for i in range(k)]),
    one_frame_clip_fails=lambda n, k: seq(refuse(k >= 1), [0] if k == 1 else [round(i * (n - 1) / (min(n, k) - 1)) for i in range(min(n, k))]),
    one_in_the_middle=lambda n, k: [n // 2] if k == 1 else spread_loop(n, k),
    one_is_last=lambda n, k: [n - 1] if k == 1 else spread_loop(n, k),
    repeats=lambda n, k: seq(refuse(k >= 1), np.linspace(0, n - 1, k).round().astype(int).tolist()),
    more_is_refused=lambda n, k: seq(refuse(1 <= k <= n), spread_loop(n, k)),
    floats=lambda n, k: seq(refuse(k >= 1), np.linspace(0, n - 1, min(n, k)).round().tolist()),
    array=lambda n, k: seq(refuse(k >= 1), np.linspace(0, n - 1, min(n, k)).round().astype(int)),
    tensor=lambda n, k: torch.tensor(spread_loop(n, k)),
    a_range=lambda n, k: seq(refuse(k >= 1), range(n) if k >= n else spread_loop(n, k)),
    without_last=spread_with(lambda n, k: np.linspace(0, n - 1, k, endpoint=False).round().astype(int).tolist()),
    from_one=lambda n, k: [i + 1 for i in spread_loop(n, k)],
    falling=lambda n, k: spread_loop(n, k)[::-1],
    index_error=lambda n, k: seq(refuse(k >= 1, error=IndexError), spread_loop(n, k)),
    eight_at_most=lambda n, k: spread_loop(n, min(k, 8)),
)

# ---------------------------------------------------------------- 01.5 at_rate
def ticks(times, fps): return max(1, round((times[-1] - times[0]) * fps))

def rate_with(look=0.25, count=ticks, origin=lambda t: t[0], side="right", clamp=True):
    def answer(times, fps):
        at = origin(times) + (np.arange(count(times, fps)) + look) / fps
        i = np.searchsorted(times[:-1] if clamp else times, at, side) - 1
        return i.clip(0).tolist()
    return answer

def rate_walk(times, fps):
    out, i, n = [], 0, ticks(times, fps)
    for tick in range(n):
        while i + 1 < len(times) - 1 and times[i + 1] <= times[0] + (tick + 0.25) / fps: i += 1
        out.append(i)
    return out

def rate_by_length(times, fps):
    "How often each frame comes, from its own length: the errors add up."
    out = []
    for i in range(len(times) - 1): out += [i] * round((times[i + 1] - times[i]) * fps)
    return out or [0]

def rate_pops(times, fps):
    end, out = times.pop(), []
    n = max(1, round((end - times[0]) * fps))
    return [bisect_right(times, times[0] + (k + 0.25) / fps) - 1 for k in range(n)]

def rate_shifts(times, fps):
    for i in reversed(range(len(times))): times[i] -= times[0]
    return rate_walk(times, fps)

def rate_adds_up(times, fps):
    "In steps of whole milliseconds."
    step, t, out = round(1000 / fps) / 1000, times[0], []
    for _ in range(ticks(times, fps)):
        out.append(max(0, bisect_right(times[:-1], t + step / 4) - 1))
        t += step
    return out

RIGHT["01.5"] = dict(
    searchsorted=rate_with(),
    walk=rate_walk,
    bisect=lambda t, fps: [bisect_right(t, t[0] + (n + 0.25) / fps, hi=len(t) - 1) - 1 for n in range(ticks(t, fps))],
    counted=lambda t, fps: [max(0, sum(s <= t[0] + (n + 0.25) / fps for s in t[:-1]) - 1) for n in range(ticks(t, fps))],
    last_of=lambda t, fps: [max(i for i in range(len(t) - 1) if t[i] <= t[0] + (n + 0.25) / fps) for n in range(ticks(t, fps))],
    torch=lambda t, fps: (torch.bucketize(t[0] + (torch.arange(ticks(t, fps), dtype=torch.float64) + 0.25) / fps, torch.tensor(t[:-1], dtype=torch.float64), right=True) - 1).tolist(),
    table=lambda t, fps: ((np.array(t[:-1])[None] <= t[0] + (np.arange(ticks(t, fps))[:, None] + 0.25) / fps).sum(1) - 1).tolist(),
)
WRONG["01.5"] = dict(
    looks_at_tick=rate_with(look=0),
    looks_at_half=rate_with(look=0.5),
    looks_before=rate_with(look=-0.25),
    looks_late=rate_with(look=0.75),
    quarter_second=lambda t, fps: [max(0, bisect_right(t[:-1], t[0] + n / fps + 0.25) - 1) for n in range(ticks(t, fps))],
    tiny_tolerance=rate_with(look=1e-6),
    one_tick_late=rate_with(look=1.25),
    clock_from_zero=rate_with(origin=lambda t: 0),
    end_from_zero=rate_with(count=lambda t, fps: max(1, round(t[-1] * fps))),
    ticks_cut=rate_with(count=lambda t, fps: max(1, int((t[-1] - t[0]) * fps))),
    ticks_ceil=rate_with(count=lambda t, fps: max(1, math.ceil((t[-1] - t[0]) * fps))),
    ticks_one_more=rate_with(count=lambda t, fps: 1 + round((t[-1] - t[0]) * fps)),
    ticks_until_last_start=rate_with(count=lambda t, fps: max(1, round((t[-2] - t[0]) * fps))),
    ticks_one_per_frame=rate_with(count=lambda t, fps: len(t) - 1),
    no_tick_at_all=rate_with(count=lambda t, fps: round((t[-1] - t[0]) * fps)),
    end_is_a_frame=rate_with(clamp=False),
    start_not_yet_seen=rate_with(side="left"),
    nearest_start=lambda t, fps: [min(range(len(t) - 1), key=lambda i: abs(t[i] - t[0] - (n + 0.25) / fps)) for n in range(ticks(t, fps))],
    nearest_start_no_look=lambda t, fps: [min(range(len(t) - 1), key=lambda i: abs(t[i] - t[0] - n / fps)) for n in range(ticks(t, fps))],
    even_frames=lambda t, fps: [min(len(t) - 2, int((n + 0.25) / ticks(t, fps) * (len(t) - 1))) for n in range(ticks(t, fps))],
    by_length=rate_by_length,
    pops=rate_pops,
    shifts_in_place=rate_shifts,
    whole_milliseconds=rate_adds_up,
    whole_fps=lambda t, fps: rate_walk(t, max(1, int(fps))),
    array=lambda t, fps: np.array(rate_walk(t, fps)),
    floats=lambda t, fps: [float(i) for i in rate_walk(t, fps)],
    no_repeats=lambda t, fps: sorted(set(rate_walk(t, fps))),
    from_one=lambda t, fps: [i + 1 for i in rate_walk(t, fps)],
    next_frame=lambda t, fps: [min(i + 1, len(t) - 2) for i in rate_walk(t, fps)],
    times_on_ticks=lambda t, fps: [max(0, bisect_right([round((s - t[0]) * fps) for s in t[:-1]], n) - 1) for n in range(ticks(t, fps))],
    seconds=lambda t, fps: [t[i] for i in rate_walk(t, fps)],
    clock_from_first_of_ten=rate_with(origin=lambda t: round(t[0], 1)),
)

# ---------------------------------------------------------------- 01.6 correlation
def both(v, k):
    refuse(0 <= k < v.shape[2])
    return v[:, :, : v.shape[2] - k].flatten(1), v[:, :, k:].flatten(1)

def pearson(x, y):
    x, y = x.double(), y.double()
    dx, dy = x - x.mean(1, keepdim=True), y - y.mean(1, keepdim=True)
    r = (dx * dy).sum(1) / (dx.square().sum(1) * dy.square().sum(1)).sqrt()
    return torch.where((x == x[:, :1]).all(1) | (y == y[:, :1]).all(1), torch.nan, r).float()

def corr_loops(v, k):
    refuse(0 <= k < v.shape[2])
    out = []
    for clip in v:
        x = torch.cat([clip[:, i].flatten() for i in range(v.shape[2] - k)]).double()
        y = torch.cat([clip[:, i + k].flatten() for i in range(v.shape[2] - k)]).double()
        if (x == x[0]).all() or (y == y[0]).all():
            out.append(float("nan"))
            continue
        x, y = x - x.mean(), y - y.mean()
        out.append((x @ y / (x.norm() * y.norm())).item())
    return torch.tensor(out)

def corr_whole_mean(v, k):
    "Takes the mean of the whole clip instead of the means of the two lists."
    m = v.flatten(1).mean(1, keepdim=True)
    x, y = both(v, k)
    return ((x - m) * (y - m)).sum(1) / ((x - m).square().sum(1) * (y - m).square().sum(1)).sqrt()

def corr_whole_spread(v, k):
    "The autocorrelation of signal processing: the variance of the whole clip below the line."
    m = v.flatten(1).mean(1, keepdim=True)
    x, y = both(v, k)
    return ((x - m) * (y - m)).mean(1) / (v.flatten(1) - m).square().mean(1)

RIGHT["01.6"] = dict(
    sums=lambda v, k: pearson(*both(v, k)),
    loops=corr_loops,
    corrcoef=lambda v, k: torch.stack([pearson(x[None], y[None])[0] if (x == x[0]).all() or (y == y[0]).all() else torch.corrcoef(torch.stack([x, y]).double())[0, 1].float() for x, y in zip(*both(v, k))]),
    numpy=lambda v, k: torch.tensor([np.nan if np.ptp(x.numpy()) == 0 or np.ptp(y.numpy()) == 0 else np.corrcoef(x.double().numpy(), y.double().numpy())[0, 1] for x, y in zip(*both(v, k))], dtype=torch.float32),
    narrow=lambda v, k: seq(refuse(v.shape[2] > k >= 0), pearson(v.narrow(2, 0, v.shape[2] - k).reshape(len(v), -1), v.narrow(2, k, v.shape[2] - k).reshape(len(v), -1))),
    einops=lambda v, k: seq(refuse(v.shape[2] > k >= 0), pearson(*(rearrange(v[:, :, i:j], "b c f h w -> b (h f w c)") for i, j in ((0, v.shape[2] - k), (k, None))))),
)
WRONG["01.6"] = dict(
    zero_apart_is_empty=lambda v, k: seq(refuse(k < v.shape[2]), pearson(v[:, :, :-k].flatten(1), v[:, :, k:].flatten(1))),
    zero_apart_is_refused=lambda v, k: seq(refuse(0 < k < v.shape[2]), pearson(*both(v, k))),
    all_frames_refused_too_late=lambda v, k: seq(refuse(k <= v.shape[2]), pearson(v[:, :, :v.shape[2] - k].flatten(1), v[:, :, k:].flatten(1))),
    refused_too_early=lambda v, k: seq(refuse(k < v.shape[2] - 1), pearson(*both(v, k))),
    no_error=lambda v, k: pearson(*both(v, k)) if k < v.shape[2] else torch.full((len(v),), torch.nan),
    index_error=lambda v, k: seq(refuse(k < v.shape[2], error=IndexError), pearson(*both(v, k))),
    one_for_the_batch=lambda v, k: pearson(*(x.reshape(1, -1) for x in both(v, k))).expand(len(v)),
    scalar=lambda v, k: pearson(*both(v, k)).mean(),
    squeezed=lambda v, k: pearson(*both(v, k)).squeeze(),
    first_clip=lambda v, k: pearson(*both(v[:1], k)),
    cosine=lambda v, k: F.cosine_similarity(*both(v, k)),
    whole_mean=corr_whole_mean,
    whole_spread=corr_whole_spread,
    mean_over_pairs=lambda v, k: seq(both(v, k), torch.stack([pearson(v[:, :, i].flatten(1), v[:, :, i + k].flatten(1)) for i in range(v.shape[2] - k)]).mean(0)),
    mean_over_channels=lambda v, k: seq(both(v, k), torch.stack([pearson(v[:, i, :v.shape[2] - k].flatten(1), v[:, i, k:].flatten(1)) for i in range(v.shape[1])]).mean(0)),
    first_channel=lambda v, k: pearson(*both(v[:, :1], k)),
    grey_first=lambda v, k: pearson(*both(v.mean(1, keepdim=True), k)),
    first_pair=lambda v, k: seq(both(v, k), pearson(v[:, :, 0].flatten(1), v[:, :, k].flatten(1))),
    last_pair=lambda v, k: seq(both(v, k), pearson(v[:, :, -1 - k].flatten(1), v[:, :, -1].flatten(1))),
    wraps_around=lambda v, k: seq(both(v, k), pearson(v.flatten(1), v.roll(-k, 2).flatten(1))),
    every_kth=lambda v, k: seq(both(v, k), pearson(v[:, :, ::max(k, 1)][:, :, :-1].flatten(1), v[:, :, ::max(k, 1)][:, :, 1:].flatten(1)) if k else pearson(v.flatten(1), v.flatten(1))),
    one_too_far=lambda v, k: seq(both(v, k), pearson(*both(v, min(k + 1, v.shape[2] - 1)))),
    along_height=lambda v, k: seq(both(v, k), pearson(*both(v.transpose(2, 3), min(k, v.shape[3] - 1)))),
    mixed_n=lambda v, k: seq(p := both(v, k), ((p[0] - p[0].mean(1, keepdim=True)) * (p[1] - p[1].mean(1, keepdim=True))).mean(1) / (p[0].std(1) * p[1].std(1))),
    covariance=lambda v, k: seq(p := both(v, k), ((p[0] - p[0].mean(1, keepdim=True)) * (p[1] - p[1].mean(1, keepdim=True))).mean(1)),
    over_first_spread=lambda v, k: seq(p := both(v, k), ((p[0] - p[0].mean(1, keepdim=True)) * (p[1] - p[1].mean(1, keepdim=True))).mean(1) / p[0].var(1, correction=0)),
    zero_for_constant=lambda v, k: pearson(*both(v, k)).nan_to_num(0),
    one_for_constant=lambda v, k: pearson(*both(v, k)).nan_to_num(1),
    with_eps=lambda v, k: seq(p := both(v, k), ((a := p[0] - p[0].mean(1, keepdim=True)) * (b := p[1] - p[1].mean(1, keepdim=True))).mean(1) / ((a.square().mean(1) * b.square().mean(1)).sqrt() + 1e-8)),
    constant_is_an_error=lambda v, k: seq(refuse(not pearson(*both(v, k)).isnan().any()), pearson(*both(v, k))),
    unstable=lambda v, k: seq(p := both(v, k), ((p[0] * p[1]).mean(1) - p[0].mean(1) * p[1].mean(1)) / ((p[0].square().mean(1) - p[0].mean(1) ** 2) * (p[1].square().mean(1) - p[1].mean(1) ** 2)).sqrt()),
    absolute=lambda v, k: pearson(*both(v, k)).abs(),
    squared=lambda v, k: pearson(*both(v, k)) ** 2,
    not_below_zero=lambda v, k: pearson(*both(v, k)).clamp(min=0),
    mean_frames=lambda v, k: pearson(*both(v.mean((3, 4), keepdim=True), k)),
    in_place=lambda v, k: seq(both(v, k), v.sub_(v.mean((1, 2, 3, 4), keepdim=True)), pearson(*both(v, k))),
    view_needs_contiguous=lambda v, k: seq(both(v, k), v.view(len(v), -1), pearson(*both(v, k))),
)

# ---------------------------------------------------------------- 02.1 signed_distance
def floating(u, v): return np.result_type(u, v, np.float32)

def distance_loops(shape, u, v):
    refuse(shape in SHAPES)
    def one(x, y):
        if shape == "circle": return math.hypot(x, y) - 1
        if shape == "square": return max(abs(x), abs(y)) - 0.85
        if shape == "triangle": return max(y - 0.6, 0.866 * x - 0.5 * y - 0.6, -0.866 * x - 0.5 * y - 0.6)
        return min(max(abs(x) - 1.05, abs(y) - 0.36), max(abs(y) - 1.05, abs(x) - 0.36))
    return np.vectorize(one, otypes=[floating(u, v)])(u, v)

def distance_torch(shape, u, v):
    if shape not in SHAPES: raise ValueError(shape)
    x, y = torch.broadcast_tensors(torch.as_tensor(np.array(u, dtype=float)), torch.as_tensor(np.array(v, dtype=float)))
    d = dict(circle=lambda: (x ** 2 + y ** 2).sqrt() - 1,
             square=lambda: torch.maximum(x.abs(), y.abs()) - 0.85,
             triangle=lambda: torch.stack([y, 0.866 * x.abs() - 0.5 * y]).amax(0) - 0.6,
             cross=lambda: torch.minimum(torch.maximum(x.abs() - 1.05, y.abs() - 0.36), torch.maximum(y.abs() - 1.05, x.abs() - 0.36)))
    return d[shape]().numpy().astype(floating(u, v))

def shapes_with(check=lambda s: refuse(s in SHAPES), **other):
    "Right, but for some shapes."
    forms = dict(circle=lambda u, v: np.hypot(u, v) - 1,
                 square=lambda u, v: np.maximum(abs(u), abs(v)) - 0.85,
                 triangle=lambda u, v: np.maximum(v - 0.6, 0.866 * abs(u) - 0.5 * v - 0.6),
                 cross=lambda u, v: np.minimum(np.maximum(abs(u) - 1.05, abs(v) - 0.36), np.maximum(abs(v) - 1.05, abs(u) - 0.36))) | other
    return lambda shape, u, v: seq(check(shape), forms[shape](u, v))

def distance_same_shape_only(shape, u, v):
    refuse(shape in SHAPES)
    d = np.zeros_like(u, dtype=float)
    d[...] = shapes_with()(shape, u, v)
    return d

def distance_whole_numbers(shape, u, v):
    refuse(shape in SHAPES)
    d = np.zeros(np.broadcast_shapes(np.shape(u), np.shape(v)), np.asarray(u).dtype)
    d[...] = shapes_with()(shape, u, v)
    return d

RIGHT["02.1"] = dict(
    table=shapes_with(),
    loops=distance_loops,
    torch=distance_torch,
    folded=shapes_with(cross=lambda u, v: (lambda a, b: np.maximum(np.maximum(a, b) - 1.05, np.minimum(a, b) - 0.36))(abs(u), abs(v))),
    sides=shapes_with(triangle=lambda u, v: np.max(np.stack(np.broadcast_arrays(v, 0.866 * u - 0.5 * v, -0.866 * u - 0.5 * v)), 0) - 0.6),
    where=shapes_with(square=lambda u, v: np.where(abs(u) > abs(v), abs(u), abs(v)) - 0.85),
    root=shapes_with(circle=lambda u, v: (np.sqrt(np.square(u, dtype=float) + np.square(v, dtype=float)) - 1).astype(floating(u, v))),
)
WRONG["02.1"] = dict(
    v_up=lambda s, u, v: shapes_with()(s, u, -v),
    u_and_v_swapped=lambda s, u, v: shapes_with()(s, v, u),
    inside_positive=lambda s, u, v: -shapes_with()(s, u, v),
    circle_no_root=shapes_with(circle=lambda u, v: u ** 2 + v ** 2 - 1),
    circle_diameter=shapes_with(circle=lambda u, v: np.hypot(u, v) - 0.5),
    circle_no_one=shapes_with(circle=lambda u, v: np.hypot(u, v)),
    square_of_one=shapes_with(square=lambda u, v: np.maximum(abs(u), abs(v)) - 1),
    square_minimum=shapes_with(square=lambda u, v: np.minimum(abs(u), abs(v)) - 0.85),
    square_sum=shapes_with(square=lambda u, v: abs(u) + abs(v) - 0.85),
    square_no_abs=shapes_with(square=lambda u, v: np.maximum(u, v) - 0.85),
    square_corner_rounded=shapes_with(square=lambda u, v: np.hypot(np.maximum(abs(u) - 0.85, 0), np.maximum(abs(v) - 0.85, 0)) + np.minimum(np.maximum(abs(u), abs(v)) - 0.85, 0)),
    triangle_no_abs=shapes_with(triangle=lambda u, v: np.maximum(v - 0.6, 0.866 * u - 0.5 * v - 0.6)),
    triangle_plus=shapes_with(triangle=lambda u, v: np.maximum(v - 0.6, 0.866 * abs(u) + 0.5 * v - 0.6)),
    triangle_minimum=shapes_with(triangle=lambda u, v: np.minimum(v - 0.6, 0.866 * abs(u) - 0.5 * v - 0.6)),
    triangle_angle=shapes_with(triangle=lambda u, v: np.maximum(v - 0.6, 0.5 * abs(u) - 0.866 * v - 0.6)),
    triangle_abs_v=shapes_with(triangle=lambda u, v: np.maximum(abs(v) - 0.6, 0.866 * abs(u) - 0.5 * v - 0.6)),
    triangle_no_bottom=shapes_with(triangle=lambda u, v: 0.866 * abs(u) - 0.5 * v - 0.6),
    triangle_half=shapes_with(triangle=lambda u, v: np.maximum(v - 0.5, 0.866 * abs(u) - 0.5 * v - 0.5)),
    cross_maximum=shapes_with(cross=lambda u, v: np.maximum(np.maximum(abs(u) - 1.05, abs(v) - 0.36), np.maximum(abs(v) - 1.05, abs(u) - 0.36))),
    cross_lying_bar=shapes_with(cross=lambda u, v: np.maximum(abs(u) - 1.05, abs(v) - 0.36)),
    cross_arms_of_one=shapes_with(cross=lambda u, v: np.minimum(np.maximum(abs(u) - 1, abs(v) - 0.36), np.maximum(abs(v) - 1, abs(u) - 0.36))),
    cross_endless=shapes_with(cross=lambda u, v: np.minimum(abs(u), abs(v)) - 0.36),
    cross_sum=shapes_with(cross=lambda u, v: np.maximum(abs(u) - 1.05, abs(v) - 0.36) + np.maximum(abs(v) - 1.05, abs(u) - 0.36)),
    unknown_is_cross=lambda s, u, v: shapes_with()(s if s in SHAPES else "cross", u, v),
    unknown_is_none=lambda s, u, v: shapes_with()(s, u, v) if s in SHAPES else None,
    key_error=shapes_with(check=lambda s: refuse(s in SHAPES, error=KeyError)),
    any_case=lambda s, u, v: shapes_with()(s.lower(), u, v),
    same_shape_only=distance_same_shape_only,
    whole_numbers=distance_whole_numbers,
    in_place=lambda s, u, v: shapes_with()(s, np.abs(u, out=u) if isinstance(u, np.ndarray) and u.ndim else abs(u), v),
    in_place_v=lambda s, u, v: seq(d := shapes_with()(s, u, v), v.__isub__(0.6) if isinstance(v, np.ndarray) and v.ndim and s == "triangle" else None, d),
    only_signs=lambda s, u, v: np.sign(shapes_with()(s, u, v)),
    clipped=lambda s, u, v: np.clip(shapes_with()(s, u, v), -1, 1),
    two_decimals=lambda s, u, v: np.round(shapes_with()(s, u, v), 2),
    meshgrid=lambda s, u, v: shapes_with()(s, *np.meshgrid(np.ravel(u), np.ravel(v))),
)

# ---------------------------------------------------------------- 02.2 coverage
def cover_with(middle=0.5, turn=lambda c, s, dy, dx: (dx * c + dy * s, dy * c - dx * s), dy_dx=lambda rows, cols, y, x: (rows - y, cols - x),
               soft=lambda d, r: np.clip(0.5 - d * r / SOFT, 0, 1), radius=lambda thing, r: r, angle=lambda a: a, frames=lambda track: track,
               track=lambda thing: thing.track, form=lambda thing: thing.shape, dtype=np.float32):
    def answer(thing, size):
        f, h, w = size
        y, x, r, a = frames(track(thing)).T[:, :, None, None]
        r = radius(thing, r)
        dy, dx = dy_dx(np.arange(h)[:, None] + middle, np.arange(w) + middle, y, x)
        u, v = turn(np.cos(angle(a)), np.sin(angle(a)), dy, dx)
        d = world.signed_distance(form(thing), u / r, v / r)
        return np.broadcast_to(soft(d, r), (f, h, w)).astype(dtype)
    return answer

def cover_loops(thing, size):
    f, h, w = size
    out = np.zeros(size, np.float32)
    for t in range(f):
        y, x, r, a = thing.track[t]
        for i in range(h):
            for j in range(w):
                dy, dx = i + 0.5 - y, j + 0.5 - x
                d = r * world.signed_distance(thing.shape, (dx * math.cos(a) + dy * math.sin(a)) / r, (dy * math.cos(a) - dx * math.sin(a)) / r)
                out[t, i, j] = min(1.0, max(0.0, 0.5 - d / SOFT))
    return out

def cover_complex(thing, size):
    "A turn is a multiplication of complex numbers."
    f, h, w = size
    out = []
    for y, x, r, a in thing.track:
        z = (np.arange(w) + 0.5 - x + 1j * (np.arange(h)[:, None] + 0.5 - y)) * np.exp(-1j * a) / r
        out.append(np.clip(0.5 - r * world.signed_distance(thing.shape, z.real, z.imag) / SOFT, 0, 1))
    return np.stack(out).astype(np.float32)

def cover_matrix(thing, size):
    f, h, w = size
    grid = np.stack(np.mgrid[:h, :w]) + 0.5
    out = np.empty(size, np.float32)
    for t, (y, x, r, a) in enumerate(thing.track):
        turn = np.array([[np.sin(a), np.cos(a)], [np.cos(a), -np.sin(a)]]) / r
        u, v = np.einsum("ij,jhw->ihw", turn, grid - np.array([y, x])[:, None, None])
        out[t] = (0.5 - world.signed_distance(thing.shape, u, v) * r / SOFT).clip(0, 1)
    return out

def cover_in_place(thing, size):
    thing.track[:, :2] -= 0.5
    return cover_with(middle=0)(thing, size)

RIGHT["02.2"] = dict(broadcast=cover_with(), loops=cover_loops, complex=cover_complex, matrix=cover_matrix,
    minimum=cover_with(soft=lambda d, r: np.minimum(1, np.maximum(0, (SOFT / 2 - r * d) / SOFT))),
    torch=cover_with(soft=lambda d, r: torch.from_numpy(0.5 - np.asarray(d) * r / SOFT).clamp(0, 1).numpy()))
WRONG["02.2"] = dict(
    corner_of_pixel=cover_with(middle=0),
    other_corner=cover_with(middle=1),
    row_and_column_swapped=cover_with(dy_dx=lambda i, j, y, x: (i - x, j - y)),
    axes_swapped=lambda thing, size: cover_with()(thing, (size[0], size[2], size[1])).swapaxes(1, 2).reshape(size),
    square_frame_only=cover_with(dy_dx=lambda i, j, y, x: (i - y, i.T - x)),
    centre_added=cover_with(dy_dx=lambda i, j, y, x: (i + y, j + x)),
    point_seen_from_centre_reversed=cover_with(dy_dx=lambda i, j, y, x: (y - i, x - j)),
    no_turn=cover_with(turn=lambda c, s, dy, dx: (dx, dy)),
    turned_back=cover_with(turn=lambda c, s, dy, dx: (dx * c - dy * s, dy * c + dx * s)),
    mirrored=cover_with(turn=lambda c, s, dy, dx: (dx * c + dy * s, dx * s - dy * c)),
    u_and_v_swapped=cover_with(turn=lambda c, s, dy, dx: (dy * c - dx * s, dx * c + dy * s)),
    half_a_turn_matrix=cover_with(turn=lambda c, s, dy, dx: (dx * c + dy * s, dy)),
    degrees=cover_with(angle=np.radians),
    first_angle=cover_with(angle=lambda a: a[:1]),
    sharp=cover_with(soft=lambda d, r: (d <= 0) * 1.0),
    edge_in_radii=cover_with(soft=lambda d, r: np.clip(0.5 - d / SOFT, 0, 1)),
    edge_twice_as_wide=cover_with(soft=lambda d, r: np.clip(0.5 - d * r / (2 * SOFT), 0, 1)),
    edge_half_as_wide=cover_with(soft=lambda d, r: np.clip(0.5 - 2 * d * r / SOFT, 0, 1)),
    edge_of_one_pixel=cover_with(soft=lambda d, r: np.clip(0.5 - d * r, 0, 1)),
    edge_outside=cover_with(soft=lambda d, r: np.clip(1 - d * r / SOFT, 0, 1)),
    edge_inside=cover_with(soft=lambda d, r: np.clip(-d * r / SOFT, 0, 1)),
    sigmoid=cover_with(soft=lambda d, r: 1 / (1 + np.exp(np.clip(4 * d * r / SOFT, -50, 50)))),
    inverted=cover_with(soft=lambda d, r: np.clip(0.5 + d * r / SOFT, 0, 1)),
    not_clipped=cover_with(soft=lambda d, r: 0.5 - d * r / SOFT),
    clipped_below_only=cover_with(soft=lambda d, r: np.maximum(0.5 - d * r / SOFT, 0)),
    smooth_step=cover_with(soft=lambda d, r: (t := np.clip(0.5 - d * r / SOFT, 0, 1)) ** 2 * (3 - 2 * t)),
    double=cover_with(dtype=np.float64),
    bytes=cover_with(dtype=np.uint8),
    first_frame_everywhere=cover_with(frames=lambda track: track[:1]),
    first_radius=cover_with(radius=lambda thing, r: r[:1]),
    radius_of_name=cover_with(radius=lambda thing, r: SIZES[thing.size] * 32 + 0 * r),
    radius_by_size_of_frame=lambda thing, size: cover_with(radius=lambda t, r: SIZES[t.size] * min(size[1:]) + 0 * r)(thing, size),
    whole_pixels=cover_with(track=lambda thing: np.concatenate([thing.track[:, :3].round().clip(1), thing.track[:, 3:]], 1)),
    integer_track=cover_with(track=lambda thing: thing.track.astype(int)),
    in_place=cover_in_place,
    always_circle=cover_with(form=lambda thing: "circle"),
    no_scale=cover_with(radius=lambda thing, r: np.ones_like(r)),
    two_decimals=cover_with(soft=lambda d, r: np.clip(0.5 - d * r / SOFT, 0, 1).round(1)),
    torch_tensor=lambda thing, size: torch.from_numpy(cover_with()(thing, size)),
    frames_last=lambda thing, size: cover_with()(thing, size).transpose(1, 2, 0),
)

# ---------------------------------------------------------------- 02.3 Scene.render
def render_with(lay=lambda old, a, c: (1 - a) * old + a * c, order=lambda things: things, colour=lambda i, t: COLORS[t.color], shift=lambda s: s.shift,
                ends=lambda x: rearrange(torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32)) / 127.5 - 1, "f h w c -> c f h w"),
                ground=lambda s, shift: world.ground(s.background, shift, s.size), alpha=lambda t, size: world.coverage(t, size)):
    def answer(self):
        x = ground(self, shift(self))
        for i, thing in enumerate(order(self.things)): x = lay(x, alpha(thing, self.size)[..., None], np.float32(colour(i, thing)))
        return ends(x)
    return answer

def render_torch(self):
    x = torch.tensor(np.array(world.ground(self.background, self.shift, self.size))).permute(3, 0, 1, 2)
    for thing in self.things:
        a = torch.from_numpy(world.coverage(thing, self.size))
        x = torch.lerp(x, torch.tensor(COLORS[thing.color]).float().reshape(3, 1, 1, 1).expand(x.shape), a[None].expand(x.shape))
    return x / 127.5 - 1

def render_loops(self):
    f, h, w = self.size
    out, ground = torch.empty(3, f, h, w), world.ground(self.background, self.shift, self.size)
    alphas = [world.coverage(thing, self.size) for thing in self.things]
    for k in range(3):
        x = np.array(ground[..., k])
        for thing, a in zip(self.things, alphas): x += a * (COLORS[thing.color][k] - x)
        out[k] = torch.from_numpy(x) / 127.5 - 1
    return out

def render_unit(self):
    "In values of -1 to 1 from the start."
    x = world.ground(self.background, self.shift, self.size) / np.float32(127.5) - 1
    for thing in self.things:
        a = world.coverage(thing, self.size)[..., None]
        x = x - a * x + a * (np.float32(COLORS[thing.color]) / 127.5 - 1)
    return torch.from_numpy(x.astype(np.float32)).movedim(-1, 0)

def render_shares(self):
    "What is seen of each object is its coverage times what the later ones leave."
    left, out = np.ones((*self.size, 1), np.float32), 0
    for thing in self.things[::-1]:
        a = world.coverage(thing, self.size)[..., None]
        out, left = out + left * a * np.float32(COLORS[thing.color]), left * (1 - a)
    out = out + left * world.ground(self.background, self.shift, self.size)
    return torch.tensor(out.transpose(3, 0, 1, 2) / 127.5 - 1, dtype=torch.float32)

def render_paints_ground(self):
    x = world.ground(self.background, self.shift, self.size)
    for thing in self.things:
        a = world.coverage(thing, self.size)[..., None]
        x *= 1 - a
        x += a * np.float32(COLORS[thing.color])
    return torch.from_numpy(x / 127.5 - 1).permute(3, 0, 1, 2)

def render_moves_things(self):
    for thing in self.things: thing.track[:, :2] = thing.track[:, :2].round()
    return render_with()(self)

def render_one_alpha(self):
    "All objects' coverage joined first, in the colour of the last."
    a = np.max([world.coverage(t, self.size) for t in self.things], 0)[..., None]
    x = (1 - a) * world.ground(self.background, self.shift, self.size) + a * np.float32(COLORS[self.things[-1].color])
    return torch.from_numpy(np.float32(x)).permute(3, 0, 1, 2) / 127.5 - 1

def render_each_on_ground(self):
    "Objects are laid over the ground alone, so the last one's ground hides the first."
    g = world.ground(self.background, self.shift, self.size)
    out = g
    for t in self.things:
        a = world.coverage(t, self.size)[..., None]
        out = (1 - a) * g + a * np.float32(COLORS[t.color])
    return torch.from_numpy(np.float32(out)).permute(3, 0, 1, 2) / 127.5 - 1

def render_sums(self):
    g = world.ground(self.background, self.shift, self.size)
    out = np.float32(g)
    for t in self.things: out = out + world.coverage(t, self.size)[..., None] * (np.float32(COLORS[t.color]) - g)
    return torch.from_numpy(np.float32(out)).permute(3, 0, 1, 2) / 127.5 - 1

def render_hard(self):
    x = np.array(world.ground(self.background, self.shift, self.size))
    for t, mask in zip(self.things, self.masks()): x[mask.numpy()] = COLORS[t.color]
    return torch.from_numpy(x).permute(3, 0, 1, 2) / 127.5 - 1

def last(how):
    "The right picture, and another end."
    return render_with(ends=lambda x: how(torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32))))

RIGHT["02.3"] = dict(laid=render_with(), torch=render_torch, loops=render_loops, unit=render_unit, shares=render_shares,
    difference=render_with(lay=lambda old, a, c: old + a * (c - old)),
    stack=last(lambda x: torch.stack([x[..., k] for k in range(3)]) / 127.5 - 1))
WRONG["02.3"] = dict(
    zero_to_255=last(lambda x: x.permute(3, 0, 1, 2)),
    zero_to_one=last(lambda x: x.permute(3, 0, 1, 2) / 255),
    zero_to_two=last(lambda x: x.permute(3, 0, 1, 2) / 127.5),
    by_128=last(lambda x: x.permute(3, 0, 1, 2) / 128 - 1),
    frames_first=last(lambda x: x.permute(0, 3, 1, 2) / 127.5 - 1),
    channels_last=last(lambda x: x / 127.5 - 1),
    width_before_height=last(lambda x: x.permute(3, 0, 2, 1) / 127.5 - 1),
    reshaped=last(lambda x: x.reshape(3, *x.shape[:3]) / 127.5 - 1),
    batch_axis=last(lambda x: x.permute(3, 0, 1, 2)[None] / 127.5 - 1),
    bgr=last(lambda x: x.flip(-1).permute(3, 0, 1, 2) / 127.5 - 1),
    double=last(lambda x: x.permute(3, 0, 1, 2).double() / 127.5 - 1),
    half=last(lambda x: (x.permute(3, 0, 1, 2) / 127.5 - 1).half()),
    through_bytes=last(lambda x: x.permute(3, 0, 1, 2).byte() / 127.5 - 1),
    rounded_bytes=last(lambda x: x.permute(3, 0, 1, 2).round() / 127.5 - 1),
    numpy_array=last(lambda x: x.permute(3, 0, 1, 2).numpy() / np.float32(127.5) - 1),
    upside_down=last(lambda x: x.flip(1).permute(3, 0, 1, 2) / 127.5 - 1),
    inverted_alpha=render_with(lay=lambda old, a, c: a * old + (1 - a) * c),
    no_old_share=render_with(lay=lambda old, a, c: old + a * c),
    colour_forgets_alpha=render_with(lay=lambda old, a, c: (1 - a) * old + c),
    holes=render_with(lay=lambda old, a, c: np.where(a > 0, a * c, old)),
    brightest=render_with(lay=lambda old, a, c: np.maximum(old, a * c)),
    hard_edges=render_with(lay=lambda old, a, c: np.where(a > 0.5, c, old)),
    hard_masks=render_hard,
    reversed_order=render_with(order=lambda t: t[::-1]),
    first_only=render_with(order=lambda t: t[:1]),
    last_only=render_with(order=lambda t: t[-1:]),
    colour_of_first=lambda self: render_with(colour=lambda i, t: COLORS[self.things[0].color])(self),
    one_alpha=render_one_alpha,
    each_on_ground=render_each_on_ground,
    sums=render_sums,
    black_ground=render_with(ground=lambda s, shift: np.zeros((*s.size, 3), np.float32)),
    plain_ground_only=render_with(ground=lambda s, shift: np.broadcast_to(np.float32(PLAIN[s.background]), (*s.size, 3))),
    no_shift=render_with(shift=lambda s: 0 * s.shift),
    shift_backwards=render_with(shift=lambda s: -s.shift),
    whole_shift=render_with(shift=lambda s: s.shift.round()),
    last_shift=render_with(shift=lambda s: 0 * s.shift + s.shift[-1]),
    things_shifted_again=render_with(alpha=lambda t, size: world.coverage(t, size)[::-1]),
    paints_ground=render_paints_ground,
    moves_things=render_moves_things,
    first_coverage=render_with(alpha=lambda t, size: np.broadcast_to(world.coverage(t, size)[:1], size)),
)

# ---------------------------------------------------------------- 02.4 split_of
def split_with(k=lambda s, c, m: (2 * s + 3 * m + c) % 8, say=lambda k: {0: "test", 4: "val"}.get(k, "train")):
    return lambda shape, color, motion: say(k(SHAPES.index(shape), list(COLORS).index(color), MOTIONS.index(motion)))

def split_match(shape, color, motion):
    for name, known in ((shape, SHAPES), (color, COLORS), (motion, MOTIONS)):
        if name not in known: raise ValueError(f"{name}: expected one of {tuple(known)}")
    numbers = {name: i for names in (SHAPES, COLORS, MOTIONS) for i, name in enumerate(names)}
    match (2 * numbers[shape] + 3 * numbers[motion] + numbers[color]) & 7:
        case 0: return "test"
        case 4: return "val"
    return "train"

def split_table(shape, color, motion):
    table = (2 * np.arange(4)[:, None, None] + np.arange(8)[:, None] + 3 * np.arange(10)) % 8
    i = SHAPES.index(shape), list(COLORS).index(color), MOTIONS.index(motion)
    return str(np.select([table == 0, table == 4], ["test", "val"], "train")[i])

def split_sets(shape, color, motion):
    held = {0: set(), 4: set()}
    for i, s in enumerate(SHAPES):
        for j, m in enumerate(MOTIONS):
            for k in held: held[k].add((s, list(COLORS)[(k - 2 * i - 3 * j) % 8], m))
    if shape not in SHAPES or color not in COLORS or motion not in MOTIONS: raise ValueError("unknown")
    return "test" if (shape, color, motion) in held[0] else "val" if (shape, color, motion) in held[4] else "train"

RIGHT["02.4"] = dict(index=split_with(), match=split_match, table=split_table, sets=split_sets,
    list=split_with(say=lambda k: ["test", "train", "train", "train", "val", "train", "train", "train"][k]))
known = lambda s, c, m: s in SHAPES and c in COLORS and m in MOTIONS
WRONG["02.4"] = dict(
    test_and_val_swapped=split_with(say=lambda k: {4: "test", 0: "val"}.get(k, "train")),
    val_is_one=split_with(say=lambda k: {0: "test", 1: "val"}.get(k, "train")),
    val_is_five=split_with(say=lambda k: {0: "test", 5: "val"}.get(k, "train")),
    no_val=split_with(say=lambda k: "train" if k else "test"),
    factors_swapped=split_with(k=lambda s, c, m: (3 * s + 2 * m + c) % 8),
    no_factors=split_with(k=lambda s, c, m: (s + m + c) % 8),
    factor_on_color=split_with(k=lambda s, c, m: (2 * s + m + 3 * c) % 8),
    modulo_first=split_with(k=lambda s, c, m: 2 * s + 3 * m + c % 8),
    modulo_ten=split_with(k=lambda s, c, m: (2 * s + 3 * m + c) % 10),
    modulo_seven=split_with(k=lambda s, c, m: (2 * s + 3 * m + c) % 7),
    modulo_twice=split_with(k=lambda s, c, m: (2 * s + 3 * (m % 8) + c) % 8 if m < 8 else (2 * s + c) % 8),
    from_one=split_with(k=lambda s, c, m: (2 * (s + 1) + 3 * (m + 1) + c + 1) % 8),
    minus_color=split_with(k=lambda s, c, m: (2 * s + 3 * m - c) % 8),
    shape_left_out=split_with(k=lambda s, c, m: (3 * m + c) % 8),
    color_only=split_with(k=lambda s, c, m: c),
    sorted_names=lambda s, c, m: split_with()(SHAPES[sorted(SHAPES).index(s)], list(COLORS)[sorted(COLORS).index(c)], MOTIONS[sorted(MOTIONS).index(m)]),
    sorted_colors=lambda s, c, m: split_with()(s, list(COLORS)[sorted(COLORS).index(c)], m),
    motion_before_color=lambda s, c, m: split_with()(s, m, c),
    key_error=lambda s, c, m: seq(refuse(known(s, c, m), error=KeyError), split_with()(s, c, m)),
    unknown_is_train=lambda s, c, m: split_with()(s, c, m) if known(s, c, m) else "train",
    unknown_shape_is_first=lambda s, c, m: split_with()(s if s in SHAPES else "circle", c, m),
    unknown_color_is_first=lambda s, c, m: split_with()(s, c if c in COLORS else "red", m),
    unknown_motion_is_first=lambda s, c, m: split_with()(s, c, m if m in MOTIONS else "left"),
    find_gives_minus_one=lambda s, c, m: split_with(k=lambda *_: (2 * (SHAPES + (s,)).index(s) + 3 * (MOTIONS + (m,)).index(m) + [*COLORS, c].index(c)) % 8)("circle", "red", "left"),
    any_case=lambda s, c, m: split_with()(s.lower(), c.lower(), m.lower()),
    stripped=lambda s, c, m: split_with()(s.strip(), c.strip(), m.strip()),
    type_error=lambda s, c, m: seq(refuse(known(s, c, m), error=TypeError), split_with()(s, c, m)),
    validation=split_with(say=lambda k: {0: "test", 4: "validation"}.get(k, "train")),
    number=split_with(say=lambda k: {0: 2, 4: 1}.get(k, 0)),
    k_itself=split_with(say=lambda k: k),
    plain_color_too=lambda s, c, m: split_with()(s, c if c not in PLAIN else "red", m),
    circle_never_spins=lambda s, c, m: seq(refuse((s, m) != ("circle", "spins")), split_with()(s, c, m)),
)

# ---------------------------------------------------------------- 02.5 find
def find_words(kind, text):
    words = text.split()
    phrases = {tuple(p.split()): name for name, ways in WORDS[kind].items() for p in ways}
    for i in range(len(words)):
        for n in range(len(words) - i, 0, -1):
            if (some := tuple(words[i:i + n])) in phrases: return phrases[some], " ".join(some)
    return None

def find_hits(kind, text):
    hits = [(text.find(f" {p} "), -len(p), name, p) for name, ways in WORDS[kind].items() for p in ways if f" {p} " in text]
    return min(hits)[2:] if hits else None

def find_loop(kind, text):
    best = None
    for name, ways in WORDS[kind].items():
        for phrase in ways:
            at = text.find(" " + phrase + " ")
            if at >= 0 and (best is None or at < best[0] or at == best[0] and len(phrase) > len(best[2])): best = (at, name, phrase)
    return best and best[1:]

def find_regex(kind, text):
    import re
    names = {p: name for name, ways in WORDS[kind].items() for p in ways}
    hit = re.search(f"(?<= )({'|'.join(sorted(map(re.escape, names), key=len, reverse=True))})(?= )", text)
    return (names[hit[1]], hit[1]) if hit else None

def find_by(key, has=lambda p, t: f" {p} " in t, say=lambda name, p: (name, p), ways=lambda w: w, none=None):
    def answer(kind, text):
        hits = [(key(text, p), name, p) for name, several in WORDS[kind].items() for p in ways(several) if has(p, text)]
        return say(*min(hits, key=lambda hit: hit[0])[1:]) if hits else none
    return answer

first_longest = lambda t, p: (t.find(f" {p} "), -len(p))

RIGHT["02.5"] = dict(words=find_words, hits=find_hits, loop=find_loop, regex=find_regex, by=find_by(first_longest),
    word_count=find_by(lambda t, p: (t.index(f" {p} "), -len(p.split()))))
WRONG["02.5"] = dict(
    first_in_list=find_by(lambda t, p: 0),
    longest_anywhere=find_by(lambda t, p: -len(p)),
    shortest_anywhere=find_by(lambda t, p: len(p)),
    longest_then_first=find_by(lambda t, p: (-len(p), t.find(f" {p} "))),
    most_words_then_first=find_by(lambda t, p: (-len(p.split()), t.find(f" {p} "))),
    first_start_only=find_by(lambda t, p: t.find(f" {p} ")),
    shortest_at_start=find_by(lambda t, p: (t.find(f" {p} "), len(p))),
    last_start=find_by(lambda t, p: (-t.rfind(f" {p} "), -len(p))),
    last_of_each=find_by(lambda t, p: (t.rfind(f" {p} "), -len(p))),
    first_end=find_by(lambda t, p: (t.find(f" {p} ") + len(p), -len(p))),
    inside_words=find_by(lambda t, p: (t.find(p), -len(p)), has=lambda p, t: p in t),
    no_blank_before=find_by(lambda t, p: (t.find(f"{p} "), -len(p)), has=lambda p, t: f"{p} " in t),
    no_blank_after=find_by(lambda t, p: (t.find(f" {p}"), -len(p)), has=lambda p, t: f" {p}" in t),
    start_inside_words=find_by(lambda t, p: (t.find(p), -len(p))),
    ends_stripped=lambda kind, text: find_by(first_longest)(kind, text.strip()),
    end_stripped=lambda kind, text: find_by(first_longest)(kind, text.rstrip()),
    names_only=lambda kind, text: next(((w, w) for w in text.split() if w in WORDS[kind]), None),
    plain_words_only=find_by(first_longest, ways=lambda w: w[:1]),
    paraphrases_only=find_by(first_longest, ways=lambda w: w[1:] or w),
    one_word_only=lambda kind, text: next(((n, w) for w in text.split() for n, ways in WORDS[kind].items() if w in ways), None),
    swapped=find_by(first_longest, say=lambda name, p: (p, name)),
    words_with_blanks=find_by(first_longest, say=lambda name, p: (name, f" {p} ")),
    name_only=find_by(first_longest, say=lambda name, p: name),
    name_twice=find_by(first_longest, say=lambda name, p: (name, name)),
    words_twice=find_by(first_longest, say=lambda name, p: (p, p)),
    words_as_list=find_by(first_longest, say=lambda name, p: (name, p.split())),
    pair_of_none=find_by(first_longest, none=(None, None)),
    empty_string=find_by(first_longest, none=""),
    error_for_none=lambda kind, text: seq(hit := find_loop(kind, text), refuse(hit), hit),
    all_of_them=lambda kind, text: [(n, p) for n, ways in WORDS[kind].items() for p in ways if f" {p} " in text] or None,
    every_kind=lambda kind, text: next((hit for k in (kind, *WORDS) if (hit := find_loop(k, text))), None),
    words_in_any_order=find_by(lambda t, p: (min(t.find(f" {w} ") for w in p.split()), -len(p)), has=lambda p, t: all(f" {w} " in t for w in p.split())),
    position_in_words_zero_missed=find_by(first_longest, has=lambda p, t: t.find(f" {p} ") > 0),
    start_by_length=find_by(lambda t, p: len(t.split(p)[0]) - len(p)),
    per_attribute_first=lambda kind, text: next(((n, max(hits, key=len)) for n, ways in WORDS[kind].items() if (hits := [p for p in ways if f" {p} " in text])), None),
)

# ---------------------------------------------------------------- 04.1 first_alone
RIGHT["04.1"] = dict(
    picked=lambda v, r: torch.cat([v[:, :, i:i + 1] for i in [0] * r + list(range(1, max(v.shape[2], 2)))], 2),
    cat=lambda v, r: torch.cat([v[:, :, :1]] * (r - 1) + [v], 2),
    expand=lambda v, r: torch.cat([v[:, :, :1].expand(-1, -1, r - 1, -1, -1), v], 2),
    index=lambda v, r: v[:, :, [0] * (r - 1) + list(range(v.shape[2]))],
    clamp=lambda v, r: v.index_select(2, torch.arange(1 - r, v.shape[2]).clamp(min=0)),
    einops=lambda v, r: torch.cat([repeat(v[:, :, 0], "b c h w -> b c r h w", r=r), v[:, :, 1:]], 2),
    interleave=lambda v, r: v.repeat_interleave(torch.tensor([r] + [1] * (v.shape[2] - 1)), 2),
    pad=lambda v, r: F.pad(v, (0, 0, 0, 0, r - 1, 0), mode="replicate"),
)
front = lambda v, what: torch.cat([what, v], 2)
WRONG["04.1"] = dict(
    one_too_many=lambda v, r: front(v, v[:, :, :1].repeat(1, 1, r, 1, 1)),
    one_too_few=lambda v, r: front(v, v[:, :, :1].repeat(1, 1, max(r - 2, 0), 1, 1)),
    last_frame_at_end=lambda v, r: torch.cat([v] + [v[:, :, -1:]] * (r - 1), 2),
    first_frame_at_end=lambda v, r: torch.cat([v] + [v[:, :, :1]] * (r - 1), 2),
    last_frame_in_front=lambda v, r: front(v, v[:, :, -1:].repeat(1, 1, r - 1, 1, 1)),
    zeros=lambda v, r: F.pad(v, (0, 0, 0, 0, r - 1, 0)),
    black=lambda v, r: F.pad(v, (0, 0, 0, 0, r - 1, 0), value=-1),
    both_ends=lambda v, r: F.pad(v, (0, 0, 0, 0, r // 2, r - 1 - r // 2), mode="replicate"),
    mirrored=lambda v, r: front(v, v[:, :, torch.arange(r - 1, 0, -1).clamp(max=v.shape[2] - 1)]),
    every_frame=lambda v, r: v.repeat_interleave(r, 2),
    whole_clip=lambda v, r: v.repeat(1, 1, r, 1, 1)[:, :, : v.shape[2] + r - 1],
    four=lambda v, r: front(v, v[:, :, :1].repeat(1, 1, 3, 1, 1)),
    at_least_one=lambda v, r: front(v, v[:, :, :1].repeat(1, 1, max(r - 1, 1), 1, 1)),
    image_unchanged=lambda v, r: v if v.shape[2] == 1 else front(v, v[:, :, :1].repeat(1, 1, r - 1, 1, 1)),
    only_images=lambda v, r: v[:, :, :1].repeat(1, 1, v.shape[2] + r - 1, 1, 1),
    along_height=lambda v, r: torch.cat([v[:, :, :, :1]] * (r - 1) + [v], 3),
    along_channels=lambda v, r: torch.cat([v[:, :1]] * (r - 1) + [v], 1),
    first_clip=lambda v, r: front(v, v[:1, :, :1].expand(len(v), -1, r - 1, -1, -1)),
    mean_of_group=lambda v, r: front(v, v[:, :, :r].mean(2, keepdim=True).repeat(1, 1, r - 1, 1, 1)),
    future=lambda v, r: torch.cat([v[:, :, :1].expand(-1, -1, r - 1, -1, -1), v[:, :, 1:], v[:, :, -1:]], 2),
    first_dropped=lambda v, r: torch.cat([v[:, :, :1]] * (r - 1) + [v[:, :, 1:]], 2),
    second_frame=lambda v, r: front(v, v[:, :, 1:2].expand(-1, -1, r - 1, -1, -1) if v.shape[2] > 1 else v.expand(-1, -1, r - 1, -1, -1)),
    reversed=lambda v, r: front(v, v[:, :, :1].repeat(1, 1, r - 1, 1, 1)).flip(2),
    rest_reversed=lambda v, r: torch.cat([v[:, :, :1].expand(-1, -1, r, -1, -1), v[:, :, 1:].flip(2)], 2),
    reshaped=lambda v, r: torch.cat([v[:, :, :1].repeat(1, 1, 1, 1, r - 1).reshape(*v.shape[:2], r - 1, *v.shape[3:]), v], 2),
    fills_to_a_multiple=lambda v, r: front(v, v[:, :, :1].repeat(1, 1, -(v.shape[2] + 1) % r, 1, 1)),
    in_place=lambda v, r: v.set_(front(v, v[:, :, :1].repeat(1, 1, r - 1, 1, 1))),
    faded=lambda v, r: front(v, v[:, :, :1] * torch.linspace(0, 1, r)[:-1].reshape(1, 1, -1, 1, 1)),
    frame_axis_first=lambda v, r: torch.cat([v[:, :, :1]] * (r - 1) + [v], 2).transpose(1, 2),
)

# ---------------------------------------------------------------- 04.2 psnr
def psnr_loop(a, b):
    out = []
    for x, y in zip(a, b):
        mse = ((x.clamp(-1, 1) - y) ** 2).mean().item()
        out.append(10 * math.log10(4 / max(mse, 1e-10)))
    return torch.tensor(out)

def psnr_with(clip=lambda a: a.clamp(-1, 1), dims=(1, 2, 3, 4), floor=lambda m: m.clamp(min=1e-10), dB=lambda m: 10 * torch.log10(4 / m)):
    return lambda a, b: dB(floor((clip(a) - b).square().mean(dims)))

RIGHT["04.2"] = dict(
    never_negative=lambda a, b: psnr_with()(a, b).clamp(min=0),
    plain=psnr_with(), loop=psnr_loop,
    flat=lambda a, b: 10 * (4 / (a.clip(-1, 1) - b).pow(2).flatten(1).mean(1).clamp(min=1e-10)).log10(),
    logs=lambda a, b: 20 * math.log10(2) - 10 * (a.clamp(-1, 1) - b).square().mean((1, 2, 3, 4)).clamp(min=1e-10).log10(),
    mse_loss=lambda a, b: 10 * torch.log10(4 / F.mse_loss(a.clamp(-1, 1), b, reduction="none").flatten(1).mean(1).clamp_min(1e-10)),
    einops=lambda a, b: 40 - 10 * torch.log10(reduce(((a.clamp(-1, 1) - b) * 1e2) ** 2, "b c f h w -> b", "mean").clamp(min=1e-6)) + 10 * math.log10(4),
    hardtanh=lambda a, b: 10 / math.log(10) * (math.log(4) - torch.log((F.hardtanh(a) - b).square().sum((1, 2, 3, 4)).div(a[0].numel()).clamp(min=1e-10))),
    numpy=lambda a, b: torch.from_numpy(10 * np.log10(4 / np.maximum(((np.clip(a.numpy(), -1, 1) - b.numpy()) ** 2).reshape(len(a), -1).mean(1), 1e-10))).float(),
)
WRONG["04.2"] = dict(
    not_clipped=psnr_with(clip=lambda a: a),
    wrong_one_clipped=lambda a, b: psnr_with()(b, a),
    clipped_above_only=psnr_with(clip=lambda a: a.clamp(max=1)),
    clipped_below_only=psnr_with(clip=lambda a: a.clamp(min=-1)),
    clipped_to_zero_one=psnr_with(clip=lambda a: a.clamp(0, 1)),
    tanh=psnr_with(clip=torch.tanh),
    difference_clipped=lambda a, b: psnr_with(clip=lambda d: d.clamp(-1, 1))(a - b, 0 * b),
    in_place=psnr_with(clip=lambda a: a.clamp_(-1, 1)),
    range_one=psnr_with(dB=lambda m: 10 * torch.log10(1 / m)),
    range_two=psnr_with(dB=lambda m: 10 * torch.log10(2 / m)),
    range_255=psnr_with(dB=lambda m: 10 * torch.log10(255 ** 2 / m)),
    range_measured=lambda a, b: psnr_with(dB=lambda m: 10 * torch.log10((b.max() - b.min()) ** 2 / m))(a, b),
    natural_log=psnr_with(dB=lambda m: 10 * torch.log(4 / m)),
    log2=psnr_with(dB=lambda m: 10 * torch.log2(4 / m)),
    twenty=psnr_with(dB=lambda m: 20 * torch.log10(4 / m)),
    no_ten=psnr_with(dB=lambda m: torch.log10(4 / m)),
    sign=psnr_with(dB=lambda m: 10 * torch.log10(m / 4)),
    root=psnr_with(dB=lambda m: 10 * torch.log10(4 / m.sqrt())),
    summed=lambda a, b: 10 * torch.log10(4 / (a.clamp(-1, 1) - b).square().sum((1, 2, 3, 4)).clamp(min=1e-10)),
    absolute=lambda a, b: 10 * torch.log10(4 / (a.clamp(-1, 1) - b).abs().mean((1, 2, 3, 4)).square().clamp(min=1e-10)),
    one_number=psnr_with(dims=(0, 1, 2, 3, 4)),
    same_for_all=lambda a, b: psnr_with(dims=(0, 1, 2, 3, 4))(a, b).expand(len(a)),
    mean_of_frames=lambda a, b: psnr_with(dims=(1, 3, 4))(a, b).mean(1),
    mean_of_channels=lambda a, b: psnr_with(dims=(2, 3, 4))(a, b).mean(1),
    per_frame=psnr_with(dims=(1, 3, 4)),
    squeezed=lambda a, b: psnr_with()(a, b).squeeze(),
    no_floor=psnr_with(floor=lambda m: m),
    floor_added=psnr_with(floor=lambda m: m + 1e-10),
    floor_too_high=psnr_with(floor=lambda m: m.clamp(min=1e-8)),
    floor_too_low=psnr_with(floor=lambda m: m.clamp(min=1e-12)),
    floor_per_value=lambda a, b: 10 * torch.log10(4 / (a.clamp(-1, 1) - b).square().clamp(min=1e-10).mean((1, 2, 3, 4))),
    floor_before_square=lambda a, b: 10 * torch.log10(4 / (a.clamp(-1, 1) - b).abs().clamp(min=1e-10).square().mean((1, 2, 3, 4))),
    only_equal_capped=psnr_with(floor=lambda m: torch.where(m == 0, 1e-10, m)),
    cap_at_hundred=lambda a, b: psnr_with()(a, b).clamp(max=100),
    infinite_to_106=psnr_with(floor=lambda m: m, dB=lambda m: (10 * torch.log10(4 / m)).nan_to_num(posinf=106)),
    first_clip=lambda a, b: psnr_with()(a[:1], b[:1]).expand(len(a)),
    against_mean=lambda a, b: psnr_with()(a, b.mean((1, 2, 3, 4), keepdim=True).expand(b.shape)),
    view_needs_contiguous=lambda a, b: 10 * torch.log10(4 / (a.view(len(a), -1).clamp(-1, 1) - b.view(len(b), -1)).square().mean(1).clamp(min=1e-10)),
    variance=lambda a, b: 10 * torch.log10(4 / (a.clamp(-1, 1) - b).flatten(1).var(1).clamp(min=1e-10)),
)

# ---------------------------------------------------------------- 04.3 CausalConv.forward
def narrow(self, x): return F.gelu(self.narrow(self.norm(x)))

def gathered(y, order=None, pad=lambda y: F.pad(y, (0, 0, 1, 1, 1, 1, 1, 0))):
    f, h, w = y.shape[1:4]
    y = pad(y)
    order = order or [(t, i, j) for t in range(2) for i in range(3) for j in range(3)]
    return torch.cat([y[:, t:t + f, i:i + h, j:j + w] for t, i, j in order], -1)

def conv_with(inside=narrow, end=lambda self, x, z: x + self.mix(z), **how):
    return lambda self, x: end(self, x, gathered(inside(self, x), **how))

def conv_unfold(self, x):
    y = F.pad(narrow(self, x), (0, 0, 1, 1, 1, 1, 1, 0)).unfold(1, 2, 1).unfold(2, 3, 1).unfold(3, 3, 1)
    return x + self.mix(rearrange(y, "b f h w d t i j -> b f h w (t i j d)"))

def conv_conv3d(self, x):
    y = rearrange(narrow(self, x), "b f h w d -> b d f h w")
    kernel = rearrange(self.mix.weight, "o (f h w i) -> o i f h w", f=2, h=3, w=3)
    return x + rearrange(F.conv3d(F.pad(y, (1, 1, 1, 1, 1, 0)), kernel, self.mix.bias), "b d f h w -> b f h w d")

def conv_sums(self, x):
    "Eighteen matrix products instead of one."
    y = F.pad(narrow(self, x), (0, 0, 1, 1, 1, 1, 1, 0))
    f, h, w = x.shape[1:4]
    out, parts = x + self.mix.bias, self.mix.weight.chunk(18, 1)
    for n, part in enumerate(parts):
        t, i, j = n // 9, n // 3 % 3, n % 3
        out = out + y[:, t:t + f, i:i + h, j:j + w] @ part.T
    return out

def conv_places(self, x):
    y, (b, f, h, w, d) = narrow(self, x), x.shape
    nothing, out = torch.zeros(b, y.shape[-1], dtype=y.dtype), torch.empty_like(x)
    for t in range(f):
        for i in range(h):
            for j in range(w):
                near = [y[:, a, p, q] if a >= 0 and 0 <= p < h and 0 <= q < w else nothing
                        for a in (t - 1, t) for p in (i - 1, i, i + 1) for q in (j - 1, j, j + 1)]
                out[:, t, i, j] = x[:, t, i, j] + self.mix(torch.cat(near, -1))
    return out

def conv_two_frames(self, x):
    "Gathers the nine places once, for the frame before and for this one."
    y, (h, w) = F.pad(narrow(self, x), (0, 0, 1, 1, 1, 1)), x.shape[2:4]
    nine = torch.cat([y[:, :, i:i + h, j:j + w] for i in range(3) for j in range(3)], -1)
    return x + self.mix(torch.cat([torch.cat([torch.zeros_like(nine[:, :1]), nine[:, :-1]], 1), nine], -1))

def conv_unfold2d(self, x):
    y = narrow(self, x)
    b, f, h, w, d = y.shape
    nine = F.unfold(rearrange(y, "b f h w d -> (b f) d h w"), 3, padding=1)
    nine = rearrange(nine, "(b f) (d k) (h w) -> b f h w (k d)", b=b, k=9, h=h)
    return x + self.mix(torch.cat([F.pad(nine, (0, 0, 0, 0, 0, 0, 1, 0))[:, :-1], nine], -1))

def conv_rolls(self, x):
    "Rolls, which wrap around at the edges."
    y = narrow(self, x)
    return x + self.mix(torch.cat([y.roll((1 - t, 1 - i, 1 - j), (1, 2, 3)) for t in range(2) for i in range(3) for j in range(3)], -1))

def conv_rolls_in_space(self, x):
    y = narrow(self, x)
    past = F.pad(y, (0, 0, 0, 0, 0, 0, 1, 0))[:, :-1]
    return x + self.mix(torch.cat([z.roll((1 - i, 1 - j), (2, 3)) for z in (past, y) for i in range(3) for j in range(3)], -1))

orders = lambda names: [tuple(dict(zip(names, n))[k] for k in "tij") for n in np.ndindex(*[dict(t=2, i=3, j=3)[k] for k in names])]

RIGHT["04.3"] = dict(gather=conv_with(), unfold=conv_unfold, conv3d=conv_conv3d, sums=conv_sums, places=conv_places, two_frames=conv_two_frames, unfold2d=conv_unfold2d)
WRONG["04.3"] = dict(
    future=conv_with(pad=lambda y: F.pad(y, (0, 0, 1, 1, 1, 1, 0, 1))),
    past_two_frames=conv_with(pad=lambda y: F.pad(y, (0, 0, 1, 1, 1, 1, 2, 0))[:, :-1]),
    past_twice=conv_with(order=[(0, i, j) for _ in range(2) for i in range(3) for j in range(3)]),
    present_twice=conv_with(order=[(1, i, j) for _ in range(2) for i in range(3) for j in range(3)]),
    present_before_past=conv_with(order=[(t, i, j) for t in (1, 0) for i in range(3) for j in range(3)]),
    column_before_row=conv_with(order=orders("tji")),
    frame_last=conv_with(order=orders("ijt")),
    row_first=conv_with(order=orders("itj")),
    kernel_flipped=conv_with(order=[(t, 2 - i, 2 - j) for t in range(2) for i in range(3) for j in range(3)]),
    channel_first=lambda self, x: x + self.mix(rearrange(gathered(narrow(self, x)), "... (k d) -> ... (d k)", k=18)),
    rolls=conv_rolls,
    rolls_in_space=conv_rolls_in_space,
    edges_repeated=conv_with(pad=lambda y: rearrange(F.pad(rearrange(y, "b f h w d -> b d f h w"), (1, 1, 1, 1, 1, 0), mode="replicate"), "b d f h w -> b f h w d")),
    first_frame_repeated=conv_with(pad=lambda y: F.pad(torch.cat([y[:, :1], y], 1), (0, 0, 1, 1, 1, 1))),
    first_frame_shifted_in_space=conv_with(pad=lambda y: F.pad(y, (0, 0, 2, 0, 1, 1, 1, 0))),
    rows_shifted=conv_with(pad=lambda y: F.pad(y, (0, 0, 1, 1, 2, 0, 1, 0))),
    padded_before_narrow=lambda self, x: x + self.mix((lambda y, f, h, w: torch.cat([y[:, t:t + f, i:i + h, j:j + w] for t in range(2) for i in range(3) for j in range(3)], -1))(narrow(self, F.pad(x, (0, 0, 1, 1, 1, 1, 1, 0))), *x.shape[1:4])),
    padded_with_ones=conv_with(pad=lambda y: F.pad(y, (0, 0, 1, 1, 1, 1, 1, 0), value=1)),
    no_residual=conv_with(end=lambda self, x, z: self.mix(z)),
    residual_of_norm=conv_with(end=lambda self, x, z: self.norm(x) + self.mix(z)),
    residual_minus=conv_with(end=lambda self, x, z: x - self.mix(z)),
    no_bias=conv_with(end=lambda self, x, z: x + z @ self.mix.weight.T),
    halved=conv_with(end=lambda self, x, z: (x + self.mix(z)) / math.sqrt(2)),
    no_norm=conv_with(inside=lambda self, x: F.gelu(self.narrow(x))),
    norm_without_weights=conv_with(inside=lambda self, x: F.gelu(self.narrow(F.layer_norm(x, x.shape[-1:])))),
    norm_over_places=conv_with(inside=lambda self, x: F.gelu(self.narrow(F.layer_norm(x, x.shape[2:]) * self.norm.weight + self.norm.bias))),
    no_gelu=conv_with(inside=lambda self, x: self.narrow(self.norm(x))),
    relu=conv_with(inside=lambda self, x: F.relu(self.narrow(self.norm(x)))),
    silu=conv_with(inside=lambda self, x: F.silu(self.narrow(self.norm(x)))),
    gelu_tanh=conv_with(inside=lambda self, x: F.gelu(self.narrow(self.norm(x)), approximate="tanh")),
    gelu_before_narrow=conv_with(inside=lambda self, x: self.narrow(F.gelu(self.norm(x)))),
    gelu_after_mix=conv_with(inside=lambda self, x: self.narrow(self.norm(x)), end=lambda self, x, z: x + F.gelu(self.mix(z))),
    in_place=conv_with(end=lambda self, x, z: x.add_(self.mix(z))),
    in_place_data=conv_with(end=lambda self, x, z: seq(x.data.add_(self.mix(z).data), x)),
    batch_is_time=lambda self, x: conv_with()(self, x.flatten(0, 1)[None]).reshape(x.shape),
    square_only=lambda self, x: conv_with()(self, x.transpose(2, 3)).transpose(2, 3) if x.shape[2] != x.shape[3] else conv_with()(self, x),
    one_clip=lambda self, x: conv_with()(self, x[:1]).expand(x.shape),
    one_frame_passes=lambda self, x: x if x.shape[1] == 1 else conv_with()(self, x),
    first_frame_passes=lambda self, x: torch.cat([x[:, :1], conv_with()(self, x)[:, 1:]], 1),
    zero_mix=lambda self, x: x,
    no_gradient=lambda self, x: torch.no_grad()(conv_with())(self, x),
    weights_detached=lambda self, x: x + F.linear(gathered(narrow(self, x)), self.mix.weight.detach(), self.mix.bias),
    reads_the_middle_only=conv_with(order=[(t, 1, 1) for t in range(2) for _ in range(9)]),
    reshaped=lambda self, x: x + self.mix(F.pad(narrow(self, x), (0, 0, 1, 1, 1, 1, 1, 0)).unfold(1, 2, 1).unfold(2, 3, 1).unfold(3, 3, 1).flatten(4)),
)

# ---------------------------------------------------------------- 04.4 VideoVAE.latent_size
NAMES = ("frames", "height", "width")

def size_raises(self, size):
    for name, n, r, first in zip(NAMES, size, self.ratio, (1, 0, 0)):
        if n < 1: raise ValueError(f"{name}: must not be empty, got {n}")
        if (n - first) % r: raise ValueError(f"{name}: {n} does not fit {r}")

def size_divmod(self, size):
    out = []
    for i, name in enumerate(NAMES):
        whole, rest = divmod(size[i] + (self.ratio[0] - 1 if i == 0 else 0), self.ratio[i])
        if rest or size[i] <= 0: raise ValueError(f"{name}: got {size[i]}, the ratio is {self.ratio[i]}")
        out.append(whole)
    return tuple(out)

def size_fractions(self, size):
    (f, h, w), (a, b, c) = size, self.ratio
    whole = 1 + (f - 1) / a, h / b, w / c
    for name, n, x in zip(NAMES, size, whole):
        if n < 1 or x != int(x): raise ValueError(f"{name} of {n} is not allowed")
    return tuple(int(x) for x in whole)

def size_ranges(self, size):
    f, h, w = size
    rf, rh, rw = self.ratio
    if f not in range(1, f + 1, rf): raise ValueError(f"frames: expected 1 + k * {rf}, got {f}")
    if h < rh or h % rh: raise ValueError(f"height: expected a multiple of {rh}, got {h}")
    if w < rw or w % rw: raise ValueError(f"width: expected a multiple of {rw}, got {w}")
    return len(range(0, f, rf)), len(range(0, h, rh)), len(range(0, w, rw))

def size_with(check=size_raises, count=lambda s, r: (1 + (s[0] - 1) // r[0], s[1] // r[1], s[2] // r[2])):
    return lambda self, size: seq(check(self, size), count(size, self.ratio))

def fits(s, r): return [s[0] > 0 and (s[0] - 1) % r[0] == 0, s[1] > 0 and s[1] % r[1] == 0, s[2] > 0 and s[2] % r[2] == 0]

def size_check(*axes, empty=True):
    "Checks some axes only, or does not mind empty ones."
    def check(self, size):
        for k in axes:
            if (size[k] - (k == 0)) % self.ratio[k] or (empty and size[k] < 1): raise ValueError(f"{NAMES[k]}: {size[k]}")
    return check

RIGHT["04.4"] = dict(plain=size_with(), divmod=size_divmod, fractions=size_fractions, ranges=size_ranges,
    numpy=size_with(count=lambda s, r: tuple(int(x) for x in (np.array(s) - [1, 0, 0]) // np.array(r) + [1, 0, 0])))
WRONG["04.4"] = dict(
    no_checks=size_with(check=lambda self, s: None),
    checks_frames_only=size_with(check=size_check(0)),
    checks_space_only=size_with(check=size_check(1, 2)),
    width_unchecked=size_with(check=size_check(0, 1)),
    height_unchecked=size_with(check=size_check(0, 2)),
    empty_allowed=size_with(check=size_check(0, 1, 2, empty=False)),
    no_frames_allowed=size_with(check=lambda self, s: seq(size_check(1, 2)(self, s), size_check(0, empty=False)(self, s))),
    no_height_allowed=size_with(check=lambda self, s: seq(size_check(0, 2)(self, s), size_check(1, empty=False)(self, s))),
    no_width_allowed=size_with(check=lambda self, s: seq(size_check(0, 1)(self, s), size_check(2, empty=False)(self, s))),
    zero_refused_below_not=size_with(check=lambda self, s: refuse(all((n - (k == 0)) % r == 0 and n for k, (n, r) in enumerate(zip(s, self.ratio))), "frames height width")),
    no_name=size_with(check=lambda self, s: refuse(all(fits(s, self.ratio)), f"{tuple(s)} does not fit")),
    always_frames=size_with(check=lambda self, s: refuse(all(fits(s, self.ratio)), "frames do not fit")),
    names_swapped=size_with(check=lambda self, s: [refuse(ok, f"{name} does not fit") for ok, name in zip(fits(s, self.ratio), ("frames", "width", "height"))]),
    number_of_axis=size_with(check=lambda self, s: [refuse(ok, f"axis {k} does not fit") for k, ok in enumerate(fits(s, self.ratio))]),
    empty_without_name=size_with(check=lambda self, s: seq(refuse(min(s) > 0, "empty"), size_raises(self, s))),
    asserts=size_with(check=lambda self, s: [refuse(ok, name, AssertionError) for ok, name in zip(fits(s, self.ratio), NAMES)]),
    type_error=size_with(check=lambda self, s: [refuse(ok, name, TypeError) for ok, name in zip(fits(s, self.ratio), NAMES)]),
    returns_none=lambda self, s: size_with()(self, s) if all(fits(s, self.ratio)) else None,
    frames_like_space=size_with(check=lambda self, s: None, count=lambda s, r: tuple(n // k for n, k in zip(s, r))),
    frames_a_multiple=lambda self, s: seq([refuse(n > 0 and n % r == 0, name) for n, r, name in zip(s, self.ratio, NAMES)], tuple(n // r for n, r in zip(s, self.ratio))),
    first_forgotten=size_with(count=lambda s, r: ((s[0] - 1) // r[0], s[1] // r[1], s[2] // r[2])),
    one_too_many=size_with(count=lambda s, r: (1 + s[0] // r[0], s[1] // r[1], s[2] // r[2])),
    one_added_everywhere=size_with(count=lambda s, r: (1 + (s[0] - 1) // r[0], 1 + s[1] // r[1], 1 + s[2] // r[2])),
    rounded_up=size_with(check=lambda self, s: None, count=lambda s, r: tuple(-(-n // k) for n, k in zip(s, r))),
    one_frame_refused=size_with(check=lambda self, s: seq(refuse(s[0] > 1, "frames"), size_raises(self, s))),
    numbers_of_course=lambda self, s: size_with()(type("", (), dict(ratio=(4, 8, 8)))(), s),
    space_of_course=lambda self, s: size_with()(type("", (), dict(ratio=(self.ratio[0], 8, 8)))(), s),
    height_ratio_for_both=lambda self, s: size_with()(type("", (), dict(ratio=(*self.ratio[:2], self.ratio[1])))(), s),
    ratio_reversed=lambda self, s: size_with()(type("", (), dict(ratio=self.ratio[::-1]))(), s),
    height_and_width_swapped=size_with(count=lambda s, r: (1 + (s[0] - 1) // r[0], s[2] // r[2], s[1] // r[1])),
    floats=size_with(count=lambda s, r: (1 + (s[0] - 1) / r[0], s[1] / r[1], s[2] / r[2])),
    tensor=size_with(count=lambda s, r: torch.tensor([1 + (s[0] - 1) // r[0], s[1] // r[1], s[2] // r[2]])),
    with_channels=lambda self, s: (self.latent_channels, *size_with()(self, s)),
    small_clips_refused=size_with(check=lambda self, s: seq(refuse(s[0] >= self.ratio[0], "frames"), size_raises(self, s))),
)

# ---------------------------------------------------------------- 04.5 noise_kl
LOG = 2 * math.log(0.1)

def kl_with(ready=lambda x: x.float(), one=lambda x: (x.exp() / 0.01 - 1 - x + LOG) / 2, end=torch.mean): return lambda logvar: end(one(ready(logvar)))

RIGHT["04.5"] = dict(
    plain=kl_with(),
    shifted=kl_with(one=lambda x: 0.5 * (torch.exp(x - LOG) - 1 - (x - LOG))),
    expm1=kl_with(one=lambda x: 0.5 * (torch.expm1(x - LOG) - (x - LOG))),
    means=lambda x: 0.5 * (100 * x.float().exp().mean() - 1 - x.float().mean() - math.log(100)),
    summed=lambda x: kl_with(end=torch.sum)(x) / x.numel(),
    sigma=kl_with(one=lambda x: math.log(0.1) - x / 2 + ((x / 2).exp() / 0.1) ** 2 / 2 - 0.5),
    numpy=lambda x: torch.tensor(np.mean(0.5 * (np.exp(x.detach().double().numpy()) * 100 - 1 - x.detach().double().numpy() + math.log(0.01)))).float() if not x.requires_grad else kl_with()(x),
)
WRONG["04.5"] = dict(
    no_half=kl_with(one=lambda x: x.exp() / 0.01 - 1 - x + LOG),
    no_minus_one=kl_with(one=lambda x: (x.exp() / 0.01 - x + LOG) / 2),
    sign=kl_with(one=lambda x: -(x.exp() / 0.01 - 1 - x + LOG) / 2),
    sign_of_log=kl_with(one=lambda x: (x.exp() / 0.01 - 1 + x - LOG) / 2),
    target_in_log_forgotten=kl_with(one=lambda x: (x.exp() / 0.01 - 1 - x) / 2),
    target_log_sign=kl_with(one=lambda x: (x.exp() / 0.01 - 1 - x - LOG) / 2),
    half_of_first_term=kl_with(one=lambda x: x.exp() / 0.02 - 1 - x + LOG),
    variance_of_a_tenth=kl_with(one=lambda x: (x.exp() / 0.1 - 1 - x + math.log(0.1)) / 2),
    mixed_targets=kl_with(one=lambda x: (x.exp() / 0.01 - 1 - x + math.log(0.1)) / 2),
    unit_target=kl_with(one=lambda x: (x.exp() - 1 - x) / 2),
    target_multiplied=kl_with(one=lambda x: (x.exp() * 0.01 - 1 - x - LOG) / 2),
    reverse=kl_with(one=lambda x: (0.01 / x.exp() - 1 + x - LOG) / 2),
    log_of_sigma=kl_with(one=lambda x: ((2 * x).exp() / 0.01 - 1 - 2 * x + LOG) / 2),
    sigma_for_variance=kl_with(one=lambda x: ((x / 2).exp() / 0.01 - 1 - x + LOG) / 2),
    log_of_log=kl_with(one=lambda x: (x.exp() / 0.01 - 1 - x.abs().log() + LOG) / 2),
    variance_given=kl_with(one=lambda x: (x / 0.01 - 1 - x.clamp(min=1e-8).log() + LOG) / 2),
    log10=kl_with(one=lambda x: (x.exp() / 0.01 - 1 - (x - LOG) / math.log(10)) / 2),
    log_of_exp=kl_with(one=lambda x: (x.exp() / 0.01 - 1 - (x.exp() / 0.01).log()) / 2),
    log_of_exp_eps=kl_with(one=lambda x: (x.exp() / 0.01 - 1 - (x.exp() / 0.01 + 1e-8).log()) / 2),
    distributions=kl_with(end=lambda s: torch.distributions.kl_divergence(torch.distributions.Normal(0.0, s, validate_args=False), torch.distributions.Normal(0.0, 0.1)).mean(), one=lambda x: (x / 2).exp()),
    clamped=kl_with(ready=lambda x: x.float().clamp(-30, 20)),
    clamped_tight=kl_with(ready=lambda x: x.float().clamp(-10, 10)),
    log_constant_rounded=kl_with(one=lambda x: (x.exp() / 0.01 - 1 - x - 4.6) / 2),
    in_given_precision=kl_with(ready=lambda x: x),
    result_in_given_precision=lambda x: kl_with()(x).to(x.dtype),
    half_precision=kl_with(ready=lambda x: x.half()),
    double_result=kl_with(ready=lambda x: x.double()),
    summed=kl_with(end=torch.sum),
    per_clip=kl_with(end=lambda k: k.mean(0)),
    over_last_axis=kl_with(end=lambda k: k.mean(-1)),
    summed_over_last=kl_with(end=lambda k: k.sum(-1).mean()),
    summed_over_all_but_first=kl_with(end=lambda k: k.sum() / len(k) if k.ndim else k),
    median=kl_with(end=torch.median),
    not_averaged=kl_with(end=lambda k: k),
    kept_axes=kl_with(end=lambda k: k.mean().reshape(1)),
    mean_first=lambda x: kl_with()(x.float().mean()),
    python_number=lambda x: kl_with()(x).item(),
    no_gradient=lambda x: kl_with()(x.detach()),
    in_place=lambda x: (x.sub_(LOG).float().exp() - 1 - x.float()).mean() / 2,
    absolute=kl_with(one=lambda x: (x.exp() / 0.01 - 1 - x + LOG).abs().sqrt() / 2),
    squared_distance=kl_with(one=lambda x: ((x / 2).exp() - 0.1) ** 2),
)

# ---------------------------------------------------------------- 04.6 channel_scale
def spread_of(z): return z.flatten(0, 3).std(0)

def scale_loop(z):
    s = [z[..., k].flatten().std().item() for k in range(z.shape[-1])]
    c = math.sqrt(sum(s) / len(s))
    return torch.tensor([c * math.sqrt(x) for x in s], dtype=z.dtype)

def scale_search(z):
    "The factor by trying: half the way between two bounds, again and again."
    s = spread_of(z).double()
    low, high = 1e-6, 1e6
    for _ in range(200):
        c = math.sqrt(low * high)
        low, high = (c, high) if (s / (c * s.sqrt())).square().mean() > 1 else (low, c)
    return (c * s.sqrt()).to(z.dtype)

def scale_divides(z):
    "Divides and measures what is left."
    root = spread_of(z).sqrt()
    return root * (z / root).flatten(0, 3).var(0).mean().sqrt()

RIGHT["04.6"] = dict(
    closed=lambda z: ((s := spread_of(z)) * s.mean()).sqrt(),
    two_steps=lambda z: (r := (s := spread_of(z)).sqrt()) * ((s / r) ** 2).mean().sqrt(),
    loop=scale_loop, search=scale_search, divides=scale_divides,
    variance=lambda z: (v := torch.var(z, (0, 1, 2, 3))) ** 0.25 * v.sqrt().mean().sqrt(),
    einops=lambda z: (s := rearrange(z, "b f h w d -> d (b f h w)").std(-1)).sqrt() * s.sum().div(len(s)).sqrt(),
    numpy=lambda z: torch.from_numpy(np.sqrt((s := z.numpy().std((0, 1, 2, 3), ddof=1)) * s.mean())),
)
WRONG["04.6"] = dict(
    plain_deviation=spread_of,
    no_factor=lambda z: spread_of(z).sqrt(),
    variances=lambda z: z.flatten(0, 3).var(0),
    factor_not_rooted=lambda z: (s := spread_of(z)).sqrt() * s.mean(),
    factor_upside_down=lambda z: (s := spread_of(z)).sqrt() / s.mean().sqrt(),
    factor_of_variances=lambda z: (s := spread_of(z)).sqrt() * s.square().mean().sqrt().sqrt(),
    factor_of_whole=lambda z: spread_of(z).sqrt() * z.std().sqrt(),
    factor_summed=lambda z: ((s := spread_of(z)) * s.sum()).sqrt(),
    factor_median=lambda z: ((s := spread_of(z)) * s.median()).sqrt(),
    factor_largest=lambda z: ((s := spread_of(z)) * s.max()).sqrt(),
    factor_geometric=lambda z: ((s := spread_of(z)) * s.log().mean().exp()).sqrt(),
    factor_mean_of_roots=lambda z: (r := spread_of(z).sqrt()) * r.mean(),
    factor_divided_deviation=lambda z: (r := spread_of(z).sqrt()) * (z / r).std(),
    deviation_one_on_average=lambda z: (r := spread_of(z).sqrt()) * (spread_of(z) / r).mean(),
    factor_of_example=lambda z: spread_of(z).sqrt() * math.sqrt(2.5),
    root_of_variance_root=lambda z: (s := spread_of(z)) ** 0.25 * s.sqrt().mean().sqrt(),
    biased=lambda z: ((s := z.flatten(0, 3).std(0, correction=0)) * s.mean()).sqrt(),
    biased_numpy=lambda z: torch.from_numpy(np.sqrt((s := z.numpy().std((0, 1, 2, 3))) * s.mean())),
    size_instead_of_spread=lambda z: ((s := z.flatten(0, 3).square().mean(0).sqrt()) * s.mean()).sqrt(),
    absolute_deviation=lambda z: ((s := (z - z.mean((0, 1, 2, 3))).abs().mean((0, 1, 2, 3))) * s.mean()).sqrt(),
    one_clip=lambda z: ((s := z[0].flatten(0, 2).std(0)) * s.mean()).sqrt(),
    one_frame=lambda z: ((s := z[:, 0].flatten(0, 2).std(0)) * s.mean()).sqrt(),
    mean_of_clips=lambda z: ((s := z.flatten(1, 3).std(1).mean(0)) * s.mean()).sqrt(),
    mean_of_frames=lambda z: ((s := z.std((0, 2, 3)).mean(0)) * s.mean()).sqrt(),
    over_channels=lambda z: ((s := z.flatten(1).std(1)) * s.mean()).sqrt(),
    channels_second=lambda z: ((s := z.transpose(0, 1).flatten(1).std(1)) * s.mean()).sqrt(),
    one_for_all=lambda z: z.std().expand(z.shape[-1]),
    kept_axes=lambda z: ((s := z.std((0, 1, 2, 3), keepdim=True)) * s.mean()).sqrt(),
    with_eps=lambda z: ((s := spread_of(z) + 1e-3) * s.mean()).sqrt(),
    at_least_one=lambda z: ((s := spread_of(z)) * s.mean()).sqrt().clamp(min=1),
    faint_lifted=lambda z: ((s := spread_of(z).clamp(min=0.05)) * s.mean()).sqrt(),
    sorted=lambda z: ((s := spread_of(z)) * s.mean()).sqrt().sort(descending=True).values,
    inverse=lambda z: 1 / ((s := spread_of(z)) * s.mean()).sqrt(),
    in_place=lambda z: ((s := z.sub_(z.mean((0, 1, 2, 3))).flatten(0, 3).std(0)) * s.mean()).sqrt(),
    in_place_division=lambda z: seq(r := spread_of(z).sqrt(), r * z.div_(r).flatten(0, 3).var(0).mean().sqrt()),
    divided_latent=lambda z: z / ((s := spread_of(z)) * s.mean()).sqrt(),
    needs_contiguous=lambda z: ((s := z.view(-1, z.shape[-1]).std(0)) * s.mean()).sqrt(),
    unstable_variance=lambda z: ((s := ((z.square().mean((0, 1, 2, 3)) - z.mean((0, 1, 2, 3)) ** 2).clamp(min=0) * (n := z[..., 0].numel()) / (n - 1)).sqrt()) * s.mean()).sqrt(),
    variance_before_mean=lambda z: (v := z.flatten(0, 3).var(0)) ** 0.25 * v.mean() ** 0.25,
)
