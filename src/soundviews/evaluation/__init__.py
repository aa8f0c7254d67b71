"""How good is an encoder? One protocol a file; importing the package registers them all."""

from soundviews.evaluation import protocols, transformations  # importing them registers them
from soundviews.evaluation.embeddings import CorpusEmbeddings, embed_corpus
from soundviews.evaluation.protocols.knn import KnnResult, knn_predict
from soundviews.evaluation.protocols.qbe import QbeResult, query_by_example
from soundviews.evaluation.result import Evaluation, Failure, Row
from soundviews.evaluation.runner import evaluate
from soundviews.evaluation.score import Gives, Judged, Score, gives
from soundviews.evaluation.score import protocols as _protocols
from soundviews.evaluation.tasks import Task, open_tasks

register = _protocols.register

__all__ = [
    "CorpusEmbeddings",
    "Evaluation",
    "Failure",
    "Gives",
    "Judged",
    "KnnResult",
    "QbeResult",
    "Row",
    "Score",
    "Task",
    "embed_corpus",
    "evaluate",
    "gives",
    "knn_predict",
    "open_tasks",
    "protocols",
    "query_by_example",
    "register",
    "transformations",
]
