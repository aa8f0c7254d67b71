"""How good is an encoder? One protocol a file; importing the package registers them all."""

from soundviews.evaluation import protocols  # importing them registers them
from soundviews.evaluation.embeddings import CorpusEmbeddings, embed_corpus
from soundviews.evaluation.protocols.knn import KnnResult, knn_predict
from soundviews.evaluation.protocols.qbe import QbeResult, query_by_example
from soundviews.evaluation.runner import Evaluation, Row, evaluate
from soundviews.evaluation.score import Judged, Score
from soundviews.evaluation.tasks import Task, cross_validation, make_task

__all__ = [
    "CorpusEmbeddings",
    "Evaluation",
    "Judged",
    "KnnResult",
    "QbeResult",
    "Row",
    "Score",
    "Task",
    "cross_validation",
    "embed_corpus",
    "evaluate",
    "knn_predict",
    "make_task",
    "protocols",
    "query_by_example",
]
