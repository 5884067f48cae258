"""Trainings that are killed with -9, go on, and are compared with one that was not: `python tests/kills.py FOLDER CASES SEED [nothing]` prints a line for each case that went wrong.

One process imports everything and forks a process for each training, of a transformer or, with `nothing`, of all three stages. The places of the first kills are chosen, inside a save and at both ends; all others are random."""
import contextlib
import hashlib
import io
import itertools
import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import torch

import sora_edu.training as training
from sora_edu.keep import load_checkpoint
from sora_edu.text import TextEncoder
from sora_edu.training import config_for
from sora_edu.vae import VideoVAE

TINY = config_for("nano", steps=12, clips=32, batch=4, latent_channels=8, vae_dim=16, vae_wide=16, text_dim=16, dim=32, depth=1, heads=2)


def prepare(folder: Path) -> Path:
    """A folder in which two stages are done; their networks have learned nothing."""
    torch.manual_seed(0)
    for name, part in dict(text=TextEncoder(TINY.text_dim), vae=VideoVAE(TINY.latent_channels, TINY.vae_dim, wide=TINY.vae_wide)).items(): part.half().save_pretrained(folder / name)
    return folder


def digest(thing) -> str:
    """SHA-256 of all tensors and numbers in nested lists and dictionaries."""
    found = hashlib.sha256()
    def walk(x):
        if isinstance(x, torch.Tensor): found.update(x.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes() if x.ndim else repr(x.item()).encode())
        elif isinstance(x, dict): [walk(item) for pair in x.items() for item in pair]
        elif isinstance(x, (list, tuple)): [walk(item) for item in x]
        else: found.update(repr(x).encode())
    walk(thing)
    return found.hexdigest()


def state(folder: Path) -> dict[str, str]:
    """Digests of what a training is at its end: weights, their average, the optimisers."""
    kept = load_checkpoint(folder / "last.ckpt")
    return {key: digest(kept[key]) for key in ("state_dict", "current_model_state", "optimizer_states")}


def dies(*_, **__): os.kill(os.getpid(), signal.SIGKILL)


def at_call(function, n: int, after: bool = False, when=lambda *_: True):
    """`function`, but call number `n` of those with `when` is death, before the call or after it."""
    calls = itertools.count(1)
    def guarded(*args, **options):
        last = when(*args) and next(calls) == n
        if last and not after: dies()
        result = function(*args, **options)
        if last: dies()
        return result
    return guarded


def half_saved(n: int):
    save, calls = torch.save, itertools.count(1)
    def halved(thing, file):
        if next(calls) < n: return save(thing, file)
        whole = io.BytesIO()
        save(thing, whole)
        file.write(whole.getvalue()[:len(whole.getvalue()) // 2])
        file.flush()
        dies()
    return halved


# Where to die: a name, and what to put in place of what in which module.
PLACES = {
    "in the middle of the first save": lambda: setattr(torch, "save", half_saved(1)),
    "in the middle of a later save": lambda: setattr(torch, "save", half_saved(5)),
    "before a file gets its name": lambda: setattr(os, "replace", at_call(os.replace, 4)),
    "after a file got its name": lambda: setattr(os, "replace", at_call(os.replace, 7, after=True)),
    "after the last step": lambda: setattr(os, "replace", at_call(os.replace, 12, after=True, when=lambda source, target: str(target).endswith(".ckpt"))),
    "while the weights are written": lambda: setattr(training, "write_folder", lambda folder, save: (save(folder.with_name(f"{folder.name}.part")), dies())),
    "before the folder gets its name": lambda: setattr(os, "replace", at_call(os.replace, 1, when=lambda source, target: str(target).endswith("dit"))),
    "after the end": lambda: setattr(Path, "unlink", at_call(Path.unlink, 1, after=True, when=lambda path, *_: path.name == "last.ckpt")),
}
EARLY = {
    "in the text encoder's training": lambda: setattr(training.TextStage, "loss", at_call(training.TextStage.loss, 5)),
    "in the autoencoder's training": lambda: setattr(training.VAEStage, "loss", at_call(training.VAEStage.loss, 5)),
    "before the text encoder gets its name": lambda: setattr(os, "replace", at_call(os.replace, 1, when=lambda source, target: str(target).endswith("text"))),
    "after the autoencoder got its name": lambda: setattr(os, "replace", at_call(os.replace, 1, after=True, when=lambda source, target: str(target).endswith("vae"))),
}


def go(folder: Path, place=lambda: None) -> int:
    """Train in a process of its own; its number."""
    if child := os.fork(): return child
    try:
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), 1), os.dup2(nothing.fileno(), 2)
        live, finish = training.Live, training.finish
        training.precision, training.Live = lambda: "32-true", lambda name, **options: live(name, every=0, **options)   # a checkpoint at every step
        def noted(done, stage, model, target):
            if target.name == "dit": (folder.parent / f"{folder.name}.json").write_text(json.dumps(state(folder)))
            finish(done, stage, model, target)
        training.finish = noted
        place()
        training.train(TINY, folder, report=lambda *_: None)
        os._exit(0)
    except BaseException as error:
        with contextlib.suppress(OSError): (folder.parent / f"{folder.name}.error").write_text(repr(error))
        os._exit(1)


def ended(child: int, limit: float = 300) -> int:
    """How a process ended: 0 well, 1 with an error, -9 killed, 99 not at all."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        gone, status = os.waitpid(child, os.WNOHANG)
        if gone: return os.waitstatus_to_exitcode(status)
        time.sleep(.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 99


def outcome(folder: Path) -> dict:
    weights = {part: hashlib.sha256((folder / part / "model.safetensors").read_bytes()).hexdigest() for part in ("text", "vae", "dit")}
    return json.loads((folder.parent / f"{folder.name}.json").read_text()) | weights | dict(rest=sorted(path.name for path in folder.iterdir()))


def case(folder: Path, parts: Path, place, after: float | None, expected: dict) -> str:
    """Train, die, go on. What went wrong, or nothing."""
    shutil.copytree(parts, folder)
    child = go(folder, place)
    if after is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    if ended(child) != -signal.SIGKILL and after is None: return "did not die"
    try:
        if (folder / "last.ckpt").exists(): load_checkpoint(folder / "last.ckpt")
        if (folder / "dit").exists(): training.transformer(TINY, folder)
    except ValueError as error: return f"unreadable after the kill: {error}"
    if ended(go(folder)): return "did not end"
    try: found = outcome(folder)
    except OSError as error: return f"{error}"
    return "" if found == expected else f"other results: {[key for key in expected if found[key] != expected[key]]}"


def main(folder: Path, cases: int, seed: int, nothing: bool) -> int:
    torch.set_num_threads(1)
    parts, rng, wrong = folder / "parts", random.Random(seed), 0
    parts.mkdir(parents=True)
    if not nothing: prepare(parts)
    shutil.copytree(parts, folder / "whole")
    begin = time.monotonic()
    if ended(go(folder / "whole")): raise SystemExit("the uninterrupted training did not end")
    takes, expected = time.monotonic() - begin, outcome(folder / "whole")
    chosen = [(name, place, None) for name, place in (EARLY if nothing else PLACES).items()]
    chosen = chosen[:cases] if cases > 3 else rng.sample(chosen, 1)
    for number in range(cases):
        name, place, after = chosen[number] if number < len(chosen) else ("at a random time", lambda: None, rng.uniform(0, 1.1 * takes))
        if said := case(folder / f"case{number}", parts, place, after, expected):
            wrong += 1
            print(f"case {number}, killed {name} ({after}): {said}")
        shutil.rmtree(folder / f"case{number}", ignore_errors=True)
    print(f"{cases - wrong} of {cases} trainings ended bit for bit like the one that was never killed, which took {takes:.1f} s")
    return wrong


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:] == ["nothing"]))
