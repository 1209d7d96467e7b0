"""Train a classifier of handwritten digits, and write all that the example deploys and scores.

The data are the 1,797 real digits that scikit-learn ships: 8 x 8 pixels of 0 to 16. Written:
  model/                  the classifier, for score.py and batch_score.py
  mlflow-model/           the same again on named columns, in MLflow's format: deployed without code
  images/                 every digit as a PNG file, the input of the batch job
  labels.csv              file,digit: what is on each image
  online-request.json     held-out digits that the model has not seen, for the online endpoint
  online-labels.json      what they are
  mlflow-request.json     the same digits as columns
  mlflow-predictions.json what the MLflow model itself predicts for them
"""

import argparse
import json
import os
import shutil

import joblib
import mlflow.pyfunc
import mlflow.sklearn
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    parser = argparse.ArgumentParser(description="Train a classifier of handwritten digits.")
    parser.add_argument("--output", default="outputs", help="folder to write to")
    output = parser.parse_args().output
    os.makedirs(output, exist_ok=True)

    digits = load_digits()
    columns = [f"pixel_{index}" for index in range(digits.data.shape[1])]
    seen, held_out, seen_labels, labels = train_test_split(
        digits.data, digits.target, test_size=0.3, random_state=0, stratify=digits.target
    )
    model = SVC(gamma=0.001).fit(seen, seen_labels)
    print(f"accuracy on {len(held_out)} held-out digits: {model.score(held_out, labels):.4f}")

    write_model(model, output)
    write_images(digits, output)
    write_json(output, "online-request.json", {"data": held_out.tolist()})
    write_json(output, "online-labels.json", labels.tolist())

    table = pd.DataFrame(held_out, columns=columns)
    named = SVC(gamma=0.001).fit(pd.DataFrame(seen, columns=columns), seen_labels)
    write_mlflow_model(named, table, output)
    split = {"columns": columns, "index": list(range(len(table))), "data": held_out.tolist()}
    write_json(output, "mlflow-request.json", {"input_data": split})


def write_model(model, output):
    os.makedirs(os.path.join(output, "model"), exist_ok=True)
    joblib.dump(model, os.path.join(output, "model", "digits.joblib"))


def write_images(digits, output):
    folder = os.path.join(output, "images")
    os.makedirs(folder, exist_ok=True)
    lines = ["file,digit"]
    for index, (pixels, digit) in enumerate(zip(digits.images, digits.target)):
        name = f"digit-{index:04d}.png"
        # 0..16 becomes 0..240, which batch_score.py divides by 15 again.
        Image.fromarray((pixels * 15).astype(np.uint8)).save(os.path.join(folder, name))
        lines.append(f"{name},{digit}")
    with open(os.path.join(output, "labels.csv"), "w") as file:
        file.write("\n".join(lines) + "\n")


def write_mlflow_model(model, table, output):
    path = os.path.join(output, "mlflow-model")
    shutil.rmtree(path, ignore_errors=True)  # of an earlier run: MLflow refuses to overwrite
    mlflow.sklearn.save_model(
        model,
        path,
        conda_env=os.path.join(HERE, "environment", "conda.yml"),
        signature=infer_signature(table, model.predict(table)),
        serialization_format="cloudpickle",
    )
    predictions = mlflow.pyfunc.load_model(path).predict(table)
    write_json(output, "mlflow-predictions.json", predictions.tolist())


def write_json(output, name, value):
    with open(os.path.join(output, name), "w") as file:
        json.dump(value, file)


if __name__ == "__main__":
    main()
