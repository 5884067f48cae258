"Video files and display: round trips, odd input, and what must be refused. The plain cases stand in chapter 01."
import random, subprocess, time
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from sora_edu.video import (LIMITS, Shown, VideoFileError, at_rate, contact_sheet, correlation, data_path, figure, filmstrip, load_clip, load_video, load_videos,
                            save_video, show, slice_video, spread, to_bytes, to_float, to_uint8)

torch.set_num_threads(1)
SUFFIXES = ("mp4", "gif", "webp")

def moving_square(frames=12, height=32, width=32):
    video = torch.full((1, 3, frames, height, width), -0.6)
    for f in range(frames):
        video[0, 0, f, height // 4 : height // 2, f % width : f % width + 6] = 0.9
    return video

def ffmpeg(*arguments):
    from moviepy.config import FFMPEG_BINARY
    subprocess.run([FFMPEG_BINARY, "-y", "-loglevel", "error", *map(str, arguments)], check=True)

def without_note(path):
    "The same file as another program would have written it: no checksum."
    path.write_bytes(path.read_bytes()[:-256])
    return path


# round trips

@pytest.mark.fault(7)
@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("fps", [1, 7, 23.976, 49, 60])
def test_no_frame_is_lost_at_any_rate(tmp_path, suffix, fps):
    video = moving_square(frames=49)
    video[:, :, 20:25] = video[:, :, 20:21]  # equal neighbours, which WebP merges
    video[:, :, -2] = video[:, :, -1]
    back = load_video(save_video(video, tmp_path/f"a.{suffix}", fps=fps))
    assert back.shape == video.shape and back.dtype == torch.float32
    assert (back - video).abs().amax() < 0.15 and (back - video).abs().mean() < 0.01

@pytest.mark.fault(7)
@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("size", [(1, 1, 1), (1, 32, 32), (3, 33, 31), (2, 135, 241), (5, 16, 200), (2, 200, 16)])
def test_any_size(tmp_path, suffix, size):
    video = moving_square(*size)
    back = load_video(save_video(video, tmp_path/f"a.{suffix}"))
    assert back.shape == video.shape and (back - video).abs().mean() < 0.03

@pytest.mark.fault(7)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_still_clip_keeps_its_frames(tmp_path, suffix):
    still = moving_square(1).expand(-1, -1, 9, -1, -1)
    assert load_video(save_video(still, tmp_path/f"a.{suffix}")).shape == still.shape

@pytest.mark.fault(7)
def test_grey_and_half_precision(tmp_path):
    grey = moving_square()[:, :1].half()
    back = load_video(save_video(grey[0], tmp_path/"a.webp"))
    assert back.shape[1] == 3 and (back - grey.float()).abs().max() < 0.01

def test_mp4_plays_everywhere(tmp_path):
    import av
    path = save_video(moving_square(8, 33, 31), tmp_path/"a.mp4", fps=12)
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        assert (stream.codec.name, stream.pix_fmt, stream.frames, stream.average_rate) == ("h264", "yuv420p", 8, 12)
        assert stream.height >= 128 and stream.height % 2 == stream.width % 2 == 0
    data = path.read_bytes()
    assert data.find(b"moov") < data.find(b"mdat")  # +faststart: a browser can begin before the end has come

def test_colours_survive(tmp_path):
    colours = torch.tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 1, 1], [0.5, 0.5, 0.5]]) * 1.6 - 0.8
    video = colours.T.reshape(1, 3, 6, 1, 1).expand(-1, -1, -1, 32, 32)
    for suffix in SUFFIXES:
        assert (load_video(save_video(video, tmp_path/f"a.{suffix}")) - video).abs().max() < 0.06, suffix

@pytest.mark.parametrize("suffix", SUFFIXES)
def test_files_of_other_programs(tmp_path, suffix):
    "Without our note the frames are still exact in number; the size is the enlarged one."
    video = moving_square(25)
    video[:, :, 8:11] = video[:, :, 8:9]
    path = without_note(save_video(video, tmp_path/f"a.{suffix}", fps=12))
    back = load_video(path)
    assert back.shape == (1, 3, 25, 128, 128)
    assert (load_video(path, size=(32, 32)) - video).abs().mean() < 0.01

@given(st.integers(1, 6), st.integers(1, 20), st.integers(1, 20), st.sampled_from([1, 3]), st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_bytes_come_back_exactly(f, h, w, c, seed):
    frames = np.random.default_rng(seed).integers(0, 256, (f, h, w, c), dtype=np.uint8)
    assert (to_uint8(to_float(frames)) == frames).all()


@given(st.lists(st.floats(-10, 10, width=32), min_size=1, max_size=20))
def test_bytes_are_the_nearest(values):
    values = torch.tensor(values)
    assert ((values.clamp(-1, 1) + 1) * 127.5 - to_bytes(values)).abs().max() <= 0.501


# cuts, frames and clocks

def test_three_cuts_meet_in_one_pixel():
    video = torch.arange(2 * 3 * 4 * 5 * 6.0).reshape(2, 3, 4, 5, 6)
    frame, row, column = slice_video(video, "frame", 1), slice_video(video, "height", 2), slice_video(video, "width", 3)
    assert frame.shape == (2, 3, 5, 6) and row.shape == (2, 3, 4, 6) and column.shape == (2, 3, 5, 4)
    assert torch.equal(frame[..., 2, 3], row[..., 1, 3]) and torch.equal(frame[..., 2, 3], column[..., 2, 1])

@given(st.integers(1, 400), st.integers(1, 40))
def test_spread_keeps_both_ends_and_even_gaps(length, frames):
    picked = spread(length, frames)
    gaps = {b - a for a, b in zip(picked, picked[1:])}
    assert len(picked) == min(length, frames) and picked[0] == 0 and (frames == 1 or picked[-1] == length - 1)
    assert not gaps or min(gaps) > 0 and max(gaps) - min(gaps) <= 1

@given(st.integers(1, 60), st.sampled_from([7.5, 8, 23.976, 25, 60]), st.floats(0, 100), st.sampled_from([3, 6]))
def test_a_clock_of_the_same_rate_changes_nothing(frames, fps, start, digits):
    assert at_rate([round(start + i / fps, digits) for i in range(frames + 1)], fps) == list(range(frames))

def test_correlation_is_that_of_numpy():
    bunny = load_clip("bunny")
    for apart in (1, 5):
        pair = bunny[:, :, :-apart].double().flatten().numpy(), bunny[:, :, apart:].double().flatten().numpy()
        assert abs(correlation(bunny, apart).item() - np.corrcoef(*pair)[0, 1]) < 1e-4


# reading parts and other forms

def test_frames_size_and_fps(tmp_path):
    video = moving_square(24)
    path = save_video(video, tmp_path/"a.mp4", fps=12)
    assert torch.equal(load_video(path, frames=5), load_video(path)[:, :, :5])
    assert torch.equal(load_video(path, fps=6), load_video(path)[:, :, ::2])
    assert torch.equal(load_video(path, fps=24)[:, :, ::2], load_video(path))
    assert load_video(path, size=(16, 40)).shape == (1, 3, 24, 16, 40)
    with pytest.raises(ValueError, match="24, 99 were asked"): load_video(path, frames=99)

def test_size_keeps_the_middle(tmp_path):
    video = moving_square(2, 16, 48)
    path = save_video(video, tmp_path/"a.webp")
    assert (load_video(path, size=(16, 16)) - video[..., 16:32]).abs().max() < 0.01

@pytest.mark.fault(7)
@pytest.mark.parametrize("angle", [90, 180, 270])
def test_rotation_is_honoured(tmp_path, angle):
    path = save_video(moving_square(4, 64, 128), tmp_path/"a.mp4", scale=1)
    turned, upright = tmp_path/"turned.mp4", tmp_path/"upright.mp4"
    ffmpeg("-display_rotation", angle, "-i", path, "-c", "copy", turned)
    ffmpeg("-i", turned, "-crf", 10, upright)  # ffmpeg turns the pixels itself
    assert load_video(turned).shape == load_video(upright).shape
    assert (load_video(turned) - load_video(upright)).abs().mean() < 0.02

@pytest.mark.fault(7)
@pytest.mark.parametrize("codec", [["-pix_fmt", "gray"], ["-pix_fmt", "yuv420p10le"], ["-pix_fmt", "yuv444p"]])
def test_other_pixel_formats(tmp_path, codec):
    video = moving_square(6, 64, 64)
    ffmpeg("-i", save_video(video, tmp_path/"a.mp4", scale=1), *codec, tmp_path/"b.mkv")
    truth = video.mean(1, keepdim=True).expand_as(video) if "gray" in codec else video
    back = load_video(tmp_path/"b.mkv")
    assert back.shape == video.shape and (back - truth).abs().mean() < 0.1

@pytest.mark.fault(7)
def test_variable_frame_rate(tmp_path):
    "Frames 0-5 last 1/6 s each, then 6-11 last 1/12 s: a clock of 12 ticks sees the first six twice."
    path = save_video(moving_square(12), tmp_path/"a.mp4", fps=12)
    ffmpeg("-i", path, "-vf", "setpts='if(lt(N,6),2*N,6+N)/12/TB'", "-fps_mode", "vfr", "-crf", 10, tmp_path/"b.mp4")
    order = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9, 10, 11]
    every = load_video(tmp_path/"b.mp4")
    assert every.shape[2] == 12
    assert torch.equal(load_video(tmp_path/"b.mp4", fps=12), every[:, :, order])

@pytest.mark.fault(7)
def test_sound_only_is_refused(tmp_path):
    ffmpeg("-f", "lavfi", "-i", "sine=d=0.2", tmp_path/"a.mp4")
    with pytest.raises(VideoFileError, match="no video stream"): load_video(tmp_path/"a.mp4")


# damage: an error, or the right frames; never wrong frames in silence

def damage(data: bytes, seed: int) -> bytes:
    rng, data = random.Random(seed), bytearray(data)
    kind, at = seed % 4, rng.randrange(len(data) - 300)
    if kind == 0: return bytes(data[: int(len(data) * rng.uniform(0.02, 0.999))])
    if kind == 1:
        for _ in range(rng.choice([1, 1, 5, 30])): data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    if kind == 2: data[at : at + 64] = bytes(64)
    if kind == 3: data[at : at + 200] = rng.randbytes(200)
    return bytes(data)

@pytest.mark.fault(5)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damage_is_never_silent(tmp_path, suffix, cases):
    video = load_clip("bunny")[:, :, :24]
    path = save_video(video, tmp_path/f"good.{suffix}", fps=12)
    good, data, refused = load_video(path), path.read_bytes(), 0
    n = cases(80, 240)
    for seed in range(n):
        (tmp_path/f"bad.{suffix}").write_bytes(damage(data, seed))
        try: back = load_video(tmp_path/f"bad.{suffix}", size=good.shape[-2:])
        except VideoFileError: refused += 1
        else: assert back.shape == good.shape and (back - good).abs().max() < 0.05, f"silent damage, seed {seed}"
    assert refused > .85 * n

@pytest.mark.fault(5)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_cut_files_of_other_programs(tmp_path, suffix):
    data = without_note(save_video(load_clip("bunny")[:, :, :24], tmp_path/f"good.{suffix}")).read_bytes()
    for share in (0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99):
        (tmp_path/f"bad.{suffix}").write_bytes(data[: int(len(data) * share)])
        with pytest.raises(VideoFileError): load_video(tmp_path/f"bad.{suffix}")

@pytest.mark.fault(5)
@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"not a video\n" * 50, b"GIF89a;", b"RIFF\x04\0\0\0WEBP", b"\0\0\0\x20ftypisom" + b"\xff" * 100])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_files_that_are_no_video(tmp_path, content, suffix):
    path = tmp_path/f"a.{suffix}"
    path.write_bytes(content)
    with pytest.raises(VideoFileError, match="a\\."): load_video(path)

def test_folder_and_missing_file(tmp_path):
    for path in (tmp_path, tmp_path/"none.mp4"):
        with pytest.raises(FileNotFoundError, match="no file"): load_video(path)


@pytest.mark.fault(5)
def test_bad_files_of_a_data_set_are_left_out_counted_and_listed(tmp_path):
    good = save_video(moving_square(), tmp_path/"good.webp")
    short = save_video(moving_square(2), tmp_path/"short.webp")
    bad = {"empty.mp4": b"", "text.gif": b"no video", "cut.webp": good.read_bytes()[:99]}
    for name, content in bad.items(): (tmp_path/name).write_bytes(content)
    with pytest.warns(UserWarning, match="left out 5 of 7 files: .*gone.mp4") as caught:
        clips, refused = load_videos([good, *(tmp_path/name for name in bad), short, good, tmp_path/"gone.mp4"], frames=3)
    assert len(caught) == 1 and len(clips) == 2 and torch.equal(clips[0], load_video(good, frames=3))
    assert [Path(path).name for path in refused] == [*bad, "short.webp", "gone.mp4"] and all(name in said for name, said in zip([*bad, "short.webp", "gone.mp4"], refused.values()))
    with pytest.raises(ValueError, match="frames: expected"): load_videos([good], frames=0)


# bombs: small files with large claims

def huge_picture(path):
    ffmpeg("-f", "lavfi", "-i", "color=black:s=6000x6000:d=0.04", "-frames:v", 1, "-c:v", "png", path)

def many_frames(path):
    ffmpeg("-f", "lavfi", "-i", "color=black:s=16x16:r=100", "-frames:v", LIMITS["frames"] + 1, "-preset", "ultrafast", path)

def many_hours(path):
    ffmpeg("-f", "lavfi", "-i", "color=black:s=16x16:r=0.001", "-frames:v", 10, path)

def fast_clock(path):
    ffmpeg("-f", "lavfi", "-i", "color=black:s=16x16:r=1000", "-frames:v", 20, path)

@pytest.mark.fault(6)
@pytest.mark.parametrize("make, word", [(huge_picture, "limit of 4096"), (many_frames, "frames is"), (many_hours, "seconds is"), (fast_clock, "fps is")])
def test_bombs_are_refused_from_metadata(tmp_path, make, word):
    make(tmp_path/"a.mp4")
    with pytest.raises(VideoFileError): load_video(__file__)  # imports PyAV, which is not part of the time
    start = time.perf_counter()
    with pytest.raises(VideoFileError, match=word): load_video(tmp_path/"a.mp4")
    assert time.perf_counter() - start < 0.5

@pytest.mark.fault(6)
def test_webp_bombs(tmp_path):
    from PIL import Image
    Image.new("L", (5000, 100)).save(tmp_path/"wide.webp")
    with pytest.raises(VideoFileError, match="side is"): load_video(tmp_path/"wide.webp")
    slow = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green", "blue")]
    slow[0].save(tmp_path/"slow.webp", save_all=True, append_images=slow[1:], duration=[10, 10, 16_000_000])
    with pytest.raises(VideoFileError, match="limit"): load_video(tmp_path/"slow.webp")


# writing

@pytest.mark.fault(3)
def test_no_half_file_under_a_real_name(tmp_path):
    path = save_video(moving_square(), tmp_path/"a.mp4")
    before = path.read_bytes()
    with pytest.raises(ValueError): save_video(moving_square() * torch.nan, path)
    with pytest.raises(ValueError): save_video(moving_square(2, 33, 32), path, scale=3)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["a.mp4"]

@pytest.mark.fault(3)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_failed_write_leaves_nothing(tmp_path, suffix, monkeypatch):
    def full(*_): raise OSError(28, "No space left on device")
    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="cannot write .*No space left.*free space"): save_video(moving_square(), tmp_path/f"a.{suffix}")
    assert not list(tmp_path.iterdir())

@pytest.mark.parametrize("name, error, word", [
    ("a.avi", ValueError, r"\.mp4, \.gif or \.webp"), ("a", ValueError, "ending"), ("none/a.mp4", FileNotFoundError, "no folder")])
def test_bad_paths(tmp_path, name, error, word):
    with pytest.raises(error, match=word): save_video(moving_square(), tmp_path/name)

@pytest.mark.parametrize("fps", [0, -1, 1000, float("nan")])
def test_bad_rates(tmp_path, fps):
    path = save_video(moving_square(2), tmp_path/"a.gif")
    with pytest.raises(ValueError, match="fps"): save_video(moving_square(2), tmp_path/"b.mp4", fps=fps)
    with pytest.raises(ValueError, match="fps"): load_video(path, fps=fps)

@pytest.mark.parametrize("call", [save_video, lambda video, path: show(video), lambda video, path: filmstrip(video)])
@pytest.mark.parametrize("video, error, word", [
    (torch.zeros(3, 8, 8), ValueError, "axes"), (torch.zeros(1, 4, 2, 8, 8), ValueError, "channels"),
    (torch.zeros(2, 8, 8, 3), ValueError, "channels"), (torch.zeros(1, 3, 0, 8, 8), ValueError, "empty axis"),
    (torch.full((1, 3, 2, 8, 8), torch.nan), ValueError, "NaN"), (torch.full((1, 3, 2, 8, 8), torch.inf), ValueError, "infinite"),
    (torch.zeros(1, 3, 2, 8, 8, dtype=torch.uint8), TypeError, "to_float"), (np.zeros((1, 3, 2, 8, 8)), TypeError, "ndarray"), (None, TypeError, "NoneType")])
def test_bad_tensors(tmp_path, call, video, error, word):
    with pytest.raises(error, match=word): call(video, tmp_path/"a.mp4")

def test_a_batch_is_not_one_clip(tmp_path):
    with pytest.raises(ValueError, match="batch of 2.*contact_sheet"): save_video(torch.zeros(2, 3, 2, 8, 8), tmp_path/"a.mp4")


# display

@pytest.mark.fault(18)
@given(st.text(st.characters(), max_size=80))  # every character, lone surrogates and NUL among them
@settings(max_examples=60, deadline=None)
def test_any_caption(text):
    video = moving_square(2, 8, 8)
    page = show(video, text, player=False).html
    assert page.count("<") == 3  # <div>, <img>, </div>: nothing of the caption became a tag
    page.encode("utf-8")
    assert contact_sheet(video, [text]).height >= filmstrip(video).height

@pytest.mark.fault(18)
def test_scripts_are_text():
    page = show(moving_square(2), '"><script>alert(1)</script>').html
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "<script" not in show(moving_square(2), alt="<script>").html

def test_show_has_words_picture_and_player():
    shown = show(torch.cat([moving_square(), moving_square()]), ["one", "two"])
    assert isinstance(shown, Shown) and "one; two" in repr(shown)
    assert 'alt="Filmstrip: one; two' in shown.html and "<video controls" in shown.html
    assert len(show(load_clip("bunny"), player=False).html) < 60_000
    with pytest.raises(ValueError, match="each of 2 clips, got 1"): show(torch.zeros(2, 3, 2, 8, 8), "one")

@pytest.mark.parametrize("frames, numbers", [(1, 1), (3, 3), (8, 5), (100, 5)])
def test_filmstrip_draws_what_is_there(frames, numbers):
    one = filmstrip(moving_square(1)).width
    assert filmstrip(moving_square(5), frames=frames).width == numbers * one

def test_large_clips_make_small_strips():
    assert filmstrip(torch.zeros(3, 2, 720, 1280)).height < 150

def test_figure_needs_words():
    from matplotlib.figure import Figure
    with pytest.raises(ValueError, match="alt"): figure(Figure(), " ")
    assert 'alt="a &lt;line&gt;"' in figure(Figure(), "a <line>").html

def test_tensors_show_themselves():
    from IPython.core.interactiveshell import InteractiveShell
    from sora_edu.video import enable_display
    shell = InteractiveShell.instance()
    try:
        enable_display()
        form = shell.display_formatter.format
        data, _ = form(moving_square(3))
        assert "<img alt=" in data["text/html"] and data["text/plain"].startswith("video (1, 3, 3")
        for other in (torch.zeros(2, 2), torch.zeros(1, 4, 2, 2, 2), torch.full((1, 3, 1, 2, 2), torch.nan), torch.zeros(1, 3, 1, 2, 2).long()):
            data, _ = form(other)
            assert "text/html" not in data and data["text/plain"] == repr(other)
    finally:
        InteractiveShell.clear_instance()


# data

def test_clips():
    frames = {name: load_clip(name).shape[2] for name in ("bunny", "city", "earth", "heart")}
    assert frames == {"bunny": 132, "city": 190, "earth": 226, "heart": 30}
    table = (data_path("clips")/"README.md").read_text()
    for name, count in frames.items(): assert f"| `{name}` | {count} |" in table
    city = load_clip("city")
    assert (city[:, :, 1:] - city[:, :, :-1]).abs().mean((0, 1, 3, 4)).argmax() + 1 == 116  # the cut, as the table says
    with pytest.raises(ValueError, match="bunny, city, earth, heart"): load_clip("../bunny")

def test_missing_data():
    with pytest.raises(FileNotFoundError, match="weights/none"): data_path("weights", "none")


def test_an_array_that_runs_backwards_becomes_a_clip():
    frames = np.arange(2 * 3 * 4 * 3, dtype=np.uint8).reshape(2, 3, 4, 3)
    assert torch.equal(to_float(frames[::-1]), to_float(frames).flip(2))


@pytest.mark.parametrize("value", [0.1, 0.3, 0.5, 0.7])
def test_a_constant_clip_correlates_with_nothing(value):
    assert correlation(torch.full((1, 3, 5, 7, 8), value), 1).isnan().all()


def test_faint_clips_correlate_as_bright_ones_do():
    clip = torch.rand(1, 3, 5, 6, 7, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(correlation(1e-11 * clip, 1), correlation(clip, 1))


def test_half_precision_becomes_the_nearest_byte():
    values = torch.linspace(-1, 1, 400).bfloat16()
    assert (to_bytes(values).float() - (values.float() + 1) * 127.5).abs().max() <= 0.5
