"""The page about Python: every block runs, in order, on small built-in scenes."""

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from examples import simclr
from soundviews.scenes.events import events
from soundviews.scenes.folder import SceneOptions, write_scenes

PAGE = Path(__file__).resolve().parents[2] / "docs" / "python.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), flags=re.MULTILINE | re.DOTALL)
CLASSES = ("bell", "siren")
SHORTER = {
    '{"training.steps": 2000}': '{"training.steps": 2, "training.batch_size": 4, "evaluation": None}',
    '"separator/small")': '"separator/small", {"training.steps": 2, "processors.F": 1, "processors.S1": 1})',
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with all that the page names; `labelled` has the layout of ESC-50."""
    write_scenes(tmp_path / "recordings", SceneOptions(12, min_seconds=1, max_seconds=2, sources=False), progress=False)
    for folder in ("labelled/audio", "labelled/meta"):
        (tmp_path / folder).mkdir(parents=True)
    lines = ["filename,fold,target,category,esc10,src_file,take"]
    for index in range(20):
        target, fold = index % 2, 1 + index // 2 % 5
        name = f"{fold}-{index}-A-{target}.wav"
        samples = events.get(CLASSES[target])(np.random.default_rng(index), 16000, 16000)
        soundfile.write(tmp_path / "labelled" / "audio" / name, samples / np.abs(samples).max() / 2, 16000)
        lines.append(f"{name},{fold},{target},{CLASSES[target]},False,{index},A")
    (tmp_path / "labelled" / "meta" / "esc50.csv").write_text("\n".join(lines) + "\n")
    for name, index in (("owl.wav", 0), ("dog.wav", 1)):
        shutil.copyfile(tmp_path / "labelled" / "audio" / f"1-{index}-A-{index}.wav", tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_block_runs(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shortened, names = set(), dict[str, Any]()
    for block in BLOCKS:
        for long, short in SHORTER.items():
            shortened |= {long} if long in block else set()
            block = block.replace(long, short)
        exec(compile(block, PAGE.name, "exec"), names)
    assert shortened == set(SHORTER)  # whatever else takes long would be seen

    assert names["waveform"].ndim == 1 and names["header"].sample_rate == 16000
    assert 0 < len(names["tests"]) < len(names["corpus"]) == 20
    assert names["owl"].vectors.shape == (len(names["owl"].starts), names["model"].embedding_size)
    assert names["vectors"].shape == (20, names["model"].embedding_size) and 0 <= names["accuracy"] <= 1
    assert names["best"] in names["result"].rows and not names["result"].failures
    assert {row.system for row in names["both"].rows} == {"mine", "log-mel"}
    assert names["channels"].shape[0] > 1
    assert "runs/none" in capsys.readouterr().out


def test_the_loop_in_plain_pytorch_is_the_example_that_is_tested() -> None:
    (loop,) = (block for block in BLOCKS if "training_loader" in block)
    assert loop.rstrip() in Path(simclr.__file__).read_text()
