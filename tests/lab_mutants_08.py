"""Chapter 08: wrong answers that a check must reject, and right ones, written differently, that it must accept: {exercise id: {name: function}}."""
import torch

from lab_mutants import example, in_place, raises
from sora_edu.diffusion import RectifiedFlow, broadcast_t
from sora_edu.sampling import Run, ahead, euler, expand_batch, guided, heun, levels_like, map_text

wide = broadcast_t


# --- 08.1 and 08.2 -------------------------------------------------------------------------------

def walked(way=lambda s, t: s - t, slope=lambda run, x, out, t, s: run.process.velocity(x, out, t), start=lambda x: x):
    """Euler's step with this way and this slope."""
    return lambda run, x, out, t, s: start(x) + wide(way(s, t), x) * slope(run, x, out, t, s)


def by_data(run, x, out, t, s):
    data = run.process.to_data(x, out, t)
    t, s = wide(t, x), wide(s, x)
    return torch.where(t > 0, s / t.clamp(min=1e-30) * x + (1 - s / t.clamp(min=1e-30)) * data, x)


def by_hand(run, x, out, t, s):
    """Clip by clip and frame by frame."""
    v, y = run.process.velocity(x, out, t), []
    for i in range(len(x)):
        if t.ndim == 1: y.append(x[i] + (s[i] - t[i]) * v[i])
        else: y.append(torch.stack([x[i, :, f] + (s[i, f] - t[i, f]) * v[i, :, f] for f in range(x.shape[2])], 1))
    return torch.stack(y)


def lerp(run, x, out, t, s):
    h = wide(t, x) - wide(s, x)
    return torch.lerp(x, x - run.process.velocity(x, out, t), h)


def heuns(end=euler, at=lambda t, s: s, mean=lambda v, w: (v + w) / 2, last=True, start=lambda x, end: x, way=lambda s, t: s - t, there=lambda run, end, out, s: run.process.velocity(end, out, s)):
    """Heun's step with these parts."""
    def step(run, x, out, t, s):
        v, y = run.process.velocity(x, out, t), end(run, x, out, t, s)
        if last and not s.any(): return y
        return start(x, y) + wide(way(s, t), x) * mean(v, there(run, y, run.predict(y, at(t, s)), s))
    return step


def heun_corrected(run, x, out, t, s):
    """Euler's end, moved by half of what the slope has changed."""
    y = euler(run, x, out, t, s)
    if bool((s == 0).all()): return y
    change = run.process.velocity(y, run.predict(y, s), s) - run.process.velocity(x, out, t)
    return y + wide(s - t, x) * change / 2


def heun_of_two_eulers(run, x, out, t, s):
    y = euler(run, x, out, t, s)
    return y if s.max() == 0 else (y + euler_from(run, x, y, t, s)) / 2


def euler_from(run, x, y, t, s): return x + wide(s - t, x) * run.process.velocity(y, run.predict(y, s), s)


def midpoint(run, x, out, t, s):
    half = (t + s) / 2
    y = euler(run, x, out, t, half)
    return x + wide(s - t, x) * run.process.velocity(y, run.predict(y, half), half)


def heun_of_outputs(run, x, out, t, s):
    y = euler(run, x, out, t, s)
    return euler(run, x, (out + run.predict(y, s)) / 2, t, s) if s.any() else y


# --- 08.3 ----------------------------------------------------------------------------------------

def clean(ratio): return torch.where(ratio.isfinite(), ratio, torch.zeros_like(ratio))


def ahead_where(now, before, ratio): return torch.where(ratio.isfinite(), now + clean(ratio) * (now - before) / 2, now)
def ahead_weights(now, before, ratio): return (1 + clean(ratio) / 2) * now - clean(ratio) / 2 * before
def ahead_lerp(now, before, ratio): return torch.lerp(before, now, 1 + (clean(ratio) / 2).expand_as(now))


def ahead_loop(now, before, ratio):
    r = ratio.expand_as(now).flatten()
    values = [n + k / 2 * (n - b) if torch.isfinite(k) else n for n, b, k in zip(now.flatten(), before.flatten(), r)]
    return torch.stack(values).reshape(now.shape)


# --- 08.4 ----------------------------------------------------------------------------------------

def checked(text, null_text, w, batch):
    """What guided refuses; gives both texts, one for each clip."""
    if text is None and w != 1: raise ValueError("cfg_scale needs text")
    if text is not None: text = map_text(lambda c: expand_batch(c, batch), text)
    if text is not None and w != 1 and null_text is None: raise ValueError("cfg_scale needs null_text")
    return text, None if null_text is None or text is None or w == 1 else map_text(lambda c: expand_batch(c, batch), null_text)


def mixed(mix=lambda null, cond, w: null + w * (cond - null), cat=lambda null, cond: torch.cat([null, cond]), halves=lambda y: y.chunk(2), twice=lambda x: torch.cat([x, x])):
    """guided with this mixture of both answers."""
    def make(model, text, null_text, w, batch):
        text, null = checked(text, null_text, w, batch)
        if text is None: return lambda x, t: model(x, t)
        if w == 1: return lambda x, t: model(x, t, text=text)
        both = map_text(cat, null, text)
        return lambda x, t: mix(*halves(model(twice(x), twice(t), text=both)), w)
    return make


def text_first(model, text, null_text, w, batch):
    text, null = checked(text, null_text, w, batch)
    def predict(x, t):
        if text is None: return model(x, t)
        if w == 1: return model(x, t, text=text)
        y = model(x.repeat(2, *[1] * (x.ndim - 1)), t.repeat(2, *[1] * (t.ndim - 1)), text=map_text(lambda a, b: torch.cat([a, b]), text, null))
        return w * y[:len(x)] + (1 - w) * y[len(x):]
    return predict


def guided_lerp(model, text, null_text, w, batch): return mixed(lambda null, cond, w: torch.lerp(null, cond, w))(model, text, null_text, w, batch)


def guided_by_name(model, text, null_text, w, batch):
    text, null = checked(text, null_text, w, batch)
    if text is None: return lambda x, t: model(x, t)
    given = text if w == 1 else map_text(lambda n, c: torch.cat((n, c), dim=0), null, text)
    def answer(x, t):
        if w == 1: return model(x, t, text=given)
        n, c = torch.split(model(torch.cat((x, x)), torch.cat((t, t)), text=given), len(x))
        return n + (c - n) * w
    return answer


def two_calls(model, text, null_text, w, batch):
    text, null = checked(text, null_text, w, batch)
    if text is None or w == 1: return guided(model, text, null_text, w, batch)
    def predict(x, t):
        n, c = model(x, t, text=null), model(x, t, text=text)
        return n + w * (c - n)
    return predict


def always_both(model, text, null_text, w, batch):
    """Also at strength 1, where the empty prompt cancels."""
    if text is None: return guided(model, text, null_text, w, batch)
    null = text if null_text is None else null_text
    if w != 1 and null_text is None: raise ValueError("cfg_scale needs null_text")
    text, null = (map_text(lambda c: expand_batch(c, batch), some) for some in (text, null))
    both = map_text(lambda n, c: torch.cat([n, c]), null, text)
    def predict(x, t):
        n, c = model(torch.cat([x, x]), torch.cat([t, t]), text=both).chunk(2)
        return n + w * (c - n)
    return predict


def drifts(model, text, null_text, w, batch):
    """Adds to the strength with every question."""
    predict, asked = guided(model, text, null_text, w, batch), []
    def answer(x, t):
        asked.append(0)
        return predict(x, t) * (1 if len(asked) < 2 else 1.01)
    return answer


def careless(kind):
    """guided without one of its refusals."""
    def make(model, text, null_text, w, batch):
        if kind == "text" and text is None: return lambda x, t: model(x, t)
        if kind == "null" and text is not None and null_text is None and w != 1: return lambda x, t: model(x, t, text=text)
        if kind == "batch" and isinstance(text, torch.Tensor) and len(text) not in (1, batch): text = text[:batch]
        if kind == "type" and isinstance(text, str): return lambda x, t: model(x, t, text=text)
        return guided(model, text, null_text, w, batch)
    return make


def not_repeated(model, text, null_text, w, batch):
    text, null = checked(text, null_text, w, batch)[0], null_text
    if text is None or w == 1: return guided(model, text, null_text, w, batch)
    both = map_text(lambda n, c: torch.cat([n, c]), null, text)
    def predict(x, t):
        n, c = model(torch.cat([x, x]), torch.cat([t, t]), text=both).chunk(2)
        return n + w * (c - n)
    return predict


# --- 08.5 ----------------------------------------------------------------------------------------

def levels(free=lambda t, given: (~given).double() * t, none=lambda t, x: x.new_full((len(x),), t), kind=lambda y, x: y.to(x.dtype)):
    """levels_like with these parts."""
    return lambda t, x, given: none(t, x) if given is None else kind(free(t, given), x)


def levels_fill(t, x, given):
    if given is None: return torch.full((x.shape[0],), t, dtype=x.dtype)
    out = torch.full(given.shape, t, dtype=x.dtype)
    out[given] = 0
    return out


def levels_loop(t, x, given):
    if given is None: return torch.tensor([t] * len(x), dtype=x.dtype)
    return torch.tensor([[0.0 if known else t for known in row] for row in given.tolist()], dtype=x.dtype)


def levels_masked(t, x, given): return x.new_full((len(x),), t) if given is None else x.new_full(given.shape, t).masked_fill(given, 0)


RIGHT = {
    "08.1": {"by predicted data": by_data, "by hand": by_hand, "minus": lambda run, x, out, t, s: x - wide(t - s, x) * run.process.velocity(x, out, t), "lerp": lerp, "addcmul": lambda run, x, out, t, s: torch.addcmul(x, wide(s, x) - wide(t, x), run.process.velocity(x, out, t))},
    "08.2": {"corrected": heun_corrected, "two Eulers": heun_of_two_eulers, "parts": heuns(), "mean of both ways": heuns(mean=lambda v, w: 0.5 * v + 0.5 * w), "stacked": heuns(mean=lambda v, w: torch.stack([v, w]).mean(0))},
    "08.3": {"where": ahead_where, "weights": ahead_weights, "lerp": ahead_lerp, "loop": ahead_loop},
    "08.4": {"text first": text_first, "lerp": guided_lerp, "by name": guided_by_name, "parts": mixed()},
    "08.5": {"fill": levels_fill, "loop": levels_loop, "masked": levels_masked, "parts": levels(), "where": lambda t, x, given: x.new_tensor([t] * len(x)) if given is None else torch.where(given, x.new_zeros(()), x.new_tensor(t))},
}

POINTS = torch.ones(2, 3), torch.full((2, 3), 2.0), torch.ones(2), torch.zeros(2)
RUN = Run(RectifiedFlow(), lambda x, t: x, [])
WRONG = {
    "08.1": {"sign": walked(way=lambda s, t: t - s), "the end for the way": walked(way=lambda s, t: s), "the start for the way": walked(way=lambda s, t: -t), "one": walked(way=lambda s, t: torch.ones_like(t)), "half": walked(way=lambda s, t: (s - t) / 2), "double": walked(way=lambda s, t: 2 * (s - t)),
             "absolute": walked(way=lambda s, t: -(s - t).abs()), "squares": walked(way=lambda s, t: s.square() - t.square()), "ratio": walked(way=lambda s, t: (s - t) / t.clamp(min=1e-8)), "mean level": walked(way=lambda s, t: (s - t).mean().expand_as(t)), "first level": walked(way=lambda s, t: (s - t)[:1].expand_as(t)),
             "levels reversed": walked(way=lambda s, t: (s - t).flip(0)), "the output": walked(slope=lambda run, x, out, t, s: out), "the data": walked(slope=lambda run, x, out, t, s: run.process.to_data(x, out, t)), "the noise": walked(slope=lambda run, x, out, t, s: run.process.to_noise(x, out, t)), "minus data": walked(slope=lambda run, x, out, t, s: x - run.process.to_data(x, out, t)),
             "velocity at the end": walked(slope=lambda run, x, out, t, s: run.process.velocity(x, out, s)), "asked again": walked(slope=lambda run, x, out, t, s: run.process.velocity(x, run.predict(x, s), t)), "from nothing": walked(start=torch.zeros_like), "the slope alone": lambda run, x, out, t, s: run.process.velocity(x, out, t), "the data at once": lambda run, x, out, t, s: run.process.to_data(x, out, t),
             "nothing moves": lambda run, x, out, t, s: x.clone(), "heun": heun, "midpoint": midpoint, "mixed again": lambda run, x, out, t, s: run.process.add_noise(run.process.to_data(x, out, t), torch.ones_like(x), s.clamp(0, 1)), "levels per clip only": lambda run, x, out, t, s: walked()(run, x, out, t if t.ndim == 1 else t.amax(1), s if s.ndim == 1 else s.amax(1)),
             "in place": lambda run, x, out, t, s: x.add_(wide(s - t, x) * run.process.velocity(x, out, t)), "argument changed": in_place(euler, 2), "double precision": lambda *a: euler(*a).double(), "half the digits": lambda *a: euler(*a).half().to(a[1].dtype), "float": lambda *a: euler(*a).float(), "gradient lost": lambda *a: euler(*a).detach(), "clipped": lambda *a: euler(*a).clamp(-1, 1),
             "with noise": lambda *a: euler(*a) + 0.01 * torch.randn_like(a[1]), "mirrored": lambda *a: euler(*a).flip(-1), "the example": example(euler, RUN, *POINTS), "nothing": lambda *a: None, "raises": raises},
    "08.2": {"euler": euler, "midpoint": midpoint, "asked at the start level": heuns(at=lambda t, s: t), "asked at zero": heuns(at=lambda t, s: torch.zeros_like(s)), "asked in the middle": heuns(at=lambda t, s: (t + s) / 2), "from Euler's end": heuns(start=lambda x, end: end), "sum": heuns(mean=lambda v, w: v + w), "second only": heuns(mean=lambda v, w: w), "first only": heuns(mean=lambda v, w: v),
             "difference": heuns(mean=lambda v, w: (v - w) / 2), "thirds": heuns(mean=lambda v, w: (2 * v + w) / 3), "ahead of the first": heuns(mean=lambda v, w: v + (v - w) / 2), "geometric": heuns(mean=lambda v, w: (v * w).abs().sqrt() * v.sign()), "sign": heuns(way=lambda s, t: t - s), "asks at level 0": heuns(last=False), "sign of Euler": heuns(end=walked(way=lambda s, t: t - s)), "half Euler": heuns(end=lambda run, x, out, t, s: euler(run, x, out, t, (t + s) / 2)),
             "Euler does not move": heuns(end=lambda run, x, out, t, s: x), "mean of outputs": heun_of_outputs, "output at the end taken as it is": heuns(there=lambda run, end, out, s: out), "raw first": lambda run, x, out, t, s: euler(run, x, out, t, s) if not s.any() else x + wide(s - t, x) * (out + run.process.velocity(y := euler(run, x, out, t, s), run.predict(y, s), s)) / 2, "the last step stays": lambda run, x, out, t, s: heun(run, x, out, t, s) if s.any() else x.clone(),
             "the last step lands on the output": lambda run, x, out, t, s: heun(run, x, out, t, s) if s.any() else out.clone(), "Euler where any level is 0": lambda run, x, out, t, s: heun(run, x, out, t, s) if s.all() else euler(run, x, out, t, s), "levels per clip only": lambda run, x, out, t, s: heun(run, x, out, t, s) if t.ndim == 1 else heun(run, x, out, t.amax(1), s.amax(1)), "mean level": lambda run, x, out, t, s: heun(run, x, out, t, s.mean().expand_as(s)),
             "two steps of Euler": lambda run, x, out, t, s: euler(run, y := euler(run, x, out, t, (t + s) / 2), run.predict(y, (t + s) / 2), (t + s) / 2, s), "in place": lambda run, x, out, t, s: x.copy_(heun(run, x, out, t, s)), "double": lambda *a: heun(*a).double(), "half the digits": lambda *a: heun(*a).half().to(a[1].dtype), "clipped": lambda *a: heun(*a).clamp(-1, 1), "with noise": lambda *a: heun(*a) + 0.01 * torch.randn_like(a[1]),
             "mirrored": lambda *a: heun(*a).flip(-1), "the example": example(heun, RUN, *POINTS), "nothing": lambda *a: None, "raises": raises},
    "08.3": {"whole change": lambda n, b, r: n + clean(r) * (n - b), "quarter": lambda n, b, r: n + clean(r) / 4 * (n - b), "swapped": lambda n, b, r: ahead(b, n, r), "towards before": lambda n, b, r: n + clean(r) / 2 * (b - n), "from before": lambda n, b, r: b + clean(r) / 2 * (n - b), "upside down": lambda n, b, r: n + clean(1 / r) / 2 * (n - b), "no ratio": lambda n, b, r: n + (n - b) / 2 + 0 * clean(r),
             "squared": lambda n, b, r: n + clean(r).square() / 2 * (n - b), "plus one": lambda n, b, r: n + (1 + clean(r)) / 2 * (n - b), "mean": lambda n, b, r: (n + b) / 2 + 0 * clean(r), "now": lambda n, b, r: n + 0 * clean(r), "before": lambda n, b, r: b + 0 * clean(r), "the change alone": lambda n, b, r: clean(r) / 2 * (n - b), "not cleaned": lambda n, b, r: n + r / 2 * (n - b), "NaN only": lambda n, b, r: n + r.nan_to_num(0, posinf=float("inf"), neginf=float("-inf")) / 2 * (n - b),
             "large for infinite": lambda n, b, r: n + r.nan_to_num(0) / 2 * (n - b), "one for infinite": lambda n, b, r: n + r.nan_to_num(1, posinf=1, neginf=1) / 2 * (n - b), "plus infinity kept": lambda n, b, r: n + r.nan_to_num(0, neginf=0) / 2 * (n - b), "minus infinity kept": lambda n, b, r: n + r.nan_to_num(0, posinf=0) / 2 * (n - b), "cleaned afterwards": lambda n, b, r: (n + r / 2 * (n - b)).nan_to_num(0, posinf=0, neginf=0), "zero where unsure": lambda n, b, r: torch.where(r.isfinite(), ahead(n, b, r), torch.zeros_like(n)),
             "before where unsure": lambda n, b, r: torch.where(r.isfinite(), ahead(n, b, r), b), "mean ratio": lambda n, b, r: ahead(n, b, clean(r).mean()), "first ratio": lambda n, b, r: ahead(n, b, r[:1]), "ratio of the last clip": lambda n, b, r: ahead(n, b, r.flip(0)), "all or nothing": lambda n, b, r: n + r / 2 * (n - b) if r.isfinite().all() else n.clone(), "at most 1": lambda n, b, r: ahead(n, b, r.clamp(max=1)), "absolute": lambda n, b, r: n + clean(r) / 2 * (n - b).abs(),
             "in place": lambda n, b, r: n.add_(clean(r) / 2 * (n - b)), "argument changed": in_place(ahead, 1), "double": lambda *a: ahead(*a).double(), "float": lambda *a: ahead(*a).float(), "half the digits": lambda *a: ahead(*a).half().to(a[0].dtype), "gradient lost": lambda *a: ahead(*a).detach(), "clipped": lambda *a: ahead(*a).clamp(-1, 1), "example": example(ahead, torch.ones(2, 2), torch.zeros(2, 2), torch.ones(2, 1)), "nothing": lambda *a: None, "raises": raises},
    "08.4": {"from the text": mixed(lambda n, c, w: c + w * (c - n)), "swapped": mixed(lambda n, c, w: c + w * (n - c)), "negative": mixed(lambda n, c, w: n - w * (c - n)), "from nothing": mixed(lambda n, c, w: w * (c - n)), "text only": mixed(lambda n, c, w: c), "null only": mixed(lambda n, c, w: n), "mean": mixed(lambda n, c, w: (n + c) / 2), "w - 1": mixed(lambda n, c, w: n + (w - 1) * (c - n)), "w + 1": mixed(lambda n, c, w: n + (w + 1) * (c - n)),
             "w times text": mixed(lambda n, c, w: w * c), "sum": mixed(lambda n, c, w: n + w * c), "at most 5": mixed(lambda n, c, w: n + min(w, 5) * (c - n)), "at least 1": mixed(lambda n, c, w: n + max(w, 1) * (c - n)), "rounded strength": mixed(lambda n, c, w: n + round(w) * (c - n)), "squared": mixed(lambda n, c, w: n + w * w * (c - n)), "clipped": mixed(lambda n, c, w: (n + w * (c - n)).clamp(-1, 1)), "rescaled": mixed(lambda n, c, w: (y := n + w * (c - n)) * c.std() / y.std()),
             "texts in the wrong order": mixed(cat=lambda n, c: torch.cat([c, n])), "the text twice": mixed(cat=lambda n, c: torch.cat([c, c])), "the null twice": mixed(cat=lambda n, c: torch.cat([n, n])), "texts interleaved": mixed(cat=lambda n, c: torch.stack([n, c], 1).flatten(0, 1)), "answers interleaved": mixed(halves=lambda y: (y[::2], y[1::2])), "clips interleaved": mixed(twice=lambda x: x.repeat_interleave(2, 0)), "halves swapped": mixed(halves=lambda y: y.chunk(2)[::-1]), "cut along channels": mixed(halves=lambda y: y.chunk(2, 1)),
             "mean over clips": mixed(lambda n, c, w: n + w * (c - n).mean(0, keepdim=True)), "first clip's direction": mixed(lambda n, c, w: n + w * (c - n)[:1]), "gradient of the size": mixed(lambda n, c, w: n + w * (c - n) / (c - n).norm()), "two calls": two_calls, "always both": always_both, "drifts": drifts, "text of one not repeated": not_repeated, "no text is fine": careless("text"), "no null is fine": careless("null"), "texts cut": careless("batch"), "words are fine": careless("type"),
             "ignores strength": lambda model, text, null_text, w, batch: guided(model, text, null_text, 1.0 if text is None else w if w in (0, 1) else 2.0, batch), "the answer at once": lambda model, text, null_text, w, batch: guided(model, text, null_text, w, batch)(torch.zeros(batch, 2), torch.ones(batch)), "the model": lambda model, *a: (guided(model, *a), lambda x, t: model(x, t))[1], "nothing": lambda *a: None, "raises": raises},
    "08.5": {"swapped": levels(lambda t, given: given * t), "all noisy": levels(lambda t, given: torch.full(given.shape, t)), "all clean": levels(lambda t, given: torch.zeros(given.shape)), "one for given": levels(lambda t, given: torch.where(given, 1.0, t)), "per clip only": levels(lambda t, given: (~given).any(1) * t), "share of given": levels(lambda t, given: (~given).float().mean(1) * t), "first clip's frames": levels(lambda t, given: (~given[:1]).expand_as(given) * t), "frames of all": levels(lambda t, given: (~given.any(0)).expand_as(given) * t),
             "transposed": levels(lambda t, given: (~given * t).T), "with axes of x": levels(lambda t, given: (~given * t)[:, None, :, None, None]), "one per frame": levels(lambda t, given: ~given[0] * t), "1 - t": levels(lambda t, given: ~given * (1 - t)), "half": levels(lambda t, given: ~given * t / 2), "squared": levels(lambda t, given: ~given * t * t), "frame 0 only": levels(lambda t, given: torch.cat([torch.zeros(len(given), 1), torch.full((len(given), given.shape[1] - 1), t)], 1)),
             "a float": levels(none=lambda t, x: t), "one level": levels(none=lambda t, x: x.new_tensor([t])), "no axis": levels(none=lambda t, x: x.new_tensor(t)), "per frame when nothing is given": levels(none=lambda t, x: x.new_full((len(x), x.shape[2]) if x.ndim == 5 else (len(x),), t)), "ones": levels(none=lambda t, x: x.new_ones(len(x))), "zeros": levels(none=lambda t, x: x.new_zeros(len(x))), "like x": levels(none=lambda t, x: torch.full_like(x, t)), "channels for clips": levels(none=lambda t, x: x.new_full((x.shape[1],), t)),
             "1 - t, nothing given": levels(none=lambda t, x: x.new_full((len(x),), 1 - t)), "float32": lambda t, x, given: levels_like(t, x, given).float(), "double": lambda t, x, given: levels_like(t, x, given).double(), "half the digits": lambda t, x, given: levels_like(t, x, given).half().to(x.dtype), "booleans": lambda t, x, given: levels_like(t, x, given).bool(), "steps of 1000": lambda t, x, given: levels_like(t, x, given) * 1000, "whole numbers": lambda t, x, given: (levels_like(t, x, given) * 1000).long(), "a list": lambda *a: levels_like(*a).tolist(),
             "given must be": lambda t, x, given: levels_like(t, x, given) if given is not None else raises(), "given never": lambda t, x, given: levels_like(t, x, None), "mask changed": in_place(lambda t, x, given: levels_like(t, x, given), 1), "the example": example(levels_like, 0.5, torch.zeros(2, 3, 4, 5, 6), None), "with noise": lambda *a: levels_like(*a) + torch.rand(()) / 100, "nothing": lambda *a: None, "raises": raises},
}
