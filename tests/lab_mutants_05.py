"""Chapter 05, exercises 05.6 and 05.7 (05.1 to 05.5 are in lab_mutants.py): answers that a check must reject, and others, written differently, that it must accept."""
import torch

from lab_mutants import example, in_place, raises
from sora_edu.diffusion import NoiseProcess, RectifiedFlow

solve, loss_scale = NoiseProcess.solve, RectifiedFlow.loss_scale


# --- 05.6 ----------------------------------------------------------------------------------------

def mixture(name, alpha, sigma): return {"noise": (0.0, 1.0), "data": (1.0, 0.0), "v": (-sigma, alpha), "velocity": (-1.0, 1.0)}[name]
def apart(det): return torch.where(torch.as_tensor(det).abs() < 1e-8, 1e-8, torch.as_tensor(det))


def through_both(self, x_t, out, alpha, sigma, to):
    """Data and noise first, then the mixture that is asked for."""
    if to == self.prediction: return out
    (p, q), (p2, q2) = mixture(self.prediction, alpha, sigma), mixture(to, alpha, sigma)
    det = apart(alpha * q - sigma * p)
    return p2 * (q * x_t - sigma * out) / det + q2 * (alpha * out - p * x_t) / det


def by_cases(self, x_t, out, alpha, sigma, to):
    """Each prediction solved by hand."""
    if self.prediction == to: return out
    if self.prediction == "noise": x, noise = (x_t - sigma * out) / apart(alpha), out
    elif self.prediction == "data": x, noise = out, (x_t - alpha * out) / apart(sigma)
    elif self.prediction == "v": x, noise = ((alpha * x_t - sigma * out) / (alpha**2 + sigma**2), (sigma * x_t + alpha * out) / (alpha**2 + sigma**2))
    else: x, noise = (x_t - sigma * out) / (alpha + sigma), (x_t + alpha * out) / (alpha + sigma)
    return {"noise": noise, "data": x, "v": alpha * noise - sigma * x, "velocity": noise - x}[to]


def by_linear_algebra(self, x_t, out, alpha, sigma, to):
    """A system of two equations for every value, solved in double precision by its pseudoinverse."""
    if self.prediction == to: return out
    (p, q), (p2, q2) = mixture(self.prediction, alpha, sigma), mixture(to, alpha, sigma)
    full = lambda value: torch.as_tensor(value).expand(x_t.shape).double()
    system = torch.stack([torch.stack([full(alpha), full(sigma)], -1), torch.stack([full(p), full(q)], -1)], -2)
    found = torch.linalg.pinv(system) @ torch.stack([x_t, out], -1).double()[..., None]
    return (full(p2) * found[..., 0, 0] + full(q2) * found[..., 1, 0]).to(x_t.dtype)


def solving(formula, tiny=1e-8):
    """solve with this formula of x_t, out, alpha, sigma, (p, q), (p2, q2)."""
    def answer(self, x_t, out, alpha, sigma, to):
        if to == self.prediction: return out
        return formula(x_t, out, alpha, sigma, *mixture(self.prediction, alpha, sigma), *mixture(to, alpha, sigma), lambda det: torch.where(torch.as_tensor(det).abs() < tiny, tiny, torch.as_tensor(det)))
    return answer


def right(x, o, a, s, p, q, p2, q2, safe): return ((p2 * q - q2 * p) * x + (q2 * a - p2 * s) * o) / safe(a * q - s * p)


# --- 05.7 ----------------------------------------------------------------------------------------

def scaling(factor, others=lambda t: 1.0):
    return lambda self, t: factor(t, self.floor) if self.prediction == "data" else others(t)


def scale_loop(self, t):
    if self.prediction != "data": return 1.0
    return torch.tensor([1 / max(u, self.floor) for u in t.flatten().tolist()]).reshape(t.shape)


RIGHT = {
    "05.6": dict(both=through_both, cases=by_cases, algebra=by_linear_algebra, scaled=solving(lambda x, o, a, s, p, q, p2, q2, safe: (p2 * q - q2 * p) / safe(a * q - s * p) * x + (q2 * a - p2 * s) / safe(a * q - s * p) * o)),
    "05.7": dict(maximum=scaling(lambda t, f: torch.maximum(t, torch.full_like(t, f)).reciprocal()), where=scaling(lambda t, f: torch.where(t > f, 1 / t, 1 / f)), loop=scale_loop, minimum=scaling(lambda t, f: (1 / t).clamp(max=1 / f))),
}

WRONG = {
    "05.6": {"alpha and sigma swapped": solving(lambda x, o, a, s, p, q, p2, q2, safe: right(x, o, s, a, p, q, p2, q2, safe)), "sign of the first": solving(lambda x, o, a, s, p, q, p2, q2, safe: ((q2 * p - p2 * q) * x + (q2 * a - p2 * s) * o) / safe(a * q - s * p)),
             "sign of the second": solving(lambda x, o, a, s, p, q, p2, q2, safe: ((p2 * q - q2 * p) * x - (q2 * a - p2 * s) * o) / safe(a * q - s * p)), "sign of the determinant": solving(lambda *args: -right(*args)), "determinant plus": solving(lambda x, o, a, s, p, q, p2, q2, safe: ((p2 * q - q2 * p) * x + (q2 * a - p2 * s) * o) / safe(a * q + s * p)),
             "determinant turned": solving(lambda x, o, a, s, p, q, p2, q2, safe: ((p2 * q - q2 * p) * x + (q2 * a - p2 * s) * o) / safe(a * p - s * q)), "not divided": solving(lambda x, o, a, s, p, q, p2, q2, safe: (p2 * q - q2 * p) * x + (q2 * a - p2 * s) * o), "multiplied": solving(lambda x, o, a, s, p, q, p2, q2, safe: right(x, o, a, s, p, q, p2, q2, safe) * (a * q - s * p) ** 2),
             "rectified flow only": lambda self, x, o, a, s, to: right(x, o, 1 - s, s, *mixture(self.prediction, 1 - s, s), *mixture(to, 1 - s, s), apart) if to != self.prediction else o, "variance kept only": lambda self, x, o, a, s, to: right(x, o, (1 - s**2).clamp(min=0).sqrt(), s, *mixture(self.prediction, a, s), *mixture(to, a, s), apart) if to != self.prediction else o,
             "roles swapped": lambda self, x, o, a, s, to: right(x, o, a, s, *mixture(to, a, s), *mixture(self.prediction, a, s), apart) if to != self.prediction else o, "always to data": lambda self, x, o, a, s, to: through_both(self, x, o, a, s, "data"), "always to velocity": lambda self, x, o, a, s, to: through_both(self, x, o, a, s, "velocity"),
             "always from velocity": lambda self, x, o, a, s, to: through_both(RectifiedFlow("velocity"), x, o, a, s, to), "always from data": lambda self, x, o, a, s, to: through_both(RectifiedFlow("data"), x, o, a, s, to), "v is velocity": lambda self, x, o, a, s, to: through_both(self, x, o, a, s, "velocity" if to == "v" else to), "what it says": lambda self, x, o, a, s, to: o + 0,
             "unsafe": solving(lambda x, o, a, s, p, q, p2, q2, safe: right(x, o, a, s, p, q, p2, q2, lambda det: det)), "coarsely safe": solving(right, tiny=0.3), "always a little more": solving(lambda x, o, a, s, p, q, p2, q2, safe: right(x, o, a, s, p, q, p2, q2, lambda det: det + 0.01)), "clipped": lambda *args: solve(*args).clamp(-1, 1),
             "in place": in_place(solve, 1), "out in place": in_place(solve, 2), "double": lambda *args: solve(*args).double(), "first level for all": lambda self, x, o, a, s, to: solve(self, x, o, a[:1].expand_as(a), s[:1].expand_as(s), to), "mean level": lambda self, x, o, a, s, to: solve(self, x, o, a.mean().expand_as(a), s.mean().expand_as(s), to),
             "a pair": lambda *args: (solve(*args), None), "the example": example(solve, RectifiedFlow(), torch.tensor([[1.5, 0.25]]), torch.tensor([[-2.0, 1.0]]), torch.tensor([[0.75]]), torch.tensor([[0.25]]), "data"), "raises": raises},
    "05.7": {"square": scaling(lambda t, f: t.clamp(min=f) ** -2), "root": scaling(lambda t, f: t.clamp(min=f) ** -0.5), "no floor": scaling(lambda t, f: 1 / t), "always 0.05": scaling(lambda t, f: 1 / t.clamp(min=0.05)), "floor added": scaling(lambda t, f: 1 / (t + f)), "held below": scaling(lambda t, f: 1 / t.clamp(max=f)),
             "floor for the factor": scaling(lambda t, f: (1 / t).clamp(max=f)), "factor at least": scaling(lambda t, f: (1 / t).clamp(min=1 / f)), "not turned over": scaling(lambda t, f: t.clamp(min=f)), "noise for data": scaling(lambda t, f: 1 / (1 - t).clamp(min=f)), "ratio": scaling(lambda t, f: (1 - t) / t.clamp(min=f)), "all predictions": lambda self, t: 1 / t.clamp(min=self.floor),
             "never": lambda self, t: 1.0, "never, as a tensor": lambda self, t: torch.ones_like(t), "zero else": scaling(lambda t, f: 1 / t.clamp(min=f), lambda t: 0.0), "nothing else": scaling(lambda t, f: 1 / t.clamp(min=f), lambda t: None), "other way round": lambda self, t: 1.0 if self.prediction == "data" else 1 / t.clamp(min=self.floor),
             "one for all": scaling(lambda t, f: 1 / t.clamp(min=f).mean()), "flat": scaling(lambda t, f: (1 / t.clamp(min=f)).flatten()), "zero below": scaling(lambda t, f: torch.where(t < f, 0.0, 1 / t)), "one below": scaling(lambda t, f: torch.where(t < f, 1.0, 1 / t)), "in place": scaling(lambda t, f: 1 / t.clamp_(min=f)), "double": scaling(lambda t, f: 1 / t.double().clamp(min=f)), "sign": scaling(lambda t, f: -1 / t.clamp(min=f)),
             "the example": scaling(lambda t, f: torch.full_like(t, 20.0)), "raises": raises},
}
