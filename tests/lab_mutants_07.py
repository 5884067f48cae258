"""Chapter 07: wrong answers that a check must reject, and right ones, written differently, that it must accept: {exercise id: {name: function}}."""
import math

import torch
import torch.nn.functional as F
from einops import einsum, rearrange, repeat

from lab_mutants import example, in_place, raises
from sora_edu.dit import Block, attend, level_features, modulate, rotary_angles, rotate
from sora_edu.patches import positions

forward = Block.forward


# --- 07.1 ----------------------------------------------------------------------------------------

def attended(scale=lambda q, k, v: q.shape[-1] ** -0.5, weigh=lambda s: s.softmax(-1)):
    return lambda q, k, v: weigh(q @ k.mT * scale(q, k, v)) @ v


def attend_loop(q, k, v):
    """One query at a time."""
    out = []
    for i in range(q.shape[-2]):
        scores = (q[..., i:i + 1, :] * k).sum(-1) / math.sqrt(k.shape[-1])
        weights = (scores - scores.amax(-1, keepdim=True)).exp()
        out.append((weights[..., None] * v).sum(-2) / weights.sum(-1, keepdim=True))
    return torch.stack(out, -2)


def attend_einsum(q, k, v):
    weights = F.softmax(einsum(q, k, "... n d, ... m d -> ... n m") / k.shape[-1] ** 0.5, dim=-1)
    return einsum(weights, v, "... n m, ... m e -> ... n e")


def attend_log(q, k, v):
    scores = torch.matmul(q, k.transpose(-2, -1)) / math.sqrt(q.size(-1))
    return torch.exp(scores - scores.logsumexp(-1, keepdim=True)) @ v


# --- 07.2, 07.3 ----------------------------------------------------------------------------------

def angled(share=lambda pairs: (pairs - 2 * (pairs // 3), pairs // 3, pairs // 3), speed=lambda j, n, start, base: base ** (-j / n), axes=(0, 1, 2), finish=lambda out: out, which=(0, 1, 2)):
    """rotary_angles pair by pair."""
    def angles(places, dim, base=100.0):
        columns, start = {}, 0
        for axis, n in zip(axes, share(dim // 2)):
            columns[axis], start = [places[:, which[axis]] * float(speed(j, n, start, base)) for j in range(n)], start + n
        return finish(torch.stack([column for axis in axes for column in columns[axis]], 1).float())
    return angles


def angles_outer(places, dim, base=100.0):
    """Outer products, one for each axis."""
    pairs = dim // 2
    counts = [pairs - 2 * (pairs // 3), pairs // 3, pairs // 3]
    return torch.cat([torch.outer(places[:, i].float(), torch.exp(-math.log(base) * torch.arange(n) / n)) for i, n in enumerate(counts)], -1)


def angles_by_table(places, dim, base=100.0):
    """Speeds of all pairs in a row, and for each the axis it belongs to."""
    third = dim // 2 // 3
    axis = torch.tensor([0] * (dim // 2 - 2 * third) + [1] * third + [2] * third)
    n = torch.bincount(axis)[axis]
    j = torch.arange(dim // 2) - torch.tensor([0, dim // 2 - 2 * third, dim // 2 - third])[axis]
    return places[:, axis] / base ** (j / n)


def turned(pairs=lambda x: x.chunk(2, -1), join=lambda a, b: torch.cat([a, b], -1), turn=lambda a, b, c, s: (a * c - b * s, a * s + b * c), angle=lambda x: x):
    def turn_all(x, angles):
        a, b = pairs(x)
        return join(*turn(a, b, angle(angles).cos().to(x.dtype), angle(angles).sin().to(x.dtype)))
    return turn_all


def rotate_complex(x, angles):
    half = x.shape[-1] // 2
    z = torch.complex(x[..., :half], x[..., half:]) * torch.polar(torch.ones_like(angles), angles).to(torch.complex128 if x.dtype == torch.double else torch.complex64)
    return torch.cat([z.real, z.imag], -1)


def rotate_matrix(x, angles):
    """A 2×2 matrix for each pair."""
    cos, sin = angles.cos().to(x), angles.sin().to(x)
    matrix = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)       # n a 2 2
    return rearrange(matrix @ rearrange(x, "b h n (two a) -> b h n a two 1", two=2), "b h n a two 1 -> b h n (two a)")


def rotate_half(x, angles):
    """As in many libraries: x cos + rotate_half(x) sin."""
    a, b = x.tensor_split(2, -1)
    both = torch.cat([angles, angles], -1)
    return x * both.cos().type_as(x) + torch.cat([-b, a], -1) * both.sin().type_as(x)


def neighbours(x): return x[..., ::2], x[..., 1::2]
def interleaved(a, b): return torch.stack([a, b], -1).flatten(-2)


# --- 07.4 ----------------------------------------------------------------------------------------

def features(factor=1000, top=10_000, order=lambda c, s: torch.cat([c, s], -1), exponent=lambda i, half: -i / half):
    def of(t, dim=256):
        half = dim // 2
        angles = factor * t.unsqueeze(-1) * top ** exponent(torch.arange(half), half)
        return order(angles.cos(), angles.sin())
    return of


def features_loop(t, dim=256):
    waves = [1000 * t * 10_000 ** (-2 * i / dim) for i in range(dim // 2)]
    return torch.stack([w.cos() for w in waves] + [w.sin() for w in waves], -1)


def features_einsum(t, dim=256):
    angles = einsum(t * 1000, torch.logspace(0, -4 * (1 - 2 / dim), dim // 2), "b f, k -> b f k")
    return rearrange(torch.stack([angles.cos(), angles.sin()]), "two b f k -> b f (two k)")


def features_shifted(t, dim=256):
    angles = torch.exp(torch.log(torch.tensor(10_000.0)) * -torch.arange(0, 1, 2 / dim)[:dim // 2]) * (1000 * t)[:, :, None]
    return torch.cat((torch.sin(angles + math.pi / 2), torch.sin(angles)), dim=2)


# --- 07.5 ----------------------------------------------------------------------------------------

PATTERNS = dict(all="b (f n) d", space="(b f) n d", time="(b n) f d")
UNTANGLED = dict(all="b (n f) d", space="(f b) n d", time="(n b) f d")


def block(order=(0, 1, 2, 3, 4, 5), patterns=PATTERNS, back=None, pick=lambda a, n: dict(all=a, space=a[:n], time=a[::n]), tables=lambda self, m: m + self.table, gelu=F.gelu,
          first=lambda x, gate, y: x + gate * y, second=lambda x, gate, y, start: x + gate * y, into=lambda x, start: x, norm=lambda x, shift, scale: modulate(x, shift, scale), text=lambda w: w):
    """Block.forward with one thing changed."""
    def run(self, x, words, modulation, angles):
        b, f, n, _ = x.shape
        six = tables(self, modulation)[:, :, :, None].unbind(2)
        shift1, scale1, gate1, shift2, scale2, gate2 = (six[i] for i in order)
        there = patterns[self.look]
        y = self.attention(rearrange(norm(x, shift1, scale1), f"b f n d -> {there}"), text(words), pick(angles, n)[self.look])
        z = first(x, gate1, rearrange(y, f"{(back or patterns)[self.look]} -> b f n d", b=b, f=f, n=n))
        return second(z, gate2, self.down(gelu(self.up(norm(into(z, x), shift2, scale2)))), x)
    return run


def block_reshape(self, x, text, modulation, angles):
    """Without einops."""
    b, f, n, d = x.shape
    m = modulation + self.table
    normal = lambda z: (z - z.mean(-1, keepdim=True)) / (z.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()
    y = normal(x) * (m[:, :, 1:2] + 1) + m[:, :, 0:1]
    if self.look == "all": y = self.attention(y.reshape(b, f * n, d), text, angles).reshape(b, f, n, d)
    elif self.look == "space": y = self.attention(y.flatten(0, 1), text, angles[:n]).unflatten(0, (b, f))
    else: y = self.attention(y.transpose(1, 2).flatten(0, 1), text, angles[torch.arange(f) * n]).unflatten(0, (b, n)).transpose(1, 2)
    x = x + y * m[:, :, 2:3]
    return x + m[:, :, 5:6] * self.down(F.gelu(self.up(normal(x) * (m[:, :, 4:5] + 1) + m[:, :, 3:4])))


def block_by_frames(self, x, text, modulation, angles):
    """The modulation repeated for every token."""
    b, f, n, d = x.shape
    six = repeat(modulation + self.table[None, None], "b f six d -> six b f n d", n=n)
    y = torch.addcmul(six[0], F.layer_norm(x, (d,)), 1 + six[1])
    if self.look == "all": y = rearrange(self.attention(rearrange(y, "b f n d -> b (f n) d"), text, angles), "b (f n) d -> b f n d", n=n)
    if self.look == "space": y = rearrange(self.attention(rearrange(y, "b f n d -> (b f) n d"), text, rearrange(angles, "(f n) a -> f n a", n=n)[0]), "(b f) n d -> b f n d", f=f)
    if self.look == "time": y = rearrange(self.attention(rearrange(y, "b f n d -> (b n) f d"), text, rearrange(angles, "(f n) a -> f n a", n=n)[:, 0]), "(b n) f d -> b f n d", n=n)
    x = torch.addcmul(x, six[2], y)
    return torch.addcmul(x, six[5], self.down(F.gelu(self.up(torch.addcmul(six[3], F.layer_norm(x, (d,)), 1 + six[4])))))


def block_in_place(self, x, *rest):
    out = forward(self, x, *rest)
    x.copy_(out.detach())
    return out


RIGHT = {
    "07.1": dict(torch=F.scaled_dot_product_attention, loop=attend_loop, einsum=attend_einsum, log=attend_log, after=attended(), before=lambda q, k, v: ((q * k.shape[-1] ** -0.25) @ (k * k.shape[-1] ** -0.25).mT).softmax(-1) @ v),
    "07.2": dict(pairs=angled(), outer=angles_outer, table=angles_by_table),
    "07.3": dict(halves=turned(), complex=rotate_complex, matrix=rotate_matrix, rotate_half=rotate_half),
    "07.4": dict(loop=features_loop, einsum=features_einsum, sine=features_shifted, power=features()),
    "07.5": dict(reshape=block_reshape, frames=block_by_frames, steps=block(), gelu=block(gelu=torch.nn.GELU())),
}

WRONG = {
    "07.1": {"softmax over the queries": attended(weigh=lambda s: s.softmax(-2)), "softmax over the heads": attended(weigh=lambda s: s.softmax(0)), "softmax over all": attended(weigh=lambda s: s.flatten(-2).softmax(-1).reshape(s.shape)), "no root": attended(lambda q, k, v: 1), "divided by the width": attended(lambda q, k, v: 1 / q.shape[-1]),
             "times the root": attended(lambda q, k, v: q.shape[-1] ** 0.5), "root of the keys' number": attended(lambda q, k, v: k.shape[-2] ** -0.5), "root of the values' width": attended(lambda q, k, v: v.shape[-1] ** -0.5), "root of the queries' number": attended(lambda q, k, v: q.shape[-2] ** -0.5), "always width 24": attended(lambda q, k, v: 24 ** -0.5),
             "minus": attended(lambda q, k, v: -q.shape[-1] ** -0.5), "no softmax": attended(weigh=lambda s: s), "sigmoid": attended(weigh=lambda s: s.sigmoid()), "sigmoid, normalised": attended(weigh=lambda s: s.sigmoid() / s.sigmoid().sum(-1, keepdim=True)), "exponential, not normalised": attended(weigh=lambda s: s.exp()), "exponential, not safe": attended(weigh=lambda s: s.exp() / s.exp().sum(-1, keepdim=True)),
             "relu": attended(weigh=lambda s: s.relu() / s.relu().sum(-1, keepdim=True).clamp(min=1e-6)), "base 2": attended(weigh=lambda s: (s * math.log(2)).softmax(-1)), "nearest key only": attended(weigh=lambda s: F.one_hot(s.argmax(-1), s.shape[-1]).float()), "plain mean": attended(weigh=lambda s: torch.ones_like(s) / s.shape[-1]),
             "causal": attended(weigh=lambda s: s.masked_fill(torch.ones(s.shape[-2:], dtype=torch.bool).triu(1), -math.inf).softmax(-1)), "not itself": attended(weigh=lambda s: s.masked_fill(torch.eye(*s.shape[-2:], dtype=torch.bool), -1e9).softmax(-1)), "keys and queries swapped": lambda q, k, v: (k @ q.mT / q.shape[-1] ** 0.5).softmax(-1).mT @ v,
             "queries for keys": lambda q, k, v: attend(q, q, v) if q.shape == k.shape else attend(q, k + q.mean(-2, keepdim=True) / 9, v), "keys for values": lambda q, k, v: attend(q, k, k) if k.shape == v.shape else attend(q, k, v * 1.01), "distances": lambda q, k, v: (-torch.cdist(q, k) / q.shape[-1] ** 0.5).softmax(-1) @ v, "normalised keys": lambda q, k, v: attend(q, F.normalize(k, dim=-1), v), "normalised queries": lambda q, k, v: attend(F.rms_norm(q, q.shape[-1:]), k, v),
             "weights dropped": lambda q, k, v: F.dropout(attend(q, k, v), 0.1), "first head for all": lambda q, k, v: attend(q, k, v[:1].expand_as(v)) if v.ndim > 2 else attend(q, k, v[:1].expand_as(v)), "clips mixed": lambda q, k, v: attend(q, k, v.roll(1, 0)), "values reversed": lambda q, k, v: attend(q, k, v.flip(-2)), "channels reversed": lambda q, k, v: attend(q, k, v).flip(-1), "plus the query's own value": lambda q, k, v: attend(q, k, v) + v.mean(-2, keepdim=True),
             "with the weights": lambda q, k, v: (attend(q, k, v), (q @ k.mT).softmax(-1)), "turned": lambda q, k, v: attend(q, k, v).mT, "in place": in_place(attend, 2), "double": lambda q, k, v: attend(q, k, v).double(), "gradient lost": lambda q, k, v: attend(q.detach(), k.detach(), v.detach()), "half the digits": lambda q, k, v: attend(q.bfloat16(), k.bfloat16(), v.bfloat16()).float(),
             "the example": example(attend, torch.zeros(3, 1), torch.zeros(3, 1), torch.ones(3, 1)), "the values": lambda q, k, v: v + 0, "nothing": lambda *_: None, "raises": raises},
    "07.2": {"shared equally": angled(share=lambda p: (p // 3, p // 3, p // 3)), "rest to the columns": angled(share=lambda p: (p // 3, p // 3, p - 2 * (p // 3))), "rest to the rows": angled(share=lambda p: (p // 3, p - 2 * (p // 3), p // 3)), "halves for the place": angled(share=lambda p: (p - 2 * (p // 4), p // 4, p // 4)), "rounded up": angled(share=lambda p: (p - 2 * -(-p // 3), -(-p // 3), -(-p // 3))),
             "of the width": angled(share=lambda p: (2 * p - 2 * (2 * p // 3), 2 * p // 3, 2 * p // 3)), "columns first": angled(axes=(2, 1, 0)), "rows first": angled(axes=(1, 0, 2)), "columns before rows": angled(axes=(0, 2, 1)), "frames twice": angled(which=(0, 0, 2)), "rows and columns swapped": angled(which=(0, 2, 1)), "frames last": angled(which=(1, 2, 0)),
             "speeds over all pairs": angled(speed=lambda j, n, start, base: base ** (-(start + j) / n)), "rising": angled(speed=lambda j, n, start, base: base ** (j / n)), "from slow to fast": angled(speed=lambda j, n, start, base: base ** (-(n - 1 - j) / n)), "twice the exponent": angled(speed=lambda j, n, start, base: base ** (-2 * j / n)), "half the exponent": angled(speed=lambda j, n, start, base: base ** (-j / (2 * n))), "down to 1 / base": angled(speed=lambda j, n, start, base: base ** (-j / max(n - 1, 1))),
             "one more": angled(speed=lambda j, n, start, base: base ** (-(j + 1) / n)), "all alike": angled(speed=lambda *_: 1.0), "linear": angled(speed=lambda j, n, start, base: 1 - j / n), "base 10000": angled(speed=lambda j, n, start, base: 10_000 ** (-j / n)), "base 100 always": angled(speed=lambda j, n, start, base: 100 ** (-j / n)), "turns for radians": angled(speed=lambda j, n, start, base: 2 * math.pi * base ** (-j / n)), "times pi": angled(speed=lambda j, n, start, base: math.pi * base ** (-j / n)),
             "minus": angled(finish=lambda out: -out), "within a turn": angled(finish=lambda out: out % (2 * math.pi)), "cosines": angled(finish=torch.cos), "cosines and sines": angled(finish=lambda out: torch.cat([out.cos(), out.sin()], 1)), "every angle twice": angled(finish=lambda out: out.repeat(1, 2)), "turned": angled(finish=lambda out: out.T), "double": angled(finish=torch.Tensor.double), "whole numbers": angled(finish=torch.Tensor.round),
             "from one": lambda places, dim, base=100.0: rotary_angles(places + 1, dim, base), "from the first token": lambda places, dim, base=100.0: rotary_angles(places - places[:1] + (places[:1] if len(places) == 1 else 0), dim, base), "token numbers": lambda places, dim, base=100.0: rotary_angles(torch.arange(len(places))[:, None].expand(-1, 3), dim, base), "distances": lambda places, dim, base=100.0: rotary_angles(places.abs(), dim, base), "in the middle": lambda places, dim, base=100.0: rotary_angles(places - places.float().mean(0).long(), dim, base),
             "base forgotten": lambda places, dim, base=100.0: rotary_angles(places, dim), "in place": in_place(rotary_angles), "the example": example(rotary_angles, positions((3, 4, 5)), 24), "the places": lambda places, *_: places.float(), "nothing": lambda *_: None, "raises": raises},
    "07.3": {"neighbours": turned(neighbours, interleaved), "neighbours in, halves out": turned(neighbours), "halves in, neighbours out": turned(join=interleaved), "other way round": turned(turn=lambda a, b, c, s: (a * c + b * s, b * c - a * s)), "minus lost": turned(turn=lambda a, b, c, s: (a * c + b * s, a * s + b * c)), "both minus": turned(turn=lambda a, b, c, s: (a * c - b * s, a * s - b * c)), "minus in the wrong place": turned(turn=lambda a, b, c, s: (b * s - a * c, a * s + b * c)),
             "cosine and sine swapped": turned(turn=lambda a, b, c, s: (a * s - b * c, a * c + b * s)), "halves swapped": turned(join=lambda a, b: torch.cat([b, a], -1)), "a used twice": turned(turn=lambda a, b, c, s: (a * c - b * s, (a * c - b * s) * s + b * c)), "first half only": turned(turn=lambda a, b, c, s: (a * c - b * s, b)), "second half only": turned(turn=lambda a, b, c, s: (a, a * s + b * c)), "scaled only": turned(turn=lambda a, b, c, s: (a * c, b * c)), "added": turned(turn=lambda a, b, c, s: (a + c, b + s)),
             "degrees": turned(angle=torch.Tensor.deg2rad), "twice the angle": turned(angle=lambda x: 2 * x), "half the angle": turned(angle=lambda x: x / 2), "turns": turned(angle=lambda x: 2 * math.pi * x), "absolute angle": turned(angle=torch.Tensor.abs), "small angles": turned(turn=lambda a, b, c, s: (a - b * s, b + a * s)), "first token's angle": turned(angle=lambda x: x[:1]), "first pair's angle": turned(angle=lambda x: x[:, :1].expand_as(x)), "pairs reversed": turned(angle=lambda x: x.flip(1)), "tokens reversed": turned(angle=lambda x: x.flip(0)), "mean angle": turned(angle=lambda x: x.mean(1, keepdim=True).expand_as(x)),
             "over the heads": lambda x, angles: rotate(x.transpose(1, 2), angles).transpose(1, 2) if x.shape[1] == x.shape[2] else rotate(x, angles.roll(1, 0)), "heads alike": lambda x, angles: rotate(x[:, :1].expand_as(x), angles), "clips alike": lambda x, angles: rotate(x[:1].expand_as(x), angles), "no turn": lambda x, angles: x + 0, "with x added": lambda x, angles: x + rotate(x, angles),
             "single": lambda x, angles: rotate(x.float(), angles.float()), "single, back to double": lambda x, angles: rotate(x.float(), angles.float()).to(x.dtype), "gradient lost": lambda x, angles: rotate(x.detach(), angles.detach()), "in place": in_place(rotate), "angles in place": in_place(rotate, 1), "a tuple": lambda x, angles: rotate(x, angles).chunk(2, -1), "cut in two": lambda x, angles: torch.stack(rotate(x, angles).chunk(2, -1), -1),
             "the example": example(rotate, torch.ones(1, 1, 1, 2), torch.zeros(1, 1)), "nothing": lambda *_: None, "raises": raises},
    "07.4": {"sines first": features(order=lambda c, s: torch.cat([s, c], -1)), "in turn": features(order=interleaved), "cosines only": features(order=lambda c, s: torch.cat([c, c], -1)), "minus": features(order=lambda c, s: torch.cat([c, -s], -1)), "added up": features(order=lambda c, s: torch.cat([c + s, c - s], -1)), "half as many": features(order=lambda c, s: c), "from 0 to 1": features(factor=1), "factor 100": features(factor=100), "factor 999": features(factor=999), "in turns": features(factor=2000 * math.pi),
             "base 1000": features(top=1000), "base 100": features(top=100), "rising": features(exponent=lambda i, half: i / half), "reversed": features(exponent=lambda i, half: -(half - 1 - i) / half), "over the width": features(exponent=lambda i, half: -i / (2 * half)), "down to 1 / 10000": features(exponent=lambda i, half: -i / max(half - 1, 1)), "one more": features(exponent=lambda i, half: -(i + 1) / half), "twice": features(exponent=lambda i, half: -2 * i / half), "all alike": features(exponent=lambda i, half: 0.0 * i), "no exponent": lambda t, dim=256: torch.cat([f(1000 * t[..., None] * (1 - torch.arange(dim // 2) / (dim // 2))) for f in (torch.cos, torch.sin)], -1),
             "always 256": lambda t, dim=256: features()(t, 256)[..., :dim], "first level for all": lambda t, dim=256: level_features(t[:, :1].expand_as(t), dim), "first clip for all": lambda t, dim=256: level_features(t[:1].expand_as(t), dim), "mean level": lambda t, dim=256: level_features(t.mean(1, keepdim=True).expand_as(t), dim), "frames reversed": lambda t, dim=256: level_features(t.flip(1), dim), "frames before clips": lambda t, dim=256: level_features(t.T, dim), "one level a clip": lambda t, dim=256: level_features(t[:, :1], dim)[:, 0],
             "flat": lambda t, dim=256: level_features(t, dim).flatten(1), "features first": lambda t, dim=256: level_features(t, dim).movedim(-1, 0), "whole steps": lambda t, dim=256: level_features((1000 * t).floor() / 1000, dim), "data and noise swapped": lambda t, dim=256: level_features(1 - t, dim), "squared": lambda t, dim=256: level_features(t ** 2, dim), "scaled": lambda t, dim=256: level_features(t, dim) * math.sqrt(2), "in place": in_place(level_features), "double": lambda t, dim=256: level_features(t, dim).double(), "gradient lost": lambda t, dim=256: level_features(t.detach(), dim),
             "half the digits": lambda t, dim=256: level_features(t.bfloat16(), dim).float(), "a list": lambda t, dim=256: list(level_features(t, dim)), "noisy": lambda t, dim=256: level_features(t, dim) + torch.randn(dim) / 10, "the example": example(level_features, torch.tensor([[0.0, 1.0]]), 32), "nothing": lambda *_: None, "raises": raises},
    "07.5": {"shift and scale swapped": block(order=(1, 0, 2, 4, 3, 5)), "gate first": block(order=(2, 0, 1, 5, 3, 4)), "halves swapped": block(order=(3, 4, 5, 0, 1, 2)), "second as first": block(order=(0, 1, 2, 0, 1, 2)), "gates swapped": block(order=(0, 1, 5, 3, 4, 2)), "in turn": block(order=(0, 2, 4, 1, 3, 5)),
             "no table": block(tables=lambda self, m: m), "table only": block(tables=lambda self, m: self.table.expand_as(m)), "table times": block(tables=lambda self, m: m * self.table), "table minus": block(tables=lambda self, m: m - self.table), "table not learned": block(tables=lambda self, m: m + self.table.detach()), "first frame's level": block(tables=lambda self, m: m[:, :1].expand_as(m) + self.table), "mean level": block(tables=lambda self, m: m.mean(1, keepdim=True).expand_as(m) + self.table), "first clip's level": block(tables=lambda self, m: m[:1].expand_as(m) + self.table), "frames reversed": block(tables=lambda self, m: m.flip(1) + self.table),
             "no first gate": block(first=lambda x, gate, y: x + y), "no second gate": block(second=lambda x, gate, y, start: x + y), "gate plus one": block(first=lambda x, gate, y: x + (1 + gate) * y), "second gate plus one": block(second=lambda x, gate, y, start: x + (1 + gate) * y), "no first sum": block(first=lambda x, gate, y: gate * y), "no second sum": block(second=lambda x, gate, y, start: gate * y), "sum with the start": block(second=lambda x, gate, y, start: start + gate * y), "minus": block(first=lambda x, gate, y: x - gate * y), "gated sum": block(first=lambda x, gate, y: gate * (x + y)), "side by side": block(into=lambda z, x: x), "sigmoid gate": block(first=lambda x, gate, y: x + gate.sigmoid() * y), "tanh gate": block(second=lambda x, gate, y, start: x + gate.tanh() * y),
             "no plus one": block(norm=lambda x, shift, scale: F.layer_norm(x, x.shape[-1:]) * scale + shift), "not normalised": block(norm=lambda x, shift, scale: x * (1 + scale) + shift), "rms": block(norm=lambda x, shift, scale: F.rms_norm(x, x.shape[-1:]) * (1 + scale) + shift), "normalised after": block(norm=lambda x, shift, scale: F.layer_norm(x * (1 + scale) + shift, x.shape[-1:])), "normalised over the frame": block(norm=lambda x, shift, scale: F.layer_norm(x, x.shape[-2:]) * (1 + scale) + shift), "shift first": block(norm=lambda x, shift, scale: (F.layer_norm(x, x.shape[-1:]) + shift) * (1 + scale)), "no shift": block(norm=lambda x, shift, scale: F.layer_norm(x, x.shape[-1:]) * (1 + scale)), "exponential scale": block(norm=lambda x, shift, scale: F.layer_norm(x, x.shape[-1:]) * scale.exp() + shift),
             "relu": block(gelu=F.relu), "silu": block(gelu=F.silu), "gelu, roughly": block(gelu=lambda x: F.gelu(x, approximate="tanh")), "no gelu": block(gelu=lambda x: x), "always all": block(patterns=dict.fromkeys(PATTERNS, PATTERNS["all"]), pick=lambda a, n: dict.fromkeys(PATTERNS, a)), "space and time swapped": block(patterns=PATTERNS | dict(space=PATTERNS["time"], time=PATTERNS["space"]), pick=lambda a, n: dict(all=a, space=a[::n], time=a[:n])),
             "token before frame": block(patterns=PATTERNS | dict(all="b (n f) d")), "read back in another order": block(back=PATTERNS | dict(all="b (n f) d")), "space read back in another order": block(back=PATTERNS | dict(space="(f b) n d")), "time read back in another order": block(back=PATTERNS | dict(time="(n b) f d")), "frames before clips": block(patterns=UNTANGLED), "last frame's angles": block(pick=lambda a, n: dict(all=a, space=a[-n:], time=a[::n])), "last token's angles": block(pick=lambda a, n: dict(all=a, space=a[:n], time=a[n - 1::n])), "first angles over time": block(pick=lambda a, n: dict(all=a, space=a[:n], time=a[:len(a) // n])), "angles reversed": block(pick=lambda a, n: dict(all=a.flip(0), space=a[:n], time=a[::n])), "no angles": block(pick=lambda a, n: dict(all=0 * a, space=0 * a[:n], time=0 * a[::n])),
             "no words": block(text=lambda w: 0 * w), "words mixed": block(text=lambda w: w.roll(1, 0) if len(w) > 1 else 2 * w), "first word only": block(text=lambda w: w[:, :1]), "clips mixed": lambda self, x, *rest: forward(self, x.roll(1, 0), *rest) if len(x) > 1 else -x, "attention only": block(second=lambda x, gate, y, start: x), "network only": block(first=lambda x, gate, y: x), "twice": lambda self, x, *rest: forward(self, forward(self, x, *rest), *rest), "in place": block_in_place, "gradient lost": lambda self, x, *rest: forward(self, x.detach(), *rest),
             "double": lambda self, *given: forward(self, *given).double(), "flat": lambda self, *given: forward(self, *given).flatten(1, 2), "the input": lambda self, x, *_: x + 0, "nothing": lambda *_: None, "raises": raises},
}
