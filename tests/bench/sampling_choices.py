"""Which way of sampling obeys best? python tests/bench/sampling_choices.py (3 minutes)

The shipped weights, 200 one-object prompts of the validation split, the judge; writes one record for each way into data/results/sampling.json."""
import torch

from sora_edu.cli import load_judge
from sora_edu.evaluation import adherence, interval, record, summary
from sora_edu.pipeline import Sora

PROMPTS = 200
WAYS = dict(euler_16=dict(solver="euler"), ddpm_8=dict(steps=8), ddpm_16=dict(), ddpm_32=dict(steps=32),
            ddpm_16_guidance_1=dict(cfg_scale=1.), ddpm_16_guidance_4=dict(cfg_scale=4.))


class Way(Sora):
    """A pipeline that samples in one fixed way."""
    options: dict

    def __call__(self, prompt, **given): return super().__call__(prompt, **given, **self.options)


def main() -> None:
    torch.set_num_threads(2)
    sora, judge = Way.from_pretrained("nano"), load_judge()
    for name, sora.options in WAYS.items():
        right = summary(adherence(sora, judge, PROMPTS, 1, split="val")[2])["all"][0]
        print(f"{name:20} {right:5.1f}%", flush=True)
        record("sampling", f"sampling_{name}", right, "%", PROMPTS, interval(right, PROMPTS), "python tests/bench/sampling_choices.py")


if __name__ == "__main__":
    main()
