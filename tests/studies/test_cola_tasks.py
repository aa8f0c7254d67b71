"""The program of the nine tasks that cola is judged by."""

import json
from pathlib import Path

from soundviews.cli.data import DATASETS
from studies import cola_tasks as tasks


def test_a_task_is_found_in_the_folder_that_its_archive_brings(tmp_path: Path) -> None:
    brought = tmp_path / "librispeech" / "LibriSpeech"
    (brought / "train-clean-100").mkdir(parents=True)
    (brought / "SPEAKERS.TXT").touch()
    assert tasks.corpus_of("librispeech", tmp_path) == brought
    assert tasks.corpus_of("musan", tmp_path) is None
    assert set(tasks.TASKS) <= set(DATASETS)  # the names by which `soundviews data` makes their folders


def test_the_page_has_what_is_done_and_names_the_rest(tmp_path: Path) -> None:
    rows = [{"protocol": protocol, "metrics": {"clip_accuracy": 0.5}} for protocol in tasks.PROTOCOLS]
    for folder, page in (("musan", {"rows": rows}), ("logs", {"commit": "abc1234"})):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / ("evaluation.json" if "rows" in page else "musan.json")).write_text(json.dumps(page))
    tasks.write(["musan", "nsynth"], tmp_path)
    text = (tmp_path / "cola-tasks.md").read_text()
    assert "| MUSAN (3) | 50.0 (56.8) | 50.0 (99.3) | 50.0 (99.1) | 50.0 (99.4) |" in text
    assert "Not there: NSynth instruments (11)." in text
