"""Trains `src/groundswell/media/data/scripts.onnx`, which tells the script of a line of text.

    python scripts/train_scripts.py [--out FILE] [--lines N] [--epochs N]

Learns from lines rendered by `bench/_rendered.py` with the typefaces, sentences and photographs of its
training part alone; each is crooked, worn and cut as the line finder's boxes are. A small convolutional net:
32 rows, any width. The seeds are fixed; needs torch 2.13 and onnx, which the program itself does not; one
core, half an hour.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

import cv2
import numpy as np
import torch
from bench import _rendered
from torch import nn

OUT = Path(__file__).parents[1] / "src" / "groundswell" / "media" / "data" / "scripts.onnx"
ROWS = 32
WIDTHS = (48, 80, 128, 192, 256, 320)
SCRIPTS = tuple(sorted(_rendered.FAMILIES))


def say(*words: object) -> None:
    sys.stderr.write(" ".join(map(str, words)) + "\n")


def sample(script: str, part: _rendered.Part, rng: np.random.Generator) -> np.ndarray:
    """One crop, uint8 grey (32, width)."""
    languages = _rendered.LANGUAGES[script]
    for _ in range(20):
        language = languages[int(rng.integers(len(languages)))]
        texts = _rendered.sentences(language, part)
        text = _rendered.line_of(texts[int(rng.integers(len(texts)))], script, rng)
        if script == "Latn" and rng.random() < 0.2:
            text = text.upper()
        faces = _rendered.typefaces(script, language, part)
        face = faces[int(rng.integers(len(faces)))]
        text, full = face.has(text), len(text)
        if len(text) < max(2, 0.7 * full):
            continue
        ink = _rendered.mask_of(text, face, int(rng.choice([24, 30, 38, 48])))
        if ink.shape[0] >= 6 and ink.shape[1] >= 12:
            break
    return crop(ink, part, rng)


def crop(ink: np.ndarray, part: _rendered.Part, rng: np.random.Generator) -> np.ndarray:
    height, width = ink.shape
    above, below = rng.uniform(0.0, 0.4, 2) * height
    before, after = rng.uniform(0.0, 0.6, 2) * height
    rows, columns = int(height + above + below) + 2, int(width + before + after) + 2
    corners = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    there = corners + np.float32([before, above])
    there += rng.normal(0, 0.04 * height, (4, 2)).astype(np.float32)
    there[:2, 0] += float(rng.normal(0, 0.12)) * height
    ink = cv2.warpPerspective(ink, cv2.getPerspectiveTransform(corners, there), (columns, rows))
    ground = _rendered.patch_of(_rendered.photographs(part), rows, columns, rng)
    picture = _rendered.paint(ground, ink, rng)
    small = float(rng.uniform(12, 48)) / rows
    if small < 1:
        picture = cv2.resize(
            picture, (max(4, int(columns * small)), max(4, int(rows * small))), interpolation=cv2.INTER_AREA
        )
    picture = _rendered.worn(picture, rng)
    wide = int(np.clip(round(picture.shape[1] * ROWS / picture.shape[0]), 16, WIDTHS[-1] * 2))
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    how = cv2.INTER_AREA if grey.shape[0] > ROWS else cv2.INTER_LINEAR
    return cv2.resize(grey, (wide, ROWS), interpolation=how)


def bucket(grey: np.ndarray, rng: np.random.Generator) -> tuple[int, np.ndarray]:
    """The widest of `WIDTHS` that the crop fills, and a window of it that wide."""
    width = max([each for each in WIDTHS if each <= grey.shape[1]], default=WIDTHS[0])
    if grey.shape[1] < width:
        grey = np.pad(grey, ((0, 0), (0, width - grey.shape[1])), mode="edge")
    start = int(rng.integers(0, grey.shape[1] - width + 1))
    return width, grey[:, start : start + width]


def lines_of(script: str, lines: int, part: _rendered.Part, seed: int) -> list[tuple[int, np.ndarray]]:
    cv2.setNumThreads(1)
    rng = np.random.default_rng([seed, SCRIPTS.index(script)])
    begun = time.process_time()
    found = [bucket(sample(script, part, rng), rng) for _ in range(lines)]
    say(part, script, round((time.process_time() - begun) / lines * 1e3, 1), "ms a line")
    return found


def corpus(lines: int, part: _rendered.Part, seed: int) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    rows: dict[int, list[tuple[np.ndarray, int]]] = {width: [] for width in WIDTHS}
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        drawn = pool.starmap(lines_of, [(script, lines, part, seed) for script in SCRIPTS], chunksize=1)
    for label, found in enumerate(drawn):
        for width, grey in found:
            rows[width].append((grey, label))
    return {
        width: (np.stack([grey for grey, _ in found]), np.array([label for _, label in found]))
        for width, found in rows.items()
        if found
    }


class Net(nn.Module):
    """Five convolutions to one row of columns; their mean and their maximum are weighed."""

    def __init__(self, scripts: int) -> None:
        super().__init__()
        shapes = [(1, 20, 5, (2, 2)), (20, 40, 3, (2, 2)), (40, 64, 3, (1, 2)), (64, 96, 3, (2, 1))]
        layers: list[nn.Module] = []
        for into, out, size, stride in shapes:
            layers += [
                nn.Conv2d(into, out, size, stride, size // 2, bias=False),
                nn.BatchNorm2d(out),
                nn.ReLU(),
            ]
        layers += [nn.Conv2d(96, 160, (4, 3), 1, (0, 1), bias=False), nn.BatchNorm2d(160), nn.ReLU()]
        self.columns = nn.Sequential(*layers)
        self.drop = nn.Dropout(0.2)
        self.weigh = nn.Linear(320, scripts)

    def forward(self, line: torch.Tensor) -> torch.Tensor:
        columns = self.columns(line).squeeze(2)
        return self.weigh(self.drop(torch.cat([columns.mean(2), columns.amax(2)], 1)))


def normal(grey: np.ndarray) -> torch.Tensor:
    plain = torch.from_numpy(grey.astype(np.float32))[:, None]
    mean, spread = plain.mean((2, 3), keepdim=True), plain.std((2, 3), keepdim=True)
    return (plain - mean) / (spread + 8)


def train(data: dict[int, tuple[np.ndarray, np.ndarray]], epochs: int) -> Net:
    torch.manual_seed(1)
    rng = np.random.default_rng(2)
    net = Net(len(SCRIPTS))
    batches = [(width, at) for width, (_, labels) in data.items() for at in range(0, len(labels), 64)]
    best = torch.optim.AdamW(net.parameters(), 3e-3, weight_decay=0.01)
    pace = torch.optim.lr_scheduler.OneCycleLR(best, 6e-3, total_steps=epochs * len(batches))
    for epoch in range(epochs):
        begun, loss_sum = time.time(), 0.0
        orders = {width: rng.permutation(len(labels)) for width, (_, labels) in data.items()}
        for which in rng.permutation(len(batches)):
            width, at = batches[which]
            picked = orders[width][at : at + 64]
            if len(picked) < 8:
                pace.step()
                continue
            grey, labels = data[width]
            loss = nn.functional.cross_entropy(
                net(normal(grey[picked])), torch.from_numpy(labels[picked]), label_smoothing=0.03
            )
            best.zero_grad()
            loss.backward()
            best.step()
            pace.step()
            loss_sum += float(loss.detach())
        say("epoch", epoch, round(loss_sum / len(batches), 4), round(time.time() - begun), "s")
    return net.eval()


def measure(net: Net, data: dict[int, tuple[np.ndarray, np.ndarray]]) -> None:
    right = np.zeros((len(SCRIPTS), 2), np.int64)
    wrong: dict[tuple[str, str], int] = {}
    with torch.no_grad():
        for grey, labels in data.values():
            for at in range(0, len(labels), 256):
                told = net(normal(grey[at : at + 256])).argmax(1).numpy()
                for truth, answer in zip(labels[at : at + 256], told, strict=True):
                    right[truth] += (truth == answer, 1)
                    if truth != answer:
                        pair = (SCRIPTS[truth], SCRIPTS[answer])
                        wrong[pair] = wrong.get(pair, 0) + 1
    say("all", round(right[:, 0].sum() / right[:, 1].sum(), 4))
    say({script: round(a / b, 3) for script, (a, b) in zip(SCRIPTS, right, strict=True)})
    say(sorted(wrong.items(), key=lambda each: -each[1])[:25])


def export(net: Net, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        net,
        (torch.zeros(1, 1, ROWS, 128),),
        str(out),
        input_names=["line"],
        output_names=["scores"],
        dynamic_axes={"line": {0: "lines", 3: "width"}, "scores": {0: "lines"}},
        dynamo=False,
    )
    import onnx

    model = onnx.load(str(out))
    model.metadata_props.add(key="scripts", value=json.dumps(SCRIPTS))
    onnx.save(model, str(out))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--lines", type=int, default=1200, help="lines of each script")
    parser.add_argument("--epochs", type=int, default=6)
    given = parser.parse_args()
    torch.set_num_threads(1)
    net = train(corpus(given.lines, "train", 3), given.epochs)
    export(net, given.out)
    say(given.out, given.out.stat().st_size, "bytes")
    measure(net, corpus(max(40, given.lines // 20), "test", 4))


if __name__ == "__main__":
    main()
