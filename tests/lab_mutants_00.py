"""Wrong answers to the four warm-ups that a check must reject, and right ones, written differently, that it must accept."""
import torch
import torch.nn.functional as F
from einops import rearrange, reduce

from lab_mutants import example, in_place, raises
from sora_edu.checks.c00 import guide, mean_colour, mix, noise_levels


def colour_loop(video):
    b, c, f, h, w = video.shape
    out = torch.zeros(b, c, f)
    for row in range(h):
        for column in range(w): out += (video[..., row, column] + 1) / 2
    return out / (h * w)


def mixing(shares):
    """`shares(t)` gives the share of the clip and the share of the noise."""
    def mixed(clip, noise, t):
        keep, add = shares(t.reshape(-1, 1, 1, 1, 1))
        return keep * clip + add * noise
    return mixed


def mix_loop(clip, noise, t):
    return torch.stack([(1 - level) * x + level * e for x, e, level in zip(clip, noise, t.tolist())])


def levels_loop(steps, shift):
    levels = []
    for k in range(steps + 1):
        t = 1 - k / steps
        levels.append(shift * t / (1 + (shift - 1) * t))
    return torch.tensor(levels)


def shifted(move, grid=lambda n: torch.linspace(1, 0, n + 1)):
    """Levels in equal steps, then moved."""
    return lambda steps, shift: move(grid(steps), shift)


def right_shift(t, s): return s * t / (1 + (s - 1) * t)
def counted_down(n): return torch.arange(n, -1, -1) / n


RIGHT = {
    "00.1": dict(loop=colour_loop, einops=lambda v: reduce(v, "b c f h w -> b c f", "mean") / 2 + 0.5,
                 flat=lambda v: (v.flatten(3).sum(-1) / v[0, 0, 0].numel() + 1) / 2, pool=lambda v: F.adaptive_avg_pool3d((v + 1) / 2, (v.shape[2], 1, 1))[..., 0, 0],
                 twice=lambda v: (1 + v).mul(0.5).mean(-1).mean(-1)),
    "00.2": dict(loop=mix_loop, lerp=lambda x, e, t: torch.lerp(x, e, t.view(-1, 1, 1, 1, 1)), einsum=lambda x, e, t: torch.einsum("b...,b->b...", x, 1 - t) + torch.einsum("b...,b->b...", e, t),
                 way=lambda x, e, t: x + rearrange(t, "b -> b 1 1 1 1") * (e - x)),
    "00.3": dict(loop=levels_loop, odds=shifted(lambda t, s: 1 - (1 - t) / (1 + (s - 1) * t)), counted=shifted(right_shift, counted_down),
                 flipped=lambda n, s: right_shift(torch.linspace(0, 1, n + 1), s).flip(0), divided=shifted(lambda t, s: t / (t + (1 - t) / s))),
    "00.4": dict(shares=lambda w, o, s: s * w + (1 - s) * o, lerp=lambda w, o, s: torch.lerp(o, w, s), from_words=lambda w, o, s: w + (s - 1) * (w - o), add=lambda w, o, s: torch.add(o, w - o, alpha=s)),
}

black = -torch.ones(2, 3, 4, 5, 6)
WRONG = {
    "00.1": {"frames averaged away": lambda v: (v.mean((2, 3)) + 1) / 2, "frames and rows": lambda v: mean_colour(v.transpose(2, 4)), "channels averaged away": lambda v: mean_colour(v).mean(1),
             "frame and channel swapped": lambda v: mean_colour(v).transpose(1, 2), "range not moved": lambda v: v.mean((3, 4)), "halved, not moved": lambda v: v.mean((3, 4)) / 2,
             "moved, not halved": lambda v: v.mean((3, 4)) + 1, "one half, one too many": lambda v: v.mean((3, 4)) / 2 + 1, "cut off below 0": lambda v: v.mean((3, 4)).clamp(min=0), "of 255": lambda v: mean_colour(v) * 255,
             "rounded to bytes": lambda v: (mean_colour(v) * 255).round() / 255, "sum": lambda v: ((v + 1) / 2).sum((3, 4)), "square only": lambda v: ((v + 1) / 2).sum((3, 4)) / v.shape[3] ** 2,
             "median": lambda v: (v.flatten(3).median(-1).values + 1) / 2, "brightest": lambda v: (v.amax((3, 4)) + 1) / 2, "one row": lambda v: (v[:, :, :, 0].mean(-1) + 1) / 2, "the middle pixel": lambda v: (v[..., v.shape[3] // 2, v.shape[4] // 2] + 1) / 2,
             "the whole clip": lambda v: (v.mean((2, 3, 4), keepdim=True)[..., 0, 0].expand(v.shape[:3]) + 1) / 2, "batch averaged": lambda v: mean_colour(v).mean(0, keepdim=True).expand(v.shape[:3]),
             "axes kept": lambda v: (v.mean((3, 4), keepdim=True) + 1) / 2, "dark is light": lambda v: 1 - mean_colour(v), "frames backwards": lambda v: mean_colour(v).flip(2), "blue, green, red": lambda v: mean_colour(v).flip(1),
             "first clip": lambda v: mean_colour(v[:1]), "a list": lambda v: mean_colour(v).tolist(), "double": lambda v: mean_colour(v).double(), "in place": in_place(mean_colour), "halved in place": lambda v: v.add_(1).div_(2).mean((3, 4)),
             "the example": example(mean_colour, black), "grey": lambda v: torch.full(v.shape[:3], 0.5), "nothing": lambda v: None, "raises": raises},
    "00.2": {"swapped": mixing(lambda t: (t, 1 - t)), "whole clip": mixing(lambda t: (1, t)), "whole noise": mixing(lambda t: (1 - t, 1)), "minus": mixing(lambda t: (1 - t, -t)), "roots": mixing(lambda t: ((1 - t) ** 0.5, t ** 0.5)),
             "circle": mixing(lambda t: (torch.cos(t * torch.pi / 2), torch.sin(t * torch.pi / 2))), "squares": mixing(lambda t: (1 - t ** 2, t ** 2)), "halves": mixing(lambda t: (0.5 + 0 * t, 0.5 + 0 * t)),
             "only the clip": lambda x, e, t: x + 0, "only the noise": lambda x, e, t: e + 0, "no axes": lambda x, e, t: (1 - t) * x + t * e, "channel axis": lambda x, e, t: (1 - t[:, None, None, None]) * x + t[:, None, None, None] * e,
             "on frames": lambda x, e, t: mix(x.transpose(0, 2), e.transpose(0, 2), t).transpose(0, 2), "first level for all": lambda x, e, t: mix(x, e, t[:1].expand(len(t))), "mean level for all": lambda x, e, t: mix(x, e, t.mean().expand(len(t))),
             "levels backwards": lambda x, e, t: mix(x, e, t.flip(0)), "own noise": lambda x, e, t: mix(x, torch.randn_like(x), t), "one noise for all": lambda x, e, t: mix(x, e[:1].expand_as(x), t), "noise per picture point": lambda x, e, t: mix(x, e[:, :, :1].expand_as(x), t),
             "clipped": lambda x, e, t: mix(x, e, t).clamp(-1, 1), "steps for shares": lambda x, e, t: mix(x, e, t.round()), "half precision": lambda x, e, t: mix(x.half(), e.half(), t.half()).float(), "double": lambda x, e, t: mix(x, e, t).double(),
             "in place": in_place(mix), "noise in place": in_place(mix, 1), "t in place": in_place(mix, 2), "overwritten": lambda x, e, t: x.lerp_(e, t.view(-1, 1, 1, 1, 1)), "a pair": lambda x, e, t: (mix(x, e, t), e), "no batch": lambda x, e, t: mix(x, e, t)[0],
             "an axis too many": lambda x, e, t: mix(x, e, t)[None], "same number of clips and columns": lambda x, e, t: mix(x, e, t) if len(x) != x.shape[-1] else (1 - t) * x + t * e, "the example": example(mix, black, -black, torch.rand(2)), "raises": raises},
    "00.3": {"steps numbers": lambda n, s: noise_levels(n, s)[:-1], "without the first": lambda n, s: noise_levels(n, s)[1:], "steps + 2": lambda n, s: noise_levels(n + 1, s), "linspace of steps": lambda n, s: right_shift(torch.linspace(1, 0, n), s),
             "upwards": lambda n, s: noise_levels(n, s).flip(0), "upwards, right shift": lambda n, s: right_shift(torch.linspace(0, 1, n + 1), s), "shift the other way": shifted(lambda t, s: t / (s + (1 - s) * t)), "no s above": shifted(lambda t, s: t / (1 + (s - 1) * t)),
             "no shift": shifted(lambda t, s: t), "no one": shifted(lambda t, s: s * t / ((s - 1) * t + s)), "plus": shifted(lambda t, s: s * t / (1 + (s + 1) * t)), "no bracket": shifted(lambda t, s: s * t / (1 + s - 1 * t)), "times": shifted(lambda t, s: s * t),
             "times, cut": shifted(lambda t, s: (s * t).clamp(max=1)), "power": shifted(lambda t, s: t ** (1 / s)), "from the other end": shifted(lambda t, s: 1 - right_shift(t, s)), "turned twice": lambda n, s: 1 - noise_levels(n, s), "shifted twice": shifted(lambda t, s: right_shift(right_shift(t, s), s)),
             "shift 4": lambda n, s: noise_levels(n, 4.0), "never 0": shifted(right_shift, lambda n: torch.linspace(1, 0.001, n + 1)), "never 1": shifted(right_shift, lambda n: torch.linspace(0.999, 0, n + 1)), "in thousandths": lambda n, s: noise_levels(n, s) * 1000,
             "rounded": lambda n, s: (noise_levels(n, s) * 1000).round() / 1000, "a list": lambda n, s: noise_levels(n, s).tolist(), "double": lambda n, s: noise_levels(n, s).double(), "whole numbers": lambda n, s: noise_levels(n, s).long(), "a column": lambda n, s: noise_levels(n, s)[:, None],
             "the example": example(noise_levels, 32, 4.0), "cosine": lambda n, s: torch.cos(torch.linspace(0, 1, n + 1) * torch.pi / 2), "nothing": lambda n, s: None, "raises": raises},
    "00.4": {"swapped": lambda w, o, s: w + s * (o - w), "starts with the words": lambda w, o, s: w + s * (w - o), "way back": lambda w, o, s: o + s * (o - w), "times": lambda w, o, s: s * w, "only added": lambda w, o, s: o + s * w, "with words only": lambda w, o, s: w + 0,
             "without only": lambda w, o, s: o + 0, "no way": lambda w, o, s: s * (w - o), "sum": lambda w, o, s: w + o, "mean": lambda w, o, s: (w + o) / 2, "share of one over s": lambda w, o, s: o + (w - o) / s if s else o, "never beyond": lambda w, o, s: guide(w, o, min(max(s, 0), 1)),
             "whole scales": lambda w, o, s: guide(w, o, int(s)), "no negative scale": lambda w, o, s: guide(w, o, abs(s)), "clipped": lambda w, o, s: guide(w, o, s).clamp(-1, 1), "one too many": lambda w, o, s: guide(w, o, s + 1), "one too few": lambda w, o, s: guide(w, o, s - 1), "squared": lambda w, o, s: guide(w, o, s * s),
             "shares that make no 1": lambda w, o, s: s * w + (s - 1) * o, "scale of the page": lambda w, o, s: guide(w, o, 2.0), "mean of a clip": lambda w, o, s: o + s * (w - o).mean((1, 2, 3, 4), keepdim=True), "first clip": lambda w, o, s: guide(w, o, s)[:1], "length kept": lambda w, o, s: guide(w, o, s) * w.norm() / guide(w, o, s).norm(),
             "in place": in_place(guide), "without in place": lambda w, o, s: o.add_(s * (w - o)), "half precision": lambda w, o, s: guide(w.half(), o.half(), s).float(), "double": lambda w, o, s: guide(w, o, s).double(), "a pair": lambda w, o, s: (guide(w, o, s), o),
             "the example": example(guide, black, -black, 2.0), "turned": lambda w, o, s: -guide(w, o, s), "raises": raises},
}
