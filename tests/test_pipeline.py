"""The pipeline: seeds, batches, prompts of every kind, and weights that are missing, damaged or of another make."""
import json
import warnings

import pytest
import torch
from safetensors.torch import load_file, save_file

from pages import ROOT, card
from sora_edu.dit import DiT
from sora_edu.pipeline import Sora, model_card, weigh
from sora_edu.text import TextEncoder
from sora_edu.vae import VideoVAE

PROMPT = "a red circle moves right"


def save_tiny(folder):
    """A Sora of random parts in the layout that a training writes."""
    torch.manual_seed(0)
    dit = DiT(8, 32, 1, 2, text_dim=16)
    for layer in (dit.modulation, dit.last_modulation, dit.leave):   # an untrained one starts at zero and would ignore its input
        torch.nn.init.normal_(layer.weight, std=.2)
    for name, part in dict(text=TextEncoder(16, 1, 2), vae=VideoVAE(8, 16, 16, 16, 8), dit=dit).items():
        part.half().save_pretrained(folder / name)
    (folder / "config.json").write_text(json.dumps(dict(size="tiny", clip=[17, 32, 32], backgrounds=["black", "navy"], shift=2.)))
    return folder


@pytest.fixture(scope="module")
def sora(tmp_path_factory):
    return Sora.from_pretrained(save_tiny(tmp_path_factory.mktemp("tiny")))


@pytest.fixture
def weights(tmp_path):
    return save_tiny(tmp_path)


# --- clips ---------------------------------------------------------------------------------------

def test_same_seed_same_clip(sora):
    first = sora(PROMPT, seed=3, steps=4)
    assert first.shape == (1, 3, 17, 32, 32) and first.isfinite().all() and first.abs().max() <= 1
    assert torch.equal(first, sora(PROMPT, seed=3, steps=4))
    assert not torch.allclose(first, sora(PROMPT, seed=4, steps=4))


def test_the_prompt_matters(sora):
    assert not torch.allclose(sora(PROMPT, steps=4), sora("a blue square spins", steps=4))


def test_batch_equals_singles(sora):
    prompts = [PROMPT, "a blue square spins", ""]
    batch = sora(prompts, seed=5, steps=4)
    singles = torch.cat([sora(prompt, seed=5 + i, steps=4) for i, prompt in enumerate(prompts)])
    torch.testing.assert_close(batch, singles, atol=1e-4, rtol=0)


def test_another_size(sora):
    assert sora(PROMPT, steps=2, size=(1, 48, 32)).shape == (1, 3, 1, 48, 32)


# --- prompts -------------------------------------------------------------------------------------

@pytest.mark.fault(8)
def test_unknown_words_are_named_with_the_nearest(sora):
    with pytest.warns(UserWarning, match=r"2 unknown.*'circl' \(nearest: 'circle'\), 'qqq'$"):
        odd = sora("a red circl qqq moves right", steps=2)
    assert torch.equal(odd, sora("a red moves right", steps=2))


def test_empty_prompt_is_the_unconditional_clip(sora):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        free = sora("", steps=4, cfg_scale=1.)
    torch.testing.assert_close(free, sora("", steps=4, cfg_scale=5.), atol=1e-4, rtol=0)   # guidance towards nothing changes nothing


@pytest.mark.fault(8)
def test_overlong_prompt_says_what_was_cut(sora):
    with pytest.warns(UserWarning, match="too long, left out the last 3 words from 'blue' on"):
        long = sora("red " * 31 + "blue square spins", steps=2)
    assert torch.equal(long, sora("red " * 31, steps=2))


@pytest.mark.fault(8)
@pytest.mark.parametrize("prompt", ["\0", "\ud800 circle", " \n\t", "赤い円", "🎈" * 2000, "<script>alert(1)</script>", "a" * 100_000])
def test_any_string_gives_a_clip(sora, prompt):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert sora(prompt, steps=1).isfinite().all()


@pytest.mark.fault(8)
@pytest.mark.parametrize("prompt, error", [([], ValueError), ([3], TypeError), (["a", None], TypeError)])
def test_what_is_no_prompt(sora, prompt, error):
    with pytest.raises(error, match="^prompts?: expected"): sora(prompt)


@pytest.mark.parametrize("size, axis", [((16, 32, 32), "frames"), ((0, 32, 32), "frames"), ((17, 30, 32), "height"), ((17, 32, 4), "width")])
def test_wrong_sizes_name_the_axis(sora, size, axis):
    with pytest.raises(ValueError, match=f"^{axis}: expected .* the nearest are"): sora(PROMPT, size=size)


def test_warnings_name_the_line_that_asked(sora):
    with pytest.warns(UserWarning) as caught: sora("a red circl", steps=1)
    assert caught[0].filename == __file__


# --- saving --------------------------------------------------------------------------------------

def test_saved_and_loaded_is_the_same(sora, tmp_path):
    sora.save_pretrained(tmp_path)
    again = Sora.from_pretrained(tmp_path)
    assert again.config == sora.config and torch.equal(again(PROMPT, seed=3, steps=4), sora(PROMPT, seed=3, steps=4))
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.safetensors")) == [f"{part}/model.safetensors" for part in ("dit", "text", "vae")]
    again.save_pretrained(tmp_path)                                                                       # over itself
    assert torch.equal(Sora.from_pretrained(tmp_path)(PROMPT, steps=2), sora(PROMPT, steps=2))


def test_saving_leaves_the_model_in_full_precision(sora, tmp_path):
    before = {name: value.clone() for name, value in sora.dit.state_dict().items()}
    sora.save_pretrained(tmp_path)
    assert all(value.dtype == torch.float32 and torch.equal(value, before[name]) for name, value in sora.dit.state_dict().items())


@pytest.mark.parametrize("part", ["text", "vae", "dit"])
def test_weighed_is_what_the_file_holds(sora, weights, part):
    learned, stored = weigh(getattr(sora, part))
    file = weights / part / "model.safetensors"
    assert stored == sum(t.nbytes for t in load_file(file).values()) < file.stat().st_size
    assert learned == sum(p.numel() for p in getattr(sora, part).parameters())


def test_a_card_without_records_says_so(sora, tmp_path):
    sora.save_pretrained(tmp_path)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "Nothing has been measured" in text and "%" not in text and "17 frames of 32×32 pixels" in text and "black, navy" in text


def test_a_card_shows_records_as_they_are(sora):
    record = dict(id="x", value=98.4, unit="%", n=500, interval=[96.87, 99.19], command="measure it")
    text = model_card(sora, [("prompts that are followed", record), ("time", record | dict(interval=None, unit="s"))], "By hand.")
    assert "| prompts that are followed | 98.4 % | 96.87 to 99.19 | 500 | `measure it` |" in text and "| time | 98.4 s |  | 500 |" in text
    assert "By hand." in text and "Nothing has been measured" not in text


def test_the_shipped_card_in_step():
    assert card() == (ROOT / "data/weights/README.md").read_text(encoding="utf-8"), "run make readme"


# --- what the chapter says of others --------------------------------------------------------------

@pytest.mark.parametrize("model, billions", [("CogVideoXTransformer3DModel", 1.69), ("AutoencoderKLCogVideoX", .22), ("WanTransformer3DModel", 14.3), ("AutoencoderKLWan", .13),
                                             ("HunyuanVideoTransformer3DModel", 12.8), ("AutoencoderKLHunyuanVideo", .25)])
def test_sizes_of_other_systems(model, billions):
    diffusers = pytest.importorskip("diffusers")
    with torch.device("meta"): network = getattr(diffusers, model)()
    assert float(f"{sum(p.numel() for p in network.parameters()) / 1e9:.{2 if billions < 2 else 1}f}") == billions


# --- weights -------------------------------------------------------------------------------------

def refused(folder, error, *words):
    """Loading fails with one error that holds these words."""
    with pytest.raises(error) as caught: Sora.from_pretrained(folder)
    message = str(caught.value)
    assert message.startswith("weights: ") and all(str(word) in message for word in words), message


def test_unknown_name(tmp_path):
    refused("nanno", FileNotFoundError, "'nanno'", "expected one of", "sora-edu train")
    refused(tmp_path, FileNotFoundError, tmp_path)


@pytest.mark.fault(11)
@pytest.mark.parametrize("part", ["text", "vae", "dit"])
@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
def test_missing_file(weights, part, file):
    (weights / part / file).unlink()
    refused(weights, FileNotFoundError, weights / part / file, "is missing")


def damaged(how, data):
    return dict(empty=b"", truncated=data[:len(data) // 2], one_byte_short=data[:-1], huge_header=b"\xff" * 8 + data[8:],
                bit_flipped_header=data[:20] + bytes([data[20] ^ 4]) + data[21:], pickle=b"\x80\x04\x95" + data[3:])[how]


@pytest.mark.fault(11)
@pytest.mark.parametrize("how", ["empty", "truncated", "one_byte_short", "huge_header", "bit_flipped_header", "pickle"])
def test_damaged_weights(weights, how):
    file = weights / "dit" / "model.safetensors"
    file.write_bytes(damaged(how, file.read_bytes()))
    refused(weights, ValueError, file, "damaged")


@pytest.mark.fault(11)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite(weights, value):
    file = weights / "vae" / "model.safetensors"
    tensors = load_file(file)
    tensors["to_latent.weight"][1, 2] = value
    save_file(tensors, file)
    refused(weights, ValueError, file, "not finite", "to_latent.weight")


@pytest.mark.fault(11)
@pytest.mark.parametrize("change", ["a tensor too few", "a tensor too many"])
def test_weights_of_another_make(weights, change):
    file = weights / "text" / "model.safetensors"
    tensors = load_file(file)
    if change == "a tensor too few": tensors.pop("places")
    else: tensors["extra"] = torch.zeros(1)
    save_file(tensors, file)
    refused(weights, ValueError, file, "does not fit")


@pytest.mark.fault(11)
@pytest.mark.parametrize("text", ['{"dim": 64}', "{", "[]", '{"dim": "wide"}'])
def test_wrong_config_of_a_part(weights, text):
    path = weights / "dit" / "config.json"
    path.write_text(text if text != '{"dim": 64}' else json.dumps(json.loads(path.read_text()) | dict(dim=64)))
    refused(weights, ValueError, "dit", "config.json")


@pytest.mark.fault(11)
@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"clip": [17, 32, 32]}'])
def test_wrong_config_of_the_whole(weights, text):
    (weights / "config.json").write_text(text)
    refused(weights, ValueError, weights / "config.json")


@pytest.mark.fault(11)
def test_parts_that_do_not_fit_together(weights):
    TextEncoder(24, 1, 2).half().save_pretrained(weights / "text")
    refused(weights, ValueError, "text_dim")
