"""The command `pretrain`."""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from tagger.cli.arguments import (
    MOST_THREADS,
    ColumnsOption,
    JsonOption,
    LanguageOption,
    print_json,
    split_columns,
)
from tagger.errors import RecipeError
from tagger.files.signals import asked_to_stop
from tagger.pretraining.plan import Plan
from tagger.text.choices import MOST_SEED, InputFormat
from tagger.text.tokenization import Tokenize


def pretrain(
    texts: Annotated[
        list[Path], typer.Argument(metavar="TEXT...", help="Files to learn from: plain text, or any corpus.")
    ],
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the model.")],
    dev: Annotated[
        Path | None,
        typer.Option(
            help="Held-out text of at least 1,000 characters. Default: the last 5 % of TEXT, at most 1,000,000."
        ),
    ] = None,
    format: Annotated[
        InputFormat | None, typer.Option(help="Format of the files. Default: detected for each file, otherwise text.")
    ] = None,
    columns: ColumnsOption = None,
    tokenize: Annotated[
        Tokenize, typer.Option(help="How to split raw text into tokens; the model reads them with a space between.")
    ] = "words",
    language: LanguageOption = None,
    hidden_size: Annotated[
        int, typer.Option(min=1, max=10_000, help="Size of a state in each direction.")
    ] = Plan.hidden_size,
    dropout: Annotated[
        float, typer.Option(min=0, max=0.99, help="Probability of dropping each feature of a state during training.")
    ] = Plan.dropout,
    batch_size: Annotated[
        int, typer.Option(min=1, max=10_000, help="Number of parts of the text to read at the same time.")
    ] = Plan.batch_size,
    learning_rate: Annotated[float, typer.Option(min=1e-6, max=1, help="Highest learning rate.")] = Plan.learning_rate,
    epochs: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help=f"Number of passes over the text. Default: {Plan.epochs}.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.001, help="Time to train, instead of a number of passes.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Seed of all random numbers.")] = Plan.seed,
    threads: Annotated[
        int | None, typer.Option(min=1, max=MOST_THREADS, help="CPU threads; at most two are used. Default: all cores.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a character language model in this folder.")
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue a stopped training, with the same texts and options; --epochs or --minutes may differ.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a character language model on any text, as a feature for recipes.

    The model reads the text in both directions. The folder always holds the best model so far, by its perplexity on
    held-out text. Ctrl-C, SIGTERM and SIGHUP end training early and keep that model; --resume continues. After the last
    two the exit code is 128 plus the number of the signal. A second Ctrl-C stops at once.
    """
    if epochs is not None and minutes is not None:
        raise RecipeError("--epochs and --minutes each end the training; give one of the two")
    if overwrite and resume:
        raise RecipeError("--overwrite starts again and --resume continues; give one of the two")
    from tagger.cli.training.pretraining import PretrainingProgress
    from tagger.config import ReadingConfig, parse_section
    from tagger.pretraining.pretrain import pretrain as pretrain_model
    from tagger.pretraining.texts import Reading

    plan = Plan(
        hidden_size=hidden_size,
        dropout=dropout,
        batch_size=batch_size,
        learning_rate=learning_rate,
        epochs=Plan.epochs if minutes is None and epochs is None else epochs,
        minutes=minutes,
        seed=seed,
    )
    splitting = {"tokenize": tokenize, "language": language or "en"}
    rules = parse_section(ReadingConfig, splitting, where="the options").text_rules
    with asked_to_stop() as asked, PretrainingProgress() as progress:
        outcome = pretrain_model(
            texts,
            output,
            plan=plan,
            dev=dev,
            reading=Reading(format, split_columns(columns, format), rules),
            overwrite=overwrite,
            resume=resume,
            threads=threads or _cores(),
            listener=progress,
            stop=lambda: bool(asked),
        )
    best = outcome.best
    if as_json:
        print_json(outcome.to_dict())
    else:
        sys.stdout.write(
            f"{output}: perplexity of a held-out character {best.dev_perplexity:.3f} ({best.dev_bits:.3f} bits), after "
            f"{best.epochs:.2f} passes\n"
        )
    if asked and asked[0] != signal.SIGINT:
        raise typer.Exit(128 + asked[0])


def _cores() -> int:
    import torch

    return torch.get_num_threads()
