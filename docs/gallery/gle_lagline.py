"""A chain of two slow neurons learns the weights and time constants of another one (GLE)."""

import matplotlib.pyplot as plt

import neuroport

names = ("learn1.w", "learn2.w", "student1.tau_m", "student2.tau_m")

figure, axes = plt.subplots(layout="constrained")
for chip, style in (("ideal", "-"), ("generic16", ":")):
    axes.set_prop_cycle(color=["tab:blue", "tab:orange", "tab:green", "tab:red"])
    with neuroport.open(neuroport.load("gle_lagline"), chip=chip, keep=0) as session:
        found = []
        for _ in session.walk_protocol(lambda step: 500):
            found.append(
                [session.step * session.dt, *(session.get(name).item() for name in names)]
            )
    times, *courses = zip(*found, strict=True)
    for name, values in zip(names, courses, strict=True):
        axes.plot(times, values, style, label=f"{name}, {chip}", linewidth=2)
axes.set(xlabel="time (ms)", ylabel="weights, and time constants in ms", xlim=(0, 500))
axes.legend(fontsize="small", loc="center right")
plt.show()
