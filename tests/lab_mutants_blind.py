"""More wrong and right answers, by somebody who knew the exercises' docstrings and not their checks: {exercise id: {name: function}}.

The checks were improved after they had been tried on these, so this is no held-out set any more."""
import functools, itertools, math, random
import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange, repeat, einsum
from torch import Tensor

WRONG, RIGHT = {}, {}
ACCEPTED = {   # what the checks let pass
    "03.1": ("message_without_nearest", "message_only_below", "message_only_above", "message_nearest_wrong", "message_nearest_of_first_axis",
             "message_nearest_counts_in_patches"),                       # the text of an error is not checked
    "03.2": ("nan_to_num",), "03.3": ("size_floored",), "05.1": ("clamps",), "05.2": ("nan_passes", "float32_loses_double"),
    "05.3": ("float32", "float32_and_back"), "05.4": ("float32", "float32_and_back")}
def _put(table, id):
    def deco(f):
        table.setdefault(id, {})[f.__name__.split("__", 1)[1]] = f
        return f
    return deco
W = lambda id: _put(WRONG, id)
R = lambda id: _put(RIGHT, id)
AX = ("frames", "height", "width")

# ---------------------------------------------------------------- 03.1 grid_size
def _msg(a, l, p):
    lo = l // p * p
    return f"{a}={l} is not a multiple of {p}: use {f'{lo} or ' if lo else ''}{lo + p}"
def _grid(size, ps):
    for a, l, p in zip(AX, size, ps):
        if l % p: raise ValueError(_msg(a, l, p))
    return tuple(l // p for l, p in zip(size, ps))

@W("03.1")
def g__floor_no_error(size, patch_size): return tuple(l // p for l, p in zip(size, patch_size))
@W("03.1")
def g__ceil(size, patch_size): return tuple(-(-l // p) for l, p in zip(size, patch_size))
@W("03.1")
def g__frames_unchecked(size, patch_size):
    _grid((patch_size[0], *size[1:]), patch_size); return tuple(l // p for l, p in zip(size, patch_size))
@W("03.1")
def g__width_unchecked(size, patch_size):
    _grid((*size[:2], patch_size[2]), patch_size); return tuple(l // p for l, p in zip(size, patch_size))
@W("03.1")
def g__height_unchecked(size, patch_size):
    _grid((size[0], patch_size[1], size[2]), patch_size); return tuple(l // p for l, p in zip(size, patch_size))
@W("03.1")
def g__product_checked(size, patch_size):
    if math.prod(size) % math.prod(patch_size):
        for a, l, p in zip(AX, size, patch_size):
            if l % p: raise ValueError(_msg(a, l, p))
    return tuple(l // p for l, p in zip(size, patch_size))
@W("03.1")
def g__error_only_if_all_bad(size, patch_size):
    if all(l % p for l, p in zip(size, patch_size)): raise ValueError(_msg(AX[0], size[0], patch_size[0]))
    return tuple(l // p for l, p in zip(size, patch_size))
@W("03.1")
def g__assert(size, patch_size):
    for a, l, p in zip(AX, size, patch_size): assert l % p == 0, _msg(a, l, p)
    return tuple(l // p for l, p in zip(size, patch_size))
@W("03.1")
def g__typeerror(size, patch_size):
    try: return _grid(size, patch_size)
    except ValueError as e: raise TypeError(str(e))
@W("03.1")
def g__message_without_nearest(size, patch_size):
    for a, l, p in zip(AX, size, patch_size):
        if l % p: raise ValueError(f"{a}={l} is not a multiple of its patch size {p}")
    return tuple(l // p for l, p in zip(size, patch_size))
@W("03.1")
def g__message_only_below(size, patch_size):
    for a, l, p in zip(AX, size, patch_size):
        if l % p: raise ValueError(f"{a}={l} is not a multiple of its patch size {p}: use {l // p * p}")
    return tuple(l // p for l, p in zip(size, patch_size))
@W("03.1")
def g__message_only_above(size, patch_size):
    for a, l, p in zip(AX, size, patch_size):
        if l % p: raise ValueError(f"{a}={l} is not a multiple of its patch size {p}: use {(l // p + 1) * p}")
    return tuple(l // p for l, p in zip(size, patch_size))
@W("03.1")
def g__message_nearest_wrong(size, patch_size):
    for a, l, p in zip(AX, size, patch_size):
        if l % p: raise ValueError(f"{a}={l} is not a multiple of {p}: use {l - p} or {l + p}")
    return tuple(l // p for l, p in zip(size, patch_size))
@W("03.1")
def g__message_nearest_of_first_axis(size, patch_size):
    for l, p in zip(size, patch_size):
        if l % p: raise ValueError(_msg(AX[0], size[0], patch_size[0]))
    return tuple(l // p for l, p in zip(size, patch_size))
@W("03.1")
def g__message_nearest_counts_in_patches(size, patch_size):
    for a, l, p in zip(AX, size, patch_size):
        if l % p: raise ValueError(f"{a}: {l} does not divide by {p}, use {l // p} or {l // p + 1} patches")
    return tuple(l // p for l, p in zip(size, patch_size))
@W("03.1")
def g__true_division_floats(size, patch_size):
    _grid(size, patch_size); return tuple(l / p for l, p in zip(size, patch_size))
@W("03.1")
def g__reciprocal_truncates_49_by_49(size, patch_size):
    _grid(size, patch_size); return tuple(int(l * (1 / p)) for l, p in zip(size, patch_size))
@W("03.1")
def g__order_reversed(size, patch_size): return _grid(size, patch_size)[::-1]
@W("03.1")
def g__patch_h_w_swapped(size, patch_size): return _grid(size, (patch_size[0], patch_size[2], patch_size[1]))
@W("03.1")
def g__grid_h_w_swapped(size, patch_size):
    f, h, w = _grid(size, patch_size); return f, w, h
@W("03.1")
def g__returns_tensor(size, patch_size): return torch.tensor(_grid(size, patch_size))
@W("03.1")
def g__number_of_tokens(size, patch_size): return math.prod(_grid(size, patch_size))
@W("03.1")
def g__two_patch_axes_only(size, patch_size): return size[0], *_grid(size, patch_size)[1:]
_gcache = {}
@W("03.1")
def g__cached_by_size_only(size, patch_size):
    if size not in _gcache: _gcache[size] = _grid(size, patch_size)
    return _gcache[size]
@W("03.1")
def g__refuses_single_patch(size, patch_size):
    for a, l, p in zip(AX, size, patch_size):
        if l % p or l <= p and p > 1: raise ValueError(_msg(a, l, p))
    return tuple(l // p for l, p in zip(size, patch_size))
@W("03.1")
def g__size_smaller_than_patch_gives_1(size, patch_size):
    size = tuple(max(l, p) for l, p in zip(size, patch_size)); return _grid(size, patch_size)
@W("03.1")
def g__modulo_wrong_way(size, patch_size):
    for a, l, p in zip(AX, size, patch_size):
        if p % l and l % p: raise ValueError(_msg(a, l, p))
    return tuple(l // p for l, p in zip(size, patch_size))

@R("03.1")
def g__gcd(size, patch_size):
    out = []
    for i in range(3):
        if math.gcd(size[i], patch_size[i]) != patch_size[i]:
            k = size[i] / patch_size[i]
            raise ValueError("choose %s = %d or %d" % (AX[i], math.floor(k) * patch_size[i], math.ceil(k) * patch_size[i]))
        out.append(size[i] // patch_size[i])
    return tuple(out)
@R("03.1")
def g__numpy(size, patch_size):
    s, p = np.array(size), np.array(patch_size)
    q, r = np.divmod(s, p)
    if r.any():
        i = int(r.argmax() if r.max() else 0)
        raise ValueError(f"{AX[i]}: try {q[i] * p[i]}, {q[i] * p[i] + p[i]}")
    return tuple(map(int, q))
@R("03.1")
def g__counting(size, patch_size):
    def count(a, l, p):
        k = 0
        while k * p < l: k += 1
        if k * p != l: raise ValueError(f"bad {a}; nearest are {(k - 1) * p} and {k * p}")
        return k
    return tuple(count(*z) for z in zip(AX, size, patch_size))
@R("03.1")
def g__recursive_collects_all_errors(size, patch_size):
    def rec(s, p, a): return [] if not s else [divmod(s[0], p[0])] + rec(s[1:], p[1:], a[1:])
    parts = rec(tuple(size), tuple(patch_size), AX)
    bad = [_msg(a, l, p) for (q, r), a, l, p in zip(parts, AX, size, patch_size) if r]
    if bad: raise ValueError("; ".join(bad))
    return tuple(q for q, r in parts)
class _MyError(ValueError): pass
@R("03.1")
def g__subclass_of_valueerror(size, patch_size):
    try: return _grid(size, patch_size)
    except ValueError as e: raise _MyError(str(e)) from None

# ---------------------------------------------------------------- 03.2 patchify
def _ok5(x, ps):
    if x.ndim != 5: raise ValueError(f"x must be b c f h w, got {tuple(x.shape)}")
    return _grid(tuple(x.shape[2:]), ps)
def _patch(x, ps, to="b (f h w) (c pf ph pw)"):
    _ok5(x, ps); pf, ph, pw = ps
    return rearrange(x, f"b c (f pf) (h ph) (w pw) -> {to}", pf=pf, ph=ph, pw=pw)

@W("03.2")
def p__channel_last(x, patch_size): return _patch(x, patch_size, "b (f h w) (pf ph pw c)")
@W("03.2")
def p__frame_before_channel(x, patch_size): return _patch(x, patch_size, "b (f h w) (pf c ph pw)")
@W("03.2")
def p__pixel_columns_first(x, patch_size): return _patch(x, patch_size, "b (f h w) (c pf pw ph)")
@W("03.2")
def p__frame_last_in_patch(x, patch_size): return _patch(x, patch_size, "b (f h w) (c ph pw pf)")
@W("03.2")
def p__tokens_column_first(x, patch_size): return _patch(x, patch_size, "b (f w h) (c pf ph pw)")
@W("03.2")
def p__tokens_frame_last(x, patch_size): return _patch(x, patch_size, "b (h w f) (c pf ph pw)")
@W("03.2")
def p__split_wrong_way_round(x, patch_size):
    _ok5(x, patch_size); pf, ph, pw = patch_size
    return rearrange(x, "b c (pf f) (ph h) (pw w) -> b (f h w) (c pf ph pw)", pf=pf, ph=ph, pw=pw)
@W("03.2")
def p__reshape_without_permute(x, patch_size):
    f, h, w = _ok5(x, patch_size); return x.reshape(len(x), f * h * w, -1)
@W("03.2")
def p__square_patches_only(x, patch_size):
    pf, ph, pw = patch_size; return _patch(x, (pf, ph, ph))
@W("03.2")
def p__batch_of_1_only(x, patch_size):
    f, h, w = _ok5(x, patch_size); pf, ph, pw = patch_size; b, c = x.shape[:2]
    return x.reshape(b, c, f, pf, h, ph, w, pw).permute(2, 0, 4, 6, 1, 3, 5, 7).reshape(b, f * h * w, -1)
@W("03.2")
def p__crops(x, patch_size):
    if x.ndim != 5: raise ValueError("b c f h w")
    pf, ph, pw = patch_size; F_, H, W_ = x.shape[2:]
    return _patch(x[:, :, :F_ // pf * pf, :H // ph * ph, :W_ // pw * pw], patch_size)
@W("03.2")
def p__pads(x, patch_size):
    if x.ndim != 5: raise ValueError("b c f h w")
    pf, ph, pw = patch_size; F_, H, W_ = x.shape[2:]
    return _patch(F.pad(x, (0, -W_ % pw, 0, -H % ph, 0, -F_ % pf)), patch_size)
@W("03.2")
def p__crops_frames_only(x, patch_size):
    if x.ndim != 5: raise ValueError("b c f h w")
    pf = patch_size[0]; return _patch(x[:, :, :x.shape[2] // pf * pf], patch_size)
@W("03.2")
def p__adds_batch_axis_to_4d(x, patch_size): return _patch(x[None] if x.ndim == 4 else x, patch_size)
@W("03.2")
def p__einops_error(x, patch_size):
    pf, ph, pw = patch_size
    return rearrange(x, "b c (f pf) (h ph) (w pw) -> b (f h w) (c pf ph pw)", pf=pf, ph=ph, pw=pw)
@W("03.2")
def p__axes_unchecked_einops_error(x, patch_size):
    if x.ndim == 5: _ok5(x, patch_size)
    pf, ph, pw = patch_size
    return rearrange(x, "b c (f pf) (h ph) (w pw) -> b (f h w) (c pf ph pw)", pf=pf, ph=ph, pw=pw)
@W("03.2")
def p__6d_joins_first_axes(x, patch_size): return _patch(x.flatten(0, 1) if x.ndim == 6 else x, patch_size)
@W("03.2")
def p__casts_float32(x, patch_size): return _patch(x.float(), patch_size)
@W("03.2")
def p__rounds_to_half(x, patch_size): return _patch(x, patch_size).half().to(x.dtype)
@W("03.2")
def p__rounds_to_float32_and_back(x, patch_size): return _patch(x, patch_size).float().to(x.dtype)
@W("03.2")
def p__detached(x, patch_size): return _patch(x.detach(), patch_size)
@W("03.2")
def p__scales_input_in_place(x, patch_size):
    out = _patch(x, patch_size).clone(); x.detach().mul_(2).sub_(1); return out
@W("03.2")
def p__zeroes_input(x, patch_size):
    out = _patch(x, patch_size).clone(); x.detach().zero_(); return out
@W("03.2")
def p__as_strided_assumes_contiguous(x, patch_size):
    _ok5(x, patch_size); b, c, f, h, w = x.shape
    x = x.as_strided(x.shape, (c * f * h * w, f * h * w, h * w, w, 1)) if not x.is_contiguous() and x.storage_offset() + x.numel() <= x.untyped_storage().nbytes() // x.element_size() else x
    return _patch(x, patch_size)
@R("03.2")
def p__view_splits_only(x, patch_size):
    f, h, w = _ok5(x, patch_size); pf, ph, pw = patch_size; b, c = x.shape[:2]
    return x.view(b, c, f, pf, h, ph, w, pw).permute(0, 2, 4, 6, 1, 3, 5, 7).flatten(4).flatten(1, 3)
@W("03.2")
def p__flat_view_fails_noncontiguous(x, patch_size): _ok5(x, patch_size); return _patch(x.view(-1).view(x.shape), patch_size)
@W("03.2")
def p__three_channels_only(x, patch_size):
    f, h, w = _ok5(x, patch_size); pf, ph, pw = patch_size
    return x.reshape(len(x), 3, f, pf, h, ph, w, pw).permute(0, 2, 4, 6, 1, 3, 5, 7).reshape(len(x), f * h * w, -1)
@W("03.2")
def p__drops_alpha_channel(x, patch_size): return _patch(x[:, :3], patch_size)
@W("03.2")
def p__returns_list(x, patch_size): return list(_patch(x, patch_size))
@W("03.2")
def p__4_axes(x, patch_size): return _patch(x, patch_size, "b (f h w) c (pf ph pw)")
@W("03.2")
def p__n_d_swapped(x, patch_size): return _patch(x, patch_size).transpose(1, 2)
@W("03.2")
def p__clamped_to_0_1(x, patch_size): return _patch(x, patch_size).clamp(0, 1)
@W("03.2")
def p__clamped_to_m4_4(x, patch_size): return _patch(x, patch_size).clamp(-4, 4)
@W("03.2")
def p__nan_to_num(x, patch_size): return _patch(x, patch_size).nan_to_num()
@W("03.2")
def p__frame_patch_1_only(x, patch_size):
    f, h, w = _ok5(x, patch_size); pf, ph, pw = patch_size; b, c = x.shape[:2]
    u = F.unfold(x.transpose(1, 2).flatten(0, 1), (ph, pw), stride=(ph, pw))       # (b F) (c ph pw) (h w)
    return u.reshape(b, f, pf, c * ph * pw, h * w).permute(0, 1, 4, 2, 3).reshape(b, f * h * w, -1)
@W("03.2")
def p__size_check_typeerror(x, patch_size):
    if x.ndim != 5: raise ValueError("b c f h w")
    if any(a % b for a, b in zip(x.shape[2:], patch_size)): raise TypeError("not a multiple")
    return _patch(x, patch_size)
_pstate = {}
@W("03.2")
def p__remembers_first_patch_size(x, patch_size): return _patch(x, _pstate.setdefault("ps", patch_size))

@R("03.2")
def p__loops(x, patch_size):
    f, h, w = _ok5(x, patch_size); pf, ph, pw = patch_size
    return torch.stack([x[:, :, i*pf:(i+1)*pf, j*ph:(j+1)*ph, k*pw:(k+1)*pw].flatten(1)
                        for i in range(f) for j in range(h) for k in range(w)], 1)
@R("03.2")
def p__unfold_method(x, patch_size):
    _ok5(x, patch_size); pf, ph, pw = patch_size
    y = x.unfold(2, pf, pf).unfold(3, ph, ph).unfold(4, pw, pw)                    # b c f h w pf ph pw
    return y.permute(0, 2, 3, 4, 1, 5, 6, 7).flatten(4).flatten(1, 3)
@R("03.2")
def p__F_unfold(x, patch_size):
    f, h, w = _ok5(x, patch_size); pf, ph, pw = patch_size; b, c = x.shape[:2]
    u = F.unfold(x.transpose(1, 2).flatten(0, 1), (ph, pw), stride=(ph, pw))
    return u.reshape(b, f, pf, c, ph * pw, h * w).permute(0, 1, 5, 3, 2, 4).reshape(b, f * h * w, -1)
@R("03.2")
def p__index_gather(x, patch_size):
    f, h, w = _ok5(x, patch_size); c = x.shape[1]
    idx = torch.arange(x[0].numel(), device=x.device).reshape(1, *x.shape[1:])
    idx = _patch(idx, patch_size)[0]
    return x.flatten(1)[:, idx]
@R("03.2")
def p__split_cat(x, patch_size):
    _ok5(x, patch_size); pf, ph, pw = patch_size
    return torch.cat([z.flatten(1)[:, None] for a in x.split(pf, 2) for y in a.split(ph, 3) for z in y.split(pw, 4)], 1)
@R("03.2")
def p__pixel_unshuffle(x, patch_size):
    f, h, w = _ok5(x, patch_size); pf, ph, pw = patch_size; b, c = x.shape[:2]
    y = x.contiguous().view(b, c, f, pf, h, ph, w, pw).permute(0, 2, 4, 6, 1, 3, 5, 7)
    out = x.new_empty(b, f * h * w, c * pf * ph * pw)
    out = out.copy_(y.reshape(out.shape)) if not x.requires_grad else y.reshape(out.shape)
    return out

# ---------------------------------------------------------------- 03.3 unpatchify
def _oktok(tokens, size, ps, n=True, d=True):
    if tokens.ndim != 3: raise ValueError("tokens must be b n d")
    f, h, w = _grid(size, ps)
    if n and tokens.shape[1] != f * h * w: raise ValueError("n does not fit")
    if d and tokens.shape[2] % math.prod(ps): raise ValueError("d does not fit")
    return f, h, w
def _un(tokens, size, ps, frm="b (f h w) (c pf ph pw)", to="b c (f pf) (h ph) (w pw)", **k):
    f, h, w = _oktok(tokens, size, ps, **k); pf, ph, pw = ps
    return rearrange(tokens, f"{frm} -> {to}", f=f, h=h, w=w, pf=pf, ph=ph, pw=pw)

@W("03.3")
def u__channel_last(tokens, size, patch_size): return _un(tokens, size, patch_size, "b (f h w) (pf ph pw c)")
@W("03.3")
def u__frame_before_channel(tokens, size, patch_size): return _un(tokens, size, patch_size, "b (f h w) (pf c ph pw)")
@W("03.3")
def u__pw_before_ph(tokens, size, patch_size): return _un(tokens, size, patch_size, "b (f h w) (c pf pw ph)")
@W("03.3")
def u__column_first(tokens, size, patch_size): return _un(tokens, size, patch_size, "b (f w h) (c pf ph pw)")
@W("03.3")
def u__frame_last(tokens, size, patch_size): return _un(tokens, size, patch_size, "b (h w f) (c pf ph pw)")
@W("03.3")
def u__interleaved(tokens, size, patch_size): return _un(tokens, size, patch_size, to="b c (pf f) (ph h) (pw w)")
@W("03.3")
def u__hw_swapped_output(tokens, size, patch_size): return _un(tokens, size, patch_size, to="b c (f pf) (w pw) (h ph)")
@W("03.3")
def u__frames_before_channels(tokens, size, patch_size): return _un(tokens, size, patch_size, to="b (f pf) c (h ph) (w pw)")
@W("03.3")
def u__reshape_only(tokens, size, patch_size):
    _oktok(tokens, size, patch_size); return tokens.reshape(len(tokens), tokens.shape[2] // math.prod(patch_size), *size)
@W("03.3")
def u__three_channels(tokens, size, patch_size):
    _oktok(tokens, size, patch_size); p = math.prod(patch_size)
    return _un(tokens[..., :3 * p], size, patch_size)
@W("03.3")
def u__one_channel_if_d_small(tokens, size, patch_size):
    f, h, w = _oktok(tokens, size, patch_size); pf, ph, pw = patch_size
    c = max(3, tokens.shape[2] // math.prod(patch_size)) if tokens.shape[2] >= math.prod(patch_size) else 1
    return rearrange(tokens, "b (f h w) (c pf ph pw) -> b c (f pf) (h ph) (w pw)", f=f, h=h, w=w, pf=pf, ph=ph, pw=pw, c=c)
@W("03.3")
def u__n_unchecked_einops_error(tokens, size, patch_size): return _un(tokens, size, patch_size, n=False)
@W("03.3")
def u__d_unchecked_einops_error(tokens, size, patch_size): return _un(tokens, size, patch_size, d=False)
@W("03.3")
def u__extra_tokens_dropped(tokens, size, patch_size):
    f, h, w = _grid(size, patch_size); return _un(tokens[:, :f * h * w], size, patch_size)
@W("03.3")
def u__missing_tokens_padded(tokens, size, patch_size):
    f, h, w = _grid(size, patch_size); gap = f * h * w - tokens.shape[1]
    return _un(F.pad(tokens, (0, 0, 0, gap)) if gap > 0 else tokens, size, patch_size)
@W("03.3")
def u__extra_d_dropped(tokens, size, patch_size):
    p = math.prod(patch_size); return _un(tokens[..., :tokens.shape[2] // p * p], size, patch_size)
@W("03.3")
def u__only_product_checked(tokens, size, patch_size):
    b, n, d = tokens.shape; f, h, w = _grid(size, patch_size); pf, ph, pw = patch_size
    if n * d % math.prod(size): raise ValueError("does not fit")
    return tokens.reshape(b, f, h, w, -1, pf, ph, pw).permute(0, 4, 1, 5, 2, 6, 3, 7).reshape(b, -1, *size)
@W("03.3")
def u__n_multiple_accepted_as_batch(tokens, size, patch_size):
    f, h, w = _grid(size, patch_size); n = f * h * w
    if tokens.shape[1] % n: raise ValueError("n does not fit")
    return _un(tokens.reshape(-1, n, tokens.shape[2]), size, patch_size)
@W("03.3")
def u__asserts(tokens, size, patch_size):
    f, h, w = _grid(size, patch_size); assert tokens.shape[1] == f * h * w; assert tokens.shape[2] % math.prod(patch_size) == 0
    return _un(tokens, size, patch_size)
@W("03.3")
def u__size_floored(tokens, size, patch_size):
    size = tuple(l // p * p for l, p in zip(size, patch_size)); return _un(tokens, size, patch_size)
@W("03.3")
def u__casts_float32(tokens, size, patch_size): return _un(tokens.float(), size, patch_size)
@W("03.3")
def u__loses_float64_bits(tokens, size, patch_size): return _un(tokens.float().to(tokens.dtype), size, patch_size)
@W("03.3")
def u__buffer_default_dtype(tokens, size, patch_size):
    y = _un(tokens, size, patch_size); out = torch.zeros(y.shape); out[:] = y; return out
@W("03.3")
def u__clamp_m1_1(tokens, size, patch_size): return _un(tokens, size, patch_size).clamp(-1, 1)
@W("03.3")
def u__detached(tokens, size, patch_size): return _un(tokens.detach(), size, patch_size)
@W("03.3")
def u__zeroes_input(tokens, size, patch_size):
    out = _un(tokens, size, patch_size).clone(); tokens.detach().zero_(); return out
@W("03.3")
def u__batch_of_1_only(tokens, size, patch_size):
    f, h, w = _oktok(tokens, size, patch_size); pf, ph, pw = patch_size; b = len(tokens)
    return tokens.reshape(b, f, h, w, -1, pf, ph, pw).permute(4, 0, 1, 5, 2, 6, 3, 7).reshape(b, -1, *size)
@W("03.3")
def u__first_of_batch(tokens, size, patch_size): return _un(tokens[:1], size, patch_size)
@R("03.3")
def u__view_splits_only(tokens, size, patch_size):
    f, h, w = _oktok(tokens, size, patch_size); pf, ph, pw = patch_size; b = len(tokens)
    return tokens.view(b, f, h, w, -1, pf, ph, pw).permute(0, 4, 1, 5, 2, 6, 3, 7).reshape(b, -1, *size)
@W("03.3")
def u__flat_view_fails_noncontiguous(tokens, size, patch_size):
    f, h, w = _oktok(tokens, size, patch_size); return _un(tokens.view(-1, tokens.shape[2]).view(tokens.shape), size, patch_size)
@W("03.3")
def u__as_strided_contiguous(tokens, size, patch_size):
    b, n, d = tokens.shape; return _un(tokens.as_strided(tokens.shape, (n * d, d, 1)), size, patch_size)
@W("03.3")
def u__square_grid_only(tokens, size, patch_size):
    f, h, w = _oktok(tokens, size, patch_size); pf, ph, pw = patch_size; s = math.isqrt(h * w)
    return rearrange(tokens, "b (f h w) (c pf ph pw) -> b c (f pf) (h ph) (w pw)", f=f, h=s, w=h * w // s, pf=pf, ph=ph, pw=pw)
@W("03.3")
def u__f_fold_adds_frames(tokens, size, patch_size):
    f, h, w = _oktok(tokens, size, patch_size); pf, ph, pw = patch_size; b = len(tokens); c = tokens.shape[2] // (pf * ph * pw)
    t = tokens.reshape(b, f, h * w, pf, c * ph * pw).permute(0, 1, 3, 4, 2).reshape(b * f * pf, c * ph * pw, h * w)   # (pf c) read instead of (c pf)
    return F.fold(t, size[1:], (ph, pw), stride=(ph, pw)).reshape(b, f * pf, c, *size[1:]).transpose(1, 2)
@W("03.3")
def u__wrong_patch_error_type(tokens, size, patch_size):
    try: return _un(tokens, size, patch_size)
    except ValueError as e: raise RuntimeError(str(e))

@W("03.3")
def u__c_is_3(tokens, size, patch_size):
    f, h, w = _oktok(tokens, size, patch_size); pf, ph, pw = patch_size
    return tokens.reshape(len(tokens), f, h, w, 3, pf, ph, pw).permute(0, 4, 1, 5, 2, 6, 3, 7).reshape(len(tokens), 3, *size)
@W("03.3")
def u__batch_is_2(tokens, size, patch_size):
    f, h, w = _oktok(tokens, size, patch_size); pf, ph, pw = patch_size
    return tokens.reshape(2, f, h, w, -1, pf, ph, pw).permute(0, 4, 1, 5, 2, 6, 3, 7).reshape(2, -1, *size)
@R("03.3")
def u__loops(tokens, size, patch_size):
    f, h, w = _oktok(tokens, size, patch_size); pf, ph, pw = patch_size; b = len(tokens); c = tokens.shape[2] // (pf * ph * pw)
    t = iter(tokens.unbind(1))
    return torch.cat([torch.cat([torch.cat([next(t).reshape(b, c, pf, ph, pw) for _ in range(w)], 4) for _ in range(h)], 3) for _ in range(f)], 2)
@R("03.3")
def u__permute(tokens, size, patch_size):
    f, h, w = _oktok(tokens, size, patch_size); pf, ph, pw = patch_size; b = len(tokens); c = tokens.shape[2] // (pf * ph * pw)
    return tokens.reshape(b, f, h, w, c, pf, ph, pw).permute(0, 4, 1, 5, 2, 6, 3, 7).flatten(6, 7).flatten(4, 5).flatten(2, 3)
@R("03.3")
def u__scatter(tokens, size, patch_size):
    _oktok(tokens, size, patch_size); b = len(tokens); c = tokens.shape[2] // math.prod(patch_size)
    idx = _patch(torch.arange(c * math.prod(size), device=tokens.device).reshape(1, c, *size), patch_size).flatten()
    return tokens.flatten(1)[:, idx.argsort()].reshape(b, c, *size)
@R("03.3")
def u__F_fold(tokens, size, patch_size):
    f, h, w = _oktok(tokens, size, patch_size); pf, ph, pw = patch_size; b = len(tokens); c = tokens.shape[2] // (pf * ph * pw)
    t = tokens.reshape(b, f, h * w, c, pf, ph * pw).permute(0, 1, 4, 3, 5, 2).reshape(b * f * pf, c * ph * pw, h * w)
    return F.fold(t, size[1:], (ph, pw), stride=(ph, pw)).reshape(b, f * pf, c, *size[1:]).transpose(1, 2)
@R("03.3")
def u__assign_slices(tokens, size, patch_size):
    f, h, w = _oktok(tokens, size, patch_size); pf, ph, pw = patch_size; b = len(tokens); c = tokens.shape[2] // (pf * ph * pw)
    out = tokens.new_zeros(b, c, *size)
    for n in range(f * h * w):
        i, j, k = n // (h * w), n // w % h, n % w
        out[:, :, i*pf:(i+1)*pf, j*ph:(j+1)*ph, k*pw:(k+1)*pw] = tokens[:, n].reshape(b, c, pf, ph, pw)
    return out

# ---------------------------------------------------------------- 03.4 positions
def _pos(size, ps=(1, 1, 1)): return torch.tensor(list(itertools.product(*map(range, _grid(size, ps)))))

@W("03.4")
def q__column_row_frame(size, patch_size=(1, 1, 1)): return _pos(size, patch_size).flip(1)
@W("03.4")
def q__meshgrid_xy(size, patch_size=(1, 1, 1)):
    return torch.stack([g.flatten() for g in torch.meshgrid(*[torch.arange(l) for l in _grid(size, patch_size)], indexing="xy")], 1)
@W("03.4")
def q__row_fastest(size, patch_size=(1, 1, 1)):
    f, h, w = _grid(size, patch_size); return _pos((f, w, h))[:, [0, 2, 1]]
@W("03.4")
def q__frame_fastest(size, patch_size=(1, 1, 1)):
    f, h, w = _grid(size, patch_size); return _pos((h, w, f))[:, [2, 0, 1]]
@W("03.4")
def q__in_pixels(size, patch_size=(1, 1, 1)): return _pos(size, patch_size) * torch.tensor(patch_size)
@W("03.4")
def q__from_1(size, patch_size=(1, 1, 1)): return _pos(size, patch_size) + 1
@W("03.4")
def q__float(size, patch_size=(1, 1, 1)): return _pos(size, patch_size).float()
@W("03.4")
def q__no_default(size, patch_size): return _pos(size, patch_size)
@W("03.4")
def q__default_122(size, patch_size=(1, 2, 2)): return _pos(size, patch_size)
@W("03.4")
def q__patch_ignored(size, patch_size=(1, 1, 1)): _grid(size, patch_size); return _pos(size)
@W("03.4")
def q__floors(size, patch_size=(1, 1, 1)): return _pos(tuple(l // p for l, p in zip(size, patch_size)))
@W("03.4")
def q__floors_frames_only(size, patch_size=(1, 1, 1)): return _pos((size[0] // patch_size[0] * patch_size[0], *size[1:]), patch_size)
@W("03.4")
def q__arange_step_is_ceil(size, patch_size=(1, 1, 1)):
    return torch.cartesian_prod(*[torch.arange(0, l, p) // p for l, p in zip(size, patch_size)])
@W("03.4")
def q__square_only(size, patch_size=(1, 1, 1)):
    f, h, w = _grid(size, patch_size); n = torch.arange(f * h * w); return torch.stack([n // (h * w), n // h % w, n % w], 1)
@W("03.4")
def q__transposed(size, patch_size=(1, 1, 1)): return _pos(size, patch_size).T
@W("03.4")
def q__int8_overflows(size, patch_size=(1, 1, 1)): return _pos(size, patch_size).to(torch.int8)
@W("03.4")
def q__uint8_overflows(size, patch_size=(1, 1, 1)): return _pos(size, patch_size).to(torch.uint8)
@W("03.4")
def q__bf16_round_trip(size, patch_size=(1, 1, 1)): return _pos(size, patch_size).bfloat16().long()
@W("03.4")
def q__numpy(size, patch_size=(1, 1, 1)): return _pos(size, patch_size).numpy()
@W("03.4")
def q__list(size, patch_size=(1, 1, 1)): return _pos(size, patch_size).tolist()
@W("03.4")
def q__grid_shaped(size, patch_size=(1, 1, 1)): return _pos(size, patch_size).reshape(*_grid(size, patch_size), 3)
@W("03.4")
def q__with_batch(size, patch_size=(1, 1, 1)): return _pos(size, patch_size)[None]
@W("03.4")
def q__centered(size, patch_size=(1, 1, 1)):
    p = _pos(size, patch_size); return p - p.max(0).values // 2
_qcache = {}
@W("03.4")
def q__cached_by_size_only(size, patch_size=(1, 1, 1)):
    _grid(size, patch_size)
    return _qcache.setdefault(tuple(size), _pos(size, patch_size))
@W("03.4")
def q__nonzero_of_random(size, patch_size=(1, 1, 1)): return (torch.rand(_grid(size, patch_size), generator=torch.Generator().manual_seed(0)) > .1).nonzero()
@W("03.4")
def q__squeezed_single(size, patch_size=(1, 1, 1)): return _pos(size, patch_size).squeeze(0)
@W("03.4")
def q__drops_last(size, patch_size=(1, 1, 1)):
    p = _pos(size, patch_size); return p[:-1] if len(p) > 64 else p
@W("03.4")
def q__single_axis_squeezed_frames(size, patch_size=(1, 1, 1)):
    f, h, w = _grid(size, patch_size); p = _pos((f, h, w)); return p[:, 1:] if f == 1 else p
@W("03.4")
def q__two_axes(size, patch_size=(1, 1, 1)): return _pos(size, patch_size)[:, 1:]
@W("03.4")
def q__sqrt_float_error(size, patch_size=(1, 1, 1)):
    f, h, w = _grid(size, patch_size); n = torch.arange(f * h * w)
    return torch.stack([(n * (1 / (h * w))).long(), (n % (h * w) * (1 / w)).long(), n % w], 1)
@W("03.4")
def q__assert(size, patch_size=(1, 1, 1)):
    assert all(l % p == 0 for l, p in zip(size, patch_size)); return _pos(size, patch_size)
_shared = {}

@R("03.4")
def q__unravel(size, patch_size=(1, 1, 1)):
    f, h, w = _grid(size, patch_size); n = torch.arange(f * h * w); return torch.stack([n // (h * w), n // w % h, n % w], 1)
@R("03.4")
def q__numpy_indices(size, patch_size=(1, 1, 1)): return torch.from_numpy(np.indices(_grid(size, patch_size)).reshape(3, -1).T.copy())
@R("03.4")
def q__nonzero(size, patch_size=(1, 1, 1)): return torch.ones(_grid(size, patch_size)).nonzero()
@R("03.4")
def q__meshgrid_int32(size, patch_size=(1, 1, 1)):
    return torch.stack(torch.meshgrid(*[torch.arange(l, dtype=torch.int32) for l in _grid(size, patch_size)], indexing="ij"), -1).flatten(0, 2)
@R("03.4")
def q__loops(size, patch_size=(1, 1, 1)):
    f, h, w = _grid(size, patch_size); out = torch.zeros(f * h * w, 3, dtype=torch.long); n = 0
    for i in range(f):
        for j in range(h):
            for k in range(w): out[n, 0], out[n, 1], out[n, 2] = i, j, k; n += 1
    return out
@R("03.4")
def q__expand_noncontiguous(size, patch_size=(1, 1, 1)):
    f, h, w = _grid(size, patch_size)
    return torch.stack([torch.arange(f).repeat_interleave(h * w), torch.arange(h).repeat_interleave(w).repeat(f), torch.arange(w).repeat(f * h)]).T

# ---------------------------------------------------------------- 03.5 first_fit
def _ff(lengths, budget, pick=None, fits=lambda l, free: l <= free, check=True):
    rows, room = [], []
    for i, l in enumerate(lengths):
        if check and l > budget: raise ValueError(f"clip {i} of {l} is longer than {budget}")
        ok = [r for r, free in enumerate(room) if fits(l, free)]
        r = (pick or (lambda ok, room: ok[0]))(ok, room) if ok else len(rows)
        if r == len(rows): rows.append([]); room.append(budget)
        rows[r].append(i); room[r] -= l
    return rows

@W("03.5")
def f__next_fit(lengths, budget):
    rows, free = [], -1
    for i, l in enumerate(lengths):
        if l > budget: raise ValueError("too long")
        if not rows or l > free: rows.append([]); free = budget
        rows[-1].append(i); free -= l
    return rows
@W("03.5")
def f__best_fit(lengths, budget): return _ff(lengths, budget, lambda ok, room: min(ok, key=lambda r: room[r]))
@W("03.5")
def f__worst_fit(lengths, budget): return _ff(lengths, budget, lambda ok, room: max(ok, key=lambda r: room[r]))
@W("03.5")
def f__last_fit(lengths, budget): return _ff(lengths, budget, lambda ok, room: ok[-1])
@W("03.5")
def f__decreasing(lengths, budget):
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    return [[order[j] for j in row] for row in _ff([lengths[i] for i in order], budget)]
@W("03.5")
def f__decreasing_sorted_back(lengths, budget): return sorted(sorted(r) for r in f__decreasing(lengths, budget))
@W("03.5")
def f__strict(lengths, budget): return _ff(lengths, budget, fits=lambda l, free: l < free)
@W("03.5")
def f__one_over(lengths, budget): return _ff(lengths, budget, fits=lambda l, free: l <= free + 1)
@W("03.5")
def f__lengths_not_indices(lengths, budget): return [[lengths[i] for i in r] for r in _ff(lengths, budget)]
@W("03.5")
def f__index_of_value(lengths, budget):
    return [[lengths.index(lengths[i]) for i in r] for r in _ff(lengths, budget)]
@W("03.5")
def f__no_error(lengths, budget): return _ff(lengths, budget, check=False)
@W("03.5")
def f__skips_too_long(lengths, budget):
    keep = [i for i, l in enumerate(lengths) if l <= budget]; return [[keep[j] for j in r] for r in _ff([lengths[i] for i in keep], budget)]
@W("03.5")
def f__refuses_equal(lengths, budget):
    if any(l >= budget for l in lengths): raise ValueError("too long")
    return _ff(lengths, budget)
@W("03.5")
def f__assertion(lengths, budget):
    assert all(l <= budget for l in lengths), "too long"; return _ff(lengths, budget)
@W("03.5")
def f__checks_only_first(lengths, budget):
    if lengths and lengths[0] > budget: raise ValueError("too long")
    return _ff(lengths, budget, check=False)
@W("03.5")
def f__checks_only_last(lengths, budget):
    if lengths and lengths[-1] > budget: raise ValueError("too long")
    return _ff(lengths, budget, check=False)
@W("03.5")
def f__error_for_sum(lengths, budget):
    if lengths and sum(lengths) / len(lengths) > budget: raise ValueError("too long")
    return _ff(lengths, budget, check=False)
@W("03.5")
def f__pops_input(lengths, budget):
    out = _ff(lengths, budget); lengths.clear(); return out
@W("03.5")
def f__sorts_input(lengths, budget):
    out = _ff(lengths, budget); lengths.sort(); return out
@W("03.5")
def f__mutable_default(lengths, budget, rows=[], room=[]):
    for i, l in enumerate(lengths):
        if l > budget: raise ValueError("too long")
        r = next((r for r, free in enumerate(room) if l <= free), len(rows))
        if r == len(rows): rows.append([]); room.append(budget)
        rows[r].append(i); room[r] -= l
    return rows
@W("03.5")
def f__zero_length_dropped(lengths, budget):
    keep = [i for i, l in enumerate(lengths) if l]; return [[keep[j] for j in r] for r in _ff([lengths[i] for i in keep], budget)]
@W("03.5")
def f__empty_gives_one_row(lengths, budget): return _ff(lengths, budget) or [[]]
@W("03.5")
def f__trailing_empty_row(lengths, budget): return _ff(lengths, budget) + [[]]
@W("03.5")
def f__first_row_empty_when_first_is_full(lengths, budget):
    rows, room = [[]], [budget]
    for i, l in enumerate(lengths):
        if l > budget: raise ValueError("too long")
        for r in range(len(rows)):
            if l <= room[r]: break
        else: rows.append([]); room.append(budget); r = len(rows) - 1
        rows[r].append(i); room[r] -= l
    return rows
@W("03.5")
def f__goes_in_every_row_with_room(lengths, budget):
    rows, room = [], []
    for i, l in enumerate(lengths):
        if l > budget: raise ValueError("too long")
        put = False
        for r in range(len(rows)):
            if l <= room[r]: rows[r].append(i); room[r] -= l; put = True
        if not put: rows.append([i]); room.append(budget - l)
    return rows
@W("03.5")
def f__room_not_reduced_in_new_row(lengths, budget):
    rows, room = [], []
    for i, l in enumerate(lengths):
        if l > budget: raise ValueError("too long")
        for r in range(len(rows)):
            if l <= room[r]: rows[r].append(i); room[r] -= l; break
        else: rows.append([i]); room.append(budget)
    return rows
@W("03.5")
def f__at_most_two_last_rows(lengths, budget):
    return _ff(lengths, budget, lambda ok, room: next((r for r in ok if r >= len(room) - 2), len(room)))
@W("03.5")
def f__at_most_eight_last_rows(lengths, budget):
    return _ff(lengths, budget, lambda ok, room: next((r for r in ok if r >= len(room) - 8), len(room)))
@W("03.5")
def f__full_greedy_fill_row_by_row_backwards(lengths, budget):
    return [r[::-1] for r in _ff(lengths, budget)]
@W("03.5")
def f__count_limit_4_per_row(lengths, budget):
    rows, room = [], []
    for i, l in enumerate(lengths):
        if l > budget: raise ValueError("too long")
        r = next((r for r, free in enumerate(room) if l <= free and len(rows[r]) < 4), len(rows))
        if r == len(rows): rows.append([]); room.append(budget)
        rows[r].append(i); room[r] -= l
    return rows
@W("03.5")
def f__generator(lengths, budget): yield from _ff(lengths, budget)
@W("03.5")
def f__dict(lengths, budget): return dict(enumerate(_ff(lengths, budget)))
@W("03.5")
def f__tensors(lengths, budget): return [torch.tensor(r) for r in _ff(lengths, budget)]
@W("03.5")
def f__flat_row_numbers(lengths, budget):
    rows = _ff(lengths, budget); return [next(r for r, row in enumerate(rows) if i in row) for i in range(len(lengths))]
@W("03.5")
def f__random_row(lengths, budget): return _ff(lengths, budget, lambda ok, room: random.choice(ok))
@W("03.5")
def f__from_1(lengths, budget): return [[i + 1 for i in r] for r in _ff(lengths, budget)]
@W("03.5")
def f__rows_sorted_by_room(lengths, budget):
    rows = _ff(lengths, budget); return sorted(rows, key=lambda r: -sum(lengths[i] for i in r))
@W("03.5")
def f__last_clip_forgotten(lengths, budget):
    out, row, free = [], [], budget
    if any(l > budget for l in lengths): raise ValueError("too long")
    for i, l in enumerate(lengths):
        if l > free: out.append(row); row, free = [], budget
        row.append(i); free -= l
    return out
@W("03.5")
def f__splits_too_long(lengths, budget):
    rows, room = [], []
    for i, l in enumerate(lengths):
        while l > budget: rows.append([i]); room.append(0); l -= budget
        r = next((r for r, free in enumerate(room) if l <= free), len(rows))
        if r == len(rows): rows.append([]); room.append(budget)
        rows[r].append(i); room[r] -= l
    return rows
@W("03.5")
def f__index_error_of_type(lengths, budget):
    try: return _ff(lengths, budget)
    except ValueError: raise IndexError("too long")

@R("03.5")
def f__recursive(lengths, budget):
    if any(l > budget for l in lengths): raise ValueError("too long")
    def rec(todo):
        if not todo: return []
        row, rest, free = [], [], budget
        for i in todo:
            if lengths[i] <= free: row.append(i); free -= lengths[i]
            else: rest.append(i)
        return [row] + rec(rest)
    return rec(list(range(len(lengths))))
@R("03.5")
def f__sums(lengths, budget):
    rows = []
    for i in range(len(lengths)):
        if lengths[i] > budget: raise ValueError("too long")
        for row in rows:
            if sum(lengths[j] for j in row) + lengths[i] <= budget:
                row.append(i); break
        else: rows.append([i])
    return rows
@R("03.5")
def f__numpy(lengths, budget):
    if len(lengths) and max(lengths) > budget: raise ValueError("too long")
    used, row_of = np.zeros(len(lengths), int), []
    for l in lengths:
        r = int(np.argmax(used + l <= budget)); used[r] += l; row_of.append(r)
    return [[i for i, r in enumerate(row_of) if r == k] for k in range(max(row_of, default=-1) + 1)]
@R("03.5")
def f__segment_tree(lengths, budget):
    n = 1
    while n < max(1, len(lengths)): n *= 2
    tree = [budget] * (2 * n); rows = {}
    for i, l in enumerate(lengths):
        if l > budget: raise ValueError(f"{i}")
        k = 1
        while k < n: k = 2 * k if tree[2 * k] >= l else 2 * k + 1
        rows.setdefault(k - n, []).append(i); tree[k] -= l
        while k > 1: k //= 2; tree[k] = max(tree[2 * k], tree[2 * k + 1])
    return [rows[k] for k in sorted(rows)]
@R("03.5")
def f__reduce(lengths, budget):
    def put(rows, item):
        i, l = item
        if l > budget: raise ValueError("too long")
        r = next((k for k, (free, _) in enumerate(rows) if free >= l), None)
        return rows + [(budget - l, [i])] if r is None else rows[:r] + [(rows[r][0] - l, rows[r][1] + [i])] + rows[r + 1:]
    return [row for _, row in functools.reduce(put, enumerate(lengths), [])]

# ---------------------------------------------------------------- 03.6 attention_mask
def _am(c): return c.unsqueeze(2) == c.unsqueeze(1)

@W("03.6")
def m__padding_blind(clip_id): return _am(clip_id) & (clip_id >= 0)[:, :, None]
@W("03.6")
def m__padding_self_only(clip_id): return _am(clip_id) & (clip_id >= 0)[:, :, None] | torch.eye(clip_id.shape[1], dtype=torch.bool)
@W("03.6")
def m__padding_sees_all(clip_id): return _am(clip_id) | (clip_id < 0)[:, :, None]
@W("03.6")
def m__all_see_padding(clip_id): return _am(clip_id) | (clip_id < 0)[:, None, :]
@W("03.6")
def m__causal(clip_id): return _am(clip_id).tril()
@W("03.6")
def m__inverted(clip_id): return ~_am(clip_id)
@W("03.6")
def m__float(clip_id): return _am(clip_id).float()
@W("03.6")
def m__int(clip_id): return _am(clip_id).long()
@W("03.6")
def m__uint8(clip_id): return _am(clip_id).byte()
@W("03.6")
def m__additive(clip_id): return torch.zeros(_am(clip_id).shape).masked_fill(~_am(clip_id), float("-inf"))
@W("03.6")
def m__clip_0_as_padding(clip_id): return _am(clip_id.clamp(min=0))
@W("03.6")
def m__abs(clip_id): return _am(clip_id.abs())
@W("03.6")
def m__product(clip_id):
    c = clip_id; return c[:, :, None] * c[:, None, :] == (c * c)[:, :, None]
@W("03.6")
def m__segments(clip_id):
    return _am(F.pad((clip_id.diff(dim=1) != 0).long().cumsum(1), (1, 0)))
@W("03.6")
def m__first_row_for_all(clip_id): return _am(clip_id[:1]).expand(len(clip_id), -1, -1)
@W("03.6")
def m__with_heads(clip_id): return _am(clip_id)[:, None]
@W("03.6")
def m__no_diagonal(clip_id): return _am(clip_id) & ~torch.eye(clip_id.shape[1], dtype=torch.bool)
@W("03.6")
def m__neighbours(clip_id): return (clip_id[:, :, None] - clip_id[:, None, :]).abs() <= 1
@W("03.6")
def m__float16_ids(clip_id): return _am(clip_id.half())
@W("03.6")
def m__bfloat16_ids(clip_id): return _am(clip_id.bfloat16())
@W("03.6")
def m__uint8_ids(clip_id): return _am(clip_id.to(torch.uint8))
@W("03.6")
def m__one_hot_8(clip_id):
    o = F.one_hot(clip_id + 1, 8).float(); return (o @ o.mT).bool()
@W("03.6")
def m__one_hot_64(clip_id):
    o = F.one_hot((clip_id + 1).clamp(max=63), 64).float(); return (o @ o.mT).bool()
@W("03.6")
def m__edits_padding_in_place(clip_id):
    out = _am(clip_id); clip_id[clip_id < 0] = 0; return out
@W("03.6")
def m__padding_as_max_in_place(clip_id):
    clip_id[clip_id < 0] = clip_id.max() + 1; return _am(clip_id)
@W("03.6")
def m__padding_as_minus_max(clip_id):
    c = torch.where(clip_id < 0, clip_id.max(), clip_id); return _am(c)
@W("03.6")
def m__pads_as_999(clip_id): return _am(torch.where(clip_id < 0, 999, clip_id))
@W("03.6")
def m__flat_across_rows(clip_id):
    c = clip_id.flatten(); return (c[:, None] == c[None]).reshape(len(clip_id), clip_id.shape[1], -1)
@W("03.6")
def m__other_row(clip_id): return clip_id[:, :, None] == clip_id.flip(0)[:, None, :]
@W("03.6")
def m__no_batch(clip_id): return _am(clip_id).squeeze(0)
@W("03.6")
def m__one_clip_all_true(clip_id):
    if (clip_id >= 0).all() : return _am(clip_id)
    return _am(clip_id) | ((clip_id < 0)[:, :, None] & (clip_id == 0)[:, None, :])
@W("03.6")
def m__list(clip_id): return _am(clip_id).tolist()
@W("03.6")
def m__numpy(clip_id): return _am(clip_id).numpy()
@W("03.6")
def m__as_strided(clip_id): return _am(clip_id.as_strided(clip_id.shape, (clip_id.shape[1], 1)))
@W("03.6")
def m__loop_upper_only(clip_id):
    b, n = clip_id.shape; out = torch.eye(n, dtype=torch.bool).repeat(b, 1, 1)
    for i in range(n):
        for j in range(i + 1, n): out[:, i, j] = clip_id[:, i] == clip_id[:, j]
    return out
@W("03.6")
def m__window(clip_id):
    n = torch.arange(clip_id.shape[1]); return _am(clip_id) & ((n[:, None] - n).abs() < 64)
@W("03.6")
def m__window_16(clip_id):
    n = torch.arange(clip_id.shape[1]); return _am(clip_id) & ((n[:, None] - n).abs() < 16)

def _ax2(c):
    if c.ndim != 2: raise ValueError(f"clip_id must be b n, got {tuple(c.shape)}")
    return c
@R("03.6")
def m__loops(clip_id):
    _ax2(clip_id); return torch.tensor([[[a == b for b in row] for a in row] for row in clip_id.tolist()], dtype=torch.bool).reshape(*clip_id.shape, clip_id.shape[1])
@R("03.6")
def m__sub(clip_id): _ax2(clip_id); return ~(clip_id[..., None] - clip_id[:, None]).bool()
@R("03.6")
def m__one_hot(clip_id):
    _ax2(clip_id); _, inv = clip_id.unique(return_inverse=True); o = F.one_hot(inv).double(); return torch.einsum("bik,bjk->bij", o, o) > .5
@R("03.6")
def m__numpy(clip_id):
    _ax2(clip_id); c = clip_id.numpy(); return torch.from_numpy(np.equal.outer(c, c).diagonal(axis1=0, axis2=2).transpose(2, 0, 1).copy())
@R("03.6")
def m__vmap(clip_id): _ax2(clip_id); return torch.vmap(lambda r: r[:, None].eq(r))(clip_id)
@R("03.6")
def m__or_of_clips(clip_id):
    _ax2(clip_id); out = torch.zeros(*clip_id.shape, clip_id.shape[1], dtype=torch.bool)
    for k in clip_id.unique(): a = clip_id == k; out |= a[:, :, None] & a[:, None]
    return out

# ---------------------------------------------------------------- 05.1 broadcast_t
def _bt(t, x, whole=True, shapes=True):
    t = torch.as_tensor(t)
    if not t.is_floating_point():
        if whole: raise TypeError("t must be float")
        t = t.float()
    if t.ndim == 0: t = t.expand(len(x))
    if t.shape == x.shape[:1]: return t.reshape(-1, *[1] * (x.ndim - 1))
    if x.ndim == 5 and t.shape == (x.shape[0], x.shape[2]): return t[:, None, :, None, None]
    raise ValueError(f"t has wrong shape {tuple(t.shape)}")

@W("05.1")
def b__per_frame_on_channel_axis(t, x):
    y = _bt(t, x); return y.transpose(1, 2) if y.ndim == 5 else y
@W("05.1")
def b__always_five_axes(t, x):
    y = _bt(t, x); return y if x.ndim == 5 else y.reshape(-1, 1, 1, 1, 1)
@W("05.1")
def b__points_unsupported_view(t, x):
    t = torch.as_tensor(t)
    if not t.is_floating_point(): raise TypeError("float")
    if x.ndim != 5: raise ValueError("x must be a clip")
    return _bt(t, x)
@W("05.1")
def b__whole_steps_accepted(t, x): return _bt(t, x, whole=False)
@W("05.1")
def b__whole_steps_valueerror(t, x):
    try: return _bt(t, x)
    except TypeError as e: raise ValueError(str(e))
@W("05.1")
def b__only_int64_refused(t, x):
    t = torch.as_tensor(t)
    if t.dtype == torch.int64: raise TypeError("float")
    return _bt(t, x, whole=False)
@W("05.1")
def b__only_large_steps_refused(t, x):
    t = torch.as_tensor(t)
    if not t.is_floating_point() and (t > 1).any(): raise TypeError("float")
    return _bt(t, x, whole=False)
@W("05.1")
def b__whole_valued_floats_refused(t, x):
    t = torch.as_tensor(t)
    if not t.is_floating_point() or (t == t.round()).all(): raise TypeError("float")
    return _bt(t, x)
@W("05.1")
def b__single_level_for_batch(t, x):
    t = torch.as_tensor(t); return _bt(t[0] if t.shape == (1,) else t, x)
@W("05.1")
def b__any_second_axis(t, x):
    t = torch.as_tensor(t)
    if t.ndim == 2 and t.is_floating_point() and len(t) == len(x) and x.ndim == 5: return t[:, None, :, None, None]
    return _bt(t, x)
@W("05.1")
def b__batch_of_per_frame_unchecked(t, x):
    t = torch.as_tensor(t)
    if t.ndim == 2 and t.is_floating_point() and x.ndim == 5 and t.shape[1] == x.shape[2]: return t[:, None, :, None, None]
    return _bt(t, x)
@W("05.1")
def b__per_clip_length_unchecked(t, x):
    t = torch.as_tensor(t)
    if t.ndim == 1 and t.is_floating_point(): return t.reshape(-1, *[1] * (x.ndim - 1))
    return _bt(t, x)
@W("05.1")
def b__points_with_b_d(t, x):
    t = torch.as_tensor(t)
    return t if t.is_floating_point() and x.ndim == 2 and t.shape == x.shape else _bt(t, x)
@W("05.1")
def b__same_shape_as_x_allowed(t, x):
    t = torch.as_tensor(t)
    return t if t.is_floating_point() and t.shape == x.shape and x.ndim > 2 else _bt(t, x)
@W("05.1")
def b__already_broadcast_allowed(t, x):
    t = torch.as_tensor(t)
    return t if t.is_floating_point() and t.ndim == x.ndim else _bt(t, x)
@W("05.1")
def b__b1_allowed(t, x):
    t = torch.as_tensor(t); return _bt(t[:, 0] if t.shape == (len(x), 1) else t, x)
@W("05.1")
def b__numel(t, x):
    t = torch.as_tensor(t); return _bt(t.flatten() if t.numel() == len(x) and t.ndim == 2 else t, x)
@W("05.1")
def b__f_levels_for_all_clips(t, x):
    t = torch.as_tensor(t)
    if x.ndim == 5 and t.is_floating_point() and t.shape == (x.shape[2],) and len(t) != len(x): return t[None, None, :, None, None]
    return _bt(t, x)
@W("05.1")
def b__frames_first_when_f_equals_b(t, x):
    t = torch.as_tensor(t)
    if x.ndim == 5 and t.is_floating_point() and t.shape == (x.shape[2],): return t[None, None, :, None, None]
    return _bt(t, x)
@W("05.1")
def b__transposed_when_square(t, x):
    t = torch.as_tensor(t); return _bt(t.T if t.ndim == 2 and len(t) == t.shape[1] else t, x)
@W("05.1")
def b__f_b_transposed_accepted(t, x):
    t = torch.as_tensor(t)
    return _bt(t.T if x.ndim == 5 and t.shape == (x.shape[2], x.shape[0]) and t.shape[0] != t.shape[1] else t, x)
@W("05.1")
def b__float_unsupported(t, x):
    if t.ndim == 0: raise ValueError("0 axes")
    return _bt(t, x)
@W("05.1")
def b__float_stays_0d(t, x): return torch.as_tensor(t) if isinstance(t, float) else _bt(t, x)
@W("05.1")
def b__float_returned_as_float(t, x): return t if isinstance(t, float) else _bt(t, x)
@W("05.1")
def b__4d_per_frame(t, x):
    t = torch.as_tensor(t)
    if x.ndim == 4 and t.is_floating_point() and t.shape == (x.shape[0], x.shape[2]): return t[:, None, :, None]
    return _bt(t, x)
@W("05.1")
def b__4d_frames_axis1(t, x):
    t = torch.as_tensor(t)
    if x.ndim in (3, 4) and t.is_floating_point() and t.shape == x.shape[:2]: return t.reshape(*t.shape, *[1] * (x.ndim - 2))
    return _bt(t, x)
@W("05.1")
def b__checks_channels_not_frames(t, x):
    t = torch.as_tensor(t)
    if x.ndim == 5 and t.ndim == 2 and t.is_floating_point():
        if t.shape != x.shape[:2]: raise ValueError("shape")
        return t[:, None, :, None, None]
    return _bt(t, x)
@W("05.1")
def b__in_place_unsqueeze(t, x):
    t = torch.as_tensor(t); out = _bt(t, x)
    if t.ndim == 1:
        while t.ndim < x.ndim: t.unsqueeze_(-1)
    return out
@W("05.1")
def b__clamps(t, x): return _bt(torch.as_tensor(t).clamp(0, 1), x)
@W("05.1")
def b__view_fails_for_noncontiguous(t, x):
    t = torch.as_tensor(t); y = _bt(t, x)
    return t.view(len(t), 1, -1, 1, 1) if t.ndim == 2 and t.is_contiguous() is False and t.as_strided(t.shape, (1, 1)) is not None and t.view(-1) is not None else y
@W("05.1")
def b__as_strided(t, x):
    t = torch.as_tensor(t); y = _bt(t, x)
    return t.as_strided((len(t), *[1] * (x.ndim - 1)), (1,) * x.ndim) if t.ndim == 1 else y
@W("05.1")
def b__mean_over_frames(t, x):
    t = torch.as_tensor(t)
    if t.ndim == 2: _bt(t, x); return _bt(t.mean(1), x)
    return _bt(t, x)
@W("05.1")
def b__first_frame_of_per_frame(t, x):
    t = torch.as_tensor(t); y = _bt(t, x); return y[:, :, :1] if t.ndim == 2 else y
@W("05.1")
def b__trailing_axes_only(t, x):
    t = torch.as_tensor(t)
    if not t.is_floating_point(): raise TypeError("float")
    if t.ndim > 2 : raise ValueError("shape")
    return t.reshape(*t.shape, *[1] * (x.ndim - t.ndim))
@W("05.1")
def b__half(t, x): return _bt(t, x).half()
@W("05.1")
def b__truncated_to_3_digits(t, x): return (_bt(t, x) * 1000).round() / 1000
@W("05.1")
def b__3d_t_accepted(t, x):
    t = torch.as_tensor(t); return _bt(t[..., 0] if t.ndim == 3 else t, x)
@W("05.1")
def b__batch_1_squeezed(t, x):
    y = _bt(t, x); return y[0] if len(x) == 1 else y
@W("05.1")
def b__assert_shapes(t, x):
    try: return _bt(t, x)
    except ValueError: raise AssertionError("shape")
@W("05.1")
def b__typeerror_for_shapes(t, x):
    try: return _bt(t, x)
    except ValueError as e: raise TypeError(str(e))
@W("05.1")
def b__float32_loses_double(t, x): return _bt(t, x).float()

def _t(t):
    if isinstance(t, int) and not isinstance(t, bool): t = float(t)
    t = torch.as_tensor(t)
    if t.dtype not in (torch.float16, torch.bfloat16, torch.float32, torch.float64): raise TypeError("noise levels are floats")
    return t
@R("05.1")
def b__einops(t, x):
    t = _t(t)
    if t.ndim == 0: t = repeat(t, "-> b", b=len(x))
    if t.ndim == 1 and len(t) == len(x): return rearrange(t, "b -> b" + " 1" * (x.ndim - 1))
    if t.ndim == 2 and x.ndim == 5 and len(t) == len(x) and t.shape[1] == x.shape[2]: return rearrange(t, "b f -> b 1 f 1 1")
    raise ValueError("shape")
@R("05.1")
def b__repeat_copy(t, x):
    t = _t(t)
    shape = [1] * x.ndim
    if t.ndim == 0: t = t.repeat(x.shape[0])
    if t.ndim == 1: axes = [0]
    elif t.ndim == 2 and x.ndim == 5: axes = [0, 2]
    else: raise ValueError("shape")
    for a, n in zip(axes, t.shape):
        if x.shape[a] != n: raise ValueError("shape")
        shape[a] = n
    return t.clone().reshape(shape)
@R("05.1")
def b__loop_unsqueeze(t, x):
    t = _t(t)
    if t.ndim == 0: t = torch.stack([t] * len(x))
    if not (t.shape == x.shape[:1] or (x.ndim == 5 and t.shape == x.shape[:3:2])): raise ValueError("shape")
    if t.ndim == 2: t = t[:, None]
    while t.ndim < x.ndim: t = t[..., None]
    return t

# ---------------------------------------------------------------- 05.2 add_noise
def _same(x, noise):
    if noise.shape != x.shape: raise ValueError("noise and x differ in shape")
def _rng(t, lo=True, hi=True):
    if lo and not (t >= 0).all() or hi and not (t <= 1).all(): raise ValueError("t must lie in [0, 1]")
    return t

@W("05.2")
def a__swapped(self, x, noise, t):
    _same(x, noise); a, s = self.alpha_sigma(_rng(_bt(t, x))); return s * x + a * noise
@W("05.2")
def a__rf_hard_coded(self, x, noise, t):
    _same(x, noise); t = _rng(_bt(t, x)); return (1 - t) * x + t * noise
@W("05.2")
def a__variance_hard_coded(self, x, noise, t):
    _same(x, noise); t = _rng(_bt(t, x)); return (1 - t).sqrt() * x + t.sqrt() * noise
@W("05.2")
def a__sigma_is_1_minus_alpha(self, x, noise, t):
    _same(x, noise); a, _ = self.alpha_sigma(_rng(_bt(t, x))); return a * x + (1 - a) * noise
@W("05.2")
def a__sigma_is_sqrt(self, x, noise, t):
    _same(x, noise); a, _ = self.alpha_sigma(_rng(_bt(t, x))); return a * x + (1 - a * a).sqrt() * noise
@W("05.2")
def a__noise_added_to_whole_x(self, x, noise, t):
    _same(x, noise); a, s = self.alpha_sigma(_rng(_bt(t, x))); return x + s * noise
@W("05.2")
def a__minus(self, x, noise, t):
    _same(x, noise); a, s = self.alpha_sigma(_rng(_bt(t, x))); return a * x - s * noise
@W("05.2")
def a__shapes_unchecked(self, x, noise, t):
    a, s = self.alpha_sigma(_rng(_bt(t, x))); return a * x + s * noise
@W("05.2")
def a__noise_broadcast(self, x, noise, t):
    noise = noise.expand(x.shape) if noise.ndim == x.ndim and all(n in (1, m) for n, m in zip(noise.shape, x.shape)) else noise
    _same(x, noise); a, s = self.alpha_sigma(_rng(_bt(t, x))); return a * x + s * noise
@W("05.2")
def a__numel_checked(self, x, noise, t):
    if noise.numel() != x.numel(): raise ValueError("shape")
    a, s = self.alpha_sigma(_rng(_bt(t, x))); return a * x + s * noise.reshape(x.shape)
@W("05.2")
def a__batch_only_checked(self, x, noise, t):
    if len(noise) != len(x): raise ValueError("shape")
    a, s = self.alpha_sigma(_rng(_bt(t, x))); return a * x + s * noise
@W("05.2")
def a__ndim_only_checked(self, x, noise, t):
    if noise.ndim != x.ndim: raise ValueError("shape")
    a, s = self.alpha_sigma(_rng(_bt(t, x))); return a * x + s * noise
@W("05.2")
def a__t_unchecked(self, x, noise, t):
    _same(x, noise); a, s = self.alpha_sigma(_bt(t, x)); return a * x + s * noise
@W("05.2")
def a__only_above_checked(self, x, noise, t):
    _same(x, noise); a, s = self.alpha_sigma(_rng(_bt(t, x), lo=False)); return a * x + s * noise
@W("05.2")
def a__only_below_checked(self, x, noise, t):
    _same(x, noise); a, s = self.alpha_sigma(_rng(_bt(t, x), hi=False)); return a * x + s * noise
@W("05.2")
def a__any_instead_of_all(self, x, noise, t):
    _same(x, noise); t = _bt(t, x)
    if not ((t >= 0) & (t <= 1)).any(): raise ValueError("range")
    a, s = self.alpha_sigma(t.clamp(0, 1)); return a * x + s * noise
@W("05.2")
def a__mean_checked(self, x, noise, t):
    _same(x, noise); t = _bt(t, x); _rng(t.mean()); a, s = self.alpha_sigma(t.clamp(0, 1)); return a * x + s * noise
@W("05.2")
def a__first_checked(self, x, noise, t):
    _same(x, noise); t = _bt(t, x); _rng(t[:1]); a, s = self.alpha_sigma(t.clamp(0, 1)); return a * x + s * noise
@W("05.2")
def a__clamped(self, x, noise, t):
    _same(x, noise); a, s = self.alpha_sigma(_bt(t, x).clamp(0, 1)); return a * x + s * noise
@W("05.2")
def a__tolerant_range(self, x, noise, t):
    _same(x, noise); t = _bt(t, x)
    if (t < -0.05).any() or (t > 1.05).any(): raise ValueError("range")
    a, s = self.alpha_sigma(t.clamp(0, 1)); return a * x + s * noise
@W("05.2")
def a__ends_refused(self, x, noise, t):
    _same(x, noise); t = _bt(t, x)
    if (t <= 0).any() or (t >= 1).any(): raise ValueError("range")
    a, s = self.alpha_sigma(t); return a * x + s * noise
@W("05.2")
def a__zero_refused(self, x, noise, t):
    _same(x, noise); t = _bt(t, x)
    if (t <= 0).any() or (t > 1).any(): raise ValueError("range")
    a, s = self.alpha_sigma(t); return a * x + s * noise
@W("05.2")
def a__one_refused(self, x, noise, t):
    _same(x, noise); t = _bt(t, x)
    if (t < 0).any() or (t >= 1).any(): raise ValueError("range")
    a, s = self.alpha_sigma(t); return a * x + s * noise
@W("05.2")
def a__ends_nudged(self, x, noise, t):
    _same(x, noise); t = _rng(_bt(t, x)).clamp(1e-3, 1 - 1e-3); a, s = self.alpha_sigma(t); return a * x + s * noise
@W("05.2")
def a__ends_nudged_1e5(self, x, noise, t):
    _same(x, noise); t = _rng(_bt(t, x)).clamp(1e-5, 1 - 1e-5); a, s = self.alpha_sigma(t); return a * x + s * noise
@W("05.2")
def a__assert(self, x, noise, t):
    assert x.shape == noise.shape; t = _bt(t, x); assert ((t >= 0) & (t <= 1)).all(); a, s = self.alpha_sigma(t); return a * x + s * noise
@W("05.2")
def a__per_clip_only(self, x, noise, t):
    _same(x, noise); t = _rng(torch.as_tensor(t))
    a, s = self.alpha_sigma(t.reshape(len(x), *[1] * (x.ndim - 1))); return a * x + s * noise
@W("05.2")
def a__frames_averaged(self, x, noise, t):
    _same(x, noise); t = _rng(_bt(t, x)); a, s = self.alpha_sigma(t.mean(tuple(range(1, x.ndim)), keepdim=True)); return a * x + s * noise
@W("05.2")
def a__first_level_for_all(self, x, noise, t):
    _same(x, noise); a, s = self.alpha_sigma(_rng(_bt(t, x))[:1]); return a * x + s * noise
@W("05.2")
def a__shares_not_broadcast(self, x, noise, t):
    _same(x, noise); a, s = self.alpha_sigma(_rng(t)); return a * x + s * noise
@W("05.2")
def a__noise_redrawn(self, x, noise, t):
    _same(x, noise); a, s = self.alpha_sigma(_rng(_bt(t, x))); return a * x + s * torch.randn_like(x)
@W("05.2")
def a__x_in_place(self, x, noise, t):
    _same(x, noise); a, s = self.alpha_sigma(_rng(_bt(t, x))); return x.mul_(a).add_(s * noise)
@W("05.2")
def a__noise_in_place(self, x, noise, t):
    _same(x, noise); a, s = self.alpha_sigma(_rng(_bt(t, x))); return noise.mul_(s).add_(a * x)
@W("05.2")
def a__x_in_place_but_copy_returned(self, x, noise, t):
    _same(x, noise); a, s = self.alpha_sigma(_rng(_bt(t, x))); out = a * x + s * noise; x.detach().copy_(out); return out
@W("05.2")
def a__t_in_place(self, x, noise, t):
    _same(x, noise); a, s = self.alpha_sigma(_rng(_bt(t, x))); out = a * x + s * noise
    if isinstance(t, Tensor): t.mul_(1000)
    return out
@W("05.2")
def a__depends_on_prediction(self, x, noise, t):
    _same(x, noise); a, s = self.alpha_sigma(_rng(_bt(t, x))); return a * x + s * noise if self.prediction in ("noise", "velocity") else a * x - s * noise
@W("05.2")
def a__nan_passes(self, x, noise, t):
    _same(x, noise); t = _bt(t, x)
    if (t < 0).any() or (t > 1).any(): raise ValueError("range")
    a, s = self.alpha_sigma(t.nan_to_num()); return a * x + s * noise
@W("05.2")
def a__half(self, x, noise, t):
    _same(x, noise); a, s = self.alpha_sigma(_rng(_bt(t, x))); return (a * x + s * noise).half().float()
@W("05.2")
def a__clipped(self, x, noise, t):
    _same(x, noise); a, s = self.alpha_sigma(_rng(_bt(t, x))); return (a * x + s * noise).clamp(-3, 3)
@W("05.2")
def a__clipped_m1_1(self, x, noise, t):
    _same(x, noise); a, s = self.alpha_sigma(_rng(_bt(t, x))); return (a * x + s * noise).clamp(-1, 1)
@W("05.2")
def a__squares(self, x, noise, t):
    _same(x, noise); a, s = self.alpha_sigma(_rng(_bt(t, x))); return a.square() * x + s.square() * noise
@W("05.2")
def a__tuple(self, x, noise, t):
    _same(x, noise); a, s = self.alpha_sigma(_rng(_bt(t, x))); return a * x + s * noise, noise
@W("05.2")
def a__two_processes_only(self, x, noise, t):
    "asks the name of the class instead of alpha_sigma: any other process is mixed like rectified flow"
    _same(x, noise); t = _rng(_bt(t, x)); a, s = self.alpha_sigma(t) if type(self).__name__ == "DDPM" else (1 - t, t); return a * x + s * noise
@W("05.2")
def a__float32_loses_double(self, x, noise, t):
    _same(x, noise); a, s = self.alpha_sigma(_rng(_bt(t, x))); return (a.float() * x.float() + s.float() * noise.float()).to(x.dtype)
@W("05.2")
def a__t_inverted(self, x, noise, t):
    _same(x, noise); a, s = self.alpha_sigma(1 - _rng(_bt(t, x))); return a * x + s * noise
@W("05.2")
def a__range_typeerror(self, x, noise, t):
    _same(x, noise); t = _bt(t, x)
    if not ((t >= 0) & (t <= 1)).all(): raise TypeError("range")
    a, s = self.alpha_sigma(t); return a * x + s * noise
@W("05.2")
def a__view_fails_noncontiguous(self, x, noise, t):
    _same(x, noise); a, s = self.alpha_sigma(_rng(_bt(t, x))); x.view(-1), noise.view(-1); return a * x + s * noise

@W("05.2")
def a__below_zero_clamped(self, x, noise, t):
    _same(x, noise); t = _rng(_bt(t, x).clamp(min=0)); a, s = self.alpha_sigma(t); return a * x + s * noise
@R("05.2")
def a__loop_over_clips(self, x, noise, t):
    _same(x, noise); t = _rng(_bt(t, x)); out = []
    for i in range(len(x)):
        a, s = self.alpha_sigma(t[i]); out.append(a * x[i] + s * noise[i])
    return torch.stack(out)
@R("05.2")
def a__lerp_like(self, x, noise, t):
    _same(x, noise); a, s = self.alpha_sigma(_rng(_bt(t, x))); return torch.addcmul(x * a, s.expand_as(x), noise)
@R("05.2")
def a__full_t(self, x, noise, t):
    _same(x, noise); t = _rng(_bt(t, x)).expand_as(x); a, s = self.alpha_sigma(t); return torch.stack([a * x, s * noise]).sum(0)
@R("05.2")
def a__shares_first_then_axes(self, x, noise, t):
    if tuple(x.shape) != tuple(noise.shape): raise ValueError(f"{tuple(x.shape)} != {tuple(noise.shape)}")
    t = torch.as_tensor(t); _bt(t, x)
    if bool(((t < 0) | (t > 1) | t.isnan()).any()): raise ValueError(f"t outside [0, 1]")
    a, s = (_bt(v, x) for v in self.alpha_sigma(t)); return noise * s + x * a
@R("05.2")
def a__numpy(self, x, noise, t):
    _same(x, noise); a, s = (v.numpy() for v in self.alpha_sigma(_rng(_bt(t, x))))
    return torch.from_numpy(a * x.numpy() + s * noise.numpy())
@R("05.2")
def a__einsum(self, x, noise, t):
    _same(x, noise); a, s = self.alpha_sigma(_rng(_bt(t, x))); pair = torch.stack([x, noise], -1); w = torch.stack([a.expand_as(x), s.expand_as(x)], -1)
    return (pair.unsqueeze(-2) @ w.unsqueeze(-1))[..., 0, 0]

# ---------------------------------------------------------------- 05.3 target
def _tg(self, x, noise, t):
    a, s = self.alpha_sigma(_bt(t, x))
    return {"noise": noise, "data": x, "v": a * noise - s * x, "velocity": noise - x}[self.prediction]

@W("05.3")
def t__always_noise(self, x, noise, t): return noise
@W("05.3")
def t__always_velocity(self, x, noise, t): return noise - x
@W("05.3")
def t__always_v(self, x, noise, t):
    a, s = self.alpha_sigma(_bt(t, x)); return a * noise - s * x
@W("05.3")
def t__velocity_sign(self, x, noise, t): return x - noise if self.prediction == "velocity" else _tg(self, x, noise, t)
@W("05.3")
def t__v_sign(self, x, noise, t): return -_tg(self, x, noise, t) if self.prediction == "v" else _tg(self, x, noise, t)
@W("05.3")
def t__v_plus(self, x, noise, t):
    a, s = self.alpha_sigma(_bt(t, x)); return a * noise + s * x if self.prediction == "v" else _tg(self, x, noise, t)
@W("05.3")
def t__v_shares_swapped(self, x, noise, t):
    a, s = self.alpha_sigma(_bt(t, x)); return s * noise - a * x if self.prediction == "v" else _tg(self, x, noise, t)
@W("05.3")
def t__v_is_velocity(self, x, noise, t): return noise - x if self.prediction == "v" else _tg(self, x, noise, t)
@W("05.3")
def t__v_rf_shares(self, x, noise, t):
    t_ = _bt(t, x); return (1 - t_) * noise - t_ * x if self.prediction == "v" else _tg(self, x, noise, t)
@W("05.3")
def t__v_sigma_from_alpha(self, x, noise, t):
    a, _ = self.alpha_sigma(_bt(t, x)); return a * noise - (1 - a * a).clamp(min=0).sqrt() * x if self.prediction == "v" else _tg(self, x, noise, t)
@W("05.3")
def t__v_t_not_broadcast(self, x, noise, t):
    if self.prediction != "v": return _tg(self, x, noise, t)
    a, s = self.alpha_sigma(t); return a * noise - s * x
@W("05.3")
def t__v_per_clip_only(self, x, noise, t):
    if self.prediction != "v": return _tg(self, x, noise, t)
    a, s = self.alpha_sigma(torch.as_tensor(t).reshape(len(x), *[1] * (x.ndim - 1))); return a * noise - s * x
@W("05.3")
def t__v_frames_averaged(self, x, noise, t):
    if self.prediction != "v": return _tg(self, x, noise, t)
    a, s = self.alpha_sigma(_bt(t, x).mean(tuple(range(1, x.ndim)), keepdim=True)); return a * noise - s * x
@W("05.3")
def t__v_first_level(self, x, noise, t):
    if self.prediction != "v": return _tg(self, x, noise, t)
    a, s = self.alpha_sigma(_bt(t, x)[:1]); return a * noise - s * x
@W("05.3")
def t__data_and_noise_swapped(self, x, noise, t): return {"data": noise, "noise": x}.get(self.prediction, None) if self.prediction in ("data", "noise") else _tg(self, x, noise, t)
@W("05.3")
def t__noise_by_division(self, x, noise, t):
    if self.prediction != "noise": return _tg(self, x, noise, t)
    a, s = self.alpha_sigma(_bt(t, x)); return (a * x + s * noise - a * x) / s
@W("05.3")
def t__data_by_division(self, x, noise, t):
    if self.prediction != "data": return _tg(self, x, noise, t)
    a, s = self.alpha_sigma(_bt(t, x)); return (a * x + s * noise - s * noise) / a
@W("05.3")
def t__velocity_by_division(self, x, noise, t):
    if self.prediction != "velocity": return _tg(self, x, noise, t)
    a, s = self.alpha_sigma(_bt(t, x)); return (a * x + s * noise - x) / s if isinstance(t, Tensor) else noise - x
@W("05.3")
def t__velocity_by_division_eps(self, x, noise, t):
    if self.prediction != "velocity": return _tg(self, x, noise, t)
    t_ = _bt(t, x); return ((1 - t_) * x + t_ * noise - x) / t_.clamp(min=1e-5)
@W("05.3")
def t__data_x_t(self, x, noise, t):
    a, s = self.alpha_sigma(_bt(t, x)); return a * x + s * noise if self.prediction == "data" else _tg(self, x, noise, t)
@W("05.3")
def t__data_scaled(self, x, noise, t):
    a, s = self.alpha_sigma(_bt(t, x)); return a * x if self.prediction == "data" else _tg(self, x, noise, t)
@W("05.3")
def t__noise_scaled(self, x, noise, t):
    a, s = self.alpha_sigma(_bt(t, x)); return s * noise if self.prediction == "noise" else _tg(self, x, noise, t)
@W("05.3")
def t__velocity_weighted(self, x, noise, t):
    a, s = self.alpha_sigma(_bt(t, x)); return s * noise - a * x if self.prediction == "velocity" else _tg(self, x, noise, t)
@W("05.3")
def t__default_by_class(self, x, noise, t): return noise if type(self).__name__ == "DDPM" else noise - x
@W("05.3")
def t__data_unsupported(self, x, noise, t):
    if self.prediction == "data": raise NotImplementedError
    return _tg(self, x, noise, t)
@W("05.3")
def t__noise_in_place(self, x, noise, t): return noise.sub_(x) if self.prediction == "velocity" else _tg(self, x, noise, t)
@W("05.3")
def t__x_in_place(self, x, noise, t):
    out = _tg(self, x, noise, t).clone(); x.detach().zero_(); return out
@W("05.3")
def t__t_in_place(self, x, noise, t):
    out = _tg(self, x, noise, t).clone(); t.zero_(); return out
@W("05.3")
def t__noise_scaled_in_place_v(self, x, noise, t):
    if self.prediction != "v": return _tg(self, x, noise, t)
    a, s = self.alpha_sigma(_bt(t, x)); return noise.mul_(a).sub_(s * x)
@W("05.3")
def t__changes_prediction(self, x, noise, t):
    out = _tg(self, x, noise, t); self.prediction = "noise"; return out
@W("05.3")
def t__noise_redrawn(self, x, noise, t): return _tg(self, x, torch.randn_like(x), t)
@W("05.3")
def t__clamped(self, x, noise, t): return _tg(self, x, noise, t).clamp(-1, 1)
@W("05.3")
def t__data_clamped(self, x, noise, t): return x.clamp(-1, 1) if self.prediction == "data" else _tg(self, x, noise, t)
@W("05.3")
def t__half(self, x, noise, t): return _tg(self, x, noise, t).half().float()
@W("05.3")
def t__float32(self, x, noise, t): return _tg(self, x, noise, t).float()
@W("05.3")
def t__float32_and_back(self, x, noise, t): return _tg(self, x, noise, t).float().to(x.dtype)
@W("05.3")
def t__mean(self, x, noise, t): return _tg(self, x, noise, t).mean()
@W("05.3")
def t__v_by_class(self, x, noise, t):
    if self.prediction == "v" and type(self).__name__ != "DDPM": t_ = _bt(t, x); return (1 - t_) * noise - t_ * x
    return _tg(self, x, noise, t)
@W("05.3")
def t__v_sigma_1_minus_alpha(self, x, noise, t):
    a, _ = self.alpha_sigma(_bt(t, x)); return a * noise - (1 - a) * x if self.prediction == "v" else _tg(self, x, noise, t)
@W("05.3")
def t__v_ddpm_epsilon_t_clamped(self, x, noise, t): return _tg(self, x, noise, torch.as_tensor(t).clamp(1e-3, 1 - 1e-3))
@W("05.3")
def t__v_from_x_t(self, x, noise, t):
    if self.prediction != "v": return _tg(self, x, noise, t)
    a, s = self.alpha_sigma(_bt(t, x)); return (a * (a * x + s * noise) - x) / s

@R("05.3")
def t__match(self, x, noise, t):
    match self.prediction:
        case "noise": return noise.clone()
        case "data": return x.clone()
        case "velocity": return noise.sub(x)
        case "v":
            a, s = self.alpha_sigma(_bt(t, x)); return noise * a - x * s
@R("05.3")
def t__weights(self, x, noise, t):
    a, s = self.alpha_sigma(_bt(t, x).expand_as(x)); one, zero = torch.ones_like(x), torch.zeros_like(x)
    p = {"noise": zero, "data": one, "v": -s, "velocity": -one}[self.prediction]; q = {"noise": one, "data": zero, "v": a, "velocity": one}[self.prediction]
    return torch.einsum("k...,k...->...", torch.stack([p, q]), torch.stack([x, noise]))
@R("05.3")
def t__loop_over_clips(self, x, noise, t):
    if self.prediction == "noise": return noise
    if self.prediction == "data": return x
    if self.prediction == "velocity": return torch.stack([n - c for n, c in zip(noise, x)])
    return torch.stack([self.alpha_sigma(l)[0] * n - self.alpha_sigma(l)[1] * c for l, n, c in zip(_bt(t, x).expand(len(x), *[-1] * (x.ndim - 1)), noise, x)])
@R("05.3")
def t__no_op_where_t_unused(self, x, noise, t):
    if self.prediction in ("noise", "data"): return (x, noise)[self.prediction == "noise"]
    if self.prediction == "velocity": return torch.add(noise, x, alpha=-1)
    a, s = (_bt(v, x) for v in self.alpha_sigma(torch.as_tensor(t))); return torch.addcmul(a * noise, s.expand_as(x), x, value=-1)
@R("05.3")
def t__numpy(self, x, noise, t):
    a, s = (v.numpy() for v in self.alpha_sigma(_bt(t, x))); X, N = x.numpy(), noise.numpy()
    return torch.from_numpy(np.array({"noise": N, "data": X, "v": a * N - s * X, "velocity": N - X}[self.prediction]))

# ---------------------------------------------------------------- 05.4 shift_t
def _sh(t, s):
    if s <= 0: raise ValueError(f"shift must be above 0, got {s}")
    return s * t / (1 + (s - 1) * t)

@W("05.4")
def s__inverse(t, shift):
    if shift <= 0: raise ValueError("shift")
    return _sh(t, 1 / shift)
@W("05.4")
def s__measured_from_noise(t, shift):
    if shift <= 0: raise ValueError("shift")
    return shift * t / (1 + (shift - 1) * (1 - t))
@W("05.4")
def s__no_s_above(t, shift):
    _sh(t, shift); return t / (1 + (shift - 1) * t)
@W("05.4")
def s__plus_instead_of_minus(t, shift):
    _sh(t, shift); return shift * t / (1 + (shift + 1) * t)
@W("05.4")
def s__missing_brackets(t, shift):
    _sh(t, shift); return shift * t / 1 + (shift - 1) * t
@W("05.4")
def s__power(t, shift):
    _sh(t, shift); return t ** (1 / shift)
@W("05.4")
def s__no_check(t, shift): return shift * t / (1 + (shift - 1) * t)
@W("05.4")
def s__zero_allowed(t, shift):
    if shift < 0: raise ValueError("shift")
    return shift * t / (1 + (shift - 1) * t)
@W("05.4")
def s__negative_allowed(t, shift):
    if shift == 0: raise ValueError("shift")
    return shift * t / (1 + (shift - 1) * t)
@W("05.4")
def s__below_1_refused(t, shift):
    if shift < 1: raise ValueError("shift")
    return _sh(t, shift)
@W("05.4")
def s__below_1_ignored(t, shift):
    if shift <= 0: raise ValueError("shift")
    return _sh(t, max(shift, 1))
@W("05.4")
def s__one_refused(t, shift):
    if shift == 1: raise ValueError("shift")
    return _sh(t, shift)
@W("05.4")
def s__assert(t, shift): assert shift > 0; return _sh(t, shift)
@W("05.4")
def s__exp_mu(t, shift):
    _sh(t, shift); return _sh(t, math.exp(shift))
@W("05.4")
def s__in_place(t, shift):
    d = 1 + (shift - 1) * t; _sh(t, shift); return t.mul_(shift).div_(d)
@W("05.4")
def s__input_overwritten(t, shift):
    out = _sh(t, shift); t.copy_(out); return out
@W("05.4")
def s__logit_eps(t, shift):
    _sh(t, shift); return torch.sigmoid(torch.logit(t, eps=1e-6) + math.log(shift))
@W("05.4")
def s__logit_eps_1e3(t, shift):
    _sh(t, shift); return torch.sigmoid(torch.logit(t, eps=1e-3) + math.log(shift))
@W("05.4")
def s__eps_in_denominator(t, shift):
    _sh(t, shift); return shift * t / (1 + (shift - 1) * t + 1e-3)
@W("05.4")
def s__clamped_away_from_ends(t, shift): return _sh(t, shift).clamp(1e-3, 1 - 1e-3)
@W("05.4")
def s__int_shift(t, shift):
    if shift <= 0: raise ValueError("shift")
    return _sh(t, max(1, int(shift)) if shift >= 1 else shift)
@W("05.4")
def s__only_1d(t, shift):
    _sh(t, shift); return torch.tensor([_sh(float(v), shift) for v in t])
@W("05.4")
def s__flattened(t, shift): return _sh(t, shift).flatten()
@W("05.4")
def s__list(t, shift): return [_sh(v, shift) for v in t.flatten().tolist()]
@W("05.4")
def s__sorted(t, shift): return _sh(t, shift).sort().values if t.ndim else _sh(t, shift)
@W("05.4")
def s__rescaled_by_max(t, shift):
    out = _sh(t, shift); return out / out.max().clamp(min=1e-6)
@W("05.4")
def s__float32(t, shift): return _sh(t.float(), shift)
@W("05.4")
def s__float32_and_back(t, shift): return _sh(t.float(), shift).to(t.dtype)
@W("05.4")
def s__half(t, shift): return _sh(t, shift).half().to(t.dtype)
@W("05.4")
def s__float64_returned(t, shift): return _sh(t.double(), shift)
@W("05.4")
def s__numpy(t, shift): return _sh(t, shift).numpy()
@W("05.4")
def s__linear_blend(t, shift):
    _sh(t, shift); return (shift * t).clamp(0, 1)
@W("05.4")
def s__identity_in_middle(t, shift): return torch.where((t == 0) | (t == 1), t, _sh(t, shift ** 0.5))
@W("05.4")
def s__nan_at_zero(t, shift):
    _sh(t, shift); return t * shift / t / (1 / t + shift - 1)
@W("05.4")
def s__nan_at_one(t, shift):
    _sh(t, shift); odds = shift * t / (1 - t); return odds / (1 + odds)
@W("05.4")
def s__error_for_t_outside_only(t, shift):
    if ((t <= 0) | (t >= 1)).any() or shift <= 0: raise ValueError("t must lie inside (0, 1)")
    return _sh(t, shift)
@W("05.4")
def s__log2(t, shift):
    _sh(t, shift); return _sh(t, 2 ** (shift - 1))
@W("05.4")
def s__tuned_for_3(t, shift):
    _sh(t, shift); return _sh(t, 3.0) if shift > 1 else _sh(t, shift)
@W("05.4")
def s__typeerror(t, shift):
    if shift <= 0: raise TypeError("shift")
    return _sh(t, shift)

@R("05.4")
def s__odds(t, shift):
    if not shift > 0: raise ValueError("shift")
    return 1 / (1 + (1 / t - 1) / shift)
@R("05.4")
def s__one_minus(t, shift):
    if not shift > 0: raise ValueError("shift")
    return 1 - (1 - t) / (1 + (shift - 1) * t)
@R("05.4")
def s__weights(t, shift):
    if shift <= 0: raise ValueError("shift")
    a = t * shift; return a / (a + (1 - t))
@R("05.4")
def s__logit(t, shift):
    if shift <= 0: raise ValueError("shift")
    return torch.sigmoid(torch.logit(t) + math.log(shift))
@R("05.4")
def s__loop(t, shift):
    if shift <= 0: raise ValueError("shift")
    return torch.tensor([shift * v / (1 + (shift - 1) * v) for v in t.flatten().tolist()], dtype=t.dtype).reshape(t.shape)
@R("05.4")
def s__numpy_double(t, shift):
    if shift <= 0: raise ValueError("shift")
    v = t.double().numpy(); return torch.from_numpy(np.asarray(shift * v / (1 + (shift - 1) * v))).to(t.dtype)

# ---------------------------------------------------------------- 05.5 cosine_alpha_bar
def _cos(steps, s=0.008, cap=0.999, power=2, dt=torch.float64):
    k = torch.arange(steps + 1, dtype=dt) / steps
    bar = torch.cos((k + s) / (1 + s) * math.pi / 2) ** power
    return (1 - (1 - bar[1:] / bar[:-1]).clamp(max=cap)).cumprod(0).float()

@W("05.5")
def c__with_step_0(steps): return torch.cat([torch.ones(1), _cos(steps)])
@W("05.5")
def c__off_by_one_start(steps): return torch.cat([torch.ones(1), _cos(steps)])[:-1]
@W("05.5")
def c__one_short(steps): return _cos(steps)[:-1]
@W("05.5")
def c__linspace_steps(steps):
    k = torch.linspace(0, 1, steps, dtype=torch.float64); f = torch.cos((k + .008) / 1.008 * math.pi / 2) ** 2; return (f / f[0]).float()
@W("05.5")
def c__no_cap(steps): return _cos(steps, cap=1e9)
@W("05.5")
def c__cap_on_alpha_bar(steps): return _cos(steps, cap=1e9).clamp(min=0.001)
@W("05.5")
def c__alpha_bar_clamped_tiny(steps): return _cos(steps, cap=1e9).clamp(min=1e-9)
@W("05.5")
def c__cap_0_9999(steps): return _cos(steps, cap=0.9999)
@W("05.5")
def c__cap_0_99(steps): return _cos(steps, cap=0.99)
@W("05.5")
def c__cap_0_02(steps): return _cos(steps, cap=0.02)
@W("05.5")
def c__not_squared(steps): return _cos(steps, power=1)
@W("05.5")
def c__no_offset(steps): return _cos(steps, s=0.0)
@W("05.5")
def c__offset_0_08(steps): return _cos(steps, s=0.08)
@W("05.5")
def c__offset_0_01(steps): return _cos(steps, s=0.01)
@W("05.5")
def c__offset_precedence(steps):
    k = torch.arange(steps + 1, dtype=torch.float64) / steps; bar = torch.cos((k + 0.008 / 1.008) * math.pi / 2) ** 2
    return (1 - (1 - bar[1:] / bar[:-1]).clamp(max=.999)).cumprod(0).float()
@W("05.5")
def c__not_normalised(steps):
    k = torch.arange(1, steps + 1, dtype=torch.float64) / steps; bar = torch.cos((k + .008) / 1.008 * math.pi / 2) ** 2
    prev = torch.cat([torch.ones(1, dtype=torch.float64), bar[:-1]]); return (1 - (1 - bar / prev).clamp(max=.999)).cumprod(0).float()
@W("05.5")
def c__betas(steps):
    a = _cos(steps, dt=torch.float64); return 1 - a / torch.cat([torch.ones(1), a[:-1]])
@W("05.5")
def c__alphas(steps):
    a = _cos(steps); return a / torch.cat([torch.ones(1), a[:-1]])
@W("05.5")
def c__sqrt(steps): return _cos(steps).sqrt()
@W("05.5")
def c__one_minus(steps): return 1 - _cos(steps)
@W("05.5")
def c__flipped(steps): return _cos(steps).flip(0)
@W("05.5")
def c__linear(steps): return (1 - torch.linspace(1e-4, .02, steps)).cumprod(0)
@W("05.5")
def c__thousand_steps_hard_coded(steps): return _cos(1000)[:steps]
@W("05.5")
def c__thousand_picked(steps): return _cos(1000)[torch.arange(1, steps + 1) * 1000 // steps - 1]
@W("05.5")
def c__half(steps): return _cos(steps).half()
@W("05.5")
def c__half_and_back(steps): return _cos(steps).half().float()
@W("05.5")
def c__numpy(steps): return _cos(steps).numpy()
@W("05.5")
def c__list(steps): return _cos(steps).tolist()
@W("05.5")
def c__columns(steps): return _cos(steps)[:, None]
@W("05.5")
def c__last_is_zero(steps):
    a = _cos(steps); a[-1] = 0; return a
@W("05.5")
def c__fails_for_one_step(steps):
    k = torch.linspace(0, 1, steps + 1, dtype=torch.float64); bar = torch.cos((k + .008) / 1.008 * math.pi / 2) ** 2
    if steps < 2: return bar[1:].float()
    return (1 - (1 - bar[1:] / bar[:-1]).clamp(max=.999)).cumprod(0).float()
@W("05.5")
def c__two_step_cap_missing(steps): return _cos(steps) if steps > 2 else _cos(steps, cap=1e9)
@W("05.5")
def c__degrees(steps):
    k = torch.arange(steps + 1, dtype=torch.float64) / steps; bar = torch.cos((k + .008) / 1.008 * math.pi / 180 * 45) ** 2
    return (1 - (1 - bar[1:] / bar[:-1]).clamp(max=.999)).cumprod(0).float()
@W("05.5")
def c__pi_3_14(steps):
    k = torch.arange(steps + 1, dtype=torch.float64) / steps; bar = torch.cos((k + .008) / 1.008 * 3.14 / 2) ** 2
    return (1 - (1 - bar[1:] / bar[:-1]).clamp(max=.999)).cumprod(0).float()
@W("05.5")
def c__capped_betas_min(steps): 
    k = torch.arange(steps + 1, dtype=torch.float64) / steps; bar = torch.cos((k + .008) / 1.008 * math.pi / 2) ** 2
    return (1 - (1 - bar[1:] / bar[:-1]).clamp(1e-4, .999)).cumprod(0).float()
@W("05.5")
def c__float16_math(steps): return _cos(steps, dt=torch.bfloat16)
_ccache = {}
@W("05.5")
def c__cached_forever(steps): return _ccache.setdefault("bar", _cos(steps))
_ccache2 = {}
@W("05.5")
def c__last_beta_not_capped_cumulated(steps):
    k = torch.arange(1, steps + 1, dtype=torch.float64) / steps; f = lambda u: torch.cos((u + .008) / 1.008 * math.pi / 2) ** 2
    a = (f(k) / f(torch.zeros(1, dtype=torch.float64))).float(); a[-1] = a[-1].clamp(min=1e-3); return a

@R("05.5")
def c__loop(steps):
    f = lambda k: math.cos((k / steps + .008) / 1.008 * math.pi / 2) ** 2
    out, bar = [], 1.0
    for k in range(1, steps + 1): bar *= 1 - min(1 - f(k) / f(k - 1), .999); out.append(bar)
    return torch.tensor(out)
@R("05.5")
def c__numpy(steps):
    f = np.cos((np.linspace(0, 1, steps + 1) + .008) / 1.008 * np.pi / 2) ** 2
    b = np.minimum(1 - f[1:] / f[:-1], .999); return torch.tensor(np.cumprod(1 - b), dtype=torch.float32)
@R("05.5")
def c__closed_form(steps):
    f = torch.cos((torch.arange(0, steps + 1).double() / steps + .008) / 1.008 * math.pi / 2) ** 2; a = f / f[0]
    out = a[1:].clone(); prev = 1.0 if steps == 1 else a[-2]
    out[-1] = max(float(a[-1]), 0.001 * float(prev)); return out.float()
@R("05.5")
def c__log_space(steps):
    x = (torch.linspace(0, 1, steps + 1, dtype=torch.float64) + .008) / 1.008 * math.pi / 2
    l = 2 * x.cos().clamp(min=1e-300).log(); return l.diff().clamp(min=math.log(.001)).cumsum(0).exp().float()
@R("05.5")
def c__recursive_diffusers_style(steps):
    def bar(u): return math.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2
    betas = torch.tensor([min(1 - bar((i + 1) / steps) / bar(i / steps), 0.999) for i in range(steps)], dtype=torch.float32)
    return torch.cumprod(1.0 - betas, dim=0)
@R("05.5")
def c__half_angle(steps):
    x = torch.arange(steps + 1, dtype=torch.float64).div(steps).add(.008).div(1.008).mul(math.pi); f = (1 + x.cos()) / 2
    ratio = (f[1:] / f[:-1]).clamp(min=.001); return torch.exp(torch.log(ratio).cumsum(0)).float()
