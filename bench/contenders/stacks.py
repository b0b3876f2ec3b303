"""The contenders that one writes oneself: `--way naive` and `--way sensible` of bench/naive.py."""

import sys

from bench.contenders.at_work import serve, told
from bench.naive import Naive, Sensible

if __name__ == "__main__":
    words = told()
    way = {"naive": Naive, "sensible": Sensible}[words.way]
    sys.exit(serve(way(words.pages, words.port, words.database)))
