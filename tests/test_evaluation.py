"""The judge: right on real clips, worse on worse clips, and exact where no learning is involved."""
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from einops import rearrange
from hypothesis import given, settings
from hypothesis import strategies as st

from sora_edu import evaluation
from sora_edu.evaluation import (CATEGORIES, Judge, Ruler, adherence, agreement, claims, color_masks, cut_out, exam, features, fit, frechet_distance, holds,
                                 interval, is_whole, judge_batches, judge_clips, kernel_distance, marks, record, sit, steadiness, summary, tracks, tubes, verdict)
from sora_edu.pipeline import Sora, load_part
from sora_edu.video import data_path
from sora_edu.world import COLORS, RELATIONS, SHAPES, SIZES, Scene, Thing, World, coverage, ground, parse, split_of

torch.set_num_threads(2)


def real_clips(n: int, **kind):
    """Held-out clips, their truth and their scenes."""
    world = World(split="test", seed=31, **kind)
    items = [world[i] for i in range(n)]
    return torch.stack([video for video, _, _ in items]), [scene.truth() for _, _, scene in items], [scene for _, _, scene in items]


def still(shape="circle", color="red", radius=6.0, row=16.0, column=16.0):
    """One object at rest on black, drawn by hand."""
    thing = Thing(shape, color, "medium", "still", np.tile([row, column, radius, 0.0], (17, 1)))
    return Scene((thing,), None, "black", "still", (17, 32, 32), np.zeros(17)).render()


def mask_of(video, color="red"):
    return color_masks(video[None])[:, list(COLORS).index(color)]


@pytest.fixture(scope="module")
def judge():
    return load_part(Judge, data_path("weights/judge"))


@pytest.fixture(scope="module")
def sora():
    return Sora.from_pretrained("nano")


# --- right on real clips -------------------------------------------------------------------------

def test_judge_is_right_on_held_out_clips(judge):
    videos, truth, _ = real_clips(300)
    shares = summary(judge_clips(judge, videos, truth))
    assert set(shares) == {"all", "whole", "number", "background", "camera", "relation", "shape", "color", "size", "motion"}
    del shares["all"]                                                     # the mark is for each attribute
    assert min(share for share, _ in shares.values()) >= 99, shares


def test_judge_is_right_after_the_autoencoder(judge, sora):
    videos, truth, _ = real_clips(300, backgrounds=tuple(sora.config["backgrounds"]))
    with torch.no_grad(): back = torch.cat([sora.vae.decode(sora.vae.encode(part)) for part in videos.split(50)])
    shares = summary(judge_clips(judge, back, truth))
    del shares["all"]
    assert min(share for share, _ in shares.values()) >= 98, shares


def test_clips_do_not_change_each_other(judge):
    videos, _, _ = real_clips(6)
    together, alone = judge.read(videos), [judge.read(video[None])[0] for video in videos]
    for a, b in zip(together, alone):
        assert a["background"] == b["background"] and a["camera"] == b["camera"] and len(a["things"]) == len(b["things"])
        for x, y in zip(a["things"], b["things"]):
            assert {k: v for k, v in x.items() if isinstance(v, (str, bool))} == {k: v for k, v in y.items() if isinstance(v, (str, bool))}
            assert [x[k] for k in ("row", "column", "radius")] == pytest.approx([y[k] for k in ("row", "column", "radius")], abs=1e-3)


def test_number_colour_place_and_relation_need_no_learning():
    videos, truth, scenes = real_clips(100)
    for reading, named, scene in zip(Judge().eval().read(videos), truth, scenes):                 # random weights
        things = {thing["color"]: thing for thing in reading["things"]}
        assert sorted(things) == sorted(thing.color for thing in scene.things)
        for thing in scene.things:
            assert abs(things[thing.color]["row"] - thing.track[:, 0].mean()) < 1.5
            assert abs(things[thing.color]["column"] - thing.track[:, 1].mean()) < 1.5
        if scene.relation:
            first, second = (things[thing.color] for thing in scene.things)
            opposite = {"above": "below", "below": "above", "left of": "right of", "right of": "left of"}[scene.relation]
            assert holds(scene.relation, first, second) and holds(opposite, second, first)
            assert not holds(opposite, first, second)
            right = verdict(reading, dict(number=2, relation=scene.relation, color0=named["color0"], color1=named["color1"]))
            assert right["number"] and right["relation"] and right["color0"] and right["color1"]


def test_clips_of_other_sizes(judge):
    world = World((33, 64, 64), split="test", seed=3)
    items = [world[i] for i in range(20)]
    verdicts = judge_clips(judge, torch.stack([video for video, _, _ in items]), [scene.truth() for _, _, scene in items])
    shares = summary(verdicts)
    assert shares["number"][0] == shares["color"][0] == 100 and shares["shape"][0] >= 90 and shares["motion"][0] >= 90


# --- worse on worse clips ------------------------------------------------------------------------

def noisy(videos, scenes, strength):
    return (videos + strength * torch.randn(videos.shape, generator=torch.Generator().manual_seed(0))).clamp(-1, 1)


def shuffled(videos, scenes, strength):
    order = torch.arange(videos.shape[2])
    moved = torch.randperm(len(order), generator=torch.Generator().manual_seed(0))[: round(strength * len(order))]
    order[moved] = order[moved.roll(1)]
    return videos[:, :, order]


def recoloured(videos, scenes, strength):
    """The two objects of this share of the scenes exchange their colours."""
    def swap(scene):
        a, b = scene.things
        return replace(scene, things=(replace(a, color=b.color), replace(b, color=a.color)))
    return torch.stack([swap(scene).render() if i < strength * len(scenes) else scene.render() for i, scene in enumerate(scenes)])


def erased(videos, scenes, strength):
    """The left part of each object is painted over with ground."""
    out = videos.clone()
    for video, scene in zip(out, scenes):
        bare = torch.tensor(rearrange(ground(scene.background, scene.shift, scene.size), "f h w c -> c f h w") / 127.5 - 1)
        for thing in scene.things:
            edge = torch.tensor(thing.track[:, 1] + (2.2 * strength - 1.1) * thing.track[:, 2])
            gone = (torch.tensor(coverage(thing, scene.size)) > 0) & (torch.arange(32) + 0.5 < edge[:, None])[:, None]
            video[:] = torch.where(gone, bare, video)
    return out


@pytest.mark.parametrize("damage, strengths, blamed, below", [
    (noisy, [0, 0.2, 0.4, 0.8], "whole", 5),
    (shuffled, [0, 0.25, 0.5, 1], "whole", 50),
    (recoloured, [0, 0.3, 0.6, 1], "color", 50),
    (erased, [0, 0.25, 0.5], "shape", 50),
], ids=["noise", "frames shuffled", "colours swapped", "half erased"])
def test_planted_failures(judge, damage, strengths, blamed, below):
    videos, truth, scenes = real_clips(40, **(dict(objects=(2,)) if damage is recoloured else {}))
    sums = [summary(judge_clips(judge, damage(videos, scenes, strength), truth)) for strength in strengths]
    shares = [s["all"][0] for s in sums]
    assert shares[0] >= 95 and shares == sorted(shares, reverse=True) and shares[-1] < below, shares
    assert sums[-1][blamed][0] < sums[0][blamed][0] - 30, (blamed, sums[-1])


def test_whole_refuses_what_is_broken():
    good = still(column=8)
    empty = good[..., -1:]
    broken = dict(
        cut=torch.cat([good[..., :8], empty.expand(-1, -1, -1, 8), good[..., 8:24]], -1),
        second=torch.maximum(good, good.roll(16, -1)),
        teleports=torch.cat([good[:, :8], good[:, 8:].roll(10, -1)], 1),
        blinks=torch.cat([good[:, :8], empty[:, :1].expand(3, 1, 32, 32), good[:, 9:]], 1),
        swells=torch.cat([still(column=8, radius=4)[:, :8], still(column=8, radius=8)[:, 8:]], 1),
    )
    assert is_whole(mask_of(good)).all()
    assert not any(is_whole(mask_of(video)).item() for video in broken.values())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("radius", [32 * size for size in SIZES.values()])
def test_every_shape_and_size_is_whole(shape, radius):
    assert is_whole(mask_of(still(shape, radius=radius))).all()


# --- geometry ------------------------------------------------------------------------------------

@settings(max_examples=15, deadline=None)
@given(st.sampled_from(list(COLORS)), st.floats(10, 22), st.floats(10, 22), st.floats(4, 8))
def test_tracks_find_a_disc(color, row, column, radius):
    area, y, x, spread = tracks(mask_of(still(color=color, row=row, column=column, radius=radius), color))
    assert (y - row).abs().max() < 0.3 and (x - column).abs().max() < 0.3
    assert ((area / torch.pi).sqrt() - radius).abs().max() < 0.6 and (spread - 1 / (2 * np.pi)).abs().max() < 0.02


def test_masks_agree_with_the_truth():
    videos, _, scenes = real_clips(40, objects=(2,))
    for video, scene in zip(videos, scenes):
        found = torch.stack([mask_of(video, thing.color)[0] for thing in scene.things]) > 0.5
        assert (found != scene.masks()).float().mean() < 0.01


def test_cut_out_forgets_the_place():
    far, near = (mask_of(still(row=row, column=column)) for row, column in ((10, 10), (20, 22)))
    windows = [cut_out(mask, *tracks(mask)[1:3]) for mask in (far, near)]
    assert windows[0].shape == (1, 17, 24, 24)
    torch.testing.assert_close(*windows, atol=1e-2, rtol=0)


def test_a_rim_is_no_object():
    rim = (mask_of(still(radius=9)) - mask_of(still(radius=7.5))).clamp(0, 1)
    orange = torch.tensor(COLORS["orange"]) / 127.5 - 1
    video = still(radius=9) * (1 - rim) + orange[:, None, None, None] * rim
    assert [thing["color"] for thing in Judge().eval().read(video[None])[0]["things"]] == ["red"]


@pytest.mark.parametrize("video", [torch.zeros(1, 3, 17, 32, 32), torch.ones(2, 3, 17, 32, 32), torch.full((1, 3, 17, 32, 32), 245 / 127.5 - 1)],
                         ids=["grey", "white", "exactly the colour white"])
def test_an_empty_clip_has_no_things_and_is_never_right(judge, video):
    for reading in judge.read(video):
        assert reading["things"] == []
        right = verdict(reading, parse("a red circle moves right above a blue square"))
        assert not any(right.values()) and set(right) >= {"whole", "number", "shape0", "color1", "relation"}


# --- verdict -------------------------------------------------------------------------------------

def thing(shape="circle", color="red", motion="right", row=8.0, **other):
    return dict(shape=shape, color=color, size="small", motion=motion, row=row, column=16.0, radius=4.0, whole=True) | other


PROMPT = "a red circle moves right above a blue square"
CIRCLE, SQUARE = thing(), thing("square", "blue", "still", 24.0)


def wrong(things, prompt=PROMPT, **scene):
    """The attributes the verdict calls wrong."""
    reading = dict(background="black", camera="still") | scene | dict(things=things)
    return {key for key, right in verdict(reading, parse(prompt)).items() if not right}


@pytest.mark.parametrize("things, expected", [
    ([CIRCLE, SQUARE], set()),
    ([SQUARE, CIRCLE], set()),                                            # the order of a reading means nothing
    ([CIRCLE], {"number", "relation", "shape1", "color1"}),
    ([], {"whole", "number", "relation", "shape0", "color0", "motion0", "shape1", "color1"}),
    ([CIRCLE, SQUARE, thing(color="green", row=16.0)], {"number"}),
    ([CIRCLE | dict(color="green"), SQUARE], {"color0"}),
    ([CIRCLE | dict(whole=False), SQUARE], {"whole"}),
    ([CIRCLE | dict(row=24.0), SQUARE | dict(row=8.0)], {"relation"}),
    ([CIRCLE | dict(row=20.0), SQUARE], {"relation"}),                    # 4 pixels above, 4.8 are needed
    ([CIRCLE | dict(color="blue"), SQUARE | dict(color="red")], {"color0", "color1"}),
    ([CIRCLE | dict(size="large"), SQUARE], set()),                       # no size was asked for
])
def test_verdict_on_readings_made_by_hand(things, expected):
    assert wrong(things) == expected


def test_verdict_on_the_scene():
    prompt = "a small red circle moves right on a black background, the camera pans left"
    assert wrong([CIRCLE], prompt) == {"camera"}
    assert wrong([CIRCLE], prompt, camera="pans left", background="navy") == {"background"}


@pytest.mark.parametrize("relation", RELATIONS)
def test_relations(relation):
    middle, step = thing(row=16.0, column=16.0), dict(above=(-8, 0), below=(8, 0)) | {"left of": (0, -8), "right of": (0, 8)}
    moved = thing(row=16.0 + step[relation][0], column=16.0 + step[relation][1])
    assert [name for name in RELATIONS if holds(name, moved, middle)] == [relation]


def test_summary_counts():
    verdicts = [dict(whole=True, shape0=True, shape1=False), dict(whole=True, shape0=True)]
    assert summary(verdicts) == {"all": (50, 2), "whole": (100, 2), "shape": (pytest.approx(200 / 3), 3)}


def test_verdicts_and_clips_are_counted(judge):
    with pytest.raises(ValueError, match="named: expected .* 2 clips, got 1"): judge_clips(judge, torch.zeros(2, 3, 17, 32, 32), [{}])
    with pytest.raises(ValueError, match=r"video: expected \(b, 3, f, h, w\)"): judge.read(torch.zeros(3, 17, 32, 32))


# --- interval ------------------------------------------------------------------------------------

@pytest.mark.parametrize("n", [1, 10, 500])
def test_interval_closed_forms(n):
    z2 = 1.96**2
    assert interval(100, n) == pytest.approx([100 * n / (n + z2), 100], abs=0.006)                # at the ends the root is z² / 2n
    assert interval(0, n) == pytest.approx([0, 100 * z2 / (n + z2)], abs=0.006)
    half = 100 * 0.5 * (z2 / (n + z2)) ** 0.5                                                     # in the middle it is symmetric
    assert interval(50, n) == pytest.approx([50 - half, 50 + half], abs=0.006)


@settings(max_examples=30)
@given(st.integers(1, 3000), st.floats(0, 1))
def test_interval_ends_solve_the_score_equation(n, share):
    """Wilson's interval holds every p with |share - p| <= z sqrt(p (1 - p) / n), so its ends make that an equation."""
    ends = interval(100 * share, n)
    assert 0 <= ends[0] <= 100 * share + 0.006 and 100 * share - 0.006 <= ends[1] <= 100
    for end in ends:
        p = end / 100
        assert abs(abs(share - p) - 1.96 * (p * (1 - p) / n) ** 0.5) < 5e-3 + 100 / n * 1e-2 * (p * (1 - p) < 0.01)


@pytest.mark.parametrize("percent, n", [(50, 0), (101, 5), (-1, 5)])
def test_interval_refuses_nonsense(percent, n):
    with pytest.raises(ValueError, match="interval"): interval(percent, n)


# --- adherence, training, records ----------------------------------------------------------------

class Perfect:
    """Stands for a model that draws exactly what each prompt of the split describes."""
    config = dict(clip=(17, 32, 32), backgrounds=("black", "navy"))

    def __call__(self, prompts, seed):
        world = World((17, 32, 32), seed=77, split="test", objects=(2,), backgrounds=("black", "navy"))
        clips = [world[seed + i] for i in range(len(prompts))]
        assert [caption for _, caption, _ in clips] == prompts
        return torch.stack([video for video, _, _ in clips])


def test_adherence_of_a_perfect_and_of_a_blind_model(judge):
    heard = []
    prompts, videos, verdicts = adherence(Perfect(), judge, 40, objects=2, tick=heard.append)
    assert len(prompts) == len(verdicts) == 40 and videos.shape == (40, 3, 17, 32, 32) and heard == [32, 40]
    assert summary(verdicts)["all"][0] >= 97 and all({"number", "relation", "whole"} <= set(v) for v in verdicts)
    blind = summary(judge_clips(judge, videos.roll(1, 0), [parse(prompt) for prompt in prompts]))
    assert blind["all"][0] <= 5 and blind["number"][0] == 100
    with pytest.raises(ValueError, match="n: expected at least 1"): adherence(Perfect(), judge, 0, objects=2)


def test_loss_reaches_every_parameter():
    torch.manual_seed(0)
    model = Judge()
    model.loss(*judge_batches(16, seed=5)(torch.Generator().manual_seed(0))).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_batches_depend_on_nothing_but_the_generator():
    draw = judge_batches(16, seed=5)
    first, second = (draw(torch.Generator().manual_seed(1)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second))
    assert first[0].dtype == torch.uint8 and first[0].shape == (64, 3, 17, 32, 32) and len(first[1]) == len(first[2]) == len(first[4])


def test_record_replaces_by_id(tmp_path, monkeypatch):
    monkeypatch.setattr(evaluation, "data_path", lambda *parts: tmp_path.joinpath(*parts))
    record("exam", "b", 50, "%", 20, [29.93, 70.07], "first")
    record("exam", "a", 1.23456, "s", 3, None, "other")
    record("exam", "b", torch.tensor(75.0), "%", 40, interval(75, 40), "second")
    rows = json.loads((tmp_path / "results" / "exam.json").read_text())
    assert [(row["id"], row["value"], row["command"]) for row in rows] == [("a", 1.2346, "other"), ("b", 75.0, "second")]
    assert all(list(row) == ["id", "value", "unit", "n", "interval", "command", "commit", "machine", "load", "date"] for row in rows)


def test_record_without_git(tmp_path, monkeypatch):
    monkeypatch.setattr(evaluation, "data_path", lambda *parts: tmp_path.joinpath(*parts))
    monkeypatch.setenv("PATH", str(tmp_path))
    record("exam", "a", 1, "", 1, None, "none")
    assert json.loads((tmp_path / "results" / "exam.json").read_text())[0]["commit"] == ""


# --- the ruler -----------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def ruler(): return Ruler()


def test_ruler_is_right_on_held_out_clips_and_agrees_with_the_judge(judge, ruler):
    videos, truth, _ = real_clips(100)
    ours, theirs = (reader.read(videos) for reader in (ruler, judge))
    shares = summary([verdict(reading, named) for reading, named in zip(ours, truth)])
    assert min(share for share, _ in shares.values()) >= 98, shares
    alike = summary([agreement(*two) for two in zip(theirs, ours)])
    assert alike["all"][0] >= 97, alike


def test_ruler_is_right_after_the_autoencoder(ruler, sora):
    videos, truth, _ = real_clips(60, backgrounds=tuple(sora.config["backgrounds"]))
    shares = summary(judge_clips(ruler, sora.vae.decode(sora.vae.encode(videos)), truth))
    assert min(share for share, _ in shares.values()) >= 93, shares


@pytest.mark.parametrize("size", [(33, 64, 64), (9, 32, 32)])
def test_ruler_on_clips_of_other_sizes(ruler, size):
    items = [World(size, split="test", seed=3, backgrounds=("black", "gray"))[i] for i in range(10)]
    shares = summary(judge_clips(ruler, torch.stack([video for video, _, _ in items]), [scene.truth() for _, _, scene in items]))
    assert shares["number"][0] == shares["color"][0] == 100 and shares["shape"][0] >= 90


@pytest.mark.parametrize("damage, strengths", [(noisy, [0, 0.3, 0.8]), (erased, [0, 0.25, 0.5])], ids=["noise", "half erased"])
def test_planted_failures_with_the_ruler(ruler, damage, strengths):
    videos, truth, scenes = real_clips(24)
    shares = [summary(judge_clips(ruler, damage(videos, scenes, strength), truth))["all"][0] for strength in strengths]
    assert shares[0] >= 95 and shares == sorted(shares, reverse=True) and shares[-1] < 50, shares


def morphed(videos, scenes, strength):
    """Another shape is blended in, more and more towards the end."""
    other = [replace(s, things=tuple(replace(t, shape=SHAPES[SHAPES.index(t.shape) - 1]) for t in s.things)) for s in scenes]
    weight = strength * torch.linspace(0, 1, videos.shape[2])[:, None, None]
    return (1 - weight) * videos + weight * torch.stack([s.render() for s in other])


def test_the_ruler_sees_what_the_judge_misses(judge, ruler):
    videos, truth, scenes = real_clips(30)
    counts = [[summary(judge_clips(reader, morphed(videos, scenes, s), truth))["whole"][0] for s in (0, 0.5, 1)] for reader in (judge, ruler)]
    assert counts[1] == sorted(counts[1], reverse=True) and counts[1][-1] < counts[0][-1] - 30, counts


def test_what_is_broken_is_not_whole_for_the_ruler(ruler):
    good = still(column=8)
    empty = good[..., -1:]
    broken = dict(cut=torch.cat([good[..., :8], empty.expand(-1, -1, -1, 8), good[..., 8:24]], -1), teleports=torch.cat([good[:, :8], good[:, 8:].roll(14, -1)], 1),
                  blinks=torch.cat([good[:, :8], empty[:, :2].expand(3, 2, 32, 32), good[:, 10:]], 1))
    right = [verdict(reading, dict(number=1)) for reading in ruler.read(torch.stack([good, *broken.values()]))]
    assert [all(r.values()) for r in right] == [True, False, False, False]


@pytest.mark.parametrize("video", [torch.zeros(1, 3, 17, 32, 32), torch.ones(1, 3, 17, 32, 32), torch.full((1, 3, 17, 32, 32), -1.0), torch.randn(1, 3, 17, 32, 32, generator=torch.Generator().manual_seed(0))],
                         ids=["grey", "white", "black", "noise"])
def test_the_ruler_survives_clips_of_nothing(ruler, video):
    for reading in ruler.read(video): assert not all(verdict(reading, parse("a red circle moves right")).values())
    with pytest.raises(ValueError, match="video: expected"): ruler.read(video[0])


def test_two_things_of_one_colour_are_two(judge, ruler):
    two = torch.maximum(still(column=8), still(column=24))[None]
    assert len(ruler.read(two)[0]["things"]) == 2 and len(judge.read(two)[0]["things"]) == 1


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(SHAPES), st.sampled_from([4.8, 6.56, 8.96]), st.floats(12, 20), st.floats(12, 20))
def test_fit_finds_shape_and_radius(shape, radius, row, column):
    mask = mask_of(still(shape, radius=radius, row=row, column=column))
    _, y, x, _ = tracks(mask)
    found, _, r, turn = fit(mask, y, x)
    assert SHAPES[found] == shape and (r - radius).abs().max() < 0.6 and turn.abs().max() < 0.3
    thing, = Ruler().read(still(shape, radius=radius, row=row, column=column)[None])[0]["things"]      # its own mask is finer than the judge's
    assert thing["shape"] == shape and thing["misfit"] < Ruler.MISFIT and thing["whole"]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.05, 0.3))
def test_tubes_do_not_depend_on_the_direction_of_an_axis(seed, share):
    inside = torch.rand(2, 3, 5, 7, generator=torch.Generator().manual_seed(seed)) < share
    label = tubes(inside)
    assert torch.equal(label > 0, inside)
    for axis in (1, 2, 3):
        turned = tubes(inside.flip(axis)).flip(axis)
        pairs = torch.stack([label[inside], turned[inside]], 1).unique(dim=0)
        assert len(pairs) == len(label[inside].unique()) == len(turned[inside].unique())


def test_claims_are_the_truth_where_a_reading_is_right(ruler):
    videos, truth, scenes = real_clips(8, objects=(1,))
    assert [claims(reading) for reading in ruler.read(videos)] == truth


def test_agreement_is_about_both_readings():
    one, other = (dict(background="black", camera="still", things=[thing(**kind)]) for kind in ({}, dict(whole=False)))
    assert all(agreement(one, one).values()) and not agreement(one, other)["whole"] and not agreement(other, one)["whole"]
    assert all(agreement(other, other).values())


# --- the exam ------------------------------------------------------------------------------------

def test_the_answer_key_passes_and_another_answer_fails(ruler):
    questions = exam(10)
    key = torch.stack([q.scene.render() for q in questions])
    passed = marks(questions, judge_clips(ruler, key, [q.asked for q in questions]))
    assert set(passed) == set(CATEGORIES) and all(n == 10 and share >= 90 for share, n in passed.values()), passed
    shares = []
    for exchanged in (0, 4, 10):                                          # planted: this many answers of each category go to the wrong question
        order = torch.arange(len(key)).reshape(-1, 10)
        order[:, :exchanged] = order[:, :exchanged].roll(1, 1)
        shares.append(sum(all(v.values()) for v in judge_clips(ruler, key[order.flatten()], [q.asked for q in questions])))
    assert shares == sorted(shares, reverse=True) and shares[-1] < shares[0] / 2, shares


def test_questions_are_always_the_same_and_ask_what_they_say():
    first, again, other = exam(6), exam(6), exam(6, seed=1)
    assert [(q.prompt, q.asked) for q in first] == [(q.prompt, q.asked) for q in again] != [(q.prompt, q.asked) for q in other]
    assert {q.length for q in first} == {"terse", "normal", "descriptive"} and len({q.prompt for q in first}) > 35
    for q in first:
        assert {key.rstrip("01") for key in q.asked} <= set(CATEGORIES[q.category])
        if q.category not in ("event order", "counting"):
            said = parse(q.prompt)
            assert all(said.get(key, value) == value for key, value in q.asked.items()), (q.prompt, q.asked)
            assert split_of(q.scene.things[0].shape, q.scene.things[0].color, q.scene.things[0].motion) == "test"
    assert [len(q.scene.things) for q in first if q.category == "counting"] == [1, 2, 3, 4, 5, 1]
    with pytest.raises(ValueError, match="n: expected at least 1"): exam(0)


def test_the_exam_at_another_size():
    for q in exam(3, size=(9, 48, 64)): assert q.scene.render().shape == (3, 9, 48, 64)


def test_sitting_an_exam_is_quiet(recwarn):
    class Model:
        def __call__(self, prompts, seed):
            import warnings
            warnings.warn("unknown word")
            return torch.zeros(len(prompts), 3, 17, 32, 32)
    heard = []
    assert sit(Model(), exam(5), heard.append).shape[0] == 35 and heard == [32, 35] and not [w for w in recwarn if "unknown" in str(w.message)]


# --- distances and steadiness --------------------------------------------------------------------

@settings(max_examples=15, deadline=None)
@given(st.integers(2, 30), st.integers(2, 30), st.integers(1, 8), st.integers(0, 10**6))
def test_distances_are_those_of_torchmetrics(n, m, d, seed):
    from torchmetrics.image.fid import _compute_fid
    from torchmetrics.image.kid import poly_mmd
    generator = torch.Generator().manual_seed(seed)
    a, b = torch.randn(n, d, generator=generator).double(), torch.randn(m, d, generator=generator).double() * 2 + 1
    if n > d and m > d:
        theirs = _compute_fid(a.mean(0), a.T.cov().reshape(d, d), b.mean(0), b.T.cov().reshape(d, d))
        torch.testing.assert_close(frechet_distance(a, b), theirs, rtol=1e-6, atol=1e-6)
    assert frechet_distance(a, b) >= -1e-6 and torch.isclose(frechet_distance(a, b), frechet_distance(b, a), atol=1e-6)
    same = min(n, m)
    torch.testing.assert_close(kernel_distance(a[:same], b[:same]), poly_mmd(a[:same], b[:same]), rtol=1e-9, atol=1e-9)


def test_distances_rise_with_damage_and_do_not_see_prompts(judge):
    videos, _, scenes = real_clips(80)
    real = features(judge, videos)
    for damage, strengths in ((noisy, [0, 0.1, 0.2, 0.4]), (shuffled, [0, 0.3, 1])):
        for distance in (frechet_distance, kernel_distance):
            found = [distance(real, features(judge, damage(videos, scenes, s))).item() for s in strengths]
            assert found == sorted(found) and found[-1] > found[0], (damage, distance, found)
    assert abs(frechet_distance(real, features(judge, videos.roll(1, 0)))) < 1e-6


def test_each_measure_of_steadiness_rises_with_its_own_damage(ruler):
    videos, _, scenes = real_clips(16, backgrounds=("black", "navy"))
    dice = torch.Generator().manual_seed(0)
    light, hue, by = torch.randn(17, 1, 1, generator=dice), torch.randn(3, 17, 1, 1, generator=dice), torch.randn(17, 2, generator=dice)
    damages = dict(flicker=(lambda s: (videos + s * light).clamp(-1, 1), [0, 0.03, 0.1]),
                   tint=(lambda s: torch.stack([(v + s * hue * scene.masks().any(0)).clamp(-1, 1) for v, scene in zip(videos, scenes)]), [0, 0.05, 0.12]),
                   misfit=(lambda s: morphed(videos, scenes, s), [0, 0.5, 1]),
                   jerk=(lambda s: torch.stack([frame.roll(tuple((s * b).round().int().tolist()), (-2, -1)) for frame, b in zip(videos.unbind(2), by)], 2), [0, 1, 2]))
    for key, (damage, strengths) in damages.items():
        found = [steadiness(ruler.read(damage(s)))[key] for s in strengths]
        assert found == sorted(found) and found[-1] > 1.5 * found[0], (key, found)
    assert all(np.isnan(steadiness(ruler.read(torch.zeros(1, 3, 17, 32, 32)))[key]) for key in ("tint", "misfit", "jerk"))
