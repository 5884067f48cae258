"""Properties, comparisons and faults of sora_edu.dit."""
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from sora_edu.diffusion import RectifiedFlow
from sora_edu.dit import LOOKS, Attention, Block, DiT, attend, level_features, modulate, packed_attention, packed_kernel, rotary_angles, rotate
from sora_edu.patches import attention_mask, pack, positions, unpack
from sora_edu.text import TextEncoder
from sora_edu.video import data_path

erf = np.vectorize(math.erf)
SMALL = dict(latent_channels=4, dim=24, depth=2, heads=2, text_dim=10)


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def wake(module, seed=0):
    """Give every parameter random values, so that nothing is hidden behind a zero."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(torch.randn(p.shape, generator=g) * (0.3 if p.ndim == 1 else p.shape[-1] ** -0.5))
    return module


def inputs(b=2, f=3, h=4, w=4, m=5):
    return noise(b, 4, f, h, w), torch.linspace(0.2, 0.9, b), noise(b, m, 10, seed=1)


# Rotary positions

def complex_rotation(x, places):
    """Rotary positions written with complex numbers, pair by pair, straight from the definition."""
    d = x.shape[-1]
    pairs, third = d // 2, d // 2 // 3
    out = np.empty(x.shape)
    for i in range(pairs):
        if i < pairs - 2 * third: axis, j, n = 0, i, pairs - 2 * third
        elif i < pairs - third: axis, j, n = 1, i - (pairs - 2 * third), third
        else: axis, j, n = 2, i - (pairs - third), third
        turned = (x[..., i] + 1j * x[..., i + pairs]) * np.exp(1j * places[:, axis] * 100.0 ** (-j / n))
        out[..., i], out[..., i + pairs] = turned.real, turned.imag
    return out


@pytest.mark.parametrize("dim", [6, 24, 50, 56])
def test_rotation_equals_complex_numbers(dim):
    places, x = positions((3, 4, 5)), noise(2, 3, 60, dim)
    expected = complex_rotation(x.double().numpy(), places.numpy())
    assert np.abs(rotate(x, rotary_angles(places, dim)).numpy() - expected).max() < 1e-5


@settings(max_examples=20, deadline=None)
@given(st.tuples(*[st.integers(0, 20)] * 3), st.integers(0, 1000))
def test_scores_depend_on_differences_of_positions_only(shift, seed):
    places, (q, k) = positions((2, 3, 3)), noise(2, 1, 1, 18, 24, seed=seed)
    score = [rotate(q, a) @ rotate(k, a).mT for a in (rotary_angles(p, 24) for p in (places, places + torch.tensor(shift)))]
    assert torch.allclose(*score, atol=1e-3)
    assert torch.allclose(rotate(q, rotary_angles(places, 24)).norm(dim=-1), q.norm(dim=-1), atol=1e-4)   # a turn keeps lengths


# Noise level

def test_level_features_equal_diffusers():
    embeddings = pytest.importorskip("diffusers.models.embeddings")
    t = torch.rand(50, generator=torch.Generator().manual_seed(0))
    theirs = embeddings.get_timestep_embedding(1000 * t, 256, flip_sin_to_cos=True, downscale_freq_shift=0)
    assert (level_features(t[None])[0] - theirs).abs().max() < 1e-5


def test_level_features_tell_near_levels_apart():
    features = level_features(torch.linspace(0, 1, 1001)[None], 64)[0]
    assert (torch.cdist(features, features) + 10 * torch.eye(1001)).min() > 0.1


# Attention

@settings(max_examples=20, deadline=None)
@given(st.tuples(*[st.integers(1, 6)] * 5), st.integers(0, 1000))
def test_attend_equals_torch(sizes, seed):
    b, n, m, d, e = sizes
    q, k, v = 3 * noise(b, n, d, seed=seed), noise(b, m, d, seed=seed + 1), noise(b, m, e, seed=seed + 2)
    assert torch.allclose(attend(q, k, v), F.scaled_dot_product_attention(q, k, v), atol=1e-5)


def test_attend_without_keys_answers_zero():
    assert torch.equal(attend(noise(2, 3, 4), noise(2, 0, 4), noise(2, 0, 5)), torch.zeros(2, 3, 5))


def attention_and_input(dim=24, heads=2, **options):
    return wake(Attention(dim, heads, 10, **options)), noise(2, 18, dim), noise(2, 5, 10, seed=1), rotary_angles(positions((2, 3, 3)), dim // heads)


@pytest.mark.parametrize("prompt", ["join", "cross"])
def test_attention_equals_torch(prompt):
    attention, x, text, angles = attention_and_input(prompt=prompt)
    q, k, v = attention.qkv(x).unflatten(-1, (3, 2, 12)).permute(2, 0, 3, 1, 4)
    text_k, text_v = attention.text_kv(text).unflatten(-1, (2, 2, 12)).permute(2, 0, 3, 1, 4)
    q, k = rotate(F.rms_norm(q, (12,), attention.q_norm.weight), angles), rotate(F.rms_norm(k, (12,), attention.k_norm.weight), angles)
    text_k = F.rms_norm(text_k, (12,), attention.k_norm.weight)
    if prompt == "cross": out = F.scaled_dot_product_attention(q, k, v) + F.scaled_dot_product_attention(q, text_k, text_v)
    else: out = F.scaled_dot_product_attention(q, torch.cat([k, text_k], 2), torch.cat([v, text_v], 2))
    expected = attention.out(out.transpose(1, 2).flatten(2))
    assert torch.allclose(attention(x, text, angles), expected, atol=1e-5)


def test_attention_does_not_care_in_which_order_tokens_and_words_come():
    attention, x, text, angles = attention_and_input()
    order, words = torch.randperm(18, generator=torch.Generator().manual_seed(0)), torch.tensor([3, 1, 4, 0, 2])
    out = attention(x, text, angles)
    assert torch.allclose(attention(x[:, order], text[:, words], angles[order]), out[:, order], atol=1e-5)
    assert not torch.allclose(attention(x[:, order], text, angles), out[:, order], atol=1e-2)   # positions stayed behind


def test_without_words_both_ways_to_read_a_prompt_are_one():
    attention, x, text, angles = attention_and_input()
    joined = attention(x, text[:, :0], angles)
    attention.prompt = "cross"
    assert torch.allclose(attention(x, text[:, :0], angles), joined, atol=1e-6)


@pytest.mark.parametrize("prompt", ["join", "cross"])
def test_groups_of_a_clip_read_its_prompt_and_not_each_other(prompt):
    attention, x, text, angles = attention_and_input(prompt=prompt)
    groups = x.reshape(6, 6, 24)                                        # three groups for each of two clips
    alone = torch.cat([attention(groups[i:i + 1], text[i // 3:i // 3 + 1], angles[:6]) for i in range(6)])
    assert torch.allclose(attention(groups, text, angles[:6]), alone, atol=1e-5)


def test_moving_all_positions_changes_nothing_between_patches():
    attention, x, text, angles = attention_and_input()
    moved = rotary_angles(positions((2, 3, 3)) + torch.tensor([2, 4, 1]), 12)
    assert torch.allclose(attention(x, text[:, :0], angles), attention(x, text[:, :0], moved), atol=1e-5)
    assert not torch.allclose(attention(x, text, angles), attention(x, text, moved), atol=1e-3)   # the prompt's keys are not turned


def test_scaling_queries_changes_nothing():
    attention, x, text, angles = attention_and_input()
    out = attention(x, text, angles)
    with torch.no_grad():
        attention.qkv.weight[:24] *= 50
        attention.qkv.bias[:24] *= 50
    assert torch.allclose(attention(x, text, angles), out, atol=1e-4)


# Block

def numpy_parameters(module): return {name: value.detach().double().numpy() for name, value in module.named_parameters()}
def layer_norm(z): return (z - z.mean(-1, keepdims=True)) / np.sqrt(z.var(-1, keepdims=True) + 1e-5)


def numpy_block(p, x, text, modulation, places, heads, look="all", prompt="join"):
    """The block line by line in numpy and float64: the slow, plain truth. `p` holds its parameters by name."""
    linear = lambda name, z: z @ p[f"{name}.weight"].T + p[f"{name}.bias"]
    rms = lambda z, name: z / np.sqrt((z**2).mean(-1, keepdims=True) + np.finfo(np.float32).eps) * p[f"attention.{name}.weight"]
    softmax = lambda scores: np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    known, same = dict(all=([0, 1, 2], []), space=([1, 2], [0]), time=([0], [1, 2]))[look]      # axes a block knows; axes on which those it sees are equal
    sees = (places[:, None, same] == places[None, :, same]).all(-1)
    places = places * np.isin(np.arange(3), known)
    out = np.empty_like(x)
    for b in range(len(x)):
        shift1, scale1, gate1, shift2, scale2, gate2 = (modulation[b] + p["table"]).transpose(1, 0, 2)[:, :, None]
        f, n, d = x[b].shape
        y = (layer_norm(x[b]) * (1 + scale1) + shift1).reshape(f * n, d)
        qkv, words = linear("attention.qkv", y), linear("attention.text_kv", text[b])
        answers = []
        for h in range(heads):
            part = lambda z, i: z[:, i * d + h * d // heads:i * d + (h + 1) * d // heads]
            q, k = (complex_rotation(rms(part(qkv, i), name), places) for i, name in ((0, "q_norm"), (1, "k_norm")))
            scores = np.where(sees, q @ k.T / math.sqrt(d // heads), -np.inf)
            to_words = q @ rms(part(words, 0), "k_norm").T / math.sqrt(d // heads)
            if prompt == "cross": answers.append(softmax(scores) @ part(qkv, 2) + softmax(to_words) @ part(words, 1))
            else: answers.append(softmax(np.concatenate([scores, to_words], 1)) @ np.concatenate([part(qkv, 2), part(words, 1)]))
        z = x[b] + gate1 * linear("attention.out", np.concatenate(answers, 1)).reshape(f, n, d)
        hidden = linear("up", layer_norm(z) * (1 + scale2) + shift2)
        out[b] = z + gate2 * linear("down", hidden * (1 + erf(hidden / math.sqrt(2))) / 2)
    return out


@pytest.mark.parametrize("prompt", ["join", "cross"])
@pytest.mark.parametrize("look", ["all", "space", "time"])
def test_block_equals_numpy_line_by_line(look, prompt):
    block, places = wake(Block(24, 2, 10, 4, look, prompt)), positions((3, 2, 2))
    x, text, modulation = noise(2, 3, 4, 24), noise(2, 5, 10, seed=1), noise(2, 3, 6, 24, seed=2)
    expected = numpy_block(numpy_parameters(block), *(z.double().numpy() for z in (x, text, modulation)), places.numpy(), 2, look, prompt)
    assert np.abs(block(x, text, modulation, rotary_angles(places, 12)).detach().numpy() - expected).max() < 1e-5


def test_block_equals_that_of_diffusers():
    """PixArt's block with the same weights: no words, all tokens at one place, QK-norm put in."""
    attention = pytest.importorskip("diffusers.models.attention")
    block = wake(Block(24, 2, 10, 4)).requires_grad_(False)
    theirs = attention.BasicTransformerBlock(24, 2, 12, norm_type="ada_norm_single", norm_elementwise_affine=False, norm_eps=1e-5, activation_fn="gelu", attention_bias=True)
    theirs.attn1.norm_q, theirs.attn1.norm_k = block.attention.q_norm, block.attention.k_norm
    q, k, v = zip(block.attention.qkv.weight.chunk(3), block.attention.qkv.bias.chunk(3))
    layers = dict(to_q=q, to_k=k, to_v=v)
    for name, (weight, bias) in layers.items(): getattr(theirs.attn1, name).load_state_dict(dict(weight=weight, bias=bias))
    theirs.attn1.to_out[0].load_state_dict(block.attention.out.state_dict())
    theirs.ff.net[0].proj.load_state_dict(block.up.state_dict()), theirs.ff.net[2].load_state_dict(block.down.state_dict())
    theirs.scale_shift_table.data = block.table.data
    x, modulation = noise(2, 1, 9, 24), noise(2, 1, 6, 24, seed=2)
    ours = block(x, noise(2, 0, 10), modulation, torch.zeros(9, 6))
    with torch.no_grad(): expected = theirs(x[:, 0], timestep=modulation.flatten(1))
    assert (ours[:, 0] - expected).abs().max() < 1e-5


def test_a_fresh_block_passes_its_input_on():
    x = noise(2, 3, 4, 24)
    out = Block(24, 2, 10, 4)(x, noise(2, 5, 10), torch.zeros(2, 3, 6, 24), rotary_angles(positions((3, 2, 2)), 12))
    assert torch.equal(out, x)


def test_modulate_by_hand():
    x = torch.tensor([1.0, 3.0]).reshape(1, 1, 1, 2)                    # normalised: -1, 1
    shift, scale = torch.tensor([10.0, 20.0]).reshape(1, 1, 1, 2), torch.tensor([1.0, 2.0]).reshape(1, 1, 1, 2)
    assert torch.allclose(modulate(x, shift, scale).flatten(), torch.tensor([8.0, 23.0]), atol=1e-3)


# The whole network

def numpy_dit(model, x, t, text):
    """The whole network line by line in numpy and float64, for patches of one place and a level for each frame."""
    p, (b, _, f, h, w) = numpy_parameters(model), x.shape
    linear = lambda name, z: z @ p[f"{name}.weight"].T + p[f"{name}.bias"]
    silu = lambda z: z / (1 + np.exp(-z))
    places = np.array([(i, j, k) for i in range(f) for j in range(h) for k in range(w)])
    angles = np.concatenate([places[:, [axis]] * 100.0 ** (-np.arange(16) / 16) for axis in range(3)], 1)
    tokens = linear("enter", x.transpose(0, 2, 3, 4, 1).reshape(b, f, h * w, -1))
    tokens = tokens + linear("place", np.concatenate([np.cos(angles), np.sin(angles)], 1)).reshape(f, h * w, -1)
    waves = 1000 * t[..., None] * np.exp(-math.log(10_000) * np.arange(128) / 128)
    level = linear("level.2", silu(linear("level.0", np.concatenate([np.cos(waves), np.sin(waves)], -1))))
    text = layer_norm(text) * p["text_norm.weight"] + p["text_norm.bias"]
    condition = silu(level + linear("summary", text[:, :1]))
    modulation = linear("modulation", condition).reshape(b, f, 6, -1)
    for i, block in enumerate(model.blocks):
        ours = {name.removeprefix(f"blocks.{i}."): value for name, value in p.items() if name.startswith(f"blocks.{i}.")}
        tokens = numpy_block(ours, tokens, text, modulation, places, block.attention.heads, block.look, block.attention.prompt)
    shift, scale = np.split(linear("last_modulation", condition)[:, :, None], 2, -1)
    out = linear("leave", layer_norm(tokens) * (1 + scale) + shift)
    return out.reshape(b, f, h, w, -1).transpose(0, 4, 1, 2, 3)


def shipped(**options):
    """The shipped weights, in a network with these options, and what it reads: a latent, levels and words."""
    model, other = DiT.from_pretrained(data_path("weights/nano/dit")), DiT(**options)
    other.load_state_dict(model.state_dict(), strict=True)
    text = TextEncoder.from_pretrained(data_path("weights/nano/text"))(["a red circle moves right", "two blue squares"]).detach()
    return other.requires_grad_(False), noise(2, 64, 5, 4, 4), torch.linspace(0, 1, 10).reshape(2, 5), text


@pytest.mark.parametrize("options", [dict(), dict(attention="factorised"), dict(prompt="cross")], ids=str)
def test_the_shipped_weights_give_what_numpy_gives_line_by_line(options):
    model, *given = shipped(**options)
    expected = numpy_dit(model, *(z.double().numpy() for z in given))
    assert np.abs(model(*given).numpy() - expected).max() <= 1e-5 * np.abs(expected).max()


def test_the_switches_change_no_parameter_and_the_default_is_what_was_trained():
    sizes = {name: p.shape for name, p in DiT(**SMALL).named_parameters()}
    for options in (dict(attention="factorised"), dict(prompt="cross")):
        assert {name: p.shape for name, p in DiT(**SMALL, **options).named_parameters()} == sizes
    model, *given = shipped()
    assert torch.equal(model(*given), DiT.from_pretrained(data_path("weights/nano/dit")).requires_grad_(False)(*given))
    assert [block.look for block in model.blocks] == ["all"] * 4 and model.blocks[0].attention.prompt == "join"
    assert [block.look for block in DiT(**SMALL | dict(depth=3), attention="factorised").blocks] == ["space", "time", "space"] and set(LOOKS) == {"full", "factorised"}


@pytest.mark.parametrize("depth, frames", [(1, {1}), (2, {0, 1, 2})])
def test_in_factorised_attention_a_frame_reaches_others_through_time_only(depth, frames):
    model, (x, t, text) = wake(DiT(**SMALL | dict(depth=depth), attention="factorised")), inputs(b=1)
    other = x.clone()
    other[:, :, 1] += noise(4, 4, 4, seed=7)
    moved = (model(other, t, text) - model(x, t, text)).abs().amax((0, 1, 3, 4)) > 1e-6
    assert set(moved.nonzero().flatten().tolist()) == frames


@settings(max_examples=15, deadline=None)
@given(b=st.integers(1, 2), f=st.integers(1, 3), h=st.integers(1, 3), w=st.integers(1, 3), m=st.integers(1, 4),
       patch=st.sampled_from([(1, 2, 2), (1, 1, 1), (2, 1, 2)]))
def test_output_has_the_shape_of_the_input_and_starts_at_zero(b, f, h, w, m, patch):
    x = noise(b, 4, f * patch[0], h * patch[1], w * patch[2])
    t, text = torch.rand(b, f * patch[0]), noise(b, m, 10)
    fresh = DiT(**SMALL, patch_size=patch)
    assert torch.equal(fresh(x, t, text), torch.zeros_like(x))
    out = wake(fresh)(x, t, text)
    assert out.shape == x.shape and out.isfinite().all() and out.std() > 0


@pytest.mark.parametrize("options", [dict(), dict(attention="factorised"), dict(prompt="cross")], ids=str)
def test_gradient_reaches_every_parameter(options):
    model = wake(DiT(**SMALL, **options))
    x, t, text = inputs()
    model(x, t, text).square().mean().backward()
    silent = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert silent == []


def test_from_zero_every_parameter_moves_within_a_few_steps():
    torch.manual_seed(0)
    model, (x, t, text) = DiT(**SMALL), inputs()
    start = {name: p.clone() for name, p in model.named_parameters()}
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0)
    for _ in range(4):
        loss = F.mse_loss(model(x, t, text), noise(*x.shape, seed=5))
        optimiser.zero_grad(), loss.backward(), optimiser.step()
    assert [name for name, p in model.named_parameters() if torch.equal(p, start[name])] == []


def test_clips_of_a_batch_do_not_meet():
    model, (x, t, text) = wake(DiT(**SMALL)), inputs(b=3)
    alone = torch.cat([model(x[i:i + 1], t[i:i + 1], text[i:i + 1]) for i in range(3)])
    assert torch.allclose(model(x, t, text), alone, atol=1e-4)


def test_one_level_equals_the_same_level_for_every_frame():
    model, (x, t, text) = wake(DiT(**SMALL)), inputs()
    assert torch.equal(model(x, t, text), model(x, t[:, None].expand(-1, 3), text))


def test_the_level_of_one_frame_moves_every_frame_and_its_own_most():
    torch.manual_seed(0)
    model, (x, _, text) = DiT(**SMALL), inputs(b=1)
    for layer in (model.modulation, model.last_modulation, model.leave):
        torch.nn.init.normal_(layer.weight, std=0.05)
    levels = torch.full((1, 3), 0.5)
    for f in range(3):
        other = levels.clone()
        other[0, f] = 0.9
        moved = (model(x, other, text) - model(x, levels, text)).abs().mean((0, 1, 3, 4))
        assert (moved > 0).all() and moved.argmax() == f


def test_text_and_its_summary_change_the_output():
    model, (x, t, text) = wake(DiT(**SMALL)), inputs()
    out = model(x, t, text)
    for place in (0, 3):
        other = text.clone()
        other[:, place] += noise(10, seed=9)
        assert not torch.allclose(model(x, t, other), out, atol=1e-4)
    assert torch.allclose(model(x, t, text[:, [0, 4, 3, 2, 1]]), out, atol=1e-4)   # after the first, order is the encoder's business


def test_the_network_sees_order_in_time_and_space():
    model, (x, t, text) = wake(DiT(**SMALL)), inputs()
    out = model(x, t, text)
    for axis in (2, 3, 4):
        assert not torch.allclose(model(x.flip(axis), t, text).flip(axis), out, atol=1e-3)


def test_a_few_steps_learn_one_latent():
    torch.manual_seed(0)
    model, process = DiT(**SMALL, patch_size=(1, 2, 2)), RectifiedFlow(prediction="data")
    x, text = noise(1, 4, 3, 4, 4).expand(8, -1, -1, -1, -1), noise(1, 5, 10).expand(8, -1, -1)
    optimiser, losses = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0), []
    for _ in range(150):
        loss = process.loss(model, x, text=text)
        optimiser.zero_grad(), loss.backward(), optimiser.step()
        losses.append(loss.item())
    assert np.mean(losses[-15:]) < 0.1 * np.mean(losses[:15])


def test_save_and_load_give_the_same_network(tmp_path):
    model, (x, t, text) = wake(DiT(**SMALL, patch_size=(1, 1, 2))), inputs()
    model.save_pretrained(tmp_path)
    back = DiT.from_pretrained(tmp_path)
    assert back.patch_size == (1, 1, 2) and isinstance(back.patch_size, tuple)
    assert torch.equal(back(x, t, text), model(x, t, text))


X, T, TEXT = inputs()

@pytest.mark.parametrize("call, words", [
    (lambda m: m(X[0], T, TEXT), ["x", "(b, 4, f, h, w)", "(4, 3, 4, 4)"]),
    (lambda m: m(X[:, :3], T, TEXT), ["x", "(b, 4, f, h, w)", "(2, 3, 3, 4, 4)"]),
    (lambda m: m(X[..., :3], T, TEXT), ["width=3", "2 or 4"]),
    (lambda m: m(X, T[:1], TEXT), ["t", "(2,) or (2, 3)", "(1,)"]),
    (lambda m: m(X, torch.rand(2, 4), TEXT), ["t", "(2,) or (2, 3)", "(2, 4)"]),
    (lambda m: m(X, torch.tensor(0.5), TEXT), ["t", "(2,) or (2, 3)", "()"]),
    (lambda m: m(X, T, TEXT[:1]), ["text", "(2, tokens, 10)", "(1, 5, 10)"]),
    (lambda m: m(X, T, TEXT[..., :9]), ["text", "(2, tokens, 10)", "(2, 5, 9)"]),
    (lambda m: m(X, T, TEXT[0]), ["text", "(2, tokens, 10)", "(5, 10)"]),
    (lambda m: DiT(dim=30, heads=4), ["dim", "multiple of 2 * heads = 8", "got 30"]),
    (lambda m: DiT(attention="space"), ["attention", "full or factorised", "'space'"]),
    (lambda m: DiT(prompt="joint"), ["prompt", "join or cross", "'joint'"]),
])
def test_bad_input_is_refused_in_words(call, words):
    with pytest.raises(ValueError) as caught:
        call(DiT(**SMALL, patch_size=(1, 2, 2)))
    assert all(word in str(caught.value) for word in words), str(caught.value)


# Packed clips

sizes = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4))
TOKENS = 40                        # the budget of a row; a clip above has at most 36


def packed_inputs(shapes, patch=(1, 1, 1)):
    clips = [noise(4, *(n * p for n, p in zip(shape, patch)), seed=i) for i, shape in enumerate(shapes)]
    return clips, torch.linspace(.1, .9, len(clips)), noise(len(clips), 5, 10, seed=1)


@settings(max_examples=25, deadline=None)
@given(shapes=st.lists(sizes, min_size=1, max_size=7), patch=st.sampled_from([(1, 1, 1), (1, 2, 2), (2, 2, 1)]))
def test_packed_clips_get_the_answers_they_get_alone(shapes, patch):
    model, (clips, t, text) = wake(DiT(**SMALL, patch_size=patch)), packed_inputs(shapes, patch)
    answers = unpack(model.forward_packed(pack(clips, patch, TOKENS), t, text))
    for i, (clip, answer) in enumerate(zip(clips, answers, strict=True)):
        assert torch.allclose(answer, model(clip[None], t[i:i + 1], text[i:i + 1])[0], atol=1e-5)


def test_packed_clips_give_the_gradients_they_give_alone():
    shapes = [(1, 3, 3), (3, 2, 4), (2, 3, 2), (3, 3, 4), (1, 1, 1), (3, 2, 4)]
    model, (clips, t, text) = wake(DiT(**SMALL)), packed_inputs(shapes)
    gradients = []
    for answers in (unpack(model.forward_packed(pack(clips, (1, 1, 1), TOKENS), t, text)), [model(clip[None], t[i:i + 1], text[i:i + 1])[0] for i, clip in enumerate(clips)]):
        model.zero_grad()
        sum(answer.square().mean() for answer in answers).backward()
        gradients.append({name: p.grad.clone() for name, p in model.named_parameters()})
    for name, gradient in gradients[0].items(): assert (gradient - gradients[1][name]).abs().max() <= 1e-5 * max(1, gradient.abs().max()), name


def test_nothing_leaks_from_one_packed_clip_to_another():
    model, (clips, t, text) = wake(DiT(**SMALL)), packed_inputs([(1, 3, 3), (3, 2, 4), (2, 3, 2), (3, 2, 4)])
    answer = lambda clips, t, text: unpack(model.forward_packed(pack(clips, (1, 1, 1), TOKENS), t, text))
    before = answer(clips, t, text)
    for i in range(4):
        other_t, other_text = t.clone(), text.clone()
        other_t[i], other_text[i] = .5, noise(5, 10, seed=9)
        after = answer([clip + noise(*clip.shape, seed=9) * (j == i) for j, clip in enumerate(clips)], other_t, other_text)
        assert [torch.equal(a, b) for a, b in zip(before, after)] == [j != i for j in range(4)]


def test_a_block_diagonal_mask_gives_the_same_as_packed_attention():
    packed = pack(packed_inputs([(1, 3, 3), (3, 2, 4), (2, 3, 2)])[0], (1, 1, 1), TOKENS)
    q, k, v = noise(3, *packed.clip_id.shape, 2, 8)
    words_k, words_v = noise(2, 3, 2, 5, 8, seed=1)
    clips, lengths = packed.clip_id.unique_consecutive(return_counts=True)
    ours = packed_attention(q, k, v, words_k, words_v, list(zip(clips.tolist(), lengths.tolist())))
    for row, ids in enumerate(packed.clip_id):
        real = ids >= 0
        mask = torch.cat([attention_mask(ids[None])[0], ids[:, None] == torch.arange(3).repeat_interleave(5)], 1)
        join = lambda tokens, words: torch.cat([tokens[row].transpose(0, 1), words.transpose(0, 1).flatten(1, 2)], 1)
        theirs = F.scaled_dot_product_attention(q[row].transpose(0, 1), join(k, words_k), join(v, words_v), attn_mask=mask)
        assert torch.allclose(ours[row, real], theirs.transpose(0, 1).flatten(1)[real], atol=1e-5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="the kernel for packed clips needs a GPU")
def test_one_kernel_on_a_gpu_gives_the_same_as_group_by_group():
    q, k, v = noise(3, 2, 64, 4, 32).cuda().bfloat16().requires_grad_()
    words = noise(2, 5, 4, 16, 32, seed=1).cuda().bfloat16()
    stretches = [(0, 24), (1, 24), (2, 16), (3, 40), (-1, 24)]
    one, groups = packed_kernel(q, k, v, *words, stretches), packed_attention(q.float(), k.float(), v.float(), *words.float(), stretches)
    assert torch.allclose(one.float()[:1], groups[:1], atol=.03) and torch.allclose(one.float()[1, :40], groups[1, :40], atol=.03)


def test_the_kernels_books_are_right_where_there_is_no_gpu(monkeypatch):
    """Sequences, and where each ends, as `packed_kernel` hands them over: answered here one by one."""
    def varlen_attn(q, k, v, ends_q, ends_k, longest_q, longest_k):
        assert (longest_q, longest_k) == (ends_q.diff().max(), ends_k.diff().max())
        parts = [[each[a:b].transpose(0, 1) for each, (a, b) in zip((q, k, v), (at, seen, seen))]
                 for at, seen in zip(zip(ends_q, ends_q[1:]), zip(ends_k, ends_k[1:]))]
        return torch.cat([attend(*each).transpose(0, 1) for each in parts])
    monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", varlen_attn)
    q, k, v = noise(3, 2, 20, 4, 8)
    words, stretches = noise(2, 5, 4, 6, 8, seed=1), [(0, 4), (1, 4), (2, 10), (-1, 2), (3, 10), (4, 10)]
    one, groups = packed_kernel(q, k, v, *words, stretches), packed_attention(q, k, v, *words, stretches)
    assert torch.allclose(one[0, :18], groups[0, :18], atol=1e-6) and torch.allclose(one[1], groups[1], atol=1e-6)


@pytest.mark.parametrize("change, says", [
    (dict(t=torch.rand(2)), "t: expected one level for each of 3 clips"), (dict(text=torch.rand(3, 5, 9)), "text: expected"),
    (dict(text=torch.rand(2, 5, 10)), "text: expected"), (dict(patch=(1, 2, 1)), "packed: expected patches")], ids=str)
def test_packed_clips_that_do_not_fit_are_refused(change, says):
    clips, t, text = packed_inputs([(1, 2, 2), (2, 2, 2), (1, 2, 2)])
    packed = pack(clips, change.get("patch", (1, 1, 1)), TOKENS)
    with pytest.raises(ValueError, match=says): DiT(**SMALL).forward_packed(packed, change.get("t", t), change.get("text", text))


@pytest.mark.parametrize("options", [dict(attention="factorised"), dict(prompt="cross")], ids=str)
def test_only_full_attention_with_a_joined_prompt_reads_packed_clips(options):
    clips, t, text = packed_inputs([(1, 2, 2)])
    with pytest.raises(ValueError, match="packed: only attention='full' with prompt='join'"): DiT(**SMALL, **options).forward_packed(pack(clips, (1, 1, 1), 8), t, text)


def test_condition_channels_are_read_and_not_answered():
    model, (x, t, text) = wake(DiT(**SMALL, condition_channels=3)), inputs()
    condition = noise(2, 3, 3, 4, 4, seed=5)
    out = model(torch.cat([x, condition], 1), t, text)
    assert out.shape == x.shape and not torch.allclose(out, model(torch.cat([x, condition + 1], 1), t, text))
    with pytest.raises(ValueError, match=r"x: expected \(b, 7, f, h, w\)"): model(x, t, text)
