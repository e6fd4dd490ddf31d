"""What `tagger tag` does with one file: read documents, tag them, and write them."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING

from tagger.cli.progress import Meter, shows_colours
from tagger.cli.tagging.inputs import Skipped, opened_input
from tagger.cli.tagging.options import Tagging
from tagger.cli.tagging.resuming import Target, can_continue, facts_of, opened
from tagger.cli.tagging.writing import Output, Written, painter, plain, write_documents, write_parquet
from tagger.files.signals import ended_in_order
from tagger.formats.tally import Tally
from tagger.heads.table import heads_of
from tagger.inference.documents import PART, predict_in_parts
from tagger.tagging import Tagger
from tagger.text.document import Document
from tagger.text.schemes import span_types
from tagger.text.sentence import Label
from tagger.wording import visible

if TYPE_CHECKING:
    from tagger.model.model import Model


def tag_file(tagger: Tagger, file: str, options: Tagging) -> int:
    """Tag a file or standard input, and return the number of records that were skipped."""
    faults, tally = Skipped() if options.skip else None, Tally(options=True)
    # A terminal that shows the input or the output needs no progress, which would be drawn between their lines.
    hidden = (file == "-" and sys.stdin.isatty()) or (options.path is None and sys.stdout.isatty())
    with (
        opened_input(tagger, file, options, faults=faults, tally=tally) as source,
        Meter("documents tagged", hidden=hidden) as meter,
    ):

        def tagged(ended: Callable[[], object] = lambda: None) -> Iterator[Document]:
            found = predict_in_parts(
                source.documents, tagger.backend, size=PART, n_best=options.n_best, waits=source.waits, ended=ended
            )
            return meter.counting(found, **source.work)

        output = _output_of(tagger, options)
        if options.format == "parquet" and options.path is not None:
            with ended_in_order():
                write_parquet(tagged(), output, options.path)
        else:
            facts = facts_of(tagger, file, options.facts) if can_continue(file, options.path) else None
            with opened(options.path, facts, resume=options.resume) as target:
                written = _pass_over(source.documents, target, faults, hidden=hidden)

                def ended() -> None:
                    target.mark({**asdict(written), "skipped": faults.count if faults else 0})

                write_documents(
                    tagged(ended), output, target.stream, waits=source.waits, faults=faults, written=written
                )
    sys.stderr.writelines(f"{visible(note)}\n" for note in tally.notes() if note.startswith("skipped"))
    return faults.count if faults else 0


def _output_of(tagger: Tagger, options: Tagging) -> Output:
    return Output(
        format=options.format,
        layers=tagger.layers,
        several=_row_layers(tagger.model) > 1,
        fields=options.fields,
        min_score=options.min_score,
        empty=tagger.tag("").layers,
        paint=painter(_types(tagger.model)) if options.path is None and shows_colours() else plain,
    )


def _types(model: "Model") -> list[str]:
    """Return the types of entities that a model predicts."""
    heads = {layer for layer, head in model.heads.items() if head.span_scheme is not None}
    return sorted({kind for layer in heads for kind in span_types(model.vocabulary.labels[layer])})


def _pass_over(documents: Iterator[Document], target: Target, faults: Skipped | None, *, hidden: bool) -> Written:
    """Read the documents that the continued run has written, without tagging them, and return how far it was."""
    if target.state is None:
        return Written()
    state = dict(target.state)
    skipped = state.pop("skipped")
    if faults is not None:
        faults.muted = True
    with Meter("documents passed over", hidden=hidden) as meter:
        for _ in meter.counting(islice(documents, state["documents"]), total=state["documents"]):
            pass
    if faults is not None:
        faults.muted, faults.count = False, skipped
    return Written(**state)


def _row_layers(model: "Model") -> int:
    """Return the number of layers that have rows in a table."""
    heads = heads_of(model.heads)
    entities = [layer for layer in heads if model.heads[layer].span_scheme is not None]
    labels = [layer for layer, head in heads.items() if head.layer_type is Label]
    return len(entities or labels or heads)
