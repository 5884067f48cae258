"""Properties, comparisons and faults of sora_edu.world."""
import math
from itertools import islice, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sora_edu.world import (BACKGROUNDS, CAMERAS, COLORS, LENGTHS, MOTIONS, RELATIONS, SHAPES, SIZES, SOFT, SPLITS, WORDS,
                            Scene, Thing, World, coverage, describe, ground, parse, path, place, signed_distance, split_of)

quick = settings(max_examples=40, deadline=None)
wild = st.text(st.characters(exclude_categories=()))      # lone surrogates and control characters too
SECOND_RESTS = {("motion1", "still")}                     # no caption says it


def scenes(n, size=(17, 32, 32), **arguments):
    world = World(size, **arguments)
    return [world.scene(i) for i in range(n)]


def centres(mask):
    "Mean row and column of each frame of a mask f h w, in pixels."
    return np.stack([frame.nonzero().double().mean(0).numpy() + .5 for frame in mask])


def triple(thing):
    return thing.shape, thing.color, thing.motion


# --- captions ------------------------------------------------------------------------------------

@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("split", SPLITS)
def test_a_caption_parses_to_the_truth(split, length):
    for scene, caption in scenes(500, (1, 32, 32), split=split, lengths=(length,)):
        truth, read = scene.truth(), parse(caption)
        assert read.items() <= truth.items(), caption
        left_out = {key.rstrip("01") for key in truth.keys() - read.keys()}
        may = {"terse": {"size", "background", "camera"}, "normal": {"background", "camera"}, "descriptive": set()}[length]
        assert left_out <= may | {"motion"}, caption
        assert "camera" in read or scene.camera == "still", caption
        if length == "descriptive":
            assert truth.items() - read.items() <= SECOND_RESTS, caption


def test_every_phrase_is_used_and_means_one_thing():
    text = " ".join(f" {caption} ".replace(",", "") for _, caption in scenes(4000, (1, 32, 32)))
    for kind, ways in WORDS.items():
        phrases = [phrase for several in ways.values() for phrase in several]
        assert len(set(phrases)) == len(phrases)
        for value, several in ways.items():
            for phrase in several:
                assert f" {phrase} " in text, phrase
                key = kind if kind in ("background", "camera", "relation") else f"{kind}0"
                assert parse(phrase).get(key) == value, phrase


def test_normal_captions_name_the_background_about_half_of_the_time():
    named = ["background" in parse(caption) for _, caption in scenes(1000, (1, 32, 32), lengths=("normal",))]
    assert .4 < np.mean(named) < .6


@quick
@given(wild)
def test_parse_reads_any_text(text):
    keys = {f"{kind}{i}" for kind in ("shape", "color", "size", "motion") for i in (0, 1)}
    assert parse(text).keys() <= keys | {"number", "background", "camera", "relation"}


def test_parse_ignores_case_and_punctuation_but_not_the_order():
    assert parse("A RED, circle!!\nbounces…") == dict(shape0="circle", color0="red", motion0="bounces", number=1)
    swapped = parse("a blue square rests below a red disc"), parse("a red disc rests below a blue square")
    assert swapped[0]["color0"] == swapped[1]["color1"] == "blue"


def test_a_still_camera_is_no_still_object():
    assert "motion0" not in parse("a red circle, the camera stays still")


def test_parse_says_nothing_about_nothing():
    assert parse("") == {} and parse("a dog barks") == {}


# --- splits --------------------------------------------------------------------------------------

@pytest.mark.parametrize("split", SPLITS)
def test_scenes_belong_to_their_split(split):
    for scene, _ in scenes(1500, (1, 32, 32), split=split):
        assert split_of(*triple(scene.things[0])) == split
        assert all(split_of(*triple(thing)) == "train" for thing in scene.things[1:])


def test_held_out_triples_never_occur_in_training():
    seen = {triple(thing) for scene, _ in scenes(4000, (1, 32, 32)) for thing in scene.things}
    held_out = {t for t in product(SHAPES, COLORS, MOTIONS) if split_of(*t) != "train"}
    assert not seen & held_out
    drawn = {t for t in product(SHAPES, COLORS, MOTIONS) if t[::2] != ("circle", "spins")} - held_out
    assert seen == drawn                                   # and everything else does


def test_every_part_of_a_held_out_triple_is_known():
    train = {t for t in product(SHAPES, COLORS, MOTIONS) if split_of(*t) == "train" and t[::2] != ("circle", "spins")}
    for shape, color, motion in product(SHAPES, COLORS, MOTIONS):
        if (shape, motion) == ("circle", "spins"): continue
        assert any(t[:2] == (shape, color) for t in train)
        assert any(t[1:] == (color, motion) for t in train)
        assert any(t[::2] == (shape, motion) for t in train)


def test_each_split_holds_one_colour_of_each_shape_and_motion():
    for shape, motion in product(SHAPES, MOTIONS):
        kinds = [split_of(shape, color, motion) for color in COLORS]
        assert kinds.count("test") == kinds.count("val") == 1


# --- geometry ------------------------------------------------------------------------------------

@pytest.mark.parametrize("size", [(17, 32, 32), (9, 24, 64), (9, 64, 16), (1, 8, 8)])
def test_objects_stay_inside_the_frame(size):
    _, h, w = size
    for scene, _ in scenes(300, size):
        for thing in scene.things:
            y, x, r, _ = thing.track.T
            reach = 1.1 * r - 1e-9
            assert (y >= reach).all() and (y <= h - reach).all() and (x >= reach).all() and (x <= w - reach).all()


@pytest.mark.parametrize("split", SPLITS)
def test_a_relation_holds_in_every_frame(split):
    for scene, _ in scenes(150, (9, 32, 32), objects=(2,), split=split):
        first, second = scene.masks()
        axis = 0 if scene.relation in ("above", "below") else 1
        gap = (centres(second) - centres(first))[:, axis]
        assert (gap > 0).all() if scene.relation in ("above", "left of") else (gap < 0).all()
        assert not (first & second).any()                  # nothing hides anything


def test_two_objects_differ_in_colour_and_the_second_rests():
    for scene, _ in scenes(500, (1, 32, 32), objects=(2,)):
        first, second = scene.things
        assert first.color != second.color and second.motion == "still" and scene.relation in RELATIONS


def test_masks_agree_with_tracks():
    for scene, _ in scenes(150, (9, 48, 48)):
        for thing, mask in zip(scene.things, scene.masks(), strict=True):
            off = np.abs(centres(mask) - thing.track[:, :2])
            assert off.max() < .6 + .05 * thing.track[:, 2].max()   # a corner may reach out of the frame and be cut


def test_pixels_agree_with_masks():
    for scene, _ in scenes(150, (5, 32, 32)):
        bytes_ = (scene.render() + 1) * 127.5
        cover = [torch.from_numpy(coverage(thing, scene.size)) for thing in scene.things]
        for thing, mask, a in zip(scene.things, scene.masks(), cover):
            assert (a[mask] > .5).all() and (a[~mask] <= .5).all() and mask.flatten(1).any(1).all()
            others = sum(other for other in cover if other is not a) + torch.zeros_like(a)
            full = (a == 1) & (others == 0)
            assert torch.allclose(bytes_[:, full], torch.tensor(COLORS[thing.color]).float()[:, None], atol=1e-3)
        bare = torch.stack(cover).amax(0) == 0
        behind = torch.from_numpy(ground(scene.background, scene.shift, scene.size).copy()).permute(3, 0, 1, 2)
        assert torch.allclose(bytes_[:, bare], behind[:, bare], atol=1e-3)


@pytest.mark.parametrize("shape, area", [("circle", math.pi), ("square", 1.7 ** 2), ("triangle", 1.2 ** 2 * 3 * 3 ** .5 / 4),
                                         ("cross", 2 * 2.1 * .72 - .72 ** 2)])
@pytest.mark.parametrize("angle", [0, .5])
def test_areas(shape, area, angle):
    thing = Thing(shape, "red", "large", "still", np.array([[128, 128, 100, angle]]))
    assert (coverage(thing, (1, 256, 256)) > .5).sum() == pytest.approx(area * 100 ** 2, rel=.02)


@pytest.mark.parametrize("shape", SHAPES)
def test_an_edge_is_soft(shape):
    thing = Thing(shape, "red", "large", "still", np.array([[64, 64, 40, 0]]))
    row = coverage(thing, (1, 128, 128))[0, 64]
    assert np.abs(np.diff(row)).max() <= 1.001 / SOFT       # from pixel to pixel, never more than the slope of the edge


def test_signed_distance_of_a_circle_is_the_distance():
    u, v = np.random.default_rng(0).normal(size=(2, 100))
    assert np.allclose(signed_distance("circle", u, v), [math.dist((a, b), (0, 0)) - 1 for a, b in zip(u, v)])


def moved(motion, f=17):
    "Centre (f, 2) and area (f) of a triangle that moves, both read off its mask."
    track = (path(motion, f, np.random.default_rng(1)) + [.5, .5, 0, 0]) * [128, 128, 12, 1]
    thing = Thing("triangle", "red", "small", motion, track)
    mask = Scene((thing,), None, "black", "still", (f, 128, 128), np.zeros(f)).masks()[0]
    return centres(mask), mask.sum((1, 2)).double().numpy()


@pytest.mark.parametrize("motion, axis, sign", [("left", 1, -1), ("right", 1, 1), ("up", 0, -1), ("down", 0, 1)])
def test_straight_motions(motion, axis, sign):
    centre, area = moved(motion)
    assert (sign * np.diff(centre[:, axis]) > 0).all()
    assert np.ptp(centre[:, 1 - axis]) < 1 and np.ptp(area) < .15 * area.mean()


def test_other_motions():
    around, _ = moved("circles")
    assert np.abs(around[0] - around[-1]).max() < 1 and (np.ptp(around, axis=0) > 40).all()
    height = moved("bounces")[0][:, 0]
    assert (np.diff(np.sign(np.diff(height))) > 0).sum() == 2                 # two peaks (rows count downwards)
    assert (np.diff(moved("grows")[1]) > 0).all() and (np.diff(moved("shrinks")[1]) < 0).all()
    for motion in ("spins", "still"):
        assert np.ptp(moved(motion)[0], axis=0).max() < 1


VISIBLE = [(shape, motion) for shape, motion in product(SHAPES, MOTIONS) if motion != "still" and (shape, motion) != ("circle", "spins")]


@pytest.mark.parametrize("shape, motion", VISIBLE)
@pytest.mark.parametrize("frames", [9, 17])
def test_every_motion_shows_from_nine_frames(shape, motion, frames):
    track = (path(motion, frames, np.random.default_rng(0)) + [.5, .5, 0, 0]) * [32, 32, SIZES["small"] * 32, 1]
    thing = Thing(shape, "red", "small", motion, track)
    video = Scene((thing,), None, "black", "still", (frames, 32, 32), np.zeros(frames)).render()
    assert (video - video[:, :1]).abs().amax() > .3


@pytest.mark.parametrize("camera", CAMERAS[1:])
def test_a_panning_camera_carries_resting_objects_along_with_the_ground(camera):
    world = World((9, 32, 32), objects=(1,), backgrounds=("checkered",))
    drawn = (world.scene(i)[0] for i in range(5000))
    found = list(islice((s for s in drawn if (s.camera, s.things[0].motion) == (camera, "still")), 5))
    assert len(found) == 5
    for scene in found:
        assert np.allclose(np.diff(scene.things[0].track[:, 1]), -np.diff(scene.shift))
        assert scene.shift[0] == 0 and np.sign(scene.shift[-1]) == (1 if camera == "pans right" else -1)


def test_the_ground_moves_against_the_camera():
    still, moved_on = ground("checkered", np.array([0., 3.]), (2, 32, 32))
    assert np.allclose(still[:, 3:], moved_on[:, :-3])


def test_the_camera_pans_only_over_textures():
    pans = {scene.background for scene, _ in scenes(1000, (1, 32, 32)) if scene.camera != "still"}
    assert pans == {"striped", "checkered"}


def test_place_refuses_what_does_not_fit():
    rng = np.random.default_rng(0)
    still = path("still", 3, rng)
    assert place([still], [.5], None, (1, 1), rng) is None
    assert place([still, still], [.28, .28], "above", (1, 1), rng) is None
    assert place([still, still], [.28, .28], "above", (2, 1), rng) is not None


# --- the data set --------------------------------------------------------------------------------

def test_same_seed_and_index_same_clip_in_any_order():
    forward = [World((3, 16, 16), seed=5)[i] for i in range(20)]
    world = World((3, 16, 16), seed=5)
    for i in reversed(range(20)):
        video, caption, scene = world[i]
        assert torch.equal(video, forward[i][0]) and (caption, scene.truth()) == (forward[i][1], forward[i][2].truth())


def test_seed_split_and_index_all_change_the_clip():
    captions = [[caption for _, caption in scenes(50, (1, 16, 16), seed=seed, split=split)] for seed, split in product((0, 1), SPLITS)]
    assert all(sum(a == b for a, b in zip(one, other)) < 5 for k, one in enumerate(captions) for other in captions[:k])
    assert all(len(set(some)) > 45 for some in captions)


def test_integers_of_all_kinds_are_the_same_index():
    world = World((1, 16, 16))
    for seven in (np.int64(7), np.uint8(7), torch.tensor(7)):
        assert world[seven][1] == world[7][1] and torch.equal(world[seven][0], world[7][0])


@quick
@given(st.tuples(st.integers(1, 9), st.integers(8, 40), st.integers(8, 40)), st.integers(0, 10 ** 6))
def test_any_size(size, i):
    video, caption, scene = World(size)[i]
    assert video.shape == (3, *size) and video.dtype == torch.float32 and scene.size == size
    assert video.min() >= -1 and video.max() <= 1
    assert scene.masks().shape == (len(scene.things), *size) and scene.masks().flatten(1).any(1).all()
    assert all(thing.track.shape == (size[0], 4) for thing in scene.things)


def test_a_clip_tells_the_same_story_at_any_resolution_and_duration():
    for i in range(30):
        (small, caption), (large, same) = World((5, 16, 16)).scene(i), World((9, 48, 48)).scene(i)
        assert caption == same and small.truth() == large.truth()
        for a, b in zip(small.things, large.things):
            assert np.allclose(a.track * [3, 3, 3, 1], b.track[::2])


def test_choices_are_kept():
    for scene, caption in scenes(200, (1, 16, 16), objects=(1,), backgrounds=("black", "striped"), lengths=("descriptive",)):
        assert len(scene.things) == 1 and scene.background in ("black", "striped") and "background" in parse(caption)
    assert {len(scene.things) for scene, _ in scenes(100, (1, 16, 16))} == {1, 2}


def test_everything_is_drawn():
    truths = [scene.truth() for scene, _ in scenes(2000, (1, 32, 32))]
    for key, known in dict(shape0=SHAPES, color0=COLORS, size0=SIZES, motion0=MOTIONS, background=BACKGROUNDS, camera=CAMERAS,
                           relation=RELATIONS, shape1=SHAPES, color1=COLORS).items():
        assert {truth[key] for truth in truths if key in truth} == set(known), key


# --- faults --------------------------------------------------------------------------------------

@pytest.mark.parametrize("arguments, error, words", [
    (dict(split="tset"), ValueError, "split.*mean test"),
    (dict(split=None), ValueError, "split"),
    (dict(backgrounds=["blakc"]), ValueError, "backgrounds.*mean black"),
    (dict(backgrounds=()), ValueError, "backgrounds"),
    (dict(lengths="terse"), ValueError, "lengths.*tuple"),
    (dict(objects=2), ValueError, "objects.*tuple"),
    (dict(objects=(3,)), ValueError, "objects"),
    (dict(objects=([1],)), ValueError, "objects"),
    (dict(size=32), ValueError, "size"),
    (dict(size=(32, 32)), ValueError, "size"),
    (dict(size=(0, 32, 32)), ValueError, "size"),
    (dict(size=(5, 7, 32)), ValueError, "size"),
    (dict(size=(5, 32., 32)), ValueError, "size"),
    (dict(seed=-1), ValueError, "seed"),
    (dict(seed=1.5), TypeError, "seed"),
    (dict(seed="1"), TypeError, "seed")])
def test_wrong_arguments(arguments, error, words):
    with pytest.raises(error, match=words):
        World(**arguments)


@pytest.mark.parametrize("index, error", [(-1, ValueError), (1.5, TypeError), ("3", TypeError), (None, TypeError), (slice(2), TypeError)])
def test_wrong_index(index, error):
    with pytest.raises(error, match="index"):
        World((1, 16, 16))[index]


@pytest.mark.parametrize("call", [
    lambda: split_of("circel", "red", "left"), lambda: split_of("circle", "rde", "left"), lambda: split_of("circle", "red", "lfet"),
    lambda: signed_distance("hexagon", 0, 0), lambda: ground("balck", np.zeros(1), (1, 8, 8)),
    lambda: path("jumps", 3, np.random.default_rng(0)), lambda: describe(scenes(1)[0][0], "short", np.random.default_rng(0))])
def test_unknown_names(call):
    with pytest.raises(ValueError, match="expected a choice of"):
        call()


def test_parse_wants_a_string():
    with pytest.raises(TypeError, match="caption.*NoneType"):
        parse(None)
