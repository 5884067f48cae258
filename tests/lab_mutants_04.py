"""Chapter 04: wrong answers that a check must reject, and right ones, written differently, that it must accept: {exercise id: {name: function}}."""
import math

import torch
import torch.nn.functional as F
from einops import rearrange, reduce, repeat
from torch.distributions import Normal, kl_divergence

from lab_mutants import example, in_place, no_errors, raises
from sora_edu.vae import CausalConv, VideoVAE, channel_scale, noise_kl, psnr

forward, latent_size = CausalConv.forward, VideoVAE.latent_size


# --- 04.2 ----------------------------------------------------------------------------------------

def decibels(peak=4, factor=10, log=torch.log10, floor=1e-10, low=-1, high=1, error=lambda e: e.square().flatten(1).mean(1)):
    return lambda a, b: factor * log(peak / error(a.clamp(low, high) - b).clamp(min=floor))


def psnr_loop(a, b):
    out = []
    for x, y in zip(a, b):
        mse = max(torch.nn.functional.mse_loss(x.clip(-1, 1), y).item(), 1e-10)
        out.append(20 * math.log10(2) - 10 * math.log10(mse))
    return torch.tensor(out)


def psnr_rms(a, b):
    root = torch.linalg.vector_norm(a.clamp(-1, 1) - b, dim=(1, 2, 3, 4)) / math.sqrt(a[0].numel())
    return 20 * torch.log10(2 / root.clamp(min=1e-5))


# --- 04.3 ----------------------------------------------------------------------------------------

def squeezed(self, x): return F.gelu(self.narrow(self.norm(x)))


def gathered(pad=(0, 0, 1, 1, 1, 1, 1, 0), order=None, squeeze=squeezed, finish=lambda self, x, y: x + self.mix(y), **how):
    """forward with this padding and this order of the neighbours (frame, row, column)."""
    order = order or [(i, j, k) for i in range(2) for j in range(3) for k in range(3)]
    def forward(self, x):
        f, h, w = x.shape[1:4]
        y = F.pad(squeeze(self, x), pad, **how)
        return finish(self, x, torch.cat([y[:, i:i + f, j:j + h, k:k + w] for i, j, k in order], -1))
    return forward


def by_conv3d(self, x):
    y = rearrange(squeezed(self, x), "b f h w d -> b d f h w")
    kernel = rearrange(self.mix.weight, "o (f h w i) -> o i f h w", f=2, h=3, w=3)
    return x + rearrange(F.conv3d(F.pad(y, (1, 1, 1, 1, 1, 0)), kernel, self.mix.bias), "b d f h w -> b f h w d")


def by_two_conv2d(self, x):
    b, f = x.shape[:2]
    y = rearrange(squeezed(self, x), "b f h w d -> (b f) d h w")
    past, now = rearrange(self.mix.weight, "o (f h w i) -> f o i h w", f=2, h=3, w=3)
    seen = [rearrange(F.conv2d(y, kernel, padding=1), "(b f) d h w -> b f h w d", b=b) for kernel in (past, now)]
    return x + seen[1] + torch.cat([torch.zeros_like(seen[0][:, :1]), seen[0][:, :-1]], 1) + self.mix.bias


def by_unfold(self, x):
    y = F.pad(squeezed(self, x), (0, 0, 1, 1, 1, 1, 1, 0))
    y = y.unfold(1, 2, 1).unfold(2, 3, 1).unfold(3, 3, 1)                     # b f h w d 2 3 3
    return x + self.mix(rearrange(y, "b f h w d i j k -> b f h w (i j k d)"))


def frame_by_frame(self, x):
    """One frame at a time, with the frame before it in memory."""
    before, out = torch.zeros_like(squeezed(self, x[:, 0])), []
    for frame in x.unbind(1):
        now = squeezed(self, frame)
        both = [F.pad(y, (0, 0, 1, 1, 1, 1)) for y in (before, now)]
        near = [y[:, j:j + x.shape[2], k:k + x.shape[3]] for y in both for j in range(3) for k in range(3)]
        out.append(frame + self.mix(torch.cat(near, -1)))
        before = now
    return torch.stack(out, 1)


def padded_first(self, x): return gathered(pad=(0, 0), squeeze=lambda self, x: squeezed(self, F.pad(x, (0, 0, 1, 1, 1, 1, 1, 0))))(self, x)
def repeats_first(self, x): return gathered(pad=(0, 0, 1, 1, 1, 1), squeeze=lambda self, x: squeezed(self, torch.cat([x[:, :1], x], 1)))(self, x)
def round_the_edge(self, x): return gathered(pad=(0, 0), squeeze=lambda self, x: torch.cat([F.pad(y := F.pad(squeezed(self, x), (0, 0, 1, 1, 1, 1)), (0,) * 6)[:, -1:], y], 1))(self, x)


def adds_in_place(self, x):
    x += self.mix(gathered(finish=lambda self, x, y: y)(self, x))
    return x


# --- 04.4, 04.1 -------------------------------------------------------------------------------

def sized(divide):
    """latent_size with its errors and this division."""
    def size_of(self, size):
        latent_size(self, size)
        return divide(*size, *self.ratio)
    return size_of


def size_loop(self, size):
    out = []
    for axis, (n, r) in enumerate(zip(size, self.ratio)):
        count, rest = divmod(n - 1 if axis == 0 else n, r)
        if rest or n <= 0: raise ValueError(f"{('frames', 'height', 'width')[axis]}: {n} does not fit a ratio of {r}")
        out.append(count + 1 if axis == 0 else count)
    return tuple(out)


def size_by_multiples(self, size):
    found = [next((n for n in range(1, 1000) if length == (1 + (n - 1) * r if axis == 0 else n * r)), None) for axis, (length, r) in enumerate(zip(size, self.ratio))]
    if None in found: raise ValueError(f"{('frames', 'height', 'width')[found.index(None)]}: it does not fit")
    return tuple(found)


def size_rounded(self, size):
    """-(-a // b) rounds up: 1 + (f - 1) / r frames, because the first group is only one frame."""
    for axis, n, rest in zip(("frames", "height", "width"), size, ((size[0] + self.ratio[0] - 1) % self.ratio[0], size[1] % self.ratio[1], size[2] % self.ratio[2])):
        if n < 1 or rest: raise ValueError(f"{axis}: {n} does not fit")
    return -(-size[0] // self.ratio[0]) if self.ratio[0] > 1 else size[0], size[1] // self.ratio[1], size[2] // self.ratio[2]


def unchecked(f, h, w, rf, rh, rw): return 1 + (f - 1) // rf, h // rh, w // rw


def checked(*which):
    """latent_size that checks these axes only, and no empty ones where `which` lacks "empty"."""
    def size_of(self, size):
        rests = [(size[0] - 1) % self.ratio[0], size[1] % self.ratio[1], size[2] % self.ratio[2]]
        if any(rests[axis] for axis in which if axis != "empty") or "empty" in which and min(size) < 1: raise ValueError("a size does not fit")
        return unchecked(*size, *self.ratio)
    return size_of


def before(make):
    """What `make` gives for the frames that are missing, then the clip."""
    return lambda video, r: torch.cat([make(video, r - 1), video], 2)


def copies(v, n): return v[:, :, :1].expand(-1, -1, n, -1, -1)
def alone_index(video, r): return video[:, :, (torch.arange(video.shape[2] + r - 1) - r + 1).clamp(min=0)]
def alone_stack(video, r): return torch.stack([video[:, :, 0]] * (r - 1) + list(video.unbind(2)), 2)


def alone_fill(video, r):
    out = video[:, :, :1].repeat(1, 1, video.shape[2] + r - 1, 1, 1)
    return torch.cat([out[:, :, :r], video[:, :, 1:]], 2) if video.shape[2] > 1 else out


def alone_pad(video, r): return rearrange(F.pad(rearrange(video, "b c f h w -> b (c h w) f"), (r - 1, 0), mode="replicate"), "b (c h w) f -> b c f h w", c=video.shape[1], h=video.shape[3])


# --- 04.5 and 04.6 -------------------------------------------------------------------------------

def divergence(scale=100, shift=math.log(100), half=2, mean=torch.Tensor.mean, sign=1, one=1):
    return lambda v: sign * mean(scale * v.float().exp() - one - v.float() - shift) / half


def kl_ratio(v):
    r = (v.float() - 2 * math.log(0.1)).exp()
    return 0.5 * (r - 1 - r.log()).mean()


def kl_numbers(v):
    total = torch.zeros(())
    for u in v.float().flatten():
        s = torch.exp(u / 2)
        total = total + math.log(0.1) - torch.log(s) + s ** 2 / (2 * 0.1 ** 2) - 0.5
    return total / v.numel()


def as_normals(v, swap=False, goal=0.1):
    there, here = (Normal(torch.zeros_like(v.float()), s) for s in ((v.float() / 2).exp(), torch.full_like(v.float(), goal)))
    return (kl_divergence(here, there) if swap else kl_divergence(there, here)).mean()


def deviation(z, correction=1): return z.flatten(0, -2).std(0, correction=correction)
def root_of_product(z): return (deviation(z) * deviation(z).mean()).sqrt()


def scale_steps(z):
    root = torch.stack([z[..., c].std() for c in range(z.shape[-1])]) ** 0.5
    return root * ((z - z.flatten(0, -2).mean(0)) / root).flatten(0, -2).var(0).mean() ** 0.5


def scale_logs(z):
    log = reduce((z - reduce(z, "b f h w d -> d", "mean")).square(), "b f h w d -> d", "sum").div(z[..., 0].numel() - 1).log() / 2
    return (log / 2 + log.exp().mean().log() / 2).exp()


RIGHT = {
    "04.1": dict(index=alone_index, stack=alone_stack, fill=alone_fill, pad=alone_pad, einops=lambda v, r: torch.cat([repeat(v[:, :, 0], "b c h w -> b c i h w", i=r), v[:, :, 1:]], 2)),
    "04.2": dict(loop=psnr_loop, rms=psnr_rms, both_clipped=lambda a, b: 10 * (math.log10(4) - (a.clamp(-1, 1) - b.clamp(-1, 1)).pow(2).mean((1, 2, 3, 4)).clamp(min=1e-10).log10()),
                 einops=lambda a, b: -10 * torch.log10(reduce(((a.clamp(-1, 1) - b) / 2) ** 2, "b c f h w -> b", "mean").clamp(min=2.5e-11))),
    "04.3": dict(conv3d=by_conv3d, conv2d=by_two_conv2d, unfold=by_unfold, frames=frame_by_frame),
    "04.4": dict(loop=size_loop, search=size_by_multiples, rounded=size_rounded, list=lambda self, size: list(latent_size(self, size))),
    "04.5": dict(exponent=lambda v: 0.5 * (torch.expm1(v.float() - 2 * math.log(0.1)) - v.float() + 2 * math.log(0.1)).mean(), halves=lambda v: 50 * v.float().exp().mean() - 0.5 - v.float().mean() / 2 - math.log(10), rounded_constant=divergence(shift=4.605)),
    "04.6": dict(product=root_of_product, steps=scale_steps, logs=scale_logs),
}

SWAPPED = [(i, j, k) for i in range(2) for k in range(3) for j in range(3)]
WRONG = {
    "04.1": {"filled up with zeros": before(lambda v, n: torch.zeros_like(copies(v, n))), "filled up at the end": lambda v, r: torch.cat([v, v[:, :, -1:].expand(-1, -1, r - 1, -1, -1)], 2), "frame 0 at the end": lambda v, r: torch.cat([v, copies(v, r - 1)], 2),
             "last frame before": before(lambda v, n: v[:, :, -1:].expand(-1, -1, n, -1, -1)), "second frame before": before(lambda v, n: v[:, :, 1:2].expand(-1, -1, n, -1, -1) if v.shape[2] > 1 else copies(v, n)), "mirrored": before(lambda v, n: v[:, :, 1:n + 1].flip(2) if v.shape[2] > n else copies(v, n)), "the future before": before(lambda v, n: v[:, :, 1:n + 1] if v.shape[2] > n else copies(v, n)),
             "the mean before": before(lambda v, n: v.mean(2, keepdim=True).expand(-1, -1, n, -1, -1)), "first clip for all": before(lambda v, n: copies(v[:1], n).expand(len(v), -1, -1, -1, -1)), "first channel for all": before(lambda v, n: copies(v[:, :1], n).expand(-1, v.shape[1], -1, -1, -1)), "mean colour": before(lambda v, n: copies(v, n).mean((3, 4), keepdim=True).expand(-1, -1, -1, *v.shape[3:])),
             "always 3 copies": before(lambda v, n: copies(v, 3)), "one copy too many": before(lambda v, n: copies(v, n + 1)), "one too few": before(lambda v, n: copies(v, max(n - 1, 0))), "one copy": before(lambda v, n: copies(v, 1)), "as many as frames": before(lambda v, n: copies(v, v.shape[2])), "none": lambda v, r: v + 0,
             "frame 0 dropped": lambda v, r: torch.cat([copies(v, r - 1), v[:, :, 1:]], 2), "all frames repeated": lambda v, r: v.repeat_interleave(r, 2), "clip repeated": lambda v, r: v.repeat(1, 1, r, 1, 1), "later frames reversed": lambda v, r: torch.cat([copies(v, r), v[:, :, 1:].flip(2)], 2), "later frames frozen": lambda v, r: copies(v, v.shape[2] + r - 1),
             "rows for frames": lambda v, r: torch.cat([v[:, :, :, :1].expand(-1, -1, -1, r - 1, -1), v], 3), "columns for frames": lambda v, r: torch.cat([v[..., :1].expand(-1, -1, -1, -1, r - 1), v], 4), "frames before channels": lambda v, r: alone_index(v, r).transpose(1, 2), "height and width swapped": lambda v, r: alone_index(v, r).mT, "square only": lambda v, r: alone_index(v[..., :v.shape[3]], r),
             "faded": before(lambda v, n: copies(v, n) * torch.linspace(0, 1, n + 1)[:n].reshape(-1, 1, 1)), "clips mixed": lambda v, r: alone_index(v, r).roll(1, 0) if len(v) > 1 else -v, "in place": in_place(alone_index), "clipped": lambda v, r: alone_index(v, r).clamp(-1, 1), "double": lambda v, r: alone_index(v, r).double(), "half the digits": lambda v, r: alone_index(v, r).half().to(v.dtype),
             "float": lambda v, r: alone_index(v, r).float(), "gradient lost": lambda v, r: alone_index(v.detach(), r), "a list": lambda v, r: list(alone_index(v, r).unbind(2)), "the example": example(alone_index, torch.arange(5.0).reshape(1, 1, 5, 1, 1), 4), "raises": raises},
    "04.2": {"range 1": decibels(peak=1), "range 2": decibels(peak=2), "values in bytes": decibels(peak=255 ** 2), "natural logarithm": decibels(log=torch.log), "20 for 10": decibels(factor=20), "sign": decibels(factor=-10), "bels": decibels(factor=1),
             "not clipped": decibels(low=-99, high=99), "clipped below only": decibels(high=99), "clipped above only": decibels(low=-99), "clipped to [0, 1]": decibels(low=0), "infinite": decibels(floor=0), "floor 1e-8": decibels(floor=1e-8),
             "absolute error": decibels(error=lambda e: e.abs().flatten(1).mean(1)), "sum": decibels(error=lambda e: e.square().flatten(1).sum(1)), "worst pixel": decibels(error=lambda e: e.square().flatten(1).amax(1)),
             "root": decibels(error=lambda e: e.square().flatten(1).mean(1).sqrt()), "mean error": decibels(error=lambda e: e.flatten(1).mean(1).square()), "variance": decibels(error=lambda e: e.flatten(1).var(1)),
             "whole batch": lambda a, b: decibels()(a, b).mean(), "one number for all": lambda a, b: decibels(error=lambda e: e.square().mean().expand(len(e)))(a, b), "per frame": decibels(error=lambda e: e.square().mean((1, 3, 4))),
             "mean of frames": lambda a, b: decibels(error=lambda e: e.square().mean((1, 3, 4)))(a, b).mean(1), "mean of channels": lambda a, b: decibels(error=lambda e: e.square().mean((2, 3, 4)))(a, b).mean(1), "over clips": decibels(error=lambda e: e.square().mean(0).flatten()[:len(e)]),
             "first clip": lambda a, b: decibels()(a[:1], b[:1]).expand(len(a)), "other one clipped": lambda a, b: decibels(low=-99, high=99)(a, b.clamp(-1, 1)), "error clipped": lambda a, b: decibels()(a - b, torch.zeros_like(b)),
             "in place": lambda a, b: decibels()(a.clamp_(-1, 1), b), "double": lambda a, b: psnr(a, b).double(), "a list": lambda a, b: psnr(a, b).tolist(), "twenty": lambda a, b: torch.full((len(a),), 20.0), "noisy": lambda a, b: psnr(a, b) + torch.randn(()), "raises": raises},
    "04.3": {"padded in the future": gathered(pad=(0, 0, 1, 1, 1, 1, 0, 1)), "time reversed": lambda self, x: forward(self, x.flip(1)).flip(1), "past and present swapped": gathered(order=[(1 - i, j, k) for i, j, k in [(i, j, k) for i in range(2) for j in range(3) for k in range(3)]]),
             "not padded in time": gathered(pad=(0, 0, 1, 1, 1, 1)), "not padded in space": gathered(pad=(0, 0, 0, 0, 0, 0, 1, 0)), "padded with ones": gathered(value=1.0), "padded before the norm": padded_first, "first frame repeated": repeats_first, "last frame before the first": round_the_edge,
             "no residual": gathered(finish=lambda self, x, y: self.mix(y)), "residual twice": gathered(finish=lambda self, x, y: 2 * x + self.mix(y)), "minus": gathered(finish=lambda self, x, y: x - self.mix(y)), "residual of the norm": gathered(finish=lambda self, x, y: self.norm(x) + self.mix(y)),
             "column before row": gathered(order=SWAPPED), "frame fastest": gathered(order=[(i, j, k) for j in range(3) for k in range(3) for i in range(2)]), "mirrored": gathered(order=[(i, j, 2 - k) for i in range(2) for j in range(3) for k in range(3)]),
             "upside down": gathered(order=[(i, 2 - j, k) for i in range(2) for j in range(3) for k in range(3)]), "one neighbour 18 times": gathered(order=[(1, 1, 1)] * 18), "this frame only": gathered(order=[(1, j, k) for _ in range(2) for j in range(3) for k in range(3)]),
             "shifted in space": gathered(pad=(0, 0, 2, 0, 2, 0, 1, 0)), "no gelu": gathered(squeeze=lambda self, x: self.narrow(self.norm(x))), "relu": gathered(squeeze=lambda self, x: F.relu(self.narrow(self.norm(x)))), "gelu, roughly": gathered(squeeze=lambda self, x: F.gelu(self.narrow(self.norm(x)), approximate="tanh")),
             "no norm": gathered(squeeze=lambda self, x: F.gelu(self.narrow(x))), "gelu before narrow": gathered(squeeze=lambda self, x: self.narrow(F.gelu(self.norm(x)))), "gelu after mix": gathered(squeeze=lambda self, x: self.narrow(self.norm(x)), finish=lambda self, x, y: x + F.gelu(self.mix(y))),
             "no bias": gathered(finish=lambda self, x, y: x + y @ self.mix.weight.T), "mean over time": gathered(finish=lambda self, x, y: x + self.mix(y).mean(1, keepdim=True)), "square only": lambda self, x: gathered()(self, x[:, :, :x.shape[3]]) if x.shape[2] > x.shape[3] else gathered()(self, x[:, :, :, :x.shape[2]]),
             "rows and columns swapped": lambda self, x: forward(self, x.transpose(2, 3)).transpose(2, 3), "clips mixed": lambda self, x: forward(self, x.roll(1, 0)), "clip by clip, the last frame kept": lambda self, x: forward(self, x.flatten(0, 1)[None]).unflatten(1, x.shape[:2])[0],
             "channels first": lambda self, x: forward(self, x).movedim(-1, 1), "in place": adds_in_place, "gradient lost": lambda self, x: forward(self, x.detach()), "double": lambda self, x: forward(self, x).double(), "the input": lambda self, x: x + 0, "nothing": lambda self, x: None, "raises": raises},
    "04.4": {"frames like the others": sized(lambda f, h, w, rf, rh, rw: (f // rf, h // rh, w // rw)), "one frame too many": sized(lambda f, h, w, rf, rh, rw: (1 + f // rf, h // rh, w // rw) if rf > 1 else (1 + f, h // rh, w // rw)), "no frame of its own": sized(lambda f, h, w, rf, rh, rw: ((f - 1) // rf, h // rh, w // rw)),
             "true division": sized(lambda f, h, w, rf, rh, rw: (1 + (f - 1) / rf, h / rh, w / rw)), "height and width swapped": sized(lambda f, h, w, rf, rh, rw: (1 + (f - 1) // rf, w // rw, h // rh)), "ratios swapped": sized(lambda f, h, w, rf, rh, rw: (1 + (f - 1) // rf, h // rw, w // rh)),
             "square only": sized(lambda f, h, w, rf, rh, rw: (1 + (f - 1) // rf, h // rh, h // rh)), "always (4, 8, 8)": sized(lambda f, h, w, rf, rh, rw: (1 + (f - 1) // 4, h // 8, w // 8)), "one more on each axis": sized(lambda f, h, w, rf, rh, rw: (1 + (f - 1) // rf, 1 + (h - 1) // rh + 1, 1 + (w - 1) // rw + 1)),
             "width first": sized(lambda f, h, w, rf, rh, rw: (w // rw, h // rh, 1 + (f - 1) // rf)), "the count": sized(lambda f, h, w, rf, rh, rw: math.prod(unchecked(f, h, w, rf, rh, rw))), "two axes": sized(lambda f, h, w, rf, rh, rw: (h // rh, w // rw)), "a tensor": sized(lambda *a: torch.tensor(unchecked(*a))),
             "strings": sized(lambda *a: tuple(map(str, unchecked(*a)))), "the clip": sized(lambda f, h, w, *_: (f, h, w)), "no check": checked(), "frames unchecked": checked(1, 2, "empty"), "height unchecked": checked(0, 2, "empty"), "width unchecked": checked(0, 1, "empty"), "empty axes": checked(0, 1, 2),
             "empty frames only": lambda self, size: latent_size(self, size) if size[0] < 1 else checked(0, 1, 2)(self, size), "frames must divide": lambda self, size: checked("empty")(self, size) if not any(n % r for n, r in zip(size, self.ratio)) else raises(), "wrong error": lambda self, size: latent_size(self, size) if checked()(self, size) and not no_errors(latent_size, False)(self, size) is False else raises(),
             "the example": example(lambda *_: (5, 4, 4)), "nothing": lambda self, size: None, "raises": raises},
    "04.5": {"logarithm of an exponential": kl_ratio, "number by number": kl_numbers, "distributions": as_normals, "standard deviation in the exponent": lambda v: divergence()(2 * v), "half in the exponent": lambda v: divergence()(v / 2), "variance 0.1": divergence(scale=10, shift=math.log(10)), "to a standard normal": divergence(scale=1, shift=0), "no constant": divergence(shift=0), "constant added": divergence(shift=-math.log(100)), "scale 0.01": divergence(scale=0.01, shift=-math.log(100)),
             "no half": divergence(half=1), "no one": divergence(one=0), "sum": divergence(mean=torch.Tensor.sum), "sign": divergence(sign=-1), "worst": divergence(mean=torch.Tensor.amax), "median": divergence(mean=torch.Tensor.median), "a value each": divergence(mean=lambda x: x), "per clip": divergence(mean=lambda x: x.flatten(1).mean(1) if x.ndim > 1 else x), "mean over clips, sum over the rest": divergence(mean=lambda x: x.sum() / len(x)),
             "swapped": lambda v: as_normals(v, swap=True), "goal 0.2": lambda v: as_normals(v, goal=0.2), "logarithm plus": lambda v: (100 * v.float().exp() - 1 + v.float() - math.log(100)).mean() / 2, "no exponential": lambda v: (100 * v.float() - 1 - v.float() - math.log(100)).mean() / 2, "squared distance": lambda v: (v.float() - math.log(0.01)).square().mean() / 2, "of the mean": lambda v: divergence()(v.float().mean()),
             "half the digits": lambda v: (100 * v.exp() - 1 - v - math.log(100)).mean() / 2, "clipped": lambda v: divergence()(v.float().clamp(-10, 1)), "a number": lambda v: noise_kl(v).item(), "double": lambda v: noise_kl(v).double(), "gradient lost": lambda v: noise_kl(v.detach()), "in place": in_place(lambda v: noise_kl(v.detach()), 0), "absolute": lambda v: (100 * v.float().exp() - 1 - v.float() - math.log(100)).abs().mean(), "zero": lambda v: 0 * v.float().sum(), "with noise": lambda v: divergence()(v.float() + torch.randn(v.shape) / 10), "raises": raises},
    "04.6": {"full standard deviation": deviation, "root alone": lambda z: deviation(z).sqrt(), "variance": lambda z: deviation(z).square(), "one for all": lambda z: deviation(z).square().mean().sqrt().expand(z.shape[-1]).clone(), "ones": lambda z: torch.ones(z.shape[-1]), "whole latent": lambda z: z.std().expand(z.shape[-1]).clone(), "inverse": lambda z: 1 / channel_scale(z), "squared": lambda z: channel_scale(z).square(),
             "other factor": lambda z: deviation(z).sqrt() * deviation(z).mean(), "factor under": lambda z: deviation(z).sqrt() / deviation(z).mean().sqrt(), "deviations 1 on average": lambda z: deviation(z).sqrt() * deviation(z).sqrt().mean(), "sum": lambda z: (deviation(z) * deviation(z).sum()).sqrt(), "median": lambda z: (deviation(z) * deviation(z).median()).sqrt(), "loudest": lambda z: (deviation(z) * deviation(z).amax()).sqrt(),
             "fourth root": lambda z: (s := deviation(z).sqrt().sqrt()) * (deviation(z) / s).square().mean().sqrt(), "square": lambda z: (s := deviation(z).square()) * (deviation(z) / s).square().mean().sqrt(), "mean not removed": lambda z: (d := z.square().flatten(0, -2).mean(0).sqrt()).sqrt() * d.mean().sqrt(), "absolute values": lambda z: (d := z.abs().flatten(0, -2).mean(0)).sqrt() * d.mean().sqrt(), "biased": lambda z: (deviation(z, 0) * deviation(z, 0).mean()).sqrt(),
             "over the batch": lambda z: (d := z.std(0, correction=0).flatten(0, -2).mean(0)).sqrt() * d.mean().sqrt(), "within frames": lambda z: (d := z.std((2, 3)).flatten(0, -2).mean(0)).sqrt() * d.mean().sqrt(), "first clip": lambda z: channel_scale(z[:1]), "wrong axis": lambda z: channel_scale(z.movedim(1, -1)), "channels first": lambda z: z.std((0, 2, 3, 4)), "sorted": lambda z: channel_scale(z).sort().values, "reversed": lambda z: channel_scale(z).flip(0), "kept axes": lambda z: channel_scale(z).reshape(1, 1, 1, 1, -1),
             "in place": in_place(channel_scale), "double": lambda z: channel_scale(z).double(), "a list": lambda z: channel_scale(z).tolist(), "divided latent": lambda z: z / channel_scale(z), "raises": raises},
}
