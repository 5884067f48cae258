"""Chapter 10: wrong answers that a check must reject, and right ones, written differently, that it must accept: {exercise id: {name: function}}."""
import torch
import torch.nn.functional as F
from einops import rearrange, repeat

from lab_mutants import in_place, no_errors
from sora_edu.cascade import augment, between, combine, invented, larger


# --- 10.1 ----------------------------------------------------------------------------------------

def means(video): return (video[:, :, :-1] + video[:, :, 1:]) / 2
def shuffled(video, new): return torch.cat([torch.stack([video[:, :, :-1], new], 3).flatten(2, 3), video[:, :, -1:]], 2)


def written(video):
    b, c, f, h, w = video.shape
    out = torch.zeros(b, c, 2 * f - 1, h, w, dtype=video.dtype)
    out[:, :, ::2] = video
    out[:, :, 1::2] = means(video)
    return out


def by_interpolate(video):
    b, c, f, h, w = video.shape
    return video.clone() if f == 1 else F.interpolate(video, (2 * f - 1, h, w), mode="trilinear", align_corners=True)


def by_list(video):
    frames = list(video.unbind(2))
    out = frames[:1]
    for before, after in zip(frames, frames[1:]): out += [(before + after) / 2, after]
    return torch.stack(out, 2)


def doubled(video): return torch.stack([video, torch.cat([means(video), video[:, :, -1:]], 2)], 3).flatten(2, 3)
def in_two_halves(video): return torch.cat([video, means(video)], 2)
def other_axis(video): return between(video.transpose(2, 3)).transpose(2, 3)
def not_flattened(video): return torch.stack([video[:, :, :-1], means(video)], 3)


# --- 10.2 ----------------------------------------------------------------------------------------

def steps(f2=lambda f: 2 * f - 1, space=(2, 2), listed=lambda u: [u] if isinstance(u, str) else u, unknown=True, only_first=False):
    def larger(size, upsample):
        f, h, w = size
        for kind in list(listed(upsample))[:1 if only_first else None]:
            if kind == "space": h, w = space[0] * h, space[1] * w
            elif kind == "time": f = f2(f)
            elif unknown: raise ValueError(f"expected space or time, got {kind}")
        return f, h, w
    return larger


def counted(size, upsample):
    upsample = (upsample,) if isinstance(upsample, str) else tuple(upsample)
    if strange := set(upsample) - {"space", "time"}: raise ValueError(f"{strange}: there are space and time")
    space, time = (2 ** upsample.count(kind) for kind in ("space", "time"))
    return time * (size[0] - 1) + 1, space * size[1], space * size[2]


def called_itself(size, upsample):
    if isinstance(upsample, str): upsample = [upsample]
    if not upsample: return tuple(size)
    first, *rest = upsample
    if first not in ("space", "time"): raise ValueError(f"only space and time, not {first}")
    f, h, w = size
    return called_itself((f, 2 * h, 2 * w) if first == "space" else (2 * f - 1, h, w), rest)


def looked_up(size, upsample):
    table = dict(space=lambda f, h, w: (f, h + h, w + w), time=lambda f, h, w: (f + f - 1, h, w))
    for kind in [upsample] if isinstance(upsample, str) else upsample:
        if kind not in table: raise ValueError(f"steps are space and time, got {kind}")
        size = table[kind](*size)
    return tuple(size)


# --- 10.3 ----------------------------------------------------------------------------------------

def mixed(condition, level, noise, clean=lambda s: 1 - s, dirty=lambda s: s, first=False, channel=lambda s: s):
    s = level.reshape(-1, 1, 1, 1, 1)
    parts = [clean(s) * condition + dirty(s) * noise, channel(s).expand(-1, 1, *condition.shape[2:]).to(condition.dtype)]
    return torch.cat(parts[::-1] if first else parts, 1)


def with_(**how): return lambda condition, level, noise: mixed(condition, level, noise, **how)
def by_lerp(condition, level, noise):
    s = level[:, None, None, None, None]
    return torch.cat([torch.lerp(condition, noise, s.expand_as(condition)), s * torch.ones_like(condition[:, :1])], 1)


def by_einops(condition, level, noise):
    s = repeat(level, "b -> b 1 f h w", f=condition.shape[2], h=condition.shape[3], w=condition.shape[4])
    return torch.cat([condition - s * condition + s * noise, s], 1)


def one_by_one(condition, level, noise):
    rows = []
    for c, s, e in zip(condition, level, noise): rows.append(torch.cat([(1 - s) * c + s * e, s.expand(1, *c.shape[1:])]))
    return torch.stack(rows)


# --- 10.4 ----------------------------------------------------------------------------------------

def weighed(own=lambda t: ((1 - t) / t) ** 2, power=2, before=1., with_gap=True, with_level=True, added=False, undo_t=True, undo_s=True, error=lambda p: p ** -.5, floor=1e-3):
    """combine written with 1 - s and 1 - t kept away from 0."""
    def combine(x_t, t, condition, level, gap):
        t, gap, s = t.reshape(-1, 1, 1, 1, 1).clamp(floor, 1 - 1e-6), gap.clamp(min=1e-3).reshape(-1, 1, 1, 1), level.clamp(max=1 - 1e-6)
        noise = s / (1 - s) if with_level else 0 * s
        gap = gap if with_gap else 0.3 * torch.ones_like(gap)
        off = (gap + noise) ** power if added else gap ** power + noise ** power
        px, pc = own(t), 1 / off
        p = px + pc + before
        guess = (px * (x_t / (1 - t) if undo_t else x_t) + pc * (condition / (1 - s) if undo_s else condition)) / p
        return guess, error(p).expand_as(guess).clone()
    return combine


def in_two_steps(x_t, t, condition, level, gap):
    "First the condition with what is known before, then the walk"
    t, gap = t.reshape(-1, 1, 1, 1, 1).double().clamp(1e-3, 1 - 1e-9), gap.double().clamp(min=1e-3).reshape(-1, 1, 1, 1)
    s = level.double().clamp(max=1 - 1e-9)
    pc = 1 / (gap ** 2 + (s / (1 - s)) ** 2)
    mean, p = pc / (pc + 1) * condition / (1 - s), pc + 1
    px = ((1 - t) / t) ** 2
    mean = mean + px / (px + p) * (x_t / (1 - t) - mean)
    return mean.to(x_t.dtype), ((px + p) ** -.5).expand_as(mean).to(x_t.dtype)


def by_shares(x_t, t, condition, level, gap):
    guess, error = combine(x_t, t, condition, level, gap)
    variance = error.square()
    return guess.clone(), variance.sqrt()


def swapped(x_t, t, condition, level, gap): return combine(x_t, t, condition, level, gap)[::-1]
def guess_only(x_t, t, condition, level, gap): return combine(x_t, t, condition, level, gap)[0]
def condition_alone(x_t, t, condition, level, gap): return condition, combine(x_t, t, condition, level, gap)[1]
def unguarded(x_t, t, condition, level, gap):
    t, gap = t.reshape(-1, 1, 1, 1, 1), gap.reshape(-1, 1, 1, 1)
    px, pc = ((1 - t) / t) ** 2, 1 / (gap ** 2 + (level / (1 - level)) ** 2)
    p = px + pc + 1
    guess = (px * x_t / (1 - t) + pc * condition / (1 - level)) / p
    return guess, (p ** -.5).expand_as(guess).clone()


# --- 10.5 ----------------------------------------------------------------------------------------

def spread(clips, unbiased=False, order="mean first", axis=0, rooted=True):
    if len(clips) < 2: raise ValueError("clips: two are needed")
    variance = clips.var(axis, unbiased=unbiased)
    if order == "root first": return variance.sqrt().mean(0)
    return variance.mean(0).sqrt() if rooted else variance.mean(0)


def by_squares(clips):
    if len(clips) < 2: raise ValueError("clips: at least two")
    away = clips - clips.mean(0)
    return away.square().sum((0, 1)).div(clips.shape[0] * clips.shape[1]).sqrt()


def by_norm(clips):
    if clips.shape[0] < 2: raise ValueError("clips: more than one")
    away = rearrange(clips - clips.mean(0, keepdim=True), "n c f h w -> (n c) f h w")
    return torch.linalg.vector_norm(away, dim=0) / len(away) ** 0.5


def by_loop(clips):
    if len(clips) < 2: raise ValueError("clips: one is not enough")
    middle = sum(clips) / len(clips)
    return (sum((clip - middle) ** 2 for clip in clips) / len(clips)).mean(0) ** 0.5


def of_two(clips):
    if len(clips) < 2: raise ValueError("clips")
    return (clips[0] - clips[1]).square().mean(0).sqrt()


WRONG = {
    "10.1": {
        "2 f frames": doubled, "halves": in_two_halves, "height": other_axis, "not flattened": not_flattened, "repeated": lambda v: shuffled(v, v[:, :, :-1]),
        "next one": lambda v: shuffled(v, v[:, :, 1:]), "sum": lambda v: shuffled(v, 2 * means(v)), "zeros": lambda v: shuffled(v, 0 * means(v)),
        "last frame lost": lambda v: between(v)[:, :, :-1], "backwards": lambda v: between(v).flip(2), "means at even places": lambda v: shuffled(v, means(v)).roll(1, 2),
        "difference": lambda v: shuffled(v, (v[:, :, 1:] - v[:, :, :-1]) / 2), "unchanged": lambda v: v, "in place": in_place(between), "quarter": lambda v: shuffled(v, 0.75 * v[:, :, :-1] + 0.25 * v[:, :, 1:]),
        "no gradient": lambda v: between(v.detach())},
    "10.2": {
        "2 f": steps(f2=lambda f: 2 * f), "2 f + 1": steps(f2=lambda f: 2 * f + 1), "only height": steps(space=(2, 1)), "only width": steps(space=(1, 2)), "four times": steps(space=(4, 4)),
        "letters": steps(listed=list), "unknown passes": steps(unknown=False), "first step only": steps(only_first=True), "nothing": lambda size, upsample: tuple(size),
        "swapped kinds": lambda size, upsample: larger(size, [dict(space="time", time="space").get(k, k) for k in ([upsample] if isinstance(upsample, str) else upsample)]),
        "f - 1": steps(f2=lambda f: f - 1), "no errors": no_errors(larger, lambda size, upsample: tuple(size)), "frames and space": lambda size, upsample: larger(larger(size, upsample), "time")},
    "10.3": {
        "noise added": with_(clean=lambda s: 1), "channel first": with_(first=True), "swapped": with_(clean=lambda s: s, dirty=lambda s: 1 - s), "no channel": lambda c, s, e: augment(c, s, e)[:, :-1],
        "channel of 1 - s": with_(channel=lambda s: 1 - s), "channel of zeros": with_(channel=lambda s: 0 * s), "variance kept": with_(clean=lambda s: (1 - s * s) ** .5), "root": with_(dirty=lambda s: s ** .5),
        "mean level": lambda c, s, e: augment(c, s.mean().expand_as(s), e), "first level": lambda c, s, e: augment(c, s[:1].expand_as(s), e), "levels turned": lambda c, s, e: augment(c, s.flip(0), e),
        "no noise": with_(dirty=lambda s: 0 * s), "own noise": lambda c, s, e: augment(c, s, torch.randn_like(e)), "twice the channel": lambda c, s, e: torch.cat([augment(c, s, e), augment(c, s, e)[:, -1:]], 1),
        "a channel with noise": lambda c, s, e: torch.cat([augment(c, s, e)[:, :-1], augment(c, s, e)[:, -1:] + 0.1 * e[:, :1]], 1), "in place": in_place(augment)},
    "10.4": {
        "errors not squared": weighed(own=lambda t: (1 - t) / t, power=1), "errors added": weighed(added=True), "nothing before": weighed(before=0.), "no gap": weighed(with_gap=False), "no level": weighed(with_level=False),
        "x_t not undone": weighed(undo_t=False), "condition not undone": weighed(undo_s=False), "variance for error": weighed(error=lambda p: 1 / p), "precision for error": weighed(error=lambda p: p ** .5),
        "swapped": swapped, "guess only": guess_only, "condition alone": condition_alone, "unguarded": unguarded, "t and 1 - t": weighed(own=lambda t: (t / (1 - t)) ** 2), "twice before": weighed(before=2.),
        "high floor": weighed(floor=.2)},
    "10.5": {
        "n - 1": lambda clips: spread(clips, unbiased=True), "root first": lambda clips: spread(clips, order="root first"), "channels": lambda clips: spread(clips, axis=1), "variance": lambda clips: spread(clips, rooted=False),
        "of two": of_two, "range": lambda clips: (clips.amax(0) - clips.amin(0)).square().mean(0).sqrt(), "sum of channels": lambda clips: clips.var(0, unbiased=False).sum(0).sqrt(),
        "channels kept": lambda clips: clips.var(0, unbiased=False).sqrt(), "no errors": no_errors(invented, lambda clips: clips[0, 0] * 0), "first channel": lambda clips: invented(clips[:, :1]),
        "zero mean": lambda clips: by_squares(torch.cat([clips, -clips])), "absolute": lambda clips: (clips - clips.mean(0)).abs().mean((0, 1)), "one number": lambda clips: invented(clips).mean()},
}
RIGHT = {
    "10.1": {"written": written, "interpolate": by_interpolate, "list": by_list},
    "10.2": {"counted": counted, "called itself": called_itself, "looked up": looked_up},
    "10.3": {"lerp": by_lerp, "einops": by_einops, "one by one": one_by_one},
    "10.4": {"guarded": weighed(), "two steps": in_two_steps, "by shares": by_shares},
    "10.5": {"squares": by_squares, "norm": by_norm, "loop": by_loop},
}
