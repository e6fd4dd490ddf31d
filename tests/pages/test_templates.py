from pathlib import Path

from tagger.pages.templates import templates_in

SCRIPT = "<script>alert(1)</script>"


def test_values_are_escaped_and_nothing_runs_unless_a_script_is_named(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text('{% from "base.html" import document %}{{ document(title, "", body, hash) }}')
    template = templates_in(tmp_path).get_template("page.html")
    page = template.render(title=SCRIPT, body=SCRIPT, hash=None)
    assert SCRIPT not in page
    assert page.count("&lt;script&gt;") == 2
    assert "script-src" not in page
    assert "script-src 'sha256-x'" in template.render(title="", body="", hash="x")
