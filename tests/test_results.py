"""The tables of results in the documents: they are those of `docs/results.json`, and that is of today's recipes."""

from results_data import ROOT, problems, read_results


def test_tables_are_those_of_the_figures_and_the_figures_those_of_the_recipes() -> None:
    assert problems(read_results(ROOT), ROOT) == []
