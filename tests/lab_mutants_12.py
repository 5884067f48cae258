"""Chapter 12: wrong answers that a check must reject, and right ones, written differently, that it must accept: {exercise id: {name: function}}."""
import math

import numpy as np
import torch
import torch.nn.functional as F
from einops import einsum, reduce

from lab_mutants import example, in_place, no_errors, raises
from sora_edu.evaluation import frechet_distance, interval, kernel_distance, motion_of, tracks, tubes


# --- 12.1 ----------------------------------------------------------------------------------------

def tracked(half=.5, floor=1e-3, swap=False, power=2, divide=2, root=False, about=None):
    """tracks, with one thing different."""
    def made(masks):
        o, f, h, w = masks.shape
        y, x = torch.arange(h) + half, torch.arange(w) + half
        area = masks.sum((2, 3)).clamp(min=floor)
        row, column = (masks * y[:, None]).sum((2, 3)) / area, (masks * x).sum((2, 3)) / area
        r, c = (row, column) if about is None else (torch.full_like(row, h / 2), torch.full_like(column, w / 2)) if about == "middle" else (row.mean(1, keepdim=True).expand_as(row), column.mean(1, keepdim=True).expand_as(column))
        away = (y[:, None] - r[..., None, None]).abs() ** power + (x - c[..., None, None]).abs() ** power
        spread = (masks * away).sum((2, 3)) / area ** divide
        if swap: row, column = column, row
        return area, row, column, spread.sqrt() if root else spread
    return made


def track_loop(masks):
    out = torch.zeros(4, *masks.shape[:2])
    for o, clip in enumerate(masks):
        for f, frame in enumerate(clip):
            ys, xs = torch.meshgrid(torch.arange(frame.shape[0]) + .5, torch.arange(frame.shape[1]) + .5, indexing="ij")
            area = max(frame.sum().item(), 1e-3)
            r, c = (frame * ys).sum() / area, (frame * xs).sum() / area
            out[:, o, f] = torch.tensor([area, r, c, (frame * ((ys - r) ** 2 + (xs - c) ** 2)).sum() / area ** 2])
    return tuple(out)


def track_moments(masks):
    """By E[x²] - E[x]², with the part that an area below 0.001 leaves over."""
    m = masks.double()
    y, x = (torch.arange(n).double() + .5 for n in m.shape[2:])
    true, area = m.sum((2, 3)), m.sum((2, 3)).clamp(min=1e-3)
    row, column = einsum(m, y, "o f h w, h -> o f") / area, einsum(m, x, "o f h w, w -> o f") / area
    square = einsum(m, y ** 2, "o f h w, h -> o f") + einsum(m, x ** 2, "o f h w, w -> o f")
    second = square - 2 * area * (row ** 2 + column ** 2) + true * (row ** 2 + column ** 2)
    return tuple(t.float() for t in (area, row, column, second / area ** 2))


def track_einops(masks):
    y, x = (torch.arange(n) + .5 for n in masks.shape[2:])
    area = reduce(masks, "o f h w -> o f", "sum").clamp(min=1e-3)
    row, column = einsum(masks, y, "o f h w, h -> o f") / area, einsum(masks, x, "o f h w, w -> o f") / area
    rows, columns = (y - row[..., None]) ** 2, (x - column[..., None]) ** 2
    return area, row, column, (einsum(masks, rows, "o f h w, o f h -> o f") + einsum(masks, columns, "o f h w, o f w -> o f")) / area ** 2


def only(place, change):
    """tracks, with one of its four results changed."""
    def made(masks):
        out = list(tracks(masks))
        out[place] = change(out[place], masks)
        return tuple(out)
    return made


# --- 12.2 ----------------------------------------------------------------------------------------

def wilson(z=1.96, middle=lambda p, n, z: p + z * z / (2 * n), half=lambda p, n, z: z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)), under=lambda n, z: 1 + z * z / n, digits=2, percent=100):
    def made(share, n):
        if n < 1 or not 0 <= share <= 100: raise ValueError("interval: at least one case, and a share of 0 to 100%")
        p = share / percent
        return [round(percent * (middle(p, n, z) + sign * half(p, n, z)) / under(n, z), digits) for sign in (-1, 1)]
    return made


def wilson_counts(percent, n):
    if n <= 0 or percent < 0 or percent > 100: raise ValueError("interval")
    right, z2 = percent * n / 100, 1.96 ** 2
    centre, reach = (right + z2 / 2) / (n + z2), 1.96 / (n + z2) * (right * (n - right) / n + z2 / 4) ** .5
    return [round(100 * (centre - reach), 2), round(100 * (centre + reach), 2)]


def wilson_roots(percent, n):
    """The two solutions of (p - e)² = z² e (1 - e) / n."""
    if not (n >= 1 and 0 <= percent <= 100): raise ValueError("interval")
    p, k = percent / 100, 1.96 ** 2 / n
    a, b, c = 1 + k, -(2 * p + k), p * p
    root = math.sqrt(b * b - 4 * a * c)
    return [round(100 * (-b - root) / (2 * a), 2), round(100 * (-b + root) / (2 * a), 2)]


def wilson_search(percent, n):
    if n < 1 or not 0 <= percent <= 100: raise ValueError("interval")
    p, ends = percent / 100, []
    for inside, outside in ((p, 0.), (p, 1.)):
        for _ in range(200):
            middle = (inside + outside) / 2
            if abs(p - middle) <= 1.96 * math.sqrt(middle * (1 - middle) / n): inside = middle
            else: outside = middle
        ends.append(round(100 * inside, 2))
    return ends


# --- 12.3 ----------------------------------------------------------------------------------------

STEPS = [(i, j, k) for i in (-1, 0, 1) for j in (-1, 0, 1) for k in (-1, 0, 1)]


def flood(steps=STEPS, mark=max, clips=True, wrap=False):
    """Pieces by flooding from place to place; `mark` picks the number of a piece from those of its places."""
    def made(inside):
        b, f, h, w = inside.shape
        out, left = torch.zeros(inside.shape, dtype=torch.int64), set(map(tuple, inside.nonzero().tolist()))
        number = lambda p: ((p[0] * f + p[1]) * h + p[2]) * w + p[3] + 1
        order = 0
        while left:
            piece, edge = [], [left.pop()]
            while edge:
                piece.append(place := edge.pop())
                for i, j, k in steps:
                    for c in ((0,) if clips else (-1, 0, 1)):
                        near = (place[0] + c, place[1] + i, place[2] + j, place[3] + k)
                        if wrap: near = (near[0], near[1] % f, near[2] % h, near[3] % w)
                        if near in left: left.remove(near), edge.append(near)
            order += 1
            for place in piece: out[place] = mark(map(number, piece)) if mark else order
        return out
    return made


def grow(label, inside, kernel=3): return F.max_pool3d(label[:, None], kernel, 1, kernel // 2)[:, 0] * inside
def start(inside): return torch.arange(1., inside.numel() + 1).reshape(inside.shape) * inside


def grown(rounds, kernel=3, keep=True):
    """A fixed number of steps."""
    def made(inside):
        label = start(inside)
        for _ in range(rounds): label = F.max_pool3d(label[:, None], kernel, 1, kernel // 2)[:, 0] * (inside if keep else 1)
        return label.long() * (1 if keep else inside)
    return made


def tubes_axes(inside):
    """One pooling for each axis, one after the other; as many rounds as there are places."""
    label = start(inside).double()
    for _ in range(inside[0].numel()):
        before, x = label, label
        for axis in (1, 2, 3):
            pad = [0] * 6
            pad[2 * (3 - axis)] = pad[2 * (3 - axis) + 1] = 1
            x = F.pad(x, pad).unfold(axis, 3, 1).amax(-1)
        label = x * inside
        if torch.equal(before, label): break
    return label.int()


def tubes_union(inside):
    parent = {p: p for p in map(tuple, inside.nonzero().tolist())}
    def root(p):
        while parent[p] != p: p = parent[p]
        return p
    for p in sorted(parent):
        for i, j, k in STEPS:
            q = (p[0], p[1] + i, p[2] + j, p[3] + k)
            if q in parent:
                a, b = sorted((root(p), root(q)))
                parent[a] = b
    _, f, h, w = inside.shape
    out = torch.zeros_like(inside, dtype=torch.long)
    for p in parent: out[p] = int(np.ravel_multi_index(root(p), inside.shape)) + 1
    return out


def renumbered(inside):
    label = tubes(inside)
    for i, n in enumerate(label.unique()[1:].tolist()): label[label == n] = i + 1
    return label


# --- 12.4 ----------------------------------------------------------------------------------------

def moved(near=3., ratio=1.3, quarter=math.pi, round_=.5, back=.5, extent=lambda x: x.max() - x.min(), growth=lambda r: r[-2:].mean() / r[:2].mean(), end=lambda x: x[-1] - x[0], turned=lambda t: abs(t[-1]), order="ctrv"):
    """motion_of, with one thing different."""
    def made(row, column, radius, turn):
        down, right = extent(row), extent(column)
        if max(down, right) < near:
            g = growth(radius)
            if g > ratio: return "grows"
            if g < 1 / ratio: return "shrinks"
            return "spins" if turned(turn) > quarter else "still"
        if min(down, right) > round_ * max(down, right): return "circles"
        if right > down: return "right" if end(column) > 0 else "left"
        if abs(end(row)) < back * down: return "bounces"
        return "down" if end(row) > 0 else "up"
    return made


def motion_table(row, column, radius, turn):
    y, x, r, t = (np.asarray(c, dtype=float) for c in (row, column, radius, turn))
    dy, dx = np.ptp(y), np.ptp(x)
    g = r[-2:].sum() / r[:2].sum()
    rules = [(max(dy, dx) < 3 and g > 1.3, "grows"), (max(dy, dx) < 3 and 1 / g > 1.3, "shrinks"), (max(dy, dx) < 3 and abs(t[-1]) > np.pi, "spins"), (max(dy, dx) < 3, "still"),
             (2 * min(dy, dx) > max(dy, dx), "circles"), (dx > dy and x[-1] > x[0], "right"), (dx > dy, "left"), (2 * abs(y[-1] - y[0]) < dy, "bounces"), (y[-1] > y[0], "down"), (True, "up")]
    return next(name for holds, name in rules if holds)


def motion_signs(row, column, radius, turn):
    reach = torch.stack([row, column]).aminmax(dim=1)
    down, right = (reach.max - reach.min).tolist()
    if down < 3 and right < 3:
        growth = math.log(float(radius[-2:].mean())) - math.log(float(radius[:2].mean()))
        if abs(growth) > math.log(1.3): return ("shrinks", "grows")[growth > 0]
        return ("still", "spins")[abs(turn[-1].item()) > math.pi]
    small, large = sorted((down, right))
    if small / large > .5: return "circles"
    net = ((row if down >= right else column)[[0, -1]]).diff().item()
    if down >= right and abs(net) < down / 2: return "bounces"
    return {(True, True): "down", (True, False): "up", (False, True): "right", (False, False): "left"}[down >= right, net > 0]


def renamed(**names): return lambda *curves: names.get(word := motion_of(*curves), word)


# --- 12.5 and 12.6 -------------------------------------------------------------------------------

def root_of(m):
    values, vectors = torch.linalg.eigh(m)
    return vectors @ torch.diag(values.clamp(min=0).sqrt()) @ vectors.T


def frechet(means=lambda d: d.square().sum(), correction=1, factor=2, mixed=lambda a, b: torch.linalg.eigvalsh(root_of(a) @ b @ root_of(a)).clamp(min=0).sqrt().sum(), finish=lambda x: x):
    """frechet_distance, with one thing different."""
    def made(a, b):
        a, b = a.double(), b.double()
        one, two = (x.T.cov(correction=correction).reshape(x.shape[1], -1) for x in (a, b))
        return finish(means(a.mean(0) - b.mean(0)) + one.trace() + two.trace() - factor * mixed(one, two))
    return made


def frechet_svd(a, b):
    """The trace of the root is the sum of the singular values of the product of the centred sets."""
    a, b = a.double(), b.double()
    x, y = ((s - s.mean(0)) / math.sqrt(len(s) - 1) for s in (a, b))
    return (a.mean(0) - b.mean(0)).pow(2).sum() + x.pow(2).sum() + y.pow(2).sum() - 2 * torch.linalg.svdvals(x @ y.T).sum()


def frechet_eigenvalues(a, b):
    a, b = a.double().numpy(), b.double().numpy()
    one, two = (np.cov(x, rowvar=False).reshape(x.shape[1], -1) for x in (a, b))
    mixed = np.sqrt(np.clip(np.linalg.eigvals(one @ two).real, 0, None)).sum()
    return torch.tensor(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(one) + np.trace(two) - 2 * mixed)


def frechet_nuclear(a, b):
    a, b = a.double(), b.double()
    one, two = (x.T.cov().reshape(x.shape[1], -1) for x in (a, b))
    return torch.dist(a.mean(0), b.mean(0)) ** 2 + torch.trace(one + two) - 2 * torch.linalg.matrix_norm(root_of(one) @ root_of(two), "nuc")


def mmd(kernel=lambda x, y: (x @ y.T / x.shape[1] + 1) ** 3, within=lambda k: (k.sum() - k.diagonal().sum()) / (len(k) * (len(k) - 1)), across=2, finish=lambda x: x):
    """kernel_distance, with one thing different."""
    def made(a, b):
        a, b = a.double(), b.double()
        return finish(within(kernel(a, a)) + within(kernel(b, b)) - across * kernel(a, b).mean())
    return made


def mmd_loop(a, b):
    a, b = a.double(), b.double()
    k = lambda x, y: (float(x @ y) / len(x) + 1) ** 3
    one = sum(k(x, y) for i, x in enumerate(a) for j, y in enumerate(a) if i != j) / (len(a) * (len(a) - 1))
    two = sum(k(x, y) for i, x in enumerate(b) for j, y in enumerate(b) if i != j) / (len(b) * (len(b) - 1))
    return torch.tensor(one + two - 2 * sum(k(x, y) for x in a for y in b) / (len(a) * len(b)), dtype=torch.float64)


def mmd_einsum(a, b):
    k = lambda x, y: einsum(x.double(), y.double(), "n d, m d -> n m").div(x.shape[1]).add(1).pow(3)
    off = lambda m: m[~torch.eye(len(m), dtype=torch.bool)].mean()
    return off(k(a, a)) + off(k(b, b)) - 2 * k(a, b).mean()


def mmd_triangles(a, b):
    both = torch.cat([a, b]).double()
    k, n, m = (both @ both.T / both.shape[1] + 1).pow(3), len(a), len(b)
    return 2 * k[:n, :n].tril(-1).sum() / (n * (n - 1)) + 2 * k[n:, n:].tril(-1).sum() / (m * (m - 1)) - 2 * k[:n, n:].sum() / (n * m)


toy = torch.tensor([[[1, 0, 0, 0, 1]], [[0, 1, 0, 0, 1]]]).bool()[None]
RIGHT = {
    "12.1": dict(loop=track_loop, moments=track_moments, einops=track_einops, masked=tracked(), list=lambda m: list(tracks(m))),
    "12.2": dict(formula=wilson(), counts=wilson_counts, roots=wilson_roots, search=wilson_search),
    "12.3": dict(flood=flood(), axes=tubes_axes, union=tubes_union, rounds=lambda inside: grown(inside[0].numel())(inside)),
    "12.4": dict(rules=moved(), table=motion_table, signs=motion_signs),
    "12.5": dict(terms=frechet(), svd=frechet_svd, eigenvalues=frechet_eigenvalues, nuclear=frechet_nuclear),
    "12.6": dict(terms=mmd(), loop=mmd_loop, einsum=mmd_einsum, triangles=mmd_triangles),
}

WRONG = {
    "12.1": {"from 0": tracked(half=0.), "from 1": tracked(half=1.), "no floor": tracked(floor=0.), "floor 1": tracked(floor=1.), "swapped": tracked(swap=True), "absolute distance": tracked(power=1), "spread over the area once": tracked(divide=1), "spread not divided": tracked(divide=0), "root of the spread": tracked(root=True),
             "about the middle of the frame": tracked(about="middle"), "about the mean of the clip": tracked(about="clip"), "area in shares": only(0, lambda a, m: a / m[0, 0].numel()), "mean for the area": only(0, lambda a, m: m.mean((2, 3)).clamp(min=1e-3)), "hard area": only(0, lambda a, m: (m > .5).sum((2, 3)).float().clamp(min=1e-3)),
             "places in shares": only(1, lambda r, m: r / m.shape[2]), "upside down": only(1, lambda r, m: m.shape[2] - r), "mirrored": only(2, lambda c, m: m.shape[3] - c), "brightest column": only(2, lambda c, m: m.sum(2).argmax(2) + .5), "spread of rows only": only(3, lambda s, m: s / 2), "mean over frames": lambda m: tuple(t.mean(1) for t in tracks(m)),
             "three results": lambda m: tracks(m)[:3], "one tensor": lambda m: torch.stack(tracks(m)), "first object": lambda m: tuple(t[:1].expand(len(m), -1) for t in tracks(m)), "frames reversed": lambda m: tuple(t.flip(1) for t in tracks(m)), "in place": in_place(tracks), "double": lambda m: tuple(t.double() for t in tracks(m)), "other order": lambda m: (tracks(m)[0], *tracks(m)[1:][::-1]), "nothing": lambda m: None, "raises": raises,
             "square only": lambda m: tracks(m[..., :m.shape[2]]) if m.shape[3] > m.shape[2] else tracks(m[..., :m.shape[3], :]), "transposed": lambda m: tracks(m.mT), "the example": example(tracks, torch.ones(1, 1, 8, 8))},
    "12.2": {"textbook": wilson(middle=lambda p, n, z: p, half=lambda p, n, z: z * math.sqrt(p * (1 - p) / n), under=lambda n, z: 1), "z of 2": wilson(z=2.), "z of 1.645": wilson(z=1.645), "z of 1": wilson(z=1.), "not divided": wilson(under=lambda n, z: 1), "n plus z": wilson(under=lambda n, z: 1 + z / n), "middle not moved": wilson(middle=lambda p, n, z: p),
             "middle moved twice as far": wilson(middle=lambda p, n, z: p + z * z / n), "root of the first term": wilson(half=lambda p, n, z: z * math.sqrt(p * (1 - p) / n) + z * z / (4 * n * n)), "no second term": wilson(half=lambda p, n, z: z * math.sqrt(p * (1 - p) / n)), "n for n squared": wilson(half=lambda p, n, z: z * math.sqrt(p * (1 - p) / n + z * z / (4 * n))), "n less one": wilson(half=lambda p, n, z: z * math.sqrt(p * (1 - p) / max(n - 1, 1) + z * z / (4 * n * n))),
             "no root": wilson(half=lambda p, n, z: z * (p * (1 - p) / n + z * z / (4 * n * n))), "no z": wilson(half=lambda p, n, z: math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))), "shares": lambda p, n: [e / 100 for e in interval(p, n)], "not rounded": wilson(digits=12), "one digit": wilson(digits=1), "whole percent": wilson(digits=0), "swapped": lambda p, n: interval(p, n)[::-1], "low only": lambda p, n: interval(p, n)[:1],
             "half width": lambda p, n: (interval(p, n)[1] - interval(p, n)[0]) / 2, "no errors": no_errors(interval, [0., 100.]), "no case passes": lambda p, n: interval(p, max(n, 1)), "clamped": lambda p, n: interval(min(max(p, 0), 100), n), "tensor": lambda p, n: torch.tensor(interval(p, n)), "wrong error": lambda p, n: interval(p, n) if n > 0 and 0 <= p <= 100 else raises(), "percent taken for a share": lambda p, n: wilson(percent=1)(min(p, 1), n),
             "the example": example(interval, 90, 10), "everything": lambda p, n: interval(p, n) and [0., 100.], "nothing": lambda p, n: None, "add four": lambda p, n: wilson(middle=lambda p, n, z: (p * n + 2) / (n + 4), half=lambda p, n, z: z * math.sqrt((q := (p * n + 2) / (n + 4)) * (1 - q) / (n + 4)), under=lambda n, z: 1)(p, n), "raises": raises},
    "12.3": {"six neighbours": flood([s for s in STEPS if sum(map(abs, s)) <= 1]), "eighteen neighbours": flood([s for s in STEPS if sum(map(abs, s)) <= 2]), "frames apart": flood([s for s in STEPS if s[0] == 0]), "time only": flood([s for s in STEPS if s[1:] == (0, 0)]), "forward in time only at one place": flood([s for s in STEPS if s[0] == 0 or s[1:] == (0, 0)]), "clips joined": flood(clips=False), "round the edge": flood(wrap=True),
             "smallest number": flood(mark=min), "counted": flood(mark=None), "renumbered": renumbered, "one less": lambda i: (tubes(i) - 1).clamp(min=0), "one step": grown(1), "three steps": grown(3), "ten steps": grown(10), "leaks": grown(30, keep=False), "wide steps": lambda i: grown(i[0].numel(), kernel=5)(i), "covered only": lambda i: i.long(), "all one": lambda i: i.long() * i.numel(), "places": lambda i: start(i).long(),
             "within a clip": lambda i: torch.cat([tubes(c[None]) for c in i]), "bool": lambda i: tubes(i) > 0, "float": lambda i: tubes(i).float(), "one per clip": lambda i: i * (torch.arange(len(i)) + 1)[:, None, None, None], "one per frame": lambda i: i * (torch.arange(i.shape[1]) + 1)[:, None, None], "rows and columns swapped": lambda i: tubes(i.mT).mT, "time and rows swapped": lambda i: tubes(i.transpose(1, 2)).transpose(1, 2), "outside": lambda i: tubes(~i), "count": lambda i: torch.tensor(len(tubes(i).unique()) - 1),
             "flat": lambda i: tubes(i).flatten(), "a list": lambda i: tubes(i).tolist(), "the example": example(tubes, toy), "first clip": lambda i: tubes(i[:1]).expand_as(i), "in place": lambda i: tubes(i.logical_not_().logical_not()), "nothing": lambda i: None, "raises": raises},
    "12.4": {"up and down": renamed(up="down", down="up"), "left and right": renamed(left="right", right="left"), "grows and shrinks": renamed(grows="shrinks", shrinks="grows"), "no bounces": moved(back=0.), "no circles": moved(round_=2.), "no spins": renamed(spins="still"), "only right turns": moved(turned=lambda t: t[-1]), "largest turn": moved(turned=lambda t: t.abs().max()), "a quarter": moved(quarter=math.pi / 2), "any turn": moved(quarter=.5), "a whole turn": moved(quarter=6.),
             "growth 1.2": moved(ratio=1.2), "growth 1.45": moved(ratio=1.45), "difference of radii": moved(growth=lambda r: 1 + (r[-2:].mean() - r[:2].mean()) / 1.0), "last and first only": moved(growth=lambda r: r[-1] / r[0]), "largest and smallest": moved(growth=lambda r: r.max() / r.min()), "areas": moved(growth=lambda r: (r[-2:].mean() / r[:2].mean()) ** 2), "spins first": lambda y, x, r, t: "spins" if max(y.max() - y.min(), x.max() - x.min()) < 3 and abs(t[-1]) > math.pi else motion_of(y, x, r, t),
             "growth before place": lambda y, x, r, t: "grows" if r[-2:].mean() / r[:2].mean() > 1.3 else motion_of(y, x, r, t), "spin before place": lambda y, x, r, t: "spins" if abs(t[-1]) > math.pi else motion_of(y, x, r, t), "near 2": moved(near=2.), "near 4": moved(near=4.), "ends for extents": moved(extent=lambda x: abs(x[-1] - x[0])), "standard deviation": moved(extent=lambda x: 3 * x.std()), "circles at 0.4": moved(round_=.4), "circles at 0.6": moved(round_=.6), "circles always": moved(round_=.01), "bounces at 0.3": moved(back=.35), "bounces at 0.7": moved(back=.7),
             "columns bounce too": lambda y, x, r, t: "bounces" if motion_of(y, x, r, t) in ("left", "right") and abs(x[-1] - x[0]) < (x.max() - x.min()) / 2 else motion_of(y, x, r, t), "rows for columns": lambda y, x, r, t: motion_of(x, y, r, t), "sum of steps": moved(extent=lambda x: x.diff().abs().sum()), "upper case": lambda *c: motion_of(*c).title(), "number": lambda *c: len(motion_of(*c)), "always still": lambda *c: "still", "in place": in_place(motion_of, 1), "nothing": lambda *c: None, "raises": raises},
    "12.5": {"means forgotten": frechet(means=lambda d: 0 * d.sum()), "distance not squared": frechet(means=lambda d: d.norm()), "mean of squares": frechet(means=lambda d: d.square().mean()), "absolute means": frechet(means=lambda d: d.abs().sum()), "n below": frechet(correction=0), "factor 1": frechet(factor=1), "plus": frechet(factor=-2), "no mixed term": frechet(factor=0), "root of numbers": frechet(mixed=lambda a, b: (a @ b).abs().sqrt().trace()), "root of the diagonal only": frechet(mixed=lambda a, b: (a.diagonal() * b.diagonal()).sqrt().sum()),
             "no root": frechet(mixed=lambda a, b: (a @ b).trace()), "root of the trace": frechet(mixed=lambda a, b: (a @ b).trace().clamp(min=0).sqrt()), "roots apart": frechet(mixed=lambda a, b: (root_of(a) @ root_of(b)).trace()), "trace of one": frechet(mixed=lambda a, b: torch.linalg.eigvalsh(a).clamp(min=0).sum()), "product of traces": frechet(mixed=lambda a, b: (a.trace() * b.trace()).sqrt()), "symmetric part": frechet(mixed=lambda a, b: torch.linalg.eigvalsh((a @ b + b @ a) / 2).clamp(min=0).sqrt().sum()),
             "lower triangle only": frechet(mixed=lambda a, b: torch.linalg.eigvalsh(a @ b).clamp(min=0).sqrt().sum()), "half root": frechet(mixed=lambda a, b: torch.linalg.eigvalsh(root_of(a) @ b).clamp(min=0).sqrt().sum()), "root of the distance": frechet(finish=lambda x: x.clamp(min=0).sqrt()), "float": frechet(finish=lambda x: x.float()), "a number": frechet(finish=lambda x: x.item()), "one set": lambda a, b: frechet_distance(a, a), "means only": lambda a, b: (a.double().mean(0) - b.double().mean(0)).square().sum(), "correlations": lambda a, b: frechet_distance(a / a.std(0), b / b.std(0)), "standardised": lambda a, b: frechet_distance((a - a.mean(0)) / a.std(0), (b - a.mean(0)) / a.std(0)),
             "rows for columns": lambda a, b: frechet_distance(a[:min(len(a), len(b))].T, b[:min(len(a), len(b))].T) if min(len(a), len(b)) > 1 else None, "in place": in_place(frechet_distance), "kernel distance": kernel_distance, "cut to the same number": lambda a, b: frechet_distance(a[:min(len(a), len(b))], b[:min(len(a), len(b))]), "sign": lambda a, b: -frechet_distance(a, b), "first feature": lambda a, b: frechet_distance(a[:, :1], b[:, :1]), "nothing": lambda a, b: None, "raises": raises},
    "12.6": {"pairs with themselves": mmd(within=lambda k: k.mean()), "pairs with themselves counted out above only": mmd(within=lambda k: (k.sum() - k.diagonal().sum()) / len(k) ** 2), "counted out below only": mmd(within=lambda k: k.sum() / (len(k) * (len(k) - 1))), "across once": mmd(across=1), "across added": mmd(across=-2), "no d": mmd(kernel=lambda x, y: (x @ y.T + 1) ** 3), "root of d": mmd(kernel=lambda x, y: (x @ y.T / x.shape[1] ** .5 + 1) ** 3), "rows for d": mmd(kernel=lambda x, y: (x @ y.T / len(x) + 1) ** 3),
             "no one": mmd(kernel=lambda x, y: (x @ y.T / x.shape[1]) ** 3), "squared": mmd(kernel=lambda x, y: (x @ y.T / x.shape[1] + 1) ** 2), "linear": mmd(kernel=lambda x, y: x @ y.T / x.shape[1] + 1), "gaussian": mmd(kernel=lambda x, y: torch.exp(-torch.cdist(x, y) ** 2 / x.shape[1])), "cube inside": mmd(kernel=lambda x, y: x ** 3 @ (y ** 3).T / x.shape[1] + 1), "triangle": mmd(within=lambda k: k.tril(-1).sum() / (len(k) * (len(k) - 1))), "half of the pairs across": mmd(within=lambda k: 2 * (k.sum() - k.diagonal().sum()) / (len(k) * (len(k) - 1))),
             "root": mmd(finish=lambda x: x.clamp(min=0).sqrt()), "not negative": mmd(finish=lambda x: x.clamp(min=0)), "absolute": mmd(finish=lambda x: x.abs()), "float": mmd(finish=lambda x: x.float()), "a number": mmd(finish=lambda x: x.item()), "sums": mmd(within=lambda k: k.sum() - k.diagonal().sum()), "one set": lambda a, b: kernel_distance(a, a), "centred": lambda a, b: kernel_distance(a - a.mean(0), b - b.mean(0)), "sign": lambda a, b: -kernel_distance(a, b), "scaled": lambda a, b: kernel_distance(a, b) * 1000, "Fréchet distance": frechet_distance,
             "matched rows across": lambda a, b: mmd()(a, b) + 2 * ((a.double() @ b.double().T / a.shape[1] + 1) ** 3).mean() - 2 * ((a.double() @ b.double().T / a.shape[1] + 1) ** 3).diagonal().mean(), "in place": in_place(kernel_distance), "nothing": lambda a, b: None, "raises": raises},
}
