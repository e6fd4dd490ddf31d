"""Measure the speed of the library as ratios to other implementations of the same work.

    python scripts/benchmark_speed.py --data DIR [--json FILE] [--repeats 9] [--threads 2] [--only crf lstm ...]

Both sides of a pair run in turns in this process, and the ratio is that of their medians, so that a machine whose speed
drifts affects both. DIR contains `ner/wnut17` and the vectors of `recipes/ner-wnut17.toml`. python-crfsuite is compared
where it is installed.
"""

import argparse
import gc
import resource
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import tomli_w
import torch
import torchcrf
from arguments import MOST_THREADS, existing_folder, run_script, whole_number, writable_file, write_json
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

import tagger
from tagger import Corpus, LinearChainCRF, Recipe, RecurrentEncoder, RunListener, Sentence, Tagger

ROOT = Path(__file__).resolve().parents[1]
WITH_DATA = ("training", "tagging", "growth", "corpora")
COPIES = (1, 10, 100)  # of WNUT-17 train, to train on
# A training in a process of its own, which prints the peaks of its own memory and of mapped files in kibibytes.
TRAIN_ALONE = """
import sys, threading, time, tagger

FIELDS = ("RssAnon:", "RssFile:")
peaks = dict.fromkeys(FIELDS, 0)

def watch():
    while True:
        for line in open("/proc/self/status"):
            name, *rest = line.split()
            if name in FIELDS:
                peaks[name] = max(peaks[name], int(rest[0]))
        time.sleep(0.05)

threading.Thread(target=watch, daemon=True).start()
tagger.train(sys.argv[1], threads=1)
print(*peaks.values())
"""
PRECISIONS = ("float32", "bfloat16")
PARTS = ("crf", "lstm", "sharing", *WITH_DATA)
PEAK = Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Row:
    """One comparison: median seconds of both sides, their ratio, and the goal for the ratio."""

    what: str
    against: str
    ours_seconds: float
    theirs_seconds: float
    ratio: float
    goal: float | None
    tokens_per_second: float | None = None


def compare(
    what: str,
    against: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    repeats: int,
    goal: float | None,
    tokens: int | None = None,
) -> Row:
    """Time both sides in turns and return their row; an extra first round is a warm-up."""
    gc.collect()
    gc.freeze()  # keeps the garbage collector from searching the objects of earlier pairs in the time of this one
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for round_number in range(repeats + 1):
        for name, run in (("ours", ours), ("theirs", theirs)):
            start = time.perf_counter()
            run()
            if round_number:
                times[name].append(time.perf_counter() - start)
    mine, other = median(times["ours"]), median(times["theirs"])
    return Row(what, against, mine, other, other / mine, goal, tokens / mine if tokens else None)


def several(run: Callable[[], object], times: int) -> Callable[[], None]:
    """Return a function that calls another several times, for work that is too short to time once."""

    def repeated() -> None:
        for _ in range(times):
            run()

    return repeated


def crf_rows(repeats: int) -> Iterator[Row]:
    """Compare CRF loss with gradient, and decoding, with pytorch-crf."""
    for shape in ((32, 25, 9), (32, 50, 17), (64, 30, 49), (32, 10, 157), (256, 25, 17), (1, 25, 17)):
        yield from crf_pair(*shape, repeats=repeats)
    yield constrained_row(repeats)


def constrained_row(repeats: int) -> Row:
    """Compare the decoding of 39 types in BIOES, which has 157 tags, with and without the constraints of the scheme."""
    tags = ["O", *(f"{prefix}-{i}" for i in range(39) for prefix in "BIES")]
    follows = [
        [(two[0] in "IE" and two[2:] == one[2:]) if one[0] in "BI" else two[0] in "OBS" for two in tags] for one in tags
    ]
    allowed, start, end = follows, follows[0], [one[0] not in "BI" for one in tags]
    constrained = LinearChainCRF(len(tags), allowed=allowed, allowed_start=start, allowed_end=end)
    emissions = torch.randn(64, 10, len(tags), generator=torch.Generator().manual_seed(1))
    mask = torch.ones(64, 10, dtype=torch.bool)
    return compare(
        f"CRF decode (64, 10, {len(tags)}) with BIOES constraints",
        "no constraints",
        several(partial(constrained.best_path, emissions, mask), 20),
        several(partial(LinearChainCRF(len(tags)).best_path, emissions, mask), 20),
        repeats=repeats,
        goal=2.0,
    )


def crf_pair(batch: int, tokens: int, tags: int, *, repeats: int) -> Iterator[Row]:
    """Yield the rows of one shape, with lengths from a third of the tokens to all of them."""
    generator = torch.Generator().manual_seed(1)
    theirs, ours = torchcrf.CRF(tags, batch_first=True), LinearChainCRF(tags, batch_first=True)
    ours.load_state_dict(theirs.state_dict())
    emissions = torch.randn(batch, tokens, tags, generator=generator, requires_grad=True)
    gold = torch.randint(tags, (batch, tokens), generator=generator)
    lengths = torch.randint(tokens // 3, tokens + 1, (batch, 1), generator=generator)
    lengths[0] = tokens
    mask = torch.arange(tokens) < lengths

    def step(crf: torchcrf.CRF) -> None:
        crf.zero_grad()
        emissions.grad = None
        (-crf(emissions, gold, mask)).backward()

    def decode(crf: torchcrf.CRF) -> None:
        with torch.inference_mode():
            crf.decode(emissions, mask)

    pairs = [("decode", decode, 1.5 if batch == 1 else 2.0)]
    if batch in (32, 64):
        pairs.insert(0, ("loss + gradient", step, 4.5))
    for what, run, goal in pairs:
        yield compare(
            f"CRF {what} ({batch}, {tokens}, {tags})",
            "pytorch-crf",
            several(partial(run, ours), 20),
            several(partial(run, theirs), 20),
            repeats=repeats,
            goal=goal,
        )


def lstm_rows(repeats: int) -> Iterator[Row]:
    """Compare the encoder with one packed bidirectional layer that has the same parameters."""
    for batch in (32, 256):
        yield from lstm_pair(batch, repeats=repeats)


def lstm_pair(batch: int, *, repeats: int) -> Iterator[Row]:
    """Yield the rows of one batch size, with lengths from 8 to 25."""
    generator = torch.Generator().manual_seed(1)
    encoder = RecurrentEncoder(input_size=200, hidden_size=200)
    layer = next(iter(encoder.layers))
    lengths = torch.randint(8, 26, (batch,), generator=generator)
    lengths[0] = 25
    mask = torch.arange(25) < lengths.unsqueeze(1)
    vectors = torch.randn(batch, 25, 200, generator=generator, requires_grad=True)

    def packed() -> Tensor:
        row = nn.utils.rnn.pack_padded_sequence(vectors, lengths, batch_first=True, enforce_sorted=False)
        return nn.utils.rnn.pad_packed_sequence(layer(row)[0], batch_first=True)[0]

    def padded() -> Tensor:
        states: Tensor = encoder(vectors, mask)
        return states

    def train(run: Callable[[], Tensor]) -> None:
        encoder.train().zero_grad()
        vectors.grad = None
        run().sum().backward()

    def infer(run: Callable[[], Tensor]) -> None:
        encoder.eval()
        with torch.inference_mode():
            run()

    for what, run, goal in (("forward + backward", train, 1.5), ("forward", infer, 1.8)):
        yield compare(
            f"BiLSTM 200, batch {batch}: {what}",
            "packed nn.LSTM",
            partial(run, padded),
            partial(run, packed),
            repeats=repeats,
            goal=goal,
        )


class PlainTagger(nn.Module):
    """The network of the WNUT-17 recipe as a tutorial would build it.

    Word vectors for each word of train, all trained with dense gradients; the characters of every token, padded to the
    longest; a packed bidirectional LSTM; pytorch-crf. No word is computed only once.
    """

    def __init__(self, words: int, chars: int, tags: int) -> None:
        super().__init__()
        self.words = nn.Embedding(words, 150, padding_idx=0)
        self.chars = nn.Embedding(chars, 30, padding_idx=0)
        self.cnn = nn.Conv1d(30, 50, 3, padding=1)
        self.dropout = nn.Dropout(0.5)
        self.lstm = nn.LSTM(200, 200, batch_first=True, bidirectional=True)
        self.linear = nn.Linear(400, tags)
        self.crf = torchcrf.CRF(tags, batch_first=True)

    def emissions(self, words: Tensor, chars: Tensor, lengths: Tensor) -> Tensor:
        """Return the score of each tag at each token, for words (batch, tokens) and chars (batch, tokens, chars)."""
        batch, tokens, longest = chars.shape
        char_vectors = self.cnn(self.chars(chars.view(-1, longest)).transpose(1, 2)).amax(2).view(batch, tokens, -1)
        vectors = self.dropout(torch.cat((self.words(words), char_vectors), 2))
        row = nn.utils.rnn.pack_padded_sequence(vectors, lengths, batch_first=True, enforce_sorted=False)
        states = nn.utils.rnn.pad_packed_sequence(self.lstm(row)[0], batch_first=True)[0]
        scores: Tensor = self.linear(self.dropout(states))
        return scores


class PlainData:
    """Padded batches for the plain network, in the order of the corpus."""

    def __init__(self, sentences: Sequence[Sentence], train: Sequence[Sentence]) -> None:
        words = {word: i for i, word in enumerate(sorted({t.lower() for s in train for t in s.tokens}), 2)}
        chars = {char: i for i, char in enumerate(sorted({c for s in train for t in s.tokens for c in t}), 2)}
        tags = {tag: i for i, tag in enumerate(sorted({str(t) for s in train for t in s.tags("ner", scheme="bioes")}))}
        self.sizes = (len(words) + 2, len(chars) + 2, len(tags))
        self.rows = [
            (
                [words.get(t.lower(), 1) for t in s.tokens],
                [[chars.get(c, 1) for c in t] for t in s.tokens],
                [tags.get(str(t), 0) for t in s.tags("ner", scheme="bioes")],
            )
            for s in sentences
        ]

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
        """Yield words, characters, tags and lengths of each batch."""
        for i in range(0, len(self.rows), size):
            part = self.rows[i : i + size]
            lengths = torch.tensor([len(words) for words, _, _ in part])
            longest = max(len(token) for _, chars, _ in part for token in chars)
            words = torch.zeros(len(part), int(lengths.max()), dtype=torch.long)
            tags = torch.zeros_like(words)
            chars = torch.zeros(*words.shape, longest, dtype=torch.long)
            for row, (word_ids, char_ids, tag_ids) in enumerate(part):
                words[row, : len(word_ids)] = torch.tensor(word_ids)
                tags[row, : len(tag_ids)] = torch.tensor(tag_ids)
                for token, ids in enumerate(char_ids):
                    chars[row, token, : len(ids)] = torch.tensor(ids)
            yield words, chars, tags, lengths


def plain_epoch(network: PlainTagger, optimizer: torch.optim.Optimizer, batches: Iterable[tuple[Tensor, ...]]) -> None:
    """Train the plain network for one epoch; its batches are made beforehand, which favours it."""
    network.train()
    for words, chars, tags, lengths in batches:
        mask = torch.arange(words.shape[1]) < lengths.unsqueeze(1)
        optimizer.zero_grad()
        loss = -network.crf(network.emissions(words, chars, lengths), tags, mask, reduction="token_mean")
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()


@dataclass(frozen=True)
class Material:
    """What the rows about whole networks share: the recipe, its corpus, and the plain network."""

    data: Path
    recipe: Recipe
    corpus: Corpus
    train_data: PlainData
    test_data: PlainData
    plain: PlainTagger


def make_material(data: Path) -> Material:
    """Read WNUT-17, and build the plain network of its recipe. The recipe keeps only this corpus and its head."""
    whole = tagger.load_recipe(ROOT / "recipes/ner-wnut17.toml", ["training.batch_size=32"])
    only = {"corpora": {"wnut17": whole.all_corpora()["wnut17"]}, "heads": {"ner": whole.heads["ner"]}}
    recipe = whole.model_copy(update=only)
    corpus = tagger.load_corpora(recipe, data=data)["wnut17"]
    train_data, test_data = PlainData(corpus.train, corpus.train), PlainData(corpus.test, corpus.train)
    return Material(data, recipe, corpus, train_data, test_data, PlainTagger(*train_data.sizes))


class EpochTimer(RunListener):
    """Measure the seconds of each training epoch without its scoring on dev, and do other work after each epoch."""

    def __init__(self, other: Callable[[], object]) -> None:
        self.other = other
        self.seconds: list[float] = []
        self._steps, self._began = 0, 0.0

    def started(self, num_epochs: int, num_steps: int) -> None:
        self._steps, self._began = num_steps // num_epochs, time.perf_counter()

    def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
        if step % self._steps == 0:
            self.seconds.append(time.perf_counter() - self._began)

    def scored(self, epoch: object) -> None:
        self.other()
        self._began = time.perf_counter()


def train(material: Material, folder: Path, threads: int, listener: RunListener | None = None, **settings: Any) -> None:
    """Train the network of the WNUT-17 recipe with other settings of `[training]`, and keep the run in a folder."""
    training = material.recipe.training.model_copy(update={"patience": settings["epochs"], **settings})
    recipe = material.recipe.model_copy(update={"training": training})
    tagger.train(recipe, data=material.data, output=folder, threads=threads, listener=listener, overwrite=True)


def training_rows(material: Material, folder: Path, threads: int, repeats: int) -> Iterator[Row]:
    """Compare training epochs of the WNUT-17 recipe with those of the plain network, in each precision there is."""
    for precision in PRECISIONS:
        with suppress(tagger.ModelError):  # the processor has no such arithmetic
            yield from training_pair(material, folder, threads, repeats, precision)


def training_pair(material: Material, folder: Path, threads: int, repeats: int, precision: str) -> Iterator[Row]:
    """Compare training epochs in a precision with those of the plain network, and with products of matrices alone.

    All take turns. The second ratio is the share of an epoch that the products of the LSTM would take by themselves.
    """
    batches = list(material.train_data.batches(material.recipe.training.batch_size))
    optimizer = torch.optim.Adam(material.plain.parameters(), lr=0.002)
    theirs: list[float] = []
    products: list[float] = []

    def others() -> None:
        start = time.perf_counter()
        plain_epoch(material.plain, optimizer, batches)
        between = time.perf_counter()
        for *_, lengths in batches:
            multiply(material.plain.lstm, lengths, getattr(torch, precision))
        theirs.append(between - start)
        products.append(time.perf_counter() - between)

    timer = EpochTimer(others)
    train(material, folder, threads, timer, epochs=repeats + 1, precision=precision)
    mine, other, least = (median(seconds[1:]) for seconds in (timer.seconds, theirs, products))
    tokens = sum(map(len, material.corpus.train)) / mine
    what, goal = f"training epoch, WNUT-17 recipe, batch 32, {precision}", 2.5 if precision == "float32" else None
    yield Row(what, "the same network built plainly", mine, other, other / mine, goal, tokens)
    yield Row(what, "the matrix products of its LSTM", mine, least, least / mine, None, tokens)


def multiply(lstm: nn.LSTM, lengths: Tensor, precision: torch.dtype) -> None:
    """Compute products of the shapes that a bidirectional LSTM needs for the states and gradients of a batch."""
    tokens = int(lengths.sum())
    rows = [int((lengths > step).sum()) for step in range(int(lengths.max()))]
    of_input, of_state, *_ = (weight.detach().to(precision) for weight in lstm.parameters())
    vectors, states, gates = (
        torch.ones(tokens, size, dtype=precision) for size in (lstm.input_size, lstm.hidden_size, len(of_input))
    )
    for _ in range(2):  # directions
        vectors @ of_input.t()
        for active in rows:
            states[:active] @ of_state.t()
        for active in rows:
            gates[:active] @ of_state
        gates.t() @ vectors
        gates.t() @ states
        gates @ of_input


def tagging_rows(material: Material, folder: Path, repeats: int) -> Iterator[Row]:
    """Compare tagging the WNUT-17 test file, from sentences to sentences, with other taggers on the same tokens."""
    model, sentences = tagger.load(folder), list(material.corpus.test)
    tokens = sum(map(len, sentences))
    material.plain.eval()

    def plain() -> None:
        with torch.inference_mode():
            for words, chars, _, lengths in material.test_data.batches(32):
                mask = torch.arange(words.shape[1]) < lengths.unsqueeze(1)
                material.plain.crf.decode(material.plain.emissions(words, chars, lengths), mask)

    def ours() -> None:
        deque(model.predict(sentences), 0)

    pairs: list[tuple[str, Callable[[], object] | None, float | None]] = [
        ("the same network built plainly, batch 32", plain, 4.0),
        ("python-crfsuite", crfsuite_tagger(material.corpus), 1.5),
        ("spaCy ner with vectors", spacy_tagger(material.corpus), 7.0),
    ]
    for name, theirs, goal in pairs:
        if theirs is None:
            sys.stderr.write(f"tagging against {name}: skipped because it is not installed\n")
        else:
            yield compare("tagging, WNUT-17 test", name, ours, theirs, repeats=repeats, goal=goal, tokens=tokens)
    if torch.ops.mkldnn._is_mkldnn_bf16_supported():
        half = tagger.load(folder, precision="bfloat16")
        yield compare(
            "tagging in bfloat16, WNUT-17 test",
            "the same in float32",
            lambda: deque(half.predict(sentences), 0),
            ours,
            repeats=repeats,
            goal=None,
            tokens=tokens,
        )


def window_features(tokens: Sequence[str]) -> list[list[str]]:
    """Return word, shape and affixes of each token and of its neighbours in a window of two."""
    own = [
        (
            token.lower(),
            "".join("X" if c.isupper() else "x" if c.islower() else "d" if c.isdigit() else c for c in token),
            token[-3:],
            token[:3],
        )
        for token in tokens
    ]
    return [
        [
            f"{shift}{kind}={value}"
            for shift in range(-2, 3)
            if 0 <= i + shift < len(tokens)
            for kind, value in enumerate(own[i + shift])
        ]
        for i in range(len(tokens))
    ]


def crfsuite_tagger(corpus: Corpus) -> Callable[[], object] | None:
    """Return a function that tags with a linear CRF over features of a window of two, trained for a few iterations."""
    try:
        import pycrfsuite
    except ImportError:
        return None
    trainer = pycrfsuite.Trainer(verbose=False)
    trainer.set_params({"max_iterations": 20})
    for sentence in corpus.train:
        trainer.append(window_features(sentence.tokens), list(sentence.tags("ner")))
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model")
        trainer.train(path)
        tagger = pycrfsuite.Tagger()
        tagger.open(path)
    return lambda: [tagger.tag(window_features(sentence.tokens)) for sentence in corpus.test]


def spacy_tagger(corpus: Corpus) -> Callable[[], object]:
    """Return a function that tags with spaCy's untrained `ner` over its default embedding and encoder with vectors."""
    import spacy
    from spacy.tokens import Doc
    from spacy.training import Example

    pipeline = spacy.blank("en")
    words = sorted({token for sentence in corpus.train for token in sentence.tokens})
    pipeline.vocab.vectors = spacy.vectors.Vectors(
        strings=pipeline.vocab.strings,
        data=np.random.default_rng(1).normal(size=(len(words), 150)).astype(np.float32),
        keys=words,
    )
    pipeline.add_pipe("ner", config={"model": {"tok2vec": spacy_tok2vec()}})
    docs = [Doc(pipeline.vocab, words=list(sentence.tokens)) for sentence in corpus.train[:50]]
    gold = [sentence.tags("ner", scheme="bilou") for sentence in corpus.train[:50]]
    examples = [Example.from_dict(doc, {"entities": list(tags)}) for doc, tags in zip(docs, gold, strict=True)]
    pipeline.initialize(lambda: examples)
    test = [list(sentence.tokens) for sentence in corpus.test]
    return lambda: list(pipeline.pipe(Doc(pipeline.vocab, words=tokens) for tokens in test))


def spacy_tok2vec() -> dict[str, object]:
    """Return the configuration of the encoder in spaCy's own training template with vectors."""
    return {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": {
            "@architectures": "spacy.MultiHashEmbed.v2",
            "width": 96,
            "attrs": ["NORM", "PREFIX", "SUFFIX", "SHAPE"],
            "rows": [5000, 1000, 2500, 2500],
            "include_static_vectors": True,
        },
        "encode": {
            "@architectures": "spacy.MaxoutWindowEncoder.v2",
            "width": 96,
            "window_size": 1,
            "maxout_pieces": 3,
            "depth": 4,
        },
    }


def growth(material: Material, folder: Path) -> list[dict[str, float | str]]:
    """Measure time and peak memory as the input grows: copies of the test file, and longer single sentences."""
    model, sentences = tagger.load(folder), list(material.corpus.test)
    rows: list[dict[str, float | str]] = []
    for times in (1, 10, 100):
        stream = (sentence for _ in range(times) for sentence in sentences)
        rows.append(_grown(model, f"WNUT-17 test x {times}", stream, times * sum(map(len, sentences))))
    words = [token for sentence in sentences for token in sentence.tokens]
    for length in (10, 100, 1_000, 10_000):
        one = Sentence.from_tokens(words[:length])
        rows.append(_grown(model, f"one sentence of {length} tokens", iter([one]), length))
    return rows


def grown_corpora(material: Material, folder: Path) -> Iterator[dict[str, float | str]]:
    """Measure time and peak memory of a training of one epoch as train grows; train is read from Arrow files.

    Pages of mapped files are counted apart from the memory that the process has for itself. Linux only.
    """
    name, sentences = "train.parquet", list(material.corpus.train)
    dev = tagger.to_dataset(list(material.corpus.dev)).to_parquet(folder / "dev.parquet")
    assert dev
    for times in COPIES:
        tagger.to_dataset(sentence for _ in range(times) for sentence in sentences).to_parquet(folder / name)
        data = {"dataset": "parquet", "data_files": {"train": [name], "dev": ["dev.parquet"]}, "lazy": True}
        recipe = folder / "recipe.toml"
        recipe.write_text(
            tomli_w.dumps({"data": data, "heads": {"ner": {"kind": "tokens"}}, "training": {"epochs": 1}})
        )
        start = time.perf_counter()
        command = [sys.executable, "-c", TRAIN_ALONE, str(recipe)]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        seconds, tokens = time.perf_counter() - start, times * sum(map(len, sentences))
        what = f"training, one epoch of WNUT-17 train x {times}"
        own, mapped = (float(peak) / 1024 for peak in output.split()[-2:])
        speed = {"seconds": seconds, "tokens_per_second": tokens / seconds}
        yield {"what": what, **speed, "peak_megabytes": own, "mapped_megabytes": mapped}


def _grown(model: Tagger, what: str, sentences: Iterator[Sentence], tokens: int) -> dict[str, float | str]:
    gc.collect()
    if PEAK.exists():
        PEAK.write_text("5")  # Linux: reset the peak
    start = time.perf_counter()
    deque(model.predict(sentences), 0)
    seconds = time.perf_counter() - start
    return {"what": what, "seconds": seconds, "tokens_per_second": tokens / seconds, "peak_megabytes": peak_megabytes()}


def peak_megabytes() -> float:
    """Return the peak memory since `PEAK` was last written, or since the start on systems without that file."""
    if not PEAK.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def sharing_rows(repeats: int) -> Iterator[Row]:
    """Yield rows of whole trainings in processes of their own, alone and two at once, with the default threads.

    Both are compared with one alone with one thread. Their goals are the lowest ratios that are acceptable.
    """
    with tempfile.TemporaryDirectory() as folder:

        def train(processes: int, *options: str) -> None:
            command = [sys.executable, "-m", "tagger", "train", str(ROOT / "recipes" / "quickstart.toml"), *options]
            command += ["--set", "training.epochs=4", "--set", "data.sentences=2000", "--output"]
            started = [
                subprocess.Popen(
                    [*command, tempfile.mkdtemp(dir=folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
                for _ in range(processes)
            ]
            for process in started:
                if process.wait():
                    raise subprocess.CalledProcessError(process.returncode, command)

        for processes, goal in ((1, 1.0), (2, 1 / 1.3)):
            yield compare(
                f"{processes} training{'s at once' * (processes > 1)}, default threads",
                "1 training, 1 thread",
                partial(train, processes),
                partial(train, 1, "--threads", "1"),
                repeats=repeats,
                goal=goal,
            )


def show(rows: Sequence[Row], grown: Sequence[dict[str, float | str]]) -> None:
    """Print both tables."""
    table = Table("what", "against", "ours ms", "theirs ms", "ratio", "goal", "tokens/s")
    for row in rows:
        table.add_row(
            row.what,
            row.against,
            f"{row.ours_seconds * 1000:.2f}",
            f"{row.theirs_seconds * 1000:.2f}",
            f"{row.ratio:.2f}",
            "" if row.goal is None else f"{row.goal:.2g}",
            "" if row.tokens_per_second is None else f"{row.tokens_per_second:,.0f}",
        )
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(table)
    if grown:
        table = Table("input", "seconds", "tokens/s", "peak MB", "mapped MB")
        for entry in grown:
            table.add_row(
                str(entry["what"]),
                f"{entry['seconds']:.3f}",
                f"{entry['tokens_per_second']:,.0f}",
                f"{entry['peak_megabytes']:,.0f}",
                f"{entry['mapped_megabytes']:,.0f}" if "mapped_megabytes" in entry else "",
            )
        console.print(table)


def parse_arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--data", type=existing_folder, help=f"folder of corpora and vectors; needed by {', '.join(WITH_DATA)}")
    add("--json", type=writable_file, help="file to write the figures to")
    add("--repeats", type=whole_number(1), default=9, help="timed turns of each side")
    add("--threads", type=whole_number(1, MOST_THREADS), default=2)
    add("--only", nargs="+", choices=PARTS, default=list(PARTS))
    arguments = parser.parse_args(given)
    if arguments.data is None and not set(WITH_DATA).isdisjoint(arguments.only):
        parser.error(f"{', '.join(WITH_DATA)} need --data DIR; or choose others with --only crf lstm sharing")
    return arguments


def main(given: Sequence[str] | None = None) -> None:
    """Run the chosen measurements, then write and print the results."""
    arguments = parse_arguments(given)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    rows: list[Row] = []
    grown: list[dict[str, float | str]] = []
    for name, make in (("crf", crf_rows), ("lstm", lstm_rows), ("sharing", sharing_rows)):
        if name in arguments.only:
            rows += _reported(make(arguments.repeats))
    if not set(WITH_DATA).isdisjoint(arguments.only):
        material = make_material(arguments.data)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            if "training" in arguments.only:
                rows += _reported(training_rows(material, folder, arguments.threads, arguments.repeats))
            elif arguments.only != ["corpora"]:
                train(material, folder, arguments.threads, epochs=1)
            if "tagging" in arguments.only:
                rows += _reported(tagging_rows(material, folder, arguments.repeats))
            if "growth" in arguments.only:
                grown += growth(material, folder)
            if "corpora" in arguments.only:
                grown += grown_corpora(material, folder)
    figures = {"threads": arguments.threads, "rows": [asdict(row) for row in rows], "growth": grown}
    try:
        if arguments.json is not None:
            write_json(arguments.json, figures)
    finally:
        show(rows, grown)


def _reported(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows, and report each on standard error as soon as it is measured."""
    for row in rows:
        sys.stderr.write(f"{row.what} against {row.against}: {row.ratio:.2f}\n")
        yield row


if __name__ == "__main__":
    run_script(main)
