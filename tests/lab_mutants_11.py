"""Chapter 11: wrong answers that a check must reject, and right ones, written differently, that it must accept: {exercise id: {name: function}}."""
import json
import math

import numpy as np
import torch
from torch import nn

from lab_mutants import example, raises
from sora_edu.diffusion import RectifiedFlow
from sora_edu.pipeline import load_config, misfits, not_finite, weigh
from sora_edu.sampling import sample


# --- 11.1 ----------------------------------------------------------------------------------------

def learned(model): return sum(p.numel() for p in model.parameters())
def saved(model): return list({t.data_ptr(): t for t in model.state_dict().values()}.values())
def halves(model): return sum(t.numel() * (2 if t.is_floating_point() else t.element_size()) for t in saved(model))


def weigh_by_hand(model):
    met, count, size = set(), 0, 0
    for p in model.parameters(): count += math.prod(p.shape)
    for t in model.state_dict().values():
        if t.data_ptr() in met: continue
        met.add(t.data_ptr())
        size += t.nelement() * (2 if t.dtype.is_floating_point else t.itemsize)
    return count, size


def weigh_by_buffers(model):
    """Walk through the modules: parameters once, then what is kept beside them."""
    parameters = {id(p): p for p in model.parameters()}.values()
    buffers = [b for m in model.modules() for name, b in m._buffers.items() if b is not None and name not in m._non_persistent_buffers_set]
    count = sum(p.numel() for p in parameters)
    return count, 2 * count + sum(b.numel() * (2 if b.is_floating_point() else b.element_size()) for b in buffers)


def weigh_storage(model):
    storages = {t.untyped_storage().data_ptr(): t for t in model.state_dict().values()}
    return learned(model), sum(t.numel() * min(t.element_size(), 2) if t.is_floating_point() else t.nbytes for t in storages.values())


# --- 11.3, 11.4 ----------------------------------------------------------------------------------

KEYS = ("clip", "backgrounds", "shift")


def config_steps(file):
    with open(file, encoding="utf-8") as f:
        try: found = json.load(f)
        except (json.JSONDecodeError, UnicodeDecodeError): raise ValueError(f"cannot read {file}")
    if type(found) is not dict: raise ValueError(f"{file} is no object")
    if not set(KEYS) <= found.keys(): raise ValueError(f"{file}: missing {set(KEYS) - found.keys()}")
    return found


def config_bytes(file):
    try: found = json.loads(file.read_bytes().decode())
    except Exception as error: raise ValueError(f"{file}: {error}") from error
    lacking = " and ".join(k for k in KEYS if not isinstance(found, dict) or k not in found)
    if lacking or not isinstance(found, dict): raise ValueError(f"in {file} there is no {lacking}")
    return found


def config(read=lambda file: json.loads(file.read_text(encoding="utf-8")), missing=lambda c: [k for k in KEYS if k not in c] if isinstance(c, dict) else ["everything"],
           damaged=lambda file, e: ValueError(f"{file} is damaged"), lacks=lambda file, m: ValueError(f"{file} lacks {', '.join(m)}"), give=lambda c: c):
    def load(file):
        try: found = read(file)
        except ValueError as error: raise damaged(file, error)
        if gone := missing(found): raise lacks(file, gone)
        return give(found)
    return load


def numbers(text, vae, dit): return dict(text_dim=(dit.text_dim, text.norm.weight.numel()), latent_channels=(dit.latent_channels, vae.latent_mean.numel()))


def misfits_loop(text, vae, dit):
    wrong = []
    if dit.text_norm.normalized_shape[0] != text.words.embedding_dim: wrong.append(("text_dim", dit.text_dim, text.words.embedding_dim))
    if dit.latent_channels != vae.to_latent.out_features: wrong.append(("latent_channels", dit.latent_channels, vae.to_latent.out_features))
    return wrong


def pairs(text=lambda t: t.places.shape[1], vae=lambda v: v.latent_channels, keep=lambda name, a, b: a != b, row=lambda name, a, b: (name, a, b), end=lambda rows: rows):
    def found(t, v, d):
        both = [("text_dim", d.text_dim, text(t)), ("latent_channels", d.latent_channels, vae(v))]
        return end([row(*each) for each in both if keep(*each)])
    return found


# --- 11.5 ----------------------------------------------------------------------------------------

def call(listed=lambda p: [p] if isinstance(p, str) else list(p), check=lambda s, p: s.check_prompts(p), latent_size=lambda s, size: s.vae.latent_size(tuple(size or s.config["clip"])),
         seeds=lambda seed, n: seed, text=lambda s, p: s.text(p), null=lambda s, p: s.text([""]), change=lambda how, s: {}, decode=lambda s, z: s.vae.decode(z), show=lambda v: v.clamp(-1, 1),
         grad=torch.no_grad, dit=lambda s: s.dit):
    """Sora.__call__ with one of its pieces exchanged."""
    def made(self, prompt, seed=0, steps=16, cfg_scale=2., size=None, solver="ddpm"):
        prompts = listed(prompt)
        check(self, prompts)
        how = dict(steps=steps, solver=solver, cfg_scale=cfg_scale, seed=seeds(seed, len(prompts)), process=RectifiedFlow("data"), shift=self.config["shift"])
        how |= change(how, self)
        with grad():
            latent = sample(dit(self), (len(prompts), self.vae.latent_channels, *latent_size(self, size)), text=text(self, prompts), null_text=null(self, prompts), **how)
            return show(decode(self, latent))
    return made


def one_by_one(self, prompt, seed=0, steps=16, cfg_scale=2., size=None, solver="ddpm"):
    prompts = (prompt,) if isinstance(prompt, str) else tuple(prompt)
    self.check_prompts(list(prompts))
    seeds = [seed + i for i in range(len(prompts))] if isinstance(seed, int) else seed
    clips = []
    for words, number in zip(prompts, seeds, strict=True):
        shape = (1, self.vae.latent_channels, *self.vae.latent_size(tuple(size) if size else tuple(self.config["clip"])))
        z = sample(self.dit, shape, steps, solver, cfg_scale, number, self.text([words]), self.text([""]), RectifiedFlow("data"), self.config["shift"])
        with torch.no_grad(): clips.append(self.vae.decode(z).clip(-1, 1))
    return torch.cat(clips)


def own_noise(self, prompt, seed=0, steps=16, cfg_scale=2., size=None, solver="ddpm"):
    """Both texts at once, and numbers for the tokens made beforehand."""
    prompts = [prompt] if type(prompt) is str else [*prompt]
    self.check_prompts(prompts)
    both = self.text(self.text.tokenizer(["", *prompts]))
    size = self.config["clip"] if size is None else size
    latent = sample(self.dit, (len(prompts), self.dit.latent_channels) + self.vae.latent_size(size), steps=steps, solver=solver, cfg_scale=cfg_scale, seed=seed,
                    text=both[1:], null_text=both[:1].expand(len(prompts), -1, -1), process=RectifiedFlow("data"), shift=self.config["shift"])
    return torch.min(torch.max(self.vae.decode(latent), torch.tensor(-1.)), torch.tensor(1.)).detach()


def unscaled(self, z):
    from einops import rearrange
    return self.vae.pixels(rearrange(z, "b d f h w -> b f h w d"))


def adds(self, prompt, *rest):
    if isinstance(prompt, list): prompt.append("")
    return call()(self, prompt, *rest)[:-1] if isinstance(prompt, list) else call()(self, prompt, *rest)


RIGHT = {
    "11.1": dict(by_hand=weigh_by_hand, buffers=weigh_by_buffers, storage=weigh_storage, list=lambda m: [learned(m), halves(m)]),
    "11.2": dict(loop=lambda s: [n for n in s if (s[n].isnan() | s[n].isinf()).any()], numpy=lambda s: [n for n, v in s.items() if not np.isfinite(v.numpy()).all()], tuple=lambda s: tuple(n for n, v in s.items() if bool((~torch.isfinite(v)).sum())),
                 minus=lambda s: [n for n, v in s.items() if v.is_floating_point() and not torch.equal(v - v, torch.zeros_like(v))]),
    "11.3": dict(steps=config_steps, bytes=config_bytes, pieces=config()),
    "11.4": dict(loop=misfits_loop, weights=lambda t, v, d: [(name, a, b) for name, (a, b) in numbers(t, v, d).items() if a != b], pieces=pairs(), filter=lambda t, v, d: list(filter(lambda p: p[1] - p[2], [(k, *ab) for k, ab in numbers(t, v, d).items()])), tuple=lambda t, v, d: tuple(misfits(t, v, d)), rows=pairs(row=lambda *r: list(r))),
    "11.5": dict(one_by_one=one_by_one, own_noise=own_noise, pieces=call(), inference=call(grad=torch.inference_mode, show=lambda v: v.clamp(-1, 1).clone())),
}

WRONG = {
    "11.1": {"four bytes": lambda m: (learned(m), 2 * halves(m)), "as in memory": lambda m: (learned(m), sum(t.nbytes for t in saved(m))), "two bytes for all": lambda m: (learned(m), 2 * sum(t.numel() for t in saved(m))), "parameters only": lambda m: (learned(m), 2 * learned(m)),
             "names counted": lambda m: (learned(m), sum(t.numel() * (2 if t.is_floating_point() else t.element_size()) for t in m.state_dict().values())), "buffers learned": lambda m: (sum(t.numel() for t in saved(m)), halves(m)), "frozen left out": lambda m: (sum(p.numel() for p in m.parameters() if p.requires_grad), halves(m)),
             "shared learned twice": lambda m: (sum(t.numel() for n, t in m.state_dict(keep_vars=True).items() if isinstance(t, nn.Parameter)), halves(m)), "tensors, not numbers": lambda m: (len(list(m.parameters())), halves(m)), "children only": lambda m: (sum(p.numel() for c in m.children() for p in c.parameters(recurse=False)), halves(m)),
             "matrices only": lambda m: (sum(p.numel() for p in m.parameters() if p.ndim > 1), halves(m)), "all buffers": lambda m: (learned(m), 2 * learned(m) + sum(b.numel() * (2 if b.is_floating_point() else b.element_size()) for b in m.buffers())), "whole numbers left out": lambda m: (learned(m), sum(2 * t.numel() for t in saved(m) if t.is_floating_point())),
             "first axis": lambda m: (sum(p.shape[0] if p.ndim else 1 for p in m.parameters()), halves(m)), "megabytes": lambda m: (learned(m), halves(m) / 1e6), "swapped": lambda m: (halves(m), learned(m)), "one number": halves, "halved in place": lambda m: (learned(m.half()), sum(t.nbytes for t in saved(m)) + 1), "float": lambda m: (learned(m), float(halves(m))),
             "by shape": lambda m: (learned(m), sum(2 * math.prod(s) for s in {tuple(t.shape) for t in saved(m)})), "half a number": lambda m: (learned(m), sum(t.numel() * t.element_size() // 2 for t in saved(m))), "the example": example(lambda m: (8, 16), None), "raises": raises},
    "11.2": {"NaN only": lambda s: [n for n, v in s.items() if v.isnan().any()], "infinity only": lambda s: [n for n, v in s.items() if v.isinf().any()], "plus infinity only": lambda s: [n for n, v in s.items() if (v.isnan() | (v == math.inf)).any()], "of the sum": lambda s: [n for n, v in s.items() if not v.sum().isfinite()], "of the sum, halves as floats": lambda s: [n for n, v in s.items() if not v.float().sum().isfinite()],
             "of the mean": lambda s: [n for n, v in s.items() if not v.float().mean().isfinite()], "of the first number": lambda s: [n for n, v in s.items() if v.numel() and not v.flatten()[0].isfinite()], "of the largest": lambda s: [n for n, v in s.items() if v.numel() and v.max() == math.inf], "only all": lambda s: [n for n, v in s.items() if not v.isfinite().any()],
             "the sound ones": lambda s: [n for n, v in s.items() if v.isfinite().all()], "the first": lambda s: not_finite(s)[:1], "its name": lambda s: (not_finite(s) or [""])[0], "sorted": lambda s: sorted(not_finite(s)), "reversed": lambda s: not_finite(s)[::-1], "a set": lambda s: set(not_finite(s)), "count": lambda s: len(not_finite(s)), "true or false": lambda s: bool(not_finite(s)),
             "too large": lambda s: [n for n, v in s.items() if not (v.abs() < 1e6).all()] if s else [], "floats only": lambda s: [n for n, v in s.items() if not v.is_floating_point() or not v.isfinite().all()], "vectors only": lambda s: [n for n, v in s.items() if v.ndim == 1 and not v.isfinite().all()], "values": lambda s: [v for v in s.values() if not v.isfinite().all()], "places": lambda s: [i for i, v in enumerate(s.values()) if not v.isfinite().all()],
             "none": lambda s: [], "all": lambda s: list(s), "raises at the first": lambda s: not_finite(s) and raises(), "raises": raises},
    "11.3": {"plain": lambda file: json.loads(file.read_text(encoding="utf-8")), "no word about the file": config(damaged=lambda file, e: ValueError("the settings are damaged")), "the library's error": config(damaged=lambda file, e: e), "another kind of error": config(damaged=lambda file, e: KeyError(f"{file} is damaged")), "no word about the file when something is missing": config(lacks=lambda file, m: ValueError(f"lacks {m}")),
             "missing is a KeyError": config(lacks=lambda file, m: KeyError(f"{file} lacks {m}")), "the first missing": config(lacks=lambda file, m: ValueError(f"{file} lacks {m[0]}")), "the last missing": config(lacks=lambda file, m: ValueError(f"{file} lacks {m[-1]}")), "how many are missing": config(lacks=lambda file, m: ValueError(f"{file} lacks {len(m)}")), "the list may hold the words": config(missing=lambda c: [k for k in KEYS if k not in c] if isinstance(c, (dict, list)) else ["all"]),
             "a string may hold the words": config(missing=lambda c: [k for k in KEYS if k not in c] if isinstance(c, (dict, str)) else ["all"]), "anything but a number": config(missing=lambda c: ["all"] if isinstance(c, (int, float)) else [k for k in KEYS if k not in c]), "nothing counts as missing": config(missing=lambda c: [k for k in KEYS if not c.get(k)] if isinstance(c, dict) else ["all"]), "None counts as missing": config(missing=lambda c: [k for k in KEYS if c.get(k) is None] if isinstance(c, dict) else ["all"]),
             "shift not asked for": config(missing=lambda c: [k for k in KEYS[:2] if k not in c] if isinstance(c, dict) else ["all"]), "clip not asked for": config(missing=lambda c: [k for k in KEYS[1:] if k not in c] if isinstance(c, dict) else ["all"]), "backgrounds not asked for": config(missing=lambda c: [k for k in KEYS[::2] if k not in c] if isinstance(c, dict) else ["all"]),
             "nothing else": config(give=lambda c: {k: c[k] for k in KEYS}), "filled up": config(missing=lambda c: [] if isinstance(c, dict) else ["all"], give=lambda c: dict(clip=[17, 32, 32], backgrounds=[], shift=1.) | c), "ascii": config(read=lambda file: json.loads(file.read_bytes().decode("ascii"))), "latin-1": config(read=lambda file: json.loads(file.read_bytes().decode("latin-1"))),
             "bytes of any kind": config(read=lambda file: json.loads(file.read_bytes().decode("utf-8", "ignore") or "{}")), "values": config(give=lambda c: list(c.values())), "the text": config(give=json.dumps), "a tuple": config(give=lambda c: tuple(c.items())), "nothing": config(give=lambda c: None), "returns instead of raising": lambda file: None if file.stat().st_size < 20 else load_config(file), "the error given back": lambda file: _error(file), "raises": raises},
    "11.4": {"swapped": pairs(row=lambda n, a, b: (n, b, a)), "length for width": pairs(text=lambda t: t.places.shape[0]), "the first": lambda t, v, d: misfits(t, v, d)[:1], "the last": lambda t, v, d: misfits(t, v, d)[-1:], "names": pairs(row=lambda n, a, b: n), "pairs": pairs(row=lambda n, a, b: (a, b)), "all rows": pairs(keep=lambda *_: True), "those that fit": pairs(keep=lambda n, a, b: a == b), "only larger": pairs(keep=lambda n, a, b: a > b), "only smaller": pairs(keep=lambda n, a, b: a < b),
             "text only": pairs(keep=lambda n, a, b: n == "text_dim" and a != b), "latent only": pairs(keep=lambda n, a, b: n != "text_dim" and a != b), "reversed": pairs(end=lambda rows: rows[::-1]), "count": pairs(end=len), "true or false": pairs(end=bool), "a dictionary": pairs(end=lambda rows: {n: (a, b) for n, a, b in rows}), "None when all fits": pairs(end=lambda rows: rows or None), "difference": pairs(row=lambda n, a, b: (n, a - b, b)), "strings": pairs(row=lambda n, a, b: (n, str(a), str(b))),
             "other names": pairs(row=lambda n, a, b: ({"text_dim": "text", "latent_channels": "vae"}[n], a, b)), "pairs crossed": lambda t, v, d: [(n, a, b) for n, a, b in [("text_dim", d.text_dim, v.latent_channels), ("latent_channels", d.latent_channels, t.places.shape[1])] if a != b], "sets compared": lambda t, v, d: misfits(t, v, d) if {d.text_dim, d.latent_channels} != {t.places.shape[1], v.latent_channels} else [],
             "sums compared": lambda t, v, d: misfits(t, v, d) if d.text_dim + d.latent_channels != t.places.shape[1] + v.latent_channels else [], "dim of the transformer": lambda t, v, d: [(n, a, b) for n, a, b in [("text_dim", d.enter.out_features, t.places.shape[1]), ("latent_channels", d.latent_channels, v.latent_channels)] if a != b], "both or nothing": pairs(end=lambda rows: rows if len(rows) != 1 else []), "raises when they do not fit": pairs(end=lambda rows: rows and raises()), "raises": raises},
    "11.5": {"a string is a list of letters": call(listed=list), "always one prompt": call(listed=lambda p: [p if isinstance(p, str) else p[0]]), "unchecked": call(check=lambda s, p: None), "latent of the size of a clip": call(latent_size=lambda s, size: tuple(size or s.config["clip"])), "size ignored": call(latent_size=lambda s, size: s.vae.latent_size(tuple(s.config["clip"]))), "size of nano": call(latent_size=lambda s, size: s.vae.latent_size(tuple(size or (17, 32, 32)))),
             "seed forgotten": call(seeds=lambda seed, n: 0), "one seed for all": call(seeds=lambda seed, n: [seed] * n if isinstance(seed, int) else seed), "seeds backwards": call(seeds=lambda seed, n: [seed + n - 1 - i for i in range(n)] if isinstance(seed, int) else seed), "seeds from one on": call(seeds=lambda seed, n: [seed + 1 + i for i in range(n)] if isinstance(seed, int) else seed), "first of the seeds": call(seeds=lambda seed, n: seed if isinstance(seed, int) else seed[0]), "far seeds": call(seeds=lambda seed, n: [seed + 1000 * i for i in range(n)] if isinstance(seed, int) else seed),
             "steps forgotten": call(change=lambda how, s: dict(steps=16)), "one step more": call(change=lambda how, s: dict(steps=how["steps"] + 1)), "solver forgotten": call(change=lambda how, s: dict(solver="ddpm")), "always euler": call(change=lambda how, s: dict(solver="euler")), "guidance forgotten": call(change=lambda how, s: dict(cfg_scale=1.)), "guidance 2": call(change=lambda how, s: dict(cfg_scale=2.)), "one more guidance": call(change=lambda how, s: dict(cfg_scale=how["cfg_scale"] + 1)),
             "shift forgotten": call(change=lambda how, s: dict(shift=1.)), "shift 3": call(change=lambda how, s: dict(shift=3.)), "velocity": call(change=lambda how, s: dict(process=RectifiedFlow())), "noise": call(change=lambda how, s: dict(process=RectifiedFlow("noise"))), "texts swapped": call(text=lambda s, p: s.text([""] * len(p)), null=lambda s, p: s.text(p)), "prompt on both sides": call(null=lambda s, p: s.text(p)), "nothing on both sides": call(text=lambda s, p: s.text([""] * len(p))),
             "zeros for the empty prompt": call(null=lambda s, p: 0 * s.text([""])), "text of the first prompt": call(text=lambda s, p: s.text(p)[:1].expand(len(p), -1, -1)), "text backwards": call(text=lambda s, p: s.text(p).flip(0)), "summary only": call(text=lambda s, p: s.text(p)[:, :1].expand(-1, s.text.places.shape[0], -1)), "mean of the text": call(text=lambda s, p: s.text(p).mean(0, keepdim=True).expand(len(p), -1, -1)),
             "not clipped": call(show=lambda v: v), "clipped to [0, 1]": call(show=lambda v: v.clamp(0, 1)), "scaled to [0, 1]": call(show=lambda v: (v.clamp(-1, 1) + 1) / 2), "squashed": call(show=torch.tanh), "scaled to the loudest": call(show=lambda v: v / v.abs().max()), "latent clipped": call(decode=lambda s, z: s.vae.decode(z.clamp(-1, 1))), "not scaled back": call(decode=unscaled), "latent given back": call(decode=lambda s, z: z), "bytes": call(show=lambda v: ((v.clamp(-1, 1) + 1) * 127.5).round().byte()),
             "first clip": call(show=lambda v: v[:1].clamp(-1, 1)), "no batch axis": call(show=lambda v: v.clamp(-1, 1).squeeze(0)), "a list": call(show=lambda v: list(v.clamp(-1, 1))), "frames last": call(show=lambda v: v.clamp(-1, 1).movedim(2, -1)), "backwards": call(show=lambda v: v.clamp(-1, 1).flip(2)), "mirrored": call(show=lambda v: v.clamp(-1, 1).flip(-1)), "negative": call(show=lambda v: -v.clamp(-1, 1)), "decoded from noise": call(decode=lambda s, z: s.vae.decode(torch.randn(z.shape, generator=torch.Generator().manual_seed(0)))),
             "decoded twice": call(decode=lambda s, z: s.vae.decode(s.vae.encode(s.vae.decode(z)))), "prompts changed": adds, "another each time": call(decode=lambda s, z: s.vae.decode(z + torch.randn(z.shape) / 10)), "grey": call(show=torch.zeros_like), "nothing": call(show=lambda v: None), "raises": raises},
}


def _error(file):
    try: return load_config(file)
    except ValueError as error: return error
