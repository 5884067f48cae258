"""Chapter 06: wrong answers that a check must reject, and right ones, written differently, that it must accept: {exercise id: {name: function}}."""
import re
from collections import Counter, defaultdict
from functools import reduce
from itertools import pairwise

import torch
import torch.nn.functional as F
from einops import rearrange

from lab_mutants import example, in_place, raises
from sora_edu.text import TextLayer, Tokenizer, empty_prompts, learn_merges, merge_pair, split_word

call, forward = Tokenizer.__call__, TextLayer.forward


# --- 06.1 ----------------------------------------------------------------------------------------

def lists_only(prompts):
    if isinstance(prompts, str): raise TypeError("a list is wanted, not one string")


def rows(row, check=lists_only, finish=lambda rows, length: torch.tensor(rows, dtype=torch.long).reshape(-1, length)):
    """Tokenizer.__call__ with this row of numbers for a prompt."""
    def numbered(self, prompts):
        check(prompts)
        return finish([row(self, prompt) for prompt in prompts], self.length)
    return numbered


def padded(numbers, length, fill=0): return (numbers + [fill] * length)[:length]
def plain(self, prompt): return padded([1] + [self.numbers[w] for w in self.known(prompt)], self.length)


def filled_in(self, prompts):
    lists_only(prompts)
    out = torch.zeros(len(prompts), self.length, dtype=torch.long)
    out[:, 0] = 1
    for row, prompt in zip(out, prompts):
        ids = torch.tensor([self.numbers[w] for w in self.known(prompt)], dtype=torch.long)[:self.length - 1]
        row[1:1 + len(ids)] = ids
    return out


def by_words(self, prompts):
    """Walks through the words itself, and looks each up in the vocabulary."""
    if type(prompts) is str: raise TypeError("prompts must be a list of strings")
    out = []
    for prompt in prompts:
        row = [self.vocabulary.index("<start>")]
        for word in self.words(prompt):
            if word in self.vocabulary and len(row) < self.length: row.append(self.vocabulary.index(word))
        while len(row) < self.length: row.append(0)
        out.append(torch.tensor(row))
    return torch.stack(out) if out else torch.empty(0, self.length, dtype=torch.long)


# --- 06.2 and 06.4 -------------------------------------------------------------------------------

def by_stack(pieces, pair):
    """Joins backwards into the list that grows; a piece that was just joined is marked, so that it is not used again."""
    out, fresh = [], False
    for piece in pieces:
        if out and not fresh and (out[-1], piece) == tuple(pair): out[-1], fresh = out[-1] + piece, True
        else:
            out.append(piece)
            fresh = False
    return out


def by_recursion(pieces, pair):
    if len(pieces) < 2: return list(pieces)
    if (pieces[0], pieces[1]) == tuple(pair): return [pieces[0] + pieces[1]] + by_recursion(pieces[2:], pair)
    return [pieces[0]] + by_recursion(pieces[1:], pair)


def by_deletion(pieces, pair):
    pieces, i = list(pieces), 0
    while i < len(pieces) - 1:
        if pieces[i] == pair[0] and pieces[i + 1] == pair[1]: pieces[i:i + 2] = [pair[0] + pair[1]]
        i += 1
    return pieces


def by_regex(pieces, pair):
    between = "\0"
    text = between + between.join(pieces) + between
    pattern = f"(?<={between}){re.escape(pair[0])}{between}{re.escape(pair[1])}(?={between})"
    return [piece for piece in re.sub(pattern, "".join(pair), text).split(between) if piece]


def joined_again(pieces, pair):
    """A joined piece is looked at again, which does no harm: it is longer than either piece of the pair."""
    pieces, i = list(pieces), 0
    while i < len(pieces) - 1:
        if (pieces[i], pieces[i + 1]) == pair: pieces[i:i + 2] = ["".join(pair)]
        else: i += 1
    return pieces


def overlapping(pieces, pair):
    out = []
    for i, piece in enumerate(pieces):
        if i and (pieces[i - 1], piece) == pair: out[-1] = "".join(pair)
        else: out.append(piece)
    return out


def from_the_right(pieces, pair): return [p[::-1] for p in merge_pair([p[::-1] for p in pieces[::-1]], (pair[1][::-1], pair[0][::-1]))][::-1]


def as_text(pieces, pair):
    """Looks for the text of the pair, wherever it is cut."""
    text, joined, out = "".join(pieces), "".join(pair), []
    while text:
        step = len(joined) if text.startswith(joined) else 1
        out.append(text[:step])
        text = text[step:]
    return out


def once(pieces, pair):
    for i in range(len(pieces) - 1):
        if (pieces[i], pieces[i + 1]) == pair: return [*pieces[:i], "".join(pair), *pieces[i + 2:]]
    return list(pieces)


def merge_with(step=2, test=lambda a, b, pair: (a, b) == pair, made=lambda pair: ["".join(pair)], end=True):
    def merge(pieces, pair):
        out, i = [], 0
        while i < len(pieces) - 1:
            found = test(pieces[i], pieces[i + 1], pair)
            out += made(pair) if found else [pieces[i]]
            i += step if found else 1
        return out + (pieces[i:i + 1] if end else [])
    return merge


def by_rank(word, merges):
    """As GPT-2's tokenizer does it: the earliest merge that fits, until none does."""
    rank, pieces = {pair: i for i, pair in reversed(list(enumerate(merges)))}, list(word)
    while fits := [pair for pair in pairwise(pieces) if pair in rank]: pieces = merge_pair(pieces, min(fits, key=rank.get))
    return pieces


def one_pass(word, merges):
    """All merges, each joined once."""
    pieces = list(word)
    for pair in merges: pieces = once(pieces, pair)
    return pieces


def longest_first(word, merges):
    known, out = {"".join(pair) for pair in merges}, []
    while word:
        size = max((n for n in range(1, len(word) + 1) if word[:n] in known), default=1)
        out.append(word[:size])
        word = word[size:]
    return out


def split_loop(word, merges):
    pieces = [letter for letter in word]
    for first, second in merges:
        i = 0
        while i + 1 < len(pieces):
            if pieces[i] == first and pieces[i + 1] == second:
                pieces[i] = first + second
                del pieces[i + 1]
            i += 1
    return pieces


# --- 06.3 ----------------------------------------------------------------------------------------

def learner(weight=lambda n: n, choose=lambda counts: min(counts, key=lambda pair: (-counts[pair], pair)), merge=merge_pair, stop=lambda counts: not counts, grow=True,
            pairs=lambda pieces: list(zip(pieces, pieces[1:])), after=lambda merges: merges, extra=0):
    def learn(words, number):
        cut, merges = {word: list(word) for word in words}, []
        for _ in range(number + extra):
            counts = Counter()
            for word, pieces in cut.items():
                for pair in pairs(pieces): counts[pair] += weight(words[word])
            if stop(counts): break
            merges.append(choose(counts))
            if grow: cut = {word: merge(pieces, merges[-1]) for word, pieces in cut.items()}
            else: cut = {word: [p for p in pieces] for word, pieces in cut.items()}
        return after(merges)
    return learn


def learn_sorted(words, number):
    corpus, out = [(list(word), n) for word, n in sorted(words.items())], []
    while len(out) < number:
        counts = defaultdict(int)
        for pieces, n in corpus:
            for a, b in zip(pieces[:-1], pieces[1:]): counts[a, b] += n
        if len(counts) == 0: break
        best = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[0][0]
        corpus = [(by_deletion(pieces, best), n) for pieces, n in corpus]
        out.append(best)
    return out


def learn_through_split(words, number):
    """Cuts every word anew in each round."""
    merges = []
    for _ in range(number):
        counts = Counter()
        for word, n in words.items(): counts.update({pair: 0 for pair in pairwise(split_word(word, merges))}), [counts.update({pair: n}) for pair in pairwise(split_word(word, merges))]
        if not counts: return merges
        most = max(counts.values())
        merges.append(min(pair for pair, n in counts.items() if n == most))
    return merges


def learn_repeated(words, number):
    """Writes every word as often as it occurs."""
    corpus, out = [tuple(word) for word, n in words.items() for _ in range(n)], []
    for _ in range(number):
        counts = Counter(pair for pieces in corpus for pair in pairwise(pieces))
        if not counts: break
        out.append(min(counts.items(), key=lambda item: (-item[1], item[0]))[0])
        corpus = [tuple(by_stack(pieces, out[-1])) for pieces in corpus]
    return out


def across_words(words, number):
    """All words in one row, so that pairs reach from one word into the next."""
    return learn_merges({"".join(word * n for word, n in words.items()): 1}, number) if words else []


# --- 06.5 ----------------------------------------------------------------------------------------

def by_where(ids, which): return torch.where(which[:, None] & (torch.arange(ids.shape[1]) > 0), 0, ids)
def by_product(ids, which): return torch.cat([ids[:, :1], ids[:, 1:] * (~which).long()[:, None]], 1)
def by_fill(ids, which): return torch.cat([ids[:, :1], ids[:, 1:].masked_fill(which[:, None], 0)], 1)


def by_loop(ids, which):
    out = ids.clone()
    for i, drop in enumerate(which):
        if drop: out[i] = torch.tensor([out[i, 0], *[0] * (ids.shape[1] - 1)])
    return out


def emptied(change):
    def empty(ids, which):
        out = ids.clone()
        change(out, which)
        return out
    return empty


def put(out, place, value): out[place] = value


# --- 06.6 ----------------------------------------------------------------------------------------

def heads_of(x, h, pattern="b n (three h d) -> three b h n d"): return rearrange(x, pattern, three=3, h=h)


def layer(attend=lambda q, k, v: F.scaled_dot_product_attention(q, k, v), cut=heads_of, join="b h n d -> b n (h d)", act=F.gelu, norm1=lambda l, x: l.norm1(x), norm2=lambda l, x: l.norm2(x),
          first=lambda x, y: x + y, second=lambda x, y, given: x + y, out=lambda l, y: l.out(y)):
    def run(self, x):
        given = x
        q, k, v = cut(self.qkv(norm1(self, x)), self.heads)
        x = first(x, out(self, rearrange(attend(q, k, v), join, h=self.heads)))
        return second(x, self.down(act(self.up(norm2(self, x)))), given)
    return run


def softmax_by_hand(q, k, v):
    scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    share = (scores - scores.amax(-1, keepdim=True)).exp()
    return share / share.sum(-1, keepdim=True) @ v


def by_einsum(q, k, v):
    return torch.einsum("bhij,bhjd->bhid", torch.einsum("bhid,bhjd->bhij", q, k).div(q.shape[-1] ** .5).softmax(-1), v)


def by_views(self, x):
    b, n, d = x.shape
    q, k, v = (part.view(b, n, self.heads, d // self.heads).transpose(1, 2) for part in self.qkv(self.norm1(x)).chunk(3, -1))
    mixed = (torch.softmax(q @ k.mT / (d // self.heads) ** .5, -1) @ v).transpose(1, 2).reshape(b, n, d)
    h = x + self.out(mixed)
    return h + self.down(F.gelu(self.up(self.norm2(h))))


def head_by_head(self, x):
    q, k, v = self.qkv(self.norm1(x)).split(x.shape[-1], -1)
    size = x.shape[-1] // self.heads
    parts = [softmax_by_hand(*(t[..., i * size:(i + 1) * size] for t in (q, k, v))) for i in range(self.heads)]
    x = x + self.out(torch.cat(parts, -1))
    return x + self.down(F.gelu(self.up(self.norm2(x))))


def by_torch(self, x):
    """PyTorch's own attention of several heads, with our weights."""
    y = self.norm1(x).transpose(0, 1)
    y, _ = F.multi_head_attention_forward(y, y, y, x.shape[-1], self.heads, self.qkv.weight, self.qkv.bias, None, None, False, 0.0, self.out.weight, self.out.bias, need_weights=False)
    x = x + y.transpose(0, 1)
    return x + self.down(F.gelu(self.up(self.norm2(x))))


def scaled(factor): return lambda q, k, v: (q @ k.mT * factor(q)).softmax(-1) @ v
def masked(q, k, v): return F.scaled_dot_product_attention(q, k, v, is_causal=True)


def one_head(self, x):
    q, k, v = self.qkv(self.norm1(x)).chunk(3, -1)
    x = x + self.out(softmax_by_hand(q, k, v))
    return x + self.down(F.gelu(self.up(self.norm2(x))))


def grows_in_place(self, x):
    x += forward(self, x) - x
    return x


RIGHT = {
    "06.1": dict(filled=filled_in, words=by_words, plain=rows(plain), int32=rows(plain, finish=lambda r, n: torch.tensor(r, dtype=torch.int32).reshape(-1, n))),
    "06.2": dict(again=joined_again, stack=by_stack, recursion=by_recursion, deletion=by_deletion, regex=by_regex, tuples=lambda pieces, pair: tuple(merge_pair(pieces, pair))),
    "06.3": dict(again=learner(merge=joined_again), sorted=learn_sorted, through_split=learn_through_split, repeated=learn_repeated, lists=learner(after=lambda merges: [list(pair) for pair in merges])),
    "06.4": dict(loop=split_loop, rank=by_rank, merges_by_stack=lambda word, merges: reduce(by_stack, merges, list(word))),
    "06.5": dict(where=by_where, product=by_product, fill=by_fill, loop=by_loop),
    "06.6": dict(by_hand=layer(softmax_by_hand), einsum=layer(by_einsum), views=by_views, heads=head_by_head, torch=by_torch),
}

WRONG = {
    "06.1": {"no start": rows(lambda s, p: padded([s.numbers[w] for w in s.known(p)], s.length)), "start at the end": rows(lambda s, p: padded([s.numbers[w] for w in s.known(p)][:s.length - 1] + [1], s.length)), "start is 0": rows(lambda s, p: padded([0] + plain(s, p)[1:], s.length)), "padding first": rows(lambda s, p: [1] + [0] * (s.length - 1 - len(k := s.known(p)[:s.length - 1])) + [s.numbers[w] for w in k]),
             "padded with the start": rows(lambda s, p: padded([1] + [s.numbers[w] for w in s.known(p)], s.length, 1)), "padded with -1": rows(lambda s, p: padded([1] + [s.numbers[w] for w in s.known(p)], s.length, -1)), "one place more": rows(lambda s, p: padded([1] + [s.numbers[w] for w in s.known(p)], s.length + 1), finish=lambda r, n: torch.tensor(r, dtype=torch.long).reshape(-1, n + 1)), "not padded": rows(lambda s, p: [1] + [s.numbers[w] for w in s.known(p)], finish=lambda r, n: [torch.tensor(x) for x in r]),
             "one word too few": rows(lambda s, p: padded([1] + [s.numbers[w] for w in s.known(p)][:max(s.length - 2, 0)], s.length)), "the end of the prompt": rows(lambda s, p: padded([1] + [s.numbers[w] for w in s.known(p)][-(s.length - 1):] if s.length > 1 else [1], s.length)), "cut before unknown words go": rows(lambda s, p: padded([1] + [s.numbers[w] for w in s.words(p)[:s.length - 1] if w in s.numbers], s.length)), "unknown as padding": rows(lambda s, p: padded([1] + [s.numbers.get(w, 0) for w in s.words(p)], s.length)), "unknown as start": rows(lambda s, p: padded([1] + [s.numbers.get(w, 1) for w in s.words(p)], s.length)),
             "nearest word for unknown ones": rows(lambda s, p: padded([1] + [s.numbers[w if w in s.numbers else s.unknown(p)[w] or "a"] for w in s.words(p)], s.length)), "capitals unknown": rows(lambda s, p: padded([1] + [s.numbers[w] for w in re.findall(r"\w+", p) if w in s.numbers], s.length)), "split at blanks": rows(lambda s, p: padded([1] + [s.numbers[w] for w in p.lower().split() if w in s.numbers], s.length)), "each word once": rows(lambda s, p: padded([1] + [s.numbers[w] for w in dict.fromkeys(s.known(p))], s.length)), "sorted": rows(lambda s, p: padded([1] + sorted(s.numbers[w] for w in s.known(p)), s.length)), "reversed": rows(lambda s, p: padded([1] + [s.numbers[w] for w in s.known(p)[:s.length - 1][::-1]], s.length)),
             "numbers from 0": rows(lambda s, p: padded([1] + [s.numbers[w] - 2 for w in s.known(p)], s.length)), "letters": rows(lambda s, p: padded([1] + [ord(c) for c in p], s.length)), "words": rows(lambda s, p: ["<start>"] + s.known(p), finish=lambda r, n: r), "a string let through": rows(plain, check=lambda p: None), "a string made a list": lambda s, p: call(s, [p] if isinstance(p, str) else p), "ValueError for a string": lambda s, p: raises() if isinstance(p, str) else call(s, p), "message without list": lambda s, p: call(s, p) if not isinstance(p, str) else (_ for _ in ()).throw(TypeError("no")),
             "no prompts, no axes": lambda s, p: call(s, p) if len(p) else torch.tensor([]), "no prompts, one row": lambda s, p: call(s, p) if len(p) else call(s, [""]), "always 32": lambda s, p: call(Tokenizer(32), p), "as long as the longest": lambda s, p: call(Tokenizer(max([len(s.known(x)) for x in p], default=0) + 1), p) if not isinstance(p, str) else call(s, p), "first prompt only": lambda s, p: call(s, p)[:1], "floats": lambda s, p: call(s, p).float(), "a list": lambda s, p: call(s, p).tolist(), "transposed": lambda s, p: call(s, p).T, "other types skipped": lambda s, p: call(s, p if isinstance(p, str) else [x for x in p if isinstance(x, str)]), "other types as text": lambda s, p: call(s, p if isinstance(p, str) else [str(x) for x in p]),
             "duplicates removed": lambda s, p: call(s, p if isinstance(p, str) else list(dict.fromkeys(p))).unique(dim=0), "the example": example(call, Tokenizer(10), ["A red circle!", "a red circle moves right", ""]), "nothing": lambda s, p: None, "raises": raises},
    "06.2": {"overlapping": overlapping, "from the right": from_the_right, "as text": as_text, "once": once, "in another order": merge_with(test=lambda a, b, pair: {a, b} == set(pair)), "first piece only": merge_with(test=lambda a, b, pair: a == pair[0]), "second piece only": merge_with(test=lambda a, b, pair: b == pair[1]), "same text": merge_with(test=lambda a, b, pair: a + b == "".join(pair)), "one step": merge_with(step=1), "three steps": merge_with(step=3),
             "last piece lost": merge_with(end=False), "turned": merge_with(made=lambda pair: [pair[1] + pair[0]]), "a space between": merge_with(made=lambda pair: [" ".join(pair)]), "a tuple": merge_with(made=lambda pair: [pair]), "pair dropped": merge_with(made=lambda pair: []), "first kept": merge_with(made=lambda pair: [pair[0]]), "two pieces": merge_with(made=list), "not merged": lambda pieces, pair: list(pieces), "text": lambda pieces, pair: "".join(merge_pair(pieces, pair)), "one piece": lambda pieces, pair: ["".join(pieces)] if pieces else [],
             "joined pieces first": lambda pieces, pair: sorted(merge_pair(pieces, pair), key=lambda p: p != "".join(pair)), "each once": lambda pieces, pair: list(dict.fromkeys(merge_pair(pieces, pair))), "reversed": lambda pieces, pair: merge_pair(pieces, pair)[::-1], "positions": lambda pieces, pair: [i for i, two in enumerate(pairwise(pieces)) if two == pair], "fails on short rows": lambda pieces, pair: merge_pair(pieces, pair) if pieces[1:] else [pieces[0]], "replace in the text": lambda pieces, pair: " ".join(pieces).replace(" ".join(pair), "".join(pair)).split(), "letters": lambda pieces, pair: list("".join(pieces)),
             "in place": in_place(merge_pair), "last two": lambda pieces, pair: merge_pair(pieces[-2:], pair), "only at even places": lambda pieces, pair: [p for i in range(0, len(pieces), 2) for p in merge_pair(pieces[i:i + 2], pair)], "the example": example(merge_pair, list("upward_"), ("u", "p")), "nothing": lambda pieces, pair: None, "raises": raises},
    "06.3": {"each word once": learner(weight=lambda n: 1), "rare words first": learner(weight=lambda n: 1 / n), "squares": learner(weight=lambda n: n * n), "letters only": learner(grow=False), "first in order": learner(choose=lambda c: max(c, key=c.get)), "last in the alphabet": learner(choose=lambda c: max(c, key=lambda p: (c[p], p))), "rarest": learner(choose=lambda c: min(c, key=lambda p: (c[p], p))), "alphabet only": learner(choose=min), "as text": learner(choose=lambda c: min(c, key=lambda p: (-c[p], "".join(p)))), "second piece first": learner(choose=lambda c: min(c, key=lambda p: (-c[p], p[::-1]))), "longest first": learner(choose=lambda c: min(c, key=lambda p: (-c[p], -len("".join(p)), p))),
             "each pair of a word once": learner(pairs=lambda pieces: set(zip(pieces, pieces[1:]))), "every second pair": learner(pairs=lambda pieces: list(zip(pieces[::2], pieces[1::2]))), "without the end": learner(pairs=lambda pieces: list(zip(pieces, pieces[1:-1]))), "with gaps": learner(pairs=lambda pieces: list(zip(pieces, pieces[2:]))), "sorted pairs": learner(pairs=lambda pieces: [tuple(sorted(p)) for p in zip(pieces, pieces[1:])]), "joined once in a word": learner(merge=once), "overlapping": learner(merge=overlapping), "as text joined": learner(merge=as_text),
             "only pairs seen twice": learner(stop=lambda c: not c or max(c.values()) < 2), "fails at the end": learner(stop=lambda c: False), "one too many": learner(extra=1), "one too few": lambda words, number: learn_merges(words, max(number - 1, 0)), "pieces": learner(after=lambda m: ["".join(p) for p in m]), "with counts": learner(after=lambda m: [(p, 1) for p in m]), "reversed": learner(after=lambda m: m[::-1]), "each once": learner(after=lambda m: sorted(set(m))), "a dictionary": learner(after=lambda m: {p: i for i, p in enumerate(m)}), "padded": lambda words, number: (m := learn_merges(words, number)) + [("", "")] * (number - len(m)), "across words": across_words,
             "with an end sign": lambda words, number: learn_merges({word + "_": n for word, n in words.items()}, number), "sets of letters": lambda words, number: learn_merges({"".join(sorted(set(word))): n for word, n in words.items()}, number), "the first round's best": lambda words, number: [p for p, _ in Counter({pair: sum(n for w, n in words.items() for q in pairwise(w) if q == pair) for w in words for pair in pairwise(w)}).most_common(number)], "the longest word": lambda words, number: learn_merges({w: n for w, n in words.items() if len(w) == max(map(len, words))}, number), "the example": example(learn_merges, {"up_": 3, "upward_": 2, "downward_": 1}, 6), "nothing": lambda words, number: None, "raises": raises},
    "06.4": {"letters": lambda word, merges: list(word), "the word": lambda word, merges: [word] if word else [], "longest first": longest_first, "each merge once": one_pass, "reversed order": lambda word, merges: split_word(word, merges[::-1]), "alphabetical order": lambda word, merges: split_word(word, sorted(merges)), "first merge only": lambda word, merges: split_word(word, merges[:1]), "last one forgotten": lambda word, merges: split_word(word, merges[:-1]), "first one forgotten": lambda word, merges: split_word(word, merges[1:]), "stops at the first that does not fit": lambda word, merges: split_word(word, merges[:next((i for i in range(len(merges)) if split_word(word, merges[:i + 1]) == split_word(word, merges[:i])), len(merges))]),
             "from the end": lambda word, merges: [p[::-1] for p in split_word(word[::-1], [(b[::-1], a[::-1]) for a, b in merges])][::-1], "as text": lambda word, merges: reduce(as_text, merges, list(word)), "overlapping": lambda word, merges: reduce(overlapping, merges, list(word)), "an end sign added": lambda word, merges: split_word(word + "_", merges), "end sign dropped": lambda word, merges: [p for p in (q.strip("_") for q in split_word(word, merges)) if p], "unknown letters dropped": lambda word, merges: split_word("".join(c for c in word if c in "upward_ncbaothgi"), merges), "fails on unknown letters": lambda word, merges: split_word(word.encode("ascii").decode(), merges),
             "a string": lambda word, merges: " ".join(split_word(word, merges)), "sorted": lambda word, merges: sorted(split_word(word, merges)), "each once": lambda word, merges: list(dict.fromkeys(split_word(word, merges))), "reversed": lambda word, merges: split_word(word, merges)[::-1], "merges that fit": lambda word, merges: [pair for pair in merges if "".join(pair) in word], "numbers": lambda word, merges: list(range(len(split_word(word, merges)))), "the empty word is a piece": lambda word, merges: split_word(word, merges) or [""], "in place": lambda word, merges: (split_word(word, merges), merges.append(("x", "y")))[0], "twice through": lambda word, merges: split_word(word, [*merges, *merges, *merges][::-1]), "the example": example(split_word, "upward_", [("u", "p"), ("w", "a")]), "nothing": lambda word, merges: None, "raises": raises},
    "06.5": {"start emptied": emptied(lambda out, w: put(out, w, 0)), "start made anew everywhere": emptied(lambda out, w: (put(out, w, 0), put(out, (slice(None), 0), 0))), "the others emptied": emptied(lambda out, w: put(out, (~w, slice(1, None)), 0)), "all emptied": emptied(lambda out, w: put(out, (slice(None), slice(1, None)), 0)), "none": emptied(lambda out, w: None), "first word only": emptied(lambda out, w: put(out, (w, slice(1, 2)), 0)), "one word kept": emptied(lambda out, w: put(out, (w, slice(2, None)), 0)), "last word kept": emptied(lambda out, w: put(out, (w, slice(1, -1)), 0)), "filled with the start": emptied(lambda out, w: put(out, (w, slice(1, None)), 1)), "filled with -1": emptied(lambda out, w: put(out, (w, slice(1, None)), -1)),
             "columns for rows": emptied(lambda out, w: put(out, (slice(None), torch.arange(out.shape[1])[:len(w)][w[:out.shape[1]]]), 0)), "first row only": emptied(lambda out, w: put(out, (0, slice(1, None)), 0) if len(out) and w.any() else None), "as many, from the top": emptied(lambda out, w: put(out, (slice(0, int(w.sum())), slice(1, None)), 0)), "next row": emptied(lambda out, w: put(out, (w.roll(1), slice(1, None)), 0)), "dropped": lambda ids, w: ids[~w], "marked only": lambda ids, w: empty_prompts(ids, w)[w], "in place": lambda ids, w: ids.masked_fill_(w[:, None] & (torch.arange(ids.shape[1]) > 0), 0), "the batch doubled": lambda ids, w: empty_prompts(torch.cat([ids, ids]), torch.cat([w, ~w])),
             "shuffled words": lambda ids, w: torch.where(w[:, None], ids.flip(1), ids), "square only": lambda ids, w: torch.where((w & (torch.arange(ids.shape[1]) > 0)[:len(w)])[:, None], 0, ids), "sum": lambda ids, w: ids * (~w)[:, None], "at random": lambda ids, w: empty_prompts(ids, torch.rand(len(w)) < .5), "another tenth": lambda ids, w: empty_prompts(ids, torch.arange(len(w)) % 10 == 0), "floats": lambda ids, w: empty_prompts(ids, w).float(), "a list": lambda ids, w: empty_prompts(ids, w).tolist(), "with the mask": lambda ids, w: (empty_prompts(ids, w), w), "bool": lambda ids, w: empty_prompts(ids, w).bool(), "transposed": lambda ids, w: empty_prompts(ids, w).T.contiguous(), "padding kept in front": lambda ids, w: empty_prompts(ids, w).flip(1), "the example": example(empty_prompts, torch.tensor([[1, 5, 6]]), torch.tensor([True])), "nothing": lambda ids, w: None, "raises": raises},
    "06.6": {"width before heads": layer(cut=lambda x, h: rearrange(x, "b n (three d h) -> three b h n d", three=3, h=h), join="b h n d -> b n (h d)"), "both ways": layer(cut=lambda x, h: rearrange(x, "b n (three d h) -> three b h n d", three=3, h=h), join="b h n d -> b n (d h)"), "three last": layer(cut=lambda x, h: rearrange(x, "b n (h d three) -> three b h n d", three=3, h=h)), "heads first": layer(cut=lambda x, h: rearrange(x, "b n (h three d) -> three b h n d", three=3, h=h)), "joined in another order": layer(join="b h n d -> b n (d h)"), "over heads": layer(cut=lambda x, h: rearrange(x, "b n (three h d) -> three b n h d", three=3, h=h), join="b n h d -> b n (h d)"),
             "one head": one_head, "over the batch": layer(cut=lambda x, h: rearrange(x, "b n (three h d) -> three n h b d", three=3, h=h), join="n h b d -> b n (h d)"), "keys and queries swapped": layer(attend=lambda q, k, v: F.scaled_dot_product_attention(k, q, v)), "values and keys swapped": layer(attend=lambda q, k, v: F.scaled_dot_product_attention(q, v, k)), "softmax over queries": layer(attend=lambda q, k, v: (q @ k.mT / q.shape[-1] ** .5).softmax(-2) @ v),
             "no softmax": layer(attend=lambda q, k, v: q @ k.mT / q.shape[-1] ** .5 @ v), "not scaled": layer(scaled(lambda q: 1)), "scaled by the width": layer(scaled(lambda q: 1 / q.shape[-1])), "scaled by the full width": layer(scaled(lambda q: (q.shape[-1] * q.shape[1]) ** -.5)), "scaled twice": layer(attend=lambda q, k, v: F.scaled_dot_product_attention(q / q.shape[-1] ** .5, k, v)), "causal": layer(masked), "mean of values": layer(attend=lambda q, k, v: v.mean(-2, keepdim=True).expand_as(v)), "values": layer(attend=lambda q, k, v: v), "does not see itself": layer(attend=lambda q, k, v: F.scaled_dot_product_attention(q, k, v, ~torch.eye(q.shape[-2], dtype=torch.bool)).nan_to_num()),
             "no first norm": layer(norm1=lambda l, x: x), "no second norm": layer(norm2=lambda l, x: x), "norms swapped": layer(norm1=lambda l, x: l.norm2(x), norm2=lambda l, x: l.norm1(x)), "one norm for both": layer(norm2=lambda l, x: l.norm1(x)), "norm after": lambda self, x: (lambda y: self.norm2(y + self.down(F.gelu(self.up(y)))))(self.norm1(x + self.out(rearrange(F.scaled_dot_product_attention(*heads_of(self.qkv(x), self.heads)), "b h n d -> b n (h d)")))), "no first sum": layer(first=lambda x, y: y), "no second sum": layer(second=lambda x, y, given: y), "sum of the norm": layer(first=lambda x, y: F.layer_norm(x, x.shape[-1:]) + y), "the old x": layer(second=lambda x, y, given: given + y), "old x twice": layer(second=lambda x, y, given: x + y + given), "minus": layer(first=lambda x, y: x - y),
             "relu": layer(act=F.relu), "gelu, roughly": layer(act=lambda x: F.gelu(x, approximate="tanh")), "silu": layer(act=F.silu), "no gelu": layer(act=lambda x: x), "no out": layer(out=lambda l, y: y), "no bias": layer(out=lambda l, y: y @ l.out.weight.T), "network first": lambda self, x: (lambda h: h + self.out(rearrange(F.scaled_dot_product_attention(*heads_of(self.qkv(self.norm1(h)), self.heads)), "b h n d -> b n (h d)")))(x + self.down(F.gelu(self.up(self.norm2(x))))), "side by side": lambda self, x: x + self.out(rearrange(F.scaled_dot_product_attention(*heads_of(self.qkv(self.norm1(x)), self.heads)), "b h n d -> b n (h d)")) + self.down(F.gelu(self.up(self.norm2(x)))),
             "attention only": layer(second=lambda x, y, given: x), "network only": lambda self, x: x + self.down(F.gelu(self.up(self.norm2(x)))), "the input": lambda self, x: x + 0, "dropout": layer(second=lambda x, y, given: x + F.dropout(y, .1)), "prompts mixed": lambda self, x: forward(self, x.flatten(0, 1)[None]).reshape(x.shape), "summary only": lambda self, x: forward(self, x)[:, :1], "turned": lambda self, x: forward(self, x).mT, "in place": grows_in_place, "gradient lost": lambda self, x: forward(self, x.detach()).detach(), "double": lambda self, x: forward(self, x).double(), "nothing": lambda self, x: None, "raises": raises},
}
