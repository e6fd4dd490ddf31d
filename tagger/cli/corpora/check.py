"""The command `check`."""

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
    SchemeOption,
    SegmentOption,
    SplitOnOption,
    UnknownOption,
    print_json,
    split_columns,
)
from tagger.errors import RecipeError, TaggerError
from tagger.text.choices import FileFormat
from tagger.text.tokenization import Tokenize


def check(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE...", help="Files named after their split, a folder, or a dataset id."),
    ] = None,
    train: Annotated[list[str] | None, typer.Option(help="Training file; may be repeated.")] = None,
    dev: Annotated[list[str] | None, typer.Option(help="Dev file; may be repeated.")] = None,
    test: Annotated[list[str] | None, typer.Option(help="Test file; may be repeated.")] = None,
    format: Annotated[FileFormat | None, typer.Option(help="Format of the files. Default: detected.")] = None,
    columns: ColumnsOption = None,
    delimiter: DelimiterOption = None,
    quote: QuoteOption = None,
    comments: CommentsOption = None,
    header: HeaderOption = None,
    encoding: EncodingOption = None,
    scheme: SchemeOption = None,
    layer: Annotated[str | None, typer.Option(help="Layer for the labels of labelled text. Default: label.")] = None,
    vectors: Annotated[
        list[str] | None, typer.Option(help="Word vectors, to count the unseen words that they cover; may be repeated.")
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(help="Key whose values must not be in two splits, such as ticket_id. Default: named documents."),
    ] = None,
    tokenize: Annotated[Tokenize, typer.Option(help="How to split raw text into tokens.")] = "words",
    language: LanguageOption = None,
    split_on: SplitOnOption = None,
    segment: SegmentOption = None,
    unknown: UnknownOption = None,
    as_json: JsonOption = False,
) -> None:
    """Describe a corpus and report its errors, with file and line, and warnings.

    The exit code is 1 if there are errors.
    """
    from tagger.cli.corpora.diagnosis import print_diagnosis
    from tagger.doctor.check import check as check_corpus

    named = {"train": train or [], "dev": dev or [], "test": test or []}
    if bool(files) == any(named.values()):
        raise RecipeError("give the files either as FILE... or with --train, --dev and --test")
    try:
        diagnosis = check_corpus(
            files or named,
            format=format,
            columns=split_columns(columns, None),
            scheme=scheme,
            layer=layer,
            tokenize=tokenize,
            language=language or "en",
            split_on=split_on or "",
            segment=segment,
            vectors=vectors or (),
            group=group,
            unknown=unknown,
            delimiter=delimiter,
            quote=quote,
            comments=comments,
            header=header,
            encoding=encoding,
        )
    except TaggerError as error:
        if as_json:
            print_json({"error": str(error)})
        raise
    if as_json:
        print_json(diagnosis.to_dict())
    else:
        print_diagnosis(diagnosis)
    if not diagnosis.is_sound:
        raise typer.Exit(1)
