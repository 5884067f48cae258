"""Chapter 09: wrong answers that a check must reject, and right ones, written differently, that it must accept: {exercise id: {name: function}}."""
import random

import numpy as np
import torch

from lab_mutants import example, in_place, raises
from sora_edu.training import draw_batch, learning_rate, motion, orthogonalise


# --- 09.1 ----------------------------------------------------------------------------------------

def seeded(number):
    """draw_batch with this seed of the generator."""
    return lambda draw, seed, step: draw(torch.Generator().manual_seed(number(seed, step)))


def by_attribute(draw, seed, step):
    generator = torch.Generator(device="cpu")
    generator.manual_seed(step + seed * (10 ** 6 + 3))
    return draw(generator)


def by_keyword(draw, seed, step): return draw(generator=torch.Generator().manual_seed(1000003 * seed + step))


def by_state(draw, seed, step):
    fresh, other = torch.Generator(), torch.Generator()
    other.set_state(fresh.manual_seed(1_000_003 * seed + step).get_state())
    return draw(other)


def of_the_program(draw, seed, step):
    torch.manual_seed(seed * 1_000_003 + step)
    return draw(torch.default_generator)


def drawn_twice(draw, seed, step):
    generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
    draw(generator)
    return draw(generator)


def warmed_up(draw, seed, step):
    generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
    torch.rand(1, generator=generator)
    return draw(generator)


def remembers(draw, seed, step, kept={}):
    if seed not in kept: kept[seed] = torch.Generator().manual_seed(seed * 1_000_003 + step)
    return draw(kept[seed])


# --- 09.2 ----------------------------------------------------------------------------------------

A, B, C = 3.4445, -4.775, 2.0315


def newton(a=A, b=B, c=C, size=lambda x: x.norm().clamp(min=1e-7), turn=True, back=True, more=0, first=lambda x: x):
    """orthogonalise with these coefficients, this size, and this many rounds more."""
    def made(gradient, rounds=5):
        tall = turn and gradient.shape[0] > gradient.shape[1]
        x = first(gradient.T if tall else gradient)
        x = x / size(x)
        for _ in range(rounds + more):
            s = x @ x.T
            x = a * x + b * s @ x + c * s @ s @ x
        return x.T if tall and back else x
    return made


def from_the_right(gradient, rounds=5):
    x = gradient / max(torch.linalg.matrix_norm(gradient).item(), 1e-7)
    for _ in range(rounds):
        s = x.mT @ x
        x = x @ (A * torch.eye(len(s)) + B * s + C * s @ s)
    return x


def by_strengths(gradient, rounds=5):
    u, s, vh = torch.linalg.svd(gradient, full_matrices=False)
    s = s / max(float(s.square().sum()) ** 0.5, 1e-7)
    for _ in range(rounds): s = A * s + B * s ** 3 + C * s ** 5
    return u @ torch.diag(s) @ vh


def by_numpy(gradient, rounds=5):
    x = gradient.double().numpy()
    x = x / max(np.sqrt((x * x).sum()), 1e-7)
    for _ in range(rounds): x = A * x + (B * (x @ x.T) + C * (x @ x.T) @ (x @ x.T)) @ x
    return torch.tensor(x, dtype=gradient.dtype)


def polar(gradient, rounds=5):
    u, _, vh = torch.linalg.svd(gradient, full_matrices=False)
    return u @ vh


# --- 09.3 ----------------------------------------------------------------------------------------

def by_cases(step, progress, hold):
    falling = 1.0 if progress <= hold else (1 - progress) / (1 - hold)
    rising = (step + 1) / 50 if step < 50 else 1
    return rising if rising < falling else falling


def by_sorting(step, progress, hold): return sorted([1, step / 50 + 0.02, 1 - (progress - hold) / (1 - hold)])[0]
def by_numpy_min(step, progress, hold): return float(np.minimum(np.clip((step + 1) / 50, 0, 1), np.clip((1 - progress) / (1 - hold), 0, 1)))


# --- 09.4 ----------------------------------------------------------------------------------------

def measured(change=lambda x: x[:, :, 1:] - x[:, :, :-1], size=lambda d: d.flatten(1).square().sum(1).sqrt(), finish=lambda m: m / m.mean().clamp(min=1e-9)):
    return lambda latents: finish(size(change(latents.float())))


def by_diff(latents): return measured(change=lambda x: x.diff(dim=2), size=lambda d: torch.linalg.vector_norm(d, dim=(1, 2, 3, 4)))(latents)


def by_loop(latents):
    out = []
    for clip in latents.float():
        total = 0.0
        for f in range(1, clip.shape[1]): total += ((clip[:, f] - clip[:, f - 1]) ** 2).sum().item()
        out.append(total ** 0.5)
    out = torch.tensor(out)
    return out / out.mean() if out.any() else out


def by_mean(latents):
    if latents.shape[2] == 1: return torch.zeros(len(latents))
    m = latents.float().diff(dim=2).pow(2).mean((1, 2, 3, 4)).sqrt()
    return len(m) * m / m.sum().clamp(min=1e-12)


RIGHT = {
    "09.1": dict(attribute=by_attribute, positional=seeded(lambda seed, step: step + 1_000_003 * seed), state=by_state),
    "09.2": dict(right=from_the_right, strengths=by_strengths, numpy=by_numpy, newton=newton(), not_turned=newton(turn=False)),
    "09.3": dict(cases=by_cases, sorting=by_sorting, numpy=by_numpy_min, tensor=lambda step, progress, hold: torch.tensor([1, (step + 1) / 50, (1 - progress) / (1 - hold)], dtype=torch.float64).amin().item()),
    "09.4": dict(diff=by_diff, loop=by_loop, mean=by_mean, whole=measured()),
}

WRONG = {
    "09.1": {"the program's generator": of_the_program, "the program's, not given": lambda draw, seed, step: draw(None), "seed + step": seeded(lambda seed, step: seed + step), "step only": seeded(lambda seed, step: step), "seed only": seeded(lambda seed, step: seed),
             "swapped": seeded(lambda seed, step: step * 1_000_003 + seed), "a million": seeded(lambda seed, step: seed * 1_000_000 + step), "product": seeded(lambda seed, step: seed * step), "counted from 1": seeded(lambda seed, step: seed * 1_000_003 + step + 1),
             "minus": seeded(lambda seed, step: abs(seed * 1_000_003 - step)), "hash": seeded(lambda seed, step: hash((seed, step)) % 2 ** 31), "xor": seeded(lambda seed, step: seed * 1_000_003 ^ step), "wrapped": seeded(lambda seed, step: seed * 1_000_003 + step % 1000), "modulo": seeded(lambda seed, step: (seed * 1_000_003 + step) % 1_000_003),
             "drawn twice": drawn_twice, "warmed up": warmed_up, "remembers": remembers, "no seed": lambda draw, seed, step: draw(torch.Generator()), "another each time": seeded(lambda seed, step: random.randrange(10 ** 9)),
             "the generator": lambda draw, seed, step: torch.Generator().manual_seed(seed * 1_000_003 + step), "draw itself": lambda draw, seed, step: draw, "a list": lambda draw, seed, step: [draw_batch(draw, seed, step)], "floats": lambda draw, seed, step: torch.zeros(5),
             "python's": lambda draw, seed, step: draw(random.Random(seed * 1_000_003 + step)), "numpy's": lambda draw, seed, step: draw(np.random.default_rng(seed * 1_000_003 + step)), "raises": raises},
    "09.2": {"not made small": newton(size=lambda x: 1), "largest number": newton(size=lambda x: x.abs().max().clamp(min=1e-7)), "sum of squares": newton(size=lambda x: x.square().sum().clamp(min=1e-7)), "largest strength": newton(size=lambda x: torch.linalg.matrix_norm(x, 2).clamp(min=1e-7)),
             "each row": newton(size=lambda x: x.norm(dim=1, keepdim=True).clamp(min=1e-7)), "each column": newton(size=lambda x: x.norm(dim=0, keepdim=True).clamp(min=1e-7)), "mean square": newton(size=lambda x: x.square().mean().sqrt().clamp(min=1e-7)), "sum of sizes": newton(size=lambda x: x.abs().sum().clamp(min=1e-7)),
             "0 / 0": newton(size=lambda x: x.norm()), "+ 1e-2": newton(size=lambda x: x.norm() + 1e-2), "clamp at 1": newton(size=lambda x: x.norm().clamp(min=1)), "no clamp but an if": newton(size=lambda x: x.norm() if x.norm() > 0 else 1.0), "sign of b": newton(b=-B), "sign of c": newton(c=-C), "sign of a": newton(a=-A), "b and c swapped": newton(b=C, c=B), "cubic": newton(1.5, -0.5, 0), "mild": newton(1.875, -1.25, 0.375), "a as 3": newton(a=3), "no c": newton(c=0), "no b": newton(b=0),
             "four rounds": newton(more=-1), "six rounds": newton(more=1), "always five": lambda g, rounds=5: orthogonalise(g, 5), "always one": lambda g, rounds=5: orthogonalise(g, 1), "not turned back": newton(back=False), "transposed": lambda g, rounds=5: orthogonalise(g, rounds).T, "polar": polar, "only made small": newton(more=-5),
             "signs": lambda g, rounds=5: g.sign(), "minus": lambda g, rounds=5: -orthogonalise(g, rounds), "times its size": lambda g, rounds=5: orthogonalise(g, rounds) * g.norm(), "each number alone": lambda g, rounds=5: by_numbers(g, rounds), "mean taken away": newton(first=lambda x: x - x.mean()), "half the digits": newton(first=lambda x: x.bfloat16().float()),
             "in place": in_place(orthogonalise), "double": lambda g, rounds=5: orthogonalise(g.double(), rounds), "gram matrix": lambda g, rounds=5: orthogonalise(g @ g.T, rounds), "qr": lambda g, rounds=5: torch.linalg.qr(g)[0], "noisy": lambda g, rounds=5: orthogonalise(g, rounds) + torch.randn(()) / 10, "raises": raises},
    "09.3": {"step / 50": lambda s, p, h: min(1.0, s / 50, (1 - p) / (1 - h)), "(step + 1) / 51": lambda s, p, h: min(1.0, (s + 1) / 51, (1 - p) / (1 - h)), "warms up over 100": lambda s, p, h: min(1.0, (s + 1) / 100, (1 - p) / (1 - h)), "warms up over 49": lambda s, p, h: min(1.0, (s + 1) / 49, (1 - p) / (1 - h)), "never above a half": lambda s, p, h: learning_rate(s, p, h) / 2,
             "no warm-up": lambda s, p, h: min(1.0, (1 - p) / (1 - h)), "no fall": lambda s, p, h: min(1.0, (s + 1) / 50), "no top": lambda s, p, h: min((s + 1) / 50, (1 - p) / (1 - h)), "falls from the start": lambda s, p, h: min(1.0, (s + 1) / 50, 1 - p), "product": lambda s, p, h: min(1.0, (s + 1) / 50) * min(1.0, (1 - p) / (1 - h)),
             "divided by hold": lambda s, p, h: min(1.0, (s + 1) / 50, (1 - p) / (h or 1)), "hold from the end": lambda s, p, h: min(1.0, (s + 1) / 50, (1 - p) / max(h, 1e-3)), "0 too early": lambda s, p, h: min(1.0, (s + 1) / 50, max(0.0, 1 - p - h) / (1 - h)), "cosine": lambda s, p, h: min(1.0, (s + 1) / 50, 0.5 + 0.5 * float(np.cos(np.pi * max(0, p - h) / (1 - h)))),
             "square": lambda s, p, h: min(1.0, (s + 1) / 50, ((1 - p) / (1 - h)) ** 2), "root": lambda s, p, h: min(1.0, (s + 1) / 50, ((1 - p) / (1 - h)) ** 0.5), "a floor": lambda s, p, h: max(0.01, learning_rate(s, p, h)), "largest": lambda s, p, h: max(0.0, min(1.0, max((s + 1) / 50, (1 - p) / (1 - h)))), "steep": lambda s, p, h: min(1.0, (s + 1) / 50, 2 * (1 - p) / (1 - h)),
             "0.3 written down": lambda s, p, h: min(1.0, (s + 1) / 50, (1 - p) / 0.7), "progress only": lambda s, p, h: 1 - p, "rounded": lambda s, p, h: round(learning_rate(s, p, h), 2), "a constant": lambda s, p, h: 1.0, "percent": lambda s, p, h: 100 * learning_rate(s, p, h), "whole steps": lambda s, p, h: min(1, (s + 1) // 50, (1 - p) / (1 - h)), "waits": lambda s, p, h: learning_rate(max(s - 1, 0), p, h),
             "a tensor": lambda s, p, h: torch.tensor(learning_rate(s, p, h)), "words": lambda s, p, h: str(learning_rate(s, p, h)), "noisy": lambda s, p, h: learning_rate(s, p, h) * (1 + random.random() / 100), "the example": example(learning_rate, 0, 0.0, 0.3), "nothing": lambda s, p, h: None, "raises": raises},
    "09.4": {"last less first": measured(change=lambda x: x[:, :, -1:] - x[:, :, :1]), "square left in": measured(size=lambda d: d.flatten(1).square().sum(1)), "absolute": measured(size=lambda d: d.flatten(1).abs().sum(1)), "largest": measured(size=lambda d: d.flatten(1).abs().amax(1) if d.numel() else torch.zeros(len(d))), "signed sum": measured(size=lambda d: d.flatten(1).sum(1).abs()),
             "mean of frames' sizes": measured(size=lambda d: d.square().sum((1, 3, 4)).sqrt().sum(1)), "channels": measured(change=lambda x: x[:, 1:] - x[:, :-1]), "rows": measured(change=lambda x: x[:, :, :, 1:] - x[:, :, :, :-1]), "columns": measured(change=lambda x: x[..., 1:] - x[..., :-1]), "clips": measured(change=lambda x: x - x.roll(1, 0)), "round the end": measured(change=lambda x: x - x.roll(1, 2)), "two frames on": measured(change=lambda x: x[:, :, 2:] - x[:, :, :-2]), "first step only": measured(change=lambda x: x[:, :, 1:2] - x[:, :, :1]),
             "from the mean": measured(change=lambda x: x - x.mean(2, keepdim=True)), "from the first frame": measured(change=lambda x: x - x[:, :, :1]), "the values": measured(change=lambda x: x), "spread": measured(size=lambda d: d.flatten(1).std(1)), "clips' own": measured(finish=lambda m: m / m.clamp(min=1e-9)), "sum to 1": measured(finish=lambda m: m / m.sum().clamp(min=1e-9)), "largest 1": measured(finish=lambda m: m / m.max().clamp(min=1e-9)), "median": measured(finish=lambda m: m / m.median().clamp(min=1e-9)), "mean square 1": measured(finish=lambda m: m / m.square().mean().sqrt().clamp(min=1e-9)),
             "not divided": measured(finish=lambda m: m), "0 / 0": measured(finish=lambda m: m / m.mean()), "1 added": measured(finish=lambda m: 1 + m / m.mean().clamp(min=1e-9)), "mean taken away": measured(finish=lambda m: m - m.mean()), "soft": measured(finish=lambda m: m.softmax(0) * len(m)), "sorted": lambda x: motion(x).sort().values, "ones where nothing moves": measured(finish=lambda m: m / m.mean() if m.any() else torch.ones_like(m)),
             "half the digits": lambda x: motion(x).bfloat16(), "subtracted in bfloat16": lambda x: motion(x.bfloat16().diff(dim=2).cumsum(2)), "one number": lambda x: motion(x).mean(), "per frame": lambda x: x.float().diff(dim=2).square().sum((1, 3, 4)), "in place": in_place(motion), "a list": lambda x: motion(x).tolist(), "the example": example(motion, torch.arange(8.0).reshape(2, 1, 4, 1, 1)), "raises": raises},
}


def by_numbers(g, rounds):
    x = g / g.norm().clamp(min=1e-7)
    for _ in range(rounds): x = A * x + B * x ** 3 + C * x ** 5
    return x
