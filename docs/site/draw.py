"""Run a program of the gallery and write its figure: python docs/site/draw.py PROGRAM FILE.svg"""

from __future__ import annotations

import runpy
import sys

import matplotlib.pyplot as plt

program, picture = sys.argv[1:]
plt.show = lambda: None
runpy.run_path(program, run_name="__main__")
plt.gcf().savefig(picture, metadata={"Date": None})
