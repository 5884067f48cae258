"""Properties, comparisons and faults of sora_edu.dit."""
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from sora_edu.diffusion import RectifiedFlow
from sora_edu.dit import Attention, Block, DiT, level_features, modulate, rotary_angles, rotate
from sora_edu.patches import positions

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

def attention_and_input(dim=24, heads=2):
    return wake(Attention(dim, heads, 10)), noise(2, 18, dim), noise(2, 5, 10, seed=1), rotary_angles(positions((2, 3, 3)), dim // heads)


def test_attention_equals_torch():
    attention, x, text, angles = attention_and_input()
    q, k, v = attention.qkv(x).unflatten(-1, (3, 2, 12)).permute(2, 0, 3, 1, 4)
    text_k, text_v = attention.text_kv(text).unflatten(-1, (2, 2, 12)).permute(2, 0, 3, 1, 4)
    q, k = rotate(F.rms_norm(q, (12,), attention.q_norm.weight), angles), rotate(F.rms_norm(k, (12,), attention.k_norm.weight), angles)
    k = torch.cat([k, F.rms_norm(text_k, (12,), attention.k_norm.weight)], 2)
    out = F.scaled_dot_product_attention(q, k, torch.cat([v, text_v], 2))
    expected = attention.out(out.transpose(1, 2).flatten(2))
    assert torch.allclose(attention(x, text, angles), expected, atol=1e-5)


def test_attention_does_not_care_in_which_order_tokens_and_words_come():
    attention, x, text, angles = attention_and_input()
    order, words = torch.randperm(18, generator=torch.Generator().manual_seed(0)), torch.tensor([3, 1, 4, 0, 2])
    out = attention(x, text, angles)
    assert torch.allclose(attention(x[:, order], text[:, words], angles[order]), out[:, order], atol=1e-5)
    assert not torch.allclose(attention(x[:, order], text, angles), out[:, order], atol=1e-2)   # positions stayed behind


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

def numpy_block(block, x, text, modulation, places, heads):
    """The block line by line in numpy and float64: the slow, plain truth."""
    p = {name: value.detach().double().numpy() for name, value in block.named_parameters()}
    linear = lambda name, z: z @ p[f"{name}.weight"].T + p[f"{name}.bias"]
    layer_norm = lambda z: (z - z.mean(-1, keepdims=True)) / np.sqrt(z.var(-1, keepdims=True) + 1e-5)
    rms = lambda z, name: z / np.sqrt((z**2).mean(-1, keepdims=True) + np.finfo(np.float32).eps) * p[f"attention.{name}.weight"]
    x, text, modulation = (z.double().numpy() for z in (x, text, modulation))
    out = np.empty_like(x)
    for b in range(len(x)):
        shift1, scale1, gate1, shift2, scale2, gate2 = (modulation[b] + p["table"]).transpose(1, 0, 2)[:, :, None]
        f, n, d = x[b].shape
        y = (layer_norm(x[b]) * (1 + scale1) + shift1).reshape(f * n, d)
        qkv, words = linear("attention.qkv", y), linear("attention.text_kv", text[b])
        answers = []
        for h in range(heads):
            part = lambda z, i: z[:, i * d + h * d // heads:i * d + (h + 1) * d // heads]
            q = complex_rotation(rms(part(qkv, 0), "q_norm"), places)
            k = np.concatenate([complex_rotation(rms(part(qkv, 1), "k_norm"), places), rms(part(words, 0), "k_norm")])
            v = np.concatenate([part(qkv, 2), part(words, 1)])
            weights = np.exp(q @ k.T / math.sqrt(d // heads))
            answers.append(weights / weights.sum(1, keepdims=True) @ v)
        z = x[b] + gate1 * linear("attention.out", np.concatenate(answers, 1)).reshape(f, n, d)
        hidden = linear("up", layer_norm(z) * (1 + scale2) + shift2)
        out[b] = z + gate2 * linear("down", hidden * (1 + erf(hidden / math.sqrt(2))) / 2)
    return out


def test_block_equals_numpy_line_by_line():
    block, places = wake(Block(24, 2, 10, 4)), positions((3, 2, 2))
    x, text, modulation = noise(2, 3, 4, 24), noise(2, 5, 10, seed=1), noise(2, 3, 6, 24, seed=2)
    expected = numpy_block(block, x, text, modulation, places.numpy(), 2)
    assert np.abs(block(x, text, modulation, rotary_angles(places, 12)).detach().numpy() - expected).max() < 1e-5


def test_a_fresh_block_passes_its_input_on():
    x = noise(2, 3, 4, 24)
    out = Block(24, 2, 10, 4)(x, noise(2, 5, 10), torch.zeros(2, 3, 6, 24), rotary_angles(positions((3, 2, 2)), 12))
    assert torch.equal(out, x)


def test_modulate_by_hand():
    x = torch.tensor([1.0, 3.0]).reshape(1, 1, 1, 2)                    # normalised: -1, 1
    shift, scale = torch.tensor([10.0, 20.0]).reshape(1, 1, 1, 2), torch.tensor([1.0, 2.0]).reshape(1, 1, 1, 2)
    assert torch.allclose(modulate(x, shift, scale).flatten(), torch.tensor([8.0, 23.0]), atol=1e-3)


# The whole network

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


def test_gradient_reaches_every_parameter():
    model = wake(DiT(**SMALL))
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
])
def test_bad_input_is_refused_in_words(call, words):
    with pytest.raises(ValueError) as caught:
        call(DiT(**SMALL, patch_size=(1, 2, 2)))
    assert all(word in str(caught.value) for word in words), str(caught.value)
