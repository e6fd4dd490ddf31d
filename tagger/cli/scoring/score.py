"""The command `score`."""

from pathlib import Path
from typing import Annotated

import typer

from tagger.cli.arguments import (
    ColumnsOption,
    CommentsOption,
    DelimiterOption,
    EncodingOption,
    HeaderOption,
    JsonOption,
    LanguageOption,
    QuoteOption,
    SegmentOption,
    SplitOnOption,
    UnknownOption,
    names_of,
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
from tagger.text.choices import FileFormat
from tagger.text.schemes import Scheme
from tagger.text.tokenization import Tokenize


def score(
    gold: Annotated[Path, typer.Argument(metavar="GOLD", help="File or folder with gold tags or labels.")],
    predicted: Annotated[
        Path | None,
        typer.Argument(
            metavar="[PREDICTED]",
            help="The same with predicted ones. Default: GOLD has both in its last two columns, as for conlleval.",
        ),
    ] = None,
    format: Annotated[FileFormat | None, typer.Option(help="Format of the files. Default: detected.")] = None,
    predicted_format: Annotated[
        FileFormat | None, typer.Option(help="Format of PREDICTED, if --format is that of GOLD alone.")
    ] = None,
    columns: ColumnsOption = None,
    predicted_columns: Annotated[
        str | None, typer.Option(help="Columns of PREDICTED, if --columns are those of GOLD alone.")
    ] = None,
    delimiter: DelimiterOption = None,
    quote: QuoteOption = None,
    comments: CommentsOption = None,
    header: HeaderOption = None,
    encoding: EncodingOption = None,
    scheme: Annotated[Scheme | None, typer.Option(help="Tag scheme of the files. Default: detected.")] = None,
    predicted_scheme: Annotated[
        Scheme | None,
        typer.Option(help="Tag scheme of PREDICTED. Default: that of GOLD, unless the tags show another."),
    ] = None,
    layer: LayerOption = None,
    labels: Annotated[
        str | None,
        typer.Option(metavar="KEY,...", help="Comments of columns that are labels. Default: those that look like it."),
    ] = None,
    unknown: UnknownOption = None,
    tokenize: Annotated[
        Tokenize | None, typer.Option(help="How to split raw text into tokens. Default: words.")
    ] = None,
    language: LanguageOption = None,
    split_on: SplitOnOption = None,
    segment: SegmentOption = None,
    as_json: JsonOption = False,
    by: ByOption = None,
    train: TrainOption = None,
    wanted_precision: WantedPrecisionOption = None,
    output: OutputOption = None,
    details: DetailsOption = False,
) -> None:
    """Score the predictions of any tool against gold, without a model.

    The two files may differ in format, tokens and sentence boundaries, but must have the same text. The tokens and
    sentences of GOLD count. Invalid tag sequences stay as they are.
    """
    from tagger.running.predictions import score as score_files

    check_output(output)
    with Meter("lines read") as meter:
        report = score_files(
            gold,
            predicted,
            labels=names_of(labels),
            context=context_of(by, wanted_precision),
            train=train or (),
            watch=meter.counting,
            format=format,
            predicted_format=predicted_format,
            columns=split_columns(columns, None),
            predicted_columns=split_columns(predicted_columns, None),
            delimiter=delimiter,
            quote=quote,
            comments=comments,
            header=header,
            encoding=encoding,
            scheme=scheme,
            predicted_scheme=predicted_scheme,
            layer=layer,
            unknown=unknown,
            tokenize=tokenize,
            language=language,
            split_on=split_on,
            segment=segment,
        )
    write_report(report, output, as_json=as_json, details=details)
