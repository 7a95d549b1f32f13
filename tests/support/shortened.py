"""Changes to shipped networks whose patterns last longer than a test should."""

from __future__ import annotations

SAL_MICRO = (
    *("ask_train.hold=60 steps", "ask_validate.hold=60 steps", "train.hold=120 steps", "validate.hold=80 steps"),
    *(f"{name}.from=20 steps" for name in ("taught", "nudged", "free")),
    *(f"{cell}.{name}" for cell in "hy" for name in ("lag=20 steps", "window=50 steps")),
    *(f"past_{cell}_{name}.delay=50 steps" for cell in "hy" for name in ("u", "basal")),
    *("protocol.6.repeat=2", "protocol.6.do.1.repeat=3"),
)

DIEHL_COOK = (
    *("train.hold=50 steps", "test.hold=50 steps"),
    *(f"protocol.{item}.each.1.at=40 steps" for item in ("2.do.0", "4", "5")),
)

EKDAA = ("copies=2", "protocol.0.repeat=2", "protocol.0.do.0.count=40", "protocol.0.do.1.count=10")
"""Two epochs of `ekdaa` and the like of fifty digits."""

META = {
    "meta_plasticity": ("protocol.1.repeat=2", "protocol.1.do.0.count=60", "protocol.1.do.1.count=10"),
    "meta_tasks": ("copies=4", "protocol.1.count=320", "protocol.2.count=80"),
}
"""Networks of the meta-learned rule with less than a hundred images of each kind."""
EMSTDP = ("copies=2", "protocol.0.repeat=2", "protocol.0.do.0.count=6", "protocol.0.do.1.count=4")
EMSTDP_DEEP = (*EMSTDP[:3], "protocol.0.do.1.repeat=1", "protocol.0.do.1.do.0.count=2", "protocol.0.do.2.count=4")
EMSTDP_CHIP = (EMSTDP[1], "protocol.0.do.0.count=3", "protocol.0.do.1.count=2")
"""Two epochs of a few digits, with all that is done in a pattern."""
PREDICTIVE = ("copies=4", "protocol.0.repeat=2", "protocol.0.do.0.count=40", "protocol.0.do.1.repeat=2")
PREDICTIVE += ("protocol.0.do.1.do.0.count=4", "protocol.0.do.2.count=40")
"""Two epochs of `predictive_coding` and the like of fifty patterns."""
EKDAA_SIGN = ("copies=2", "protocol.0.repeat=2", "protocol.0.do.0.count=40", "protocol.0.do.1.count=10")
EKDAA = (*EKDAA_SIGN[:3], "protocol.0.do.1.repeat=1", "protocol.0.do.2.count=10")
"""Two epochs of `ekdaa` and the like of some fifty digits."""
