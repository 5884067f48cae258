"""Pages made from notebooks, and the model card: `python tests/pages.py README.md`, `… data/weights/README.md` and `… out/docs` (Quarto is not needed)."""
import json
import re
import sys
from pathlib import Path

from nbconvert import HTMLExporter, MarkdownExporter

ROOT = Path(__file__).resolve().parents[1]
NBS = ROOT / "nbs"


def readme() -> str:
    """README.md: the prose and outputs of nbs/index.ipynb, with its links as seen from the root of the repository."""
    text, resources = MarkdownExporter(exclude_input=True).from_filename(str(NBS / "index.ipynb"))
    if resources["outputs"]:
        raise ValueError("nbs/index.ipynb holds a picture inside an output; write it to data/results and link to it")
    text = re.sub(r"\]\((?=[\w-]+\.ipynb)", "](nbs/", text)
    text = re.sub(r"\]\(\.\./", "](", text)
    text = re.sub(r"[ \t]+$", "", text, flags=re.M)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


FIGURES = dict(
    adherence_one="prompts with one object, never seen in training: everything right", adherence_two="prompts with two objects: everything right",
    looked_at="random clips of both kinds that look right to the eye", vae_psnr_world="autoencoder, clips of the world", vae_psnr_real="autoencoder, real clips",
    judge_all="judge, clips of the world: everything read right", seconds_per_clip="one clip, from prompt to file",
    cascade_space_gain_db="cascade, 32 to 64 pixels: gain over bicubic interpolation", cascade_space_decoded_gain_db="the same for small clips that have been through the autoencoder",
    adherence_cascade="prompts with one object, after the cascade in time and space: everything right")
MADE = """| folder | class | made by |
|---|---|---|
| `nano/text`, `nano/vae` | `sora_edu.text.TextEncoder`, `sora_edu.vae.VideoVAE` | `python tests/bench/curve.py 58 out/long` |
| `nano/dit` | `sora_edu.dit.DiT` | the same run, then 88 minutes of `sora-edu train --start nano`, then {minutes:.1f} minutes on one H100: `python tests/bench/nano_on_gpu.py 4.95 OUT` |
| `nano/cascade` | `sora_edu.cascade.Upsampler`, in space and in time | the recipe of chapter 10: `sora-edu cascade space out/nano --minutes 43`, on one core, stopped once and gone on; and `sora-edu cascade time out/nano`, on one core of a busy machine, in several goes |
| `judge` | `sora_edu.evaluation.Judge`, which reads the attributes off a clip | `sora-edu judge --minutes 4` |

The first two runs took two CPU cores; the last saw {clips:.1f} million clips in {steps:,} steps. `nano/config.json` holds the whole configuration of the last run,
`nano/dit/history_before.json` the loss curve of the first, and `history.json` that of the last (pairs of seconds and loss). All parts load without a network and without pickle.

**What it has learned.** One or two objects of {shapes} shapes in {colors} colours, {motions} motions, {relations} relations. Textured backgrounds and moving cameras are in `sora_edu.world`,
but not in what this model was trained to make.

**Data.** Clips drawn by `sora_edu.world` (training split only), and, for the autoencoder, crops of the first three quarters of the real clips in `data/clips`,
whose licences stand there. No person's data is in it, but for one anonymous ultrasound; it is not for clinical use.

**Licence.** Apache-2.0, like the code."""


def card() -> str:
    """data/weights/README.md: the model card of the shipped weights; its figures come from data/results, its sizes from the weights."""
    from sora_edu.pipeline import Sora, model_card
    from sora_edu.world import COLORS, MOTIONS, RELATIONS, SHAPES
    sora, records = Sora.from_pretrained("nano"), {}
    for path in sorted((ROOT / "data/results").glob("*.json")): records |= {r["id"]: r for r in json.loads(path.read_text(encoding="utf-8"))}
    history = json.loads((ROOT / "data/weights/nano/dit/history.json").read_text(encoding="utf-8"))    # of the last run: a line for every 200 steps
    steps = 200 * len(history)
    made = MADE.format(minutes=history[-1][0] / 60, steps=steps, clips=steps * sora.config["batch"] / 1e6,
                       shapes=len(SHAPES), colors=len(COLORS), motions=len(MOTIONS), relations=len(RELATIONS))
    return model_card(sora, [(words, records[id]) for id, words in FIGURES.items()], made)


def html(path: Path) -> str:
    """One chapter as an HTML page; its pictures are inside it and its links lead to other pages."""
    page, _ = HTMLExporter(embed_images=True).from_filename(str(path))
    return re.sub(r'href="([\w./-]+)\.ipynb', r'href="\1.html', page)


def main(target: str) -> None:
    if target.endswith(".md"):
        (ROOT / target).write_text(card() if "weights" in target else readme(), encoding="utf-8", newline="\n")
        return print(f"wrote {target}")
    folder = ROOT / target
    for path in sorted([*NBS.glob("*.ipynb"), *(NBS / "checks").glob("*.ipynb")]):
        page = (folder / path.relative_to(NBS)).with_suffix(".html")
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(html(path), encoding="utf-8", newline="\n")
    print(f"open {folder / 'index.html'}")


if __name__ == "__main__":
    main(sys.argv[1])
