"""What is scored in bench.online and bench.online_tail: the same code in every server."""

from __future__ import annotations

WORK = '''
import json
import time

def prepared(kind):
    """The function from a parsed body to a result."""
    if kind == "ridge":
        import numpy
        from sklearn.linear_model import Ridge
        rows = numpy.random.default_rng(0).normal(size=(100, 10))
        model = Ridge().fit(rows, rows.sum(axis=1))
        return lambda value: model.predict(numpy.asarray(value, dtype=float)).tolist()
    return {"noop": noop, "cpu": cpu, "megabyte": megabyte, "sleep": sleep}[kind]

def noop(value):
    return [1]

def cpu(value):
    end = time.thread_time() + 0.005
    while time.thread_time() < end:
        pass
    return [1]

def megabyte(value):
    return [len(value[0])]

def sleep(value):
    time.sleep(value[0])
    return [1]
'''
KINDS = ("noop", "ridge", "cpu", "megabyte")
ROWS = "[[1,2,3,4,5,6,7,8,9,10],[10,9,8,7,6,5,4,3,2,1]]"
MILLION = 1_000_000

LUA = """
wrk.method = "POST"
wrk.path = "{path}"
wrk.body = {body}
wrk.headers["Content-Type"] = "application/json"
"""
KEY = 'wrk.headers["Authorization"] = "Bearer {key}"\n'


def lua(kind: str, path: str, template: str = "{rows}", key: str | None = None) -> str:
    """A script for wrk. template: the body around its rows, or around a text of a megabyte."""
    before, _, after = template.partition("{rows}")
    big = f"'{before}[\"' .. string.rep('x', {MILLION}) .. '\"]{after}'"
    body = big if kind == "megabyte" else f"'{before}{ROWS}{after}'"
    return LUA.format(path=path, body=body) + (KEY.format(key=key) if key else "")


SCORE = (
    WORK
    + """
import os

def init():
    global work
    work = prepared(os.environ["KIND"])

def run(data):
    return work(json.loads(data))
"""
)
