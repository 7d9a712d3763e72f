"""A bar for each contestant: requests per second, from JSON on standard input, into the file named."""

import json
import sys

import matplotlib

matplotlib.use("svg")
# The same file for the same figures.
matplotlib.rcParams["svg.hashsalt"] = "peers"
from matplotlib import pyplot  # noqa: E402  after the backend is chosen

rates = dict(sorted(json.load(sys.stdin).items(), key=lambda item: item[1]))
figure, axes = pyplot.subplots(figsize=(8, 0.45 * len(rates) + 0.8))
colours = ["#c2410c" if name.startswith("Syncano") else "#94a3b8" for name in rates]
bars = axes.barh(list(rates), list(rates.values()), color=colours)
axes.bar_label(bars, [f"{rate:,.0f}" for rate in rates.values()], padding=4)
axes.set_xlabel("requests per second, 16 connections")
axes.spines[["top", "right"]].set_visible(False)
axes.margins(x=0.12)
figure.tight_layout()
figure.savefig(sys.argv[1], metadata={"Date": None})
