"""How long does a training step of our transformer take beside diffusers'? python tests/bench/dit_step.py (2 minutes, two threads)

Arms, in turns in one run, on two latents of eight frames with 4 channels of 16×16: our `DiT` with patches (1, 2, 2), full and factorised, and with patches of two frames,
(2, 2, 2), so that there are half as many; and of diffusers
`LatteTransformer3DModel` (3 heads × 64, 3 layers over space and 3 over time, patch 2), with and without reading the prompt, and `DiTTransformer2DModel` (3 × 64, 6 layers),
which takes each frame for an image. A step: forward, mean squared error, backward, AdamW. Ours has as many parameters as Latte within 5%; more than half of
DiTTransformer2DModel's are tables of class labels and levels. Into data/results/bench.json: `bench_dit_step_ms_<arm>`, `bench_dit_step_parameters_<arm>`, and `bench_dit_step`: the median over rounds of ours,
with patches of two frames, over the fastest of diffusers in the same round; `bench_dit_step_full` and `bench_dit_step_factorised` are those with as many tokens as the peers have."""
import statistics
import time

import torch
import torch.nn.functional as F
from diffusers import DiTTransformer2DModel, LatteTransformer3DModel
from einops import rearrange

from sora_edu.dit import DiT
from sora_edu.evaluation import record

ROUNDS, WORDS, COMMAND = 25, 32, "sora-edu bench --only dit_step"
x, target = torch.randn(2, 2, 4, 8, 16, 16, generator=torch.Generator().manual_seed(0))
text, level, label = torch.randn(2, WORDS, 96), torch.tensor([.3, .8]), torch.zeros(16, dtype=torch.long)


def latte(reads: bool):
    model = LatteTransformer3DModel(3, 64, in_channels=4, out_channels=4, num_layers=3, cross_attention_dim=192 if reads else None, attention_bias=True, sample_size=16, patch_size=2,
                                    activation_fn="gelu-approximate", norm_type="ada_norm_single", norm_elementwise_affine=False, norm_eps=1e-6, caption_channels=96, video_length=8)
    return model, lambda: model(x, 1000 * level, text).sample


def by_frames():
    model = DiTTransformer2DModel(3, 64, in_channels=4, num_layers=6, sample_size=16, patch_size=2)
    frames, levels = rearrange(x, "b c f h w -> (b f) c h w"), (1000 * level).long().repeat_interleave(8)
    return model, lambda: rearrange(model(frames, levels, label).sample, "(b f) c h w -> b c f h w", b=2)


def ours(attention: str = "full", frames: int = 1):
    model = DiT(latent_channels=4, dim=192, depth=6, heads=3, patch_size=(frames, 2, 2), attention=attention)
    return model, lambda: model(x, level, text)


def main() -> None:
    torch.set_num_threads(2)
    arms = dict(full=ours(), factorised=ours("factorised"), two_frames=ours(frames=2), latte=latte(True), latte_no_prompt=latte(False), dit2d=by_frames())
    optimisers = {name: torch.optim.AdamW(model.parameters(), lr=1e-4) for name, (model, _) in arms.items()}
    taken = {name: [] for name in arms}
    for model, _ in arms.values(): model.train()
    for _ in range(ROUNDS + 3):                                       # the first three warm up
        for name, (_, predict) in arms.items():
            begin = time.perf_counter()
            loss = F.mse_loss(predict(), target)
            optimisers[name].zero_grad(), loss.backward(), optimisers[name].step()
            taken[name].append(1000 * (time.perf_counter() - begin))
    taken = {name: each[3:] for name, each in taken.items()}
    for name, each in taken.items():
        parameters = sum(p.numel() for p in arms[name][0].parameters())
        print(f"{name:16} {parameters:9,} parameters {statistics.median(each):8.1f} ms", flush=True)
        record("bench", f"bench_dit_step_ms_{name}", statistics.median(each), "ms", ROUNDS, [round(v, 1) for v in statistics.quantiles(each, n=4)[::2]], COMMAND)
        record("bench", f"bench_dit_step_parameters_{name}", parameters, "parameters", 1, None, COMMAND)
    for id, name in (("bench_dit_step", "two_frames"), ("bench_dit_step_full", "full"), ("bench_dit_step_factorised", "factorised")):
        ratios = [each / min(taken[other][i] for other in ("latte", "latte_no_prompt", "dit2d")) for i, each in enumerate(taken[name])]
        print(f"{id:26} {statistics.median(ratios):.3f}", flush=True)
        record("bench", id, statistics.median(ratios), "times diffusers' fastest", ROUNDS, [round(v, 3) for v in statistics.quantiles(ratios, n=4)[::2]], COMMAND)


if __name__ == "__main__":
    main()
