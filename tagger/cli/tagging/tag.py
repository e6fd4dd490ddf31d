"""The command `tag`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tagger.cli.arguments import (
    BackendOption,
    ColumnsOption,
    CommentsOption,
    DelimiterOption,
    DeviceOption,
    EncodingOption,
    FileArgument,
    HeaderOption,
    InputOption,
    LanguageOption,
    ModelArgument,
    PrecisionOption,
    QuoteOption,
    SegmentOption,
    SplitOnOption,
    TextOption,
    ThreadsOption,
    TokenizeOption,
    TrustOption,
    load_tagger,
    names_of,
)
from tagger.text.choices import OutputFormat, Unit


def tag(
    context: typer.Context,
    model: ModelArgument,
    file: FileArgument = "-",
    input_format: InputOption = None,
    output_format: Annotated[
        OutputFormat | None,
        typer.Option(
            help="Format of the output; default: as the name of --output says, else text. csv and parquet have one row "
            "per entity; for a model without entities, one row per label, or per token if it has no labels either. "
            "doccano, labelstudio and prodigy are suggestions that these tools import."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            help="File to write; it appears when it is complete, and .gz and .zst compress it. Default: standard "
            "output. With --ray, a folder."
        ),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Tag on the cluster of Ray at this address (`local` starts one here) and write a folder of Parquet "
            "files with a row per text. FILE is text, .jsonl, .parquet, or a folder of them. Needs the extra `ray`.",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the unfinished output that a stopped run has left.")
    ] = False,
    unit: Annotated[
        Unit, typer.Option(help="What one document of plain text is; `document`: lines between blank lines.")
    ] = "line",
    columns: ColumnsOption = None,
    delimiter: DelimiterOption = None,
    quote: QuoteOption = None,
    comments: CommentsOption = None,
    header: HeaderOption = None,
    encoding: EncodingOption = None,
    text: TextOption = None,
    fields: Annotated[str | None, typer.Option(help="Keys of JSON lines to write, such as id,spans.")] = None,
    min_score: Annotated[
        float | None, typer.Option(min=0, max=1, help="Omit entities with a lower probability.")
    ] = None,
    n_best: Annotated[
        int,
        typer.Option("--nbest", min=0, max=1000, help="Also write the N most probable tag sequences of each layer."),
    ] = 0,
    tokenize: TokenizeOption = None,
    language: LanguageOption = None,
    split_on: SplitOnOption = None,
    segment: SegmentOption = None,
    on_error: Annotated[
        Literal["stop", "skip"],
        typer.Option(help="What to do with an invalid record. If one was skipped, the exit code is 1."),
    ] = "stop",
    backend: BackendOption = "auto",
    device: DeviceOption = "cpu",
    precision: PrecisionOption = "float32",
    threads: ThreadsOption = None,
    trust: TrustOption = False,
) -> None:
    """Tag a file or standard input, and write each document as soon as it is tagged.

    A document is a record or a line; its text is split into sentences as in training. The number after an entity is
    the probability of its type and boundaries. JSON lines keep the other keys of their records. On a terminal each
    type of entity has a colour; NO_COLOR=1 switches colours off.
    """
    from tagger.cli.tagging.options import Tagging, format_of
    from tagger.cli.tagging.resuming import check_resume
    from tagger.cli.tagging.tag_file import tag_file

    splitting = {"tokenize": tokenize, "language": language, "split_on": split_on, "segment": segment}
    if ray is not None:
        from tagger.cli.tagging.spreading import checked_output, tag_on_cluster

        folder = checked_output(context, output)
        loading = {"backend": backend, "precision": precision, "trusted": trust, **splitting}
        tag_on_cluster(ray, model, file, folder, resume=resume, text=text, threads=threads, loading=loading)
        return
    if resume:
        check_resume(file, output)
    form = {"delimiter": delimiter, "quote": quote, "comments": comments, "header": header, "encoding": encoding}
    options = Tagging(
        input_format=input_format,
        columns=columns,
        form={**form, "text": text},
        unit=unit,
        n_best=n_best,
        skip=on_error == "skip",
        format=output_format or format_of(output),
        path=output,
        fields=names_of(fields) or None,
        min_score=min_score,
        resume=resume,
        settings={"backend": backend, "precision": precision, **splitting},
    )
    tagger = load_tagger(model, device, threads, precision, backend=backend, trusted=trust, splitting=splitting)
    if tag_file(tagger, file, options):  # records that were skipped
        raise typer.Exit(1)
