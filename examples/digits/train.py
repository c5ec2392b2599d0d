#!/usr/bin/env python3
"""Trains a small network on scikit-learn's 1,797 real 8x8 digits and writes it in every form in which people keep a model.

    python3 train.py [FOLDER]      # seconds on one core; needs torch, onnx, onnxscript, scikit-learn, pillow; FOLDER is this one unless given

The pictures have 17 levels of gray, 0 to 16; level v becomes the 8-bit pixel round(v * 255 / 16), which is what the .png files hold and
what the network is trained on, scaled and normalized as preprocess.json says.
"""

import datetime
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from digits_net import DigitsNet

SEED = 1
EPOCHS = 30
CONFIG = {"channels": 16, "hidden": 64, "classes": 10}


def pictures() -> tuple[np.ndarray, np.ndarray]:
    """All digits as 8-bit grayscale pictures [1797, 8, 8], and what they show."""
    digits = load_digits()
    return np.rint(digits.images * 255 / 16).astype(np.uint8), digits.target.astype(np.int64)


def normalized(pixels: np.ndarray, preprocess: dict) -> torch.Tensor:
    scaled = pixels.astype(np.float32) * np.float32(preprocess["scale"])
    return torch.from_numpy((scaled - np.float32(preprocess["mean"][0])) / np.float32(preprocess["std"][0])).unsqueeze(1)


def accuracy(net: DigitsNet, images: torch.Tensor, labels: torch.Tensor) -> float:
    net.eval()
    with torch.no_grad():
        return (net(images).argmax(1) == labels).float().mean().item()


def train(images, labels, test_images, test_labels):
    net = DigitsNet(**CONFIG)
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3, weight_decay=1e-4)
    best, loss = 0.0, torch.tensor(0.0)
    for _ in range(EPOCHS):
        net.train()
        for batch in torch.randperm(len(images)).split(32):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(images[batch]), labels[batch])
            loss.backward()
            optimizer.step()
        best = max(best, accuracy(net, test_images, test_labels))
    return net.eval(), optimizer, loss.item(), best


def write(folder: Path, net: DigitsNet, optimizer, loss: float, best: float) -> None:
    example = torch.zeros(1, 1, 8, 8)
    torch.save(net.state_dict(), folder / "digits_weights.pth")
    torch.save({
        "epoch": EPOCHS,
        "model_state_dict": net.state_dict(),
        "optimizer_state_dict": optimizer.state_dict(),
        "loss": loss,
        "best_acc": best,
        "model_config": CONFIG,
        "pytorch_version": str(torch.__version__),
        "training_date": datetime.date.today().isoformat(),
    }, folder / "digits_checkpoint.pth")
    torch.save(net, folder / "digits_full.pth")
    torch.jit.trace(net, example).save(str(folder / "digits_traced.pt"))
    torch.jit.script(net).save(str(folder / "digits_scripted.pt"))
    torch.onnx.export(net, (torch.zeros(2, 1, 8, 8),), str(folder / "digits.onnx"), input_names=["input"], output_names=["output"],
                      dynamic_shapes=({0: torch.export.Dim("batch")},), dynamo=True, external_data=False, verbose=False)


def main() -> int:
    warnings.simplefilter("ignore")
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    torch.manual_seed(SEED)
    torch.set_num_threads(1)

    pixels, labels = pictures()
    train_pixels, test_pixels, train_labels, test_labels = train_test_split(pixels, labels, test_size=0.25, random_state=SEED, stratify=labels)
    scaled = train_pixels / 255.0
    preprocess = {
        "mode": "L",
        "resize": {"size": [8, 8], "interpolation": "bilinear"},
        "crop": None,
        "scale": 1 / 255,
        "mean": [round(float(scaled.mean()), 4)],
        "std": [round(float(scaled.std()), 4)],
        "layout": "NCHW",
    }
    test_images, test_targets = normalized(test_pixels, preprocess), torch.from_numpy(test_labels)
    net, optimizer, loss, best = train(normalized(train_pixels, preprocess), torch.from_numpy(train_labels), test_images, test_targets)
    reached = accuracy(net, test_images, test_targets)
    print(f"test accuracy {reached:.2%} on {len(test_labels)} pictures")

    write(folder, net, optimizer, loss, best)
    (folder / "preprocess.json").write_text(json.dumps(preprocess, indent=2) + "\n")
    (folder / "labels.txt").write_text("zero\none\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n")
    shown = [int(np.flatnonzero(test_labels == digit)[0]) for digit in range(10)]
    for digit, index in enumerate(shown):
        Image.fromarray(test_pixels[index]).save(folder / f"digit_{digit}.png")
    rounded = np.round(test_images[shown].numpy().astype(np.float64), 4).tolist()
    (folder / "request.json").write_text(json.dumps({"data": rounded}) + "\n")
    with torch.no_grad():
        np.savez(folder / "golden.npz", in0=test_images[shown].numpy(), out0=net(test_images[shown]).numpy())
        print("predictions for digit_0.png to digit_9.png:", *net(test_images[shown]).argmax(1).tolist())
    return 0 if reached >= 0.97 else 1


if __name__ == "__main__":
    sys.exit(main())
