"""Fit y = slope * x + intercept to the points of a CSV file by least squares."""

import argparse
import csv
import json
import os


def fit(points):
    """Slope and intercept."""
    count = len(points)
    mean_x = sum(x for x, _ in points) / count
    mean_y = sum(y for _, y in points) / count
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / sum(
        (x - mean_x) ** 2 for x, _ in points
    )
    return slope, mean_y - slope * mean_x


parser = argparse.ArgumentParser()
parser.add_argument("--points", required=True)
parser.add_argument("--model", required=True)
parser.add_argument("--digits", type=int, required=True)
given = parser.parse_args()
with open(given.points) as file:
    slope, intercept = fit([(float(row["x"]), float(row["y"])) for row in csv.DictReader(file)])
line = {"slope": round(slope, given.digits), "intercept": round(intercept, given.digits)}
print("fitted", line)
with open(os.path.join(given.model, "line.json"), "w") as file:
    json.dump(line, file)
