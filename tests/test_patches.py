"""Properties, comparisons and faults of sora_edu.patches."""
import math
from dataclasses import replace
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from sora_edu.patches import attention_mask, first_fit, grid_size, pack, patchify, positions, unpack, unpatchify

small = st.integers(1, 3)
three = st.tuples(small, small, small)
quick = settings(max_examples=60, deadline=None)


def random_clip(size, channels=2, seed=0):
    return torch.randn(channels, *size, generator=torch.Generator().manual_seed(seed))


def scaled(grid, patch_size):
    return tuple(g * p for g, p in zip(grid, patch_size))


def loop_patchify(x, patch_size):
    "The plain loop that `patchify` must agree with."
    pf, ph, pw = patch_size
    f, h, w = grid_size(tuple(x.shape[2:]), patch_size)
    boxes = [x[:, :, i * pf:(i + 1) * pf, j * ph:(j + 1) * ph, k * pw:(k + 1) * pw]
             for i, j, k in product(range(f), range(h), range(w))]
    return torch.stack([box.flatten(1) for box in boxes], dim=1)


@st.composite
def clip_lists(draw):
    patch_size = draw(three)
    grids = draw(st.lists(three, min_size=1, max_size=8))
    clips = [random_clip(scaled(grid, patch_size), seed=i) for i, grid in enumerate(grids)]
    largest = max(math.prod(grid) for grid in grids)
    return clips, patch_size, draw(st.integers(largest, largest + 40))


# Patches

@quick
@given(grid=three, patch_size=three, batch=small, channels=small)
def test_patchify_equals_loop_and_comes_back(grid, patch_size, batch, channels):
    size = scaled(grid, patch_size)
    x = torch.randn(batch, channels, *size, generator=torch.Generator().manual_seed(0))
    tokens = patchify(x, patch_size)
    assert tokens.shape == (batch, math.prod(grid), channels * math.prod(patch_size))
    assert torch.equal(tokens, loop_patchify(x, patch_size))
    assert torch.equal(unpatchify(tokens, size, patch_size), x)


@quick
@given(grid=three, patch_size=three, channels=small)
def test_patchify_equals_strided_convolution_with_identity_kernel(grid, patch_size, channels):
    x = random_clip(scaled(grid, patch_size), channels)[None]
    d = channels * math.prod(patch_size)
    kernel = torch.eye(d).reshape(d, channels, *patch_size)
    by_conv = F.conv3d(x, kernel, stride=patch_size).flatten(2).transpose(1, 2)
    assert torch.allclose(patchify(x, patch_size), by_conv, atol=1e-6)


@quick
@given(grid=three, patch_size=three)
def test_positions_follow_the_order_of_patchify(grid, patch_size):
    "Write each place's own coordinates into a clip: the first value of every token must be its position."
    size = scaled(grid, patch_size)
    places = torch.stack(torch.meshgrid(*[torch.arange(s) for s in size], indexing="ij"))[None].float()
    corner = patchify(places, patch_size).reshape(math.prod(grid), 3, -1)[:, :, 0]
    assert torch.equal(positions(size, patch_size) * torch.tensor(patch_size), corner.long())
    assert positions(size).shape == (math.prod(size), 3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.uint8])
def test_every_dtype_comes_back(dtype):
    x = (torch.rand(1, 3, 2, 4, 6) * 200).to(dtype)
    assert torch.equal(unpatchify(patchify(x, (2, 2, 3)), (2, 4, 6), (2, 2, 3)), x)
    packed = pack([x[0], x[0, :, :1]], (1, 2, 3), 20)
    assert packed.tokens.dtype == dtype and torch.equal(unpack(packed)[0], x[0])


# Packing

@quick
@given(clip_lists())
def test_unpack_is_the_exact_inverse_of_pack(case):
    clips, patch_size, budget = case
    packed = pack(clips, patch_size, budget)
    back = unpack(packed)
    assert len(back) == len(clips) and all(torch.equal(a, b) for a, b in zip(clips, back))
    assert packed.tokens.shape[1] == budget
    assert packed.tokens.shape[:2] == packed.clip_id.shape == packed.positions.shape[:2]


@quick
@given(clip_lists())
def test_packed_holds_each_clip_once_side_by_side_with_its_positions(case):
    clips, patch_size, budget = case
    packed = pack(clips, patch_size, budget)
    for index, clip in enumerate(clips):
        row, place = (packed.clip_id == index).nonzero().T
        assert row.unique().numel() == 1                                   # never split over rows
        assert torch.equal(place, torch.arange(place[0], place[0] + len(place)))
        assert torch.equal(packed.positions[packed.clip_id == index], positions(tuple(clip.shape[1:]), patch_size))
    padding = packed.clip_id == -1
    assert not packed.tokens[padding].any() and not packed.positions[padding].any()
    assert (padding | (packed.clip_id >= 0)).all() and packed.clip_id.max() == len(clips) - 1


@quick
@given(st.lists(st.integers(1, 20), max_size=30), st.integers(20, 50))
def test_first_fit_is_complete_greedy_and_within_budget(lengths, budget):
    rows = first_fit(lengths, budget)
    assert sorted(i for row in rows for i in row) == list(range(len(lengths)))
    assert all(sum(lengths[i] for i in row) <= budget for row in rows)
    assert rows == first_fit(lengths, budget)
    for r, row in enumerate(rows):                                         # no earlier row had room
        for i in row:
            for earlier in rows[:r]:
                assert sum(lengths[j] for j in earlier if j < i) + lengths[i] > budget


def test_exactly_full_row_opens_no_second_one():
    packed = pack([random_clip((1, 2, 2)), random_clip((2, 2, 2))], (1, 1, 1), 12)
    assert packed.clip_id.tolist() == [[0] * 4 + [1] * 8]


def test_per_clip_values_reach_every_token_of_their_clip():
    clips = [random_clip(size) for size in [(2, 2, 2), (1, 4, 4), (3, 2, 2)]]
    packed = pack(clips, (1, 2, 2), 5)
    t = torch.tensor([0.1, 0.2, 0.3])
    filled = replace(packed, tokens=t[packed.clip_id][..., None].expand_as(packed.tokens))
    assert all((clip == level).all() for clip, level in zip(unpack(filled), t))


def test_gradient_passes_through_pack_and_unpack():
    clips = [random_clip(size).requires_grad_() for size in [(1, 2, 2), (2, 4, 2)]]
    sum((i + 1) * clip.sum() for i, clip in enumerate(unpack(pack(clips, (1, 2, 2), 6)))).backward()
    assert (clips[0].grad == 1).all() and (clips[1].grad == 2).all()


# Mask

@quick
@given(clip_lists())
def test_mask_is_block_diagonal(case):
    clip_id = pack(*case).clip_id
    mask = attention_mask(clip_id)
    assert mask.dtype == torch.bool
    assert torch.equal(mask, mask.transpose(1, 2)) and mask.diagonal(dim1=1, dim2=2).all()
    for row, ids in enumerate(clip_id.tolist()):
        assert mask[row].tolist() == [[a == b for b in ids] for a in ids]
    runs = [ids.unique_consecutive(return_counts=True)[1] for ids in clip_id]
    assert mask.sum().item() == sum((run**2).sum().item() for run in runs)


def attend(tokens, mask=None):
    "Self-attention with two heads and fixed weights."
    g = torch.Generator().manual_seed(1)
    q, k, v = (torch.randn(tokens.shape[-1], 16, generator=g, dtype=torch.double) for _ in range(3))
    heads = [(tokens @ w).unflatten(-1, (2, 8)).transpose(1, 2) for w in (q, k, v)]
    return F.scaled_dot_product_attention(*heads, attn_mask=None if mask is None else mask[:, None]).transpose(1, 2).flatten(2)


def test_packed_clips_get_what_they_get_alone_and_the_same_gradient():
    sizes, patch_size = [(2, 4, 4), (1, 6, 2), (3, 2, 4), (1, 2, 2)], (1, 2, 2)
    clips = [random_clip(size, seed=i).double().requires_grad_() for i, size in enumerate(sizes)]
    packed = pack(clips, patch_size, 13)
    out = attend(packed.tokens, attention_mask(packed.clip_id))
    assert out.isfinite().all()
    together = torch.autograd.grad(sum(out[packed.clip_id == i].square().mean() for i in range(4)), clips)
    for i, clip in enumerate(clips):
        alone = attend(patchify(clip[None], patch_size))[0]
        assert torch.allclose(out[packed.clip_id == i], alone, atol=1e-12)
        assert torch.allclose(together[i], torch.autograd.grad(alone.square().mean(), clip)[0], atol=1e-12)


def test_changing_one_clip_changes_no_other_and_without_mask_it_does():
    clips = [random_clip((2, 2, 2), seed=i).double() for i in range(3)]
    before, after = pack(clips, (1, 1, 1), 30), pack([clips[0], clips[1] + 5, clips[2]], (1, 1, 1), 30)
    others = before.clip_id != 1
    mask = attention_mask(before.clip_id)
    assert torch.equal(attend(before.tokens, mask)[others], attend(after.tokens, mask)[others])
    assert not torch.allclose(attend(before.tokens)[others], attend(after.tokens)[others])


# Faults: one clear error each

x5, x4 = torch.zeros(1, 3, 17, 30, 32), torch.zeros(3, 4, 8, 8)

@pytest.mark.parametrize("call, error, words", [
    (lambda: patchify(x5, (2, 2, 2)), ValueError, ["frames=17", "16 or 18"]),
    (lambda: patchify(x5, (1, 8, 8)), ValueError, ["height=30", "24 or 32"]),
    (lambda: patchify(x5, (1, 1, 64)), ValueError, ["width=32", "width=64"]),
    (lambda: patchify(x4, (1, 1, 1)), ValueError, ["b c f h w", "x[None]"]),
    (lambda: patchify([1.0], (1, 1, 1)), TypeError, ["x must be a torch tensor", "list"]),
    (lambda: patchify(x5, (1, 0, 1)), ValueError, ["patch_size", "positive"]),
    (lambda: patchify(x5, (2, 2)), ValueError, ["patch_size", "three"]),
    (lambda: patchify(x5, 2), ValueError, ["patch_size", "three", "got 2"]),
    (lambda: patchify(x5, (1, 2.0, 2)), ValueError, ["patch_size", "whole"]),
    (lambda: unpatchify(torch.zeros(1, 7, 12), (2, 4, 4), (1, 2, 2)), ValueError, ["n=7", "8 patches"]),
    (lambda: unpatchify(torch.zeros(1, 8, 13), (2, 4, 4), (1, 2, 2)), ValueError, ["d=13", "4 places"]),
    (lambda: unpatchify(torch.zeros(8, 12), (2, 4, 4), (1, 2, 2)), ValueError, ["tokens", "b n d"]),
    (lambda: unpatchify(torch.zeros(1, 8, 12), (2, 5, 4), (1, 2, 2)), ValueError, ["height=5", "4 or 6"]),
    (lambda: positions((2, 3, 4), (1, 2, 2)), ValueError, ["height=3", "2 or 4"]),
    (lambda: pack([], (1, 1, 1), 8), ValueError, ["empty"]),
    (lambda: pack([x4[:, :1], x4], (1, 2, 2), 32), ValueError, ["clip 1", "64 tokens", "budget of 32", "budget=64"]),
    (lambda: pack([x4, x4[:2]], (1, 2, 2), 64), ValueError, ["clips[1]", "2 channels"]),
    (lambda: pack([x4, x4.double()], (1, 2, 2), 64), ValueError, ["clips[1]", "float64"]),
    (lambda: pack([x4[None]], (1, 2, 2), 64), ValueError, ["clips[0]", "c f h w"]),
    (lambda: pack([x4, x4[..., :7]], (1, 2, 2), 64), ValueError, ["width=7", "6 or 8"]),
    (lambda: unpack(replace(pack([x4], (1, 2, 2), 64), tokens=torch.zeros(1, 60, 12))), ValueError, ["clip_id", "agree"]),
    (lambda: attention_mask(torch.zeros(4)), ValueError, ["clip_id", "b n"]),
])
def test_bad_input_is_refused_in_words(call, error, words):
    with pytest.raises(error) as caught:
        call()
    assert all(word in str(caught.value) for word in words), str(caught.value)
