"""The command `convert`."""

from typing import Annotated, Literal

import typer

from tagger.cli.arguments import (
    ColumnsOption,
    CommentsOption,
    DelimiterOption,
    EncodingOption,
    HeaderOption,
    LanguageOption,
    QuoteOption,
    SchemeOption,
    SegmentOption,
    SplitOnOption,
    UnknownOption,
    names_of,
    split_columns,
)
from tagger.text.choices import FileFormat, Invalid, Misaligned, Nested
from tagger.text.tokenization import Tokenize


def convert(
    source: Annotated[
        str, typer.Argument(metavar="IN", help="File or folder of brat files to convert; - is standard input.")
    ],
    output: Annotated[
        str, typer.Argument(metavar="OUT", help="Output file, which may equal IN; - is standard output.")
    ],
    to: Annotated[
        str,
        typer.Option(
            help="iob1, iob2, bioes, bilou or io; or conll, conllu, jsonl, csv, text, doccano, docbin, "
            "labelstudio or spacy."
        ),
    ],
    format: Annotated[
        Literal[FileFormat, "text"] | None, typer.Option(help="Format of the file. Default: detected.")
    ] = None,
    columns: ColumnsOption = None,
    delimiter: DelimiterOption = None,
    quote: QuoteOption = None,
    comments: CommentsOption = None,
    header: HeaderOption = None,
    encoding: EncodingOption = None,
    column: Annotated[
        str | None, typer.Option(help="Number or name of the column to convert. Default: the last with tags.")
    ] = None,
    scheme: SchemeOption = None,
    invalid: Annotated[Invalid, typer.Option(help="How to handle invalid tag sequences.")] = "error",
    merge: Annotated[bool, typer.Option("--merge", help="Merge adjacent entities that IO cannot separate.")] = False,
    labels: Annotated[str | None, typer.Option(help="Comment keys to read as labels, such as intent.")] = None,
    drop: Annotated[
        str | None, typer.Option(help="Fields to discard, such as comments,ner; unknown names are reported.")
    ] = None,
    misaligned: Annotated[
        Misaligned, typer.Option(help="How to handle spans that do not align with tokens.")
    ] = "error",
    nested: Annotated[Nested, typer.Option(help="Which of two nested spans to keep.")] = "error",
    tokenize: Annotated[
        Tokenize | None, typer.Option(help="How to split raw text into tokens. Default: words.")
    ] = None,
    language: LanguageOption = None,
    split_on: SplitOnOption = None,
    segment: SegmentOption = None,
    unknown: UnknownOption = None,
) -> None:
    """Convert a file to another tag scheme or format, without losing data unless you allow it."""
    from tagger.cli.corpora.converting import convert_file
    from tagger.conversion.options import Conversion

    form = {"delimiter": delimiter, "quote": quote, "comments": comments, "header": header, "encoding": encoding}
    wanted = Conversion(
        to=to,
        form={key: value for key, value in form.items() if value is not None},
        format=format,
        columns=split_columns(columns, format or "conll"),
        column=column,
        scheme=scheme,
        repair=invalid == "repair",
        merge=merge,
        labels=names_of(labels),
        drop=names_of(drop),
        misaligned=misaligned,
        nested=nested,
        tokenize=tokenize,
        language=language,
        split_on=split_on,
        segment=segment,
        unknown=unknown,
    )
    convert_file(source, output, wanted)
