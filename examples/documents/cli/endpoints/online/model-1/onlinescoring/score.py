"""A linear regression of ten numbers: {"data": [[10 numbers], ...]}."""

import json
import logging
import os


def init():
    global model
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "regression.json")) as file:
        model = json.load(file)
    logging.info("Init complete")


def run(raw_data):
    logging.info("Request received")
    rows = json.loads(raw_data)["data"]
    logging.info("Request processed")
    return [model["intercept"] + weighted(row) for row in rows]


def weighted(row):
    return sum(weight * value for weight, value in zip(model["coefficients"], row))
