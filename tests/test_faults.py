"""Wrong calls over the whole public API: each one clear error, from our own code, at once."""
import time
import traceback

import numpy as np
import pytest
import torch

from sora_edu import diffusion, dit, evaluation, patches, pipeline, sampling, studio, text, training, vae, video, world

CLIP, RNG = torch.zeros(1, 3, 5, 16, 16), np.random.default_rng(0)
LATENT, WORDS = torch.zeros(1, 8, 2, 2, 2), torch.zeros(1, 4, 12)
LEVEL = torch.full((1,), .5)


@pytest.fixture(scope="module")
def m():
    """Small networks, made once."""
    class Made:
        vae = vae.VideoVAE(8, 16, wide=32)
        dit = dit.DiT(8, 24, 1, 2, text_dim=12)
        text = text.TextEncoder(12, 1, 2)
        flow = diffusion.RectifiedFlow()
        judge = evaluation.Judge()
        sora = pipeline.Sora(text, vae, dit, dict(clip=(5, 16, 16), shift=1., backgrounds=["black"]))
    return Made


# What the error must name, and the call.
WRONG = [
    # shape
    ("video", lambda m: video.show(torch.zeros(3, 8, 8))),
    ("video", lambda m: video.show(torch.zeros(1, 4, 2, 8, 8))),
    ("x", lambda m: patches.patchify(CLIP[0], (1, 4, 4))),
    ("frames", lambda m: patches.patchify(CLIP, (2, 4, 4))),
    ("tokens", lambda m: patches.unpatchify(torch.zeros(1, 3, 48), (1, 8, 8), (1, 4, 4))),
    ("clips", lambda m: patches.pack([], (1, 4, 4), 100)),
    ("budget", lambda m: patches.pack([CLIP[0]], (1, 4, 4), 10)),
    ("clip_id", lambda m: patches.attention_mask(torch.zeros(3, dtype=torch.long))),
    ("video", lambda m: m.vae.encode(CLIP[0])),
    ("frames", lambda m: m.vae.encode(CLIP[:, :, :4])),
    ("latent", lambda m: m.vae.decode(CLIP)),
    ("noise", lambda m: m.flow.add_noise(CLIP, CLIP[:, :, 1:], LEVEL)),
    ("t", lambda m: m.flow.add_noise(CLIP, CLIP, torch.zeros(7))),
    ("x", lambda m: m.dit(CLIP, LEVEL, WORDS)),
    ("t", lambda m: m.dit(LATENT, torch.zeros(3), WORDS)),
    ("text", lambda m: m.dit(LATENT, LEVEL, WORDS[..., 1:])),
    ("shape", lambda m: sampling.sample(lambda x, t: x, (2, 0), steps=1)),
    ("video", lambda m: m.judge.read(CLIP[0])),
    ("named", lambda m: evaluation.judge_clips(m.judge, CLIP, [])),
    ("frames", lambda m: m.sora("a red circle", size=(4, 16, 16))),
    # value
    ("axis", lambda m: video.slice_video(CLIP, "time", 0)),
    ("fps", lambda m: video.save_video(CLIP, "a.mp4", fps=0)),
    (".mp4", lambda m: video.save_video(CLIP, "a.avi")),
    ("none.mp4", lambda m: video.load_video("none.mp4")),
    ("nobody", lambda m: video.load_clip("nobody")),
    ("size", lambda m: world.World((0, 16, 16))),
    ("split", lambda m: world.World(split="tset")),
    ("index", lambda m: world.World((1, 16, 16))[-1]),
    ("length", lambda m: world.describe(world.World((1, 16, 16)).scene(0)[0], "short", RNG)),
    ("prediction", lambda m: diffusion.RectifiedFlow("nois")),
    ("schedule", lambda m: diffusion.DDPM(schedule="sqrt")),
    ("dim", lambda m: dit.DiT(dim=30, heads=4)),
    ("multiple", lambda m: text.TextEncoder(dim=10, heads=4)),
    ("solver", lambda m: m.sora("a red circle", solver="eulr")),
    ("steps", lambda m: m.sora("a red circle", steps=0)),
    ("cfg_scale", lambda m: m.sora("a red circle", cfg_scale=float("nan"))),
    ("nanno", lambda m: pipeline.Sora.from_pretrained("nanno")),
    ("size", lambda m: training.config_for("nanoo")),
    ("depht", lambda m: training.config_for("nano", depht=3)),
    ("n", lambda m: evaluation.adherence(m.sora, m.judge, 0, 1)),
    ("controls", lambda m: studio.play(print)),
    # dtype
    ("video", lambda m: video.show(CLIP.byte())),
    ("video", lambda m: m.vae.encode(CLIP.byte())),
    ("x", lambda m: m.dit(LATENT.long(), LEVEL, WORDS)),
    ("t", lambda m: m.flow.add_noise(CLIP, CLIP, torch.zeros(1, dtype=torch.long))),
    ("prompts", lambda m: m.text(torch.zeros(1, 16))),
    ("video", lambda m: m.judge.read(CLIP.byte())),
    # range and device
    ("video", lambda m: video.show(CLIP * torch.nan)),
    ("t", lambda m: m.flow.add_noise(CLIP, CLIP, torch.full((1,), 1.5))),
    ("device", lambda m: m.flow.add_noise(CLIP, CLIP.to("meta"), LEVEL)),
    ("device", lambda m: m.dit(LATENT, LEVEL, WORDS.to("meta"))),
    # type
    ("video", lambda m: video.show([1, 2])),
    ("x", lambda m: patches.patchify([1, 2], (1, 4, 4))),
    ("patch_size", lambda m: patches.patchify(CLIP, 4)),
    ("seed", lambda m: world.World(seed="1")),
    ("string", lambda m: world.parse(3)),
    ("prompts", lambda m: m.text("a red circle")),
    ("prompt", lambda m: m.sora(3)),
    ("seed", lambda m: m.sora("a red circle", seed="one")),
    ("video", lambda m: m.vae.encode([1, 2])),
    ("x", lambda m: m.dit([1, 2], LEVEL, WORDS)),
    ("size", lambda m: m.sora("a red circle", size=16)),
]


@pytest.mark.fault(9)
@pytest.mark.parametrize("named, call", WRONG, ids=[f"{i}-{named}" for i, (named, _) in enumerate(WRONG)])
def test_a_wrong_call_is_one_clear_error_of_our_own(named, call, m, tmp_path, monkeypatch, record_property):
    monkeypatch.chdir(tmp_path)
    begin = time.thread_time()
    with pytest.raises((ValueError, TypeError, FileNotFoundError)) as caught: call(m)
    record_property("ms", 1000 * (time.thread_time() - begin))
    error = caught.value
    assert named in str(error), str(error)
    assert error.__suppress_context__ or error.__context__ is None, "a second error stands behind this one"
    assert "sora_edu" in traceback.extract_tb(error.__traceback__)[-1].filename, "the error comes from someone else's library"
