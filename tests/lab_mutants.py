"""Wrong answers that a check must reject, and right ones, written differently, that it must accept: {exercise id: {name: function}}."""
import math

import torch
from einops import rearrange, repeat

from sora_edu.diffusion import DDPM, RectifiedFlow, broadcast_t, check_same_shape, cosine_alpha_bar, shift_t
from sora_edu.patches import attention_mask, first_fit, grid_size, patchify, positions, unpatchify


def cut(x, p, pattern):
    clip_fits(x, p)
    return rearrange(x, f"b c (f pf) (h ph) (w pw) -> {pattern}", pf=p[0], ph=p[1], pw=p[2])


def clip_fits(x, p):
    """What patchify checks."""
    if x.ndim != 5: raise ValueError("a clip has the axes b c f h w")
    grid_size(tuple(x.shape[2:]), p)


def tokens_fit(t, size, p):
    """What unpatchify checks."""
    if t.ndim != 3: raise ValueError("tokens have the axes b n d")
    if t.shape[1] != math.prod(grid_size(size, p)): raise ValueError("too few or too many tokens")
    if t.shape[2] % math.prod(p): raise ValueError("tokens of a wrong length")


def paste(x, size, p, pattern, order="b c (f pf) (h ph) (w pw)"):
    tokens_fit(x, size, p)
    f, h, w = grid_size(size, p)
    return rearrange(x, f"{pattern} -> {order}", f=f, h=h, w=w, pf=p[0], ph=p[1], pw=p[2])


def in_place(function, place=0):
    """The right answer, but an argument is changed on the way."""
    def changed(*args):
        value = function(*args)
        args[place].append(0) if isinstance(args[place], list) else args[place].mul_(2)
        return value
    return changed


def example(function, *args):
    """The answer to one call, whatever is asked."""
    value = function(*args)
    return lambda *_: value


def no_errors(function, instead):
    """The right answer, without the check of the input."""
    def lenient(*args):
        try: return function(*args)
        except (ValueError, TypeError): return instead
    return lenient


def raises(*_): raise RuntimeError("never gets there")


def next_fit(lengths, budget):
    rows, room = [], 0
    for i, n in enumerate(lengths):
        if n > budget: raise ValueError("too long")
        if n > room: rows, room = [*rows, []], budget
        rows[-1].append(i)
        room -= n
    return rows


def best_fit(lengths, budget):
    rows, room = [], []
    for i, n in enumerate(lengths):
        if n > budget: raise ValueError("too long")
        row = min((r for r in range(len(room)) if n <= room[r]), key=lambda r: room[r], default=len(rows))
        if row == len(rows): rows.append([]), room.append(budget)
        rows[row].append(i)
        room[row] -= n
    return rows


def never_full(lengths, budget):
    if any(n > budget for n in lengths): raise ValueError("too long")
    return first_fit(lengths, max([budget - 1, *lengths]))


def longest_first(lengths, budget):
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    return [[order[i] for i in row] for row in first_fit([lengths[i] for i in order], budget)]


def fit_by_sums(lengths, budget):
    if max(lengths, default=0) > budget: raise ValueError("a sequence does not fit")
    rows = []
    for i, n in enumerate(lengths):
        for row in rows:
            if sum(lengths[j] for j in row) + n <= budget:
                row.append(i)
                break
        else: rows.append([i])
    return rows


def fit_recursive(lengths, budget):
    if not lengths: return []
    if lengths[0] > budget: raise ValueError("a sequence does not fit")
    row, left, room = [], [], budget
    for i, n in enumerate(lengths):
        if n > budget: raise ValueError("a sequence does not fit")
        (row if n <= room else left).append(i)
        room -= n if n <= room else 0
    return [row] + [[left[j] for j in r] for r in fit_recursive([lengths[i] for i in left], budget)]


def fit_numbered(lengths, budget):
    if any(n > budget for n in lengths): raise ValueError("a sequence does not fit")
    room, row_of = [budget] * len(lengths), []
    for n in lengths:
        row_of.append(min(r for r, free in enumerate(room) if free >= n))
        room[row_of[-1]] -= n
    return [[i for i, r in enumerate(row_of) if r == row] for row in range(max(row_of, default=-1) + 1)]


def grid_checked(divide):
    def grid(size, p):
        if any(s % q for s, q in zip(size, p)): raise ValueError("does not divide")
        return divide(size, p)
    return grid


def grid_loop(size, p):
    counts = []
    for i in range(3):
        count, rest = divmod(size[i], p[i])
        if rest: raise ValueError("does not divide")
        counts.append(count)
    return tuple(counts)


def patch_loop(x, p):
    clip_fits(x, p)
    f, h, w = (s // q for s, q in zip(x.shape[2:], p))
    boxes = [x[:, :, i * p[0]:(i + 1) * p[0], j * p[1]:(j + 1) * p[1], k * p[2]:(k + 1) * p[2]].flatten(1)
             for i in range(f) for j in range(h) for k in range(w)]
    return torch.stack(boxes, 1)


def patch_view(x, p):
    clip_fits(x, p)
    b, c, f, h, w = x.shape
    x = x.reshape(b, c, f // p[0], p[0], h // p[1], p[1], w // p[2], p[2])
    return x.permute(0, 2, 4, 6, 1, 3, 5, 7).reshape(b, -1, c * math.prod(p))


def patch_unfold(x, p):
    clip_fits(x, p)
    x = x.unfold(2, p[0], p[0]).unfold(3, p[1], p[1]).unfold(4, p[2], p[2])
    return x.movedim(1, 4).flatten(4).flatten(1, 3)


def join_loop(t, size, p):
    tokens_fit(t, size, p)
    f, h, w = (s // q for s, q in zip(size, p))
    x = t.new_empty(len(t), t.shape[2] // math.prod(p), *size)
    for n in range(t.shape[1]):
        i, j, k = n // (h * w), n // w % h, n % w
        x[:, :, i * p[0]:(i + 1) * p[0], j * p[1]:(j + 1) * p[1], k * p[2]:(k + 1) * p[2]] = t[:, n].reshape(len(t), -1, *p)
    return x


def join_view(t, size, p):
    tokens_fit(t, size, p)
    f, h, w = (s // q for s, q in zip(size, p))
    return t.reshape(len(t), f, h, w, -1, *p).permute(0, 4, 1, 5, 2, 6, 3, 7).reshape(len(t), -1, *size)


def join_indices(t, size, p):
    tokens_fit(t, size, p)
    places = patchify(torch.arange(math.prod(size)).float().reshape(1, 1, *size), p)[0].long().flatten()
    channels = rearrange(t, "b n (c p) -> b c (n p)", p=math.prod(p))
    return channels[:, :, places.argsort()].reshape(len(t), -1, *size)


def grid_torch(size, p=(1, 1, 1)):
    grid_size(size, p)
    return torch.stack(torch.meshgrid(*[torch.arange(s // q) for s, q in zip(size, p)], indexing="ij"), -1).reshape(-1, 3)


def place_loop(size, p=(1, 1, 1)):
    f, h, w = grid_size(size, p)
    return torch.tensor([[i, j, k] for i in range(f) for j in range(h) for k in range(w)])


def place_divide(size, p=(1, 1, 1)):
    f, h, w = grid_size(size, p)
    n = torch.arange(f * h * w)
    return torch.stack([n // (h * w), n // w % h, n % w], 1)


def mask_loop(ids):
    return torch.stack([torch.stack([row == i for i in row]) for row in ids])


def levels(t, x, per_clip, per_frame):
    t = torch.as_tensor(t)
    if not t.is_floating_point(): raise TypeError("t must be a float")
    if t.ndim == 0: t = t.repeat(len(x))
    if t.ndim == 1 and len(t) == len(x): return per_clip(t, x)
    if x.ndim == 5 and t.shape == (x.shape[0], x.shape[2]): return per_frame(t, x)
    raise ValueError("t does not fit x")


def clip_axes(t, x): return t.reshape(-1, *[1] * (x.ndim - 1))
def frame_axes(t, x): return t[:, None, :, None, None]
def mix(process, x, noise, t): return (*process.alpha_sigma(broadcast_t(t, x)), x, noise)


def adding(formula):
    """add_noise with its checks and this formula of alpha, sigma, x and noise."""
    def add_noise(self, x, noise, t):
        check_same_shape(x, noise=noise)
        if (t < 0).any() or (t > 1).any(): raise ValueError("t must lie in [0, 1]")
        return formula(*mix(self, x, noise, t))
    return add_noise


def aiming(**formulas):
    """target with one formula of alpha, sigma, x and noise for each prediction; those left out are right."""
    right = dict(noise=lambda a, s, x, e: e, data=lambda a, s, x, e: x, v=lambda a, s, x, e: a * e - s * x, velocity=lambda a, s, x, e: e - x)
    return lambda self, x, noise, t: (right | formulas)[self.prediction](*mix(self, x, noise, t))


def target_branches(self, x, noise, t):
    if self.prediction == "noise": return noise.clone()
    if self.prediction == "data": return x.clone()
    alpha, sigma = (1, 1) if self.prediction == "velocity" else self.alpha_sigma(broadcast_t(t, x))
    return alpha * noise - sigma * x


def target_einsum(self, x, noise, t):
    alpha, sigma = (part.expand_as(x) for part in self.alpha_sigma(broadcast_t(t, x)))
    weights = dict(noise=(0 * sigma, 0 * alpha + 1), data=(0 * sigma + 1, 0 * alpha), v=(-sigma, alpha), velocity=(0 * sigma - 1, 0 * alpha + 1))
    return torch.einsum("i...,i...->...", torch.stack(weights[self.prediction]), torch.stack([x, noise]))


def shifting(formula):
    def shift(t, s):
        if s <= 0: raise ValueError("shift must be above 0")
        return formula(t, s)
    return shift


def cosine(steps, offset=0.008, limit=0.999, power=2, half=2, first=1, dtype=torch.float64):
    k = torch.arange(steps + 1, dtype=dtype) / steps
    bar = torch.cos((k + offset) / (1 + offset) * torch.pi / half) ** power
    betas = 1 - bar[1:] / bar[:-1]
    return (1 - betas.clamp(max=limit).float()).cumprod(0) if first else 1 - betas.float()


def cosine_loop(steps):
    def curve(k): return math.cos((k / steps + 0.008) / 1.008 * math.pi / 2) ** 2
    left, bars = 1.0, []
    for k in range(steps):
        left *= 1 - min(1 - curve(k + 1) / curve(k), 0.999)
        bars.append(left)
    return torch.tensor(bars)


def cosine_logs(steps):
    bar = torch.cos((torch.linspace(0, 1, steps + 1, dtype=torch.float64) + 0.008) / 1.008 * torch.pi / 2).square()
    return (bar[1:] / bar[:-1]).clamp(min=0.001).log().cumsum(0).exp().float()


def square_positions(size, p=(1, 1, 1)):
    grid = grid_size(size, p)
    return positions((grid[0], grid[1], grid[1]))


RIGHT = {
    "03.1": dict(loop=grid_loop, comprehension=grid_checked(lambda s, p: tuple(a // b for a, b in zip(s, p))),
                 tensor=grid_checked(lambda s, p: (torch.tensor(s) // torch.tensor(p)).tolist())),
    "03.2": dict(loop=patch_loop, view=patch_view, unfold=patch_unfold),
    "03.3": dict(loop=join_loop, view=join_view, indices=join_indices),
    "03.4": dict(int32=lambda *a: positions(*a).int(), meshgrid=grid_torch, loop=place_loop, divide=place_divide),
    "03.5": dict(sums=fit_by_sums, recursive=fit_recursive, numbered=fit_numbered),
    "03.6": dict(loop=mask_loop, einops=lambda i: repeat(i, "b n -> b n m", m=i.shape[1]) == rearrange(i, "b n -> b 1 n"),
                 difference=lambda i: (i[:, :, None] - i[:, None]).abs() < 1),
    "05.1": dict(index=lambda t, x: levels(t, x, lambda t, x: t[(...,) + (None,) * (x.ndim - 1)], frame_axes),
                 view=lambda t, x: levels(t, x, clip_axes, lambda t, x: t.view(len(x), 1, -1, 1, 1)),
                 einops=lambda t, x: levels(t, x, lambda t, x: rearrange(t, f"b -> b {'1 ' * (x.ndim - 1)}"), lambda t, x: rearrange(t, "b f -> b 1 f 1 1"))),
    "05.2": dict(sum=adding(lambda a, s, x, e: s * e + a * x), addcmul=adding(lambda a, s, x, e: torch.addcmul(a * x, s.expand_as(e), e)),
                 stack=adding(lambda a, s, x, e: torch.stack([a * x, s * e]).sum(0))),
    "05.3": dict(branches=target_branches, table=aiming(), einsum=target_einsum),
    "05.4": dict(inverse=shifting(lambda t, s: t / (t + (1 - t) / s)), odds=shifting(lambda t, s: 1 - (1 - t) / (1 + (s - 1) * t)),
                 loop=shifting(lambda t, s: torch.tensor([s * u / (1 + (s - 1) * u) for u in t.flatten().tolist()]).reshape(t.shape))),
    "05.5": dict(loop=cosine_loop, logs=cosine_logs, parameters=cosine),
}

toy = torch.arange(8.0).reshape(1, 1, 2, 2, 2)
WRONG = {
    "03.1": {"true division": grid_checked(lambda s, p: tuple(a / b for a, b in zip(s, p))), "no check": lambda s, p: tuple(a // b for a, b in zip(s, p)),
             "rounded up": lambda s, p: tuple(math.ceil(a / b) for a, b in zip(s, p)), "the count": grid_checked(lambda s, p: math.prod(s) // math.prod(p)),
             "height and width swapped": grid_checked(lambda s, p: (s[0] // p[0], s[2] // p[2], s[1] // p[1])), "turned round": grid_checked(lambda s, p: grid_size(s, p)[::-1]),
             "off by one": grid_checked(lambda s, p: tuple(a // b + 1 for a, b in zip(s, p))), "square only": grid_checked(lambda s, p: (s[0] // p[0], s[1] // p[1], s[1] // p[1])),
             "the example": example(grid_size, (2, 2, 2), (2, 1, 2)), "two axes": grid_checked(lambda s, p: tuple(a // b for a, b in zip(s[1:], p[1:]))),
             "wrong error": lambda s, p: grid_size(s, p) if not any(a % b for a, b in zip(s, p)) else raises(), "nothing": lambda s, p: None,
             "one axis checked": lambda s, p: grid_size(s, p) if s[0] % p[0] else tuple(a // b for a, b in zip(s, p)), "the patch": grid_checked(lambda s, p: p)},
    "03.2": {"tokens and channels swapped": lambda x, p: patchify(x, p).mT, "channel last": lambda x, p: cut(x, p, "b (f h w) (pf ph pw c)"),
             "column before row": lambda x, p: cut(x, p, "b (f w h) (c pf ph pw)"), "frame fastest": lambda x, p: cut(x, p, "b (h w f) (c pf ph pw)"),
             "inside turned": lambda x, p: cut(x, p, "b (f h w) (c pf pw ph)"), "inside and out mixed": lambda x, p: cut(x, p, "b (pf ph pw) (c f h w)"),
             "plain reshape": lambda x, p: x.reshape(len(x), -1, x.shape[1] * math.prod(p)), "turned sign": lambda x, p: -patchify(x, p),
             "scaled": lambda x, p: patchify(x, p) / 2, "in place": in_place(patchify), "double": lambda x, p: patchify(x, p).double(), "half": lambda x, p: patchify(x, p).half().float(),
             "a list": lambda x, p: patchify(x, p).tolist(), "example": example(patchify, toy, (2, 1, 2)), "no batch": lambda x, p: patchify(x, p)[0],
             "one token lost": lambda x, p: patchify(x, p)[:, 1:], "tokens reversed": lambda x, p: patchify(x, p).flip(1), "clips mixed": lambda x, p: patchify(x, p).roll(1, 0),
             "NaN": lambda x, p: patchify(x, p) / 0, "raises": raises, "patch turned": lambda x, p: patchify(x.mT, (p[0], p[2], p[1]))},
    "03.3": {"height and width swapped": lambda t, s, p: paste(t, s, p, "b (f w h) (c pf ph pw)"), "channel last": lambda t, s, p: paste(t, s, p, "b (f h w) (pf ph pw c)"),
             "inside turned": lambda t, s, p: paste(t, s, p, "b (f h w) (c pf pw ph)"), "frame fastest": lambda t, s, p: paste(t, s, p, "b (h w f) (c pf ph pw)"),
             "inside and out mixed": lambda t, s, p: paste(t, s, p, "b (f h w) (c pf ph pw)", "b c (pf f) (ph h) (pw w)"), "tall": lambda t, s, p: unpatchify(t, s, p).mT,
             "plain reshape": lambda t, s, p: t.reshape(len(t), -1, *s), "sign": lambda t, s, p: -unpatchify(t, s, p), "in place": in_place(unpatchify), "double": lambda t, s, p: unpatchify(t, s, p).double(),
             "frames first": lambda t, s, p: unpatchify(t, s, p).transpose(1, 2), "clipped": lambda t, s, p: unpatchify(t, s, p).clamp(-0.5, 0.5), "one frame lost": lambda t, s, p: unpatchify(t, s, p)[:, :, :-1],
             "grey": lambda t, s, p: unpatchify(t, s, p).mean(1, keepdim=True).expand(-1, 3, -1, -1, -1), "the example": example(unpatchify, patchify(toy, (2, 1, 2)), (2, 2, 2), (2, 1, 2)), "raises": raises},
    "03.4": {"frame fastest": lambda s, p=(1, 1, 1): torch.cartesian_prod(*[torch.arange(n) for n in grid_size(s, p)[::-1]]).flip(1), "turned": lambda *a: positions(*a).flip(1),
             "from one": lambda *a: positions(*a) + 1, "in pixels": lambda s, p=(1, 1, 1): positions(s, p) * torch.tensor(p), "floats": lambda *a: positions(*a).float(), "axes swapped": lambda *a: positions(*a).mT,
             "square only": square_positions, "no default": lambda s, p: positions(s, p), "patch ignored": lambda s, p=(1, 1, 1): positions(s),
             "the example": example(positions, (2, 2, 2), (2, 1, 1)), "backwards": lambda *a: positions(*a).flip(0), "shares": lambda *a: positions(*a) / positions(*a).amax(0).clamp(min=1),
             "column before row": lambda *a: positions(*a)[:, [0, 2, 1]], "a list": lambda *a: positions(*a).tolist()},
    "03.5": {"next fit": next_fit, "best fit": best_fit, "never full": never_full, "longest first": longest_first, "no check": no_errors(first_fit, []),
             "one each": lambda n, b: [[i] for i in range(len(first_fit(n, b) and n))], "all in one": lambda n, b: first_fit(n, b) and [list(range(len(n)))], "lengths for indices": lambda n, b: [[n[i] for i in row] for row in first_fit(n, b)],
             "from one": lambda n, b: [[i + 1 for i in row] for row in first_fit(n, b)], "backwards": lambda n, b: [row[::-1] for row in first_fit(n, b)], "rows backwards": lambda n, b: first_fit(n, b)[::-1],
             "one dropped": lambda n, b: [row for row in first_fit(n, b)[:-1]], "budget + 1": lambda n, b: first_fit(n, b) and first_fit(n, b + 1), "in place": in_place(first_fit), "nothing": lambda n, b: None,
             "an empty row": lambda n, b: [*first_fit(n, b), []], "tensors": lambda n, b: [torch.tensor(row) for row in first_fit(n, b)], "the example": example(first_fit, [5, 4, 3, 2, 1], 8)},
    "03.6": {"turned": lambda i: ~attention_mask(i), "float": lambda i: attention_mask(i).float(), "int": lambda i: attention_mask(i).int(), "padding sees nothing": lambda i: attention_mask(i) & (i >= 0)[:, :, None],
             "padding sees itself only": lambda i: attention_mask(i) & ((i >= 0)[:, :, None] | torch.eye(i.shape[1]).bool()), "all": lambda i: torch.ones_like(attention_mask(i)), "causal": lambda i: attention_mask(i).tril(),
             "at most": lambda i: i[:, :, None] <= i[:, None], "one axis": lambda i: i[:, :, None] == i[:, :, None], "heads": lambda i: attention_mask(i)[:, None], "first row": lambda i: attention_mask(i[:1]).expand(len(i), -1, -1),
             "scores": lambda i: torch.zeros(attention_mask(i).shape).masked_fill(~attention_mask(i), -torch.inf), "neighbours": lambda i: attention_mask(i) & (torch.arange(i.shape[1])[:, None] - torch.arange(i.shape[1])).abs().le(1),
             "in place": in_place(attention_mask), "itself only": lambda i: torch.eye(i.shape[1]).bool().repeat(len(i), 1, 1), "the example": example(attention_mask, torch.tensor([[0, 0, 1, -1]])), "clips not rows": lambda i: i[:, None] == i[None]},
    "05.1": {"frames on channels": lambda t, x: levels(t, x, clip_axes, lambda t, x: t[:, :, None, None, None]), "frames on height": lambda t, x: levels(t, x, clip_axes, lambda t, x: t[:, None, None, :, None]),
             "frames on width": lambda t, x: levels(t, x, clip_axes, lambda t, x: t[:, None, None, None, :]), "clips only": lambda t, x: levels(t, x, lambda t, x: t[:, None, None, None, None], frame_axes),
             "one axis short": lambda t, x: levels(t, x, lambda t, x: t.reshape(-1, *[1] * (x.ndim - 2)), frame_axes), "full size": lambda t, x: broadcast_t(t, x).expand_as(x), "mean over frames": lambda t, x: broadcast_t(t, x).mean(2, keepdim=True) if x.ndim == 5 else broadcast_t(t, x),
             "steps pass": lambda t, x: broadcast_t(t.float() if isinstance(t, torch.Tensor) else t, x), "no error": no_errors(broadcast_t, torch.zeros(1)), "one number unhandled": lambda t, x: broadcast_t(t, x) if isinstance(t, torch.Tensor) else raises(), "sign": lambda t, x: -broadcast_t(t, x),
             "turned": lambda t, x: 1 - broadcast_t(t, x), "double": lambda t, x: broadcast_t(t, x).double(), "batch reversed": lambda t, x: broadcast_t(t, x).flip(0), "wrong error": lambda t, x: raises() if isinstance(t, torch.Tensor) and t.ndim == 2 and len(t) == 3 else broadcast_t(t, x),
             "in place": lambda t, x: in_place(broadcast_t)(t, x) if isinstance(t, torch.Tensor) and t.is_floating_point() else broadcast_t(t, x), "per frame refused": lambda t, x: broadcast_t(t[:, 0] if getattr(t, "ndim", 0) == 2 else t, x), "t itself": lambda t, x: t},
    "05.2": {"data and noise swapped": adding(lambda a, s, x, e: a * e + s * x), "minus": adding(lambda a, s, x, e: a * x - s * e), "rectified flow only": lambda p, x, e, t: adding(lambda a, s, x, e: 0 * a + x)(p, x, e, t) * (1 - broadcast_t(t, x)) + broadcast_t(t, x) * e,
             "no alpha": adding(lambda a, s, x, e: x + s * e), "no sigma": adding(lambda a, s, x, e: a * x + e), "squares": adding(lambda a, s, x, e: a ** 2 * x + s ** 2 * e), "roots": adding(lambda a, s, x, e: a ** 0.5 * x + s ** 0.5 * e),
             "own noise": adding(lambda a, s, x, e: a * x + s * torch.randn_like(e)), "no shape check": lambda p, x, e, t: adding(lambda a, s, x, e: a * x + s * e)(p, x, e.reshape(x.shape), t), "no range check": lambda p, x, e, t: adding(lambda a, s, x, e: a * x + s * e)(p, x, e, t.clamp(0, 1)),
             "one level for all": lambda p, x, e, t: adding(lambda a, s, x, e: a * x + s * e)(p, x, e, t.mean().expand(len(x))), "in place": in_place(adding(lambda a, s, x, e: a * x + s * e), 1), "t in place": in_place(adding(lambda a, s, x, e: a * x + s * e), 3),
             "double": adding(lambda a, s, x, e: (a * x + s * e).double()), "clipped": adding(lambda a, s, x, e: (a * x + s * e).clamp(-1, 1)), "only data": adding(lambda a, s, x, e: a * x), "a pair": adding(lambda a, s, x, e: (a * x + s * e, e)), "alpha as a share": adding(lambda a, s, x, e: a * x + (1 - a) * e)},
    "05.3": {"velocity sign": aiming(velocity=lambda a, s, x, e: x - e), "v sign": aiming(v=lambda a, s, x, e: s * x - a * e), "v is velocity": aiming(v=lambda a, s, x, e: e - x), "velocity is v": aiming(velocity=lambda a, s, x, e: a * e - s * x), "v swapped": aiming(v=lambda a, s, x, e: s * e - a * x),
             "v plus": aiming(v=lambda a, s, x, e: a * e + s * x), "noise is data": aiming(noise=lambda a, s, x, e: x), "data is noise": aiming(data=lambda a, s, x, e: e), "scaled noise": aiming(noise=lambda a, s, x, e: s * e), "scaled data": aiming(data=lambda a, s, x, e: a * x),
             "mixture": aiming(data=lambda a, s, x, e: a * x + s * e), "half": lambda p, x, e, t: aiming()(p, x, e, t) / 2, "in place": in_place(aiming(), 2), "double": lambda p, x, e, t: aiming()(p, x, e, t).double(), "one level": lambda p, x, e, t: aiming()(p, x, e, t.mean().expand(len(x))), "always velocity": lambda p, x, e, t: e - x, "always noise": lambda p, x, e, t: e + 0},
    "05.4": {"other way": shifting(lambda t, s: t / (s + (1 - s) * t)), "no s above": shifting(lambda t, s: t / (1 + (s - 1) * t)), "no one": shifting(lambda t, s: s * t / ((s - 1) * t + s)), "plus": shifting(lambda t, s: s * t / (1 + (s + 1) * t)), "times": shifting(lambda t, s: s * t),
             "clipped times": shifting(lambda t, s: (s * t).clamp(max=1)), "power": shifting(lambda t, s: t ** (1 / s)), "none": shifting(lambda t, s: t + 0), "no check": no_errors(shift_t, torch.zeros(2)), "from the other end": shifting(lambda t, s: 1 - shift_t(t, s)), "in place": shifting(in_place(shift_t)),
             "double": shifting(lambda t, s: shift_t(t, s).double()), "the example": shifting(lambda t, s: shift_t(t, 3.0)), "squared": shifting(lambda t, s: shift_t(t, s * s)), "sum": shifting(lambda t, s: shift_t(t, s).sum()), "wrong error": lambda t, s: shift_t(t, s) if s > 0 else raises()},
    "05.5": {"no offset": lambda n: cosine(n, offset=0), "no limit": lambda n: cosine(n, limit=1.0), "limit 0.99": lambda n: cosine(n, limit=0.99), "no square": lambda n: cosine(n, power=1), "no half": lambda n: cosine(n, half=2.1), "alphas, not their product": lambda n: cosine(n, first=0),
             "one value more": lambda n: torch.cat([torch.ones(1), cosine(n)]), "starts at one": lambda n: torch.cat([torch.ones(1), cosine(n)])[:-1], "one step on": lambda n: cosine(n + 1)[1:], "double": lambda n: cosine(n).double(), "noise for signal": lambda n: 1 - cosine(n), "roots": lambda n: cosine(n).sqrt(),
             "backwards": lambda n: cosine(n).flip(0), "the example": example(cosine_alpha_bar, 1000), "linear": lambda n: torch.linspace(1, 0, n + 2)[1:-1], "sine": lambda n: (1 - cosine(n).flip(0)), "a list": lambda n: cosine(n).tolist(), "betas": lambda n: 1 - cosine(n, first=0)},
}
