"""Properties, comparisons and faults of sora_edu.vae."""
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from einops import rearrange
from hypothesis import given, settings
from hypothesis import strategies as st

from sora_edu.vae import CausalConv, VideoVAE, channel_scale, first_alone, noise_kl, psnr
from sora_edu.world import World

RATIO = (4, 8, 8)


@pytest.fixture(scope="module")
def clips():
    world = World(size=(9, 16, 16))
    return torch.stack([world[i][0] for i in range(24)])


def small(seed=0, awake=True, **kw):
    """A small autoencoder; awake: every parameter random, so that the correction and its convolutions speak."""
    torch.manual_seed(seed)
    vae = VideoVAE(**dict(latent_channels=6, dim=16, hidden=24, wide=24, conv_width=4) | kw).eval().requires_grad_(False)
    if awake:
        for p in vae.parameters():
            p.copy_(torch.randn(p.shape) * (0.3 if p.ndim == 1 else p.shape[1] ** -0.5))
    return vae


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


# Sizes

@settings(max_examples=20, deadline=None)
@given(batch=st.integers(1, 2), grid=st.tuples(*[st.integers(1, 3)] * 3), channels=st.sampled_from([1, 3]),
       ratio=st.sampled_from([RATIO, (2, 4, 4), (1, 8, 4), (4, 2, 8)]))
def test_shapes_for_random_sizes(batch, grid, channels, ratio):
    f, h, w = grid
    vae = small(channels=channels, ratio=ratio)
    video = noise(batch, channels, 1 + (f - 1) * ratio[0], h * ratio[1], w * ratio[2])
    latent = vae.encode(video)
    assert latent.shape == (batch, 6, *grid) and vae.latent_size(tuple(video.shape[2:])) == grid
    assert vae.decode(latent).shape == video.shape
    assert latent.isfinite().all()


def test_clips_of_a_batch_do_not_meet():
    vae, video = small(), noise(3, 3, 9, 16, 16)
    alone = torch.cat([vae.encode(clip[None]) for clip in video])
    assert torch.allclose(vae.encode(video), alone, atol=1e-5)
    assert torch.allclose(vae.decode(alone), torch.cat([vae.decode(z[None]) for z in alone]), atol=1e-5)


# Causality

@pytest.mark.parametrize("f", range(17))
def test_a_changed_frame_moves_its_own_latent_and_none_before(f):
    vae, video = small(), noise(1, 3, 17, 16, 16)
    changed = video.clone()
    changed[:, :, f] += 1
    moved = (vae.encode(changed) != vae.encode(video)).flatten(3).any(-1)[0].any(0)
    own = (f + 3) // 4
    assert moved.tolist() == [own <= g <= own + 1 for g in range(5)]


@pytest.mark.parametrize("g", range(5))
def test_a_changed_latent_frame_moves_no_earlier_frame(g):
    vae, latent = small(), noise(1, 6, 5, 2, 2)
    changed = latent.clone()
    changed[:, :, g] += 1
    moved = (vae.decode(changed) != vae.decode(latent)).any(dim=(0, 1, 3, 4))
    first, last = max(0, 4 * g - 3), min(17, 4 * g + 5)
    assert moved.tolist() == [first <= f < last for f in range(17)]


def test_an_image_is_a_clip_of_one_frame():
    vae, video = small(), noise(1, 3, 17, 16, 24)
    latent = vae.encode(video)
    image = vae.encode(video[:, :, :1])
    assert image.shape[2] == 1 and torch.allclose(image, latent[:, :, :1], atol=1e-5)
    assert torch.allclose(vae.decode(image), vae.decode(latent)[:, :, :1], atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(k=st.integers(0, 3), r=st.integers(1, 5))
def test_the_first_frame_fills_a_group_and_the_rest_follow(k, r):
    video = torch.arange(1.0 + k * r).reshape(1, 1, -1, 1, 1)
    assert first_alone(video, r).flatten().tolist() == [0] * r + list(range(1, 1 + k * r))


def test_every_beginning_of_a_clip_has_the_beginning_of_the_latent():
    vae, video = small(), noise(1, 3, 17, 16, 16)
    whole = vae.encode(video)
    for k in range(5):
        assert torch.allclose(vae.encode(video[:, :, :4 * k + 1]), whole[:, :, :k + 1], atol=1e-5)


def test_causal_conv_equals_conv3d_padded_in_the_past():
    torch.manual_seed(0)
    conv, x = CausalConv(12, 5), noise(2, 4, 5, 6, 12)
    assert torch.equal(conv(x), x + conv.mix.bias)                     # zero weights: the input passes
    torch.nn.init.normal_(conv.mix.weight)
    narrow = rearrange(F.gelu(conv.narrow(conv.norm(x))), "b f h w d -> b d f h w")
    kernel = rearrange(conv.mix.weight, "o (f h w i) -> o i f h w", f=2, h=3, w=3)
    plain = F.conv3d(F.pad(narrow, (1, 1, 1, 1, 1, 0)), kernel, conv.mix.bias)
    assert torch.allclose(conv(x), x + rearrange(plain, "b d f h w -> b f h w d"), atol=1e-5)


# Pieces of a long clip

def encode_pieces(vae, video, k, early):
    """k latent frames at a time; each piece starts `early` latent frames early, and loses as many."""
    r = vae.ratio[0]
    pieces = [vae.encode(video[:, :, :r * k + 1])]
    for j in range(k + 1, vae.latent_size(tuple(video.shape[2:]))[0], k):
        pieces.append(vae.encode(video[:, :, r * (j - early):r * (j + k - 1) + 1])[:, :, early:])
    return torch.cat(pieces, 2)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_encoding_in_pieces_equals_the_whole_with_two_latent_frames_of_overlap(k):
    vae, video = small(), noise(1, 3, 49, 16, 16)
    whole = vae.encode(video)
    assert torch.allclose(encode_pieces(vae, video, k, early=2), whole, atol=1e-5)
    assert not torch.allclose(encode_pieces(vae, video, k, early=1), whole, atol=1e-2)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_decoding_in_pieces_equals_the_whole_with_one_latent_frame_of_overlap(k):
    vae, latent = small(), noise(1, 6, 11, 2, 2)
    pieces = [vae.decode(latent[:, :, :k + 1])]
    pieces += [vae.decode(latent[:, :, j - 1:j + k])[:, :, 1:] for j in range(k + 1, 11, k)]
    assert torch.allclose(torch.cat(pieces, 2), vae.decode(latent), atol=1e-5)


# The linear start, normalisation, loss

def test_start_equals_principal_components_by_numpy(clips):
    vae = small(awake=False, latent_channels=10)
    vae.start_from(clips)
    first = clips[:, :, :1].repeat(1, 1, 3, 1, 1)
    patches = rearrange(torch.cat([first, clips], 2).double().numpy(), "b c (f i) (h j) (w k) -> (b f h w) (c i j k)", i=4, j=8, k=8)
    mean = patches.mean(0)
    u, s, vt = np.linalg.svd(patches - mean, full_matrices=False)
    rebuilt = (u[:, :10] * s[:10]) @ vt[:10] + mean
    rebuilt = rearrange(rebuilt, "(b f h w) (c i j k) -> b c (f i) (h j) (w k)", b=len(clips), f=3, h=2, c=3, i=4, j=8)[:, :, 3:]
    assert np.abs(vae.decode(vae.encode(clips)).numpy() - rebuilt).max() < 1e-3


@pytest.mark.parametrize("awake", [False, True])
def test_normalise_to_gives_mean_zero_and_variance_one(clips, awake):
    vae = small(awake=awake)
    if not awake:
        vae.start_from(clips)
    before = vae.decode(vae.encode(clips))
    raw = vae.moments(clips)[0].flatten(0, 3).std(0)
    vae.normalise_to(clips)
    z = vae.encode(clips).transpose(0, 1).flatten(1)
    assert z.mean(1).abs().max() < 1e-4
    assert z.var(1).mean().item() == pytest.approx(1, abs=1e-3)
    share = z.std(1) / raw.sqrt()                                       # loud channels stay louder, but less so
    assert torch.allclose(share, share.mean().expand(6), rtol=1e-3)
    assert torch.allclose(vae.decode(vae.encode(clips)), before, atol=1e-4)   # and nothing else changes


def test_loss_is_squared_error_plus_the_kl_of_the_variances(clips):
    vae = small()
    torch.manual_seed(3)
    mean, logvar = vae.moments(clips)
    z = mean + torch.randn_like(mean) * (logvar / 2).exp()
    normal = torch.distributions.Normal
    kl = torch.distributions.kl_divergence(normal(mean, (logvar / 2).exp()), normal(mean, 0.1)).mean()
    expected = F.mse_loss(vae.pixels(z), clips) + 0.3 * kl
    torch.manual_seed(3)
    assert vae.loss(clips, kl_weight=0.3).item() == pytest.approx(expected.item(), rel=1e-3)


def test_kl_equals_torch_and_scales_give_variance_one():
    logvar, z = 2 * noise(3, 4, 5) - 4, noise(2, 3, 4, 5, 6) * torch.logspace(-1, 1, 6)
    normal = torch.distributions.Normal
    expected = torch.distributions.kl_divergence(normal(0.0, (logvar / 2).exp()), normal(0.0, 0.1)).mean()
    assert noise_kl(logvar).item() == pytest.approx(expected.item(), rel=1e-5)
    scale = channel_scale(z)
    assert (z / scale).flatten(0, 3).var(0).mean().item() == pytest.approx(1, abs=1e-5)
    assert torch.allclose(scale.square() / scale.square().mean(), z.flatten(0, 3).std(0) / z.flatten(0, 3).std(0).mean(), rtol=1e-4)


def test_a_few_steps_lower_the_loss_and_reach_every_parameter(clips):
    vae = small(awake=False).requires_grad_()
    vae.start_from(clips)
    with torch.no_grad():
        before = psnr(vae.decode(vae.encode(clips)), clips).mean()
    start = {name: p.clone() for name, p in vae.named_parameters()}
    optimiser = torch.optim.AdamW(vae.parameters(), lr=3e-3, weight_decay=0)
    torch.manual_seed(0)
    losses = []
    for _ in range(60):
        loss = vae.loss(clips)
        optimiser.zero_grad(), loss.backward(), optimiser.step()
        losses.append(loss.item())
    with torch.no_grad():
        after = psnr(vae.decode(vae.encode(clips)), clips).mean()
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:10]) and after > before + 0.3
    assert all(not torch.equal(p, start[name]) for name, p in vae.named_parameters())


# PSNR

def test_psnr_by_hand_and_per_clip():
    b = noise(3, 3, 2, 4, 4).clamp(-0.5, 0.5)
    a = b + torch.tensor([0.2, 0.02, 0.5]).reshape(3, 1, 1, 1, 1)
    expected = [-20 * math.log10(e / 2) for e in (0.2, 0.02, 0.5)]
    assert psnr(a, b).tolist() == pytest.approx(expected, abs=1e-3)
    white = torch.ones(1, 1, 1, 2, 2)
    assert psnr(white + 5, white).item() > 100                          # a screen shows nothing brighter than white


# Files and faults

def test_save_and_load_give_the_same_network(tmp_path, clips):
    vae = small(ratio=(2, 8, 4), latent_channels=5)
    vae.normalise_to(clips)
    vae.save_pretrained(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} >= {"config.json", "model.safetensors"}
    back = VideoVAE.from_pretrained(tmp_path)
    assert back.ratio == (2, 8, 4) and isinstance(back.ratio, tuple)
    latent = vae.encode(clips)
    assert torch.equal(back.encode(clips), latent) and torch.equal(back.decode(latent), vae.decode(latent))


@pytest.mark.parametrize("call, words", [
    (lambda v: v.encode(torch.zeros(1, 3, 16, 16, 16)), ["frames", "1 + a multiple of 4", "got 16", "13 and 17"]),
    (lambda v: v.encode(torch.zeros(1, 3, 0, 16, 16)), ["frames", "got 0"]),
    (lambda v: v.encode(torch.zeros(1, 3, 5, 20, 16)), ["height", "multiple of 8", "got 20", "16 and 24"]),
    (lambda v: v.encode(torch.zeros(1, 3, 5, 16, 4)), ["width", "multiple of 8", "got 4", "8"]),
    (lambda v: v.encode(torch.zeros(3, 5, 16, 16)), ["video", "(b, 3, f, h, w)", "(3, 5, 16, 16)"]),
    (lambda v: v.encode(torch.zeros(1, 1, 5, 16, 16)), ["video", "(b, 3, f, h, w)", "(1, 1, 5, 16, 16)"]),
    (lambda v: v.decode(torch.zeros(1, 4, 2, 2, 2)), ["latent", "(b, 6, f, h, w)", "(1, 4, 2, 2, 2)"]),
    (lambda v: v.decode(torch.zeros(6, 2, 2, 2)), ["latent", "(b, 6, f, h, w)"]),
    (lambda v: v.latent_size((17, 32, 33)), ["width", "got 33", "32 and 40"]),
])
def test_bad_input_is_refused_in_words(call, words):
    with pytest.raises(ValueError) as caught:
        call(small())
    assert all(word in str(caught.value) for word in words), str(caught.value)
