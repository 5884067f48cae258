"""Wrong answers to the exercises of chapter 02 that a check must reject, and right ones, written differently: {exercise id: {name: function}}."""
from dataclasses import replace

import numpy as np
import torch

from lab_mutants import example, no_errors, raises
from sora_edu.world import COLORS, MOTIONS, PLAIN, SHAPES, SOFT, WORDS, Scene, Thing, coverage, find, ground, signed_distance, split_of


# --- 02.1 signed_distance ------------------------------------------------------------------------

def known(shape):
    if shape not in SHAPES: raise ValueError(f"shape: {shape}")


def distances(**changed):
    """signed_distance as a table of formulas, some of them changed."""
    table = dict(circle=lambda u, v: np.sqrt(u * u + v * v) - 1, square=lambda u, v: np.maximum(abs(u), abs(v)) - .85,
                 triangle=lambda u, v: np.maximum(abs(u) * .866 - v * .5, v) - .6,
                 cross=lambda u, v: np.minimum(bar(u, v), bar(v, u))) | changed
    def distance(shape, u, v):
        known(shape)
        return table[shape](u, v)
    return distance


def bar(u, v): return np.maximum(abs(u) - 1.05, abs(v) - .36)


def distance_where(shape, u, v):
    known(shape)
    a, b, least, most = abs(u), abs(v), lambda p, q: np.where(p < q, p, q), lambda p, q: np.where(p > q, p, q)
    if shape == "circle": return (u ** 2 + v ** 2) ** .5 - 1
    if shape == "square": return most(a - .85, b - .85)
    if shape == "triangle": return most(a * (3 ** .5 / 2) - v / 2 - .6, v - .6)
    return least(most(a - 1.05, b - .36), most(b - 1.05, a - .36))


def distance_loop(shape, u, v):
    known(shape)
    sides = dict(square=[(1, 0, .85), (-1, 0, .85), (0, 1, .85), (0, -1, .85)], triangle=[(.866, -.5, .6), (-.866, -.5, .6), (0, 1, .6)])
    if shape == "circle": return abs(u + np.complex64(1j) * v) - 1
    if shape in sides: return np.max([x * u + y * v - d for x, y, d in sides[shape]], axis=0)
    bars = [np.max([u - wide, -u - wide, v - high, -v - high] if u.shape == v.shape else [*np.broadcast_arrays(u - wide, -u - wide, v - high, -v - high)], axis=0)
            for wide, high in ((1.05, .36), (.36, 1.05))]
    return np.min(bars, axis=0)


def distance_stretched(shape, u, v):
    known(shape)
    u, v = (np.array(x) for x in np.broadcast_arrays(u, v))      # copies, so that they may be written to
    if shape == "circle": return np.linalg.norm([u, v], axis=0) - 1
    np.absolute(u, out=u)
    if shape == "triangle": return np.maximum(.866 * u - .5 * v, v) - .6
    np.absolute(v, out=v)
    if shape == "square": return np.fmax(u, v) - .85
    return np.fmin(np.fmax(u - 1.05, v - .36), np.fmax(u - .36, v - 1.05))


def written_to(shape, u, v):
    value = signed_distance(shape, u, v)
    u *= 2
    return value


# --- 02.2 coverage -------------------------------------------------------------------------------

def covering(place=lambda y, x, r, angle: (y, x, r, angle), half=.5, turn=1, units=lambda d, r: d * r, edge=lambda d: np.clip(.5 - d / SOFT, 0, 1), swap=False):
    """coverage, with one step of it changed."""
    def cover(thing, size):
        f, h, w = size
        y, x, r, angle = (a[:, None, None] for a in place(*thing.track.T.astype(np.float32)))
        dy = np.arange(h, dtype=np.float32)[None, :, None] + half - y
        dx = np.arange(w, dtype=np.float32)[None, None] + half - x
        if swap: dy, dx = dx, dy
        c, s = np.cos(angle), turn * np.sin(angle)
        return edge(units(signed_distance(thing.shape, (c * dx + s * dy) / r, (c * dy - s * dx) / r), r)).astype(np.float32)
    return cover


def coverage_frames(thing, size):
    f, h, w = size
    rows, columns = np.mgrid[:h, :w] + .5
    frames = []
    for y, x, r, angle in thing.track:
        point = ((columns - x) + 1j * (rows - y)) / r * np.exp(-1j * angle)
        frames.append(np.interp(signed_distance(thing.shape, point.real, point.imag) * r, [-SOFT / 2, SOFT / 2], [1, 0]))
    return np.array(frames, np.float32)


def coverage_matrix(thing, size):
    f, h, w = size
    y, x, r, a = thing.track.T
    offset = np.stack(np.broadcast_arrays(np.arange(w)[None, None] + .5 - x[:, None, None], np.arange(h)[None, :, None] + .5 - y[:, None, None]))
    matrix = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    u, v = np.einsum("ijf,jfhw->ifhw", matrix, offset) / r[None, :, None, None]
    d = signed_distance(thing.shape, u, v) * r[:, None, None]
    return np.maximum(np.minimum((SOFT / 2 - d) / SOFT, 1), 0).astype("float32")


def coverage_pixels(thing, size):
    f, h, w = size
    out = np.zeros(size, np.float32)
    for k, (y, x, r, angle) in enumerate(thing.track):
        c, s = np.cos(angle), np.sin(angle)
        for i in range(h):
            dy, dx = i + .5 - y, np.arange(w) + .5 - x
            d = r * signed_distance(thing.shape, (c * dx + s * dy) / r, (c * dy - s * dx) / r)
            out[k, i] = np.where(d < -SOFT / 2, 1, np.where(d > SOFT / 2, 0, .5 - d / SOFT))
    return out


def square_frames(thing, size):
    """Right only where height and width are equal."""
    f, h, w = size
    value = coverage(thing, (f, max(h, w), max(h, w)))
    return np.ascontiguousarray(value.transpose(0, 2, 1)[:, :h, :w] if h != w else value)


def track_in_place(thing, size):
    thing.track[:, :2] -= .5
    return coverage(Thing(thing.shape, thing.color, thing.size, thing.motion, thing.track + [.5, .5, 0, 0]), size)


# --- 02.3 Scene.render ---------------------------------------------------------------------------

def rendering(mix=lambda old, a, color: (1 - a) * old + a * color, order=lambda things: things, scale=lambda video: video / 127.5 - 1, axes=(3, 0, 1, 2), back=lambda scene: ground(scene.background, scene.shift, scene.size),
              color=lambda thing: np.float32(COLORS[thing.color]), cover=lambda thing, scene: coverage(thing, scene.size)):
    """Scene.render, with one step of it changed."""
    def render(scene):
        video = np.float32(back(scene))
        for thing in order(scene.things): video = mix(video, cover(thing, scene)[..., None], color(thing))
        return torch.from_numpy(np.array(scale(video), np.float32)).permute(axes)
    return render


def render_torch(scene):
    video = torch.tensor(np.array(ground(scene.background, scene.shift, scene.size))).movedim(-1, 0)
    for thing in scene.things: video = torch.lerp(video, torch.tensor(COLORS[thing.color]).float()[:, None, None, None].expand_as(video), torch.from_numpy(coverage(thing, scene.size)).expand_as(video))
    return video.mul(2 / 255).sub(1)


def render_channels(scene):
    planes = []
    for c in range(3):
        plane = ground(scene.background, scene.shift, scene.size)[..., c].astype(float)
        for thing in scene.things: plane += coverage(thing, scene.size) * (COLORS[thing.color][c] - plane)
        planes.append(plane)
    return torch.tensor(np.array(planes) / 255 * 2 - 1, dtype=torch.float32)


def render_weights(scene):
    """Front to back: what each object still shows through those above it."""
    left, video = np.ones((*scene.size, 1), np.float32), 0
    for thing in scene.things[::-1]:
        a = coverage(thing, scene.size)[..., None]
        video, left = video + left * a * np.float32(COLORS[thing.color]), left * (1 - a)
    video = video + left * ground(scene.background, scene.shift, scene.size)
    return torch.from_numpy(np.moveaxis(video / np.float32(127.5) - np.float32(1), 3, 0).copy())


def shift_in_place(scene):
    value = Scene.render(scene)
    scene.shift[:] += 1
    return value


# --- 02.4 split_of -------------------------------------------------------------------------------

def splitting(formula=lambda s, c, m: 2 * s + 3 * m + c, test=0, val=4, order=8):
    """split_of, with another formula."""
    def split(shape, color, motion):
        k = formula(SHAPES.index(shape), list(COLORS).index(color), MOTIONS.index(motion)) % order
        return "test" if k == test else "val" if k == val else "train"
    return split


def split_table(shape, color, motion):
    for name, table in ((shape, SHAPES), (color, COLORS), (motion, MOTIONS)):
        if name not in table: raise ValueError(name)
    turned = list(COLORS)[-(2 * SHAPES.index(shape) + 3 * MOTIONS.index(motion)) % 8:] + list(COLORS)
    return "test" if color == list(COLORS)[(-2 * SHAPES.index(shape) - 3 * MOTIONS.index(motion)) % 8] else "val" if color == turned[4] else "train"


def split_sets(shape, color, motion):
    held = {(s, c, m): (i * 2 + k * 3 + j) % 8 for i, s in enumerate(SHAPES) for j, c in enumerate(COLORS) for k, m in enumerate(MOTIONS)}
    try: return ["test", "train", "train", "train", "val", "train", "train", "train"][held[shape, color, motion]]
    except KeyError: raise ValueError("no such triple") from None


def split_parity(shape, color, motion):
    k = 2 * SHAPES.index(shape) + 3 * MOTIONS.index(motion) + [*COLORS].index(color)
    return "train" if k % 4 else ("test", "val")[k // 4 % 2]


# --- 02.5 find -----------------------------------------------------------------------------------

def phrases(kind): return [(words, value) for value, ways in WORDS[kind].items() for words in ways]


def finding(hit=lambda words, text: f" {words} " in text, key=lambda words, text: (text.find(f" {words} "), -len(words)), pick=min, give=lambda value, words: (value, words)):
    """find, with one step of it changed."""
    def found(kind, text):
        hits = [(words, value) for words, value in phrases(kind) if hit(words, text)]
        if not hits: return None
        words, value = pick(hits, key=lambda pair: key(pair[0], text))
        return give(value, words)
    return found


def find_walk(kind, text):
    """Word by word from the left; at each place the longest phrase first."""
    words = text.strip(" ").split(" ") if text.startswith(" ") and text.endswith(" ") else text[1:].split(" ")[:-1]
    for i in range(len(words)):
        for phrase, value in sorted(phrases(kind), key=lambda pair: -len(pair[0])):
            if words[i:i + len(phrase.split())] == phrase.split(): return value, phrase
    return None


def find_regex(kind, text):
    import re
    by = dict(phrases(kind))
    hit = re.search("(?<= )(" + "|".join(map(re.escape, sorted(by, key=len, reverse=True))) + ")(?= )", text)
    return (by[hit[0]], hit[0]) if hit else None


def find_best(kind, text):
    best = None
    for words, value in phrases(kind):
        place = text.find(" " + words + " ")
        if place == -1: continue
        if best is None or place < best[0] or place == best[0] and len(words) > len(best[2]): best = (place, value, words)
    return best[1:] if best else None


def find_sorted(kind, text):
    hits = sorted((p for p in phrases(kind) if f" {p[0]} " in text), key=lambda p: len(p[0]), reverse=True)
    hits = sorted(hits, key=lambda p: text.index(f" {p[0]} "))
    return [hits[0][1], hits[0][0]] if hits else None


RIGHT = {
    "02.1": dict(where=distance_where, planes=distance_loop, copies=distance_stretched, table=distances()),
    "02.2": dict(frames=coverage_frames, matrix=coverage_matrix, pixels=coverage_pixels, parameters=covering()),
    "02.3": dict(torch=render_torch, channels=render_channels, weights=render_weights, parameters=rendering()),
    "02.4": dict(table=split_table, sets=split_sets, parity=split_parity, parameters=splitting()),
    "02.5": dict(walk=find_walk, regex=find_regex, best=find_best, sorted=find_sorted),
}

RED = ("circle", "red", "left")
WRONG = {
    "02.1": {"sign": lambda *a: -signed_distance(*a), "max and min swapped": distances(square=lambda u, v: np.minimum(abs(u), abs(v)) - .85, cross=lambda u, v: np.maximum(bar(u, v), bar(v, u))),
             "triangle upside down": distances(triangle=lambda u, v: np.maximum(abs(u) * .866 + v * .5, -v) - .6), "triangle on its side": distances(triangle=lambda u, v: signed_distance("triangle", v, u)),
             "half a triangle": distances(triangle=lambda u, v: np.maximum(u * .866 - v * .5, v) - .6), "triangle of 60 degrees": distances(triangle=lambda u, v: np.maximum(abs(u) * .5 - v * .866, v) - .6),
             "no outline": distances(circle=lambda u, v: np.hypot(u, v)), "squared": distances(circle=lambda u, v: u ** 2 + v ** 2 - 1), "city blocks": distances(circle=lambda u, v: abs(u) + abs(v) - 1),
             "diamond": distances(square=lambda u, v: abs(u) + abs(v) - .85), "unit square": distances(square=lambda u, v: np.maximum(abs(u), abs(v)) - 1), "one quarter": distances(square=lambda u, v: np.maximum(u, v) - .85),
             "lying bar only": distances(cross=bar), "cross of two bands": distances(cross=lambda u, v: np.minimum(abs(u), abs(v)) - .36), "inside or out": lambda *a: np.sign(signed_distance(*a)), "yes or no": lambda *a: signed_distance(*a) < 0,
             "cut off": lambda *a: np.clip(signed_distance(*a), -1, 1), "unsigned": lambda *a: abs(signed_distance(*a)), "double": lambda *a: signed_distance(*a).astype(np.float64), "half": lambda *a: signed_distance(*a).astype(np.float16).astype(np.float32),
             "no check": no_errors(signed_distance, np.zeros((1, 2, 3), np.float32)), "wrong error": lambda s, u, v: signed_distance(s, u, v) if s in SHAPES else {}[s], "any name is a cross": lambda s, u, v: signed_distance(s if s in SHAPES else "cross", u, v),
             "in place": written_to, "a list": lambda *a: signed_distance(*a).tolist(), "a tensor": lambda *a: torch.from_numpy(signed_distance(*a)), "turned over": lambda *a: signed_distance(*a)[..., ::-1], "no stretching": lambda s, u, v: signed_distance(s, u, v) if u.shape == v.shape else raises(),
             "the example": example(signed_distance, "circle", np.zeros((1, 3, 4), np.float32), np.zeros((1, 3, 4), np.float32)), "one number": lambda *a: float(signed_distance(*a).mean()), "always a circle": lambda s, u, v: signed_distance("circle" if s in SHAPES else s, u, v), "nothing": lambda *a: None},
    "02.2": {"row and column swapped": covering(lambda y, x, r, a: (x, y, r, a)), "axes swapped": lambda t, s: coverage(t, s).swapaxes(1, 2), "square only": square_frames, "u and v swapped": covering(swap=True), "corner, not middle": covering(half=0), "a whole pixel": covering(half=1),
             "turned the wrong way": covering(turn=-1), "never turned": covering(turn=0), "degrees": covering(lambda y, x, r, a: (y, x, r, np.degrees(a))), "in radii": covering(units=lambda d, r: d), "divided by r": covering(units=lambda d, r: d / r), "diameter": covering(lambda y, x, r, a: (y, x, r / 2, a)),
             "first frame": covering(lambda *t: [np.broadcast_to(a[:1], a.shape) for a in t]), "frames backwards": lambda t, s: coverage(t, s)[::-1], "mean radius": covering(lambda y, x, r, a: (y, x, 0 * r + r.mean(), a)), "hard": covering(edge=lambda d: d < 0), "twice as soft": covering(edge=lambda d: np.clip(.5 - d / SOFT / 2, 0, 1)),
             "edge outside": covering(edge=lambda d: np.clip(1 - d / SOFT, 0, 1)), "edge inside": covering(edge=lambda d: np.clip(-d / SOFT, 0, 1)), "not cut": covering(edge=lambda d: .5 - d / SOFT), "cut below only": covering(edge=lambda d: np.maximum(.5 - d / SOFT, 0)), "inside out": lambda t, s: 1 - coverage(t, s), "sigmoid": covering(edge=lambda d: 1 / (1 + np.exp(np.clip(4 * d / SOFT, -50, 50)))),
             "one pixel soft": covering(edge=lambda d: np.clip(.5 - d, 0, 1)), "double": lambda t, s: coverage(t, s).astype(np.float64), "a mask": lambda t, s: coverage(t, s) > .5, "always a circle": lambda t, s: coverage(replace(t, shape="circle"), s), "percent": lambda t, s: coverage(t, s) * 100, "bytes": lambda t, s: (coverage(t, s) * 255).astype(np.uint8),
             "one frame": lambda t, s: coverage(t, s)[0], "a channel": lambda t, s: coverage(t, s)[..., None], "in place": track_in_place, "centre of the frame": covering(lambda y, x, r, a: (0 * y + 16, 0 * x + 16, r, a)), "a list": lambda t, s: coverage(t, s).tolist(), "a tensor": lambda t, s: torch.from_numpy(coverage(t, s)), "rounded": covering(lambda y, x, r, a: (y.round(), x.round(), r, a)), "raises": raises},
    "02.3": {"last first": rendering(order=lambda things: things[::-1]), "added": rendering(lambda old, a, color: old + a * color), "no ground": rendering(back=lambda s: np.zeros((*s.size, 3))), "first only": rendering(order=lambda things: things[:1]), "last only": rendering(order=lambda things: things[-1:]),
             "alpha turned": rendering(lambda old, a, color: a * old + (1 - a) * color), "half": rendering(lambda old, a, color: (old + a * color) / 2), "hard": rendering(cover=lambda t, s: np.float32(coverage(t, s.size) > .5)), "brightest": rendering(lambda old, a, color: np.maximum(old, a * color)), "sum of colours": rendering(lambda old, a, color: np.where(a > 0, a * color, old)),
             "by 255": rendering(scale=lambda v: v / 255), "by 128": rendering(scale=lambda v: v / 128 - 1), "centred on 128": rendering(scale=lambda v: (v - 128) / 128), "bytes": rendering(scale=lambda v: v), "bright is dark": rendering(scale=lambda v: 1 - v / 127.5), "rounded": rendering(scale=lambda v: v.round() / 127.5 - 1),
             "channels last": rendering(axes=(0, 1, 2, 3)), "frames first": rendering(axes=(0, 3, 1, 2)), "height and width swapped": rendering(axes=(3, 0, 2, 1)), "blue, green, red": lambda s: Scene.render(s).flip(0), "backwards": lambda s: Scene.render(s).flip(1), "mirrored": lambda s: Scene.render(s).flip(3), "upside down": lambda s: Scene.render(s).flip(2),
             "camera ignored": rendering(back=lambda s: ground(s.background, 0 * s.shift, s.size)), "camera the other way": rendering(back=lambda s: ground(s.background, -s.shift, s.size)), "always black": rendering(back=lambda s: ground("black", s.shift, s.size)), "plain only": rendering(back=lambda s: ground(s.background if s.background in PLAIN else "gray", s.shift, s.size)),
             "all white": rendering(color=lambda t: np.float32([255, 255, 255])), "first colour": lambda s: rendering(color=lambda t: np.float32(COLORS[s.things[0].color]))(s) if s.things else Scene.render(s), "double": lambda s: Scene.render(s).double(), "an array": lambda s: Scene.render(s).numpy(), "a batch": lambda s: Scene.render(s)[None], "first frame": lambda s: Scene.render(s)[:, :1].expand(-1, s.size[0], -1, -1),
             "in place": shift_in_place, "clipped": lambda s: Scene.render(s).clamp(-.9, .9), "two at most": rendering(order=lambda things: things[:2]), "ground over all": rendering(lambda old, a, color: old), "nothing": lambda s: None},
    "02.4": {"always train": lambda s, c, m: split_of(s, c, m) and "train", "always test": lambda s, c, m: split_of(s, c, m) and "test", "test and val swapped": splitting(test=4, val=0), "from one": splitting(lambda s, c, m: 2 * (s + 1) + 3 * (m + 1) + c + 1), "colour from one": splitting(lambda s, c, m: 2 * s + 3 * m + c + 1), "factors swapped": splitting(lambda s, c, m: 3 * s + 2 * m + c),
             "no factors": splitting(lambda s, c, m: s + m + c), "shape forgotten": splitting(lambda s, c, m: 3 * m + c), "motion forgotten": splitting(lambda s, c, m: 2 * s + c), "colour alone": splitting(lambda s, c, m: c), "minus": splitting(lambda s, c, m: 2 * s + 3 * m - c), "colour turned": splitting(lambda s, c, m: 2 * s + 3 * m + 7 - c), "of ten": splitting(order=10),
             "of seven": splitting(order=7), "val is 3": splitting(val=3), "test is 1": splitting(test=1), "no validation": lambda s, c, m: split_of(s, c, m).replace("val", "train"), "validation is test": lambda s, c, m: split_of(s, c, m).replace("val", "test"), "long name": lambda s, c, m: split_of(s, c, m).replace("val", "validation"), "capital": lambda s, c, m: split_of(s, c, m).capitalize(),
             "a number": lambda s, c, m: ["train", "val", "test"].index(split_of(s, c, m)), "held out or not": lambda s, c, m: split_of(s, c, m) != "train", "no check": no_errors(split_of, "train"), "wrong error": lambda s, c, m: split_of(s, c, m) if s in SHAPES and c in COLORS and m in MOTIONS else {}[s], "colours unchecked": lambda s, c, m: split_of(s, c if c in COLORS else "red", m),
             "motions unchecked": lambda s, c, m: split_of(s, c, m if m in MOTIONS else "left"), "any case": lambda s, c, m: split_of(s.lower(), c.lower(), m.lower()), "product": splitting(lambda s, c, m: 2 * s * 3 * m * c), "the example": example(split_of, *RED), "by length": splitting(lambda s, c, m: len(SHAPES[s]) * 2 + 3 * m + c), "by lot": lambda s, c, m: split_of(s, c, m) and str(np.random.choice(["train", "val", "test"])), "raises": raises},
    "02.5": {"inside words": finding(lambda words, text: words in text, lambda words, text: (text.find(words), -len(words))), "blank before only": finding(lambda words, text: f" {words}" in text, lambda words, text: (text.find(f" {words}"), -len(words))), "blank behind only": finding(lambda words, text: f"{words} " in text, lambda words, text: (text.find(f"{words} "), -len(words))),
             "first in WORDS": finding(key=lambda words, text: 0), "last in WORDS": finding(key=lambda words, text: 0, pick=lambda hits, key: hits[-1]), "last in the text": finding(pick=max), "longest anywhere": finding(key=lambda words, text: -len(words)), "shortest of a place": finding(key=lambda words, text: (text.find(f" {words} "), len(words))), "any of a place": finding(key=lambda words, text: text.find(f" {words} ")),
             "last place of each": finding(key=lambda words, text: (text.rfind(f" {words} "), -len(words))), "plain words only": finding(lambda words, text: f" {words} " in text and any(ways[0] == words for kind in WORDS.values() for ways in kind.values())), "one word only": finding(lambda words, text: words in text.split()), "by the alphabet": finding(key=lambda words, text: words), "ends first": finding(key=lambda words, text: text.find(f" {words} ") + len(words)),
             "swapped": finding(give=lambda value, words: (words, value)), "value only": finding(give=lambda value, words: value), "words only": finding(give=lambda value, words: words), "value twice": finding(give=lambda value, words: (value, value)), "blanks kept": finding(give=lambda value, words: (value, f" {words} ")), "and the place": lambda kind, text: (*find(kind, text), 0) if find(kind, text) else None, "place for words": lambda kind, text: (find(kind, text)[0], text.find(find(kind, text)[1])) if find(kind, text) else None,
             "empty strings": lambda kind, text: find(kind, text) or ("", ""), "an empty tuple": lambda kind, text: find(kind, text) or (), "False": lambda kind, text: find(kind, text) or False, "fails on nothing": lambda kind, text: tuple(find(kind, text)), "all kinds": lambda kind, text: next((hit for kind in WORDS if (hit := find(kind, text))), None), "colours only": lambda kind, text: find("color", text), "the example": example(find, "color", " a red disc "), "values for words": lambda kind, text: next(((v, v) for v in WORDS[kind] if f" {v} " in text), None),
             "all of them": lambda kind, text: [pair[::-1] for pair in phrases(kind) if f" {pair[0]} " in text] or None, "joined": finding(give=lambda value, words: f"{value} {words}"), "raises": raises},
}
