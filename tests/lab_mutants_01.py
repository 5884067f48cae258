"""Wrong and right answers to the exercises of chapter 01: {exercise id: {name: function}}, as in lab_mutants.py."""
import math
from bisect import bisect_right
from fractions import Fraction

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange

from lab_mutants import example, in_place, no_errors, raises
from sora_edu.video import at_rate, correlation, slice_video, spread, to_bytes, to_float

AXES = ("frame", "height", "width")


# --- 01.1 ----------------------------------------------------------------------------------------

def bytes_loop(values):
    flat = [min(255, max(0, math.floor((v + 1) * 127.5 + 0.5))) for v in values.flatten().tolist()]
    return torch.tensor(flat, dtype=torch.uint8).reshape(values.shape)


def bytes_borders(values):
    """Count the borders between bytes that lie below."""
    borders = (torch.arange(255) + 0.5) / 127.5 - 1
    return torch.bucketize(values.contiguous(), borders, right=True).to(torch.uint8)


def bytes_numpy(values): return torch.from_numpy(np.array(np.rint((np.clip(values.numpy(), -1, 1) + 1) * 127.5), dtype=np.uint8))
def bytes_late(values): return values.mul(127.5).add(127.5).round().clamp(0, 255).byte()
def bytes_half(values): return (values.clamp(-1, 1) * 127.5 + 128).byte()


# --- 01.2 ----------------------------------------------------------------------------------------

def frames_fit(frames):
    """What to_float checks."""
    if not isinstance(frames, np.ndarray) or frames.dtype != np.uint8 or frames.ndim != 4: raise ValueError("uint8 f h w c")
    return torch.tensor(frames)


def floats(change, **way):
    """to_float with another order or other values."""
    return lambda frames: change(frames_fit(frames), **way)


def moved(x, pattern="f h w c -> 1 c f h w", values=lambda x: x / 127.5 - 1): return rearrange(values(x), pattern)
def floats_table(x): return torch.linspace(-1, 1, 256)[x.long()].permute(3, 0, 1, 2)[None]


def floats_loop(x):
    f, h, w, c = x.shape
    out = torch.empty(1, c, f, h, w)
    for i in range(f):
        for k in range(c): out[0, k, i] = (x[i, :, :, k].float() - 127.5) / 127.5
    return out


def reshaped(x): return (x / 127.5 - 1).reshape(1, x.shape[3], *x.shape[:3])
def wraps(x): return moved(x, values=lambda x: (x * 2).float() / 255 - 1)
def first_frame(x): return moved(x[:1].expand(len(x), -1, -1, -1))
def frames_as_clips(x): return moved(x, "f h w c -> f c 1 h w")


# --- 01.3 ----------------------------------------------------------------------------------------

def cutting(by_axis):
    """slice_video with its checks; by_axis: what each of the three cuts does."""
    def cut(video, axis, place):
        slice_fits(video, axis, place)
        return by_axis[AXES.index(axis)](video, place)
    return cut


def slice_fits(video, axis, place):
    if axis not in AXES or not 0 <= place < video.shape[AXES.index(axis) + 2]: raise ValueError("no such place")


FRAME, ROW, COLUMN = lambda x, p: x[:, :, p], lambda x, p: x[:, :, :, p], lambda x, p: x[..., p].mT


def slice_rearranged(video, axis, place):
    slice_fits(video, axis, place)
    order = dict(frame="f b c h w", height="h b c f w", width="w b c h f")[axis]
    return rearrange(video, f"b c f h w -> {order}")[place]


def slice_loop(video, axis, place):
    slice_fits(video, axis, place)
    if axis == "frame": return video.unbind(2)[place]
    lines = [frame[:, :, place] if axis == "height" else frame[:, :, :, place] for frame in video.unbind(2)]
    return torch.stack(lines, 2 if axis == "height" else 3)


def slice_select(video, axis, place):
    slice_fits(video, axis, place)
    out = video.index_select(AXES.index(axis) + 2, torch.tensor([place])).squeeze(AXES.index(axis) + 2)
    return out.transpose(2, 3) if axis == "width" else out


def slice_unchecked(video, axis, place): return (FRAME, ROW, COLUMN)[AXES.index(axis)](video, place)
def slice_from_end(video, axis, place): return slice_video(video, axis, place + (video.shape[AXES.index(axis) + 2] if axis in AXES and place < 0 else 0))
def slice_clamped(video, axis, place): return slice_video(video, axis, min(max(place, 0), video.shape[AXES.index(axis) + 2] - 1) if axis in AXES else place)
def slice_default(video, axis, place): return slice_video(video, axis if axis in AXES else "frame", place)
def slice_index_error(video, axis, place):
    try: return slice_video(video, axis, place)
    except ValueError as error: raise IndexError(str(error))


# --- 01.4 ----------------------------------------------------------------------------------------

def spreading(pick):
    """spread with its check and its limit; pick(length, frames) gives the numbers."""
    def numbers(length, frames):
        if frames < 1: raise ValueError("at least one")
        return pick(length, min(frames, length))
    return numbers


def spread_fractions(n, k): return [round(Fraction(i * (n - 1), k - 1)) for i in range(k)] if k > 1 else [0]
def spread_whole(n, k): return [(2 * i * (n - 1) + k - 1) // (2 * (k - 1)) for i in range(k)] if k > 1 else [0]
def spread_torch(n, k): return torch.linspace(0, n - 1, k, dtype=torch.float64).round().int().tolist()


def spread_walk(length, frames):
    if frames < 1: raise ValueError(frames)
    if frames >= length: return list(range(length))
    out = [0]
    while len(out) < frames: out.append(int(len(out) / (frames - 1) * (length - 1) + 0.5))
    return out


def steps(n, k): return list(range(0, n, max(1, n // k)))[:k]


# --- 01.5 ----------------------------------------------------------------------------------------

def rate_loop(times, fps):
    out = []
    for tick in range(max(1, round((times[-1] - times[0]) * fps))):
        now = times[0] + (tick + 0.25) / fps
        out.append(max(i for i, start in enumerate(times[:-1]) if start <= now) if times[0] <= now else 0)
    return out


def rate_walk(times, fps):
    out, frame = [], 0
    for tick in range(max(1, round(fps * (times[-1] - times[0])))):
        while frame + 2 < len(times) and (times[frame + 1] - times[0]) * fps <= tick + 0.25: frame += 1
        out.append(frame)
    return out


def timed(count=lambda length, fps: max(1, round(length * fps)), late=0.25, find=bisect_right, less=1, ends=True, zero=False):
    """at_rate in parts, each of which can be wrong."""
    def rate(times, fps):
        starts = [t - (0 if zero else times[0]) for t in times]
        length, starts = starts[-1], starts[:-1] if ends else starts
        return [find(starts, (n + late) / fps) - less for n in range(count(length, fps))]
    return rate


def rate_even(times, fps):
    """As if all frames lasted equally long."""
    count = max(1, round((times[-1] - times[0]) * fps))
    return [min(len(times) - 2, int(i * (len(times) - 1) / count)) for i in range(count)]


def rate_spread(times, fps): return spread(len(times) - 1, max(1, round((times[-1] - times[0]) * fps)))
def rate_repeat(times, fps): return [i for i, (a, b) in enumerate(zip(times, times[1:])) for _ in range(round((b - a) * fps))]
def rate_nearest(times, fps): return [int(np.abs(np.array(times[:-1]) - times[0] - n / fps).argmin()) for n in range(max(1, round((times[-1] - times[0]) * fps)))]


# --- 01.6 ----------------------------------------------------------------------------------------

def pairs_fit(video, apart):
    if not 0 <= apart < video.shape[2]: raise ValueError("no such pair")
    f = video.shape[2]
    return video[:, :, :f - apart], video[:, :, apart:]


def correlating(how):
    """correlation from early and late frames, b c f h w each."""
    return lambda video, apart: how(*pairs_fit(video, apart))


def centred(x): return x.flatten(1) - x.flatten(1).mean(1, keepdim=True)
def corr_matrix(x, y): return torch.stack([torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1] for a, b in zip(x, y)])
def corr_cosine(x, y): return F.cosine_similarity(centred(x), centred(y))
def corr_numpy(x, y): return torch.tensor([float(np.corrcoef(a.flatten().numpy(), b.flatten().numpy())[0, 1]) for a, b in zip(x, y)])
def corr_moments(x, y):
    x, y = x.flatten(1).double(), y.flatten(1).double()
    spread = lambda z: ((z ** 2).mean(1) - z.mean(1) ** 2).sqrt()
    return (((x * y).mean(1) - x.mean(1) * y.mean(1)) / spread(x) / spread(y)).float()


def frame_by_frame(x, y):
    """The mean over the correlations of single pairs of frames."""
    x, y = (z.transpose(1, 2).flatten(2) for z in (x, y))
    x, y = x - x.mean(2, keepdim=True), y - y.mean(2, keepdim=True)
    return F.cosine_similarity(x, y, dim=2).mean(1)


def channel_by_channel(x, y):
    x, y = (z.flatten(2) - z.flatten(2).mean(2, keepdim=True) for z in (x, y))
    return F.cosine_similarity(x, y, dim=2).mean(1)


def minus_zero(video, apart):
    pairs_fit(video, apart)
    return corr_cosine(video[:, :, :-apart], video[:, :, apart:])


def rolled(video, apart):
    pairs_fit(video, apart)
    return corr_cosine(video, video.roll(-apart, 2))


def along(axis):
    """Rows or columns that lie apart, not frames; the checks are those for frames."""
    def wrong(video, apart):
        pairs_fit(video, apart)
        n = video.shape[axis]
        k = min(apart, n - 1)
        return corr_cosine(video.narrow(axis, 0, n - k), video.narrow(axis, k, n - k))
    return wrong


RIGHT = {
    "01.1": dict(loop=bytes_loop, borders=bytes_borders, numpy=bytes_numpy, late=bytes_late, half=bytes_half),
    "01.2": dict(loop=floats(floats_loop), table=floats(floats_table), einops=floats(moved), permuted=floats(lambda x: x.permute(3, 0, 1, 2)[None].float().sub(127.5).div(127.5)),
                 numpy=floats(lambda x: torch.from_numpy(np.moveaxis(x.numpy().astype(np.float32) / np.float32(127.5) - 1, -1, 0)[None].copy()))),
    "01.3": dict(rearranged=slice_rearranged, loop=slice_loop, select=slice_select, branches=cutting((FRAME, ROW, COLUMN))),
    "01.4": dict(fractions=spreading(spread_fractions), whole=spreading(spread_whole), torch=spreading(spread_torch), walk=spread_walk),
    "01.5": dict(loop=rate_loop, walk=rate_walk, bisect=timed()),
    "01.6": dict(matrix=correlating(corr_matrix), numpy=correlating(corr_numpy), moments=correlating(corr_moments)),
}

red = np.array([255, 0, 0], np.uint8).reshape(1, 1, 1, 3)
toy = torch.arange(24.0).reshape(1, 1, 2, 3, 4)
WRONG = {
    "01.1": {"not clipped": lambda v: ((v + 1) * 127.5).round().to(torch.int32).to(torch.uint8), "not rounded": lambda v: ((v.clamp(-1, 1) + 1) * 127.5).byte(), "rounded up": lambda v: ((v.clamp(-1, 1) + 1) * 127.5).ceil().byte(),
             "from 0 to 1": lambda v: (v.clamp(0, 1) * 255).round().byte(), "times 128": lambda v: ((v.clamp(-1, 1) + 1) * 128).round().int().byte(), "times 127": lambda v: ((v.clamp(-1, 1) + 1) * 127).round().byte(),
             "below clipped only": lambda v: ((v.clamp(min=-1) + 1) * 127.5).round().int().byte(), "above clipped only": lambda v: ((v.clamp(max=1) + 1) * 127.5).round().int().byte(), "turned": lambda v: 255 - to_bytes(v),
             "stretched": lambda v: ((v - v.min()) / (v.max() - v.min()).clamp(min=1e-6) * 255).round().byte(), "float": lambda v: to_bytes(v).float(), "int64": lambda v: to_bytes(v).long(), "int8": lambda v: (v.clamp(-1, 1) * 127).round().to(torch.int8),
             "in place": in_place(to_bytes), "clipped in place": lambda v: ((v.clamp_(-1, 1) + 1) * 127.5).round().byte(), "flat": lambda v: to_bytes(v).flatten(), "the example": example(to_bytes, torch.tensor([-1.0, 0.0, 1.0])), "black": lambda v: torch.zeros_like(v).byte(),
             "turned axes": lambda v: to_bytes(v).mT if v.ndim > 1 else to_bytes(v), "0 gives 127": lambda v: to_bytes(v) - (v == 0).byte(), "one step up": lambda v: (to_bytes(v).int() + 1).clamp(max=255).byte(), "fewer levels": lambda v: to_bytes(v) // 4 * 4,
             "NumPy": lambda v: to_bytes(v).numpy(), "tanh": lambda v: to_bytes(v.tanh()), "outside becomes grey": lambda v: to_bytes(v.where(v.abs() <= 1, torch.zeros(()))), "raises outside": lambda v: to_bytes(v) if v.abs().max() <= 1 else raises()},
    "01.2": {"reshaped": floats(reshaped), "not scaled": floats(moved, values=lambda x: x.float()), "from 0 to 1": floats(moved, values=lambda x: x / 255), "by 128": floats(moved, values=lambda x: x / 128 - 1), "by 127": floats(moved, values=lambda x: x / 127 - 1),
             "rows and columns swapped": floats(moved, pattern="f h w c -> 1 c f w h"), "frames and channels swapped": floats(moved, pattern="f h w c -> 1 f c h w"), "no batch": floats(moved, pattern="f h w c -> c f h w"), "channel last": floats(moved, pattern="f h w c -> 1 f h w c"),
             "frames as clips": floats(frames_as_clips), "double": floats(lambda x: moved(x.double())), "wraps": floats(wraps), "minus in uint8": floats(moved, values=lambda x: (x - 128).float() / 127.5), "blue first": floats(lambda x: moved(x).flip(1)),
             "backwards": floats(lambda x: moved(x).flip(2)), "upside down": floats(lambda x: moved(x).flip(3)), "mirrored": floats(lambda x: moved(x).flip(4)), "grey": floats(lambda x: moved(x).mean(1, keepdim=True).expand(-1, x.shape[3], -1, -1, -1)),
             "first frame only": floats(first_frame), "sign": floats(lambda x: -moved(x)), "stretched": floats(lambda x: moved(x.float() * 255 / max(1, int(x.max())))), "no checks": lambda x: rearrange(torch.as_tensor(x.astype(np.int64)).reshape(x.shape if x.ndim == 4 else (1, 1, -1, 1)) / 127.5 - 1, "f h w c -> 1 c f h w").float(),
             "any dtype": lambda x: to_float(x if x.ndim != 4 else x.astype(np.uint8)), "any whole number": lambda x: to_float(x.astype(np.uint8) if x.dtype.kind in "iu" else x), "three axes pass": lambda x: to_float(x[None] if x.ndim == 3 else x), "TypeError": lambda x: to_float(x) if x.dtype == np.uint8 else (_ for _ in ()).throw(TypeError("uint8")),
             "NumPy": lambda x: to_float(x).numpy(), "in place": lambda x: (to_float(x), x.__setitem__(slice(None), 0) if x.dtype == np.uint8 else 0)[0], "the example": example(to_float, red), "three colours only": lambda x: to_float(x) if x.ndim != 4 or x.shape[3] == 3 else raises(), "square only": floats(lambda x: moved(x).reshape(1, x.shape[3], len(x), x.shape[2], x.shape[1]))},
    "01.3": {"column lies": cutting((FRAME, ROW, lambda x, p: x[..., p])), "row turned": cutting((FRAME, lambda x, p: x[:, :, :, p].mT, COLUMN)), "frame turned": cutting((lambda x, p: x[:, :, p].mT, ROW, COLUMN)), "height and width swapped": cutting((FRAME, COLUMN, ROW)),
             "always the frame": lambda v, a, p: slice_video(v, "frame", p % v.shape[2]) if not slice_fits(v, a, p) else None, "one further": cutting(tuple((lambda cut, d: lambda x, p: cut(x, (p + 1) % x.shape[d]))(cut, d) for cut, d in ((FRAME, 2), (ROW, 3), (COLUMN, 4)))),
             "from the end": cutting((lambda x, p: x[:, :, -1 - p], lambda x, p: x[:, :, :, -1 - p], lambda x, p: x[..., -1 - p].mT)), "the middle": lambda v, a, p: slice_video(v, a, p * 0 + v.shape[AXES.index(a) + 2] // 2) if not slice_fits(v, a, p) else None,
             "axis kept": lambda v, a, p: slice_video(v, a, p).unsqueeze(2), "no batch": lambda v, a, p: slice_video(v, a, p)[0], "time runs back": cutting((FRAME, lambda x, p: x[:, :, :, p].flip(2), lambda x, p: x[..., p].mT.flip(3))), "upside down": cutting((FRAME, ROW, lambda x, p: x[..., p].mT.flip(2))),
             "not checked": slice_unchecked, "from the end with a minus": slice_from_end, "clamped": slice_clamped, "another axis is the frame": slice_default, "IndexError": slice_index_error, "off by one in the check": lambda v, a, p: slice_video(v, a, p - 1 if a in AXES and p == v.shape[AXES.index(a) + 2] else p),
             "grey": lambda v, a, p: slice_video(v, a, p).mean(1, keepdim=True).expand(-1, v.shape[1], -1, -1), "mean over the axis": lambda v, a, p: slice_video(v.mean(AXES.index(a) + 2, keepdim=True).expand_as(v) if a in AXES else v, a, p), "clipped": lambda v, a, p: slice_video(v, a, p).clamp(-1, 1),
             "in place": in_place(slice_video), "double": lambda v, a, p: slice_video(v, a, p).double(), "detached": lambda v, a, p: slice_video(v.detach(), a, p), "NumPy": lambda v, a, p: slice_video(v.detach(), a, p).numpy(), "float32": lambda v, a, p: slice_video(v.float(), a, p).to(v.dtype),
             "clips mixed": lambda v, a, p: slice_video(v, a, p).roll(1, 0), "channels mixed": lambda v, a, p: slice_video(v, a, p).flip(1), "cube only": lambda v, a, p: slice_video(v, a, p) if a == "frame" or slice_fits(v, a, p) else slice_video(v, a, p).reshape(*v.shape[:2], v.shape[2], -1), "the example": example(slice_video, toy, "height", 1)},
    "01.4": {"last one missing": spreading(steps), "no end": spreading(lambda n, k: np.linspace(0, n, k, endpoint=False).round().astype(int).tolist()), "length too large": spreading(lambda n, k: np.linspace(0, n, k).round().astype(int).tolist()), "cut off": spreading(lambda n, k: np.linspace(0, n - 1, k).astype(int).tolist()),
             "rounded up": spreading(lambda n, k: np.ceil(np.linspace(0, n - 1, k)).astype(int).tolist()), "twice": lambda n, k: spread(n, k) if k < 1 else np.linspace(0, n - 1, k).round().astype(int).tolist(), "the first": spreading(lambda n, k: list(range(k))), "the last": spreading(lambda n, k: list(range(n - k, n))),
             "middles": spreading(lambda n, k: [int((i + 0.5) * n / k) for i in range(k)]), "from one": spreading(lambda n, k: [i + 1 for i in spread(n, k)]), "backwards": spreading(lambda n, k: spread(n, k)[::-1]), "floats": spreading(lambda n, k: np.linspace(0, n - 1, k).tolist()), "rounded floats": spreading(lambda n, k: [float(i) for i in spread(n, k)]),
             "array": spreading(lambda n, k: np.array(spread(n, k))), "tensor": spreading(lambda n, k: torch.tensor(spread(n, k))), "one less": spreading(lambda n, k: spread(n, max(1, k - 1))), "one more": lambda n, k: spread(n, k if k < 1 else k + 1), "no error": no_errors(spread, []), "wrong error": lambda n, k: spread(n, k) if k > 0 else raises(),
             "one is the last": spreading(lambda n, k: spread(n, k) if k > 1 else [n - 1]), "one is the middle": spreading(lambda n, k: spread(n, k) if k > 1 else [n // 2]), "one fails": spreading(lambda n, k: [round(i * (n - 1) / (k - 1)) for i in range(k)]), "even step": spreading(lambda n, k: [i * round((n - 1) / max(1, k - 1)) for i in range(k)]),
             "last one pushed in": spreading(lambda n, k: [*steps(n, k)[:-1], n - 1]), "short clips repeat": lambda n, k: spread(n, k) if k <= n else spread(n, n) + [n - 1] * (k - n), "the example": example(spread, 12, 3), "nothing": lambda n, k: None, "as text": spreading(lambda n, k: [str(i) for i in spread(n, k)])},
    "01.5": {"the next frame": timed(less=0), "the one before": timed(less=2), "clip's end as a frame": timed(ends=False, late=1.25), "no slack": timed(late=0), "half a tick late": timed(late=0.5), "at the end of the tick": timed(late=1), "early": timed(late=-0.25), "from 0": timed(zero=True),
             "count cut off": timed(count=lambda length, fps: max(1, int(length * fps))), "one tick more": timed(count=lambda length, fps: round(length * fps) + 1), "one tick less": timed(count=lambda length, fps: max(1, round(length * fps) - 1)), "at least two": timed(count=lambda length, fps: max(2, round(length * fps))), "rounded up": timed(count=lambda length, fps: math.ceil(length * fps)),
             "none for a short clip": timed(count=lambda length, fps: round(length * fps)), "one per frame": lambda t, r: list(range(len(t) - 1)), "equally long": rate_even, "spread": rate_spread, "repeated": rate_repeat, "nearest start": rate_nearest, "every n-th": lambda t, r: list(range(0, len(t) - 1, max(1, round((len(t) - 1) / ((t[-1] - t[0]) * r))))),
             "array": lambda t, r: np.array(at_rate(t, r)), "floats": lambda t, r: [float(i) for i in at_rate(t, r)], "times": lambda t, r: [t[i] for i in at_rate(t, r)], "from one": lambda t, r: [i + 1 for i in at_rate(t, r)], "backwards": lambda t, r: at_rate(t, r)[::-1], "no doubles": lambda t, r: sorted(set(at_rate(t, r))),
             "in place": in_place(at_rate), "shifted in place": lambda t, r: (at_rate(t, r), t.__setitem__(0, t[0] - 1))[0], "the example": example(at_rate, [0, 0.1, 0.2, 0.6, 1.0], 10), "no last frame": timed(count=lambda length, fps: max(1, round(length * fps))) and (lambda t, r: [min(i, max(0, len(t) - 3)) for i in at_rate(t, r)]), "ticks": lambda t, r: list(range(len(at_rate(t, r)))),
             "rate turned": lambda t, r: at_rate(t, 1 / r), "rate of the file": lambda t, r: at_rate(t, (len(t) - 1) / (t[-1] - t[0]))},
    "01.6": {"zero where all is equal": correlating(corr_cosine), "no mean": correlating(lambda x, y: F.cosine_similarity(x.flatten(1), y.flatten(1))), "not divided": correlating(lambda x, y: (centred(x) * centred(y)).mean(1)), "summed": correlating(lambda x, y: (centred(x) * centred(y)).sum(1)), "divided by one variance": correlating(lambda x, y: (centred(x) * centred(y)).mean(1) / centred(x).square().mean(1)),
             "no root": correlating(lambda x, y: (centred(x) * centred(y)).mean(1) / (centred(x).square().mean(1) * centred(y).square().mean(1))), "n - 1 below only": correlating(lambda x, y: (centred(x) * centred(y)).mean(1) / (x.flatten(1).std(1) * y.flatten(1).std(1))), "all clips together": correlating(lambda x, y: F.cosine_similarity(x.flatten() - x.mean(), y.flatten() - y.mean(), dim=0).expand(len(x))),
             "one number": correlating(lambda x, y: corr_cosine(x, y).mean()), "frame by frame": correlating(frame_by_frame), "channel by channel": correlating(channel_by_channel), "mean of all clips": correlating(lambda x, y: F.cosine_similarity(x.flatten(1) - x.mean(), y.flatten(1) - y.mean())), "squared": lambda v, k: correlation(v, k).square(), "size only": lambda v, k: correlation(v, k).abs(),
             "sign": lambda v, k: -correlation(v, k), "minus zero": minus_zero, "one further": lambda v, k: correlation(v, k if not 0 <= k < v.shape[2] - 1 else k + 1), "neighbours": lambda v, k: correlation(v, k if not 0 <= k < v.shape[2] or v.shape[2] == 1 else 1), "the first pair": correlating(lambda x, y: corr_cosine(x[:, :, :1], y[:, :, :1])), "against the first frame": correlating(lambda x, y: corr_cosine(x[:, :, :1].expand_as(y), y)),
             "wraps around": rolled, "rows apart": along(3), "columns apart": along(4), "clips apart": along(0), "no errors": no_errors(correlation, torch.zeros(2)), "negative passes": lambda v, k: correlation(v, abs(k)), "too far passes": lambda v, k: correlation(v, min(k, v.shape[2] - 1)), "wrong error": lambda v, k: correlation(v, k) if 0 <= k < v.shape[2] else raises(),
             "in place": in_place(correlation), "centred in place": lambda v, k: correlation(v.sub_(v.mean()), k), "double": lambda v, k: correlation(v, k).double(), "a list": lambda v, k: correlation(v, k).tolist(), "distance": correlating(lambda x, y: 1 - (x - y).abs().flatten(1).mean(1)), "red only": lambda v, k: correlation(v[:, :1], k), "the example": example(correlation, torch.randn(2, 3, 4, 5, 6, generator=torch.Generator().manual_seed(0)), 1),
             "time's mean only": correlating(lambda x, y: F.cosine_similarity((x - x.mean(2, keepdim=True)).flatten(1), (y - y.mean(2, keepdim=True)).flatten(1))), "ones": correlating(lambda x, y: torch.ones(len(x)))},
}
