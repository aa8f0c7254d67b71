"""A table of one row that a machine makes in seconds: a tiny separator and a tiny encoder."""

from pathlib import Path

import pytest

SEPARATOR = """
base: separator/small
separator: {tdcn: {window: 80, hop: 40, filters: 16, bottleneck: 8, width: 16, repeats: 1, blocks: 2}}
"""

TABLE = """
title: Mixtures and channels, in miniature
source: Nobody, Nowhere, Table 0
notes: [The figures are invented.]
data:
  pretraining: {about: Any recordings., splits: [train]}
  qbe: {about: Labelled recordings.}
columns:
  QbE mAP: {data: qbe, protocol: qbe, test_split: test}
rows:
  - name: Statistics
    model: logmel
    published: {QbE mAP: 0.4}
  - name: Mix vs chan
    recipe: ssep/table2/mix-chan
    overrides: {encoder: {cnn14: {width: 0.03125, embedding_size: 16}}, training.optimizer: {adam: {lr: 0.001}}}
    published: {QbE mAP: 0.631}
  - name: With pictures
    reason: needs video
    published: {QbE mAP: 0.9}
stand_in_separator: SEPARATOR
"""


@pytest.fixture
def tiny_table(tmp_path: Path) -> Path:
    """The path of the table's page."""
    separator = tmp_path / "separator.yaml"
    separator.write_text(SEPARATOR)
    page = tmp_path / "tiny.yaml"
    page.write_text(TABLE.replace("SEPARATOR", str(separator)))
    return page
