"""Shipped networks whose patterns last longer than a test should, made brief."""

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

_FEW = ("copies=2", "protocol.0.repeat=2", "protocol.0.do.0.count=40")
_TWO = (*_FEW, "protocol.0.do.1.count=10")
_EKDAA = (*_FEW, "protocol.0.do.1.repeat=1", "protocol.0.do.2.count=10")
_PREDICTIVE = (
    *("copies=4", *_FEW[1:], "protocol.0.do.1.repeat=2"),
    *("protocol.0.do.1.do.0.count=4", "protocol.0.do.2.count=40"),
)
_EMSTDP = (*_FEW[:2], "protocol.0.do.0.count=6", "protocol.0.do.1.count=4")
_EMSTDP_DEEP = (*_EMSTDP[:3], "protocol.0.do.1.repeat=1", "protocol.0.do.1.do.0.count=2", "protocol.0.do.2.count=4")
_EMSTDP_CHIP = (_EMSTDP[1], "protocol.0.do.0.count=3", "protocol.0.do.1.count=2")
_META = ("protocol.1.repeat=2", "protocol.1.do.0.count=80")
GLE_LAYERS = (
    *("copies=2", "h1.size=5", "h2.size=4", "train.hold=10 steps", "test.hold=10 steps"),
    *("protocol.0.repeat=2", "protocol.0.do.1.count=60", "protocol.0.do.2.repeat=2", "protocol.0.do.2.do.0.count=2"),
    "protocol.0.do.4.count=40",
)
PAL_LAYERS = (
    *("h1.size=5", "h2.size=4", "i1.size=4", "noise.hold=60 steps", "train.hold=10 steps", "test.hold=10 steps"),
    *("answer.every=2 steps", "answer.from=2 steps", "answer.to=10 steps", "protocol.0.repeat=2"),
    *("protocol.0.do.1.count=4", "protocol.0.do.4.count=20", "protocol.0.do.5.repeat=4", "protocol.0.do.7.count=10"),
)
SAL_NET = (
    *("copies=2", "h1.size=5", "h2.size=4", "protocol.0.repeat=2", "protocol.0.do.1.repeat=3"),
    *("protocol.0.do.1.do.1.run=100 steps", "protocol.0.do.5.count=40", "protocol.0.do.6.repeat=2"),
    *("protocol.0.do.6.do.0.count=2", "protocol.0.do.7.count=20"),
)
TSSL_BP = ("copies=2", "protocol.0.count=20")

BRIEF = {
    "sal_micro": SAL_MICRO,
    "sal_micro_published": SAL_MICRO,
    "published/diehl_cook": DIEHL_COOK,
    "sal_net": SAL_NET,
    "pal_layers": PAL_LAYERS,
    "gle_layers": GLE_LAYERS,
    "ekdaa": _EKDAA,
    "ekdaa_conv": _EKDAA,
    "ekdaa_yinyang": _EKDAA,
    "ekdaa_sign": _TWO,
    "emstdp": _EMSTDP,
    "emstdp_deep": _EMSTDP_DEEP,
    "emstdp_chip": _EMSTDP_CHIP,
    "emstdp_chip_deep": _EMSTDP_CHIP,
    "meta_digits": (*_META, "protocol.1.do.1.repeat=10", "protocol.1.do.2.count=10"),
    "meta_plasticity": (*_META, "protocol.1.do.1.count=10"),
    "meta_tasks": ("copies=4", "protocol.1.count=320", "protocol.2.count=80"),
    "predictive_coding": _PREDICTIVE,
    "predictive_coding_conv": _TWO,
    "predictive_coding_strict": _PREDICTIVE,
    "predictive_coding_yinyang": _PREDICTIVE,
    "tssl_bp": TSSL_BP,
    "tssl_bp_loihi": TSSL_BP,
}
"""Changes after which a network does a few rounds of few patterns, with all that is done in a pattern."""
