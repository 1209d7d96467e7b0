"""Tell digits by how much ink they take: no good classifier, but one without packages."""

import json
import os


def init():
    global ink_of_digits
    path = os.path.join(os.environ["AZUREML_MODEL_DIR"], "model", "ink.json")
    with open(path) as file:
        ink_of_digits = json.load(file)


def run(mini_batch):
    return ["%s: %s" % (os.path.basename(path), digit(path)) for path in mini_batch]


def digit(path):
    """The digit whose ink comes nearest to that of an image in PGM format (P5, 8 bits)."""
    with open(path, "rb") as file:
        pixels = file.read().split(b"\n", 3)[3]
    ink = sum(pixels) / (255.0 * len(pixels))
    if not ink:
        return os.environ.get("UNKNOWN_DIGIT", "")
    return min(ink_of_digits, key=lambda each: abs(ink_of_digits[each] - ink))
