"""`tagger export`: what it writes, says and refuses."""

from small_recipes import NER, SMALL, SYNTHETIC

import tagger


def test_export_writes_a_folder_and_names_its_files(call, tmp_path) -> None:
    (tmp_path / "small.toml").write_text(SYNTHETIC + SMALL + NER)
    tagger.train(tmp_path / "small.toml", output=tmp_path / "run")
    done = call("export", tmp_path / "run", tmp_path / "out", "--format", "onnx", "--precision", "int8")
    assert (done.code, done.out) == (0, "")
    assert done.err.startswith(f"{tmp_path / 'out'}: wrote ")
    assert "model.onnx (" in done.err
    assert (tmp_path / "out" / "model.onnx").is_file()
    again = call("export", tmp_path / "run", tmp_path / "out")
    assert again.code == 1
    assert again.err.startswith(f"error: {tmp_path / 'out'}: the folder already holds an exported model; use another")
    assert call("export", tmp_path / "run", tmp_path / "out", "--overwrite").code == 0
