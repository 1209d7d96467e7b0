"""Tell which digits are on images of 8 x 8 pixels: {"data": [[64 numbers of 0 to 16], ...]}."""

import json
import logging
import os

import joblib
import numpy as np


def init():
    global model
    folder = os.environ["AZUREML_MODEL_DIR"]
    model = joblib.load(os.path.join(folder, "model", "digits.joblib"))
    logging.info("the model is loaded")


def run(raw_data):
    pixels = np.array(json.loads(raw_data)["data"], dtype=float)
    return model.predict(pixels).tolist()
