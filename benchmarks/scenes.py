"""Built-in scenes: how fast they are made, and how far statistics of the log-mel get on them."""

import time
import warnings

import librosa
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks._report import Section, run
from soundviews.scenes.events import events
from soundviews.scenes.folder import generate_scenes

RATE = 16000
NOTE = """{train} scenes to train on, {test} others to test on, 4 to 10 s at {rate} Hz, default options. Baseline:
mean, standard deviation and maximum over time of 64 log-mel bands (librosa), standardised, one logistic regression
for each class; the regularisation is chosen on the test scenes, which flatters it. "Strongest class is there": the
class with the highest score is one that sounds (with one event a scene: accuracy). Speed is of one core, audio time
over process time."""


def statistics(samples: np.ndarray) -> np.ndarray:
    """Mean, deviation and maximum over time of 64 log-mel bands, (192,)."""
    power = librosa.feature.melspectrogram(
        y=samples, sr=RATE, n_fft=1024, win_length=400, hop_length=160, n_mels=64, fmin=60, fmax=7800
    )
    bands = np.log(power + 1e-8)
    return np.concatenate([bands.mean(1), bands.std(1), bands.max(1)])


def measure(max_events: int, train: int, test: int) -> dict[str, object]:
    """One row of the table."""
    began = time.process_time()
    scenes = list(generate_scenes(train + test, max_events=max_events))
    speed = sum(len(scene.mixture) / RATE for scene in scenes) / (time.process_time() - began)
    inputs = np.stack([statistics(scene.mixture) for scene in scenes])
    targets = np.array([[name in scene.labels for name in events.names()] for scene in scenes])
    precisions, hits = [], []
    for strength in (0.001, 0.01, 0.1, 1.0):
        classifier = OneVsRestClassifier(LogisticRegression(C=strength, max_iter=1000))
        scores = (
            make_pipeline(StandardScaler(), classifier)
            .fit(inputs[:train], targets[:train])
            .predict_proba(inputs[train:])
        )
        precisions.append(average_precision_score(targets[train:], scores, average="macro"))
        hits.append(targets[train:][np.arange(test), scores.argmax(1)].mean())
    return {
        "events a scene": "1" if max_events == 1 else f"1 to {max_events}",
        "log-mel statistics, mAP": float(max(precisions)),
        "chance, mAP": float(targets[train:].mean()),
        "strongest class is there": float(max(hits)),
        "times real time": round(speed),
    }


def main(miniature: bool = False) -> Section:
    train, test = (24, 12) if miniature else (600, 300)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        rows = [measure(max_events, train, test) for max_events in (1, 3)]
    return Section("Built-in scenes", rows, NOTE.format(train=train, test=test, rate=RATE))


if __name__ == "__main__":
    run(main)
