"""Small tokens or large ones? Equal time for each: python tests/bench/token_size.py (10 minutes, alone on the machine)

Trains transformers of three patch sizes and two widths on the same latents, and writes each one's loss on held-out clips, over levels drawn as in training
and at three fixed ones, into data/results/token_size.json. One seed each: read differences of a few percent as chance."""
import torch

from sora_edu.dit import DiT
from sora_edu.pipeline import Sora
from sora_edu.training import DiTStage, Live, config_for, encode_world, run
from sora_edu.evaluation import record
from sora_edu.world import World

SECONDS, ARMS, LEVELS = 120, (((1, 2, 2), 224), ((1, 1, 2), 224), ((1, 1, 1), 224), ((1, 1, 1), 160)), (.1, .5, .9)


@torch.no_grad()
def losses(stage: DiTStage, latents: torch.Tensor, text: torch.Tensor) -> dict[str, float]:
    """Mean loss on held-out latents (b, c, f, h, w), with the same noise for every arm."""
    generator = torch.Generator().manual_seed(0)
    noise, n = torch.randn(latents.shape, generator=generator), len(latents)
    levels = {"": stage.flow.sample_t((n,), generator)} | {f"_level_{t}": torch.full((n,), t) for t in LEVELS}
    return {name: stage.flow.loss(stage.model, latents, t=t, noise=noise, text=text).item() for name, t in levels.items()}


def main() -> None:
    torch.set_num_threads(2)
    sora, config = Sora.from_pretrained("nano"), config_for("nano")
    worlds = [World(config.clip, seed, split, backgrounds=config.backgrounds) for seed, split in ((3, "train"), (4, "val"))]
    (latents, tokens), (unseen, captions) = (encode_world(sora.vae, sora.text.tokenizer, world, n) for world, n in zip(worlds, (6000, 512)))
    def draw(generator):
        pick = torch.randint(len(latents), (4 * config.batch,), generator=generator)
        return latents[pick], tokens[pick, 1]
    for patch, dim in ARMS:
        torch.manual_seed(0)
        model = DiT(config.latent_channels, dim, config.depth, config.heads, patch_size=patch, text_dim=config.text_dim)
        stage = DiTStage(model, sora.text, config.shift, config.image_share, seconds=SECONDS, steps=None, lr=config.lr, muon_lr=config.muon_lr)
        run(stage, draw, Live(f"patch {patch}, width {dim}"), ema=True)
        name = f"token_size_{'x'.join(map(str, patch))}_{dim}"
        for ending, loss in losses(stage, unseen.float(), sora.text(captions[:, 1])).items():
            print(f"{name}{ending:12} {loss:.3f}", flush=True)
            record("token_size", name + ending, loss, "loss", len(unseen), None, "python tests/bench/token_size.py")
        record("token_size", name + "_clips", stage.count * config.batch, "clips", 1, None, "python tests/bench/token_size.py")


if __name__ == "__main__":
    main()
