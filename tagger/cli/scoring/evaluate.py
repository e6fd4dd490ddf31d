"""The command `evaluate`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from tagger.cli.arguments import (
    BackendOption,
    ColumnsOption,
    CommentsOption,
    DelimiterOption,
    DeviceOption,
    EncodingOption,
    HeaderOption,
    JsonOption,
    LanguageOption,
    ModelArgument,
    PrecisionOption,
    QuoteOption,
    SegmentOption,
    SplitOnOption,
    ThreadsOption,
    TokenizeOption,
    TrustOption,
    UnknownOption,
    load_tagger,
    split_columns,
)
from tagger.cli.progress import Meter
from tagger.cli.scoring.output import (
    ByOption,
    DetailsOption,
    LayerOption,
    OutputOption,
    TrainOption,
    WantedPrecisionOption,
    check_output,
    context_of,
    write_report,
)
from tagger.text.choices import FileFormat, Invalid, Misaligned, Nested
from tagger.text.schemes import Scheme
from tagger.wording import counted


def evaluate(
    model: ModelArgument,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files with gold tags or labels.")],
    format: Annotated[
        FileFormat | None, typer.Option(help="Format of the files. Default: as in training, or detected.")
    ] = None,
    columns: ColumnsOption = None,
    delimiter: DelimiterOption = None,
    quote: QuoteOption = None,
    comments: CommentsOption = None,
    header: HeaderOption = None,
    encoding: EncodingOption = None,
    scheme: Annotated[
        Scheme | None, typer.Option(help="Tag scheme of the files. Default: as in training, or detected.")
    ] = None,
    layer: LayerOption = None,
    invalid: Annotated[
        Invalid | None, typer.Option(help="How to handle invalid tag sequences. Default: as in training.")
    ] = None,
    misaligned: Annotated[
        Misaligned | None,
        typer.Option(help="How to handle spans that do not align with tokens. Default: they count as missed."),
    ] = None,
    nested: Annotated[
        Nested | None,
        typer.Option(help="Which of two nested spans to keep. Default: the outer one; the inner one counts as missed."),
    ] = None,
    tokenize: TokenizeOption = None,
    language: LanguageOption = None,
    split_on: SplitOnOption = None,
    segment: SegmentOption = None,
    unknown: UnknownOption = None,
    as_json: JsonOption = False,
    backend: BackendOption = "auto",
    device: DeviceOption = "cpu",
    precision: PrecisionOption = "float32",
    threads: ThreadsOption = None,
    trust: TrustOption = False,
    by: ByOption = None,
    train: TrainOption = None,
    wanted_precision: WantedPrecisionOption = None,
    suspects: Annotated[
        bool,
        typer.Option(
            "--suspects", help="Also list likely errors of gold: confident disagreements. See tagger audit for train."
        ),
    ] = False,
    output: OutputOption = None,
    details: DetailsOption = False,
) -> None:
    """Evaluate a model on annotated files: entities with seqeval, tags and labels by accuracy.

    The report says how sure each score is, what is wrong with the model, and from what the scores were computed.
    """
    from tagger.running.scoring import evaluate_files

    check_output(output)

    with Meter("sentences tagged") as meter:
        report = evaluate_files(
            load_tagger(model, device, threads, precision, backend=backend, trusted=trust),
            files,
            watch=meter.counting,
            context=context_of(by, wanted_precision),
            train=train or (),
            suspects=suspects,
            format=format,
            columns=split_columns(columns, None),
            delimiter=delimiter,
            quote=quote,
            comments=comments,
            header=header,
            encoding=encoding,
            scheme=scheme,
            layer=layer,
            invalid=invalid,
            misaligned=misaligned,
            nested=nested,
            tokenize=tokenize,
            language=language,
            split_on=split_on,
            segment=segment,
            unknown=unknown,
        )
    write_report(report, output, as_json=as_json, details=details)
    tokens, speed = report.extra["tokens"], report.extra["tokens_per_second"]
    if not as_json:
        sys.stderr.write(f"tagged {counted(int(str(tokens)), 'token')}, {speed} per second\n")
