"""Train nano's transformer for minutes on one GPU: python tests/bench/nano_on_gpu.py MINUTES OUT

A network this small keeps a GPU waiting for Python: a step is a thousand kernels of microseconds each. So the whole step, from drawing a batch to the
moving average, is recorded once as a CUDA graph and replayed. Same model, loss, optimisers and schedule as `sora-edu train`; text encoder and autoencoder
are those shipped. It goes on from the shipped weights; OUT gets what `train` writes. Before that, a choice is measured (`floors`)."""
import json
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from sora_edu.diffusion import RectifiedFlow, shift_t
from sora_edu.dit import DiT
from sora_edu.evaluation import Judge, interval, judge_clips, record, summary
from sora_edu.pipeline import Sora, load_part
from sora_edu.text import TextEncoder
from sora_edu.training import Config, config_for, orthogonalise, transformer
from sora_edu.vae import VideoVAE
from sora_edu.video import data_path
from sora_edu.world import LENGTHS, World, describe, parse

SHIPPED, CLIPS, CHUNK, BATCH = data_path("weights") / "nano", 120_000, 250, 128
FLOORS, STEPS, PROMPTS = (.05, .2, .5, 1.), 4000, 400


def draw_chunk(start: int) -> tuple[np.ndarray, list[str]]:
    """Clips (n, c, f, h, w) in uint8 and three captions of each."""
    torch.set_num_threads(1)
    world, rng = World(config_for("nano").clip, 13, backgrounds=config_for("nano").backgrounds), np.random.default_rng([13, start])
    scenes = [world.scene(i)[0] for i in range(start, start + CHUNK)]
    clips = [((scene.render() + 1) * 127.5).round().byte().numpy() for scene in scenes]
    return np.stack(clips), [describe(scene, length, rng) for scene in scenes for length in LENGTHS]


class Pool:
    """Latents and encoded captions of many clips on the GPU, drawn by how much they move."""

    @torch.no_grad()
    def __init__(self, chunks):
        vae, encoder = VideoVAE.from_pretrained(SHIPPED / "vae").cuda().eval(), TextEncoder.from_pretrained(SHIPPED / "text").cuda().eval()
        latents, text = [], []
        for clips, captions in chunks:
            latents.append(vae.encode(torch.from_numpy(clips).cuda().float() / 127.5 - 1).bfloat16())
            text.append(encoder(encoder.tokenizer(captions)).bfloat16().view(CHUNK, len(LENGTHS), *encoder.places.shape))
        self.latents, self.text, self.empty = torch.cat(latents), torch.cat(text), encoder([""]).bfloat16()
        moves = self.latents.diff(dim=2).float().square().flatten(1).sum(1).sqrt()   # as `motion`, for all at once
        self.chances = (1 + moves / moves.mean()).double().cumsum(0)

    def draw(self, n: int) -> tuple[Tensor, Tensor]:
        """`n` latents and a caption of each, a tenth of them empty."""
        pick = torch.searchsorted(self.chances, torch.rand(n, device="cuda", dtype=torch.float64) * self.chances[-1]).clamp(max=len(self.chances) - 1)
        text = self.text[pick, torch.randint(self.text.shape[1], (n,), device="cuda")]
        return self.latents[pick].float(), torch.where(torch.rand(n, 1, 1, device="cuda") < .1, self.empty, text).float()


class Graphed:
    """A model and its training step as CUDA graphs, one for single frames and one for clips."""

    def __init__(self, model: nn.Module, pool: Pool, config: Config, floor: float, compiled: bool = True):
        self.model, self.pool, self.config = model.cuda().train(), pool, config
        self.flow, self.stream = RectifiedFlow("data", floor=floor), torch.cuda.Stream()
        self.network = torch.compile(self.model, dynamic=False) if compiled else self.model
        self.rate, self.blend, self.loss = (torch.zeros((), device="cuda") for _ in range(3))
        self.parameters = list(model.parameters())
        self.average = [p.detach().clone() for p in self.parameters]
        matrices = [p for p in model.blocks.parameters() if p.ndim == 2 and min(p.shape) > 16]
        self.same = [[p for p in matrices if p.shape == shape] for shape in dict.fromkeys(p.shape for p in matrices)]
        self.means = [torch.zeros(len(same), *same[0].shape, device="cuda") for same in self.same]
        rest = [p for p in self.parameters if not any(p is m for m in matrices)]
        self.lr = torch.zeros((), device="cuda")
        self.adam = torch.optim.AdamW(rest, lr=self.lr, betas=(.9, .98), weight_decay=0., fused=True, capturable=True)
        start = [p.detach().clone() for p in self.parameters]
        self.graphs = {single: self.record(single) for single in {config.image_share > 0, False}}
        with torch.no_grad():                                                        # recording has trained a little: back to the start
            torch._foreach_copy_(self.parameters, start), torch._foreach_copy_(self.average, start)
            for state in [*self.means, *(v for s in self.adam.state.values() for v in s.values())]: state.zero_()
            self.loss.zero_()

    def step(self, single: bool) -> None:
        x, text = self.pool.draw(self.config.batch * (4 if single else 1))
        if single: x = x[:, :, :1].contiguous()
        t = shift_t(torch.rand(len(x), device="cuda"), self.config.shift)
        with torch.autocast("cuda", torch.bfloat16, cache_enabled=False): loss = self.flow.loss(self.network, x, t, text=text)
        grads = torch.autograd.grad(loss, self.parameters)
        with torch.no_grad():
            norm = torch.stack(torch._foreach_norm(grads)).norm()
            grads = torch._foreach_mul(grads, (1 / (norm + 1e-6)).clamp(max=1.))
            for p, g in zip(self.parameters, grads): p.grad = g
            self.lr.copy_(self.rate * self.config.lr)
            self.adam.step()
            for same, mean in zip(self.same, self.means):                            # `Muon`, all matrices of one shape at once
                g = torch.stack([p.grad for p in same])
                ways = torch.vmap(orthogonalise)(g.lerp(mean.lerp_(g, .05), .95)) * (.2 * max(g.shape[1:]) ** .5 * self.rate * self.config.muon_lr)
                torch._foreach_mul_(same, 1 - self.rate * self.config.muon_lr * .01), torch._foreach_sub_(same, list(ways.unbind()))
            change = torch._foreach_sub(self.parameters, self.average)
            torch._foreach_mul_(change, self.blend), torch._foreach_add_(self.average, change)
            self.loss.lerp_(loss, .01)
            for p in self.parameters: p.grad = None

    def record(self, single: bool) -> torch.cuda.CUDAGraph:
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            for _ in range(3): self.step(single)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=self.stream): self.step(single)
        torch.cuda.synchronize()
        return graph

    def replay(self, n: int, progress: float, hold: float = .1) -> None:
        with torch.cuda.stream(self.stream):
            self.rate.fill_(min(1., (n + 1) / 50, (1 - progress) / (1 - hold)))
            self.blend.fill_(max(.002, 10 / (10 + n)))
            self.graphs[progress < self.config.image_share].replay()

    @torch.no_grad()
    def averaged(self) -> DiT:
        """The averaged weights as a model on the CPU."""
        torch.cuda.synchronize()
        model = transformer(self.config, None)
        for p, a in zip(model.parameters(), self.average): p.copy_(a)
        return model.eval()


def floors(pool: Pool, judge: Judge) -> float:
    """What a level of noise may weigh at most: four trainings of as many steps as two CPU cores make in 15 minutes, side by side. Records each, returns the best floor."""
    config, found = config_for("nano"), {}
    runs = {floor: Graphed(transformer(config, None), pool, config, floor, compiled=False) for floor in FLOORS}
    for n in range(STEPS):
        for graphed in runs.values(): graphed.replay(n, n / STEPS)
        if n % 50 == 0: torch.cuda.synchronize()
    for floor, graphed in runs.items():
        right = [share_right(graphed.averaged(), judge, objects) for objects in (1, 2)]
        print(f"floor {floor}: {right[0]:.1f}% of one object, {right[1]:.1f}% of two right", flush=True)
        for objects, percent in zip(("one", "two"), right):
            record("floors", f"floor_{floor}_{objects}", percent, "%", PROMPTS, interval(percent, PROMPTS), "python tests/bench/nano_on_gpu.py MINUTES OUT")
        found[floor] = sum(right)
    return max(found, key=found.get)


def share_right(dit: DiT, judge: Judge, objects: int) -> float:
    """Adherence on validation prompts, in percent, all clips made at once."""
    sora = Sora.from_pretrained("nano")
    sora = Sora(sora.text.cuda(), sora.vae.cuda(), dit.cuda(), sora.config)
    world = World(sora.config["clip"], seed=77, split="val", objects=(objects,), backgrounds=tuple(sora.config["backgrounds"]))
    prompts = [world.scene(i)[1] for i in range(PROMPTS)]
    return summary(judge_clips(judge, sora(prompts).cpu(), [parse(prompt) for prompt in prompts]))["all"][0]


def main(minutes: float, out: Path) -> None:
    begin = time.perf_counter()
    torch.manual_seed(13)
    torch.set_float32_matmul_precision("high")
    config, judge = config_for("nano", batch=BATCH, clips=CLIPS, minutes=minutes, image_share=0., lr=1.5e-3, muon_lr=7.5e-3, seed=13), load_part(Judge, data_path("weights") / "judge")
    with ProcessPoolExecutor() as executor: pool = Pool(executor.map(draw_chunk, range(0, CLIPS, CHUNK)))
    print(f"{len(pool.latents)} clips after {time.perf_counter() - begin:.0f} s", flush=True)
    floor = floors(pool, judge)
    print(f"floor {floor} after {time.perf_counter() - begin:.0f} s", flush=True)
    shutil.copytree(SHIPPED, out, dirs_exist_ok=True)
    (out / "config.json").write_text(json.dumps(asdict(config), indent=1))
    graphed, history, n, used = Graphed(transformer(config, SHIPPED), pool, config, floor), [], 0, 0.
    first = time.perf_counter()
    print(f"recorded after {first - begin:.0f} s", flush=True)
    budget = begin + 60 * minutes - first
    while used < budget:
        for _ in range(200): graphed.replay(n, min(1., used / budget)); n += 1
        torch.cuda.synchronize()
        used = time.perf_counter() - first
        history.append((round(used, 2), round(graphed.loss.item(), 5)))
        if len(history) % 50 == 0 or used >= budget:
            print(f"{used:5.0f} s, {n} steps, {n / used:.0f} steps/s, loss {history[-1][1]}", flush=True)
            graphed.averaged().half().save_pretrained(out / "dit")
            (out / "dit/history.json").write_text(json.dumps(history[::max(1, len(history) // 400)]))
    print(f"{n} steps of {config.batch} clips, {n * config.batch / 1e6:.1f} million clips, on {torch.cuda.get_device_name()}", flush=True)
    print(f"validation: {share_right(graphed.averaged(), judge, 1):.1f}% of one object, {share_right(graphed.averaged(), judge, 2):.1f}% of two right")


if __name__ == "__main__":
    main(float(sys.argv[1]), Path(sys.argv[2]))
